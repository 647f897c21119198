# test/t/016_lookout.pl
#
# Files that are waited for, as a scheduler asks the runner: found when they have come and
# do not change any more, wherever they come from; told once; and looked for by a process
# of its own, which is there as long as anybody waits.
use strict;
use warnings;
use Test::More;
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket;
use JoschRunner;
use Time::HiRes qw(time);

*eventually = \&JoschRunner::eventually;

my $spool = JoschRunner::new_spool();
is(JoschRunner::start_daemon($spool), 0, 'a runner');
my $c = JoschRunner->connect($spool);
my $dir = tempdir(CLEANUP => 1);
my $number = 0;

sub put
{
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!";
	print {$file} $text // 'x';
	close $file;
	return;
}

# Asks for a file; its number.
sub watch
{
	my ($path, %how) = @_;
	$c->watch(number => ++$number, path => $path, %how);
	return $number;
}

sub is_found { my ($n, $path, $name) = @_; return is_deeply([ $c->looked($n) ], [ JoschRunner::LOOKED_FOUND, $path ], $name); }

# The process that looks for files, if there is one.
sub lookout
{
	my @found;
	foreach my $path (glob '/proc/[0-9]*/cmdline')
	{
		my ($pid) = $path =~ /(\d+)/;
		my $line = JoschRunner::slurp($path) // next;
		push @found, $pid if $line eq "josch-runner\0--lookout\0" && (JoschRunner::slurp("/proc/$pid/stat") // '') =~ /\) \S (\d+)/ && $1 == $c->pid;
	}
	return $found[0];
}

# All that was asked before this has been looked for: it is asked after them.
sub all_is_looked_for
{
	put("$dir/mark" . ++$number);
	$c->watch(number => $number, path => "$dir/mark$number");
	$c->looked($number);
	return;
}

subtest 'a file' => sub {
	is(lookout(), undef, 'nobody waits, nobody looks');
	put("$dir/there");
	is_found(watch("$dir/there"), "$dir/there", 'was there');
	my $late = watch("$dir/late");
	all_is_looked_for();
	put("$dir/other");
	put("$dir/late");
	is_found($late, "$dir/late", 'is written');
	my $moved = watch("$dir/moved");
	all_is_looked_for();
	put("$dir/moved.tmp");
	rename "$dir/moved.tmp", "$dir/moved";
	is_found($moved, "$dir/moved", 'is moved there');
	my $folder = watch("$dir/a/b/c/file");
	all_is_looked_for();
	make_path("$dir/a");
	make_path("$dir/a/b/c");
	put("$dir/a/b/c/file");
	is_found($folder, "$dir/a/b/c/file", 'in a folder that was not there');
	eventually('nobody looks any more', sub { !defined lookout() });
};

subtest 'a folder that goes and comes' => sub {
	make_path("$dir/in");
	my $n = watch("$dir/in/x");
	all_is_looked_for();
	rename "$dir/in", "$dir/was";
	put("$dir/was/x");
	remove_tree("$dir/was");
	make_path("$dir/new");
	put("$dir/new/x");
	rename "$dir/new", "$dir/in";
	is_found($n, "$dir/in/x", 'the file of the new one');
};

subtest 'a pattern' => sub {
	make_path("$dir/p");
	put("$dir/p/$_") foreach 'p_2.csv', 'p_1.csv', 'q_1.csv', '.p_0.csv';
	is_found(watch("$dir/p/p_*.csv", pattern => 1), "$dir/p/p_1.csv", 'the first by its name');
	my $n = watch("$dir/p/r_?.csv", pattern => 1);
	my $plain = watch("$dir/p/r_?.csv");
	all_is_looked_for();
	put("$dir/p/r_10.csv");
	put("$dir/p/r_7.csv");
	is_found($n, "$dir/p/r_7.csv", 'one that comes');
	put("$dir/p/r_?.csv");
	is_found($plain, "$dir/p/r_?.csv", 'a name is none');
};

subtest 'still changing' => sub {
	put("$dir/growing");
	my $n = watch("$dir/growing", stable_ms => 700);
	my $end = time + 1.2;
	my $last;
	while (time < $end)
	{
		put("$dir/growing", 'x' x (1 + 1000 * rand));
		$last = time;
		select undef, undef, undef, 0.05;	# between two writes
	}
	is_found($n, "$dir/growing", 'when it has rest');
	cmp_ok(time - $last, '>=', 0.65, 'for as long as was asked');
	utime 1, 1, "$dir/growing";
	$n = watch("$dir/growing", stable_ms => 400);
	my $since = time;
	is_found($n, "$dir/growing", 'one whose times were set');
	cmp_ok(time - $since, '>=', 0.3, 'counts from then');
	$n = watch("$dir/there", stable_ms => 1);
	is_found($n, "$dir/there", 'one that has rested for long is found at once');
};

subtest 'taken back, and asked by others' => sub {
	my $n = watch("$dir/never");
	all_is_looked_for();
	$c->unwatch($n);
	my $other = JoschRunner->connect($spool, database => 6);
	$other->watch(number => $n, path => "$dir/never");
	$other->watch(number => 99, path => "$dir/mark");
	put("$dir/mark");
	$other->looked(99);
	put("$dir/never");
	is_deeply([ $other->looked($n) ], [ JoschRunner::LOOKED_FOUND, "$dir/never" ], 'who has not taken it back is told');
	all_is_looked_for();
	is($c->take_frame, undef, 'who has is not');
	$other->watch(number => 100, path => "$dir/never again");
	eventually('it is looked for', sub { defined lookout() });
	close $other->{socket};
	eventually('nobody looks for who is gone', sub { !defined lookout() });
};

subtest 'the lookout dies' => sub {
	my $n = watch("$dir/after");
	eventually('it is there', sub { defined lookout() });
	my $pid = lookout();
	kill KILL => $pid;
	eventually('another is', sub { (lookout() // $pid) != $pid });
	put("$dir/after");
	is_found($n, "$dir/after", 'it looks for the same');
};

subtest 'in the way' => sub {
	make_path("$dir/shut");
	chmod 0, "$dir/shut";
	my $n = watch("$dir/shut/x", interval_ms => 200);
	my ($kind, $text) = $c->looked($n);
	is($kind, JoschRunner::LOOKED_HINDERED, 'what is in the way is told');
	like($text, qr/Permission denied/, 'in words');
	chmod 0755, "$dir/shut";
	is(($c->looked($n))[0], JoschRunner::LOOKED_WELL, 'and that it is not any more');
	put("$dir/shut/x");
	is_found($n, "$dir/shut/x", 'then it is found');
};

# A user namespace has limits of its own: there nobody can be told of anything.
subtest 'nobody tells' => sub {
	socketpair(my $mine, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
	my $pid = fork // die $!;
	if ($pid == 0)
	{
		open STDIN, '<&', $its or die $!;
		close $mine;
		exec 'unshare', '-U', '-r', 'sh', '-c', 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$0" --lookout', JoschRunner::binary() or die $!;
	}
	close $its;
	my $direct = bless { socket => $mine, in => '', events => [] }, 'JoschRunner';
	$direct->watch(number => 1, path => "$dir/polled", interval_ms => 100);
	my ($kind, $text) = $direct->looked(1);
	is($kind, JoschRunner::LOOKED_SHORT, 'a limit of the system is told');
	like($text, qr/max_user_instances/, 'by its name');
	put("$dir/polled");
	is_deeply([ $direct->looked(1) ], [ JoschRunner::LOOKED_FOUND, "$dir/polled" ], 'it looks now and then');
	close $mine;
	waitpid $pid, 0;
	is($?, 0, 'it leaves with whoever asks');
};

subtest 'thousands' => sub {
	my $first = $number + 1;
	my $since = time;
	make_path("$dir/many/$_") foreach 1 .. 50;
	watch("$dir/many/" . ($_ % 50 + 1) . "/f$_") foreach 1 .. 5000;
	all_is_looked_for();
	put("$dir/many/" . ($_ % 50 + 1) . "/f$_") foreach 1 .. 5000;
	my %found;
	$found{ $c->wait_for('LOOKED')->{number} }++ while keys %found < 5000;
	is(scalar(grep { $_ != 1 } values %found), 0, 'each is told once');
	note sprintf '5,000 files in %.1f s', time - $since;
};

JoschRunner::end_runner($spool);
done_testing();
