/*
 * The state machine, and what people do to nodes.
 */
CREATE FUNCTION josch.fsm_edges(OUT edge integer, OUT from_state text, OUT to_state text, OUT node_types text,
	OUT who text, OUT action text, OUT comment text) RETURNS SETOF record
	LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_fsm_edges';
COMMENT ON FUNCTION josch.fsm_edges() IS 'The rows of the view josch.fsm, from the table in the program that the trigger enforces.';

CREATE VIEW josch.fsm AS SELECT * FROM josch.fsm_edges();
COMMENT ON VIEW josch.fsm IS 'The state machine of a node: which state may follow which';
COMMENT ON COLUMN josch.fsm.edge IS 'Number of the edge';
COMMENT ON COLUMN josch.fsm.from_state IS 'The state before';
COMMENT ON COLUMN josch.fsm.to_state IS 'The state after';
COMMENT ON COLUMN josch.fsm.node_types IS 'Node types that have this edge, of S, L, N, R and E';
COMMENT ON COLUMN josch.fsm.who IS 'engine (the scheduler and its triggers) or person';
COMMENT ON COLUMN josch.fsm.action IS 'What it is called; for a person also the name of the function in schema josch';
COMMENT ON COLUMN josch.fsm.comment IS 'When, or why';

CREATE FUNCTION josch.states(OUT state text, OUT satisfies boolean, OUT attention boolean, OUT meaning text,
	OUT begun boolean, OUT final boolean, OUT urgency integer, OUT fill text, OUT text_color text, OUT words text,
	OUT dark_fill text, OUT dark_text text, OUT success text, OUT done text, OUT failure text, OUT well text)
	RETURNS SETOF record
	LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_fsm_states';
COMMENT ON FUNCTION josch.states() IS
'The states of a node: whether children that wait for its success need not wait any more (satisfies), whether it waits for a person (attention), what it means, whether its day cannot be taken back any more (begun), whether nothing more is to be done (final), what people want to see first (urgency, from 1), its colours (fill, text_color), what josch.history() says of it (words; %run is the run), its colours on a dark ground (dark_fill, dark_text), and what a parent in it is to a dependency with the condition success, done, failure or well: waits, satisfied or impossible.';

CREATE FUNCTION josch.parent_is(state text, condition text DEFAULT 'success') RETURNS text
	LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_fsm_parent_is';
COMMENT ON FUNCTION josch.parent_is(text, text) IS
'What a parent in a state is to a dependency with a condition: waits, satisfied or impossible, as josch.states() lists it. State NULL: one that is not made yet, but expected. Raises invalid_parameter_value for what is no state or no condition.';

CREATE FUNCTION josch.acts(OUT action text, OUT words text, OUT deed text, OUT told boolean) RETURNS SETOF record
	LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_fsm_acts';
COMMENT ON FUNCTION josch.acts() IS
'What people do to nodes: the actions of people''s edges in josch.fsm, each also a function of this name; in passive words (signed off; "by somebody" follows, %run is the run), as a deed (somebody "signed it off"), and whether the words are the node''s message until something else happens (told).';

CREATE FUNCTION josch.fsm_dot() RETURNS text
	LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_fsm_dot';
COMMENT ON FUNCTION josch.fsm_dot() IS
'The state machine as Graphviz text: dashed edges are people''s, red states wait for a person, doubled ones satisfy their children.';

REVOKE ALL ON FUNCTION josch.fsm_edges(), josch.states(), josch.parent_is(text, text), josch.acts(), josch.fsm_dot() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.fsm_edges(), josch.states(), josch.parent_is(text, text), josch.acts(), josch.fsm_dot() TO josch_viewer;
GRANT SELECT ON josch.fsm TO josch_viewer;

/*
 * Acts.  Each returns the state that the node is in after, and raises no_data_found
 * for a node that does not exist, object_not_in_prerequisite_state where josch.fsm
 * has no such edge (telling who acted last).
 */

