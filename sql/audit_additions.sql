-- What people put on the tables of the record holds there, as for any INSERT: columns, constraints, triggers of every kind.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
BEGIN;
CREATE SEQUENCE public.notes;
ALTER TABLE josch.environs_audit ADD note bigint NOT NULL DEFAULT nextval('public.notes'), ADD nothing text, ADD dropped text DEFAULT 'x',
	ADD loud text GENERATED ALWAYS AS (upper(operation)) STORED;
ALTER TABLE josch.environs_audit DROP dropped;
INSERT INTO josch.environs VALUES ('A', '1'), ('B', '2'), ('C', '3');
UPDATE josch.environs SET value = '9' WHERE var <> 'B';
SELECT var, operation, old_values, new_values, note, nothing, loud FROM josch.environs_audit WHERE note IS NOT NULL ORDER BY audit_id;

-- a row before another is seen by the trigger of that one; what it returns is what is written; NULL leaves it out
CREATE FUNCTION public.before_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.var = 'F' THEN
		RETURN NULL;
	END IF;
	NEW.nothing := NEW.var || ' after ' || (SELECT max(var) FROM josch.environs_audit WHERE loud = 'INSERT');
	RETURN NEW;
END $$;
CREATE TRIGGER before_row BEFORE INSERT ON josch.environs_audit FOR EACH ROW EXECUTE FUNCTION public.before_row();
INSERT INTO josch.environs VALUES ('D', '4'), ('E', '5'), ('F', '6'), ('G', '7');
SELECT var, nothing FROM josch.environs_audit WHERE nothing IS NOT NULL ORDER BY audit_id;
DROP TRIGGER before_row ON josch.environs_audit;

-- after each row, after the statement, with its rows; as whom
CREATE FUNCTION public.after_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% % %: % of % by %', TG_WHEN, TG_LEVEL, TG_OP, NEW.operation, NEW.var, current_user = (SELECT tableowner FROM pg_tables WHERE tablename = 'environs');
	RETURN NULL;
END $$;
CREATE FUNCTION public.after_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% % %: % rows', TG_WHEN, TG_LEVEL, TG_OP, (SELECT count(*) FROM written);
	RETURN NULL;
END $$;
CREATE FUNCTION public.before_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% % %', TG_WHEN, TG_LEVEL, TG_OP;
	RETURN NULL;
END $$;
CREATE TRIGGER after_row AFTER INSERT ON josch.environs_audit FOR EACH ROW EXECUTE FUNCTION public.after_row();
CREATE TRIGGER after_statement AFTER INSERT ON josch.environs_audit REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.after_statement();
CREATE TRIGGER before_statement BEFORE INSERT ON josch.environs_audit FOR EACH STATEMENT EXECUTE FUNCTION public.before_statement();
DELETE FROM josch.environs WHERE var IN ('D', 'E');
-- no row of the record, no statement
UPDATE josch.environs SET value = value;
DROP TRIGGER after_row ON josch.environs_audit;
DROP TRIGGER after_statement ON josch.environs_audit;
DROP TRIGGER before_statement ON josch.environs_audit;

-- a trigger there that changes what is recorded is recorded itself
CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.var = 'G' THEN
		INSERT INTO josch.environs VALUES ('H', '8');
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER again AFTER INSERT ON josch.environs_audit FOR EACH ROW EXECUTE FUNCTION public.again();
UPDATE josch.environs SET value = '77' WHERE var = 'G';
SELECT var, operation, new_values FROM josch.environs_audit WHERE note IS NOT NULL ORDER BY audit_id DESC LIMIT 2;
DROP TRIGGER again ON josch.environs_audit;

-- more rows than memory holds
SET LOCAL work_mem = '64kB';
INSERT INTO josch.environs SELECT 'many' || i, repeat('x', 50) || i FROM generate_series(1, 3000) i;
UPDATE josch.environs SET value = value || 'y' WHERE var LIKE 'many%';
DELETE FROM josch.environs WHERE var LIKE 'many%';
SELECT operation, count(*), count(DISTINCT var), count(DISTINCT old_values), count(DISTINCT new_values), max(note) - min(note) + 1 AS notes
FROM josch.environs_audit WHERE var LIKE 'many%' GROUP BY operation ORDER BY min(audit_id);

-- what a constraint or an index of theirs forbids is not written, nor is the change
ALTER TABLE josch.environs_audit ADD CONSTRAINT short CHECK (octet_length(new_values::text) < 100);
UPDATE josch.environs SET value = repeat('x', 200) WHERE var = 'A';
CREATE UNIQUE INDEX once ON josch.environs_audit (var) WHERE operation = 'DELETE' AND note > 9012;
DELETE FROM josch.environs WHERE var = 'A';
INSERT INTO josch.environs VALUES ('A', '1');
DELETE FROM josch.environs WHERE var = 'A';
SELECT * FROM josch.environs WHERE var = 'A';
ROLLBACK;
