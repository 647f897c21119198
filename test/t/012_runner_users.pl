# test/t/012_runner_users.pl
#
# needs: root
#
# Who may come in to a runner: its own user, those that it was told of, and
# nobody else, whatever the permissions of its socket say.
use strict;
use warnings;
use JoschUsers;
use JoschRunner;
use Test::More;

umask 027;
my $spool = JoschRunner::new_spool();

# Whether a user is let in and can run a command.
sub served
{
	my ($user, $spool) = @_;
	return as_user($user => sub {
		my $c = JoschRunner->try_connect_raw($spool) // return 'no connection';
		$c->send('HELLO', JoschRunner::hello(identity => "server-of-$user"));
		return $c->next_event(5)->{type} eq 'WELCOME' ? 'welcome' : 'turned away';
	});
}

is(JoschRunner::start_daemon($spool), 0, 'a runner for its own user');
is(served($FIRST, $spool), 'welcome', 'its own user is let in');
is(served($SECOND, $spool), 'no connection', 'another user does not reach the socket');
chmod 0711, $spool, $spool =~ s{/spool$}{}r;
chmod 0666, "$spool/runner.sock";
is(served($SECOND, $spool), 'turned away', 'where the permissions let another user through, the runner does not');
is(served('root', $spool), 'turned away', 'nor root');
is(served($FIRST, $spool), 'welcome', 'its own user still comes in');
JoschRunner::end_runner($spool);

my $shared = JoschRunner::new_spool();
is(JoschRunner::start_daemon($shared, '--server-user', $SECOND, '--server-user', scalar getpwnam $FIRST, '--umask', '013'), 0, 'a runner for the server of another user');
is((stat "$shared/runner.sock")[2] & 07777, 0666, 'its socket lets all users knock');
chmod 0711, $shared, $shared =~ s{/spool$}{}r;
is(served($SECOND, $shared), 'welcome', 'the user of the server is let in');
is(served('root', $shared), 'turned away', 'another one is not');
as_user($SECOND => sub {
	my $end = JoschRunner->connect($shared)->run(run_id => 1, argv => [ '/bin/sh', '-c', 'id -u; id -G' ]);
	is($end->{tail}, join("\n", (getpwnam $FIRST)[ 2, 3 ]) . "\n", "commands run as the runner's user, in its group alone");
});

# the options of its command line go along when it replaces itself
my $before = as_user($SECOND => sub { JoschRunner->connect($shared) });
kill HUP => $before->pid;
JoschRunner::eventually('it has replaced itself', sub { ($before->next_event // {})->{type} eq 'LOST' });
is(served($SECOND, $shared), 'welcome', 'after the runner has replaced itself the user of the server is let in');
is(served('root', $shared), 'turned away', 'and another one is not');
as_user($SECOND => sub {
	is(JoschRunner->connect($shared)->run(run_id => 2, argv => [ '/bin/sh', '-c', 'umask' ])->{tail}, "0013\n", 'commands have the same umask');
});
JoschRunner::end_runner($shared);

done_testing();
