/*
 * The tables: what people write (environs, tpl_*), what runs (jobs, nodes,
 * node_deps) and what ran (runs).  Bad data cannot be stored, whoever writes it:
 * each rule is a constraint that bears its name, or a trigger (30_, 31_, 32_, 42_).
 */

/* ---- templates: what people write ---- */

CREATE TABLE josch.environs (
	var		text PRIMARY KEY,
	value	text NOT NULL DEFAULT '',
	CONSTRAINT environs_var_is_a_name CHECK (var ~ '^[A-Za-z_][A-Za-z0-9_]*$'),
	CONSTRAINT environs_var_is_not_too_long CHECK (char_length(var) <= 200),
	CONSTRAINT environs_var_is_not_built_in CHECK (var NOT IN
		('DATE', 'PREV_DATE', 'NEXT_DATE', 'JOB_NAME', 'NODE_ID', 'NODE_NAME', 'RUN_ID', 'ATTEMPT', 'JOSCH_RUN', 'JOSCH_REPORT')),
	CONSTRAINT environs_var_is_not_of_executors CHECK (var !~ '^JOSCH_(EXECUTOR_[A-Z]+|STOP_GRACE)$'),
	CONSTRAINT environs_value_is_not_too_long CHECK (octet_length(value) <= 100000)
);
COMMENT ON TABLE josch.environs IS
'Environment variables of every command. A day copies them into jobs.environ when it is made. Writing needs pg_execute_server_program, because a command may be $VAR.';
COMMENT ON COLUMN josch.environs.var IS 'Name of the variable: letters, digits and underscores; the built-in names (DATE, NODE_ID, ...) are taken';
COMMENT ON COLUMN josch.environs.value IS 'Its value, passed as it stands: it is never expanded and never pasted into a command''s text. 100,000 bytes at most: Linux starts no program with a longer variable or word';

CREATE TABLE josch.tpl_jobs (
	job_name	text PRIMARY KEY,
	job_desc	text,
	time_zone	text,
	valid_from	date,
	loaded_on	date NOT NULL DEFAULT josch.today(),
	calendar_name	text REFERENCES josch.calendars ON UPDATE CASCADE,
	schedule_at		interval,
	catch_up		text NOT NULL DEFAULT 'all',
	catch_up_grace	interval NOT NULL DEFAULT '10 minutes',
	valid_to		date,
	paused			boolean NOT NULL DEFAULT false,
	days_after		date,
	max_running		integer,
	executor		text,
	CONSTRAINT tpl_jobs_job_name_is_not_blank CHECK (job_name ~ '[^[:space:]]'),
	CONSTRAINT tpl_jobs_job_name_is_one_line CHECK (josch.is_one_line(job_name)),
	CONSTRAINT tpl_jobs_job_name_is_not_too_long CHECK (char_length(job_name) <= 200),
	CONSTRAINT tpl_jobs_job_desc_is_not_too_long CHECK (octet_length(job_desc) <= 100000),
	CONSTRAINT tpl_jobs_time_zone_is_known CHECK (josch.is_time_zone(time_zone)),
	CONSTRAINT tpl_jobs_dates_are_readable CHECK (josch.is_readable_date(valid_from) AND josch.is_readable_date(loaded_on)
		AND josch.is_readable_date(valid_to) AND josch.is_readable_date(days_after)),
	CONSTRAINT tpl_jobs_valid_to_is_not_before_valid_from CHECK (valid_to >= valid_from),
	CONSTRAINT tpl_jobs_schedule_at_is_within_a_week CHECK (schedule_at > interval '-168:00' AND schedule_at < interval '168:00'),
	CONSTRAINT tpl_jobs_schedule_at_is_written_in_hours CHECK (extract(day FROM schedule_at) = 0 AND extract(month FROM schedule_at) = 0
		AND extract(year FROM schedule_at) = 0),
	CONSTRAINT tpl_jobs_catch_up_is_known CHECK (catch_up IN ('all', 'latest', 'none', 'ask')),
	CONSTRAINT tpl_jobs_catch_up_grace_is_not_negative CHECK (catch_up_grace >= interval '0'),
	CONSTRAINT tpl_jobs_catch_up_grace_is_readable CHECK (josch.is_readable_interval(catch_up_grace)),
	CONSTRAINT jobs_max_running_is_within_bounds CHECK (max_running BETWEEN 1 AND 100000),
	CONSTRAINT tpl_jobs_executor_is_not_too_long CHECK (char_length(executor) <= 200)
);
CREATE INDEX tpl_jobs_calendar_name_idx ON josch.tpl_jobs (calendar_name);
CREATE INDEX tpl_jobs_schedule_at_idx ON josch.tpl_jobs (job_name) WHERE schedule_at IS NOT NULL;
COMMENT ON TABLE josch.tpl_jobs IS 'Template jobs: groups of nodes that are made and run together for a date';
COMMENT ON COLUMN josch.tpl_jobs.job_name IS 'Name of the job: one line, 200 characters at most';
COMMENT ON COLUMN josch.tpl_jobs.job_desc IS 'What it is for, in words; 100,000 bytes at most';
COMMENT ON COLUMN josch.tpl_jobs.time_zone IS 'Time zone of the job''s times of day; NULL for the setting josch.time_zone';
COMMENT ON COLUMN josch.tpl_jobs.valid_from IS 'First date on which other jobs expect this one: on an earlier date a dependency on it (p_date = c_date) blocks nothing unless it is made. Days before it do not make themselves. NULL for loaded_on';
COMMENT ON COLUMN josch.tpl_jobs.loaded_on IS 'The day on which this row was loaded';
COMMENT ON COLUMN josch.tpl_jobs.calendar_name IS 'The business calendar whose open days are the days of the job: what -1 means to a node that depends on it, PREV_DATE and NEXT_DATE of its commands, and on which dates it is made with all others. NULL: the days that are made of it';
COMMENT ON COLUMN josch.tpl_jobs.schedule_at IS 'When the days of the job make themselves: what the clock on the wall shows in the job''s time zone, in hours from midnight of the date: 26:00 for 02:00 on the day after, -2:00 for 22:00 on the eve; between -168:00 and 168:00. The days are the open ones of its calendar, without one all dates. NULL: only whoever calls josch.schedule() makes them';
COMMENT ON COLUMN josch.tpl_jobs.catch_up IS 'What becomes of days that were missed, because the server or josch was down or the job was paused: all are made, in the order of their dates; the latest is; none is; or somebody is asked (josch.make_missed, josch.decline_missed)';
COMMENT ON COLUMN josch.tpl_jobs.catch_up_grace IS 'How long after it was due a day is still made whatever catch_up says; after that it is missed';
COMMENT ON COLUMN josch.tpl_jobs.valid_to IS 'Last date that makes itself, and for which other jobs expect this one; NULL: there is no last';
COMMENT ON COLUMN josch.tpl_jobs.paused IS 'True: no day makes itself. When it is false again, catch_up says what becomes of the days that were missed';
COMMENT ON COLUMN josch.tpl_jobs.days_after IS 'The days after this date make themselves: set when schedule_at is, to the last date whose time had passed by then, and when the job is renamed, to its last day. To start from another date, set it together with schedule_at';
COMMENT ON COLUMN josch.tpl_jobs.max_running IS 'How many of its nodes may run at once, whatever their dates; those that are up do not count. 1 to 100,000; NULL: as many as josch.max_running and josch.max_sql_workers allow';
COMMENT ON COLUMN josch.tpl_jobs.executor IS 'The executor (josch.executors) of those of its commands that name none themselves; local, or NULL: they run where the runner is. Writing it needs pg_execute_server_program';

/* far from the numbers that people choose */
CREATE SEQUENCE josch.node_id_seq START WITH 1000000001;
COMMENT ON SEQUENCE josch.node_id_seq IS 'Numbers the nodes that are written without a number; josch.new_node_id() draws from it';

CREATE FUNCTION josch.new_node_id() RETURNS bigint
	LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_load_new_node_id';
COMMENT ON FUNCTION josch.new_node_id() IS
'A number for a node that no node has or ever had, whether it was given or drawn; the default of node_id in tpl_nodes and nodes.';
REVOKE ALL ON FUNCTION josch.new_node_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.new_node_id() TO josch_author;

