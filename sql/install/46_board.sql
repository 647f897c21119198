/* The board: what a person looks at, as it is now; josch.board_at() has it as it was. */

CREATE VIEW josch.board AS
SELECT job_date, node_id, job_name, node_name, node_type, state, state_since, due_at, forced, run_id, attempt,
	started_at, ended_at, message, action, acted_by, acted_at, comment, change_id,
	not_before, retries, retried
FROM josch.nodes;
COMMENT ON VIEW josch.board IS
'The nodes of all dates with their states, in no order. josch.board_at(job_date, at) returns the same columns for a moment of the past.';
COMMENT ON COLUMN josch.board.job_date IS 'The business date';
COMMENT ON COLUMN josch.board.node_id IS 'Number of the node, the same on every day';
COMMENT ON COLUMN josch.board.job_name IS 'The job that it belongs to';
COMMENT ON COLUMN josch.board.node_name IS 'Its name, for people';
COMMENT ON COLUMN josch.board.node_type IS 'S sign-off, L long-running, N normal, R review';
COMMENT ON COLUMN josch.board.state IS 'One of josch.fsm''s states';
COMMENT ON COLUMN josch.board.state_since IS 'When it came into that state';
COMMENT ON COLUMN josch.board.due_at IS 'Not before this moment; NULL: no such limit';
COMMENT ON COLUMN josch.board.forced IS 'True when a person started it without its parents or before its time';
COMMENT ON COLUMN josch.board.run_id IS 'Its latest run (josch.runs)';
COMMENT ON COLUMN josch.board.attempt IS 'Number of its runs so far';
COMMENT ON COLUMN josch.board.started_at IS 'Start of the latest run';
COMMENT ON COLUMN josch.board.ended_at IS 'End of the latest run';
COMMENT ON COLUMN josch.board.message IS 'Why it is in its state, in words';
COMMENT ON COLUMN josch.board.action IS 'The last act of a person on it; NULL when nobody has acted';
COMMENT ON COLUMN josch.board.acted_by IS 'Session user who acted last';
COMMENT ON COLUMN josch.board.acted_at IS 'When that was';
COMMENT ON COLUMN josch.board.comment IS 'What that person wrote';
COMMENT ON COLUMN josch.board.change_id IS 'Number of its last change of state; greater is later';
COMMENT ON COLUMN josch.board.not_before IS 'When its next attempt begins, of one that has failed and is tried again by itself; NULL: none waits';
COMMENT ON COLUMN josch.board.retries IS 'How often it is tried again by itself';
COMMENT ON COLUMN josch.board.retried IS 'How many of these are used up';

GRANT SELECT ON josch.board TO josch_viewer;
