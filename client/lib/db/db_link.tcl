# client/lib/db/db_link.tcl
#
# Getting connected and staying so: the attempts, the loss, the return, and the machine that slept. Part of db.tcl.
#
# Constraint: libpq looks names up by blocking, and a host that is gone would freeze the windows for seconds. So another process
# tries first (db_probe.tcl), and this one connects when it is known that somebody answers, step by step (pg_connect -async):
# the
# handshake of a slow link takes seconds too. What still blocks is LISTEN, for the time of one answer: pg_listen knows no
# other way, and follows right upon an answer of the same server.

namespace eval ::db {
    # the probe of the attempt under way, and that of db::check; the timer of the next attempt, its moment in ms, and when the
    # connection was lost
    variable probe ""
    variable checking ""
    variable nextTimer ""
    variable nextAt 0
    variable lostAt 0
    variable wasOnline 0
    # longest time that connecting may take once somebody has answered, in ms; on a slow link more
    variable dialling 10000
    # when the clock was last seen, to notice that the machine slept
    variable tick 0
    variable tickTimer ""
    # whether the connection has answered since; and how long it may take for that, in ms
    variable lives 1
    variable waking 3000
    # for how many seconds an answer was late when last looked
    variable late 0
    # since when the listening connection has been asked whether it lives, in ms, 0 when it has not; and how long it may take
    variable earAsked 0
    variable earPatience 20000

