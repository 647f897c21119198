# client/test/harness.tcl
#
# What the tests of the client stand on: a private server with the extension and a few people, a private X display, and
# clients that run in processes of their own (clients.tcl). Whoever starts a thing ends it; all.tcl starts one server and
# one display for all files and names them in the environment, and a file that is run by itself starts its own.
#
# Constraint: nothing here sleeps for a guessed time, and nothing judges how long something took: the machine may be busy
# with other things. Everything waits for a condition, through the event loop, for as long as patience lasts, and says at the
# end of it what it was that never came. How soon things are is printed (figure), for bench/client.

package require Tcl 8.6-
package require tcltest

namespace eval ::harness {
    variable folder [file dirname [file normalize [info script]]]
    variable top [file dirname [file dirname $folder]]
    # how long a wait lasts that is in vain, in ms; one that is satisfied costs nothing of it
    variable patience 90000
    # what this process has started and has to end: name -> what
    variable mine [dict create]
    # the connection of the superuser, and the database that it is connected to
    variable connection ""
    variable database postgres
    variable people {
        alice {josch_operator}
        bob {josch_operator}
        eve {josch_viewer}
        dora {josch_operator josch_author pg_execute_server_program}
    }
    namespace export sql one need wait
}
source [file join $::harness::folder clients.tcl]
source [file join $::harness::folder hand.tcl]

# ---- waiting ----

# Wait until script, run where this was called, gives true; an error says what never came.
proc ::harness::wait {script {what ""}} {
    variable patience
    set end [expr {[clock milliseconds] + $patience}]
    while {![uplevel 1 $script]} {
        if {[clock milliseconds] > $end} {
            error "waited in vain for: [expr {$what eq "" ? $script : $what}]"
        }
        pause 10
    }
}

# Let the event loop run for so many ms.
proc ::harness::pause {ms} {
    set ::harness::paused 0
    after $ms {set ::harness::paused 1}
    vwait ::harness::paused
}

# Print how long something took, in ms, under the name by which bench/client gathers it; returns it.
proc ::harness::figure {what ms} {
    puts "# $what: [format %.1f $ms] ms"
    return $ms
}

# ---- the server ----

# Make sure that there is a server: that of all.tcl, or one of this process.
proc ::harness::server {} {
    variable mine
    if {[info exists ::env(JOSCH_TEST_SOCKET)]} {
        return
    }
    set home [file join [exec mktemp -d [file join [temporary] josch-client.XXXXXX]]]
    file mkdir $home/sock $home/work
    exec initdb -A trust -U postgres -E UTF8 --no-locale --no-sync -D $home/data >$home/initdb.log
    set conf [open $home/data/postgresql.conf a]
    foreach {name value} [list port 54321 listen_addresses '' unix_socket_directories '$home/sock' fsync off \
            shared_preload_libraries 'josch' track_commit_timestamp on max_worker_processes 64 timezone 'UTC' \
            log_timezone 'UTC' log_line_prefix '%m\ %b\ %d\ ' josch.work_directory '$home/work'] {
        puts $conf "$name = $value"
    }
    close $conf
    dict set mine server $home
    set ::env(JOSCH_TEST_SOCKET) $home/sock
    set ::env(JOSCH_TEST_HOME) $home
    fonts $home
    start
}

# Windows have the sizes that DejaVu gives them, whatever else this machine has: how many of them a screen has room for is tested.
proc ::harness::fonts {home} {
    set conf [open $home/fonts.conf w]
    puts $conf {<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>}
    puts $conf "<dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>$home/fonts</cachedir>"
    foreach {generic family} {sans-serif {DejaVu Sans} monospace {DejaVu Sans Mono}} {
        puts $conf "<alias><family>$generic</family><prefer><family>$family</family></prefer></alias>"
    }
    puts $conf {</fontconfig>}
    close $conf
    set ::env(FONTCONFIG_FILE) $home/fonts.conf
}

