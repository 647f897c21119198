# client/lib/timeline/timeline_mouse.tcl
#
# What hand and pointer do to the timeline: pan, zoom, select, explain.
#
# A mixin of timeline_view.  The wheel scrolls the rows, with Shift the time,
# with Control it zooms about the pointer; the plane can be dragged.

oo::class create timeline_mouse {
    variable frame canvas from to top entries line_of rows plan critical selected grip

    method bind_mouse {} {
        foreach {event action} {
            <ButtonPress-1> {my press %x %y} <B1-Motion> {my drag %x %y} <ButtonRelease-1> {my release %x %y}
            <Double-1> {my open_at %y} <ButtonPress-3> {my menu_at %y %X %Y} <Motion> {my hover %x %y %X %Y}
            <Leave> {tip::hide} <Key-Left> {my pan -60 0} <Key-Right> {my pan 60 0} <Key-Up> {my step -1} <Key-Down> {my step 1}
            <Key-plus> {my zoom 0.6} <Key-minus> {my zoom 1.6667} <Key-Home> {my fit} <Key-n> {my go_now}
            <Key-Prior> {my yview scroll -1 pages} <Key-Next> {my yview scroll 1 pages} <Key-Return> {my open_selected}
            <Key-Menu> {my menu_selected} <Shift-Key-F10> {my menu_selected}
            <ButtonPress-4> {my pan 0 -60} <ButtonPress-5> {my pan 0 60}
            <Shift-ButtonPress-4> {my pan -80 0} <Shift-ButtonPress-5> {my pan 80 0}
            <Control-ButtonPress-4> {my zoom_at %x 0.8} <Control-ButtonPress-5> {my zoom_at %x 1.25}
        } {
            bind $canvas $event [namespace code $action]
        }
        if {[tk windowingsystem] ne "x11" || [package vsatisfies [package provide Tk] 8.7-]} {
            bind $canvas <MouseWheel> [namespace code {my pan 0 [expr {-%D / 2}]}]
            bind $canvas <Shift-MouseWheel> [namespace code {my pan [expr {-%D / 2}] 0}]
            bind $canvas <Control-MouseWheel> [namespace code {my zoom_at %x [expr {%D > 0 ? 0.8 : 1.25}]}]
        }
        set grip {}
    }

    method press {x y} {
        focus $canvas
        set grip [list $x $y $x $y 0]
    }

    # The plane follows the hand once it has moved a little.
    method drag {x y} {
        if {$grip eq {}} {
            return
        }
        lassign $grip x0 y0 last_x last_y moved
        if {!$moved && abs($x - $x0) + abs($y - $y0) < 5} {
            return
        }
        tip::hide
        $canvas configure -cursor fleur
        my pan [expr {$last_x - $x}] [expr {$last_y - $y}]
        set grip [list $x0 $y0 $x $y 1]
    }

    method release {x y} {
        $canvas configure -cursor ""
        if {$grip ne {} && ![lindex $grip 4]} {
            lassign [my entry_at $y] kind what
            if {$kind eq "node"} {
                my mark $what
                board::select_keys [list $what]
            }
        }
        set grip {}
    }

    method zoom_at {x factor} {
        my zoom $factor [my time_at $x]
    }

    method open_at {y} {
        lassign [my entry_at $y] kind what
        if {$kind eq "node"} {
            details::open $what
        }
    }

    method open_selected {} {
        if {[info exists line_of($selected)]} {
            details::open $selected
        }
    }

    method menu_at {y root_x root_y} {
        lassign [my entry_at $y] kind what
        if {$kind eq "node"} {
            my mark $what
            board::select_keys [list $what]
            board::popup_menu $root_x $root_y
        }
    }

    # The menu by a key: beside the row of the selected node.
    method menu_selected {} {
        if {[info exists line_of($selected)]} {
            set y [expr {[dict get $metrics head] + ($line_of($selected) + 1) * [dict get $metrics row] - $top}]
            board::popup_menu [expr {[winfo rootx $canvas] + [theme::px 24]}] [expr {[winfo rooty $canvas] + int($y)}]
        }
    }

    # The next or former node, past the jobs' headings.
    method step {by} {
        set line [expr {[info exists line_of($selected)] ? $line_of($selected) + $by : 0}]
        while {$line >= 0 && $line < [llength $entries]} {
            lassign [lindex $entries $line] kind what
            if {$kind eq "node"} {
                my mark $what
                board::select_keys [list $what]
                return
            }
            incr line [expr {$by > 0 ? 1 : -1}]
        }
    }

    # ---- what is under the pointer ----

    method hover {x y root_x root_y} {
        lassign [my entry_at $y] kind what
        if {$grip ne {} || $kind ne "node"} {
            tip::hide
            return
        }
        tip::show $canvas $root_x $root_y [my tip_text $what]
    }

    method tip_text {key} {
        set row [dict get $rows $key]
        set zone [my zone_of $row]
        set lines [list "[dict get $row node_name]  \[[dict get $row node_type]\]  [lindex $key 0]" \
            "[dict get $row state] since [timeline_axis::show [dict get $row state_since] $zone]"]
        if {[dict get $row message] ne ""} {
            lappend lines [dict get $row message]
        }
        if {[dict get $row due_at] ne ""} {
            lappend lines "not before [timeline_axis::show [dict get $row due_at] $zone "%a %H:%M:%S"]"
        }
        foreach bar [my bars_of $key] {
            lappend lines [my bar_text $bar $zone]
        }
        if {[dict exists $critical $key]} {
            lappend lines "on the critical path"
        }
        lappend lines "Times are those of [timeline_axis::zone_name $zone]."
        return [join $lines \n]
    }

    method bar_text {bar zone} {
        lassign $bar kind start end state
        set span "[timeline_axis::show $start $zone] \u2013 [timeline_axis::show $end $zone]"
        set takes [timeline_axis::duration [expr {max(0, $end - $start)}]]
        switch -- $kind {
            planned {
                if {$end - $start < 1} {
                    return "expected at [timeline_axis::show $start $zone]"
                }
                return "expected $span, usually takes $takes"
            }
            expected {return "expected to end at [timeline_axis::show $end $zone]"}
            wait {return "waits for a person since [timeline_axis::show $start $zone], $takes"}
            moment {return "$state at [timeline_axis::show $start $zone]"}
        }
        return "$state $span, $takes"
    }
}
