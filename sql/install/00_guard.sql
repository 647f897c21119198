/* JOSCH: put together by make from sql/install/; edit the pieces, not the whole */

\echo Use "CREATE EXTENSION josch" to load this file. \quit

/*
 * The script may run with a superuser's rights for somebody who has none, in a
 * database where others may have made what they like.  So from here on nothing
 * but pg_catalog is looked up without a schema's name: CREATE EXTENSION itself
 * puts schema josch on the path.  What is read before any of it runs is the
 * spelling of strings, so there is no backslash in one.
 */
SET LOCAL search_path = pg_catalog, pg_temp;

/*
 * The schema may be there already, as in a restore.  Then it must be empty, and
 * nobody else may have a right to put something into it: a function of his would
 * be called in place of JOSCH's, by superusers too.
 */
DO $$
DECLARE
	place record;
	what text;
	hint CONSTANT text := 'Drop schema josch, or rename it; CREATE EXTENSION makes it anew.';
BEGIN
	SELECT n.oid, n.nspacl, n.nspowner, o.rolname AS owner, o.rolsuper OR n.nspowner = e.extowner AS may_own INTO STRICT place
	FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace JOIN pg_catalog.pg_roles o ON o.oid = n.nspowner
	WHERE e.extname = 'josch';
	IF NOT place.may_own THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'schema josch is there and belongs to somebody else',
			DETAIL = pg_catalog.format('Its owner is "%s", who is neither a superuser nor the one who creates the extension.', place.owner), HINT = hint;
	END IF;
	SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) INTO what
	FROM pg_catalog.pg_depend d
	WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = place.oid
		AND d.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass
	ORDER BY 1 LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'schema josch is there and is not empty',
			DETAIL = pg_catalog.format('It has %s.', what), HINT = hint;
	END IF;
	SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee) END INTO what
	FROM pg_catalog.aclexplode(place.nspacl) a WHERE a.privilege_type = 'CREATE' AND a.grantee <> place.nspowner
	ORDER BY 1 LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'schema josch is there and others may create objects in it',
			DETAIL = pg_catalog.format('"%s" has the privilege CREATE on it.', what), HINT = hint;
	END IF;
END
$$;

COMMENT ON SCHEMA josch IS
'JOSCH: templates of nodes and dependencies, copied into days that run by themselves and call people in';
