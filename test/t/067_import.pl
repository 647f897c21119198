# The jobs of a real pg_cron become jobs of JOSCH: its tables are read as they are, what it takes is taken, what it refuses is refused, and its instants are
# those that cronsim has for the same expressions (test/golden/cron.csv); what switches it off does so.
# needs: pg_cron

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Spec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $node = PostgreSQL::Test::Cluster->new('import');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'postgres'\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_cron;
	CREATE EXTENSION josch;
	CREATE DATABASE elsewhere;
	CREATE ROLE anna LOGIN IN ROLE josch_author;
	GRANT USAGE ON SCHEMA cron TO anna;});

sub query { return $node->safe_psql('postgres', $_[0]); }

# ---- what it takes ----

# every expression that either may take or refuse
my @odd = ('* * * * *', '0 0 30 2 *', '5/10 * * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 13 *', '* * * 0 *', '* * * * 8', '* * * * 7', '5-1 * * * *', '*/0 * * * *',
	'a * * * *', '* * * jan *', '* * * JANUARY *', '* * * * mon-fri', '* * * * sun', '1,2, * * * *', ',1 * * * *', '* * * *', '* * * * * *', '@daily', '@Hourly', '@weekly', '@reboot', '@never', '@yearly', '@annually',
	'@midnight', '@monthly', '*/15,7 * * * *', '1-10/3,40 * * * *', '-1 * * * *', '* * * * *  ', '  * * * * *', "*\t* * * *", '10-20-30 * * * *', '** * * * *', '*5 * * * *', '1 1 1 1 1');
my (%theirs, %ours);
foreach my $expression (@odd)
{
	my ($code) = $node->psql('postgres', "SELECT cron.schedule(\$e\$$expression\$e\$, 'SELECT 1')");
	$theirs{$expression} = $code == 0 ? 'taken' : 'refused';
	# what pg_cron refuses cannot be imported; the line of a crontab can
	my $refused = query("SELECT count(*) FROM josch.import_crontab(\$e\$$expression\$e\$ || E'\\tx', 'x', gen_random_uuid() || ' ') WHERE severity = 'error'");
	$ours{$expression} = $refused ? 'refused' : 'taken';
}
is_deeply([ grep { $theirs{$_} eq 'refused' && $ours{$_} eq 'taken' } @odd ], [], 'what it refuses is refused');
# its parser passes over what it does not read, takes days that never come, and has a start of its own
is_deeply([ grep { $theirs{$_} eq 'taken' && $ours{$_} eq 'refused' } @odd ],
	[ '0 0 30 2 *', '5-1 * * * *', '@reboot', '10-20-30 * * * *', '** * * * *', '*5 * * * *' ], 'and what it takes is taken, but for what cannot be meant');
query('SELECT cron.unschedule(jobid) FROM cron.job');

# ---- what becomes of jobs ----

query(q{SELECT cron.schedule('nightly vacuum', '0 3 * * *', 'VACUUM');
	SELECT cron.schedule('refresh', '*/10 6-20 * * 1-5', 'SELECT 1; SELECT 2');
	SELECT cron.schedule('0 0 1 * *', 'CALL month_end()');
	SELECT cron.schedule('broken', '5 5 * * *', 'SELEC 1');
	SELECT cron.schedule('never', '0 0 30 2 *', 'SELECT 1');
	SELECT cron.schedule('boot', '@reboot', 'SELECT 1');
	SELECT cron.schedule_in_database('there', '1 1 * * *', 'SELECT 1', 'elsewhere');
	SELECT cron.schedule_in_database('off', '1 1 * * *', 'SELECT 1', 'postgres', NULL, false);
	UPDATE cron.job SET nodename = 'other.example.com' WHERE jobname IS NULL;});
$node->safe_psql('postgres', q{SELECT cron.schedule('refresh', '0 12 * * *', 'SELECT 3')}, extra_params => [ '-U', 'anna' ]);
my $told = query(q{SELECT severity, source, message FROM josch.import_pg_cron('staging')});
like($told, qr/^error\|cron\.job \d+\|not carried over: it runs in database "elsewhere": load it there$/m, 'another database');
like($told, qr/^error\|cron\.job \d+\|not carried over: it runs on host "other\.example\.com"$/m, 'another host');
like($told, qr/^error\|cron\.job \d+\|not carried over: its schedule "0 0 30 2 \*": there is no day "30" in month "2"$/m, 'a day that never comes');
like($told, qr/^error\|cron\.job \d+\|not carried over: its schedule "\@reboot": there is no \@reboot/m, 'the start of the server');
like($told, qr/^warning\|cron\.job \d+\|its SQL does not parse: syntax error/m, 'SQL that does not parse');
my $user = query('SELECT session_user');
is(query(q{SELECT job_name, time_zone, calendar_name, schedule_at, paused FROM staging.tpl_jobs ORDER BY job_name COLLATE "C"}), join("\n",
	'broken|GMT||05:05|', 'nightly vacuum|GMT||03:00|', 'off|GMT||01:01|true', sort("refresh ($user)|GMT|cron days * * 1-5|06:00|", 'refresh (anna)|GMT||12:00|')), 'the jobs');
