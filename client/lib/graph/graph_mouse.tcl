# client/lib/graph/graph_mouse.tcl
#
# What the mouse and the keys do to the board's graph, and what a small box says when the pointer rests on it.

proc ::graph::Press {x y} {
    variable canvas
    variable picture
    variable press
    focus $canvas
    HideTip
    set press [list $x $y 0]
    $picture pan_start $x $y
}

proc ::graph::Drag {x y} {
    variable picture
    variable press
    lassign $press x0 y0 moved
    if {$moved || abs($x - $x0) + abs($y - $y0) > 4} {
        lset press 2 1
        HideTip
        $picture pan_to $x $y
    }
}

proc ::graph::Release {x y add} {
    variable picture
    variable press
    if {[lindex $press 2]} {
        return
    }
    set key [$picture current]
    if {[lindex $key 0] eq "job"} {
        board::toggle_group [lindex $key 1]
    } elseif {$key eq "" && [$picture heading_at $x $y] ne ""} {
        board::toggle_group [$picture heading_at $x $y]
    } elseif {$key eq ""} {
        board::select_keys {}
    } elseif {$add} {
        board::toggle $key
    } else {
        board::select_keys [list $key]
    }
}

proc ::graph::OpenDetails {} {
    set keys [board::selection]
    if {[llength $keys] == 1} {
        popup::open [lindex $keys 0]
    }
}

proc ::graph::Menu {x y} {
    variable picture
    HideTip
    set key [$picture current]
    if {$key ne "" && [lindex $key 0] ne "job"} {
        if {![board::is_selected $key]} {
            board::select_keys [list $key]
        }
        board::popup_menu $x $y
    }
}

# The menu by a key: beside the selected node.
proc ::graph::KeyMenu {} {
    variable picture
    variable canvas
    set box [$picture box_of [lindex [board::selection] 0]]
    if {$box ne {}} {
        lassign $box x0 y0 x1 y1
        board::popup_menu [expr {[winfo rootx $canvas] + int($x0)}] [expr {[winfo rooty $canvas] + int($y1)}]
    }
}

# Select the node next to the selected one in a direction.
proc ::graph::Walk {right down} {
    variable picture
    set key [$picture next [lindex [board::selection] end] $right $down ::graph::IsShown]
    if {$key ne ""} {
        board::select_keys [list $key]
    }
}

# Whether a node is there and not left out by the filter.
proc ::graph::IsShown {key} {
    set row [board::row $key]
    return [expr {$row ne {} && [board::passes $row]}]
}

proc ::graph::Wheel {x y delta} {
    variable picture
    HideTip
    $picture zoom_at $x $y [expr {$delta > 0 ? 1.2 : 1 / 1.2}]
}

proc ::graph::Key {factor} {
    variable picture
    variable canvas
    $picture zoom_at [expr {[winfo width $canvas] / 2}] [expr {[winfo height $canvas] / 2}] $factor
}

proc ::graph::Fit {} {
    variable picture
    $picture fit
}

proc ::graph::Nudge {dx dy} {
    variable picture
    $picture pan_start 0 0
    $picture pan_to $dx $dy
}

proc ::graph::Resized {} {
    variable picture
    if {![$picture is_touched]} {
        workq::add [list $picture refit] graph-fit
    }
    Refresh
}

# ---- the tip: what a small box says when the pointer rests on it ----

proc ::graph::Hover {x y} {
    variable hovered
    variable canvas
    variable picture
    set key [$picture current]
    if {$key ne $hovered} {
        set hovered $key
        tip::plan $canvas $x $y [TipText $key]
    }
}
variable ::graph::hovered ""

proc ::graph::TipText {key} {
    if {[lindex $key 0] eq "job"} {
        return "[join [dict get [GroupLook [lindex $key 1]] lines] \n]\nA click opens it."
    }
    set row [expr {$key eq "" ? {} : [board::row $key]}]
    if {$row eq {}} {
        return ""
    }
    set text "[dict get $row node_name]  \[[dict get $row node_type]\] [dict get $row node_id]"
    append text "\n[dict get $row job_name], [dict get $row job_date]\n[dict get $row state]"
    if {[dict get $row message] ne ""} {
        append text ": [output_text::clip [dict get $row message] 4 300]"
    }
    foreach more [list [board::not_before $row] [output_text::clip [board::waits_words $row] 6 400] \
            [claims::words [board::claim $key]]] {
        if {$more ne ""} {
            append text \n$more
        }
    }
    return $text
}

proc ::graph::HideTip {} {
    variable hovered
    set hovered ""
    tip::hide
}
