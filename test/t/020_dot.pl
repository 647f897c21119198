# The pictures of josch.dot() as a person sees them: rendered by Graphviz, and looked up in the SVG.
use strict;
use warnings;
use utf8;
use Encode qw(decode encode);
use IPC::Run qw(run);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dot');
$node->init(extra => ['--encoding=UTF8', '--no-locale']);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION josch');

# Renders what the query gives; returns the SVG. Graphviz must neither fail nor complain.
sub render
{
	my ($what, $query) = @_;
	my $dot = $node->safe_psql('postgres', $query) . "\n";
	my ($svg, $complaints) = ('', '');
	my $ok = run([ 'dot', '-Tsvg' ], '<', \$dot, '>', \$svg, '2>', \$complaints);
	ok($ok, "$what: dot renders it");
	# what a machine without these fonts says is not about the text
	$complaints = join "\n", grep { $_ !~ /font/i } split /\n/, $complaints;
	is($complaints, '', "$what: dot has nothing to complain about");
	my $errors = '';
	ok(run([ 'python3', '-c', 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.stdin.buffer)' ],
			'<', \$svg, '2>', \$errors),
		"$what: the SVG is well-formed") or diag($errors);
	return decode('UTF-8', $svg);
}

# The nodes of an SVG by title: the lines of text, and the elements that draw the shape.
sub nodes_of
{
	my ($svg) = @_;
	my %nodes;
	while ($svg =~ m{<g id="[^"]*" class="node">\s*<title>(.*?)</title>(.*?)</g>}gs)
	{
		my ($title, $body) = ($1, $2);
		my @lines = map { plain($_) } $body =~ m{<text[^>]*>(.*?)</text>}gs;
		my ($shape) = $body =~ m{^(.*?)<text}s;
		$nodes{ plain($title) } = { lines => \@lines, shape => $shape };
	}
	return \%nodes;
}

sub edges_of
{
	my ($svg) = @_;
	my %edges;
	while ($svg =~ m{<g id="[^"]*" class="edge">\s*<title>(.*?)</title>(.*?)</g>}gs)
	{
		my ($title, $body) = ($1, $2);
		$edges{ plain($title) } = [ map { plain($_) } $body =~ m{<text[^>]*>(.*?)</text>}gs ];
	}
	return \%edges;
}

# XML text to characters
sub plain
{
	my ($text) = @_;
	$text =~ s/&#(\d+);/chr($1)/ge;
	$text =~ s/&lt;/</g;
	$text =~ s/&gt;/>/g;
	$text =~ s/&quot;/"/g;
	$text =~ s/&amp;/&/g;
	$text =~ s/\x{a0}/ /g;
	return $text;
}

# the sample's templates, as they lie in tables/
$node->safe_psql('postgres', q{
\copy josch.tpl_jobs (job_name, job_desc) FROM 'tables/tpl_jobs.csv' (FORMAT csv, HEADER)
\copy josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, signoff_time) FROM 'tables/tpl_nodes.csv' (FORMAT csv, HEADER)
\copy josch.tpl_node_deps (p_node_id, p_date, c_node_id, c_date) FROM 'tables/tpl_node_deps.csv' (FORMAT csv, HEADER)
});

my $svg = render('the sample', 'SELECT josch.dot()');
my $nodes = nodes_of($svg);
is(join(' ', sort keys %$nodes), '100000 100100 100110 100120 100130 900000', 'all nodes are there');
is_deeply($nodes->{100120}{lines}, [ 'SodServer', '100120 [N]', 'SodServer_ProdFeature' ],
	'a node shows its job, its id and type, and its name');
like($nodes->{100130}{shape}, qr/stroke="#d00000"/, 'a review node is red');
unlike($nodes->{$_}{shape}, qr/stroke="#d00000"/, "$_ is not") for 100000, 100100, 100120;
my $edges = edges_of($svg);
is_deeply([ sort keys %$edges ],
	[ '100000->100100', '100000->100110', '100110->100120', '100120->100130', '900000->100000', '900000->100100' ],
	'all dependencies are there');
is_deeply($edges->{'900000->100000'}, ['-1 day'], 'one across days bears the lag');
is_deeply($edges->{'100000->100100'}, [], 'one within a day bears nothing');

$node->safe_psql('postgres', q{UPDATE josch.tpl_node_deps SET condition = 'failure' WHERE p_node_id = 900000 AND c_node_id = 100000;
	UPDATE josch.tpl_node_deps SET condition = 'done' WHERE p_node_id = 100000 AND c_node_id = 100100;
	UPDATE josch.tpl_nodes SET join_rule = 'any' WHERE node_id = 100120});
$svg = render('conditions', 'SELECT josch.dot()');
$edges = edges_of($svg);
is_deeply($edges->{'900000->100000'}, ['-1 day, failure'], 'a condition is written beside the lag');
is_deeply($edges->{'100000->100100'}, ['done'], 'or alone');
is(nodes_of($svg)->{100120}{lines}[1], '100120 [N] any', 'a node that joins by any says so');
$node->safe_psql('postgres', "UPDATE josch.tpl_node_deps SET condition = 'success'; UPDATE josch.tpl_nodes SET join_rule = 'all'");

$svg = render('a job', "SELECT josch.dot('SodServer')");
$nodes = nodes_of($svg);
is(join(' ', sort keys %$nodes), '100000 100100 100110 100120 100130 900000', 'a job with its neighbours');
for my $id (100000, 900000)
{
	like($nodes->{$id}{shape}, qr/<ellipse[^>]*stroke-dasharray/, "$id, of another job, is a dashed circle");
}
unlike($nodes->{$_}{shape}, qr/stroke-dasharray/, "$_, of the job, is not dashed") for 100100, 100110, 100120, 100130;
like($nodes->{100100}{shape}, qr/<path/, 'a long-running node has a shape of its own');
like($nodes->{100130}{shape}, qr/<polygon/, 'and so has a review node');

# a day with states, as a restored dump brings them
$node->safe_psql('postgres', q{
SET check_function_bodies = off;
SET row_security = off;
INSERT INTO josch.jobs (job_name, job_date, time_zone) SELECT job_name, '2026-11-20', 'UTC' FROM josch.tpl_jobs;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command, state)
SELECT '2026-11-20', node_id, node_type, job_name, node_name, exec_command,
       CASE node_id WHEN 100000 THEN 'succeeded' WHEN 100100 THEN 'up' WHEN 100110 THEN 'failed' WHEN 100130 THEN 'review' ELSE 'pending' END
  FROM josch.tpl_nodes;
INSERT INTO josch.node_deps SELECT p_node_id, date '2026-11-20' + p_date, c_node_id, date '2026-11-20' + c_date, c_node_id = 100000
  FROM josch.tpl_node_deps;
});
$svg = render('a day', "SELECT josch.dot('SodServer', '2026-11-20')");
$nodes = nodes_of($svg);
my %state = (100000 => 'succeeded', 100100 => 'up', 100110 => 'failed', 100120 => 'pending', 100130 => 'review');
for my $id (sort keys %state)
{
	my $color = $node->safe_psql('postgres', "SELECT josch.state_color('$state{$id}')");
	my $drawn = $nodes->{"$id\@2026-11-20"};
	# Graphviz writes white by name
	$color = '(?:white|#ffffff)' if $color eq '#ffffff';
	like($drawn->{shape}, qr/fill="$color"/, "$id has the colour of its state");
	is($drawn->{lines}[-1], $state{$id}, "$id says its state in words too");
}
like($nodes->{'100130@2026-11-20'}{shape}, qr/stroke="#d00000"/, 'a review node is red in a day too');
is_deeply($nodes->{'900000@2026-11-19'}{lines}, [ '900000', '2026-11-19', 'absent' ], 'a parent that was never made is drawn');
like($nodes->{'900000@2026-11-19'}{shape}, qr/<ellipse[^>]*stroke="(?:#808080|gray)"[^>]*stroke-dasharray/,
	'as a dashed grey circle');
is_deeply(edges_of($svg)->{'900000@2026-11-19->100100@2026-11-20'}, ['2026-11-19'], 'a dependency across days bears the date');

# anybody's names come out as they are
my %names = (
	700001 => 'say "hello"',
	700002 => 'back\\slash \\N \\l \\"',
	700003 => '{braces|bars} <b>tags</b>',
	700004 => 'R&D &amp; &lt;3 &#65;',
	700005 => 'Tagesabschluß 日本語 ñ',
	700006 => "'single' \$dollar \@at #hash // /* no comment */",
	700007 => '"]; evil [label="',
);
my $values = join ', ', map { my $n = $names{$_}; $n =~ s/'/''/g; "($_, 'N', 'Sod', '$n')" } sort keys %names;
$node->safe_psql('postgres', encode('UTF-8', "INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES $values"));
$svg = render('odd names', "SELECT josch.dot('Sod')");
$nodes = nodes_of($svg);
is($nodes->{$_}{lines}[2], $names{$_}, "the name of $_ comes out as it is") for sort keys %names;

$node->stop;
done_testing();
