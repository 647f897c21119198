# skeleton/ makes an operations repository that works as it is: it validates, shows the difference, deploys with the commit on record, and runs its day in a database
# of its own; and whatever breaks it is said with file and line.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Spec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));
my $work = PostgreSQL::Test::Utils::tempdir;
my $home = PostgreSQL::Test::Utils::tempdir;
my $project = "$work/desk-ops";
my $node = PostgreSQL::Test::Cluster->new('skeleton');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION josch');
delete $ENV{PGAPPNAME};
@ENV{qw(HOME PGHOST PGPORT PGDATABASE)} = ($home, $node->host, $node->port, 'postgres');
# what would be fetched is not there
@ENV{qw(http_proxy https_proxy GIT_CONFIG_NOSYSTEM PIP_NO_INDEX)} = ('http://127.0.0.1:9', 'http://127.0.0.1:9', 1, 1);

# exit code, stdout, stderr
sub run_in
{
	my ($folder, @command) = @_;
	my ($out, $err);
	my $good = IPC::Run::run \@command, '>', \$out, '2>', \$err, init => sub { chdir $folder or die $!; };
	return ($good ? 0 : $? >> 8 || 1, $out, $err);
}

sub edit
{
	my ($file, $from, $to) = @_;
	my $text = slurp_file("$project/$file");
	($text =~ s/\Q$from\E/$to/) == 1 or die "\"$from\" is not in $file";
	open my $handle, '>', "$project/$file" or die $!;
	print $handle $text;
	close $handle;
	return;
}

sub git
{
	my ($code, $out, $err) = run_in($project, 'git', '-c', 'user.name=t', '-c', 'user.email=t@example.com', @_);
	die $err if $code;
	chomp $out;
	return $out;
}

# ---- it is made ----

my ($code, $out, $err) = run_in($work, '/usr/bin/cookiecutter', '--no-input', '-o', $work, "$top/skeleton", 'project_name=Desk Ops', 'install_dir=/opt/desk ops');
is($code, 0, 'a project is made') or diag($err);
is(slurp_file("$project/environments/prod/environs.csv"), "var,value\nOPS,/opt/desk ops\nPYTHON,/opt/desk ops/.venv/bin/python\n", 'with what was asked');
my ($questions) = run_in($project, 'sh', '-c', 'grep -rq "{{" .');
isnt($questions, 0, 'no question is left in a file');
git('init', '-q');
git('add', '.');
git('commit', '-q', '-m', 'First');
my $first = git('rev-parse', 'HEAD');

($code, $out, $err) = run_in($project, 'make', 'validate');
is($code, 0, 'before it has its Python it is valid') or diag($err, $out);
like($out, qr{^templates/report/tpl_nodes\.csv:2: warning: node 100 "Collect" of job "Report": the program "\Q$project\E/\.venv/bin/python" is not found on this host$}m,
	'but the interpreter is missed, with file and line');
($code, $out, $err) = run_in($project, 'make', 'env');
is($code, 0, 'pipenv makes it') or diag($err, $out);
ok(-x "$project/.venv/bin/python", 'where PYTHON says it is');
($code, $out, $err) = run_in($project, 'make', '-s', 'validate');
is("$code $err", '0 ', 'it is valid');
is($out, qq{templates/report/tpl_nodes.csv:5: note: node 130 "Apologise" of job "Report": it is omitted when all goes well: it waits for node 100 "Collect" to fail\n},
	'and nothing is doubtful');

# ---- it is deployed ----

