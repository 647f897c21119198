/* The board: what a person looks at, as it is now; josch.board_at() has it as it was. */

CREATE VIEW josch.board AS
SELECT n.job_date, n.node_id, n.job_name, n.node_name, n.node_type, n.state, n.state_since, n.due_at, n.forced, n.run_id, n.attempt,
	n.started_at, n.ended_at, n.message, n.action, n.acted_by, n.acted_at, n.comment, n.change_id,
	n.not_before, n.retries, n.retried, p.progress, p.progress_text
FROM josch.nodes n LEFT JOIN josch.run_reports p ON p.run_id = n.run_id;
COMMENT ON VIEW josch.board IS
'The nodes of all dates with their states, in no order. josch.board_at(job_date, at) returns the same columns for a moment of the past.';
COMMENT ON COLUMN josch.board.job_date IS 'The business date';
COMMENT ON COLUMN josch.board.node_id IS 'Number of the node, the same on every day';
COMMENT ON COLUMN josch.board.job_name IS 'The job that it belongs to';
COMMENT ON COLUMN josch.board.node_name IS 'Its name, for people';
COMMENT ON COLUMN josch.board.node_type IS 'S sign-off, L long-running, N normal, R review, E the end of its job';
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
COMMENT ON COLUMN josch.board.progress IS 'How much of its latest run is done, from 0 to 1, as the run has said it last (josch.run_reports); NULL: it has not, or the board is of the past';
COMMENT ON COLUMN josch.board.progress_text IS 'What the run has said with it';

GRANT SELECT ON josch.board TO josch_viewer;
