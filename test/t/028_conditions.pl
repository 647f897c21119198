# Conditions and joins: hundreds of small random graphs, and what people do to their nodes. After each act the nodes are what test/golden/conditions.py says,
# which looks at every node again and again until nothing changes; and the counts of parents, kept by differences, are what they are when they are counted.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{JOSCH_CONDITIONS} // 20_261_129;
my $graphs = 300;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nsynchronous_commit = off");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION josch');

my $folder = PostgreSQL::Test::Utils::tempdir;
command_ok([ 'sh', '-c', "/usr/bin/python3 -B test/golden/conditions.py $seed $graphs >'$folder/script' 2>'$folder/expected'" ], 'what is to come is worked out');
my $port = $node->port;
my $host = $node->host;
command_ok([ 'sh', '-c', "psql -X -A -t -q -h '$host' -p $port -f '$folder/script' postgres >'$folder/output' 2>'$folder/errors'" ], 'all is done');
is(slurp_file("$folder/errors"), '', 'nothing is refused');

my @expected = split /\n/, slurp_file("$folder/expected");
my @found = grep { m{^\d+/} } split /\n/, slurp_file("$folder/output");
cmp_ok(scalar @expected, '>', 15 * $graphs, 'much has happened');
is(scalar @found, scalar @expected, 'and all of it was looked at');
my @wrong = grep { ($found[$_] // '') ne $expected[$_] } 0 .. $#expected;
is(scalar @wrong, 0, "with the seed $seed each node is after each act what the rules say");
diag("expected: $expected[$_]\nfound:    " . ($found[$_] // '')) for splice(@wrong, 0, 5);

my $states = join ' ', @expected;
cmp_ok(scalar(() = $states =~ /:$_\b/g), '>', 100, "$_ is among them") for qw(omitted abandoned failed skipped held succeeded pending);

is($node->safe_psql('postgres', q{
	SELECT n.job_date, n.node_id, n.unmet, n.impossible, n.satisfied, d.*
	FROM josch.nodes n CROSS JOIN LATERAL (
		SELECT count(*) FILTER (WHERE means = 'waits') AS waits, count(*) FILTER (WHERE means = 'impossible') AS impossible,
			count(*) FILTER (WHERE means = 'satisfied') AS satisfied
		FROM (SELECT josch.parent_is(p.state, d.condition) AS means FROM josch.node_deps d
			JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date
			WHERE d.c_node_id = n.node_id AND d.c_date = n.job_date) d) d
	WHERE (n.unmet, n.impossible, n.satisfied) <> (d.waits, d.impossible, d.satisfied) ORDER BY 1, 2 LIMIT 5}),
	'', 'the counts are those of the parents');
is($node->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE message !~ '^omitted: parent "\d+"( of job "\d+")? (is (abandoned|omitted)|has succeeded|was skipped)$'),
	count(*) > 100 FROM josch.nodes WHERE state = 'omitted'}), '0|t', 'each that is omitted says because of which parent');
is($node->safe_psql('postgres', q{SELECT bool_and(count > 10), count(*) FROM (SELECT state, count(*) FROM josch.nodes
	WHERE node_type = 'E' AND state IN ('pending', 'succeeded', 'abandoned') GROUP BY state) s}), 't|3', 'jobs have ended well, badly, and not');
is($node->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE message !~ '^node "\d+"( of job "\d+")? (is (abandoned|omitted)|has succeeded|was skipped)$')
	FROM josch.nodes WHERE node_type = 'E' AND state = 'abandoned'}), '0', 'one that has ended badly says because of which node');
is($node->safe_psql('postgres', q{SELECT count(*) FROM josch.waiting WHERE waits_for = 'o'}), '0', 'no rule waits');
$node->stop;
done_testing();
