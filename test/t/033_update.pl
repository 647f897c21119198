# test/t/033_update.pl
#
# From one version to the next.  The next one is made here: scripts/next_version begins it on a copy of the source, as for a
# release, and it gets what changes from version to version.  Whoever updates has all that whoever installs it has, and loses
# nothing: not even what runs.  In between, when library and tables are of two versions, everything stands still and says so,
# in either order.  The same from each version that was ever released: sql/update/josch--VERSION.sql.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $source = "$ENV{TESTDATADIR}/next";
my $stage = "$ENV{TESTDATADIR}/stage";
my ($bin) = map { chomp; $_ } `$ENV{PG_CONFIG} --bindir`;
system_or_bail('cp', '-a', '.', $source);
system_or_bail('cp', '-a', $ENV{JOSCH_STAGE}, $stage);
my ($old) = slurp_file('josch.control') =~ /^default_version = '(.*)'$/m;
my $next = $old =~ s/(\d+)$/$1 + 1/er;

# What sql/install/ gets, and the update with it: one of each kind.
my $piece = q{
ALTER TABLE josch.tpl_jobs ADD COLUMN colour text CONSTRAINT tpl_jobs_colour_is_short CHECK (length(colour) < 20);
COMMENT ON COLUMN josch.tpl_jobs.colour IS 'What it is drawn in';
CREATE TABLE josch.colours (colour text PRIMARY KEY, seen_at timestamptz DEFAULT josch.now());
COMMENT ON TABLE josch.colours IS 'Colours that there are';
SELECT pg_catalog.pg_extension_config_dump('josch.colours', '');
GRANT SELECT ON josch.colours TO josch_viewer;
CREATE FUNCTION josch.later() RETURNS timestamptz LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'josch_api_time_now';
COMMENT ON FUNCTION josch.later() IS 'Now, as the next version calls it';
REVOKE ALL ON FUNCTION josch.later() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.later() TO josch_operator;
};

