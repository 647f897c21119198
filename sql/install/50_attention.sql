/* What waits for people. */

CREATE VIEW josch.attention AS
SELECT n.job_date, n.node_id, n.job_name, n.node_name, n.node_type, n.state, n.state_since AS since,
	'josch_operator'::name AS waits_for,
	(SELECT array_agg(DISTINCT f.action ORDER BY f.action) FROM josch.fsm_edges() f
	 WHERE f.who = 'person' AND f.from_state = n.state AND strpos(f.node_types, n.node_type) > 0) AS acts,
	(SELECT count(*) FROM josch.node_deps d
	 JOIN josch.nodes c ON c.node_id = d.c_node_id AND c.job_date = d.c_date
	 WHERE d.p_node_id = n.node_id AND d.p_date = n.job_date AND c.state = 'pending'
		AND josch.parent_is(n.state, d.condition) = 'waits') AS blocks,
	n.message, n.run_id, n.change_id, c.claimed_by, c.claimed_at, c.claimed_until, c.comment AS claim_comment
FROM josch.waiting w
JOIN josch.nodes n ON n.job_date = w.job_date AND n.node_id = w.node_id
LEFT JOIN josch.claims c ON c.node_id = n.node_id AND c.job_date = n.job_date AND c.change_id = n.change_id
	AND c.claimed_until > josch.now()
WHERE w.waits_for = 'p';
COMMENT ON VIEW josch.attention IS
'The nodes that wait for a person: to sign off, to judge, to repair, to find out. Order it by since.';
COMMENT ON COLUMN josch.attention.job_date IS 'The business date';
COMMENT ON COLUMN josch.attention.node_id IS 'Number of the node';
COMMENT ON COLUMN josch.attention.job_name IS 'The job that it belongs to';
COMMENT ON COLUMN josch.attention.node_name IS 'Its name';
COMMENT ON COLUMN josch.attention.node_type IS 'S sign-off, L long-running, N normal, R review, E the end of its job';
COMMENT ON COLUMN josch.attention.state IS 'signoff, review, failed or unknown';
COMMENT ON COLUMN josch.attention.since IS 'Since when it waits';
COMMENT ON COLUMN josch.attention.waits_for IS 'The role whose members may act on it';
COMMENT ON COLUMN josch.attention.acts IS 'What they may do: names of functions in schema josch';
COMMENT ON COLUMN josch.attention.blocks IS 'Number of nodes that wait for it and have not started';
COMMENT ON COLUMN josch.attention.message IS 'Why it is in that state: the exit code, the signal, the error';
COMMENT ON COLUMN josch.attention.run_id IS 'Its latest run; josch.log(run_id) shows the output';
COMMENT ON COLUMN josch.attention.change_id IS 'Number of its last change of state, the id of the notification';
COMMENT ON COLUMN josch.attention.claimed_by IS 'Who looks at it (josch.claim); NULL for nobody';
COMMENT ON COLUMN josch.attention.claimed_at IS 'Since when';
COMMENT ON COLUMN josch.attention.claimed_until IS 'Until when at the latest';
COMMENT ON COLUMN josch.attention.claim_comment IS 'What that person wrote';

GRANT SELECT ON josch.attention TO josch_viewer;
