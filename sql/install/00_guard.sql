/* JOSCH: put together by make from sql/install/; edit the pieces, not the whole */

\echo Use "CREATE EXTENSION josch" to load this file. \quit

COMMENT ON SCHEMA josch IS
'JOSCH: templates of nodes and dependencies, copied into days that run by themselves and call people in';
