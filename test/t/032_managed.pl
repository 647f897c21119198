# The owner of a database who is no superuser creates the extension, writes an SQL day and runs it, lets others in; and neither he
# nor the extension's functions take him further. Groups that serve another database already do not let him into that one.

use strict;
use warnings;
use JoschNode qw($DATE);
use PostgreSQL::Test::Utils;
use Test::More;

# what this file itself asks as a superuser must not fall into the traps that it sets
$ENV{PGOPTIONS} = '-c search_path=pg_catalog';
my $node = JoschNode->create('main', extension => 0);
$node->sql('CREATE ROLE tenant LOGIN; CREATE ROLE colleague LOGIN; CREATE ROLE tenant_2 LOGIN');
$node->sql('CREATE DATABASE managed OWNER tenant');
$node->sql('CREATE DATABASE managed_2 OWNER tenant_2');

sub as
{
	my ($role, $query, $database) = @_;
	my ($code, $stdout, $stderr) = $node->psql($database // 'managed', $query, extra_params => [ '-U', $role ], on_error_stop => 1);
	return wantarray ? ($stdout, $stderr) : $stdout . ($code == 0 ? '' : $stderr);
}

sub refused
{
	my ($what, $query, $expected, $role) = @_;
	my (undef, $stderr) = as($role // 'tenant', $query);
	like($stderr, qr/ERROR: .*$expected/, "refused: $what");
	return;
}

# --- what he had prepared is of no use in the script, which runs as a superuser

is(as('tenant', q{
	CREATE FUNCTION public.up() RETURNS void LANGUAGE plpgsql AS $$BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ALTER ROLE tenant SUPERUSER; END IF; END$$;
	CREATE FUNCTION public.same(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN PERFORM public.up(); RETURN true; END$$;
	CREATE OPERATOR public.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same);
	CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same);
	CREATE FUNCTION public.unnest(bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS $$BEGIN PERFORM public.up(); RETURN QUERY SELECT * FROM pg_catalog.unnest($1); END$$;
	CREATE FUNCTION public.format(text, name, text, name) RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM public.up(); RETURN 'SELECT 1'; END$$;
	CREATE TYPE public.num AS (n int); CREATE FUNCTION public.num(int) RETURNS public.num LANGUAGE plpgsql AS $$BEGIN PERFORM public.up(); RETURN ROW($1); END$$;
	CREATE CAST (int AS public.num) WITH FUNCTION public.num(int) AS IMPLICIT;
	ALTER DATABASE managed SET search_path = public, pg_catalog;
	ALTER DATABASE managed SET standard_conforming_strings = off;
	CREATE TEMP TABLE pg_extension (extname text, extowner oid);
	SET search_path = pg_temp, public, pg_catalog;
	SET default_tablespace = ''; SET check_function_bodies = off;
	CREATE EXTENSION josch;
}), '', 'the owner of the database creates the extension');
is(super(), 'f', 'and is no superuser');
is($node->sql(q{SELECT DISTINCT r.rolsuper FROM (
	SELECT relowner FROM pg_class WHERE relnamespace = 'josch'::regnamespace UNION SELECT proowner FROM pg_proc WHERE pronamespace = 'josch'::regnamespace
	UNION SELECT nspowner FROM pg_namespace WHERE nspname = 'josch') o (owner) JOIN pg_roles r ON r.oid = owner}, 'managed'), 't', 'all of it belongs to a superuser');
is($node->sql(q{SELECT string_agg(pg_has_role('tenant', rolname, 'MEMBER WITH ADMIN OPTION')::text, ' ')
	FROM pg_roles WHERE rolname IN ('josch_viewer', 'josch_operator', 'josch_author')}), 'true true true', 'he has the group roles, with ADMIN OPTION');
is(as('tenant', 'GRANT josch_operator TO colleague'), '', 'he lets a colleague in');

# --- an SQL day

is(as('tenant', q{
	CREATE TABLE public.figures (day date PRIMARY KEY, at timestamptz DEFAULT now());
	INSERT INTO josch.tpl_jobs (job_name) VALUES ('Figures');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) VALUES
		(1, 'N', 'Figures', 'collect', 'INSERT INTO public.figures (day) VALUES (current_setting($$josch_run.DATE$$)::date)'),
		(2, 'S', 'Figures', 'look at them', NULL), (3, 'N', 'Figures', 'done', NULL),
		(4, 'N', 'Figures', 'reach for more', 'SELECT public.up(); ALTER ROLE tenant SUPERUSER'),
		(5, 'N', 'Figures', 'become another', 'RESET ROLE; RESET SESSION AUTHORIZATION; ALTER ROLE tenant SUPERUSER');
	INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (1, 2), (2, 3);
}) . as('tenant', "SELECT nodes FROM josch.schedule('$DATE')"), '5', 'he writes a day and makes it');
ok($node->poll_query_until('managed', "SELECT state = 'signoff' FROM josch.nodes WHERE node_id = 2"), 'its SQL runs, and a sign-off is asked for');
is(as('tenant', 'SELECT day FROM public.figures'), $DATE, 'with its date');
is(as('colleague', "SELECT josch.signoff(2, '$DATE', 'fine')"), 'succeeded', 'the colleague signs off');
ok($node->poll_query_until('managed', "SELECT count(*) = 5 FROM josch.nodes WHERE node_id <= 3 AND state = 'succeeded' OR node_id > 3 AND state = 'failed'"),
	'the day is done; SQL that reaches for more has failed');
is(super(), 'f', 'no superuser has come of it');
is(as('tenant', "SELECT DISTINCT session_name FROM josch.tpl_nodes_audit"), 'tenant', 'the record has his name');

command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-U', 'tenant', '-f', $node->basedir . '/managed.sql', 'managed' ], 'he dumps his database');

# --- what he may not

refused('a command', "INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, exec_command) VALUES ('N', 'Figures', 'x', 'id')", 'permission denied to set "exec_command"');
refused('a variable', "INSERT INTO josch.environs VALUES ('PATH', '/tmp')", 'permission denied to write environs');
refused('SQL as a superuser', "INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, exec_sql, owner) SELECT 'N', 'Figures', 'x', 'SELECT 1', rolname FROM pg_roles WHERE rolsuper LIMIT 1", 'permission denied to write node');
refused('a table in the schema', 'CREATE TABLE josch.x (a int)', 'permission denied for schema josch');
refused('a function in the schema', "CREATE FUNCTION josch.signoff(int, date) RETURNS int LANGUAGE sql AS 'SELECT 1'", 'permission denied for schema josch');
refused('the schema itself', 'ALTER SCHEMA josch OWNER TO tenant', 'must be owner of schema josch');
refused("the schema's name", 'ALTER SCHEMA josch RENAME TO josch_2', 'must be owner of schema josch');
refused('rights on the schema', 'GRANT CREATE ON SCHEMA josch TO tenant; CREATE TABLE josch.x (a int)', 'permission denied for schema josch');
refused('a column', 'ALTER TABLE josch.nodes ADD x int', 'must be owner of table nodes');
refused('a trigger', 'CREATE TRIGGER x AFTER INSERT ON josch.nodes FOR EACH STATEMENT EXECUTE FUNCTION josch.node_propagate()', 'permission denied for');
refused('a trigger on a table of his own', 'CREATE TRIGGER x AFTER INSERT ON public.figures FOR EACH STATEMENT EXECUTE FUNCTION josch.node_propagate()', 'permission denied for function');
refused('a rule', 'CREATE RULE x AS ON INSERT TO josch.tpl_jobs DO ALSO SELECT public.up()', 'must be owner of');
refused('a policy', 'CREATE POLICY x ON josch.nodes USING (public.up() IS NULL)', 'must be owner of');
refused('a function anew', "CREATE OR REPLACE FUNCTION josch.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'", 'permission denied for schema josch');
refused('a setting of a function', 'ALTER FUNCTION josch.now() RESET search_path', 'must be owner of function');
refused('a member less', 'ALTER EXTENSION josch DROP TABLE josch.nodes', 'must be owner of table nodes');
refused('a table of the extension', 'DROP TABLE josch.nodes', 'must be owner of table nodes');
refused('a foreign key', 'CREATE TABLE public.r (j text REFERENCES josch.tpl_jobs)', 'permission denied for table tpl_jobs');
refused('a table that inherits', 'CREATE TABLE public.i () INHERITS (josch.nodes)', 'must be owner of table nodes');
refused('the clock', "SET josch.now = '2020-01-01'", 'permission denied to set parameter');
refused('the clock as a default', "SELECT josch.now(); ALTER DATABASE managed SET josch.now = '2020-01-01'", 'permission denied to set parameter');
refused('the spool as a default', "SELECT josch.now(); ALTER DATABASE managed SET josch.spool_directory = '/tmp'", 'cannot be changed now|permission denied');
refused('a pass', 'SELECT josch.tick()', 'permission denied for function tick');
refused('the files of the server', "SELECT josch.load_csv('/etc')", 'permission denied');
refused('a file on the server', "SELECT josch.export_csv('/tmp')", 'permission denied');
refused('the record', 'DELETE FROM josch.nodes_audit', 'permission denied for table nodes_audit');

# a member that he has made does not stand in the schema
is(as('tenant', 'CREATE TABLE public.nodes (LIKE josch.nodes); ALTER EXTENSION josch ADD TABLE public.nodes'), '', 'a table of his own becomes a member of his extension');
refused('a trigger on that', 'CREATE TRIGGER x AFTER INSERT ON public.nodes FOR EACH STATEMENT EXECUTE FUNCTION josch.node_propagate()', 'permission denied for function');
as('tenant', 'ALTER EXTENSION josch DROP TABLE public.nodes; DROP TABLE public.nodes');

# superusers, and the scheduler, work in his database, on his path and with his defaults
as('tenant', "ALTER DATABASE managed SET josch.comment = 'checked'; ALTER DATABASE managed SET role = tenant; ALTER DATABASE managed SET row_security = off; ALTER DATABASE managed SET check_function_bodies = off");
$node->restart;
foreach my $call ("josch.dot('Figures')", "josch.critical_path('Figures')", 'josch.topological_sort()', 'josch.ancestors(3)', "josch.schedule('2024-03-02')",
	"josch.history(1, '$DATE')", "josch.board_at('$DATE', now())", "josch.environment(1, '$DATE')", 'josch.health()', "josch.rerun(1, '$DATE')", "josch.tick()")
{
	$node->psql('managed', "SET ROLE NONE; SET search_path = public, pg_catalog; SELECT $call");
	is(super(), 'f', "no superuser comes of $call");
}
ok($node->poll_query_until('managed', "SELECT count(*) > 1 FROM josch.runs WHERE node_id = 1 AND ended_at IS NOT NULL"), 'the scheduler goes on');
is(super(), 'f', 'no superuser comes of the scheduler');
is($node->sql("SELECT count(*) FROM josch.nodes_audit WHERE comment = 'checked'", 'managed'), '0', 'a default of the database puts words into nobody\'s mouth');

# --- a second database in the same cluster

my (undef, $stderr) = as('tenant_2', 'CREATE EXTENSION josch', 'managed_2');
like($stderr, qr/WARNING:  the roles josch_viewer, josch_operator and josch_author serve another database already.*HINT:/s, 'the second owner is told that the groups are shared');
is($node->sql("SELECT bool_or(pg_has_role('tenant_2', rolname, 'MEMBER')) FROM pg_roles WHERE rolname LIKE 'josch%'"), 'f', 'he is no member of them');
is($node->sql(q{SELECT count(*) FILTER (WHERE theirs AND NOT his) || ' ' || count(*) FILTER (WHERE his AND NOT theirs) FROM (
	SELECT has_column_privilege('tenant_2', c.oid, a.attnum, p) AS his,
		(SELECT bool_or(has_column_privilege(r.oid, c.oid, a.attnum, p)) FROM pg_roles r WHERE rolname IN ('josch_viewer', 'josch_operator', 'josch_author')) AS theirs
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p
	WHERE c.relnamespace = 'josch'::regnamespace AND c.relkind IN ('r', 'v')) x}, 'managed_2'), '0 0', 'of each column he may do what they may, and no more');
is(as('tenant_2', q{INSERT INTO josch.tpl_jobs (job_name) VALUES ('Own');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) VALUES (1, 'N', 'Own', 'own', 'SELECT 1'), (2, 'S', 'Own', 'sign', NULL);
	INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (1, 2)}, 'managed_2')
	. as('tenant_2', "SELECT nodes FROM josch.schedule('$DATE')", 'managed_2'), '2', 'but writes a day and makes it');
