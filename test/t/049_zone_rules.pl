# test/t/049_zone_rules.pl
# needs: root
#
# The rules of a zone are changed when days are made already. What is made keeps its moments, what is to come goes by the new rules, and no day is made twice
# or lost. The zone's file is another one for this test alone, by mounts that nobody else sees.
BEGIN
{
	if (!$ENV{JOSCH_OWN_MOUNTS})
	{
		local $ENV{JOSCH_OWN_MOUNTS} = 1;
		exec 'unshare', '--mount', $^X, (map { "-I$_" } @INC), $0 or die "unshare: $!";
	}
}
use JoschUsers;
use strict;
use warnings;
use Test::More;
use JoschNode qw(eventually);

my $ZONE = 'Indian/Chagos';		# six hours ahead, until this test
my ($zones) = qx(pg_config --configure) =~ /--with-system-tzdata=([^' ]+)/;
$zones ||= qx(pg_config --sharedir) =~ s{\n}{/timezone}r;

my $node = JoschNode->create('rules', conf => "josch.now = '2024-03-01 10:00:00+00'");

sub move_clock
{
	my ($to) = @_;
	$node->sql("ALTER SYSTEM SET josch.now = '$to'");
	$node->sql('SELECT pg_reload_conf()');
	return;
}

# A server reads the file of a zone once.
sub rules_of
{
	my ($other) = @_;
	as_user(root => sub { system('mount', '--bind', "$zones/$other", "$zones/$ZONE") == 0 or die 'mount' });
	return $node->restart;
}

sub days { return $node->sql("SELECT string_agg(to_char(job_date, 'MM-DD') || to_char(due_at, ' HH24:MI ') || outcome, ', ' ORDER BY job_date) FROM josch.job_days") }
sub wait_for_days { my ($wanted) = @_; return eventually($wanted, sub { days() eq $wanted }) }

$node->sql("INSERT INTO josch.tpl_jobs (job_name, time_zone, schedule_at) VALUES ('Far', '$ZONE', '22:00')");
$node->{job} = 'Far';
$node->add([ 1, 'N', 'echo $DATE >>$WORK/ran', start_time => '22:30', finish_by => '23:00' ]);
move_clock('2024-03-01 16:00:00+00');
wait_for_days('03-01 16:00 made');

# four hours ahead
rules_of('Asia/Dubai');
is($node->sql("SELECT to_char(due_at, 'HH24:MI'), to_char(late_end_at, 'HH24:MI') FROM josch.nodes"), '16:30|17:00', 'what is made keeps its moments');
move_clock('2024-03-01 16:30:00+00');
eventually('and runs at its own', sub { ($node->file('ran') // '') eq "2024-03-01\n" });
is($node->sql("SELECT to_char(due_at, 'HH24:MI') FROM josch.forecast_days('Far', '2024-03-02', '2024-03-02')"), '18:00', 'the next day will be by the new rules');
move_clock('2024-03-01 18:00:00+00');		# which bring the time of the first once more
move_clock('2024-03-02 18:00:00+00');
wait_for_days('03-01 16:00 made, 03-02 18:00 made');
is($node->sql("SELECT to_char(due_at, 'HH24:MI') FROM josch.nodes WHERE job_date = '2024-03-02'"), '18:30', 'its nodes go by them, too');

# seven hours ahead, after the time of the day has passed by these rules, and before it has by those
move_clock('2024-03-03 16:00:00+00');
rules_of('Asia/Bangkok');
wait_for_days('03-01 16:00 made, 03-02 18:00 made, 03-03 15:00 late');
move_clock('2024-03-03 18:00:00+00');
move_clock('2024-03-04 15:00:00+00');
wait_for_days('03-01 16:00 made, 03-02 18:00 made, 03-03 15:00 late, 03-04 15:00 made');
is($node->sql('SELECT count(*) FROM josch.jobs'), '4', 'no day twice');

$node->stop;
done_testing();
