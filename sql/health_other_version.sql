-- josch.health() has an answer for every part when the tables are not those that the library knows.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set ON_ERROR_ROLLBACK on
BEGIN;
ALTER TABLE josch.installation RENAME COLUMN files TO other_files;
SELECT component, up, detail FROM josch.health() WHERE component IN ('armed', 'launcher', 'preload');
SELECT * FROM josch.armed();
ALTER EXTENSION josch DROP TABLE josch.installation;
DROP TABLE josch.installation CASCADE;
SELECT component, up, detail FROM josch.health() WHERE component = 'armed';
SELECT * FROM josch.armed();
-- nor need it have any table at all
ALTER TABLE josch.nodes RENAME TO other_nodes;
SELECT count(*) > 6 AS all_parts, count(*) FILTER (WHERE detail LIKE 'It cannot be told: table josch.nodes does not exist. %') > 0 AS said
	FROM josch.health();
ROLLBACK;
SELECT component, up, detail FROM josch.health() WHERE component = 'armed';
