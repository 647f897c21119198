# DROP EXTENSION while the scheduler is in the middle of a day.
#
# It locks the tables one by one, and a pass locks them in another order: the
# two met in a deadlock, and DROP EXTENSION was the one that failed.  Now the
# scheduler steps aside first.  The extension that is made after that counts its
# runs from 1 again, and the runner, which remembers the former ones, must not
# take the new ones for them.

use strict;
use warnings;
use Test::More;
use JoschNode qw(eventually);

my $node = JoschNode->create('drop', conf => "deadlock_timeout = '50ms'");

sub make_day
{
	$node->sql(q{
		INSERT INTO josch.tpl_jobs (job_name) VALUES ('Wide');
		INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name)
		SELECT 1000 + i, 'N', 'Wide', 'node ' || i FROM generate_series(1, 4000) i;
		INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id)
		SELECT 1000 + i, 1001 + i FROM generate_series(1, 3999) i WHERE i % 40 <> 0;
		SELECT josch.schedule('2024-03-01', 'Wide')});
	return;
}

for my $round (1 .. 4)
{
	make_day();
	$node->sql('DROP EXTENSION josch');
	is($node->sql("SELECT count(*) FROM pg_extension WHERE extname = 'josch'"), 0, "dropped in the middle, round $round");
	$node->sql('CREATE EXTENSION josch');
}

# a run with a number that the runner has seen
for my $round (1 .. 2)
{
	$node->sql(q{
		INSERT INTO josch.tpl_jobs (job_name) VALUES ('One');
		INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
		VALUES (1, 'N', 'One', 'exits with 7', 'exit 7');
		SELECT josch.schedule('2024-03-01', 'One')});
	eventually("run 1 of extension $round has ended", sub { $node->sql('SELECT state FROM josch.nodes WHERE node_id = 1') eq 'failed' });
	is($node->sql('SELECT run_id, exit_code FROM josch.runs'), '1|7', "run 1 of extension $round has its own exit code");
	$node->sql('DROP EXTENSION josch; CREATE EXTENSION josch');
}

unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/deadlock detected/, 'nobody met in a deadlock');
done_testing();
