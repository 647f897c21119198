#!/usr/bin/env tclsh
# client/test/pictures.tcl FOLDER
#
# The pictures of the documents, taken of the client at work on a day that really runs: the sample of tables/, and beside it a
# job with something of everything. doc/screenshots.sh gives it a PostgreSQL with the extension and puts the pictures in doc/.
#
# Constraint: a picture shows what people see. Every window is brought about as in life, by what happens to nodes and by
# clicks; nothing is painted for the picture.

source [file join [file dirname [file normalize [info script]]] harness.tcl]
namespace import ::harness::sql ::harness::one ::harness::wait

namespace eval ::pictures {
    variable folder [file normalize [lindex $argv 0]]
    variable today
    # a job with something of everything, besides the sample: {id type name command} and the edges
    variable risk {
        {200000 N Risk_Positions {echo "1,204 positions of 8 books"; sleep 1.4}}
        {200010 N Risk_Prices {echo "prices of 8 companies"; sleep 0.8}}
        {200020 N Risk_Curves {echo "12 curves built"; sleep 1.1}}
        {200030 N Risk_Greeks {echo "greeks: 1,204 rows"; sleep 0.9}}
        {200040 N Risk_Scenarios {i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo "scenario $i of 3000"; sleep 0.4; done}}
        {200050 N Risk_VaR {echo "reading 250 days of history"; echo "book 1: 1.92 m"; echo "book 2: 0.84 m"; echo "book 3: no price for ISIN XS2024117733" >&2; exit 3}}
        {200060 R Risk_Limits {echo "book       used     limit"; echo "1        1.92 m     2.0 m   96 %  close"; echo "2        0.84 m     2.0 m   42 %"; echo "3        1.10 m     1.5 m   73 %"; echo; echo "1 book is close to its limit"}}
        {200070 N Risk_Collateral {echo "3 margin calls"; sleep 0.6}}
        {200080 S Risk_Release {}}
        {200090 N Risk_Report {echo "report.pdf written"}}
        {200100 N Risk_Archive {echo archived}}
        {200110 N Risk_Warehouse {}}
    }
    variable edges {
        {200000 200030} {200010 200020} {200010 200030} {200020 200030} {200020 200040} {200030 200040} {200030 200050}
        {200010 200060} {200000 200070} {200040 200090} {200050 200090} {200060 200090} {200070 200080} {200080 200100} {200090 200100}
        {100000 200110}
    }
}

# ---- the days ----

