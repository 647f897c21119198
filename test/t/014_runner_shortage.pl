# test/t/014_runner_shortage.pl
# needs: root
#
# A start for which the machine is short of something: it is told apart from one
# that can never be, leaves nothing behind, and the same run starts when the
# shortage is over.
use JoschUsers;
use strict;
use warnings;
use File::Path qw(remove_tree);
use Test::More;
use JoschRunner;

my @mounted;
my $next = 1;

# A runner whose spool is a file system of its own, of 4 MB.
sub new_runner
{
	my $spool = JoschRunner::new_spool();
	mkdir $spool, 0700 or die "mkdir: $!";
	as_user(root => sub { system("mount -t tmpfs -o size=4m,mode=0700,uid=\$(id -u $FIRST),gid=\$(id -g $FIRST) josch $spool") == 0 or die 'mount' });
	push @mounted, $spool;
	JoschRunner::start_daemon($spool) == 0 or die 'no runner';
	return ($spool, JoschRunner->connect($spool));
}

END
{
	foreach my $spool (@mounted)
	{
		JoschRunner::end_runner($spool);
		as_user(root => sub { system("umount --lazy $spool") });
	}
}

sub sh { return [ '/bin/sh', '-c', @_ ] }

sub limit
{
	my ($c, $limit) = @_;
	system('prlimit', '--pid', $c->pid, $limit) == 0 or die 'prlimit';
	return;
}

# A run does not start for the reason, starts when that is over, and is one run for all that.
sub passes
{
	my ($spool, $c, $reason, $begin, $end, %start) = @_;
	my %run = (run_id => $next++, argv => sh("echo once >> $spool/count"), %start);
	my $journal = sub { return -s "$spool/journal" };
	my $other = $next++;
	is($c->run(run_id => $other, argv => ['true'])->{value}, 0, 'all is well at first');
	$c->forget($other);
	$c->list;	# it is forgotten, on record, too
	unlink "$spool/count";
	$begin->();
	my $size = $journal->();
	foreach my $try (1 .. 3)
	{
		my $e = $c->run(%run);
		is($e->{type}, 'START_FAILED', "try $try: it does not start");
		like($e->{text}, $reason, 'and says why');
		is($e->{passing}, 1, 'and that this passes');
		ok(!exists $c->list->{ $run{run_id} }, 'nothing is known of it');
	}
	is($journal->(), $size, 'nor is anything on record') if defined $size;
	$end->();
	is($c->run(%run)->{value}, 0, 'the same run starts when there is enough again');
	is(JoschRunner::slurp("$spool/count"), "once\n", 'once') unless $start{argv};
	$c->start(%run);
	is($c->wait_for('REFUSED', $run{run_id})->{reason}, JoschRunner::REFUSED_KNOWN, 'and no second time');
	return;
}

my ($spool, $c) = new_runner();
my $processes = `prlimit --nproc --noheadings --output SOFT`;
chomp $processes;

subtest 'no processes' => sub {
	passes($spool, $c, qr/no more processes can be started/, sub { limit($c, '--nproc=1:') }, sub { limit($c, "--nproc=$processes:") });
};

subtest 'no descriptors' => sub {
	passes($spool, $c, qr/has no file descriptor left/, sub { limit($c, '--nofile=4:') }, sub { limit($c, '--nofile=1024:') });
};

subtest 'no space' => sub {
	passes($spool, $c, qr/no space is left in the spool's file system/,
		sub { system("dd if=/dev/zero of=$spool/ballast bs=4k 2>/dev/null") }, sub { unlink "$spool/ballast" });
};

subtest 'hardly any space' => sub {
	passes($spool, $c, qr/no space is left in the spool's file system/,
		sub {
			system("dd if=/dev/zero of=$spool/ballast bs=4k 2>/dev/null");
			truncate "$spool/ballast", (-s "$spool/ballast") - 40_000;
		},
		sub { unlink "$spool/ballast" });
};

subtest 'a log that cannot be written' => sub {
	passes($spool, $c, qr/could not create the log file: Permission denied/, sub { chmod 0500, "$spool/log" }, sub { chmod 0700, "$spool/log" });
};

subtest 'a folder of logs that was removed' => sub {
	remove_tree("$spool/log");
	is($c->run(run_id => $next++, argv => ['true'])->{value}, 0, 'is made anew at the next start');
	ok(-d "$spool/log", 'and is there');
};

subtest 'what never can start is no shortage' => sub {
	foreach my $start ([ argv => ['no-such-program'] ], [ argv => ['/etc/passwd'] ], [ argv => ['true'], cwd => '/no/folder' ],
		[ argv => [ 'echo', 'x' x 200_000 ] ], [ argv => ['true'], log => '../x' ])
	{
		my $e = $c->run(run_id => $next++, @$start);
		is($e->{type}, 'START_FAILED', $e->{text} =~ s/x{9,}/.../r);
		is($e->{passing}, 0, 'it is over');
	}
};

# whatever was written last: a start that was taken back is gone from the journal, and from what is told of its length
foreach my $signal (qw(KILL TERM))
{
	subtest "the journal is whole, $signal" => sub {
		my $known = scalar keys %{ $c->list };
		my $ledger = $c->{welcome}{ledger};
		limit($c, '--nproc=1:');
		is($c->run(run_id => $next++, argv => ['true'])->{passing}, 1, 'the last start is taken back');
		limit($c, "--nproc=$processes:");
		kill $signal, $c->pid;
		JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });
		JoschRunner::start_daemon($spool);
		$c = JoschRunner->connect($spool);
		is($c->{welcome}{ledger}, $ledger, 'the next runner goes on with it');
		is(scalar keys %{ $c->list }, $known, 'and knows the same runs');
	};
}

done_testing();
