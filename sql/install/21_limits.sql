/*
 * Limits: semaphores and who needs units of them, what is taken, what is paused.
 */

CREATE TABLE josch.semaphores (
	semaphore_name	text PRIMARY KEY,
	capacity		integer NOT NULL,
	semaphore_desc	text,
	CONSTRAINT semaphores_semaphore_name_is_not_blank CHECK (semaphore_name ~ '[^[:space:]]'),
	CONSTRAINT semaphores_semaphore_name_is_one_line CHECK (josch.is_one_line(semaphore_name)),
	CONSTRAINT semaphores_semaphore_name_is_not_too_long CHECK (char_length(semaphore_name) <= 200),
	CONSTRAINT semaphores_capacity_is_within_bounds CHECK (capacity BETWEEN 0 AND 1000000),
	CONSTRAINT semaphores_semaphore_desc_is_not_too_long CHECK (octet_length(semaphore_desc) <= 100000)
);
COMMENT ON TABLE josch.semaphores IS
'Semaphores: what there is so much of, and no more. A node that needs units of them starts when there are all that it needs, and gives them back when its end is committed. They are of this database alone.';
COMMENT ON COLUMN josch.semaphores.semaphore_name IS 'Its name: one line, 200 characters at most. It stays, once nodes of days need units (object_in_use)';
COMMENT ON COLUMN josch.semaphores.capacity IS 'How many units there are, 0 to 1,000,000; 0: it is closed, nobody who needs some starts. Less than are taken: nobody is stopped, and nobody starts until enough are back';
COMMENT ON COLUMN josch.semaphores.semaphore_desc IS 'What it stands for, in words; 100,000 bytes at most';

CREATE TABLE josch.tpl_node_semaphores (
	node_id			bigint NOT NULL REFERENCES josch.tpl_nodes ON DELETE CASCADE ON UPDATE CASCADE,
	semaphore_name	text NOT NULL REFERENCES josch.semaphores ON UPDATE CASCADE,
	units			integer NOT NULL DEFAULT 1,
	PRIMARY KEY (node_id, semaphore_name),
	CONSTRAINT node_semaphores_units_are_within_bounds CHECK (units BETWEEN 1 AND 1000000)
);
CREATE INDEX tpl_node_semaphores_semaphore_name_idx ON josch.tpl_node_semaphores (semaphore_name);
COMMENT ON TABLE josch.tpl_node_semaphores IS 'What template nodes need to run: units of semaphores, all of them or none. What runs nothing (sign-offs, milestones) needs none, whatever stands here.';
COMMENT ON COLUMN josch.tpl_node_semaphores.node_id IS 'The node';
COMMENT ON COLUMN josch.tpl_node_semaphores.semaphore_name IS 'The semaphore';
COMMENT ON COLUMN josch.tpl_node_semaphores.units IS 'How many units it takes; more than the capacity: it never starts, and josch.why() says so';

/* No foreign key: a day is made although somebody holds the semaphore, and its rows go with the node by the trigger on nodes. */
CREATE TABLE josch.node_semaphores (
	job_date		date NOT NULL,
	node_id			bigint NOT NULL,
	semaphore_name	text NOT NULL,
	units			integer NOT NULL DEFAULT 1,
	job_name		text NOT NULL,
	PRIMARY KEY (job_date, node_id, semaphore_name),
	CONSTRAINT node_semaphores_job_date_is_readable CHECK (josch.is_readable_date(job_date)),
	CONSTRAINT node_semaphores_job_name_is_not_too_long CHECK (char_length(job_name) <= 200),
	CONSTRAINT node_semaphores_semaphore_name_is_one_line CHECK (josch.is_one_line(semaphore_name) AND char_length(semaphore_name) <= 200),
	CONSTRAINT node_semaphores_units_are_within_bounds CHECK (units BETWEEN 1 AND 1000000)
);
CREATE INDEX node_semaphores_semaphore_name_idx ON josch.node_semaphores (semaphore_name);
COMMENT ON TABLE josch.node_semaphores IS 'What nodes of a date need: copies of tpl_node_semaphores, which may be mended here for this day alone. What runs keeps what it has taken.';
COMMENT ON COLUMN josch.node_semaphores.job_date IS 'The date of the node';
COMMENT ON COLUMN josch.node_semaphores.node_id IS 'The node';
COMMENT ON COLUMN josch.node_semaphores.semaphore_name IS 'The semaphore. One that does not exist has no units';
COMMENT ON COLUMN josch.node_semaphores.units IS 'How many units it takes';
COMMENT ON COLUMN josch.node_semaphores.job_name IS 'The job that the node belongs to; set by a trigger';

