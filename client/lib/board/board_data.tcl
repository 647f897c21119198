# client/lib/board/board_data.tcl
#
# The day that the board shows: its rows, dependencies and levels, kept up to date.
#
# The views ask here and are told by events on . what to look at again:
# <<BoardLoaded>>   another day or structure: everything is new
# <<BoardChanged>>  some rows, or who looks at them, have changed: board::changed has their keys
# <<BoardScope>>    another job of the same day was chosen
# <<BoardPulse>>    counts, health and the lists of dates and jobs were read
# A key is {node_id date}; a row is a dict of the columns of josch.board, times as
# seconds since 1970 or "". Rows of other days and nodes that were never made
# ("exists" 0) are there when a dependency leads to them.

namespace eval ::board {
    variable read_gap 150
    variable pulse_gap 5000
    variable date ""
    variable job ""
    # key -> row
    variable row
    array set row {}
    variable edges {}
    # edge -> its condition, of those that wait for something else than success; key -> 1, of nodes that join by any
    variable conditions {}
    variable joins_any {}
    variable levels {}
    # keys of the day itself, parents first
    variable order {}
    variable changed {}
    variable dates {}
    # job -> number of nodes on the date
    variable jobs {}
    variable today ""
    # whether the board shows the newest day, whichever that is: until a person chooses another
    variable follows 1
    # number of nodes of all dates that wait for a person, "" until it has been read
    variable attention ""
    # key -> who looks at it, a row as claims::who has it; those of the day that are in force
    variable claims {}
    # key -> how far its run is, and what that says; those of the day that run and have said so
    variable run_progress {}
    # key -> kinds and messages of its open alarms; those of the day that are late or take too long
    variable alarms {}
    variable health {}
    # the state of the reading
    variable read
    array set read {
        listed 0 dirty 0 busy 0 last 0 timer "" xmin "" signature "" shown "" differs 0 generation 0 loading 0 pulse ""
        dates {} merge 0
    }
}

# ---- what the views ask ----

proc ::board::date {} {
    variable date
    return $date
}

proc ::board::job {} {
    variable job
    return $job
}

# All rows, of the day and of what it hangs on.
proc ::board::rows {} {
    variable row
    return [array get row]
}

proc ::board::row {key} {
    variable row
    return [expr {[info exists row($key)] ? $row($key) : {}}]
}

proc ::board::changed {} {
    variable changed
    return $changed
}

# Keys of the nodes of the chosen job (all jobs: of the date), parents first.
proc ::board::inside {} {
    variable order
    variable row
    variable job
    if {$job eq ""} {
        return $order
    }
    return [lmap key $order {
        if {[dict get $row($key) job_name] ne $job} continue
        set key
    }]
}

proc ::board::is_inside {key} {
    variable row
    variable date
    variable job
    return [expr {[lindex $key 1] eq $date && [info exists row($key)] && [dict get $row($key) exists]
        && ($job eq "" || [dict get $row($key) job_name] eq $job)}]
}

# Dependencies (pairs of keys) with at least one end among the nodes inside.
proc ::board::edges {} {
    variable edges
    return [lmap edge $edges {
        if {![is_inside [lindex $edge 0]] && ![is_inside [lindex $edge 1]]} continue
        set edge
    }]
}

# What a dependency waits for: success, done, failure or well.
proc ::board::condition {edge} {
    variable conditions
    return [if {[dict exists $conditions $edge]} {dict get $conditions $edge} else {string cat success}]
}

# All of those that wait for something else than success: edge -> condition; all that join by any: key -> 1.
proc ::board::odd_edges {} {
    variable conditions
    return $conditions
}

proc ::board::odd_joins {} {
    variable joins_any
    return $joins_any
}

# Does one satisfied dependency of many suffice the node?
proc ::board::joins_any {key} {
    variable joins_any
    return [dict exists $joins_any $key]
}

# key -> number of the level, for the nodes of the date.
proc ::board::levels {} {
    variable levels
    return $levels
}

# state -> number of nodes inside.
proc ::board::counts {} {
    variable row
    set counts {}
    foreach key [inside] {
        dict incr counts [dict get $row($key) state]
    }
    return $counts
}

proc ::board::dates {} {
    variable dates
    return $dates
}

proc ::board::jobs {} {
    variable jobs
    return $jobs
}

proc ::board::today {} {
    variable today
    return $today
}

# Has the day been read that is chosen? Before that nothing can be said of it, not even that it has no nodes.
proc ::board::known {} {
    variable date
    variable read
    return [expr {$date ne "" && $read(shown) eq $date}]
}

# Number of nodes inside that are at their end, or serve, and of all inside.
proc ::board::progress {} {
    set done 0
    set all 0
    dict for {state count} [counts] {
        incr all $count
        if {[states::is $state satisfies] || [states::is $state final]} {
            incr done $count
        }
    }
    return [list $done $all]
}

# The moment that the board shows, in seconds, by the server's clock.
proc ::board::moment {} {
    return [expr {[past] eq "" ? [server_clock::now] : [past]}]
}

# Number of nodes of all dates that wait for a person; "" when that is not known.
proc ::board::attention {} {
    variable attention
    return $attention
}

# What a node waits for outside, in a word each: the file, "query"; empty for nothing.
proc ::board::waits_for {row} {
    if {![dict exists $row wait_file]} {
        return ""
    }
    set parts [concat [list [dict get $row wait_file]] [expr {[dict get $row wait_sql] eq "" ? "" : "query"}]]
    return [join [lsearch -all -inline -not -exact $parts ""] ", "]
}

# The same in whole, a line each, and whether it is there.
proc ::board::waits_words {row} {
    if {[waits_for $row] eq ""} {
        return ""
    }
    set lines {}
    dict with row {
        if {$wait_file ne ""} {
            lappend lines [expr {$file_found eq "" ? "waits for file $wait_file" : "file $file_found is there"}]
        }
        if {$wait_sql ne ""} {
            lappend lines "[expr {$sql_true ? "is true" : "waits for query"}]: [string trim $wait_sql]"
        }
    }
    return [join $lines \n]
}

# Rows of josch.health() as dicts.
proc ::board::health {} {
    variable health
    return $health
}

# ---- choosing ----

# A person wants that day; the newest is followed, by that of tomorrow.
proc ::board::choose_date {new} {
    variable follows
    set follows [expr {$new eq [newest]}]
    ShowDate $new
}

proc ::board::ShowDate {new} {
    variable date
    if {$new ne $date} {
        set date $new
        EndPast
        reload
    }
}

# The day that people work on: today, else the last day before it, else the first that there is.
proc ::board::newest {} {
    variable dates
    variable today
    foreach one $dates {
        if {$one <= $today} {
            return $one
        }
    }
    return [lindex $dates end]
}

proc ::board::choose_job {new} {
    variable job
    if {$new ne $job} {
        set job $new
        event generate . <<BoardScope>>
    }
}
