# test/t/059_shortage.pl
# needs: root
#
# The machine is short of something: what could not be started has not failed. It
# waits, says for what, may be stopped, and goes on by itself; and the record has
# one run of it.
use JoschUsers;
use strict;
use warnings;
use File::Path qw(remove_tree);
use PostgreSQL::Test::Utils;
use Test::More;
use JoschNode qw($DATE);
use JoschRunner;

my $spool = JoschRunner::new_spool();
mkdir $spool, 0700 or die "mkdir: $!";
as_user(root => sub { system("mount -t tmpfs -o size=8m,mode=0700,uid=\$(id -u $FIRST),gid=\$(id -g $FIRST) josch $spool") == 0 or die 'mount' });
my $node = JoschNode->create('main', spool => $spool, conf => "josch.max_running = 8\nmax_connections = 20\nwal_level = replica\nmax_wal_senders = 2");

my @mounted = ($spool);

END
{
	JoschRunner::end_runner($spool);
	as_user(root => sub { system("umount --lazy $_") }) foreach @mounted;
}

my $FULL = "no space is left in the spool's file system";
my $SILENT = 'the runner does not answer';
my $next = 1;

sub fill { return system("dd if=/dev/zero of=$spool/ballast bs=4k oflag=append conv=notrunc 2>/dev/null") }
sub make_room { return unlink "$spool/ballast" }

