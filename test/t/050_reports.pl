# What commands and SQL say of themselves: JOSCH_REPORT and josch.report(); progress that others see while it goes on,
# results that are kept with the end and are variables of children; through the death of runner and server; whatever is in the file.

use strict;
use warnings;

use JoschNode qw($DATE eventually lives literal);
use Test::More;

my $node = JoschNode->create('reports');
my $work = $node->{work};

sub said
{
	my ($id, $what) = @_;
	return $node->sql("SELECT $what FROM josch.run_reports p JOIN josch.nodes n USING (run_id) WHERE n.node_id = $id AND n.job_date = '$DATE'");
}

sub wait_said
{
	my ($id, $what) = @_;
	$node->wait_until("node $id says: $what", "SELECT count(*) = 1 FROM josch.board WHERE node_id = $id AND job_date = '$DATE' AND $what");
}

# what a command waits for: a file that the test makes
sub go_on { open my $file, '>', "$work/$_[0]" or die; close $file; }
my $wait = sub { "while [ ! -e \$WORK/$_[0] ]; do sleep 0.02; done" };

subtest 'progress of a command, and its results' => sub {
	$node->job('says');
	$node->add(
		[ 1, 'N', 'echo "progress 0.25 reading book 3" >>"$JOSCH_REPORT"; ' . $wait->('one') . '; echo "progress 60%" >>"$JOSCH_REPORT"; ' . $wait->('two')
			. '; printf "result rows=1042\nresult file=a b\nwhat?\nprogress 1 done" >>"$JOSCH_REPORT"' ],
		[ 2, 'N', 'echo "$RESULT_rows $RESULT_Load_rows $RESULT_file"', node_name => 'child' ],
		[ 3, 'N', 'true' ]);
	$node->sql("UPDATE josch.tpl_nodes SET node_name = 'Load' WHERE node_id = 1");
	$node->depend(1 => 2);
	$node->schedule;
	wait_said(1, "progress = 0.25 AND progress_text = 'reading book 3' AND state = 'running'");
	go_on('one');
	wait_said(1, "progress = 0.6 AND progress_text IS NULL");
	my $file = $node->sql("SELECT replace(log, '.log', '.report') FROM josch.runs WHERE node_id = 1");
	is((stat "$node->{spool}/$file")[2] & 07777, 0600, 'the file is private');
	go_on('two');
	$node->wait_for('succeeded', 1, 2, 3);
	is(said(1, "progress || ' ' || progress_text || ' ' || results::text || ' ' || problems"),
		'1 done {"file": "a b", "rows": "1042"} 1 not understood, the first: what?', 'all of it is kept');
	is($node->run_is(2, 'output_tail'), "1042 1042 a b\n", 'the child has its results');
	is($node->sql("SELECT count(*) FROM josch.run_reports p JOIN josch.nodes n USING (run_id) WHERE n.node_id = 3"), '0', 'who says nothing has nothing');
	eventually('the file is taken away', sub { !-e "$node->{spool}/$file" });
};

subtest 'which parent is meant' => sub {
	$node->job('parents');
	$node->add(
		[ 11, 'N', 'echo "result n=1" >>"$JOSCH_REPORT"; echo "result only=x" >>"$JOSCH_REPORT"' ],
		[ 12, 'N', 'echo "result n=2" >>"$JOSCH_REPORT"; echo "result BOOK=mine" >>"$JOSCH_REPORT"' ],
		[ 13, 'N', 'echo "${RESULT_n:-either} $RESULT_Load_A_n $RESULT_Load_B_n $RESULT_only $RESULT_BOOK"' ],
		[ 14, 'N', 'echo $RESULT_n' ],
		[ 15, 'N', undef, exec_sql => q{SELECT current_setting('josch_run.RESULT_Load_A_n') || current_setting('josch_run.RESULT_Load_B_n')} ]);
	$node->sql(q{UPDATE josch.tpl_nodes SET node_name = 'Load A' WHERE node_id = 11; UPDATE josch.tpl_nodes SET node_name = 'Load-B' WHERE node_id = 12;
		INSERT INTO josch.environs VALUES ('RESULT_BOOK', 'written')});
	$node->depend($_ => 13), $node->depend($_ => 14), $node->depend($_ => 15) foreach 11, 12;
	$node->schedule;
	$node->wait_for('succeeded', 13, 15);
	is($node->run_is(13, 'output_tail'), "either 1 2 x written\n", 'by its name where one has it, else with the name of the node; what people wrote wins');
	$node->wait_for('failed', 14);
	like($node->node_is(14, 'message'), qr/variables that do not exist: "RESULT_n"/, 'what could be either is none');
	like($node->run_is(15, 'output_tail'), qr/12/, 'SQL has them, too');
	$node->act('rerun', 11);
	$node->wait_until('its latest run counts', "SELECT state = 'succeeded' AND attempt = 2 FROM josch.nodes WHERE node_id = 11 AND job_date = '$DATE'");
};

