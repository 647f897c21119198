# client/lib/board/board_past.tcl
#
# The board of another moment: the same day, its rows as they stood then, and the strip with the slider that chooses it.
#
# Constraint: the views know nothing of it. They get the rows of the past as changes of the board, and the present again by
# a reload; while the past is shown, nothing that comes from the present is taken, and no act is offered.

namespace eval ::board {
    # the moment that is shown, in seconds; "" for the present
    variable past ""
    variable slider ""
}

# The moment that the board shows, "" for the present.
proc ::board::past {} {
    variable past
    return $past
}

# Show rows (dicts, as the board keeps them) of a moment; two empty words: the present.
proc ::board::ShowPast {rows at} {
    variable frame
    variable past
    variable row
    variable changed
    variable date
    variable read
    if {$at eq ""} {
        EndPast
        grid remove $frame.past
        reload
        return
    }
    set past $at
    acts::turn off
    # what is on its way is of the present
    incr read(generation)
    set read(loading) 0
    set then [dict create]
    foreach new $rows {
        dict set new exists 1
        dict set then [list [dict get $new node_id] [dict get $new job_date]] $new
    }
    # who looks at a node now has no place there
    TakeClaims {}
    set changed {}
    foreach key [array names row] {
        if {[lindex $key 1] ne $date} continue
        # what it waits for outside is of the day, as its dependencies are
        set new [expr {[dict exists $then $key] ? [dict merge $row($key) [dict get $then $key]] : [NotYet $row($key)]}]
        if {$row($key) ne $new} {
            set row($key) $new
            lappend changed $key
        }
    }
    event generate . <<BoardPast>>
    if {$changed ne {}} {
        event generate . <<BoardChanged>>
    }
}

proc ::board::EndPast {} {
    variable past
    if {$past ne ""} {
        set past ""
        acts::turn on
        event generate . <<BoardPast>>
    }
}

# A node of the day before it was made.
proc ::board::NotYet {row} {
    foreach column {state_since due_at forced run_id started_at ended_at action acted_by acted_at comment not_before} {
        dict set row $column ""
    }
    dict set row state pending
    dict set row attempt 0
    dict set row message "not made yet"
    return $row
}

# ---- the strip ----

# Open or close the strip with the slider.
proc ::board::toggle_replay {} {
    variable frame
    variable slider
    if {$slider eq ""} {
        BuildReplay
    }
    if {[winfo ismapped $frame.past]} {
        $slider live
    } elseif {[date] ne ""} {
        grid $frame.past
        db::query "SELECT time_zone FROM josch.jobs WHERE job_date = [db::quote [date]]::date ORDER BY job_name LIMIT 1" \
            [namespace code [list OpenReplay [date]]]
    }
}

proc ::board::BuildReplay {} {
    variable frame
    variable slider
    ttk::frame $frame.past
    ttk::label $frame.past.banner -style review.StateBold.TLabel -anchor center -padding [theme::px 8 5]
    pack $frame.past.banner -fill x
    lassign [replay::create $frame.past [namespace code ShowPast]] strip slider
    pack $strip -fill x
    grid $frame.past -row 3 -column 0 -sticky ew -padx [theme::px 10] -pady [theme::px 6 0]
    grid configure $frame.status -row 4
    grid remove $frame.past
    bind . <<BoardPast>> +[namespace code TellPast]
    bind . <<BoardLoaded>> +[namespace code LeavePast]
}

proc ::board::OpenReplay {day result} {
    variable slider
    if {$day eq [date]} {
        $slider open $day [expr {[dict get $result ok] ? [lindex [dict get $result rows] 0 0] : ""}]
    }
}

proc ::board::TellPast {} {
    variable frame
    variable past
    if {$past eq ""} {
        $frame.past.banner configure -text ""
    } else {
        $frame.past.banner configure -text "This is the past: the board as it stood then. Nothing can be done\
            to it; Live brings the present back."
    }
}

# Another day was chosen while the past was shown.
proc ::board::LeavePast {} {
    variable frame
    variable slider
    if {[winfo ismapped $frame.past] && [past] eq "" && [$slider at] ne ""} {
        $slider live
    }
}
