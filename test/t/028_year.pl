# test/t/028_year.pl
#
# A year of three jobs on three calendars in three zones runs through under a moved
# clock, the server down now and then: every day is accounted for, and what became of
# each is what test/golden/year.py says, which shares no line with JOSCH.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "log_statement = none\nsynchronous_commit = off");
$node->start;
my $file = PostgreSQL::Test::Utils::tempdir . '/year.csv';
command_ok([ 'sh', '-c', "/usr/bin/python3 -B test/golden/year.py >'$file'" ], 'Python is asked');

$node->safe_psql('postgres', q{
	CREATE EXTENSION josch;
	SET josch.now = '2026-01-01 00:00:20+00';
	INSERT INTO josch.calendars (calendar_name) VALUES ('Bank');
	INSERT INTO josch.holidays SELECT 'Bank', d::date FROM unnest(ARRAY['2026-01-01', '2026-04-03', '2026-04-06', '2026-05-01', '2026-12-25', '2026-12-26']) d;
	INSERT INTO josch.calendars (calendar_name, weekdays) VALUES ('Shifted', '{1,2,3,4}');
	INSERT INTO josch.holidays (calendar_name, holiday, open) VALUES ('Shifted', '2026-02-14', true), ('Shifted', '2026-09-20', true);
	INSERT INTO josch.calendars (calendar_name, weekdays, of_calendar, rule) VALUES ('Month end', '{1,2,3,4,5,6,7}', 'Bank', 'FREQ=MONTHLY;BYSETPOS=-1');
	INSERT INTO josch.tpl_jobs (job_name, time_zone, calendar_name, schedule_at, catch_up) VALUES ('Close', 'Europe/Zurich', 'Bank', '26:30', 'all'),
		('Open', 'America/New_York', 'Shifted', '6:00', 'latest'), ('Month', 'Australia/Lord_Howe', 'Month end', '-2:00', 'none');
	UPDATE josch.tpl_jobs SET valid_from = (josch.now() AT TIME ZONE time_zone)::date;
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'N', 'Close', 'a'), (2, 'N', 'Open', 'a'), (3, 'N', 'Month', 'a');
	INSERT INTO josch.tpl_node_deps VALUES (1, -1, 1, 0), (2, -1, 2, 0), (3, -1, 3, 0), (1, -1, 2, 0);
	CREATE TABLE said (job_name text, job_date date, due bigint, outcome text);
	CREATE PROCEDURE live_a_year() LANGUAGE plpgsql AS $$
	DECLARE
		at timestamptz;
	BEGIN
		FOR at IN SELECT m FROM generate_series(timestamptz '2026-01-01 00:00:20+00', '2027-01-01 00:00:20+00', '30 minutes') m
			WHERE NOT (m >= '2026-02-27 20:00+00' AND m < '2026-03-02 07:00+00' OR m >= '2026-03-28 12:00+00' AND m < '2026-03-29 12:00+00'
				OR m >= '2026-07-03 00:00+00' AND m < '2026-07-17 12:00+00' OR m >= '2026-10-24 12:00+00' AND m < '2026-10-25 12:00+00') LOOP
			PERFORM josch.tick(at);
			COMMIT;
		END LOOP;
	END $$;
	CALL live_a_year();});
$node->safe_psql('postgres', "COPY said FROM '$file' (FORMAT csv)");

is($node->safe_psql('postgres', q{SELECT string_agg(format('%s %s', job_name, n), ', ' ORDER BY job_name)
	FROM (SELECT job_name, count(*) > CASE job_name WHEN 'Month' THEN 10 ELSE 200 END AS n FROM said GROUP BY 1) x}), 'Close t, Month t, Open t', 'a year of each');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT outcome) FROM said}), '3', 'made, late, missed');
is($node->safe_psql('postgres', q{SELECT * FROM (SELECT job_name, job_date, due, outcome FROM said) s
	FULL JOIN (SELECT job_name, job_date, extract(epoch FROM due_at)::bigint AS due, outcome FROM josch.job_days) d USING (job_name, job_date)
	WHERE s.due IS DISTINCT FROM d.due OR s.outcome IS DISTINCT FROM d.outcome ORDER BY job_name, job_date LIMIT 9}), '', 'every day is as Python says, and no other is there');
is($node->safe_psql('postgres', q{SELECT count(*) FROM josch.job_days d FULL JOIN josch.jobs j USING (job_name, job_date)
	WHERE (d.outcome IN ('made', 'late')) IS DISTINCT FROM (j.job_date IS NOT NULL)}), '0', 'what was made is there, and nothing else');
is($node->safe_psql('postgres', q{SELECT job_name, job_date, state, unmet FROM josch.nodes WHERE state <> 'succeeded' ORDER BY 2 LIMIT 5}), '', 'all of it ran: nobody waits for a day that never comes');
$node->stop;
done_testing();