CREATE TABLE josch.tpl_nodes (
	node_id			bigint PRIMARY KEY DEFAULT josch.new_node_id(),
	node_type		text NOT NULL,
	job_name		text NOT NULL REFERENCES josch.tpl_jobs ON UPDATE CASCADE,
	node_name		text NOT NULL,
	exec_command	text,
	signoff_time	interval,
	start_time		interval,
	exec_sql		text,
	exec_sql_atomic	boolean NOT NULL DEFAULT true,
	ready_command	text,
	ready_after		interval NOT NULL DEFAULT '1 second',
	timeout			interval,
	stop_grace		interval NOT NULL DEFAULT '10 seconds',
	work_dir		text,
	owner			josch.role NOT NULL DEFAULT SESSION_USER,
	success_codes	int4multirange NOT NULL DEFAULT '{[0,1)}',
	retry_codes		int4multirange,
	retries			integer NOT NULL DEFAULT 0,
	retry_delay		interval NOT NULL DEFAULT '1 minute',
	retry_backoff	numeric NOT NULL DEFAULT 1,
	retry_max_delay	interval NOT NULL DEFAULT '1 hour',
	retry_on		text[] NOT NULL DEFAULT '{exit}',
	repeatable		boolean NOT NULL DEFAULT false,
	join_rule		text NOT NULL DEFAULT 'all',
	on_failure		text NOT NULL DEFAULT 'ask',
	repeat_every	interval,
	repeat_until	interval,
	start_by		interval,
	finish_by		interval,
	max_duration	interval,
	wait_file		text,
	wait_stable		interval NOT NULL DEFAULT '2 seconds',
	wait_sql		text,
	wait_interval	interval NOT NULL DEFAULT '1 minute',
	skip_codes		int4multirange,
	priority		integer NOT NULL DEFAULT 0,
	executor		text,
	executor_options	text,
	CONSTRAINT tpl_nodes_node_name_is_unique_in_its_job UNIQUE (job_name, node_name) DEFERRABLE,
	CONSTRAINT nodes_node_id_is_positive CHECK (node_id > 0),
	CONSTRAINT nodes_node_type_is_known CHECK (node_type IN ('S', 'L', 'N', 'R', 'E')),
	CONSTRAINT nodes_node_name_is_not_blank CHECK (node_name ~ '[^[:space:]]'),
	CONSTRAINT nodes_node_name_is_one_line CHECK (josch.is_one_line(node_name)),
	CONSTRAINT nodes_node_name_is_not_too_long CHECK (char_length(node_name) <= 200),
	CONSTRAINT nodes_exec_command_is_not_blank CHECK (exec_command ~ '[^[:space:]]'),
	CONSTRAINT nodes_exec_sql_is_not_blank CHECK (exec_sql ~ '[^[:space:]]'),
	CONSTRAINT nodes_command_or_sql CHECK (exec_command IS NULL OR exec_sql IS NULL),
	CONSTRAINT nodes_signoff_runs_nothing CHECK (node_type <> 'S' OR (exec_command IS NULL AND exec_sql IS NULL)),
	CONSTRAINT nodes_end_of_job_runs_nothing CHECK (node_type <> 'E' OR (exec_command IS NULL AND exec_sql IS NULL)),
	CONSTRAINT nodes_end_of_job_joins_all CHECK (node_type <> 'E' OR join_rule = 'all'),
	CONSTRAINT nodes_end_of_job_is_not_given_up CHECK (node_type <> 'E' OR on_failure = 'ask'),
	CONSTRAINT nodes_commands_are_not_too_long CHECK (octet_length(exec_command) <= 100000 AND octet_length(ready_command) <= 100000),
	CONSTRAINT nodes_exec_sql_is_not_too_long CHECK (octet_length(exec_sql) <= 1000000),
	CONSTRAINT nodes_work_dir_is_not_too_long CHECK (octet_length(work_dir) <= 4000),
	CONSTRAINT nodes_work_dir_is_one_line CHECK (josch.is_one_line(work_dir)),
	CONSTRAINT nodes_times_of_day_are_within_a_week CHECK (signoff_time < interval '168:00' AND start_time < interval '168:00'),
	CONSTRAINT nodes_times_of_day_are_written_in_hours CHECK (extract(day FROM signoff_time) = 0 AND extract(day FROM start_time) = 0),
	CONSTRAINT nodes_signoff_time_is_for_signoff CHECK (node_type = 'S' OR signoff_time IS NULL),
	CONSTRAINT nodes_start_time_is_not_for_signoff CHECK (node_type <> 'S' OR start_time IS NULL),
	CONSTRAINT nodes_long_running_has_a_command CHECK (node_type <> 'L' OR exec_command IS NOT NULL),
	CONSTRAINT nodes_ready_command_is_for_long_running CHECK (node_type = 'L' OR ready_command IS NULL),
	CONSTRAINT nodes_ready_command_is_not_blank CHECK (ready_command ~ '[^[:space:]]'),
	CONSTRAINT nodes_ready_after_is_not_negative CHECK (ready_after >= interval '0'),
	CONSTRAINT nodes_timeout_is_positive CHECK (timeout > interval '0'),
	CONSTRAINT nodes_stop_grace_is_not_negative CHECK (stop_grace >= interval '0'),
	CONSTRAINT nodes_durations_are_readable CHECK (josch.is_readable_interval(ready_after) AND josch.is_readable_interval(stop_grace)
		AND josch.is_readable_interval(timeout) AND josch.is_readable_interval(signoff_time)
		AND josch.is_readable_interval(start_time) AND josch.is_readable_interval(retry_delay)
		AND josch.is_readable_interval(retry_max_delay) AND josch.is_readable_interval(max_duration)
		AND josch.is_readable_interval(wait_stable) AND josch.is_readable_interval(wait_interval)),
	CONSTRAINT nodes_work_dir_is_absolute CHECK (work_dir ~ '^/'),
	CONSTRAINT nodes_success_codes_are_exit_codes CHECK (success_codes <@ int4multirange '{[0,256)}'),
	CONSTRAINT nodes_retry_codes_are_exit_codes CHECK (retry_codes <@ int4multirange '{[0,256)}'),
	CONSTRAINT nodes_retry_codes_are_failures CHECK (NOT success_codes && retry_codes),
	CONSTRAINT nodes_skip_codes_are_exit_codes CHECK (skip_codes <@ int4multirange '{[0,256)}'),
	CONSTRAINT nodes_skip_codes_are_no_successes CHECK (NOT success_codes && skip_codes),
	CONSTRAINT nodes_skip_codes_are_not_tried_again CHECK (NOT retry_codes && skip_codes),
	CONSTRAINT nodes_priority_is_within_bounds CHECK (priority BETWEEN -1000 AND 1000),
	CONSTRAINT nodes_executor_is_of_a_command CHECK (exec_command IS NOT NULL OR (executor IS NULL AND executor_options IS NULL)),
	CONSTRAINT nodes_executor_is_not_too_long CHECK (char_length(executor) <= 200),
	CONSTRAINT nodes_executor_options_are_not_too_long CHECK (octet_length(executor_options) <= 100000),
	CONSTRAINT nodes_retries_are_within_bounds CHECK (retries BETWEEN 0 AND 1000),
	CONSTRAINT nodes_repeats_have_an_end CHECK ((repeat_every IS NULL) = (repeat_until IS NULL)),
	CONSTRAINT nodes_repeats_are_of_normal_nodes CHECK (repeat_every IS NULL OR node_type = 'N' AND (exec_command IS NOT NULL OR exec_sql IS NOT NULL)),
	CONSTRAINT nodes_repeat_every_is_elapsed_time CHECK (repeat_every >= interval '1 second' AND repeat_every < interval '168:00'
		AND extract(day FROM repeat_every) = 0 AND extract(month FROM repeat_every) = 0 AND extract(year FROM repeat_every) = 0),
	CONSTRAINT nodes_repeat_until_is_within_a_week CHECK (repeat_until >= interval '0' AND repeat_until < interval '168:00'
		AND extract(day FROM repeat_until) = 0 AND extract(month FROM repeat_until) = 0 AND extract(year FROM repeat_until) = 0),
	CONSTRAINT nodes_deadlines_are_within_a_week CHECK (start_by >= interval '0' AND start_by < interval '168:00' AND finish_by >= interval '0' AND finish_by < interval '168:00'),
	CONSTRAINT nodes_deadlines_are_written_in_hours CHECK (extract(day FROM start_by) = 0 AND extract(month FROM start_by) = 0 AND extract(year FROM start_by) = 0
		AND extract(day FROM finish_by) = 0 AND extract(month FROM finish_by) = 0 AND extract(year FROM finish_by) = 0),
	CONSTRAINT nodes_max_duration_is_positive CHECK (max_duration > interval '0'),
	CONSTRAINT nodes_max_duration_is_of_what_runs CHECK (node_type NOT IN ('S', 'E') OR max_duration IS NULL),
	CONSTRAINT nodes_wait_file_is_absolute CHECK (wait_file ~ '^[/$]'),
	CONSTRAINT nodes_wait_file_is_one_line CHECK (josch.is_one_line(wait_file) AND octet_length(wait_file) <= 4000),
	CONSTRAINT nodes_wait_stable_is_within_bounds CHECK (wait_stable >= interval '0' AND wait_stable <= interval '168:00'),
	CONSTRAINT nodes_wait_sql_is_not_blank CHECK (wait_sql ~ '[^[:space:]]' AND octet_length(wait_sql) <= 100000),
	CONSTRAINT nodes_wait_interval_is_within_bounds CHECK (wait_interval >= interval '1 second' AND wait_interval <= interval '168:00'),
	CONSTRAINT nodes_retry_backoff_is_within_bounds CHECK (retry_backoff BETWEEN 1 AND 10 AND scale(retry_backoff) <= 6),
	-- nearly all are as they were born, and each change of a row asks
	CONSTRAINT nodes_retry_on_is_known CHECK (retry_on = '{exit}' OR josch.is_retry_on(retry_on)),
	CONSTRAINT nodes_join_rule_is_known CHECK (join_rule IN ('all', 'any')),
	CONSTRAINT nodes_on_failure_is_known CHECK (on_failure IN ('ask', 'abandon'))
);
-- the ends of jobs are few
CREATE INDEX tpl_nodes_end_of_job_idx ON josch.tpl_nodes (job_name) WHERE node_type = 'E';
COMMENT ON TABLE josch.tpl_nodes IS
'Template nodes: the tasks. Writing a command or a work_dir needs pg_execute_server_program; an owner must be a role that the writer is a member of.';
COMMENT ON COLUMN josch.tpl_nodes.node_id IS 'Number of the node, the same on every day; left out, it is one that no node ever had';
COMMENT ON COLUMN josch.tpl_nodes.node_type IS 'S sign-off, L long-running, N normal, R review; E the end of its job: it runs nothing, and waits, without a dependency that says so, for all other nodes of its job (all but those of type E) to end well; with one of them abandoned it is abandoned when all have ended. What depends on it depends on the whole job';
COMMENT ON COLUMN josch.tpl_nodes.job_name IS 'The job that it belongs to';
COMMENT ON COLUMN josch.tpl_nodes.node_name IS 'Its name, for people: one line, 200 characters at most; no other node of the job has it';
COMMENT ON COLUMN josch.tpl_nodes.exec_command IS
'Command line, run by /bin/sh -c with the variables of environs and the built-in ones (DATE; PREV_DATE and NEXT_DATE, the days beside it in the calendar of its job, or the nearest ones made of it, not set when there is none; JOB_NAME, NODE_ID, NODE_NAME, RUN_ID, ATTEMPT) in its environment; 100,000 bytes at most. NULL: a milestone, unless there is exec_sql';
COMMENT ON COLUMN josch.tpl_nodes.signoff_time IS 'S only: time of day, in the job''s time zone, at which the sign-off is asked for: what the clock on the wall shows, in hours from midnight of the job''s date, 26:00 for 02:00 on the day after, before 168:00 (an interval, so that a time zone in it is refused and not dropped); NULL: as soon as the parents are done';
COMMENT ON COLUMN josch.tpl_nodes.start_time IS 'L, N and R: time of day, as in signoff_time, before which the node does not start; NULL: as soon as the parents are done';
COMMENT ON COLUMN josch.tpl_nodes.exec_sql IS 'SQL statements, run inside the database as the owner; instead of a command; 1,000,000 bytes at most. The variables that a command has are settings here: current_setting(''josch_run.DATE''). The output that is kept: notices, command tags, the first 100 rows of each result';
COMMENT ON COLUMN josch.tpl_nodes.exec_sql_atomic IS 'True: all statements and the node''s success commit in one transaction. False: each statement commits on its own, for those that cannot run in a transaction block (VACUUM, CREATE INDEX CONCURRENTLY)';
COMMENT ON COLUMN josch.tpl_nodes.ready_command IS 'L only: tried again and again after the start; its exit code 0 means that the node is up';
COMMENT ON COLUMN josch.tpl_nodes.ready_after IS 'L without ready_command: the node is up when it has lived for so long';
COMMENT ON COLUMN josch.tpl_nodes.timeout IS 'The longest that a run may take before it is stopped and has failed, 100 years at most; NULL: no limit';
COMMENT ON COLUMN josch.tpl_nodes.stop_grace IS 'Time between the polite signal (TERM) and the last one (KILL) when a run is stopped';
COMMENT ON COLUMN josch.tpl_nodes.work_dir IS 'Directory in which the command runs: an absolute path in one line; NULL for the setting josch.work_directory';
COMMENT ON COLUMN josch.tpl_nodes.owner IS 'Role as which exec_sql runs: it stays the owner when it is renamed. Of a role that is gone, the name that was written';
COMMENT ON COLUMN josch.tpl_nodes.success_codes IS 'Exit codes of the command that mean success: a set of ranges, ''{[0,0],[10,19]}'' for 0 and 10 to 19';
COMMENT ON COLUMN josch.tpl_nodes.retry_codes IS 'Exit codes after which it is tried again, as far as retry_on has exit; NULL: any that is no success, but 126 and 127, by which a shell says that it could not execute the command (start). None may be a success';
COMMENT ON COLUMN josch.tpl_nodes.retries IS 'How often it is tried again by itself before a person is asked: 0 to 1000. What a person does about it (retry, rerun, force_start) gives it as many anew';
COMMENT ON COLUMN josch.tpl_nodes.retry_delay IS 'How long after the end of the first attempt the second begins, and up to a tenth more, so that many that failed together do not come together again';
COMMENT ON COLUMN josch.tpl_nodes.retry_backoff IS 'By how much each delay is longer than the one before: 1 to 10';
COMMENT ON COLUMN josch.tpl_nodes.retry_max_delay IS 'The longest delay (and up to a tenth more)';
COMMENT ON COLUMN josch.tpl_nodes.retry_on IS 'After which ends it is tried again: exit (an exit code, of retry_codes), signal (that nobody asked for), timeout (its own), start (it could not be executed), sqlstate:40 (SQL that fails by an SQLSTATE of that class), sqlstate:P0001 (by that one). Where no sqlstate is named beside others, sqlstate:40 is meant; {}: after none. What a person has stopped is never tried again';
COMMENT ON COLUMN josch.tpl_nodes.repeatable IS 'True: it does no harm to run it twice, so that it is tried again, as one of its retries, also when it cannot be known how a run of it ended; unless processes of that run are known to live';
COMMENT ON COLUMN josch.tpl_nodes.join_rule IS 'How it joins its dependencies: all (it runs when none waits and none is impossible, and is omitted as soon as one is impossible) or any (it runs when one is satisfied, and is omitted when none waits and none is satisfied: the node behind two branches). One without dependencies runs';
COMMENT ON COLUMN josch.tpl_nodes.on_failure IS 'ask: when it has failed it waits for a person. abandon: it is abandoned instead, and the day goes on without it; what a person finds to have failed, or has stopped (josch.reject, josch.mark_failed, josch.stop), is asked for all the same';
COMMENT ON COLUMN josch.tpl_nodes.repeat_every IS 'N with a command or SQL: it runs again and again, so long after its first start of the day each time, as time elapses, whatever the clock on the wall does; while a run goes on no other begins, and what was missed is not made up for. 1 second to 168 hours, written in hours. NULL: it runs once';
COMMENT ON COLUMN josch.tpl_nodes.repeat_until IS 'Time of day, as in start_time, after which no further run begins: then the node has succeeded, and its children go on. With repeat_every';
COMMENT ON COLUMN josch.tpl_nodes.start_by IS 'Time of day, as in start_time, by which it is to have started, or been asked for, or gone on without: else the alarm late_start is raised. NULL: no such alarm';
COMMENT ON COLUMN josch.tpl_nodes.finish_by IS 'Time of day, as in start_time, by which it is to be done (an L: to be up): else the alarm late_end is raised. NULL: no such alarm';
COMMENT ON COLUMN josch.tpl_nodes.max_duration IS 'L, N and R: the longest that a run is expected to take (an L: to be up): after that the alarm too_long is raised, and it runs on; 100 years at most. NULL: no such alarm. timeout is what ends it';
COMMENT ON COLUMN josch.tpl_nodes.wait_file IS 'Once all else that it waits for is done, it waits until this file is there: an absolute path, whose last part may be a pattern (*, ?, [a-z]), with variables as a command has them: $DATE, ${DATE}, and ${DATE//-/} for it without its -. 4,000 bytes at most. Writing it needs pg_execute_server_program. NULL: none. Who starts it by force (josch.force_start) waives it';
COMMENT ON COLUMN josch.tpl_nodes.wait_stable IS 'How long that file must not have changed: up to 168 hours';
COMMENT ON COLUMN josch.tpl_nodes.wait_sql IS 'Once all else is done, it waits until this query is true: one SELECT of one boolean, run as the owner, read only, within 10 seconds, with the settings josch_run.DATE and so on; no row and NULL are false. 100,000 bytes at most. NULL: none. Who starts it by force (josch.force_start) waives it';
COMMENT ON COLUMN josch.tpl_nodes.wait_interval IS 'How often wait_sql is asked when no table that josch.watch() names has changed, and how often it is looked for wait_file where the file system does not tell (NFS and the like): 1 second to 168 hours';
COMMENT ON COLUMN josch.tpl_nodes.skip_codes IS 'Exit codes by which the command says that there is nothing to do today: the node is omitted, and so is what needs its success. None may be a success or one of retry_codes; of a node that is up they are failures. NULL: none';
COMMENT ON COLUMN josch.tpl_nodes.priority IS 'Which of several nodes that wait for a place or for units starts first: the higher, -1000 to 1000. One that waits rises by a point each josch.aging_interval';
COMMENT ON COLUMN josch.tpl_nodes.executor IS 'The executor (josch.executors) that runs the command elsewhere; local: it runs where the runner is, whatever the job says. NULL: as the job says (tpl_jobs.executor), and there too it may be NULL: here. Writing it needs pg_execute_server_program';
COMMENT ON COLUMN josch.tpl_nodes.executor_options IS 'Words for that executor: a partition, a queue, memory; split as those of a command are, with its variables. 100,000 bytes at most. Writing it needs pg_execute_server_program';

