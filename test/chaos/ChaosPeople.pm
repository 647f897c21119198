# test/chaos/ChaosPeople.pm
#
# What people do: anything, fit or not, while faults go on; and what a careful one
# does at the end.
package ChaosPeople;

use strict;
use warnings;
use Exporter 'import';
use ChaosPlan qw(pick);
use JoschNode qw(literal);

our @EXPORT_OK = qw(act answer_all more_work);

my @ACTS = qw(signoff approve reject mark_success mark_failed retry hold release skip abandon force_start stop rerun);

# act(node): somebody does something to some node, fit or not; returns the error's code and text when it is refused
sub act
{
	my ($node) = @_;
	my ($plan, $out, $err) = ($node->{plan}, '', '');
	my $call = sprintf 'josch.%s(%d, %s, %s)', pick(@ACTS), pick(@{ $plan->{nodes} })->{node_id}, literal(pick(@{ $plan->{dates} })), literal('chaos');
	$node->psql('postgres', "\\set VERBOSITY verbose\nSELECT $call", stdout => \$out, stderr => \$err, on_error_stop => 0);
	return $err =~ /ERROR:\s+(\w{5}): (.*)/ ? ($1, "$call: $2") : ();
}

# more_work(node, 'exec_sql IS NULL'): somebody lets some nodes run again, first those for which this is false
sub more_work
{
	my ($node, $order) = @_;
	eval { $node->sql(qq{SELECT count(josch.rerun(node_id, job_date, 'more work'))
		FROM (SELECT * FROM josch.nodes WHERE state = 'succeeded' AND node_type = 'N' ORDER BY $order, change_id DESC LIMIT 8) n}) };
	return;
}

# A careful person brings the days to their end: answers what asks, and lets go of what is held.
sub answer_all
{
	my ($node) = @_;
	return $node->sql(q{
		SELECT count(CASE state
			WHEN 'signoff' THEN josch.signoff(node_id, job_date, 'end')
			WHEN 'review' THEN josch.approve(node_id, job_date, 'end')
			WHEN 'held' THEN josch.release(node_id, job_date, 'end')
			WHEN 'up' THEN josch.stop(node_id, job_date, 'end')
			ELSE josch.skip(node_id, job_date, 'end') END)
		FROM josch.nodes
		WHERE state IN ('signoff', 'review', 'held', 'failed', 'unknown')
			OR (state = 'up' AND EXISTS (SELECT FROM josch.runs r WHERE r.run_id = nodes.run_id AND r.stop_requested_at IS NULL))});
}

1;
