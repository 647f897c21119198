# Background worker slots: schedulers come before SQL workers, whichever database these serve; who waits for a slot says so.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use JoschNode qw(literal);

# the launcher, the scheduler of the first database, and two for SQL
my $node = JoschNode->create('main', conf => <<'END');
josch.start_runner = off
max_worker_processes = 4
max_logical_replication_workers = 0
max_parallel_workers_per_gather = 0
josch.max_sql_workers = 2
END
my $NO_SLOT = 'no background worker slot is free: max_worker_processes = 4';

# Nodes of a day of their own that execute the text.
my $next = 1;
sub run_sql
{
	my ($text, $count, $database) = @_;
	my $job = 'job ' . $next;
	$node->sql("INSERT INTO josch.tpl_jobs (job_name) VALUES ('$job');
		INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql)
			SELECT $next + g, 'N', '$job', 'node ' || g, " . literal($text) . " FROM generate_series(1, $count) g;
		SELECT josch.schedule('$JoschNode::DATE', '$job')", $database);
	$next += $count + 1;
	return;
}

sub health
{
	my ($component, $database) = @_;
	return $node->sql("SELECT up || ' ' || coalesce(detail, '') FROM josch.health() WHERE component = '$component'", $database);
}

sub has_scheduler
{
	my ($database) = @_;
	return "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'josch scheduler' AND datname = '$database')";
}

my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND datname = 'postgres'};

# How many of the last nodes were running at once, at most.
sub most_at_once
{
	my $count = shift;
	return $node->sql("SELECT max(n) FROM (
		SELECT sum(CASE WHEN new_values ->> 'state' = 'running' THEN 1 WHEN old_values ->> 'state' = 'running' THEN -1 ELSE 0 END)
			OVER (ORDER BY audit_id) AS n
		FROM josch.nodes_audit WHERE operation = 'UPDATE' AND node_id >= $next - $count) a");
}

# --- no more SQL runs than there are workers, unless it is so quick that these would wait for the next

run_sql('SELECT pg_sleep(0.2)', 6);
$node->wait_for_rest('SQL that takes its time');
is(most_at_once(6), '2', 'two of it were running at once: no node says so that waits for a worker');
run_sql('SELECT 1', 120);
$node->wait_for_rest('SQL that is quick');
cmp_ok(most_at_once(120), '>', 2, 'some of it was ready for whichever worker had done');
is($node->sql($workers), '2', 'there are two workers all the same');

# --- idle workers of one database make room for the scheduler of another, and no more than it needs

run_sql('SELECT pg_sleep(0.5)', 2);
$node->wait_for_rest('two SQL workers have had work');
is($node->sql($workers), '2', 'and are kept');
$node->sql('CREATE DATABASE other');
$node->sql('CREATE EXTENSION josch', 'other');
$node->wait_until('the scheduler of another database comes', has_scheduler('other'));
is($node->sql($workers), '1', 'one idle worker has left for it, and the other is still there');

# --- SQL that finds no slot waits for one, and says so

my $session = $node->background_psql('postgres');
$session->query_safe('SELECT pg_advisory_lock(1)');
run_sql('SELECT pg_advisory_xact_lock(1)', 1);
$node->wait_until('a worker is busy', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'advisory'});
run_sql('SELECT 1', 2, 'other');
my $stopped = $next - 1;
$node->wait_until('SQL of the other database waits, and health says for what',
	"SELECT NOT up AND detail LIKE '%; SQL nodes wait: $NO_SLOT' FROM josch.health() WHERE component = 'sql workers'", 'other');
$node->wait_until('so do the nodes', "SELECT bool_and(state = 'running' AND message = 'waits: $NO_SLOT') FROM josch.nodes", 'other');
$node->sql("SELECT josch.stop($stopped, '$JoschNode::DATE')", 'other');
$node->wait_until('who does not want to wait may stop one', "SELECT state = 'failed' AND message LIKE '%it was stopped before a worker was free' FROM josch.nodes WHERE node_id = $stopped", 'other');
$session->query_safe('SELECT pg_advisory_unlock(1)');
$node->wait_until('when a worker is idle, it makes room', "SELECT state = 'succeeded' AND message IS NULL FROM josch.nodes WHERE node_id <> $stopped", 'other');
is($node->sql('SELECT count(*), max(attempt) FROM josch.runs WHERE message IS NULL', 'other'), '1|1', 'and it was one run');
is($node->sql("SELECT tries IS NULL AND status = 'failed' FROM josch.runs WHERE node_id = $stopped", 'other'), 't', 'the one that was stopped was never executed');
$node->wait_until('and health has nothing more to say', q{SELECT up FROM josch.health() WHERE component = 'sql workers'}, 'other');
$node->wait_for_rest;

