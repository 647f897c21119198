# test/t/053_executors.pl
#
# Executors: a program runs in place of the command and is its witness.  A small one is made
# here, whose other side is a process that outlives everybody; true codes and signals, stops,
# and whoever dies on this side: the run goes on, and its true end is found.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('executors', conf => "wal_level = replica\nmax_wal_senders = 4\njosch.max_running = 100");
my $work = $node->{work};
my $grid = "$work/grid.sh";

# The other side: a folder for each run, of which whoever makes it first submits the command.
append_to_file($grid, <<'SH');
#!/bin/bash
run=$WORK/runs/$JOSCH_EXECUTOR_RUN
say() { echo "$*" >> "$JOSCH_EXECUTOR_REPORT"; }
echo "$1 $JOSCH_EXECUTOR_RUN $(echo $JOSCH_EXECUTOR_OPTIONS) $JOSCH_STOP_GRACE" >> "$WORK/calls"
pass_on() { kill -TERM -- "-$(cat "$run/pid")"; limit=$((SECONDS + JOSCH_STOP_GRACE * 4 / 5)); }
case $1 in
    start)
        shift
        if mkdir "$run"; then
            setsid bash -c 'trap : TERM; run=$1; shift; echo $$ > $run/pid.new; mv $run/pid.new $run/pid
                "$@" > $run/out 2>&1; echo $? > $run/code.new; mv $run/code.new $run/code' grid "$run" "$@" < /dev/null > /dev/null 2>&1 &
        fi ;;
    attach) [ -d "$run" ] || { say "unknown the grid has no trace of it"; exit 0; } ;;
    stop) kill -KILL -- "-$(cat "$run/pid")"; [ -e "$run/code" ] || { echo 137 > "$run/code.new"; mv "$run/code.new" "$run/code"; }; exit ;;
esac
trap pass_on TERM
while [ ! -e "$run/pid" ]; do sleep 0.02; done
if [ -e "$WORK/deaf" ]; then trap '' TERM; fi
if [ -e "$WORK/queue" ]; then say "reason $(cat "$WORK/queue")"; while [ -e "$WORK/queue" ]; do sleep 0.05; done; say reason; fi
say "host node${JOSCH_EXECUTOR_OPTIONS:+ $(echo $JOSCH_EXECUTOR_OPTIONS)}"
while [ ! -e "$run/code" ]; do
    if [ -e "$WORK/down" ]; then say "unreachable $(cat "$WORK/down")"; while [ -e "$WORK/down" ]; do sleep 0.05; done; say reachable; fi
    if [ "${limit:-9999999}" -le "$SECONDS" ]; then kill -KILL -- "-$(cat "$run/pid")"; echo 137 > "$run/code"; fi
    sleep 0.05 & wait $! # as a program of an executor must: nobody tells it
done
[ -z "${TEXT_ONLY:-}" ] || exit 0
if [ -e "$run/out" ]; then tail -c +$(($(cat "$JOSCH_EXECUTOR_STATE" 2>/dev/null || echo 0) + 1)) "$run/out"; wc -c < "$run/out" > "$JOSCH_EXECUTOR_STATE"; fi
if [ -e "$WORK/lost" ]; then say "unknown $(cat "$WORK/lost")"; exit 0; fi
if [ -e "$WORK/silent" ]; then exit 0; fi
code=$(cat "$run/code")
say ended
if [ "$code" -gt 128 ]; then trap - TERM; kill -$((code - 128)) $$; fi
exit "$code"
SH
chmod 0755, $grid;
mkdir "$work/runs";

