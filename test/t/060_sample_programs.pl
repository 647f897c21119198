# The four programs of tables/: what they serve and compute, how they stop, and that bad input is refused.
#
# They need neither the extension nor a server, so this test starts them by themselves.  Every server takes a free
# port (--port 0) and names it in its first line.

use strict;
use warnings;

use File::Temp qw(tempdir);
use HTTP::Tiny;
use IPC::Run qw(start run timeout);
use JSON::PP qw(decode_json);
use Test::More;

my $python = $ENV{PYTHON} // 'python3';
my $out = tempdir(CLEANUP => 1);
my $day = '2025-03-06';

local $ENV{JOSCH_SAMPLE_OUT} = $out;
local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
delete @ENV{qw(JOSCH_SAMPLE_RT_PORT JOSCH_SAMPLE_EOD_PORT)};

# Run a program to its end; returns exit code, stdout, stderr.
sub program
{
	my ($name, @args) = @_;
	my ($stdout, $stderr) = ('', '');
	run [ $python, "tables/$name.py", @args ], '<', \undef, '>', \$stdout, '2>', \$stderr, timeout(60);
	return ($? >> 8, $stdout, $stderr);
}

# Start a server and wait for the line that names its address.
sub serve
{
	my ($name, @args) = @_;
	my %server = (out => '', err => '');
	$server{run} = start [ $python, "tables/$name.py", @args, '--port', '0' ],
	  '<', \undef, '>', \$server{out}, '2>', \$server{err}, timeout(60);
	$server{run}->pump until $server{out} =~ m{serving on (http://127\.0\.0\.1:(\d+))\n} || !$server{run}->pumpable;
	@server{qw(url port)} = ($1, $2);
	return \%server;
}

# Stop a server as the scheduler does; returns its exit code.
sub stop
{
	my ($server) = @_;
	$server->{run}->signal('TERM');
	$server->{run}->finish;
	return $server->{run}->full_result(0);
}

sub get
{
	my ($url) = @_;
	my $answer = HTTP::Tiny->new(timeout => 20, no_proxy => ['127.0.0.1'])->get($url);
	return ($answer->{status}, eval { decode_json($answer->{content}) } // {});
}

# end-of-day server
my $eod = serve('eod_price_server', '--date', $day);
ok($eod->{port}, 'the end-of-day server says where it listens');
my ($status, $json) = get("$eod->{url}/healthz");
is("$status $json->{server} $json->{session}", "200 eod $day", 'its health page names server and session');
($status, $json) = get("$eod->{url}/prices?date=$day&days=21");
is(scalar keys %{ $json->{prices} }, 8, 'it serves eight tickers');
is(scalar @{ $json->{prices}{CEDX} }, 21, 'and as many days as were asked for');
is($json->{prices}{CEDX}[-1]{close}, 16.75, 'the last of them is the day that was asked for');
($status, $json) = get("$eod->{url}/prices?date=2025-03-07");
is($status, 404, 'a later day is not known yet');
like($json->{error}, qr/no prices of 2025-03-07 yet/, 'and the answer says so');
is((get("$eod->{url}/prices?date=2025-02-30"))[0], 400, 'an impossible date is a bad request');
is((get("$eod->{url}/prices?days=0"))[0], 400, 'so is a number of days below one');
is((get("$eod->{url}/nothing"))[0], 404, 'another page does not exist');

# the port is taken
my ($rc, $stdout, $stderr) = program('rt_price_server', '--date', $day, '--port', $eod->{port});
is($rc, 1, 'a port that is taken ends a server');
like($stderr, qr/cannot listen on 127\.0\.0\.1:$eod->{port}: Address already in use/, 'with a clear message');

# features and their check
($rc, $stdout, $stderr) = program('prod_feature', '--date', $day, '--url', $eod->{url});
is($rc, 0, 'features are computed') or diag($stderr);
my $file = "$out/features_$day.csv";
my $text = slurp($file);
is(scalar(() = $text =~ /\n/g), 9, 'into a file with a header and eight rows');
like($text, qr/^$day,CEDX,16\.750000,-0\.105301,-0\.110125,18\.466000,19\.201500,0\.528603,-3\.144846,3\.225202$/m,
	'the features of a ticker are those computed another way');
is_deeply([ glob "$out/*.tmp" ], [], 'nothing half-written is left');

($rc, $stdout, $stderr) = program('check_status', '--date', $day);
is($rc, 0, 'the check passes a whole file') or diag($stderr);
like($stdout, qr/^CEDX .*<-- look$/m, 'marks what is unusual');
like($stdout, qr/^warning: CEDX: return_1d is -0\.1053/m, 'says why');
like($stdout, qr/^verdict: COMPLETE, look at the warnings/m, 'and gives a verdict');

# files that the check must not pass
my %broken = (
	'a row is missing' => [ sub { s/^\S+,DUNE,.*\n//m }, qr/^fault: DUNE: 0 rows instead of 1/m ],
	'a row is there twice' => [ sub { s/^(\S+,DUNE,.*\n)/$1$1/m }, qr/^fault: DUNE: 2 rows instead of 1/m ],
	'a value is not a number' => [ sub { s/16\.750000/n.a./ }, qr/^fault: CEDX: close is not a number/m ],
	'a value is impossible' => [ sub { s/,0\.528603,/,-0.528603,/ }, qr/^fault: CEDX: volatility_20 is -0\.5286/m ],
	'a value is not finite' => [ sub { s/,0\.528603,/,nan,/ }, qr/^fault: CEDX: volatility_20 is nan/m ],
	'a row belongs to another day' => [ sub { s/^$day,ALDR/2025-03-05,ALDR/m }, qr/^fault: ALDR: date is 2025-03-05/m ],
	'the header is another' => [ sub { s/zscore_20/zscore/ }, qr/expected the columns/ ],
	'the file is empty' => [ sub { $_ = '' }, qr/expected the columns/ ]);
foreach my $case (sort keys %broken)
{
	my ($spoil, $expected) = @{ $broken{$case} };
	local $_ = $text;
	$spoil->();
	isnt($_, $text, "$case: the file is spoilt");
	spew($file, $_);
	($rc, $stdout, $stderr) = program('check_status', '--date', $day);
	is($rc, 1, "$case: the check fails");
	like($stdout . $stderr, $expected, "$case: and says so");
}
unlink $file;
($rc, $stdout, $stderr) = program('check_status', '--date', $day);
is("$rc $stdout", '1 ', 'a missing file fails the check');
like($stderr, qr/^check_status\.py: cannot read \Q$file\E: No such file/, 'with one clear line');

# any date is served, the same date always by the same day
($status, $json) = get("$eod->{url}/prices?date=2024-11-24");
is($status, 200, 'a date before the shipped days is served');
is((get("$eod->{url}/prices?date=2024-11-24"))[1]{session}, $json->{session}, 'by the same day each time');
is((get("$eod->{url}/prices?date=2025-03-02"))[1]{session}, '2025-02-28', 'a Sunday by the Friday before it');
is(stop($eod), 0, 'SIGTERM ends the server with exit code 0');
like($eod->{out}, qr/stopped by SIGTERM\n\z/, 'and a line in its log');
is($eod->{err}, '', 'nothing went to its stderr');

# nobody serves
($rc, $stdout, $stderr) = program('prod_feature', '--date', $day, '--url', $eod->{url}, '--wait', '0.3');
is($rc, 1, 'features without a server fail');
like($stderr, qr/no answer from \Q$eod->{url}\E\S* within 0\.3 s: .*refused/, 'with a clear message');
ok(!-e $file, 'and write no file');

# real-time server: two of them walk the same way
my @rt = map { serve('rt_price_server', '--date', $day, '--interval', '0.01') } 1 .. 2;
my ($common, @walks) = walks(map { $_->{url} } @rt);
ok($common, 'the two servers were seen at a common tick');
is($walks[0]{$common}, $walks[1]{$common}, 'where they show the same price') if $common;
my @prices = values %{ $walks[0] };
cmp_ok(scalar keys %{ { map { $_ => 1 } @prices } }, '>', 1, 'the price moves');
is(scalar(grep { abs($_ / 16.75 - 1) > 0.05 } @prices), 0, 'and stays around the close');
is((get("$rt[0]{url}/prices?ticker=NONE"))[0], 404, 'a ticker that does not exist is not found');
is((get("$rt[0]{url}/prices?date=2025-03-05"))[0], 404, 'nor is another day');
is(stop($_), 0, 'SIGTERM ends it with exit code 0') foreach @rt;

# the command line
foreach my $name (qw(rt_price_server eod_price_server prod_feature check_status))
{
	foreach my $args ([], [qw(--date 2025-02-30)], [qw(--date yesterday)], [ '--date', $day, '--no-such-option' ])
	{
		($rc, $stdout, $stderr) = program($name, @$args);
		is($rc, 2, "$name @$args: exit code 2");
		like($stderr, qr/^usage: $name\.py .*^$name\.py: error: /ms, "$name @$args: usage and reason");
	}
}
is((program('rt_price_server', '--date', $day, '--port', '70000'))[0], 2, 'a port out of range is refused');
{
	local $ENV{JOSCH_SAMPLE_EOD_PORT} = 'http';
	is((program('eod_price_server', '--date', $day))[0], 2, 'and so is one of the environment that is no number');
}

# corrupted prices
my %corrupted = (
	'a field that is no number' => [ sub { s/,14\.44,/,fourteen,/ }, qr/CEDX\.csv, line \d+: could not convert/ ],
	'a close above the high' => [ sub { s/,14\.44,/,99.44,/ }, qr/CEDX\.csv, line \d+: not 0 < low/ ],
	'a missing field' => [ sub { s/,14\.44,/,/ }, qr/CEDX\.csv, line \d+: 5 fields instead of 6/ ],
	'a missing day' => [ sub { s/^2025-03-31.*\n//m }, qr/CEDX\.csv has other days than ALDR\.csv/ ],
	'a day twice' => [ sub { s/^(2025-03-31.*\n)/$1$1/m }, qr/CEDX\.csv, line \d+: the date does not follow/ ],
	'another header' => [ sub { s/close/last/ }, qr/CEDX\.csv, line 1: expected the columns/ ]);
foreach my $case (sort keys %corrupted)
{
	my ($spoil, $expected) = @{ $corrupted{$case} };
	my $folder = tempdir(CLEANUP => 1);
	spew("$folder/ALDR.csv", slurp('tables/prices/ALDR.csv'));
	local $_ = slurp('tables/prices/CEDX.csv');
	$spoil->();
	spew("$folder/CEDX.csv", $_);
	foreach my $name (qw(rt_price_server eod_price_server))
	{
		($rc, $stdout, $stderr) = program($name, '--date', $day, '--prices', $folder, '--port', '0');
		is($rc, 1, "$case: $name does not start");
		like($stderr, $expected, "$case: and says where");
	}
}
is((program('eod_price_server', '--date', $day, '--prices', "$out/none"))[0], 1, 'a price folder must be there');

done_testing();

# Watch two servers until both were seen at one tick; returns that tick and, for each, tick -> price of one ticker.
sub walks
{
	my @urls = @_;
	my @seen = ({}, {});
	foreach (1 .. 3000)
	{
		foreach my $i (0, 1)
		{
			my ($code, $answer) = get("$urls[$i]/prices?ticker=CEDX");
			$seen[$i]{ $answer->{tick} } = $answer->{prices}{CEDX} if $code == 200;
		}
		my ($both) = grep { $_ > 0 && exists $seen[1]{$_} } keys %{ $seen[0] };
		return ($both, @seen) if $both && keys %{ $seen[0] } > 20;
	}
	return (0, @seen);
}

sub slurp
{
	my ($path) = @_;
	open(my $handle, '<', $path) or die "could not open $path: $!";
	local $/ = undef;
	return scalar <$handle>;
}

sub spew
{
	my ($path, $content) = @_;
	open(my $handle, '>', $path) or die "could not open $path: $!";
	print {$handle} $content;
	close($handle) or die "could not write $path: $!";
	return;
}
