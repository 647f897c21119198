# test/t/046_told_together.pl
#
# What people change is told to the clients by the scheduler, where one lives: a notification in each of their own transactions
# made everybody's commit wait until the one before was on disk. None is lost: not with the scheduler, nor where it stands still
# and there is no room for more, nor where a message is too long; and of what was rolled back none is told.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually);

my $node = JoschNode->create('told', conf => "wal_level = replica\nmax_wal_senders = 2\nsynchronous_standby_names = 'nobody'\nsynchronous_commit = local");
my $listener = $node->background_psql('postgres');
my $heard = '';
$listener->query_safe('LISTEN josch');

# All that was told so far.
sub heard { return $heard .= $listener->query_safe('SELECT 1'); }

sub told
{
	my ($id) = @_;
	return ok(eventually("node $id is told", sub { heard() =~ /"node":$id,"job":"[^"]*","from":"signoff",/ }), "node $id: told");
}

# The process that has sent what was told of a node that was waiting for a person, and how often that was told.
sub sender { my ($id) = @_; return $heard =~ /"node":$id,.*?"to":"succeeded".*? process with PID (\d+)/ ? $1 : 0; }
sub count_of { my ($id) = @_; return scalar(() = heard() =~ /"node":$id,"job":"told","from":"signoff",/g); }

$node->job('told');
$node->add(map { [ $_, 'S', undef ] } 1 .. 9);
$node->schedule;
$node->wait_for('signoff', 1 .. 9);

subtest 'an act is told by the scheduler, once' => sub {
	$node->act(signoff => 1);
	told(1);
	is(sender(1), $node->scheduler_pid, 'by the scheduler');
	$node->sql("SELECT josch.claim(8, '$DATE')");
	told(8);
	$node->sql("BEGIN; SELECT josch.signoff(2, '$DATE'); ROLLBACK");
	$node->act(signoff => 3);
	told(3);
	is(count_of(1) . count_of(2) . count_of(3), '101', 'each once, and nothing of what was rolled back');
};

# Its commit waits for a standby that never comes, and it has notified.
subtest 'nobody waits for the commit of somebody who notifies' => sub {
	my $slow = $node->background_psql('postgres');
	$slow->query_safe('SET synchronous_commit = on');
	$slow->query_until(qr/asked/, "\\echo asked\nBEGIN; CREATE TABLE written (); NOTIFY other; COMMIT;\n");
	$node->wait_until('he waits for it', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
	is($node->sql("SET statement_timeout = '30 s'; SELECT josch.signoff(4, '$DATE')"), 'succeeded', 'an act is done');
	is($node->node_is(4, 'state'), 'succeeded', 'and committed');
	$node->sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
	$slow->quit;
	told(4);
};

subtest 'the next scheduler tells what was left for one that has gone' => sub {
	my $scheduler = $node->scheduler_pid;
	kill 'STOP', $scheduler;
	$node->act(signoff => 5);
	$node->sql("SELECT pg_terminate_backend($scheduler)");
	is(count_of(5), 0, 'nobody has told it');
	kill 'CONT', $scheduler;
	told(5);
	is(count_of(5), 1, 'once');
};

subtest 'where there is no room, who acts tells it' => sub {
	$node->job('many');
	$node->sql("INSERT INTO josch.tpl_nodes (node_id, job_name, node_name, node_type) SELECT n, 'many', 'node ' || n, 'S' FROM generate_series(1001, 2100) n");
	$node->schedule;
	$node->wait_until('all wait', "SELECT count(*) = 1100 FROM josch.nodes WHERE node_id > 1000 AND state = 'signoff'");
	my $scheduler = $node->scheduler_pid;
	kill 'STOP', $scheduler;
	$node->sql("DO 'BEGIN FOR i IN 1001 .. 2100 LOOP PERFORM josch.claim(i, ''$DATE''); COMMIT; END LOOP; END'");
	my $claims = qr/"node":\d{4},"job":"many","from":"signoff",/;
	my $mine = () = heard() =~ /$claims/g;
	kill 'CONT', $scheduler;
	ok(eventually('all are told', sub { (() = heard() =~ /$claims/g) >= 1100 }), 'all were told');
	is(scalar(() = $heard =~ /$claims/g), 1100, 'each once');
	cmp_ok($mine, '>', 0, 'some of them by who changed it');
	cmp_ok($mine, '<', 550, 'most by the scheduler');
	$node->act(signoff => 7);
	told(7);
	is(sender(7), $node->scheduler_pid, 'and there is room again');
};

# Both are told at once: the end of a node, and what a child of it becomes.
subtest 'what was done is told before what follows from it' => sub {
	$node->job('follows');
	$node->add([ 30, 'S', undef ], [ 31, 'S', undef ]);
	$node->depend(30 => 31);
	$node->schedule;
	$node->wait_for('signoff', 30);
	my $scheduler = $node->scheduler_pid;
	kill 'STOP', $scheduler;
	$node->act(signoff => 30);
	kill 'CONT', $scheduler;
	$node->wait_for('signoff', 31);
	ok(eventually('the child is told', sub { heard() =~ /"node":31,"job":"follows","from":"ready","to":"signoff"/ }), 'both are told');
	my ($between) = $heard =~ /"node":30,"job":"follows","from":"signoff","to":"succeeded"(.*)"node":31,"job":"follows","from":"ready"/s;
	ok(defined $between, 'in that order');
};

subtest 'a message that is too long' => sub {
	$node->job('long' x 50);
	$node->add([ 20, 'S', undef ]);
	$node->schedule;
	$node->wait_for('signoff', 20);
	$node->act(signoff => 20);
	told(20);
};

$listener->quit;
done_testing();
