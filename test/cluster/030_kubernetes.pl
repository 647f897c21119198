# executors/kubernetes by itself, with a kubectl of the test (bin/kubectl): what it asks of the server, and what it makes of the answers.

use strict;
use warnings;
use Cwd;
use IPC::Run;
use Test::More;
use JoschRunner;
use JoschCluster;

my $cluster = JoschCluster->new;
my $server = "$cluster->{dir}/shared";
$cluster->{environment} = { FAKE_KUBE => $server };
my @how = (path => getcwd . '/test/cluster/bin:/usr/local/bin:/usr/bin:/bin');
my @kube = ('kubernetes', '--namespace', 'night');

sub start { my ($run, $script, %how) = @_; return $cluster->start([ @kube, 'start', 'sh', '-c', $script ], run => $run, @how, options => [ '--image', 'alpine', '--cpu', '500m', '--memory', '1Gi' ], %how) }
sub attach { my ($run, %how) = @_; return $cluster->start([ @kube, 'attach' ], run => $run, @how, %how) }
sub told { my ($program) = @_; return JoschRunner::slurp("$program->{base}.executor") }
sub printed { my ($program) = @_; return JoschRunner::slurp("$program->{base}.log") }
sub go { my ($name) = @_; JoschCluster::spew("$server/$name", ''); return }
sub until_go { my ($name) = @_; return "until [ -e $server/$name ]; do sleep 0.05; done" }

my %running = map { ($_ => start("code-$_", "exit $_")) } 0, 1, 3, 127, 137, 255;
is($cluster->end_of($running{$_}), "code $_", "true: code $_") foreach sort keys %running;
is($cluster->end_of(start('signal', 'kill -9 $$')), 'code 137', 'a signal is what Kubernetes says');
like(told($running{3}), qr/^reachable\nhost node-1\nreason\nended\n\z/, 'the runner is told what it is told');
like(JoschRunner::slurp("$server/josch-test-code-3.pod"), qr/"limits": \{"cpu": "500m", "memory": "1Gi"\}/, 'limits are asked for');

my @words = ('a  b', '', "two\nlines", q{quote' "$HOME" \\}, '*', "\xc3\xa4");
my ($end, $log) = $cluster->run([ @kube, '--image', 'alpine', 'start', 'perl', '-e', '$| = 1; print join("|", @ARGV, $ENV{VALUE}), "\n"', @words ], run => 'words', @how, env => { VALUE => "x\n'y'" });
is($log, join('|', @words, "x\n'y'") . "\n", 'words and variables come as they are');
my @names = qw(WORK BASE FOLDER VERB GIVEN ENVIRONMENT JOB IMAGE POD job out report mark code base kind from size said_host asked terms session WITNESS);
($end, $log) = $cluster->run([ @kube, 'start', 'perl', '-e', 'print join(" ", map { $ENV{$_} } @ARGV)', @names ], run => 'names', @how, options => [ '--image', 'alpine' ], env => { map { ($_ => "node's-$_") } @names });
is($log, join(' ', map { "node's-$_" } @names), 'whatever the names of variables');
my $p = start('live', 'echo first; ' . until_go('live') . '; echo last; exit 4');
$cluster->wait_for($p, log => qr/^first$/m);
go('live');
is($cluster->end_of($p), 'code 4', 'output comes while it runs');
is(printed($p), "first\nlast\n", 'all of it, once');

# what is refused, and what waits
is($cluster->run([ @kube, 'start', 'true' ], run => 'no-image', @how), 'code 125', 'without an image');
($end, $log) = $cluster->run([ @kube, 'start', 'true' ], run => 'refused', @how, options => [ '--image', 'refused' ]);
is($end, 'code 125', 'what Kubernetes refuses');
like($log, qr/no such image for you/, 'and what it said');
$p = start('pending', 'true', options => [ '--image', 'pending' ]);
$cluster->wait_for($p, executor => qr/^reason Unschedulable$/m);
kill TERM => $p->{pid};
is($cluster->end_of($p), 'signal 15', 'one that waits is stopped');

# TERM, and KILL in time
$p = start('stopped', 'trap "exit 44" TERM; echo here; while :; do sleep 0.05; done', grace => 30);
$cluster->wait_for($p, log => qr/^here$/m);
kill TERM => -$p->{pid};
is($cluster->end_of($p), 'code 44', 'it is stopped');
ok(!-e "$server/josch-test-stopped.pod", 'its pod may go');
is($cluster->end_of(attach('stopped')), 'code 44', 'and its end is known nevertheless');
$p = start('deaf', 'trap "" TERM; echo here; while :; do sleep 0.05; done', grace => 3);
$cluster->wait_for($p, log => qr/^here$/m);
kill TERM => -$p->{pid};
is($cluster->end_of($p), 'code 137', 'it is killed before the grace ends');

# the program is killed, and another attaches
foreach my $files ('killed', 'elsewhere')
{
	$p = start("of-$files", 'echo first; ' . until_go("go-$files") . '; echo last; exit 5', files => 'killed');
	$cluster->wait_for($p, log => qr/^first$/m);
	kill KILL => -$p->{pid};
	$cluster->end_of($p);
	unlink "$p->{base}.log", "$p->{base}.state" if $files eq 'elsewhere';
	my $q = attach("of-$files", files => 'killed');
	go("go-$files");
	is($cluster->end_of($q), 'code 5', 'the next one has the end');
	is(printed($q), "first\nlast\n", 'and all of its output, once');
	unlink glob "$p->{base}.*";
}
$p = attach('never');
$cluster->end_of($p);
like(told($p), qr/^unknown Kubernetes has no pod josch-test-never$/m, 'of what never was, it says that it does not know');

# two at once: one pod
my @twins = map { start('twins', "echo x >>$server/twins; " . until_go('twins-go') . '; exit 6', files => "twin$_") } 1, 2;
$cluster->wait_for($_, executor => qr/^host/m) foreach @twins;
go('twins-go');
is($cluster->end_of($_), 'code 6', 'two that start the same run have the same end') foreach @twins;
is(JoschRunner::slurp("$server/twins"), "x\n", 'it was executed once');

# without a server; and a pod that is lost
go('down');
my $unsent = start('unsent', 'exit 22');
$cluster->wait_for($unsent, executor => qr/^unreachable .*refused/m);
unlink "$server/down";
is($cluster->end_of($unsent), 'code 22', 'one that could not be created is, later');
$p = start('lost', 'echo here; ' . until_go('lost-go'));
$cluster->wait_for($p, log => qr/^here$/m);
JoschCluster::spew("$server/josch-test-lost.lost", 'Evicted');
$cluster->end_of($p);
like(told($p), qr/^unknown pod josch-test-lost ended as Failed Evicted$/m, 'one whose node has put it out');
unlike(told($p), qr/^ended$/m, 'and that is all that is said');
go('lost-go');

done_testing();
