/*
 * Group roles.  They belong to the cluster, not to the database: a second
 * database with the extension finds them, and DROP EXTENSION leaves them.
 */
DO $$
DECLARE
	role_name text;
BEGIN
	FOREACH role_name IN ARRAY ARRAY['josch_viewer', 'josch_operator', 'josch_author'] LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role_name);
		END IF;
	END LOOP;
	-- operators and authors see what viewers see
	IF NOT pg_catalog.pg_has_role('josch_operator', 'josch_viewer', 'USAGE') THEN
		GRANT josch_viewer TO josch_operator;
	END IF;
	IF NOT pg_catalog.pg_has_role('josch_author', 'josch_viewer', 'USAGE') THEN
		GRANT josch_viewer TO josch_author;
	END IF;
END
$$;

COMMENT ON ROLE josch_viewer IS 'JOSCH: may see templates, days, runs, logs and audit';
COMMENT ON ROLE josch_operator IS 'JOSCH: may act on nodes (sign off, approve, retry, hold, ...) and see all';
COMMENT ON ROLE josch_author IS 'JOSCH: may write templates and make days, and see all; commands need pg_execute_server_program too';