subtest 'a service says what its children need before they begin' => sub {
	$node->job('service');
	$node->add(
		[ 21, 'L', 'echo "result port=8123" >>"$JOSCH_REPORT"; touch $WORK/is_up; exec sleep 600', ready_command => 'test -e $WORK/is_up' ],
		[ 22, 'N', 'echo $RESULT_port' ]);
	$node->depend(21 => 22);
	$node->schedule;
	$node->wait_for('succeeded', 22);
	is($node->run_is(22, 'output_tail'), "8123\n", 'it has the port');
	$node->act('stop', 21);
	$node->wait_for('succeeded', 21);
	is(said(21, "results ->> 'port'"), '8123', 'and it is kept');
};

subtest 'SQL: progress is seen before anything is committed' => sub {
	$node->sql('CREATE TABLE gate (n int); CREATE TABLE done (n int)');
	$node->job('sql');
	$node->add(
		[ 31, 'N', undef, exec_sql => q{
			INSERT INTO done VALUES (1);
			SELECT josch.report('progress 0.4 half of it');
			DO $$ BEGIN FOR i IN 1..3000 LOOP EXIT WHEN (pg_stat_file('} . "$work/sql_one" . q{', true)).size IS NOT NULL; PERFORM pg_sleep(0.02); END LOOP;
				BEGIN PERFORM josch.report(E'progress 0.7\nresult rows=7\nnonsense'); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$;
			DO $$ BEGIN FOR i IN 1..3000 LOOP EXIT WHEN (pg_stat_file('} . "$work/sql_two" . q{', true)).size IS NOT NULL; PERFORM pg_sleep(0.02); END LOOP; END $$;
			SELECT josch.report('result rows=8')} ],
		[ 32, 'N', 'echo $RESULT_rows' ],
		[ 33, 'N', undef, exec_sql => q{SELECT josch.report('result why=broken'); SELECT 1 / 0} ],
		[ 34, 'N', undef, exec_sql_atomic => 'f', exec_sql => q{SELECT josch.report('result a=b')} ]);
	$node->depend(31 => 32);
	$node->schedule;
	wait_said(31, "progress = 0.4 AND progress_text = 'half of it' AND state = 'running'");
	is($node->sql('SELECT count(*) FROM done'), '0', 'what it did is not committed');
	go_on('sql_one');
	wait_said(31, 'progress = 0.7');
	go_on('sql_two');
	$node->wait_for('succeeded', 31, 32, 34);
	is(said(31, "progress || ' ' || results::text"), '0.7 {"rows": "8"}', 'results come with the end; a savepoint takes nothing back');
	is($node->run_is(32, 'output_tail'), "8\n", 'and are the children\'s');
	like($node->run_is(31, 'output_tail'), qr/does not understand "nonsense"/, 'what is not understood is a warning');
	$node->wait_for('failed', 33);
	is(said(33, 'results::text'), '{"why": "broken"}', 'what failed has results, too');
	is(said(34, 'results::text'), '{"a": "b"}', 'and what commits statement by statement');
	my ($out, $err);
	$node->psql('postgres', q{SELECT josch.report('progress 0.1')}, stdout => \$out, stderr => \$err);
	like($err, qr/NOTICE:  this is no run of a node/, 'elsewhere it says that nothing is kept');
};

