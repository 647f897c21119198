# test/t/057_table_locks.pl
#
# A table that is locked as a whole: the scheduler waits for it for a moment, goes
# on with what does not need it, and comes back. Nothing dies, nothing is lost, and
# no error is logged. Only the owner of the tables may lock one so.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually literal);

my $node = JoschNode->create('table_locks');
my $pid = 'SELECT pid FROM josch.health() WHERE component = \'scheduler\'';
my $set_aside = q{SELECT substring(detail FROM 'set aside (\d+)')::int > 0 FROM josch.health() WHERE component = 'scheduler'};
my @tables = split /\n/, $node->sql(q{SELECT relname FROM pg_class WHERE relnamespace = 'josch'::regnamespace AND relkind = 'r' ORDER BY 1});
my $next = 1;

# What the server's log says from here on.
my $log_at = 0;
sub errors
{
	my $log = substr slurp_file($node->logfile), $log_at;
	$log_at += length $log;
	return join "\n", grep { /(ERROR|WARNING|FATAL|PANIC):|ended, next start/ } split /\n/, $log;
}

# A day: a command, which says a result, its child, a sign-off that goes on to SQL, and a node that a person releases.
sub day
{
	my ($name) = @_;
	my ($first, $second, $gate, $sql, $free) = map { $next++ } 1 .. 5;
	$node->job($name);
	$node->add([ $first, 'N', "while [ ! -e \$WORK/$first ]; do sleep 0.05; done; echo 'result rows=1' >>\$JOSCH_REPORT" ], [ $second, 'N', 'echo here >> $WORK/$NODE_ID' ],
		[ $gate, 'S', undef ], [ $sql, 'N', undef, exec_sql => 'SELECT 1' ], [ $free, 'N', 'echo here >> $WORK/$NODE_ID' ]);
	$node->depend($first => $second, $gate => $sql);
	$node->sql("BEGIN; SELECT josch.schedule('$DATE', " . literal($name) . "); SELECT josch.hold($free, '$DATE'); COMMIT");
	$node->wait_for('running', $first);
	$node->wait_for('signoff', $gate);
	return ($first, $second, $gate, $sql, $free);
}

my $scheduler = $node->sql($pid);
errors();
foreach my $table (@tables)
{
	subtest "LOCK TABLE josch.$table" => sub {
		my ($first, $second, $gate, $sql, $free) = day("job of $table");
		my $owner = $node->background_psql('postgres');
		$owner->query_safe("BEGIN; LOCK TABLE josch.$table IN ACCESS EXCLUSIVE MODE");
		append_to_file("$node->{work}/$first", '');
		if ($table =~ /^(nodes|node_deps|runs)$/)
		{
			$node->wait_until('the scheduler sets it aside', $set_aside);
		}
		$owner->query_safe('COMMIT');
		$owner->quit;
		$node->act('signoff', $gate);
		$node->act('release', $free);
		$node->wait_for('succeeded', $first, $second, $sql, $free);
		is($node->file($_), "here\n", 'a command ran once') foreach $second, $free;
		is($node->sql($pid), $scheduler, 'the scheduler is the same');
		is(errors(), '', 'nobody complains');
	};
}

subtest 'what the table allows goes on' => sub {
	my ($first, $second, $gate, $sql, $free) = day('goes on');
	my $owner = $node->background_psql('postgres');
	my $me = $owner->query_safe('SELECT pg_backend_pid()');
	$owner->query_safe('BEGIN; LOCK TABLE josch.node_deps IN ACCESS EXCLUSIVE MODE');
	append_to_file("$node->{work}/$first", '');
	$node->wait_until('its end is set aside', $set_aside);
	$node->act('release', $free);
	eventually('another starts', sub { -e "$node->{work}/$free" });
	my $user = $node->sql('SELECT current_user');
	$node->wait_until('health says who holds what', qq{SELECT count(*) = 1 FROM josch.health() WHERE component = 'held' AND pid = $me AND NOT up
		AND detail ~ '^what the scheduler has set aside may be held by session $me of user "$user", idle in a transaction that began at'});
	is($node->node_is($first, 'state'), 'running', 'whose children cannot be counted has not ended yet');
	$owner->query_safe('COMMIT');
	$owner->quit;
	$node->wait_for('succeeded', $first, $second, $free);
	is(errors(), '', 'nobody complains');
};

