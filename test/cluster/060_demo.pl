# scripts/demo --cluster: a night on a Slurm of two nodes; and cleared away, with all that Slurm has started.
#
# needs: slurm

use strict;
use warnings;

use File::Temp qw(tempdir);
use IPC::Run qw(run timeout);
use Test::More;
use JoschRunner;

delete $ENV{$_} foreach grep { /^PG(?!_)/ } keys %ENV;
local $ENV{JOSCH_DEMO_TIMEOUT} = 150;
local $ENV{JOSCH_DEMO_PORT} = 54331;

# beside that of the suite tap, in a copy of the tree
my $copy = tempdir(DIR => $ENV{TESTDATADIR}, CLEANUP => 1);
system("tar -cf - --exclude=./.git --exclude=./.demo . | tar -C $copy -xf -") == 0 or die "could not copy the tree";
chdir $copy or die "could not enter $copy: $!";

sub demo
{
	my ($out, $err) = ('', '');
	run [ 'scripts/demo', @_ ], '<', \undef, '>', \$out, '2>', \$err, timeout(500);
	return ($? >> 8, $out . $err);
}

sub sql
{
	my ($query) = @_;
	my ($out, $err) = ('', '');
	run [ 'bash', '-c', '. .demo/env && exec psql -XAt -v ON_ERROR_STOP=1 -c "$1"', '-', $query ], '<', \undef, '>', \$out, '2>', \$err, timeout(60);
	chomp $out;
	return $? ? "failed: $err" : $out;
}

# of Slurm, and what it has started
sub processes
{
	return grep { (JoschRunner::slurp("/proc/$_/environ") // '') =~ m{SLURM_CONF=[^\0]*/cluster/slurm\.conf\0} && (JoschRunner::slurp("/proc/$_/environ") // '') !~ /JOSCH_CLUSTER=/ } map { substr $_, 6 } glob '/proc/[0-9]*';
}

my ($code, $out) = demo('--cluster');
is($code, 0, 'exit code 0') or diag($out);
like($out, qr/^All that the night had to do is done/m, 'it says that the night is done');
like($out, qr/slurm: (?:Resources|Priority)/, 'what waits at Slurm is seen');
like($out, qr/ 7 \| executor \| waits for executor "slurm": 6 of 6 run/, 'and what waits for a place');
is(sql("SELECT count(*) FROM josch.nodes WHERE state = 'succeeded'"), '9', 'all went well');
is(sql("SELECT count(*) FROM josch.runs WHERE executor = 'slurm' AND host !~ '^n[12]\$'"), '0', 'all on nodes of the cluster');
like(sql("SELECT string_agg(DISTINCT message, '') FROM josch.runs WHERE status = 'unknown'"), qr/ended as NODE_FAIL/, 'what died with its machine is tried again');
is(sql("SELECT count(*) FROM josch.runs WHERE status <> 'unknown' AND node_id < 10"), '7', 'and all else was done once');

($code, $out) = demo('stop');
is($code, 0, 'it is stopped') or diag($out);
ok(!-e '.demo', 'and cleared away');
is(scalar(processes()), 0, 'nothing of Slurm is left');
like((demo('--help'))[1], qr/^scripts\/demo --cluster /m, 'the usage has it');

chdir '/';
done_testing();
