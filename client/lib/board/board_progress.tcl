# client/lib/board/board_progress.tcl
#
# How far the runs of the day are, as they say themselves (JOSCH_REPORT, josch.report).
#
# Constraint: that a run says something is no change of its node. So it is read whenever something is announced, and at each
# pulse, and only of what runs.

proc ::board::ReadProgress {} {
    variable date
    if {$date eq ""} {
        return
    }
    db::query "SELECT node_id, to_char(job_date, 'YYYY-MM-DD') AS job_date, progress::text, coalesce(progress_text, '') AS text
        FROM josch.board WHERE job_date = [db::quote $date]::date AND state IN ('running', 'up') AND progress IS NOT NULL" \
        [namespace code [list TakeProgress $date]] board-progress
}

# Views look again at the nodes whose runs have said something else.
proc ::board::TakeProgress {of_date result} {
    variable run_progress
    variable changed
    variable date
    if {![dict get $result ok] || $of_date ne $date || [past] ne ""} {
        return
    }
    set former $run_progress
    set run_progress [dict create]
    foreach row [db::dicts $result] {
        set key [list [dict get $row node_id] [dict get $row job_date]]
        dict set run_progress $key [list [dict get $row progress] [dict get $row text]]
    }
    set differ {}
    foreach key [dict keys [dict merge $former $run_progress]] {
        set before [expr {[dict exists $former $key] ? [dict get $former $key] : {}}]
        set now [expr {[dict exists $run_progress $key] ? [dict get $run_progress $key] : {}}]
        if {$before ne $now} {
            lappend differ $key
        }
    }
    if {$differ ne {}} {
        set changed $differ
        event generate . <<BoardChanged>>
    }
}

# What the run of a node says now: the part that is done, from 0 to 1, and a text; {} for nothing, and of the past.
proc ::board::run_progress {key} {
    variable run_progress
    return [expr {[past] eq "" && [dict exists $run_progress $key] ? [dict get $run_progress $key] : {}}]
}

# The same in words: "40% reading book 3"; empty for nothing.
proc ::board::progress_words {key} {
    return [percent {*}[run_progress $key]]
}

proc ::board::percent {{part ""} {text ""}} {
    return [expr {$part eq "" ? "" : [string trimright "[expr {int(floor($part * 100))}]% $text"]}]
}