CREATE TABLE josch.tpl_node_deps (
	p_node_id	bigint NOT NULL REFERENCES josch.tpl_nodes ON DELETE CASCADE ON UPDATE CASCADE,
	p_date		integer NOT NULL DEFAULT 0,
	c_node_id	bigint NOT NULL REFERENCES josch.tpl_nodes ON DELETE CASCADE ON UPDATE CASCADE,
	c_date		integer NOT NULL DEFAULT 0,
	condition	text NOT NULL DEFAULT 'success',
	PRIMARY KEY (p_node_id, p_date, c_node_id, c_date),
	CONSTRAINT node_deps_condition_is_known CHECK (condition IN ('success', 'done', 'failure', 'well')),
	CONSTRAINT tpl_node_deps_dates_are_near CHECK (p_date BETWEEN -366 AND 366 AND c_date BETWEEN -366 AND 366)
);
CREATE INDEX tpl_node_deps_child_idx ON josch.tpl_node_deps (c_node_id);
COMMENT ON TABLE josch.tpl_node_deps IS
'Template dependencies: the child waits for the parent. Every cycle must have a total lag (c_date - p_date) above zero, else the statement is refused.';
COMMENT ON COLUMN josch.tpl_node_deps.p_node_id IS 'The parent node';
COMMENT ON COLUMN josch.tpl_node_deps.p_date IS 'Its day, relative to the day at hand: 0 the same; -1 the last day before it in the calendar of the parent''s job (tpl_jobs.calendar_name), or where it has none the nearest earlier day that was made of that job; -2 the one before that; above 0 later ones. What counts is p_date - c_date. Where there is no such day there is nothing to wait for';
COMMENT ON COLUMN josch.tpl_node_deps.c_node_id IS 'The child node';
COMMENT ON COLUMN josch.tpl_node_deps.c_date IS 'Its day, relative to the day at hand; (0, 1) is the same as (-1, 0)';
COMMENT ON COLUMN josch.tpl_node_deps.condition IS 'What the child waits for: success (the parent has succeeded, is up, or was skipped by a person), done (however it ended), failure, or well (it has ended, and not badly: it has succeeded, was skipped, or was not to run). josch.states() has what each state of a parent is to each of them. Of two rows that are the same dependency of a day the first of these holds';

