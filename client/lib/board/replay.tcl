# client/lib/board/replay.tcl
#
# A slider over the day: the board as it stood at any moment, change by change.
#
# Constraint: the past comes from josch.board_at(), which reads the record of the whole day, so a hand on the slider asks
# far more often than the database can answer. Only the newest question waits, by its tag, and the next is asked when the
# last was answered. Rows go to a callback, with the moment; no rows and no moment mean the present.

namespace eval ::replay {
    # label -> seconds of the day in a second; 0: from change to change
    variable speeds {"Each change" 0 "10 s a second" 10 "1 min a second" 60 "10 min a second" 600 "1 h a second" 3600}
    # ms between two steps of playing
    variable pace 120
}

# Makes the slider in a frame. callback gets two words more: rows (dicts of josch.board's columns, moments as numbers)
# and the moment in seconds; two empty words: live.
proc ::replay::create {parent callback} {
    set frame [ttk::frame $parent.replay -padding [theme::px 8 4]]
    return [list $frame [::replay_slider new $frame $callback]]
}

# The moments at which the day's nodes changed, as others saw it, to the microsecond: a moment shows what came with it.
proc ::replay::MomentsSql {day} {
    return "SELECT DISTINCT extract(epoch FROM coalesce(c.committed_at, a.at))::numeric AS at
        FROM josch.nodes_audit a LEFT JOIN josch.audit_commits c ON c.xid = a.xid
            AND c.first_audit_id < a.audit_id AND c.last_audit_id >= a.audit_id
        WHERE a.job_date = ${day}::date ORDER BY at"
}

proc ::replay::BoardSql {day at} {
    return "SELECT [board::columns b] FROM josch.board_at(${day}::date, to_timestamp([format %.6f $at])) b"
}

# The number of moments that are not after another one (by halves).
proc ::replay::CountUntil {moments at} {
    return [expr {[lsearch -bisect -real $moments $at] + 1}]
}

