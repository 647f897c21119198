-- Who may do what with each function, schema, table, column, sequence and type of the extension; and which triggers no setting turns off.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
-- an ACL in words: role (with a star: and may hand it on) and what it may do; the owner, who may do all, is left out
CREATE FUNCTION pg_temp.acl(acl aclitem[], owner oid) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(role || ': ' || rights, '; ' ORDER BY role COLLATE "C"), '-') FROM (
		SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS role,
			string_agg(lower(privilege_type) || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY privilege_type COLLATE "C") AS rights
		FROM aclexplode(acl) WHERE grantee <> owner GROUP BY grantee) r
$$;
\pset format unaligned
\pset footer off
SELECT n.nspname AS schema, pg_temp.acl(n.nspacl, n.nspowner) AS rights FROM pg_namespace n WHERE n.nspname = 'josch';
SELECT c.relname AS relation, c.relkind AS kind, pg_temp.acl(c.relacl, c.relowner) AS rights, c.relrowsecurity AS row_security
FROM pg_class c WHERE c.relnamespace = 'josch'::regnamespace AND c.relkind NOT IN ('i', 't', 'c')
ORDER BY c.relname COLLATE "C";
SELECT c.relname AS relation, a.attname AS column, pg_temp.acl(a.attacl, c.relowner) AS rights
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'josch'::regnamespace AND a.attacl IS NOT NULL
ORDER BY c.relname COLLATE "C", a.attnum;
SELECT t.typname AS type, pg_temp.acl(t.typacl, t.typowner) AS rights
FROM pg_type t WHERE t.typnamespace = 'josch'::regnamespace AND t.typacl IS NOT NULL ORDER BY 1;
-- nothing of the extension hands out rights on what is made later
SELECT defaclrole::regrole, defaclobjtype, defaclacl FROM pg_default_acl WHERE defaclnamespace = 'josch'::regnamespace;

-- one owner for all, and all of it belongs to the extension
SELECT DISTINCT owner::regrole::text = current_user AS owned_by_installer FROM (
	SELECT relowner FROM pg_class WHERE relnamespace = 'josch'::regnamespace
	UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'josch'::regnamespace
	UNION ALL SELECT typowner FROM pg_type WHERE typnamespace = 'josch'::regnamespace
	UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname = 'josch') o (owner);
SELECT pg_describe_object(classid, objid, 0) AS stranger FROM (
	SELECT 'pg_class'::regclass AS classid, oid AS objid FROM pg_class WHERE relnamespace = 'josch'::regnamespace AND relkind IN ('r', 'v', 'S', 'm', 'p', 'f')
	UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = 'josch'::regnamespace) o
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.deptype = 'e');

-- A: fires always, O: not while session_replication_role = replica
SELECT t.tgrelid::regclass AS "table", t.tgname AS trigger, t.tgenabled AS enabled, t.tgfoid::regproc AS function,
	CASE WHEN t.tgtype & 2 > 0 THEN 'before' ELSE 'after' END
		|| CASE WHEN t.tgtype & 4 > 0 THEN ' insert' ELSE '' END || CASE WHEN t.tgtype & 16 > 0 THEN ' update' ELSE '' END
		|| CASE WHEN t.tgtype & 8 > 0 THEN ' delete' ELSE '' END || CASE WHEN t.tgtype & 32 > 0 THEN ' truncate' ELSE '' END AS event
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'josch'::regnamespace AND NOT t.tgisinternal
ORDER BY t.tgrelid::regclass::text COLLATE "C", t.tgname COLLATE "C";
-- the checks and foreign keys are all in force
SELECT conrelid::regclass, conname FROM pg_constraint WHERE connamespace = 'josch'::regnamespace AND NOT convalidated;

-- functions: on which path they run, and who may execute them; one without an ACL of its own would be everybody's
SELECT p.oid::regprocedure AS function,
	CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END
		|| CASE WHEN p.proisstrict THEN ' strict' ELSE '' END
		|| CASE p.proparallel WHEN 's' THEN ' safe' WHEN 'r' THEN ' restricted' ELSE '' END
		|| CASE WHEN p.prosecdef THEN ' DEFINER' ELSE '' END
		|| CASE WHEN p.proleakproof THEN ' LEAKPROOF' ELSE '' END AS kind,
	array_to_string(p.proconfig, '; ') AS settings,
	CASE WHEN p.proacl IS NULL THEN 'NO ACL' ELSE pg_temp.acl(p.proacl, p.proowner) END AS rights
FROM pg_proc p WHERE p.pronamespace = 'josch'::regnamespace
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- none without an ACL, none that is a trigger and may be put on a table by others, none that runs on its caller's path
SELECT p.oid::regprocedure AS function FROM pg_proc p
WHERE p.pronamespace = 'josch'::regnamespace AND (p.proacl IS NULL
	-- josch.watch() puts that one on tables with its caller's rights
	OR p.prorettype = 'trigger'::regtype AND p.proname <> 'table_changed' AND EXISTS (SELECT FROM aclexplode(p.proacl) WHERE grantee <> p.proowner)
	OR p.prosecdef
	OR NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)
		AND p.oid::regprocedure::text NOT IN ('josch.dag_topological_sort(text)', 'josch.dag_find_cycle(text)', 'josch.dag_transitive_reduction(text)',
			-- these resolve no name on it
			'josch.is_open(text,date)', 'josch.business_day(text,date,integer)',
			-- called for every row or statement: what they do as the owner has its path set by C
			'josch.audit()', 'josch.audit_guard()', 'josch.node_door()', 'josch.node_propagate()', 'josch.node_recount()', 'josch.run_guard()'))
ORDER BY 1;
