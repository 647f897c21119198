# test/chaos/ChaosJudge.pm
#
# What is to be complained of when a plan of chaos has come to its end.
#
# What really happened is what the commands marked in a file, what SQL left in a
# table, which processes live, and what the record has of each change, in the order
# of the commits; what the scheduler says of itself is what is judged.  What cannot
# be known was noted when it was done (ChaosRecord.pm).
package ChaosJudge;

use strict;
use warnings;
use Exporter 'import';
use ChaosRecord qw(look_at_ledger mains);
use JoschRunner;

our @EXPORT_OK = qw(judge);

sub judge
{
	my ($node) = @_;
	look_at_ledger($node);
	return (judge_commands($node), judge_processes($node), judge_sql($node), judge_failures($node), judge_order($node),
		judge_counts($node), judge_log($node),
		@{ $node->{record}{complaints} });
}

sub rows
{
	my ($node, $query) = @_;
	return map { [ split /\|/, $_, -1 ] } split /\n/, $node->sql($query);
}

# ---- commands ----

# run => { start => n, end => n, code => n }
sub marks
{
	my ($node) = @_;
	my %marks;
	foreach my $line (split /\n/, $node->file('marks') // '')
	{
		my ($what, $run, $code) = split / /, $line;
		$marks{$run}{$what}++;
		$marks{$run}{code} = $code if $what eq 'end';
	}
	return \%marks;
}

my $RUNS = q{
	SELECT run_id || '-' || lpad(to_hex(nonce), 16, '0'), node_id, translate(message, E'\n|', '  '), status, exit_code, exit_signal,
		started_at IS NOT NULL, stop_requested_at IS NOT NULL OR timed_out, ledger, extract(epoch FROM ended_at),
		(SELECT success_codes @> r.exit_code FROM josch.tpl_nodes t WHERE t.node_id = r.node_id)
	FROM josch.runs r WHERE kind = 'command'};

sub judge_commands
{
	my ($node) = @_;
	my $marks = marks($node);
	my $record = $node->{record};
	my @complaints;
	foreach my $row (rows($node, $RUNS))
	{
		my %run;
		@run{qw(key node message status code signal started stopped ledger ended good)} = @$row;
		my $mark = delete $marks->{ $run{key} } // {};
		push @complaints, map { qq{run $run{key} of node $run{node}: $_ ($run{status}, exit code "$run{code}", signal "$run{signal}", "$run{message}")} }
			judge_starts($mark, \%run), judge_end($record, $mark, \%run);
	}
	push @complaints, map { "run $_ has the number of one that was lost" }
		grep { $record->{numbers}{ (split /-/)[0] } } map { $_->[0] } rows($node, $RUNS);
	push @complaints, map { "run $_ is marked, and not on record" } grep { !$record->{lost}{$_} } sort keys %$marks;
	push @complaints, map { "run $_, which was lost, started more than once" } grep { ($marks->{$_}{start} // 0) > 1 } sort keys %$marks;
	return @complaints;
}

sub judge_starts
{
	my ($mark, $run) = @_;
	my $starts = $mark->{start} // 0;
	my @wrong;
	push @wrong, "started $starts times" if $starts > 1;
	push @wrong, 'never ended' if $run->{status} =~ /^(starting|running)$/;
	push @wrong, 'succeeded and never started' if $run->{status} eq 'succeeded' && !$starts;
	push @wrong, 'started, and is said not to have' if $starts && $run->{status} eq 'failed' && $run->{started} eq 'f';
	return @wrong;
}

sub judge_end
{
	my ($record, $mark, $run) = @_;
	my ($key, $code) = @$run{qw(key code)};
	my @wrong;
	push @wrong, 'is unknown, although it could be known' if $run->{status} eq 'unknown' && !may_be_unknown($record, $run);
	push @wrong, 'ended with ' . ($mark->{code} // 'no code at all') if $code ne '' && ($mark->{code} // '') ne $code;
	push @wrong, 'is said to have succeeded' if $run->{status} eq 'succeeded' && $code ne '' && $run->{good} ne 't';
	push @wrong, 'has failed for no reason' if $run->{status} eq 'failed' && "$code$run->{signal}" eq '' && $run->{stopped} eq 'f';
	push @wrong, 'nobody has sent it a signal'
		if $run->{signal} ne '' && $run->{stopped} eq 'f' && !$record->{killed}{$key} && !$record->{unsure}{$key};
	return @wrong;
}

# Its runner died over it, or its ledger was lost before it ended.
sub may_be_unknown
{
	my ($record, $run) = @_;
	my $times = $record->{ledgers}{ $run->{ledger} } // [];
	return $record->{unsure}{ $run->{key} } || grep { $run->{ended} >= $_->[0] && (!defined $_->[1] || $run->{ended} <= $_->[1]) } @$times;
}

# ---- processes ----

# No command lives that is known to have ended, and no spool has two runners.
sub judge_processes
{
	my ($node) = @_;
	my %lives = mains($node);
	my %runners;
	foreach my $dir (glob '/proc/[0-9]*')
	{
		my @words = split /\0/, JoschRunner::slurp("$dir/cmdline") // '';
		my ($spool) = map { $words[ $_ + 1 ] } grep { $words[$_] eq '--spool' } 0 .. $#words - 1;
		$runners{$spool}++ if defined $spool && JoschNode::lives(substr $dir, 6) && grep { $_ eq $spool } @{ $node->{spools} };
	}
	return ((map { "spool $_ has $runners{$_} runners" } grep { $runners{$_} > 1 } sort keys %runners),
		map { "run $_->[0] lives as process $lives{ $_->[0] }, and has ended with \"$_->[4]\" or signal \"$_->[5]\"" }
			grep { $lives{ $_->[0] } && "$_->[4]$_->[5]" ne '' } rows($node, $RUNS));
}

# ---- SQL ----

# Where it was done is told by its effects; SQL that is not atomic is unknown when its worker or the server died over it.
sub judge_sql
{
	my ($node) = @_;
	my $record = $node->{record};
	my $downs = join ' OR ', 'false', map { "r.requested_at <= to_timestamp($_->[1]) AND r.ended_at >= to_timestamp($_->[0])" } @{ $record->{downs} };
	my $workers = join ', ', 0, keys %{ $record->{workers} };
	my $unsure = join ', ', map { "'$_'" } '', keys %{ $record->{unsure} };
	my $places = join ', ', map { "'" . $_->port . " postgres'" } $node, @{ $node->{former} // [] };
	return ((map { "run $_->[0] of SQL node $_->[1] left $_->[3] effects: $_->[2]" } rows($node, q{
		SELECT r.run_id, r.node_id, r.status, e.n
		FROM josch.runs r CROSS JOIN LATERAL (SELECT count(*) AS n FROM public.effects WHERE run_id = r.run_id) e
		WHERE r.kind = 'sql' AND (e.n > 1 OR r.status = 'succeeded' AND e.n <> 1 OR r.ended_at IS NULL
			OR r.exec_sql_atomic AND r.status = 'failed' AND e.n <> 0)})),
		(map { "run $_->[0] of SQL node $_->[1] is unknown, although it could be known: $_->[2]" } rows($node, qq{
		SELECT r.run_id, r.node_id, translate(r.message, E'\\n|', '  ')
		FROM josch.runs r
		WHERE r.kind = 'sql' AND r.status = 'unknown' AND r.run_id::text NOT IN ($unsure)
			AND (r.exec_sql_atomic OR NOT (r.pid IN ($workers) OR $downs))})),
		(map { "run $_->[0] of SQL node $_->[1] has failed for no reason: $_->[2]" } rows($node, qq{
		SELECT r.run_id, r.node_id, translate(r.message, E'\\n|', '  ')
		FROM josch.runs r
		WHERE r.kind = 'sql' AND r.status = 'failed' AND r.stop_requested_at IS NULL AND NOT r.timed_out
			AND r.exec_sql !~ '1 / 0' AND r.message !~ 'No space left on device'
			AND NOT (r.message ~ '^terminating background worker' AND (r.pid IN ($workers) OR $downs))})),
		(map { "SQL of run $_->[0] was done at $_->[1], and is on no record" } rows($node, qq{
		SELECT e.run_id, e.place FROM public.effects e LEFT JOIN josch.runs r USING (run_id) WHERE r.run_id IS NULL OR place NOT IN ($places)})));
}
# ---- nodes that failed ----

# Only a run that has failed makes a node fail by itself: no shortage does.
sub judge_failures
{
	my ($node) = @_;
	return (map { "node $_->[0] of $_->[1] has failed by itself $_->[2] times, of which $_->[3] were its runs: $_->[4]" } rows($node, q{
		SELECT a.node_id, a.job_date, a.n, r.n, a.message
		FROM (SELECT node_id, job_date, count(*) AS n, max(translate(new_values->>'message', E'\n|', '  ')) AS message FROM josch.nodes_audit
				WHERE application LIKE 'josch scheduler%' AND new_values->>'state' = 'failed' GROUP BY 1, 2) a
			CROSS JOIN LATERAL (SELECT count(*) AS n FROM josch.runs WHERE node_id = a.node_id AND job_date = a.job_date AND status = 'failed') r
		WHERE a.n > r.n}),
		# what it tries again by itself is bounded, and never what a person has stopped
		(map { "node $_->[0] of $_->[1] was tried again $_->[2] times, and has $_->[3] retries" }
			rows($node, 'SELECT node_id, job_date, retried, retries FROM josch.nodes WHERE retried > retries')),
		(map { "node $_->[0] of $_->[1] was tried again when run $_->[2] was stopped" } rows($node, q{
		SELECT a.node_id, a.job_date, r.run_id FROM josch.nodes_audit a
			JOIN josch.runs_audit e ON e.xid = a.xid AND e.new_values ? 'ended_at'
			JOIN josch.runs r ON r.run_id = e.run_id AND r.node_id = a.node_id AND r.job_date = a.job_date
		WHERE a.new_values->>'not_before' IS NOT NULL AND r.stop_requested_at IS NOT NULL})));
}

# ---- the order of the graph ----

# Each change of state, as others saw them come: in the order of the commits.
my $CHANGES = q{
	SELECT a.node_id, a.job_date, a.operation, a.old_values->>'state', a.new_values->>'state', a.new_values->>'forced'
	FROM josch.nodes_audit a
		LEFT JOIN josch.audit_commits c ON c.xid = a.xid AND a.audit_id > c.first_audit_id AND a.audit_id <= c.last_audit_id
	WHERE a.operation = 'INSERT' OR a.new_values ?| '{state,forced}'
	ORDER BY c.committed_at, a.audit_id};

# what a parent is to a child that waits for its success, its end, its failure, its end that is not bad
my %MEANS = (succeeded => '++-+', skipped => '++-+', up => '+   ', failed => ' ++ ', abandoned => '-++-', omitted => '-+-+');
my %CONDITION = (success => 0, done => 1, failure => 2, well => 3);
my %BEGINS = map { $_ => 1 } qw(running signoff succeeded review);

# The parents for which a node ought not to have begun.
sub in_its_way
{
	my ($any, $state, @parents) = @_;
	my @signs = map { substr($MEANS{ $state->{ $_->[0] } // '' } // '   ', $CONDITION{ $_->[1] }, 1) } @parents;
	return () if $any && grep { $_ eq '+' } @signs;
	return map { $parents[$_][0] } grep { $signs[$_] ne '+' } 0 .. $#parents;
}

sub judge_order
{
	my ($node) = @_;
	my (%parents, %state, %forced, @complaints);
	push @{ $parents{"$_->[2] $_->[3]"} }, [ "$_->[0] $_->[1]", $_->[4] ]
		foreach rows($node, 'SELECT p_node_id, p_date, c_node_id, c_date, condition FROM josch.node_deps');
	my %any = map { ("$_->[0] $_->[1]" => 1) } rows($node, q{SELECT node_id, job_date FROM josch.nodes WHERE join_rule = 'any'});
	foreach my $row (rows($node, $CHANGES))
	{
		my ($id, $date, $operation, $before, $after, $forced) = @$row;
		my $key = "$id $date";
		$forced{$key} = $forced if $forced ne '';
		next if $after eq '';
		if ($before eq 'ready' && $BEGINS{$after} && ($forced{$key} // 'f') !~ /^t/)
		{
			push @complaints, map { "node $key became $after while its parent $_ was $state{$_}" }
				in_its_way($any{$key}, \%state, @{ $parents{$key} // [] });
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
	return ((map { "node $_->[0] of $_->[1] counts $_->[2] parents, and has $_->[3]" } rows($node, q{
		SELECT n.node_id, n.job_date, concat_ws('/', n.unmet, n.impossible, n.satisfied), concat_ws('/', d.unmet, d.impossible, d.satisfied)
		FROM josch.nodes n CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE m.means = 'waits') AS unmet,
				count(*) FILTER (WHERE m.means = 'impossible') AS impossible, count(*) FILTER (WHERE m.means = 'satisfied') AS satisfied
			FROM josch.node_deps d JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date,
				LATERAL josch.parent_is(p.state, d.condition) m (means)
			WHERE d.c_node_id = n.node_id AND d.c_date = n.job_date) d
		WHERE (n.unmet, n.impossible, n.satisfied) <> (d.unmet, d.impossible, d.satisfied)})),
		(map { "node $_->[0] of $_->[1] is $_->[2], and its parents say otherwise" } rows($node, q{SELECT node_id, job_date, state FROM josch.nodes
			WHERE (state = 'omitted' AND ended_at IS NULL OR state = 'pending' AND NOT forced)
				AND (state = 'omitted') <> (impossible > 0 AND node_type <> 'E' AND (join_rule = 'all' OR unmet + satisfied = 0))})),
		(map { "$_->[0] nodes wait, and josch.waiting does not say so, or the other way round" } grep { $_->[0] > 0 } rows($node, $JoschNode::UNTRUE)));
}

# ---- what the server complains of ----

# A full disk may bring the server down: then it says so, and that process is aborted.
sub judge_log
{
	my ($node) = @_;
	my @lines = map { split /\n/, JoschRunner::slurp($_->logfile) // '' } $node, @{ $node->{former} // [] };
	my $full = grep { /PANIC: .*No space left on device/ } @lines;
	return map { "the server says: $_" } grep { !/terminated by signal 6:/ || $full-- <= 0 }
		grep { /\bPANIC:|\bTRAP:|terminated by signal (?!9\b)\d|violates check constraint/ && !/No space left on device/ } @lines;
}

1;
