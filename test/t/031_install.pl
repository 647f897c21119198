# CREATE EXTENSION makes the same objects whatever the session's settings are, and none where somebody could have prepared the
# place: a schema josch that is there must be empty, and its owner one who has a superuser's trust already.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;
my $n = 0;
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

# --- settings

my $normal = catalog(installed());
cmp_ok(scalar(split /\n/, $normal), '>', 500, 'there is something to compare');
like($normal, qr/^constraint josch\.tpl_nodes nodes_work_dir_is_absolute CHECK/m, 'constraints are among it');
like($normal, qr/^function .*josch\.signoff/m, 'functions are among it');
foreach my $settings (
	[ standard_conforming_strings => 'off' ],
	[ standard_conforming_strings => 'off', backslash_quote => 'on', escape_string_warning => 'on' ],
	[ quote_all_identifiers => 'on' ],
	[ search_path => '' ],
	[ search_path => 'trap, pg_catalog' ],
	[ datestyle => 'German, DMY', timezone => 'Pacific/Kiritimati' ],
	[ datestyle => 'SQL, MDY', intervalstyle => 'sql_standard' ],
	[ intervalstyle => 'iso_8601' ],
	[ check_function_bodies => 'off', row_security => 'off' ],
	[ client_encoding => 'LATIN1', bytea_output => 'escape', xmloption => 'document' ],
	[ default_toast_compression => 'pglz', default_table_access_method => 'heap', default_tablespace => 'pg_default' ],
	[ transform_null_equals => 'on', array_nulls => 'off', extra_float_digits => '-5' ],
	[ 'plpgsql.extra_errors' => 'all', 'plpgsql.variable_conflict' => 'use_column' ],
	[ default_transaction_isolation => 'serializable', session_replication_role => 'replica' ],
	[ lc_messages => 'C', client_min_messages => 'debug1', enable_seqscan => 'off', jit_above_cost => '0' ])
{
	my %how = @$settings;
	is(catalog(installed(%how)), $normal, 'with ' . join(', ', map { "$_ = $how{$_}" } sort keys %how));
}

# objects where an unqualified name would find them first
my $trapped = database();
$node->safe_psql($trapped, q{
	CREATE SCHEMA trap;
	CREATE FUNCTION trap.sprung(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'sprung'; END$$;
	CREATE OPERATOR trap.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.sprung);
	CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.sprung);
	CREATE FUNCTION trap.isfinite(date) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'sprung'; END$$;
	CREATE DOMAIN trap.text AS int;
});
$node->safe_psql($trapped, q{
	CREATE TEMP TABLE pg_roles (a int); CREATE TEMP TABLE pg_extension (a int); CREATE DOMAIN pg_temp.text AS int; CREATE DOMAIN pg_temp.date AS int;
	CREATE FUNCTION pg_temp.isfinite(pg_catalog.date) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'sprung'; END$$;
	SET search_path = pg_temp, trap, pg_catalog; CREATE EXTENSION josch; });
is(catalog($trapped), $normal, 'with operators, types and tables on the path and in pg_temp');
is($node->safe_psql($trapped, 'SET search_path = trap, pg_catalog; BEGIN; DROP EXTENSION josch; CREATE EXTENSION josch; SHOW search_path; COMMIT'),
	'trap, pg_catalog', 'the path is as it was afterwards, in the same transaction');

my $events = database();
$node->safe_psql($events, q{
	CREATE TABLE public.seen (tag text);
	CREATE FUNCTION public.see() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.seen VALUES (tg_tag); END$$;
	CREATE EVENT TRIGGER see_start ON ddl_command_start EXECUTE FUNCTION public.see();
	CREATE EVENT TRIGGER see_end ON ddl_command_end EXECUTE FUNCTION public.see();
	CREATE EXTENSION josch });
is(catalog($events), $normal, 'with event triggers');
cmp_ok($node->safe_psql($events, 'SELECT count(*) FROM public.seen'), '>', 100, 'which have seen it');

# --- a prepared place

$node->safe_psql('postgres', 'CREATE ROLE owner_of_db LOGIN; CREATE ROLE bystander LOGIN');
sub prepared
{
	my ($preparation, $by_superuser) = @_;
	my $database = database('owner_of_db');
	$node->safe_psql($database, $preparation, $by_superuser ? () : (extra_params => [ '-U', 'owner_of_db' ]));
	return $database;
}

sub refused
{
	my ($what, $expected, $database, @how) = @_;
	my ($code, undef, $stderr) = $node->psql($database, '\set VERBOSITY verbose' . "\nCREATE EXTENSION josch", @how);
	like($stderr, $expected, "$what: refused");
	like($stderr, qr/HINT: .*schema josch/, "$what: with a hint");
	is($node->safe_psql($database, "SELECT count(*) FROM pg_extension WHERE extname = 'josch'"), '0', "$what: nothing is there");
	return;
}

my $theirs = prepared(q{CREATE SCHEMA josch; CREATE FUNCTION josch.s(text[], text) RETURNS text[] LANGUAGE sql AS 'SELECT $1';
	CREATE AGGREGATE josch.array_agg(text) (SFUNC = josch.s, STYPE = text[], INITCOND = '{}')});
