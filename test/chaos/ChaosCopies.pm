# test/chaos/ChaosCopies.pm
#
# Copies, of which none may fire; data that is put back in place, from files or from
# a dump; a standby that is promoted and takes the place of its primary.
#
# Each makes sure that there is something to fire, and tells so: what could not be
# tried is not counted.
package ChaosCopies;

use strict;
use warnings;
use Exporter 'import';
use ChaosPeople qw(act);
use ChaosPlan qw(chance);
use ChaosRecord qw(complain down mains open_over spool_in_use unsure);
use File::Path qw(remove_tree);
use JoschNode qw(eventually literal lives);
use JoschRunner;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(template_copy dump_elsewhere copy_beside put_back dump_in_place promotion);

my $COPIED_DATE = '2031-01-01';	# a day of no original

# ---- copies beside the original ----

# Two passes are over that began after this was called.
sub wait_for_passes
{
	my ($copy, $database) = @_;
	my $passes = q{SELECT substring(detail FROM 'passes (\d+)') FROM josch.health() WHERE component = 'scheduler' AND up};
	my $first;
	eventually('the copy has made its passes', sub {
		my $now = eval { $copy->sql("SELECT josch.wake(); $passes", $database) } // '';
		$now =~ s/\s//g;
		$first //= $now if $now ne '';
		return $now ne '' && $now >= $first + 2;
	});
	return;
}

