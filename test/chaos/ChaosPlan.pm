# test/chaos/ChaosPlan.pm
#
# What a plan of chaos is made of, from one seed: jobs with random graphs, what
# their commands do, and the order of faults and acts.
#
# A plan is the same for the same seed, and so are the faults and acts in their order;
# what comes of it is not, since processes run as they like.  So a complaint names
# the seed, and the plan can be run again until the same moment is met.
package ChaosPlan;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(new_plan pick chance);

my $JOBS = 3;

sub pick { return $_[ int rand @_ ]; }
sub chance { my ($of_a_hundred) = @_; return rand(100) < $of_a_hundred; }

# new_plan(seed => n, nodes => n): { nodes => [{id, type, job, ...}], deps => [[parent, child, condition], ...], dates => [...] }
sub new_plan
{
	my (%of) = @_;
	srand $of{seed};
	my @nodes = map { new_node($_) } 1 .. $of{nodes};
	my @deps;
	foreach my $child (2 .. $of{nodes})
	{
		my %parents = map { $_ => 1 } map { 1 + int rand($child - 1) } 1 .. int rand 4;
		push @deps, map { [ $_, $child, pick(('success') x 8, 'done', 'failure') ] } sort { $a <=> $b } keys %parents;
	}
	push @nodes, ends($of{nodes});
	push @deps, map { [ $of{nodes} + $_, $of{nodes} + $_ + 1, pick('success', 'done', 'failure') ] } 1, 3;
	return { nodes => \@nodes, deps => \@deps, dates => [ '2024-03-01', '2024-03-02' ] };
}

my @KINDS = ((\&command) x 10, (\&milestone) x 2, (\&signoff) x 1, (\&review) x 1, (\&long_running) x 1, (\&atomic) x 3, (\&plain_sql) x 1);

sub new_node
{
	my ($id) = @_;
	my %odd = (join_rule => pick(('all') x 4, 'any'), on_failure => pick(('ask') x 4, 'abandon'));
	return { node_id => $id, job_name => 'job ' . $id % $JOBS, node_name => "node $id", %odd, pick(@KINDS)->() };
}

# The ends of two jobs, which wait for all of their nodes, and a child of each, in a job of its own.
sub ends
{
	my ($last) = @_;
	my $end = sub { (node_id => $last + $_[0], job_name => $_[1], node_name => "node @{[ $last + $_[0] ]}") };
	return ({ $end->(1, 'job 0'), node_type => 'E' }, { $end->(2, 'after'), command() }, { $end->(3, 'job 1'), node_type => 'E' }, { $end->(4, 'after'), atomic() });
}

# How long, how it ends: most go well; some fail, some do not heed TERM, some are ended by their timeout.
sub behaviour
{
	my $seconds = sprintf '%.2f', rand 0.5;
	return "$seconds 0" if chance(75);
	return "$seconds 0 loud" if chance(20);
	return "$seconds " . pick(1, 3, 77, 255) if chance(60);
	return "$seconds 0 deaf";
}

sub command
{
	my %timeout = chance(5) ? (timeout => '150 ms', stop_grace => '100 ms') : (stop_grace => '300 ms');
	return (node_type => 'N', exec_command => '"$WORK/act" ' . behaviour(), %timeout, retries());
}

# Some are tried again by themselves; of these some also when nobody saw them end.
sub retries
{
	return () unless chance(25);
	return (retries => pick(1, 2, 5), retry_delay => pick('0', '50 ms', '1 s'), retry_backoff => pick(1, 2), retry_on => pick('{exit}', '{exit,signal,timeout,start}'),
		success_codes => pick('{[0,0]}', '{[0,0],[77,77]}'), repeatable => pick('true', 'false'));
}

sub milestone { return (node_type => 'N'); }
sub signoff { return (node_type => 'S'); }
sub review { return (node_type => 'R', exec_command => '"$WORK/act" ' . behaviour()); }

sub long_running
{
	return (node_type => 'L', exec_command => '"$WORK/act" 3600 0', ready_after => '50 ms', stop_grace => '300 ms', retries());
}

# An effect for each run that is committed: with the node's success, or by itself; and where that was.
my $EFFECT = q{INSERT INTO public.effects SELECT current_setting('josch_run.RUN_ID')::bigint, current_setting('port') || ' ' || current_database(); SELECT pg_sleep(%.2f)};

sub atomic
{
	my $failure = chance(15) ? '; SELECT 1 / 0' : '';
	return (node_type => 'N', exec_sql => sprintf($EFFECT, rand 0.3) . $failure);
}

sub plain_sql { return (node_type => 'N', exec_sql => sprintf($EFFECT, rand 0.3), exec_sql_atomic => 'false'); }

1;
