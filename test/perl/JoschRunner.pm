# test/perl/JoschRunner.pm
#
# Speaks the protocol of src/wire/protocol.h to a josch-runner, so that tests see
# exactly what a scheduler would see.
#
# It is written from the description of the protocol, not with the C code: a
# mistake that writer and reader share in C shows here.  Nothing waits without
# a limit; a test that would hang dies and says what it waited for.
package JoschRunner;

use strict;
use warnings;
use Carp;
use Fcntl;
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;
use Socket qw(pack_sockaddr_un);
use Time::HiRes qw(sleep time);

our $PATIENCE = 60;

my %TYPE = (
	HELLO => 1, START => 2, STOP => 3, FORGET => 4, LIST => 5, LOG => 6, REPLACE => 7, WATCH => 10, UNWATCH => 11,
	WELCOME => 64, STARTED => 65, START_FAILED => 66, UP => 67, EXITED => 68, RUN => 69,
	LIST_END => 70, REFUSED => 71, LOG_DATA => 72, ERROR => 73, REPORTED => 74, LOOKED => 80);
my %NAME = reverse %TYPE;

use constant {
	TIMED_OUT => 1, STOP_REQUESTED => 2, LONG_RUNNING => 4, IS_UP => 8, IS_WATCHED => 16,
	EXIT_CODE => 1, EXIT_SIGNAL => 2, EXIT_UNKNOWN => 3, EXIT_NOT_STARTED => 4, EXIT_WATCHED => 5,
	STATE_RUNNING => 1, STATE_UP => 2, STATE_EXITED => 3, STATE_WATCHED => 4,
	LOOKED_FOUND => 1, LOOKED_HINDERED => 2, LOOKED_SHORT => 3, LOOKED_WELL => 4,
	REFUSED_KNOWN => 1, REFUSED_FORGOTTEN => 2,
	SCOPE_OWN => 0, SCOPE_DATABASE => 1, SCOPE_ALL => 2 };

# The fields of what a runner says: n u32, q i64, c u8, s string.
my @EXIT = qw(c:kind n:value q:ended_at q:cpu_user_us q:cpu_sys_us q:maxrss_kb n:exit_flags s:tail s:survivors s:reason);
my %FIELDS = (
	WELCOME => [qw(n:protocol s:version s:incarnation q:pid q:started_at s:ledger q:highest q:given)],
	STARTED => [qw(q:run_id q:nonce q:pid q:started_at)],
	START_FAILED => [qw(q:run_id q:nonce n:errno s:text c:passing)],
	UP => [qw(q:run_id q:nonce q:up_at)],
	EXITED => [ 'q:run_id', 'q:nonce', @EXIT, 's:report' ],
	REPORTED => [qw(q:run_id q:nonce s:report)],
	RUN => [ qw(q:run_id q:nonce c:state n:flags q:pid q:started_at q:up_at), @EXIT, qw(s:log_path s:identity n:database s:database_name s:token s:report) ],
	LIST_END => [],
	REFUSED => [qw(q:run_id q:nonce c:reason s:text)],
	LOG_DATA => [qw(q:run_id q:nonce q:offset s:bytes c:eof)],
	ERROR => [qw(s:text)],
	LOOKED => [qw(q:number c:kind s:path s:text)]);

