# client/lib/board/board_status.tcl
#
# The line that is always in sight: how far the day is, how many nodes are in which state (click: only those), what waits
# for people (click: the list), whether the scheduler is well (click: all of josch.health), and the connection.
#
# Constraint: it is written anew at most four times a second, however much happens, and only what is different.

namespace eval ::board_status {
    variable frame ""
    variable planned ""
    variable bar_width 0
    # what is shown: to leave alone what is the same
    variable shown
    array set shown {}
}

proc ::board_status::create {path} {
    variable frame
    variable bar_width
    set frame $path
    set bar_width [theme::px 96]
    ttk::frame $frame
    canvas $frame.bar -width $bar_width -height [theme::px 16] -highlightthickness 0 -borderwidth 0
    ttk::label $frame.done
    ttk::frame $frame.states
    ttk::button $frame.waiting -style Tool.TButton -command ::board_status::ShowWaiting
    ttk::button $frame.health -style Tool.TButton -command ::board_status::ShowHealth
    ttk::button $frame.link -style Tool.TButton -command db::retry
    semaphores::create $frame.semaphores
    alarms::create $frame.alarms
    pack $frame.link $frame.health $frame.waiting -side right -padx [theme::px 6 0]
    pack $frame.bar -side left -padx [theme::px 0 8]
    pack $frame.done -side left -padx [theme::px 0 10]
    pack $frame.states -side left
    bind $frame <Configure> ::board_status::Plan
    ttk::label $frame.states.more -style Quiet.TLabel -text "+11"
    MakeStates
    bind . <<StatesChanged>> +::board_status::MakeStates
    foreach event {<<BoardLoaded>> <<BoardChanged>> <<BoardScope>> <<BoardPulse>> <<BoardFilter>> <<DbState>>} {
        bind . $event +::board_status::Plan
    }
    bind . <<BoardPulse>> +::board_status::FillHealth
    bind . <<BoardPulse>> +::pauses::Follow
    bind . <<PopupsChanged>> +::board_status::Plan
    foreach event {<<DbSilent>> <<DbNews>>} {
        bind . $event +::board_status::WriteLink
    }
    bind . <<ThemeChanged>> +::board_status::Recolor
    Recolor
    Countdown
    return $frame
}

# A label for each state that there is.
proc ::board_status::MakeStates {} {
    variable frame
    foreach state [states::names] {
        if {![winfo exists $frame.states.$state]} {
            label $frame.states.$state -padx [theme::px 5] -pady [theme::px 2] -borderwidth 0 -highlightthickness 2 \
                -cursor hand2 -takefocus 1
            foreach event {<Button-1> <space>} {
                bind $frame.states.$state $event [list board::toggle_state $state]
            }
        }
    }
    Recolor
}

proc ::board_status::Recolor {} {
    variable frame
    variable shown
    $frame.bar configure -background [theme::color window]
    foreach state [states::names] {
        set look [theme::state $state]
        $frame.states.$state configure -background [dict get $look fill] -foreground [dict get $look text]
    }
    array unset shown
    Plan
}

proc ::board_status::Plan {} {
    variable planned
    if {$planned eq ""} {
        set planned [after 250 ::board_status::Write]
    }
}

proc ::board_status::Write {} {
    variable planned
    variable frame
    set planned ""
    set counts [board::counts]
    WriteBar $counts
    WriteWaiting
    WriteHealth
    WriteLink
    semaphores::write $frame.semaphores
    alarms::write $frame.alarms
    # last: they take the room that the others leave
    WriteStates $counts
}

# True when what is to be shown there differs from what is.
proc ::board_status::Is_new {part value} {
    variable shown
    if {[info exists shown($part)] && $shown($part) eq $value} {
        return 0
    }
    set shown($part) $value
    return 1
}

# A bar of the states' colours: what is done from the left, what waits for people from the right.
proc ::board_status::WriteBar {counts} {
    variable frame
    variable bar_width
    lassign [board::progress] done all
    if {![Is_new bar [list $counts $done [board::known]]]} {
        return
    }
    set bar $frame.bar
    set bottom [expr {[theme::px 16] - 1}]
    $bar delete all
    $bar create rectangle 0 0 [expr {$bar_width - 1}] $bottom -fill [theme::color field] -outline [theme::color border]
    set right [expr {$bar_width - 1.0}]
    set well [concat [states::names final] [lmap state [states::names begun] {
        if {[states::is $state final] || [states::is $state attention]} continue
        set state
    }]]
    foreach {states x side} [list $well 1.0 1 [states::names attention] $right -1] {
        foreach state $states {
            if {$all > 0 && [dict exists $counts $state]} {
                set next [expr {$x + $side * ($bar_width - 2.0) * [dict get $counts $state] / $all}]
                $bar create rectangle $x 1 $next $bottom -fill [dict get [theme::state $state] fill] -outline ""
                set x $next
            }
        }
    }
    $frame.done configure -text [switch $all {
        0 {expr {[board::known] ? "no nodes" : ""}}
        default {string cat "$done of $all done, [expr {100 * $done / $all}] %"}
    }]
}

