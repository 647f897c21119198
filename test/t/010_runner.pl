# test/t/010_runner.pl
#
# What a scheduler can rely on while the runner lives: how commands are
# started, how they end, and what is refused.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use JoschRunner;

umask 027;
my $spool = JoschRunner::new_spool();
is(JoschRunner::start_daemon($spool), 0, 'the daemon says that it has started');
my $c = JoschRunner->connect($spool);
my $home = (getpwuid $>)[7];
my $id = 0;
my @groups;

sub sh { return [ '/bin/sh', '-c', @_ ] }

subtest 'welcome' => sub {
	my $w = $c->{welcome};
	is($w->{protocol}, 4, 'protocol');
	like($w->{version}, qr/^\d+\.\d+/, 'version');
	ok(JoschRunner::lives($w->{pid}), 'pid');
	like($w->{incarnation}, qr{/$w->{pid}/}, 'incarnation names the process');
	like($w->{ledger}, qr/^[0-9a-f]{32}$/, 'a new journal has a word of its own');
	is("$w->{highest} $w->{given}", '0 0', 'and was given nothing yet');
};

subtest 'exit codes and signals' => sub {
	my $e = $c->run(run_id => ++$id, argv => ['true']);
	is_deeply([ @$e{qw(type kind value tail)} ], [ 'EXITED', JoschRunner::EXIT_CODE, 0, '' ], 'true');
	$e = $c->run(run_id => ++$id, argv => sh('exit 42'));
	is_deeply([ @$e{qw(kind value)} ], [ JoschRunner::EXIT_CODE, 42 ], 'exit 42');
	$e = $c->run(run_id => ++$id, argv => sh('kill -9 $$'));
	is_deeply([ @$e{qw(kind value exit_flags)} ], [ JoschRunner::EXIT_SIGNAL, 9, 0 ], 'killed by itself');
	my $started = $c->wait_for('STARTED', $id);
	ok($started->{pid} > 1 && $started->{started_at} <= $e->{ended_at}, 'started before it ended');
	$e = $c->run(run_id => ++$id, argv => [ 'perl', '-e', 'my $x = "x" x 3e7; 1 while $i++ < 3e6' ]);
	ok($e->{cpu_user_us} > 10_000, 'CPU time is counted');
	ok($e->{maxrss_kb} > 29_000, 'peak memory is counted');
};

