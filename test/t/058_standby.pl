# test/t/058_standby.pl
#
# A standby: whoever acts there is refused in one sentence; whoever looks sees the
# day, and that nothing runs it.  When it is promoted it goes on by itself.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE);

my $primary = JoschNode->create('primary', conf => "wal_level = replica\nmax_wal_senders = 1");
$primary->add([ 1, 'S', undef ]);
$primary->schedule;
$primary->wait_for('signoff', 1);
$primary->stop;
append_to_file($primary->data_dir . '/standby.signal', '');
my $standby = JoschNode->copy_of('standby', $primary);

foreach my $call ("josch.signoff(1, '$DATE')", "josch.schedule('$DATE')", "josch.unschedule('$DATE')", "josch.load_schema('public')",
	'josch.tick()')
{
	my ($name) = $call =~ /^([\w.]+)/;
	my ($ret, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY default\n\\set SHOW_CONTEXT always\nSELECT $call");
	like($err, qr/^(?:psql:\S+ )?ERROR:  cannot execute \Q$name\E\(\) during recovery$/, $call);
}
is($standby->sql("SELECT state FROM josch.nodes"), 'signoff', 'the day is there');
is($standby->sql("SELECT up FROM josch.health() WHERE component = 'scheduler'"), 'f', 'and nothing runs it');
ok(!grep({ /josch/ && /(ERROR|FATAL|PANIC):/ && !/during recovery/ } split /\n/, slurp_file($standby->logfile)), 'nothing tries to');
$standby->stop;

# ---- promotion ----

# Waits until it goes on by itself, under a token of its own.
sub promote
{
	my ($server, $former) = @_;
	my $token = $server->sql('SELECT token FROM josch.installation');

	$former->stop('immediate');
	$server->promote;
	$server->wait_until('it takes over', "SELECT armed AND token <> $token FROM josch.armed(), josch.installation");
	return;
}

subtest 'a standby that is promoted, and one of its own after it' => sub {
	my $first = JoschNode->create('first', conf => "wal_level = replica\nmax_wal_senders = 5");
	$first->add([ 1, 'N', 'echo $RUN_ID >> $WORK/1; while [ ! -e $WORK/1.end ]; do sleep 0.05; done', retries => 3, retry_delay => '0', repeatable => 'true' ],
		[ 2, 'N', undef, exec_sql => 'SELECT pg_sleep(1000)' ], [ 3, 'S', undef ],
		[ 4, 'N', 'echo $RUN_ID >> $WORK/4' ], [ 5, 'S', undef ], [ 6, 'N', 'echo $RUN_ID >> $WORK/6' ]);
	$first->depend(3 => 4, 5 => 6);
	$first->backup('base');
	my $second = JoschNode->from_backup('second', $first, 'base', streams => 1);
	$second->start;
	$second->backup('base');
	my $third = JoschNode->from_backup('third', $second, 'base', streams => 1);
	$third->start;

	$first->schedule;
	$first->wait_until('both run', "SELECT count(*) = 2 FROM josch.runs WHERE status = 'running'");
	$first->wait_for('signoff', 3, 5);
	$first->sql('CREATE TABLE public.replayed ()');
	$third->wait_until('the cascade has it', "SELECT to_regclass('public.replayed') IS NOT NULL");
	is($second->sql("SELECT up, detail FROM josch.health() WHERE component = 'armed'"),
		't|it is a standby, and takes over when it is promoted.', 'josch.health() on a standby');

	promote($second, $first);
	$second->wait_for('unknown', 1);
	like($second->node_is(1, 'message'), qr/another server.*; not tried again: a person has to look first$/, 'what the primary has started cannot be known there, nor run beside it');
	$second->act('signoff', 3);
	$second->wait_for('succeeded', 4);
	is($second->sql('SELECT comment FROM josch.installation'), 'this server was a standby of the one that was armed, and was promoted', 'on record');
	$second->wait_until('SQL that was not committed begins anew', "SELECT status = 'running' FROM josch.runs WHERE node_id = 2");
	$second->act('stop', 2);
	$second->wait_for('failed', 2);

	$second->sql('CREATE TABLE public.again ()');
	$third->wait_until('the other standby follows it', "SELECT to_regclass('public.again') IS NOT NULL");
	promote($third, $second);
	$third->act('signoff', 5);
	$third->wait_for('succeeded', 6);
	is($third->file($_) =~ tr/\n//, 1, "node $_ ran once") foreach 1, 4, 6;
};

done_testing();
