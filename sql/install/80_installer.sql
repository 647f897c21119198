/*
 * The schema and all that is in it belong to a superuser, also where a database's
 * owner without such rights creates the extension: the script then runs as one.
 * Whoever owned the schema so far could have begun to put something into it that
 * is seen only when he commits.  (Its row has not been touched until here: so it
 * tells how old the schema is.)
 */
DO $$
DECLARE
	is_older boolean;
	other record;
BEGIN
	SELECT n.xmin <> pg_catalog.pg_current_xact_id()::pg_catalog.xid INTO is_older
	FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles o ON o.oid = n.nspowner
	WHERE n.nspname = 'josch' AND NOT o.rolsuper;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	IF is_older THEN
		SELECT pg_catalog.format('process %s of "%s"', a.pid, a.usename) AS who INTO other
		FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND a.datname = pg_catalog.current_database()
			AND l.pid <> pg_catalog.pg_backend_pid()
		UNION ALL
		SELECT pg_catalog.format('prepared transaction %L of "%s"', p.gid, p.owner)
		FROM pg_catalog.pg_prepared_xacts p WHERE p.database = pg_catalog.current_database()
		LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'object_in_use', MESSAGE = 'schema josch is there, and other transactions of this database are open',
				DETAIL = pg_catalog.format('One of them, %s, could bring objects into the schema when it commits.', other.who),
				HINT = 'Drop schema josch, or wait until the other transactions have ended.';
		END IF;
	END IF;
	EXECUTE pg_catalog.format('ALTER SCHEMA josch OWNER TO %I', current_user);
END
$$;
GRANT USAGE ON SCHEMA josch TO josch_viewer, josch_operator, josch_author;

/*
 * An installer without a superuser's rights gets the group roles with ADMIN
 * OPTION, so that he can work and let others in.  They belong to the cluster:
 * where they serve another database already they would let him into that one, so
 * there he gets what they may do in this database, and may hand that on.
 */
DO $$
DECLARE
	installer name;
	is_shared boolean;
	statement text;
BEGIN
	SELECT r.rolname INTO installer FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_roles r ON r.oid = e.extowner
	WHERE e.extname = 'josch' AND NOT r.rolsuper;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	SELECT EXISTS (SELECT FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
		WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND r.rolname IN ('josch_viewer', 'josch_operator', 'josch_author')
			AND d.dbid <> 0 AND d.dbid <> (SELECT o.oid FROM pg_catalog.pg_database o WHERE o.datname = pg_catalog.current_database()))
	INTO is_shared;
	IF NOT is_shared THEN
		EXECUTE pg_catalog.format('GRANT josch_viewer, josch_operator, josch_author TO %I WITH ADMIN OPTION', installer);
		RETURN;
	END IF;
	FOR statement IN
		WITH acls AS (
			SELECT 'SCHEMA josch' AS object, NULL AS attribute, n.nspacl AS acl FROM pg_catalog.pg_namespace n WHERE n.nspname = 'josch'
			UNION ALL
			SELECT CASE WHEN c.relkind = 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::pg_catalog.regclass::text, NULL, c.relacl
			FROM pg_catalog.pg_class c WHERE c.relnamespace = 'josch'::pg_catalog.regnamespace AND c.relkind IN ('r', 'v', 'S')
			UNION ALL
			SELECT 'TABLE ' || a.attrelid::pg_catalog.regclass::text, a.attname, a.attacl
			FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'josch'::pg_catalog.regnamespace
			UNION ALL
			SELECT 'FUNCTION ' || p.oid::pg_catalog.regprocedure::text, NULL, p.proacl
			FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'josch'::pg_catalog.regnamespace)
		SELECT DISTINCT pg_catalog.format('GRANT %s%s ON %s TO %I WITH GRANT OPTION', x.privilege_type,
			CASE WHEN acls.attribute IS NULL THEN '' ELSE pg_catalog.format(' (%I)', acls.attribute) END, acls.object, installer)
		FROM acls CROSS JOIN LATERAL pg_catalog.aclexplode(acls.acl) x JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
		WHERE r.rolname IN ('josch_viewer', 'josch_operator', 'josch_author')
	LOOP
		EXECUTE statement;
	END LOOP;
	RAISE WARNING USING MESSAGE = 'the roles josch_viewer, josch_operator and josch_author serve another database already',
		DETAIL = pg_catalog.format('"%s" gets their privileges in this database, and may grant these, but does not become a member: that would count in the other one too.', installer),
		HINT = 'A superuser may grant the roles WITH ADMIN OPTION.';
END
$$;
