-- The functions over any edge list: what they return, and what they refuse.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
CREATE TEMP TABLE edge (parent bigint, child bigint);

-- by level, then by id; parents first, whatever the order of the rows
INSERT INTO edge VALUES (3, 4), (10, 3), (2, 3), (1, 2), (1, 4), (1, 2);
SELECT * FROM josch.dag_topological_sort('SELECT parent, child FROM edge');
SELECT * FROM josch.dag_topological_sort('SELECT parent, child FROM edge ORDER BY ctid DESC')
EXCEPT
SELECT * FROM josch.dag_topological_sort('SELECT parent, child FROM edge');
SELECT josch.dag_find_cycle('TABLE edge') IS NULL AS no_cycle;
SELECT * FROM josch.dag_transitive_reduction('TABLE edge');

-- nothing, one node of its own, ids at both ends of bigint, smaller types
SELECT * FROM josch.dag_topological_sort('SELECT parent, child FROM edge WHERE false');
SELECT * FROM josch.dag_transitive_reduction('SELECT parent, child FROM edge WHERE false');
SELECT josch.dag_find_cycle('SELECT parent, child FROM edge WHERE false') IS NULL AS no_cycle;
SELECT josch.dag_find_cycle('VALUES (7, 7)');
SELECT * FROM josch.dag_topological_sort('VALUES (9223372036854775807, -9223372036854775808), (-9223372036854775808, 0)');
SELECT * FROM josch.dag_topological_sort('SELECT 1::smallint, 2::integer');

-- far apart (hashed) and close together (a bitmap) give the same graph
SELECT count(*) AS differences
  FROM (SELECT "position", level, node * 1000000007 AS node
          FROM josch.dag_topological_sort('SELECT parent, child FROM edge')
        EXCEPT
        SELECT * FROM josch.dag_topological_sort('SELECT parent * 1000000007, child * 1000000007 FROM edge')) x;

-- a chain of 100,000: no recursion to run out of stack, here or in the search for cycles
SELECT count(*), max(level), bool_and("position" = node) AS in_order
  FROM josch.dag_topological_sort('SELECT i, i + 1 FROM generate_series(1, 99999) i');
SELECT array_length(josch.dag_find_cycle('SELECT i, i % 100000 + 1 FROM generate_series(1, 100000) i'), 1);
SELECT count(*) FROM josch.dag_transitive_reduction('SELECT i, i + k FROM generate_series(1, 99998) i, generate_series(1, 2) k');

-- the smallest id that is on a cycle, and the shortest way round: not 1, which only leads there
INSERT INTO edge VALUES (4, 5), (5, 6), (6, 3), (5, 3), (8, 9), (9, 8);
SELECT josch.dag_find_cycle('TABLE edge');

-- errors
\set SHOW_CONTEXT never
SAVEPOINT s;
SELECT * FROM josch.dag_topological_sort('TABLE edge');
ROLLBACK TO s;
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM josch.dag_transitive_reduction('TABLE edge');
ROLLBACK TO s;
-- a long cycle is cut short in the message
SELECT * FROM josch.dag_topological_sort('SELECT i, i % 1000 + 1 FROM generate_series(1, 1000) i');
ROLLBACK TO s;
SELECT josch.dag_find_cycle('SELECT 1');
ROLLBACK TO s;
SELECT josch.dag_find_cycle('SELECT 1, 2, 3');
ROLLBACK TO s;
SELECT josch.dag_find_cycle('SELECT 1, 2::text');
ROLLBACK TO s;
SELECT josch.dag_find_cycle('SELECT parent, NULL::bigint FROM edge');
ROLLBACK TO s;
SELECT josch.dag_find_cycle('SELECT 1, 2; SELECT 3, 4');
ROLLBACK TO s;
SELECT josch.dag_find_cycle('');
ROLLBACK TO s;
SELECT josch.dag_find_cycle('SELECT parent FROM');
ROLLBACK TO s;
SELECT josch.dag_find_cycle(NULL) IS NULL AS of_nothing;

-- it reads, and changes nothing
SELECT josch.dag_find_cycle('DELETE FROM edge RETURNING parent, child');
ROLLBACK TO s;
SELECT josch.dag_find_cycle('WITH gone AS (DELETE FROM edge RETURNING parent, child) SELECT * FROM gone');
ROLLBACK TO s;
SELECT josch.dag_find_cycle('SELECT parent, child FROM edge FOR UPDATE');
ROLLBACK TO s;
SELECT count(*) FROM edge;

-- with the caller's rights
CREATE ROLE josch_test_nobody;
GRANT USAGE ON SCHEMA josch TO josch_test_nobody;
SAVEPOINT s;
SET LOCAL ROLE josch_test_nobody;
SELECT josch.dag_find_cycle('SELECT 1, 2') IS NULL AS allowed;
SELECT josch.dag_find_cycle('SELECT p_node_id, c_node_id FROM josch.tpl_node_deps');
ROLLBACK;
