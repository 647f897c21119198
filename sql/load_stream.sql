-- Files that are longer than what is read at a time, and rows that are more than memory is to hold.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY default
BEGIN;
-- writes a file into a folder of the data directory
CREATE FUNCTION pg_temp.file(name text, content bytea) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY (SELECT %L) TO PROGRAM %L', replace(encode(content, 'base64'), E'\n', ''),
		'mkdir -p josch_load_stream && cd josch_load_stream && base64 -d > ' || name);
END $$;
-- a value for each row: quotes, commas, line ends of all kinds and letters of several bytes, at other places of the file for each shift
CREATE FUNCTION pg_temp.value(n int, shift int) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN n = 1 THEN repeat('x', shift) ELSE (ARRAY['say "' || n || '", twice', E'one\ntwo\n', E'\r\n', E'lone \r', 'Zürich → 東京', '"', 'plain'])[1 + n % 7] END $$;
CREATE FUNCTION pg_temp.content(line_end text, shift int) RETURNS bytea LANGUAGE sql AS $$
	SELECT convert_to('var,value' || line_end || string_agg('V' || n || ',"' || replace(pg_temp.value(n, shift), '"', '""') || '"', line_end ORDER BY n) || line_end, 'UTF8')
	FROM generate_series(1, 6000) n
$$;
DO $$
DECLARE
	wrong int;
BEGIN
	FOR shift IN 1..24 LOOP
		FOR ending IN 0..2 LOOP
			CONTINUE WHEN ending <> shift % 3;
			PERFORM pg_temp.file('environs.csv', pg_temp.content((ARRAY[E'\n', E'\r\n', E'\r'])[ending + 1], shift));
			PERFORM josch.load_csv('josch_load_stream');
			SELECT count(*) INTO wrong FROM generate_series(1, 6000) n LEFT JOIN josch.environs e ON e.var = 'V' || n
			WHERE e.value IS DISTINCT FROM pg_temp.value(n, shift);
			IF wrong > 0 THEN
				RAISE EXCEPTION 'shift %: % rows are not as in the file', shift, wrong;
			END IF;
		END LOOP;
	END LOOP;
END $$;
SELECT count(*), length(pg_temp.content(E'\n', 0)) > 65536 AS longer_than_the_buffer FROM josch.environs;
-- what is read at a time, 64 kB, ends at each byte of a record's end, within quotes and between CR and LF
DO $$
DECLARE
	line_end text;
	wrong int;
BEGIN
	FOREACH line_end IN ARRAY ARRAY[E'\n', E'\r\n', E'\r'] LOOP
		FOR n IN 65535 - 34 .. 65535 - 10 LOOP
			PERFORM pg_temp.file('environs.csv', convert_to('var,value' || line_end || 'EDGE,"' || repeat('x', n) || E'\ny"' || line_end || 'NEXT,2' || line_end, 'UTF8'));
			PERFORM josch.load_csv('josch_load_stream');
			SELECT count(*) INTO wrong FROM josch.environs WHERE (var, value) IN (('EDGE', repeat('x', n) || E'\ny'), ('NEXT', '2'));
			IF wrong <> 2 THEN
				RAISE EXCEPTION 'of % letters: not as in the file', n;
			END IF;
		END LOOP;
	END LOOP;
END $$;
DELETE FROM josch.environs WHERE var IN ('EDGE', 'NEXT');
-- a value that is longer, and a file without a line end at its end
SELECT pg_temp.file('environs.csv', convert_to('var,value' || E'\nLONG,"' || repeat('a "" b', 15000) || E'"\nLAST,' || repeat('z', 99999), 'UTF8'));
SELECT * FROM josch.load_csv('josch_load_stream');
SELECT var, length(value), value = repeat('a " b', 15000) AS as_it_is FROM josch.environs WHERE var IN ('LONG', 'LAST') ORDER BY 1;

-- where something is wrong is told by the line of the file
\set ON_ERROR_ROLLBACK on
SELECT pg_temp.file('environs.csv', convert_to('var,value' || E'\n', 'UTF8') || string_agg(convert_to('W' || n || E',1\n', 'UTF8'), '' ORDER BY n) || '\x575a002c310a'::bytea)
FROM generate_series(1, 20000) n;
SELECT * FROM josch.load_csv('josch_load_stream');
SELECT pg_temp.file('environs.csv', convert_to('var,value' || E'\n' || string_agg(CASE n WHEN 19998 THEN 'W 19998' WHEN 17000 THEN E'W17000,"two\nlines' ELSE 'W' || n END
	|| CASE n WHEN 17000 THEN E'"\n' ELSE E',1\n' END, '' ORDER BY n), 'UTF8')) FROM generate_series(1, 20000) n;
SELECT * FROM josch.load_csv('josch_load_stream');
SELECT pg_temp.file('environs.csv', convert_to('var,value' || E'\n' || string_agg('W' || n % 19999 || E',1\n', '' ORDER BY n), 'UTF8')) FROM generate_series(1, 20000) n;
SELECT * FROM josch.load_csv('josch_load_stream');
SELECT pg_temp.file('environs.csv', convert_to('var,value' || E'\n' || string_agg('W' || n || E',1\n', '' ORDER BY n) || 'X,"open' || repeat(E'\nand on', 20000), 'UTF8')) FROM generate_series(1, 20000) n;
SELECT * FROM josch.load_csv('josch_load_stream');
SELECT count(*) FROM josch.environs WHERE var LIKE 'W%';

-- twenty times the rows take no more memory while they are written
CREATE TEMP TABLE memory (rows int, bytes numeric);
CREATE FUNCTION public.watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO pg_temp.memory SELECT (SELECT count(*) FROM new_rows), sum(total_bytes) FROM pg_backend_memory_contexts;
	RETURN NULL;
END $$;
CREATE TRIGGER watch AFTER INSERT ON josch.environs REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.watch();
SET LOCAL work_mem = '64kB';
SELECT pg_temp.file('environs.csv', convert_to('var,value' || E'\n' || string_agg('F' || n || E',few\n', '' ORDER BY n), 'UTF8')) FROM generate_series(1, 2000) n;
SELECT * FROM josch.load_csv('josch_load_stream');
SELECT pg_temp.file('environs.csv', convert_to('var,value' || E'\n' || string_agg('M' || n || E',many\n', '' ORDER BY n), 'UTF8')) FROM generate_series(1, 40000) n;
SELECT * FROM josch.load_csv('josch_load_stream');
SELECT rows, bytes - first_value(bytes) OVER (ORDER BY rows) < 1000000 AS flat FROM memory ORDER BY rows;
DROP TRIGGER watch ON josch.environs;
DROP FUNCTION public.watch();

-- who loads keeps out all others who change dependencies, and needs no lock for each group of linked jobs
SELECT * FROM josch.load(NULL, E'job_name\nA\nB\nC\n', E'node_id,node_type,job_name,node_name\n1,N,A,a\n2,N,B,b\n3,N,C,c\n', E'p_node_id,c_node_id\n1,2\n2,3\n');
SELECT mode, count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object' AND classid = 'josch.tpl_jobs'::regclass AND objsubid < 2 GROUP BY mode ORDER BY mode;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -r josch_load_stream';
ROLLBACK;
