# test/t/015_log_limit.pl
# needs: root
#
# A log beyond its limit: the first and the last half are kept, a line between them
# says so, and no reader sees anything else; on any file system, and whichever
# runner watches.
use JoschUsers;
use strict;
use warnings;
use Test::More;
use JoschRunner;

my $MARK = "\n[josch.max_log_size: what was printed here has not been kept]\n";
my $LIMIT = 1024 * 1024;
my ($spool, @mounted);

END
{
	foreach my $place (@mounted)
	{
		JoschRunner::end_runner($place);
		as_user(root => sub { system("umount --lazy $place") });
	}
}

# A runner whose spool is on a file system of that type, or of the type that is there.
sub new_runner
{
	my ($type) = @_;
	$spool = JoschRunner::new_spool();
	if (defined $type)
	{
		mkdir $spool, 0700 or die "mkdir: $!";
		as_user(root => sub { system("mount -t $type josch $spool && chown $FIRST $spool && chmod 700 $spool") == 0 or die 'mount' });
		push @mounted, $spool;
	}
	JoschRunner::start_daemon($spool) == 0 or die 'no runner';
	return JoschRunner->connect($spool);
}

# Prints numbered lines up to each of the numbers; before each but the first it waits for a file of that name.
sub printer
{
	my (@to) = @_;
	return [ 'perl', '-e', <<'END', $spool, @to ];
$| = 1;
my ($spool, @to) = @ARGV;
my $n = 0;
foreach my $to (@to)
{
	if ($n > 0) { select undef, undef, undef, 0.02 until -e "$spool/$to" }
	printf "%07d\n", $n++ while $n < $to;
	open my $done, '>', "$spool/done-$to";
}
END
}

sub go { my ($n) = @_; open my $file, '>', "$spool/$n" or die "open: $!"; return }

# What is on the disk, in bytes.
sub taken { my ($path) = @_; return (stat $path)[12] * 512 }

# All that can be read of a log: page by page, each where the one before it ended.
sub read_all
{
	my ($c, $path, $piece) = @_;
	my ($text, $offset, $pages) = ('', 0, 0);
	while ($pages++ < 5000)
	{
		my $e = $c->read_log(path => $path, offset => $offset, max => $piece);
		return "error: $e->{text}" if $e->{type} ne 'LOG_DATA';
		$text .= $e->{bytes};
		$offset = $e->{offset} + length $e->{bytes};
		return $text if $e->{eof};
	}
	return "no end after $pages pages";
}

# Whether it is the first part, the mark, and the last part up to line $n.
sub is_cut
{
	my ($text, $n, $half, $what) = @_;
	my ($first, $last, @more) = split /\Q$MARK\E/, $text, -1;
	ok(defined $last && !@more, "$what: there is one mark") or return;
	is(length($first) + length $MARK, $half, 'the first half is before it');
	my $lines = join '', map { sprintf "%07d\n", $_ } 0 .. length($first) / 8 + 1;
	is($first, substr($lines, 0, length $first), 'whole');
	my ($number) = $last =~ /(\d{7})\n/ or return fail('there is a last part');
	my $tail = join '', map { sprintf "%07d\n", $_ } $number .. $n - 1;
	is(substr($last, -length $tail), $tail, 'and the last part, whole, up to the end');
	return length $last;
}

foreach my $piece (1_000_003, 4096, 777_777)
{
	subtest "a long log, read by $piece" => sub {
		my $c = new_runner();
		my $e = $c->run(run_id => 1, argv => printer(1_000_000), log_limit => $LIMIT);
		is($e->{value}, 0, 'it is printed');
		like($e->{tail}, qr/0999999\n\z/, 'its end is told');
		my $length = is_cut(read_all($c, 'log/1.log', $piece), 1_000_000, $LIMIT / 2, 'read by the runner');
		cmp_ok($length, '>=', $LIMIT / 2, 'half of the limit');
		cmp_ok($length, '<', $LIMIT / 2 + 8192, 'and not more');
		cmp_ok(taken("$spool/log/1.log"), '<=', $LIMIT + 8192, 'the rest has been given back');
		JoschRunner::end_runner($spool);
	};
}

