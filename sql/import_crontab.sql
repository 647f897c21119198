-- josch.import_crontab: lines of a crontab become jobs; and they are due when cronsim says that cron's are (test/golden/cron.py).
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\pset format unaligned
\pset null (none)
\set ON_ERROR_ROLLBACK on
\getenv abs_srcdir PG_ABS_SRCDIR
BEGIN;
SET LOCAL josch.now = '2026-03-01 00:00 UTC';
DELETE FROM josch.tpl_nodes;
DELETE FROM josch.tpl_jobs;
DELETE FROM josch.calendars;
DELETE FROM josch.environs;
\set crontab '# a comment\nSHELL=/bin/bash\nMAILTO = root\nPATH=/usr/local/bin:/usr/bin\n"QUOTED" = \'  blanks  \'\n\n30 6 * * 1-5  /opt/bin/backup.sh --full\n*/15 8-18 * * 1-5 poll\n0 8,12,16 * * *  three times a day\n@daily nightly\n@reboot never\n0 0 30 2 * never\n0 0 30 2 1 every Monday of February\n61 * * * * never\n0 0 * * * 7 too many\n0 0 * *\n5/10 * * * * never\n0 0 * * 1\n10 10 1 * 5 mail -s "50\\\\% of it" x%Dear x,%half of it is there.\n  CRON_TZ=Europe/Zurich\n0 2 1,15 jan,Jul * half-yearly\nPATH=/bin\n0 0 * * sun-tue,4 /\n'
SELECT * FROM josch.import_crontab(:'crontab', '"cron stage"', 'old ', false, 'UTC');
SELECT * FROM "cron stage".environs ORDER BY 1;
SELECT * FROM "cron stage".calendars ORDER BY 1;
SELECT * FROM "cron stage".calendar_parts ORDER BY 1;
SELECT * FROM "cron stage".tpl_jobs ORDER BY 1;
SELECT job_name, node_name, exec_command, start_time, repeat_every, repeat_until FROM "cron stage".tpl_nodes ORDER BY 1, 2;
SELECT severity, object, message FROM josch.validate('"cron stage"'::text) WHERE message !~ 'not found on this host';
-- a second time nothing comes in twice
SELECT count(*) FILTER (WHERE message ~ 'there is a job') FROM josch.import_crontab(:'crontab', '"cron stage"', 'old ', false, 'UTC');
SELECT * FROM josch.load_schema('"cron stage"'::text);
-- the user's column
SELECT * FROM josch.import_crontab(E'0 1 * * * www-data cmd arg\r\n@hourly root\n', '"cron.d"', '', true);
SELECT job_name, job_desc, time_zone, exec_command FROM "cron.d".tpl_jobs JOIN "cron.d".tpl_nodes USING (job_name);
SELECT * FROM josch.import_crontab('', 'josch');
SELECT * FROM josch.import_crontab('', 'a.b');
SELECT * FROM josch.import_crontab(NULL, 'x');
SELECT * FROM josch.import_pg_cron('x');
SELECT * FROM josch.import_pgagent('x');
SELECT * FROM josch.import_pg_timetable('x');
DELETE FROM josch.tpl_nodes;
DELETE FROM josch.tpl_jobs;
DELETE FROM josch.calendar_parts;
DELETE FROM josch.calendars;

-- a thousand instants of each
CREATE TEMP TABLE golden (expression text, zone text, start bigint, last bigint, digest text, line int GENERATED ALWAYS AS IDENTITY);
\set from :abs_srcdir '/test/golden/cron.csv'
COPY golden (expression, zone, start, last, digest) FROM :'from' (FORMAT csv, HEADER);
SELECT count(*) FROM golden;
SELECT * FROM josch.import_crontab((SELECT string_agg(format(E'CRON_TZ=%s\n%s true', zone, expression), E'\n' ORDER BY line) FROM golden), 'golden') WHERE severity <> 'note';
SELECT table_name, inserted > 0 AS some FROM josch.load_schema('golden'::text);
CREATE TEMP VIEW due AS
SELECT g.line, i.instant
FROM golden g JOIN josch.tpl_jobs j ON j.job_name = format('line %s: true', 2 * g.line) JOIN josch.tpl_nodes n ON n.job_name = j.job_name
	CROSS JOIN LATERAL josch.job_dates(j.calendar_name, (to_timestamp(g.start) AT TIME ZONE g.zone)::date, (to_timestamp(g.last) AT TIME ZONE g.zone)::date) AS d (day)
	CROSS JOIN LATERAL generate_series(josch.instant(d.day, coalesce(n.start_time, j.schedule_at), j.time_zone),
		josch.instant(d.day, coalesce(n.repeat_until, n.start_time, j.schedule_at), j.time_zone), coalesce(n.repeat_every, interval '1 day')) AS i (instant);
SELECT g.expression, g.zone, d.n, to_timestamp(d.last) AT TIME ZONE g.zone AS last, to_timestamp(g.last) AT TIME ZONE g.zone AS expected
FROM golden g LEFT JOIN LATERAL (
	SELECT count(*) AS n, max(x.at) AS last, md5(string_agg(x.at::text, ' ' ORDER BY x.at)) AS digest
	FROM (SELECT DISTINCT extract(epoch FROM instant)::bigint AS at FROM due WHERE due.line = g.line ORDER BY 1 LIMIT 1000) x) d ON true
WHERE d.digest IS DISTINCT FROM g.digest ORDER BY g.line;
SELECT count(*) AS nodes, count(repeat_every) AS repeated FROM josch.tpl_nodes;
ROLLBACK;
