# client/lib/popup/model.tcl
#
# What this person should see: the rows of josch.attention on one side, windows on the other. Decides which nodes have a
# window of their own, which stand in the list, and what is put off. A window that a person has asked for is there until it is
# closed, whatever state its node is in. Pure: a model is a value, the moment is an argument.
#
# Alarms that nobody has acknowledged are rows, too: they stand in the list, after all nodes, and have no window of their own.
#
# Constraint: a model is told what is true, never what has changed; a notification that was lost, doubled or late does
# no harm. A key is {node_id job_date}, of an alarm {alarm_id alarm}; a row is a dict of josch.attention's columns, with "since"
# in seconds of the epoch, of an alarm with alarm_id besides.

namespace eval ::model {}

# A model that knows nothing. many: more nodes than this make a list instead of windows.
proc ::model::new {{many 5}} {
    dict create many $many rows {} others {} snoozed {} done {} asked {} listing 0
}

proc ::model::key {row} {
    if {[dict exists $row alarm_id]} {
        return [list [dict get $row alarm_id] alarm]
    }
    list [dict get $row node_id] [dict get $row job_date]
}

proc ::model::is_alarm {key} {
    expr {[lindex $key 1] eq "alarm"}
}

# Take the rows of what waits, as they are now, all of them, and those of what else a person has asked for.
proc ::model::take {model rows {others {}}} {
    set known [dict create]
    foreach row $rows {
        set key [key $row]
        # a reading that began before this person's own act may still show what is over
        if {[dict exists $model done $key] && [dict get $row change_id] <= [dict get $model done $key]} {
            continue
        }
        dict set known $key $row
    }
    dict set model rows $known
    dict set model others [dict create]
    foreach row $others {
        dict set model others [key $row] $row
    }
    dict set model snoozed [dict filter [dict get $model snoozed] script {key value} {SnoozeHolds $known $key $value}]
    return $model
}

# A snooze is for what the node was when it was put off: when something new happens to it, it is there again.
proc ::model::SnoozeHolds {rows key value} {
    expr {[dict exists $rows $key] && [dict get $rows $key change_id] eq [lindex $value 1]}
}

# Put nodes off until a moment.
proc ::model::snooze {model keys until} {
    foreach key $keys {
        if {[dict exists $model rows $key]} {
            dict set model snoozed $key [list $until [dict get $model rows $key change_id]]
        }
        dict unset model asked $key
    }
    return $model
}

# This person has acted on a node as it was at change_id. What has happened to it since is a new round, and waits.
proc ::model::acted {model key change_id} {
    dict set model done $key $change_id
    if {[dict exists $model rows $key] && [dict get $model rows $key change_id] <= $change_id} {
        dict unset model rows $key
        dict unset model snoozed $key
    }
    return $model
}

# This person wants a window for the node, whatever its state and the number.
proc ::model::ask {model key} {
    dict unset model snoozed $key
    dict set model asked $key 1
    return $model
}

proc ::model::asked {model {key ""}} {
    if {$key eq ""} {
        return [dict keys [dict get $model asked]]
    }
    dict exists $model asked $key
}

# This person has closed its window: what stands in the list stays there, what would come up again is put off.
proc ::model::close {model key until} {
    if {[dict get $model listing]} {
        dict unset model asked $key
        return $model
    }
    snooze $model [list $key] $until
}

# Forget all that was put off.
proc ::model::wake {model} {
    dict set model snoozed {}
    return $model
}

proc ::model::row {model key} {
    foreach part {rows others} {
        if {[dict exists $model $part $key]} {
            return [dict get $model $part $key]
        }
    }
    return {}
}

# Does the node wait for a person?
proc ::model::waits {model key} {
    dict exists $model rows $key
}

# Keys of nodes alone, or of alarms.
proc ::model::Of {keys alarms} {
    lsearch -all -inline {*}[expr {$alarms ? "" : "-not"}] -exact -index 1 $keys alarm
}

# How many wait, and how many of them are put off: {all off}.
proc ::model::count {model now {alarms 0}} {
    set off [lmap key [Of [dict keys [dict get $model snoozed]] $alarms] {
        if {[lindex [dict get $model snoozed $key] 0] <= $now} continue
        set key
    }]
    list [llength [Of [dict keys [dict get $model rows]] $alarms]] [llength $off]
}

# Keys of all nodes that wait, or of all alarms, the longest first.
proc ::model::waiting {model {alarms 0}} {
    set order {}
    foreach key [Of [dict keys [dict get $model rows]] $alarms] {
        lappend order [list [dict get $model rows $key since] [lindex $key 0] $key]
    }
    lmap item [lsort -real -index 0 [lsort -integer -index 1 $order]] {lindex $item 2}
}

# Those of them that are not put off.
proc ::model::awake {model now {alarms 0}} {
    lmap key [waiting $model $alarms] {
        if {[dict exists $model snoozed $key] && [lindex [dict get $model snoozed $key] 0] > $now} {
            continue
        }
        set key
    }
}

# The next moment at which something that was put off is to be shown again; empty without.
proc ::model::wakes_at {model now} {
    set next ""
    dict for {key value} [dict get $model snoozed] {
        set until [lindex $value 0]
        if {$until > $now && ($next eq "" || $until < $next)} {
            set next $until
        }
    }
    return $next
}

# Windows have no room beside each other: one list for all that waits.
proc ::model::crowd {model} {
    dict set model listing 1
    return $model
}

# What to show now: {model windows list}. windows: keys that have a window each; list: keys that stand in the list window,
# which is there when this is not empty. busy: keys of windows in which the person is writing: those stay. The list goes
# when it is empty, not when it is short: windows do not burst out of a list that is being worked off. With nothing but
# alarms in it, nodes that come have windows again. unasked: whether windows and the list come by themselves; else only for
# what the person has asked for.
proc ::model::view {model now {busy {}} {unasked 1}} {
    set awake [awake $model $now]
    set alarms [awake $model $now 1]
    if {$unasked && [llength $awake] > [dict get $model many]} {
        dict set model listing 1
    } elseif {![llength $awake] && ($unasked || ![llength $alarms])} {
        dict set model listing 0
    }
    set windows [lmap key $awake {
        if {![asked $model $key] && $key ni $busy && (!$unasked || [dict get $model listing])} continue
        set key
    }]
    foreach key [asked $model] {
        if {$key ni $windows} {
            lappend windows $key
        }
    }
    set listing [dict get $model listing]
    return [list $model $windows [concat [expr {$listing ? $awake : {}}] [expr {$listing || $unasked ? $alarms : {}}]]]
}

# How long something has waited, in words that change slowly.
proc ::model::span {seconds} {
    set seconds [expr {max(0, int($seconds))}]
    set minutes [expr {$seconds / 60}]
    if {$seconds < 60} {
        return "$seconds s"
    }
    if {$minutes < 60} {
        return "$minutes min"
    }
    if {$minutes < 48 * 60} {
        return [format "%d h %02d min" [expr {$minutes / 60}] [expr {$minutes % 60}]]
    }
    return "[expr {$minutes / 1440}] days"
}
