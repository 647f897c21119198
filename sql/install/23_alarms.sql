/*
 * Alarms: what somebody has to know by the clock, once each; whom they are told to
 * (hooks), and what became of that (deliveries).
 */

/* Kept by the trigger on nodes alone, as josch.waiting is.  Not dumped: it follows from the rows. */
CREATE TABLE josch.deadlines (
	due_at		timestamptz NOT NULL,
	job_date	date NOT NULL,
	node_id		bigint NOT NULL,
	kind		"char" NOT NULL,
	PRIMARY KEY (due_at, job_date, node_id, kind),
	CONSTRAINT deadlines_kind_is_known CHECK (kind IN ('s', 'e', 'd'))
);
COMMENT ON TABLE josch.deadlines IS
'Deadlines of nodes that are not met yet, whether or not they have passed: where the scheduler finds the next one. It follows from the rows of josch.nodes, whoever changes them.';
COMMENT ON COLUMN josch.deadlines.due_at IS 'The moment';
COMMENT ON COLUMN josch.deadlines.job_date IS 'The date of the node';
COMMENT ON COLUMN josch.deadlines.node_id IS 'The node';
COMMENT ON COLUMN josch.deadlines.kind IS 's: it has not started (start_by); e: it is not done (finish_by); d: its run goes on (max_duration)';
GRANT SELECT ON josch.deadlines TO josch_viewer;

CREATE SEQUENCE josch.alarm_id_seq;
COMMENT ON SEQUENCE josch.alarm_id_seq IS 'Numbers the alarms; a number is never used again';

CREATE TABLE josch.alarms (
	alarm_id		bigint PRIMARY KEY DEFAULT nextval('josch.alarm_id_seq'),
	kind			text NOT NULL,
	job_name		text,
	job_date		date,
	node_id			bigint,
	calendar_name	text,
	due_at			timestamptz NOT NULL,
	raised_at		timestamptz NOT NULL DEFAULT josch.now(),
	message			text NOT NULL,
	cleared_at		timestamptz,
	acked_by		text,
	acked_at		timestamptz,
	comment			text,
	CONSTRAINT alarms_kind_is_known CHECK (kind IN ('late_start', 'late_end', 'too_long', 'failed', 'unknown', 'attention',
		'missed_days', 'calendar_ends', 'never_fits', 'stuck', 'shortage', 'disarmed')),
	CONSTRAINT alarms_node_is_whole CHECK ((node_id IS NULL OR job_date IS NOT NULL) AND (job_date IS NULL OR job_name IS NOT NULL)),
	CONSTRAINT alarms_names_are_not_too_long CHECK (char_length(job_name) <= 200 AND char_length(calendar_name) <= 200),
	CONSTRAINT alarms_job_date_is_readable CHECK (josch.is_readable_date(job_date)),
	CONSTRAINT alarms_texts_are_not_too_long CHECK (octet_length(message) <= 10000 AND octet_length(comment) <= 10000),
	CONSTRAINT alarms_ack_is_whole CHECK ((acked_by IS NULL) = (acked_at IS NULL) AND (comment IS NULL OR acked_at IS NOT NULL))
);
-- once each, also after a restart
CREATE UNIQUE INDEX alarms_are_raised_once ON josch.alarms (kind, job_date, node_id, due_at, job_name, calendar_name) NULLS NOT DISTINCT;
-- of what has no moment of its own, one at a time
CREATE UNIQUE INDEX alarms_of_all_are_one ON josch.alarms (kind, calendar_name) NULLS NOT DISTINCT
	WHERE cleared_at IS NULL AND kind IN ('calendar_ends', 'stuck', 'shortage', 'disarmed');
