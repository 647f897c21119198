# test/chaos/ChaosJudge.pm
#
# What is to be complained of when a plan of chaos has come to its end.
#
# What really happened is what the commands marked in a file, what SQL left in a
# table, and what the record has of each change, in the order of the commits;
# what the scheduler says of itself is what is judged.
package ChaosJudge;

use strict;
use warnings;
use Exporter 'import';
use JoschRunner;

our @EXPORT_OK = qw(judge);

sub judge
{
	my ($node) = @_;
	return (judge_commands($node), judge_sql($node), judge_order($node), judge_counts($node), judge_log($node), @{ $node->{complaints} // [] });
}

sub rows
{
	my ($node, $query) = @_;
	return map { [ split /\|/, $_, -1 ] } split /\n/, $node->sql($query);
}

# ---- commands ----

# run_id => { start => n, end => n, code => n }
sub marks
{
	my ($node) = @_;
	my %marks;
	foreach my $line (split /\n/, $node->file('marks') // '')
	{
		my ($what, $run_id, $code) = split / /, $line;
		$marks{$run_id}{$what}++;
		$marks{$run_id}{code} = $code if $what eq 'end';
	}
	return \%marks;
}

sub judge_commands
{
	my ($node) = @_;
	my $marks = marks($node);
	my @complaints;
	foreach my $row (rows($node, q{SELECT run_id || '-' || lpad(to_hex(nonce), 16, '0'), node_id, job_date, status, exit_code, exit_signal, started_at, message FROM josch.runs WHERE kind = 'command'}))
	{
		my $mark = delete $marks->{ $row->[0] } // {};
		push @complaints, map { "run $row->[0] of node $row->[1]: $_ ($row->[3], exit code \"$row->[4]\", signal \"$row->[5]\", \"$row->[7]\")" }
			judge_command($node, $mark, @$row[ 3 .. 6 ]);
	}
	push @complaints, map { "run $_ is marked, and not on record" } grep { !$node->{lost}{$_} } sort keys %$marks;
	push @complaints, map { "run $_, which was lost, started more than once" } grep { ($marks->{$_}{start} // 0) > 1 } sort keys %$marks;
	return @complaints;
}

sub judge_command
{
	my ($node, $mark, $status, $code, $signal, $started_at) = @_;
	my $starts = $mark->{start} // 0;
	my @wrong;
	push @wrong, "started $starts times" if $starts > 1;
	push @wrong, 'never ended' if $status =~ /^(starting|running)$/;
	push @wrong, 'is unknown, although no runner died' if $status eq 'unknown' && !$node->{runner_deaths};
	push @wrong, 'succeeded and never started' if $status eq 'succeeded' && !$starts;
	push @wrong, 'started, and is said not to have' if $starts && $status eq 'failed' && $started_at eq '';
	push @wrong, 'ended with ' . ($mark->{code} // 'no code at all') if $code ne '' && ($mark->{code} // '') ne $code;
	return @wrong;
}

# ---- SQL ----

sub judge_sql
{
	my ($node) = @_;
	return map { "run $_->[0] of SQL node $_->[1] left $_->[3] effects: $_->[2]" } rows($node, q{
		SELECT r.run_id, r.node_id, r.status, e.n
		FROM josch.runs r JOIN josch.nodes n USING (node_id, job_date)
			CROSS JOIN LATERAL (SELECT count(*) AS n FROM public.effects WHERE run_id = r.run_id) e
		WHERE r.kind = 'sql' AND (e.n > 1 OR r.status = 'succeeded' AND e.n <> 1 OR r.ended_at IS NULL
			OR n.exec_sql_atomic AND (r.status = 'failed' AND e.n <> 0 OR r.status = 'unknown'))});
}

# ---- the order of the graph ----

# Each change of state, as others saw them come: in the order of the commits.
my $CHANGES = q{
	SELECT a.node_id, a.job_date, a.operation, a.old_values->>'state', a.new_values->>'state', a.new_values->>'forced'
	FROM josch.nodes_audit a
		LEFT JOIN josch.audit_commits c ON c.xid = a.xid AND a.audit_id > c.first_audit_id AND a.audit_id <= c.last_audit_id
	WHERE a.operation = 'INSERT' OR a.new_values ?| '{state,forced}'
	ORDER BY c.committed_at, a.audit_id};

my %SATISFIES = map { $_ => 1 } qw(succeeded skipped up);
my %BEGINS = map { $_ => 1 } qw(running signoff succeeded review);

sub judge_order
{
	my ($node) = @_;
	my (%parents, %state, %forced, @complaints);
	push @{ $parents{"$_->[2] $_->[3]"} }, "$_->[0] $_->[1]" foreach rows($node, 'SELECT * FROM josch.node_deps');
	foreach my $row (rows($node, $CHANGES))
	{
		my ($id, $date, $operation, $before, $after, $forced) = @$row;
		my $key = "$id $date";
		$forced{$key} = $forced if $forced ne '';
		next if $after eq '';
		if ($before eq 'ready' && $BEGINS{$after} && ($forced{$key} // 'f') !~ /^t/)
		{
			push @complaints, map { "node $key became $after while its parent $_ was $state{$_}" }
				grep { !$SATISFIES{ $state{$_} // '' } } @{ $parents{$key} // [] };
		}
		push @complaints, "node $key left $before while it was $state{$key}" if $operation eq 'UPDATE' && $before ne ($state{$key} // '');
		$state{$key} = $after;
	}
	return @complaints;
}

# ---- what is derived ----

sub judge_counts
{
	my ($node) = @_;
	return map { "node $_->[0] of $_->[1] counts $_->[2] parents, and has $_->[3]" } rows($node, q{
		SELECT n.node_id, n.job_date, n.unmet, d.unmet
		FROM josch.nodes n CROSS JOIN LATERAL (SELECT count(*) AS unmet
			FROM josch.node_deps d JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date
			WHERE d.c_node_id = n.node_id AND d.c_date = n.job_date AND p.state NOT IN ('succeeded', 'skipped', 'up')) d
		WHERE n.unmet <> d.unmet});
}

# ---- what the server complains of ----

sub judge_log
{
	my ($node) = @_;
	my @lines = split /\n/, JoschRunner::slurp($node->logfile) // '';
	return map { "the server says: $_" } grep { /\bPANIC:|\bTRAP:|terminated by signal (?!9\b)\d|violates check constraint/ } @lines;
}

1;