# The states, the most urgent first; where there is no room for all names, the last have their symbol alone, and where there is
# none for those, their number stands for them. Tips tell what is not said.
proc ::board_status::WriteStates {counts} {
    variable frame
    set chosen [board::states]
    # but for what stands between the parts
    set room [expr {[winfo width $frame] - [theme::px 44]}]
    foreach part {bar done waiting health link semaphores alarms} {
        if {$part ni {semaphores alarms} || [$frame.$part cget -text] ne ""} {
            incr room -[winfo reqwidth $frame.$part]
        }
    }
    if {![Is_new states [list $counts $chosen $room]]} {
        return
    }
    set names [dict create]
    foreach state [states::names] {
        if {[dict exists $counts $state] || $state in $chosen} {
            set number [expr {[dict exists $counts $state] ? [dict get $counts $state] : 0}]
            dict set names $state [list [dict get [theme::state $state] symbol] $state $number]
        }
    }
    PackStates {*}[Shorter $names [NameAll $names $chosen] $room]
}

# Write all names; returns the room that they take.
proc ::board_status::NameAll {names chosen} {
    variable frame
    set width 0
    dict for {state words} $names {
        set edge [theme::color [expr {$state in $chosen ? "accent" : "window"}]]
        $frame.states.$state configure -highlightbackground $edge -highlightcolor $edge -text [join $words]
        tip::set_text $frame.states.$state ""
        incr width [Takes $state]
    }
    return $width
}

# Take away names, and then states, until what is left has room: the states that stand there, and the texts of the others.
proc ::board_status::Shorter {names width room} {
    variable frame
    set wanted [dict keys $names]
    foreach state [lreverse $wanted] {
        if {$width <= $room} break
        incr width -[Takes $state]
        lassign [dict get $names $state] symbol name number
        $frame.states.$state configure -text "$symbol $number"
        tip::set_text $frame.states.$state "$name $number"
        incr width [Takes $state]
    }
    set left {}
    while {$width > $room && $wanted ne {}} {
        if {$left eq {}} {
            incr width [Takes more]
        }
        set state [lindex $wanted end]
        set wanted [lrange $wanted 0 end-1]
        set left [linsert $left 0 [join [dict get $names $state]]]
        incr width -[Takes $state]
    }
    return [list $wanted $left]
}

# Width of a state's place, with the gap after it.
proc ::board_status::Takes {name} {
    variable frame
    return [expr {[winfo reqwidth $frame.states.$name] + [theme::px 3]}]
}

proc ::board_status::PackStates {wanted left} {
    variable frame
    pack forget {*}[winfo children $frame.states]
    foreach state $wanted {
        pack $frame.states.$state -side left -padx [theme::px 0 3]
    }
    if {$left ne {}} {
        $frame.states.more configure -text "+[llength $left]"
        tip::set_text $frame.states.more [join $left \n]
        pack $frame.states.more -side left
    }
}

proc ::board_status::WriteWaiting {} {
    variable frame
    set number [board::attention]
    if {[db::why] ne "" && $number eq 0} {
        # whoever sees nothing cannot say that nobody is waited for
        set number ""
    }
    # what this person has put off is counted apart
    set off [lindex [popup::count] 1]
    if {[Is_new waiting [list $number $off]]} {
        set text [switch $number {
            "" {}
            0 {string cat "nobody is waited for"}
            1 {string cat "1 waits for people"}
            default {string cat "$number wait for people"}
        }]
        if {$number ni {"" 0} && $off} {
            append text ", $off put off"
        }
        $frame.waiting configure -text $text -style [expr {$number in {"" 0} ? "Tool.TButton" : "Danger.Tool.TButton"}]
    }
}

# For those who may act the list of what waits for them; for others the table.
proc ::board_status::ShowWaiting {} {
    if {[lindex [popup::count] 0] > 0} {
        popup::show_list
    } else {
        board::show_attention
    }
}

