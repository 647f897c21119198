# client/lib/graph/graph_boxes.tcl
#
# What a node of the board's graph looks like: how large its box is, its kind, its colours, and what is written in it.
#
# Constraint: this is asked for each node that is drawn or has changed, so nothing here may be slow; the size of a box does
# not depend on the state, so that a day that runs does not move.

# The fonts of the picture at zoom 1, looked up once for all boxes, and the width of a second line but for its id. A font
# that no widget has is opened anew for each text that is measured, which takes 300 times as long: a hidden label has it.
proc ::graph::MeasureFont {} {
    variable frame
    variable name_font
    variable note_font
    variable note_width
    variable named
    array unset named
    set family [font actual TkDefaultFont -family]
    set name_font [list $family [picture::letters 0 1]]
    set note_font [list $family [picture::letters 1 1]]
    $frame.measure configure -font $name_font
    $frame.measure_note configure -font $note_font
    set note_width [font measure $note_font "\[N\]  \u25cf succeeded"]
}

# Width and height of a box: of a name in one line or two, and of the widest that its last line can become.
proc ::graph::Size {key} {
    variable name_font
    variable note_width
    variable named
    if {[lindex $key 0] eq "job"} {
        return {260 64}
    }
    if {![board::is_inside $key]} {
        return {92 92}
    }
    set row [board::row $key]
    set type [dict get $row node_type]
    set name [dict get $row node_name]
    set long [font measure $name_font [string range $name 0 99]]
    set note [expr {$note_width + 8 * [string length [dict get $row node_id]]}]
    set room [expr {max(128, min(190, $long <= 150 ? $long : $long / 2 + 16), $note)}]
    set named($key) [list $name [shorten::wrap $name $name_font $room 2] $room]
    set notes [expr {[board::waits_for $row] eq "" ? 2 : 3}]
    lassign $::picture::steps high low
    set height [expr {[llength [lindex $named($key) 1]] * $high + $notes * $low + 8}]
    return [list [expr {$room + ($type in {S R} ? 34 : 16)}] [expr {$height + ($type eq "L" ? 10 : 0)}]]
}

# ---- looks ----

# Called by the picture for each node that it draws.
proc ::graph::Look {key} {
    if {[lindex $key 0] eq "job"} {
        return [GroupLook [lindex $key 1]]
    }
    set row [board::row $key]
    if {$row eq {}} {
        set row [board::absent_row $key 0]
    }
    set inside [board::is_inside $key]
    set look [dict create kind circle dash {} width 1 outline [theme::color edge] urgent 0 marked 0]
    if {[dict get $row exists]} {
        set look [dict merge $look [StateLook $row $inside]]
    } else {
        set look [dict merge $look [AbsentLook $key $row]]
    }
    if {$inside} {
        dict set look kind [dict get {S hexagon L cylinder N box R octagon E stack} [dict get $row node_type]]
    } else {
        dict set look dash {4 3}
    }
    if {[dict get $row node_type] eq "R"} {
        dict set look outline [theme::color review_rim]
        dict set look width 2
    }
    if {$inside && ![board::passes $row]} {
        set look [dict merge $look [Dimmed $row]]
    }
    if {[board::is_selected $key]} {
        set look [dict merge $look [dict create outline [theme::color accent] width 3 marked 1]]
    }
    return $look
}

proc ::graph::AbsentLook {key row} {
    variable name_font
    return [dict create fill [theme::color panel] text [theme::color quiet] far [theme::color line] fonts {0 1 1} \
        lines [list [lindex $key 0] [lindex $key 1] [shorten::text [dict get $row message] $name_font 84]]]
}

# The colours of a state; what asks for a person is urgent.
proc ::graph::StateLook {row inside} {
    set name [dict get $row state]
    set state [theme::state $name]
    lassign [if {$inside} {InsideLines $row $state} else {OutsideLines $row $state}] lines fonts
    return [dict create fill [dict get $state fill] text [dict get $state text] far [theme::far $name] \
        lines $lines fonts $fonts urgent [expr {$inside && [states::is $name attention]}]]
}