sub calls { return grep { !defined $_[0] || /^$_[0] / } split /\n/, $node->file('calls') // '' }
sub touch { append_to_file("$work/$_[0]", $_[1] // "x\n"); return }
sub gone { unlink "$work/$_[0]"; return }

# the name of a node's latest run at the other side
sub name_of
{
	my ($id) = @_;
	return $node->run_is($id, "'josch-' || split_part(server, '-', 1) || '-' || run_id || '-' || lpad(to_hex(nonce), 16, '0')");
}

my $UNTIL = 'echo ran >> $WORK/$NODE_ID; while [ ! -e $WORK/$NODE_ID.end ]; do sleep 0.05; done; exit $(cat $WORK/$NODE_ID.end)';

# a process of a run at the other side, or of this one
sub wait_for_remote { my (@ids) = @_; foreach my $id (@ids) { eventually("node $id runs there", sub { ($node->file($id) // '') ne '' }) } return }
sub programs { return grep { my $line = JoschRunner::slurp("/proc/$_/cmdline") // ''; $line =~ /\Q$grid\E\0(?:start|attach)/ } $node->commands }

$node->sql("INSERT INTO josch.executors (executor_name, start_command, attach_command, stop_command) VALUES ('grid', '$grid start', '$grid attach', '$grid stop'), ('prefix', '/usr/bin/env -u HOME MARK=\$NODE_ID', NULL, NULL)");
sub add { my ($id, $command, %more) = @_; return $node->add([ $id, 'N', $command, executor => 'grid', %more ]) }

subtest 'a program in place of the command' => sub {
	add(1, 'exit 0', executor_options => "-p 'big queue' \$JOB_NAME");
	add(2, 'exit 9');
	add(3, 'kill -SEGV $$');
	add(4, "printf '%s|' one 'two  words' \$NODE_ID; echo done");
	$node->add([ 5, 'N', 'printenv MARK; printenv HOME || echo none', executor => 'prefix' ], [ 6, 'N', 'echo ${JOSCH_EXECUTOR_RUN:-none}' ]);
	$node->schedule;
	$node->wait_for('succeeded', 1, 4, 5, 6);
	$node->wait_for('failed', 2, 3);
	is($node->run_is(1, 'exit_code, host, executor, executor_options'), "0|node -p big queue test|grid|-p 'big queue' \$JOB_NAME", 'its code, its host, its options');
	is($node->run_is(2, 'exit_code'), 9, 'a code that is none of success');
	is($node->run_is(3, 'exit_signal'), 11, 'a signal');
	is($node->log_of(4), "one|two  words|4|done\n", 'words and output as they are');
	is($node->log_of(5), "5\nnone\n", 'an executor may be a mere prefix, whose exit code counts');
	is($node->log_of(6), "none\n", 'without an executor all is as before');
	my ($run) = grep { /-p/ } calls('start');
	is($run, 'start ' . name_of(1) . ' -p big queue test 10', 'what the program is told');
	is(scalar(calls('attach')), 0, 'and nobody asks anything');
};

subtest 'what the other side says' => sub {
	$node->job('says');
	touch('queue', 'Priority');
	add(11, $UNTIL);
	$node->schedule;
	$node->wait_until('why it waits there', "SELECT message = 'grid: Priority' FROM josch.nodes WHERE node_id = 11");
	is($node->sql("SELECT reason, detail FROM josch.why(11, '$DATE') LIMIT 1"), 'running|grid: Priority', 'josch.why() says it');
	gone('queue');
	$node->wait_until('it waits no more', "SELECT message IS NULL FROM josch.nodes WHERE node_id = 11");
	is($node->sql("SELECT count(*) FROM josch.health() WHERE component = 'executor'"), 0, 'all answer');
	touch('down', 'no route to the controller');
	$node->wait_until('it does not answer', "SELECT message = 'grid does not answer: no route to the controller' FROM josch.nodes WHERE node_id = 11");
	is($node->sql("SELECT up, detail FROM josch.health() WHERE component = 'executor'"), 'f|Executor "grid" cannot be reached for 1 run: no route to the controller', 'josch.health() says so');
	gone('down');
	$node->wait_until('it answers', "SELECT message IS NULL FROM josch.nodes WHERE node_id = 11");
	is($node->sql("SELECT count(*) FROM josch.health() WHERE component = 'executor'"), 0, 'and health is well');
	is($node->run_is(11, 'host'), 'node', 'where it runs');
	touch('11.end', '3');
	$node->wait_for('failed', 11);
	is($node->run_is(11, 'exit_code'), 3, 'its end');
};

subtest 'stops, and time-outs' => sub {
	$node->job('stops');
	add(21, "trap 'exit 7' TERM; $UNTIL");
	add(22, "trap '' TERM; $UNTIL", stop_grace => '2 seconds');
	add(23, $UNTIL, timeout => '1 second');
	$node->schedule;
	wait_for_remote(21, 22);
	$node->act('stop', 21);
	$node->act('stop', 22);
	$node->wait_for('failed', 21, 22, 23);
	like($node->node_is(21, 'message'), qr/^stopped by .*: exit code 7$/, 'TERM is passed on, its code is known');
	like($node->node_is(22, 'message'), qr/^stopped by .*: signal 9/, 'KILL is asked for in time');
	like($node->node_is(23, 'message'), qr/^timed out: signal 15/, 'a time-out');
	is(scalar(calls('stop')), 0, 'by the program that was there');
};

subtest 'a program that is killed at the end of the grace' => sub {
	$node->job('deaf');
	touch('deaf');
	add(26, $UNTIL, stop_grace => '1 second');
	$node->schedule;
	wait_for_remote(26);
	eventually('it is deaf', sub { ($node->run_is(26, 'host') // '') eq 'node' });
	$node->act('stop', 26);
	$node->wait_for('failed', 26);
	gone('deaf');
	like($node->node_is(26, 'message'), qr/^stopped by .*: signal 9/, 'the end at the other side');
	is_deeply([ sort map { (split)[0] } grep { index($_, name_of(26)) > 0 } calls() ], [ 'attach', 'start', 'stop' ], 'which was asked to stop, and how it ended');
};

subtest 'a program that ends without a word of the end' => sub {
	$node->job('silent');
	add($_, $UNTIL) foreach 31 .. 34;
	$node->schedule;
	wait_for_remote(31 .. 34);
	kill 'KILL', programs();
	eventually('each is attached to', sub { calls('attach') >= 5 });
	is($node->sql("SELECT count(*) FROM josch.nodes WHERE node_id IN (31, 32, 33, 34) AND state = 'running'"), 4, 'all run');
	touch('31.end', 0);
	touch('32.end', 5);
	$node->wait_for('succeeded', 31);
	$node->wait_for('failed', 32);
	is($node->run_is(32, 'exit_code'), 5, 'true codes');
	touch('lost', 'the node of the grid has failed');
	touch('33.end', 0);
	$node->wait_for('unknown', 33);
	is($node->node_is(33, 'message'), 'how it ended cannot be known: the node of the grid has failed; no process of it was found', 'what cannot be known, in its words');
	gone('lost');
	touch('silent');
	touch('34.end', 0);
	$node->wait_for('unknown', 34);
	like($node->node_is(34, 'message'), qr/^how it ended cannot be known: the program of its executor ended by exit code 0, and has not said how the run did/, 'one that says nothing proves nothing');
	gone('silent');
	is($node->file($_), "ran\n", "node $_ ran once") foreach 31 .. 34;
};


# The runner dies, and comes back: in the same spool or in another one, after a reboot, without its journal.
subtest 'runners that die' => sub {
	$node->job('deaths');
	add($_, $UNTIL) foreach 41 .. 44;
	$node->schedule;
	wait_for_remote(41 .. 44);
	$node->wait_until('all have started', "SELECT count(*) = 4 FROM josch.runs WHERE node_id BETWEEN 41 AND 44 AND status = 'running' AND host = 'node'");
	my $attached = calls('attach');
	my @programs = programs();
	$node->kill_runner;
	# its programs live on, and end before the next one has asked; one is killed with it
	kill 'KILL', $programs[0];
	touch("$_.end", $_) foreach 41, 42;
	$node->wait_for('failed', 41, 42);
	is($node->sql("SELECT string_agg(exit_code::text, ' ' ORDER BY node_id) FROM josch.runs WHERE node_id IN (41, 42)"), '41 42', 'true codes after the death of the runner');
	cmp_ok(scalar(calls('attach')), '>=', $attached + 2, 'for which they were attached to');

	$node->stop('immediate');
	my $runner = $node->kill_runner;
	kill 'KILL', programs();
	unlink "$node->{spool}/journal", "$node->{spool}/journal.end";
	$node->start;
	$node->wait_until('another ledger asks, too', "SELECT count(*) = 2 FROM josch.runs WHERE node_id IN (43, 44) AND status = 'running' AND pid IS NOT NULL");
	eventually('each has its program', sub { programs() == 2 });
	$node->act('stop', 43);
	touch('44.end', '0');
	$node->wait_for('succeeded', 44);
	$node->wait_for('failed', 43);
	like($node->node_is(43, 'message'), qr/^stopped by .*: signal 15/, 'a stop reaches the other side through the one that attached');
	is($node->file($_), "ran\n", "node $_ ran once") foreach 41 .. 44;
	is($node->sql("SELECT count(*) FROM josch.runs WHERE node_id BETWEEN 41 AND 44"), 4, 'one run each');
};

# A data directory that is put back knows runs to be open that the runner has forgotten; the other side has not.
subtest 'a run that the runner has forgotten' => sub {
	my $runner = JoschRunner->connect($node->{spool}, identity => 'elsewhere');
	my %start = (run_id => 5, nonce => 77, log => 'log/x/5.log', env => [ "WORK=$work", 'JOSCH_EXECUTOR_RUN=josch-1-5-77', 'JOSCH_STOP_GRACE=10' ], attach_argv => [ $grid, 'attach' ], executor => 1);
	$runner->start(%start, argv => [ $grid, 'start', 'sh', '-c', 'exit 21' ]);
	is($runner->wait_for('EXITED', 5)->{value}, 21, 'its end is known');
	$runner->forget([ 5, 77 ]);
	$runner->start(%start, argv => [ $grid, 'start', 'sh', '-c', 'exit 22' ], adopt => 1, reason => 'put back');
	is($runner->wait_for('EXITED', 5)->{value}, 21, 'and found once more');
	$runner->start(%start, argv => [ $grid, 'start', 'sh', '-c', 'exit 22' ]);
	is($runner->wait_for('REFUSED', 5)->{reason}, 1, 'it is never started');
};

# A retry is another run, under another name: whoever attaches to the former one never takes the new one for it.
subtest 'the former run of a retry' => sub {
	$node->job('retries');
	add(51, 'echo $ATTEMPT >> $WORK/51; [ $ATTEMPT = 2 ] || exit 4; while [ ! -e $WORK/51.end ]; do sleep 0.05; done', retries => 1, retry_delay => '0');
	$node->schedule;
	$node->wait_until('the second attempt', "SELECT attempt = 2 AND state = 'running' FROM josch.nodes WHERE node_id = 51");
	eventually('it runs there', sub { ($node->file('51') // '') eq "1\n2\n" });
	$node->kill_runner;
	kill 'KILL', programs();
	touch('51.end');
	$node->wait_for('succeeded', 51);
	is($node->sql("SELECT string_agg(attempt || ' ' || exit_code, ', ' ORDER BY attempt) FROM josch.runs WHERE node_id = 51"), '1 4, 2 0', 'each has its own end');
	is($node->file('51'), "1\n2\n", 'and ran once');
};

subtest 'never more than there is room for' => sub {
	$node->job('many');
	$node->sql("UPDATE josch.executors SET max_running = 5 WHERE executor_name = 'grid'");
	add($_, $UNTIL) foreach 100 .. 149;
	$node->schedule;
	# what is unknown may run there still: it keeps its place until a person has spoken
	$node->wait_until('three run beside the two that are unknown', "SELECT count(*) = 3 FROM josch.runs WHERE node_id >= 100 AND status = 'running'");
	$node->act('skip', $_) foreach 33, 34;
	$node->wait_until('five run', "SELECT count(*) = 5 FROM josch.runs WHERE node_id >= 100 AND status = 'running'");
	my $waits = $node->sql("SELECT max(node_id) FROM josch.nodes WHERE node_id >= 100 AND state = 'ready'");
	like($node->sql("SELECT reason || ' ' || detail FROM josch.why($waits, '$DATE') LIMIT 1"), qr/^executor waits for executor "grid": 5 of 5 run: held by "node 1\d\d" since .*, and by 4 others$/, 'josch.why() says for what');
	touch("$_.end", 0) foreach 100 .. 149;
	$node->wait_for('succeeded', 100 .. 149);
	is($node->sql("SELECT max(n) FROM (SELECT sum(c) OVER (ORDER BY at, c ROWS UNBOUNDED PRECEDING) AS n FROM (SELECT requested_at AS at, 1 AS c FROM josch.runs WHERE node_id >= 100 UNION ALL SELECT ended_at, -1 FROM josch.runs WHERE node_id >= 100) e) s"), 5, 'never more');
	is($node->sql("SELECT count(*) FROM josch.units_in_use"), 0, 'all places are given back');
	$node->job('closed');
	$node->sql("UPDATE josch.executors SET max_running = 0 WHERE executor_name = 'grid'");
	add(160, 'true');
	$node->schedule;
	$node->wait_until('it is closed', "SELECT reason = 'executor' AND detail = 'executor \"grid\" is closed: its max_running is 0' FROM josch.why(160, '$DATE') LIMIT 1");
	$node->sql("UPDATE josch.executors SET max_running = NULL WHERE executor_name = 'grid'");
	$node->wait_for('succeeded', 160);
};

subtest 'an executor that is not there' => sub {
	$node->job('absent');
	$node->sql("INSERT INTO josch.executors VALUES ('gone', 'x'), ('bad', '\$NO_SUCH start')");
	$node->add([ 171, 'N', 'true', executor => 'gone' ], [ 173, 'S', undef ], [ 172, 'N', 'true', executor => 'bad' ],
		[ 174, 'N', 'true', executor => 'grid', executor_options => "-p 'big\n--evil'" ]);
	$node->depend(173 => 171);
	$node->schedule;
	$node->wait_for('failed', 172, 174);
	is($node->node_is(172, 'message'), 'could not be started: start_command of its executor "bad": a variable does not exist: "NO_SUCH"', 'words that cannot be');
	is($node->node_is(174, 'message'), 'could not be started: its executor_options: a word has more than one line', 'one word stays one');
	$node->sql("DELETE FROM josch.tpl_nodes WHERE node_id = 171; DELETE FROM josch.executors WHERE executor_name = 'gone'");
	$node->act('signoff', 173);
	$node->wait_until('it waits for it', "SELECT reason = 'never_fits' AND detail = 'executor \"gone\" does not exist' FROM josch.why(171, '$DATE') LIMIT 1");
	$node->act('skip', 171);
};

# The server and its host are gone; another server, with a spool of its own, goes on with what runs.
subtest 'a standby that is promoted, and a copy that is armed' => sub {
	$node->job('promoted');
	add($_, $UNTIL) foreach 61 .. 63;
	$node->backup('base');
	my $standby = JoschNode->from_backup('standby', $node, 'base', streams => 1);
	my $copy = JoschNode->from_backup('copy', $node, 'base', streams => 1);
	$standby->start;
	$copy->start;
	$node->schedule;
	wait_for_remote(61 .. 63);
	$node->wait_until('all have started', "SELECT count(*) = 3 FROM josch.runs WHERE node_id BETWEEN 61 AND 63 AND status = 'running' AND host = 'node'");
	$node->sql('CREATE TABLE public.replayed ()');
	$_->wait_until('the standby has it', "SELECT to_regclass('public.replayed') IS NOT NULL") foreach $standby, $copy;
	$node->stop('immediate');
	$node->kill_runner;
	kill 'KILL', programs();
	my $attached = calls('attach');
	touch('61.end', 61);

	# a copy is none of the cluster any more: it does nothing until it is armed
	$copy->stop;
	unlink $copy->data_dir . '/standby.signal';
	$copy->start;
	is($copy->sql("SELECT armed FROM josch.armed()"), 'f', 'a copy is disarmed');
	$copy->wait_until('its scheduler has looked', "SELECT detail LIKE '%copy%' FROM josch.health() WHERE component = 'armed'");
	is($copy->sql("SELECT count(*) FROM josch.runs WHERE node_id BETWEEN 61 AND 63 AND ended_at IS NULL"), 3, 'it says nothing of what executors have');
	is(scalar(calls('attach')), $attached, 'and asks nobody');

	$standby->promote;
	$standby->wait_for('failed', 61);
	is($standby->run_is(61, 'exit_code'), 61, 'a true code that nobody saw');
	eventually('two are attached to', sub { programs() == 2 });
	is($standby->sql("SELECT count(*) FROM josch.nodes WHERE node_id IN (62, 63) AND state = 'running'"), 2, 'the others run on');
	touch('62.end', 0);
	$standby->wait_for('succeeded', 62);
	$standby->act('stop', 63);
	$standby->wait_for('failed', 63);
	like($standby->node_is(63, 'message'), qr/^stopped by .*: signal 15/, 'and can be stopped from there');
	is($standby->file($_), "ran\n", "node $_ ran once") foreach 61 .. 63;

	$copy->sql("SELECT josch.arm('to see')");
	$copy->wait_for('succeeded', 62);
	is($copy->run_is(62, 'exit_code'), 0, 'once it is armed, it asks, too');
};

done_testing();
