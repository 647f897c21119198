# test/t/070_chaos.pl
# needs: root
#
# Random graphs, people, settings and faults all at once, and a judge who believes
# nobody's word (test/chaos/). The plan comes from a seed; JOSCH_CHAOS in the
# environment of scripts/check says another one, and how much:
#
#	JOSCH_CHAOS='seed=7 faults=200 nodes=100' scripts/check tap/070_chaos
#
# only=NAME,... picks among some of the faults.
use JoschUsers;
use strict;
use warnings;
my @mounted;
END { unmount($mounted[-1]) while @mounted; }	# above what ends the servers, since the last END comes first
use FindBin;
use lib "$FindBin::Bin/../chaos";
use Test::More;
use PostgreSQL::Test::Utils;
use File::Temp;
use Time::HiRes qw(sleep);
use File::Path qw(remove_tree);
use ChaosFaults qw(any_fault inject);
use ChaosJudge qw(judge);
use ChaosPeople qw(act answer_all);
use ChaosPlan qw(new_plan pick);
use JoschNode;
use JoschRunner;

my %given = (seed => 1, faults => 16, nodes => 50, only => '', map { split /=/, $_, 2 } split ' ', $ENV{JOSCH_CHAOS} // '');
my $plan = new_plan(%given);
my $top = File::Temp::tempdir('josch-spool-XXXXXX', TMPDIR => 1, CLEANUP => 1);

# ---- two small file systems: of the spools, and of the data directory ----

sub mount_on
{
	my ($folder, $megabytes) = @_;
	as_user(root => sub { system("mount -t tmpfs -o size=${megabytes}m,mode=0700,uid=\$(id -u $FIRST),gid=\$(id -g $FIRST) josch $folder") == 0 or die 'mount' });
	push @mounted, $folder;
	return;
}

sub unmount
{
	my ($folder) = @_;
	as_user(root => sub { system("umount --lazy $folder") });
	@mounted = grep { $_ ne $folder } @mounted;
	return;
}

# Of a server that has been stopped, and has no identity yet.
sub move_data
{
	my ($server) = @_;
	my $data = $server->data_dir;
	rename $data, "$data.moved" or die "rename: $!";
	mkdir $data, 0700 or die "mkdir: $!";
	mount_on($data, 640);
	system_or_bail('cp', '-a', "$data.moved/.", $data);
	remove_tree("$data.moved");
	return;
}

mount_on($top, 64);
my $node = JoschNode->create('chaos', spool => "$top/first", extension => 0,
	conf => "josch.max_running = 8\nlog_lock_waits = on\nwal_level = replica\nmax_wal_senders = 4\nmax_wal_size = '64MB'\nmin_wal_size = '32MB'");
$node->stop;
move_data($node);
unlink $node->data_dir . '/josch.spool';
$node->start;
$node->install;
@$node{qw(plan top spools move_data remove_data)} = ($plan, $top, [ "$top/first", "$top/second" ], \&move_data, \&unmount);

# A command that marks its start and its end; "deaf" does not heed TERM, "loud" prints much.
sub write_act
{
	my $path = "$node->{work}/act";
	append_to_file($path, <<'END');
#!/bin/sh
echo "start $JOSCH_RUN" >>"$WORK/marks"
[ "$3" != deaf ] || trap '' TERM
sleep "$1"
[ "$3" != loud ] || seq 40000
echo "end $JOSCH_RUN $2" >>"$WORK/marks"
exit "$2"
END
	chmod 0755, $path;
	return;
}

sub write_templates
{
	$node->sql('CREATE TABLE public.effects (run_id bigint, place text); INSERT INTO josch.tpl_jobs (job_name) SELECT DISTINCT unnest('
			. "ARRAY['" . join("', '", map { $_->{job_name} } @{ $plan->{nodes} }) . "'])");
	$node->add(map { my %row = %$_; [ delete @row{qw(node_id node_type exec_command)}, %row ] } @{ $plan->{nodes} });
	$node->depend(map { @$_[ 0, 1 ] } @{ $plan->{deps} });
	$node->sql("UPDATE josch.tpl_node_deps SET condition = '$_->[2]' WHERE p_node_id = $_->[0] AND c_node_id = $_->[1]")
		foreach grep { $_->[2] ne 'success' } @{ $plan->{deps} };
	$node->schedule($_) foreach @{ $plan->{dates} };
	return;
}

# Refusals are of the state machine, or of somebody else's being first; anything else is a fault of JOSCH.
my %FIT = map { $_ => 1 } qw(55000 40001 55P03 57014 57P01 57P02 57P03 08006);

sub act_a_while
{
	my @unfit;
	foreach (1 .. int rand 6)
	{
		my ($code, $message) = act($node);
		push @unfit, "$code $message" if defined $code && !$FIT{$code};
		sleep rand 0.1;	# chaos, at a pace
	}
	return @unfit;
}

# A day is over, another one begins; its nodes are acted upon, too.
sub next_day
{
	my $date = sprintf '2024-%02d-%02d', 4 + int(@{ $plan->{dates} } / 28), 1 + @{ $plan->{dates} } % 28;
	eval { $node->schedule($date); push @{ $plan->{dates} }, $date; };
	return;
}

# Turns of the person who ends the days; each brings some node on, or there is nothing to be done.
sub bring_to_an_end
{
	eval { $node->sql(q{SELECT josch.arm('chaos') FROM josch.armed() WHERE NOT armed}) };
	$node->sql('ALTER SYSTEM RESET ALL');
	$node->reload;
	my $open = q{SELECT count(*) FROM josch.nodes WHERE state NOT IN ('succeeded', 'skipped', 'abandoned', 'omitted')};
	my ($patience, $last) = (600, '');
	while ($patience-- > 0)
	{
		my $now = $node->sql("$open UNION ALL SELECT max(change_id) FROM josch.nodes");
		return 1 if $now =~ /^0\n/;
		$patience = 600 if $now ne $last;
		$last = $now;
		eval { answer_all($node) };
		sleep 0.1;	# chaos, at a pace
	}
	diag $node->sql('SELECT * FROM josch.board ORDER BY job_date, node_id');
	diag $node->sql('SELECT * FROM josch.health()');
	return 0;
}

write_act();
write_templates();
my (@unfit, %done, %not_done);
foreach my $number (1 .. $given{faults})
{
	srand $given{seed} * 100_000 + $number;	# what a moment brings depends on no moment before
	push @unfit, act_a_while();
	note "$number: ", my $fault = pick(split /,/, $given{only}) // any_fault();
	(inject($node, $fault) ? $done{$fault} : $not_done{$fault})++;
	next_day() if $number % 10 == 0;
	eval { answer_all($node) } if $number % 5 == 0;	# or little would come to run
}
note 'faults: ', join ', ', map { "$_ $done{$_}" } sort keys %done;
note 'could not be done: ', join ', ', map { "$_ $not_done{$_}" } sort keys %not_done;
is(join("\n", @unfit), '', 'people were refused nothing but by the rules');
ok(bring_to_an_end(), "all came to an end (seed $given{seed})");
note 'runs by kind and outcome: ', $node->sql("SELECT string_agg(concat_ws(' ', kind, status, n), ', ' ORDER BY kind, status)"
		. ' FROM (SELECT kind, status, count(*) AS n FROM josch.runs GROUP BY 1, 2) r');
cmp_ok($node->sql('SELECT count(*) FROM josch.runs'), '>', $given{nodes}, 'there is something to judge');
is(join("\n", judge($node)), '', "nothing is to be complained of (seed $given{seed})");
done_testing();
