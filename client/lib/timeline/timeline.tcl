# client/lib/timeline/timeline.tcl
#
# The day as bars over time: a row for each node, grouped by job.
#
# What is drawn is what is in sight: a day of thousands of nodes costs no more than the rows of the window, so each scroll,
# zoom and change draws these anew. The rows are the board's, and a click on one selects it there; this asks the database
# only for what the board does not keep: former attempts, how long things usually take, and the critical path.

namespace eval ::timeline {
    # pause between two reads of runs and of the critical path while the day changes, in ms
    variable read_gap 700
}

# Makes the view in a frame, which it fills.
proc ::timeline::create {parent} {
    set frame [ttk::frame $parent.timeline]
    timeline_view new $frame
    pack $frame -fill both -expand 1
    return $frame
}

# The SQL of what the board does not keep. day and job: literals.
proc ::timeline::UsualSql {day} {
    return "SELECT r.node_id, round(extract(epoch FROM percentile_cont(0.5) WITHIN GROUP
            (ORDER BY coalesce(r.up_at, r.ended_at) - r.started_at))::numeric, 3)
        FROM josch.runs r WHERE r.job_date < ${day}::date AND r.job_date >= ${day}::date - 92
            AND r.status IN ('succeeded', 'running') AND coalesce(r.up_at, r.ended_at) >= r.started_at
        GROUP BY r.node_id"
}

proc ::timeline::RunsSql {day} {
    set columns [lmap column {started_at up_at ended_at} {
        string cat "coalesce(round(extract(epoch FROM r.$column)::numeric, 3)::text, '')"
    }]
    return "SELECT r.node_id, r.attempt, r.status, [join $columns {, }] FROM josch.runs r
        JOIN josch.nodes n ON n.node_id = r.node_id AND n.job_date = r.job_date
        WHERE r.job_date = ${day}::date AND (n.attempt > 1 OR n.not_before IS NOT NULL)
        ORDER BY r.node_id, r.attempt"
}

proc ::timeline::ZonesSql {day} {
    return "SELECT j.job_name, j.time_zone, round(extract(epoch FROM josch.now())::numeric, 3)
        FROM josch.jobs j WHERE j.job_date = ${day}::date"
}

