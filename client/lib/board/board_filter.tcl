# client/lib/board/board_filter.tcl
#
# Which nodes the board shows and in which order: the search box, the states that are switched on, the heading that was
# clicked. Also how times are written in a table.
#
# Constraint: pure, so that it is tested without a window: rows in, keys out. A row is a dict as board::row gives it.

namespace eval ::board_filter {
    # column of the table -> how it sorts: text (dictionary order), number (empty last), state, place (the day's order)
    variable kinds {
        node_name text node_id number node_type text job_name text state state state_since number
        started_at number took number attempt number message text order place
    }
}

# Does a row pass? states: those switched on, {} for all; text: words that must all occur in name, id, job, state or message, or
# in what else is said of the node.
proc ::board_filter::passes {row states text {said ""}} {
    if {$states ne {} && [dict get $row state] ni $states} {
        return 0
    }
    set hay ""
    foreach word [Words $text] {
        if {$hay eq ""} {
            foreach column {node_name node_id job_name state message acted_by comment} {
                append hay [string tolower [dict get $row $column]] \n
            }
            append hay "\[[string tolower [dict get $row node_type]]\]\n[string tolower $said]"
        }
        if {[string first $word $hay] < 0} {
            return 0
        }
    }
    return 1
}

# The words of a search text, in lower case; whatever the person types is only text.
proc ::board_filter::Words {text} {
    return [regexp -all -inline {\S+} [string tolower $text]]
}

# Seconds that the latest run has taken; empty before the first. now: for one that is not over.
proc ::board_filter::took {row now} {
    set start [dict get $row started_at]
    if {$start eq ""} {
        return ""
    }
    set end [dict get $row ended_at]
    if {$end eq ""} {
        set end [expr {[dict get $row state] in {running up} ? $now : ""}]
    }
    return [expr {$end eq "" ? "" : max(0, $end - $start)}]
}

# Keys in the order of a column. rows: dict key -> row, in the day's order; it decides between equals.
proc ::board_filter::sort {rows column descending now} {
    variable kinds
    set kind [expr {[dict exists $kinds $column] ? [dict get $kinds $column] : "place"}]
    set keys [dict keys $rows]
    if {$kind eq "place"} {
        return [expr {$descending ? [lreverse $keys] : $keys}]
    }
    set pairs {}
    dict for {key row} $rows {
        set value [expr {$column eq "took" ? [took $row $now] : [dict get $row $column]}]
        if {$kind eq "state"} {
            set value [lsearch -exact [states::names] $value]
        }
        lappend pairs [list $value $key]
    }
    return [sorting::keys $pairs $kind $descending]
}

# ---- times ----

# A moment as people on a desk read it: the time of day, with the date when that is another one than the board's.
proc ::board_filter::clock_text {seconds date} {
    if {$seconds eq ""} {
        return ""
    }
    set whole [expr {int($seconds)}]
    if {[clock format $whole -format %Y-%m-%d] eq $date} {
        return [clock format $whole -format %H:%M:%S]
    }
    return [clock format $whole -format "%d %b %H:%M"]
}

# A length of time in two units at most: 7 s, 1 min 05 s, 2 h 07 min, 3 d 04 h.
proc ::board_filter::span_text {seconds} {
    if {$seconds eq ""} {
        return ""
    }
    if {$seconds < 10} {
        return [format "%.1f s" $seconds]
    }
    set whole [expr {int($seconds)}]
    if {$whole < 60} {
        return "$whole s"
    }
    if {$whole < 3600} {
        return [format "%d min %02d s" [expr {$whole / 60}] [expr {$whole % 60}]]
    }
    if {$whole < 86400} {
        return [format "%d h %02d min" [expr {$whole / 3600}] [expr {$whole / 60 % 60}]]
    }
    return [format "%d d %02d h" [expr {$whole / 86400}] [expr {$whole / 3600 % 24}]]
}