proc ::board_status::WriteHealth {} {
    variable frame
    set down {}
    foreach row [board::health] {
        if {[dict get $row up] ni {t true 1}} {
            lappend down [dict get $row component]
        }
    }
    set known [expr {[db::state] eq "online" && [board::health] ne {}}]
    set elsewhere [expr {$known && [db::info standby] eq "t"}]
    if {![Is_new health [list $known $elsewhere $down [board::health]]]} {
        return
    }
    tip::set_text $frame.health [join [lmap row [board::health] {
        if {[dict get $row component] ni {armed strays paused executor} || [dict get $row up] in {t true 1}} continue
        dict get $row detail
    }] \n]
    if {!$known} {
        $frame.health configure -text "health unknown" -style Tool.TButton
    } elseif {$elsewhere} {
        # what is not up here runs at the server that this is a copy of, of which nothing is known
        $frame.health configure -text "\u25cb scheduler elsewhere" -style Tool.TButton
        tip::set_text $frame.health "A standby: the scheduler runs at the server that this one follows."
    } elseif {"armed" in $down} {
        # then nothing is started, whatever else is up
        $frame.health configure -text "\u25b2 disarmed" -style Danger.Tool.TButton
    } elseif {$down eq {paused}} {
        $frame.health configure -text "\u2016 paused" -style Warn.Tool.TButton
    } elseif {[lsort -unique $down] eq {executor}} {
        # what is there goes on, as far as anybody knows
        $frame.health configure -text "\u25b2 executor not reached" -style Danger.Tool.TButton
    } elseif {$down eq {days}} {
        $frame.health configure -text "\u25b2 missed days" -style Danger.Tool.TButton
        tip::set_text $frame.health [missed::detail]
    } elseif {$down eq {}} {
        $frame.health configure -text "\u25cf scheduler up" -style Good.Tool.TButton
    } else {
        $frame.health configure -text "\u25b2 [join [lsort -unique $down] {, }] down" -style Danger.Tool.TButton
    }
}

proc ::board_status::WriteLink {} {
    variable frame
    switch -- [db::state] {
        online {
            set text "\u25cf [db::user]@[db::info database]"
            set style Good.Tool.TButton
            if {[db::why] ne ""} {
                set text "\u25b2 [db::why]"
                set style Danger.Tool.TButton
            } elseif {[db::silent]} {
                set text "\u25cb no answer for [db::silent] s"
                set style Danger.Tool.TButton
            } elseif {[db::news] ne "heard"} {
                append text [expr {[db::news] eq "" ? "" : " ([db::news])"}]
                set style [expr {[db::news] eq "" ? "Tool.TButton" : "Warn.Tool.TButton"}]
            }
        }
        connecting {
            set next [db::next]
            set text "\u25cb connecting[expr {$next eq "" ? "" : ", next try in $next s"}]"
            set style Danger.Tool.TButton
        }
        default {
            set text "\u25cb offline"
            set style Danger.Tool.TButton
        }
    }
    if {[Is_new link [list $text $style]]} {
        $frame.link configure -text $text -style $style
        tip::set_text $frame.link [NewsTip]
    }
}

proc ::board_status::NewsTip {} {
    switch [db::news] {
        standby {
            return "A standby: nothing can be done here, and changes are looked for every second or two."
        }
        polling {
            return "No news come through (a pooler?): changes are looked for every second or two."
        }
    }
    return ""
}

# While there is no connection, the seconds to the next attempt.
proc ::board_status::Countdown {} {
    after 1000 ::board_status::Countdown
    if {[db::state] ne "online"} {
        WriteLink
    }
}

# ---- all of josch.health ----

proc ::board_status::ShowHealth {} {
    if {[.board.status.health cget -text] eq "\u25b2 missed days"} {
        missed::show
        return
    } elseif {[.board.status.health cget -text] eq "\u2016 paused"} {
        pauses::show
        return
    }
    dialog::bring .health ::board_status::BuildHealth
    FillHealth
}

proc ::board_status::BuildHealth {} {
    set window .health
    toplevel $window
    wm withdraw $window
    theme::dress $window
    wm title $window "Health"
    set tree [ttk::treeview $window.tree -columns {component up since detail} -show headings -height 9 -selectmode browse]
    foreach {name heading width} {component "Part" 120 up "Up" 60 since "Since" 170 detail "Detail" 520} {
        $tree heading $name -text $heading -anchor w
        $tree column $name -width [theme::px $width] -anchor w -stretch [expr {$name eq "detail"}]
    }
    $tree tag configure down -background [dict get [theme::state failed] fill] \
        -foreground [dict get [theme::state failed] text]
    pack $tree -fill both -expand 1 -padx [theme::px 12] -pady [theme::px 12]
    bind $window <Escape> [list destroy $window]
}

proc ::board_status::FillHealth {} {
    if {![winfo exists .health]} {
        return
    }
    .health.tree delete [.health.tree children {}]
    foreach row [board::health] {
        set up [expr {[dict get $row up] in {t true 1}}]
        .health.tree insert {} end -tags [expr {$up ? "" : "down"}] -values [list [dict get $row component] \
            [expr {$up ? "up" : "down"}] [dict get $row since] [dict get $row detail]]
    }
}