/* ---- days: what runs ---- */

CREATE TABLE josch.jobs (
	job_name		text NOT NULL,
	job_date		date NOT NULL,
	job_desc		text,
	time_zone		text NOT NULL,
	environ			jsonb NOT NULL DEFAULT '{}',
	scheduled_at	timestamptz NOT NULL DEFAULT josch.now(),
	scheduled_by	text DEFAULT SESSION_USER,
	calendar_name	text,
	prev_date		date,
	next_date		date,
	calendar_known	boolean NOT NULL DEFAULT true,
	params			jsonb NOT NULL DEFAULT '{}',
	max_running		integer,
	PRIMARY KEY (job_name, job_date),
	CONSTRAINT jobs_job_name_is_one_line CHECK (josch.is_one_line(job_name) AND char_length(job_name) <= 200),
	CONSTRAINT jobs_job_date_is_readable CHECK (josch.is_readable_date(job_date)),
	CONSTRAINT jobs_dates_beside_are_readable CHECK (josch.is_readable_date(prev_date) AND josch.is_readable_date(next_date)),
	CONSTRAINT jobs_calendar_name_is_not_too_long CHECK (char_length(calendar_name) <= 200),
	CONSTRAINT jobs_max_running_is_within_bounds CHECK (max_running BETWEEN 1 AND 100000),
	CONSTRAINT jobs_time_zone_is_known CHECK (josch.is_time_zone(time_zone)),
	CONSTRAINT jobs_job_desc_is_not_too_long CHECK (octet_length(job_desc) <= 100000),
	CONSTRAINT jobs_environ_is_an_object CHECK (jsonb_typeof(environ) = 'object'),
	CONSTRAINT jobs_environ_is_not_too_long CHECK (octet_length(environ::text) <= 4000000),
	CONSTRAINT jobs_params_are_variables CHECK (josch.is_parameters(params)),
	CONSTRAINT jobs_params_are_not_too_long CHECK (octet_length(params::text) <= 1000000)
);
CREATE INDEX jobs_date_idx ON josch.jobs (job_date);
COMMENT ON TABLE josch.jobs IS 'Jobs of a date: copies of tpl_jobs, made by josch.schedule()';
COMMENT ON COLUMN josch.jobs.job_name IS 'Name of the job';
COMMENT ON COLUMN josch.jobs.job_date IS 'The business date that this copy is for';
COMMENT ON COLUMN josch.jobs.job_desc IS 'What it is for, in words';
COMMENT ON COLUMN josch.jobs.time_zone IS 'Time zone of its times of day';
COMMENT ON COLUMN josch.jobs.environ IS 'The environment of its commands: a copy of environs, an object of strings; 4,000,000 bytes at most, as no more can be given to a command';
COMMENT ON COLUMN josch.jobs.scheduled_at IS 'When this copy was made';
COMMENT ON COLUMN josch.jobs.scheduled_by IS 'Session user who made it; NULL: it made itself (tpl_jobs.schedule_at)';
COMMENT ON COLUMN josch.jobs.calendar_name IS 'The business calendar that the job had when it was made; NULL: none';
COMMENT ON COLUMN josch.jobs.prev_date IS 'The last open day of that calendar before the date, as it was then: PREV_DATE of its commands. NULL: none, or no calendar';
COMMENT ON COLUMN josch.jobs.next_date IS 'The next open day of that calendar, as it was then: NEXT_DATE of its commands. NULL: none, or no calendar';
COMMENT ON COLUMN josch.jobs.calendar_known IS 'False when the date was beyond what somebody vouched for (josch.known_until) when it was made';
COMMENT ON COLUMN josch.jobs.max_running IS 'As in tpl_jobs; may be changed here for this day alone';
COMMENT ON COLUMN josch.jobs.params IS 'The parameters of this day alone, given by who made it (josch.schedule, josch.backfill): variables of its commands, which win over environ; an object of strings, 1,000,000 bytes at most. A day that made itself has none';

