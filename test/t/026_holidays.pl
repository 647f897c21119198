# scripts/holidays prints a holidays.csv that loads. The package that it asks need not be here: one of the same name stands in for it.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $package = PostgreSQL::Test::Utils::tempdir;
append_to_file("$package/holidays.py", <<'PYTHON');
import datetime

def list_supported_financial():
    return {'XNYS': ['NYSE']}

def list_supported_countries():
    return {'CH': ['ZH', 'GE']}

def financial_holidays(market, years):
    return {datetime.date(year, 12, 25): 'Christmas' for year in [*years, 1999]}

def country_holidays(country, subdiv=None, years=None):
    return {datetime.date(year, 1, 2): f'Berchtold,\n"{subdiv}" \u00fc' for year in years}
PYTHON

# exit code, stdout, stderr
sub holidays
{
	my @arguments = @_;
	my ($out, $err);
	local $ENV{PYTHONPATH} = $package;
	my $good = IPC::Run::run [ '/usr/bin/python3', '-B', 'scripts/holidays', @arguments ], '>', \$out, '2>', \$err;
	utf8::decode($out);
	return ($good ? 0 : 1, $out, $err);
}

my ($code, $file, $told) = holidays('NYSE', 2026, 2027);
is($code, 0, 'a market');
is($file, "calendar_name,holiday,holiday_name\nNYSE,2026-12-25,Christmas\nNYSE,2027-12-25,Christmas\n", 'its days, of these years only');
like($told, qr/known_until 2027-12-31/, 'how far it is known is told');
($code, my $part) = holidays('ch-ZH', 2026, 2026, '--calendar', 'Z, the town');
is($part, qq{calendar_name,holiday,holiday_name\n"Z, the town",2026-01-02,"Berchtold, ""ZH"" \x{fc}"\n}, 'a part of a country, under another name, in one line');
like((holidays('XX', 2026, 2026))[2], qr/knows no market or country "XX"/, 'an unknown name');
like((holidays('CH-XX', 2026, 2026))[2], qr/knows no market or country "CH-XX"/, 'an unknown part');
like((holidays('NYSE', 2027, 2026))[2], qr/the first before the last/, 'years the wrong way round');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $folder = PostgreSQL::Test::Utils::tempdir;
append_to_file("$folder/calendars.csv", qq{calendar_name,known_until\nNYSE,2027-12-31\n"Z, the town",\n});
append_to_file("$folder/holidays.csv", $file . qq{"Z, the town",2026-01-02,"Berchtold, ""ZH"""\n});
$node->safe_psql('postgres', 'CREATE EXTENSION josch');
is($node->safe_psql('postgres', "SELECT table_name, inserted FROM josch.load_csv('$folder') WHERE inserted > 0"), "calendars|2\nholidays|3", 'it loads');
is($node->safe_psql('postgres', "SELECT josch.business_day('NYSE', '2026-12-24', 1), josch.business_day('Z, the town', '2026-01-01', 1), josch.known_until('NYSE')"),
	'2026-12-28|2026-01-05|2027-12-31', 'and its days are closed');
$node->stop;
done_testing();
