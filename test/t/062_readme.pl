# README.md, doc/calendars.md, doc/conditions.md, doc/executors.md, doc/limits.md, doc/programs.md, doc/retries.md, doc/waiting.md, doc/words.md and doc/operations.md, doc/alarms.md are true: every SQL block runs, in order, on one server, and shows the output that is printed below it; every function,
# view, state and default of a setting is named as it is.
#
# A block that reads josch.board or josch.alarms is run again until it shows what is printed, since the scheduler needs a moment.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $patience = 60;    # seconds for the scheduler
my $user = getpwuid($<);

delete $ENV{PGAPPNAME};    # a reader's psql calls itself psql

my $readme = slurp_file('README.md');

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'josch'\n");
$node->start;

# One psql for each block, as a reader would paste it; returns exit code, stdout, stderr.
sub psql_block
{
	my ($sql) = @_;
	my ($out, $err);
	my $result = IPC::Run::run [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ],
	  '<', \$sql, '>', \$out, '2>', \$err;
	return ($result ? 0 : 1, plain($out), $err);
}

# Without trailing blanks, empty lines at either end, the widths of columns, and what differs from machine to machine.
sub plain
{
	my ($text) = @_;
	$text =~ s/\b\Q$user\E\b/postgres/g;
	$text =~ s/pid \d+ on host \S+/pid N on host H/g;
	$text =~ s/after \d+\.\d s/after N s/g;
	$text =~ s/-{2,}/--/g;
	$text =~ s/ +/ /g;
	$text =~ s/[ \t]+$//mg;
	$text =~ s/\A\n+|\n+\z//g;
	return $text;
}

my $blocks = 0;
my $text = join '', $readme, map { slurp_file("doc/$_.md") } qw(calendars conditions limits programs retries waiting words operations alarms executors);
while ($text =~ /^```sql\n(.*?)^```\n(?:```output\n(.*?)^```\n)?/msg)
{
	my ($sql, $expected) = ($1, $2);
	my ($name) = $sql =~ /\A([^\n]{1,60})/;
	my ($code, $out, $err);
	my $deadline = time() + $patience;
	do
	{
		($code, $out, $err) = psql_block($sql);
	} while ($sql =~ /\ASELECT[^;]*FROM josch\.(?:board|alarms)\b[^;]*;\n\z/
		&& defined $expected && $out ne plain($expected) && time() < $deadline && sleep(0.1));
	is($code, 0, "it runs: $name") or diag($err);
	is($out, plain($expected), "it shows what is printed: $name") if defined $expected;
	$blocks++;
}
cmp_ok($blocks, '>', 5, 'there are SQL blocks to run');