CREATE INDEX alarms_open_idx ON josch.alarms (alarm_id) WHERE cleared_at IS NULL;
CREATE INDEX alarms_open_node_idx ON josch.alarms (job_date, node_id) WHERE cleared_at IS NULL;
CREATE INDEX alarms_open_days_idx ON josch.alarms (job_name, due_at) WHERE cleared_at IS NULL AND kind = 'missed_days';
COMMENT ON TABLE josch.alarms IS
'What somebody has to know by the clock: raised by the scheduler at that moment, once each, also for what never started; cleared by itself when the cause is gone; acknowledged by a person (josch.acknowledge).';
COMMENT ON COLUMN josch.alarms.alarm_id IS 'Number of the alarm; whoever is told it twice knows it by this';
COMMENT ON COLUMN josch.alarms.kind IS
'late_start, late_end, too_long: a node''s start_by, finish_by, max_duration has passed; failed, unknown, attention (a sign-off or a review): it waits for a person; missed_days: days did not make themselves, and somebody is asked; calendar_ends: what is known of a business calendar ends soon (josch.calendar_warning); never_fits: a node that is ready needs more units of a semaphore than there are; stuck: the scheduler has been kept from its work for a minute or more; shortage: something could not be started for so long for want of something; disarmed: nodes are held back since the data was taken back to an earlier moment';
COMMENT ON COLUMN josch.alarms.job_name IS 'The job; NULL: it is not of one';
COMMENT ON COLUMN josch.alarms.job_date IS 'The business date: of missed_days the last of them; NULL: it is of none';
COMMENT ON COLUMN josch.alarms.node_id IS 'The node; NULL: it is not of one';
COMMENT ON COLUMN josch.alarms.calendar_name IS 'calendar_ends: the business calendar';
COMMENT ON COLUMN josch.alarms.due_at IS 'The moment at which its cause came about: the deadline, the change of the state, the time at which the day was to make itself; of what has none (calendar_ends, never_fits, disarmed) that at which it was seen';
COMMENT ON COLUMN josch.alarms.raised_at IS 'When it was raised: later than due_at where the scheduler was down then';
COMMENT ON COLUMN josch.alarms.message IS 'What it is about, in words, as it was when it was raised';
COMMENT ON COLUMN josch.alarms.cleared_at IS 'When its cause was gone: the node had started, had ended, was taken back, its deadline was moved, the days were made or declined, the capacity or what it needs was changed; NULL: it is open';
COMMENT ON COLUMN josch.alarms.acked_by IS 'Session user who has acknowledged it; never a name that a client sends';
COMMENT ON COLUMN josch.alarms.acked_at IS 'When that was';
COMMENT ON COLUMN josch.alarms.comment IS 'What that person wrote, 10,000 bytes at most';

/* ---- hooks: whom alarms are told to ---- */

