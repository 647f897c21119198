/* josch.schedule(): a day is a copy of the templates, made once, independent of later edits. */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET josch.now = '2026-11-20 12:00+00';
\set ON_ERROR_ROLLBACK on
BEGIN;

-- nothing to make a day of
SELECT * FROM josch.schedule('2026-11-20');

INSERT INTO josch.environs VALUES ('PYTHON', '/usr/bin/python3'), ('EMPTY', '');
INSERT INTO josch.tpl_jobs (job_name, job_desc, time_zone) VALUES
	('Eod', 'Eod Jobs', NULL), ('Sod', 'Sod Jobs', 'Europe/Zurich'), ('SodServer', 'Sod Server Jobs', 'Asia/Tokyo');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, signoff_time) VALUES
	(900000, 'S', 'Eod', 'Eod_Signoff', NULL, '15:30'),
	(100000, 'S', 'Sod', 'Sod_Signoff', NULL, '06:30'),
	(100100, 'L', 'SodServer', 'SodServer_RtPrice', '$PYTHON rt_price_server.py --date $DATE', NULL),
	(100110, 'L', 'SodServer', 'SodServer_EodPrice', '$PYTHON eod_price_server.py --date $DATE', NULL),
	(100120, 'N', 'SodServer', 'SodServer_ProdFeature', '$PYTHON prod_feature.py --date $DATE', NULL),
	(100130, 'R', 'SodServer', 'SodServer_CheckStatus', '$PYTHON check_status.py --date $DATE', NULL);
UPDATE josch.tpl_nodes SET ready_command = '/bin/true', ready_after = '2 s', timeout = '1 hour', stop_grace = '5 s',
	work_dir = '/tmp' WHERE node_id = 100100;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, exec_sql_atomic) VALUES
	(100140, 'N', 'SodServer', 'SodServer_Vacuum', 'VACUUM', false);
INSERT INTO josch.tpl_node_deps VALUES
	(900000, -1, 100000, 0), (900000, -1, 100100, 0), (100000, 0, 100100, 0), (100000, 0, 100110, 0),
	(100110, 0, 100120, 0), (100120, 0, 100130, 0);
-- the same dependency of a day, said in another way
INSERT INTO josch.tpl_node_deps VALUES (100110, 1, 100120, 1);

SELECT * FROM josch.schedule('2026-11-20');
SELECT job_name, job_date, job_desc, time_zone = coalesce(nullif(current_setting('josch.time_zone'), ''),
	current_setting('log_timezone')) AS default_zone, environ, scheduled_at, scheduled_by = session_user AS by_me
FROM josch.jobs ORDER BY job_name;
SELECT job_name, time_zone FROM josch.jobs WHERE job_name LIKE 'Sod%' ORDER BY 1;
-- every column that a template has
SELECT count(*) AS nodes, count(*) FILTER (WHERE to_jsonb(n) @> to_jsonb(t)) AS equal
FROM josch.nodes n JOIN josch.tpl_nodes t USING (node_id);
-- the zone of Eod is the server's
SELECT node_id, state, unmet, level, CASE WHEN job_name <> 'Eod' THEN due_at END AS due_at, state_since, change_id IS NOT NULL AS numbered, attempt, action
FROM josch.nodes ORDER BY node_id;
SELECT * FROM josch.node_deps ORDER BY c_node_id, p_node_id;
-- all of it is on record
SELECT (SELECT count(*) FROM josch.jobs j WHERE NOT EXISTS (SELECT FROM josch.jobs_audit a WHERE a.operation = 'INSERT' AND (a.job_name, a.job_date) = (j.job_name, j.job_date))) AS jobs,
	(SELECT count(*) FROM josch.nodes n WHERE NOT EXISTS (SELECT FROM josch.nodes_audit a WHERE a.operation = 'INSERT' AND (a.node_id, a.job_date) = (n.node_id, n.job_date))) AS nodes,
	(SELECT count(*) FROM josch.node_deps d WHERE NOT EXISTS (SELECT FROM josch.node_deps_audit a WHERE a.operation = 'INSERT'
		AND (a.p_node_id, a.p_date, a.c_node_id, a.c_date) = (d.p_node_id, d.p_date, d.c_node_id, d.c_date))) AS dependencies;

