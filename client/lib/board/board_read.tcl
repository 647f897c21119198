# client/lib/board/board_read.tcl
#
# How the board's rows (board_data.tcl) come from the server: the day as a whole, what has changed since, and what no
# notification tells.
#
# Constraint: ten thousand notifications a second must cost nothing: each only says that a read is due, and a read begins
# at most every 150 ms. It asks for the rows that were written since the former snapshot (by transaction id, as a
# change_id is drawn long before its transaction commits), and compares what comes. All that is long is a coroutine in the
# work queue.

# ---- reading ----

proc ::board::StartReading {} {
    bind . <<DbNotify>> +[namespace code MarkDirty]
    bind . <<ActDone>> +[namespace code MarkDirty]
    bind . <<DbState>> +[namespace code ConnectionChanged]
    ConnectionChanged
}

proc ::board::ConnectionChanged {} {
    variable read
    variable attention
    if {[db::state] eq "online"} {
        set read(busy) 0
        set read(listed) 0
        set attention ""
        pulse
        reload
    }
}

proc ::board::MarkDirty {} {
    variable read
    set read(dirty) 1
    PlanRead
}

proc ::board::PlanRead {} {
    variable read
    variable read_gap
    if {$read(busy) || $read(timer) ne "" || !$read(dirty)} {
        return
    }
    set wait [expr {max(0, $read(last) + $read_gap - [clock milliseconds])}]
    set read(timer) [after $wait [namespace code ReadChanges]]
}

# The columns of a row of the board, of a table or function of that name: all as text, moments as seconds since 1970.
proc ::board::columns {table} {
    set forms [dict create date {to_char(%1$s.%2$s, 'YYYY-MM-DD')} text {coalesce(%1$s.%2$s::text, '')} \
        moment {coalesce(round(extract(epoch FROM %1$s.%2$s)::numeric, 3)::text, '')}]
    return [join [lmap {column form} {
        node_id text job_date date job_name text node_name text node_type text state text state_since moment due_at moment
        forced text run_id text attempt text started_at moment ended_at moment message text action text acted_by text
        acted_at moment comment text change_id text
        not_before moment retries text retried text
    } {
        string cat [format [dict get $forms $form] $table $column] " AS $column"
    }] {, }]
}

# The same, what a node waits for outside, and up to which transaction they show all that was done.
proc ::board::ColumnsSeen {} {
    return "[columns n], coalesce(n.wait_file, '') AS wait_file, coalesce(n.file_found, '') AS file_found,
        coalesce(n.wait_sql, '') AS wait_sql, (n.sql_true_at IS NOT NULL)::int AS sql_true,
        (SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text) AS seen"
}

# Everything of the chosen date: rows, dependencies, levels.
proc ::board::reload {} {
    variable read
    variable date
    if {[db::state] ne "online" || $date eq "" || [past] ne ""} {
        return
    }
    set generation [incr read(generation)]
    set read(loading) 1
    set day "[db::quote $date]::date"
    set read(structure) {}
    db::query "SELECT d.p_node_id, to_char(d.p_date, 'YYYY-MM-DD'), d.c_node_id, to_char(d.c_date, 'YYYY-MM-DD'), d.expected,
        d.condition, c.node_id IS NOT NULL
        FROM josch.drawn_deps d
        LEFT JOIN josch.nodes c ON c.node_id = d.c_node_id AND c.job_date = d.c_date AND c.join_rule = 'any'
        WHERE d.p_date = $day OR d.c_date = $day" [namespace code [list TakeEdges $generation]]
    db::query "SELECT s.node_id, s.level FROM josch.topological_sort(NULL, $day) s ORDER BY s.position" \
        [namespace code [list TakeLevels $generation]]
    db::query "SELECT [ColumnsSeen] FROM josch.nodes n WHERE n.job_date = $day OR (n.job_date, n.node_id) IN
        (SELECT d.p_date, d.p_node_id FROM josch.node_deps d WHERE d.c_date = $day UNION ALL
         SELECT d.c_date, d.c_node_id FROM josch.node_deps d WHERE d.p_date = $day)" \
        [namespace code [list TakeRows $generation]]
    ReadAttention
}

proc ::board::TakeEdges {generation result} {
    variable read
    if {$generation == $read(generation)} {
        dict set read(structure) edge_rows [expr {[dict get $result ok] ? [dict get $result rows] : {}}]
    }
}

proc ::board::TakeLevels {generation result} {
    variable read
    if {$generation == $read(generation)} {
        dict set read(structure) level_rows [expr {[dict get $result ok] ? [dict get $result rows] : {}}]
    }
}

