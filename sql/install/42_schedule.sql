/* Days: made from the templates, taken back; what a command of a day gets. */

CREATE FUNCTION josch.command_variables(command text) RETURNS text[]
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'josch_api_command_variables';
COMMENT ON FUNCTION josch.command_variables(text) IS
'The variables that a command takes from its environment, in the order of their first use, read as /bin/sh reads it. Not those that it sets itself or gives a default (${NAME:-x}); none for a command that reads in another file (.) or uses eval. josch.schedule() refuses a node with one that does not exist.';

CREATE FUNCTION josch.command_argv(command text) RETURNS text[]
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'josch_api_command_argv';
COMMENT ON FUNCTION josch.command_argv(text) IS
'The program and arguments that are executed for a command: its own words when it is a path and plain words, which saves a process, else /bin/sh, -c and the command.';

GRANT EXECUTE ON FUNCTION josch.command_variables(text), josch.command_argv(text) TO PUBLIC;
