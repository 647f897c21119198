-- \d+ and \df+ explain everything: no object of schema josch is without its comment.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SELECT 'function' AS kind, p.oid::regprocedure::text AS name FROM pg_proc p
WHERE p.pronamespace = 'josch'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
UNION ALL
SELECT 'relation', c.oid::regclass::text FROM pg_class c
WHERE c.relnamespace = 'josch'::regnamespace AND c.relkind IN ('r', 'v', 'S') AND obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
SELECT 'column', c.oid::regclass || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'josch'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
AND col_description(c.oid, a.attnum) IS NULL
UNION ALL
SELECT 'role', r.rolname FROM pg_roles r
WHERE r.rolname IN ('josch_viewer', 'josch_operator', 'josch_author') AND shobj_description(r.oid, 'pg_authid') IS NULL
ORDER BY 1, 2;
-- there is something to explain
SELECT count(*) > 50 AS functions FROM pg_proc WHERE pronamespace = 'josch'::regnamespace;
-- a setting explains itself, too; they are there when the library is
SELECT count(*) > 5 AS loaded FROM josch.states();
SELECT name FROM pg_settings WHERE name LIKE 'josch.%' AND (coalesce(short_desc, '') = '' OR coalesce(extra_desc, '') = '');
SELECT count(*) > 5 AS settings FROM pg_settings WHERE name LIKE 'josch.%';