# its first pass compares what is open with runner and SQL workers, and counts the places that are taken
subtest 'a scheduler that starts beside a lock' => sub {
	my ($first, $second, $gate, $sql, $free) = day('starts');
	my $owner = $node->background_psql('postgres');
	$owner->query_safe('BEGIN; LOCK TABLE josch.runs IN ACCESS EXCLUSIVE MODE');
	$node->sql("SELECT pg_terminate_backend($scheduler)");
	eventually('another one is there', sub { my $pid = $node->sql($pid); $pid ne '' && $pid ne $scheduler });
	$scheduler = $node->sql($pid);
	errors();
	append_to_file("$node->{work}/$first", '');
	$node->wait_until('it sets aside what it cannot read', $set_aside);
	$node->act('release', $free);
	$owner->query_safe('COMMIT');
	$owner->quit;
	$node->act('signoff', $gate);
	$node->wait_for('succeeded', $first, $second, $sql, $free);
	is($node->file($_), "here\n", 'a command ran once') foreach $second, $free;
	is($node->sql($pid), $scheduler, 'the scheduler is the same');
	is(errors(), '', 'nobody complains');
};

subtest 'REINDEX beside the scheduler' => sub {
	my ($first, $second, $gate, $sql, $free) = day('reindex');
	my $owner = $node->background_psql('postgres');
	$owner->query_safe('BEGIN; REINDEX TABLE josch.nodes; REINDEX TABLE josch.runs; REINDEX TABLE josch.node_deps');
	append_to_file("$node->{work}/$first", '');
	$node->wait_until('the scheduler sets it aside', $set_aside);
	$owner->query_safe('COMMIT');
	$owner->quit;
	$node->act('signoff', $gate);
	$node->act('release', $free);
	$node->wait_for('succeeded', $first, $second, $sql, $free);
	is($node->sql($pid), $scheduler, 'the scheduler is the same');
	is(errors(), '', 'nobody complains');
};

subtest 'who may lock a table' => sub {
	$node->sql('CREATE ROLE nina LOGIN IN ROLE josch_author, josch_operator; GRANT CREATE ON SCHEMA public TO nina');
	my $as_nina = sub {
		my ($ret, $out, $err) = $node->psql('postgres', "SET ROLE nina; $_[0]", on_error_stop => 1);
		return $err;
	};
	$as_nina->('CREATE VIEW public.mine AS SELECT p_node_id, (SELECT count(*) FROM josch.node_deps) FROM josch.tpl_node_deps; CREATE VIEW public.above AS TABLE public.mine; CREATE VIEW public.only AS SELECT (SELECT count(*) FROM josch.node_deps)');
	like($as_nina->("BEGIN; LOCK TABLE josch.$_ IN ACCESS EXCLUSIVE MODE"), qr/permission denied/, $_) foreach @tables;
	like($as_nina->("BEGIN; LOCK TABLE public.$_ IN SHARE MODE"), qr/permission denied to lock "$_" as a whole/, "a view: $_") foreach 'mine', 'above', 'only';
	like($as_nina->("BEGIN; LOCK TABLE josch.node_deps IN $_ MODE"), qr/permission denied to lock "node_deps" as a whole/, "in $_ mode")
		foreach 'SHARE UPDATE EXCLUSIVE', 'SHARE', 'SHARE ROW EXCLUSIVE', 'EXCLUSIVE';
	like($as_nina->("DO 'BEGIN LOCK TABLE josch.tpl_nodes IN SHARE MODE; END'"), qr/permission denied to lock "tpl_nodes" as a whole/, 'in a block');
	is($as_nina->('BEGIN; LOCK TABLE josch.tpl_nodes IN ROW EXCLUSIVE MODE'), '', 'as any INSERT does');
	is($as_nina->('CREATE TABLE public.t (a int); BEGIN; LOCK TABLE public.t'), '', 'a table of his own');
	unlike(errors(), qr/PANIC|FATAL/, 'nothing dies');
};

done_testing();
