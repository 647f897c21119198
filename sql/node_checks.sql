-- What the engine changes satisfies people's CHECKs as what they change themselves: those that the change may break are asked.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
SET josch.now = '2026-03-02 08:00+00';
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES ('Checks', 'UTC');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) SELECT i, 'N', 'Checks', 'node ' || i FROM generate_series(1, 5) i;
SELECT nodes FROM josch.schedule('2026-03-02', 'Checks');
-- says that it was asked, and of whom
CREATE FUNCTION public.seen(what text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'asked: %', what; RETURN true; END $$;
ALTER TABLE josch.nodes ADD CONSTRAINT by_name CHECK (public.seen(node_name || ', by its name'));
ALTER TABLE josch.nodes ADD CONSTRAINT by_state CHECK (node_id <> 2 OR state <> 'succeeded');
ALTER TABLE josch.nodes ADD CONSTRAINT by_row CHECK (to_jsonb(nodes) ->> 'node_name' <> 'node 3' OR to_jsonb(nodes) ->> 'state' <> 'succeeded');
-- not true of the row that is there: no change makes it good
ALTER TABLE josch.nodes ADD CONSTRAINT by_name_later CHECK (node_name <> 'node 4') NOT VALID;
-- names do not change: the first is asked only by what fails, which is written by a statement
SELECT * FROM josch.tick('2026-03-02 09:00+00');
SELECT node_id, state, split_part(message, ': ', 1) AS message FROM josch.nodes WHERE job_date = '2026-03-02' ORDER BY 1;
DROP EXTENSION josch;
DROP FUNCTION public.seen(text);
