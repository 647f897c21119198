# client/lib/db/db.tcl
#
# The database as the rest of the client sees it: a state, queries that call back, and news. With db_link.tcl the only file
# that knows Pgtcl.
# Three connections: one reads, one acts, so that an act that waits for somebody's lock keeps no window from being read, and one
# listens, because a notification comes only after the query that runs on its connection.
#
# Constraints: nothing here waits. Pgtcl has no event for a result, so a query in flight is looked after by a short timer;
# how it gets and stays connected without waiting is in db_link.tcl. No text of a query and no conninfo is ever
# printed. After a loss everything in flight has failed, and what was announced meanwhile is lost: whoever shows rows
# reads them again when the state is online.
#
# Announced on the main window: <<DbState>> (db::state, db::why), <<DbRights>> (db::may), <<DbNotify>> (db::changes),
# <<DbAlarms>> (some alarm has changed), <<DbNews>> (db::news) and, by the second while an answer is late and when it has
# come, <<DbSilent>> (db::silent).

namespace eval ::db {
    # offline (not wanted, or a person has to mend the conninfo), connecting (also: lost, and trying again), online
    variable state offline
    variable why ""
    # as the person gave it, password and all; kept in memory alone
    variable conninfo ""
    # the connections, by the names that Pgtcl gave them; empty without
    variable work ""
    variable hand ""
    variable ear ""
    # number of the present connection: timers and callbacks of former ones are recognised by it
    variable epoch 0
    # of each connection that is asked: queries that wait, {sql callback tag patience}; and the one that runs, {callback start
    # result patience}
    variable work_queue {}
    variable work_current {}
    variable hand_queue {}
    variable hand_current {}
    # what is known of the session (db::info) and the functions of josch that it may call
    variable info [dict create]
    variable may [dict create]
    # longest time without an answer before the connection is given up, in ms, unless a query says otherwise: more than
    # the statement_timeout of the session
    variable patience 40000
    variable nothing "\u0000NULL"
}

# ---- what others call ----

# Connect with any libpq conninfo (empty: the PG* variables alone), and stay connected: reconnects by itself. When it has just
# been tried, the time that this took, in ms.
proc ::db::connect {newConninfo {tried ""}} {
    variable conninfo
    variable wasOnline
    variable lostAt
    disconnect
    set conninfo $newConninfo
    set wasOnline 0
    set lostAt [clock milliseconds]
    Tick
    if {$tried eq ""} {
        Attempt
    } else {
        Become connecting ""
        Open $tried
    }
}

# Find out whether a conninfo works, and leave the connection as it is. Calls back with why not, empty when it does, and with
# the time that it took, for db::connect. Only the last one asked for is answered.
proc ::db::check {conninfo callback} {
    variable checking
    check_no_more
    set checking [Probe $conninfo [list ::db::Checked $callback]]
    if {$checking eq ""} {
        set checking [after 0 [list ::db::Checked $callback "" ""]]
    }
}

proc ::db::check_no_more {} {
    variable checking
    after cancel $checking
    DropProbe $checking
    set checking ""
}

# Hang up and stay offline.
proc ::db::disconnect {} {
    variable nextTimer
    variable tickTimer
    after cancel $nextTimer
    after cancel $tickTimer
    DropProbe $::db::probe
    Hangup "not connected"
    Become offline ""
}

# Try to connect now instead of when the time comes; of no effect when connected, or when it is being tried.
proc ::db::retry {} {
    variable state
    variable probe
    variable work
    if {$state ne "online" && $probe eq "" && $work eq ""} {
        Attempt
    }
}

proc ::db::state {} {
    variable state
    return $state
}

# Why the state is not online, or what is missing though it is, in words for a person.
proc ::db::why {} {
    variable why
    return $why
}

# Is it for a person to say how to connect? When waiting does not help, or when nothing has ever come of this conninfo: it may
# be mistyped. That the server is busy is no reason.
proc ::db::asks {} {
    variable state
    variable why
    variable wasOnline
    expr {$why ne "" && ($state eq "offline" || $state eq "connecting" && !$wasOnline && ![Busy $why])}
}

