# client/lib/db_link.tcl
#
# Getting connected and staying so: the attempts, the loss, the return, and the machine that slept. Part of db.tcl.
#
# Constraint: Pgtcl connects by blocking, name lookup and all, and a host that is gone would freeze the windows for seconds. So
# another process tries first (probe.tcl), and this one connects when it is known that somebody answers.

namespace eval ::db {
    variable probeScript [file join [file dirname [file normalize [::info script]]] probe.tcl]
    # what the probe has written so far; the moment of the next attempt, in ms
    variable probeText ""
    variable nextAt 0
    # the attempt under way (a channel), its timer, the timer of the next one, and when the connection was lost
    variable probe ""
    variable probeTimer ""
    variable nextTimer ""
    variable lostAt 0
    variable wasOnline 0
    # when the clock was last seen, to notice that the machine slept
    variable tick 0
    variable tickTimer ""
    # whether the connection has answered since
    variable lives 1

    # every message that a connection sends is for text, ISO dates and the server's own time zone settings
    variable parameters {
        application_name=josch\ client client_encoding=UTF8 connect_timeout=3
        keepalives=1 keepalives_idle=5 keepalives_interval=2 keepalives_count=3 tcp_user_timeout=10000
    }
    variable greeting {
        SET statement_timeout = '30s'; SET lock_timeout = '10s'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres';
        SET standard_conforming_strings = on; SET client_min_messages = 'error';
        SELECT session_user AS user, current_database() AS database, current_setting('server_version') AS server,
            current_setting('TimeZone') AS time_zone, pg_is_in_recovery() AS standby,
            (SELECT extversion FROM pg_extension WHERE extname = 'josch') AS josch;
    }
    # the functions that the session may call
    variable rights {
        SELECT DISTINCT p.proname FROM pg_proc p WHERE p.pronamespace = to_regnamespace('josch')
            AND has_schema_privilege(p.pronamespace, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
    }
    # seconds until they are read again
    variable rightsIn 30
}

# The conninfo with what this client adds; what the person wrote wins.
proc ::db::Complete {conninfo} {
    variable parameters
    if {[regexp {^postgres(?:ql)?://} $conninfo]} {
        set query [string map {" " %20} [join $parameters &]]
        if {[regsub {\?} $conninfo "?[string map {& \\&} $query]\\&" changed]} {
            return $changed
        }
        return $conninfo?$query
    }
    set words {}
    foreach parameter $parameters {
        lappend words [regsub {=(.*)$} $parameter {='\1'}]
    }
    return "[join $words] $conninfo"
}

proc ::db::Attempt {} {
    variable conninfo
    variable nextTimer
    variable probe
    variable probeTimer
    variable why
    after cancel $nextTimer
    set nextTimer ""
    Become connecting $why
    set shell [Shell]
    if {$shell eq ""} {
        Open
        return
    }
    if {[catch {open |[list $shell $::db::probeScript 2>@1] r+} channel]} {
        Open
        return
    }
    set probe $channel
    fconfigure $channel -blocking 0 -encoding utf-8 -translation lf
    fileevent $channel readable [namespace code [list Probed $channel]]
    set probeTimer [after 15000 [namespace code {GiveUp "the server does not answer"}]]
    catch {
        puts -nonewline $channel [Complete $conninfo]
        flush $channel
        close $channel write
    }
}

# The tclsh that belongs to this wish; empty when there is none.
proc ::db::Shell {} {
    set version [::info tclversion]
    set near [file join [file dirname [::info nameofexecutable]] tclsh$version]
    if {[file executable $near]} {
        return $near
    }
    foreach name [list tclsh$version tclsh] {
        set found [lindex [auto_execok $name] 0]
        if {$found ne ""} {
            return $found
        }
    }
    return ""
}

# The probe wrote something: "ok", or why there is no connection.
proc ::db::Probed {channel} {
    variable probe
    set text [string trim [read $channel]]
    if {$text eq "" && ![eof $channel]} {
        return
    }
    if {$text ne "ok" && ![eof $channel]} {
        # the message may come in pieces
        append ::db::probeText $text\n
        return
    }
    set text [string trim $::db::probeText$text]
    DropProbe
    if {$text eq "ok"} {
        Open
    } else {
        GiveUp $text
    }
}

proc ::db::DropProbe {} {
    variable probe
    variable probeTimer
    variable probeText
    after cancel $probeTimer
    set probeText ""
    if {$probe ne ""} {
        catch {close $probe}
        set probe ""
    }
}

# Somebody answers there: connect, greet, listen.
proc ::db::Open {} {
    variable conninfo
    variable work
    variable ear
    variable epoch
    if {[catch {
        package require Pgtcl
        set work [pg_connect -conninfo [Complete $conninfo]]
        set ear [pg_connect -conninfo [Complete $conninfo]]
        pg_on_connection_loss $work ::db::LostWork
        pg_on_connection_loss $ear ::db::LostEar
        pg_listen $ear josch ::db::Heard
    } message]} {
        Hangup $message
        GiveUp $message
        return
    }
    incr epoch
    Send "$::db::greeting$::db::rights" [list ::db::Greeted $epoch]
}

proc ::db::Greeted {forEpoch result} {
    variable epoch
    variable info
    variable wasOnline
    if {$forEpoch != $epoch} {
        return
    }
    if {![dict get $result ok]} {
        Lost [dict get $result message]
        return
    }
    set info [lindex [dicts [lindex [dict get $result all] end-1]] 0]
    Learn $result
    set wasOnline 1
    Become online ""
}

# Take over what the session may do; true when that is something else than before.
proc ::db::Learn {result} {
    variable may
    variable rightsIn
    set rightsIn 30
    set before [dict keys $may]
    set may [dict create]
    foreach row [lsort [dict get $result rows]] {
        dict set may [lindex $row 0] 1
    }
    expr {[dict keys $may] ne $before}
}

# Roles are granted and revoked while people are connected.
proc ::db::ReadRights {} {
    query $::db::rights ::db::TakeRights josch-db-rights
}

proc ::db::TakeRights {result} {
    if {[dict get $result ok] && [Learn $result]} {
        Announce <<DbRights>>
    }
}

# An attempt failed. What a person has to mend (a wrong password) is not tried again, unless it worked before.
proc ::db::GiveUp {reason} {
    variable wasOnline
    variable lostAt
    variable nextTimer
    variable nextAt
    DropProbe
    set reason [Reason $reason]
    if {!$wasOnline && [Hopeless $reason]} {
        Become offline $reason
        return
    }
    set delay [Delay [expr {[clock milliseconds] - $lostAt}]]
    set nextAt [expr {[clock milliseconds] + $delay}]
    set nextTimer [after $delay [namespace code Attempt]]
    Become connecting $reason
}

# Time to the next attempt when there has been no connection for so long, both in ms: a tenth of it, from 0.3 to 10 s.
proc ::db::Delay {away} {
    expr {min(10000, max(300, $away / 10))}
}

# A refusal in words: libpq's message without what is not for people, and without anything that looks like a secret.
proc ::db::Reason {message} {
    regsub {^Connection to database failed\s*} $message "" message
    regsub -all {\s*\n\s*} [string trim $message] "; " message
    regsub -all {password=\S+} $message "password=..." message
    return $message
}

# Will waiting not help? The server said no, and not because it is just starting or full; or libpq does not understand.
proc ::db::Hopeless {reason} {
    if {[regexp -nocase {starting up|shutting down|recovery|too many|reserved|57P03|53300} $reason]} {
        return 0
    }
    regexp -nocase {FATAL:|no password supplied|fe_sendauth|missing "=" after|invalid (?:connection option|URI|port|integer|\w+ value)|definition of service|unexpected (?:spaces|character)|can't find package} $reason
}

# Single words, as pg_on_connection_loss wants them.
proc ::db::LostWork {args} {
    after 0 [list ::db::LostOf $::db::epoch]
}
proc ::db::LostEar {args} {
    after 0 [list ::db::LostOf $::db::epoch]
}
proc ::db::LostOf {ofEpoch} {
    variable epoch
    if {$ofEpoch == $epoch} {
        Lost "the connection to the server was lost"
    }
}

proc ::db::Lost {reason} {
    variable state
    variable lostAt
    Hangup $reason
    set lostAt [clock milliseconds]
    GiveUp $reason
}

# Every second: a jump of the clock means that the machine slept, and that the connections may be dead without a word.
proc ::db::Tick {} {
    variable tick
    variable tickTimer
    variable state
    set now [clock milliseconds]
    set slept [expr {$tick > 0 && $now - $tick > 6000}]
    set tick $now
    after cancel $tickTimer
    set tickTimer [after 1000 [namespace code Tick]]
    if {$state eq "online" && [incr ::db::rightsIn -1] <= 0} {
        ReadRights
    }
    if {!$slept} {
        return
    }
    if {$state eq "online"} {
        set ::db::lives 0
        query "SELECT 1" ::db::Lives josch-db-check
        after 3000 [list ::db::Overdue $::db::epoch]
    } else {
        set ::db::lostAt $now
        retry
    }
}

proc ::db::Lives {result} {
    set ::db::lives 1
}

# Asked whether a connection still lives, it has not answered: it does not.
proc ::db::Overdue {ofEpoch} {
    variable epoch
    variable lives
    if {$ofEpoch == $epoch && !$lives} {
        Lost "the server does not answer"
    }
}
