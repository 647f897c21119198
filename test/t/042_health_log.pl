# josch.health() tells what is up; josch.log() gives what a run has printed, from the file, or through the runner where
# the server may not read it.

use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use IO::Socket::UNIX;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('main', conf => 'josch.max_log_size = 1MB');

sub health
{
	my ($component, $columns) = @_;
	return $node->sql("SELECT $columns FROM josch.health() WHERE component = '$component'");
}

sub healthy
{
	my ($component, $what) = @_;
	return $node->wait_until($what, "SELECT up FROM josch.health() WHERE component = '$component'");
}

# --- health

healthy($_, "$_ is up") foreach ('launcher', 'scheduler', 'runner');
is($node->sql('SELECT bool_and(up) FROM josch.health()'), 't', 'and so is all else');
foreach my $worker ('launcher', 'scheduler')
{
	is(health($worker, 'pid'), $node->sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'josch $worker'"), "the $worker has this process");
}
is(health('runner', 'pid'), $node->runner_pid, 'and the runner this');
is(health('launcher', 'since BETWEEN pg_postmaster_start_time() AND now()'), 't', 'since the start of the server');
like(health('scheduler', 'detail'), qr/^passes \d+, last pass \d{4}-.*, queued 0, running 0, set aside 0$/, 'what the scheduler does');
$node->add([ 90, 'N', undef, exec_sql => 'SELECT pg_sleep(600)' ], [ 91, 'N', 'sleep 600' ]);
$node->schedule;
$node->wait_until('two nodes run', q{SELECT count(*) = 2 FROM josch.runs WHERE status = 'running'});
$node->wait_until('which it counts', q{SELECT detail LIKE '%running 2,%' FROM josch.health() WHERE component = 'scheduler'});
is(health('sql workers', 'detail'), '1 busy of 1, at most 4', 'one of them in a worker of the server');
$node->act(stop => 90);
$node->act(stop => 91);
$node->wait_for(failed => 90, 91);

$node->sql('ALTER SYSTEM SET josch.scheduler = off; SELECT pg_reload_conf()');
$node->wait_until('a scheduler that is to start nothing says so', q{SELECT detail LIKE '%josch.scheduler is off%' FROM josch.health() WHERE component = 'scheduler'});
$node->sql('ALTER SYSTEM RESET josch.scheduler; ALTER SYSTEM SET josch.start_runner = off; SELECT pg_reload_conf()');
my $killed = $node->kill_runner;
$node->wait_until('a runner that is gone is seen', q{SELECT NOT up AND pid IS NULL AND detail LIKE 'None answers%' FROM josch.health() WHERE component = 'runner'});
$node->sql('ALTER SYSTEM RESET josch.start_runner; SELECT pg_reload_conf()');
healthy('runner', 'a new one, too');
isnt(health('runner', 'pid'), $killed, 'which is another process');
$node->sql('CREATE DATABASE plain');
$node->sql('CREATE EXTENSION josch', 'plain');
$node->sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'josch scheduler' AND datname = 'plain'});
like($node->sql(q{SELECT detail FROM josch.health() WHERE component = 'scheduler'}, 'plain'), qr/^passes|^no pass yet|[Tt]he launcher starts it/,
	'a scheduler that has ended: health says who brings it back');

# --- somebody has forgotten to commit: who waits is told for whom, and so is everybody else

