# A day on a Slurm of two nodes: what runs there is a node's run as any other, and outlives whatever dies on this side.
#
# needs: slurm

use strict;
use warnings;
use IPC::Run;
use Test::More;
use JoschNode qw($DATE eventually);
use JoschRunner;
use JoschCluster;

my $cluster = JoschCluster->new->start_slurm;
my $node = JoschNode->create('slurm', conf => "wal_level = replica\nmax_wal_senders = 4\njosch.max_running = 100");
my $work = $node->{work};
my $programs = JoschCluster::programs();
$node->sql("INSERT INTO josch.environs VALUES ('SLURM_CONF', '$cluster->{dir}/slurm.conf'), ('SHARED', '$cluster->{dir}/shared'), ('JOSCH_CLUSTER', '$cluster->{dir}');
	INSERT INTO josch.executors (executor_name, start_command, attach_command, stop_command, max_running)
	SELECT 'slurm', c || ' start', c || ' attach', c || ' stop', 100 FROM (VALUES ('$programs/slurm --folder \$SHARED')) p (c)");

sub add { my ($id, $command, %more) = @_; return $node->add([ $id, 'N', $command, executor => 'slurm', %more ]) }
sub go { my ($name) = @_; JoschCluster::spew("$work/$name", ''); return }
my $UNTIL = 'echo here on ${SLURMD_NODENAME:-}; echo x >>$WORK/ran-$NODE_ID; until [ -e $WORK/$NODE_ID.end ]; do sleep 0.05; done; echo last';
sub wait_for_host { my ($server, @ids) = @_; my $list = join ', ', @ids; return $server->wait_until("node $list: on the cluster", 'SELECT count(*) = ' . scalar(@ids) . " FROM josch.runs WHERE node_id IN ($list) AND host ~ '^n[12]\$' AND ended_at IS NULL") }
sub ran { my ($id) = @_; return length($node->file("ran-$id") // '') / 2 }
# those of this side that live
sub programs { return grep { (JoschRunner::slurp("/proc/$_/cmdline") // '') =~ m{\Q$programs\E/slurm\0} } $node->commands }

subtest 'both nodes, true ends, output while it runs' => sub {
	$node->job('both');
	add($_, $UNTIL, executor_options => '--cpus-per-task 8') foreach 11, 12;
	add(13, 'exit 37');
	add(14, 'kill -SEGV $$');
	add(15, 'exit 0', executor_options => '--partition $NOWHERE');
	add(16, "echo progress 0.5 half >>\$JOSCH_REPORT; $UNTIL; exit 3");
	add(17, 'exit 0', executor_options => '--hold');
	$node->sql("INSERT INTO josch.environs VALUES ('NOWHERE', 'nosuch')");
	$node->schedule;
	wait_for_host($node, 11, 12);
	is($node->sql('SELECT string_agg(host, \' \' ORDER BY host) FROM josch.runs WHERE node_id IN (11, 12)'), 'n1 n2', 'on both nodes of the cluster');
	$node->wait_until('why it waits there', "SELECT message = 'slurm: JobHeldUser' FROM josch.nodes WHERE node_id = 17");
	$node->act('stop', 17);
	$node->wait_until('its output while it runs', "SELECT josch.log(run_id) ~ '^here on n[12]\\n\$' FROM josch.runs WHERE node_id = 11");
	go("$_.end") foreach 11, 12;
	$node->wait_for('succeeded', 11, 12);
	$node->wait_for('failed', 13, 14, 15, 17);
	like($node->node_is(17, 'message'), qr/^stopped by .*: signal 15/, 'one that waits there is taken back');
	is($node->run_is(13, 'exit_code'), 37, 'a code');
	is($node->run_is(14, 'exit_signal'), 11, 'a signal');
	like($node->log_of(15), qr/invalid partition specified: nosuch/, 'what Slurm refuses');
	$node->wait_until('what it says of itself', "SELECT josch.log(run_id) ~ '^here' FROM josch.runs WHERE node_id = 16");
	go('16.end');
	$node->wait_for('failed', 16);
	is($node->run_is(16, 'exit_code'), 3, 'its code');
	like($node->log_of(11), qr/^here on n[12]\nlast\n\z/, 'all that it printed, once');
};

subtest 'stops and time-outs' => sub {
	$node->job('stops');
	add(21, "trap 'exit 7' TERM; $UNTIL");
	add(22, "trap '' TERM; $UNTIL", stop_grace => '3 seconds');
	add(23, $UNTIL, timeout => '3 seconds');
	$node->schedule;
	wait_for_host($node, 21, 22);
	eventually("node $_ runs", sub { ran($_) }) foreach 21, 22;
	$node->act('stop', $_) foreach 21, 22;
	$node->wait_for('failed', 21, 22, 23);
	like($node->node_is(21, 'message'), qr/^stopped by .*: exit code 7$/, 'TERM is passed on');
	like($node->node_is(22, 'message'), qr/^stopped by .*: signal 9/, 'KILL is asked for in time');
	like($node->node_is(23, 'message'), qr/^timed out: signal 15/, 'a time-out');
};

subtest 'runner and programs are killed' => sub {
	$node->job('killed');
	add($_, $UNTIL) foreach 31, 32;
	$node->schedule;
	wait_for_host($node, 31, 32);
	eventually("node $_ runs", sub { ran($_) }) foreach 31, 32;
	$node->kill_runner;
	kill KILL => programs();
	go('31.end');
	$node->wait_for('succeeded', 31);
	is($node->node_is(32, 'state'), 'running', 'the other runs on');
	go('32.end');
	$node->wait_for('succeeded', 32);
	like($node->log_of($_), qr/^here on n[12]\nlast\n\z/, 'all that it printed, once') foreach 31, 32;
	is(ran($_), 1, 'it ran once') foreach 31, 32;
};

subtest 'many at once' => sub {
	$node->job('many');
	$node->sql("UPDATE josch.executors SET max_running = 20;
		INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, executor)
		SELECT i, 'N', 'many', 'node ' || i, 'echo x >>\$WORK/many', 'slurm' FROM generate_series(1001, 1200) i");
	$node->schedule;
	$node->wait_until('all are done', "SELECT count(*) = 200 FROM josch.nodes WHERE node_id > 1000 AND state = 'succeeded'");
	is($node->sql("SELECT max((SELECT count(*) FROM josch.runs o WHERE o.node_id > 1000 AND o.requested_at <= r.requested_at AND o.ended_at > r.requested_at)) <= 20 FROM josch.runs r WHERE r.node_id > 1000"), 't',
		'never more than the executor has places');
	is(length($node->file('many')), 400, 'each ran once');
};

subtest 'a node of the cluster dies' => sub {
	$node->job('dies');
	$node->sql('UPDATE josch.executors SET max_running = NULL');
	add(51, $UNTIL, executor_options => '--nodelist n2', repeatable => 'true', retries => 1, retry_delay => '0');
	add(52, $UNTIL, executor_options => '--nodelist n2');
	$node->schedule;
	wait_for_host($node, 51, 52);
	eventually("node $_ runs", sub { ran($_) }) foreach 51, 52;
	$cluster->end_daemon('slurmd.2', 'KILL');
	my @commands = grep { (JoschRunner::slurp("/proc/$_/environ") // '') =~ /\bSLURMD_NODENAME=n2\0/ } $cluster->processes;
	my @watchers = map { `ps -o ppid= -p $_` =~ /(\d+)/ } grep { JoschRunner::slurp("/proc/$_/cmdline") =~ /slurm_script/ } @commands;
	kill $_ => @watchers, @commands foreach qw(STOP KILL);
	$node->wait_for('unknown', 52);
	like($node->node_is(52, 'message'), qr/Slurm job \d+ ended as NODE_FAIL/, 'how it ended cannot be known');
	$node->wait_until('what may be repeated has another attempt', 'SELECT attempt = 2 FROM josch.nodes WHERE node_id = 51');
	$cluster->start_node(2);
	go('51.end');
	$node->wait_for('succeeded', 51);
};

subtest 'a standby that is promoted in the middle of the day' => sub {
	$node->job('promoted');
	add($_, $UNTIL) foreach 61 .. 63;
	$node->backup('base');
	my $standby = JoschNode->from_backup('standby', $node, 'base', streams => 1);
	$standby->start;
	$node->schedule;
	wait_for_host($node, 61 .. 63);
	eventually("node $_ runs", sub { ran($_) }) foreach 61 .. 63;
	$node->sql('CREATE TABLE public.replayed ()');
	$standby->wait_until('the standby has it', "SELECT to_regclass('public.replayed') IS NOT NULL");
	$node->stop('immediate');
	$node->kill_runner;
	kill KILL => programs();
	go('61.end');
	$standby->promote;
	$standby->wait_for('succeeded', 61);
	is($standby->sql("SELECT count(*) FROM josch.nodes WHERE node_id IN (62, 63) AND state = 'running'"), 2, 'the others run on');
	go('62.end');
	$standby->wait_for('succeeded', 62);
	like($standby->log_of(62), qr/^here on n[12]\nlast\n\z/, 'all that it printed is here, too');
	$standby->act('stop', 63);
	$standby->wait_for('failed', 63);
	like($standby->node_is(63, 'message'), qr/^stopped by .*: signal 15/, 'and it can be stopped from there');
	is(ran($_), 1, "node $_ ran once") foreach 61 .. 63;
};

done_testing();
