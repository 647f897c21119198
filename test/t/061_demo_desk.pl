# scripts/demo desk: three days of the desk in tables/desk/ across Easter, the clock moved, by themselves but for the people whom
# the demonstration plays.
#
# It runs in a copy of the tree, since that of the test itself may have another demonstration meanwhile.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IPC::Run qw(run timeout);
use Test::More;

delete $ENV{$_} foreach grep { /^PG(?!_)/ } keys %ENV;
local $ENV{JOSCH_DEMO_TIMEOUT} = 100;

my $copy = tempdir(CLEANUP => 1);
system("tar -cf - --exclude=./.git --exclude=./.demo . | tar -C $copy -xf -") == 0 or die "could not copy the tree";
chdir $copy or die "could not enter $copy: $!";

sub demo
{
	my ($out, $err) = ('', '');
	run [ 'scripts/demo', @_ ], '<', \undef, '>', \$out, '2>', \$err, timeout(400);
	return ($? >> 8, $out . $err);
}

# Ask the demonstration's server, connected as .demo/env says.
sub sql
{
	my ($query) = @_;
	my ($out, $err) = ('', '');
	run [ 'bash', '-c', '. .demo/env && PGTZ=Europe/London exec psql -XAt -v ON_ERROR_STOP=1 -c "$1"', '-', $query ],
	  '<', \undef, '>', \$out, '2>', \$err, timeout(60);
	chomp $out;
	return $? ? "failed: $err" : $out;
}

# The moments, by the moved clock, at which the runs of a node were ordered.
sub ordered
{
	my ($id) = @_;
	return sql("SELECT string_agg(to_char(h.at, 'MM-DD HH24:MI'), ', ' ORDER BY h.at) FROM josch.nodes n, josch.history(n.node_id, n.job_date) h
		WHERE n.node_id = $id AND h.sentence ~ 'ordered\$'");
}

my ($code, $out) = demo('desk');
is($code, 0, 'exit code 0') or diag($out);
like($out, qr/^Three days of the desk are done/m, 'it says that the days are done');
like($out, qr/\n    scripts\/demo stop\n\z/, 'the end tells how to stop');

# days by the calendar, in their time, by themselves
is(sql("SELECT string_agg(format('%s %s %s %s', job_name, to_char(job_date, 'MM-DD'), to_char(due_at, 'HH24:MI'), outcome), ', ' ORDER BY due_at) FROM josch.job_days"),
	join(', ', map { ("Desk_Sod $_ 06:00 made", "Desk_Eod $_ 22:00 made") } qw(04-02 04-07 04-08)), 'three days of two jobs, none on Good Friday, the weekend and Easter Monday');
is(sql('SELECT count(*) FROM josch.jobs WHERE scheduled_by IS NOT NULL'), '0', 'nobody has made one');
is(sql("SELECT count(*) FROM josch.nodes WHERE state <> 'succeeded' AND (node_id, state) <> (300130, 'omitted')"), '0', 'all went well');

# the night ends after midnight, with one writer at a time
is(ordered(300830), '04-03 00:30, 04-08 00:30, 04-09 00:30',
	'the values are computed at 00:30 of the day after');
is(sql("SELECT string_agg(DISTINCT node_id::text, ',' ORDER BY node_id::text) FROM josch.tpl_node_semaphores WHERE semaphore_name = 'desk_database'"), '300120,300810,300820,300830',
	'the database is one of the semaphores');
is(sql("SELECT count(*) FROM josch.runs WHERE node_id IN (300120, 300810, 300820, 300830) AND exit_code <> 0"), '1',
	'no two writers met: but for the broker no command that writes has failed');
like($out, qr/why Eod_(Prices|Positions)\? it needs 1 unit of semaphore "desk_database", of which 0 of 1 are free/, 'and one is seen to wait');

# the start of the day waits for the last business day's sign-off
is(sql("SELECT string_agg(to_char(c_date, 'MM-DD') || ' ' || to_char(p_date, 'MM-DD'), ', ' ORDER BY c_date) FROM josch.node_deps WHERE p_node_id = 300900"),
	'04-02 04-01, 04-07 04-02, 04-08 04-07', 'Tuesday waits for Thursday, the first day for one that nobody expects');
like($out, qr/^--- Tuesday 7 April, 06:00 ---\n.*?waits for "Eod_Signoff" of 2026-04-02/ms, 'which josch.why() says');
is(sql("SELECT to_char(acted_at, 'MM-DD HH24:MI') FROM josch.nodes WHERE node_id = 300900 AND job_date = '2026-04-02'"), '04-07 06:00', 'until somebody has signed');

# retries, the file, the failure branch
is(sql("SELECT string_agg(attempt::text || ' ' || state, ', ' ORDER BY job_date) FROM josch.nodes WHERE node_id = 300110"), '3 succeeded, 2 succeeded, 3 succeeded', 'the download is tried again');
is(ordered(300120), '04-02 06:40, 04-07 06:40, 04-07 06:40, 04-08 06:40', 'the file is waited for');
is(sql("SELECT string_agg(state, ', ' ORDER BY job_date) FROM josch.nodes WHERE node_id = 300130"), 'omitted, succeeded, omitted', 'the failure branch runs when there is a failure');
like(qx(cat .demo/home/desk/out/breaks_20260407.csv), qr/^Swaps,\d+,\d+\r?\n\z/, 'and lists what does not agree');
is(sql("SELECT string_agg(exit_code::text, ', ' ORDER BY run_id) FROM josch.runs WHERE node_id = 300120 AND job_date = '2026-04-07'"), '1, 0', 'a person has it tried again');
is(scalar(() = qx(cat .demo/home/desk/out/values_*.csv) =~ /\n/g), 12, 'the values of three nights are there');
like(qx(cat .demo/history.txt), qr/^2026-04-07  Tue 06:40  Sod_Reconcile .*the broker has sent another file/m, 'the history is kept');

# beside the sample, which does not know of it
is(sql("SELECT string_agg(table_name || ' ' || inserted, ', ') FROM josch.load_csv((SELECT setting || '/..' FROM pg_settings WHERE name = 'josch.work_directory'))"),
	'environs 0, tpl_jobs 3, tpl_nodes 6, tpl_node_deps 6', 'tables/ loads beside it, and without it');

($code, $out) = demo('stop');
is($code, 0, 'it is stopped') or diag($out);
ok(!-e '.demo', 'and cleared away');
is((demo('desk', '--gui'))[0], 2, 'a second word is refused');
like((demo('--help'))[1], qr/^scripts\/demo desk /m, 'the usage has it');

chdir '/';
done_testing();
