# client/lib/act/acts.tcl
#
# What a person may do to nodes, and doing it.
#
# The rules are the database's: which act follows which state is read from josch.fsm, who may act from the privileges on the
# functions. Here is only how an act is called, and what is said before one that cannot be taken back.
#
# An act is on rows, as the person saw them: a dict of key -> row with node_name, state, node_type and change_id. What has
# become something else since, and could be acted on like that too, is left alone: nobody has looked at it.
#
# <<ActsChanged>> is sent to . when the rules have been read, <<ActProgress>> when acts::progress says something else,
# <<ActDone>> when the answers to an act are in, with a dict as its data: action, done (keys), refused (a list of {key answer}).

namespace eval ::acts {
    # name, label, whether it asks first as it cannot be undone, what it will do
    variable table {
        signoff {"Sign Off" 1 "Signs it off; what depends on it goes on."}
        approve {"Approve" 1 "Judges the output to be good; what depends on it goes on."}
        reject {"Reject" 1 "Judges the output to be bad: the node has failed."}
        retry {"Retry" 1 "Runs it again, as it has not ended well: a next attempt of the same."}
        mark_success {"Mark Success" 1 "Says that it has been repaired by hand; what depends on it goes on."}
        mark_failed {"Mark Failed" 1 "Says that it has failed."}
        abandon {"Abandon" 1 "Gives it up: the day goes on without it, and what needs its success is omitted."}
        release {"Release" 0 "Lets it go on."}
        hold {"Hold" 0 "Holds it back until it is released."}
        force_start {"Force Start" 1 "Starts it now: without its parents, before its time."}
        stop {"Stop" 1 "Ends its run: TERM to the process group, KILL when it does not heed that."}
        rerun {"Rerun" 1 "Does it once more, though it is done. What has been done after it stays as it is."}
        rerun_all {"Rerun Below" 1 "Does it once more, and with it all below it that has been done or asked."}
        skip {"Skip" 1 "Goes on without it: what depends on it no longer waits."}
        acknowledge {"Acknowledge" 0 "Says that you know of the alarm; it stays open until its cause is gone."}
        claim {"I Look at It" 0 "Says to all that you look at it, until something happens to it. It keeps nobody from acting."}
        unclaim {"Let Go" 0 "Says to all that you look at it no longer."}
    }
    # rules($state,$type): names of the acts that this person may do, in the table's order
    variable rules
    array set rules {}
    variable off 0
}

# Begin to watch: what is known of states and acts is read before anything that is shown by it.
proc ::acts::init {} {
    bind . <<DbState>> +::acts::Connection
}

proc ::acts::Connection {} {
    if {[db::state] eq "online"} {
        states::load
        load
    }
}

# Reads the rules; also when the rights have become others.
proc ::acts::load {} {
    db::query {SELECT f.from_state, f.node_types, f.action FROM josch.fsm f
        WHERE f.who = 'person' AND NOT pg_catalog.pg_is_in_recovery() AND EXISTS (SELECT FROM pg_catalog.pg_proc p
            WHERE p.pronamespace = 'josch'::regnamespace AND p.proname = f.action
            AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))} \
        [namespace code TakeRules] acts-load
}

proc ::acts::TakeRules {result} {
    if {[dict get $result ok]} {
        Learn [dict get $result rows]
        event generate . <<ActsChanged>>
    }
}

# Takes rows of {state types action}.
proc ::acts::Learn {rows} {
    variable rules
    variable table
    array unset rules
    foreach row $rows {
        lassign $row state types action
        foreach type [split $types ""] {
            dict set may $state,$type $action 1
            if {$action eq "rerun"} {
                dict set may $state,$type rerun_all 1
            }
        }
    }
    if {[info exists may]} {
        dict for {where actions} $may {
            set rules($where) [lmap name [dict keys $table] {
                if {![dict exists $actions $name]} continue
                set name
            }]
        }
    }
}

proc ::acts::label {action} {
    variable table
    return [lindex [dict get $table $action] 0]
}

# The function of josch that does it.
proc ::acts::function {action} {
    return [expr {$action eq "rerun_all" ? "rerun" : $action}]
}

proc ::acts::asks_first {action} {
    variable table
    return [lindex [dict get $table $action] 1]
}

proc ::acts::meaning {action} {
    variable table
    return [lindex [dict get $table $action] 2]
}

# List of {action label} that this person may do to a node in a state.
proc ::acts::allowed {state type} {
    variable rules
    if {![info exists rules($state,$type)]} {
        return {}
    }
    return [lmap action $rules($state,$type) {list $action [label $action]}]
}

# Off while the board shows the past.
proc ::acts::turn {on} {
    variable off
    set off [expr {!$on}]
}