# Seconds for which the query in flight has had no answer, by the last <<DbSilent>>; 0 when it is no time to speak of.
proc ::db::silent {} {
    variable late
    return $late
}

# A fact of the session: user, database, server, time_zone, standby (t, f), josch (version of the extension, empty without).
proc ::db::info {name} {
    variable info
    if {[dict exists $info $name]} {
        return [dict get $info $name]
    }
    return ""
}

# The role that acts, by the database's word.
proc ::db::user {} {
    info user
}

# May this session call the function of schema josch? As of half a minute ago at most, or of the last refusal.
proc ::db::may {function} {
    variable may
    dict exists $may $function
}

# Run sql and call back with {ok 1 columns {..} rows {{..} ..} count n} or {ok 0 sqlstate S message M detail D hint H}.
# Several statements are one transaction, unless they say otherwise; their result is that of the last, and has all results
# as "all"; of a refusal, "at" is the number of the statement that was refused, from 0.
# Queries run one after another. One that waits with the same tag (unless it is empty) is replaced, and never called back.
# What was never sent fails with sqlstate 08003; of what was sent and not answered, 08006, nobody knows whether it was done.
# Without an answer for longer than limit, in ms, the connection is given up. What sets a longer
# statement_timeout
# of its own says here how long.
proc ::db::query {sql callback {tag ""} {limit ""}} {
    Ask work $sql $callback $tag $limit
}

# The same for what a person does: beside all that is read.
proc ::db::act {sql callback} {
    Ask hand $sql $callback "" ""
}

proc ::db::Ask {lane sql callback tag limit} {
    variable state
    variable why
    variable patience
    upvar #0 ::db::${lane}_queue queue
    if {$state ne "online"} {
        after 0 [list ::db::Answer $callback [Failure 08003 [expr {$why eq "" ? "not connected" : $why}]]]
        return
    }
    set item [list $sql $callback $tag [expr {$limit eq "" ? $patience : $limit}]]
    if {$tag ne ""} {
        set at [lsearch -exact -index 2 $queue $tag]
        if {$at >= 0} {
            lset queue $at $item
            return
        }
    }
    lappend queue $item
    Pump $lane
}