# --- a database whose scheduler finds none, while others have work without end

$node->sql('DROP DATABASE other');
$session->query_safe('SELECT pg_advisory_lock(1)');
run_sql('SELECT pg_advisory_xact_lock(1)', 2);
$node->wait_until('both workers are busy', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'advisory'});
run_sql('SELECT pg_sleep(0.05)', 5000);
$node->sql('CREATE DATABASE late');
$node->sql('CREATE EXTENSION josch', 'late');
$node->wait_until('health says why it has no scheduler', "SELECT NOT up AND detail = 'It waits: $NO_SLOT.' FROM josch.health() WHERE component = 'scheduler'", 'late');
my $freed_at = $session->query_safe('SELECT clock_timestamp() FROM pg_advisory_unlock(1)');
$session->quit;
$node->wait_until('it has the first slot that is free', has_scheduler('late'));
cmp_ok($node->sql("SELECT count(*) FROM josch.runs, pg_stat_activity WHERE backend_type = 'josch scheduler' AND datname = 'late'
	AND ended_at BETWEEN '$freed_at' AND backend_start AND node_id > $next - 5001"), '<=', 2,
	'... before what was not yet running here');
cmp_ok($node->sql(q{SELECT count(*) FROM josch.nodes WHERE state IN ('ready', 'running')}), '>', 0, 'though there is SQL left to do elsewhere');
like(health('scheduler', 'late'), qr/^true /, 'and health is content');
$node->wait_until('the SQL goes on with what is left',
	q{SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND datname = 'postgres'});

# --- nor does such work keep the SQL of another database from its turn; who waits says so once, not at each turn

my $from = -s $node->logfile;
run_sql('SELECT 1', 5, 'late');
$node->wait_until('the other database has its turn', q{SELECT count(*) = 5 FROM josch.nodes WHERE state = 'succeeded'}, 'late');
cmp_ok($node->sql(q{SELECT count(*) FROM josch.nodes WHERE state IN ('ready', 'running')}), '>', 0, 'while there is SQL left to do here');
my $done = q{SELECT count(*) FROM josch.nodes WHERE state = 'succeeded'};
my $before = $node->sql($done);
$node->wait_until('which goes on', "SELECT ($done) > $before");
my $lines = () = substr(slurp_file($node->logfile), $from) =~ /SQL nodes wait: no background worker slot is free/g;
cmp_ok($lines, '<=', 2, 'the log has a line for each database, at most');

# --- a server that can start no process: the worker does not come, and the SQL has not failed

# or the other database keeps the slot; what starts meanwhile is refused
$node->sql(q{SELECT count(*) FROM josch.act('skip', (SELECT array_agg(node_id) FROM josch.nodes WHERE state = 'ready'),
	(SELECT array_agg(job_date) FROM josch.nodes WHERE state = 'ready'))});
$node->wait_for_rest;
$session = $node->background_psql('late');
my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
my $processes = `prlimit --nproc --noheadings --output SOFT`;
chomp $processes;
$session->query_safe("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'josch sql worker'");
system('prlimit', '--pid', $postmaster, '--nproc=1:') == 0 or die 'prlimit';
$session->query_safe("INSERT INTO josch.tpl_jobs (job_name) VALUES ('short');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) VALUES (1, 'N', 'short', 'short', 'SELECT 1');
	SELECT count(*) FROM josch.schedule('$JoschNode::DATE', 'short')");
JoschNode::eventually('the node says so', sub { $session->query_safe('SELECT message FROM josch.nodes WHERE node_id = 1') =~ /waits: the background worker could not be started/ });
# but for the moments in which another try is under way
JoschNode::eventually('health says so, too', sub {
	$session->query_safe(q{SELECT up || detail FROM josch.health() WHERE component = 'sql workers'}) =~ /^false.*SQL nodes wait: the background worker could not be started/ });
system('prlimit', '--pid', $postmaster, "--nproc=$processes:") == 0 or die 'prlimit';
JoschNode::eventually('it runs when there is one', sub { $session->query_safe('SELECT state FROM josch.nodes WHERE node_id = 1') eq 'succeeded' });
is($session->query_safe('SELECT count(*), max(attempt) FROM josch.runs WHERE node_id = 1'), '1|1', 'as one run');
$session->quit;

done_testing();