proc ::board::TakeRows {generation result} {
    variable read
    if {$generation != $read(generation)} {
        return
    }
    if {![dict get $result ok]} {
        set read(loading) 0
        TellProblem $result
        return
    }
    ClearProblem
    coroutine ::board::loading$generation ::board::BuildDay $generation $result
}

# In a coroutine: let the window answer, then go on.
proc ::board::Pause {} {
    workq::add [list [info coroutine]] [info coroutine]
    yield
}

# In a coroutine: the day out of what was read; what is shown is replaced at the end, at one stroke.
proc ::board::BuildDay {generation result} {
    variable read
    variable row
    variable edges
    variable conditions
    variable joins_any
    variable levels
    variable order
    variable date
    set new [NewRows $result]
    set day [BuildEdges $new [dict get $read(structure) edge_rows]]
    set sorted [BuildLevels [dict get $day rows] [dict get $read(structure) level_rows]]
    if {$generation != $read(generation)} {
        return
    }
    array unset row
    array set row [dict get $day rows]
    set edges [dict get $day edges]
    set conditions [dict get $day conditions]
    set joins_any [dict get $day joins_any]
    set levels [dict get $sorted levels]
    set order [dict get $sorted order]
    set read(dates) [dict get $day dates]
    set read(signature) "[llength $order] [llength $edges]"
    set read(shown) $date
    set read(xmin) [lindex [dict get $result rows] 0 end]
    set read(loading) 0
    set read(last) [clock milliseconds]
    event generate . <<BoardLoaded>>
    PlanRead
}

# key -> row of what the server gave (columns_seen).
proc ::board::NewRows {result} {
    set names [lrange [dict get $result columns] 0 end-1]
    set new {}
    set count 0
    foreach line [dict get $result rows] {
        set one {}
        foreach name $names value [lrange $line 0 end-1] {
            dict set one $name $value
        }
        dict set one exists 1
        dict set new [list [dict get $one node_id] [dict get $one job_date]] $one
        if {[incr count] % 200 == 0} {
            Pause
        }
    }
    return $new
}

# The dependencies as pairs of keys and what is odd about them, the dates that they touch, and the rows with those of parents
# that were never made.
proc ::board::BuildEdges {rows lines} {
    variable date
    set edges {}
    lassign {} conditions joins_any
    set days [dict create $date 1]
    set count 0
    foreach line $lines {
        lassign $line parent parent_date child child_date expected condition any
        set from [list $parent $parent_date]
        set to [list $child $child_date]
        foreach key [list $from $to] {
            if {![dict exists $rows $key]} {
                dict set rows $key [absent_row $key $expected]
            }
            dict set days [lindex $key 1] 1
        }
        lappend edges [list $from $to]
        if {$condition ni {success ""}} {
            dict set conditions [list $from $to] $condition
        }
        if {$any in {t true}} {
            dict set joins_any $to 1
        }
        if {[incr count] % 400 == 0} {
            Pause
        }
    }
    return [dict create rows $rows edges $edges conditions $conditions joins_any $joins_any dates [dict keys $days]]
}

# The levels of the day's nodes, and the nodes with parents first; one that came after the sort is put at the end.
proc ::board::BuildLevels {rows lines} {
    variable date
    set levels {}
    set order {}
    foreach line $lines {
        set key [list [lindex $line 0] $date]
        if {[dict exists $rows $key]} {
            dict set levels $key [lindex $line 1]
            lappend order $key
        }
    }
    Pause
    dict for {key one} $rows {
        if {[lindex $key 1] eq $date && [dict get $one exists] && ![dict exists $levels $key]} {
            dict set levels $key 0
            lappend order $key
        }
    }
    return [dict create levels $levels order $order]
}

proc ::board::absent_row {key expected} {
    lassign $key node_id date
    set new [dict create node_id $node_id job_date $date node_name "" job_name "" node_type "" exists 0 \
        state "" message [expr {$expected in {t true 1} ? "not made yet" : "absent"}] change_id 0]
    foreach column {
        state_since due_at forced run_id attempt started_at ended_at action acted_by acted_at comment not_before retries retried
    } {
        dict set new $column ""
    }
    return $new
}

# The rows that were written since the last read.
proc ::board::ReadChanges {} {
    variable read
    variable date
    set read(timer) ""
    if {[db::state] ne "online" || $date eq "" || $read(loading) || [past] ne ""} {
        return
    }
    if {$read(xmin) eq ""} {
        set read(dirty) 0
        reload
        return
    }
    set read(dirty) 0
    set read(busy) 1
    set read(last) [clock milliseconds]
    set days [join [lmap day $read(dates) {string cat [db::quote $day] ::date}] ,]
    db::query "SELECT [ColumnsSeen] FROM josch.nodes n
        WHERE n.job_date IN ($days) AND age(n.xmin) <= age([db::quote $read(xmin)]::xid)" \
        [namespace code [list TakeChanges $read(generation)]]
    ReadAttention
}

