-- The owner of a node: a role that stays the owner under another name, and whose place no later role of its name takes.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY default
\set ON_ERROR_ROLLBACK on
BEGIN;
CREATE ROLE regress_josch_owner;
CREATE ROLE "Regress ""Josch""";
CREATE ROLE regress_josch_author IN ROLE josch_author, regress_josch_owner, "Regress ""Josch""";
INSERT INTO josch.tpl_jobs (job_name) VALUES ('J');
SET SESSION AUTHORIZATION regress_josch_author;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) VALUES (1, 'N', 'J', 'mine', 'SELECT 1');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, owner) VALUES (2, 'N', 'J', 'owner', 'SELECT 1', 'regress_josch_owner'),
	(3, 'N', 'J', 'odd', 'SELECT 1', 'Regress "Josch"');
SELECT nodes FROM josch.schedule('2026-03-02', 'J');
RESET SESSION AUTHORIZATION;
-- compared with names and texts, sorted, grouped
SELECT node_id, owner, owner = 'regress_josch_owner' AS literal, owner = session_user AS name, owner IN ('Regress "Josch"'::text) AS text, josch.role_oid(owner)::regrole FROM josch.tpl_nodes WHERE job_name = 'J' ORDER BY owner;
SELECT owner, count(*) FROM (SELECT owner FROM josch.tpl_nodes UNION ALL SELECT owner FROM josch.nodes) o WHERE owner::text ~* '^regress' GROUP BY owner ORDER BY owner DESC;
SELECT DISTINCT owner FROM josch.nodes WHERE owner >= 'regress' ORDER BY 1;
SET enable_hashagg = off;
SELECT DISTINCT owner FROM josch.nodes WHERE owner < 'regress' AND owner <> 'x' ORDER BY 1;
RESET enable_hashagg;
-- under another name: the same role, and no change that would be on record
ALTER ROLE regress_josch_owner RENAME TO regress_josch_renamed;
SELECT node_id, owner, josch.role_oid(owner)::regrole FROM josch.tpl_nodes WHERE node_id = 2;
SELECT owner, josch.role_oid(owner)::regrole FROM josch.nodes WHERE node_id = 2;
CREATE ROLE regress_josch_owner;
SELECT node_id, owner, josch.role_oid(owner)::regrole FROM josch.tpl_nodes WHERE node_id = 2;
-- its writer needs not be asked anew when what he writes is what is there
SET SESSION AUTHORIZATION regress_josch_author;
UPDATE josch.tpl_nodes SET owner = 'regress_josch_renamed' WHERE node_id = 2;
-- but he is no member of the new role of the former name
UPDATE josch.tpl_nodes SET owner = 'regress_josch_owner' WHERE node_id = 2;
RESET SESSION AUTHORIZATION;
-- one that is gone: its name is shown, nobody is meant; not even a new role of that name
DROP ROLE regress_josch_owner;
REVOKE regress_josch_renamed FROM regress_josch_author;
DROP ROLE regress_josch_renamed;
SELECT node_id, owner, josch.role_oid(owner) FROM josch.tpl_nodes WHERE node_id = 2;
CREATE ROLE regress_josch_renamed;
SELECT node_id, owner, josch.role_oid(owner) FROM josch.tpl_nodes WHERE node_id = 2;
SET SESSION AUTHORIZATION regress_josch_author;
UPDATE josch.tpl_nodes SET node_name = 'still' WHERE node_id = 2;
UPDATE josch.tpl_nodes SET exec_sql = 'SELECT 2' WHERE node_id = 2;
UPDATE josch.tpl_nodes SET owner = 'regress_josch_renamed' WHERE node_id = 2;
RESET SESSION AUTHORIZATION;
UPDATE josch.tpl_nodes SET owner = 'regress_josch_renamed' WHERE node_id = 2;
SELECT node_id, owner, josch.role_oid(owner)::regrole FROM josch.tpl_nodes WHERE node_id = 2;
-- a name is no longer than a role's can be
SELECT length(repeat('x', 63)::josch.role::text);
SELECT repeat('x', 64)::josch.role;
SELECT old_values -> 'owner' AS before, new_values -> 'owner' AS after FROM josch.tpl_nodes_audit WHERE node_id = 2 AND operation = 'UPDATE' AND new_values ? 'owner' ORDER BY audit_id;
ROLLBACK;