($code, $out, $err) = run_in($project, "$project/ops", 'diff');
is($code, 0, 'the difference is shown') or diag($err);
like($out, qr/^added: node 110 "Compute" of job "Report": node_type "N", .*exec_sql "/m, 'a node that comes');
like($out, qr/^added: node 200 "Sign the day off" waits for node 120 "Publish"/m, 'a dependency of one folder on another');
is($node->safe_psql('postgres', 'SELECT count(*) FROM josch.tpl_nodes'), 0, 'and nothing is loaded');
($code, $out, $err) = run_in($project, 'make', '-s', 'deploy');
is($code, 0, 'it is deployed') or diag($err);
like($out, qr/^\d+ rows changed, commit $first$/m, 'and says so');
is($node->safe_psql('postgres', "SELECT DISTINCT comment FROM josch.tpl_nodes_audit"), "commit $first", 'the commit is on record');
is($node->safe_psql('postgres', "SELECT value FROM josch.environs WHERE var = 'OPS'"), $project, 'a value that is . is the folder');
is($node->safe_psql('postgres', "SELECT exec_sql FROM josch.tpl_nodes WHERE node_id = 110"), slurp_file("$project/sql/compute.sql"), 'and @sql/compute.sql the text of the file');
is((run_in($project, "$project/ops", 'diff'))[1], "no difference\n", 'then there is no difference');
is($node->safe_psql('postgres', 'SELECT node_id, semaphore_name, capacity FROM josch.tpl_node_semaphores JOIN josch.semaphores USING (semaphore_name)'), '120|reports|1',
	'what nodes share is there, as much as the environment has');
edit('templates/report/tpl_nodes.csv', ',7:00,', ',7:30,');
unlink "$project/templates/report/tpl_node_deps.csv" or die $!;
($code, $out, $err) = run_in($project, "$project/ops", 'diff');
like($out, qr/^changed: node 120 "Publish" of job "Report": start_time from "07:00:00" to "07:30:00"$/m, 'what changes is said');
like($out, qr/^removed: node 110 "Compute" waits for node 100 "Collect"$/m, 'and what goes');
($code, $out, $err) = run_in($project, "$project/ops", 'deploy');
like($out, qr/^5 rows changed, commit $first-dirty$/m, 'what was not committed is said to be so');
git('checkout', '-q', '.');
run_in($project, "$project/ops", 'deploy');

# ---- it runs ----

$ENV{DATE} = '2026-12-01';
($code, $out, $err) = run_in($project, 'make', '-s', 'check');
is($code, 0, 'its day runs in a database of its own') or diag($out, $err);
like($out, qr/^omitted: node 130 "Apologise" of job "Report"/m, 'to the end: what is omitted');
like($out, qr/^succeeded: node $_ /m, "node $_") foreach (100, 110, 120, 200);

# ---- it breaks ----

my @breaks = (
	[ 'a value', 'templates/report/tpl_nodes.csv', ',7:00,', ',noon,', qr{^templates/report/tpl_nodes\.csv:4: error: tpl_nodes: invalid value "noon" for column "start_time"}m ],
	[ 'a circle', 'templates/report/tpl_node_deps.csv', "110,0,120,\n", "110,0,120,\n120,0,100,\n",
		qr{^templates/report/tpl_node_deps\.csv:4: error: tpl_node_deps: dependency of node 100 on node 120 would close a cycle}m ],
	[ 'SQL', 'sql/compute.sql', 'FROM pg', 'FORM pg', qr{^sql/compute\.sql:4: error: node 110 "Compute" of job "Report": its SQL does not parse: syntax error}m ],
	[ 'a node that is not there', 'templates/close/tpl_node_deps.csv', '120,0,200', '121,0,200',
		qr{^templates/close/tpl_node_deps\.csv:2: error: tpl_node_deps: invalid value "121" for column "p_node_id"}m ],
	[ 'a calendar that is not there', 'templates/close/tpl_jobs.csv', ',Desk,', ',Dask,', qr{^templates/close/tpl_jobs\.csv:2: error: tpl_jobs: invalid value "Dask" for column "calendar_name"}m ],
	[ 'a number that comes twice', 'templates/close/tpl_nodes.csv', '200,S', '120,S', qr{^templates/close/tpl_nodes\.csv:2 and templates/report/tpl_nodes\.csv:4: error: tpl_nodes: node_id "120" comes twice}m ],
	[ 'a field too many', 'calendars/Desk/holidays.csv', 'New Year', 'New Year,', qr{^calendars/Desk/holidays\.csv:3: 4 fields, but 3 columns}m ],
	[ 'a quotation mark', 'templates/report/tpl_nodes.csv', '""$DATE"""', '""$DATE""', qr{^templates/report/tpl_nodes\.csv:4: }m ],
	[ 'a file of SQL', 'templates/report/tpl_nodes.csv', '@sql/compute.sql', '@sql/commute.sql', qr{^templates/report/tpl_nodes\.csv:3: sql/commute\.sql: No such file}m ],
	[ 'two branches at once', 'templates/report/tpl_node_deps.csv', "100,0,130,failure\n", "100,0,130,failure\n130,0,120,\n",
		qr{^templates/report/tpl_nodes\.csv:4: error: node 120 "Publish" of job "Report": no outcome lets it run: it needs node 100 "Collect" to succeed and to fail}m ]);
my $before = $node->safe_psql('postgres', 'SELECT count(*), max(audit_id) FROM josch.tpl_nodes_audit');
foreach my $break (@breaks)
{
	my ($what, $file, $from, $to, $told) = @$break;
	edit($file, $from, $to);
	foreach my $command (qw(validate deploy))
	{
		($code, $out, $err) = run_in($project, "$project/ops", $command);
		is($code, 1, "$what: $command fails");
		like($out . $err, $told, 'with file and line');
	}
	git('checkout', '-q', '.');
}
is($node->safe_psql('postgres', 'SELECT count(*), max(audit_id) FROM josch.tpl_nodes_audit'), $before, 'and nothing of it was loaded');
is((run_in($project, "$project/ops", 'diff'))[1], "no difference\n", 'mended, there is no difference');

# a value of several lines does not shift the places behind it
edit('templates/close/tpl_jobs.csv', 'The end of the day', "\"The end\nof the\nday\"");
edit('templates/report/tpl_jobs.csv', 'Europe/Zurich', 'Europe/Zurick');
($code, $out, $err) = run_in($project, "$project/ops", 'validate');
like($out, qr{^templates/report/tpl_jobs\.csv:2: error: tpl_jobs: invalid value "Europe/Zurick"}m, 'lines behind a value of several lines');
git('checkout', '-q', '.');

# the day of the check fails where a node fails
edit('bin/collect.py', "print('collected", "raise SystemExit(3)\nprint('collected");
edit('templates/report/tpl_nodes.csv', ',,,2', ',,,');
($code, $out, $err) = run_in($project, 'make', '-s', 'check');
isnt($code, 0, 'a node that fails fails the check');
like($out, qr/^failed: node 100 "Collect" of job "Report": exit code 3$/m, 'and is named');

$node->stop;
done_testing();
