# josch.instant() is what Python's zoneinfo says, on every day of 2000 to 2030 on which one of 25 odd zones changes its offset, and on the days beside it, each
# quarter of an hour: test/golden/zones.py.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION josch; CREATE TABLE said (zone text, day date, minutes int, instant bigint)');

my $file = PostgreSQL::Test::Utils::tempdir . '/zones.csv';
command_ok([ 'sh', '-c', "/usr/bin/python3 -B test/golden/zones.py >'$file'" ], 'zoneinfo is asked');
$node->safe_psql('postgres', "COPY said FROM '$file' (FORMAT csv)");
is($node->safe_psql('postgres', 'SELECT count(DISTINCT zone), count(*) > 200000 FROM said'), '25|t', 'of 25 zones, many times of day');
is($node->safe_psql('postgres', q{SELECT zone, day, minutes, instant, josch.instant(day, minutes * interval '1 minute', zone) FROM said
	WHERE extract(epoch FROM josch.instant(day, minutes * interval '1 minute', zone)) <> instant ORDER BY 1, 2, 3 LIMIT 5}),
	'', 'and nowhere another instant');
# those that are skipped, and those that come twice, are among them
is($node->safe_psql('postgres', q{SELECT count(*) > 1000 FROM said WHERE (to_timestamp(instant) AT TIME ZONE zone) <> day + minutes * interval '1 minute'}), 't',
	'many a time of day is skipped');
# what lies beyond midnight is a time of the day after
is($node->safe_psql('postgres', q{SELECT count(*) FROM said WHERE extract(epoch FROM josch.instant(day - 1, (minutes + 1440) * interval '1 minute', zone)) <> instant
	OR extract(epoch FROM josch.instant(day + 1, (minutes - 1440) * interval '1 minute', zone)) <> instant}), '0', 'beyond midnight, and before it');
$node->stop;
done_testing();
