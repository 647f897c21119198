-- What the tables hold to, whoever writes: columns with their types and defaults, constraints, indexes; and what pg_dump takes along.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\pset format unaligned
\pset footer off
CREATE TEMP VIEW tables AS SELECT oid, relname FROM pg_class WHERE relnamespace = 'josch'::regnamespace AND relkind IN ('r', 'p');
SELECT t.relname AS "table", a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
	pg_get_expr(d.adbin, d.adrelid) AS "default"
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY t.relname COLLATE "C", a.attnum;
-- of newer servers NOT NULL is a constraint, too
SELECT t.relname AS "table", c.conname AS constraint, pg_get_constraintdef(c.oid) AS definition
FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid
WHERE c.contype <> 'n'
ORDER BY t.relname COLLATE "C", c.contype, c.conname COLLATE "C";
SELECT regexp_replace(pg_get_indexdef(i.indexrelid), '^.* ON josch\.', '') AS index, i.indisunique AS is_unique
FROM tables t JOIN pg_index i ON i.indrelid = t.oid
ORDER BY t.relname COLLATE "C", regexp_replace(pg_get_indexdef(i.indexrelid), '^.* ON josch\.', '') COLLATE "C";
SELECT seqrelid::regclass AS sequence, seqstart AS start, seqincrement AS increment, seqmin AS least, seqcache AS cache, seqcycle AS cycles
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE c.relnamespace = 'josch'::regnamespace ORDER BY c.relname COLLATE "C";
SELECT c.relname AS dumped, e.condition
FROM (SELECT unnest(extconfig) AS oid, unnest(extcondition) AS condition FROM pg_extension WHERE extname = 'josch') e JOIN pg_class c USING (oid)
ORDER BY c.relname COLLATE "C";
-- and what it does not
SELECT relname AS not_dumped FROM pg_class c WHERE relnamespace = 'josch'::regnamespace AND relkind IN ('r', 'p', 'S')
	AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'josch' AND c.oid = ANY (extconfig))
ORDER BY relname COLLATE "C";
