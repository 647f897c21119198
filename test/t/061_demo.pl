# scripts/demo: the sample day from the CSV files to its end, twice in a row, by itself and with a person who decides.
#
# It runs in the tree that the test was started in, as a newcomer runs it, and clears .demo/ away at its end.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IPC::Run qw(start run timeout);
use Test::More;

my $limit = 150;    # seconds for one demonstration

delete $ENV{$_} foreach grep { /^PG(?!_)/ } keys %ENV;
local $ENV{JOSCH_DEMO_TIMEOUT} = 100;

die ".demo/ is there already: scripts/demo stop\n" if -e '.demo';

# Run the demonstration to its end; returns exit code and output.
sub demo
{
	my ($out, $err) = ('', '');
	run [ 'scripts/demo', @_ ], '<', \undef, '>', \$out, '2>', \$err, timeout($limit);
	return ($? >> 8, $out . $err);
}

# Ask the demonstration's server, connected as .demo/env says.
sub sql
{
	my ($query) = @_;
	my ($out, $err) = ('', '');
	run [ 'bash', '-c', '. .demo/env && exec psql -XAt -v ON_ERROR_STOP=1 -c "$1"', '-', $query ],
	  '<', \undef, '>', \$out, '2>', \$err, timeout(60);
	chomp $out;
	return $? ? "failed: $err" : $out;
}

