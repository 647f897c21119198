# test/t/058_standby.pl
#
# A standby: whoever acts there is refused in one sentence; whoever looks sees the
# day, and that nothing runs it.
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

done_testing();
