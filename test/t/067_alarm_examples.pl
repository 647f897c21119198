# test/t/067_alarm_examples.pl
#
# The hooks of doc/alarms.md that send mail and post JSON do so as they are printed there: to a sendmail and to a receiver that write down
# what reaches them. The receiver refuses at first, and hears it again.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use POSIX ();
use JoschNode qw($DATE eventually);

my $node = JoschNode->create('alarm_examples');
my $work = $node->{work};

# The example of the page that has a word.
sub example
{
	my ($word) = @_;
	my @found = grep { /\Q$word\E/ } JoschRunner::slurp('doc/alarms.md') =~ /^```sql\n(.*?)^```/msg;
	is(@found, 1, "the page has one example with $word") or die;
	return $found[0];
}

sub program
{
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file or die $!;
	chmod 0755, $path;
	return $path;
}

# An HTTP server on a port that is free: answers 503 once, then 204; a line for each request, its header and its body.
sub start_receiver
{
	my $script = program("$work/receiver.py", <<'PYTHON');
import http.server, json, os, sys
class Receiver(http.server.BaseHTTPRequestHandler):
    refused = False
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = 204 if Receiver.refused else 503
        Receiver.refused = True
        with open(sys.argv[1] + "/posted", "a") as file:
            file.write(json.dumps({"answer": answer, "type": self.headers["Content-Type"], "key": self.headers["Idempotency-Key"], "body": json.loads(body)}) + "\n")
        self.send_response(answer)
        self.end_headers()
    def log_message(self, *arguments):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
with open(sys.argv[1] + "/port.new", "w") as file:
    file.write(str(server.server_port))
os.rename(sys.argv[1] + "/port.new", sys.argv[1] + "/port")
server.serve_forever()
PYTHON
	my $pid = fork // die $!;
	if (!$pid)
	{
		exec 'python3', $script, $work or POSIX::_exit(127);
	}
	eventually('the receiver listens', sub { -e "$work/port" });
	return $pid;
}

mkdir "$work/bin" or die $!;
program("$work/bin/sendmail", "#!/bin/sh\n[ \"\$*\" = -t ] || exit 64\ncat >$work/mail.new && mv $work/mail.new $work/mail\n");
my $receiver = start_receiver();
my $port = JoschRunner::slurp("$work/port");

$node->sql("INSERT INTO josch.environs VALUES ('PATH', '$work/bin:/usr/local/bin:/usr/bin:/bin'), ('ALARM_URL', 'http://127.0.0.1:$port/alarms')");
$node->sql(example('sendmail'));
$node->sql(example('urllib'));
$node->sql("UPDATE josch.alarm_hooks SET retry_delay = '1 second'");
$node->add([ 1, 'N', 'exit 3' ]);
$node->schedule;
$node->wait_for('failed', 1);
my $id = $node->wait_until('an alarm', "SELECT count(*) = 1 FROM josch.alarms WHERE kind = 'failed'") && $node->sql('SELECT alarm_id FROM josch.alarms');
$node->wait_until('both are delivered', "SELECT count(*) = 2 FROM josch.alarm_deliveries WHERE state = 'delivered'");

my $message = $node->sql('SELECT message FROM josch.alarms');
like(JoschRunner::slurp("$work/mail"), qr/\ATo: desk\@example\.com\nSubject: JOSCH: failed node 1\nMessage-ID: <josch-alarm-\Q$id\E\@[^\n>]+>\n\n\Q$message\E\n\z/,
	'the mail: to whom, about what, and an id by which it is known when it comes twice');

my @posted = map { JSON::PP::decode_json($_) } split /\n/, JoschRunner::slurp("$work/posted");
is_deeply([ map { $_->{answer} } @posted ], [ 503, 204 ], 'what was refused is posted again');
is_deeply([ map { $_->{key} } @posted ], [ $id, $id ], 'with the same key');
is($posted[1]{type}, 'application/json', 'as JSON');
my $body = $posted[1]{body};
is_deeply([ @{$body}{qw(id kind message job date node)} ], [ $id, 'failed', $message, 'test', $DATE, '1' ], 'all of the alarm');

END { kill 'TERM', $receiver if $receiver; }

done_testing();