# For several nodes: list of {action label keys}, each act with the nodes that it fits. rows: dict of key -> row with state
# and node_type. None while they are off.
proc ::acts::allowed_on {rows} {
    variable table
    variable off
    if {$off || [db::state] ne "online"} {
        return {}
    }
    set fits {}
    dict for {key row} $rows {
        foreach pair [allowed [dict get $row state] [dict get $row node_type]] {
            dict lappend fits [lindex $pair 0] $key
        }
    }
    return [lmap action [dict keys $table] {
        if {![dict exists $fits $action]} continue
        list $action [label $action] [dict get $fits $action]
    }]
}

# Those rows of a dict that have these keys.
proc ::acts::only {rows keys} {
    return [dict create {*}[concat {*}[lmap key $keys {list $key [dict get $rows $key]}]]]
}

# Fills a menu with the acts on some nodes, but for some; callback is called with the action and the rows that it is for.
proc ::acts::fill_menu {menu rows callback {except {}}} {
    set all [dict size $rows]
    foreach entry [allowed_on $rows] {
        lassign $entry action label keys
        if {$action in $except} continue
        if {[llength $keys] < $all} {
            append label " ([llength $keys] of $all)"
        }
        if {[asks_first $action]} {
            append label "\u2026"
        }
        $menu add command -label $label -command [list {*}$callback $action [only $rows $keys]]
    }
}

# Does an act on rows, after asking where it cannot be taken back; a second press is not for what is being done already.
# callback gets the dict of <<ActDone>>, with the rows as they were when it began; {} for nobody.
proc ::acts::do {parent rows action {comment ""} {callback {}}} {
    set rows [dict filter $rows script {key row} {expr {![busy $key]}}]
    if {![dict size $rows]} {
        return
    }
    if {[asks_first $action]} {
        acts_ask::open $parent $rows $action $comment $callback
    } else {
        perform $parent $rows $action $comment $callback
    }
}

# The condition that finds a row's node in josch.nodes n.
proc ::acts::node_condition {row} {
    return "n.node_id = [db::quote [dict get $row node_id]]::bigint AND n.job_date = [db::quote [dict get $row job_date]]::date"
}

# Keys as the rows of VALUES: (node_id, job_date) each.
proc ::acts::values {keys} {
    return [join [lmap key $keys {
        string cat ( [db::quote [lindex $key 0]] ::bigint, [db::quote [lindex $key 1]] ::date)
    }] ,]
}

# An act on the node of a row. No row comes back when the node is no longer what the person saw, and the act would fit what
# it is now: it has failed a second time since. Whatever else has happened, the database refuses in its own words.
proc ::acts::call_sql {row action comment} {
    set arguments "[db::quote [dict get $row node_id]]::bigint, [db::quote [dict get $row job_date]]::date"
    append arguments ", " [expr {$comment eq "" ? "NULL" : [db::quote $comment]}]
    set name [function $action]
    if {$action eq "rerun_all"} {
        append arguments ", true"
    }
    return "SELECT josch.${name}($arguments) WHERE NOT EXISTS (SELECT FROM josch.nodes n JOIN josch.fsm f
        ON f.who = 'person' AND f.action = '$name' AND f.from_state = n.state AND strpos(f.node_types, n.node_type) > 0
        WHERE [node_condition $row] AND n.change_id > [db::quote [dict get $row change_id]]::bigint)"
}

# An answer to that, which tells too when the node was no longer what the person saw, and whether anything can have been done
# when the connection was lost.
proc ::acts::judged {result} {
    if {![dict get $result ok]} {
        switch [dict get $result sqlstate] {
            08003 {
                dict set result message "Not done: there was no connection."
            }
            08006 {
                dict set result message "The connection was lost meanwhile. Whether it was done will be seen when it is back."
            }
        }
        return $result
    }
    if {[dict get $result count] == 0} {
        return [dict create ok 0 sqlstate "" detail "" hint "" \
            message "Something happened to it since this was shown; look again."]
    }
    return $result
}

# Does an act without asking. Many nodes are a few statements, so that what else is read comes between, and how far it is can be
# told. One that someone else was quicker with does not keep the others from it.
proc ::acts::perform {parent rows action comment {callback {}}} {
    variable pending
    variable serial
    set id [incr serial]
    set pending($id) [dict create parent $parent action $action comment $comment callback $callback rows $rows \
        left [dict keys $rows] asked {} done {} refused {}]
    Next $id
}

# Send the next part; without any left it is over.
proc ::acts::Next {id} {
    variable pending
    variable part
    set left [dict get $pending($id) left]
    event generate . <<ActProgress>>
    if {$left eq {}} {
        Finish $id
        return
    }
    set action [dict get $pending($id) action]
    set keys [lrange $left 0 [expr {$action eq "rerun_all" ? 0 : $part - 1}]]
    dict set pending($id) left [lrange $left [llength $keys] end]
    dict set pending($id) asked $keys
    set rows [only [dict get $pending($id) rows] $keys]
    set comment [dict get $pending($id) comment]
    if {$action eq "rerun_all"} {
        db::act [call_sql [dict get $rows [lindex $keys 0]] $action $comment] [namespace code [list Answer $id $keys]]
    } else {
        db::act [ManySql $rows $action $comment] [namespace code [list AnswerMany $id $keys]]
    }
}

