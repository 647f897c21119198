# test/perl/JoschCluster.pm
#
# Other machines, on this one: a Slurm of two nodes and an sshd, each in a folder of its own, on ports of the loopback interface that are free,
# as the user that all tests run as; and the programs of executors/, started by hand as josch-runner would start them.
#
# munged has a key of its own; sshd takes nobody for a user with a shell and a home (libnss_wrapper). At its end the module ends what it has
# started, by number, and all that Slurm has started by the mark in its environment.
package JoschCluster;

use strict;
use warnings;
use Carp;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);
use JoschRunner;

my (@all, @pids);
my $user = getpwuid $>;
my $group = getgrgid $);

# The folder of the programs: installed, or in the source.
sub programs
{
	my $dir = `pg_config --pkglibdir 2>/dev/null`;
	chomp $dir;
	return -x "$dir/josch/executors/slurm" ? "$dir/josch/executors" : do { require Cwd; Cwd::abs_path('executors') };
}

sub spew
{
	my ($path, $text) = @_;
	open my $file, '>', $path or croak "could not write $path: $!";
	print $file $text;
	close $file;
	return $path;
}

sub free_port
{
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or croak "no port: $!";
	return $socket->sockport;
}

sub new
{
	my ($class) = @_;
	my $dir = tempdir('XXXXXX', DIR => $ENV{TESTDATADIR} // '/tmp', CLEANUP => 1);
	my $self = bless { dir => $dir, environment => {} }, $class;
	make_path(map { "$dir/$_" } qw(out home shared));
	push @all, $self;
	return $self;
}

# begin(name, program, argument...): a daemon that stays in the foreground
sub begin
{
	my ($self, $name, @command) = @_;
	my $pid = fork // croak "could not fork: $!";
	if (!$pid)
	{
		setpgrp;
		chdir $self->{dir};    # by which what it starts is found
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', "$self->{dir}/$name.log";
		open STDERR, '>&', \*STDOUT;
		local %ENV = (PATH => "$ENV{PATH}:/usr/sbin:/sbin", HOME => $self->{dir}, JOSCH_CLUSTER => $self->{dir}, %{ $self->{environment} });
		exec @command or POSIX::_exit(127);
	}
	$self->{pid}{$name} = $pid;
	push @pids, $pid;
	return $pid;
}

# end_daemon(name, signal): it is gone afterwards
sub end_daemon
{
	my ($self, $name, $signal) = @_;
	kill $signal // 'TERM', $self->{pid}{$name};
	waitpid $self->{pid}{$name}, 0;
	return;
}

sub slurp { return JoschRunner::slurp(@_) // ''; }

# --- Slurm ----------------------------------------------------------------------------------------------------------------

# start_slurm(option => value): more lines of slurm.conf
sub start_slurm
{
	my ($self, %more) = @_;
	my $dir = $self->{dir};
	chomp(my $host = `hostname -s`);
	my @ports = map { free_port() } 1 .. 3;
	make_path("$dir/state", "$dir/n1", "$dir/n2");
	spew("$dir/munge.key", join '', map { chr int rand 256 } 1 .. 1024);
	chmod 0600, "$dir/munge.key";
	my %option = (
		ClusterName => 'josch', SlurmctldHost => "$host(127.0.0.1)", SlurmctldPort => $ports[0],
		AuthType => 'auth/munge', AuthInfo => "socket=$dir/munge.socket", CredType => 'cred/munge', SlurmUser => $user, SlurmdUser => $user,
		StateSaveLocation => "$dir/state", SlurmdSpoolDir => "$dir/%n", SlurmctldPidFile => "$dir/slurmctld.pid", SlurmdPidFile => "$dir/slurmd.%n.pid",
		ProctrackType => 'proctrack/linuxproc', TaskPlugin => 'task/none', JobAcctGatherType => 'jobacct_gather/none', AccountingStorageType => 'accounting_storage/none',
		JobCompType => 'jobcomp/none', SelectType => 'select/cons_tres', SelectTypeParameters => 'CR_Core', MpiDefault => 'none', ReturnToService => 2,
		SlurmdParameters => 'config_overrides', MinJobAge => 300, KillWait => 2, SlurmdTimeout => 10, MessageTimeout => 5, JobRequeue => 0,
		SchedulerParameters => 'batch_sched_delay=0,sched_min_interval=10000', %more);
	spew("$dir/slurm.conf", join '', map({ "$_=$option{$_}\n" } sort keys %option),
		map({ "NodeName=n$_ NodeHostname=$host NodeAddr=127.0.0.1 Port=$ports[$_] CPUs=10 RealMemory=1000 State=UNKNOWN\n" } 1, 2),
		"PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n");
	$self->{environment}{SLURM_CONF} = "$dir/slurm.conf";
	$self->begin(munged => 'munged', '--foreground', '--force', "--key-file=$dir/munge.key", "--socket=$dir/munge.socket",
		"--pid-file=$dir/munged.pid", "--log-file=$dir/munged.log", "--seed-file=$dir/munge.seed");
	JoschRunner::eventually('munged answers', sub { -S "$dir/munge.socket" });
	$self->start_controller;
	$self->start_node($_) foreach 1, 2;
	JoschRunner::eventually('both nodes are idle', sub { $self->slurm('sinfo', '-h', '-o', '%T %D') =~ /^idle 2$/m });
	return $self;
}

sub start_controller { my ($self) = @_; return $self->begin(slurmctld => 'slurmctld', '-D', '-i'); }
sub start_node { my ($self, $n) = @_; return $self->begin("slurmd.$n" => 'slurmd', '-D', '-N', "n$n"); }

# what a command of Slurm's prints
sub slurm
{
	my ($self, @command) = @_;
	local %ENV = (%ENV, %{ $self->{environment} });
	my ($out, $err) = ('', '');
	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err);
	return $out . $err;
}

# --- ssh --------------------------------------------------------------------------------------------------------------------

# start_ssh: an sshd, which "there" in the file ssh_config leads to
sub start_ssh
{
	my ($self) = @_;
	my $dir = $self->{dir};
	my $port = $self->{ssh_port} //= free_port();
	if (!-e "$dir/key")
	{
		system('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', "$dir/$_") == 0 or croak 'no ssh-keygen' foreach qw(host_key key);
		spew("$dir/passwd", "$user:*:$>:" . ($) + 0) . ":somebody:$dir/home:/bin/sh\n");
		spew("$dir/group", "$group:x:" . ($) + 0) . ":\n");
		spew("$dir/sshd_config", <<"END");
Port $port
ListenAddress 127.0.0.1
HostKey $dir/host_key
PidFile $dir/sshd.pid
AuthorizedKeysFile $dir/key.pub
StrictModes no
UsePAM no
MaxStartups 200
PasswordAuthentication no
END
		spew("$dir/ssh_config", <<"END");
Host there
  HostName 127.0.0.1
  Port $port
  User $user
  IdentityFile $dir/key
  UserKnownHostsFile $dir/known_hosts
  StrictHostKeyChecking accept-new
END
	}
	local $self->{environment} = { %{ $self->{environment} }, LD_PRELOAD => 'libnss_wrapper.so', NSS_WRAPPER_PASSWD => "$dir/passwd", NSS_WRAPPER_GROUP => "$dir/group" };
	my ($sshd) = grep { -x } '/usr/sbin/sshd', '/var/cache/josch/sshd/usr/sbin/sshd';
	$self->begin(sshd => $sshd // croak('no sshd'), '-D', '-e', '-f', "$dir/sshd_config");
	JoschRunner::eventually('sshd answers', sub { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") });
	return $self;
}

# Loses all connections, and the sshd.
sub end_ssh
{
	my ($self) = @_;
	my %parent = map { /(\d+)\s+(\d+)/ ? ($1 => $2) : () } split /\n/, `ps -e -o pid= -o ppid=`;
	my @connections = my @found = $self->{pid}{sshd};
	while (@found = grep { my $pid = $_; (JoschRunner::slurp("/proc/$pid/cmdline") // '') =~ /^sshd/ && grep { $parent{$pid} == $_ } @found } keys %parent)
	{
		push @connections, @found;
	}
	kill KILL => @connections;
	waitpid $self->{pid}{sshd}, 0;
	return;
}

# --- programs of executors/ -------------------------------------------------------------------------------------------------

# start([words], run => name, env => {...}, grace => seconds): a program, in a group of its own as the runner has it
sub start
{
	my ($self, $words, %how) = @_;
	my $base = "$self->{dir}/out/" . ($how{files} // $how{run});
	my ($name, @words) = @$words;
	my $pid = fork // croak "could not fork: $!";
	if (!$pid)
	{
		POSIX::setsid();
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', "$base.log";
		open STDERR, '>&', \*STDOUT;
		$SIG{$_} = 'DEFAULT' foreach grep { defined } qw(TERM INT QUIT PIPE);
		my $path = "$ENV{PATH}:/usr/sbin";
		%ENV = (PATH => $how{path} // '/usr/local/bin:/usr/bin:/bin', HOME => "$self->{dir}/home", LANG => 'C.UTF-8', JOSCH_CLUSTER => $self->{dir}, %{ $self->{environment} },
			JOSCH_EXECUTOR_RUN => "josch-test-$how{run}", JOSCH_EXECUTOR_REPORT => "$base.executor", JOSCH_EXECUTOR_STATE => "$base.state",
			JOSCH_REPORT => "$base.report", JOSCH_STOP_GRACE => $how{grace} // 10, JOSCH_EXECUTOR_OPTIONS => join("\n", @{ $how{options} // [] }), %{ $how{env} // {} });
		exec programs() . "/$name", @words or POSIX::_exit(127);
	}
	return { pid => $pid, base => $base };
}

# how a program ended: "code 3", "signal 9"
sub end_of
{
	my ($self, $program) = @_;
	my $deadline = time + 90;
	while (waitpid($program->{pid}, WNOHANG) == 0)
	{
		time < $deadline or croak 'the program does not end: ' . slurp("$program->{base}.executor") . slurp("$program->{base}.log");
		sleep 0.02;    # until it has ended
	}
	return $? & 127 ? 'signal ' . ($? & 127) : 'code ' . ($? >> 8);
}

# one run from its beginning to its end: how it ended, and what it printed
sub run
{
	my ($self, $words, %how) = @_;
	my $program = $self->start($words, %how);
	my $end = $self->end_of($program);
	return wantarray ? ($end, slurp("$program->{base}.log")) : $end;
}

# waits until a file of the program's, log, executor or report, matches
sub wait_for
{
	my ($self, $program, $file, $pattern) = @_;
	eval { JoschRunner::eventually("its $file shows $pattern", sub { slurp("$program->{base}.$file") =~ $pattern }); 1 } or croak $@, map { "$_:\n" . slurp($_) } glob "$program->{base}.*";
	return ok(1, "its $file shows $pattern");
}

# stops(start): programs that start(name, script, grace => seconds) has started get TERM, and KILL in time; returns one that had something to say
sub stops
{
	my ($self, $start) = @_;
	my %case = (
		stopped => [ 'trap "echo caught; exit 44" TERM', 'code 44', 30, 1 ],
		plain => [ '', 'signal 15', 30, 1 ],
		deaf => [ 'trap "" TERM', 'signal 9', 3, 1 ],
		twice => [ 'trap "echo caught" TERM', 'signal 9', 600, 2 ]);
	my %program = map { ($_ => $start->($_, "$case{$_}[0]\necho here; while :; do sleep 0.05; done", grace => $case{$_}[2])) } sort keys %case;
	foreach my $name (sort keys %case)
	{
		my $program = $program{$name};
		$self->wait_for($program, log => qr/^here$/m);
		kill TERM => -$program->{pid};
		next if $case{$name}[3] == 1;
		$self->wait_for($program, log => qr/^caught$/m);
		kill TERM => -$program->{pid};
	}
	is($self->end_of($program{$_}), $case{$_}[1], "$_: $case{$_}[1]") foreach sort keys %case;
	return $program{stopped};
}

# Processes that have the cluster's mark in their environment, or work in its folder as Slurm's own do, whose environment is not to be seen.
sub processes
{
	my ($self) = @_;
	return grep {
		$_ != $$ && (index("\0" . (JoschRunner::slurp("/proc/$_/environ") // ''), "\0JOSCH_CLUSTER=$self->{dir}\0") >= 0 || (readlink "/proc/$_/cwd" // '') =~ /^\Q$self->{dir}\E/)
	} map { substr $_, 6 } glob '/proc/[0-9]*';
}

sub sweep
{
	my ($self) = @_;
	kill 'KILL', grep { defined } values %{ $self->{pid} // {} };
	# what they have started meanwhile, too
	while (my @left = $self->processes)
	{
		kill 'KILL', @left;
		waitpid -1, WNOHANG;
		sleep 0.02;    # until they are gone
	}
	return;
}

END
{
	my $code = $?;
	$_->sweep foreach @all;
	$? = $code;
}

1;
