-- A trigger of somebody's that swallows the engine's changes: the node fails and says so, instead of being taken up for ever; where it
-- swallows that, too, the node is left alone for a while, and the others go on.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
BEGIN;
SET LOCAL josch.now = '2026-03-02 08:00:00+00';
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES
	('2026-03-02', 1, 'N', 'J', 'milestone'), ('2026-03-02', 2, 'S', 'J', 'sign'), ('2026-03-02', 3, 'N', 'J', 'other'),
	('2026-03-02', 4, 'N', 'J', 'hopeless'), ('2026-03-02', 5, 'N', 'J', 'after it');
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (4, '2026-03-02', 5, '2026-03-02');
CREATE FUNCTION pg_temp.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER a_swallow BEFORE UPDATE ON josch.nodes FOR EACH ROW
	WHEN (NEW.node_id < 3 AND NEW.state IN ('succeeded', 'signoff') OR NEW.node_id = 4) EXECUTE FUNCTION pg_temp.swallow();
SELECT josch.tick('2026-03-02 08:00:01+00') > 0 AS changed;
SELECT node_id, state, message FROM josch.nodes ORDER BY node_id;
SELECT josch.retry(1, '2026-03-02') = 'ready' AS again;
-- what is left alone is tried again when a moment has passed, not before; then the moment is longer
CREATE TEMP VIEW shown AS SELECT string_agg(state, ' ' ORDER BY node_id) AS states FROM josch.nodes;
SELECT changed.at, josch.tick(('2026-03-02 08:00:' || changed.at || '+00')::timestamptz) > 0 AS changed FROM (VALUES ('01.9'), ('02')) changed (at);
DROP TRIGGER a_swallow ON josch.nodes;
SELECT josch.retry(1, '2026-03-02') = 'ready' AS again;
SELECT josch.tick('2026-03-02 08:00:03.9+00') > 0 AS changed;
SELECT * FROM shown;
SELECT josch.tick('2026-03-02 08:00:04+00') > 0 AS changed;
SELECT * FROM shown;
-- an error that passes by itself fails nobody
CREATE FUNCTION pg_temp.deadlock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'again' USING ERRCODE = TG_ARGV[0];
END $$;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES ('2026-03-02', 6, 'N', 'J', 'meets a deadlock'),
	('2026-03-02', 7, 'N', 'J', 'has no memory'), ('2026-03-02', 8, 'N', 'J', 'has an error'), ('2026-03-02', 9, 'N', 'J', 'has none');
CREATE TRIGGER a_deadlock BEFORE UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.node_id = 6 AND NEW.state = 'succeeded') EXECUTE FUNCTION pg_temp.deadlock('40P01');
CREATE TRIGGER a_memory BEFORE UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.node_id = 7 AND NEW.state = 'succeeded') EXECUTE FUNCTION pg_temp.deadlock('53200');
CREATE TRIGGER a_error BEFORE UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.node_id = 8 AND NEW.state = 'succeeded') EXECUTE FUNCTION pg_temp.deadlock('22012');
SELECT josch.tick('2026-03-02 08:00:05+00') > 0 AS changed;
SELECT node_id, state, message FROM josch.nodes WHERE node_id > 5 ORDER BY node_id;
-- what it says is cut between two characters
CREATE FUNCTION pg_temp.talk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '%', repeat('x', NEW.node_id::int - 10) || repeat(U&'\20ac', 3000);
END $$;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) SELECT '2026-03-02', n, 'N', 'J', 'talks ' || n FROM generate_series(10, 12) n;
CREATE TRIGGER a_talk BEFORE UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.node_id >= 10 AND NEW.state = 'succeeded') EXECUTE FUNCTION pg_temp.talk();
SELECT josch.tick('2026-03-02 08:00:06+00') > 0 AS changed;
SELECT node_id, state, octet_length(message) < 4100 AS short, convert_from(convert_to(message, 'UTF8'), 'UTF8') = message AS whole,
	right(message, 23) AS end FROM josch.nodes WHERE node_id >= 10 ORDER BY node_id;
ROLLBACK;