# What the search and the states leave out: faint, and still what it is.
proc ::graph::Dimmed {row} {
    set state [dict get $row state]
    return [dict create fill [theme::dim $state] far [theme::dim $state 1] outline [theme::color line] width 1 urgent 0 \
        text [theme::blend [theme::color quiet] [theme::color panel] 0.6]]
}

# The job or who looks at it, the name in one line or two, what it waits for outside, and type, number and state; and which of
# them are notes.
proc ::graph::InsideLines {row state} {
    variable name_font
    variable note_font
    variable named
    set key [list [dict get $row node_id] [dict get $row job_date]]
    if {![info exists named($key)] || [lindex $named($key) 0] ne [dict get $row node_name]} {
        Size $key
    }
    lassign $named($key) - names room
    # who looks at it is news, and of the job there are many boxes
    set who [claims::short [board::claim $key]]
    set any [expr {[board::joins_any $key] ? " any" : ""}]
    set waits [expr {[board::waits_for $row] eq "" ? {}
        : [list [shorten::text "$::picture::outside [board::waits_for $row]" $note_font $room]]}]
    set top [shorten::text [expr {$who eq "" ? [dict get $row job_name] : $who}] $note_font $room]
    return [list [list $top {*}$names {*}$waits \
        "\[[dict get $row node_type]\]$any [dict get $row node_id] [dict get $state symbol] [dict get $row state]"] \
        [list 1 {*}[lrepeat [llength $names] 0] {*}[lmap one $waits {string cat 1}] 1]]
}

# A circle has little room: the name, the job or the date that it is of, and the state's letter.
proc ::graph::OutsideLines {row state} {
    variable name_font
    set where [dict get $row job_name]
    if {[dict get $row job_date] ne [board::date]} {
        set where [clock format [clock scan [dict get $row job_date] -format %Y-%m-%d] -format "%d %b"]
    }
    return [list [list [shorten::text [dict get $row node_name] $name_font 84] [shorten::text $where $name_font 78] \
        "\[[dict get $row node_type]\] [dict get $state symbol]"] {0 1 1}]
}

# A job whose group is collapsed: in the colour of the most urgent that asks for a person, or runs.
proc ::graph::GroupLook {job} {
    variable name_font
    variable note_font
    variable group_counts
    if {$group_counts eq ""} {
        set group_counts [board::job_counts]
    }
    set counts [expr {[dict exists $group_counts $job] ? [dict get $group_counts $job] : {}}]
    set state pending
    foreach one [lreverse [states::names]] {
        if {[dict exists $counts $one]} {
            set state $one
        }
    }
    set look [theme::state $state]
    return [dict create kind stack fill [dict get $look fill] text [dict get $look text] far [theme::far $state] \
        dash {} width 1 outline [theme::color edge] urgent [states::is $state attention] marked 0 fonts {0 1 1} \
        lines [list [shorten::text $job $name_font 220] {*}[shorten::wrap [board::group_words $counts] $note_font 230 2]]]
}

# Whole: success; dashed: of another day; dotted: the end of the parent suffices, or, in red, its failure is waited for.
proc ::graph::EdgeLook {edge} {
    lassign $edge parent child
    set look [dict create fill [theme::color edge] far [theme::color far_edge] dash {}]
    if {"job" in [list [lindex $parent 0] [lindex $child 0]]} {
        return $look
    }
    switch -- [board::condition $edge] {
        done {
            dict set look dash {1 4}
        }
        failure {
            dict set look dash {1 4}
            dict set look fill [theme::color danger]
        }
        default {
            dict set look dash [expr {[lindex $parent 1] eq [lindex $child 1] ? {} : {4 3}}]
        }
    }
    return $look
}