# The processes whose program lies under .demo/.
sub processes
{
	my $home = qx(readlink -f .demo/home);
	chomp $home;
	return scalar grep { (readlink($_) // '') =~ m{^\Q$home\E/} } glob '/proc/[0-9]*/exe';
}

sub ends_well
{
	my ($name, $code, $out) = @_;
	is($code, 0, "$name: exit code 0") or diag($out);
	my ($day) = $out =~ /^All 6 nodes of (\d{4}-\d\d-\d\d) succeeded\.$/m;
	ok($day, "$name: it says that all nodes succeeded") or return;
	is($day, sql('SELECT josch.today() - 1'), "$name: the day before today was run");
	foreach my $call (
		"CREATE EXTENSION josch",
		"SELECT josch.schedule('$day')",
		"SELECT josch.signoff(900000, '$day', 'seen, all quiet')",
		"SELECT josch.signoff(100000, '$day', 'seen, all quiet')",
		"SELECT josch.approve(100130, '$day', 'the warnings were looked at')",
		"SELECT josch.stop(100100, '$day', 'the day is over')",
		"SELECT josch.stop(100110, '$day', 'the day is over')")
	{
		like($out, qr/^josch=# \Q$call\E;$/m, "$name: the call is shown: $call");
	}
	like($out, qr/^ +verdict: COMPLETE/m, "$name: the reviewer sees the report");
	like($out, qr/\n    scripts\/demo stop\n\z/, "$name: the end tells how to stop");
	is(sql("SELECT string_agg(DISTINCT state, ',') FROM josch.board WHERE job_date = '$day'"),
		'succeeded', "$name: the board shows six nodes that succeeded");
	is(sql("SELECT count(*) FROM josch.runs WHERE job_date = '$day'"), '4', "$name: each command ran once");
	is(sql("SELECT count(*) FROM josch.runs WHERE job_date = '$day' AND exit_code = 0"), '4', "$name: and ended with exit code 0");
	return $day;
}

# by itself
my ($code, $out) = demo();
my $day = ends_well('first run', $code, $out);
like($out, qr/^\d\d:\d\d:\d\d  100100 SodServer_RtPrice: \w+ -> up$/m, 'away from a terminal each change is a line');
my $svg = qx(cat .demo/day.svg);
like($svg, qr/<svg .*SodServer_ProdFeature/s, 'the picture shows the nodes of the graph');
my $history = qx(cat .demo/history.txt);
like($history, qr/seen, all quiet/, 'the history keeps the comment of a sign-off');
cmp_ok(scalar(() = $history =~ /\n/g), '>', 20, 'and tells the whole day');
like(qx(cat .demo/home/tables/out/features_$day.csv), qr/^$day,HOLT,/m, 'the features of the day were computed');
is(sql('SELECT count(*) FROM josch.attention'), '0', 'nothing waits for a person any more');

# again, on a terminal
my $screen = '';
run [ 'scripts/demo' ], '>pty>', \$screen, timeout($limit);
$code = $? >> 8;
like($screen, qr/\e\[\d+A\e\[J/, 'on a terminal the board is drawn anew in its place');
$screen =~ s/\e\[[0-9;]*[A-Za-z]//g;
$screen =~ s/\r\n/\n/g;
ends_well('second run, on a terminal', $code, $screen);

# a person decides
my ($in, $text) = ('', '');
my $manual = start [ 'scripts/demo', '--manual' ], '<', \$in, '>', \$text, '2>', \$text, timeout($limit);
sub waits_for
{
	my ($what) = @_;
	$manual->pump until $text =~ $what || !$manual->pumpable;
	like($text, $what, "it tells what to call: $what");
	return;
}
waits_for(qr/^ +SELECT josch\.signoff\(100000, '$day', 'why'\);$/m);
is(sql("SELECT state FROM josch.nodes WHERE node_id = 100000"), 'signoff', 'and leaves the deciding to the person');
# the server is stopped, and started again
my $home = qx(readlink -f .demo/home);
chomp $home;
my ($postmaster) = split ' ', qx(head -n 1 $home/data/postmaster.pid);
my $pg_ctl = readlink("/proc/$postmaster/exe") =~ s{/[^/]+\z}{/pg_ctl}r;
run [ $pg_ctl, qw(-s -w -m fast -D), "$home/data", 'stop' ], '<', \undef;
waits_for(qr/^The server is away; the day goes on when it is back\.$/m);
run [ $pg_ctl, qw(-s -w -D), "$home/data", '-l', "$home/server.log", 'start' ], '<', \undef, '>', '/dev/null';
sql("SELECT josch.signoff($_, '$day', 'by a person')") foreach 900000, 100000;
waits_for(qr/^ +SELECT josch\.reject\(100130, '$day', 'why'\);$/m);
sql("SELECT josch.reject(100130, '$day', 'once more')");
waits_for(qr/^Node 100130 "SodServer_CheckStatus" is failed and waits for you:$/m);
sql("SELECT josch.retry(100130, '$day', 'the same again')");
waits_for(qr/is failed and waits.*is review and waits/s);
sql("SELECT josch.approve(100130, '$day', 'now it is good')");
waits_for(qr/^ +SELECT josch\.stop\(100110, '$day', 'why'\);$/m);
sql("SELECT josch.stop($_, '$day', 'enough')") foreach 100100, 100110;
$manual->finish;
is($manual->full_result(0), 0, 'the demonstration ends when the person has decided all') or diag($text);
like($text, qr/^All 6 nodes of $day succeeded\.$/m, 'with all nodes succeeded');
unlike($text, qr/^josch=# SELECT josch\.(signoff|approve|stop)/m, 'and without a decision of its own');
is(sql("SELECT count(*) FROM josch.runs WHERE node_id = 100130"), '2', 'the rejected node ran twice');

# a person who leaves
($in, $text) = ('', '');
$manual = start [ 'scripts/demo', '--manual' ], '<', \$in, '>', \$text, '2>', \$text, timeout($limit);
waits_for(qr/josch\.signoff\(100000/);
$manual->signal('INT');
$manual->finish;
is($manual->full_result(0) >> 8, 130, 'Ctrl-C leaves the demonstration');
like($text, qr/The server is up/, 'but the server stays');
is(sql("SELECT state FROM josch.nodes WHERE node_id = 100000"), 'signoff', 'and answers');

# the end
cmp_ok(processes(), '>', 0, 'the server is running');
($code, $out) = demo('stop');
is($code, 0, 'it is stopped') or diag($out);
ok(!-e '.demo' && !-e $home, 'and cleared away');
is(scalar(grep { (readlink($_) // '') =~ m{^\Q$home\E/} } glob '/proc/[0-9]*/exe'), 0, 'with all processes');
($code, $out) = demo('stop');
is($code, 1, 'there is nothing to stop then');
is((demo('--nothing'))[0], 2, 'an option that does not exist is refused');
{
	local %ENV = %ENV;
	delete $ENV{DISPLAY};
	($code, $out) = demo('--gui');
	is($code, 1, 'windows need a display');
	like($out, qr/^demo: --gui needs a display, and DISPLAY is not set/, 'and it says so');
}

# a node that fails: prices that cannot be read, in a copy of the tree
my $copy = tempdir(CLEANUP => 1);
system("tar -cf - --exclude=./.git --exclude=./.demo . | tar -C $copy -xf -") == 0 or die "could not copy the tree";
open(my $prices, '>>', "$copy/tables/prices/ALDR.csv") or die "could not open ALDR.csv: $!";
print {$prices} "2025-04-02,none\n";
close $prices;
run [ "$copy/scripts/demo" ], '<', \undef, '>', \$out, '2>', \my $err, timeout($limit);
is($? >> 8, 1, 'a node that fails ends the demonstration with exit code 1');
like($err, qr/^demo: node 1001[01]0 "SodServer_\w+" is failed$/m, 'it names the node');
like($out, qr/ALDR\.csv, line 62: 2 fields instead of 6/, 'and shows what it wrote');
like($out, qr/^josch=# SELECT josch\.signoff/m, 'which was after the sign-off');
run [ "$copy/scripts/demo", 'stop' ], '>', \$out, '2>', \$err, timeout(60);
is($?, 0, 'and it can be stopped') or diag($out . $err);

done_testing();