proc ::harness::temporary {} {
    return [expr {[info exists ::env(TMPDIR)] ? $::env(TMPDIR) : "/tmp"}]
}

proc ::harness::start {} {
    set home $::env(JOSCH_TEST_HOME)
    if {[catch {exec pg_ctl -s -w -t 60 -D $home/data -l $home/server.log start >@stderr 2>@stderr </dev/null} message]} {
        error "the server does not start: $message\n[exec tail -n 20 $home/server.log]"
    }
}

proc ::harness::stop {{mode immediate}} {
    hang_up
    exec pg_ctl -s -w -t 60 -D $::env(JOSCH_TEST_HOME)/data -m $mode stop </dev/null
}

# Begin another server as a copy of the first that follows it, read-only; returns its port.
proc ::harness::standby {} {
    variable mine
    set home $::env(JOSCH_TEST_HOME)
    exec pg_basebackup -h $::env(JOSCH_TEST_SOCKET) -p 54321 -U postgres -D $home/standby -c fast -X stream -R \
        </dev/null >$home/standby.log 2>$home/standby.log
    exec pg_ctl -s -w -t 60 -D $home/standby -l $home/standby.log -o "-p 54322" start </dev/null >@stderr 2>@stderr
    dict set mine standby $home/standby
    return 54322
}

# Begin a pooler in front of the server that gives each transaction another connection; returns the folder of its socket, whose
# port is 6432.
proc ::harness::pooler {args} {
    variable mine
    set folder [exec mktemp -d [file join [temporary] josch-pool.XXXXXX]]
    set channel [open $folder/users w]
    foreach user $args {
        puts $channel "\"$user\" \"\""
    }
    close $channel
    set channel [open $folder/ini w]
    puts $channel "\[databases\]\n* = host=$::env(JOSCH_TEST_SOCKET) port=54321\n\[pgbouncer\]\nlisten_addr =\nlisten_port = 6432
unix_socket_dir = $folder\npool_mode = transaction\nauth_type = trust\nauth_file = $folder/users\nlogfile = $folder/log"
    close $channel
    dict set mine "pooler $folder" [exec /usr/sbin/pgbouncer -q $folder/ini </dev/null >$folder/out 2>$folder/out &]
    wait {file exists $folder/.s.PGSQL.6432} "the pooler"
    return $folder
}

# A server that is far away: what comes is handed on after so many seconds, and from the connection "stalls" on nothing is
# (relay.py). Gives the folder of its socket, whose port is 1.
proc ::harness::far {delay {stalls 1000}} {
    variable mine
    variable folder
    set near [exec mktemp -d [file join [temporary] josch-far.XXXXXX]]
    set channel [open |[list python3 $folder/relay.py $near/.s.PGSQL.1 $::env(JOSCH_TEST_SOCKET)/.s.PGSQL.54321 $delay $stalls \
        2>[null]] r]
    gets $channel
    dict set mine "desk far $near" $channel
    return $near
}

# The server is not far away any more.
proc ::harness::far_no_more {near} {
    variable mine
    set channel [dict get $mine "desk far $near"]
    dict unset mine "desk far $near"
    exec kill {*}[pid $channel]
    catch {close $channel}
    file delete -force $near
}

# A new database with the extension and the people, and this process connected to it as the superuser.
proc ::harness::database {name} {
    variable database
    server
    on postgres
    sql "DROP DATABASE IF EXISTS $name WITH (FORCE)"
    sql "CREATE DATABASE $name"
    on $name
    sql {CREATE EXTENSION josch}
    people
    return $name
}

# Connect to a database as the superuser.
proc ::harness::on {name} {
    variable database
    hang_up
    set database $name
}

proc ::harness::people {} {
    variable people
    dict for {name roles} $people {
        if {![one "SELECT count(*) FROM pg_roles WHERE rolname = '$name'"]} {
            sql "CREATE ROLE $name LOGIN"
        }
        sql "GRANT [join $roles ,] TO $name"
    }
}

