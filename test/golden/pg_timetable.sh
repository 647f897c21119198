#!/bin/bash
# test/golden/pg_timetable.sh DIRECTORY >pg_timetable.csv
#
# Prints when expressions of pg_timetable are due, by its own SQL: DIRECTORY is internal/pgengine/sql of its sources (cron.sql), psql reaches
# a database in which schema timetable may be made and dropped. A line for each expression: the first instant looked at, the last of the
# thousand that are due from it on (or of those before 2045), how many they are, and the MD5 of all, in seconds since 1970, joined by spaces; in UTC.
# The function that its scheduler starts chains by takes a moment and says whether one is due: it is asked for each date and for each minute of a day,
# which takes minutes.
set -euo pipefail
{
    cat <<'SQL'
SET timezone = 'UTC';
SET client_min_messages = error;
CREATE SCHEMA timetable;
SQL
    cat "$1/cron.sql" - <<'SQL'
CREATE FUNCTION timetable.f(low int, high int) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE a int := low + floor(random() * (high - low + 1)); b int := low + floor(random() * (high - low + 1));
BEGIN
    CASE floor(random() * 6)
        WHEN 0 THEN RETURN '*';
        WHEN 1 THEN RETURN '*/' || 2 + floor(random() * (high - 2));
        WHEN 2 THEN RETURN least(a, b) || '-' || greatest(a, b);
        WHEN 3 THEN RETURN a || '/' || 1 + floor(random() * 5);
        WHEN 4 THEN RETURN a || ',' || b;
        ELSE RETURN a;
    END CASE;
END $$;
CREATE TABLE timetable.asked (expression text, n int GENERATED ALWAYS AS IDENTITY);
INSERT INTO timetable.asked (expression) VALUES ('* * * * *'), ('*/15 * * * *'), ('7 * * * *'), ('0 0 * * *'), ('30 6 * * 1-5'), ('0 0 1 * *'), ('0 0 1,15 * 5'), ('0 0 */2 * 1'), ('0 12 * * 7'),
    ('0 12 * * 0'), ('15,45 8-18 * * 1-5'), ('5/10 3 * * *'), ('0 0 31 * *'), ('0 0 29 2 *'), ('0 9 20/3 * *'), ('0 8,12,16 * * *'), ('0 4 8-14 * 3'), ('0 0 13 * 5'), ('59 23 31 12 *'), ('*/7 1/5 * 2/3 *'),
    ('0 6 * * 5/1'), ('0 6 1-7 * 1,6'), ('*/59 5 * * 3'), ('0 22 * * 0,6'), ('23 */2 * * *');
DO 'BEGIN PERFORM setseed(0.7); END';
INSERT INTO timetable.asked (expression) SELECT concat_ws(' ', timetable.f(0, 59), timetable.f(0, 23), timetable.f(1, 28), timetable.f(1, 12), timetable.f(0, 7)) FROM generate_series(1, 60);
SELECT 'expression,start,last,n,digest';
WITH dates AS MATERIALIZED (
    SELECT a.n, d.day FROM timetable.asked a, generate_series(timestamptz '2026-03-01', '2044-12-31', '1 day') AS d (day)
    WHERE timetable.is_cron_in_time(regexp_replace(a.expression, '^\S+ \S+', '* *')::timetable.cron, d.day)
), minutes AS MATERIALIZED (
    SELECT a.n, m.minute * interval '1 minute' AS minute FROM timetable.asked a, generate_series(0, 1439) AS m (minute)
    WHERE timetable.is_cron_in_time(regexp_replace(a.expression, '\S+ \S+ \S+$', '* * *')::timetable.cron, timestamptz '2026-03-01' + m.minute * interval '1 minute')
)
SELECT format('"%s",%s,%s,%s,%s', a.expression, extract(epoch FROM timestamptz '2026-03-01')::bigint, max(i.at), count(*), md5(string_agg(i.at::text, ' ' ORDER BY i.at)))
FROM timetable.asked a CROSS JOIN LATERAL (
    SELECT extract(epoch FROM d.day + m.minute)::bigint AS at
    FROM (SELECT day FROM dates WHERE n = a.n ORDER BY day LIMIT 1000) AS d, (SELECT minute FROM minutes WHERE n = a.n) AS m
    ORDER BY 1 LIMIT 1000) i
GROUP BY a.n, a.expression ORDER BY a.n;
DROP SCHEMA timetable CASCADE;
SQL
} | psql -XqAt -v ON_ERROR_STOP=1
