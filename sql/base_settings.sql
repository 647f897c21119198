-- The settings: who may change each of them and when, what they are by default, and which values are refused.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SELECT josch.now() IS NOT NULL AS loaded;
\pset format unaligned
\pset footer off
SELECT name, context, vartype AS type, boot_val AS "default", unit, min_val AS least, max_val AS most
FROM pg_settings WHERE name LIKE 'josch.%' ORDER BY name COLLATE "C";
-- what is refused, and taken back should it have been taken
ALTER SYSTEM SET josch.time_zone = 'Mars/Olympus';
ALTER SYSTEM SET josch.work_directory = 'below/somewhere';
ALTER SYSTEM SET josch.max_running = 0;
ALTER SYSTEM SET josch.max_sql_workers = 65;
-- versions of PostgreSQL say the following in other words
\set VERBOSITY sqlstate
ALTER SYSTEM SET josch.safety_interval = 0;
\set VERBOSITY default
ALTER SYSTEM RESET josch.time_zone;
ALTER SYSTEM RESET josch.work_directory;
ALTER SYSTEM RESET josch.max_running;
ALTER SYSTEM RESET josch.max_sql_workers;
ALTER SYSTEM RESET josch.safety_interval;
SET josch.now = 'infinity';
SET josch.now = 'tomorrow evening';
SET josch.nonsense = 1;
SELECT josch.tick('infinity');
-- where the logs lie is not everybody's business, nor is the clock
CREATE ROLE regress_settings;
SET ROLE regress_settings;
\set VERBOSITY sqlstate
SHOW josch.spool_directory;
\set VERBOSITY default
SET josch.now = '2026-03-02 08:00+00';
SHOW josch.max_running;
RESET ROLE;
DROP ROLE regress_settings;