proc ::pictures::days {} {
    variable today
    variable risk
    variable edges
    ::harness::database pictures
    set work $::env(JOSCH_TEST_HOME)/work
    calendars
    foreach file [glob $::harness::top/tables/*] {
        file copy $file $work
    }
    sql "SELECT josch.load_csv('$work')"
    foreach variable {JOSCH_SAMPLE_RT_PORT JOSCH_SAMPLE_EOD_PORT} {
        sql "INSERT INTO josch.environs VALUES ('$variable', '[free_port]')"
    }
    ::harness::job Risk $risk $edges
    # SQL that commits as it goes: when the server dies under it, nobody knows how far it came
    sql {UPDATE josch.tpl_nodes SET exec_sql = 'COMMIT; SELECT pg_sleep(3600)', exec_sql_atomic = false WHERE node_id = 200110}
    set today [one {SELECT to_char(josch.today() - 1, 'YYYY-MM-DD')}]
    set before [one {SELECT to_char(josch.today() - 2, 'YYYY-MM-DD')}]
    run_through $before
    sql "SELECT josch.schedule('$today')"
    wait {expr {[::harness::state 900000 $::pictures::today] eq "signoff"}}
}

proc ::pictures::calendars {} {
    sql {INSERT INTO josch.calendars (calendar_name, weekdays, of_calendar, rule, move_rule, known_until) VALUES
            ('Bank', '{1,2,3,4,5}', NULL, NULL, 'drop', date_trunc('year', now()) + interval '335 days'),
            ('Payday', '{1,2,3,4,5,6,7}', 'Bank', 'FREQ=MONTHLY;BYMONTHDAY=25', 'preceding', NULL),
            ('Back office', '{1,2,3,4,5}', NULL, NULL, 'drop', NULL);
        INSERT INTO josch.calendar_parts VALUES ('Back office', 1, 'and', 'Bank'), ('Back office', 2, 'not', 'Payday');
        INSERT INTO josch.holidays (calendar_name, holiday, holiday_name, open)
            SELECT 'Bank', (extract(year FROM now()) || d)::date, n, o FROM (VALUES ('-01-01', 'New Year', false), ('-05-01', 'Labour Day', false),
                ('-12-24', 'Christmas Eve', false), ('-12-25', 'Christmas Day', false), ('-12-26', 'worked for a bridge day', true)) v (d, n, o)}
}

proc ::pictures::free_port {} {
    set socket [socket -server none -myaddr 127.0.0.1 0]
    set port [lindex [fconfigure $socket -sockname] 2]
    close $socket
    return $port
}

# A day of which nothing is left to do.
proc ::pictures::run_through {date} {
    sql "SELECT josch.schedule('$date')"
    set end [expr {[clock seconds] + 60}]
    while {[one "SELECT count(*) FROM josch.nodes WHERE job_date = '$date' AND state NOT IN ('succeeded', 'up', 'skipped')"]} {
        sql "SELECT josch.signoff(node_id, job_date, 'seen, all quiet') FROM josch.nodes WHERE job_date = '$date' AND state = 'signoff'"
        sql "SELECT josch.approve(node_id, job_date, 'the warnings were looked at') FROM josch.nodes WHERE job_date = '$date' AND state = 'review'"
        sql "SELECT josch.mark_success(node_id, job_date, 'price entered by hand') FROM josch.nodes WHERE job_date = '$date' AND state = 'failed'"
        sql "SELECT josch.stop(node_id, job_date) FROM josch.nodes WHERE job_date = '$date' AND state = 'running' AND node_id IN (200040, 200110) AND state_since < now() - interval '2 seconds'"
        ::harness::pause 100
        if {[clock seconds] > $end} {
            error "the day $date does not end: [sql "SELECT node_name, state, message FROM josch.nodes WHERE job_date = '$date'"]"
        }
    }
    sql "SELECT josch.stop(node_id, job_date, 'the day is over') FROM josch.nodes WHERE job_date = '$date' AND state = 'up'"
    wait [list expr "!\[one \"SELECT count(*) FROM josch.nodes WHERE job_date = '$date' AND state = 'up'\"\]"]
}

# A person acts elsewhere.
proc ::pictures::as {person text} {
    set refusal [::harness::refusal $person $text]
    if {$refusal ne ""} {
        error "$person was refused: $refusal"
    }
}

# ---- taking them ----

# A picture of a window, as it is on the screen.
proc ::pictures::take {client window file} {
    variable folder
    ::harness::tell $client [list raise $window]
    ::harness::away $client
    settle $client
    set id [::harness::tell $client [list wm frame $window]]
    set screen [dict get $::harness::clients $client screen]
    exec env DISPLAY=$screen import -silent -window $id -strip +dither -colors 255 -define png:compression-level=9 PNG8:$folder/$file.png
    puts "$file.png: [file size $folder/$file.png] bytes"
    if {[file size $folder/$file.png] > 150000} {
        error "$file.png is too big for the documents"
    }
}

# Until nothing is left to be drawn.
proc ::pictures::settle {client} {
    ::harness::until $client {expr {[::workq::size] == 0}}
    ::harness::pause 500
    ::harness::until $client {update idletasks; expr {[::workq::size] == 0}}
}

proc ::pictures::board {} {
    variable today
    ::harness::desk desk
    ::harness::client desk alice --no-popups --light
    ::harness::tell desk {wm geometry . 1400x860+0+0}
    ::harness::until desk "expr {\[::board::date\] eq {$today}}"
    ::harness::until desk {expr {[llength [::board::inside]] == 18}}
    ::harness::tell desk [list ::board::select [list 200050 $today]]
    ::harness::tell desk {::board::ShowView 0; ::graph::Fit}
    take desk . board
    ::harness::tell desk {::board::ShowView 1}
    take desk . table
    ::harness::tell desk [list ::board::select [list 200040 $today]]
    ::harness::tell desk {::board::ShowView 2}
    take desk . timeline
    ::harness::tell desk {::board::choose_job Risk; ::board::ShowView 3}
    ::harness::until desk {string match *Risk_VaR* [join [::driven::text_of .board.panes.views.days.days.canvas]]}
    take desk . days
    ::harness::tell desk {::board::choose_job ""}
    ::harness::tell desk {::theme::toggle; ::board::ShowView 0}
    take desk . board-dark
    ::harness::tell desk {::theme::toggle}
    ::harness::click desk [::harness::tell desk {::driven::button . Replay}]
    ::harness::until desk {expr {[winfo exists .board.past] && [winfo ismapped .board.past]}}
    ::harness::pause 500
    set slider [::harness::tell desk {::driven::widget .board.past Canvas}]
    ::harness::click desk $slider
    ::harness::until desk {string match "*This is the past*" [::driven::texts .]}
    take desk . replay
    ::harness::quit desk
}

proc ::pictures::popups {} {
    variable today
    # windows that have no room beside each other would be a list
    ::harness::desk people -screen 0 2560x1600x24 -dpi 96
    ::harness::client people alice --popups-only --light
    ::harness::window people "*Failed: Risk_VaR*no price for ISIN*"
    ::harness::window people "*Review: Risk_Limits*close to its limit*"
    take people [::harness::window people "*Sign-off: Risk_Release*"] popup-signoff
    take people [::harness::window people "*Failed: Risk_VaR*"] popup-failed
    take people [::harness::window people "*Review: Risk_Limits*"] popup-review
    # more than five at once would be a list
    as bob "SELECT josch.signoff(900000, '$today', 'closed'), josch.approve(100130, '$today', 'the warnings were looked at')"
    # the server dies under SQL that is not atomic
    ::harness::stop immediate
    ::harness::start
    ::harness::on pictures
    ::harness::becomes 200110 $today unknown
    ::harness::until people {expr {[::db::state] eq "online"}}
    take people [::harness::window people "*Unknown: Risk_Warehouse*It started at*"] popup-unknown
    ::harness::click people [::harness::tell people {::driven::button .strip Show}]
    set list [::harness::window people "*wait for you*Risk_VaR*"]
    ::harness::press people $list "Select All"
    take people $list popup-list
    ::harness::quit people
}

proc ::pictures::others {} {
    ::harness::desk author
    ::harness::client author dora --no-popups --light
    ::harness::until author {expr {![catch {::driven::button . Templates}]}}
    ::harness::click author [::harness::tell author {::driven::button . Templates}]
    set editor [::harness::window author *Templates*]
    ::harness::tell author "wm geometry $editor 1400x860+0+0"
    set table $editor.panes.upper.tabs.tpl_nodes.tree
    set row "lsearch -inline -glob \[lmap item \[$table children {}\] {list \$item \[$table item \$item -values\]}\] *Risk_VaR*"
    # the window is there before what is in it
    ::harness::until author "winfo exists $table"
    ::harness::until author "llength \[$row\]"
    ::harness::tell author "$table selection set \[list \[lindex \[$row\] 0\]\]"
    ::harness::until author "string match {*no price for ISIN*} \[::driven::texts $editor\]"
    take author $editor editor
    ::harness::tell author "wm geometry $editor 1240x860+0+0; $editor.panes.upper.tabs select $editor.panes.upper.tabs.business"
    ::harness::until author "llength \[$editor.panes.upper.tabs.business.tabs.year.year find withtag day\]"
    ::harness::tell author {set year [set [info object namespace ::editor::main]::yearly]; [info object namespace $year]::my Choose [clock format [clock seconds] -format %Y]-12-24
        ::editor::main toggle_day [clock format [clock seconds] -format %Y]-12-31}
    take author $editor calendars
    ::harness::tell author {late::call ::editor::main DoRevertAll}
    ::harness::tell author {connect::show}
    set dialog [::harness::window author *Service*Host*Port*]
    take author $dialog connect
    ::harness::quit author
}

set code [catch {
    ::harness::display
    ::pictures::days
    # in the middle of the day
    ::pictures::as bob "SELECT josch.signoff(100000, '$::pictures::today', 'all quiet over night')"
    foreach {node state} {200050 failed 200060 review 200080 signoff 200040 running 200110 running 100130 review} {
        ::harness::becomes $node $::pictures::today $state
    }
    ::pictures::as bob "SELECT josch.hold(200100, '$::pictures::today', 'not before the limits are settled')"
    ::pictures::board
    ::pictures::popups
    ::pictures::others
} message options]
::harness::finish
if {$code} {
    puts stderr [dict get $options -errorinfo]
    exit 1
}