/* What became of each day that was to make itself: no foreign key, it outlives the day and the template. */
CREATE TABLE josch.job_days (
	job_name	text NOT NULL,
	job_date	date NOT NULL,
	due_at		timestamptz NOT NULL,
	outcome		text NOT NULL,
	made_at		timestamptz,
	decided_by	text,
	decided_at	timestamptz NOT NULL DEFAULT josch.now(),
	comment		text,
	PRIMARY KEY (job_name, job_date),
	CONSTRAINT job_days_job_name_is_one_line CHECK (josch.is_one_line(job_name) AND char_length(job_name) <= 200),
	CONSTRAINT job_days_job_date_is_readable CHECK (josch.is_readable_date(job_date)),
	CONSTRAINT job_days_outcome_is_known CHECK (outcome IN ('made', 'late', 'missed', 'asked', 'declined', 'failed')),
	CONSTRAINT job_days_made_is_made CHECK ((made_at IS NULL) = (outcome NOT IN ('made', 'late'))),
	CONSTRAINT job_days_comment_is_not_too_long CHECK (octet_length(comment) <= 10000)
);
CREATE INDEX job_days_open_idx ON josch.job_days (job_date, job_name) WHERE outcome IN ('asked', 'failed');
CREATE INDEX job_days_open_of_job_idx ON josch.job_days (job_name, due_at) WHERE outcome IN ('asked', 'failed');
COMMENT ON TABLE josch.job_days IS
'Days that were to make themselves (tpl_jobs.schedule_at), and what became of each: one row for every one whose time has come.';
COMMENT ON COLUMN josch.job_days.job_name IS 'Name of the job';
COMMENT ON COLUMN josch.job_days.job_date IS 'The date';
COMMENT ON COLUMN josch.job_days.due_at IS 'When it was to make itself';
COMMENT ON COLUMN josch.job_days.outcome IS
'made: in time, or it was there already; late: more than a minute after it was due; missed: not made, and nobody is asked (catch_up none or latest); asked: somebody is to decide (catch_up ask, or the day was taken back); declined: somebody has decided that it is not made; failed: it could not be made, comment says why, and somebody is to decide. Other jobs wait for days that are asked or failed, not for those that are missed or declined';
COMMENT ON COLUMN josch.job_days.made_at IS 'When it was made; NULL: it is not';
COMMENT ON COLUMN josch.job_days.decided_by IS 'Session user who made it, took it back or declined it; NULL: nobody, it made itself or the template''s catch_up decided';
COMMENT ON COLUMN josch.job_days.decided_at IS 'When that was';
COMMENT ON COLUMN josch.job_days.comment IS 'What that person wrote, or why it could not be made; 10,000 bytes at most';

/* one number for each change of a node's state */
CREATE SEQUENCE josch.change_id_seq CACHE 1;
COMMENT ON SEQUENCE josch.change_id_seq IS 'Numbers the changes of node states (nodes.change_id)';

CREATE TABLE josch.nodes (
	job_date		date NOT NULL,
	LIKE josch.tpl_nodes INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
	state			text NOT NULL DEFAULT 'pending',
	state_since		timestamptz NOT NULL DEFAULT josch.now(),
	change_id		bigint NOT NULL DEFAULT nextval('josch.change_id_seq'),
	unmet			integer NOT NULL DEFAULT 0,
	impossible		integer NOT NULL DEFAULT 0,
	satisfied		integer NOT NULL DEFAULT 0,
	level			integer NOT NULL DEFAULT 0,
	due_at			timestamptz,
	forced			boolean NOT NULL DEFAULT false,
	run_id			bigint,
	attempt			integer NOT NULL DEFAULT 0,
	started_at		timestamptz,
	ended_at		timestamptz,
	message			text,
	action			text,
	acted_by		text,
	acted_at		timestamptz,
	comment			text,
	not_before		timestamptz,
	retried			integer NOT NULL DEFAULT 0,
	repeats_from	timestamptz,
	late_start_at	timestamptz,
	late_end_at		timestamptz,
	file_found		text,
	sql_true_at		timestamptz,
	limit_group		bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (job_date, node_id),
	CONSTRAINT nodes_node_name_is_unique_in_its_job UNIQUE (job_date, job_name, node_name),
	FOREIGN KEY (job_name, job_date) REFERENCES josch.jobs,
	CONSTRAINT nodes_state_is_known CHECK (state IN ('pending', 'ready', 'running', 'up', 'review', 'signoff',
		'succeeded', 'failed', 'unknown', 'held', 'skipped', 'abandoned', 'omitted')),
	CONSTRAINT nodes_unmet_is_not_negative CHECK (unmet >= 0),
	CONSTRAINT nodes_counts_are_not_negative CHECK (impossible >= 0 AND satisfied >= 0),
	CONSTRAINT nodes_level_is_not_negative CHECK (level >= 0),
	CONSTRAINT nodes_attempt_is_not_negative CHECK (attempt >= 0),
	CONSTRAINT nodes_retried_is_not_negative CHECK (retried >= 0),
	CONSTRAINT nodes_comment_is_not_too_long CHECK (octet_length(comment) <= 10000),
	CONSTRAINT nodes_file_found_is_not_too_long CHECK (octet_length(file_found) <= 5000),
	CONSTRAINT nodes_message_is_not_too_long CHECK (octet_length(message) <= 10000),
	CONSTRAINT nodes_executor_of_a_day_is_resolved CHECK (executor <> 'local'),
	CONSTRAINT nodes_act_is_whole CHECK ((action IS NULL) = (acted_by IS NULL) AND (action IS NULL) = (acted_at IS NULL))
) WITH (fillfactor = 70);
-- the days of a node, also when its job had another name
CREATE INDEX nodes_node_idx ON josch.nodes (node_id, job_date);
CREATE INDEX nodes_end_of_job_idx ON josch.nodes (job_date, job_name) WHERE node_type = 'E';
COMMENT ON TABLE josch.nodes IS
'Nodes of a date: copies of tpl_nodes with their state. People change state by the functions (josch.signoff() ...) or by UPDATE of state and comment; each change must be an edge of josch.fsm.';
COMMENT ON COLUMN josch.nodes.job_date IS 'The business date that this copy is for';
COMMENT ON COLUMN josch.nodes.node_id IS 'Number of the node, the same on every day';
COMMENT ON COLUMN josch.nodes.node_type IS 'S sign-off, L long-running, N normal, R review, E the end of its job';
COMMENT ON COLUMN josch.nodes.job_name IS 'The job that it belongs to';
COMMENT ON COLUMN josch.nodes.node_name IS 'Its name, for people';
COMMENT ON COLUMN josch.nodes.exec_command IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.signoff_time IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.start_time IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.exec_sql IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.exec_sql_atomic IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.ready_command IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.ready_after IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.timeout IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.stop_grace IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.work_dir IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.owner IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.success_codes IS 'As in tpl_nodes; this and what follows up to repeatable are asked when a run ends, as they are then, and may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.retry_codes IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.retries IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.retry_delay IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.retry_backoff IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.retry_max_delay IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.retry_on IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.repeatable IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.join_rule IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.on_failure IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.repeat_every IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.repeat_until IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.start_by IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.finish_by IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.max_duration IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.wait_file IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.wait_stable IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.wait_sql IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.wait_interval IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.skip_codes IS 'As in tpl_nodes';
COMMENT ON COLUMN josch.nodes.priority IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.executor IS 'The executor that runs its command, as it was resolved when the day was made; NULL: it runs where the runner is. May be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.executor_options IS 'As in tpl_nodes; may be mended here for this day alone';
COMMENT ON COLUMN josch.nodes.state IS 'One of josch.fsm''s states';
COMMENT ON COLUMN josch.nodes.state_since IS 'When it came into that state';
COMMENT ON COLUMN josch.nodes.change_id IS 'Number of its last change of state; greater is later. The id of the notification';
COMMENT ON COLUMN josch.nodes.unmet IS 'Number of dependencies that it waits for; kept by triggers';
COMMENT ON COLUMN josch.nodes.impossible IS 'Number of dependencies of which the parent will not come to what they wait for, unless it runs again; kept by triggers';
COMMENT ON COLUMN josch.nodes.satisfied IS 'Number of dependencies that are satisfied; kept by triggers';
COMMENT ON COLUMN josch.nodes.level IS 'A number greater than that of every parent; the order in which rows are locked. Kept by triggers';
COMMENT ON COLUMN josch.nodes.due_at IS 'Not before this moment: signoff_time or start_time on job_date in the job''s time zone; NULL: no such limit';
COMMENT ON COLUMN josch.nodes.forced IS 'True when a person started it without its parents or before its time (josch.force_start)';
COMMENT ON COLUMN josch.nodes.run_id IS 'Its latest run (josch.runs)';
COMMENT ON COLUMN josch.nodes.attempt IS 'Number of its runs so far';
COMMENT ON COLUMN josch.nodes.started_at IS 'Start of the latest run';
COMMENT ON COLUMN josch.nodes.ended_at IS 'End of the latest run';
COMMENT ON COLUMN josch.nodes.message IS 'Why it is in its state, in words: the exit code, the signal, the error; or, of one that could not be started yet for want of something, "waits: " and of what';
COMMENT ON COLUMN josch.nodes.action IS 'The last act of a person on it (josch.fsm.action); NULL when nobody has acted';
COMMENT ON COLUMN josch.nodes.acted_by IS 'Session user who acted last; never a name that a client sends';
COMMENT ON COLUMN josch.nodes.acted_at IS 'When that was';
COMMENT ON COLUMN josch.nodes.comment IS 'What that person wrote, 10,000 bytes at most: set in the same UPDATE, or by the setting josch.comment';
COMMENT ON COLUMN josch.nodes.not_before IS 'Of one that has failed and is tried again by itself: when its next attempt begins; NULL: none waits. Other than due_at it holds for a forced start, too';
COMMENT ON COLUMN josch.nodes.retried IS 'How many of its retries are used up, since the last act of a person that gave it as many anew';
COMMENT ON COLUMN josch.nodes.repeats_from IS 'Its first start, from which repeat_every counts; NULL: it has not started, or is not repeated. A rerun begins anew';
COMMENT ON COLUMN josch.nodes.late_start_at IS 'start_by on job_date in the job''s time zone; NULL: no such limit';
COMMENT ON COLUMN josch.nodes.late_end_at IS 'finish_by on job_date in the job''s time zone; NULL: no such limit';
COMMENT ON COLUMN josch.nodes.file_found IS 'The file that wait_file has found; NULL: none yet. It is waited for anew when wait_file is mended, and when the node waits for its parents again';
COMMENT ON COLUMN josch.nodes.sql_true_at IS 'When wait_sql was found to be true; NULL: not yet. It is asked anew as file_found is waited for';
COMMENT ON COLUMN josch.nodes.limit_group IS 'The same number for all nodes that need the same units of the same semaphores, have the same executor, and whose jobs have the same limit; 0: it needs none. Kept by triggers';