CREATE TABLE josch.alarm_hooks (
	hook_name	text PRIMARY KEY,
	kinds		text[],
	job_pattern	text,
	exec_command	text,
	exec_sql	text,
	owner		josch.role NOT NULL DEFAULT SESSION_USER,
	retries		integer NOT NULL DEFAULT 5,
	retry_delay	interval NOT NULL DEFAULT '1 minute',
	timeout		interval NOT NULL DEFAULT '1 minute',
	enabled		boolean NOT NULL DEFAULT true,
	CONSTRAINT alarm_hooks_hook_name_is_not_blank CHECK (hook_name ~ '[^[:space:]]'),
	CONSTRAINT alarm_hooks_hook_name_is_one_line CHECK (josch.is_one_line(hook_name)),
	CONSTRAINT alarm_hooks_hook_name_is_not_too_long CHECK (char_length(hook_name) <= 200),
	CONSTRAINT alarm_hooks_kinds_are_known CHECK (kinds <@ ARRAY['late_start', 'late_end', 'too_long', 'failed', 'unknown', 'attention',
		'missed_days', 'calendar_ends', 'never_fits', 'stuck', 'shortage', 'disarmed']),
	CONSTRAINT alarm_hooks_job_pattern_is_not_too_long CHECK (char_length(job_pattern) <= 1000),
	CONSTRAINT alarm_hooks_command_or_sql CHECK ((exec_command IS NULL) <> (exec_sql IS NULL)),
	CONSTRAINT alarm_hooks_exec_command_is_not_blank CHECK (exec_command ~ '[^[:space:]]'),
	CONSTRAINT alarm_hooks_exec_sql_is_not_blank CHECK (exec_sql ~ '[^[:space:]]'),
	CONSTRAINT alarm_hooks_texts_are_not_too_long CHECK (octet_length(exec_command) <= 100000 AND octet_length(exec_sql) <= 1000000),
	CONSTRAINT alarm_hooks_retries_are_within_bounds CHECK (retries BETWEEN 0 AND 1000),
	CONSTRAINT alarm_hooks_durations_are_within_bounds CHECK (retry_delay >= interval '1 second' AND retry_delay <= interval '1 day'
		AND timeout >= interval '1 second' AND timeout <= interval '1 hour'),
	CONSTRAINT alarm_hooks_durations_are_readable CHECK (josch.is_readable_interval(retry_delay) AND josch.is_readable_interval(timeout))
);
COMMENT ON TABLE josch.alarm_hooks IS
'Whom alarms are told to: a command, run by josch-runner, or SQL, run as its owner, for each alarm that is raised. A command needs pg_execute_server_program, as that of a node does. What becomes of it is in josch.alarm_deliveries.';
COMMENT ON COLUMN josch.alarm_hooks.hook_name IS 'Its name: one line, 200 characters at most';
COMMENT ON COLUMN josch.alarm_hooks.kinds IS 'The kinds of alarms that it is for; NULL: all';
COMMENT ON COLUMN josch.alarm_hooks.job_pattern IS 'The jobs whose alarms it is for: a pattern as of LIKE, without an escape (% any text, _ any character); NULL: all, and those of no job';
COMMENT ON COLUMN josch.alarm_hooks.exec_command IS
'Command line, run by /bin/sh -c with the variables of environs and ALARM_ID, ALARM_KIND, ALARM_MESSAGE, ALARM_DUE_AT, ALARM_RAISED_AT (UTC), HOOK_NAME, ATTEMPT, and, where the alarm has them, JOB_NAME, DATE, NODE_ID, NODE_NAME, CALENDAR_NAME in its environment; exit code 0: it was delivered. 100,000 bytes at most';
COMMENT ON COLUMN josch.alarm_hooks.exec_sql IS 'SQL statements, run inside the database as the owner, in one transaction with the record that it was delivered; the same variables are settings: current_setting(''josch_run.ALARM_ID''). 1,000,000 bytes at most';
COMMENT ON COLUMN josch.alarm_hooks.owner IS 'Role as which exec_sql runs';
COMMENT ON COLUMN josch.alarm_hooks.retries IS 'How often it is tried again when it fails: 0 to 1000';
COMMENT ON COLUMN josch.alarm_hooks.retry_delay IS 'How long after a failure it is tried again; each delay is twice the one before, up to an hour. 1 second to 1 day';
COMMENT ON COLUMN josch.alarm_hooks.timeout IS 'The longest that it may take before it is ended, and has failed: 1 second to 1 hour';
COMMENT ON COLUMN josch.alarm_hooks.enabled IS 'False: nothing is told; what waits already waits on';

/* No foreign key to the hook: what was told outlives it. */
CREATE SEQUENCE josch.delivery_id_seq;
COMMENT ON SEQUENCE josch.delivery_id_seq IS 'Numbers the deliveries of alarms';

