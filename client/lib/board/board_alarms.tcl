# client/lib/board/board_alarms.tcl
#
# What stands on the board of alarms: a mark before the message of a node that is late or takes too long, and what it means.
#
# Constraint: an alarm is no change of its node, so it is read beside (alarms.tcl says when), of the date that is shown alone.
# An alarm that only repeats what the state says has no mark: all that has failed would bear one.

proc ::board::read_alarms {} {
    variable date
    if {$date eq "" || [db::state] ne "online"} {
        return
    }
    db::query "SELECT node_id, string_agg(replace(kind, '_', ' '), ', ' ORDER BY due_at, kind) AS kinds,
            string_agg(message || coalesce(' (acknowledged by ' || acked_by || ')', ''), chr(10)
                ORDER BY due_at, kind) AS message
        FROM josch.alarms WHERE job_date = [db::quote $date]::date AND cleared_at IS NULL AND node_id IS NOT NULL
            AND kind IN ('late_start', 'late_end', 'too_long') GROUP BY node_id" \
        [namespace code [list TakeAlarms $date]] board-alarms
}

# Views look again at the nodes that have got or lost one.
proc ::board::TakeAlarms {of_date result} {
    variable alarms
    variable changed
    variable date
    if {![dict get $result ok] || $of_date ne $date || [past] ne ""} {
        return
    }
    set former $alarms
    set alarms [dict create]
    foreach row [db::dicts $result] {
        dict set alarms [list [dict get $row node_id] $date] [list [dict get $row kinds] [dict get $row message]]
    }
    set differ {}
    foreach key [dict keys [dict merge $former $alarms]] {
        if {![dict exists $former $key] || ![dict exists $alarms $key] || [dict get $former $key] ne [dict get $alarms $key]} {
            lappend differ $key
        }
    }
    if {$differ ne {}} {
        set changed $differ
        event generate . <<BoardChanged>>
    }
}

# The open alarms of a node: their kinds in words, and their messages; {} for none, and of the past.
proc ::board::alarms {key} {
    variable alarms
    return [expr {[past] eq "" && [dict exists $alarms $key] ? [dict get $alarms $key] : {}}]
}

# The mark: "⚑ late end"; empty for none.
proc ::board::alarm_mark {key} {
    set kinds [lindex [alarms $key] 0]
    return [expr {$kinds eq "" ? "" : "\u2691 $kinds"}]
}