CREATE TABLE josch.claims (
	job_date		date NOT NULL,
	node_id			bigint NOT NULL,
	job_name		text NOT NULL,
	change_id		bigint NOT NULL,
	claimed_by		text NOT NULL,
	claimed_at		timestamptz NOT NULL,
	claimed_until	timestamptz NOT NULL,
	comment			text,
	PRIMARY KEY (job_date, node_id),
	FOREIGN KEY (job_date, node_id) REFERENCES josch.nodes ON DELETE CASCADE,
	CONSTRAINT claims_end_after_they_begin CHECK (claimed_until >= claimed_at),
	CONSTRAINT claims_comment_is_not_too_long CHECK (octet_length(comment) <= 10000)
);
COMMENT ON TABLE josch.claims IS
'Who looks at what waits for a person: the last claim on a node, written by josch.claim(). It is in force while the node''s change_id is the claim''s, until its time is up; josch.attention shows those that are.';
COMMENT ON COLUMN josch.claims.job_date IS 'The date of the node';
COMMENT ON COLUMN josch.claims.node_id IS 'The node';
COMMENT ON COLUMN josch.claims.job_name IS 'The job that it belongs to';
COMMENT ON COLUMN josch.claims.change_id IS 'The node''s change_id when it was claimed: with the next change of its state the claim is over';
COMMENT ON COLUMN josch.claims.claimed_by IS 'Session user who looks at it';
COMMENT ON COLUMN josch.claims.claimed_at IS 'Since when';
COMMENT ON COLUMN josch.claims.claimed_until IS 'Until when at the latest: josch.claim_time after it was said, or when that person took it back';
COMMENT ON COLUMN josch.claims.comment IS 'What that person wrote, 10,000 bytes at most';

CREATE TABLE josch.node_deps (
	p_node_id	bigint NOT NULL,
	p_date		date NOT NULL,
	c_node_id	bigint NOT NULL,
	c_date		date NOT NULL,
	expected	boolean NOT NULL DEFAULT true,
	lag			integer NOT NULL DEFAULT 0,
	condition	text NOT NULL DEFAULT 'success',
	PRIMARY KEY (p_date, p_node_id, c_date, c_node_id, lag),
	FOREIGN KEY (c_node_id, c_date) REFERENCES josch.nodes (node_id, job_date) ON DELETE CASCADE,
	CONSTRAINT node_deps_condition_is_known CHECK (condition IN ('success', 'done', 'failure', 'well')),
	CONSTRAINT node_deps_p_date_is_readable CHECK (p_date BETWEEN date '0001-01-01' AND date '9999-12-31')
);
CREATE INDEX node_deps_child_idx ON josch.node_deps (c_date, c_node_id);
CREATE INDEX node_deps_earlier_idx ON josch.node_deps (p_node_id, c_date) WHERE lag > 0;
CREATE INDEX node_deps_later_idx ON josch.node_deps (p_node_id, c_date) WHERE lag < 0;
COMMENT ON TABLE josch.node_deps IS
'Dependencies of a date, with absolute dates. A parent that does not exist is waited for only when it is expected; when it is made later it counts again.';
COMMENT ON COLUMN josch.node_deps.p_node_id IS 'The parent node';
COMMENT ON COLUMN josch.node_deps.p_date IS 'Its date; of a dependency with a lag, the day that it stands for at present, or one that is not made when there is none';
COMMENT ON COLUMN josch.node_deps.c_node_id IS 'The child node';
COMMENT ON COLUMN josch.node_deps.c_date IS 'Its date';
COMMENT ON COLUMN josch.node_deps.expected IS 'Whether the child waits for the parent although it is not made yet: its date was on or after its job''s valid_from, and is one of the job''s calendar, or of a job without one the child''s own';
COMMENT ON COLUMN josch.node_deps.lag IS 'c_date - p_date of the template: 1 for the nearest earlier day that was made of the parent''s job, which had no calendar, 2 for the one before, below 0 for later ones. When such a day is made or taken back, p_date follows as long as the child has not started. 0: p_date is meant as it stands, as it is of a job with a calendar';
COMMENT ON COLUMN josch.node_deps.condition IS 'As in tpl_node_deps';

/* No foreign key: it would wait for whoever has locked the node FOR UPDATE.  Many may note a node at once: none waits for another's row. */
CREATE TABLE josch.recounts (
	node_id		bigint NOT NULL,
	job_date	date NOT NULL,
	note		bigint NOT NULL DEFAULT josch.new_nonce(),
	PRIMARY KEY (job_date, node_id, note)
);
COMMENT ON TABLE josch.recounts IS
'Nodes whose parents are to be counted anew: somebody''s transaction held them when a parent was changed by the scheduler, or by a person who let them go on, and neither waited. Nearly always empty; the scheduler counts when the node is free.';
COMMENT ON COLUMN josch.recounts.node_id IS 'The node';
COMMENT ON COLUMN josch.recounts.job_date IS 'Its date';
COMMENT ON COLUMN josch.recounts.note IS 'A random number, which tells the notes of a node apart';

/* Kept by the trigger on nodes alone, so that no index of nodes knows their state: they change in place.  Not dumped: it follows from the rows. */
CREATE TABLE josch.waiting (
	waits_for	"char" NOT NULL,
	limit_group	bigint NOT NULL DEFAULT 0,
	due_at		timestamptz NOT NULL,
	job_date	date NOT NULL,
	node_id		bigint NOT NULL,
	PRIMARY KEY (waits_for, limit_group, due_at, job_date, node_id),
	CONSTRAINT waiting_waits_for_is_known CHECK (waits_for IN ('f', 'c', 's', 't', 'w', 'p', 'h', 'o', 'l', 'x'))
);
COMMENT ON TABLE josch.waiting IS
'Nodes that wait, other than for their parents: where the scheduler and josch.attention find them. It follows from the rows of josch.nodes, whoever changes them.';
COMMENT ON COLUMN josch.waiting.waits_for IS
'f: it is ready, and the next pass takes it; c: it is ready, and waits for one of josch.max_running places; s: the same of josch.max_sql_workers; t: it is ready, and waits for its time; w: for a file, or for wait_sql; p: for a person; h: it is held; o: the next pass omits it, or takes it back; l: it is ready, and has a priority, or needs units of semaphores or a place of its job; x: it is ready, and its job or day is paused';
COMMENT ON COLUMN josch.waiting.limit_group IS 'Of those that have limits (l) the same number for all that are alike in what they need and in their priority: of these the first that waits starts first; of the others 0';
COMMENT ON COLUMN josch.waiting.due_at IS 'The moment that it waits for (t), or since which it waits (l); of the others -infinity';
COMMENT ON COLUMN josch.waiting.job_date IS 'The date of the node';
COMMENT ON COLUMN josch.waiting.node_id IS 'The node';