proc ::board::TakeChanges {generation result} {
    variable read
    if {[dict get $result ok] && $generation == $read(generation)} {
        coroutine ::board::merging[incr read(merge)] ::board::Merge $generation $result
    } else {
        set read(busy) 0
        PlanRead
    }
}

# In a coroutine: take over what differs from what is shown.
proc ::board::Merge {generation result} {
    variable read
    variable row
    variable changed
    variable date
    set news [NewRows $result]
    set read(busy) 0
    if {$generation != $read(generation) || $read(loading)} {
        return
    }
    if {[dict size $news]} {
        set read(xmin) [lindex [dict get $result rows] 0 end]
    }
    set changed {}
    dict for {key new} $news {
        if {![info exists row($key)]} {
            if {[lindex $key 1] eq $date} {
                reload
                return
            }
        } elseif {$row($key) ne $new} {
            if {![dict get $row($key) exists]} {
                reload
                return
            }
            set row($key) $new
            lappend changed $key
        }
    }
    if {$changed ne {}} {
        event generate . <<BoardChanged>>
    }
    PlanRead
}

# ---- what no notification tells ----

# Health, the lists of dates and jobs, and whether the day has other nodes or dependencies than what is shown.
proc ::board::pulse {} {
    variable read
    variable date
    variable pulse_gap
    after cancel $read(pulse)
    set read(pulse) [after $pulse_gap [namespace code pulse]]
    if {[db::state] ne "online"} {
        return
    }
    db::query {SELECT component, up::text, coalesce(pid::text, '') AS pid, coalesce(since::timestamptz(0)::text, '') AS since,
        coalesce(detail, '') AS detail FROM josch.health()} [namespace code TakeHealth] board-health
    db::query {SELECT to_char(josch.today(NULL), 'YYYY-MM-DD'), to_char(d.job_date, 'YYYY-MM-DD')
        FROM (SELECT DISTINCT job_date FROM josch.jobs) d ORDER BY d.job_date DESC LIMIT 1000} \
        [namespace code TakeDates] board-dates
    ReadAttention
    if {$date ne ""} {
        set day "[db::quote $date]::date"
        db::query "SELECT j.job_name,
            (SELECT count(*) FROM josch.nodes n WHERE n.job_date = j.job_date AND n.job_name = j.job_name),
            (SELECT count(*) FROM josch.node_deps d WHERE d.p_date = $day OR d.c_date = $day),
            (SELECT sum(n.change_id) FROM josch.nodes n WHERE n.job_date = $day)
            FROM josch.jobs j WHERE j.job_date = $day ORDER BY j.job_name" [namespace code [list TakeJobs $date]] board-jobs
    }
}

proc ::board::TakeHealth {result} {
    variable health
    set health [expr {[dict get $result ok] ? [db::dicts $result] : {}}]
    event generate . <<BoardPulse>>
}

proc ::board::TakeDates {result} {
    variable dates
    variable today
    variable date
    variable follows
    variable read
    if {![dict get $result ok]} {
        TellProblem $result
        return
    }
    set dates {}
    set read(listed) 1
    foreach line [dict get $result rows] {
        lassign $line today one
        lappend dates $one
    }
    if {$dates eq {}} {
        set today ""
    } elseif {($follows || $date eq "") && [past] eq "" && $date ne [newest]} {
        ShowDate [newest]
        pulse
    }
    event generate . <<BoardPulse>>
}

proc ::board::TakeJobs {day result} {
    variable jobs
    variable date
    variable read
    if {![dict get $result ok] || $day ne $date} {
        return
    }
    set jobs {}
    set nodes 0
    lassign {0 0} edges changes
    foreach line [dict get $result rows] {
        lassign $line name count edges changes
        dict set jobs $name $count
        incr nodes $count
    }
    event generate . <<BoardPulse>>
    if {!$read(loading) && $read(signature) ne "" && $read(shown) eq $date && [past] eq ""} {
        Compare "$nodes $edges" $changes
    }
}

# What is counted differs from what is shown: something was not heard. Read what has changed; when that does not help, all.
proc ::board::Compare {signature changes} {
    variable read
    variable row
    variable order
    set shown 0
    foreach key $order {
        incr shown [dict get $row($key) change_id]
    }
    if {$read(signature) ne $signature} {
        reload
    } elseif {$shown == $changes || $read(busy) || $read(dirty)} {
        set read(differs) 0
    } elseif {[incr read(differs)] == 1} {
        MarkDirty
    } else {
        reload
    }
}
