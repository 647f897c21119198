# test/upgrade/day.pl
#
# pg_upgrade from the oldest version of PostgreSQL to the one that is tested, in the middle of a day: commands run, SQL has run,
# somebody is asked, others wait.  All tables are as they were, the record too, and what is packed in it.  What the new server has
# is a copy, so it starts nothing until somebody says that the old one is gone; what ran is unknown, as after a crash, and lives on.
# Then the day goes on and ends.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $spool = "$ENV{TESTDATADIR}/spool";
mkdir $spool or die "$spool: $!";
my $old = JoschNode->create('old', install_path => $ENV{JOSCH_FORMER}, spool => $spool);

# --- a day in flight
$old->sql('INSERT INTO josch.environs SELECT $$V$$ || i, repeat($$v$$, i) FROM generate_series(1, 80) i');
$old->add(
	[ 1, 'N', 'echo done before; exit 3', success_codes => '{[3,4)}' ],
	[ 2, 'N', 'echo begun; until [ -e "$WORK/end" ]; do sleep 0.1; done; echo at its end' ],
	[ 3, 'N', 'echo after it > "$WORK/three"' ],
	[ 4, 'S', undef, signoff_time => '00:00' ],
	[ 5, 'N', undef, exec_sql => 'CREATE TABLE public.made AS SELECT 5 AS five' ],
	[ 6, 'N', 'false' ],
	[ 7, 'N', undef ]);
$old->depend(@$_) foreach ([ 2, 3 ], [ 3, 7 ], [ 4, 7 ], [ 6, 7 ]);
$old->schedule;
$old->wait_for('succeeded', 1, 5);
$old->wait_for('failed', 6);
$old->wait_for('running', 2);
$old->wait_for('signoff', 4);
eventually('it says something', sub { $old->log_of(2) =~ /begun/ });
my $pid = $old->run_is(2, 'pid');
my $runner = $old->runner_pid;

sub history { return $_[0]->sql("SET TimeZone = 'UTC'; SELECT at, sentence FROM josch.history(2, '$DATE')"); }

$old->stop('fast');
$old->append_conf('postgresql.conf', "josch.scheduler = off\nshared_preload_libraries = ''");
$old->start;
my $before = $old->contents;
my $history = history($old);
like($before, qr/^audit_packs\|[1-9]/m, 'some of the record is in packs');
$old->stop('fast');
$old->append_conf('postgresql.conf', "josch.scheduler = on\nshared_preload_libraries = 'josch'");
ok(lives($pid), 'the command lives on without a server');

# --- pg_upgrade, with josch preloaded on either side
my $new = JoschNode->create('new', extension => 0, spool => $spool,
	initdb => [ `initdb --help` =~ /--no-data-checksums/ ? '--no-data-checksums' : () ]);
@$new{qw(job work)} = @$old{qw(job work)};
$new->stop('fast');
{
	chdir $ENV{TESTDATADIR} or die $!;
	local $ENV{PGHOST} = $new->host;
	command_ok([ 'pg_upgrade', '-d', $old->data_dir, '-D', $new->data_dir, '-b', "$ENV{JOSCH_FORMER}/bin",
		'-B', (map { chomp; $_ } `dirname \$(command -v pg_upgrade)`)[0], '-s', $new->host, '-p', $old->port, '-P', $new->port ], 'pg_upgrade');
}

# --- all is there
$new->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$new->start;
cmp_ok($new->sql('SHOW server_version_num'), '>', 160000, 'the new server');
my %before = map { split /\|/, $_, 2 } split /\n/, $before;
my %after = map { split /\|/, $_, 2 } split /\n/, $new->contents;
is_deeply(\%after, \%before, 'every table is as it was, the record and its packs too');
is(history($new), $history, 'so is the history of a node');
$new->sql('ALTER EXTENSION josch UPDATE');
$new->stop('fast');

# --- it is a copy until somebody says otherwise
$new->append_conf('postgresql.conf', "shared_preload_libraries = 'josch'");
$new->start;
$new->wait_for('unknown', 2);
is($new->sql('SELECT armed FROM josch.armed()'), 'f', 'it is disarmed');
is($new->sql("SELECT status FROM josch.runs WHERE node_id = 2"), 'unknown', 'what ran is unknown');
ok(lives($pid), 'and lives on');
is($new->sql("SELECT string_agg(node_id || ' ' || state, ', ' ORDER BY node_id) FROM josch.nodes WHERE node_id <> 2"),
	'1 succeeded, 3 pending, 4 signoff, 5 succeeded, 6 failed, 7 pending', 'all else is as it was');
$new->sql("SELECT josch.arm('the old server is gone')");
is($new->runner_pid, $runner, 'the same runner');

# --- the day goes on
is($new->sql("SELECT josch.log(run_id) FROM josch.runs WHERE node_id = 1"), "done before\n", 'what was printed before can be read');
append_to_file("$new->{work}/end", '');
eventually('it ends', sub { !lives($pid) });
$new->act('mark_success', 2, 'I have seen its end');
$new->wait_for('succeeded', 3);
$new->act('signoff', 4, 'fine');
$new->act('retry', 6, 'once more');
$new->wait_until('it is tried again', "SELECT count(*) = 2 FROM josch.runs WHERE node_id = 6 AND status = 'failed'");
$new->act('skip', 6, 'never mind');
$new->wait_for('succeeded', 7);
$new->wait_for_rest('the day ends');
is($new->sql("SELECT string_agg(sentence, '|') FROM (SELECT sentence FROM josch.history(2, '$DATE') LIMIT 3) h"),
	join('|', map { (split /\|/, $_, 2)[1] } (split /\n/, $history)[0 .. 2]), 'its history goes on where it was');
$new->sql('INSERT INTO josch.environs SELECT $$W$$ || i, $$w$$ FROM generate_series(1, 80) i');
is($new->sql("SELECT count(*) FROM josch.environs_audit WHERE var ~ '^[VW][0-9]'"), '160', 'new packs beside the old ones');
done_testing();
