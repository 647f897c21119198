-- josch.health() has an answer where josch is not preloaded, and says what to do; only those who may look get it.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
-- (how full this machine is, is its own business)
SELECT component, up OR component = 'spool' AS up, pid, since,
		CASE component WHEN 'version' THEN replace(detail, (SELECT default_version FROM pg_available_extensions WHERE name = 'josch'), 'CURRENT')
			WHEN 'spool' THEN (detail ~ '^\d+ MB of \d+ MB are left in its file system')::text ELSE detail END AS detail
	FROM josch.health();
-- an extension that is older than its library says so
BEGIN;
UPDATE pg_catalog.pg_extension SET extversion = '0.1' WHERE extname = 'josch';
SELECT up, replace(detail, (SELECT default_version FROM pg_available_extensions WHERE name = 'josch'), 'CURRENT') AS detail
	FROM josch.health() WHERE component = 'version';
ROLLBACK;
BEGIN;
CREATE ROLE josch_nobody;
CREATE ROLE josch_looker IN ROLE josch_viewer;
SET LOCAL ROLE josch_looker;
SELECT count(*) FROM josch.health();
SET LOCAL ROLE josch_nobody;
SELECT count(*) FROM josch.health();
ROLLBACK;
-- what needs a launcher says so
SELECT josch.wake();
