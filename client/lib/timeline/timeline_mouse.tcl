# client/lib/timeline/timeline_mouse.tcl
#
# What hand and pointer do to the timeline: pan, zoom, select, explain.
#
# A mixin of timeline_view. The wheel scrolls the rows, with Shift the time, with Control it zooms about the pointer; the
# plane can be dragged.

oo::class create ::timeline_mouse {
    variable frame canvas from to top entries line_of rows plan critical selected grip

    method BindMouse {} {
        foreach {event action} {
            <ButtonPress-1> {my Press %x %y} <B1-Motion> {my Drag %x %y} <ButtonRelease-1> {my Release %x %y}
            <Double-1> {my OpenAt %y} <ButtonPress-3> {my MenuAt %y %X %Y} <Motion> {my Hover %x %y %X %Y}
            <Leave> {tip::hide} <Key-Left> {my Pan -60 0} <Key-Right> {my Pan 60 0} <Key-Up> {my Step -1} <Key-Down> {my Step 1}
            <Key-plus> {my Zoom 0.6} <Key-minus> {my Zoom 1.6667} <Key-Home> {my Fit} <Key-n> {my GoNow}
            <Key-Prior> {my Yview scroll -1 pages} <Key-Next> {my Yview scroll 1 pages} <Key-Return> {my OpenSelected}
            <Key-Menu> {my MenuSelected} <Shift-Key-F10> {my MenuSelected}
            <ButtonPress-4> {my Pan 0 -60} <ButtonPress-5> {my Pan 0 60}
            <Shift-ButtonPress-4> {my Pan -80 0} <Shift-ButtonPress-5> {my Pan 80 0}
            <Control-ButtonPress-4> {my ZoomAt %x 0.8} <Control-ButtonPress-5> {my ZoomAt %x 1.25}
        } {
            bind $canvas $event [namespace code $action]
        }
        if {[tk windowingsystem] ne "x11" || [package vsatisfies [package provide Tk] 8.7-]} {
            bind $canvas <MouseWheel> [namespace code {my Pan 0 [expr {-%D / 2}]}]
            bind $canvas <Shift-MouseWheel> [namespace code {my Pan [expr {-%D / 2}] 0}]
            bind $canvas <Control-MouseWheel> [namespace code {my ZoomAt %x [expr {%D > 0 ? 0.8 : 1.25}]}]
        }
        set grip {}
    }

    method Press {x y} {
        focus $canvas
        set grip [list $x $y $x $y 0]
    }

    # The plane follows the hand once it has moved a little.
    method Drag {x y} {
        if {$grip eq {}} {
            return
        }
        lassign $grip x0 y0 last_x last_y moved
        if {!$moved && abs($x - $x0) + abs($y - $y0) < 5} {
            return
        }
        tip::hide
        $canvas configure -cursor fleur
        my Pan [expr {$last_x - $x}] [expr {$last_y - $y}]
        set grip [list $x0 $y0 $x $y 1]
    }

    method Release {x y} {
        $canvas configure -cursor ""
        if {$grip ne {} && ![lindex $grip 4]} {
            lassign [my EntryAt $y] kind what
            if {$kind eq "node"} {
                my Mark $what
                board::select_keys [list $what]
            } elseif {$kind eq "job"} {
                board::toggle_group $what
            }
        }
        set grip {}
    }

    method ZoomAt {x factor} {
        my Zoom $factor [my TimeAt $x]
    }

    method OpenAt {y} {
        lassign [my EntryAt $y] kind what
        if {$kind eq "node"} {
            popup::open $what
        }
    }

    method OpenSelected {} {
        if {[info exists line_of($selected)]} {
            popup::open $selected
        }
    }

    method MenuAt {y root_x root_y} {
        lassign [my EntryAt $y] kind what
        if {$kind eq "node"} {
            my Mark $what
            board::select_keys [list $what]
            board::popup_menu $root_x $root_y
        }
    }

    # The menu by a key: beside the row of the selected node.
    method MenuSelected {} {
        if {[info exists line_of($selected)]} {
            set y [expr {[dict get $metrics head] + ($line_of($selected) + 1) * [dict get $metrics row] - $top}]
            board::popup_menu [expr {[winfo rootx $canvas] + [theme::px 24]}] [expr {[winfo rooty $canvas] + int($y)}]
        }
    }

    # The next or former node, past the jobs' headings.
    method Step {by} {
        set line [expr {[info exists line_of($selected)] ? $line_of($selected) + $by : 0}]
        while {$line >= 0 && $line < [llength $entries]} {
            lassign [lindex $entries $line] kind what
            if {$kind eq "node"} {
                my Mark $what
                board::select_keys [list $what]
                return
            }
            incr line [expr {$by > 0 ? 1 : -1}]
        }
    }

    # ---- what is under the pointer ----

    method Hover {x y root_x root_y} {
        lassign [my EntryAt $y] kind what
        if {$grip ne {} || $kind ne "node"} {
            tip::hide
            return
        }
        tip::show $canvas $root_x $root_y [my TipText $what]
    }

    method TipText {key} {
        set row [dict get $rows $key]
        set zone [my ZoneOf $row]
        set lines [list "[dict get $row node_name]  \[[dict get $row node_type]\]  [lindex $key 0]" \
            "[dict get $row state] since [timeline_axis::show [dict get $row state_since] $zone]"]
        if {[dict get $row message] ne ""} {
            lappend lines [output_text::clip [dict get $row message] 4 300]
        }
        set who [claims::words [board::claim $key]]
        if {$who ne ""} {
            lappend lines $who
        }
        if {[dict get $row due_at] ne ""} {
            lappend lines "not before [timeline_axis::show [dict get $row due_at] $zone "%a %H:%M:%S"]"
        }
        lappend lines {*}[my DeadlineLines $key $zone]
        foreach bar [my BarsOf $key] {
            lappend lines [my BarText $bar $zone]
        }
        if {[dict exists $critical $key]} {
            lappend lines "on the critical path"
        }
        lappend lines "Times are those of [timeline_axis::zone_name $zone]."
        return [join $lines \n]
    }

    method BarText {bar zone} {
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
