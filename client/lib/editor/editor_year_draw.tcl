# client/lib/editor/editor_year_draw.tcl
#
# How a calendar's year looks: where months and days stand, their colours and marks, and what the marks mean. A mixin of
# editor_year.

oo::class create ::editor_year_draw {
    variable canvas year days before chosen metrics

    # ---- places ----

    # Months beside each other, as many as make the largest cells; or one a line, its days below their weekdays.
    method Measure {} {
        set wide [winfo width $canvas]
        set line [font metrics [theme::font small] -linespace]
        set high [expr {[winfo height $canvas] - [my LegendHeight $wide $line] - 10.0}]
        set need [expr {[font measure [theme::font small_bold] "00"] + 6.0}]
        set name [expr {[font measure [theme::font bold] "September"] + 10}]
        set best 0
        # months in a line, cells across and down in all, what stands beside and above, of cells and of pixels
        foreach {columns across down beside} [list 1 37 13 $name 2 15.4 49.8 0 3 23.1 33.2 0 4 30.8 24.9 0 6 46.2 16.6 0] {
            set cell_wide [expr {($wide - 16.0 - $beside) / $across}]
            set cell_high [expr {$high / $down}]
            set worth [expr {min($cell_wide / $need, $cell_high / ($line + 4.0), 1.8)}]
            if {$worth > $best} {
                set best $worth
                set metrics [dict create columns $columns wide [expr {min($cell_wide, 2 * $need)}] \
                    high [expr {min($cell_high, 2.0 * $line)}] line $line beside $beside legend [expr {$high + 8}]]
            }
        }
    }

    # The corner of a month (from 0), where its name stands; two lines below it begin the days. One month a line: its name, and
    # beside it its days.
    method Corner {month} {
        dict with metrics {
            if {$columns == 1} {
                return [list 8 [expr {4 + (1 + $month) * $high}]]
            }
            return [list [expr {8 + ($month % $columns) * 7.7 * $wide}] [expr {4 + ($month / $columns) * 8.3 * $high}]]
        }
    }

    # The box of a day: its month from 0, its day from 1, and the weekday of the month's first, from 0.
    method Box {month day first} {
        lassign [my Corner $month] x y
        set at [expr {$first + $day - 1}]
        dict with metrics {
            set left [expr {$x + $beside + ($columns == 1 ? $at : $at % 7) * $wide}]
            set top [expr {$y + ($columns == 1 ? 0 : 2 + $at / 7) * $high}]
            return [list $left $top [expr {$left + $wide - 2}] [expr {$top + $high - 2}]]
        }
    }

    # Weekday of the first of each month, from 0 for Monday.
    method Firsts {} {
        for {set month 1} {$month <= 12} {incr month} {
            lappend firsts [expr {[clock format [clock scan [format %04d-%02d-01 $year $month] -format %Y-%m-%d -gmt 1] \
                -format %u -gmt 1] - 1}]
        }
        return $firsts
    }

    method DateAt {x y} {
        foreach item [lreverse [$canvas find overlapping $x $y $x $y]] {
            foreach tag [$canvas gettags $item] {
                if {[regexp {^d(\d+-\d\d-\d\d)$} $tag - date]} {
                    return $date
                }
            }
        }
    }

    # ---- drawing ----

    method draw {} {
        if {![winfo viewable $canvas]} {
            return
        }
        my Measure
        $canvas delete all
        if {![dict size $days]} {
            $canvas create text [expr {[winfo width $canvas] / 2}] [theme::px 60] -fill [theme::color quiet] \
                -font [theme::font ui] -text "No calendar is chosen, or it is not one yet."
            return
        }
        set firsts [my Firsts]
        for {set month 0} {$month < 12} {incr month} {
            my DrawMonth $month [lindex $firsts $month]
        }
        dict for {date day} $days {
            scan $date %d-%d-%d - month number
            my DrawDay $date $day [my Box [expr {$month - 1}] $number [lindex $firsts $month-1]]
        }
        my DrawLegend
    }

    method DrawMonth {month first} {
        lassign [my Corner $month] x y
        set high [dict get $metrics high]
        set name [clock format [clock scan 2001-[format %02d [expr {$month + 1}]]-01 -format %Y-%m-%d -gmt 1] -format %B -gmt 1]
        $canvas create text $x [expr {$y + $high / 2 - 1}] -anchor w -text $name -font [theme::font bold] \
            -fill [theme::color text]
        if {[dict get $metrics columns] > 1} {
            my DrawWeekdays $x [expr {$y + 1.5 * $high}] 7
        } elseif {$month == 0} {
            my DrawWeekdays [expr {$x + [dict get $metrics beside]}] [expr {4 + $high / 2}] 37
        }
    }

    method DrawWeekdays {x y count} {
        for {set i 0} {$i < $count} {incr i} {
            $canvas create text [expr {$x + ($i + 0.5) * [dict get $metrics wide] - 1}] $y -font [theme::font small] \
                -text [lindex {Mo Tu We Th Fr Sa Su} [expr {$i % 7}]] -fill [theme::color quiet]
        }
    }

    # The marks of a day: what it is filled with, and what stands on it.
    method DrawDay {date day box} {
        set open [dict get $day open]
        set by [dict get $day decided_by]
        set tag d$date
        $canvas create rectangle {*}$box -width 0 -fill [my Fill $day] -tags [list day $tag]
        my DrawMarks $day $box $tag
        lassign $box x0 y0 x1 y1
        $canvas create text [expr {($x0 + $x1) / 2.0}] [expr {($y0 + $y1) / 2.0}] -tags [list $tag number] \
            -text [string trimleft [string range $date end-1 end] 0] -font [theme::font small[if {$open} {string cat _bold}]] \
            -fill [theme::color [expr {$open || $by eq "holiday" ? "text" : "quiet"}]]
        if {[dict exists $before $date] && [dict get $before $date open] != $open} {
            $canvas create rectangle {*}$box -width 2 -outline [theme::color warn] -tags [list $tag changed]
        }
        if {$date eq $chosen} {
            $canvas create rectangle [expr {$x0 - 1}] [expr {$y0 - 1}] [expr {$x1 + 1}] [expr {$y1 + 1}] -width 2 \
                -dash [expr {[focus -displayof $canvas] eq $canvas ? "" : "2 2"}] -outline [theme::color accent] \
                -tags [list $tag chosen]
        }
    }

    method Fill {day} {
        if {[dict get $day open]} {
            return [theme::blend [theme::color good] [theme::color panel] 0.3]
        }
        return [expr {[dict get $day decided_by] eq "holiday"
            ? [theme::blend [theme::color danger] [theme::color panel] 0.25] : [theme::color shade]}]
    }

    method DrawMarks {day box tag} {
        lassign $box x0 y0 x1 y1
        set open [dict get $day open]
        if {![dict get $day known]} {
            $canvas create rectangle {*}$box -width 0 -fill [theme::color disabled] -stipple gray25 -tags [list $tag unknown]
        }
        set bar [expr {max(2, round(($y1 - $y0) / 7))}]
        switch -- [dict get $day decided_by] {
            holiday {
                set side [expr {min($x1 - $x0, $y1 - $y0) / 2.2}]
                $canvas create polygon [expr {$x1 - $side}] $y0 $x1 $y0 $x1 [expr {$y0 + $side}] \
                    -fill [theme::color [expr {$open ? "good" : "danger"}]] -tags [list $tag named]
            }
            moved {
                if {$open} {
                    $canvas create rectangle $x0 [expr {$y1 - $bar}] $x1 $y1 -width 0 -fill [theme::color accent] \
                        -tags [list $tag came]
                } else {
                    $canvas create rectangle [expr {$x0 + 1}] [expr {$y0 + 1}] [expr {$x1 - 1}] [expr {$y1 - 1}] -dash {2 2} \
                        -outline [theme::color accent] -tags [list $tag went]
                }
            }
            and - or - not {
                $canvas create rectangle $x0 $y0 [expr {$x0 + $bar}] $y1 -width 0 -fill [theme::color quiet] \
                    -tags [list $tag part]
            }
        }
    }

    # ---- what the marks mean ----

    # Word and day of each mark.
    method Legend {} {
        foreach {word open by known} {
            open 1 weekdays 1 closed 0 weekdays 1 named 0 holiday 1 "opened by name" 1 holiday 1 "moved here" 1 moved 1
            "moved away" 0 moved 1 "by a part" 1 or 1 "nobody vouches" 1 weekdays 0
        } {
            lappend list $word [dict create open $open decided_by $by known $known]
        }
        return [concat $list [list "changed, not applied" ""]]
    }

    # Word, day, x and line of each, in as many lines as it takes.
    method LegendPlaces {wide line} {
        lassign {8 0} x row
        foreach {word day} [my Legend] {
            set need [expr {2.2 * $line + [font measure [theme::font small] $word] + [font measure [theme::font small] mm]}]
            if {$x + $need > $wide && $x > 8} {
                set x 8
                incr row
            }
            lappend list [list $word $day $x $row]
            set x [expr {$x + $need}]
        }
        return $list
    }

    method LegendHeight {wide line} {
        return [expr {([lindex [my LegendPlaces $wide $line] end 3] + 1) * ($line + 5) + 6}]
    }

    method DrawLegend {} {
        set line [dict get $metrics line]
        foreach one [my LegendPlaces [winfo width $canvas] $line] {
            lassign $one word day x row
            set y [expr {[dict get $metrics legend] + $row * ($line + 5)}]
            set box [list $x $y [expr {$x + 1.7 * $line}] [expr {$y + $line}]]
            if {$day eq ""} {
                $canvas create rectangle {*}$box -width 2 -outline [theme::color warn]
            } else {
                $canvas create rectangle {*}$box -width 0 -fill [my Fill $day]
                my DrawMarks $day $box legend
            }
            $canvas create text [expr {$x + 2 * $line}] [expr {$y + $line / 2.0}] -anchor w -text $word \
                -font [theme::font small] -fill [theme::color text] -tags legend
        }
    }
}