/* ---- runs: what ran ---- */

CREATE SEQUENCE josch.run_id_seq;
COMMENT ON SEQUENCE josch.run_id_seq IS 'Numbers the runs; a number is never used again';

CREATE TABLE josch.runs (
	run_id				bigint PRIMARY KEY DEFAULT nextval('josch.run_id_seq'),
	node_id				bigint NOT NULL,
	job_date			date NOT NULL,
	attempt				integer NOT NULL,
	kind				text NOT NULL,
	node_type			text NOT NULL DEFAULT 'N',
	exec_command		text,
	exec_sql			text,
	exec_sql_atomic		boolean NOT NULL DEFAULT true,
	ready_command		text,
	ready_after			interval NOT NULL DEFAULT '1 second',
	timeout				interval,
	stop_grace			interval NOT NULL DEFAULT '10 seconds',
	work_dir			text,
	owner				josch.role NOT NULL DEFAULT SESSION_USER,
	status				text NOT NULL DEFAULT 'starting',
	requested_at		timestamptz NOT NULL DEFAULT josch.now(),
	started_at			timestamptz,
	up_at				timestamptz,
	ended_at			timestamptz,
	exit_code			integer,
	exit_signal			integer,
	message				text,
	timed_out			boolean NOT NULL DEFAULT false,
	stop_requested_at	timestamptz,
	stop_requested_by	text,
	host				text,
	pid					integer,
	cpu_seconds			double precision,
	peak_memory			bigint,
	log					text,
	output_tail			text,
	survivors			text,
	server				text,
	ledger				text,
	nonce				bigint NOT NULL DEFAULT josch.new_nonce(),
	tries				integer,
	token				bigint,
	sqlstate			text,
	executor			text,
	executor_options	text,
	UNIQUE (node_id, job_date, attempt),
	FOREIGN KEY (node_id, job_date) REFERENCES josch.nodes (node_id, job_date),
	CONSTRAINT runs_kind_is_known CHECK (kind IN ('command', 'sql')),
	CONSTRAINT runs_status_is_known CHECK (status IN ('starting', 'running', 'succeeded', 'failed', 'unknown')),
	CONSTRAINT runs_ended_is_over CHECK ((ended_at IS NULL) = (status IN ('starting', 'running'))),
	CONSTRAINT runs_exit_is_one CHECK (exit_code IS NULL OR exit_signal IS NULL),
	CONSTRAINT runs_exit_is_at_the_end CHECK (ended_at IS NOT NULL OR (exit_code IS NULL AND exit_signal IS NULL)),
	CONSTRAINT runs_unknown_has_no_exit CHECK (status <> 'unknown' OR (exit_code IS NULL AND exit_signal IS NULL)),
	CONSTRAINT runs_nonce_is_one CHECK (nonce <> 0),
	CONSTRAINT runs_sqlstate_is_not_too_long CHECK (octet_length(sqlstate) <= 5),
	CONSTRAINT runs_texts_are_not_too_long CHECK (octet_length(message) <= 10000 AND octet_length(output_tail) <= 20000
		AND octet_length(survivors) <= 20000 AND octet_length(log) <= 4000 AND octet_length(host) <= 1000
		AND octet_length(ledger) <= 1000 AND octet_length(server) <= 4000 AND octet_length(executor) <= 4000
		AND octet_length(executor_options) <= 100000),
	CONSTRAINT runs_stop_is_whole CHECK ((stop_requested_at IS NULL) = (stop_requested_by IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX runs_open_idx ON josch.runs (run_id) WHERE ended_at IS NULL;
COMMENT ON TABLE josch.runs IS
'Runs: one row for each attempt at executing a node, committed before the command is sent to the runner. Written by the scheduler only.';
COMMENT ON COLUMN josch.runs.run_id IS 'Number of the run, unique for ever';
COMMENT ON COLUMN josch.runs.node_id IS 'The node';
COMMENT ON COLUMN josch.runs.job_date IS 'Its date';
COMMENT ON COLUMN josch.runs.attempt IS '1 for the first run of the node, 2 for the second, ...';
COMMENT ON COLUMN josch.runs.kind IS 'command (exec_command, run by the runner) or sql (exec_sql, run by a worker of the server)';
COMMENT ON COLUMN josch.runs.node_type IS 'The node''s when the run was made, as all that follows up to owner: what is edited later concerns the next run only';
COMMENT ON COLUMN josch.runs.exec_command IS 'The command line that it executes';
COMMENT ON COLUMN josch.runs.exec_sql IS 'The SQL that it executes';
COMMENT ON COLUMN josch.runs.exec_sql_atomic IS 'Whether all its statements and its success are one transaction';
COMMENT ON COLUMN josch.runs.ready_command IS 'L: what tells that it is up';
COMMENT ON COLUMN josch.runs.ready_after IS 'L without ready_command: it is up when it has lived for so long';
COMMENT ON COLUMN josch.runs.timeout IS 'The longest that it may take; NULL: no limit';
COMMENT ON COLUMN josch.runs.stop_grace IS 'Time between the polite signal and the last one';
COMMENT ON COLUMN josch.runs.work_dir IS 'Directory in which the command runs';
COMMENT ON COLUMN josch.runs.owner IS 'Role as which the SQL runs';
COMMENT ON COLUMN josch.runs.status IS 'starting (intent is committed), running, succeeded, failed, unknown (how it ended cannot be known)';
COMMENT ON COLUMN josch.runs.requested_at IS 'When the scheduler decided to start it';
COMMENT ON COLUMN josch.runs.started_at IS 'When it started';
COMMENT ON COLUMN josch.runs.up_at IS 'L: when it was found to be up';
COMMENT ON COLUMN josch.runs.ended_at IS 'When it ended';
COMMENT ON COLUMN josch.runs.exit_code IS 'Exit code of the command; NULL when it was ended by a signal, or for SQL';
COMMENT ON COLUMN josch.runs.exit_signal IS 'Signal that ended the command';
COMMENT ON COLUMN josch.runs.message IS 'How it ended, in words; of SQL that is executed again, the error before; of one that could not be started yet, "waits: " and for what';
COMMENT ON COLUMN josch.runs.timed_out IS 'True when it was stopped because it took longer than the node''s timeout';
COMMENT ON COLUMN josch.runs.stop_requested_at IS 'When a person asked for it to be stopped (josch.stop)';
COMMENT ON COLUMN josch.runs.stop_requested_by IS 'Session user who asked';
COMMENT ON COLUMN josch.runs.host IS 'Host on which it ran: that of the runner or, once its executor has said so, the other one';
COMMENT ON COLUMN josch.runs.pid IS 'Process id, also the id of its process group; of a run that has an executor, of the executor''s program on the runner''s host';
COMMENT ON COLUMN josch.runs.cpu_seconds IS 'CPU time, user and system, in seconds';
COMMENT ON COLUMN josch.runs.peak_memory IS 'Largest resident set, in bytes';
COMMENT ON COLUMN josch.runs.log IS 'Its log file, relative to josch.spool_directory; josch.log(run_id) reads it';
COMMENT ON COLUMN josch.runs.output_tail IS 'The end of its output (4 kB at most)';
COMMENT ON COLUMN josch.runs.survivors IS 'Of a run whose end nobody saw: the processes of it that lived on, number and name, when that was recorded; NULL: none was found';
COMMENT ON COLUMN josch.runs.server IS 'Identity of the server that started it: its system, and the place of its data directory';
COMMENT ON COLUMN josch.runs.ledger IS 'The journal of the runner that it was given to; only from this very one can it be known that the run never came there';
COMMENT ON COLUMN josch.runs.nonce IS 'A random number: the run is known by it and run_id together, since a database that is put back to an earlier moment gives run_id again';
COMMENT ON COLUMN josch.runs.tries IS 'SQL: how often it was executed. What fails in an atomic node by an SQLSTATE of class 40 (lost a deadlock, could not be serialized) or 08 (a connection) is executed again, up to six times, after pauses of 0.1, 0.4, 1.6, 6.4 and 25.6 s; so is what a crash of the server undid';
COMMENT ON COLUMN josch.runs.token IS 'The installation that started it (josch.installation.token): a copy, once it is armed, has another one, and does not adopt the run';
COMMENT ON COLUMN josch.runs.executor IS 'The executor that runs it; NULL: none, it runs where the runner is';
COMMENT ON COLUMN josch.runs.executor_options IS 'What the executor''s program was given with it';
COMMENT ON COLUMN josch.runs.sqlstate IS 'SQL: the SQLSTATE of the error that ended it; NULL: there was none, or it is not known';

/* No foreign key, so that nobody is waited for; not on record: it changes all the time while a run goes on. */
CREATE TABLE josch.run_reports (
	run_id			bigint PRIMARY KEY,
	node_id			bigint NOT NULL,
	job_date		date NOT NULL,
	progress		double precision,
	progress_text	text,
	results			jsonb NOT NULL DEFAULT '{}',
	problems		text,
	reported_at		timestamptz NOT NULL DEFAULT josch.now(),
	waits_for		text,
	unreachable		text,
	CONSTRAINT run_reports_progress_is_a_part CHECK (progress BETWEEN 0 AND 1),
	CONSTRAINT run_reports_results_are_an_object CHECK (jsonb_typeof(results) = 'object'),
	CONSTRAINT run_reports_are_not_too_long CHECK (octet_length(progress_text) <= 1000 AND octet_length(results::text) <= 200000
		AND octet_length(problems) <= 4000 AND octet_length(waits_for) <= 1000 AND octet_length(unreachable) <= 1000)
) WITH (fillfactor = 50);
COMMENT ON TABLE josch.run_reports IS
'What runs have said of themselves: a command by lines of the file JOSCH_REPORT, SQL by josch.report(). One row for each run that has said something, while it goes on and afterwards. Written by the scheduler only.';
COMMENT ON COLUMN josch.run_reports.run_id IS 'The run';
COMMENT ON COLUMN josch.run_reports.node_id IS 'Its node';
COMMENT ON COLUMN josch.run_reports.job_date IS 'The date of the node';
COMMENT ON COLUMN josch.run_reports.progress IS 'How much is done, from 0 to 1, as it was said last; NULL: nothing was said';
COMMENT ON COLUMN josch.run_reports.progress_text IS 'What was said with it, 200 bytes at most; NULL: nothing';
COMMENT ON COLUMN josch.run_reports.results IS 'Its results, an object of strings: 100 at most, of 4,000 bytes each and 16,000 together. The commands and the SQL of its node''s children have each as the variable RESULT_ and its name';
COMMENT ON COLUMN josch.run_reports.problems IS 'What was said and not kept, and why: lines that are not understood, and what is beyond the limits; NULL: nothing';
COMMENT ON COLUMN josch.run_reports.reported_at IS 'When that was heard last';
COMMENT ON COLUMN josch.run_reports.waits_for IS 'Why it waits at the other side, in the words of its executor; NULL: it does not, or has none';
COMMENT ON COLUMN josch.run_reports.unreachable IS 'What its executor''s program says of the other side, which does not answer; NULL: it does';

/* no foreign key: whoever has locked the run must not keep its SQL from ending */
CREATE TABLE josch.sql_ends (
	run_id				bigint NOT NULL,
	nonce				bigint NOT NULL,
	succeeded			boolean NOT NULL,
	ended_at			timestamptz NOT NULL,
	cpu_seconds			double precision NOT NULL,
	message				text,
	output_tail			text,
	sqlstate			text,
	report				text,
	PRIMARY KEY (run_id, nonce),
	CONSTRAINT sql_ends_sqlstate_is_not_too_long CHECK (octet_length(sqlstate) <= 5),
	CONSTRAINT sql_ends_texts_are_not_too_long CHECK (octet_length(message) <= 10000 AND octet_length(output_tail) <= 20000
		AND octet_length(report) <= 100000)
);
COMMENT ON TABLE josch.sql_ends IS
'Ends of SQL runs on their way to josch.runs: of an atomic one the row is committed together with what its SQL did. Nearly always empty: the scheduler takes each row at once, and it alone changes runs and nodes.';
COMMENT ON COLUMN josch.sql_ends.run_id IS 'The run';
COMMENT ON COLUMN josch.sql_ends.nonce IS 'As in josch.runs';
COMMENT ON COLUMN josch.sql_ends.succeeded IS 'False when its SQL failed';
COMMENT ON COLUMN josch.sql_ends.ended_at IS 'When it ended';
COMMENT ON COLUMN josch.sql_ends.cpu_seconds IS 'CPU time, user and system, in seconds';
COMMENT ON COLUMN josch.sql_ends.message IS 'The error, or what else is to be said';
COMMENT ON COLUMN josch.sql_ends.output_tail IS 'The end of its output (4 kB at most)';
COMMENT ON COLUMN josch.sql_ends.sqlstate IS 'The SQLSTATE of the error';
COMMENT ON COLUMN josch.sql_ends.report IS 'What it has said of itself (josch.report), on its way to josch.run_reports';

/* What pg_dump takes along. */
SELECT pg_catalog.pg_extension_config_dump('josch.environs', '');
SELECT pg_catalog.pg_extension_config_dump('josch.tpl_jobs', '');
SELECT pg_catalog.pg_extension_config_dump('josch.node_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('josch.tpl_nodes', '');
SELECT pg_catalog.pg_extension_config_dump('josch.tpl_node_deps', '');
SELECT pg_catalog.pg_extension_config_dump('josch.jobs', '');
SELECT pg_catalog.pg_extension_config_dump('josch.job_days', '');
SELECT pg_catalog.pg_extension_config_dump('josch.change_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('josch.nodes', '');
SELECT pg_catalog.pg_extension_config_dump('josch.claims', '');
SELECT pg_catalog.pg_extension_config_dump('josch.node_deps', '');
SELECT pg_catalog.pg_extension_config_dump('josch.recounts', '');
SELECT pg_catalog.pg_extension_config_dump('josch.run_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('josch.runs', '');
SELECT pg_catalog.pg_extension_config_dump('josch.run_reports', '');
SELECT pg_catalog.pg_extension_config_dump('josch.sql_ends', '');

GRANT SELECT ON josch.environs, josch.tpl_jobs, josch.tpl_nodes, josch.tpl_node_deps, josch.jobs, josch.job_days, josch.nodes,
	josch.claims, josch.node_deps, josch.recounts, josch.runs, josch.run_reports, josch.sql_ends, josch.waiting TO josch_viewer;
-- pg_dump by whoever may see all
GRANT SELECT ON SEQUENCE josch.node_id_seq, josch.change_id_seq, josch.run_id_seq TO josch_viewer;
GRANT INSERT, UPDATE, DELETE ON josch.environs, josch.tpl_jobs, josch.tpl_nodes, josch.tpl_node_deps TO josch_author;
GRANT INSERT (p_node_id, p_date, c_node_id, c_date, expected, condition), DELETE ON josch.node_deps TO josch_author;
GRANT INSERT (job_date, node_id, node_type, job_name, node_name, exec_command, signoff_time, start_time, exec_sql, exec_sql_atomic,
	ready_command, ready_after, timeout, stop_grace, work_dir, owner, success_codes, retry_codes, retries,
	retry_delay, retry_backoff, retry_max_delay, retry_on, repeatable, join_rule, on_failure, repeat_every, repeat_until,
	start_by, finish_by, max_duration, wait_file, wait_stable, wait_sql, wait_interval, skip_codes, priority, executor, executor_options) ON josch.nodes TO josch_author;
-- for the default of the node that he adds; to set it takes more
GRANT USAGE ON SEQUENCE josch.change_id_seq TO josch_author;
GRANT UPDATE (exec_command, exec_sql, exec_sql_atomic, ready_command, ready_after, timeout, stop_grace, work_dir, owner,
	success_codes, retry_codes, retries, retry_delay, retry_backoff, retry_max_delay, retry_on, repeatable,
	join_rule, on_failure, repeat_every, repeat_until, start_by, finish_by, max_duration, wait_file, wait_stable, wait_sql, wait_interval, skip_codes, priority, executor, executor_options)
	ON josch.nodes TO josch_author;
GRANT UPDATE (max_running) ON josch.jobs TO josch_author;
GRANT UPDATE (state, comment) ON josch.nodes TO josch_operator;
