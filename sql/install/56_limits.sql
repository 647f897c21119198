/* Limits, as people see and use them. */

CREATE FUNCTION josch.pause(job_name text DEFAULT NULL, job_date date DEFAULT NULL, semaphore_name text DEFAULT NULL, comment text DEFAULT NULL) RETURNS void
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_pause';
COMMENT ON FUNCTION josch.pause(text, date, text, text) IS
'Pauses a job (all its days), one day of it, a semaphore (nobody takes units of it), or without any of these the database: no command and no SQL of it starts. What runs goes on; sign-offs are asked for, milestones pass. To keep days from making themselves is another matter (tpl_jobs.paused). On record with the comment (josch.pauses_audit), told by josch.health() and josch.why(), in force until josch.resume(). Raises no_data_found for a job, day or semaphore that does not exist, object_not_in_prerequisite_state when it is paused already.';

CREATE FUNCTION josch.resume(job_name text DEFAULT NULL, job_date date DEFAULT NULL, semaphore_name text DEFAULT NULL, comment text DEFAULT NULL) RETURNS void
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_resume';
COMMENT ON FUNCTION josch.resume(text, date, text, text) IS
'Lets what was paused by josch.pause() with the same arguments go on. A day stays paused while its job is. Raises object_not_in_prerequisite_state when it is not paused.';

REVOKE ALL ON FUNCTION josch.pause(text, date, text, text), josch.resume(text, date, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.pause(text, date, text, text), josch.resume(text, date, text, text) TO josch_operator;

CREATE VIEW josch.semaphore_use AS
SELECT s.semaphore_name, s.semaphore_desc, s.capacity, p.name IS NOT NULL AS paused, coalesce(u.used, 0) AS used,
	greatest(s.capacity - coalesce(u.used, 0), 0) AS free, coalesce(w.waiting, 0) AS waiting, w.oldest_wait,
	coalesce(u.holders, '[]') AS holders
FROM josch.semaphores s
LEFT JOIN josch.pauses p ON p.what = 'semaphore' AND p.name = s.semaphore_name AND p.resumed_at IS NULL
LEFT JOIN (SELECT h.limit_name, sum(h.units) AS used, jsonb_agg(jsonb_build_object('job_date', h.job_date, 'node_id', h.node_id,
		'job_name', h.job_name, 'node_name', n.node_name, 'state', n.state, 'units', h.units, 'since', h.taken_at) ORDER BY h.taken_at, h.job_date, h.node_id) AS holders
	FROM josch.units_in_use h LEFT JOIN josch.nodes n ON n.job_date = h.job_date AND n.node_id = h.node_id
	WHERE h.limit_kind = 's' GROUP BY h.limit_name) u ON u.limit_name = s.semaphore_name
LEFT JOIN (SELECT r.semaphore_name, count(*) AS waiting, min(l.due_at) AS oldest_wait
	FROM josch.waiting l JOIN josch.node_semaphores r ON r.job_date = l.job_date AND r.node_id = l.node_id
	WHERE l.waits_for = 'l' GROUP BY r.semaphore_name) w ON w.semaphore_name = s.semaphore_name;
COMMENT ON VIEW josch.semaphore_use IS
'The semaphores, how much of each is taken, by whom, and who waits. Who waits is listed by josch.node_semaphores and josch.waiting (waits_for l, in the order of due_at); for what exactly, josch.why() says.';
COMMENT ON COLUMN josch.semaphore_use.semaphore_name IS 'The semaphore';
COMMENT ON COLUMN josch.semaphore_use.semaphore_desc IS 'What it stands for';
COMMENT ON COLUMN josch.semaphore_use.capacity IS 'How many units there are; 0: it is closed';
COMMENT ON COLUMN josch.semaphore_use.paused IS 'True: nobody takes units of it (josch.pause)';
COMMENT ON COLUMN josch.semaphore_use.used IS 'Units that are taken; more than the capacity, where that was made less meanwhile';
COMMENT ON COLUMN josch.semaphore_use.free IS 'Units that are left';
COMMENT ON COLUMN josch.semaphore_use.waiting IS 'Nodes that need some, have no parents and no time to wait for, and have not started';
COMMENT ON COLUMN josch.semaphore_use.oldest_wait IS 'Since when the first of these waits; NULL: nobody does';
COMMENT ON COLUMN josch.semaphore_use.holders IS 'Who has them, the longest first: an array of objects with job_date, node_id, job_name, node_name, state, units, since';

GRANT SELECT ON josch.semaphore_use TO josch_viewer;
