# executors/ssh by itself, to an sshd on this machine: true codes, signals and output, whatever becomes of the connection.
#
# needs: ssh

use strict;
use warnings;
use IPC::Run;
use Test::More;
use JoschRunner;
use JoschCluster;

my $cluster = JoschCluster->new->start_ssh;
my $there = "$cluster->{dir}/home/.josch";    # of the other host
my @ssh = ('ssh', '-F', "$cluster->{dir}/ssh_config");
my @host = (options => ['there']);

sub start { my ($run, $script, %how) = @_; return $cluster->start([ @ssh, 'start', 'sh', '-c', "ulimit -c 0\n$script" ], run => $run, @host, %how) }
sub attach { my ($run, %how) = @_; return $cluster->start([ @ssh, 'attach' ], run => $run, @host, %how) }
sub told { my ($program) = @_; return JoschRunner::slurp("$program->{base}.executor") }
sub printed { my ($program) = @_; return JoschRunner::slurp("$program->{base}.log") }
sub go { my ($name) = @_; JoschCluster::spew("$cluster->{dir}/shared/$name", ''); return }
sub until_go { my ($name) = @_; return "until [ -e $cluster->{dir}/shared/$name ]; do sleep 0.05; done" }

my %ends = ((map { ("code $_" => "exit $_") } 0, 1, 3, 125, 128, 129, 137, 254, 255), (map { ("signal $_" => "kill -$_ \$\$") } 1, 2, 3, 6, 9, 11, 15));
my %running = map { ($_ => start($_ =~ tr/ /-/r, $ends{$_})) } sort keys %ends;
is($cluster->end_of($running{$_}), $_, "true: $_") foreach sort keys %ends;
like(told($running{'code 255'}), qr/^reachable\nhost \S+\nended\n\z/, 'the runner is told what it is told');

