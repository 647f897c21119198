# test/perl/JoschNode.pm
#
# A server of its own for a test, with josch preloaded, its own spool and its
# own folder of work; and few words to say what runs there and what to wait for.
#
# No test sleeps to make time pass: it waits until SQL, or a file, shows what it
# waits for, and dies with the board on the screen when that never comes.
# Commands outlive servers by design, so at its end the module ends the runner
# and every process that still has the test's WORK in its environment.
package JoschNode;

use strict;
use warnings;
use Carp;
use Exporter 'import';
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use JoschRunner;

our @ISA = ('PostgreSQL::Test::Cluster');
our @EXPORT_OK = qw($DATE eventually lives literal);
our $DATE = '2024-03-01';

my @all;

# create(name, conf => 'lines', spool => '/path', extension => 0, install_path => '/path', initdb => ['--option']): a running server
# with the extension
sub create
{
	my ($class, $name, %how) = @_;
	my $self = $class->SUPER::new($name, install_path => $how{install_path});
	$self->init(extra => $how{initdb} // []);
	$self->{work} = $self->basedir . '/work';
	make_path($self->{work});
	$self->{spool} = $how{spool} // $self->data_dir . '/josch';
	$self->append_conf('postgresql.conf', join "\n",
		"shared_preload_libraries = 'josch'",
		'restart_after_crash = on',
		'log_statement = none',
		'max_worker_processes = 20',
		"log_timezone = 'UTC'",
		"timezone = 'UTC'",
		"josch.work_directory = '$self->{work}'",
		$how{spool} ? "josch.spool_directory = '$how{spool}'" : (),
		$how{conf} // '', '');
	push @all, $self;
	$self->start;
	$self->install unless defined $how{extension} && !$how{extension};
	return $self;
}

# A session of its own; the time that may pass without an answer counts from each question, not from its begin.
sub background_psql
{
	my ($self, @how) = @_;
	my $session = $self->SUPER::background_psql(@how);
	$session->set_query_timer_restart;
	return $session;
}

# copy_of(name, node, conf => 'lines', spool => '/path'): started on a copy of a stopped server's data directory
sub copy_of
{
	my ($class, $name, $original, %how) = @_;
	my $self = $class->SUPER::new($name);
	@$self{qw(work job)} = @$original{qw(work job)};
	$self->{spool} = $how{spool} // $self->data_dir . '/josch';
	system_or_bail('cp', '-a', $original->data_dir, $self->data_dir);
	$self->append_conf('postgresql.conf', 'port = ' . $self->port . "\n" . ($how{conf} // ''));
	push @all, $self;
	$self->start;
	return $self;
}

# from_backup(name, node, backup, conf => 'lines'): a server on what node->backup(...) has saved, not started yet
sub from_backup
{
	my ($class, $name, $original, $backup, %how) = @_;
	my $self = $class->SUPER::new($name);
	@$self{qw(work job)} = @$original{qw(work job)};
	$self->init_from_backup($original, $backup, has_streaming => $how{streams}, standby => $how{standby});
	$self->{spool} = $self->data_dir . '/josch';
	$self->append_conf('postgresql.conf', $how{conf}) if defined $how{conf};
	push @all, $self;
	return $self;
}

# The extension, and WORK in the environment of all commands.
sub install
{
	my ($self) = @_;
	$self->sql("CREATE EXTENSION josch; INSERT INTO josch.environs VALUES ('WORK', " . literal($self->{work}) . ')');
	return $self->job('test');
}

# A job for the nodes that are added from now on; a day never grows once it is made.
sub job
{
	my ($self, $name) = @_;
	$self->{job} = $name;
	return $self->sql('INSERT INTO josch.tpl_jobs (job_name) VALUES (' . literal($name) . ')');
}

sub literal
{
	my ($text) = @_;
	return 'NULL' unless defined $text;
	return "'" . $text =~ s/'/''/gr . "'";
}

# sql(query): its output; dies of an error
sub sql
{
	my ($self, $query, $database) = @_;
	return $self->safe_psql($database // 'postgres', $query);
}

# contents(database, 'names as a regular expression'): all that schema josch stores, and what its record shows, as one value a table;
# of a sequence where it stands
sub contents
{
	my ($self, $database, $names) = @_;
	return $self->safe_psql($database // 'postgres', q{SET TimeZone = 'UTC';
		SELECT format(CASE relkind WHEN 'S' THEN 'SELECT %1$L, last_value, is_called FROM josch.%1$I'
			ELSE 'SELECT %1$L, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) FROM josch.%1$I t' END, relname)
		FROM pg_class WHERE relnamespace = 'josch'::regnamespace AND (relkind IN ('r', 'p', 'f', 'S') OR relname ~ '_audit$')
			AND relname ~ } . literal($names // '') . ' ORDER BY relname \gexec');
}

# add([id, type, command, column => value, ...], ...): template nodes
sub add
{
	my ($self, @nodes) = @_;
	return $self->sql(join ' ', map { $self->insert(@$_) } @nodes);
}

sub insert
{
	my ($self, $id, $type, $command, %columns) = @_;
	my %row = (node_id => $id, node_type => $type, job_name => $self->{job}, node_name => "node $id", exec_command => $command, %columns);
	my @names = sort keys %row;
	return 'INSERT INTO josch.tpl_nodes (' . join(', ', @names) . ') VALUES ('
		. join(', ', map { literal($row{$_}) } @names) . ');';
}

# depend(parent => child, ...)
sub depend
{
	my ($self, @pairs) = @_;
	my @rows;
	while (my ($parent, $child) = splice @pairs, 0, 2)
	{
		push @rows, "($parent, $child)";
	}
	return $self->sql('INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES ' . join ', ', @rows);
}

sub schedule
{
	my ($self, $date) = @_;
	return $self->sql('SELECT count(*) FROM josch.schedule(' . literal($date // $DATE) . ')');
}

# one column of a node's row, or of its latest run's
sub node_is
{
	my ($self, $id, $columns, $date) = @_;
	return $self->sql("SELECT $columns FROM josch.nodes WHERE node_id = $id AND job_date = " . literal($date // $DATE));
}

sub run_is
{
	my ($self, $id, $columns, $date) = @_;
	return $self->sql("SELECT $columns FROM josch.runs WHERE node_id = $id AND job_date = "
		. literal($date // $DATE) . ' ORDER BY attempt DESC LIMIT 1');
}

# act(stop => 13, 'comment'): josch.stop(13, the date, 'comment')
sub act
{
	my ($self, $action, $id, $comment, $date) = @_;
	return $self->sql("SELECT josch.$action($id, " . literal($date // $DATE) . ', ' . literal($comment) . ')');
}

# Waits until the query gives true; a test point.
sub wait_until
{
	my ($self, $what, $query, $database) = @_;
	my $came = $self->poll_query_until($database // 'postgres', $query);
	ok($came, $what);
	return 1 if $came;
	diag $self->sql('SELECT * FROM josch.board ORDER BY job_date, node_id') if !defined $database;
	croak "waited in vain: $what";
}

# wait_for(state => id, id, ...): until all of them are in it
sub wait_for
{
	my ($self, $state, @ids) = @_;
	my $list = join ', ', @ids;
	return $self->wait_until("node $list: $state", 'SELECT count(*) = ' . scalar(@ids)
		. " FROM josch.nodes WHERE node_id IN ($list) AND job_date = '$DATE' AND state = '$state'");
}

# Nodes of which josch.waiting does not say what it ought to: it follows from josch.nodes at every moment.
our $UNTRUE = q{SELECT count(*) FROM (
	SELECT n.job_date, n.node_id, CASE WHEN s.attention THEN 'p' WHEN n.state = 'held' THEN 'h' WHEN n.state <> 'ready' THEN 'o'
		WHEN NOT n.forced AND (n.wait_file IS NOT NULL AND n.file_found IS NULL OR n.wait_sql IS NOT NULL AND n.sql_true_at IS NULL) THEN 'w'
		WHEN n.exec_command IS NULL AND n.exec_sql IS NULL THEN 'f' WHEN n.limit_group <> 0 OR n.priority <> 0 THEN 'l'
		WHEN n.exec_command IS NOT NULL THEN 'c' ELSE 's' END AS waits_for,
		n.state = 'ready' AND (n.due_at IS NOT NULL AND NOT n.forced OR n.not_before IS NOT NULL) AS timed
	FROM josch.nodes n JOIN josch.states() s ON s.state = n.state
	WHERE s.attention OR n.state IN ('held', 'ready')
		OR (n.impossible > 0 AND (n.node_type <> 'E' OR n.unmet = 0) AND (n.join_rule = 'all' OR n.unmet + n.satisfied = 0)) =
			CASE WHEN n.state = 'pending' AND NOT n.forced THEN true WHEN n.state = 'omitted' AND n.ended_at IS NULL OR n.state = 'abandoned' AND n.node_type = 'E' THEN false END) n
	FULL JOIN josch.waiting w ON w.job_date = n.job_date AND w.node_id = n.node_id
	WHERE (w.waits_for::text = n.waits_for OR n.timed AND w.waits_for = 't' OR n.waits_for IN ('c', 's', 'l') AND w.waits_for = 'x') IS NOT TRUE};

# Waits until nothing of any day is to be done any more, but by a person.
sub wait_for_rest
{
	my ($self, $what) = @_;
	is($self->sql($UNTRUE), '0', 'what waits is listed, and nothing else');
	return $self->wait_until($what // 'all is done',
		"SELECT NOT EXISTS (SELECT FROM josch.nodes WHERE state IN ('pending', 'ready', 'running', 'up'))"
		. ' AND NOT EXISTS (SELECT FROM josch.runs WHERE ended_at IS NULL)');
}

# A file in the folder of work, whole; undef when it is not there.
sub file
{
	my ($self, $name) = @_;
	return JoschRunner::slurp("$self->{work}/$name");
}

sub log_of
{
	my ($self, $id) = @_;
	return JoschRunner::slurp("$self->{spool}/" . $self->run_is($id, 'log'));
}

sub eventually { return JoschRunner::eventually(@_); }
sub lives { return JoschRunner::lives(@_); }

# The process that runs commands; 0 when none answers.
sub runner_pid
{
	my ($self) = @_;
	my $runner = eval { JoschRunner->connect($self->{spool}, identity => 'test') };
	return $runner ? $runner->pid : 0;
}

sub scheduler_pid
{
	my ($self, $database) = @_;
	return $self->sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'josch scheduler' AND datname = "
		. literal($database // 'postgres'));
}

# Processes of the server, to see them gone.
sub server_pids
{
	my ($self) = @_;
	return ($self->{_pid}, split /\n/, $self->sql("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()"));
}

# kill -9 of the postmaster alone; returns when its processes have noticed.  In a
# container nobody may ever collect the dead one, whose lock files then count.
sub kill_postmaster
{
	my ($self) = @_;
	my @pids = $self->server_pids;
	$self->kill9;
	eventually('the server is gone', sub { !grep { lives($_) } @pids });
	unlink $self->data_dir . '/postmaster.pid', glob $self->host . '/.s.PGSQL.*.lock';
	return;
}

# kill -9 of a process of the server, which then starts anew by itself.
sub crash
{
	my ($self, $pid) = @_;
	kill 'KILL', $pid or croak "could not kill process $pid: $!";
	eventually('the process is gone', sub { !lives($pid) });
	eventually('the server is back', sub { run_log([ 'pg_isready', '-q', '-h', $self->host, '-p', $self->port ]) });
	return;
}

sub kill_runner
{
	my ($self) = @_;
	my $pid = $self->runner_pid;
	kill 'KILL', $pid or croak "could not kill the runner: $!";
	eventually('the runner is gone', sub { !lives($pid) });
	return $pid;
}

# Processes with this WORK in their environment.
sub commands
{
	my ($self) = @_;
	my @found;
	foreach my $dir (glob '/proc/[0-9]*')
	{
		my $environment = JoschRunner::slurp("$dir/environ") // next;
		push @found, substr($dir, 6) if index("\0$environment", "\0WORK=$self->{work}\0") >= 0;
	}
	return @found;
}

END
{
	my $code = $?;
	foreach my $self (@all)
	{
		my $runner = $self->runner_pid;
		$self->stop('immediate', fail_ok => 1);
		kill 'KILL', grep { $_ } $runner, $self->commands;
	}
	$? = $code;
}

1;
