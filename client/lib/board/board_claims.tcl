# client/lib/board/board_claims.tcl
#
# What waits for people, as the board tells of it: how many nodes do, and who looks at those of the day.
#
# Constraint: that somebody looks at a node is no change of the node. So it is read whenever something is announced, and at each
# pulse, as it also ends without a word.

proc ::board::ReadAttention {} {
    variable date
    set day [expr {$date eq "" ? "NULL" : [db::quote $date]}]
    db::query "SELECT count(*), extract(epoch FROM josch.now()) FROM josch.attention;
        SELECT node_id, to_char(job_date, 'YYYY-MM-DD') AS job_date, claimed_by, extract(epoch FROM claimed_at) AS claimed_at,
            extract(epoch FROM claimed_until) AS claimed_until, coalesce(claim_comment, '') AS claim_comment
        FROM josch.attention WHERE claimed_by IS NOT NULL AND job_date = ${day}::date" \
        [namespace code [list TakeAttention $date]] board-attention
    ReadProgress
}

proc ::board::TakeAttention {of_date result} {
    variable attention
    variable date
    if {[dict get $result ok]} {
        lassign [lindex [dict get [lindex [dict get $result all] 0] rows] 0] attention now
        server_clock::heard $now
        event generate . <<BoardPulse>>
        if {$of_date eq $date && [past] eq ""} {
            TakeClaims [db::dicts $result]
        }
    }
}

# Views look again at the nodes that somebody has taken or let go.
proc ::board::TakeClaims {rows} {
    variable claims
    variable changed
    set former $claims
    set claims [dict create]
    foreach row $rows {
        dict set claims [list [dict get $row node_id] [dict get $row job_date]] $row
    }
    set differ {}
    foreach key [dict keys [dict merge $former $claims]] {
        if {![dict exists $former $key] || ![dict exists $claims $key] || [dict get $former $key] ne [dict get $claims $key]} {
            lappend differ $key
        }
    }
    if {$differ ne {}} {
        set changed $differ
        event generate . <<BoardChanged>>
    }
}

# Who looks at a node now, as a row for claims::who; {} for nobody.
proc ::board::claim {key} {
    variable claims
    return [expr {[dict exists $claims $key] ? [dict get $claims $key] : {}}]
}

# The moment of its next attempt, of what has failed and waits for that; empty of all else.
proc ::board::next_attempt {row} {
    set at [dict get $row not_before]
    return [expr {$at eq "" || [dict get $row state] ni {pending ready} || $at <= [moment] ? "" : $at}]
}

# "attempt 2 of 3, next at 16:45:00", or of one that is repeated "next at 16:45:00"; its message may say so itself.
proc ::board::NextAttempt {row} {
    set at [next_attempt $row]
    set message [dict get $row message]
    if {$at eq "" || [string match "attempt *" $message] || [string match "*again at*" $message]} {
        return ""
    }
    if {[dict get $row retried] eq "0"} {
        return "next at [board_filter::clock_text $at [dict get $row job_date]]"
    }
    set attempt [dict get $row attempt]
    set last [expr {$attempt + [dict get $row retries] - [dict get $row retried] + 1}]
    return "attempt [expr {$attempt + 1}] of $last, next at [board_filter::clock_text $at [dict get $row job_date]]"
}

# "not before 14:00:00", of what has not begun and waits for that, or for its next attempt; empty of all else.
proc ::board::not_before {row} {
    set due [dict get $row due_at]
    if {[next_attempt $row] ne ""} {
        return [NextAttempt $row]
    }
    if {$due eq "" || [dict get $row state] ni {pending ready} || $due <= [moment]} {
        return ""
    }
    return "not before [board_filter::clock_text $due [dict get $row job_date]]"
}

# What is said of a node in one line: that it is late, who looks at it, how far it is, why it is in its state, and that its time
# has not come.
proc ::board::said {key} {
    set row [row $key]
    set parts [list [alarm_mark $key] \
        [claims::short [claim $key]] [progress_words $key] [dict get $row message] [not_before $row]]
    return [join [lmap part $parts {
        if {$part eq ""} continue
        set part
    }] " \u00b7 "]
}
