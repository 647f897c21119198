# client/lib/days/days_draw.tcl
#
# How the grid of days looks: names at the left with how often and how long, dates across, cells in the colours of the states.
#
# A mixin of days_view. Only the rows in sight are drawn; of the dates as many of the newest as there is room for.

oo::class create ::days_draw {
    variable frame canvas grid top order place metrics

    method Measure {} {
        set line [font metrics [theme::font small] -linespace]
        set unit [font measure [theme::font small] "m"]
        set longest 0
        foreach one $order {
            lassign $one node
            set longest [expr {max($longest, [font measure [theme::font small] [my NameOf $node]])}]
        }
        set wide [winfo width $canvas]
        set name [expr {max(12 * $unit, min($longest + 20, $wide / 3))}]
        set left [expr {$name + 13 * $unit}]
        set count [llength [dict get $grid dates]]
        set cell [expr {max(2.6 * $unit, min(6 * $unit, ($wide - $left - 8) / double(max(1, $count))))}]
        set metrics [dict create line $line row [expr {$line + 9}] head [expr {2 * $line + 12}] name $name left $left \
            cell $cell]
    }

    method NameOf {node} {
        foreach date [lreverse [dict get $grid dates]] {
            if {[dict exists $grid cells [list $node $date]]} {
                return [dict get $grid cells [list $node $date] node_name]
            }
        }
    }

    # The dates that there is room for.
    method Shown {} {
        set room [expr {max(1, int(([winfo width $canvas] - [dict get $metrics left] - 4) / [dict get $metrics cell]))}]
        return [lrange [dict get $grid dates] end-[expr {$room - 1}] end]
    }

    method plan_draw {} {
        workq::add [list late::call [self] draw] [self]-draw
    }

    method retheme {} {
        my plan_draw
    }

    method Lines {} {
        return [expr {max(1, int(([winfo height $canvas] - [dict get $metrics head]) / [dict get $metrics row]))}]
    }

    method Scroll {lines} {
        set top [expr {max(0, min([llength $order] - [my Lines], $top + $lines))}]
        my plan_draw
    }

    method Yview {verb amount {unit ""}} {
        if {$verb eq "moveto"} {
            set top [expr {int($amount * [llength $order])}]
            my Scroll 0
        } else {
            my Scroll [expr {$amount * ($unit eq "pages" ? [my Lines] - 1 : 3)}]
        }
    }

    # Bring a line into sight.
    method See {line} {
        if {$line < $top} {
            set top $line
        } elseif {$line >= $top + [my Lines]} {
            set top [expr {$line - [my Lines] + 1}]
        }
        my plan_draw
    }

    # {node date} at a point, or {}.
    method CellAt {x y} {
        if {$metrics eq {}} {
            return {}
        }
        set line [expr {int(floor(($y - [dict get $metrics head]) / double([dict get $metrics row])))}]
        set column [expr {int(floor(($x - [dict get $metrics left]) / double([dict get $metrics cell])))}]
        set date [lindex [my Shown] $column]
        if {$line < 0 || $column < 0 || $date eq "" || $top + $line >= [llength $order]} {
            return {}
        }
        return [list [lindex $order $top+$line 0] $date]
    }

    method draw {} {
        if {![winfo viewable $canvas]} {
            return
        }
        my Measure
        set top [expr {max(0, min($top, [llength $order] - [my Lines]))}]
        $canvas configure -background [theme::color panel]
        $canvas delete all
        if {$order eq {}} {
            my DrawNone
            return
        }
        set dates [my Shown]
        my DrawDates $dates
        set y [dict get $metrics head]
        foreach one [lrange $order $top $top+[my Lines]] {
            my DrawLine $y $one $dates
            set y [expr {$y + [dict get $metrics row]}]
        }
        my Tell $dates
        set all [expr {double([llength $order])}]
        $frame.y set [expr {$top / $all}] [expr {min(1.0, ($top + [my Lines]) / $all)}]
    }

    method DrawNone {} {
        set text [expr {[dict get $grid nodes] eq {} ? "This job has no day yet." : "No node fits the search."}]
        $canvas create text [expr {[winfo width $canvas] / 2}] [theme::px 60] -text $text -fill [theme::color quiet] \
            -font [theme::font ui]
        $frame.y set 0 1
        $frame.bar.hint configure -text ""
    }

    method Tell {dates} {
        set all [llength [dict get $grid dates]]
        set text "a mark in the corner: it failed that day"
        if {[llength $dates] < $all || [dict get $grid cut]} {
            append text "; the last [llength $dates] days"
        }
        $frame.bar.hint configure -text $text
    }

    # The day of the month, and above it the month where one begins; the day that the board shows stands out.
    method DrawDates {dates} {
        set width [winfo width $canvas]
        set head [dict get $metrics head]
        set cell [dict get $metrics cell]
        set x [dict get $metrics left]
        $canvas create rectangle -1 -1 $width $head -width 0 -fill [theme::color shade]
        $canvas create text 10 [expr {$head - [dict get $metrics line] / 2.0 - 4}] -anchor w -text Node \
            -font [theme::font small] -fill [theme::color quiet]
        foreach right [my Rights] text {failed usually} {
            $canvas create text $right [expr {$head - [dict get $metrics line] / 2.0 - 4}] -anchor e \
                -text $text -font [theme::font small] -fill [theme::color quiet]
        }
        set month ""
        foreach date $dates {
            set seconds [clock scan $date -format %Y-%m-%d -gmt 1]
            if {$date eq [board::date]} {
                $canvas create rectangle $x 0 [expr {$x + $cell}] $head -width 0 -fill [theme::color select]
            }
            if {[string range $date 0 6] ne $month} {
                set month [string range $date 0 6]
                $canvas create text [expr {$x + 3}] [expr {4 + [dict get $metrics line] / 2.0}] -anchor w \
                    -text [clock format $seconds -format "%b" -gmt 1] -font [theme::font small] -fill [theme::color quiet]
            }
            $canvas create text [expr {$x + $cell / 2.0}] [expr {$head - [dict get $metrics line] / 2.0 - 4}] \
                -text [string trimleft [string range $date 8 9] 0] -font [theme::font small] -fill [theme::color text]
            set x [expr {$x + $cell}]
        }
    }

    # Where the two columns end that tell on how many days a node failed, and how long it usually takes.
    method Rights {} {
        set right [expr {[dict get $metrics left] - 10}]
        list [expr {$right - 7 * [font measure [theme::font small] "m"]}] $right
    }

    method DrawLine {y one dates} {
        lassign $one node failed usual
        set row [dict get $metrics row]
        set middle [expr {$y + $row / 2.0}]
        set font [theme::font small]
        if {[board::is_selected [list $node [board::date]]]} {
            $canvas create rectangle 0 $y [dict get $metrics left] [expr {$y + $row}] -width 0 -fill [theme::color select]
        }
        $canvas create line 0 [expr {$y + $row}] [winfo width $canvas] [expr {$y + $row}] -fill [theme::color line]
        $canvas create text 10 $middle -anchor w -font $font -fill [theme::color text] \
            -text [shorten::text [my NameOf $node] $font [expr {[dict get $metrics name] - 16}]]
        foreach right [my Rights] color {danger quiet} \
                text [list [expr {$failed ? "\u2717 $failed" : ""}] [board_filter::span_text $usual]] {
            $canvas create text $right $middle -anchor e -font $font -text $text -fill [theme::color $color]
        }
        set x [dict get $metrics left]
        foreach date $dates {
            if {[dict exists $grid cells [list $node $date]]} {
                my DrawCell $x $y [dict get $grid cells [list $node $date]]
            }
            set x [expr {$x + [dict get $metrics cell]}]
        }
    }

    method DrawCell {x y cell} {
        set look [theme::state [dict get $cell state]]
        set right [expr {$x + [dict get $metrics cell] - 2}]
        set bottom [expr {$y + [dict get $metrics row] - 2}]
        set is_here [expr {$place eq [list [dict get $cell node_id] [dict get $cell job_date]]}]
        $canvas create rectangle [expr {$x + 1}] [expr {$y + 2}] $right $bottom -fill [dict get $look fill] \
            -outline [theme::color [expr {$is_here ? "accent" : "line"}]] -width [expr {$is_here ? 2 : 1}]
        $canvas create text [expr {($x + $right) / 2.0}] [expr {($y + $bottom) / 2.0 + 1}] -text [dict get $look symbol] \
            -font [theme::font small] -fill [dict get $look text]
        if {[dict get $cell failures] > 0 && [dict get $cell state] ne "failed"} {
            set side [theme::px 7]
            $canvas create polygon [expr {$right - $side}] [expr {$y + 2}] $right [expr {$y + 2}] $right \
                [expr {$y + 2 + $side}] -fill [dict get [theme::state failed] fill] -tags mended
        }
    }
}
