/*
 * Which installation of JOSCH this is: one row.  A copy, whichever way it was made,
 * has the row of what it is a copy of, finds itself to be another one, and starts
 * nothing until somebody says that it shall.
 *
 * The row is made here, before the table is audited: a dump that is restored brings
 * its own row and its own record.
 */
CREATE TABLE josch.installation (
	token		bigint NOT NULL DEFAULT josch.new_nonce(),
	server		text NOT NULL,
	armed_at	timestamptz NOT NULL DEFAULT josch.now(),
	armed_by	text NOT NULL DEFAULT SESSION_USER,
	comment		text,
	disarmed	text,
	last_run	bigint NOT NULL DEFAULT 0,
	files		bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (token),
	CONSTRAINT installation_token_is_not_zero CHECK (token <> 0),
	CONSTRAINT installation_comment_is_not_too_long CHECK (octet_length(comment) <= 10000),
	CONSTRAINT installation_texts_are_not_too_long CHECK (octet_length(server) <= 4000 AND octet_length(disarmed) <= 10000)
);
CREATE UNIQUE INDEX installation_is_one_row ON josch.installation ((true));
COMMENT ON TABLE josch.installation IS
'Which installation of JOSCH may start what is in this database: one row, made by CREATE EXTENSION and changed by josch.arm(). A copy (a template database, a restored dump, a copy of the data directory) brings it along, finds that it is another one, and is disarmed: josch.armed() says so, and why. Kept by JOSCH itself.';
COMMENT ON COLUMN josch.installation.token IS 'A random number, made anew whenever it is armed: its runs are its own by it (runs.token)';
COMMENT ON COLUMN josch.installation.server IS 'Which one is armed: system, database, extension, and the place of the data directory on its machine. Where it is not what a server finds itself to be, that one is a copy';
COMMENT ON COLUMN josch.installation.armed_at IS 'When it was made, armed, or promoted, nodes were held back, or let go, or a stray was ended';
COMMENT ON COLUMN josch.installation.armed_by IS 'Session user who did that; the owner of the cluster for what the scheduler did';
COMMENT ON COLUMN josch.installation.comment IS 'Why';
COMMENT ON COLUMN josch.installation.disarmed IS 'The message of the nodes that are held back since the data was taken back to an earlier moment in place; NULL when there are none. Not set in a copy: that is seen by server';
COMMENT ON COLUMN josch.installation.last_run IS 'Before the data was taken back, runs up to this number had been started; 0 when it never was';
COMMENT ON COLUMN josch.installation.files IS 'Tells whether the files of the data directory are those that it was armed in: it changes when they are put back in their place from a copy. 0 where that cannot be told';

CREATE FUNCTION josch.installation_guard() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_installation_guard';
COMMENT ON FUNCTION josch.installation_guard() IS
'Trigger: lets nobody but JOSCH write josch.installation. Raises object_not_in_prerequisite_state, but for the row that a restored dump brings, which takes the place of the one that is there.';
REVOKE ALL ON FUNCTION josch.installation_guard() FROM PUBLIC;

CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON josch.installation
	FOR EACH ROW EXECUTE FUNCTION josch.installation_guard();
ALTER TABLE josch.installation ENABLE ALWAYS TRIGGER guard;

CREATE FUNCTION josch.installation_restored() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_installation_restored';
COMMENT ON FUNCTION josch.installation_restored() IS
'Trigger: when jobs come from a dump, this installation is disarmed before they are there.';
REVOKE ALL ON FUNCTION josch.installation_restored() FROM PUBLIC;

CREATE TRIGGER restored BEFORE INSERT ON josch.jobs
	FOR EACH STATEMENT EXECUTE FUNCTION josch.installation_restored();
ALTER TABLE josch.jobs ENABLE ALWAYS TRIGGER restored;

INSERT INTO josch.installation DEFAULT VALUES;

SELECT pg_catalog.pg_extension_config_dump('josch.installation', '');
GRANT SELECT ON josch.installation TO josch_viewer;