    # what this client needs, unless the conninfo says otherwise
    variable parameters {application_name {josch client} client_encoding UTF8}
    # how soon a dead link is noticed, where conninfo, service file and environment say nothing of it
    variable network {
        connect_timeout 10 keepalives 1 keepalives_idle 5 keepalives_interval 2 keepalives_count 3 tcp_user_timeout 10000
    }
    # every message that a connection sends is for text, ISO dates and the server's own time zone settings
    variable settings {
        SET statement_timeout = '30s'; SET lock_timeout = '10s'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres';
        SET standard_conforming_strings = on; SET client_min_messages = 'error';
    }
    variable greeting {
        SELECT session_user AS user, current_database() AS database, current_setting('server_version') AS server,
            current_setting('TimeZone') AS time_zone, pg_is_in_recovery() AS standby,
            (SELECT extversion FROM pg_extension WHERE extname = 'josch') AS josch,
            (SELECT system_identifier FROM pg_control_system()) AS system;
    }
    # the functions that the session may call, and whether this is a standby, where none that changes something can be
    variable rights {
        SELECT DISTINCT p.proname, pg_is_in_recovery() FROM pg_proc p WHERE p.pronamespace = to_regnamespace('josch')
            AND has_schema_privilege(p.pronamespace, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
            AND (p.provolatile <> 'v' OR NOT pg_is_in_recovery())
    }
    # seconds until they are read again
    variable rightsIn 30
}

# The conninfo with what this client adds; what the person, the service file or the environment says wins.
proc ::db::Complete {conninfo} {
    variable parameters
    variable network
    set said [Said $conninfo]
    set add $parameters
    dict for {keyword value} $network {
        if {![dict exists $said $keyword]} {
            dict set add $keyword $value
        }
    }
    return [conf::with_defaults $conninfo $add]
}

# What the service of a conninfo and the environment say: keyword -> value. libpq is asked, which knows where they are.
proc ::db::Said {conninfo} {
    set own [dict merge [conf::pairs $conninfo] [conf::parameters $conninfo]]
    set before [array get ::env PGSERVICE]
    if {[dict exists $own service]} {
        set ::env(PGSERVICE) [dict get $own service]
    }
    set said [dict create]
    catch {
        package require Pgtcl
        foreach option [pg_conndefaults] {
            if {[lindex $option 4] ne ""} {
                dict set said [lindex $option 0] [lindex $option 4]
            }
        }
    }
    unset -nocomplain ::env(PGSERVICE)
    array set ::env $before
    return $said
}

proc ::db::Attempt {} {
    variable conninfo
    variable nextTimer
    variable probe
    variable why
    after cancel $nextTimer
    set nextTimer ""
    Become connecting $why
    set probe [Probe $conninfo ::db::Attempted]
    if {$probe eq ""} {
        Open ""
    }
}

proc ::db::Attempted {reason took} {
    variable probe
    set probe ""
    if {$reason eq ""} {
        Open $took
    } else {
        GiveUp $reason
    }
}

proc ::db::Checked {callback reason took} {
    variable checking
    set checking ""
    {*}$callback $reason $took
}

# ---- the connection ----

# Somebody answers there, within so many ms: connect, greet, listen. By blocking, when that could not be tried.
proc ::db::Open {took} {
    variable epoch
    incr epoch
    if {[catch {
        package require Pgtcl
        set dialled {}
        foreach name {work hand ear} {
            set ::db::$name [Dial {*}[expr {$took eq "" ? "" : "-async 1"}]]
            lappend dialled [list $name [pg_dbinfo socket [set ::db::$name]]]
        }
    } message]} {
        Failed $message
        return
    }
    # a step before the network has answered would be an error; afterwards steps may come at any time
    set took [expr {$took eq "" ? 1 : max(1, $took)}]
    set until [expr {[clock milliseconds] + max($::db::dialling, 5 * $took)}]
    after $took [list ::db::Dialling $epoch $until $dialled]
}

# A new connection that never blocks.
proc ::db::Dial {args} {
    variable conninfo
    set connection [pg_connect {*}$args -conninfo [Complete $conninfo]]
    pg_blocking $connection 0
    return $connection
}

# Bring the connections that are being made, {name socket} each, a step further, until they are there.
proc ::db::Dialling {ofEpoch until dialled} {
    variable epoch
    if {$ofEpoch != $epoch} {
        return
    }
    if {[catch {
        set left {}
        foreach one $dialled {
            if {![Dialled {*}$one]} {
                lappend left $one
            }
        }
        if {[llength $left] && [clock milliseconds] > $until} {
            error "the server does not answer"
        }
    } message]} {
        Failed $message
    } elseif {[llength $left]} {
        after 10 [list ::db::Dialling $epoch $until $left]
    } else {
        Greet
    }
}

# One step; true when the connection is there. Pgtcl watches the socket that the connection had at first: when libpq has gone on
# to another (the next address, or without encryption), which nearly always is the same number, it is made anew, by blocking.
proc ::db::Dialled {name socket} {
    upvar #0 ::db::$name connection
    set step [pg_getdata $connection -connection]
    if {[pg_dbinfo socket $connection] ne $socket} {
        set stale $connection
        set connection ""
        catch {pg_disconnect $stale}
        set connection [Dial]
        return 1
    }
    expr {$step eq "PGRES_POLLING_OK"}
}

proc ::db::Greet {} {
    variable work
    variable hand
    variable ear
    variable epoch
    variable patience
    if {[catch {
        pg_on_connection_loss $work ::db::LostWork
        pg_on_connection_loss $hand ::db::LostHand
        pg_on_connection_loss $ear ::db::LostEar
    } message]} {
        Failed $message
        return
    }
    Send "$::db::settings$::db::greeting$::db::rights" [list ::db::Greeted $epoch] $patience
}

# The present attempt has failed.
proc ::db::Failed {message} {
    Hangup $message
    GiveUp [Reason $message $::db::conninfo]
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
    set ::db::earAsked 0
    Send $::db::settings [list ::db::Handed $epoch] $::db::patience hand
    # before anything is read, so that what changes meanwhile is heard
    if {[catch Listen message]} {
        Failed $message
        return
    }
    Become online [Missing]
    Prove
}

# The connection that acts has its settings.
proc ::db::Handed {forEpoch result} {
    variable epoch
    if {$forEpoch == $epoch && ![dict get $result ok]} {
        Lost [dict get $result message]
    }
}

# What keeps a session that is online from being of use; empty when nothing does.
proc ::db::Missing {} {
    variable may
    if {[info josch] eq ""} {
        return "the extension josch is not in database [info database]"
    }
    if {![dict size $may]} {
        return "[user] may not use josch: ask for the role josch_viewer or josch_operator"
    }
    return ""
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
    set standby [expr {[dict get $result ok] ? [lindex [dict get $result rows] 0 1] : ""}]
    if {$standby ne "" && $standby ne [info standby]} {
        # promoted: now there are news, and acts
        Lost "the server is no standby any more"
    } elseif {[dict get $result ok] && [Learn $result]} {
        Announce <<DbRights>>
        Become online [Missing]
    }
}

# An attempt failed. What a person has to mend is not tried again, unless it worked before; and a refused password never: a
# server
# may lock the role of whoever tries too often.
proc ::db::GiveUp {reason} {
    variable wasOnline
    variable lostAt
    variable nextTimer
    variable nextAt
    if {[Refused $reason] || !$wasOnline && [Hopeless $reason]} {
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

# Single words, as pg_on_connection_loss wants them.
proc ::db::LostWork {args} {
    after 0 [list ::db::LostOf $::db::epoch]
}
proc ::db::LostHand {args} {
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
    if {$state eq "online"} {
        LookAfter
    }
    if {!$slept} {
        return
    }
    if {$state eq "online"} {
        set ::db::lives 0
        query "SELECT 1" ::db::Lives josch-db-check
        after $::db::waking [list ::db::Overdue $::db::epoch]
    } else {
        set ::db::lostAt $now
        retry
    }
}

# Every second of a connection: is an answer late, and do both connections live? Asking for the rights is a question to the one
# that works, so that no minute goes by without; the one that listens is asked beside it, by what changes nothing.
proc ::db::LookAfter {} {
    variable late
    variable epoch
    set waited [Waited]
    if {$waited != $late} {
        set late $waited
        Announce <<DbSilent>>
    }
    if {[incr ::db::rightsIn -1] <= 0} {
        set ::db::rightsIn 30
        ReadRights
        AskHand
        AskEar
        CheckNews
    }
    if {[catch HearEar]} {
        LostOf $epoch
    }
}

# Seconds since the query in flight was sent, from three on.
proc ::db::Waited {} {
    set since [clock milliseconds]
    foreach lane {work hand} {
        upvar #0 ::db::${lane}_current current
        if {[llength $current]} {
            set since [expr {min($since, [lindex $current 1])}]
        }
    }
    set seconds [expr {([clock milliseconds] - $since) / 1000}]
    expr {$seconds < 3 ? 0 : $seconds}
}

# The connection that acts has nothing to do most of the time: does it live?
proc ::db::AskHand {} {
    if {![llength $::db::hand_current]} {
        act "SELECT 1" list
    }
}

proc ::db::AskEar {} {
    variable ear
    variable earAsked
    if {!$earAsked && ![catch {pg_sendquery $ear "LISTEN josch"}]} {
        set earAsked [clock milliseconds]
    }
}

# Has it answered?
proc ::db::HearEar {} {
    variable ear
    variable earAsked
    variable earPatience
    if {!$earAsked} {
        return
    }
    while {![pg_isbusy $ear]} {
        set handle [pg_getresult $ear]
        if {$handle eq ""} {
            set earAsked 0
            return
        }
        pg_result $handle -clear
    }
    if {[clock milliseconds] - $earAsked > $earPatience} {
        Lost "the server does not answer"
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
