/* Executors: programs that run commands elsewhere.  No foreign key leads here, since `local` is built in. */

CREATE TABLE josch.executors (
	executor_name	text PRIMARY KEY,
	start_command	text NOT NULL,
	attach_command	text,
	stop_command	text,
	max_running		integer,
	executor_desc	text,
	CONSTRAINT executors_executor_name_is_not_blank CHECK (executor_name ~ '[^[:space:]]'),
	CONSTRAINT executors_executor_name_is_one_line CHECK (josch.is_one_line(executor_name)),
	CONSTRAINT executors_executor_name_is_not_too_long CHECK (char_length(executor_name) <= 200),
	CONSTRAINT executors_executor_name_is_not_local CHECK (executor_name <> 'local'),
	CONSTRAINT executors_commands_are_not_blank CHECK (start_command ~ '[^[:space:]]' AND attach_command ~ '[^[:space:]]'
		AND stop_command ~ '[^[:space:]]'),
	CONSTRAINT executors_commands_are_not_too_long CHECK (octet_length(start_command) <= 100000 AND octet_length(attach_command) <= 100000
		AND octet_length(stop_command) <= 100000),
	CONSTRAINT executors_max_running_is_within_bounds CHECK (max_running BETWEEN 0 AND 1000000),
	CONSTRAINT executors_executor_desc_is_not_too_long CHECK (octet_length(executor_desc) <= 100000)
);
COMMENT ON TABLE josch.executors IS
'Executors: programs that run the commands of nodes elsewhere (a cluster, another host), and stay as long as these do. A node or its job names one. Read whenever a run is started or attached to: what is mended here holds from then on. Writing needs pg_execute_server_program.';
COMMENT ON COLUMN josch.executors.executor_name IS 'Its name: one line, 200 characters at most; local is built in, and means that commands run where the runner is. It stays as long as templates name it (dependent_objects_still_exist)';
COMMENT ON COLUMN josch.executors.start_command IS 'Words before those of the node''s command; both together are one program and its arguments, which the runner starts in place of the command: never a shell''s text. Variables are expanded, as in a command';
COMMENT ON COLUMN josch.executors.attach_command IS 'The words of the program that finds a run again that was started before, and says how it ends: asked before a run is ever called unknown. NULL: it cannot, and the exit code of the one that was started is that of the command';
COMMENT ON COLUMN josch.executors.stop_command IS 'The words of the program that asks the other side to end a run, where the one that was started is gone. NULL: none';
COMMENT ON COLUMN josch.executors.max_running IS 'How many runs it may have at once, those that are up or unknown too; 0: it is closed. 0 to 1,000,000; NULL: as many as josch.max_running allows';
COMMENT ON COLUMN josch.executors.executor_desc IS 'What it stands for, in words; 100,000 bytes at most';

/* What pg_dump takes along. */
SELECT pg_catalog.pg_extension_config_dump('josch.executors', '');

GRANT SELECT ON josch.executors TO josch_viewer;
GRANT INSERT, UPDATE, DELETE ON josch.executors TO josch_author;
-- to close it, and to open it again
GRANT UPDATE (max_running) ON josch.executors TO josch_operator;