sub make_next
{
	system_or_bail("$source/scripts/next_version", $next);
	append_to_file("$source/sql/install/89_next.sql", $piece);
	append_to_file("$source/sql/update/josch--$old--$next.sql", $piece);
	# one that forgets three things
	append_to_file("$source/sql/update/josch--$old--forgetful.sql",
		$piece =~ s/^COMMENT ON FUNCTION.*\n|^REVOKE ALL.*\n//gmr =~ s/josch\.now\(\)/now()/r =~ s/SELECT pg_catalog.pg_extension_config_dump.*\n//r);
	local $ENV{MAKEFLAGS} = '';
	command_ok([ 'make', '-s', '-C', $source, "PG_CONFIG=$ENV{PG_CONFIG}", 'with_llvm=no', 'all' ], "version $next builds");
	return;
}

sub install_next
{
	command_ok([ 'make', '-s', '-C', $source, "PG_CONFIG=$ENV{PG_CONFIG}", 'with_llvm=no', "DESTDIR=$stage", 'install' ], "and is installed");
	return;
}

# All that makes the extension, an object an entry: what pg_upgrade would carry over, without the numbers that it carries over, and
# with rights and columns of a table in the order of their names where they have none of their own.
sub shape
{
	my ($node, $database) = @_;
	my ($dump, $err) = run_command([ "$stage$bin/pg_dump", '--binary-upgrade', '--schema-only', '-d', $node->connstr($database) ]);
	like($err, qr/^(pg_dump: warning.*)?$/s, "$database: its objects are read");
	my %entries;
	foreach my $entry (split /^--\n-- Name: /m, $dump)
	{
		my ($name, $text) = $entry =~ /^(.*?; Type: .*?); Schema.*?\n--\n(.*)/s or next;
		next if $name =~ /Type: SEQUENCE SET$/;
		my @lines = grep { !/^$|^--|binary_upgrade_(set_next|create_empty)|^SET |relfilenode|relfrozenxid|^\\(un)?restrict |^WHERE oid = '\d+'|^\s*'\{[\d,]*\}'|\b$old\b|\b$next\b/ } split /\n/, $text;
		@lines = sort @lines if $name =~ /Type: ACL/;
		$entries{$name} = join "\n", @lines if @lines;
	}
	$entries{'tables that a dump contains'} = $node->sql(q{SELECT string_agg(c.oid::regclass || ' ' || x.condition, E'\n' ORDER BY c.oid::regclass::text)
		FROM pg_extension e, unnest(e.extconfig, e.extcondition) x (id, condition) JOIN pg_class c ON c.oid = x.id WHERE extname = 'josch'}, $database);
	return \%entries;
}

# What two shapes do not have in common, by name.
sub differences
{
	my ($one, $other) = @_;
	my %names = (%$one, %$other);
	return [ grep { ($one->{$_} // '') ne ($other->{$_} // '') } sort keys %names ];
}

sub same_shape
{
	my ($one, $other, $what) = @_;
	my $found = differences($one, $other);
	is_deeply($found, [], $what);
	diag "$_:\n" . ($one->{$_} // '(missing)') . "\n--- and ---\n" . ($other->{$_} // '(missing)') foreach @$found;
	return;
}

sub refused
{
	my ($node, $database, $words) = @_;
	my (undef, undef, $err) = $node->psql($database, 'SELECT josch.tick()');
	like($err, qr/ERROR:  josch of this database stands still: $words/, "$database: a pass by hand is refused");
	like($node->sql("SELECT detail FROM josch.health() WHERE NOT up AND component = 'scheduler'", $database), qr/it stands still: $words/, "$database: so josch.health() says");
	return;
}

# A day whose first node runs until a file is there; the second comes after it.
sub start_day
{
	my ($node, $database) = @_;
	$node->sql(qq{CREATE EXTENSION josch;
		INSERT INTO josch.environs VALUES ('WORK', '$node->{work}');
		INSERT INTO josch.tpl_jobs VALUES ('Day');
		INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES
			(1, 'N', 'Day', 'goes on', 'until [ -e "\$WORK/end.$database" ]; do sleep 0.1; done; exit 0'), (2, 'N', 'Day', 'comes after', 'true');
		INSERT INTO josch.tpl_node_deps VALUES (1, 0, 2, 0);
		SELECT josch.schedule('$DATE')}, $database);
	$node->wait_until("$database: its first node runs", "SELECT status = 'running' FROM josch.runs", $database);
	return $node->sql('SELECT pid FROM josch.runs', $database);
}

sub ends_well
{
	my ($node, $database, $pid) = @_;
	ok(lives($pid), "$database: the command lives");
	append_to_file("$node->{work}/end.$database", '');
	$node->wait_until("$database: the day ends", "SELECT count(*) = 2 FROM josch.nodes WHERE state = 'succeeded'", $database);
	is($node->sql('SELECT string_agg(attempt::text, $$ $$ ORDER BY node_id) FROM josch.runs', $database), '1 1', "$database: each was started once");
	return;
}

# what people and the engine have written
my $written = '^(nodes|runs|node_deps|jobs|tpl_nodes|.*_audit)$';
make_next();
my $node = JoschNode->create('update', install_path => "$stage" . ($bin =~ s{/bin$}{}r), extension => 0);
my %pid;
foreach my $database (qw(early late forgetful))
{
	$node->sql("CREATE DATABASE $database");
	$pid{$database} = start_day($node, $database) unless $database eq 'forgetful';
}
$node->sql('CREATE EXTENSION josch', 'forgetful');

# --- the objects are newer than the library
install_next();
my $before = $node->contents('early', $written);
my $from = -s $node->logfile;
$node->sql('ALTER EXTENSION josch UPDATE', 'early');
is($node->contents('early', $written), $before, 'the update changes nothing that was there');
$node->wait_for_log(qr/WARNING:  .*josch of database "early" stands still: the library is $old, the extension is $next\n.*DETAIL:  .*\n.*HINT:  Install the library of that version, and restart the server/, $from);
refused($node, 'early', "the library is $old, the extension is $next");
is($node->sql("SELECT up FROM josch.health() WHERE component = 'scheduler'", 'late'), 't', 'another database goes on');

# --- the library is newer than the objects
$before = $node->contents('late', $written);
$from = -s $node->logfile;
$node->restart;
ends_well($node, 'early', $pid{early});
$node->wait_for_log(qr/WARNING:  .*josch of database "late" stands still: the library is $next, the extension is $old\n.*DETAIL:  .*\n.*HINT:  ALTER EXTENSION josch UPDATE/, $from);
refused($node, 'late', "the library is $next, the extension is $old");
is($node->contents('late', $written), $before, 'nothing is done meanwhile');
append_to_file("$node->{work}/end.late", '');
eventually('its command ends meanwhile', sub { !lives($pid{late}) });
is($node->sql("SELECT state FROM josch.nodes WHERE node_id = 1", 'late'), 'running', 'of which nobody hears');
my $listener = $node->background_psql('late');
$listener->query_safe('LISTEN josch');
$node->sql("SELECT josch.hold(2, '$DATE')", 'late');
ok(eventually('it is told', sub { $listener->query_safe('SELECT 1') =~ /"node":2,.*"to":"held"/ }), 'what a person does meanwhile is told');
$listener->quit;
$node->sql("SELECT josch.release(2, '$DATE')", 'late');
$node->sql('ALTER EXTENSION josch UPDATE', 'late');
$node->wait_until('late: after the update the end is heard, and the day ends', "SELECT count(*) = 2 FROM josch.nodes WHERE state = 'succeeded'", 'late');
is($node->sql('SELECT string_agg(exit_code::text, $$ $$) FROM josch.runs', 'late'), '0 0', 'late: with its true exit code');
is($node->sql("SELECT detail FROM josch.health() WHERE component = 'version' AND up", 'late'), $next, 'library and extension are of one version');

# --- the same objects, by either way
$node->sql('CREATE DATABASE fresh');
$node->sql('CREATE EXTENSION josch', 'fresh');
my $fresh = shape($node, 'fresh');
cmp_ok(scalar(keys %$fresh), '>', 500, 'an extension has many objects');
same_shape(shape($node, 'late'), $fresh, 'whoever updates has what whoever installs has');
$node->sql("ALTER EXTENSION josch UPDATE TO 'forgetful'", 'forgetful');
is_deeply(differences(shape($node, 'forgetful'), $fresh), [
	'FUNCTION later(); Type: ACL', 'FUNCTION later(); Type: COMMENT', 'colours; Type: TABLE', 'tables that a dump contains' ], 'what an update forgets is seen');

foreach my $script (sort glob("$source/sql/update/josch--*.sql"))
{
	my ($version) = $script =~ m{/josch--([0-9.]+)\.sql$} or next;
	my $database = "from_$version";
	$node->sql(qq{CREATE DATABASE "$database"});
	$node->sql("CREATE EXTENSION josch VERSION '$version'", $database);
	$node->sql('ALTER EXTENSION josch UPDATE', $database);
	same_shape(shape($node, $database), $fresh, "from version $version");
}
done_testing();