# A value as a literal of SQL.
proc ::db::quote {value} {
    variable nothing
    if {$value eq $nothing} {
        return NULL
    }
    set value [string map [list ' '' \u0000 ""] $value]
    if {[string first \\ $value] >= 0} {
        return " E'[string map {\\ \\\\} $value]'"
    }
    return '$value'
}

# The value that db::quote writes as NULL.
proc ::db::null {} {
    variable nothing
    return $nothing
}

# Rows of a result as a list of dicts; none of a failed one.
proc ::db::dicts {result} {
    if {![dict get $result ok]} {
        return {}
    }
    set columns [dict get $result columns]
    set dicts {}
    foreach row [dict get $result rows] {
        set dict [dict create]
        foreach column $columns value $row {
            dict set dict $column $value
        }
        lappend dicts $dict
    }
    return $dicts
}

# Seconds until the next attempt to connect; empty when none is planned.
proc ::db::next {} {
    variable nextTimer
    variable nextAt
    if {$nextTimer eq "" || [catch {after info $nextTimer}]} {
        return ""
    }
    return [expr {max(0, ($nextAt - [clock milliseconds]) / 1000)}]
}

# ---- state ----

proc ::db::Become {newState newWhy} {
    variable state
    variable why
    if {$state eq $newState && $why eq $newWhy} {
        return
    }
    set state $newState
    set why $newWhy
    Announce <<DbState>>
}

# Virtual events need a window; without Tk (in tests) a command of the same name in ::db is called, where there is one.
proc ::db::Announce {event} {
    if {[llength [::info commands ::winfo]] && [winfo exists .]} {
        event generate . $event
    } elseif {[llength [::info commands ::db::on$event]]} {
        ::db::on$event
    }
}

proc ::db::Failure {sqlstate message {detail ""} {hint ""}} {
    dict create ok 0 sqlstate $sqlstate message $message detail $detail hint $hint
}

# Hand a result over; an error in the callback is the callback's own.
proc ::db::Answer {callback result} {
    if {[catch {uplevel #0 [list {*}$callback $result]} message options]} {
        after 0 [list {*}[interp bgerror {}] $message $options]
    }
}

# Close all connections and fail what waits for an answer.
proc ::db::Hangup {reason} {
    variable epoch
    variable heard
    incr epoch
    foreach name {work hand ear} {
        upvar #0 ::db::$name connection
        if {$connection ne ""} {
            catch {pg_disconnect $connection}
        }
        set connection ""
    }
    foreach lane {work hand} {
        upvar #0 ::db::${lane}_queue queue ::db::${lane}_current current
        if {[llength $current]} {
            after 0 [list ::db::Answer [lindex $current 0] [Failure 08006 $reason]]
        }
        foreach item $queue {
            after 0 [list ::db::Answer [lindex $item 1] [Failure 08003 $reason]]
        }
        set queue {}
        set current {}
    }
    set ::db::late 0
    set heard {}
    set ::db::channel ""
    News ""
}

# ---- queries ----

proc ::db::Pump {lane} {
    upvar #0 ::db::${lane}_queue queue ::db::${lane}_current current
    if {![llength $current] && [llength $queue]} {
        set queue [lassign $queue item]
        lassign $item sql callback tag limit
        Send $sql $callback $limit $lane
    }
}

# What does not go out at once is sent on by each look at the connection (Collect): it does not block.
proc ::db::Send {sql callback limit {lane work}} {
    variable epoch
    upvar #0 ::db::$lane connection ::db::${lane}_current current
    set current [list $callback [clock milliseconds] "" $limit]
    if {[catch {pg_sendquery $connection $sql} message]} {
        after 0 [list ::db::LostOf $epoch]
        return
    }
    after 1 [list ::db::Poll $epoch 1 $lane]
}

# Look after the query in flight; pause is the time since the last look, in ms.
proc ::db::Poll {ofEpoch pause lane} {
    variable epoch
    upvar #0 ::db::${lane}_current current
    if {$ofEpoch != $epoch || ![llength $current]} {
        return
    }
    if {[catch {Collect $lane} done]} {
        Lost "the connection to the server was lost"
        return
    }
    if {$done} {
        lassign $current callback start result
        set current {}
        Answer $callback $result
        if {![dict get $result ok] && [dict get $result sqlstate] eq "42501"} {
            ReadRights
        }
        if {$ofEpoch == $epoch} {
            Pump $lane
        }
        return
    }
    if {[clock milliseconds] - [lindex $current 1] > [lindex $current 3]} {
        Lost "the server does not answer"
        return
    }
    set pause [expr {min(20, $pause + 1)}]
    after $pause [list ::db::Poll $epoch $pause $lane]
}

# Take what has come; true when the query is over. Of several statements the last result counts, or the first error.
proc ::db::Collect {lane} {
    upvar #0 ::db::$lane connection ::db::${lane}_current current
    while {![pg_isbusy $connection]} {
        set handle [pg_getresult $connection]
        if {$handle eq ""} {
            if {[lindex $current 2] eq ""} {
                error "no result"
            }
            return 1
        }
        set result [Result $handle]
        pg_result $handle -clear
        set before [lindex $current 2]
        if {$before eq ""} {
            set all {}
        } elseif {[dict get $before ok]} {
            set all [dict get $before all]
        } else {
            continue
        }
        if {[dict get $result ok]} {
            dict set result all [concat $all [list $result]]
        } else {
            dict set result at [llength $all]
        }
        lset current 2 $result
    }
    if {[pg_dbinfo status $connection] ne "connection_ok"} {
        error "lost"
    }
    return 0
}

proc ::db::Result {handle} {
    switch -- [pg_result $handle -status] {
        PGRES_TUPLES_OK - PGRES_COMMAND_OK - PGRES_EMPTY_QUERY {
            set rows [pg_result $handle -llist]
            set count [llength $rows]
            if {$count == 0} {
                set count [pg_result $handle -cmdTuples]
            }
            return [dict create ok 1 columns [pg_result $handle -attributes] rows $rows \
                count [expr {$count eq "" ? 0 : $count}]]
        }
    }
    set fields {}
    foreach field {sqlstate primary detail hint} {
        lappend fields [string trim [pg_result $handle -error $field]]
    }
    return [Failure {*}$fields]
}
