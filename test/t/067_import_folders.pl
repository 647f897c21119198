# test/t/067_import_folders.pl
#
# scripts/import-jil, scripts/import-airflow and josch.import_crontab(): files that use what public ones use (test/elsewhere) become templates that
# load without an error, what was left out is said, and a day of each runs to its end.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Spec;
use IPC::Run qw(run);
use JoschNode qw($DATE);
use PostgreSQL::Test::Utils qw(append_to_file);
use Test::More;

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $node = JoschNode->create('folders');
my $in = "$node->{work}/in";
make_path($in);
$node->sql("INSERT INTO josch.environs VALUES ('IN', '$in'), ('REGION', 'eu'); CREATE TABLE stored (n int)");

# import(program, file, first id): what it says; its folder is then loaded
sub import_file
{
	my ($program, $file, $first) = @_;
	my $folder = "$node->{work}/$program";
	run [ 'python3', '-B', "$top/scripts/$program", '--first-id', $first, "$top/test/elsewhere/$file", $folder ], '>', \my $told, '2>', \my $error;
	is($? >> 8, 1, "$program: what will be missed is told by the exit code");
	is($error, '', 'and nothing fails');
	is($node->sql("SELECT string_agg(object || ': ' || message, E'\\n') FROM josch.validate_csv('$folder') WHERE severity = 'error'"), '', 'what it writes is valid');
	$node->sql("SELECT * FROM josch.load_csv('$folder')");
	return $told;
}

sub lines
{
	my @lines = sort split /\n/, $node->file('log');
	unlink "$node->{work}/log";
	return join ', ', @lines;
}

sub states
{
	return $node->sql("SELECT string_agg(node_name || ' ' || state, ', ' ORDER BY node_id) FROM josch.nodes WHERE job_date = '$DATE' AND job_name = '$_[0]'");
}

sub run_day
{
	my ($open, @jobs) = @_;
	$node->sql("SELECT josch.schedule('$DATE', '$_')") foreach @jobs;
	my $jobs = join ', ', map { "'$_'" } @jobs;
	return $node->wait_until("@jobs", "SELECT count(*) = $open FROM josch.nodes WHERE job_date = '$DATE' AND job_name IN ($jobs) AND state NOT IN ('succeeded', 'omitted')");
}

subtest 'JIL' => sub {
	my $told = import_file('import-jil', 'night.jil', 101);
	foreach my $line ('error: job AFTER: v(FLAG)= "on" is not carried over: no dependency asks for a value', 'error: job AFTER: s(ELSEWHERE) is not carried over: the job is in none of these files',
		'warning: job AFTER: auto_hold is not read', 'warning: job AFTER: n(POLL): a node has one run at a time; of two use a semaphore',
		'note: job MEND: the end of the box NIGHT does not wait for it: it runs when something has failed')
	{
		like($told, qr/^\Q$line\E$/m, $line);
	}
	like($told, qr/^note: AutoSys: when it is loaded, switch the old ones off: sendevent -E JOB_ON_ICE -J NIGHT; /m, 'what switches it off');
	is($node->sql(q{SELECT string_agg(concat_ws(' ', job_name, time_zone, calendar_name, schedule_at), '; ' ORDER BY job_name) FROM josch.tpl_jobs WHERE job_name <> 'test'}),
		'AFTER; NIGHT Europe/Zurich days 1,2,3,4,5 22:00:00; POLL POLL days 08:00:00; TELL', 'jobs');
	is($node->sql(q{SELECT start_time, repeat_every, repeat_until FROM josch.tpl_nodes WHERE node_name = 'POLL'}), '08:00:00|00:15:00|18:00:00', 'start_mins');
	is($node->sql(q{SELECT retries, timeout FROM josch.tpl_nodes WHERE node_name = 'EXTRACT'}), '2|00:30:00', 'n_retrys, term_run_time');
	is($node->sql(q{SELECT d.p_date - d.c_date FROM josch.tpl_node_deps d JOIN josch.tpl_nodes n ON n.node_id = d.c_node_id WHERE n.node_name = 'AFTER'}), '-1', 'a look-back');
	is($node->sql('SELECT semaphore_name, capacity, units FROM josch.semaphores JOIN josch.tpl_node_semaphores USING (semaphore_name)'), 'db|2|1', 'a resource');
	open my $file, '>', "$in/quotes.csv" or die $!;
	close $file;
	run_day(0, 'NIGHT', 'TELL');
	is(states('NIGHT'), join(', ', map { "$_ succeeded" } qw(EXTRACT ARRIVES LOAD_A LOAD_B REPORT)) . ', MEND omitted, ' . join(', ', map { "$_ succeeded" } 'NIGHT begins', 'NIGHT', 'LOADS begins', 'LOADS') . ', MEND waits 1 omitted', 'a night');
	is(states('TELL'), 'TELL succeeded, TELL waits 1 succeeded', 'and who waits for it');
	is(lines(), 'extract of eu, load_a, load_b, report, tell', 'each has run once');
};