# How a person gets to the database of this test.
proc ::harness::conninfo {user} {
    variable database
    return "host=$::env(JOSCH_TEST_SOCKET) port=54321 dbname=$database user=$user"
}

# Run SQL as the superuser; returns the rows.
proc ::harness::sql {text} {
    variable connection
    package require Pgtcl
    if {$connection eq ""} {
        set connection [pg_connect -conninfo [conninfo postgres]]
        foreach setting {{client_min_messages = error} {statement_timeout = '60s'}} {
            pg_result [pg_exec $connection "SET $setting"] -clear
        }
    }
    set result [pg_exec $connection $text]
    set status [pg_result $result -status]
    set message [pg_result $result -error]
    set rows [expr {$status eq "PGRES_TUPLES_OK" ? [pg_result $result -llist] : {}}]
    pg_result $result -clear
    if {$message ne ""} {
        error "[string trim $message]; in: [string range $text 0 200]"
    }
    return $rows
}

# The first value of the first row.
proc ::harness::one {text} {
    return [lindex [sql $text] 0 0]
}

# The error that a person meets with SQL; empty when there is none.
proc ::harness::refusal {user text} {
    package require Pgtcl
    set theirs [pg_connect -conninfo [conninfo $user]]
    set result [pg_exec $theirs $text]
    set message [pg_result $result -error]
    pg_result $result -clear
    pg_disconnect $theirs
    return [string trim $message]
}

proc ::harness::hang_up {} {
    variable connection
    if {$connection ne ""} {
        catch {pg_disconnect $connection}
        set connection ""
    }
}

