# scripts/demo again, when the PostgreSQL in use is another one than the last time, or the same one in another folder: the copy
# of it is made anew, and what was built for the former one is not taken for the new one.

use strict;
use warnings;

use Cwd qw(getcwd);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use PostgreSQL::Test::Utils qw(slurp_file append_to_file);
use Test::More;

my $top = tempdir(CLEANUP => 1);
my $home = "$top/home";
my $lib = getcwd() . '/scripts/lib.sh';
make_path("$home/src/src/base", "$home/src/client");

# an installation of PostgreSQL, as far as the copy looks at it
sub installation
{
	my ($name, $version) = @_;
	make_path(map { "$top/$name/$_" } qw(bin lib share/extension));
	unlink "$top/$name/bin/postgres";
	append_to_file("$top/$name/bin/postgres", "#!/bin/sh\necho '$version'\n");
	chmod 0755, "$top/$name/bin/postgres";
	append_to_file("$top/$name/lib/$name.so", 'x');
	append_to_file("$top/$name/lib/josch.so", 'the system has one');
	return;
}

sub build
{
	append_to_file("$home/src/src/base/clock.o", 'built');
	append_to_file("$home/src/josch-runner", 'built');
	append_to_file("$home/src/client/josch", 'a program of the tree');
	return;
}

sub stage
{
	my ($name) = @_;
	my $at = "$top/$name";
	is(system('bash', '-c', 'set -u; . "$1"; HOME_DIR=$2 STAGE=$2/stage PG_VERSION=15 PG_BIN=$3/bin PG_LIB=$3/lib PG_SHARE=$3/share; stage_postgresql', '-', $lib, $home, $at),
		0, "$name is copied");
	return -x "$home/stage$at/bin/postgres" && -l "$home/stage$at/lib/$name.so" && !-e "$home/stage$at/lib/josch.so";
}

installation('one', 'postgres (PostgreSQL) 15.1');
installation('moved', 'postgres (PostgreSQL) 15.1');
ok(stage('one'), 'the first copy is whole, without the JOSCH of the system');
build();
append_to_file("$home/stage$top/one/lib/josch.so", 'ours');
system('bash', '-c', '. "$1"; HOME_DIR=$2 STAGE=$2/stage PG_VERSION=15 PG_BIN=$3/bin PG_LIB=$3/lib PG_SHARE=$3/share; stage_postgresql', '-', $lib, $home, "$top/one");
ok(-e "$home/stage$top/one/lib/josch.so", 'the same one is not copied again');
ok(-e "$home/src/src/base/clock.o", 'and what was built for it is kept');

ok(stage('moved'), 'the same version in another folder');
ok(!-e "$home/src/src/base/clock.o" && !-e "$home/src/josch-runner", 'is built for anew');
ok(-e "$home/src/client/josch", 'from the tree as it is');
ok(!-e "$home/stage$top/one", 'and of the former one nothing is left');

build();
installation('moved', 'postgres (PostgreSQL) 15.2');
ok(stage('moved'), 'another version in the same folder');
ok(!-e "$home/src/src/base/clock.o", 'is built for anew');

done_testing();
