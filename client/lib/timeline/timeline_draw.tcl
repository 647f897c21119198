# client/lib/timeline/timeline_draw.tcl
#
# How the timeline looks: rows, bars, the axis, the line that is now.
#
# A mixin of timeline_view. All that is in sight is drawn anew each time; the names at the left and the axis at the top are
# drawn last, over the bars.

oo::class create ::timeline_draw {
    variable frame canvas from to top entries line_of rows plan critical selected now_timer planned_at metrics show_critical \
        touched

    # Sizes follow the fonts.
    method Measure {} {
        set line [font metrics [theme::font small] -linespace]
        set metrics [dict create line $line row [expr {$line + 9}] head [expr {2 * $line + 12}] \
            label [my LabelWidth]]
    }

    # The names have the room that they need, as far as a third of the window.
    method LabelWidth {} {
        set unit [font measure [theme::font small] "m"]
        set longest 0
        foreach key [array names line_of] {
            set longest [expr {max($longest, [string length [dict get $rows $key node_name]])}]
        }
        return [expr {max($unit * 17, min($unit * 2 * $longest / 3 + 56, [winfo width $canvas] / 3))}]
    }

    method Retheme {} {
        my Measure
        my plan_draw
    }

    method BodyWidth {} {
        return [expr {max(50, [winfo width $canvas] - [dict get $metrics label])}]
    }

    method BodyHeight {} {
        return [expr {max(20, [winfo height $canvas] - [dict get $metrics head])}]
    }

    method SecondsPerPixel {} {
        return [expr {($to - $from) / double([my BodyWidth])}]
    }

    method XOf {at} {
        return [expr {[dict get $metrics label] + ($at - $from) / [my SecondsPerPixel]}]
    }

    method TimeAt {x} {
        return [expr {$from + ($x - [dict get $metrics label]) * [my SecondsPerPixel]}]
    }

    method YOf {line} {
        return [expr {[dict get $metrics head] + $line * [dict get $metrics row] - $top}]
    }

    # The entry at a height, or {}.
    method EntryAt {y} {
        if {$y < [dict get $metrics head]} {
            return {}
        }
        return [lindex $entries [expr {int(($y - [dict get $metrics head] + $top) / [dict get $metrics row])}]]
    }

    # ---- when ----

    method plan_draw {} {
        workq::add [list late::call [self] draw] [self]-draw
    }

    # Seen again after it was hidden: what has happened meanwhile has not been drawn.
    method Shown {} {
        my ReadMore
        my Replan
        my take_selection
        my tick
    }

    # The line that is now moves; bars that run grow.
    method tick {} {
        after cancel $now_timer
        if {[winfo viewable $canvas]} {
            if {!$touched && $entries ne {} && [board::past] eq ""} {
                my Fit
            }
            my plan_draw
            # what has not begun moves on with the time
            if {[clock milliseconds] - $planned_at > 5000} {
                my Replan
            }
            set now_timer [after [expr {int(min(max(1000 * [my SecondsPerPixel], 500), 10000))}] [list late::call [self] tick]]
        }
    }

    method draw {} {
        if {![winfo viewable $canvas]} {
            return
        }
        $canvas configure -background [theme::color panel]
        $canvas delete all
        set first [expr {$top / [dict get $metrics row]}]
        set last [expr {min([llength $entries] - 1, ($top + [my BodyHeight]) / [dict get $metrics row])}]
        set room [expr {[font measure [theme::font small] 00:00:00] + [theme::px 12]}]
        set ticks [timeline_axis::ticks $from $to [my SecondsPerPixel] [my Zone] $room]
        for {set line $first} {$line <= $last} {incr line} {
            my DrawBand $line [lindex $entries $line]
        }
        my DrawGrid $ticks
        for {set line $first} {$line <= $last} {incr line} {
            my DrawBars $line [lindex $entries $line]
        }
        my DrawNow
        my DrawNames $first $last
        my DrawAxis $ticks
        my SetScrollbars
    }

    method SetScrollbars {} {
        set height [expr {double(max(1, [llength $entries] * [dict get $metrics row]))}]
        $frame.y set [expr {$top / $height}] [expr {min(1.0, ($top + [my BodyHeight]) / $height)}]
        lassign [my TimeBounds] first last
        set span [expr {max(1.0, $last - $first)}]
        $frame.x set [expr {($from - $first) / $span}] [expr {($to - $first) / $span}]
    }

    # ---- rows ----

    # What lies behind a row: a job's heading, the selected node.
    method DrawBand {line entry} {
        lassign $entry kind what
        set y [my YOf $line]
        set bottom [expr {$y + [dict get $metrics row]}]
        set width [winfo width $canvas]
        if {$kind eq "job"} {
            $canvas create rectangle 0 $y $width $bottom -width 0 -fill [theme::color shade]
        } elseif {[board::is_selected $what]} {
            $canvas create rectangle 0 $y $width $bottom -width 0 -fill [theme::color select]
        }
        $canvas create line 0 $bottom $width $bottom -fill [theme::color line]
    }

    method DrawGrid {ticks} {
        set bottom [winfo height $canvas]
        foreach tick $ticks {
            lassign $tick at label day
            set x [my XOf $at]
            $canvas create line $x [dict get $metrics head] $x $bottom \
                -fill [theme::color [expr {$day eq "" ? "line" : "border"}]]
        }
    }

    method DrawBars {line entry} {
        lassign $entry kind key
        if {$kind ne "node"} {
            return
        }
        set y [my YOf $line]
        set shown [expr {$show_critical && [dict exists $critical $key]}]
        foreach bar [my BarsOf $key] {
            my DrawBar $y $bar $shown
        }
        my DrawDeadlines $y $key
    }

    method DrawBar {y bar critical_bar} {
        lassign $bar kind start end state
        set top_y [expr {$y + 3}]
        set bottom [expr {$y + [dict get $metrics row] - 3}]
        set x0 [my XOf $start]
        set x1 [my XOf $end]
        set edge [expr {[dict get $metrics label] - 10}]
        set right [expr {[winfo width $canvas] + 10}]
        if {$x1 < $edge || $x0 > $right} {
            return
        }
        set look [theme::state $state]
        if {$kind eq "moment" || ($kind eq "planned" && $x1 - $x0 < 3)} {
            my DrawMoment $x0 [expr {($top_y + $bottom) / 2.0}] $kind $look $critical_bar
            return
        }
        set x0 [expr {max($x0, $edge)}]
        set x1 [expr {min(max($x1, $x0 + 3), $right)}]
        my DrawBox $kind $x0 $top_y $x1 $bottom $look $critical_bar
        my DrawLetter $kind $x0 $x1 [expr {($top_y + $bottom) / 2.0}] $look
    }

    method DrawBox {kind x0 y0 x1 y1 look critical_bar} {
        set fill [dict get $look fill]
        set line [theme::color [expr {$critical_bar ? "accent" : "quiet"}]]
        set options [list -outline $line -width [expr {$critical_bar && $x1 - $x0 > 7 ? 2 : 1}]]
        switch -- $kind {
            planned - expected {
                lappend options -fill [theme::blend $fill [theme::color panel] 0.28] -dash {3 2}
                if {!$critical_bar} {
                    lset options 1 [theme::blend $line [theme::color panel] 0.5]
                }
            }
            wait {
                lappend options -fill [theme::blend $fill [theme::color panel] 0.45]
            }
            default {
                lappend options -fill $fill
            }
        }
        $canvas create rectangle $x0 $y0 $x1 $y1 {*}$options
        if {$kind eq "wait"} {
            my Hatch $x0 $y0 $x1 $y1 $fill
        }
    }

    # Slanted lines over a bar, all in one item: up a line, along the edge, down the next.
    method Hatch {x0 y0 x1 y1 fill} {
        set y0 [expr {$y0 + 1}]
        set high [expr {$y1 - $y0}]
        set points {}
        set up 1
        for {set x [expr {$x0 - $high + 6}]} {$x < $x1} {set x [expr {$x + 7}]} {
            set low [expr {max($x, $x0 + 1)}]
            set top_x [expr {min($x + $high, $x1 - 1)}]
            set ends [list $low [expr {$y1 - ($low - $x)}] $top_x [expr {$y1 - ($top_x - $x)}]]
            lappend points {*}[expr {$up ? $ends : [concat [lrange $ends 2 3] [lrange $ends 0 1]]}]
            set up [expr {!$up}]
        }
        if {[llength $points] >= 4} {
            $canvas create line {*}$points -fill $fill -width 1.5 -capstyle butt -joinstyle bevel
        }
    }

    # Done in no time: a diamond; hollow when it is to come.
    method DrawMoment {x y kind look critical_bar} {
        set r [expr {[dict get $metrics row] / 2.0 - 4}]
        set fill [dict get $look fill]
        if {$kind eq "planned"} {
            set fill [theme::blend $fill [theme::color panel] 0.28]
        }
        $canvas create polygon $x [expr {$y - $r}] [expr {$x + $r}] $y $x [expr {$y + $r}] [expr {$x - $r}] $y -fill $fill \
            -outline [theme::color [expr {$critical_bar ? "accent" : "quiet"}]] -width [expr {$critical_bar ? 2 : 1}]
        $canvas create text [expr {$x + $r + 4}] $y -anchor w -text [dict get $look symbol] -font [theme::font small] \
            -fill [theme::color quiet]
    }

    # The state's letter, within the bar or behind it.
    method DrawLetter {kind x0 x1 y look} {
        if {$kind eq "expected"} {
            return
        }
        set letter [dict get $look symbol]
        set inside [expr {$x1 - $x0 > [font measure [theme::font small] $letter] + 8}]
        set pale [expr {$kind in {planned wait}}]
        $canvas create text [expr {$inside ? $x0 + 5 : $x1 + 4}] $y -anchor w -text $letter -font [theme::font small] \
            -fill [expr {$inside && !$pale ? [dict get $look text] : [theme::color [expr {$inside ? "text" : "quiet"}]]}]
    }

    method DrawNow {} {
        set x [my XOf [my Now]]
        if {$x >= [dict get $metrics label]} {
            $canvas create line $x [dict get $metrics head] $x [winfo height $canvas] -fill [theme::color now] -width 2
        }
    }

    # ---- names and axis ----

    method DrawNames {first last} {
        set width [dict get $metrics label]
        set bottom [winfo height $canvas]
        $canvas create rectangle -1 0 $width $bottom -width 0 -fill [theme::color panel]
        for {set line $first} {$line <= $last} {incr line} {
            my DrawBandLeft $line [lindex $entries $line] $width
        }
        $canvas create line $width 0 $width $bottom -fill [theme::color border]
    }

    method DrawBandLeft {line entry width} {
        lassign $entry kind what
        set y [my YOf $line]
        set bottom [expr {$y + [dict get $metrics row]}]
        set middle [expr {($y + $bottom) / 2.0}]
        if {$kind eq "job"} {
            $canvas create rectangle 0 $y $width $bottom -width 0 -fill [theme::color shade]
            set mark [expr {[board::is_collapsed $what] ? "\u25b8" : "\u25be"}]
            $canvas create text 10 $middle -anchor w -font [theme::font bold] -fill [theme::color text] \
                -text "$mark [shorten::text $what [theme::font bold] [expr {$width - 32}]]"
            return
        }
        if {[board::is_selected $what]} {
            $canvas create rectangle 0 $y $width $bottom -width 0 -fill [theme::color select]
        }
        $canvas create line 0 $bottom $width $bottom -fill [theme::color line]
        set row [dict get $rows $what]
        set note " \[[dict get $row node_type]\]"
        set font [theme::font small]
        set room [expr {$width - 24 - [font measure $font $note]}]
        $canvas create text 18 $middle -anchor w -font $font -text [shorten::text [dict get $row node_name] $font $room]$note \
            -fill [theme::color [expr {[board::is_selected $what] ? "on_select" : "text"}]]
    }

    method DrawAxis {ticks} {
        set width [winfo width $canvas]
        set head [dict get $metrics head]
        set left [dict get $metrics label]
        set upper [expr {4 + [dict get $metrics line] / 2.0}]
        set lower [expr {$head - 4 - [dict get $metrics line] / 2.0}]
        $canvas create rectangle -1 -1 [expr {$width + 1}] $head -width 0 -fill [theme::color shade]
        $canvas create line 0 $head $width $head -fill [theme::color border]
        my DrawDays $ticks $left $upper
        # what the label of the present would cover is left out
        set now [expr {[my Now] >= $from && [my Now] <= $to ? [my XOf [my Now]] : -1000}]
        foreach tick $ticks {
            lassign $tick at label
            set x [my XOf $at]
            set half [expr {[font measure [theme::font small] $label] / 2.0}]
            if {$x < $left + 2} continue
            $canvas create line $x [expr {$head - 4}] $x $head -fill [theme::color quiet]
            if {$x - $half < $left + 4 || $x + $half > $width || abs($x - $now) < 2 * $half + 8} continue
            $canvas create text $x $lower -text $label -font [theme::font small] -fill [theme::color text]
        }
        my DrawNowLabel $head $lower
        $canvas create rectangle -1 -1 $left [expr {$head - 1}] -width 0 -fill [theme::color shade]
        $canvas create text 10 $upper -anchor w -font [theme::font small] -fill [theme::color quiet] \
            -text [timeline_axis::zone_name [my Zone]]
        $canvas create line $left 0 $left $head -fill [theme::color border]
    }

    # The date at the left edge, and where another one begins.
    method DrawDays {ticks left y} {
        set places [list [list $left [timeline_axis::day_name $from [my Zone]]]]
        foreach tick $ticks {
            lassign $tick at label day
            if {$day ne "" && [my XOf $at] > $left} {
                lappend places [list [my XOf $at] $day]
            }
        }
        set until 1e9
        foreach place [lreverse $places] {
            lassign $place x day
            if {$x + 14 + [font measure [theme::font small] $day] < $until} {
                $canvas create text [expr {$x + 6}] $y -anchor w -text $day -font [theme::font small] -fill [theme::color quiet]
                set until $x
            }
        }
    }

    method DrawNowLabel {head y} {
        set x [my XOf [my Now]]
        if {$x < [dict get $metrics label]} {
            return
        }
        set text [timeline_axis::show [my Now] [my Zone] %H:%M:%S]
        set half [expr {[font measure [theme::font small] $text] / 2.0 + 5}]
        set line [dict get $metrics line]
        set x [expr {min($x, [winfo width $canvas] - $half - 1)}]
        $canvas create rectangle [expr {$x - $half}] [expr {$y - $line / 2.0 - 1}] \
            [expr {$x + $half}] [expr {$y + $line / 2.0 + 1}] \
            -width 0 -fill [theme::color now]
        $canvas create text $x $y -text $text -font [theme::font small] -fill [theme::color on_danger]
    }
}