oo::class create ::replay_slider {
    variable frame scale callback day moments at playing timer asked busy speed zone sent

    constructor {path of_callback} {
        set frame $path
        set callback $of_callback
        lassign {"" {} "" 0 "" "" 0 "Each change" "" ""} day moments at playing timer asked busy speed zone sent
        my Build
        bind . <<DbState>> +[list late::call [self] StateChanged]
        bind $frame <Destroy> [namespace code {my Gone %W}]
    }

    destructor {
        after cancel $timer
    }

    method Gone {widget} {
        if {$widget eq $frame} {
            my destroy
        }
    }

    method Build {} {
        foreach {name label script tip} {
            first "\u2039" {my Step -1} "The change before (Left)"
            play "\u25b6" {my TogglePlay} "Play (Space)"
            next "\u203a" {my Step 1} "The next change (Right)"
        } {
            ttk::button $frame.$name -text $label -width 3 -style Tool.TButton -command [namespace code $script]
            tip::set_text $frame.$name $tip
            pack $frame.$name -side left
        }
        ttk::combobox $frame.speed -state readonly -width 15 -values [dict keys $::replay::speeds] \
            -textvariable [my varname speed]
        set scale [canvas $frame.scale -height [theme::px 36] -width [theme::px 200] -highlightthickness 1 -takefocus 1]
        theme::dress $scale window
        ttk::label $frame.when -style Bold.TLabel -width 26 -anchor e
        ttk::button $frame.live -text "Live" -style Act.TButton -command [namespace code {my live}]
        pack $frame.speed -side left -padx [theme::px 6 10]
        pack $frame.live $frame.when -side right -padx [theme::px 8 0]
        pack $scale -side left -fill x -expand 1
        foreach {event script} {
            <ButtonPress-1> {my Grab %x} <B1-Motion> {my Grab %x} <Configure> {my Draw} <<ThemeChanged>> {my Draw}
            <Left> {my Step -1} <Right> {my Step 1} <space> {my TogglePlay} <Home> {my go [my First]} <End> {my go [my Last]}
            <Escape> {my live} <FocusIn> {my Draw} <FocusOut> {my Draw}
        } {
            bind $scale $event +[namespace code $script]
        }
    }

    # ---- the day ----

    # Begin to replay a date; zone is the one of the times that are shown.
    method open {of_day of_zone} {
        set day $of_day
        set zone $of_zone
        set moments {}
        set at ""
        my Stop
        db::query [replay::MomentsSql [db::quote $day]] [list late::call [self] TakeMoments $day] replay-moments
        focus $scale
    }

    method TakeMoments {of_day result} {
        if {$of_day ne $day} {
            return
        }
        if {![dict get $result ok]} {
            dialog::error $frame [dict get $result message] [dict get $result detail]
            return
        }
        set moments [lmap row [dict get $result rows] {lindex $row 0}]
        if {$at eq ""} {
            my go [my Last]
        } else {
            my Draw
        }
    }

    method First {} {
        return [expr {$moments eq {} ? [clock seconds] : [lindex $moments 0]}]
    }

    method Last {} {
        return [expr {$moments eq {} ? [clock seconds] : [lindex $moments end]}]
    }

    method at {} {
        return $at
    }

    method StateChanged {} {
        if {[db::state] ne "online"} {
            my Stop
            set busy 0
        } elseif {$day ne "" && $at ne ""} {
            my Ask
        }
    }

    # ---- moving ----

    # Show the board of a moment.
    method go {to} {
        set at [expr {min(max($to, [my First]), [my Last])}]
        my Draw
        my Ask
    }

    # To the next (1) or former (-1) change.
    method Step {by} {
        my Stop
        my StepOnce $by
    }

    method StepOnce {by} {
        if {$moments eq {}} {
            return
        }
        set before [replay::CountUntil $moments $at]
        set to [expr {$by > 0 ? $before : $before - ([my OnChange] ? 2 : 1)}]
        my go [lindex $moments [expr {min(max($to, 0), [llength $moments] - 1)}]]
    }

    method OnChange {} {
        return [expr {[lindex $moments [expr {[replay::CountUntil $moments $at] - 1}]] == $at}]
    }

    # The newest moment alone is asked for, and never two at a time.
    method Ask {} {
        set asked $at
        if {$busy || $day eq ""} {
            return
        }
        set busy 1
        set sent $asked
        set asked ""
        db::query [replay::BoardSql [db::quote $day] $sent] [list late::call [self] TakeBoard $day $sent] replay-board
    }

    method TakeBoard {of_day moment result} {
        set busy 0
        if {$of_day eq $day && $day ne ""} {
            if {[dict get $result ok]} {
                {*}$callback [db::dicts $result] $moment
            } else {
                my Stop
            }
        }
        if {$asked ne ""} {
            my Ask
        }
    }

    # Back to the present.
    method live {} {
        my Stop
        lassign {"" "" "" {}} day at asked moments
        {*}$callback {} {}
    }

    # ---- playing ----

    method TogglePlay {} {
        if {$playing} {
            my Stop
            return
        }
        if {$at >= [my Last]} {
            my go [my First]
        }
        set playing 1
        $frame.play configure -text "\u2016"
        my Play
    }

    method Stop {} {
        set playing 0
        after cancel $timer
        if {[winfo exists $frame.play]} {
            $frame.play configure -text "\u25b6"
        }
    }

    # One step; the next waits until the board of this one is there.
    method Play {} {
        if {!$playing} {
            return
        }
        if {!$busy} {
            if {$at >= [my Last]} {
                my Stop
                return
            }
            set fast [dict get $::replay::speeds $speed]
            if {$fast == 0} {
                my StepOnce 1
            } else {
                my go [expr {$at + $fast * $::replay::pace / 1000.0}]
            }
        }
        set timer [after $::replay::pace [list late::call [self] Play]]
    }

    # ---- the slider ----

    method X {moment} {
        set span [expr {max(0.001, [my Last] - [my First])}]
        return [expr {[my Margin] + ($moment - [my First]) / $span * [my Width]}]
    }

    # Of the line: what is left of it and right of it, and its length.
    method Margin {} {
        theme::px 12
    }
    method Width {} {
        expr {max(20, [winfo width $scale] - 2 * [my Margin])}
    }

    method Grab {x} {
        focus $scale
        my Stop
        my go [expr {[my First] + double($x - [my Margin]) / [my Width] * ([my Last] - [my First])}]
    }

    method Draw {} {
        $scale delete all
        if {$moments eq {}} {
            $frame.when configure -text ""
            return
        }
        set here [my X $at]
        set left [my Margin]
        lassign [theme::px 12 4 7 34] y thick radius bottom
        $scale create line $left $y [expr {$left + [my Width]}] $y -width $thick -fill [theme::color border] -capstyle round
        $scale create line $left $y $here $y -width $thick -fill [theme::color accent] -capstyle round
        my DrawMoments
        set each [expr {max(0.0001, ([my Last] - [my First]) / double([my Width]))}]
        foreach tick [timeline_axis::ticks [my First] [my Last] $each $zone [theme::px 80]] {
            lassign $tick moment label
            $scale create text [my X $moment] $bottom -anchor s -text $label -font [theme::font small] \
                -fill [theme::color quiet]
        }
        $scale create oval [expr {$here - $radius}] [expr {$y - $radius}] [expr {$here + $radius}] [expr {$y + $radius}] \
            -fill [theme::color accent] -outline [theme::color panel] -width 2
        $frame.when configure -text [timeline_axis::show $at $zone "%a %d %b %H:%M:%S"]
    }

    # A mark for each pixel in which something changed.
    method DrawMoments {} {
        set pixels {}
        lassign [theme::px 18 22] top bottom
        foreach moment $moments {
            dict set pixels [expr {int([my X $moment])}] 1
        }
        foreach x [dict keys $pixels] {
            $scale create line $x $top $x $bottom -fill [theme::color quiet]
        }
    }
}