oo::class create ::timeline_view {
    mixin timeline_draw timeline_mouse timeline_deadlines
    variable frame canvas from to top entries line_of rows order parents usual runs zones critical plan \
        deadlines selected fitted touched now_timer read_timer plan_timer planned_at metrics show_critical

    constructor {path} {
        set frame $path
        set canvas $frame.canvas
        lassign [list 0 3600 0] from to top
        set planned_at 0
        lassign {} entries rows order parents usual runs zones critical plan deadlines selected
        array set line_of {}
        lassign {0 0 "" "" "" 1} fitted touched now_timer read_timer plan_timer show_critical
        my Build
        my Measure
        my FollowEvents
        bind $frame <Destroy> [list [self] gone %W]
        my load
    }

    destructor {
        after cancel $now_timer
        after cancel $read_timer
        after cancel $plan_timer
    }

    method gone {widget} {
        if {$widget eq $frame} {
            my destroy
        }
    }

    method Build {} {
        set bar [ttk::frame $frame.bar -padding [theme::px 6 4]]
        ttk::button $bar.fit -text "Whole Day" -style Tool.TButton -command [namespace code {my Fit}]
        ttk::button $bar.now -text "Now" -style Tool.TButton -command [namespace code {my GoNow}]
        ttk::button $bar.in -text "Zoom In" -style Tool.TButton -command [namespace code {my Zoom 0.6}]
        ttk::button $bar.out -text "Zoom Out" -style Tool.TButton -command [namespace code {my Zoom 1.6667}]
        ttk::checkbutton $bar.critical -text "Critical path" -variable [my varname show_critical] \
            -command [namespace code {my plan_draw}]
        ttk::label $bar.hint -style Quiet.TLabel -text ""
        pack $bar.fit $bar.now $bar.in $bar.out -side left
        pack $bar.critical -side left -padx [theme::px 12 0]
        pack $bar.hint -side right
        canvas $canvas -highlightthickness 0 -borderwidth 0 -takefocus 1
        ttk::scrollbar $frame.y -orient vertical -command [namespace code {my Yview}]
        ttk::scrollbar $frame.x -orient horizontal -command [namespace code {my Xview}]
        grid $bar -row 0 -column 0 -columnspan 2 -sticky ew
        grid $canvas -row 1 -column 0 -sticky nsew
        grid $frame.y -row 1 -column 1 -sticky ns
        grid $frame.x -row 2 -column 0 -sticky ew
        grid rowconfigure $frame 1 -weight 1
        grid columnconfigure $frame 0 -weight 1
        my BindMouse
    }

    # The events of the main window that concern this view, as long as it lives.
    method FollowEvents {} {
        foreach {event method} {
            <<BoardLoaded>> load <<BoardScope>> rebuild <<BoardShown>> rebuild <<BoardFilter>> rebuild <<BoardChanged>> changed
            <<BoardSelection>> take_selection <<BoardPast>> changed <<DbState>> plan_draw
        } {
            bind . $event +[list late::call [self] $method]
        }
        bind $frame <<ThemeChanged>> [namespace code {my Retheme}]
        bind $canvas <Configure> [namespace code {my Measure; my ScrollTo $top}]
        bind $canvas <Map> [namespace code {my Shown}]
    }

    # ---- data ----

    method load {} {
        set fitted 0
        lassign {} runs critical deadlines
        my rebuild
        if {[board::date] eq ""} {
            return
        }
        set day [db::quote [board::date]]
        db::query [timeline::ZonesSql $day] [list late::call [self] take_zones] timeline-zones
        db::query [timeline::UsualSql $day] [list late::call [self] take_usual] timeline-usual
        my ReadMore
    }

    # The rows of another day, job or filter: job headings and nodes.
    method rebuild {} {
        set rows [board::rows]
        set order [board::inside]
        set parents [timeline_plan::parents [board::edges]]
        set entries {}
        array unset line_of
        set groups {}
        foreach key [board::shown] {
            if {[board::passes [dict get $rows $key]]} {
                dict lappend groups [dict get $rows $key job_name] $key
            }
        }
        foreach job [dict keys $groups] {
            lappend entries [list job $job]
            foreach key [expr {[board::is_collapsed $job] ? {} : [dict get $groups $job]}] {
                set line_of($key) [llength $entries]
                lappend entries [list node $key]
            }
        }
        set top 0
        my Measure
        my ReadMore
        my Replan
    }

    method changed {} {
        set rows [board::rows]
        my ReadMore
        foreach key [board::changed] {
            if {[my IsWanted $key] != [info exists line_of($key)]} {
                my rebuild
                return
            }
        }
        my Replan
    }

    # Is it to have a line? What the search and the states leave out has none.
    method IsWanted {key} {
        expr {[board::is_inside $key] && ![board::is_hidden $key] && ![board::is_collapsed [dict get $rows $key job_name]]
            && [board::passes [dict get $rows $key]]}
    }

    # Runs and the critical path, at most once in a while.
    method ReadMore {} {
        if {$read_timer eq ""} {
            set read_timer [after $timeline::read_gap [list late::call [self] read_now]]
        }
    }

    method read_now {} {
        set read_timer ""
        if {![winfo viewable $canvas] || [db::state] ne "online" || [board::date] eq ""} {
            return
        }
        set day [db::quote [board::date]]
        set job [expr {[board::job] eq "" ? "NULL" : [db::quote [board::job]]}]
        db::query [timeline::RunsSql $day] [list late::call [self] take_runs] timeline-runs
        my ReadDeadlines $day
        db::query "SELECT c.node_id FROM josch.critical_path($job, ${day}::date) c ORDER BY c.position" \
            [list late::call [self] take_critical] timeline-critical
    }

    method take_zones {result} {
        set zones {}
        foreach line [my RowsOf $result] {
            lassign $line job zone now
            dict set zones $job $zone
            server_clock::heard $now
        }
        my Replan
    }

    method take_usual {result} {
        set usual {}
        foreach line [my RowsOf $result] {
            dict set usual {*}$line
        }
        my Replan
    }

    method take_runs {result} {
        set runs {}
        foreach line [my RowsOf $result] {
            dict lappend runs [list [lindex $line 0] [board::date]] [lrange $line 1 end]
        }
        my plan_draw
    }

    method take_critical {result} {
        set critical {}
        foreach line [my RowsOf $result] {
            dict set critical [list [lindex $line 0] [board::date]] 1
        }
        my plan_draw
    }

    method RowsOf {result} {
        return [expr {[dict get $result ok] ? [dict get $result rows] : {}}]
    }

    # The time of the axis: the server's, or the moment of the past that the board shows.
    method Now {} {
        return [board::moment]
    }

    # The zone of the axis: that of the chosen job, else of the first.
    method Zone {} {
        if {[dict exists $zones [board::job]]} {
            return [dict get $zones [board::job]]
        }
        return [lindex $zones 1]
    }

    method ZoneOf {row} {
        set job [dict get $row job_name]
        return [expr {[dict exists $zones $job] ? [dict get $zones $job] : [my Zone]}]
    }

    # The forecast anew, at most twice a second: a storm of changes moves it little.
    method Replan {} {
        my plan_draw
        if {$plan_timer eq ""} {
            set plan_timer [after [expr {$fitted ? 400 : 1}] [list late::call [self] plan_now]]
        }
    }

    method plan_now {} {
        set plan_timer ""
        if {![winfo viewable $canvas]} {
            # made when somebody looks (shown)
            return
        }
        workq::add [list late::call [self] make_plan] [self]-plan
    }

    method make_plan {} {
        set planned_at [clock milliseconds]
        set plan [timeline_plan::forecast $order $rows $parents $usual [my Now] [board::odd_edges] [board::odd_joins]]
        if {!$fitted && $entries ne {}} {
            my Fit
        }
        my draw
    }

    method BarsOf {key} {
        return [timeline_plan::bars [dict get $rows $key] [expr {[dict exists $runs $key] ? [dict get $runs $key] : {}}] \
            [expr {[dict exists $plan $key] ? [dict get $plan $key] : {}}] [my Now]]
    }

    # ---- the part that is seen ----

    # The whole day, from the first bar to the last; it stays so until somebody zooms or moves in time.
    method Fit {} {
        set all {}
        foreach entry $entries {
            if {[lindex $entry 0] eq "node"} {
                lappend all {*}[my BarsOf [lindex $entry 1]]
            }
        }
        lassign [my WithDeadlines {*}[timeline_plan::extent $all [my Now]]] from to
        lassign {1 0} fitted touched
        my plan_draw
    }

    method GoNow {} {
        set touched 1
        set half [expr {($to - $from) / 2.0}]
        lassign [list [expr {[my Now] - $half}] [expr {[my Now] + $half}]] from to
        my plan_draw
    }

    method Zoom {factor {about ""}} {
        if {$about eq ""} {
            set about [expr {($from + $to) / 2.0}]
        }
        lassign [timeline_axis::zoom $from $to $about $factor] from to
        set touched 1
        my plan_draw
    }

    method Pan {dx dy} {
        set seconds [expr {$dx * [my SecondsPerPixel]}]
        if {$dx != 0} {
            set touched 1
        }
        lassign [list [expr {$from + $seconds}] [expr {$to + $seconds}]] from to
        my ScrollTo [expr {$top + $dy}]
    }

    method ScrollTo {pixels} {
        set most [expr {max(0, [llength $entries] * [dict get $metrics row] - [my BodyHeight])}]
        set top [expr {int(min(max(0, $pixels), $most))}]
        my plan_draw
    }

    method Yview {verb amount {unit ""}} {
        set height [expr {[llength $entries] * [dict get $metrics row]}]
        if {$verb eq "moveto"} {
            my ScrollTo [expr {$amount * $height}]
        } else {
            my ScrollTo [expr {$top + $amount * ($unit eq "pages" ? [my BodyHeight] : 3 * [dict get $metrics row])}]
        }
    }

    # The scrollbar of time goes over what has bars, and a bit beyond.
    method Xview {verb amount {unit ""}} {
        lassign [my TimeBounds] first last
        if {$verb eq "moveto"} {
            my Pan [expr {($first + $amount * ($last - $first) - $from) / [my SecondsPerPixel]}] 0
        } else {
            my Pan [expr {$amount * ($unit eq "pages" ? 0.8 : 0.1) * [my BodyWidth]}] 0
        }
    }

    method TimeBounds {} {
        set first [my Now]
        set last $first
        dict for {key span} $plan {
            set last [expr {max($last, [lindex $span 1])}]
        }
        foreach key [array names line_of] {
            set first [expr {min($first, [timeline_plan::number [dict get $rows $key started_at] $first])}]
        }
        set margin [expr {($last - $first) * 0.1}]
        return [list [expr {min($from, $first - $margin)}] [expr {max($to, $last + $margin)}]]
    }

    # ---- the selection, which is the board's ----

    method take_selection {} {
        my Mark [lindex [board::selection] end]
    }

    # Marks a node and makes sure that its row is seen.
    method Mark {key} {
        set selected $key
        if {[info exists line_of($key)] && [winfo viewable $canvas]} {
            set y [expr {$line_of($key) * [dict get $metrics row]}]
            if {$y < $top} {
                my ScrollTo [expr {$y - [dict get $metrics row]}]
            } elseif {$y + 2 * [dict get $metrics row] > $top + [my BodyHeight]} {
                my ScrollTo [expr {$y + 2 * [dict get $metrics row] - [my BodyHeight]}]
            }
        }
        my plan_draw
    }
}