# The program under test: named, installed, or just built.
sub binary
{
	my $dir = `pg_config --pkglibdir 2>/dev/null` // '';
	chomp $dir;
	foreach my $path ($ENV{JOSCH_RUNNER} // '', "$dir/josch/josch-runner", './josch-runner')
	{
		next unless $path ne '' && -x $path;
		return $path =~ m{^/} ? $path : do { require Cwd; Cwd::abs_path($path) };
	}
	croak 'josch-runner was not found; set JOSCH_RUNNER';
}

# A spool that goes away at the end of the test.
sub new_spool
{
	my $dir = tempdir('josch-runner-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	return "$dir/spool";
}

# Starts a daemon; gives the exit code of the program that the caller waits for.
sub start_daemon
{
	my ($spool, @options) = @_;
	return system(binary(), '--daemon', '--spool', $spool, @options) >> 8;
}

# The same without waiting: the process number, to be waited for.
sub spawn_daemon
{
	my ($spool) = @_;
	my $pid = fork // croak "could not fork: $!";
	return $pid if $pid;
	exec binary(), '--daemon', '--spool', $spool or croak "could not execute: $!";
}

sub hello
{
	my (%who) = @_;
	return pack('N (N/a*)2 N (N/a*)3 q>', $who{protocol} // 4, $who{version} // '1.0', $who{identity} // 'server-1',
		$who{database} // 5, $who{name} // 'postgres', binary(), $who{token} // '', $who{highest} // 0);
}

# A connection after HELLO and WELCOME.
sub connect
{
	my ($class, $spool, %who) = @_;
	my $self = $class->connect_raw($spool);
	$self->{folder} = %who ? join('-', 'log', map { $who{$_} } sort keys %who) : 'log';
	$self->send('HELLO', hello(%who));
	$self->{welcome} = $self->wait_for('WELCOME');
	return $self;
}

# A connection that has said nothing yet; undef when none answers.
sub try_connect_raw
{
	my ($class, $spool) = @_;
	sysopen(my $dir, $spool, 010000000) or return undef;	# O_PATH: passing is enough
	my $path = '/proc/self/fd/' . fileno($dir) . '/runner.sock';
	my $socket = IO::Socket::UNIX->new(Peer => $path) or return undef;
	return bless { socket => $socket, in => '', events => [], spool => $spool }, $class;
}

sub connect_raw
{
	my ($class, $spool) = @_;
	return $class->try_connect_raw($spool) // croak "no runner answers in $spool: $!";
}

sub send
{
	my ($self, $type, $body) = @_;
	$self->send_raw(pack('N C', 1 + length $body, $TYPE{$type} // $type) . $body);
	return;
}

sub send_raw
{
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	while (length $bytes)
	{
		my $n = syswrite($self->{socket}, $bytes) // return;
		substr($bytes, 0, $n, '');
	}
	return;
}

sub strings
{
	my $packed = join '', map { pack 'N/a*', $_ } @_;
	return pack 'N N/a*', scalar @_, $packed;
}

# A run's nonce, unless a test gives one: the same for the same number, as that of a row is; another in each test, as what
# other tests have left running carries theirs.
my $first_nonce = 1000000 + int rand 2**40;
sub nonce { my ($id) = @_; return $id + $first_nonce; }

# start(run_id => 1, argv => [...], ...); the log path and the nonce are made up unless given
sub start
{
	my ($self, %s) = @_;
	$s{log} //= "$self->{folder}/$s{run_id}" . (defined $s{nonce} ? "-$s{nonce}" : '') . '.log';
	$s{nonce} //= nonce($s{run_id});
	$self->send('START', pack('q>2', $s{run_id}, $s{nonce}) . strings(@{ $s{argv} }) . strings(@{ $s{env} // [] })
		. pack('N/a* N/a* Q> Q> N', $s{cwd} // '', $s{log}, $s{timeout_ms} // 0, $s{grace_ms} // 0, ($s{long} ? 1 : 0) | ($s{adopt} ? 2 : 0) | ($s{executor} ? 4 : 0))
		. strings(@{ $s{ready_argv} // [] }) . pack('Q> q>2 N/a* Q>', $s{ready_after_ms} // 0, $s{pid} // 0, $s{started_at} // 0, $s{reason} // '', $s{log_limit} // 0)
		. strings(@{ $s{attach_argv} // [] }) . strings(@{ $s{stop_argv} // [] }));
	return;
}

# Where a run is named, its number stands for the nonce above; [number, nonce] names both.
sub key { my ($run) = @_; return pack 'q>2', ref $run ? @$run : ($run, nonce($run)); }

sub stop
{
	my ($self, $run, $grace_ms, $scope) = @_;
	$self->send('STOP', pack('C', $scope // SCOPE_OWN) . key($run) . pack('Q>', $grace_ms));
	return;
}

sub forget { my ($self, @runs) = @_; return $self->forget_of(SCOPE_OWN, @runs); }

sub forget_of
{
	my ($self, $scope, @runs) = @_;
	$self->send('FORGET', pack 'C N/a*', $scope, join '', map { key($_) } @runs);
	return;
}

sub replace { my ($self, $path) = @_; $self->send('REPLACE', pack 'N/a*', $path); return; }

# watch(number => 1, path => '/a/b', ...): pattern, stable_ms, interval_ms
sub watch
{
	my ($self, %w) = @_;
	my ($folder, $name) = $w{path} =~ m{^(.*)/([^/]*)$};
	$self->send('WATCH', pack('q> N/a* N/a* C Q> Q>', $w{number}, $folder eq '' ? '/' : $folder, $name, $w{pattern} // 0, $w{stable_ms} // 0, $w{interval_ms} // 60000));
	return;
}

sub unwatch { my ($self, $number) = @_; $self->send('UNWATCH', pack 'q>', $number); return; }

# What is said of that watch: its kind, then its path or text.
sub looked
{
	my ($self, $number) = @_;
	my $event = $self->wait_until("a word about watch $number", sub { $_[0]{type} eq 'LOOKED' && $_[0]{number} == $number });
	return ($event->{kind}, $event->{kind} == LOOKED_FOUND ? $event->{path} : $event->{text});
}

# Asks for the runs of this connection's owner, or of a wider scope.
sub ask_for_list
{
	my ($self, $scope) = @_;
	$self->send('LIST', pack 'C', $scope // SCOPE_OWN);
	return;
}

# The same, with the answer.
sub list_all
{
	my ($self, $scope) = @_;
	my @runs;
	$self->ask_for_list($scope);
	while (1)
	{
		my $event = $self->wait_for_any('RUN', 'LIST_END');
		return @runs if $event->{type} eq 'LIST_END';
		push @runs, $event;
	}
}

# Runs of this connection's owner, by number.
sub list
{
	my ($self) = @_;
	return { map { $_->{run_id} => $_ } $self->list_all };
}

sub ask_for_log
{
	my ($self, %what) = @_;
	$self->send('LOG', pack 'q>2 N/a* q> N', $what{run_id} // 0, $what{nonce} // nonce($what{run_id} // 0), $what{path} // '', $what{offset} // 0, $what{max} // 65536);
	return;
}

sub read_log
{
	my ($self, %what) = @_;
	$self->ask_for_log(%what);
	return $self->wait_for_any('LOG_DATA', 'ERROR');
}

sub take_frame
{
	my ($self) = @_;
	return undef if length $self->{in} < 5;
	my ($length, $type) = unpack 'N C', $self->{in};
	return undef if length $self->{in} < 4 + $length;
	my $body = substr $self->{in}, 5, $length - 1;
	substr($self->{in}, 0, 4 + $length, '');
	my %event = (type => $NAME{$type} // $type);
	foreach my $field (@{ $FIELDS{ $event{type} } })
	{
		my ($format, $name) = split /:/, $field;
		my $template = { n => 'N', q => 'q>', c => 'C', s => 'N/a*' }->{$format};
		($event{$name}, $body) = unpack "$template a*", $body;
	}
	return \%event;
}

# The next message, undef after $seconds, a message of type LOST at the end.
sub next_event
{
	my ($self, $seconds) = @_;
	my $end = time + ($seconds // $PATIENCE);
	while (1)
	{
		my $event = $self->take_frame;
		return $event if $event;
		my $left = $end - time;
		return undef if $left <= 0 || !IO::Select->new($self->{socket})->can_read($left);
		my $n = sysread $self->{socket}, $self->{in}, 65536, length $self->{in};
		return { type => 'LOST' } unless $n;
	}
}

# The first message that $matches says yes to; others are kept for later waits.
sub wait_until
{
	my ($self, $what, $matches) = @_;
	my $end = time + $PATIENCE;
	foreach my $i (0 .. $#{ $self->{events} })
	{
		return splice @{ $self->{events} }, $i, 1 if $matches->($self->{events}[$i]);
	}
	while (time < $end)
	{
		my $event = $self->next_event($end - time) // last;
		return $event if $matches->($event);
		croak "connection was lost while waiting for $what" if $event->{type} eq 'LOST';
		push @{ $self->{events} }, $event;
	}
	my @got = map { "$_->{type}(" . ($_->{run_id} // '') . ')' } @{ $self->{events} };
	splice @got, 0, -20, '...' if @got > 20;
	croak "waited in vain for $what; got: @got";
}

sub wait_for
{
	my ($self, $type, $run_id) = @_;
	return $self->wait_until("$type " . ($run_id // ''),
		sub { $_[0]{type} eq $type && (!defined $run_id || $_[0]{run_id} == $run_id) });
}

sub wait_for_any
{
	my ($self, @types) = @_;
	return $self->wait_until("@types", sub { my $event = shift; grep { $event->{type} eq $_ } @types });
}

# start and wait for the end
sub run
{
	my ($self, %s) = @_;
	$self->start(%s);
	return $self->wait_until("the end of run $s{run_id}",
		sub { ($_[0]{type} eq 'EXITED' || $_[0]{type} eq 'START_FAILED') && $_[0]{run_id} == $s{run_id} });
}

sub pid { return $_[0]{welcome}{pid} }

# Waits until the condition holds; dies with the words otherwise.
sub eventually
{
	my ($what, $condition) = @_;
	my $end = time + $PATIENCE;
	while (time < $end)
	{
		return 1 if $condition->();
		sleep 0.02;	# between two looks
	}
	croak "waited in vain until $what";
}

# True while the process exists and is no zombie.
sub lives
{
	my ($pid) = @_;
	open my $stat, '<', "/proc/$pid/stat" or return 0;
	my $line = <$stat> // return 0;
	return $line !~ /\) [ZX] /;
}

sub slurp
{
	my ($path) = @_;
	open my $file, '<:raw', $path or return undef;
	local $/;
	return scalar <$file>;
}

# Ends the runner that a test started, and everything that it left running.
sub end_runner
{
	my ($spool, @pids) = @_;
	my $self = eval { JoschRunner->connect($spool, identity => 'cleaner') };
	kill 'TERM', $self->pid if $self;
	kill 'KILL', map { -$_ } @pids if @pids;
	return;
}

1;