is(query(q{SELECT job_name, exec_sql, exec_sql_atomic, start_time, repeat_every, repeat_until FROM staging.tpl_nodes WHERE job_name !~ 'anna' ORDER BY job_name COLLATE "C"}), join("\n",
	'broken|SELEC 1||||', 'nightly vacuum|VACUUM|false|||', 'off|SELECT 1||||', "refresh ($user)|SELECT 1; SELECT 2||06:00|00:10|20:50"), 'their nodes');
is(query(q{SELECT owner FROM staging.tpl_nodes WHERE job_name = 'refresh (anna)'}), 'anna', 'run as whose they are');
is(query(q{SELECT count(*) FROM cron.job WHERE active}), 8, 'nothing of theirs is changed');
is(query(q{SELECT object FROM josch.validate('staging'::regnamespace) WHERE severity = 'error'}) =~ s/node \d+/node N/r, 'node N "run" of job "broken"', 'validate tells of the SQL, too');
query(q{DELETE FROM staging.tpl_nodes WHERE job_name = 'broken'; DELETE FROM staging.tpl_jobs WHERE job_name = 'broken'});
is(query(q{SELECT inserted FROM josch.load_schema('staging'::regnamespace) WHERE table_name = 'tpl_jobs'}), 4, 'they load');
my ($sql) = $told =~ /^note\|cron\.job\|when it is loaded, switch the old ones off: (UPDATE .*;)$/m;
query($sql);
is(query(q{SELECT string_agg(coalesce(jobname, 'month'), ',' ORDER BY jobname, jobid) FROM cron.job WHERE active}), 'boot,never,there,month', 'what switches them off leaves those that stay');
is($node->safe_psql('postgres', q{SELECT count(*) FROM josch.import_pg_cron('annas', 'a ') WHERE severity = 'error'}, extra_params => [ '-U', 'anna' ]), '0', 'no superuser: what is his or her own')
  if query(q{GRANT CREATE ON DATABASE postgres TO anna; GRANT SELECT ON cron.job TO anna; SELECT 1});
is(query(q{SELECT string_agg(job_name, ',') FROM annas.tpl_jobs}), 'a refresh', 'and no more');

# ---- a thousand instants of each expression ----

query(q{DELETE FROM josch.tpl_nodes; DELETE FROM josch.tpl_jobs; DELETE FROM josch.calendar_parts; DELETE FROM josch.calendars; SELECT cron.unschedule(jobid) FROM cron.job;
	CREATE TABLE golden (expression text, zone text, start bigint, last bigint, digest text);});
query("COPY golden FROM '$top/test/golden/cron.csv' (FORMAT csv, HEADER)");
is(query(q{SELECT count(cron.schedule(expression, expression, 'SELECT 1')) > 100 FROM golden WHERE zone = 'UTC'}), 't', 'they are scheduled');
is(query(q{SELECT count(*) FROM josch.import_pg_cron('golden_jobs') WHERE severity <> 'note'}), 0, 'all of them are carried over');
query(q{SELECT josch.load_schema('golden_jobs'::regnamespace)});
is(query(q{
	SELECT g.expression FROM golden g LEFT JOIN LATERAL (
		SELECT md5(string_agg(x.at::text, ' ' ORDER BY x.at)) AS digest FROM (
			SELECT DISTINCT extract(epoch FROM i.instant)::bigint AS at
			FROM josch.tpl_jobs j JOIN josch.tpl_nodes n USING (job_name)
				CROSS JOIN LATERAL josch.job_dates(j.calendar_name, (to_timestamp(g.start) AT TIME ZONE 'UTC')::date, (to_timestamp(g.last) AT TIME ZONE 'UTC')::date) AS d (day)
				CROSS JOIN LATERAL generate_series(josch.instant(d.day, coalesce(n.start_time, j.schedule_at), j.time_zone),
					josch.instant(d.day, coalesce(n.repeat_until, n.start_time, j.schedule_at), j.time_zone), coalesce(n.repeat_every, interval '1 day')) AS i (instant)
			WHERE j.job_name = g.expression ORDER BY 1 LIMIT 1000) x) d ON true
	WHERE g.zone = 'UTC' AND d.digest IS DISTINCT FROM g.digest}), '', 'and due at the same thousand instants');

$node->stop;
done_testing();