$node->sql(q{INSERT INTO josch.tpl_jobs (job_name) VALUES ('Forgot'), ('Other');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (81, 'S', 'Forgot', 'f'), (82, 'S', 'Other', 'o')});
my $forgetful = $node->background_psql('postgres');
my $forgetful_pid = $forgetful->query_safe('SELECT pg_backend_pid()');
$forgetful->query_safe(q{BEGIN; SELECT josch.schedule('2001-01-01', 'Forgot')});
my $patient = $node->background_psql('postgres', on_error_stop => 0);
my $patient_pid = $patient->query_safe('SELECT pg_backend_pid()');
$patient->query_safe(q{SET deadlock_timeout = '50ms'});
$patient->{stdin} .= "SELECT count(*) FROM josch.schedule('2001-01-01', 'Forgot');\n";
my $for_whom = qr/waits for session $forgetful_pid of user "\w+", idle in a transaction that began at 20/;
eventually('a NOTICE names who holds the lock', sub { $patient->{run}->pump_nb; $patient->{stderr} =~ $for_whom });
$node->wait_until('after a second it is a row', q{SELECT count(*) = 1 FROM josch.health() WHERE component = 'wait' AND NOT up});
is(health('wait', 'pid'), $patient_pid, 'of who waits');
like(health('wait', 'detail'), $for_whom, 'and for whom');
is($node->sql(q{SET statement_timeout = '60s'; SELECT nodes FROM josch.schedule('2001-01-01', 'Other')}), '1', 'another job does not wait');
my ($status, $made, $warning) = $node->psql('postgres', q{SET deadlock_timeout = '50ms'; SELECT count(*) FILTER (WHERE nodes IS NULL) FROM josch.schedule('2001-01-01')});
is($made, '1', 'nor do all of them');
like($warning, qr/WARNING:  job "Forgot" of 2001-01-01 was not made: josch\.schedule\(\) would have to wait for session $forgetful_pid of/, 'of which one is left out, with the reason');
($status, undef, $warning) = $node->psql('postgres', q{SET lock_timeout = '100ms'; SELECT josch.schedule('2001-01-01', 'Forgot')});
like($warning, qr/ERROR:  josch\.schedule\(\) would have to wait for session $forgetful_pid of/, 'lock_timeout is obeyed');
$node->sql("SELECT pg_cancel_backend($patient_pid)");
eventually('who waits can be cancelled', sub { $patient->{run}->pump_nb; $patient->{stderr} =~ /canceling statement due to user request/ });
is($node->sql(q{SELECT count(*) FROM josch.health() WHERE component = 'wait'}), '0', 'and is no row any more');
$forgetful->query_safe('COMMIT');
is($node->sql(q{SELECT count(*) FROM josch.schedule('2001-01-01')}), '0', 'it is made');
$forgetful->quit;
$patient->{run}->finish;

# --- the log of a command

$node->sql('DELETE FROM josch.tpl_nodes');
$node->add([ 1, 'N', q{printf 'caf\303\251\n'; printf 'bad \377 zero \000 half \303' >&2; printf '\nend\n'} ],
	[ 2, 'N', 'seq 1 20000' ], [ 3, 'N', 'true' ], [ 4, 'N', 'seq 1000000 1500000' ]);
$node->schedule('2024-03-04');
$node->wait_until('commands ran', q{SELECT count(*) = 4 FROM josch.nodes WHERE job_date = '2024-03-04' AND node_id < 90 AND state = 'succeeded'});
my ($run, $long, $empty, $cut) = map { $node->run_is($_, 'run_id', '2024-03-04') } 1 .. 4;

my $text = "caf\x{e9}\nbad \x{fffd} zero \x{fffd} half \x{fffd}\nend\n";
utf8::encode($text);
is($node->sql("SELECT josch.log($run)"), $text, 'both streams in order; what is no character is replaced');
is($node->sql("SELECT josch.log($run, -4)"), "end\n", 'the end of it');
is($node->sql("SELECT josch.log($run, 0, 4) || '|' || josch.log($run, 4, 6)"), "caf\xc3\xa9|\nbad ", 'pages do not cut a character in two');
is($node->sql("SELECT josch.log($empty) = ''"), 't', 'no output, no text');
is($node->sql("SELECT josch.log($long) = (SELECT string_agg(i || E'\\n', '' ORDER BY i) FROM generate_series(1, 20000) i)"), 't', 'a long one');
is($node->sql("SELECT string_agg(josch.log($long, p, 1000), '' ORDER BY p) = josch.log($long) FROM generate_series(0, 200000, 1000) p"),
	't', 'in pages');