refused('a schema of another with an aggregate in it', qr/55000: schema josch is there and belongs to somebody else.*DETAIL: .*owner_of_db/s, $theirs);
refused('an empty schema of another', qr/55000: schema josch is there and belongs to somebody else/, prepared('CREATE SCHEMA josch'));
my %things = (
	function => 'CREATE FUNCTION josch.signoff(int, date) RETURNS text LANGUAGE sql AS $$SELECT NULL::text$$',
	table => 'CREATE TABLE josch.mine (a int)',
	type => 'CREATE TYPE josch.mine AS ENUM ()',
	operator => 'CREATE OPERATOR josch.= (LEFTARG = text, RIGHTARG = int, FUNCTION = starts_with_int)',
	'default privilege' => 'ALTER DEFAULT PRIVILEGES IN SCHEMA josch GRANT ALL ON TABLES TO bystander',
	collation => 'CREATE COLLATION josch."default" FROM "C"');
foreach my $thing (sort keys %things)
{
	my $database = prepared("CREATE FUNCTION starts_with_int(text, int) RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE SCHEMA josch; $things{$thing}", 1);
	refused("a superuser's schema with a $thing", qr/55000: schema josch is there and is not empty.*DETAIL:  It has /s, $database);
}
refused('a schema in which others may create', qr/55000: schema josch is there and others may create objects in it.*"bystander"/s,
	prepared('CREATE SCHEMA josch; GRANT ALL ON SCHEMA josch TO bystander', 1));
refused('a schema in which all may create', qr/55000: schema josch is there and others may create objects in it.*"PUBLIC"/s,
	prepared('CREATE SCHEMA josch; GRANT CREATE ON SCHEMA josch TO PUBLIC', 1));
my $restored = prepared('CREATE SCHEMA josch; GRANT USAGE ON SCHEMA josch TO bystander', 1);
$node->safe_psql($restored, 'CREATE EXTENSION josch');
is($node->safe_psql($restored, "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'josch'"), $superuser, "a superuser's empty schema is taken, as in a restore");

# the owner of the database creates the extension himself, in a schema of his own
my $mine = prepared('CREATE SCHEMA josch');
my $open = $node->background_psql($mine, on_error_die => 1, extra_params => [ '-U', 'owner_of_db' ]);
$open->query_safe('BEGIN');
$open->query_safe('CREATE FUNCTION josch.signoff(int, date) RETURNS text LANGUAGE sql AS $$SELECT NULL::text$$');
refused('his own, into which an open transaction has put something', qr/55006: schema josch is there, and other transactions.*"owner_of_db"/s,
	$mine, extra_params => [ '-U', 'owner_of_db' ]);
$open->query_safe("PREPARE TRANSACTION 'later'");
refused('his own, into which a prepared transaction has put something', qr/55006: schema josch is there, and other transactions.*prepared transaction 'later'/s,
	$mine, extra_params => [ '-U', 'owner_of_db' ]);
$open->query_safe("ROLLBACK PREPARED 'later'");
$open->quit;
$node->safe_psql($mine, 'CREATE EXTENSION josch', extra_params => [ '-U', 'owner_of_db' ]);
is($node->safe_psql($mine, "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'josch'"), $superuser, 'his own and empty: taken, and no longer his');
my ($code) = $node->psql($mine, 'CREATE TABLE josch.mine (a int)', extra_params => [ '-U', 'owner_of_db' ]);
isnt($code, 0, 'he cannot put anything into it any more');

$node->stop;
done_testing();

sub database
{
	my ($owner) = @_;
	my $name = 'install_' . ++$n;
	$node->safe_psql('postgres', "CREATE DATABASE $name" . (defined $owner ? " OWNER $owner" : ''));
	return $name;
}

# A database with the extension, created under these settings.
sub installed
{
	my (%settings) = @_;
	my $name = database();
	$node->safe_psql($name, 'CREATE SCHEMA trap');
	$node->safe_psql($name, join('', map { "SET $_ = '$settings{$_}';\n" } sort keys %settings) . 'CREATE EXTENSION josch');
	return $name;
}

# All that the extension is, as text.
sub catalog
{
	my ($database) = @_;
	return $node->safe_psql($database, q{
		SET search_path = pg_catalog;
		SELECT format('relation %s %s %s %s', oid::regclass, relkind, relacl, reloptions) FROM pg_class WHERE relnamespace = 'josch'::regnamespace ORDER BY 1;
		SELECT format('column %s %s %s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attacl, pg_get_expr(adbin, adrelid))
		FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE relnamespace = 'josch'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0 ORDER BY attrelid::regclass::text, attnum;
		SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'josch'::regnamespace ORDER BY 1;
		SELECT format('view %s %s', oid::regclass, pg_get_viewdef(oid)) FROM pg_class WHERE relnamespace = 'josch'::regnamespace AND relkind = 'v' ORDER BY 1;
		SELECT format('index %s', pg_get_indexdef(indexrelid)) FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'josch'::regnamespace ORDER BY 1;
		SELECT format('function %s %s', pg_get_functiondef(oid), proacl) FROM pg_proc WHERE pronamespace = 'josch'::regnamespace ORDER BY 1;
		SELECT format('trigger %s %s', pg_get_triggerdef(t.oid), tgenabled) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
		WHERE relnamespace = 'josch'::regnamespace AND NOT tgisinternal ORDER BY 1;
		SELECT format('comment %s %s', pg_describe_object(classoid, objoid, objsubid), description) FROM pg_description
		WHERE objoid IN (SELECT objid FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'josch')) OR objoid = 'josch'::regnamespace ORDER BY 1;
		SELECT format('schema %s %s', nspname, nspacl) FROM pg_namespace WHERE nspname = 'josch';
		SELECT format('dumped %s', array(SELECT c::regclass::text FROM unnest(extconfig) AS c)) FROM pg_extension WHERE extname = 'josch';
	});
}
