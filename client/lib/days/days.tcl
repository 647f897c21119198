# client/lib/days/days.tcl
#
# A job over its days: its nodes down, dates across, each cell the state that a node came to. It tells what failed last week,
# how often, and how long things usually take; a click on a cell leads to that day.
#
# The job is the board's; where that shows all, it is the job of the selected node, else the first. All of it is one query that
# is bounded in days and in rows, asked when somebody looks.

namespace eval ::days {
    # days and cells that are read at most
    variable most_days 31
    variable most_cells 10000
    # pause between two reads while the day changes, in ms
    variable read_gap 5000
}

# Makes the view in a frame, which it fills.
proc ::days::create {parent} {
    set frame [ttk::frame $parent.days]
    days_view new $frame
    pack $frame -fill both -expand 1
    return $frame
}

# The nodes of the job's last days, the newest day first: state, and of the runs how long the latest took, how many there were
# and how many failed. job: a literal.
proc ::days::Sql {job} {
    variable most_days
    variable most_cells
    return "SELECT n.node_id, to_char(n.job_date, 'YYYY-MM-DD') AS job_date, n.node_name, n.node_type, n.job_name, n.state,
            coalesce(left(n.message, 200), '') AS message, coalesce(n.acted_by, '') AS acted_by,
            coalesce(left(n.comment, 200), '') AS comment, n.attempt,
            (SELECT count(*) FROM josch.runs r WHERE n.attempt > 0 AND r.node_id = n.node_id AND r.job_date = n.job_date
                AND r.status = 'failed') AS failures,
            (SELECT coalesce(round(extract(epoch FROM coalesce(r.up_at, r.ended_at) - r.started_at)::numeric, 3)::text, '')
                FROM josch.runs r WHERE r.run_id = n.run_id AND r.status IN ('succeeded', 'running')) AS took
        FROM josch.nodes n
        WHERE n.job_name = $job AND n.job_date = ANY (ARRAY(SELECT j.job_date FROM josch.jobs j WHERE j.job_name = $job
            ORDER BY j.job_date DESC LIMIT $most_days))
        ORDER BY n.job_date DESC, n.level, n.node_id LIMIT [expr {$most_cells + 1}]"
}

# Cells by node and day, out of the rows: a dict of dates (the oldest first), nodes (in the order of the newest day; those that
# are no longer there at the end), cells ({id date} -> row), whether days were left out. The oldest day goes when it may not be
# whole.
proc ::days::gather {rows} {
    variable most_cells
    set cut [expr {[llength $rows] > $most_cells}]
    set last [expr {$cut ? [dict get [lindex $rows end] job_date] : ""}]
    set cells {}
    set dates {}
    set nodes {}
    foreach row $rows {
        set date [dict get $row job_date]
        if {$date ne $last} {
            dict set cells [list [dict get $row node_id] $date] $row
            dict set dates $date 1
            dict set nodes [dict get $row node_id] 1
        }
    }
    return [dict create dates [lreverse [dict keys $dates]] nodes [dict keys $nodes] cells $cells cut $cut]
}

# Of a node: on how many of its days it failed, and how long it usually takes (the median), "" if that is not known.
proc ::days::summary {grid node} {
    set failed 0
    set times {}
    foreach date [dict get $grid dates] {
        if {[dict exists $grid cells [list $node $date]]} {
            set cell [dict get $grid cells [list $node $date]]
            incr failed [has_failed $cell]
            if {[dict get $cell took] ne ""} {
                lappend times [dict get $cell took]
            }
        }
    }
    set times [lsort -real $times]
    return [list $failed [lindex $times [expr {([llength $times] - 1) / 2}]]]
}

# Did it fail that day, though it may have been mended since?
proc ::days::has_failed {cell} {
    return [expr {[dict get $cell failures] > 0 || [dict get $cell state] in {failed unknown}}]
}

# What a cell says when the pointer rests on it.
proc ::days::tip {cell} {
    set lines [list "[dict get $cell node_name]  \[[dict get $cell node_type]\]  [dict get $cell node_id]" \
        "[dict get $cell job_date]: [dict get $cell state]"]
    if {[dict get $cell message] ne ""} {
        lappend lines [output_text::clip [dict get $cell message] 4 300]
    }
    if {[dict get $cell failures] > 0} {
        lappend lines "[dict get $cell failures] of [dict get $cell attempt] runs failed"
    }
    if {[dict get $cell took] ne ""} {
        lappend lines "took [board_filter::span_text [dict get $cell took]]"
    }
    return [join [concat $lines {"A click leads to that day."}] \n]
}

