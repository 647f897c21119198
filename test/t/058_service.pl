# test/t/058_service.pl
#
# needs: root
#
# The runner as a service, set up to the letter of scripts/josch-runner.service
# on a server that has run commands before: then commands run as the service's
# user, a real second one, and the server's cannot touch what is theirs.
use strict;
use warnings;
use JoschUsers;
use File::Temp;
use POSIX ();
use Test::More;
use JoschRunner;
use JoschNode qw($DATE eventually lives literal);

my $unit = JoschRunner::slurp('scripts/josch-runner.service') // die 'no unit';
my $node = JoschNode->create('service', conf => 'josch.max_log_size = 1MB');
my $top = as_user($SECOND => sub { my $dir = File::Temp::tempdir('josch-service-XXXXXX', TMPDIR => 1); chmod 0755, $dir; return $dir; });
my $service;

# What the unit says, with this test's paths and users in the place of the unit's.
sub unit_says
{
	my ($name) = @_;
	my ($value) = $unit =~ /^\Q$name\E=(.*)$/m or die "the unit has no $name";
	return here($value);
}

sub here
{
	my ($text) = @_;
	my $lib = JoschRunner::binary() =~ s{/josch/josch-runner$}{}r;
	$text =~ s{/usr/lib/postgresql/\d+/lib}{$lib};
	$text =~ s{/var/lib/josch}{$top/josch};
	$text =~ s{\bpostgres$}{$FIRST};
	return $text;
}

# What systemd does: the folder, the user, the umask, a session of its own.
sub start_service
{
	my @command = split ' ', unit_says('ExecStart');
	as_user($SECOND => sub { mkdir "$top/josch"; chmod oct unit_says('StateDirectoryMode'), "$top/josch"; });
	my $pid = as_user($SECOND => sub {
		my $child = fork // die $!;
		return $child if $child;
		POSIX::setsid();
		umask oct unit_says('UMask');
		open STDIN, '<', '/dev/null';
		open STDERR, '>', "$top/stderr";
		exec @command or POSIX::_exit(127);
	});
	eventually('the service listens', sub { -S "$top/josch/runner.sock" });
	return $pid;
}

is(unit_says('User'), 'josch', 'the unit names a user, in whose place the second one stands here');
$node->add([ 1, 'N', 'id -un; umask' ]);
$node->schedule;
$node->wait_for('succeeded', 1);
is($node->log_of(1), "$FIRST\n0022\n", "before, commands run as the server's user");

$service = start_service();
my @settings = map { here($_) } $unit =~ /^#\s+((?:ALTER|SELECT).*?);\s*$/mg;
cmp_ok(scalar @settings, '>=', 3, 'the unit tells what to say to the server');
$node->sql($_) foreach @settings;
$node->wait_until('the server has taken it', "SELECT current_setting('josch.spool_directory') = '$top/josch'");
$node->wait_until('the service is its runner', "SELECT pid = $service FROM josch.health() WHERE component = 'runner'");

$node->job('after');
$node->add([ 2, 'N', 'id -un; umask; id -Gn' ],
	[ 3, 'N', 'cat ' . $node->data_dir . '/PG_VERSION && exit 0; exit 9' ],
	[ 4, 'L', 'sleep 1000', ready_after => '0' ],
	[ 5, 'N', "touch $top/josch/made; mkdir $top/josch/folder" ],
	[ 6, 'N', q{perl -e 'printf "%07d\n", $_ for 0 .. 499_999'} ]);
$node->schedule;
$node->wait_for('succeeded', 2, 5);
$node->wait_for('failed', 3);
$node->wait_for('up', 4);
my ($group) = getgrgid((getpwnam $SECOND)[3]);
is($node->sql('SELECT josch.log(run_id) FROM josch.runs WHERE node_id = 2'), "$SECOND\n0022\n$group\n",
	"then they run as the service's user, in its group alone, with its umask; and their log can be read through it");
is($node->run_is(3, 'exit_code'), 9, 'the data directory is closed to them');
is((stat "$top/josch/made")[2] & 0777, 0644, 'what they make can be read by others');
my ($log) = $node->run_is(2, 'log');
ok(!open(my $file, '<', "$top/josch/$log"), "but the server's user cannot open their logs");
ok(!-e $node->data_dir . '/josch/' . $log, 'nor is there one in the data directory');

# a log that lost its middle is read through the runner as by the server itself
$node->wait_for('succeeded', 6);
my $whole = '';
for (my ($offset, $next) = (-1, 0); $next != $offset;)
{
	$offset = $next;
	my $page = $node->sql("SELECT next_offset, encode(convert_to(text, 'UTF8'), 'hex') FROM josch.runs, josch.log_page(run_id, $offset, 300000) WHERE node_id = 6");
	($next, my $text) = split /\|/, $page;
	$whole .= pack 'H*', $text;
}
like($whole, qr/^0000000\n0000001\n.*\n\[josch\.max_log_size: [^\n]*\]\n.*\n0499998\n0499999\n\z/s, 'both its halves, and the line between them');
is(scalar(grep { !/^\d{0,7}$/ } split /\n/, $whole), 1, 'and nothing else');
cmp_ok(length $whole, '<', 1024 * 1024 + 8192, 'and no more');

# the service goes and comes, as with a new version; commands live on
as_user($SECOND => sub { kill 'TERM', $service });
waitpid $service, 0;
$node->wait_until('no runner is started in its place', "SELECT NOT up FROM josch.health() WHERE component = 'runner'");
$service = start_service();
$node->wait_until('the service is back', "SELECT up AND pid = $service FROM josch.health() WHERE component = 'runner'");
is($node->node_is(4, 'state'), 'up', 'what it left behind is up');
$node->act('stop', 4);
$node->wait_for('succeeded', 4);

as_user($SECOND => sub { kill 'TERM', $service });
waitpid $service, 0;
as_user(root => sub { system 'rm', '-rf', $top });
done_testing();
