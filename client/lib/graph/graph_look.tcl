# client/lib/graph/graph_look.tcl
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
    set family [font actual TkDefaultFont -family]
    set name_font [list $family [graph_draw::letters 0 1]]
    set note_font [list $family [graph_draw::letters 1 1]]
    $frame.measure configure -font $name_font
    set note_width [font measure $note_font "\[N\]  \u25cf succeeded"]
}

# Width and height of a box, from its text: the widest that its second line can become.
proc ::graph::Size {key} {
    variable name_font
    variable note_width
    if {![board::is_inside $key]} {
        return {92 92}
    }
    set row [board::row $key]
    set type [dict get $row node_type]
    set note [expr {$note_width + 7 * [string length [dict get $row node_id]]}]
    set text [expr {max([font measure $name_font [dict get $row node_name]], $note)}]
    set width [expr {max(104, min(260, $text + ($type in {S R} ? 40 : 24)))}]
    return [list $width [expr {$type eq "L" ? 52 : 42}]]
}

# ---- looks ----

# Called by the picture for each node that it draws.
proc ::graph::Look {key} {
    set row [board::row $key]
    if {$row eq {}} {
        set row [board::absent_row $key 0]
    }
    set inside [board::is_inside $key]
    set look [dict create kind circle dash {} width 1 outline [theme::color edge]]
    if {![dict get $row exists]} {
        dict set look fill [theme::color panel]
        dict set look text [theme::color quiet]
        dict set look lines [list [lindex $key 0] [lindex $key 1] [Shorten [dict get $row message] 84]]
    } else {
        set state [theme::state [dict get $row state]]
        dict set look fill [dict get $state fill]
        dict set look text [dict get $state text]
        dict set look lines [expr {$inside ? [InsideLines $row $state] : [OutsideLines $row $state]}]
    }
    if {$inside} {
        dict set look kind [dict get {S hexagon L cylinder N box R octagon} [dict get $row node_type]]
    } else {
        dict set look dash {4 3}
    }
    if {[dict get $row node_type] eq "R"} {
        dict set look outline [theme::color review_rim]
        dict set look width 2
    }
    if {$inside && ![board::passes $row]} {
        dict set look fill [theme::color panel]
        dict set look text [theme::color quiet]
    }
    if {[board::is_selected $key]} {
        dict set look outline [theme::color accent]
        dict set look width 3
    }
    return $look
}

proc ::graph::InsideLines {row state} {
    return [list [Shorten [dict get $row node_name] 238] \
        "\[[dict get $row node_type]\] [dict get $row node_id] [dict get $state symbol] [dict get $row state]"]
}

# A circle has little room: the name, the job or the date that it is of, and the state's letter.
proc ::graph::OutsideLines {row state} {
    set where [dict get $row job_name]
    if {[dict get $row job_date] ne [board::date]} {
        set where [clock format [clock scan [dict get $row job_date] -format %Y-%m-%d] -format "%d %b"]
    }
    return [list [Shorten [dict get $row node_name] 84] [Shorten $where 78] \
        "\[[dict get $row node_type]\] [dict get $state symbol]"]
}

proc ::graph::Shorten {text pixels} {
    variable name_font
    if {[font measure $name_font $text] <= $pixels} {
        return $text
    }
    while {$text ne "" && [font measure $name_font $text\u2026] > $pixels} {
        set text [string range $text 0 end-1]
    }
    return $text\u2026
}

proc ::graph::EdgeLook {edge} {
    lassign $edge parent child
    set dash [expr {[lindex $parent 1] eq [lindex $child 1] ? {} : {4 3}}]
    return [dict create fill [theme::color edge] dash $dash]
}