-- idempotent
SELECT * FROM josch.schedule('2026-11-20');
SELECT * FROM josch.schedule('2026-11-20', 'Sod');
SELECT count(*) FROM josch.nodes;

-- later edits of the templates change nothing of it
CREATE TEMP TABLE before AS
SELECT (SELECT jsonb_agg(to_jsonb(j) ORDER BY job_name) FROM josch.jobs j) AS jobs,
	(SELECT jsonb_agg(to_jsonb(n) ORDER BY node_id) FROM josch.nodes n) AS nodes,
	(SELECT jsonb_agg(to_jsonb(d) ORDER BY p_node_id, c_node_id) FROM josch.node_deps d) AS deps;
UPDATE josch.environs SET value = '/usr/bin/python4' WHERE var = 'PYTHON';
UPDATE josch.tpl_jobs SET job_desc = 'x', time_zone = 'UTC';
UPDATE josch.tpl_nodes SET node_name = 'x' || node_id, timeout = '1 s';
UPDATE josch.tpl_nodes SET signoff_time = '01:00' WHERE node_type = 'S';
DELETE FROM josch.tpl_node_deps WHERE p_node_id = 100000;
DELETE FROM josch.tpl_nodes WHERE node_id = 100130;
SELECT (SELECT jsonb_agg(to_jsonb(j) ORDER BY job_name) FROM josch.jobs j) = jobs AS jobs,
	(SELECT jsonb_agg(to_jsonb(n) ORDER BY node_id) FROM josch.nodes n) = nodes AS nodes,
	(SELECT jsonb_agg(to_jsonb(d) ORDER BY p_node_id, c_node_id) FROM josch.node_deps d) = deps AS deps
FROM before;
-- the next day is of the new version
SELECT * FROM josch.schedule('2026-11-21');
SELECT node_name, timeout, due_at, unmet FROM josch.nodes WHERE job_date = '2026-11-21' ORDER BY node_id;
SELECT DISTINCT environ FROM josch.jobs WHERE job_date = '2026-11-21';
SELECT count(*) FROM josch.nodes WHERE job_date = '2026-11-20' AND timeout = '1 s';

-- one more job of a day is linked to what is there
INSERT INTO josch.tpl_jobs (job_name) VALUES ('Report');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES
	(200000, 'N', 'Report', 'Report_Start'), (200010, 'N', 'Report', 'Report_End');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (100120, 200000), (200000, 200010);
SELECT * FROM josch.schedule('2026-11-21');
SELECT node_id, state, unmet, level FROM josch.nodes WHERE job_name = 'Report' ORDER BY node_id;
SELECT level AS level_of_its_parent FROM josch.nodes WHERE node_id = 100120 AND job_date = '2026-11-21';
-- and one job of a day by itself
SELECT * FROM josch.schedule('2026-11-22', 'Report');

-- a trigger of somebody's that leaves a node out leaves no dependency without its child
CREATE FUNCTION public.leave_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.node_id <> 200010 THEN NEW END; END $$;
CREATE TRIGGER leave_out BEFORE INSERT ON josch.nodes FOR EACH ROW EXECUTE FUNCTION public.leave_out();
SELECT * FROM josch.schedule('2026-11-23', 'Report');
DROP TRIGGER leave_out ON josch.nodes;
SELECT * FROM josch.schedule('2026-11-23', 'Report');

-- no date: today in each job's own zone
UPDATE josch.tpl_jobs SET time_zone = z FROM (VALUES ('Eod', 'Pacific/Honolulu'), ('Sod', 'UTC'), ('SodServer', 'Pacific/Kiritimati')) v (j, z)
WHERE job_name = j;
SET josch.now = '2027-01-02 00:30+00';
SELECT job_name, job_date FROM josch.schedule(NULL) WHERE job_name <> 'Report';
SELECT job_name, job_date FROM josch.schedule(job_name => 'Sod');

-- refused
SELECT * FROM josch.schedule('2026-11-21', 'Nope');
SELECT * FROM josch.schedule('infinity');
SELECT * FROM josch.schedule('-infinity', 'Sod');
SELECT count(*) FROM josch.jobs WHERE job_date > '2027-01-03';
ROLLBACK;
