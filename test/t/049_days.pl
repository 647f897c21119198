# test/t/049_days.pl
#
# Days that make themselves, by a scheduler that lives: in time, after the server
# was down, whatever one job or one session does; and never in a copy.
use strict;
use warnings;
use Test::More;
use JoschNode qw(eventually);

my $node = JoschNode->create('days', conf => "josch.now = '2024-03-01 12:00:00+00'\nmax_prepared_transactions = 2");

sub move_clock
{
	my ($to) = @_;
	$node->sql("ALTER SYSTEM SET josch.now = '$to'");
	$node->sql('SELECT pg_reload_conf()');
}

# what has become of the days of a job
sub days
{
	my ($job) = @_;
	return $node->sql("SELECT string_agg(to_char(job_date, 'MM-DD') || ' ' || outcome, ', ' ORDER BY job_date) FROM josch.job_days WHERE job_name = '$job'");
}

sub wait_for_days
{
	my ($job, $wanted) = @_;
	return $node->wait_until("$job: $wanted",
		"SELECT string_agg(to_char(job_date, 'MM-DD') || ' ' || outcome, ', ' ORDER BY job_date) = '$wanted' FROM josch.job_days WHERE job_name = '$job'");
}

sub self_making
{
	my ($job, $id, %columns) = @_;
	$node->sql("INSERT INTO josch.calendars (calendar_name) VALUES ('Week') ON CONFLICT DO NOTHING");
	my %row = (job_name => $job, calendar_name => 'Week', time_zone => 'UTC', schedule_at => '22:00', %columns);
	my @names = sort keys %row;
	$node->sql('INSERT INTO josch.tpl_jobs (' . join(', ', @names) . ') VALUES (' . join(', ', map { JoschNode::literal($row{$_}) } @names) . ')');
	$node->{job} = $job;
	$node->add([ $id, 'N', "echo \$DATE >> \$WORK/$id" ]);
	$node->sql("INSERT INTO josch.tpl_node_deps VALUES ($id, -1, $id, 0)");
	return;
}