is($node->sql("WITH RECURSIVE p AS (SELECT q.* FROM josch.log_page($run, 0, 4) q UNION ALL SELECT q.* FROM p, josch.log_page($run, p.next_offset, 4) q WHERE p.next_offset > p.start_offset)
	SELECT string_agg(text, '' ORDER BY start_offset) FROM p"), $text, 'page after page, by the offsets that they give');
is($node->sql("SELECT start_offset, next_offset FROM josch.log_page($long, -4)"), '108890|108894', 'from the end');
is($node->sql("SELECT josch.log($long, 1000000) = ''"), 't', 'nothing comes after its end');

(undef, my $half, my $notice) = $node->psql('postgres', "SELECT josch.log($cut)");
like($half, qr/^1000000\n1000001\n.*\n\[josch\.max_log_size: what was printed here has not been kept\]\n?\z/s, 'of one beyond its limit the first half');
my ($goes_on) = $notice =~ /It goes on with: SELECT josch\.log\($cut, (\d+)\);/;
cmp_ok($goes_on, '>', 2_000_000, 'and where it goes on');
my @last = split /\n/, $node->sql("SELECT josch.log($cut, $goes_on)");
is($last[-1], '1500000', 'with the last half');
is(scalar(grep { $last[$_] != 1500000 - $#last + $_ } 1 .. $#last), 0, 'of which no line is missing');
is($node->sql("SELECT j.start_offset, j.text = josch.log($cut, $goes_on) FROM josch.log_page($cut, 1000000) j"), "$goes_on|t", 'where nothing was kept, the page begins after that');

my $file = "$node->{spool}/" . $node->run_is(1, 'log', '2024-03-04');
is(sprintf('%o', (stat $file)[2] & 0777), '600', 'a log is for its owner only');

$node->sql('CREATE ROLE looker LOGIN IN ROLE josch_viewer; CREATE ROLE stranger LOGIN');
is($node->sql("SET ROLE looker; SELECT josch.log($run, -4)"), "end\n", 'who may see JOSCH may see logs');
isnt($node->psql('postgres', "SET ROLE stranger; SELECT josch.log($run)"), 0, 'others may not');

# --- an encoding that has fewer characters

$node->sql(q{CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
$node->sql(q{CREATE EXTENSION josch; INSERT INTO josch.tpl_jobs (job_name) VALUES ('test');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES (1, 'N', 'test', 'n', $$printf 'caf\303\251 \342\202\254\n'$$);
	SELECT josch.schedule('2024-03-01')}, 'latin');
$node->wait_until('a command ran in a database with LATIN1', q{SELECT state = 'succeeded' FROM josch.nodes}, 'latin');
is($node->sql(q{SELECT encode(convert_to(josch.log(run_id), 'LATIN1'), 'hex') FROM josch.runs}, 'latin'), unpack('H*', "caf\xe9 ?\n"),
	'its log is in that encoding, as far as there are characters');

# --- what is not to be read

sub refused
{
	my ($pattern, $what) = @_;
	my ($status, undef, $error) = $node->psql('postgres', "SELECT josch.log($run)");
	isnt($status, 0, "$what: an error");
	like($error, $pattern, 'with the reason');
	return;
}

rename $file, "$file.away" or die $!;
refused(qr/there is no log of run $run in josch.spool_directory.*HINT: .*output_tail/s, 'a log that was removed');
symlink "$file.away", $file or die $!;
refused(qr/could not read the log of run $run: Too many levels of symbolic links/, 'a symbolic link');
unlink $file;
mkdir $file or die $!;
refused(qr/could not read the log of run $run: Invalid argument/, 'a directory');
rmdir $file;
rename "$file.away", $file or die $!;
my $folder = $file =~ s{/[^/]*$}{}r;
rename $folder, "$folder.away" or die $!;
symlink "$folder.away", $folder or die $!;
refused(qr/could not read the log of run $run: (Not a directory|Too many levels)/, 'a folder that is a symbolic link');
unlink $folder;
rename "$folder.away", $folder or die $!;
chmod 0, $file;
refused(qr/could not read the log of run $run\n.*the runner did not give it: .*Permission denied/s, 'a log that neither server nor runner may read');
chmod 0600, $file;
is($node->sql("SELECT josch.log($run, -4)"), "end\n", 'and all is well again');

# --- a runner that may read what the server may not; what a test's one user cannot have, a stand-in has

my $spool = $node->basedir . '/apart';
mkdir $spool, 0700 or die $!;
my $content = join '', map { "line $_ \xe2\x82\xac\n" } 1 .. 1000;
my $stand_in = stand_in($spool, $content);
my $other = JoschNode->create('apart', spool => $spool, conf => 'josch.start_runner = off');
mkdir "$spool/log" or die $!;
append_to_file("$spool/log/x", 'not this');
chmod 0, "$spool/log/x";
$other->add([ 1, 'N', undef ]);
$other->schedule;
$other->sql("ALTER TABLE josch.runs DISABLE TRIGGER guard; INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind, status, ended_at, log)
	VALUES (1001, 1, '$DATE', 1, 'command', 'succeeded', now(), 'log/x');
	ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard");
is($other->sql('SELECT md5(josch.log(1001))'), md5_hex($content), 'the log comes through the runner, in pieces');
is($other->sql('SELECT josch.log(1001, -9)'), "1000 \xe2\x82\xac\n", 'its end, too');
is($other->sql('SELECT josch.log(1001, 7, 3)'), "\xe2\x82\xac", 'and a page of it');
kill 'KILL', $stand_in;
waitpid $stand_in, 0;
($status, undef, my $error) = $other->psql('postgres', 'SELECT josch.log(1001)');
isnt($status, 0, 'without a runner it is an error');
like($error, qr/could not read the log of run 1001.*the runner did not give it: no runner answers/s, 'with the reason');

# Answers as a runner does, and gives the content for every log, at most 1000 bytes at a time.
sub stand_in
{
	my ($dir, $bytes) = @_;
	my $listener = IO::Socket::UNIX->new(Local => "$dir/runner.sock", Listen => 5) or die "could not listen: $!";
	my $parent = fork // die $!;
	return $parent if $parent;
	local $SIG{CHLD} = 'IGNORE';
	while (my $socket = $listener->accept)
	{
		next if fork;
		close $listener;
		answer($socket, $bytes);
		POSIX::_exit(0);
	}
	POSIX::_exit(0);
}

sub answer
{
	my ($socket, $bytes) = @_;
	while (1)
	{
		my ($head, $body) = ('', '');
		read($socket, $head, 5) == 5 or return;
		my ($length, $type) = unpack 'N C', $head;
		read $socket, $body, $length - 1 if $length > 1;
		tell_scheduler($socket, 64, pack 'N N/a* N/a* q> q> N/a* q> q>', 2, '1.0', 'stand-in', $$, 1, 'ledger', 0, 0) if $type == 1;
		tell_scheduler($socket, 70, '') if $type == 5;
		if ($type == 6)
		{
			my ($id, $nonce, $path, $offset, $max) = unpack 'q> q> N/a* q> N', $body;
			$offset += length $bytes if $offset < 0;
			my $piece = substr $bytes, $offset, $max < 1000 ? $max : 1000;
			tell_scheduler($socket, 72, pack 'q>3 N/a* C', $id, $nonce, $offset, $piece, $offset + length $piece >= length $bytes ? 1 : 0);
		}
	}
}

sub tell_scheduler
{
	my ($socket, $type, $body) = @_;
	syswrite $socket, pack('N C', 1 + length $body, $type) . $body;
	return;
}

done_testing();
