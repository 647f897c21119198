# test/perl/JoschUsers.pm
#
# For tests that need root or a second user.  Such a file has the line
# "# needs: root" in its head, so that scripts/check runs it as root, and
# uses this module first.
#
# From then on the test works as the unprivileged user that every other test works as: servers
# and files are that user's. root is kept as the saved user id alone, so that a program that
# is started is wholly the user's that the test is at that moment.
package JoschUsers;

use strict;
use warnings;
use Carp;
use Exporter 'import';

our @EXPORT = qw(as_user $FIRST $SECOND);
our $FIRST = getpwuid((stat($ENV{TESTDIR} // '.'))[4]);	# whom the test is: as whom all other tests run
our $SECOND = 'daemon';			# who is somebody else, and in no group of the first's

# as_user(name, code): what the code gives, when it runs as that user; of this process, so that it may keep what it opened.
sub as_user
{
	my ($name, $code) = @_;
	my $before = getpwuid $>;
	my (@result, $ok, $error);

	become($name);
	$ok = eval { @result = wantarray ? $code->() : scalar $code->(); 1 };
	$error = $@;
	become($before);
	die $error unless $ok;
	return wantarray ? @result : $result[0];
}

# Be that user, really and effectively; the saved user id stays root's.
sub become
{
	my ($name) = @_;
	my ($uid, $gid) = (getpwnam $name)[ 2, 3 ];

	defined $uid or croak "there is no user \"$name\"";
	$> = 0;
	$< = 0;
	$( = $gid;
	$) = "$gid $gid";
	$< = $uid;
	$> = $uid;
	$< == $uid && $> == $uid && $) eq "$gid $gid" or croak "could not become \"$name\": $!";
	return;
}

$> == 0 or die "this test needs root: scripts/check runs it so\n";
become($FIRST);

1;