# each line that says a construct of pipelines runs
my ($constructs) = slurp_file('doc/words.md') =~ /^## What pipelines are made of.*?\n(.*?)^## /ms;
my @lines = $constructs =~ /`((?:UPDATE|INSERT|SELECT) [^`]*)`/g;
cmp_ok(scalar(@lines), '>', 12, 'there are lines for what pipelines are made of');
foreach my $line (@lines)
{
	my ($code, $out, $err) = psql_block("BEGIN;
		INSERT INTO josch.tpl_jobs (job_name) VALUES ('Close'), ('Load') ON CONFLICT DO NOTHING;
		INSERT INTO josch.semaphores (semaphore_name, capacity) SELECT 'db', 4 WHERE \$c\$$line\$c\$ ~ 'tpl_node_semaphores';
		INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES (10, 'N', 'Load', 'ten', 'true'), (30, 'N', 'Load', 'thirty', 'true') ON CONFLICT DO NOTHING;
		\\set QUIET off
		$line; ROLLBACK;");
	is($code, 0, "it runs: $line") or diag($err);
	like($out, qr/^(?:UPDATE 1|INSERT 0 1|\(1 row\))$/m, 'and does something');
}

# what the files do not name stays as it is, and to load them again changes nothing
my ($load) = grep { /tpl_nodes\.csv/ } $readme =~ /^```sql\n(.*?)^```/msg;
my $everything = 'SELECT j, n FROM josch.tpl_jobs j JOIN josch.tpl_nodes n USING (job_name) ORDER BY node_id';
$node->safe_psql('postgres', q{
	UPDATE josch.tpl_jobs SET time_zone = 'Asia/Tokyo', valid_from = '2025-01-01';
	UPDATE josch.tpl_nodes SET timeout = '2 hours', stop_grace = '3 s', owner = 'josch_viewer';
	UPDATE josch.tpl_nodes SET exec_sql_atomic = false, work_dir = '/tmp', ready_after = '7 s' WHERE node_type <> 'S';
	INSERT INTO josch.environs VALUES ('MORE', '1');});
my $before = $node->safe_psql('postgres', $everything);
my ($again, $counts) = psql_block($load);
is($again, 0, 'the load runs again');
is_deeply([ $counts =~ /\|\s*(\d+)/g ], [ (0) x 12 ], 'it has nothing to do') or diag($counts);
is($node->safe_psql('postgres', $everything), $before, 'and what the files do not name is as it was');

# what the extension has that is meant for people, and the tables of the README
foreach my $list (
	[ 'Functions', "SELECT DISTINCT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
		WHERE nspname = 'josch' AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
		AND obj_description(p.oid, 'pg_proc') IS NOT NULL AND obj_description(p.oid, 'pg_proc') NOT LIKE 'Internal:%'" ],
	[ 'Views', "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'josch' AND relkind = 'v'" ])
{
	my ($title, $query) = @$list;
	my ($section) = $readme =~ /^## $title\n(.*?)^## /ms;
	my %there = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', $query);
	my %written = map { $_ => 1 } map { /`(?:josch\.)?(\w+)/g } map { /^\| (.*?) \|/ } grep { /^\| `/ } split /\n/, $section;
	is_deeply([ grep { !$written{$_} } sort keys %there ], [], "$title: all are in the table");
	is_deeply([ grep { !$there{$_} } sort keys %written ], [], "$title: all in the table exist");
}

is_deeply(
	[ sort map { /^\| `(\w+)` \|/ } split /\n/, ($readme =~ /^\| state \| meaning \|\n(.*?)\n\n/ms)[0] ],
	[ sort split /\n/, $node->safe_psql('postgres', 'SELECT state FROM josch.states()') ],
	'the states are those of the state machine');

# what a parent is to its children: each state of the table's first column with the words of the others
my ($means) = slurp_file('doc/conditions.md') =~ /^\| parent is \|[^\n]*\n(.*?)\n\n/ms;
my @said = map { my ($states, @words) = /^\| (`.*?) \| (\w+) \| (\w+) \| (\w+) \| (\w+) \|$/; map { "$_|" . join('|', @words) } ($states // '') =~ /`(\w+)`/g } split /\n/, $means;
is_deeply([ sort @said ], [ sort split /\n/, $node->safe_psql('postgres', 'SELECT state, success, done, failure, well FROM josch.states()') ],
	'what a parent is to its children is what the program has');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT josch.parent_is(NULL, c), ',') FROM unnest(ARRAY['success', 'done', 'failure', 'well']) c}),
	'waits', 'one that is not made yet is waited for') if $means =~ /not made yet, but expected \| waits \| waits \| waits \| waits/;

my %defaults = map { split /\|/, $_, 2 } split /\n/,
  $node->safe_psql('postgres', "SELECT name, current_setting(name) FROM pg_settings WHERE name LIKE 'josch.%'");
foreach my $line (grep { /^\| `/ } split /\n/, ($readme =~ /^\| setting \|[^\n]*\n(.*?)\n\n/ms)[0])
{
	my ($name, $default) = $line =~ /^\| `(josch\.\w+)` \| (?:`([^`]*)`|empty) \|/;
	is($default // '', $defaults{$name}, "the default of $name");
}

my $long = () = $readme =~ /\n/g;
cmp_ok($long, '<', 350, 'the README is not longer than a person reads');

$node->stop;
done_testing();