# The states as the program has them, for tests without a server: states.tcl learns them from the source.
proc ::harness::learn_states {} {
    variable top
    set text [read_file $top/src/base/states.h]
    set form {X\(\w+, "(\w+)", (\w+), (\w+), (\w+), (\w+), (\w+), (\w+), (\w+), (\d+), "(#\w+)", "(#\w+)", "(#\w+)", "(#\w+)"}
    set states {}
    foreach {all state success done failure well people begun final urgency fill color dark_fill dark_text} [regexp -all -inline $form $text] {
        lappend states [list $urgency [dict create state $state satisfies [expr {$success eq "SATISFIED"}] \
            attention [expr {$people eq "ASKS"}] begun [expr {$begun eq "BEGUN"}] final [expr {$final eq "FINAL"}] fill $fill text $color \
            dark_fill $dark_fill dark_text $dark_text success [string tolower $success] done [string tolower $done] \
            failure [string tolower $failure] well [string tolower $well]]]
    }
    set acts [lmap {all action deed} [regexp -all -inline {X\("(\w+)", \w+, "[^"]*", "([^"]*)"} $text] {list $action $deed}]
    states::learn [lmap one [lsort -integer -index 0 $states] {lindex $one 1}] $acts
}

# ---- days ----

# A job of templates. nodes: {id type name command} each, edges: {parent child} each.
proc ::harness::job {name nodes {edges {}}} {
    sql "INSERT INTO josch.tpl_jobs (job_name) VALUES ([literal $name])"
    foreach node $nodes {
        lassign $node id type title command
        sql "INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
            VALUES ($id, [literal $type], [literal $name], [literal $title], nullif([literal $command], ''))"
    }
    foreach edge $edges {
        sql "INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES ([join $edge ,])"
    }
}

proc ::harness::literal {text} {
    return '[string map {' ''} $text]'
}

proc ::harness::schedule {date {job ""}} {
    sql "SELECT josch.schedule('$date', nullif([literal $job], ''))"
}

proc ::harness::state {id date} {
    return [one "SELECT state FROM josch.nodes WHERE node_id = $id AND job_date = '$date'"]
}

# Wait until a node is in a state.
proc ::harness::becomes {id date state} {
    if {[catch {wait {expr {[::harness::state $id $date] eq $state}} "node $id of $date in state $state"} message]} {
        error "$message; it is [lindex [sql "SELECT state, message FROM josch.nodes WHERE node_id = $id AND job_date = '$date'"] 0]"
    }
}

# When the change that a node shows was committed, in microseconds since 1970.
proc ::harness::committed {id date} {
    return [one "SELECT (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint::text FROM josch.nodes
        WHERE node_id = $id AND job_date = '$date'"]
}

# ---- displays ----

# Make sure that there is a display, and make it this process's own.
proc ::harness::display {} {
    variable mine
    if {![info exists ::env(JOSCH_TEST_DISPLAY)]} {
        lassign [xvfb -nolisten tcp -nolisten unix] channel number
        dict set mine display $channel
        set ::env(JOSCH_TEST_DISPLAY) :$number
    }
    set ::env(DISPLAY) $::env(JOSCH_TEST_DISPLAY)
}

# Start an X server on a free display; returns its channel and its number, when it is ready.
proc ::harness::xvfb {args} {
    set channel [open |[list Xvfb -displayfd 1 -screen 0 1400x900x24 -noreset {*}$args 2>[null]] r]
    fconfigure $channel -blocking 0
    set number ""
    wait {append number [read $channel]; expr {[string index $number end] eq "\n" || [eof $channel]}} "an X display"
    if {![string is integer -strict [string trim $number]]} {
        catch {close $channel}
        error "Xvfb does not start: [lindex [auto_execok Xvfb] 0] $args"
    }
    return [list $channel [string trim $number]]
}

proc ::harness::null {} {
    return /dev/null
}

# A second X server, over TCP and with a cookie, as on another machine. Returns its display and the file with the cookie.
proc ::harness::far_display {} {
    variable mine
    set file [exec mktemp [file join [temporary] josch-cookie.XXXXXX]]
    set cookie [string map {- ""} [read_file /proc/sys/kernel/random/uuid]]
    # the number is not known before the server runs, and it reads the file when somebody comes
    exec xauth -q -f $file add localhost:99 . [string trim $cookie]
    lassign [xvfb -listen tcp -nolisten unix -nolisten local -auth $file] channel number
    exec xauth -q -f $file add localhost:$number . [string trim $cookie]
    dict set mine far $channel
    dict set mine cookie $file
    return [list localhost:$number $file]
}

proc ::harness::read_file {path} {
    set channel [open $path r]
    set text [read $channel]
    close $channel
    return $text
}

# ---- the end ----

# End all that this process has started.
proc ::harness::finish {} {
    variable mine
    close_clients
    hang_up
    dict for {name what} $mine {
        if {[string match "pooler *" $name]} {
            catch {exec kill $what}
            file delete -force [string range $name 7 end]
        } elseif {$name eq "standby"} {
            catch {exec pg_ctl -s -D $what -m immediate stop </dev/null}
            file delete -force $what
        }
    }
    if {[dict exists $mine server]} {
        set home [dict get $mine server]
        catch {stop fast}
        # the runner and its commands outlive a server
        foreach pid [processes $home] {
            catch {exec kill -9 $pid}
        }
        if {[info exists ::env(JOSCH_TEST_KEEP)]} {
            catch {file copy -force $home/server.log $::env(JOSCH_TEST_KEEP)}
        }
        file delete -force $home
    }
    dict for {name channel} $mine {
        if {$name in {display far} || [string match "desk *" $name]} {
            catch {exec kill {*}[pid $channel]}
            catch {close $channel}
        }
    }
    if {[dict exists $mine cookie]} {
        file delete [dict get $mine cookie]
    }
    set mine [dict create]
}

# Processes that work below a folder.
proc ::harness::processes {folder} {
    set found {}
    foreach proc [glob -nocomplain /proc/\[0-9\]*] {
        if {![catch {file readlink $proc/cwd} cwd] && [string match $folder/* $cwd/]} {
            lappend found [file tail $proc]
        }
    }
    return $found
}
