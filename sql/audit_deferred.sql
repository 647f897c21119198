-- A pass writes what it has to record at its end, many statements' rows as one; who reads the record finds no difference.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY terse
SET josch.now = '2026-11-20 09:00:00+00';
INSERT INTO josch.tpl_jobs (job_name, loaded_on) VALUES ('Chain', '2026-01-01');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) SELECT n, 'N', 'Chain', 'node ' || n FROM generate_series(1, 700) n;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT n, n + 1 FROM generate_series(1, 699) n;

CREATE SEQUENCE public.statements;
CREATE FUNCTION public.count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM nextval('public.statements');
	RETURN NULL;
END $$;

-- each node became ready, then succeeded, after its parent; with the comment, and in the transaction of the pass
SELECT count(*) FROM josch.schedule('2026-11-20', 'Chain');
CREATE TRIGGER count AFTER INSERT ON josch.nodes_audit FOR EACH STATEMENT EXECUTE FUNCTION public.count();
SET josch.comment = 'by hand';
SELECT josch.tick('2026-11-20 09:00:00+00');
RESET josch.comment;
DROP TRIGGER count ON josch.nodes_audit;
-- in one go when there are a thousand, and the rest at the end
SELECT last_value AS statements FROM public.statements;
CREATE VIEW public.moves AS SELECT audit_id, xid, job_date, node_id, comment, new_values ->> 'state' AS state, (new_values ->> 'change_id')::bigint AS change_id
	FROM josch.nodes_audit WHERE operation = 'UPDATE' AND new_values ? 'state';
SELECT state, count(*), count(DISTINCT node_id) AS nodes, count(DISTINCT xid) AS transactions, min(comment) AS comment, count(comment) AS comments FROM public.moves GROUP BY 1 ORDER BY 1;
SELECT count(*) AS out_of_order FROM (SELECT node_id, state, change_id, lag(node_id) OVER w AS before, lag(change_id) OVER w AS change_before FROM public.moves WINDOW w AS (ORDER BY audit_id)) m
	WHERE node_id < before OR change_id <= change_before OR (node_id = before) <> (state = 'succeeded') AND before IS NOT NULL;
SELECT count(*) AS not_in_the_commit FROM public.moves m JOIN josch.audit_commits c USING (xid) WHERE m.audit_id <= c.first_audit_id OR m.audit_id > c.last_audit_id;
SELECT count(*) AS differ FROM (SELECT to_jsonb(b) FROM josch.board_at('2026-11-20', 'infinity') b EXCEPT SELECT to_jsonb(b) FROM josch.board b WHERE job_date = '2026-11-20') x;

-- what a trigger undoes by itself leaves nothing; what it does, and what one on the record does, is there
CREATE FUNCTION public.undo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		INSERT INTO josch.environs VALUES ('UNDONE_' || NEW.node_id, 'x');
		RAISE EXCEPTION 'undone';
	EXCEPTION WHEN raise_exception THEN
		INSERT INTO josch.environs VALUES ('DONE_' || NEW.node_id, 'x');
	END;
	RETURN NULL;
END $$;
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE josch.tpl_jobs SET job_desc = 'noted';
	RETURN NULL;
END $$;
CREATE TRIGGER undo AFTER UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.state = 'succeeded' AND NEW.node_id <= 2) EXECUTE FUNCTION public.undo();
CREATE TRIGGER note AFTER INSERT ON josch.nodes_audit FOR EACH ROW WHEN (NEW.node_id = 700 AND NEW.new_values ->> 'state' = 'succeeded') EXECUTE FUNCTION public.note();
SELECT count(*) FROM josch.schedule('2026-11-21', 'Chain');
SELECT josch.tick('2026-11-21 09:00:00+00');
DROP TRIGGER undo ON josch.nodes;
DROP TRIGGER note ON josch.nodes_audit;
SELECT operation, var FROM josch.environs_audit ORDER BY 2;
SELECT new_values FROM josch.tpl_jobs_audit WHERE operation = 'UPDATE';
SELECT state, count(*) FROM public.moves WHERE job_date = '2026-11-21' GROUP BY 1 ORDER BY 1;

-- a pass that a node keeps from its short way is recorded once
CREATE FUNCTION public.stumble() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'not this one';
END $$;
CREATE TRIGGER stumble AFTER UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.state = 'succeeded' AND NEW.node_id = 4) EXECUTE FUNCTION public.stumble();
SELECT count(*) FROM josch.schedule('2026-11-22', 'Chain');
SELECT josch.tick('2026-11-22 09:00:00+00');
DROP TRIGGER stumble ON josch.nodes;
SELECT node_id, state FROM public.moves WHERE job_date = '2026-11-22' ORDER BY audit_id;
-- nor does one that keeps it from being recorded leave the record open
CREATE TRIGGER stumble AFTER INSERT ON josch.nodes_audit FOR EACH ROW WHEN (NEW.node_id = 1 AND NEW.operation = 'UPDATE') EXECUTE FUNCTION public.stumble();
SELECT count(*) FROM josch.schedule('2026-11-23', 'Chain');
SELECT josch.tick('2026-11-23 09:00:00+00');
DROP TRIGGER stumble ON josch.nodes_audit;
SELECT node_id, state FROM public.moves WHERE job_date = '2026-11-23' ORDER BY audit_id;
INSERT INTO josch.environs_audit DEFAULT VALUES;
BEGIN;
SAVEPOINT later;
INSERT INTO josch.environs VALUES ('LATER', 'x');
COMMIT;
SELECT operation, var FROM josch.environs_audit WHERE var = 'LATER';

DROP EXTENSION josch CASCADE;
DROP FUNCTION public.count(), public.undo(), public.note(), public.stumble();
DROP SEQUENCE public.statements;
