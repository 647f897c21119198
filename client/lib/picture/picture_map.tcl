# client/lib/picture/picture_map.tcl
#
# A map of the whole in the corner of a picture that is larger than its window: each box as a patch of its colour, and a frame
# around what is in sight. A click or a drag in it brings that place into the middle.
#
# Constraint: it is there only while a part of the picture is out of sight, and never takes the keyboard.

oo::class create ::picture::Map {
    # patch: node -> item; box: the world that it shows; scale: its pixels to a unit of the world; sight: what is in sight
    variable canvas picture owner patch box scale sight is_shown

    constructor {of_canvas of_picture} {
        set owner $of_canvas
        set picture $of_picture
        set canvas $owner.map
        canvas $canvas -highlightthickness 1 -borderwidth 0 -takefocus 0 -cursor hand2
        foreach event {<ButtonPress-1> <B1-Motion>} {
            bind $canvas $event [list late::call [self] Go %x %y]
        }
        array set patch {}
        bind $canvas <<ThemeChanged>> [list late::call [self] Recolor]
        my forget
        my Recolor
    }

    method Recolor {} {
        $canvas configure -background [theme::color panel] -highlightbackground [theme::color border]
        $canvas itemconfigure sight -outline [theme::color accent]
    }

    method forget {} {
        array unset patch
        lassign {{0 0 0 0} 1.0 {0 0 0 0} 0} box scale sight is_shown
        if {[winfo exists $canvas]} {
            $canvas delete all
            place forget $canvas
        }
    }

    # Another layout of that extent; its nodes come by paint.
    method show {extent} {
        my forget
        set box $extent
        lassign $box x0 y0 x1 y1
        # no more than a quarter of the picture's window, either way
        lassign [theme::px 210 160] width height
        set width [expr {min($width, max(60, [winfo width $owner] / 4))}]
        set height [expr {min($height, max(60, [winfo height $owner] / 4))}]
        set scale [expr {min($width / max(1.0, $x1 - $x0), $height / max(1.0, $y1 - $y0))}]
        $canvas configure -width [expr {int(ceil(($x1 - $x0) * $scale)) + 8}] \
            -height [expr {int(ceil(($y1 - $y0) * $scale)) + 8}]
        $canvas create rectangle 0 0 0 0 -outline [theme::color accent] -width [theme::px 2] -tags sight
        my look {*}$sight
    }

    # The patch of a node; one that is urgent is never too small to be found.
    method paint {node corners fill urgent} {
        lassign $corners x0 y0 x1 y1
        lassign $box left top
        set least [expr {$urgent ? [theme::px 5] : 1.0}]
        set x [expr {(($x0 + $x1) / 2.0 - $left) * $scale + 4}]
        set y [expr {(($y0 + $y1) / 2.0 - $top) * $scale + 4}]
        set half_x [expr {max($least, ($x1 - $x0) * $scale) / 2.0}]
        set half_y [expr {max($least, ($y1 - $y0) * $scale) / 2.0}]
        set place [list [expr {$x - $half_x}] [expr {$y - $half_y}] [expr {$x + $half_x}] [expr {$y + $half_y}]]
        if {[info exists patch($node)]} {
            $canvas coords $patch($node) $place
            $canvas itemconfigure $patch($node) -fill $fill
        } else {
            set patch($node) [$canvas create rectangle $place -fill $fill -width 0]
        }
        if {$urgent} {
            $canvas raise $patch($node)
        }
        $canvas raise sight
    }

    # What of the world is in sight of the picture.
    method look {x0 y0 x1 y1} {
        set sight [list $x0 $y0 $x1 $y1]
        lassign $box left top right bottom
        set needed [expr {[array size patch] > 1
            && ($x0 > $left + 1 || $y0 > $top + 1 || $x1 < $right - 1 || $y1 < $bottom - 1)}]
        if {$needed != $is_shown} {
            set is_shown $needed
            if {$needed} {
                place $canvas -relx 1 -rely 1 -x -10 -y -10 -anchor se
            } else {
                place forget $canvas
            }
        }
        if {$is_shown} {
            set corners [lmap value $sight from [list $left $top $left $top] {expr {($value - $from) * $scale + 4}}]
            lassign $corners x0 y0 x1 y1
            $canvas coords sight [expr {max(1, $x0)}] [expr {max(1, $y0)}] \
                [expr {min([winfo reqwidth $canvas] - 3, $x1)}] [expr {min([winfo reqheight $canvas] - 3, $y1)}]
        }
    }

    method Go {x y} {
        lassign $box left top
        $picture center_at [expr {$left + ($x - 4) / $scale}] [expr {$top + ($y - 4) / $scale}]
    }
}