CREATE TABLE josch.units_in_use (
	job_date	date NOT NULL,
	node_id		bigint NOT NULL,
	limit_kind	"char" NOT NULL,
	limit_name	text NOT NULL,
	job_name	text NOT NULL,
	units		integer NOT NULL,
	taken_at	timestamptz NOT NULL,
	PRIMARY KEY (job_date, node_id, limit_kind, limit_name),
	CONSTRAINT units_in_use_job_date_is_readable CHECK (josch.is_readable_date(job_date)),
	CONSTRAINT units_in_use_names_are_not_too_long CHECK (char_length(job_name) <= 200 AND char_length(limit_name) <= 200),
	CONSTRAINT units_in_use_limit_kind_is_known CHECK (limit_kind IN ('s', 'j', 'e')),
	CONSTRAINT units_in_use_units_are_positive CHECK (units > 0)
);
COMMENT ON TABLE josch.units_in_use IS
'Units that are taken: written with the run of a node, gone with its committed end. Units of semaphores and places of executors are kept by what is running, up or unknown; a place of a job by what is running.';
COMMENT ON COLUMN josch.units_in_use.job_date IS 'The date of the node that has them';
COMMENT ON COLUMN josch.units_in_use.node_id IS 'The node';
COMMENT ON COLUMN josch.units_in_use.limit_kind IS 's: of a semaphore; j: of the places of a job (jobs.max_running); e: of those of an executor (executors.max_running)';
COMMENT ON COLUMN josch.units_in_use.limit_name IS 'Name of the semaphore, of the job or of the executor';
COMMENT ON COLUMN josch.units_in_use.job_name IS 'The job that the node belongs to';
COMMENT ON COLUMN josch.units_in_use.units IS 'How many';
COMMENT ON COLUMN josch.units_in_use.taken_at IS 'Since when';

CREATE TABLE josch.pauses (
	what		text NOT NULL,
	name		text NOT NULL DEFAULT '',
	job_date	date NOT NULL DEFAULT '-infinity',
	paused_by	text NOT NULL,
	paused_at	timestamptz NOT NULL,
	comment		text,
	resumed_by	text,
	resumed_at	timestamptz,
	PRIMARY KEY (what, name, job_date),
	CONSTRAINT pauses_what_is_known CHECK (what IN ('database', 'job', 'day', 'semaphore')),
	CONSTRAINT pauses_name_what_they_are_of CHECK ((what = 'database') = (name = '') AND (what = 'day') = isfinite(job_date)),
	CONSTRAINT pauses_name_is_one_line CHECK (josch.is_one_line(name) AND char_length(name) <= 200),
	CONSTRAINT pauses_resume_is_whole CHECK ((resumed_by IS NULL) = (resumed_at IS NULL)),
	CONSTRAINT pauses_comment_is_not_too_long CHECK (octet_length(comment) <= 10000)
);
COMMENT ON TABLE josch.pauses IS
'What is paused: nothing of it starts that runs a command or SQL; what runs goes on. Written by josch.pause() and josch.resume(); the scheduler takes away what was resumed, josch.pauses_audit keeps all.';
COMMENT ON COLUMN josch.pauses.what IS 'database (all), job, day (of a job) or semaphore (nobody takes units of it)';
COMMENT ON COLUMN josch.pauses.name IS 'Name of the job or semaphore; empty for the database';
COMMENT ON COLUMN josch.pauses.job_date IS 'The date of the day; of the others -infinity';
COMMENT ON COLUMN josch.pauses.paused_by IS 'Session user who paused it';
COMMENT ON COLUMN josch.pauses.paused_at IS 'When that was';
COMMENT ON COLUMN josch.pauses.comment IS 'What that person wrote, or who has resumed it; 10,000 bytes at most';
COMMENT ON COLUMN josch.pauses.resumed_by IS 'Session user who resumed it; NULL: it is paused';
COMMENT ON COLUMN josch.pauses.resumed_at IS 'When that was';

/* What pg_dump takes along. */
SELECT pg_catalog.pg_extension_config_dump('josch.semaphores', '');
SELECT pg_catalog.pg_extension_config_dump('josch.tpl_node_semaphores', '');
SELECT pg_catalog.pg_extension_config_dump('josch.node_semaphores', '');
SELECT pg_catalog.pg_extension_config_dump('josch.units_in_use', '');
SELECT pg_catalog.pg_extension_config_dump('josch.pauses', '');

GRANT SELECT ON josch.semaphores, josch.tpl_node_semaphores, josch.node_semaphores, josch.units_in_use, josch.pauses TO josch_viewer;
GRANT INSERT, UPDATE, DELETE ON josch.semaphores, josch.tpl_node_semaphores TO josch_author;
GRANT INSERT (job_date, node_id, semaphore_name, units), UPDATE (units), DELETE ON josch.node_semaphores TO josch_author;
-- to close it, and to open it again
GRANT UPDATE (capacity) ON josch.semaphores TO josch_operator;
