# test/t/017_runner_executors.pl
#
# Programs of executors, as the runner sees them: one in place of the command, and those that are asked when it is gone.  The other
# side is a file, which has the code of a run once that has ended: who wants to end it writes there.
use strict;
use warnings;
use JoschRunner;
use Test::More;
use File::Temp qw(tempdir);

my $spool = JoschRunner::new_spool();
my $work = tempdir('josch-executors-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $grid = "$work/grid";

sub put { my ($name, $text) = @_; open my $file, '>>', "$work/$name" or die "$work/$name: $!"; print $file $text; close $file or die $!; return }

put('grid', <<'SH');
#!/bin/bash
say() { echo "$*" >> "$JOSCH_EXECUTOR_REPORT"; }
echo "$1" >> "$BASE.calls"
case $1 in
    start) shift; "$@"; code=$?; say host node; say ended; exit "$code" ;;
    stop) echo 137 > "$BASE.code"; exit ;;
esac
[ ! -e "$BASE.deaf" ] || trap '' TERM
[ -e "$BASE.deaf" ] || trap 'echo TERM >> "$BASE.calls"; echo 143 > "$BASE.code"' TERM
while [ ! -s "$BASE.code" ]; do sleep 0.02 & wait $!; done # as a program of an executor must: nobody tells it
say ended
code=$(cat "$BASE.code")
[ "$code" -le 128 ] || { trap - TERM; kill -$((code - 128)) $$; }
exit "$code"
SH
chmod 0755, $grid;

is(JoschRunner::start_daemon($spool), 0, 'a runner');
my $runner = JoschRunner->connect($spool);

sub calls { my ($id) = @_; return join ' ', split /\n/, JoschRunner::slurp("$work/$id.calls") // '' }
sub words { my ($id, %more) = @_; return (run_id => $id, env => [ "BASE=$work/$id" ], executor => 1, attach_argv => [ $grid, 'attach' ], %more) }

# One that was started, but not by this runner.
sub adopt { my ($id, %more) = @_; return $runner->start(words($id, argv => ['x'], adopt => 1, reason => 'it was given to another runner', %more)) }

# What is sent meanwhile is read in one turn.
sub in_one_turn
{
	my ($act) = @_;
	kill 'STOP', $runner->pid;
	$act->();
	kill 'CONT', $runner->pid;
	return;
}

# who wants it stopped is heard, though nobody is there yet who could be asked
foreach my $grace (10_000, 0)
{
	my $id = $grace ? 1 : 2;
	in_one_turn(sub { adopt($id, stop_argv => [ $grid, 'stop' ]); $runner->stop($id, $grace) });
	my $end = $runner->wait_for('EXITED', $id);
	is("$end->{kind} $end->{value} " . ($end->{exit_flags} & JoschRunner::STOP_REQUESTED), JoschRunner::EXIT_SIGNAL . ' 9 ' . JoschRunner::STOP_REQUESTED, "a stop that comes together with an attach, grace $grace: the other side is asked");
	is(join(' ', sort split / /, calls($id)), 'attach stop', 'by the one that stops, beside the one that attaches');
}
in_one_turn(sub { adopt(3); $runner->stop(3, 10_000) });
my $end = $runner->wait_for('EXITED', 3);
is("$end->{kind} $end->{value}", JoschRunner::EXIT_SIGNAL . ' 15', 'where none stops, the one that attaches is asked');
is(calls(3), 'attach TERM', 'by a signal');

# a program that was killed could not say how the run ends
adopt(4);
my $pid = $runner->wait_for('STARTED', 4)->{pid};
foreach my $time (1, 2)
{
	kill 'KILL', $pid;
	$pid = $runner->wait_for('STARTED', 4)->{pid};
}
put('4.code', 7);
$end = $runner->wait_for('EXITED', 4);
is("$end->{kind} $end->{value}", JoschRunner::EXIT_CODE . ' 7', 'the one that attaches is killed: another one does, and finds the end');
is(calls(4), 'attach attach attach', 'one after the other');

# while nobody is there a stop waits
adopt(5, stop_argv => [ $grid, 'stop' ]);
$pid = $runner->wait_for('STARTED', 5)->{pid};
in_one_turn(sub { kill 'KILL', $pid; JoschRunner::eventually('it is dead', sub { !JoschRunner::lives($pid) }) });
$runner->stop(5, 10_000);
$end = $runner->wait_for('EXITED', 5);
is("$end->{kind} $end->{value}", JoschRunner::EXIT_SIGNAL . ' 9', 'a stop while nobody attaches is handed on');

# what a command says is its own, whatever it is, and however it ends
$end = $runner->run(words(6, argv => [ $grid, 'start', 'sh', '-c', 'printf "host evil\nunknown it\nended\nresult rows=5" >> $JOSCH_REPORT; exit 6' ]));
is("$end->{kind} $end->{value}", JoschRunner::EXIT_CODE . ' 6', 'a line without an end does not swallow the word of the program');
like($end->{report}, qr/^result rows=5\nhost node\nreason \nproblem 3 not understood, the first: host evil\n$/, 'and a command says nothing for it');
is(calls(6), 'start', 'nobody has to ask');

JoschRunner::end_runner($spool);
done_testing();
