# test/chaos/ChaosShortage.pm
#
# The machine is short of something for a while, or something of the spool is gone.
#
# Spool and data directory are on small file systems of their own, which the test
# has mounted; whatever JOSCH or the server says meanwhile, nothing may have failed
# for it afterwards.
package ChaosShortage;

use strict;
use warnings;
use Exporter 'import';
use ChaosPeople qw(act more_work);
use ChaosPlan qw(pick);
use ChaosRecord qw(crash_of down hurt_journal spool_in_use);
use File::Path qw(remove_tree);
use JoschNode qw(eventually literal lives);
use JoschRunner;
use Time::HiRes qw(sleep);

our @EXPORT_OK = qw(full_spool full_data_disk few_processes few_descriptors few_workers remove_of_spool remove_logs remove_spool move_spool);

# Full while people go on.
sub fill
{
	my ($node, $folder, $rest) = @_;
	my $ballast = "$folder/ballast";
	system "dd if=/dev/zero of=$ballast bs=64k 2>/dev/null; dd if=/dev/zero of=$ballast bs=1k oflag=append conv=notrunc 2>/dev/null";
	go_on($node);
	unlink $ballast;
	return;
}

# There is more to do, SQL above all, and people act.
sub go_on
{
	my ($node) = @_;
	more_work($node, 'exec_sql IS NULL');
	foreach (1 .. pick(5, 10, 20))
	{
		eval { act($node) };
		sleep 0.05;	# the shortage lasts
	}
	return;
}

sub full_spool
{
	my ($node) = @_;
	my ($folder) = spool_in_use($node) =~ m{^\Q$node->{top}\E} or return 0;
	return hurt_journal($node, sub { fill($node, $node->{top}) });
}

# The server may go down over it, by itself, and may not come again before there is room.
sub full_data_disk
{
	my ($node) = @_;
	my $postmaster = $node->{_pid};
	down($node, sub { fill($node, $node->data_dir); wait_for_server($node, $postmaster) });
	return 1;
}

sub wait_for_server
{
	my ($node, $postmaster) = @_;
	eventually('the server is there, or gone', sub { !lives($postmaster) || eval { $node->sql('CREATE TEMP TABLE t AS SELECT 1'); 1 } });
	return if lives($postmaster);
	$node->_update_pid(-1);
	$node->start;
	return;
}

# limit(node, 'nproc', few): of the runner, while people go on.
sub limit_the_runner
{
	my ($node, $what, $few) = @_;
	my $runner = eval { JoschRunner->connect(spool_in_use($node), identity => 'chaos') } or return 0;
	my $pid = $runner->pid;
	my ($usual) = `prlimit --pid $pid --$what --noheadings --output SOFT` =~ /(\w+)/ or return 0;
	system 'prlimit', '--pid', $pid, "--$what=$few:";
	go_on($node);
	system 'prlimit', '--pid', $pid, "--$what=$usual:";
	return 1;
}

sub few_processes { my ($node) = @_; return limit_the_runner($node, 'nproc', 1); }
sub few_descriptors { my ($node) = @_; return limit_the_runner($node, 'nofile', pick(4, 12)); }

# The sum of the workers is less than what JOSCH would like to have.
sub few_workers
{
	my ($node) = @_;
	foreach my $setting ('SET max_worker_processes = ' . pick(3, 4, 5), 'RESET max_worker_processes')
	{
		$node->sql("ALTER SYSTEM $setting");
		down($node, sub { $node->restart });
		go_on($node) if $setting =~ /^SET/;
	}
	return 1;
}

# ---- what is removed, and where the spool is ----

sub remove_of_spool
{
	my ($node, $name) = @_;
	return $name =~ /^journal/ ? hurt_journal($node, sub { unlink spool_in_use($node) . "/$name" }) : unlink spool_in_use($node) . "/$name";
}

sub remove_logs { my ($node) = @_; return remove_tree(spool_in_use($node) . '/log'); }
sub remove_spool { my ($node) = @_; return hurt_journal($node, sub { remove_tree(spool_in_use($node)) }); }

sub move_spool
{
	my ($node) = @_;
	$node->sql('ALTER SYSTEM SET josch.spool_directory = ' . literal(pick(@{ $node->{spools} })));
	$node->reload;
	return 1;
}

1;
