# test/t/062_opening.pl
# needs: pg_cron
#
# Whoever comes from elsewhere finds a line in README's opening, and it works as it is printed: each is run on a server beside the scheduler that it is
# about, and what it makes is loaded by the words that stand above it.

use strict;
use warnings;

use Cwd qw(getcwd);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Spec;
use IPC::Run qw(run);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my ($opening) = slurp_file("$top/README.md") =~ /^## The line that is for you\n(.*?)^## /ms;
ok($opening, 'there is an opening');
like($opening, qr/^\| \Q$_\E \|/m, "$_ has a line") foreach 'Debian, Ubuntu', 'from source', 'PGXN', 'a container', 'a managed server', 'Control-M';

my $node = PostgreSQL::Test::Cluster->new('opening');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'josch, pg_cron'\ncron.database_name = 'postgres'\njosch.scheduler = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION josch;
	CREATE EXTENSION pg_cron;
	SELECT cron.schedule('nightly', '0 3 * * *', 'SELECT 1');
	CREATE EXTENSION pgagent;
	INSERT INTO pgagent.pga_job (jobid, jobjclid, jobname) VALUES (1, 1, 'agent');
	INSERT INTO pgagent.pga_jobstep (jstjobid, jstname, jstcode, jstkind, jstdbname) VALUES (1, 'one', 'SELECT 1', 's', 'postgres');
	INSERT INTO pgagent.pga_schedule (jscjobid, jscname) VALUES (1, 'always')});
my $work = $node->basedir . '/work';
make_path("$work/dags");
symlink "$top/scripts", "$work/scripts";
copy("$top/test/elsewhere/night.jil", $work);
copy("$top/test/elsewhere/shop.dag", "$work/dags/shop.py");
append_to_file("$work/crontab", "30 6 * * 1-5 root true\n");

my ($load_schema, $load_csv) = $opening =~ /^\| you have \|.*?`([^`]*load_schema[^`]*)`.*?`([^`]*load_csv[^`]*)`/m;
my $ran = 0;
while ($opening =~ /^\| [^|]+ \| `((?:SELECT|scripts\/import)[^`]*)`/mg)
{
	my $line = $1;
	$line =~ s{/etc/crontab}{$work/crontab};
	if ($line =~ /^SELECT/)
	{
		my $told = $node->safe_psql('postgres', $line);
		like($told, qr/switch the old/, "$line: says how the old one is switched off");
		unlike($told, qr/^error/m, 'and takes all');
		cmp_ok($node->safe_psql('postgres', "SELECT sum(inserted) FROM ($load_schema) x"), '>', 1, 'what it makes loads');
		$node->safe_psql('postgres', 'DROP SCHEMA theirs CASCADE');
	}
	else
	{
		my $back = getcwd();
		chdir $work or die $!;
		run [ 'sh', '-c', "PYTHONDONTWRITEBYTECODE=1 $line" ], '>', \my $told, '2>', \my $error;
		chdir $back or die $!;
		like($told, qr/switch the old/, "$line: says how the old ones are switched off");
		is($error, '', 'and nothing fails');
		(my $load = "SELECT * FROM $load_csv") =~ s{/srv/theirs}{$work/theirs};
		cmp_ok($node->safe_psql('postgres', "SELECT sum(inserted) FROM ($load) x"), '>', 1, 'what it makes loads');
		$node->safe_psql('postgres', 'DELETE FROM josch.tpl_nodes; DELETE FROM josch.tpl_jobs');
		run [ 'rm', '-r', "$work/theirs" ];
	}
	$ran++;
}
is($ran, 5, 'all of them');

$node->stop;
done_testing();