subtest 'a start waits for its end' => sub {
	my $bytes = '';
	{
		no warnings 'redefine';
		local *JoschRunner::send_raw = sub { $bytes .= $_[1] };
		$c->start(run_id => ++$id, argv => sh("until [ -e $spool/go ]; do sleep 0.05; done"));
		$c->start(run_id => ++$id, argv => ['/nowhere/to/be/found']);
	}
	$c->send_raw($bytes);
	my $first = $c->wait_until('either', sub { ($_[0]{run_id} // 0) >= $id - 1 });
	is_deeply([ @$first{qw(type run_id)} ], [ 'START_FAILED', $id ], 'what is told of others is told before it');
	ok($c->wait_for('STARTED', $id - 1), 'but it is told while it goes on');
	open my $go, '>', "$spool/go" or die $!;
	$c->wait_for('EXITED', $id - 1);
	$c->forget($id - 1, $id);
};

subtest 'a script without a first line' => sub {
	open my $script, '>', "$spool/script" or die $!;
	print $script 'echo "$1 and $2"; exit 6', "\n";
	close $script;
	chmod 0755, "$spool/script" or die $!;
	my $e = $c->run(run_id => ++$id, argv => [ "$spool/script", 'a b', 'c' ]);
	is_deeply([ @$e{qw(kind value tail)} ], [ JoschRunner::EXIT_CODE, 6, "a b and c\n" ], 'is given to /bin/sh, with its arguments');
};

subtest 'output' => sub {
	my $e = $c->run(run_id => ++$id, argv => sh('echo a; echo b >&2; echo c; echo d >&2'), log => 'log/deep/er/out.log');
	is($e->{tail}, "a\nb\nc\nd\n", 'both streams in order');
	is(JoschRunner::slurp("$spool/log/deep/er/out.log"), "a\nb\nc\nd\n", 'the same in the file');
	is((stat "$spool/log/deep/er/out.log")[2] & 07777, 0600, 'log 0600');
	is((stat "$spool/log/deep")[2] & 07777, 0700, 'folder 0700');
	$e = $c->run(run_id => ++$id, argv => [ 'perl', '-e', 'print "\x{e4}" x 9000, "end\0\xff\n"' ]);
	is(length $e->{tail}, 4096, 'the tail is 4 KB');
	like($e->{tail}, qr/\?end\?\?\n\z/, 'what is no UTF-8 becomes a question mark');
	$e = $c->run(run_id => ++$id, argv => [ 'perl', '-e', 'print "\xc3\xa4" x 3000, "\n"' ]);
	is($e->{tail}, "\xc3\xa4" x 2047 . "\n", 'a character is not cut in two');
	is($c->read_log(run_id => $id, offset => 5998)->{bytes}, "\xc3\xa4\n", 'LOG by run id');
	my $log = $c->read_log(path => "log/$id.log", offset => -3, max => 2);
	is_deeply([ @$log{qw(bytes offset eof)} ], [ "\xc3\xa4", 5998, 0 ], 'LOG by path, from the end');
	is($c->read_log(run_id => 999)->{type}, 'ERROR', 'LOG of a run that is not known');
	foreach my $path ('journal', '../x', 'log/../journal', '/etc/passwd', 'log')
	{
		is($c->read_log(path => $path)->{type}, 'ERROR', "LOG of $path");
	}
};

subtest 'environment, folder, descriptors' => sub {
	my $e = $c->run(run_id => ++$id, argv => ['env'], env => [ 'A=$(touch x) "q"', 'LANG=de', 'JOSCH_RUN=x', 'A=2;b' ]);
	my %env = map { split /=/, $_, 2 } split /\n/, $e->{tail};
	is($env{A}, '2;b', 'a value as it was sent, the last one wins');
	is($env{LANG}, 'de', 'the base can be overridden');
	is($env{PATH}, '/usr/local/bin:/usr/bin:/bin', 'default PATH');
	is_deeply([ sort keys %env ], [ sort 'A', qw(HOME JOSCH_REPORT JOSCH_RUN LANG PATH SHELL USER LOGNAME) ], 'and nothing else');
	is($env{JOSCH_RUN}, sprintf('%d-%016x', $id, JoschRunner::nonce($id)), 'the name of the run');
	$e = $c->run(run_id => ++$id, argv => ['pwd'], cwd => '/usr/lib');
	is($e->{tail}, "/usr/lib\n", 'folder');
	$e = $c->run(run_id => ++$id, argv => ['pwd']);
	is($e->{tail}, (-x $home ? $home : '/') . "\n", 'home without one');
	$e = $c->run(run_id => ++$id, argv => [ 'perl', '-e',
		'opendir D, "/proc/self/fd"; print join(",", sort grep { /\d/ && $_ != fileno D } readdir D), " ", scalar <STDIN> // "eof"' ]);
	is($e->{tail}, '0,1,2 eof', 'three descriptors, nothing to read');
	$e = $c->run(run_id => ++$id, argv => [ 'grep', '-E', '^Sig(Blk|Ign)', '/proc/self/status' ]);
	my @masks = map { hex } $e->{tail} =~ /^Sig\w+:\s+\w{8}(\w{8})$/mg;
	is_deeply([ $masks[0], $masks[1] & ~0x80000000 ], [ 0, 0 ], 'no signal blocked or ignored (but the two of the C library)');
	$e = $c->run(run_id => ++$id, argv => sh('ps -o pid=,pgid=,sid= -p $$ | tr -s " "; echo $$'));
	like($e->{tail}, qr/^ ?(\d+) \1 \1\n\1\n$/, 'group and session of its own') if -x '/bin/ps' || -x '/usr/bin/ps';
	mkdir "$spool/bin";
	open my $f, '>', "$spool/bin/myprog" or die; print $f "#!/bin/sh\nprintf 'found %s\\n' \"\$1\"\n"; close $f; chmod 0755, "$spool/bin/myprog";
	$e = $c->run(run_id => ++$id, argv => [ 'myprog', '*' ], env => ["PATH=/nowhere:$spool/bin"]);
	is($e->{tail}, "found *\n", 'the PATH of the message counts');
	$e = $c->run(run_id => ++$id, argv => [ './myprog', 'x' ], cwd => "$spool/bin");
	is($e->{tail}, "found x\n", 'a name with a slash is relative to the folder');
};

subtest 'umask' => sub {
	is($c->run(run_id => ++$id, argv => sh('umask'))->{tail}, "0027\n", 'that which the runner was started with');
	my $folder = JoschRunner::new_spool();
	JoschRunner::start_daemon($folder, '--umask', '002');
	my $other = JoschRunner->connect($folder);
	my $umask = sub { return $other->run(run_id => $_[0], argv => sh("umask; mkdir $folder/$_[0].d; touch $folder/$_[0].f"))->{tail} };
	is($umask->(1), "0002\n", 'or that of its option');
	is_deeply([ map { (stat "$folder/$_")[2] & 0777 } '1.d', '1.f', 'log/1.log' ], [ 0775, 0664, 0600 ], 'for what commands make, not for its own files');
	$other->start(run_id => 2, long => 1, argv => [ 'sleep', '60' ], ready_argv => sh("umask > $folder/probe"));
	$other->wait_for('UP', 2);
	is(JoschRunner::slurp("$folder/probe"), "0002\n", 'and for the ready command');
	$other->stop(2, 0);
	$other->wait_for('EXITED', 2);
	$other->replace(JoschRunner::binary());
	while (($other->next_event // die 'the connection did not end')->{type} ne 'LOST') { }
	$other = JoschRunner->connect($folder);
	is($umask->(3), "0002\n", 'also after it has replaced itself');
	JoschRunner::end_runner($folder);
	isnt(JoschRunner::start_daemon($folder, '--umask', $_), 0, "\"$_\" is refused") foreach '8', '1000', '', 'u=rwx';
};

subtest 'what cannot be started' => sub {
	my $e = $c->run(run_id => ++$id, argv => ['no-such-program']);
	is($e->{type}, 'START_FAILED', 'program that is not there');
	is($e->{errno}, 2, 'errno');
	is($e->{passing}, 0, 'that does not pass by itself');
	like($e->{text}, qr/"no-such-program" in PATH/, 'text names the program');
	my $known = $c->list->{$id};
	is_deeply([ @$known{qw(state kind value tail)} ], [ JoschRunner::STATE_EXITED, JoschRunner::EXIT_NOT_STARTED, 2, $e->{text} ], 'kept until FORGET');
	$e = $c->run(run_id => ++$id, argv => ['/etc/passwd']);
	like($e->{text}, qr{could not execute "/etc/passwd": Permission denied}, 'no permission');
	$e = $c->run(run_id => ++$id, argv => ['true'], cwd => '/no/folder');
	like($e->{text}, qr{could not change to directory "/no/folder": No such file}, 'text names the folder');
	$e = $c->run(run_id => ++$id, argv => []);
	like($e->{text}, qr/empty/, 'empty command');
	$e = $c->run(run_id => ++$id, argv => ['true'], env => ['oops']);
	like($e->{text}, qr/"oops" is not of the form NAME=value/, 'bad environment');
	$e = $c->run(run_id => ++$id, argv => [ 'echo', 'x' x 200_000 ]);
	like($e->{text}, qr/Argument list too long/, 'argument too long');
};

subtest 'log paths' => sub {
	mkdir "$spool/evil"; mkdir "$spool/outside";
	symlink "$spool/outside", "$spool/evil/link";
	symlink "$spool/outside/file", "$spool/evil/file";
	foreach my $path ('/tmp/x.log', 'log/../../x.log', 'x.log', 'log//x', 'log/./x', 'evil/link/x.log', 'evil/file', '')
	{
		my $e = $c->run(run_id => ++$id, argv => ['true'], log => $path);
		is($e->{type}, 'START_FAILED', "refused: \"$path\"");
		like($e->{text}, qr/log/, 'and says why');
	}
	is_deeply([ glob "$spool/outside/*" ], [], 'nothing was written through a link');
	is($c->read_log(path => 'evil/file')->{type}, 'ERROR', 'nor is anything read');
	$c->start(run_id => ++$id, argv => ['true'], log => 'log/1.log');
	is($c->wait_for('REFUSED', $id)->{reason}, JoschRunner::REFUSED_FORGOTTEN, 'what has a log has been started before');
};

subtest 'never twice' => sub {
	my $e = $c->run(run_id => ++$id, argv => sh("echo once >> $spool/count"), log => 'log/twice.log');
	$c->start(run_id => $id, argv => sh("echo twice >> $spool/count"), log => 'log/twice2.log');
	is($c->wait_for('REFUSED', $id)->{reason}, JoschRunner::REFUSED_KNOWN, 'known');
	ok($c->list->{$id}, 'listed before FORGET');
	$c->forget($id, 777_777);
	ok(!$c->list->{$id}, 'not listed after FORGET');
	foreach my $again ($id, 777_777)
	{
		$c->start(run_id => $again, argv => sh("echo twice >> $spool/count"));
		is($c->wait_for('REFUSED', $again)->{reason}, JoschRunner::REFUSED_FORGOTTEN, "forgotten $again");
	}
	is(JoschRunner::slurp("$spool/count"), "once\n", 'ran once');
	is($c->run(run_id => 777_776, argv => ['true'])->{kind}, JoschRunner::EXIT_CODE, 'its neighbour is free');
};

subtest 'owners' => sub {
	my $other = JoschRunner->connect($spool, database => 6, name => 'other');
	my $copy = JoschRunner->connect($spool, identity => 'server-2');
	is_deeply([ %{ $other->list }, %{ $copy->list } ], [], 'each sees its own runs only');
	is($other->run(run_id => 1, argv => sh('exit 6'))->{value}, 6, 'the same id is another run');
	$c->start(run_id => ++$id, argv => [ 'sleep', '60' ]);
	push @groups, $c->wait_for('STARTED', $id)->{pid};
	$_->stop($id, 0), $_->forget($id) foreach $other, $copy;
	$_->list foreach $other, $copy;
	is($c->list->{$id}{state}, JoschRunner::STATE_RUNNING, 'nobody else can stop it');
	my $second = JoschRunner->connect($spool);
	$second->stop($id, 1000);
	is_deeply([ @{ $c->wait_for('EXITED', $id) }{qw(kind value exit_flags)} ],
		[ JoschRunner::EXIT_SIGNAL, 15, JoschRunner::STOP_REQUESTED ], 'the owner can');
	ok($second->wait_for('EXITED', $id), 'all connections of the owner hear of it');
	is(scalar(grep { $_->{type} eq 'EXITED' && $_->{run_id} == $id } @{ $other->{events} }), 0, 'others do not');
};

# a tree: the shell, a child in its group, a child in a group of its own
my $tree = 'sleep 1000 & echo $!; perl -e \'setpgrp 0, 0; exec "sleep", "1000"\' & echo $!; ';

sub tree_pids
{
	my ($run_id) = @_;
	my @pids;
	JoschRunner::eventually('the tree is there', sub {
		@pids = ((JoschRunner::slurp("$spool/log/$run_id.log") // '') =~ /^(\d+)$/mg);
		return @pids == 2 && !grep { (JoschRunner::slurp("/proc/$_/cmdline") // '') !~ /^sleep/ } @pids;
	});
	return @pids;
}

subtest 'time-out' => sub {
	my $began = time;
	$c->start(run_id => ++$id, argv => sh("trap '' TERM; $tree wait; wait; sleep 1000"), timeout_ms => 700, grace_ms => 300);
	my @pids = tree_pids($id);
	my $e = $c->wait_for('EXITED', $id);
	is_deeply([ @$e{qw(kind value exit_flags)} ], [ JoschRunner::EXIT_SIGNAL, 9, JoschRunner::TIMED_OUT ], 'TERM is ignored, KILL is not');
	cmp_ok(time - $began, '>=', 1.0, 'not before time-out and grace');
	JoschRunner::eventually("$_ is gone", sub { !JoschRunner::lives($_[0] // $_) }) foreach @pids;
	pass('the whole tree is gone');
	$e = $c->run(run_id => ++$id, argv => [ 'sleep', '60' ], timeout_ms => 200, grace_ms => 60_000);
	is_deeply([ @$e{qw(kind value exit_flags)} ], [ JoschRunner::EXIT_SIGNAL, 15, JoschRunner::TIMED_OUT ], 'TERM is enough for most');
	$e = $c->run(run_id => ++$id, argv => ['true'], timeout_ms => 60_000);
	is($e->{exit_flags}, 0, 'in time');
};

subtest 'STOP' => sub {
	$c->start(run_id => ++$id, argv => sh("trap 'sleep 0.3; echo bye; exit 7' TERM; $tree while :; do wait; done"));
	my @pids = tree_pids($id);
	$c->stop($id, 10_000);
	my $e = $c->wait_for('EXITED', $id);
	is_deeply([ @$e{qw(kind value exit_flags)} ], [ JoschRunner::EXIT_CODE, 7, JoschRunner::STOP_REQUESTED ], 'the grace is given');
	like($e->{tail}, qr/bye\n$/, 'the last words are in the tail');
	JoschRunner::eventually("$_ is gone", sub { !JoschRunner::lives($_) }) foreach @pids;
	pass('no leftovers');

	# the main process goes at once, another of the group needs its grace
	$c->start(run_id => ++$id, argv => sh("sh -c \"trap 'sleep 0.5; echo cleaned; exit' TERM; echo on; while :; do sleep 0.05; done\" & wait"));
	JoschRunner::eventually('it is on', sub { (JoschRunner::slurp("$spool/log/$id.log") // '') =~ /on/ });
	$c->stop($id, 10_000);
	$e = $c->wait_for('EXITED', $id);
	is_deeply([ @$e{qw(kind value)} ], [ JoschRunner::EXIT_SIGNAL, 15 ], 'the end of the main process counts');
	like($e->{tail}, qr/cleaned/, 'the rest of the group could clean up');

	$c->start(run_id => ++$id, argv => sh("trap '' TERM; echo on; while :; do sleep 0.1; done"));
	JoschRunner::eventually('it is on', sub { (JoschRunner::slurp("$spool/log/$id.log") // '') =~ /on/ });
	$c->stop($id, 3_600_000);
	$c->stop($id, 0);
	is($c->wait_for('EXITED', $id)->{value}, 9, 'a second STOP can shorten the grace');
	# the kernel ends a suspended process that does not handle TERM; one that does has to go on to hear it
	$c->start(run_id => ++$id, argv => sh("trap 'exit 7' TERM; echo on; while :; do sleep 0.05; done"));
	JoschRunner::eventually('it is on', sub { (JoschRunner::slurp("$spool/log/$id.log") // '') =~ /on/ });
	kill 'STOP', $c->wait_for('STARTED', $id)->{pid};
	$c->stop($id, 60_000);
	is($c->wait_for('EXITED', $id)->{value}, 7, 'a suspended process goes on, and hears TERM');
	$c->forget($id);
	$c->start(run_id => ++$id, argv => [ 'sleep', '60' ]);
	push @groups, $c->wait_for('STARTED', $id)->{pid};
	$c->forget($id);
	is($c->list->{$id}{state}, JoschRunner::STATE_RUNNING, 'what runs cannot be forgotten');
	$c->stop($id, 0);
	$c->wait_for('EXITED', $id);
};

# A deadline that never came is nobody's: the timer that it had stood in is needed by the next.
subtest 'a time-out of what has been forgotten' => sub {
	foreach my $left (3_600_000, 7_200_000, 200)
	{
		$c->run(run_id => ++$id, argv => ['true'], timeout_ms => $left);
		$c->forget($id);
	}
	$c->start(run_id => ++$id, argv => [ 'sleep', '1000' ], timeout_ms => 300, grace_ms => 1000);
	is($c->wait_for('EXITED', $id)->{exit_flags}, JoschRunner::TIMED_OUT, 'the next one is ended at its time');
};

subtest 'long-running' => sub {
	my $flag = "$spool/flag";
	$c->start(run_id => ++$id, long => 1, argv => sh("sleep 0.5; touch $flag; exec sleep 60"), env => ["FLAG=$flag"],
		ready_argv => sh('test -e "$FLAG" && test "$PWD" = /usr'), cwd => '/usr');
	my $started = $c->wait_for('STARTED', $id);
	is($c->list->{$id}{state}, JoschRunner::STATE_RUNNING, 'not up yet');
	my $up = $c->wait_for('UP', $id);
	ok(-e $flag && $up->{up_at} - $started->{started_at} > 400_000, 'up when its command says so');
	is($c->list->{$id}{state}, JoschRunner::STATE_UP, 'state up');
	$c->stop($id, 1000);
	is($c->wait_for('EXITED', $id)->{exit_flags}, JoschRunner::STOP_REQUESTED | JoschRunner::LONG_RUNNING | JoschRunner::IS_UP, 'stopped on purpose');

	my $program = "$spool/ready-program";
	$c->start(run_id => ++$id, long => 1, argv => [ 'sleep', '60' ], ready_argv => [$program]);
	$c->wait_for('STARTED', $id);
	JoschRunner::eventually('its ready command was not there', sub { JoschRunner::slurp("$spool/runner.log") =~ /ready command of run $id: / });
	open my $ready, '>', "$program.new" or die; print $ready "#!/bin/sh\n"; close $ready; chmod 0755, "$program.new"; rename "$program.new", $program;
	ok($c->wait_for('UP', $id), 'a ready command that could not be started is tried again');
	$c->stop($id, 0);
	$c->wait_for('EXITED', $id);
	$c->start(run_id => ++$id, long => 1, argv => [ 'sleep', '60' ], ready_after_ms => 300);
	$started = $c->wait_for('STARTED', $id);
	cmp_ok($c->wait_for('UP', $id)->{up_at} - $started->{started_at}, '>=', 299_000, 'up when it has lived for a while');
	$c->stop($id, 1000);
	$c->wait_for('EXITED', $id);
	$c->run(run_id => ++$id, long => 1, argv => sh('exit 3'), ready_after_ms => 200);
	$c->start(run_id => ++$id, argv => [ 'sleep', '0.4' ]);
	$c->wait_for('EXITED', $id);
	is(scalar(grep { $_->{type} eq 'UP' } @{ $c->{events} }), 0, 'neither one that died nor one of another type is ever up');
};

subtest 'a burst, and a reader that sleeps' => sub {
	my $quiet = JoschRunner->connect($spool, database => 8);
	$quiet->start(run_id => $_, argv => sh('head -c 5000 /dev/zero | tr "\0" x; exit 5')) foreach 1 .. 300;
	my $began = time;
	is($c->run(run_id => ++$id, argv => ['true'])->{kind}, JoschRunner::EXIT_CODE, 'others are served meanwhile');
	my %value;
	$value{ $quiet->wait_for('EXITED', $_)->{value} }++ foreach 1 .. 300;
	is_deeply(\%value, { 5 => 300 }, 'nothing is lost');
	is(scalar keys %{ $quiet->list }, 300, 'a long list');
	$quiet->forget(1 .. 300);
	is_deeply($quiet->list, {}, 'all forgotten');
};

# A database that was put back counts again: what has a number is not yet the run that is meant.
subtest 'the same number, another nonce' => sub {
	my @go = ("$spool/go-a", "$spool/go-b");
	my ($a, $b) = ([ ++$id, 71 ], [ $id, 72 ]);
	my %events;
	$c->start(run_id => $id, nonce => 71, argv => sh("echo a; until [ -e $go[0] ]; do sleep 0.05; done; exit 1"));
	$c->start(run_id => $id, nonce => 72, argv => sh("echo b; until [ -e $go[1] ]; do sleep 0.05; done; exit 2"));
	my @started = map { $c->wait_for('STARTED', $id) } 1 .. 2;
	is_deeply([ map { $_->{nonce} } @started ], [ 71, 72 ], 'START: both are started');
	isnt($started[0]{pid}, $started[1]{pid}, 'each a process of its own');
	$c->start(run_id => $id, nonce => 72, argv => ['true']);
	is($c->wait_for('REFUSED', $id)->{nonce}, 72, 'START of the same one: refused');
	$c->stop([ $id, 73 ], 0);
	is_deeply([ sort map { $_->{nonce} } grep { $_->{run_id} == $id && $_->{state} != JoschRunner::STATE_EXITED } $c->list_all ], [ 71, 72 ],
		'STOP of another one touches neither');
	$c->stop($b, 0);
	my $end = $c->wait_for('EXITED', $id);
	is_deeply([ @$end{qw(nonce kind value tail)} ], [ 72, JoschRunner::EXIT_SIGNAL, 9, "b\n" ], 'STOP: ends the one that it names, and EXITED names it, too');
	is($c->read_log(run_id => $id, nonce => 71)->{bytes}, "a\n", 'LOG: of this one');
	is($c->read_log(run_id => $id, nonce => 72)->{bytes}, "b\n", 'and of that one');
	is($c->read_log(run_id => $id, nonce => 73)->{type}, 'ERROR', 'there is none of a third');
	$c->forget([ $id, 73 ], $b);
	is_deeply([ map { $_->{nonce} } grep { $_->{run_id} == $id } $c->list_all ], [71], 'FORGET: the other one is kept');
	$c->start(run_id => $id, nonce => 72, argv => ['true']);
	is_deeply([ @{ $c->wait_for('REFUSED', $id) }{qw(nonce reason)} ], [ 72, JoschRunner::REFUSED_FORGOTTEN ], 'what was forgotten is not started again');
	$c->start(run_id => $id, nonce => 74, argv => sh('exit 4'));
	is_deeply([ @{ $c->wait_for('EXITED', $id) }{qw(nonce value)} ], [ 74, 4 ], 'but one that has its number is');
	open my $go, '>', $go[0];
	is_deeply([ @{ $c->wait_for('EXITED', $id) }{qw(nonce value)} ], [ 71, 1 ], 'and the first comes to its own end');
	my $odd = JoschRunner->connect($spool);
	$odd->start(run_id => 5, nonce => 0, argv => ['true']);
	is($odd->next_event->{type}, 'ERROR', 'there is no run without a nonce');
};

# Who owns what is told by server, database and token; a wider scope is asked for.
subtest 'owners, and numbers' => sub {
	my %of = (identity => 'owners', database => 7);
	my $a = JoschRunner->connect($spool, %of, token => 'a', highest => 5);
	my $b = JoschRunner->connect($spool, %of, token => 'b', name => 'dbname');
	my $other = JoschRunner->connect($spool, %of, database => 8);
	$b->run(run_id => 9, argv => sh('echo b; exit 6'));
	$b->start(run_id => 10, argv => ['sleep', '1000'], log => 'log/b-10.log');
	my $pid = $b->wait_for('STARTED', 10)->{pid};
	is_deeply([ $a->list_all ], [], 'of another token nothing is seen');
	is_deeply([ $other->list_all(JoschRunner::SCOPE_DATABASE) ], [], 'nor of another database');
	my ($first, $second) = $a->list_all(JoschRunner::SCOPE_DATABASE);
	is_deeply([ @$first{qw(run_id value identity database database_name token)} ], [ 9, 6, 'owners', 7, 'dbname', 'b' ], 'unless it is asked for: then with its owner');
	is_deeply([ @$second{qw(run_id pid log_path)} ], [ 10, $pid, 'log/b-10.log' ], 'what it is, and where its log is');
	ok((grep { $_->{run_id} == 10 && $_->{token} eq 'b' } $other->list_all(JoschRunner::SCOPE_ALL)), 'all that there is, of anybody');
	$a->forget(9);
	$a->stop(10, 0);
	$a->forget_of(JoschRunner::SCOPE_OWN, 10);
	is_deeply([ map { "$_->{run_id} $_->{state}" } $b->list_all ], [ '9 ' . JoschRunner::STATE_EXITED, '10 ' . JoschRunner::STATE_RUNNING ], 'without it, nothing is touched');
	$a->forget_of(JoschRunner::SCOPE_DATABASE, 9);
	$a->stop(10, 0, JoschRunner::SCOPE_DATABASE);
	is($b->wait_for('EXITED', 10)->{value}, 9, 'STOP reaches it');
	is_deeply([ map { $_->{run_id} } $b->list_all ], [10], 'and FORGET');
	my $stranger = JoschRunner->connect($spool, identity => 'strangers', database => 7);
	is_deeply([ $stranger->list_all(JoschRunner::SCOPE_DATABASE) ], [], 'a database of the same number of another server is another one');
	$stranger->forget_of(JoschRunner::SCOPE_DATABASE, 10);
	$stranger->list;
	is_deeply([ map { $_->{run_id} } $b->list_all ], [10], 'and has nothing to say here');
	is("$a->{welcome}{highest} $b->{welcome}{highest}", '0 0', 'WELCOME tells what came before its HELLO');
	is(join(' ', @{ JoschRunner->connect($spool, %of, token => 'a')->{welcome} }{qw(highest given)}), '5 0', 'what HELLO told');
	is(join(' ', @{ JoschRunner->connect($spool, %of, token => 'b', highest => 4)->{welcome} }{qw(highest given)}), '10 10', 'what START gave');
	my $ledger = $a->{welcome}{ledger};
	kill 'HUP', $a->pid;
	JoschRunner::eventually('the runner has replaced itself', sub { ($a->next_event // {})->{type} eq 'LOST' });
	$a = JoschRunner->connect($spool, %of, token => 'a');
	is(join(' ', @{ $a->{welcome} }{qw(ledger highest given)}), "$ledger 5 0", 'a runner that replaces itself keeps word and numbers');
	$c = JoschRunner->connect($spool);
};

subtest 'who may come in, and what breaks' => sub {
	is((stat "$spool/runner.sock")[2] & 07777, 0600, 'socket 0600');
	is((stat "$spool/$_")[2] & 07777, 0600, "$_ 0600") foreach qw(journal runner.log runner.lock);
	my $odd = JoschRunner->connect_raw($spool);
	$odd->send_raw(pack 'N C', 0, 0);
	is($odd->next_event->{type}, 'LOST', 'a length that cannot be');
	$odd = JoschRunner->connect_raw($spool);
	$odd->ask_for_list;
	is($odd->next_event->{type}, 'ERROR', 'no HELLO');
	$odd = JoschRunner->connect($spool);
	$odd->send('START', pack 'q>2 N N', 5, 55, 3, 1_000_000);
	is($odd->next_event->{type}, 'ERROR', 'a list that is not there');
	$odd = JoschRunner->connect($spool, protocol => 99);
	is($odd->{welcome}{protocol}, 4, 'another protocol is told ours');
	$odd->start(run_id => 1, argv => ['true']);
	is($odd->next_event->{type}, 'ERROR', 'and cannot do more');
	is($c->run(run_id => ++$id, argv => ['true'])->{kind}, JoschRunner::EXIT_CODE, 'the runner is well');
};

subtest 'a long path, and a second runner' => sub {
	my $long = JoschRunner::new_spool() . '/' . join('/', ('a' x 100) x 3);
	is(JoschRunner::start_daemon($long), 0, 'longer than a socket address');
	my $l = JoschRunner->connect($long);
	is($l->run(run_id => 1, argv => sh('exit 9'))->{value}, 9, 'works');
	is(JoschRunner::start_daemon($long), 0, 'a second one leaves quietly');
	is(JoschRunner->connect($long)->pid, $l->pid, 'to the first');
	is(system(JoschRunner::binary(), '--spool', $long) >> 8, 0, 'also in the foreground');
	JoschRunner::end_runner($long);
	my $open = JoschRunner::new_spool();
	mkdir $open; chmod 0777, $open;
	isnt(JoschRunner::start_daemon($open), 0, 'a spool where others may write is refused');
	ok(!-e "$open/runner.sock", 'and nothing listens there');
	isnt(system(JoschRunner::binary(), '--nonsense') >> 8, 0, 'usage');
	isnt(JoschRunner::start_daemon($open, '--server-user', 'no-such-user'), 0, 'a user that does not exist');
};

JoschRunner::end_runner($spool, @groups);
JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });
ok(!-e "$spool/runner.sock", 'TERM ends it and takes the socket away');
done_testing();
