# executors/slurm by itself, on a Slurm of two nodes: true codes, signals and output, whoever dies meanwhile.
#
# needs: slurm

use strict;
use warnings;
use IPC::Run;
use Test::More;
use JoschRunner;
use JoschCluster;

my $cluster = JoschCluster->new->start_slurm;
my $shared = "$cluster->{dir}/shared";
my @slurm = ('slurm', '--folder', $shared);

sub start { my ($run, $script, %how) = @_; return $cluster->start([ @slurm, @{ $how{slurm} // [] }, 'start', 'sh', '-c', "ulimit -c 0\n$script", 'sh', @{ $how{words} // [] } ], run => $run, %how) }
sub attach { my ($run, %how) = @_; return $cluster->start([ @slurm, 'attach' ], run => $run, %how) }
sub told { my ($program) = @_; return JoschRunner::slurp("$program->{base}.executor") }
sub printed { my ($program) = @_; return JoschRunner::slurp("$program->{base}.log") }
sub job_of { my ($run) = @_; return map { /(\d+)/ } split /\n/, $cluster->slurm('squeue', '-h', '-t', 'all', '-o', '%i', '--name', "josch-test-$run") }
sub go { my ($name) = @_; JoschCluster::spew("$shared/$name", ''); return }
# Waits in the file system for go(NAME).
sub until_go { my ($name) = @_; return "until [ -e $shared/$name ]; do sleep 0.05; done" }

# all at once
my %ends = ((map { ("code $_" => "exit $_") } 0, 1, 3, 37, 125 .. 129, 137, 139, 200, 254, 255), (map { ("signal $_" => "kill -$_ \$\$") } 1, 2, 3, 6, 9, 11, 13, 14, 15, 34));
my %running = map { ($_ => start($_ =~ tr/ /-/r, $ends{$_})) } sort keys %ends;
is($cluster->end_of($running{$_}), $_, "true: $_") foreach sort keys %ends;
like(told($running{'code 37'}), qr/^reachable\n(?:reason \w+\n)?(?:host n[12]\n(?:reason\n)?)?ended\n\z/, 'the runner is told what it is told');

# words, variables, output, report
my @words = ('a  b', '', "two\nlines", q{quote' "$HOME" \\}, '*');
my ($end, $log) = $cluster->run([ @slurm, 'start', 'perl', '-e', '$| = 1; print join("|", @ARGV, $ENV{VALUE}), "\n"; print STDERR "error\n"', @words ], run => 'words', env => { VALUE => "x\n'y'" });
is($log, join('|', @words, "x\n'y'") . "\nerror\n", 'words and variables come as they are, and what it prints comes back');
my @names = qw(WORK BASE FOLDER VERB GIVEN JOB IMAGE POD job out report mark code base kind from size said_host asked terms session WITNESS);
($end, $log) = $cluster->run([ @slurm, 'start', 'perl', '-e', 'print join(" ", map { $ENV{$_} } @ARGV)', @names ], run => 'names', env => { map { ($_ => "node's-$_") } @names });
is($log, join(' ', map { "node's-$_" } @names), 'whatever the names of variables');
is($cluster->run([ @slurm, 'start', 'nosuchprogram' ], run => 'nosuch'), 'code 127', 'a program that is not there');
my $p = start('live', "echo first; echo progress 50 half >>\$JOSCH_REPORT; " . until_go('live') . '; echo last; exit 4');
$cluster->wait_for($p, log => qr/^first$/m);
$cluster->wait_for($p, report => qr/^progress 50 half$/m);
$cluster->wait_for($p, executor => qr/^host n[12]$/m);
go('live');
is($cluster->end_of($p), 'code 4', 'output and report come while it runs');
is(printed($p), "first\nlast\n", 'all of it, once');

# what Slurm refuses, and what waits there
($end, $log) = $cluster->run([ @slurm, 'start', 'true' ], run => 'refused', options => [ '--partition', 'nosuch' ]);
is($end, 'code 125', 'an option that Slurm refuses');
like($log, qr/invalid partition.*nosuch.*refused the job/s, 'and what it said');
$p = start('held', "echo ran", options => ['--hold']);
$cluster->wait_for($p, executor => qr/^reason JobHeldUser$/m);
kill TERM => $p->{pid};
is($cluster->end_of($p), 'signal 15', 'one that waits is stopped');
is(printed($p), '', 'and was not executed');
$p = start('cancelled', 'echo ran', options => ['--hold']);
$cluster->wait_for($p, executor => qr/^reason JobHeldUser$/m);
$cluster->slurm('scancel', job_of('cancelled'));
$cluster->end_of($p);
like(told($p), qr/^unknown Slurm job \d+ was cancelled by somebody else$/m, 'one that somebody else has cancelled');

# TERM, and KILL in time
my $stopped = $cluster->stops(\&start);
like(printed($stopped), qr/^here\n(?:.*\n)*caught\n/, 'what it printed when it was stopped, too');

# the program is killed, and another attaches; also one that finds no state
foreach my $case ([ killed => 'killed' ], [ moved => 'elsewhere' ])
{
	my ($run, $files) = @$case;
	$p = start($run, 'echo first; ' . until_go("go-$run") . '; echo last; exit 5');
	$cluster->wait_for($p, log => qr/^first$/m);
	kill KILL => -$p->{pid};
	is($cluster->end_of($p), 'signal 9', 'the program is killed');
	my $q = attach($run, files => $files);
	$cluster->wait_for($q, executor => qr/^host/m) if $files ne $run;
	go("go-$run");
	is($cluster->end_of($q), 'code 5', "$run: the next one has the end");
	is(printed($q), "first\nlast\n", 'and all of its output, once');
	is($cluster->end_of(attach($run, files => "late-$run")), 'code 5', 'and any later one');
	is(scalar(job_of($run)), 1, 'nothing was started anew');
}
$p = attach('never');
$cluster->end_of($p);
like(told($p), qr/^unknown Slurm has no job josch-test-never/m, 'of what never was, it says that it does not know');
is($cluster->end_of(start('never', "echo x >>$cluster->{dir}/shared/never", files => 'too-late')), 'code 125', 'and sees to it that this stays so,');
ok(!-e "$cluster->{dir}/shared/never", 'whatever was on its way');
$p = start('attached', 'trap "" TERM; echo here; while :; do sleep 0.05; done');
$cluster->wait_for($p, log => qr/^here$/m);
kill KILL => -$p->{pid};
$cluster->end_of($p);
$p = start('both', 'trap "" TERM; echo here; while :; do sleep 0.05; done', grace => 600);
$cluster->wait_for($p, log => qr/^here$/m);
kill TERM => $p->{pid};
JoschRunner::eventually('TERM was asked for', sub { (JoschRunner::slurp("$shared/josch-test-both.stopped") // '') eq "TERM\n" });
kill TERM => $p->{pid};
JoschRunner::eventually('KILL was asked for', sub { $cluster->slurm('squeue', '-h', '-t', 'all', '-o', '%T', '-j', job_of('both')) !~ /RUNNING/ });
kill KILL => -$p->{pid};
$cluster->end_of($p);
is($cluster->end_of(attach('both')), 'signal 9', 'who comes after one that has asked knows of it');
my $q = $cluster->start([ @slurm, 'stop' ], run => 'attached', files => 'stop');
is($cluster->end_of($q), 'code 0', 'it is stopped without a program that lives');
is($cluster->end_of(attach('attached')), 'signal 9', 'which attach then says');
is($cluster->end_of($cluster->start([ @slurm, 'stop' ], run => $_, files => 'stop')), 'code 0', "nothing is left to be stopped of $_") foreach 'attached', 'code-3', 'never';
unlike(JoschRunner::slurp("$cluster->{dir}/out/stop.executor") // '', qr/./, 'the runner hears nothing of that');

# two at once: one job
my @twins = map { start('twins', "echo x >>$shared/twins; sleep 0.3; exit 6", files => "twin$_") } 1, 2;
is($cluster->end_of($_), 'code 6', 'two that start the same run have the same end') foreach @twins;
is(JoschRunner::slurp("$shared/twins"), "x\n", 'it was executed once');

# a job that Slurm starts again is not executed again
like($cluster->slurm('sh', '-c', JoschCluster::programs() . "/witness $shared/josch-test-twins sh -c 'echo x >>$shared/twins'; echo code \$?"), qr/^code 125$/m, 'nobody executes it again');
is(JoschRunner::slurp("$shared/twins"), "x\n", 'really not');

# without a controller
$p = start('alone', 'echo here; ' . until_go('alone') . '; exit 21');
$cluster->wait_for($p, log => qr/^here$/m);
$cluster->end_daemon('slurmctld');
$cluster->wait_for($p, executor => qr/^unreachable .*slurm controller/m);
go('alone');
is($cluster->end_of($p), 'code 21', 'one that ends while the controller is down');
my $unsent = start('unsent', 'exit 22');
my $late = start('late', 'exit 23');
$cluster->wait_for($_, executor => qr/^unreachable/m) foreach $unsent, $late;
kill TERM => $unsent->{pid};
is($cluster->end_of($unsent), 'signal 15', 'one that nobody could submit is stopped');
$cluster->start_controller;
is($cluster->end_of($late), 'code 23', 'one that could not be submitted is, later');
like(told($late), qr/^unreachable .*\n(?:.*\n)*reachable\n/m, 'the runner is told that Slurm answers again');

# Slurm's own processes die: of the one that watches a job, and of a whole node
$p = start('step', 'echo here; ' . until_go('step') . '; exit 24');
my $node = start('node', 'echo here; sleep 600');
$cluster->wait_for($_, log => qr/^here$/m) foreach $p, $node;

# The process of Slurm's that watches a run at its node, then those of the run.
sub at_node
{
	my ($run) = @_;
	my ($id) = job_of($run);
	my @own = grep { (JoschRunner::slurp("/proc/$_/environ") // '') =~ /\bSLURM_JOB_ID=$id\0/ } $cluster->processes;
	my ($watcher) = grep { (JoschRunner::slurp("/proc/$_/comm") // '') =~ /^slurmstepd/ } map { `ps -o ppid= -p $_` =~ /(\d+)/ } @own;
	return ($watcher, @own);
}
kill KILL => (at_node('step'))[0];
go('step');
is($cluster->end_of($p), 'code 24', 'one that Slurm watches no longer');
my ($n) = told($node) =~ /^host n(\d)$/m;
$cluster->end_daemon("slurmd.$n", 'KILL');
my @dead = at_node('node');
kill $_ => @dead foreach qw(STOP KILL);
$cluster->end_of($node);
like(told($node), qr/^unknown Slurm job \d+ ended as NODE_FAIL$/m, 'one whose node has died');
unlike(told($node), qr/^ended$/m, 'and that is all that is said');

done_testing();