# A day is made in the copy, all of which could start at once; nothing of it may, and nothing that came along.
sub judge_copy
{
	my ($node, $copy, $database, $what) = @_;
	eventually("the $what knows what it is", sub { (eval { $copy->sql('SELECT NOT armed FROM josch.armed()', $database) } // '') eq 't' });
	$copy->sql("SELECT josch.schedule('$COPIED_DATE')", $database);
	wait_for_passes($copy, $database);
	my $ready = $copy->sql("SELECT count(*) FILTER (WHERE unmet = 0), count(*) FILTER (WHERE state NOT IN ('pending', 'ready')) FROM josch.nodes WHERE job_date = '$COPIED_DATE'", $database);
	my ($could, $moved) = split /\|/, $ready;
	complain($node, "a $what has nothing that it could do") if !$could;
	complain($node, "a $what has moved $moved nodes of its day") if $moved;
	my $n = $copy->sql('SELECT count(*) FROM public.effects WHERE place = ' . literal($copy->port . " $database"), $database);
	complain($node, "a $what has done SQL $n times") if $n;
	return $could > 0;
}

sub template_copy
{
	my ($node) = @_;
	my $made;
	foreach (1 .. 5)
	{
		last if $made = eval { $node->sql('CREATE DATABASE copy TEMPLATE postgres', 'template1'); 1 };
	}
	return 0 if !$made;
	my $tried = judge_copy($node, $node, 'copy', 'database made from a template');
	$node->sql('DROP DATABASE copy WITH (FORCE)', 'template1');
	return $tried;
}

sub dump_to
{
	my ($node, $file) = @_;
	return PostgreSQL::Test::Utils::run_log([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-f', $file, 'postgres' ]);
}

sub restore_into
{
	my ($node, $file, $database) = @_;
	$node->sql("CREATE DATABASE $database", 'template1');
	PostgreSQL::Test::Utils::run_log([ 'psql', '-Xq', '-h', $node->host, '-p', $node->port, '-v', 'ON_ERROR_STOP=1', '-f', $file, $database ])
		or complain($node, 'a dump cannot be restored');
	return;
}

sub dump_elsewhere
{
	my ($node) = @_;
	my $dump = $node->basedir . '/dump.sql';
	dump_to($node, $dump) or return 0;
	restore_into($node, $dump, 'restored');
	my $tried = judge_copy($node, $node, 'restored', 'restored dump');
	$node->sql('DROP DATABASE restored WITH (FORCE)', 'template1');
	return $tried;
}

# A copy of the data directory that is started beside the original.
sub copy_beside
{
	my ($node) = @_;
	my $number = ++$node->{clones};
	$node->backup("clone$number");
	my $copy = JoschNode->from_backup('c' . $number, $node, "clone$number");
	$copy->start;
	my $tried = judge_copy($node, $copy, 'postgres', 'data directory started beside the original');
	$copy->stop('immediate');
	remove_tree($copy->data_dir, $node->backup_dir . "/clone$number");
	return $tried;
}

# ---- the data is put back in its place, while the runner lives ----

sub starts { my ($node) = @_; return map { (split / /)[1] } grep { /^start/ } split /\n/, $node->file('marks') // ''; }

sub is_on_record
{
	my ($node) = @_;
	return map { $_ => 1 } split /\n/, $node->sql(q{SELECT run_id || '-' || lpad(to_hex(nonce), 16, '0') FROM josch.runs});
}

# The day goes on, and is lost: another is made, and people act.
sub go_on_in_vain
{
	my ($node) = @_;
	my $before = starts($node);
	eval { $node->sql(q{SELECT josch.schedule('2032-01-01')}) };
	foreach (1 .. 20)
	{
		act($node);
		sleep 0.02;	# for what is to be lost to happen
	}
	return starts($node) - $before;
}

# A run that is on record no more is lost, if it had been started until then; that nothing starts again by itself is seen by the marks.
sub note_what_is_lost
{
	my ($node, $what, @before) = @_;
	my %known = is_on_record($node);
	my @lost = grep { !$known{$_} && !$node->{record}{lost}{$_} } @before;
	$node->{record}{lost}{$_} = 1 foreach @lost;
	my $more = scalar(starts($node)) - @before;
	complain($node, "after $what $more commands were started by themselves") if $more > 0;
	return @lost;
}

sub arm { my ($node) = @_; return eval { $node->sql(q{SELECT josch.arm('chaos: it was looked at') FROM josch.armed() WHERE NOT armed}) }; }

# Somebody ends what the lost time has left running.
sub end_strays
{
	my ($node) = @_;
	eval { $node->sql(q{SELECT josch.end_stray(run_id, nonce, '0') FROM josch.strays()}) };
	return;
}

sub put_back
{
	my ($node) = @_;
	my $saved = $node->basedir . '/saved';
	down($node, sub { $node->stop });
	remove_tree($saved);
	system_or_bail('cp', '-a', $node->data_dir, $saved);
	my $at = time;
	$node->start;
	my $lost = go_on_in_vain($node);
	down($node, sub { $node->stop });
	my %live = mains($node);
	my @before = starts_at_rest($node);
	system_or_bail('find', $node->data_dir, '-mindepth', '1', '-delete');
	system_or_bail('cp', '-a', "$saved/.", $node->data_dir);
	my $again = time;
	$node->start;
	eventually('it has spoken with its runner', sub { (eval { $node->sql(q{SELECT up FROM josch.health() WHERE component = 'runner'}) } // '') eq 't' });
	wait_for_passes($node, 'postgres');
	if ($lost)
	{
		# the runner knows up to which number they had come
		$node->{record}{numbers}{$_} = 1 foreach map { /^(\d+)/ } note_what_is_lost($node, 'the data was put back', @before);
	}
	my %then = open_over($node, $at, $again);
	unsure($node, grep { !$live{$_} } keys %then);
	$node->{record}{killed}{$_} = 1 foreach keys %then;	# a stop of the lost time
	end_strays($node);
	arm($node);
	return $lost;
}

# A dump is restored in the place of the database that it was taken from.
sub dump_in_place
{
	my ($node) = @_;
	my $dump = $node->basedir . '/place.sql';
	dump_to($node, $dump) or return 0;
	my $at = time;
	my $lost = go_on_in_vain($node);
	$node->sql('DROP DATABASE postgres WITH (FORCE)', 'template1');
	my @before = starts_at_rest($node);
	my $again = time;
	restore_into($node, $dump, 'postgres');
	eventually('it knows what it is', sub { (eval { $node->sql('SELECT NOT armed FROM josch.armed()') } // '') eq 't' });
	wait_for_passes($node, 'postgres');
	note_what_is_lost($node, 'a dump was restored', @before);
	end_strays($node);
	arm($node);
	wait_for_passes($node, 'postgres');
	unsure($node, keys %{ { open_over($node, $at, $again) } },
		split /\n/, $node->sql("SELECT run_id FROM josch.runs WHERE kind = 'sql' AND requested_at <= to_timestamp($at) AND (ended_at IS NULL OR ended_at >= to_timestamp($again))"));
	return $lost;
}

# The runner may still have been given some when the scheduler had gone: all that it has been sent is marked when it answers a question.
sub starts_at_rest
{
	my ($node) = @_;
	my $runner = JoschRunner->connect(spool_in_use($node), identity => 'chaos');
	my ($count, $still) = (-1, 0);
	while ($still < 10)
	{
		my $now = starts($node);
		$still = $now == $count ? $still + 1 : 0;
		$count = $now;
		sleep 0.02;	# a command marks its start after it was started
	}
	return starts($node);
}

# ---- a standby takes the place of its primary ----

sub new_standby
{
	my ($node) = @_;
	my $number = ++$node->{clones};
	my $spools = "$node->{top}/p$number";
	$node->backup("standby$number");
	my $standby = JoschNode->from_backup("s$number", $node, "standby$number", streams => 1,
		conf => "josch.spool_directory = '$spools'\n");
	remove_tree($node->backup_dir . "/standby$number");
	$node->{move_data}->($standby);
	unlink $standby->data_dir . '/josch.spool';
	$standby->append_conf('postgresql.auto.conf', "josch.spool_directory = '$spools'\n");
	$standby->{spools} = [ $spools, "$spools-second" ];
	$standby->start;
	return $standby;
}

# The two objects change their contents, so that whoever has the node has the one that goes on.
sub change_places
{
	my ($node, $standby) = @_;
	my (%old, %new) = %$node;
	%new = %$standby;
	%$node = (%old, map { $_ => $new{$_} } grep { /^_/ || $_ eq 'spool' || $_ eq 'spools' } keys %new);
	%$standby = (%new, map { $_ => $old{$_} } grep { /^_/ || $_ eq 'spool' || $_ eq 'spools' } keys %old);
	push @{ $node->{former} }, $standby;
	return;
}

# With a standby that each commit waits for nothing is lost; without, what had not come to it.
sub promotion
{
	my ($node) = @_;
	my $waits = chance(50);
	my $standby = new_standby($node);
	$node->sql(q{ALTER SYSTEM SET synchronous_standby_names = '*'}) if $waits;
	$node->reload;
	my $state = $waits ? 'sync' : 'async';
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '$state'");
	go_on_in_vain($node);
	my $at = time;
	down($node, sub { $node->stop('immediate'); $standby->promote });
	my @before = starts_at_rest($node);
	eventually('it takes over', sub { (eval { $standby->sql('SELECT armed FROM josch.armed()') } // '') eq 't' });
	retire($node, $standby);
	my %then = open_over($node, $at, $at);
	unsure($node, keys %then);
	my %known = is_on_record($node);
	$node->{record}{lost}{$_} = 1 foreach grep { !$waits && !$known{$_} } @before;
	return 1;
}

# What the former primary has left: its runner, which has other runs no more than its own.
sub retire
{
	my ($node, $standby) = @_;
	my $runner = JoschRunner->connect(spool_in_use($node), identity => 'chaos');
	my $data = $node->data_dir;
	kill 'TERM', $runner->pid;
	change_places($node, $standby);
	$node->{remove_data}->($data);
	return;
}

1;
