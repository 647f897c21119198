/*
 * josch.role: whose rights the SQL of a node has.  A role that is renamed stays
 * the same one, a name without a role can be dumped and restored (src/base/role.c).
 */

CREATE TYPE josch.role;

CREATE FUNCTION josch.role_in(name cstring) RETURNS josch.role
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_in';
COMMENT ON FUNCTION josch.role_in(cstring) IS 'Internal: reads a role by its name, whether there is one or not';
CREATE FUNCTION josch.role_out(role josch.role) RETURNS cstring
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_out';
COMMENT ON FUNCTION josch.role_out(josch.role) IS 'Internal: the name that the role has now; of one that is gone, the name that was written';
CREATE FUNCTION josch.role_recv(message internal) RETURNS josch.role
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_recv';
COMMENT ON FUNCTION josch.role_recv(internal) IS 'Internal: as role_in, for binary input';
CREATE FUNCTION josch.role_send(role josch.role) RETURNS bytea
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_send';
COMMENT ON FUNCTION josch.role_send(josch.role) IS 'Internal: as role_out, for binary output';

CREATE TYPE josch.role (
	INPUT = josch.role_in, OUTPUT = josch.role_out, RECEIVE = josch.role_recv, SEND = josch.role_send,
	INTERNALLENGTH = 68, ALIGNMENT = int4, STORAGE = plain
);
COMMENT ON TYPE josch.role IS
'A role of the cluster: written and shown by its name, kept by its OID. A role that is renamed stays the same one; what names a role that is gone shows the name that was written.';

CREATE FUNCTION josch.role_oid(role josch.role) RETURNS oid
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_oid';
COMMENT ON FUNCTION josch.role_oid(josch.role) IS 'Internal: the OID of the role, 0 when there is none of that name, or it was dropped';
CREATE FUNCTION josch.role_lt(a josch.role, b josch.role) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_lt';
COMMENT ON FUNCTION josch.role_lt(josch.role, josch.role) IS 'Internal: one role is before the other, in the order of bytes';
CREATE FUNCTION josch.role_le(a josch.role, b josch.role) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_le';
COMMENT ON FUNCTION josch.role_le(josch.role, josch.role) IS 'Internal: one role is before or the same as the other, in the order of bytes';
CREATE FUNCTION josch.role_eq(a josch.role, b josch.role) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_eq';
COMMENT ON FUNCTION josch.role_eq(josch.role, josch.role) IS 'Internal: one role has the same name as the other, in the order of bytes';
CREATE FUNCTION josch.role_ne(a josch.role, b josch.role) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_ne';
COMMENT ON FUNCTION josch.role_ne(josch.role, josch.role) IS 'Internal: one role has another name than the other, in the order of bytes';
CREATE FUNCTION josch.role_ge(a josch.role, b josch.role) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_ge';
COMMENT ON FUNCTION josch.role_ge(josch.role, josch.role) IS 'Internal: one role is after or the same as the other, in the order of bytes';
CREATE FUNCTION josch.role_gt(a josch.role, b josch.role) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_gt';
COMMENT ON FUNCTION josch.role_gt(josch.role, josch.role) IS 'Internal: one role is after the other, in the order of bytes';
CREATE FUNCTION josch.role_compare(a josch.role, b josch.role) RETURNS integer
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_compare';
COMMENT ON FUNCTION josch.role_compare(josch.role, josch.role) IS 'Internal: below, equal to or above 0, in the order of names';
CREATE FUNCTION josch.role_hash(role josch.role) RETURNS integer
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_role_hash';
COMMENT ON FUNCTION josch.role_hash(josch.role) IS 'Internal: hash of the name';

REVOKE ALL ON FUNCTION josch.role_oid(josch.role) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.role_in(cstring),
	josch.role_out(josch.role),
	josch.role_recv(internal),
	josch.role_send(josch.role),
	josch.role_lt(josch.role, josch.role),
	josch.role_le(josch.role, josch.role),
	josch.role_eq(josch.role, josch.role),
	josch.role_ne(josch.role, josch.role),
	josch.role_ge(josch.role, josch.role),
	josch.role_gt(josch.role, josch.role),
	josch.role_compare(josch.role, josch.role),
	josch.role_hash(josch.role) TO PUBLIC;

CREATE OPERATOR josch.< (
	FUNCTION = josch.role_lt, LEFTARG = josch.role, RIGHTARG = josch.role, COMMUTATOR = OPERATOR(josch.>), NEGATOR = OPERATOR(josch.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
CREATE OPERATOR josch.<= (
	FUNCTION = josch.role_le, LEFTARG = josch.role, RIGHTARG = josch.role, COMMUTATOR = OPERATOR(josch.>=), NEGATOR = OPERATOR(josch.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
CREATE OPERATOR josch.= (
	FUNCTION = josch.role_eq, LEFTARG = josch.role, RIGHTARG = josch.role, COMMUTATOR = OPERATOR(josch.=), NEGATOR = OPERATOR(josch.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR josch.<> (
	FUNCTION = josch.role_ne, LEFTARG = josch.role, RIGHTARG = josch.role, COMMUTATOR = OPERATOR(josch.<>), NEGATOR = OPERATOR(josch.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
CREATE OPERATOR josch.>= (
	FUNCTION = josch.role_ge, LEFTARG = josch.role, RIGHTARG = josch.role, COMMUTATOR = OPERATOR(josch.<=), NEGATOR = OPERATOR(josch.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
CREATE OPERATOR josch.> (
	FUNCTION = josch.role_gt, LEFTARG = josch.role, RIGHTARG = josch.role, COMMUTATOR = OPERATOR(josch.<), NEGATOR = OPERATOR(josch.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);

CREATE OPERATOR CLASS josch.role_ops DEFAULT FOR TYPE josch.role USING btree AS
	OPERATOR 1 josch.<, OPERATOR 2 josch.<=, OPERATOR 3 josch.=, OPERATOR 4 josch.>=, OPERATOR 5 josch.>,
	FUNCTION 1 josch.role_compare(josch.role, josch.role);
CREATE OPERATOR CLASS josch.role_hash_ops DEFAULT FOR TYPE josch.role USING hash AS
	OPERATOR 1 josch.=, FUNCTION 1 josch.role_hash(josch.role);

/* compared with names and texts it is a text */
CREATE CAST (josch.role AS text) WITH INOUT AS IMPLICIT;
CREATE CAST (text AS josch.role) WITH INOUT AS ASSIGNMENT;
CREATE CAST (name AS josch.role) WITH INOUT AS ASSIGNMENT;