# words, variables, output, report; the host among the words of the command line
my @words = ('a  b', '', "two\nlines", "\n", q{quote' "$HOME" \\}, '*');
my ($end, $log) = $cluster->run([ @ssh, 'there', 'start', 'perl', '-e', '$| = 1; print join("|", @ARGV, $ENV{VALUE}, $ENV{HOME}, $ENV{USER}), "\n"; print STDERR "error\n"', @words ],
	run => 'words', env => { VALUE => "x\n'y'", HOME => $cluster->{dir}, USER => 'else' });
is($log, join('|', @words, "x\n'y'", "$cluster->{dir}/home", scalar getpwuid $>) . "\nerror\n", 'words and variables come as they are, home and user are those of the other host');
my @names = qw(WORK BASE FOLDER VERB GIVEN ENVIRONMENT JOB IMAGE POD job out report mark code base kind from size said_host asked terms session WITNESS);
($end, $log) = $cluster->run([ @ssh, 'start', 'perl', '-e', 'print join(" ", map { $ENV{$_} } @ARGV)', @names ], run => 'names', @host, env => { map { ($_ => "node's-$_") } @names });
is($log, join(' ', map { "node's-$_" } @names), 'whatever the names of variables');
is($cluster->run([ @ssh, 'start', 'nosuchprogram' ], run => 'nosuch', @host), 'code 127', 'a program that is not there');
is($cluster->run([ @ssh, '--folder', "$cluster->{dir}/shared/it's", 'there', 'start', 'sh', '-c', 'exit 8' ], run => 'folder'), 'code 8', 'with a folder of its own');
is(JoschRunner::slurp("$cluster->{dir}/shared/it's/josch-test-folder.exit"), "code 8 0\n", 'which has the end');
my $p = start('live', 'echo first; echo progress 50 half >>$JOSCH_REPORT; ' . until_go('live') . '; head -c 2500000 /dev/zero | tr "\0" x; echo; exit 4');
$cluster->wait_for($p, log => qr/^first$/m);
$cluster->wait_for($p, report => qr/^progress 50 half$/m);
go('live');
is($cluster->end_of($p), 'code 4', 'output and report come while it runs');
ok(printed($p) eq "first\n" . 'x' x 2500000 . "\n", 'all of it, once');

# TERM, and KILL in time
$cluster->stops(\&start);

# the connection is lost, and sshd with it; output goes on where it stopped
$p = start('lost', 'echo first; ' . until_go('lost-1') . '; echo second; ' . until_go('lost-2') . '; echo last; exit 5');
$cluster->wait_for($p, log => qr/^first$/m);
$cluster->end_ssh;
$cluster->wait_for($p, executor => qr/^unreachable .*refused/m);
my $unsent = start('unsent', 'exit 22');
$cluster->wait_for($unsent, executor => qr/^unreachable .*refused/m);
go('lost-1');
$cluster->start_ssh;
$cluster->wait_for($p, log => qr/^second$/m);
go('lost-2');
is($cluster->end_of($p), 'code 5', 'a lost connection is not an end');
is(printed($p), "first\nsecond\nlast\n", 'all of its output, once');
like(told($p), qr/^unreachable .*\nreachable\n/m, 'the runner is told that the host answers again');
is($cluster->end_of($unsent), 'code 22', 'one that could not be begun is, later');

# the program is killed, alone or with all that it has started, and another attaches; also one that finds no state
foreach my $case ([ killed => 'killed', -1 ], [ halved => 'halved', 1 ], [ moved => 'elsewhere', -1 ])
{
	my ($run, $files, $sign) = @$case;
	$p = start($run, 'echo first; ' . until_go("go-$run") . '; echo last; exit 5');
	$cluster->wait_for($p, log => qr/^first$/m);
	kill KILL => $sign * $p->{pid};
	is($cluster->end_of($p), 'signal 9', 'the program is killed');
	my $q = attach($run, files => $files);
	$cluster->wait_for($q, executor => qr/^host/m) if $files ne $run;
	go("go-$run");
	is($cluster->end_of($q), 'code 5', "$run: the next one has the end");
	is(printed($q), "first\nlast\n", 'and all of its output, once');
	is($cluster->end_of(attach($run, files => "late-$run")), 'code 5', 'and any later one');
}
$p = attach('never');
$cluster->end_of($p);
like(told($p), qr/^unknown nobody has executed it/m, 'of what never was, it says that it does not know');
$p = start('never', "echo x >>$cluster->{dir}/shared/never", files => 'too-late');
$cluster->end_of($p);
ok(told($p) =~ /^unknown nobody has executed it/m && !-e "$cluster->{dir}/shared/never", 'and sees to it that this stays so, whatever was on its way');
$p = start('attached', 'trap "" TERM; echo here; while :; do sleep 0.05; done');
$cluster->wait_for($p, log => qr/^here$/m);
kill KILL => -$p->{pid};
$cluster->end_of($p);
is($cluster->end_of($cluster->start([ @ssh, 'stop' ], run => 'attached', files => 'stop', @host)), 'code 0', 'it is stopped without a program that lives');
is($cluster->end_of(attach('attached')), 'signal 9', 'which attach then says');
is($cluster->end_of($cluster->start([ @ssh, 'stop' ], run => 'attached', files => 'stop', @host)), 'code 0', 'nothing is left to be stopped');
ok(!-e "$cluster->{dir}/out/stop.executor", 'the runner hears nothing of that');

# two at once: one command; and one that was stopped before it began never begins
my @twins = map { start('twins', "echo x >>$cluster->{dir}/shared/twins; " . until_go('twins-go') . '; exit 6', files => "twin$_") } 1, 2;
$cluster->wait_for($_, executor => qr/^host/m) foreach @twins;
go('twins-go');
is($cluster->end_of($_), 'code 6', 'two that start the same run have the same end') foreach @twins;
is(JoschRunner::slurp("$cluster->{dir}/shared/twins"), "x\n", 'it was executed once');
is($cluster->end_of($cluster->start([ @ssh, 'stop' ], run => 'early', @host, files => 'early-stop')), 'code 0', 'one that is stopped before it has begun');
is($cluster->run([ @ssh, 'start', 'touch', "$cluster->{dir}/shared/early" ], run => 'early', @host), 'signal 15', 'never begins');
ok(!-e "$cluster->{dir}/shared/early", 'really not');

# the witness is killed; the host goes down
foreach my $case ([ witness => qr/^unknown its witness was killed$/m, 0 ], [ boot => qr/^unknown the host went down while it ran$/m, 1 ])
{
	my ($run, $words, $boot) = @$case;
	$p = start($run, 'echo here; sleep 600');
	$cluster->wait_for($p, log => qr/^here$/m);
	JoschCluster::spew("$there/josch-test-$run.began", "of another life\n") if $boot;
	kill KILL => grep { (JoschRunner::slurp("/proc/$_/cmdline") // '') =~ /\0witness\0-s\0[^\0]*josch-test-$run\0/ } map { substr $_, 6 } glob '/proc/[0-9]*';
	$cluster->end_of($p);
	like(told($p), $words, "$run: what the runner is told");
	unlike(told($p), qr/^ended$/m, 'and that is all that is said');
	system("pkill -KILL -s `cat $there/josch-test-$run.pid`");
}

done_testing();
