# test/t/055_runner_sense.pl
#
# What the runner says is checked for encoding and sense: a stand-in that answers as a
# runner does says of each command something else that cannot be.  None of it is a
# success, none of it stays longer than it may, and all of it can be read and dumped.
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use JoschNode qw($DATE eventually);

my $spool = PostgreSQL::Test::Utils::tempdir . '/spool';
mkdir $spool, 0700 or die $!;
my $BAD = "\x1b[2J\xff\xfe\xc3(\0end" . "\xe2\x80\xae";
my $YEAR_2024 = 1704067200 * 1000000;

# What the stand-in says of each node: kind, value, ended_at, cpu, cpu, memory, flags, tail, survivors, reason.
my %END = (
	1 => [ 1, 0, $YEAR_2024, 1, 2, 3, 0, "fine\n", '', '' ],
	2 => [ 99, 0, $YEAR_2024, 1, 2, 3, 0, "a kind of tomorrow\n", '', '' ],
	3 => [ 1, 70000, $YEAR_2024, 1, 2, 3, 0, $BAD, '', '' ],
	4 => [ 2, 4000000000, -1 << 62, 1, 2, 3, 0, '', '', '' ],
	5 => [ 1, 3, 9e18, -1, -1, -1, 0, ('x' x 1_000_000) . "the end\xc3", '', '' ],
	6 => [ 3, 0, $YEAR_2024, 0, 0, 0, 0, '', "7 a\nb$BAD" x 10000, "because\nNode 7 is fine$BAD" x 10000 ],
	7 => [ 4, 0, $YEAR_2024, 0, 0, 0, 0, $BAD x 100000, '', '' ],
	8 => [ 0, 0, 0, 0, 0, 0, 0, '', '', '' ],
	9 => [ 1, 7, $YEAR_2024, 1, 2, 3, 0, "known\n", '', '' ],	# which it says it knows already, and lists when it is asked
	10 => [ 1, 0, $YEAR_2024, 1, 2, 3, 1, '', '', '' ],	# timed out
	11 => [ 3, 0, $YEAR_2024, 0, 0, 0, 0, '', '4711 (left)', '' ]);

# and what each has said of itself
my $report = "progress 7 too much\nprogress 0.5 half\x1b[2J\xff\nresult a=\x1b\xff\0b\n" . join('', map { "result n$_=" . ('v' x 5000) . "\n" } 1 .. 300)
	. "problem \x1b[2J" . ('p' x 10000) . "\n";

my $child = stand_in();
my $test = $$;
END { kill 'KILL', $child if $child && $$ == $test }	# or whoever reads what a failed test says would wait for it
my $node = JoschNode->create('sense', spool => $spool);
my $ids = join ', ', sort keys %END;
$node->add(map { [ $_, 'N', 'true', $_ == 11 ? (retries => 1, retry_delay => '0', repeatable => 'true') : () ] } sort keys %END);
$node->schedule;
$node->wait_until('all have ended', q{SELECT count(*) = 0 FROM josch.nodes WHERE state IN ('ready', 'running')});

sub run_of
{
	my ($id, $columns) = @_;
	return $node->sql("SELECT $columns FROM josch.runs WHERE node_id = $id");
}

is(run_of(1, 'status, exit_code, output_tail, ended_at'), "succeeded|0|fine\n|2024-01-01 00:00:00+00", 'what makes sense is taken as it is');
is(run_of(2, 'status, exit_code, message'), 'unknown||how it ended cannot be known: the runner says what cannot be: end 99, value 0; no process of it was found' =~ s/; no process.*//r,
	'an end of a kind that is not known is no success');
