# A day on another host, by ssh: what runs there is a node's run as any other, and outlives connections and whatever dies on this side.
#
# needs: ssh

use strict;
use warnings;
use IPC::Run;
use Test::More;
use JoschNode qw($DATE eventually);
use JoschRunner;
use JoschCluster;

my $cluster = JoschCluster->new->start_ssh;
my $node = JoschNode->create('ssh');
my $work = $node->{work};
my $programs = JoschCluster::programs();
$node->sql("INSERT INTO josch.environs VALUES ('CONFIG', '$cluster->{dir}/ssh_config');
	INSERT INTO josch.executors (executor_name, start_command, attach_command, stop_command)
	SELECT 'ssh', c || ' start', c || ' attach', c || ' stop' FROM (VALUES ('$programs/ssh -F \$CONFIG')) p (c)");

sub add { my ($id, $command, %more) = @_; return $node->add([ $id, 'N', $command, executor => 'ssh', executor_options => 'there', %more ]) }
sub go { my ($name) = @_; JoschCluster::spew("$work/$name", ''); return }
my $UNTIL = 'echo here; echo x >>$WORK/ran-$NODE_ID; until [ -e $WORK/$NODE_ID.end ]; do sleep 0.05; done; echo last';
sub wait_for_run { my (@ids) = @_; foreach my $id (@ids) { eventually("node $id runs", sub { ($node->file("ran-$id") // '') ne '' }) } return }

add(1, 'exit 255');
add(2, 'kill -9 $$');
add(3, "echo progress 0.5 half >>\$JOSCH_REPORT; $UNTIL");
add($_, $UNTIL) foreach 4, 5;
add(6, "trap 'exit 7' TERM; $UNTIL");
$node->schedule;
$node->wait_for('failed', 1, 2);
is($node->run_is(1, 'exit_code'), 255, 'exit code 255 is one');
is($node->run_is(2, 'exit_signal'), 9, 'a signal');
wait_for_run(3 .. 6);
$node->wait_until('its output while it runs', "SELECT josch.log(run_id) = E'here\\n' FROM josch.runs WHERE node_id = 3");
is($node->run_is(3, "host = '" . qx(uname -n) =~ s/\n//r . "'"), 't', 'where it runs');
$node->act('stop', 6);
$node->wait_for('failed', 6);
like($node->node_is(6, 'message'), qr/^stopped by .*: exit code 7$/, 'TERM is passed on');

# the host does not answer for a while
$cluster->end_ssh;
$node->wait_until('it does not answer', "SELECT message ~ 'ssh does not answer: .*refused' FROM josch.nodes WHERE node_id = 3");
$node->wait_until('josch.health() says so', "SELECT NOT up AND detail ~ 'Executor \"ssh\" cannot be reached' FROM josch.health() WHERE component = 'executor'");
go('3.end');
$cluster->start_ssh;
$node->wait_for('succeeded', 3);
is($node->log_of(3), "here\nlast\n", 'all that it printed, once');

# runner and programs are killed
$node->kill_runner;
kill KILL => grep { (JoschRunner::slurp("/proc/$_/cmdline") // '') =~ m{\Q$programs\E/ssh\0} } $node->commands;
go('4.end');
$node->wait_for('succeeded', 4);
is($node->node_is(5, 'state'), 'running', 'the other runs on');
go('5.end');
$node->wait_for('succeeded', 5);
is($node->log_of($_), "here\nlast\n", 'all that it printed, once') foreach 4, 5;
is($node->file("ran-$_"), "x\n", 'it ran once') foreach 3 .. 6;

done_testing();
