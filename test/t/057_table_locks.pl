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

# A day: a command, its child, a sign-off that goes on to SQL, and a node that a person releases.
sub day
{
	my ($name) = @_;
	my ($first, $second, $gate, $sql, $free) = map { $next++ } 1 .. 5;
	$node->job($name);
	$node->add([ $first, 'N', "while [ ! -e \$WORK/$first ]; do sleep 0.05; done" ], [ $second, 'N', 'echo here >> $WORK/$NODE_ID' ],
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

done_testing();
