# test/t/067_import_pg_timetable.pl
#
# The chains of pg_timetable become jobs of JOSCH.  It is no package: its tables are made here, with the columns that its version 6 has
# (those that it makes for itself are in its sources, internal/pgengine/sql); when its expressions are due its own SQL has said
# (test/golden/pg_timetable.sh).  What is loaded does what its tasks did.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Spec;
use JoschNode qw($DATE);
use Test::More;

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $node = JoschNode->create('pg_timetable');
$node->sql(q{
	CREATE ROLE anna LOGIN;
	CREATE SCHEMA timetable;
	CREATE TABLE timetable.chain (chain_id bigserial PRIMARY KEY, chain_name text NOT NULL UNIQUE, run_at text, max_instances int, timeout int DEFAULT 0,
		live boolean DEFAULT false, self_destruct boolean DEFAULT false, exclusive_execution boolean DEFAULT false, client_name text, on_error text);
	CREATE TYPE timetable.command_kind AS ENUM ('SQL', 'PROGRAM', 'BUILTIN');
	CREATE TABLE timetable.task (task_id bigserial PRIMARY KEY, chain_id bigint REFERENCES timetable.chain ON DELETE CASCADE, task_order double precision NOT NULL,
		task_name text, kind timetable.command_kind NOT NULL DEFAULT 'SQL', command text NOT NULL, run_as text, database_connection text,
		ignore_error boolean NOT NULL DEFAULT false, autonomous boolean NOT NULL DEFAULT false, timeout int DEFAULT 0, live boolean NOT NULL DEFAULT true);
	CREATE TABLE timetable.parameter (task_id bigint REFERENCES timetable.task ON DELETE CASCADE, order_id int, value jsonb, PRIMARY KEY (task_id, order_id));
	CREATE TABLE done (n int GENERATED ALWAYS AS IDENTITY, what text);
	GRANT ALL ON done TO anna;});

sub row
{
	my ($table, $key, %has) = @_;
	my @columns = sort keys %has;
	return $node->sql("INSERT INTO timetable.$table (" . join(', ', @columns) . ') VALUES (' . join(', ', map { defined $has{$_} ? "\$x\$$has{$_}\$x\$" : 'NULL' } @columns) . ") RETURNING $key");
}

# chain(name, {chain's columns}, {task's columns, parameters => [ json, ... ]}, ...)
my %chain;

