# test/t/067_import_pgagent.pl
#
# The jobs of a real pgAgent become jobs of JOSCH: its tables are read as they are, its own function says when its jobs are due next,
# a thousand times each, and ours are due then; what is loaded does what its steps did.

use strict;
use warnings;

use JoschNode qw($DATE);
use Test::More;

my $node = JoschNode->create('pgagent');
# its triggers say what is due next from today on: on some days they raise, for a 31st of a month that has none
$node->sql('CREATE EXTENSION pgagent; CREATE DATABASE elsewhere; ALTER TABLE pgagent.pga_job DISABLE TRIGGER USER');

# ---- what is written in its tables ----

# set(n, numbers...): letters of an array, counted from its own first index
sub set
{
	my ($n, $first, @numbers) = @_;
	my %has = map { $_ => 1 } @numbers;
	return '{' . join(',', map { $has{ $first + $_ } ? 't' : 'f' } 0 .. $n - 1) . '}';
}

my ($jobs, $schedules) = (0, 0);

sub job
{
	my ($name, %more) = @_;
	$jobs++;
	$node->sql(sprintf q{INSERT INTO pgagent.pga_job (jobid, jobjclid, jobname, jobdesc, jobhostagent, jobenabled) VALUES (%d, 1, $x$%s$x$, $x$%s$x$, '%s', %s)},
		$jobs, $name, $more{desc} // '', $more{host} // '', $more{enabled} // 'true');
	return $jobs;
}

sub step
{
	my ($job, $name, $code, %more) = @_;
	my $kind = $more{kind} // 's';
	return $node->sql(sprintf q{INSERT INTO pgagent.pga_jobstep (jstjobid, jstname, jstcode, jstkind, jstdbname, jstconnstr, jstonerror, jstenabled)
		VALUES (%d, '%s', $x$%s$x$, '%s', '%s', '%s', '%s', %s)}, $job, $name, $code, $kind,
		$more{conn} || $kind eq 'b' ? '' : $more{db} // 'postgres', $more{conn} // '', $more{onerror} // 'f', $more{enabled} // 'true');
}

# schedule(job, minutes => [], hours => [], weekdays => [from Sunday, 0], month_days => [1 to 32], months => [])
sub schedule
{
	my ($job, %at) = @_;
	$schedules++;
	$node->sql(sprintf q{INSERT INTO pgagent.pga_schedule (jscid, jscjobid, jscname, jscenabled, jscstart, jscend, jscminutes, jschours, jscweekdays, jscmonthdays, jscmonths)
		VALUES (%d, %d, 'schedule %1$d', %s, %s, %s, '%s', '%s', '%s', '%s', '%s')}, $schedules, $job, $at{enabled} // 'true', $at{start} // q{'2020-01-01'}, $at{end} // 'NULL',
		set(60, 0, @{ $at{minutes} // [] }), set(24, 0, @{ $at{hours} // [] }), set(7, 0, @{ $at{weekdays} // [] }),
		set(32, 1, @{ $at{month_days} // [] }), set(12, 1, @{ $at{months} // [] }));
	return $schedules;
}

sub exception
{
	my ($schedule, $date, $time) = @_;
	return $node->sql(sprintf 'INSERT INTO pgagent.pga_exception (jexscid, jexdate, jextime) VALUES (%d, %s, %s)', $schedule, map { defined $_ ? "'$_'" : 'NULL' } $date, $time);
}

# ---- a thousand instants of each ----

my %every = (
	'each minute' => [ { minutes => [ 0 .. 59 ] } ],
	'each hour' => [ { minutes => [7] } ],
	'quarters' => [ { minutes => [ 0, 15, 30, 45 ], hours => [ 8 .. 18 ], weekdays => [ 1 .. 5 ] } ],
	'nightly' => [ { minutes => [30], hours => [2] } ],
	'minutes of an hour' => [ { hours => [10] } ],
	'month days' => [ { minutes => [0], hours => [6], month_days => [ 1, 15, 28 ] } ],
	'last day' => [ { minutes => [0], hours => [6], month_days => [32] } ],
	'last day and another' => [ { minutes => [0], hours => [6], month_days => [ 10, 32 ] } ],
	'last day of some months' => [ { minutes => [5], hours => [23], month_days => [32], months => [ 2, 6 ] } ],
	'a Friday that is the 13th' => [ { minutes => [0], hours => [0], month_days => [13], weekdays => [5] } ],
	'Sundays of summer' => [ { minutes => [ 0, 40 ], hours => [ 4, 16 ], weekdays => [0], months => [ 6 .. 8 ] } ],
	'two, at some times together' => [ { minutes => [0], hours => [ 6, 12 ], weekdays => [ 1 .. 5 ] }, { minutes => [0], hours => [ 12, 18 ], month_days => [ 1, 2, 3 ] } ],
	'two, one of them always' => [ { minutes => [0], hours => [6] }, { minutes => [0], hours => [ 6, 7 ], weekdays => [3] } ],
	'three' => [ { minutes => [ 0, 30 ], hours => [9] }, { minutes => [30], hours => [ 9, 10 ], weekdays => [ 1, 2 ] }, { minutes => [30], hours => [ 9, 10 ], months => [ 1, 12 ] } ],
	'not at Christmas' => [ { minutes => [0], hours => [ 5, 6 ], except => [ [ '2026-12-25', undef ], [ '2027-01-01', undef ] ] } ],
	'not at noon' => [ { minutes => [0], hours => [ 11, 12, 13 ], weekdays => [ 1 .. 5 ], except => [ [ undef, '12:00' ], [ '2026-12-28', '11:00' ] ] } ],
	'either, with exceptions' => [ { minutes => [0], hours => [3], except => [ [ '2026-12-31', undef ] ] }, { minutes => [0], hours => [ 3, 4 ], weekdays => [ 4, 5 ], except => [ [ '2026-12-31', '04:00' ] ] } ]);
foreach my $name (sort keys %every)
{
	my $job = job($name);
	step($job, 'only', 'SELECT 1');
	foreach my $at (@{ $every{$name} })
	{
		my $schedule = schedule($job, %$at);
		exception($schedule, @$_) foreach @{ $at->{except} // [] };
	}
}
# numbers like those of cron.py
srand 7;
foreach my $i (1 .. 40)
{
	my $some = sub {
		my ($low, $high, $n) = @_;
		return rand() < 0.3 ? [] : [ map { $low + int rand($high - $low + 1) } 1 .. 1 + int rand $n ];
	};
	my $job = job("random $i");
	step($job, 'only', 'SELECT 1');
	schedule($job, minutes => [ 7, @{ $some->(0, 59, 4) } ], hours => $some->(0, 23, 4), weekdays => $some->(0, 6, 4), month_days => $some->(1, 28, 4), months => $some->(1, 12, 6))
	  foreach 1 .. 1 + int rand 2;
}
# Its function looks from now on, or from the begin of a schedule.  Asked from a moment between two of a schedule's times it
# may pass over the next one, so each schedule is followed by itself, from the midnight before.
$node->sql(q{CREATE TEMP TABLE followed (at timestamptz, whose int);
	CREATE FUNCTION theirs(job int) RETURNS TABLE (at timestamptz) LANGUAGE plpgsql AS $$
	DECLARE s pgagent.pga_schedule;
	BEGIN
		TRUNCATE followed;
		FOR s IN SELECT * FROM pgagent.pga_schedule WHERE jscjobid = job LOOP
			s.jscstart := '2026-12-20 00:00';
			FOR i IN 1 .. 1000 LOOP
				s.jscstart := pgagent.pga_next_schedule(s.jscid, s.jscstart, s.jscend, s.jscminutes, s.jschours, s.jscweekdays, s.jscmonthdays, s.jscmonths);
				INSERT INTO followed VALUES (s.jscstart, s.jscid);
				s.jscstart := s.jscstart + interval '1 minute';
			END LOOP;
		END LOOP;
		-- beyond the end of the shortest of them nothing is known
		RETURN QUERY SELECT DISTINCT f.at FROM followed f WHERE f.at <= ALL (SELECT max(g.at) FROM followed g GROUP BY g.whose) ORDER BY 1 LIMIT 1000;
	END $$;
	CREATE TABLE theirs AS SELECT jobid, at FROM pgagent.pga_job, theirs(jobid);
	CREATE UNIQUE INDEX ON theirs (jobid, at);
	ANALYZE theirs});
is($node->sql(q{SELECT string_agg(message, E'\n') FROM josch.import_pgagent('golden') WHERE severity <> 'note'}),
	'schedule "schedule ' . $node->sql(q{SELECT jscid FROM pgagent.pga_schedule JOIN pgagent.pga_job ON jobid = jscjobid WHERE jobname = 'last day and another'})
	  . '" has the last day of the month beside others; pgAgent never runs it on that day, and neither do we', 'all of them are carried over');
is($node->sql(q{SELECT string_agg(message, E'\n') FROM josch.validate('golden'::regnamespace) WHERE severity = 'error'}), '', 'what is written can be loaded');
$node->sql(q{SET josch.now = '2026-12-01'; SELECT josch.load_schema('golden'::regnamespace)});
is($node->sql(q{
	WITH ours AS MATERIALIZED (
		SELECT p.jobid, i.instant
		FROM pgagent.pga_job p CROSS JOIN LATERAL (SELECT max(at) AS last FROM theirs WHERE theirs.jobid = p.jobid) t
			JOIN josch.tpl_jobs j ON j.job_name = p.jobname OR starts_with(j.job_name, p.jobname || ', times ') JOIN josch.tpl_nodes n ON n.job_name = j.job_name
			CROSS JOIN LATERAL josch.job_dates(j.calendar_name, '2026-12-20', t.last::date) AS d (day)
			CROSS JOIN LATERAL generate_series(josch.instant(d.day, coalesce(n.start_time, j.schedule_at), j.time_zone),
				josch.instant(d.day, coalesce(n.repeat_until, n.start_time, j.schedule_at), j.time_zone), coalesce(n.repeat_every, interval '1 day')) AS i (instant)
		WHERE i.instant <= t.last)
	SELECT string_agg(p.jobname || coalesce(': ' || o.n || ' ' || o.first_missing, ''), E'\n')
	FROM pgagent.pga_job p LEFT JOIN LATERAL (SELECT count(*) AS n, string_agg(instant::text, ' ' ORDER BY instant) AS all,
			min(instant) FILTER (WHERE NOT EXISTS (SELECT FROM theirs WHERE theirs.jobid = p.jobid AND at = instant)) AS first_missing FROM ours WHERE ours.jobid = p.jobid) o ON true
	WHERE o.all IS DISTINCT FROM (SELECT string_agg(at::text, ' ' ORDER BY at) FROM theirs WHERE theirs.jobid = p.jobid)}), '', 'due at the same thousand instants, and once at each');
$node->sql(q{DELETE FROM josch.tpl_nodes; DELETE FROM josch.tpl_jobs; DELETE FROM josch.calendar_parts; DELETE FROM josch.holidays; DELETE FROM josch.calendars; DROP SCHEMA golden CASCADE;
	DELETE FROM pgagent.pga_job});

# ---- what becomes of steps ----

$node->sql('CREATE TABLE done (what text)');
my $chain = job('chain', desc => 'all kinds');
step($chain, 'b second', q{INSERT INTO done VALUES ('second'); SELECT 1 / 0}, onerror => 'i');
step($chain, 'a first', "#!/usr/bin/perl\nprint \"perl, \$0\\n\"; open my \$f, '>', \"\$ENV{WORK}/first\"; exit 0", kind => 'b');
step($chain, 'c third', 'echo third >"$WORK/third"; exit 5', kind => 'b', onerror => 's');
step($chain, 'd fourth', 'VACUUM done');
step($chain, 'e left out', 'SELECT 1', enabled => 'false');
step($chain, 'f fails', 'SELECT 1 / 0');
step($chain, 'g never', q{INSERT INTO done VALUES ('never')});
schedule($chain, minutes => [0], hours => [23]);
schedule($chain, enabled => 'false');
my $twice = job('twice', enabled => 'false', host => 'other');
step($twice, 'one', 'true', kind => 'b');
step($twice, 'two', 'true', kind => 'b');
schedule($twice, minutes => [ 0, 30 ], hours => [4], start => q{'2100-01-01 12:00'}, end => q{'2100-12-31'});
my $there = job('there');
step($there, 'one', 'SELECT 1', db => 'elsewhere');
schedule($there);
my $connects = job('connects');
step($connects, 'one', 'SELECT 1', conn => 'host=db2');
schedule($connects);
my $same = job('chain');
step($same, 'one', 'SELEC 1');
schedule($same);
job('empty');
my $told = $node->sql(q{SELECT severity, source, message FROM josch.import_pgagent('staging', 'old ')});
like($told, qr/^note\|pgagent\.pga_job $chain\|step "e left out" is disabled: it is left out$/m, 'a step that is disabled');
like($told, qr/^note\|pgagent\.pga_job $chain\|schedule "schedule \d+" is disabled or over: it is left out$/m, 'and a schedule');
like($told, qr/^warning\|pgagent\.pga_job $twice\|it ran on host "other" alone/m, 'a host');
like($told, qr/^note\|pgagent\.pga_job $twice\|schedule "schedule \d+" begins or ends at a moment/m, 'a begin and an end');
like($told, qr/^error\|pgagent\.pga_job $there\|not carried over: step "one" runs in database "elsewhere": load it there$/m, 'another database');
like($told, qr/^error\|pgagent\.pga_job $connects\|not carried over: step "one" connects by a string of its own/m, 'another server');
like($told, qr/^warning\|pgagent\.pga_job $same\|its SQL does not parse: syntax error/m, 'SQL that does not parse');
like($told, qr/^error\|pgagent\.pga_job \d+\|not carried over: it has no step that is enabled$/m, 'nothing to be done');
like($told, qr/^note\|pgagent\|its times are taken for those of the zone UTC/m, 'the zone is told');
is($node->sql(q{SELECT job_name, time_zone, schedule_at, paused, valid_from, valid_to, max_running FROM staging.tpl_jobs ORDER BY job_name COLLATE "C"}), join("\n",
	"old chain ($chain)|UTC|23:00||||1", "old chain ($same)|UTC|00:00||||1", 'old twice|UTC|04:00|true|2100-01-01|2100-12-31|1'), 'the jobs');
is($node->sql(q{SELECT string_agg(node_name || coalesce(' ' || start_time, ''), ', ' ORDER BY node_name) FROM staging.tpl_nodes WHERE job_name = 'old twice'}),
	'one at 04:00 04:00, one at 04:30 04:30, two at 04:00, two at 04:30', 'a chain is written out for each time');
is($node->sql(q{SELECT count(*) FROM pgagent.pga_job WHERE jobenabled}), 5, 'nothing of theirs is changed');
$node->sql("DELETE FROM staging.tpl_nodes WHERE job_name = 'old chain ($same)'; DELETE FROM staging.tpl_jobs WHERE job_name = 'old chain ($same)'");
is($node->sql(q{SELECT string_agg(message, E'\n') FROM josch.validate('staging'::regnamespace) WHERE severity = 'error'}), '', 'they are valid');
is($node->sql(q{SELECT inserted FROM josch.load_schema('staging'::regnamespace) WHERE table_name = 'tpl_node_deps'}), 7, 'and load');
my ($sql) = $told =~ /^note\|pgagent\.pga_job\|when it is loaded, switch the old ones off: (UPDATE .*;)$/m;
$node->sql($sql);
is($node->sql(q{SELECT string_agg(jobname, ',' ORDER BY jobname) FROM pgagent.pga_job WHERE jobenabled}), 'connects,empty,there', 'what switches them off leaves those that stay');
# loaded once more, the nodes are the same ones
is($node->sql(q{SELECT count(*) FROM josch.import_pgagent('again', 'old ') WHERE severity = 'error'}), 3, 'imported again');
is($node->sql("DELETE FROM again.tpl_nodes WHERE job_name = 'old chain ($same)'; DELETE FROM again.tpl_jobs WHERE job_name = 'old chain ($same)';"
	  . q{SELECT sum(inserted) FROM josch.load_schema('again'::regnamespace)}), 0, 'nothing comes in twice');

# ---- a day of it ----

$node->sql("UPDATE josch.tpl_jobs SET schedule_at = NULL, valid_from = '$DATE'; SELECT josch.schedule('$DATE', 'old chain ($chain)')");
my %id = split /[|\n]/, $node->sql("SELECT node_name, node_id FROM josch.tpl_nodes WHERE job_name = 'old chain ($chain)'");
$node->wait_for('failed', $id{'f fails'});
is($node->sql("SELECT string_agg(left(node_name, 1) || ' ' || state, ', ' ORDER BY node_name) FROM josch.nodes WHERE job_date = '$DATE'"),
	'a succeeded, b abandoned, c succeeded, d succeeded, f failed, g pending', 'what may fail does, and what may not stops');
is($node->file('third'), "third\n", 'a command');
ok(-e "$node->{work}/first", 'a program of another language');
is($node->sql('SELECT count(*) FROM done'), 0, 'SQL that fails leaves nothing');
$node->act(skip => $id{'f fails'});
$node->wait_for('succeeded', $id{'g never'});
is($node->sql('SELECT string_agg(what, $$,$$) FROM done'), 'never', 'and goes on when a person says so');

$node->stop;
done_testing();