subtest 'whatever is in the file, the run ends as it ends' => sub {
	$node->job('hostile');
	my %commands = (
		41 => 'head -c 300000 /dev/urandom >"$JOSCH_REPORT"',
		42 => 'rm "$JOSCH_REPORT"; mkfifo "$JOSCH_REPORT"',
		43 => 'rm "$JOSCH_REPORT"; ln -s /etc/passwd "$JOSCH_REPORT"',
		44 => 'rm "$JOSCH_REPORT"; mkdir "$JOSCH_REPORT"',
		45 => 'i=0; while [ $i -lt 200 ]; do echo "result n$i=$i"; i=$((i + 1)); done >"$JOSCH_REPORT"',
		46 => q{yes 'progress 0.5 again and again' | head -n 1000000 >"$JOSCH_REPORT"},
		47 => q{printf 'result a=Z\303\274rich\nresult b=\377\376x\001\nprogress 0.5 \033[31mred\007\n' >"$JOSCH_REPORT"},
		48 => q{head -c 3000000 /dev/zero | tr '\0' x >"$JOSCH_REPORT"; printf '\nresult a=1\n' >>"$JOSCH_REPORT"},
		49 => 'rm "$JOSCH_REPORT"; exit 3',
		50 => 'echo "progress 0.9" >"$JOSCH_REPORT"; echo "result a=1" >"$JOSCH_REPORT"; echo "progress 0.3" >"$JOSCH_REPORT"');
	$node->add(map { [ $_, 'N', $commands{$_} ] } sort keys %commands);
	$node->schedule;
	$node->wait_for('succeeded', grep { $_ != 49 } sort keys %commands);
	$node->wait_for('failed', 49);
	is($node->node_is(49, 'message'), 'exit code 3', 'how it ended');
	is(said(45, q{(SELECT count(*) FROM jsonb_object_keys(results)) || ' ' || problems}), '100 100 results too many, which were not kept', 'a hundred results are kept');
	is(said(46, 'progress'), '0.5', 'of a million lines the last that was read counts');
	is(said(47, q{results ->> 'a'}), 'Zürich', 'UTF-8');
	like(said(47, q{results ->> 'b'}), qr/^\?\?x/, 'and what is none');
	unlike(said(47, 'progress_text'), qr/[\x00-\x1f]/, 'what is said is seen as it is');
	is(said(48, q{results::text || ' ' || problems}), '{"a": "1"} 3000000 bytes not read', 'a line without end');
	is(said(50, 'progress'), '0.3', 'a file that is written anew each time: what was there last');
	ok($node->runner_pid, 'the runner lives');
};

subtest 'through the death of runner and server' => sub {
	$node->job('deaths');
	my $command = sub { 'echo "progress 0.5 before" >>"$JOSCH_REPORT"; echo "result before=1" >>"$JOSCH_REPORT"; ' . $wait->($_[0])
		. '; echo "result after=2" >>"$JOSCH_REPORT"' };
	$node->add([ 61, 'N', $command->('server') ], [ 62, 'N', $command->('runner') ]);
	$node->schedule;
	wait_said($_, 'progress = 0.5') foreach 61, 62;
	$node->stop('immediate');
	$node->start;
	wait_said(61, q{progress = 0.5 AND state = 'running'});
	go_on('server');
	$node->wait_for('succeeded', 61);
	is(said(61, 'results::text'), '{"after": "2", "before": "1"}', 'what it said before and after the crash of the server');
	$node->kill_runner;
	go_on('runner');
	$node->wait_for('unknown', 62);
	is(said(62, 'results::text'), '{"after": "2", "before": "1"}', 'and of a run whose exit code the death of the runner has cost');
};

$node->stop;
done_testing();
