# test/t/072_limits_many.pl
#
# A hundred thousand nodes wait for a semaphore: a pass reads the first of them and no more, whoever comes by; a unit
# that comes back costs as much as it would among ten. And what says that it has nothing to do is omitted with its children.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE);

my $node = JoschNode->create('limits_many');
my $many = 100_000;

$node->sql("INSERT INTO josch.semaphores VALUES ('narrow', 2), ('closed', 0)");
$node->add([ 1, 'N', 'exit 99', skip_codes => '{[99,99]}' ], [ 2, 'N', 'true' ], [ 3, 'N', 'true', join_rule => 'any' ], [ 4, 'N', 'true' ]);
$node->sql(q{INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id, condition) VALUES (1, 2, 'success'), (2, 3, 'done'), (1, 4, 'done')});
$node->schedule;
$node->wait_for('omitted', 1, 2);
$node->wait_for('succeeded', 3, 4);
is($node->node_is(1, "message || ' ' || (ended_at IS NOT NULL)"), 'exit code 99 true', 'it says why');
is($node->run_is(1, 'status, exit_code'), 'succeeded|99', 'its run did not fail');
is($node->sql("SELECT reason, detail FROM josch.why(1, '$DATE')"), 'done|exit code 99', 'nor does it wait for anybody');
$node->act(rerun => 4);
$node->wait_for('succeeded', 4);
is($node->node_is(1, 'state'), 'omitted', 'nothing takes it back by itself');

$node->job('many');
$node->sql("INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) SELECT 1000 + i, 'N', 'many', i::text, 'true' FROM generate_series(1, $many) i;
	INSERT INTO josch.tpl_node_semaphores SELECT 1000 + i, 'closed', 1 FROM generate_series(1, $many) i");
$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'many')");
is($node->sql("SELECT waiting FROM josch.semaphore_use WHERE semaphore_name = 'closed'"), $many, 'all wait');
$node->job('chain');
$node->add((map { [ $_, 'N', 'true' ] } 100 .. 119), (map { [ $_, 'N', 'true' ] } 120 .. 139));
$node->depend(map { $_ => $_ + 1 } 100 .. 138);
$node->sql("INSERT INTO josch.tpl_node_semaphores SELECT i, 'narrow', 2 FROM generate_series(120, 139) i");

# What the scheduler has told of its reads: it tells at the end of a pass, once a second at most.
my $READS = q{SELECT sum(idx_tup_fetch + seq_tup_read)::bigint FROM pg_stat_user_tables WHERE schemaname = 'josch' AND relname IN ('nodes', 'waiting', 'node_semaphores', 'semaphores', 'units_in_use', 'jobs')};
sub told
{
	for (1 .. 2)
	{
		sleep 2;				# nothing else shows that it has
		$node->sql('SELECT pg_reload_conf()');
	}
	sleep 1;					# the pass that this has called
	return $node->sql($READS);
}

my $before = told();
$node->sql("SELECT josch.schedule('$DATE', 'chain')");
$node->wait_until('a chain of which half needs units', "SELECT count(*) = 40 FROM josch.nodes WHERE job_name = 'chain' AND state = 'succeeded'");
my $read = told() - $before;
cmp_ok($read, '<', 20_000, "forty nodes ran, and of those that wait nobody was read: $read rows");
$before = told();
$node->sql("UPDATE josch.semaphores SET capacity = 1 WHERE semaphore_name = 'closed'");
$node->wait_until('some have run', "SELECT count(*) >= 20 FROM josch.runs WHERE node_id > 1000 AND ended_at IS NOT NULL");
$node->sql("UPDATE josch.semaphores SET capacity = 0 WHERE semaphore_name = 'closed'");
$node->wait_until('and no more', 'SELECT NOT EXISTS (SELECT FROM josch.units_in_use)');
my $ran = $node->sql('SELECT count(*) FROM josch.runs WHERE node_id > 1000');
$read = told() - $before;
cmp_ok($read / $ran, '<', 500, "each that starts costs the same, whoever waits behind it: $read rows for $ran");
is($node->sql("SELECT string_agg(node_id::text, ' ' ORDER BY run_id) = string_agg(node_id::text, ' ' ORDER BY node_id) FROM josch.runs WHERE node_id > 1000"), 't', 'in their order');
is($node->sql($JoschNode::UNTRUE), '0', 'what waits is listed, and nothing else');

# all of them are paused, and go on: each is put aside once
$node->sql("SELECT josch.pause('many'); UPDATE josch.semaphores SET capacity = 3 WHERE semaphore_name = 'closed'");
$node->wait_until('they are put aside', "SELECT count(*) = 0 FROM josch.waiting WHERE waits_for = 'l'");
$before = told();
$node->sql("SELECT josch.schedule(date '$DATE' + 1, 'chain')");
$node->wait_until('a chain beside them', "SELECT count(*) = 40 FROM josch.nodes WHERE job_name = 'chain' AND job_date > '$DATE' AND state = 'succeeded'");
$read = told() - $before;
cmp_ok($read, '<', 20_000, "nobody reads them again: $read rows");
$node->sql("UPDATE josch.semaphores SET capacity = 0 WHERE semaphore_name = 'closed'; SELECT josch.resume('many')");
$node->wait_until('they are back', "SELECT count(*) = $many - (SELECT count(*) FROM josch.runs WHERE node_id > 1000) FROM josch.waiting WHERE waits_for = 'l'");
$node->wait_until('what was resumed is forgotten', 'SELECT NOT EXISTS (SELECT FROM josch.pauses)');

# thousands that need each something else: those that can start do so in their order, however many before them cannot
$node->sql("INSERT INTO josch.semaphores SELECT 'kind ' || i, 0 FROM generate_series(1, 5000) i; INSERT INTO josch.semaphores VALUES ('all kinds', 1)");
$node->job('kinds');
$node->sql("INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, priority) SELECT 500000 + i, 'N', 'kinds', i::text, 'true', i % 5 FROM generate_series(1, 5000) i;
	INSERT INTO josch.tpl_node_semaphores SELECT 500000 + i, 'kind ' || i, 1 FROM generate_series(1, 5000) i;
	INSERT INTO josch.tpl_node_semaphores SELECT 500000 + i, 'all kinds', 1 FROM generate_series(1, 5000) i");
$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'kinds')");
$node->sql("UPDATE josch.semaphores SET capacity = 1 WHERE semaphore_name IN (SELECT 'kind ' || i FROM generate_series(2500, 2511) i)");
$node->wait_for('succeeded', 502500 .. 502511);
is($node->sql("SELECT string_agg(node_id::text, ' ' ORDER BY run_id) FROM josch.runs WHERE node_id > 500000"),
	join(' ', sort { $b % 5 <=> $a % 5 || $a <=> $b } 502500 .. 502511), 'by their priorities');

$node->stop;
done_testing();
