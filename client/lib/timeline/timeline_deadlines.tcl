# client/lib/timeline/timeline_deadlines.tcl
#
# Deadlines in the timeline: a bracket at the moment by which a node is to have started, opened to the right, or to be done,
# opened to the left; with a flag where its alarm is open.
#
# A mixin of timeline_view. Constraint: never one more colour, and bars of all colours behind: a bracket is in the colour of
# text upon a rim in that of the ground.

namespace eval ::timeline {
    # kind, as josch.deadlines has it -> the alarm of it, and what is said of it
    variable deadlines {s {"late start" "to start by"} e {"late end" "to be done by"} d {"too long" "to end by"}}
}

# Of a day's nodes, whether or not they were met; how long a run may take is known while it runs.
proc ::timeline::DeadlinesSql {day} {
    return "SELECT d.node_id, d.kind, round(extract(epoch FROM d.due_at)::numeric, 3) FROM (
            SELECT n.node_id, x.kind, josch.instant(n.job_date, x.by, j.time_zone) AS due_at
            FROM josch.nodes n JOIN josch.jobs j ON j.job_name = n.job_name AND j.job_date = n.job_date,
                LATERAL (VALUES ('s', n.start_by), ('e', n.finish_by)) x (kind, by)
            WHERE n.job_date = ${day}::date AND x.by IS NOT NULL
            UNION ALL SELECT d.node_id, 'd', d.due_at FROM josch.deadlines d
            WHERE d.kind = 'd' AND d.job_date = ${day}::date) d
        ORDER BY d.node_id, d.due_at"
}

oo::class create ::timeline_deadlines {
    variable canvas metrics deadlines line_of touched fitted

    method ReadDeadlines {day} {
        db::query [timeline::DeadlinesSql $day] [list late::call [self] take_deadlines] timeline-deadlines
    }

    method take_deadlines {result} {
        set former $deadlines
        set deadlines {}
        foreach line [my RowsOf $result] {
            dict lappend deadlines [list [lindex $line 0] [board::date]] [lrange $line 1 end]
        }
        if {$deadlines ne $former && $fitted && !$touched} {
            my Fit
        }
        my plan_draw
    }

    # {kind, moment} of each.
    method DeadlinesOf {key} {
        return [expr {[dict exists $deadlines $key] ? [dict get $deadlines $key] : {}}]
    }

    # Whether the alarm of it is open.
    method IsMissed {key kind} {
        set alarm [lindex [dict get $timeline::deadlines $kind] 0]
        return [expr {$alarm in [split [string map {", " \n} [lindex [board::alarms $key] 0]] \n]}]
    }

    # As far as the bars reach, and as much again, deadlines are in sight with them.
    method WithDeadlines {first last} {
        lassign [list $first $last [expr {$last - $first}]] from to span
        dict for {key list} $deadlines {
            foreach deadline $list {
                set at [lindex $deadline 1]
                if {[info exists line_of($key)] && $at > $first - $span && $at < $last + $span} {
                    set from [expr {min($from, $at - $span * 0.03)}]
                    set to [expr {max($to, $at + $span * 0.03)}]
                }
            }
        }
        return [list $from $to]
    }

    method DrawDeadlines {y key} {
        set top_y [expr {$y + 2}]
        set bottom [expr {$y + [dict get $metrics row] - 2}]
        foreach deadline [my DeadlinesOf $key] {
            lassign $deadline kind at
            set x [my XOf $at]
            if {$x < [dict get $metrics label] || $x > [winfo width $canvas]} continue
            set foot [expr {$kind eq "s" ? $x + [theme::px 4] : $x - [theme::px 4]}]
            foreach {colour width} [list panel 4 text 2] {
                $canvas create line $foot $top_y $x $top_y $x $bottom $foot $bottom -fill [theme::color $colour] \
                    -width $width -capstyle projecting -joinstyle miter -tags deadline
            }
            if {[my IsMissed $key $kind]} {
                my DrawFlag [expr {$x + [theme::px 5]}] [expr {($top_y + $bottom) / 2.0}]
            }
        }
    }

    # Upon its own ground: a bar may lie behind it.
    method DrawFlag {x y} {
        set flag [$canvas create text $x $y -anchor w -text \u2691 -font [theme::font small] -fill [theme::color text] \
            -tags alarm]
        lassign [$canvas bbox $flag] x0 y0 x1 y1
        $canvas create rectangle [expr {$x0 - 1}] $y0 [expr {$x1 + 1}] $y1 -width 0 -fill [theme::color panel] -tags ground
        $canvas raise $flag
    }

    # What the tip says of them.
    method DeadlineLines {key zone} {
        return [lmap deadline [my DeadlinesOf $key] {
            lassign $deadline kind at
            string cat [lindex [dict get $timeline::deadlines $kind] 1] " " [timeline_axis::show $at $zone "%a %H:%M:%S"] \
                [expr {[my IsMissed $key $kind] ? ", which has passed" : ""}]
        }]
    }
}