subtest 'Airflow' => sub {
	my $told = import_file('import-airflow', 'shop.dag', 201);
	like($told, qr/^error: shop\.dag:\d+: task "count": what a \@task does is not carried over: its command fails until it is written$/m, 'a function of Python');
	like($told, qr/^warning: pool db: how many slots it has stands in Airflow/m, 'a pool');
	like($told, qr/^note: Airflow: when it is loaded, switch the old ones off: airflow dags pause shop; airflow dags pause figures$/m, 'what switches it off');
	is($node->sql(q{SELECT string_agg(concat_ws(' ', job_name, calendar_name, schedule_at, valid_from, catch_up, max_running), '; ' ORDER BY job_name) FROM josch.tpl_jobs WHERE job_name IN ('shop', 'figures')}),
		'figures 00:00:00 2024-01-01 all; shop cron days * * 1-5 06:30:00 2024-01-01 latest 4', 'jobs');
	is($node->sql(q{SELECT string_agg(retries || ' ' || retry_delay, ', ' ORDER BY node_id) FROM josch.tpl_nodes WHERE node_name IN ('extract.from_eu', 'count')}), '2 00:05:00, 3 00:01:00', 'default_args and their own');
	run_day(1, 'shop');
	is(states('shop'), 'start succeeded, arrives succeeded, extract.from_eu succeeded, extract.from_us succeeded, store succeeded, check failed, mend succeeded, clean succeeded', 'a day of rules');
	is(lines(), "check, clean, from_eu $DATE, from_us $DATE, mend", 'each has run once');
	is($node->sql('SELECT count(*) FROM stored'), 1, 'SQL, too');
	$node->sql(q{UPDATE josch.tpl_nodes SET exec_command = 'echo ' || node_name || ' >> $WORK/log' WHERE job_name = 'figures' AND exec_command IS NOT NULL});
	run_day(0, 'figures');
	is(states('figures'), 'wait succeeded, count succeeded, publish succeeded', 'functions, when their commands are written, behind a task of another DAG');
	is(lines(), 'count, publish', 'in their order');
};

# What cannot be read is named, with its line, and nothing is written; what is not understood within it is told.
subtest 'wrong files' => sub {
	my $folder = "$node->{work}/wrong";
	my $imports = sub {
		my ($program, $text) = @_;
		my $file = "$in/wrong";
		unlink $file;
		append_to_file($file, $text) if defined $text;
		run [ 'python3', '-B', "$top/scripts/$program", $file, $folder ], '>', \my $told, '2>', \my $error;
		return ($? >> 8, $told . $error =~ s/\Q$file\E/FILE/gr);
	};
	is_deeply([ $imports->($_) ], [ 2, "error: FILE: No such file or directory\n" ], "$_: no file") foreach 'import-jil', 'import-airflow';
	is_deeply([ $imports->($_, "a\xff") ], [ 2, "error: FILE: it is not in UTF-8: byte 2\n" ], "$_: no text") foreach 'import-jil', 'import-airflow';
	is_deeply([ $imports->('import-airflow', "x = 1\ndef (:\n") ], [ 2, "error: FILE:2: invalid syntax\n" ], 'no program');
	ok(!-e $folder, 'nothing is written');
	my ($code, $told) = $imports->('import-jil', "insert_job: A\njob_type: BOX\nbox_name: B\n\ninsert_job: B\njob_type: BOX\nbox_name: A\n\ninsert_job: C\ncommand: true\nstart_mins: x\nsuccess_codes: some\n");
	is($code, 1, 'what is not carried over is told by the exit code');
	like($told, qr/^error: job $_: /m, "and in words: $_") foreach 'A: the box B is in the job itself', 'C: start_mins x are not minutes', 'C: success codes some are not understood';
	($code, $told) = $imports->('import-airflow', "from airflow import DAG\nx = timedelta(days=10**30)\nwith DAG('d', schedule='0 3 * * never') as d:\n    BashOperator(task_id='t', bash_command='true')\n");
	like($told, qr/^error: DAG d: its schedule 0 3 \* \* never is not understood/m, 'a schedule that Airflow would refuse');
};

subtest 'crontab' => sub {
	my $told = $node->sql("SELECT severity || ': ' || source || ': ' || message FROM josch.import_crontab(pg_read_file('$top/test/elsewhere/night.crontab'), 'theirs', 'cron ')");
	like($told, qr/^error: line 11: not carried over: there is no \@reboot/m, 'what is not carried over');
	like($told, qr/^note: crontab: when it is loaded, switch the old one off: put # before the lines 5, 6, 7, 8, 9, 10 /m, 'what switches it off');
	is($node->sql(q{SELECT string_agg(concat_ws(' ', schedule_at, time_zone, calendar_name), '; ' ORDER BY job_name COLLATE "C") FROM theirs.tpl_jobs}),
		'22:00 Europe/Zurich; 06:30 Europe/Zurich cron cron days * * 1-5; 08:00 Europe/Zurich; 08:00 Europe/Zurich cron cron days * * MON; '
		. '00:00 Europe/Zurich cron cron days 1 * *; 23:15 Europe/Zurich', 'jobs');
	# the days of today are not to come between
	$node->sql("UPDATE theirs.tpl_jobs SET schedule_at = NULL; SELECT * FROM josch.load_schema('theirs'::regnamespace)");
	my @jobs = split /\n/, $node->sql('SELECT job_name FROM theirs.tpl_jobs');
	run_day(0, @jobs);
	is(lines(), 'a shell, given by cron, month, open eu, poll, twice, twice', 'each has run');
};

$node->stop;
done_testing();