sub chain
{
	my ($name, $how, @tasks) = @_;
	my $id = $chain{$name} = row('chain', 'chain_id', chain_name => $name, live => 't', run_at => '0 3 * * *', %$how);
	my $order = 0;
	foreach my $task (@tasks)
	{
		my $parameters = delete $task->{parameters};
		my $task_id = row('task', 'task_id', chain_id => $id, task_order => $order += 10, %$task);
		my $n = 0;
		row('parameter', 'order_id', task_id => $task_id, order_id => ++$n, value => $_) foreach @{ $parameters // [] };
	}
	return $id;
}

# ---- a thousand instants of each ----

$node->sql('CREATE TABLE golden (expression text, start bigint, last bigint, n int, digest text)');
$node->sql("COPY golden FROM '$top/test/golden/pg_timetable.csv' (FORMAT csv, HEADER)");
$node->sql(q{
	INSERT INTO timetable.chain (chain_name, run_at, live) SELECT expression, expression, true FROM golden;
	INSERT INTO timetable.task (chain_id, task_order, command) SELECT chain_id, 1, 'SELECT 1' FROM timetable.chain});
is($node->sql(q{SELECT string_agg(message, E'\n') FROM josch.import_pg_timetable('golden') WHERE severity <> 'note'}), '', 'all of them are carried over');
$node->sql(q{SELECT josch.load_schema('golden'::regnamespace)});
is($node->sql(q{
	SELECT string_agg(g.expression || coalesce(': ' || d.n, ''), E'\n') FROM golden g LEFT JOIN LATERAL (
		SELECT count(*) AS n, md5(string_agg(x.at::text, ' ' ORDER BY x.at)) AS digest FROM (
			SELECT extract(epoch FROM i.instant)::bigint AS at
			FROM josch.tpl_jobs j JOIN josch.tpl_nodes n USING (job_name)
				CROSS JOIN LATERAL josch.job_dates(j.calendar_name, to_timestamp(g.start)::date, to_timestamp(g.last)::date) AS d (day)
				CROSS JOIN LATERAL generate_series(josch.instant(d.day, coalesce(n.start_time, j.schedule_at), j.time_zone),
					josch.instant(d.day, coalesce(n.repeat_until, n.start_time, j.schedule_at), j.time_zone), coalesce(n.repeat_every, interval '1 day')) AS i (instant)
			WHERE j.job_name = g.expression ORDER BY 1 LIMIT 1000) x) d ON true
	WHERE d.digest IS DISTINCT FROM g.digest}), '', 'and due at the same instants, and once at each');
cmp_ok($node->sql('SELECT count(*) FILTER (WHERE n = 1000) FROM golden'), '>', 40, 'a thousand of most');
$node->sql(q{DELETE FROM josch.tpl_nodes; DELETE FROM josch.tpl_jobs; DELETE FROM josch.calendars; DROP SCHEMA golden CASCADE; TRUNCATE timetable.chain CASCADE});

# ---- what becomes of chains ----

chain('one transaction', { on_error => q{INSERT INTO done (what) VALUES ('on error')}, max_instances => 1 },
	{ task_name => 'insert', command => q{INSERT INTO done (what) VALUES ('a') -- first} },
	{ task_name => 'try', command => q{INSERT INTO done (what) VALUES ('b'); SELECT 1 / 0}, ignore_error => 't' },
	{ task_name => 'with values', command => 'INSERT INTO done (what) VALUES ($1 || $2::int)', parameters => [ q{["it's ", 1]}, '["c", 2]' ] });
chain('all kinds', { timeout => 60000, client_name => 'worker1' },
	{ command => q{INSERT INTO done (what) VALUES (current_user)}, run_as => 'anna' },
	{ command => 'printf', kind => 'PROGRAM', parameters => [ q{["%s\\n", "it's $HOME"]}, '["two"]' ], timeout => 5000 },
	{ command => 'false', kind => 'PROGRAM', ignore_error => 't' },
	{ command => 'no such', kind => 'PROGRAM', live => 'f' },
	{ command => 'Sleep', kind => 'BUILTIN', parameters => ['0'] },
	{ command => 'Log', kind => 'BUILTIN', parameters => ['"to be read"'] },
	{ command => 'NoOp', kind => 'BUILTIN' },
	{ command => 'VACUUM done', autonomous => 't' },
	{ command => q{INSERT INTO done (what) VALUES ('end')} });
chain('fails', { on_error => q{INSERT INTO done (what) VALUES ('on error')} },
	{ task_name => 'insert', command => q{INSERT INTO done (what) VALUES ('x')} }, { task_name => 'fail', command => 'SELECT 1 / 0' });
chain('exclusive', { exclusive_execution => 't', run_at => undef }, { command => 'SELECT 1' });
chain('each ten', { run_at => '@every 10 minutes', live => 'f' }, { command => 'SELECT 1' }, { command => 'true', kind => 'PROGRAM' });
chain('after', { run_at => '@after 7 hours' }, { command => 'SELECT 1' });
chain('never', { run_at => '@reboot' }, { command => 'SELECT 1' });
chain('long', { run_at => '@every 2 days' }, { command => 'SELECT 1' });
chain('once', { self_destruct => 't' }, { command => 'SELECT 1', timeout => 100 });
chain('mails', {}, { command => 'SendMail', kind => 'BUILTIN', parameters => ['{"to": "anna"}'] });
chain('there', {}, { command => 'SELECT 1', database_connection => 'host=db2' });
chain('nothing', {});
my $told = $node->sql(q{SELECT severity, source, message FROM josch.import_pg_timetable('staging', 'old ')});

sub told
{
	my ($severity, $name, $message, $what) = @_;
	return like($told, qr/^$severity\|timetable\.chain $chain{$name}\|$message/m, $what);
}
told('warning', 'all kinds', 'its SQL was one transaction, and is 2', 'a transaction that is split');
told('warning', 'all kinds', 'its time-out of 60000 ms is not carried over', 'a limit of all');
told('note', 'all kinds', 'only the client "worker1" ran it', 'a client');
told('note', 'all kinds', 'task "task 40" is not live: it is left out', 'a task that is not live');
told('note', 'each ten', '"@every 10 minutes" counts from midnight here', 'an interval');
told('warning', 'after', '"@after 7 hours" counts from start to start here', 'an interval after the end');
told('error', 'never', 'not carried over: "@reboot": there is no @reboot', 'the start of the server');
told('error', 'long', 'not carried over: "@every 2 days" is no part of a day', 'an interval of days');
told('warning', 'once', q{it would have deleted itself when done: it is paused, to be run by hand: SELECT \* FROM josch\.schedule\(DATE, 'old once'\)}, 'once');
told('error', 'mails', 'not carried over: task "task 10" is the built-in SendMail', 'what we do not have');
told('error', 'there', 'not carried over: task "task 10" connects to another database', 'another database');
told('error', 'nothing', 'not carried over: it has no task that is live', 'nothing to be done');
unlike($told, qr/\|timetable\.chain $chain{'one transaction'}\|/, 'one that needs no word');
is($node->sql(q{SELECT job_name, time_zone, schedule_at, paused, max_running FROM staging.tpl_jobs ORDER BY job_name COLLATE "C"}), join("\n",
	'old after|UTC|00:00||', 'old all kinds|UTC|03:00||', 'old each ten|UTC|00:00|true|', 'old exclusive|UTC|00:00||', 'old fails|UTC|03:00||', 'old once|UTC|03:00|true|', 'old one transaction|UTC|03:00||1'), 'the jobs');
is($node->sql(q{SELECT count(*), min(start_time), max(start_time) FROM staging.tpl_nodes WHERE job_name = 'old each ten'}), '288|00:00|23:50', 'a chain is written out for each time');
is($node->sql(q{SELECT start_time, repeat_every, repeat_until FROM staging.tpl_nodes WHERE job_name IN ('old after', 'old exclusive') ORDER BY job_name}), "00:00|07:00|21:00\n00:00|00:01|23:59", 'one node repeats');
is($node->sql(q{SELECT string_agg(DISTINCT job_name || ' ' || units, ', ' ORDER BY job_name || ' ' || units) FROM staging.tpl_node_semaphores JOIN staging.tpl_nodes USING (node_id)}),
	'old after 1, old all kinds 1, old each ten 1, old exclusive 1000, old fails 1, old once 1, old one transaction 1', 'an exclusive one takes what all others share');
is($node->sql(q{SELECT timeout FROM staging.tpl_nodes WHERE job_name = 'old once'}), '100 ms', 'a limit');
is($node->sql(q{SELECT string_agg(message, E'\n') FROM josch.validate('staging'::regnamespace) WHERE severity = 'error'}), '', 'they are valid');
$node->sql(q{SELECT josch.load_schema('staging'::regnamespace)});
my ($sql) = $told =~ /^note\|timetable\.chain\|when it is loaded, switch the old ones off: (UPDATE .*;)$/m;
$node->sql($sql);
is($node->sql('SELECT string_agg(chain_name, $$,$$ ORDER BY chain_name) FROM timetable.chain WHERE live'), 'long,mails,never,nothing,there', 'what switches them off leaves those that stay');

# ---- a day of them ----

$node->sql("UPDATE josch.tpl_jobs SET schedule_at = NULL, valid_from = '$DATE'; SELECT josch.schedule('$DATE', j) FROM unnest(ARRAY['old one transaction', 'old all kinds']) j");
my $states = sub { return $node->sql("SELECT string_agg(node_name || ' ' || state, ', ' ORDER BY node_id) FROM josch.nodes WHERE job_date = '$DATE' AND job_name = 'old $_[0]'"); };
my $ended = sub { return $node->wait_until("$_[0] has ended", "SELECT count(*) = 0 FROM josch.nodes WHERE job_date = '$DATE' AND job_name = 'old $_[0]' AND state NOT IN ('succeeded', 'abandoned', 'omitted')"); };
$ended->('one transaction');
is($states->('one transaction'), 'insert, try, with values succeeded, on error omitted', 'SQL that stands together is one node');
is($node->sql(q{SELECT string_agg(what, '|' ORDER BY n) FROM done WHERE what NOT IN ('anna', 'end')}), "a|it's 1|c2", 'what may fail leaves nothing; parameters');
$ended->('all kinds');
is($states->('all kinds'), 'task 10 succeeded, task 20 succeeded, task 30 succeeded, task 50 succeeded, task 60 succeeded, task 70 succeeded, task 80 succeeded, task 90 succeeded', 'all kinds');
is($node->sql(q{SELECT string_agg(what, '|' ORDER BY n) FROM done WHERE what IN ('anna', 'end')}), 'anna|end', 'as whom, and to the end');
is($node->sql("SELECT josch.log(run_id) FROM josch.nodes WHERE node_name = 'task 20'"), "it's \$HOME\ntwo", 'programs get their words as they are');
is($node->sql("SELECT josch.log(run_id) FROM josch.nodes WHERE node_name = 'task 60'"), "to be read\n", 'a log');
$node->sql("TRUNCATE done; SELECT josch.schedule('$DATE', 'old fails')");
$node->wait_until('what is done on an error', "SELECT state = 'succeeded' FROM josch.nodes WHERE job_name = 'old fails' AND node_name = 'on error'");
is($states->('fails'), 'insert, fail failed, on error succeeded', 'is done beside the node that failed');
is($node->sql(q{SELECT string_agg(what, '|' ORDER BY n) FROM done}), 'on error', 'of which nothing is left');

$node->stop;
done_testing();