CREATE FUNCTION josch.signoff(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.signoff(bigint, date, text) IS
'Signs a node off: state signoff to succeeded. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.signoff(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.signoff(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.approve(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.approve(bigint, date, text) IS
'Judges the output of a review node to be good: state review to succeeded. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.approve(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.approve(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.reject(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.reject(bigint, date, text) IS
'Judges the output of a review node to be bad: state review to failed. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.reject(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.reject(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.mark_success(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.mark_success(bigint, date, text) IS
'Says that a failed, unknown or abandoned node has been repaired by hand: to succeeded; its children go on. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.mark_success(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.mark_success(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.mark_failed(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.mark_failed(bigint, date, text) IS
'Says that a node in state unknown has failed; or gives up the run of one that is running or up, after josch.stop(), when nobody hears of that: the run is unknown then. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.mark_failed(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.mark_failed(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.retry(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.retry(bigint, date, text) IS
'Runs a failed, unknown or abandoned node, or one that waits for review, again. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.retry(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.retry(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.hold(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.hold(bigint, date, text) IS
'Holds a node back that has not started: pending or ready to held. It takes no place meanwhile. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.hold(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.hold(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.release(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.release(bigint, date, text) IS
'Lets a held node go on. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.release(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.release(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.skip(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.skip(bigint, date, text) IS
'Goes on without a node, as if it had succeeded: its children no longer wait for it. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.skip(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.skip(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.abandon(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.abandon(bigint, date, text) IS
'Gives a failed or unknown node up: the day goes on without it. What needs its success is omitted, what waits for its end or its failure goes on. josch.retry() takes it back, and what was omitted with it. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.abandon(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.abandon(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.force_start(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.force_start(bigint, date, text) IS
'Starts a node that has not started, or is omitted, without its parents, and before its time. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.force_start(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.force_start(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.stop(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.stop(bigint, date, text) IS
'Asks for a running node to be stopped: TERM to the process group, KILL after stop_grace. A long-running node (L) then has succeeded, any other has failed. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.stop(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.stop(bigint, date, text) TO josch_operator;

CREATE FUNCTION josch.rerun(node_id bigint, job_date date, comment text DEFAULT NULL, descendants boolean DEFAULT false)
	RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act';
COMMENT ON FUNCTION josch.rerun(bigint, date, text, boolean) IS
'Does a finished node once more; with descendants also everything below it that has finished or was asked. A descendant that is running or up must be stopped first. The comment is kept with the act. Returns the state after.';
REVOKE ALL ON FUNCTION josch.rerun(bigint, date, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.rerun(bigint, date, text, boolean) TO josch_operator;

CREATE FUNCTION josch.claim(node_id bigint, job_date date, comment text DEFAULT NULL) RETURNS timestamptz
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_claim';
COMMENT ON FUNCTION josch.claim(bigint, date, text) IS
'Says that the caller looks at a node that waits for a person: josch.attention shows all who has it. It keeps nobody from acting. It ends by itself when the node leaves its state, and after josch.claim_time, which the one who has it may begin anew by another call. Returns until when. Raises object_not_in_prerequisite_state when somebody else has it, or when the node waits for nobody.';
CREATE FUNCTION josch.unclaim(node_id bigint, job_date date) RETURNS void
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_unclaim';
COMMENT ON FUNCTION josch.unclaim(bigint, date) IS
'Ends the caller''s own josch.claim().';
REVOKE ALL ON FUNCTION josch.claim(bigint, date, text), josch.unclaim(bigint, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.claim(bigint, date, text), josch.unclaim(bigint, date) TO josch_operator;

CREATE FUNCTION josch.act(action text, node_ids bigint[], job_dates date[], comment text DEFAULT NULL, seen bigint[] DEFAULT NULL,
	OUT node_id bigint, OUT job_date date, OUT state text, OUT sqlstate text, OUT message text, OUT detail text, OUT hint text)
	RETURNS SETOF record
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_act_many';
COMMENT ON FUNCTION josch.act(text, bigint[], date[], text, bigint[]) IS
'Does an act of josch.acts(), or claim or unclaim, to many nodes with one comment; one date for all, or one for each. Returns a row for each: the state after, or why it was refused (sqlstate, message, detail, hint); one that is refused keeps none of the others from it. With seen, the change_id of each as it was looked at, what has changed since and could be acted on like that all the same is refused. Needs the right to call the act''s own function.';
REVOKE ALL ON FUNCTION josch.act(text, bigint[], date[], text, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.act(text, bigint[], date[], text, bigint[]) TO josch_operator;