CREATE TABLE josch.alarm_deliveries (
	delivery_id	bigint PRIMARY KEY DEFAULT nextval('josch.delivery_id_seq'),
	alarm_id	bigint NOT NULL REFERENCES josch.alarms ON DELETE CASCADE,
	hook_name	text NOT NULL,
	state		text NOT NULL DEFAULT 'waiting',
	attempt		integer NOT NULL DEFAULT 0,
	not_before	timestamptz NOT NULL DEFAULT josch.now(),
	run_id		bigint,
	nonce		bigint,
	kind		text,
	started_at	timestamptz,
	ended_at	timestamptz,
	exit_code	integer,
	message		text,
	output_tail	text,
	log			text,
	UNIQUE (alarm_id, hook_name),
	CONSTRAINT alarm_deliveries_state_is_known CHECK (state IN ('waiting', 'running', 'delivered', 'failed')),
	CONSTRAINT alarm_deliveries_kind_is_known CHECK (kind IN ('command', 'sql')),
	CONSTRAINT alarm_deliveries_running_is_a_run CHECK (state <> 'running' OR (run_id IS NOT NULL AND nonce IS NOT NULL AND kind IS NOT NULL)),
	CONSTRAINT alarm_deliveries_texts_are_not_too_long CHECK (octet_length(message) <= 10000 AND octet_length(output_tail) <= 20000
		AND octet_length(log) <= 4000 AND char_length(hook_name) <= 200)
);
CREATE INDEX alarm_deliveries_waiting_idx ON josch.alarm_deliveries (hook_name, not_before, delivery_id) WHERE state = 'waiting';
CREATE INDEX alarm_deliveries_running_idx ON josch.alarm_deliveries (hook_name, run_id) WHERE state = 'running';
CREATE INDEX alarm_deliveries_ended_idx ON josch.alarm_deliveries (hook_name, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX alarm_deliveries_run_idx ON josch.alarm_deliveries (run_id);
COMMENT ON TABLE josch.alarm_deliveries IS
'What became of telling each alarm to each hook that was there for it when it was raised: at least once, unless it failed as often as its hook allows. Two at a time of a hook, eight in all; they take no place from nodes.';
COMMENT ON COLUMN josch.alarm_deliveries.delivery_id IS 'Number of the delivery';
COMMENT ON COLUMN josch.alarm_deliveries.alarm_id IS 'The alarm';
COMMENT ON COLUMN josch.alarm_deliveries.hook_name IS 'The hook';
COMMENT ON COLUMN josch.alarm_deliveries.state IS 'waiting (for its turn, or until it is tried again), running, delivered, failed (it is not tried again)';
COMMENT ON COLUMN josch.alarm_deliveries.attempt IS 'How often it was begun';
COMMENT ON COLUMN josch.alarm_deliveries.not_before IS 'When it is begun, or tried again, at the earliest';
COMMENT ON COLUMN josch.alarm_deliveries.run_id IS 'Number of its last attempt, from the same sequence as josch.runs';
COMMENT ON COLUMN josch.alarm_deliveries.nonce IS 'A random number of its last attempt, as in josch.runs';
COMMENT ON COLUMN josch.alarm_deliveries.kind IS 'command or sql';
COMMENT ON COLUMN josch.alarm_deliveries.started_at IS 'When its last attempt began';
COMMENT ON COLUMN josch.alarm_deliveries.ended_at IS 'When that ended';
COMMENT ON COLUMN josch.alarm_deliveries.exit_code IS 'Exit code of the command; NULL when a signal ended it, or for SQL';
COMMENT ON COLUMN josch.alarm_deliveries.message IS 'Why its last attempt failed, in words';
COMMENT ON COLUMN josch.alarm_deliveries.output_tail IS 'The end of its output (4 kB at most)';
COMMENT ON COLUMN josch.alarm_deliveries.log IS 'The log file of its command, relative to josch.spool_directory';

/* What pg_dump takes along. */
SELECT pg_catalog.pg_extension_config_dump('josch.alarm_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('josch.alarms', '');
SELECT pg_catalog.pg_extension_config_dump('josch.alarm_hooks', '');
SELECT pg_catalog.pg_extension_config_dump('josch.delivery_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('josch.alarm_deliveries', '');

GRANT SELECT ON josch.alarms, josch.alarm_hooks, josch.alarm_deliveries TO josch_viewer;
GRANT SELECT ON SEQUENCE josch.alarm_id_seq, josch.delivery_id_seq TO josch_viewer;
GRANT INSERT, UPDATE, DELETE ON josch.alarm_hooks TO josch_author;