is(run_of(3, 'status, exit_code'), 'unknown|', 'nor is there an exit code that no process can have');
like(run_of(3, 'output_tail'), qr/^\x1b\[2J\?\?\?\(\?end/, 'output that is no UTF-8, and has zeroes, is stored as characters');
is(run_of(4, q{status, exit_signal, ended_at > '2024-01-02'}), 'unknown||t', 'nor a signal, nor a time before all times');
is(run_of(5, q{status, exit_code, octet_length(output_tail) <= 4096, right(output_tail, 8), peak_memory, ended_at < 'infinity'}), 'failed|3|t|the end?||t', 'of a long output the end is kept');
is(run_of(6, q{status, octet_length(message) <= 4100, octet_length(survivors) <= 4000, message || survivors ~ '[[:cntrl:]]'}), 'unknown|t|t|f', 'reasons are a line, and have a limit');
is(run_of(7, q{status, octet_length(message) <= 4100, message LIKE 'could not be started: %'}), 'failed|t|t', 'so have those of what could not be started');
is(run_of(8, 'status'), 'unknown', 'nothing is known of nothing');
is($node->sql(q{SELECT progress || ' ' || (progress_text ~ '[[:cntrl:]]') || ' ' || (results ->> 'a' ~ '^.\?\?b$') || ' ' || (octet_length(results::text) < 40000)
	|| ' ' || coalesce(problems ~ '[[:cntrl:]]', false) FROM josch.run_reports JOIN josch.runs USING (run_id) WHERE runs.node_id = 1}),
	'0.5 false true true false', 'nor is what a run is said to have said larger than it may be, and no terminal is moved by it');
is(run_of(9, 'status, exit_code, output_tail'), "failed|7|known\n", 'what it says it knows already, it is asked for');
is($node->sql(q{SELECT count(*) FROM josch.runs WHERE pid IS NOT NULL OR started_at NOT BETWEEN '2020-01-01' AND '3000-01-01'}), 0, 'a process that cannot be, and a start after all times, are not taken');
like($node->sql("SELECT detail FROM josch.health() WHERE component = 'runner'"), qr/^(version 0\.9\?\[2J\?|None answers|Only)/, 'nor is its version believed');
is(run_of(10, 'status, exit_code, message'), 'failed|0|timed out: exit code 0', 'what was timed out is no success, whatever it says then');
like(run_of(11, 'status, message'), qr/^unknown\|how it ended cannot be known: .*; processes of it still live: 4711 \(left\)$/, 'what has left something');
like($node->node_is(11, 'state, attempt, message'), qr/^unknown\|1\|.*; not tried again: processes of it still live$/, 'is not tried again');
like(slurp_file("$spool/asked"), qr{^/.*/josch-runner$}, 'one of a former version is asked to replace itself');
command_ok([ 'pg_dump', '-f', '/dev/null', '-d', $node->connstr('postgres') ], 'all of it can be dumped');
$node->stop('fast');
done_testing();

# Answers as a runner does.
sub stand_in
{
	my $listener = IO::Socket::UNIX->new(Local => "$spool/runner.sock", Listen => 5) or die "could not listen: $!";
	my $parent = fork // die $!;
	return $parent if $parent;
	local $SIG{CHLD} = 'IGNORE';
	local $SIG{PIPE} = 'IGNORE';
	while (my $socket = $listener->accept)
	{
		next if fork;
		close $listener;
		answer($socket);
		POSIX::_exit(0);
	}
	POSIX::_exit(0);
}

sub answer
{
	my ($socket) = @_;
	my $known = '';	# the list, but for its end
	while (1)
	{
		my ($head, $body) = ('', '');
		read($socket, $head, 5) == 5 or return;
		my ($length, $type) = unpack 'N C', $head;
		read $socket, $body, $length - 1 if $length > 1;
		say_to($socket, 64, pack 'N N/a* N/a* q> q> N/a* q> q>', 3, "0.9\x1b[2J\xff", 'stand-in', $$, 1, 'ledger', 0, 0) if $type == 1;
		append_to_file("$spool/asked", unpack 'N/a*', $body) if $type == 7;
		if ($type == 5)
		{
			say_to($socket, 69, $known) if $known ne '';
			say_to($socket, 70, '');
		}
		$known = tell_end($socket, $body) // $known if $type == 2;
	}
}

sub tell_end
{
	my ($socket, $start) = @_;
	my ($run, $nonce) = unpack 'q>2', $start;
	my ($id) = $start =~ /NODE_ID=(\d+)/;
	if ($id == 9)
	{
		say_to($socket, 71, pack 'q>2 C N/a*', $run, $nonce, 1, 'it is known');
		return pack 'q>2 C N q>3 C N q>4 N' . ' N/a*' x 5 . ' N N/a* N/a* N/a*', $run, $nonce, 3, 0, 1 << 40, 9e18, 0, @{ $END{$id} }, '', '', 0, '', '', $report;
	}
	say_to($socket, 65, pack 'q>4', $run, $nonce, 1 << 40, 9e18);
	say_to($socket, 68, pack 'q>2 C N q>4 N (N/a*)4', $run, $nonce, @{ $END{$id} }, $report);
	return undef;
}

sub say_to
{
	my ($socket, $type, $body) = @_;
	syswrite $socket, pack('N C', 1 + length $body, $type) . $body;
	return;
}
