-- A day as one HTML page: what it says, that nobody's name can add to it, that it is bounded, and whose rights it has.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL josch.now = '2024-03-04 12:00+00';
INSERT INTO josch.tpl_jobs (job_name) VALUES ('Page'), ('</script><b>"Other''&'), ('Many');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES
	(600001, 'N', 'Page', 'First'), (600002, 'S', 'Page', 'Second'),
	(600003, 'R', 'Page', U&'</script><script>alert(1)</script> "''x'' & --> \00E9\4E2D'),
	(600004, 'N', '</script><b>"Other''&', repeat('long_', 15) || '#22');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (600001, 600002), (600002, 600003), (600003, 600004);
UPDATE josch.tpl_nodes SET wait_file = '/data/in/<b>of_the_custodian', wait_sql = 'SELECT true' WHERE node_id = 600004;
DO $$BEGIN PERFORM josch.schedule('2024-03-04', j) FROM unnest(ARRAY['Page', '</script><b>"Other''&']) j; END$$;
SELECT state FROM josch.nodes WHERE node_id = 600002 AND job_date = '2024-03-04';
DO $$BEGIN PERFORM josch.hold(600003, '2024-03-04', U&'<i>see</i> \202E\2066gpj.exe\2069 \FEFF' || chr(10) || 'second line'); END$$;
-- a run that failed, and one that goes on
ALTER TABLE josch.runs DISABLE TRIGGER guard;
INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind, status, started_at, ended_at, exit_code)
	VALUES (960001, 600001, '2024-03-04', 1, 'command', 'failed', '2024-03-04 08:00+00', '2024-03-04 08:30+00', 3);
INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind, status, started_at)
	VALUES (960002, 600001, '2024-03-04', 2, 'command', 'running', '2024-03-04 10:00+00');
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
-- a page in the order in which it is read
CREATE TEMPORARY TABLE page AS SELECT josch.page('2024-03-04') AS html;
SELECT substring(html, '<title>([^<]*)</title>') AS title, substring(html, '<p>([^<]*done\.)') AS done FROM page;
SELECT m[1] AS heading FROM page, regexp_matches(html, '<h2>([^<]*)</h2>', 'g') m;
SELECT m[1] AS state, m[2] AS node FROM page, regexp_matches(html, '<tr><td><span class="(\w+) chip">\w+</span><td><bdi>([^<]*)</bdi>', 'g') m ORDER BY m[2] COLLATE "C";
-- all boxes and edges of the picture; the shape tells the type
SELECT count(*) AS boxes FROM page, regexp_matches(html, '<g class="\w+"><title>[^<]*</title><(?:path|rect x="\d+")', 'g');
SELECT count(*) AS edges FROM page, regexp_matches(html, '<path d="M\d+ \d+ C', 'g');
SELECT count(*) AS review FROM page, regexp_matches(html, '<path class="rim"', 'g');
-- what a node waits for outside: after a dashed arrow, whole for whoever points at it
SELECT substring(m[1], 15) AS title, m[2] AS shown FROM page,
	regexp_matches(html, '<title>([^<]* waits for [^<]*)</title>.*?<text class="note"[^>]*>([^<]*&#x21E2;[^<]*)</text>') m;
-- the timeline: from the first start to now, which is noon
SELECT m[1] AS run, m[2] AS x, m[3] AS width FROM page, regexp_matches(html, '<title>([^<]*)</title><rect x="([0-9.]+)" y="\d+" width="([0-9.]+)" height="13"', 'g') m;
-- nothing of anybody's is markup, the page is ASCII, without scripts, and asks for nothing from elsewhere
SELECT html ~* '<script|<b>|alert\(1\)<|javascript:|https?:|url\(|@import' AS markup, html ~ '[^\x01-\x7e]' AS beyond_ascii,
	html ~ 'x202E|x2066|xFEFF' AS turned, html ~ 'see&#x3C;&#x2F;i&#x3E; &#xFFFD;&#xFFFD;gpj' AS shown, html LIKE '%&#xE9;&#x4E2D;%' AS told, html LIKE '%default-src ''none''%' AS closed FROM page;
-- every tag that is opened in the picture is closed: so many of the one as of the other
SELECT tag, (SELECT count(*) FROM page, regexp_matches(html, '<' || tag || '[ >]', 'g')) AS opened,
	(SELECT count(*) FROM page, regexp_matches(html, '</' || tag || '>', 'g')) AS closed
FROM unnest(ARRAY['svg', 'g', 'text', 'title', 'table', 'tr', 'bdi', 'span', 'style']) tag WHERE
	(SELECT count(*) FROM page, regexp_matches(html, '<' || tag || '[ >]', 'g')) <>
	(SELECT count(*) FROM page, regexp_matches(html, '</' || tag || '>', 'g'));
-- a long name keeps its end
SELECT html LIKE '%&#x2026;%#22</text>%' AS shortened FROM page;
-- the same rows give the same page, byte by byte
SELECT josch.page('2024-03-04') = html AS same FROM page;
-- of one job
SELECT substring(p, '<p>([^<]*done\.)') AS done FROM josch.page('2024-03-04', 'Page') p;
-- what waits on other days is counted
SELECT josch.page('2024-03-05') ~ 'There are no nodes on this day' AS empty, josch.page('2024-03-05') ~ 'Nobody is waited for on this day' AS nobody;
SELECT josch.page(NULL);
ROLLBACK;
BEGIN;
-- bounded: 1,200 nodes of two jobs
SET LOCAL josch.now = '2024-03-04 12:00+00';
INSERT INTO josch.tpl_jobs (job_name) VALUES ('Many'), ('More');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name)
	SELECT 610000 + i, CASE WHEN i % 2 = 0 THEN 'S' ELSE 'N' END, CASE WHEN i <= 600 THEN 'Many' ELSE 'More' END, 'Node_' || i FROM generate_series(1, 1200) i;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (610600, 610601);
DO $$BEGIN PERFORM josch.schedule('2024-03-04', j) FROM unnest(ARRAY['Many', 'More']) j; END$$;
CREATE TEMPORARY TABLE page AS SELECT josch.page('2024-03-04') AS html;
SELECT m[1] AS bound FROM page, regexp_matches(html, '<p class="quiet">((?:Shown|Of) [^<]*)</p>', 'g') m;
SELECT count(*) AS rows FROM page, regexp_matches(html, '<tr><td><span class="\w+ chip">', 'g');
SELECT count(*) AS boxes FROM page, regexp_matches(html, '<g class="\w+"><title>[^<]*</title><(?:path|rect x="\d+")', 'g');
SELECT count(*) AS edges FROM page, regexp_matches(html, '<path d="M\d+ \d+ C', 'g');
-- a page is what its reader may see
SET LOCAL ROLE josch_viewer;
SELECT substring(josch.page('2024-03-04'), '<p>([^<]*done\.)') AS done;
SET LOCAL ROLE pg_monitor;
SELECT josch.page('2024-03-04');
ROLLBACK;