proc ::acts::ManySql {rows action comment} {
    set said [expr {$comment eq "" ? "NULL" : [db::quote $comment]}]
    if {$action eq "acknowledge"} {
        return [AlarmsSql [lmap key [dict keys $rows] {lindex $key 0}] $said]
    }
    foreach column {node_id job_date change_id} {
        set $column {}
    }
    dict for {key row} $rows {
        foreach column {node_id job_date change_id} {
            lappend $column [dict get $row $column]
        }
    }
    # numbers and dates, from the server
    return "SELECT a.state, a.sqlstate, a.message, a.detail, a.hint FROM josch.act([db::quote $action],
        '{[join $node_id ,]}'::bigint\[\], '{[join $job_date ,]}'::date\[\], $said, '{[join $change_id ,]}'::bigint\[\]) a"
}

# Alarms are acknowledged with the same answers: one that is closed, or that somebody else was quicker with, keeps none of the
# others from it.
proc ::acts::AlarmsSql {ids said} {
    return "SELECT '' AS state, CASE WHEN open THEN '' ELSE '55000' END AS sqlstate,
        coalesce('acknowledged by ' || acked_by, 'its cause is gone') AS message, coalesce(comment, '') AS detail, '' AS hint,
        CASE WHEN open THEN josch.acknowledge(alarm_id, $said) END
        FROM (SELECT a.*, a.alarm_id IS NOT NULL AND a.acked_by IS NULL AND a.cleared_at IS NULL AS open, i.place
            FROM unnest('{[join $ids ,]}'::bigint\[\]) WITH ORDINALITY i (id, place)
            LEFT JOIN josch.alarms a ON a.alarm_id = i.id OFFSET 0) x ORDER BY place"
}

proc ::acts::Answer {id keys result} {
    Note $id [lindex $keys 0] [judged $result]
    Next $id
}

# A row for each; when the statement has failed, all of it has.
proc ::acts::AnswerMany {id keys result} {
    if {[dict get $result ok]} {
        foreach key $keys row [db::dicts $result] {
            Note $id $key [dict merge $row [dict create ok [expr {[dict get $row sqlstate] eq ""}]]]
        }
    } else {
        foreach key $keys {
            Note $id $key [judged $result]
        }
    }
    Next $id
}

proc ::acts::Note {id key result} {
    variable pending
    if {[dict get $result ok]} {
        dict lappend pending($id) done $key
    } else {
        dict lappend pending($id) refused [list $key $result]
    }
}

proc ::acts::Finish {id} {
    variable pending
    set outcome $pending($id)
    unset pending($id)
    Remember $outcome
    set summary [dict filter $outcome key action done refused]
    event generate . <<ActDone>> -data $summary
    event generate . <<ActProgress>>
    acts_told::refusals $outcome
    if {[dict get $outcome callback] ne {}} {
        {*}[dict get $outcome callback] [dict merge $summary [dict filter $outcome key rows]]
    }
}

# What came of the last act on several nodes, in words.
proc ::acts::outcome {} {
    variable last
    return $last
}

proc ::acts::Remember {outcome} {
    variable last
    set all [dict size [dict get $outcome rows]]
    set refused [llength [dict get $outcome refused]]
    set last [expr {$all == 1 ? "" : "[label [dict get $outcome action]]: [llength [dict get $outcome done]] of $all done[expr {
        $refused ? ", $refused refused" : ""}]"}]
}

# Is an act on that node under way?
proc ::acts::busy {key} {
    variable pending
    foreach id [array names pending] {
        if {$key in [dict get $pending($id) left] || $key in [dict get $pending($id) asked]} {
            return 1
        }
    }
    return 0
}

# How far acts on several nodes are: words, empty when there are none under way.
proc ::acts::progress {} {
    variable pending
    set parts {}
    foreach id [array names pending] {
        set all [dict size [dict get $pending($id) rows]]
        set left [expr {$all - [llength [dict get $pending($id) done]] - [llength [dict get $pending($id) refused]]}]
        if {$all > 1} {
            lappend parts "[label [dict get $pending($id) action]]: [expr {$all - $left}] of $all\u2026"
        }
    }
    return [join $parts ", "]
}

proc ::acts::details_of {answer} {
    set parts {}
    foreach part {detail hint} {
        if {[dict exists $answer $part] && [dict get $answer $part] ne ""} {
            lappend parts [dict get $answer $part]
        }
    }
    return [join $parts \n]
}

namespace eval ::acts {
    variable serial 0
    variable last ""
    # nodes in a statement
    variable part 50
    variable pending
    array set pending {}
}