ok($node->poll_query_until('managed_2', "SELECT state = 'signoff' FROM josch.nodes WHERE node_id = 2"), 'its SQL runs');
is(as('tenant_2', "UPDATE josch.nodes SET state = 'succeeded' WHERE node_id = 2 RETURNING state", 'managed_2'), 'succeeded', 'he acts on its nodes');
is(as('tenant_2', 'GRANT USAGE ON SCHEMA josch TO colleague; GRANT SELECT ON josch.board TO colleague', 'managed_2') . as('colleague', 'SELECT count(*) FROM josch.board', 'managed_2'),
	'2', 'and lets others in, into his database alone');

# of the first database he sees nothing, nor does its operator of the second's
foreach my $query ("SELECT josch.log(1)", "SELECT josch.health()", 'TABLE josch.runs', 'TABLE josch.board', "SELECT josch.history(1, '$DATE')",
	"SELECT josch.stop(1, '$DATE')", "SELECT josch.wake()", 'SELECT josch.tick()', "SELECT josch.dot()", "SELECT josch.export_csv('/tmp')", "SELECT josch.load_schema('public')",
	"SELECT josch.schedule('2024-03-03')")
{
	like(as('tenant_2', $query, 'managed'), qr/ERROR:  permission denied for/, "in another's database: $query");
}
is($node->sql("SELECT string_agg(component || coalesce(detail, ''), ' ') ~ 'managed\\M' FROM josch.health()", 'managed_2'), 'f', 'health speaks of its own database only');

# he takes it away and brings it back: the schema is a superuser's now, and empty
is(as('tenant', 'DROP EXTENSION josch; CREATE EXTENSION josch; SELECT count(*) FROM josch.nodes'), '0', 'DROP and CREATE EXTENSION');
is(super(), 'f', 'still no superuser');
$node->stop;
done_testing();

sub super
{
	return $node->sql("SELECT bool_or(rolsuper OR rolcreaterole OR pg_has_role(oid, 'pg_execute_server_program', 'MEMBER')) FROM pg_roles WHERE rolname IN ('tenant', 'tenant_2', 'colleague')");
}
