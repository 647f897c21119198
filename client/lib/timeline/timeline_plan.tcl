# client/lib/timeline/timeline_plan.tcl
#
# What the bars of the timeline are: what was, what is, what is to be expected.
#
# Pure: rows in, bars out; no window, no database. The forecast decides nothing: it says when things would begin if each took
# as long as it usually does and people acted at once. One pass in the board's order, parents first.

namespace eval ::timeline_plan {}

# When each node would begin and end: key -> {start end}, for those that have not ended. order: keys, parents first; parents:
# key -> keys; usual: node_id -> seconds; conditions: {parent child} -> condition, of those that wait for something else than
# success; any: keys that join by any. What has not ended is expected to succeed: what waits for a failure has no place then.
proc ::timeline_plan::forecast {order rows parents usual now {conditions {}} {any {}}} {
    set done {}
    set plan {}
    foreach key $order {
        set row [dict get $rows $key]
        set takes [expr {[dict exists $usual [lindex $key 0]] ? [dict get $usual [lindex $key 0]] : 0}]
        set state [dict get $row state]
        if {[states::is $state satisfies] || [states::is $state final]} {
            dict set done $key 0
            continue
        } elseif {[states::is $state attention]} {
            set start [number [dict get $row state_since] $now]
            set end $now
        } elseif {[states::is $state begun]} {
            set start [number [dict get $row started_at] $now]
            set end [expr {max($now, $start + $takes)}]
        } else {
            set start [Begin $key $rows $parents $done $now $conditions [dict exists $any $key]]
            if {$start eq ""} {
                dict set rows $key state omitted
                dict set done $key $now
                continue
            }
            set end [expr {$start + $takes}]
        }
        dict set done $key $end
        dict set plan $key [list $start $end]
    }
    return $plan
}

# key -> keys of its parents.
proc ::timeline_plan::parents {edges} {
    set parents {}
    foreach edge $edges {
        dict lappend parents [lindex $edge 1] [lindex $edge 0]
    }
    return $parents
}

# When a node that has not begun would begin: not before now, its time, its next attempt, its parents, or the first of them; ""
# when it would be omitted.
proc ::timeline_plan::Begin {key rows parents done now conditions any} {
    set begin [expr {max($now, [number [dict get $rows $key due_at] 0], [number [dict get $rows $key not_before] 0])}]
    set ends {}
    set lost 0
    if {[dict exists $parents $key]} {
        foreach parent [dict get $parents $key] {
            set edge [list $parent $key]
            if {[dict exists $rows $parent] && [IsLost [dict get $rows $parent state] \
                    [if {[dict exists $conditions $edge]} {dict get $conditions $edge} else {string cat success}]]} {
                incr lost
            } elseif {[dict exists $done $parent]} {
                lappend ends [dict get $done $parent]
            }
        }
    }
    if {$lost && (!$any || $ends eq {})} {
        return ""
    }
    return [expr {max($begin, [Last $ends $any])}]
}

proc ::timeline_plan::Last {ends any} {
    if {$ends eq {}} {
        return 0
    }
    return [if {$any} {tcl::mathfunc::min {*}$ends} else {tcl::mathfunc::max {*}$ends}]
}

# Will what a dependency waits for not come? A failed parent is mended, or given up: both may be.
proc ::timeline_plan::IsLost {state condition} {
    if {![states::is $state final] && $state ne "failed"} {
        set state succeeded
    }
    return [expr {[states::means $state $condition] eq "impossible"}]
}

proc ::timeline_plan::number {value else} {
    return [expr {$value eq "" ? $else : $value}]
}

# The bars of a node: a list of {kind from to state}. Kinds: run (what ran, or runs), wait (waits for a person), expected
# (the rest of a run), planned, moment (from = to: something was done that takes no time). runs: of the node, each {attempt
# status started up ended}, moments as numbers or "".
proc ::timeline_plan::bars {row runs forecast now} {
    set bars {}
    set state [dict get $row state]
    foreach run $runs {
        lassign $run attempt status started up ended
        # the latest one is told by the row, unless that waits for the next
        set former [expr {$attempt < [dict get $row attempt] || [dict get $row not_before] ne ""}]
        if {$former && $started ne "" && $ended ne ""} {
            lappend bars [list run $started $ended $status]
        }
    }
    if {![states::is $state begun] && ![states::is $state final] && ![states::is $state attention]} {
        if {$forecast ne {}} {
            lassign $forecast start end
            lappend bars [list planned $start $end $state]
        }
        return $bars
    }
    switch -- $state {
        running {
            set started [number [dict get $row started_at] [dict get $row state_since]]
            lappend bars [list run $started $now running]
            if {$forecast ne {} && [lindex $forecast 1] > $now} {
                lappend bars [list expected $now [lindex $forecast 1] running]
            }
            return $bars
        }
        up {
            return [concat $bars [UpBars $row $now]]
        }
    }
    return [concat $bars [PastBars $row $state $now]]
}

# A server: how long it took to come up, and how long it has been up.
proc ::timeline_plan::UpBars {row now} {
    set since [dict get $row state_since]
    set started [number [dict get $row started_at] $since]
    set bars {}
    if {$started < $since} {
        lappend bars [list run $started $since running]
    }
    return [lappend bars [list run $since [expr {max($now, $since)}] up]]
}

# The latest run, when there was one, then the wait for a person or the moment of an act.
proc ::timeline_plan::PastBars {row state now} {
    set bars {}
    set since [dict get $row state_since]
    set started [dict get $row started_at]
    set ended [number [dict get $row ended_at] $since]
    if {$started ne "" && $ended ne "" && $ended >= $started} {
        set shown [expr {$state in {review signoff} ? "succeeded" : $state}]
        lappend bars [list run $started $ended $shown]
    }
    if {$since eq ""} {
        return $bars
    }
    if {[states::is $state attention]} {
        lappend bars [list wait $since [expr {max($now, $since)}] $state]
    } elseif {$bars eq {} || $since > $ended + 1} {
        lappend bars [list moment $since $since $state]
    }
    return $bars
}

# From the first to the last moment of some bars, with a margin: {from to}.
proc ::timeline_plan::extent {bars now} {
    set from $now
    set to $now
    foreach bar $bars {
        set from [expr {min($from, [lindex $bar 1])}]
        set to [expr {max($to, [lindex $bar 2])}]
    }
    set margin [expr {max(5, ($to - $from) * 0.04)}]
    return [list [expr {$from - $margin}] [expr {$to + $margin}]]
}