subtest 'in time, and what is in it runs' => sub {
	self_making('Eod', 1);
	# one that is at the end of all dates keeps no other from it
	$node->sql("INSERT INTO josch.tpl_jobs (job_name, schedule_at, days_after) VALUES ('End of time', '1:00', '9899-12-31')");
	move_clock('2024-03-01 21:59:59+00');
	self_making('Sod', 2, schedule_at => '21:59');
	move_clock('2024-03-01 22:00:00+00');
	wait_for_days('Eod', '03-01 made');
	eventually('its command runs', sub { ($node->file('1') // '') eq "2024-03-01\n" });
	is($node->sql("SELECT scheduled_by IS NULL FROM josch.jobs"), 't', 'nobody has made it');
	is(days('Sod'), '', 'what begins after its time begins with the next');
	is($node->sql("SELECT count(*) FROM josch.jobs_audit WHERE application = 'josch day worker'"), 1, 'the record says who did');
};

subtest 'down for a weekend and longer' => sub {
	self_making('Ask', 3, catch_up => 'ask');
	self_making('None', 4, catch_up => 'none');
	self_making('Latest', 5, catch_up => 'latest');
	$node->stop;
	$node->adjust_conf('postgresql.auto.conf', 'josch.now', "'2024-03-05 23:00:00+00'");
	$node->start;
	wait_for_days('Eod', '03-01 made, 03-04 late, 03-05 late');
	wait_for_days('Ask', '03-04 asked, 03-05 asked');
	wait_for_days('None', '03-04 missed, 03-05 missed');
	wait_for_days('Latest', '03-04 missed, 03-05 late');
	eventually('each once, in the order of the dates', sub { ($node->file('1') // '') eq "2024-03-01\n2024-03-04\n2024-03-05\n" });
	eventually('the latest does not wait for one that is not made', sub { ($node->file('5') // '') eq "2024-03-05\n" });
	like($node->sql("SELECT up, detail FROM josch.health() WHERE component = 'days'"), qr/^f\|Did not make themselves: 2 that somebody is asked about, 0 that could not/, 'josch.health() asks');
	is($node->sql("SELECT count(*) FROM josch.make_missed('Ask', '{2024-03-05}')"), 1, 'one is made');
	is($node->sql("SELECT state FROM josch.nodes WHERE node_id = 3"), 'pending', 'it waits for the one that is asked about');
	is($node->sql("SELECT josch.decline_missed('Ask', NULL, 'holiday of all of us')"), 1, 'which is declined');
	eventually('and then no longer', sub { ($node->file('3') // '') eq "2024-03-05\n" });
	is($node->sql("SELECT count(*) FROM josch.health() WHERE component = 'days'"), 0, 'nothing is asked any more');
};

subtest 'the clock goes back, and forward again' => sub {
	move_clock('2024-03-03 12:00:00+00');
	move_clock('2024-03-05 22:30:00+00');
	move_clock('2024-03-06 22:00:30+00');
	wait_for_days('Eod', '03-01 made, 03-04 late, 03-05 late, 03-06 made');
	is($node->sql("SELECT count(*) FROM josch.jobs WHERE job_name = 'Eod'"), 4, 'no day twice');
};

subtest 'one job keeps no other' => sub {
	$node->sql("ALTER TABLE josch.jobs ADD CONSTRAINT not_latest CHECK (job_name <> 'Latest' OR job_date <> '2024-03-07')");
	my $session = $node->background_psql('postgres');
	$session->query_safe("BEGIN; SELECT count(*) FROM josch.schedule('2024-04-01', 'Eod')");
	move_clock('2024-03-07 22:00:00+00');
	$node->wait_until('the others are made', "SELECT count(*) = 3 FROM josch.job_days WHERE job_date = '2024-03-07' AND job_name IN ('Ask', 'None', 'Sod') AND outcome = 'made'");
	$node->wait_until('one that cannot be made says why', "SELECT outcome = 'failed' AND comment ~ 'not_latest' FROM josch.job_days WHERE job_date = '2024-03-07' AND job_name = 'Latest'");
	is($node->sql("SELECT count(*) FROM josch.job_days WHERE job_date = '2024-03-07' AND job_name = 'Eod'"), 0, 'one of which somebody makes a day, and does nothing, waits');
	$session->query_safe('COMMIT');
	$node->wait_until('and is made when he has done', "SELECT count(*) = 1 FROM josch.jobs WHERE job_date = '2024-03-07' AND job_name = 'Eod'");
	$session->quit;
	$node->sql('ALTER TABLE josch.jobs DROP CONSTRAINT not_latest');
	is($node->sql("SELECT count(*) FROM josch.make_missed('Latest')"), 1, 'the other when it is mended');
};

subtest 'one of which nothing can be written down' => sub {
	$node->sql("ALTER TABLE josch.job_days ADD CONSTRAINT not_ask CHECK (job_name <> 'Ask' OR job_date < '2024-03-08')");
	move_clock('2024-03-08 22:00:00+00');
	$node->wait_until('the others are made', "SELECT count(*) = 4 FROM josch.jobs WHERE job_date = '2024-03-08'");
	is(days('Ask'), '03-04 declined, 03-05 late, 03-06 made, 03-07 made', 'it is not');
	move_clock('2024-03-09 21:00:00+00');
	$node->sql('ALTER TABLE josch.job_days DROP CONSTRAINT not_ask');
	$node->wait_until('but when that is mended, by what its template says', "SELECT outcome = 'asked' FROM josch.job_days WHERE job_name = 'Ask' AND job_date = '2024-03-08'");
	is($node->sql("SELECT count(*) FROM josch.make_missed('Ask')"), 1, 'somebody was asked');
};

subtest 'a crash' => sub {
	move_clock('2024-03-11 12:00:00+00');
	$node->kill_postmaster;
	$node->adjust_conf('postgresql.auto.conf', 'josch.now', "'2024-03-11 22:00:00+00'");
	$node->start;
	$node->wait_until('all are made', "SELECT count(*) = 5 FROM josch.jobs WHERE job_date = '2024-03-11'");
	is($node->sql("SELECT count(*) FROM josch.job_days WHERE job_date = '2024-03-11' AND outcome = 'made'"), 5, 'each is settled');
};

subtest 'a change of templates and calendars is heard' => sub {
	$node->sql("INSERT INTO josch.holidays (calendar_name, holiday, open) VALUES ('Week', '2024-03-16', true)");
	move_clock('2024-03-15 22:00:00+00');
	$node->wait_until('the week before it', "SELECT count(*) = 5 FROM josch.jobs WHERE job_date = '2024-03-15'");
	move_clock('2024-03-16 22:00:00+00');
	$node->wait_until('an open Saturday', "SELECT count(*) = 5 FROM josch.jobs WHERE job_date = '2024-03-16'");
	$node->sql("UPDATE josch.tpl_jobs SET paused = true WHERE job_name <> 'Sod'");
	move_clock('2024-03-18 22:00:00+00');
	$node->wait_until('one is not paused', "SELECT count(*) = 1 FROM josch.jobs WHERE job_date = '2024-03-18'");
	$node->sql("BEGIN; UPDATE josch.tpl_jobs SET paused = false WHERE job_name = 'Eod'; PREPARE TRANSACTION 'two'");
	is($node->sql("SELECT count(*) FROM josch.jobs WHERE job_date = '2024-03-18'"), 1, 'the others are');
	$node->sql("COMMIT PREPARED 'two'");
	$node->wait_until('resumed by a prepared transaction', "SELECT count(*) = 2 FROM josch.jobs WHERE job_date = '2024-03-18'");
};

subtest 'a copy makes none; the switch stops it' => sub {
	$node->sql('ALTER SYSTEM SET josch.scheduler = off');
	move_clock('2024-03-19 21:00:00+00');
	$node->wait_until('the scheduler rests', "SELECT detail ~ 'josch.scheduler is off' FROM josch.health() WHERE component = 'scheduler'");
	$node->stop;
	my $copy = JoschNode->copy_of('copy', $node, conf => "josch.scheduler = on\njosch.now = '2024-03-19 22:00:00+00'\n");
	$copy->sql("ALTER SYSTEM SET josch.now = '2024-03-19 22:00:00+00'");
	$copy->sql('ALTER SYSTEM SET josch.scheduler = on');
	$copy->sql('SELECT pg_reload_conf()');
	$copy->wait_until('the copy is disarmed, and looks', "SELECT detail ~ 'Disarmed' FROM josch.health() WHERE component = 'armed'");
	$copy->sql("SELECT josch.schedule('2024-04-01', 'None')");
	is($copy->sql("SELECT count(*) FROM josch.job_days WHERE job_date = '2024-03-19'"), 0, 'no day makes itself');
	$copy->sql("SELECT josch.arm('a test')");
	$copy->wait_until('until it is armed', "SELECT count(*) = 2 FROM josch.jobs WHERE job_date = '2024-03-19'");
	$copy->stop;
	$node->start;
	move_clock('2024-03-19 22:00:00+00');
	foreach my $look (1, 2)
	{
		# the second pass begins after whatever the first turn has started was on its way
		my $passes = $node->sql("SELECT substring(detail FROM 'passes (\\d+)') FROM josch.health() WHERE component = 'scheduler'");
		$node->sql('SELECT josch.wake()');
		$node->wait_until('the scheduler looks', "SELECT substring(detail FROM 'passes (\\d+)')::bigint > $passes FROM josch.health() WHERE component = 'scheduler'");
	}
	$node->wait_until('no worker is on its way', "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'josch day worker'");
	is($node->sql("SELECT count(*) FROM josch.job_days WHERE job_date = '2024-03-19'"), 0, 'where the scheduler is off none does');
	$node->sql('ALTER SYSTEM RESET josch.scheduler');
	$node->sql('SELECT pg_reload_conf()');
	$node->wait_until('until it is on', "SELECT count(*) = 2 FROM josch.jobs WHERE job_date = '2024-03-19'");
};

subtest 'a day that has to wait keeps those of its job that follow waiting' => sub {
	$node->sql(q{CREATE FUNCTION wait_a_little() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '55P03'; END $$;
		CREATE TRIGGER wait_a_little BEFORE INSERT ON josch.jobs FOR EACH ROW WHEN (NEW.job_name = 'Eod' AND NEW.job_date = '2024-03-20') EXECUTE FUNCTION wait_a_little()});
	move_clock('2024-03-21 22:00:00+00');
	$node->wait_until('another job goes on', "SELECT count(*) = 1 FROM josch.jobs WHERE job_name = 'Sod' AND job_date = '2024-03-21'");
	$node->wait_until('the worker has done what it can', "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'josch day worker'");
	is($node->sql("SELECT count(*) FROM josch.job_days WHERE job_name = 'Eod' AND job_date >= '2024-03-20'"), 0, 'neither is made');
	$node->sql('DROP TRIGGER wait_a_little ON josch.jobs');
	$node->wait_until('and both when the first can be', "SELECT count(*) = 2 FROM josch.jobs WHERE job_name = 'Eod' AND job_date BETWEEN '2024-03-20' AND '2024-03-21'");
};

subtest 'a transaction that is prepared and forgotten is named, before a restart and after' => sub {
	$node->sql("BEGIN; SELECT count(*) FROM josch.schedule('2024-04-03', 'Eod'); PREPARE TRANSACTION 'forgotten'");
	foreach my $when ('before', 'after')
	{
		my ($code, $out, $err) = $node->psql('postgres', "SET lock_timeout = '50ms'; SELECT josch.schedule('2024-04-04', 'Eod')");
		like($err, qr/prepared transaction "forgotten"/, $when);
		$node->restart if $when eq 'before';
	}
	$node->sql("ROLLBACK PREPARED 'forgotten'");
};

subtest 'a database with days that are due can be dropped' => sub {
	$node->sql('CREATE DATABASE other');
	$node->sql("CREATE EXTENSION josch; INSERT INTO josch.tpl_jobs (job_name, schedule_at) VALUES ('x', '1:00')", 'other');
	$node->sql("BEGIN; LOCK josch.jobs IN ACCESS EXCLUSIVE MODE; ROLLBACK", 'other');
	move_clock('2024-03-22 21:00:00+00');
	$node->wait_until('they are made', "SELECT count(*) = 1 FROM josch.jobs", 'other');
	$node->sql('DROP DATABASE other WITH (FORCE)');
	is($node->sql("SELECT count(*) FROM pg_database WHERE datname = 'other'"), 0, 'it is gone');
};

$node->stop;
done_testing();