oo::class create ::days_view {
    mixin days_draw
    variable frame canvas grid job top order failures_first read_timer place metrics first_shown width

    constructor {path} {
        set frame $path
        set canvas $frame.canvas
        set grid [days::gather {}]
        lassign {"" 0 {} 0 "" {} {} 0 0} job top order failures_first read_timer place metrics first_shown width
        my Build
        foreach {event method} {
            <<BoardLoaded>> ask <<BoardScope>> ask <<BoardChanged>> ask_later <<BoardSelection>> take_selection
            <<BoardFilter>> arrange <<DbState>> ask
        } {
            bind . $event +[list late::call [self] $method]
        }
        bind $frame <<ThemeChanged>> [list late::call [self] retheme]
        bind $frame <Destroy> [list [self] gone %W]
    }

    destructor {
        after cancel $read_timer
    }

    method gone {widget} {
        if {$widget eq $frame} {
            my destroy
        }
    }

    method Build {} {
        set bar [ttk::frame $frame.bar -padding [theme::px 6 4]]
        ttk::label $bar.job -style Bold.TLabel
        ttk::checkbutton $bar.failures -text "Failures first" -variable [my varname failures_first] \
            -command [namespace code {my arrange}]
        ttk::label $bar.hint -style Quiet.TLabel
        pack $bar.job -side left
        pack $bar.failures -side left -padx [theme::px 14 0]
        pack $bar.hint -side right
        canvas $canvas -highlightthickness 0 -borderwidth 0 -takefocus 1
        ttk::scrollbar $frame.y -orient vertical -command [namespace code {my Yview}]
        grid $bar -row 0 -column 0 -columnspan 2 -sticky ew
        grid $canvas -row 1 -column 0 -sticky nsew
        grid $frame.y -row 1 -column 1 -sticky ns
        grid rowconfigure $frame 1 -weight 1
        grid columnconfigure $frame 0 -weight 1
        foreach {event action} {
            <Configure> {my plan_draw} <Map> {my ask} <ButtonRelease-1> {my Click %x %y} <Motion> {my Hover %x %y %X %Y}
            <Leave> {tip::hide} <ButtonPress-4> {my Scroll -3} <ButtonPress-5> {my Scroll 3} <Key-Left> {my Move 0 -1}
            <Key-Right> {my Move 0 1} <Key-Up> {my Move -1 0} <Key-Down> {my Move 1 0} <Key-Return> {my GoTo $place}
            <Key-Prior> {my Scroll -20} <Key-Next> {my Scroll 20}
        } {
            bind $canvas $event [namespace code $action]
        }
        if {[tk windowingsystem] ne "x11" || [package vsatisfies [package provide Tk] 8.7-]} {
            bind $canvas <MouseWheel> [namespace code {my Scroll [expr {%D > 0 ? -3 : 3}]}]
        }
    }

    # ---- what is shown ----

    # The job that is meant: the board's, that of the selected node, the first.
    method Wanted {} {
        if {[board::job] ne ""} {
            return [board::job]
        }
        set row [board::row [lindex [board::selection] end]]
        if {$row ne {} && [dict get $row job_name] ne ""} {
            return [dict get $row job_name]
        }
        return [expr {$job in [dict keys [board::jobs]] ? $job : [lindex [dict keys [board::jobs]] 0]}]
    }

    # Read what is meant, if somebody looks.
    method ask {} {
        after cancel $read_timer
        set read_timer ""
        if {![winfo viewable $canvas] || [db::state] ne "online"} {
            return
        }
        set wanted [my Wanted]
        if {$wanted eq ""} {
            set grid [days::gather {}]
            my arrange
            return
        }
        db::query [days::Sql [db::quote $wanted]] [list late::call [self] take $wanted] days-grid
    }

    method ask_later {} {
        if {$read_timer eq "" && [winfo viewable $canvas]} {
            set read_timer [after $days::read_gap [list late::call [self] ask]]
        }
    }

    method take {of_job result} {
        if {![dict get $result ok]} {
            $frame.bar.hint configure -text [dict get $result message]
            return
        }
        if {$of_job ne $job} {
            set top 0
        }
        set job $of_job
        set grid [days::gather [db::dicts $result]]
        my arrange
    }

    method take_selection {} {
        if {[winfo viewable $canvas] && [my Wanted] ne $job} {
            my ask
        } else {
            my plan_draw
        }
    }

    # Which nodes, in which order: those that the search finds; as the day has them, or those that fail most first.
    method arrange {} {
        set kept {}
        foreach node [dict get $grid nodes] {
            foreach date [lreverse [dict get $grid dates]] {
                if {[dict exists $grid cells [list $node $date]]} {
                    set said [claims::found [board::claim [list $node [board::date]]]]
                    if {[board_filter::passes [dict get $grid cells [list $node $date]] {} [board::search] $said]} {
                        lappend kept [list $node {*}[days::summary $grid $node]]
                    }
                    break
                }
            }
        }
        set order [expr {$failures_first ? [lsort -integer -decreasing -index 1 $kept] : $kept}]
        $frame.bar.job configure -text $job
        my plan_draw
    }

    # ---- going to a day ----

    # A cell of the grid: {node date}; the day is the board's then, with the node selected.
    method GoTo {cell} {
        if {$cell ne {} && [dict exists $grid cells $cell]} {
            tip::hide
            board::select $cell
            board::ShowView 0
        }
    }

    method Click {x y} {
        focus $canvas
        set place [my CellAt $x $y]
        my GoTo $place
    }

    # By keys, from cell to cell.
    method Move {down right} {
        set dates [my Shown]
        lassign $place node date
        set line [lsearch -exact -index 0 $order $node]
        set column [lsearch -exact $dates $date]
        if {$line < 0 || $column < 0} {
            lassign [list 0 [expr {[llength $dates] - 1}]] line column
        } else {
            set line [expr {min(max(0, $line + $down), [llength $order] - 1)}]
            set column [expr {min(max(0, $column + $right), [llength $dates] - 1)}]
        }
        set place [list [lindex $order $line 0] [lindex $dates $column]]
        my See $line
    }

    method Hover {x y root_x root_y} {
        set cell [my CellAt $x $y]
        if {$cell ne {} && [dict exists $grid cells $cell]} {
            tip::show $canvas $root_x $root_y [days::tip [dict get $grid cells $cell]]
        } else {
            tip::hide
        }
    }
}