sub runner_pid { return JoschRunner::slurp("$spool/runner.lock") =~ s/\s//gr }

# A job with so many nodes, scheduled; their ids.
sub day_of
{
	my ($count, $command, %columns) = @_;
	my $first = $next;
	$next += $count;
	$node->job("job $first");
	$node->add(map { [ $_, 'N', $command // qq{sh -c 'echo once >> "\$WORK/$_"'}, %columns ] } $first .. $next - 1);
	$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'job $first')");
	return ($first .. $next - 1);
}

sub list { return join ', ', @_ }

# Waits until that many of these nodes wait for this.
sub wait_for_message
{
	my ($count, $what, @ids) = @_;
	$what =~ s/'/''/g;
	return $node->wait_until("$count nodes say that they wait: $what", "SELECT count(*) >= $count FROM josch.nodes WHERE node_id IN ("
		. list(@ids) . ") AND message LIKE 'waits: $what%'");
}

sub health_says
{
	my ($component, $what) = @_;
	$what =~ s/'/''/g;
	return $node->wait_until("health says so of $component", "SELECT NOT up AND detail LIKE '%$what%' FROM josch.health() WHERE component = '$component'");
}

# All of them went through, as if nothing had been.
sub untouched
{
	my (@ids) = @_;
	my $list = list(@ids);
	$node->wait_for(succeeded => @ids);
	is($node->sql("SELECT count(*) FROM josch.nodes WHERE node_id IN ($list) AND (message IS NOT NULL OR attempt <> 1)"), '0', 'the messages are gone');
	is($node->sql("SELECT count(*) FROM josch.runs WHERE node_id IN ($list) AND (message IS NOT NULL OR attempt <> 1)"), '0', 'each at its first attempt');
	is($node->sql("SELECT count(*) FROM josch.runs WHERE node_id IN ($list)"), scalar @ids, 'which is one run');
	is(join(' ', map { $node->file($_) // '-' } @ids), join(' ', ("once\n") x @ids), 'that ran once');
	$node->wait_until('health is content', q{SELECT bool_and(up) FROM josch.health() WHERE component IN ('runner', 'sql workers', 'spool')});
	return;
}

# How often something was tried in vain, by the runner's own log.
sub tries
{
	my $n = () = (JoschRunner::slurp("$spool/runner.log") // '') =~ /did not start/g;
	return $n;
}

subtest 'a full spool' => sub {
	untouched(day_of(2));
	fill();
	my @ids = day_of(20);
	wait_for_message(8, $FULL, @ids);
	$node->wait_until('josch.why() says so', "SELECT string_agg(DISTINCT w.reason, ' ') = 'shortage' FROM josch.nodes n, josch.why(n.node_id, n.job_date) w WHERE n.message LIKE 'waits:%' AND w.depth = 0");
	health_says('runner', "; commands wait: $FULL");
	health_says('spool', 'no command is started until there is more');
	my $list = list(@ids);
	is($node->sql("SELECT string_agg(DISTINCT state, ' ') FROM josch.nodes WHERE node_id IN ($list) AND message IS NOT NULL"), 'running',
		'they keep their place, and the rest waits for one');
	my $audit = "SELECT count(*) FROM josch.nodes_audit WHERE job_date = '$DATE'";
	my $before = $node->sql($audit);
	my $tried = tries();
	JoschNode::eventually('it is tried again', sub { tries() > $tried + 2 });
	is($node->sql($audit), $before, 'without a word more on record');

	my ($stopped) = split /,/, $node->sql("SELECT min(node_id) FROM josch.nodes WHERE node_id IN ($list) AND state = 'running'");
	$node->act(stop => $stopped, 'not today');
	$node->wait_for(failed => $stopped);
	like($node->node_is($stopped, 'message'), qr/it was stopped before there was enough to start it/, 'who does not want to wait may stop it');
	$node->act(skip => $stopped, 'not today');

	$node->restart;
	wait_for_message(8, $FULL, @ids);
	make_room();
	untouched(grep { $_ != $stopped } @ids);
	is($node->file($stopped), undef, 'what was stopped never ran');
};

subtest 'no processes' => sub {
	my $processes = `prlimit --nproc --noheadings --output SOFT`;
	chomp $processes;
	system('prlimit', '--pid', runner_pid(), '--nproc=1:') == 0 or die 'prlimit';
	my @ids = day_of(10);
	wait_for_message(8, 'no more processes can be started', @ids);
	system('prlimit', '--pid', runner_pid(), "--nproc=$processes:") == 0 or die 'prlimit';
	untouched(@ids);

	system('prlimit', '--pid', runner_pid(), '--nproc=1:') == 0 or die 'prlimit';
	my ($long) = day_of(1, 'while [ ! -e $WORK/long.end ]; do sleep 0.05; done');
	wait_for_message(1, 'no more processes can be started', $long);
	system('prlimit', '--pid', runner_pid(), "--nproc=$processes:") == 0 or die 'prlimit';
	$node->wait_until('one that runs for long has started', "SELECT status = 'running' FROM josch.runs WHERE node_id = $long");
	is($node->node_is($long, 'message'), '', 'and does not say any more that it waits');
	is($node->run_is($long, 'message'), '', 'nor does its run');
	append_to_file("$node->{work}/long.end", '');
	$node->wait_for(succeeded => $long);
};

# By somebody who is not asked, as by a restore: the scheduler hears nothing of it.
subtest 'a run that was closed while it waited' => sub {
	fill();
	my @ids = day_of(2);
	wait_for_message(2, $FULL, @ids);
	$node->sql("ALTER TABLE josch.runs DISABLE TRIGGER guard; UPDATE josch.runs SET status = 'failed', ended_at = now() WHERE node_id = $ids[0];
		ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard");
	make_room();
	untouched($ids[1]);
	is($node->file($ids[0]), undef, 'is not started');
};

subtest 'no descriptors' => sub {
	system('prlimit', '--pid', runner_pid(), '--nofile=4:') == 0 or die 'prlimit';
	my @ids = day_of(10);
	wait_for_message(8, 'the runner has no file descriptor left', @ids);
	health_says('runner', 'commands wait: the runner has no file descriptor left (ulimit -n)');
	system('prlimit', '--pid', runner_pid(), '--nofile=1024:') == 0 or die 'prlimit';
	untouched(@ids);
};

subtest 'a folder that was removed' => sub {
	remove_tree("$spool/log");
	untouched(day_of(3));
};

subtest 'one that is always refused keeps no other from being started' => sub {
	my ($folder) = glob "$spool/log/*/$DATE" or die 'no folder of logs';
	chmod 0500, $folder;
	my @ids = day_of(3);
	wait_for_message(3, 'could not create the log file: Permission denied', @ids);
	# other dates have another folder
	$node->sql("SELECT count(*) FROM josch.schedule('2024-03-02', 'job $ids[0]')");
	$node->wait_until('another date runs', "SELECT count(*) = 3 FROM josch.nodes WHERE job_date = '2024-03-02' AND state = 'succeeded'");
	unlink map { "$node->{work}/$_" } @ids;
	chmod 0700, $folder;
	$node->wait_for(succeeded => @ids);
	is(join('', map { $node->file($_) } @ids), "once\n" x 3, 'and these, once, when their folder may be written again');
};

subtest 'a runner that hangs' => sub {
	my $pid = runner_pid();
	kill STOP => $pid;
	my @ids = day_of(3);
	wait_for_message(3, $SILENT, @ids);
	health_says('runner', "commands wait: $SILENT");
	my @later = day_of(3);
	wait_for_message(3, $SILENT, @later);
	is($node->sql('SELECT string_agg(DISTINCT state, \' \') FROM josch.nodes WHERE node_id IN (' . list(@later) . ')'), 'ready', 'what came later is not given to it');
	kill CONT => $pid;
	untouched(@ids, @later);
};

subtest 'a runner that cannot come' => sub {
	my $pid = runner_pid();
	fill();
	$node->sql('ALTER SYSTEM SET josch.start_runner = off; SELECT pg_reload_conf()');
	kill KILL => $pid;
	JoschNode::eventually('the runner is gone', sub { !JoschRunner::lives($pid) });
	unlink "$spool/journal";	# it would be room for that of the next
	fill();
	$node->sql('ALTER SYSTEM RESET josch.start_runner; SELECT pg_reload_conf()');
	my @ids = day_of(3);
	wait_for_message(3, "$SILENT: $FULL", @ids);
	$node->wait_until('health says that none is there', q{SELECT NOT up FROM josch.health() WHERE component = 'runner'});
	make_room();
	untouched(@ids);
};

subtest 'a standby that is not there' => sub {
	my $session = $node->background_psql('postgres');
	$session->query_safe(q{SET synchronous_commit = 'local'; ALTER SYSTEM SET synchronous_standby_names = 'nobody'; SELECT pg_reload_conf()});
	$session->query_safe(q{SELECT josch.wake()});
	my ($id) = ($next++);
	$session->query_safe("INSERT INTO josch.tpl_jobs (job_name) VALUES ('job $id');
		INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES ($id, 'N', 'job $id', 'node $id', \$\$sh -c 'echo once >> \"\$WORK/$id\"'\$\$);
		SELECT count(*) FROM josch.schedule('$DATE', 'job $id')");
	JoschNode::eventually('health says what the scheduler waits for', sub {
		$session->query_safe(q{SELECT NOT up AND detail LIKE '%a commit waits for a synchronous standby%' FROM josch.health() WHERE component = 'scheduler'}) eq 't' });
	$session->query_safe('ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()');
	$session->quit;
	untouched($id);
	$node->wait_until('health is content', q{SELECT up FROM josch.health() WHERE component = 'scheduler'});
};

subtest 'no room for a table' => sub {
	my $place = $node->basedir . '/place';
	mkdir $place, 0700 or die "mkdir: $!";
	as_user(root => sub { system("mount -t tmpfs -o size=4m,mode=0700,uid=\$(id -u $FIRST),gid=\$(id -g $FIRST) josch $place") == 0 or die 'mount' });
	push @mounted, $place;
	$node->sql("CREATE TABLESPACE place LOCATION '$place'");
	$node->sql('ALTER TABLE josch.runs SET TABLESPACE place');
	system("dd if=/dev/zero of=$place/ballast bs=4k 2>/dev/null");
	my @ids = day_of(300, 'true');
	$node->wait_until('health says what fails', q{SELECT NOT up AND detail LIKE '%what failed is tried again: could not extend file%No space left on device%'
		FROM josch.health() WHERE component = 'scheduler'});
	is($node->sql('SELECT count(*) FROM josch.nodes WHERE state = \'failed\' AND node_id IN (' . list(@ids) . ')'), '0', 'nothing is called failed');
	unlink "$place/ballast";
	$node->wait_for(succeeded => @ids);
	$node->wait_until('health is content', q{SELECT up FROM josch.health() WHERE component = 'scheduler'});
	$node->sql('ALTER TABLE josch.runs SET TABLESPACE pg_default; DROP TABLESPACE place');
};

done_testing();