subtest 'what is within the limit, and what has none' => sub {
	my $c = new_runner();
	my $text = join '', map { sprintf "%07d\n", $_ } 0 .. 131_071;
	$c->run(run_id => 1, argv => printer(131_072), log_limit => $LIMIT);
	is(read_all($c, 'log/1.log', 1_000_000), $text, 'a log of just the limit is whole');
	$c->run(run_id => 2, argv => printer(300_000));
	is(length read_all($c, 'log/2.log', 1_000_000), 2_400_000, 'and one without a limit');
	is(length $c->read_log(path => 'log/2.log', offset => 0, max => 4_000_000_000)->{bytes}, 1024 * 1024, 'who asks for more gets a piece of it');
	JoschRunner::end_runner($spool);
};

subtest 'while it runs' => sub {
	my $c = new_runner();
	my $log = "$spool/log/1.log";
	$c->start(run_id => 1, argv => printer(500_000, 1_000_000, 1_500_000, 2_000_000), log_limit => $LIMIT);
	my $pid = $c->wait_for('STARTED', 1)->{pid};
	JoschRunner::eventually('it is cut', sub { -s $log == 4_000_000 && taken($log) <= $LIMIT + 8192 });
	JoschRunner::eventually('it is quiet: the file is watched, and not looked at by the clock', sub {
		grep { (JoschRunner::slurp($_) // '') =~ /^inotify wd:.* mask:[08]*2 /m } glob '/proc/' . $c->pid . '/fdinfo/*' });
	go(1_000_000);
	JoschRunner::eventually('so it is when it prints again', sub { -s $log == 8_000_000 && taken($log) <= $LIMIT + 8192 });
	is_cut(read_all($c, 'log/1.log', 100_000), 1_000_000, $LIMIT / 2, 'meanwhile');
	kill HUP => $c->pid;
	JoschRunner::eventually('the runner has replaced itself', sub { ($c->next_event(1) // { type => '' })->{type} eq 'LOST' });
	$c = JoschRunner->connect($spool);
	go(1_500_000);
	JoschRunner::eventually('and by a runner that has replaced itself', sub { -s $log == 12_000_000 && taken($log) <= $LIMIT + 8192 });
	kill KILL => $c->pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });
	JoschRunner::start_daemon($spool) == 0 or die 'no runner';
	$c = JoschRunner->connect($spool);
	go(2_000_000);
	$c->wait_for('EXITED', 1);
	cmp_ok(taken($log), '<=', $LIMIT + 8192, 'and by the next one, of what survived the former');
	is_cut(read_all($c, 'log/1.log', 100_000), 2_000_000, $LIMIT / 2, 'in the end');
	JoschRunner::end_runner($spool);
};

subtest 'a file system that can take nothing out of a file' => sub {
	my $c = new_runner('ramfs');
	my $log = "$spool/log/1.log";
	$c->start(run_id => 1, argv => printer(500_000, 1_000_000, 1_000_001), log_limit => $LIMIT);
	$c->wait_for('STARTED', 1);
	JoschRunner::eventually('it is printed, and what was too much behind the first half is cut off', sub { -e "$spool/done-500000" && -s $log <= $LIMIT });
	# at the latest now it is cut to the half
	go(1_000_000);
	JoschRunner::eventually('and again', sub { -e "$spool/done-1000000" && -s $log <= $LIMIT });
	go(1_000_001);
	is($c->wait_for('EXITED', 1)->{value}, 0, 'the command notices nothing');
	my ($first, $last) = split /\Q$MARK\E/, read_all($c, 'log/1.log', 100_000), -1;
	is(length($first) + length $MARK, $LIMIT / 2, 'the first half is there, and the mark');
	like($last, qr/^(\d*\n)?((\d{7}\n)*1000000\n)?\z/, 'and what was printed since the last cut, if anything was');
};

done_testing();
