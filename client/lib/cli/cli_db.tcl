# client/lib/cli/cli_db.tcl
#
# The database, for the command line: connected by the rules of the window (db_link), one statement after the other, and by
# waiting for each; news come through the event loop.

namespace eval ::cli_db {
    variable connection ""
    variable settings {
        SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET standard_conforming_strings = on
    }
    # called when something was announced: a command prefix that takes the payloads of a burst
    variable callback {}
    variable heard {}
    variable planned ""
    # where no news come, ms between two looks
    variable looking 2000
    variable proved 0
    variable lost 0
    # what the database's refusal ends with
    variable refusal refused
}

# Connect, or end with the code for that. quiet: raise the error instead.
proc ::cli_db::connect {} {
    variable connection
    variable settings
    variable lost
    if {[catch {package require Pgtcl} message]} {
        cli::fail connection "Pgtcl is missing: install it (Debian: libpgtcl)"
    }
    set conninfo [conf::get conninfo]
    set tried [catch {Open $conninfo} message]
    if {$tried && [string match "*no password supplied*" $message] && [cli_print::is_terminal stdin]} {
        set tried [catch {Open [conf::with $conninfo [list password [AskPassword]]]} message]
    }
    if {$tried} {
        cli::fail connection "cannot connect: [string trim $message]"
    }
    set lost 0
    pg_on_connection_loss $connection ::cli_db::Lost
    rows $settings
    if {[one "SELECT count(*) FROM pg_extension WHERE extname = 'josch'"] == 0} {
        cli::fail connection "the extension josch is not in database [one {SELECT current_database()}]"
    }
}

proc ::cli_db::Open {conninfo} {
    set ::cli_db::connection [pg_connect -conninfo [db::Complete $conninfo]]
}

# A password typed at the terminal, unseen; kept for this run.
proc ::cli_db::AskPassword {} {
    puts -nonewline stderr "Password: "
    flush stderr
    set before [exec stty -g <@stdin]
    exec stty -echo <@stdin
    set failed [catch {gets stdin} password]
    exec stty $before <@stdin
    puts stderr ""
    conf::give conninfo [conf::with [conf::get conninfo] [list password $password]]
    return $password
}

proc ::cli_db::Lost {args} {
    set ::cli_db::lost 1
    Told
}

# The rows of a statement, as lists. An error is the database's, in its words.
proc ::cli_db::rows {sql} {
    return [lindex [Run $sql] 1]
}

# The same as dicts.
proc ::cli_db::dicts {sql} {
    lassign [Run $sql] columns rows
    return [lmap row $rows {
        set dict {}
        foreach column $columns value $row {
            dict set dict $column $value
        }
        set dict
    }]
}

proc ::cli_db::one {sql} {
    return [lindex [rows $sql] 0 0]
}

proc ::cli_db::Run {sql} {
    variable connection
    variable lost
    if {[catch {pg_exec $connection $sql} handle]} {
        set lost 1
        cli::fail connection "the connection was lost"
    }
    set status [pg_result $handle -status]
    if {$status in {PGRES_TUPLES_OK PGRES_COMMAND_OK PGRES_EMPTY_QUERY}} {
        set rows [if {$status eq "PGRES_TUPLES_OK"} {pg_result $handle -llist}]
        set answer [list [pg_result $handle -attributes] $rows]
        pg_result $handle -clear
        return $answer
    }
    foreach field {sqlstate primary detail hint} {
        set $field [string trim [pg_result $handle -error $field]]
    }
    pg_result $handle -clear
    if {$sqlstate eq "" || [string match 08* $sqlstate] || $sqlstate in {57P01 57P02 57P03}} {
        set lost 1
        cli::fail connection "the connection was lost[if {$primary ne ""} {string cat ": " $primary}]"
    }
    cli::fail $::cli_db::refusal [Words $primary $detail $hint]
}

# A refusal as lines.
proc ::cli_db::Words {primary detail hint} {
    foreach {label text} [list Detail $detail Hint $hint] {
        if {$text ne ""} {
            append primary "\n$label: $text"
        }
    }
    return $primary
}

# A query's rows as JSON, a line each.
proc ::cli_db::print_json {sql} {
    foreach row [rows "SELECT row_to_json(q)::text FROM ($sql) q"] {
        puts [lindex $row 0]
    }
}

proc ::cli_db::is_lost {} {
    return $::cli_db::lost
}

proc ::cli_db::disconnect {} {
    variable connection
    if {$connection ne ""} {
        catch {pg_disconnect $connection}
        set connection ""
    }
}

# ---- news ----

# Call a command with the payloads of each burst of news, from now on, and with none where something is to be looked at: where
# no news come (a standby, a pooler in between) every two seconds.
proc ::cli_db::listen {command} {
    variable connection
    variable callback
    variable proved
    set callback $command
    set proved 0
    if {[catch {
        set channel josch_client_[pid]_[clock microseconds]
        pg_listen $connection josch ::cli_db::Heard
        pg_listen $connection $channel ::cli_db::Proved
        rows "SELECT pg_catalog.pg_notify([db::quote $channel], '')"
    }]} {
        Look
        return
    }
    after 5000 ::cli_db::Judge
}

proc ::cli_db::Heard {channel pid {payload ""}} {
    variable heard
    variable planned
    set ::cli_db::proved 1
    lappend heard $payload
    after cancel $planned
    set planned [after 20 ::cli_db::Told]
}

proc ::cli_db::Proved {args} {
    set ::cli_db::proved 1
}

proc ::cli_db::Judge {} {
    if {!$::cli_db::proved && !$::cli_db::lost} {
        Look
    }
}

proc ::cli_db::Look {} {
    variable looking
    after $looking ::cli_db::Look
    Told
}

proc ::cli_db::Told {} {
    variable heard
    variable callback
    set burst $heard
    set heard {}
    if {$callback ne {}} {
        {*}$callback $burst
    }
}
