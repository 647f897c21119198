# client/lib/popup/popup_frame.tcl
#
# What a window that calls somebody in looks like: its widgets, and what stands in them. What it does is popup_window.tcl.
#
# Constraint: what stands in it may be long, or not there: texts are clipped, and a part without anything in it takes no room.

oo::class create ::popup::Frame {
    variable path row facts over place offered letters tabs most usedAt moving unread

    method Build {} {
        set gap [theme::chars 1]
        ttk::frame $path.band -padding [list [expr {2 * $gap}] $gap]
        ttk::label $path.band.symbol
        ttk::label $path.band.title
        ttk::label $path.band.since
        ttk::button $path.band.mark -text "z\u1dbb" -takefocus 0 -command [list [self] dismiss]
        tip::set_text $path.band.mark "Puts it off for $::popup::pause minutes (Escape)"
        pack $path.band.symbol $path.band.title -side left -padx [list 0 $gap]
        pack $path.band.mark -side right -padx [list $gap 0]
        pack $path.band.since -side right
        ttk::frame $path.body -padding [list [expr {2 * $gap}] $gap [expr {2 * $gap}] [expr {2 * $gap}]]
        my BuildHead $path.body
        my BuildOutput $path.output
        my BuildComment $path.comment
        ttk::label $path.note -wraplength [my Width] -justify left
        ttk::frame $path.buttons
        pack $path.band -fill x
        pack $path.body -fill x
        pack $path.comment -fill x -padx [expr {2 * $gap}]
        my PackOutput
        pack $path.buttons -fill x -padx [expr {2 * $gap}] -pady [expr {2 * $gap}] -side bottom
        my Buttons
    }

    # The band is in the colour of the state.
    method FillBand {} {
        set state [dict get $row state]
        wm title $path "[my title]: [dict get $row node_name]"
        $path.band configure -style $state.State.TFrame
        $path.band.symbol configure -style $state.StateBold.TLabel -text [dict get [theme::state $state] symbol]
        $path.band.title configure -style $state.StateBold.TLabel -text [my title]
        $path.band.since configure -style $state.State.TLabel
        $path.band.mark configure -style $state.Mark.TButton
        my ShowMark
    }

    # A small mark in the corner puts off what calls.
    method ShowMark {} {
        if {[my calls]} {
            pack $path.band.mark -side right -padx [list [theme::chars 1] 0] -before $path.band.since
        } else {
            pack forget $path.band.mark
        }
    }

    method PackOutput {} {
        pack $path.output -fill both -expand 1 -padx [theme::chars 2] -pady [list 0 [theme::chars 1]] -before $path.comment
    }

    method BuildHead {body} {
        set width [my Width]
        ttk::label $body.name -style Title.TLabel -wraplength $width
        ttk::label $body.where -style Quiet.TLabel
        ttk::label $body.why -wraplength $width -justify left
        ttk::label $body.holder -wraplength $width -justify left
        details::bar $body.bar
        ttk::label $body.results -wraplength $width -justify left
        ttk::label $body.children -style Quiet.TLabel -wraplength $width -justify left
        pack $body.name $body.where -anchor w
        pack $body.why -anchor w -pady [list [theme::chars 1] 0]
        pack $body.children -anchor w -pady [list [theme::chars 0.7] 0]
    }

    method BuildOutput {frame} {
        ttk::frame $frame
        ttk::frame $frame.head
        ttk::label $frame.head.label -text "End of the output" -style Quiet.TLabel
        ttk::button $frame.head.all -text "All of it" -underline 4 -style Flat.TButton -command [list [self] show_all]
        text $frame.text -width [my OutputWidth] -height [my output_lines] -wrap char -state disabled -font [theme::font mono] \
            -padx [theme::chars 0.7] -pady [theme::chars 0.5] -yscrollcommand [list ::popup::scrolled $frame.y]
        theme::dress $frame.text
        # the end counts, however wide it is laid out
        bind $frame.text <Configure> {%W see end}
        ttk::scrollbar $frame.y -orient vertical -command [list $frame.text yview]
        pack $frame.head -fill x
        pack $frame.head.label -side left
        pack $frame.head.all -side right
        pack $frame.y -side right -fill y
        pack $frame.text -fill both -expand 1
    }

    method BuildComment {frame} {
        ttk::frame $frame
        ttk::label $frame.label -text "Comment" -underline 0 -style Quiet.TLabel
        text $frame.text -width 60 -height 2 -wrap word -font [theme::font ui] -undo 1 \
            -padx [theme::chars 0.7] -pady [theme::chars 0.5]
        theme::dress $frame.text
    }

    # A comment is kept with an act: where nothing may be done it would be lost.
    method ShowComment {} {
        set frame $path.comment
        if {[winfo children $path.buttons] ne {} || [my Comment] ne ""} {
            pack $frame.label -anchor w
            pack $frame.text -fill x -pady [list [theme::chars 0.3] 0]
        } else {
            pack forget $frame.label $frame.text
            # a frame whose last child goes keeps its height
            $frame configure -height 1
        }
    }

    # The buttons: what may be done, by the state machine and the person's rights; when it is over, only Close. They are made in
    # the order in which they stand, so that the keyboard goes from left to right.
    method Buttons {} {
        ::destroy {*}[winfo children $path.buttons]
        foreach letter $letters {
            bind $path <Alt-$letter> {}
        }
        set letters {}
        set offered [my Offered]
        if {$over} {
            my CloseButton
            return
        }
        my ClaimButton
        set marks [popup_kinds::letters [lmap act $offered {acts::label [lindex $act 0]}] {c o z l}]
        set buttons {}
        foreach act $offered mark $marks {
            lassign $act action style
            set label [acts::label $action]
            lappend buttons [list $action $label $mark $style [list [self] act $action]]
            if {$mark >= 0} {
                lappend letters [string tolower [string index $label $mark]]
                bind $path <Alt-[lindex $letters end]> [my Key act $action]
            }
        }
        if {[my pinned] && [my HasOthers]} {
            lappend buttons [list others "Other\u2026" -1 Flat.TButton [list [self] others]]
        }
        foreach button [lreverse $buttons] {
            lassign $button name label mark style command
            ttk::button $path.buttons.$name -text $label -underline $mark -style $style -command $command
        }
        foreach button $buttons {
            pack $path.buttons.[lindex $button 0] -side right -padx [list [theme::chars 1] 0]
        }
        foreach act $offered {
            tip::set_text $path.buttons.[lindex $act 0] [acts::meaning [lindex $act 0]]
        }
        my ShowComment
        my Live
    }

    method CloseButton {} {
        ttk::button $path.buttons.close -text "Close" -style Act.TButton -command [list [self] dismiss]
        pack $path.buttons.close -side right
        $path.comment.text configure -state disabled
        my ShowComment
    }

    # Whether its state allows more than has buttons.
    method HasOthers {} {
        foreach act [acts::allowed [dict get $row state] [dict get $row node_type]] {
            if {[lindex $act 0] ni [lmap one $offered {lindex $one 0}]} {
                return 1
            }
        }
        return 0
    }

    # "I look at it", for what waits, unless somebody else does.
    method ClaimButton {} {
        if {![popup::is_waiting [model::key $row]] || ![db::may claim] || [claims::who $row] ni [list "" [db::user]]} {
            return
        }
        set action [my ClaimAct]
        ttk::button $path.buttons.claim -text [acts::label $action] -style Flat.TButton -command [list [self] claim] \
            -underline [expr {$action eq "claim" ? 2 : 0}]
        tip::set_text $path.buttons.claim [acts::meaning $action]
        pack $path.buttons.claim -side left
    }

    # ---- showing ----

    method Fill {} {
        my FillBand
        $path.body.name configure -text [dict get $row node_name]
        $path.body.where configure -text "[dict get $row job_name]    node [dict get $row node_id]   \
            [dict get $row job_date]   \
            since [server_clock::text [dict get $row since]]    [dict get $row place]"
        set why [output_text::clip [my why]]
        $path.body.why configure -text $why
        if {$why eq ""} {
            pack forget $path.body.why
        } else {
            pack $path.body.why -anchor w -after $path.body.where -pady [list [theme::chars 1] 0]
        }
        details::show_bar $path.body.bar $path.body.where {*}[dict values [dict filter $row key progress progress_text]]
        my FillResults
        $path.body.children configure -text [my Children]
        my FillHolder
        my FillOutput
        my tick
        my FitSoon
    }

    # What its latest run has given to those that come after it.
    method FillResults {} {
        set results [expr {[dict exists $facts results] ? [dict get $facts results] : ""}]
        $path.body.results configure -text [output_text::clip "Results: $results" 4 500]
        if {$results eq ""} {
            pack forget $path.body.results
        } else {
            pack $path.body.results -anchor w -before $path.body.children -pady [list [theme::chars 0.7] 0]
        }
    }

    method FillHolder {} {
        set text [claims::words $row]
        $path.body.holder configure -text [output_text::clip $text] \
            -style [expr {[claims::who $row] eq [db::user] ? "Good.TLabel" : "Warn.TLabel"}]
        if {$text eq ""} {
            pack forget $path.body.holder
        } else {
            pack $path.body.holder -anchor w -before $path.body.children -pady [list [theme::chars 0.7] 0]
        }
        # the button is another one when somebody has taken it, or let it go
        set wanted [expr {$text eq "" ? "claim" : [claims::who $row] eq [db::user] ? "unclaim" : ""}]
        set there [expr {[winfo exists $path.buttons.claim] ? [$path.buttons.claim cget -text] : ""}]
        if {!$over && $there ne [expr {$wanted eq "" ? "" : [acts::label $wanted]}] && [popup::is_waiting [model::key $row]]} {
            my Buttons
        }
    }

    # What depends on it, by name.
    method Children {} {
        set count [dict get $row blocks]
        if {$count == 0} {
            return "Nothing waits for it."
        }
        set names {}
        if {[dict exists $facts children]} {
            set names [split [dict get $facts children] \n]
        }
        if {![llength $names]} {
            return "[expr {$count == 1 ? "1 node waits" : "$count nodes wait"}] for it."
        }
        set more [expr {$count - [llength $names]}]
        return "Waiting for it: [join $names ", "][expr {$more > 0 ? ", and $more more" : ""}]"
    }

    method FillOutput {} {
        set lines $most
        set tail ""
        if {[dict exists $facts output_tail]} {
            set tail [string trimright [output_text::clean [dict get $facts output_tail]]]
        }
        if {$tabs eq "" && ($lines == 0 || [dict get $row run_id] eq "")} {
            pack forget $path.output
            return
        }
        if {[winfo manager $path.output] eq ""} {
            my PackOutput
        }
        set text $path.output.text
        set width [my OutputWidth $tail]
        $text configure -state normal -width $width -height [expr {min($lines, [output_text::height $tail $width])}]
        $text delete 1.0 end
        if {$tail eq "" && $facts ne {}} {
            set tail "(it printed nothing)"
        }
        $text insert end $tail
        $text configure -state disabled
        $text see end
    }

    # Width of its text, and characters in a line of output: what is comfortable, what the lines need, or what the screen has.
    method Width {} {
        return [expr {min([theme::chars 70], [lindex [screens::here] 2] - [theme::chars 12])}]
    }
    method OutputWidth {{text ""}} {
        set longest 76
        foreach line [split $text \n] {
            set longest [expr {max($longest, min(110, [string length $line]))}]
        }
        set room [expr {[popup_list::beside [lindex [screens::here] 2]] - [theme::chars 12]}]
        return [expr {max(40, min($longest, $room / [font measure [theme::font mono] 0]))}]
    }

    # ---- where it is ----

    # Beside the windows that are there, on the monitor where the person is. Before it has been laid out its size is guessed;
    # where there is no room for that, one that calls waits for what it is to hold.
    method Place {} {
        update idletasks
        set output [expr {$facts ne {} ? 0 : [my Lines] * [font metrics [theme::font mono] -linespace]}]
        wm resizable $path 1 1
        if {[my PlaceAt [winfo reqwidth $path] [expr {[winfo reqheight $path] + $output}]]} {
            popup::map $path [my pinned]
        }
    }

    # Give it the best place for a size, with less of the output where there is no other. Where there is none beside the others,
    # those that nobody is at make room; where that is not enough, one that calls becomes a list for all, and a list gives way
    # to one that was asked for. False when it has none yet, or is there already.
    method PlaceAt {width height} {
        set monitor [screens::here]
        # the window manager's title bar is no part of it
        set high [expr {min($height + [theme::lines 2], [lindex $monitor 3])}]
        lassign [my FindPlace $width $high $monitor] at less
        if {$at eq {} && [popup_list::give_way $width $monitor]} {
            lassign [my FindPlace $width $high $monitor] at less
        }
        if {$at eq {} && [my calls]} {
            if {$facts eq {} && !$unread && [dict get $row run_id] ne ""} {
                return 0
            }
            if {[popup::make_room [self] [my Size $width $high] $monitor]} {
                return 0
            }
            after 0 popup::crowd
        }
        if {$at eq {}} {
            set at [popup_place::least $width $high $monitor [popup::boxes [self]]]
        }
        my MoveTo {*}$at $width $high $less
        return 1
    }

    # Go there, with so many lines less of the output.
    method MoveTo {x y width high less} {
        if {[winfo ismapped $path] && [lrange $place 0 1] ne [list $x $y]} {
            guard::moves $path
            set moving [list [winfo rootx $path] [winfo rooty $path]]
        }
        set place [list $x $y $width [expr {$high - $less * [font metrics [theme::font mono] -linespace]}]]
        my Give $less
        wm geometry $path +$x+$y
    }

    # The place, and how many lines of the output it takes: {place lines}.
    method FindPlace {width high monitor} {
        set others [popup::boxes [self]]
        foreach height [lindex [my Size $width $high] 1] {
            set at [popup_place::find $width $height $monitor $others]
            if {$at ne {}} {
                return [list $at [expr {($high - $height) / [font metrics [theme::font mono] -linespace]}]]
            }
        }
        return {{} 0}
    }

    # The lines of output that it shows, or is to show.
    method Lines {} {
        if {$tabs ne ""} {
            return [$path.output.tabs.log.text cget -height]
        }
        if {[dict get $row run_id] eq ""} {
            return 0
        }
        return [expr {$facts eq {} ? $most : min($most, [$path.output.text cget -height])}]
    }

    # Its size, as popup_place::tile takes it: as high as that, or with fewer lines of output, but six.
    method Size {width high} {
        set line [font metrics [theme::font mono] -linespace]
        set heights [list $high]
        for {set less 1} {[my Lines] - $less >= 6} {incr less} {
            lappend heights [expr {$high - $less * $line}]
        }
        list $width $heights [my Parts]
    }

    # What of it is not to be covered: its title, and its buttons.
    method Parts {} {
        set top [expr {[theme::lines 2] + [winfo reqheight $path.band]}]
        set bottom [expr {[winfo reqheight $path.buttons] + [winfo reqheight $path.comment] + [theme::chars 5]}]
        set parts [list [list 0 0 0 $top] [list 0 -$bottom 0 $bottom]]
        if {$tabs eq "" && [winfo manager $path.output] ne ""} {
            set wide [expr {[winfo reqwidth $path.output.head.all] + [theme::chars 2]}]
            lappend parts [list -$wide [expr {$top + [winfo reqheight $path.body]}] $wide [winfo reqheight $path.output.head]]
        }
        return $parts
    }

    # Its size, when it may be put elsewhere: it calls, nobody has touched or moved it, and the keyboard is not there.
    method movable {} {
        if {![my calls] || [my attended] || $usedAt || $tabs ne "" || $place eq {} || ![winfo ismapped $path]} {
            return {}
        }
        lassign $place x y width high
        set focus [focus -displayof $path]
        if {$focus ne "" && [winfo toplevel $focus] eq $path} {
            return {}
        }
        if {$moving eq {} && [lrange [screens::box $path] 0 1] ne [list $x $y]} {
            return {}
        }
        return [my Size $width $high]
    }

    # Go there, in the height of that number of its size, above those that were there.
    method move {x y number size} {
        my MoveTo $x $y [lindex $size 0] [lindex $size 1 0] $number
        if {[wm state $path] eq "withdrawn"} {
            popup::map $path
        } else {
            # what is told of its order by the screen would make Tk forget where it is to go, before it has gone
            update idletasks
            raise $path
        }
    }

    # Show less of the output.
    method Give {less} {
        if {$less == 0} {
            return
        }
        set lines [expr {[my Lines] - $less}]
        if {$tabs ne ""} {
            $path.output.tabs.log.text configure -height $lines
        } else {
            set most $lines
            my FillOutput
        }
    }

    # Its box on the screen, and the parts of it that are not to be covered: {box zones}; empty when it is not there.
    method box {} {
        if {$place eq {} || [wm state $path] eq "withdrawn" && [winfo ismapped $path]} {
            return {}
        }
        lassign $place x y width height
        if {$moving eq {} && [winfo ismapped $path] && [winfo width $path] > 1} {
            # what is to be in it is not all there yet
            lassign [screens::box $path] x y wide tall
            lassign [list [expr {max($width, $wide)}] [expr {max($height, $tall)}]] width height
        }
        popup_place::window [list $x $y $width $height] [my Parts]
    }

    # All of it, its buttons above all, must be on the screen: once what is in it has been laid out, less of the output is
    # shown; and what has become too large for its place gets another one, unless a person is at it.
    method FitSoon {} {
        after idle [list after 0 [list late::call [self] Fit]]
    }

    method Fit {} {
        if {[wm state $path] ne "normal"} {
            return
        }
        # the sizes come up level by level, a round of idle work each
        update idletasks
        set monitor [screens::here]
        lassign $place x y width high
        # what a person has asked for stays where it is: the output gives way
        my Shorten [expr {[my pinned] && $tabs ne "" ? $high - [theme::lines 2] : [lindex $monitor 3] - [theme::lines 3]}]
        lassign [list [winfo reqwidth $path] [expr {[winfo reqheight $path] + [theme::lines 2]}]] wide tall
        if {$wide <= $width && $tall <= $high} {
            if {$facts ne {}} {
                set place [list $x $y $wide $tall]
            }
            return
        }
        lassign [my box] box
        lassign $box left top
        set zones [concat {*}[lmap other [popup::boxes [self]] {lindex $other 1}]]
        set below [expr {[lindex $monitor 1] + [lindex $monitor 3] - $top - $tall}]
        set beside [expr {[lindex $monitor 0] + [lindex $monitor 2] - $left - $wide}]
        if {$below >= 0 && $beside >= 0 && [popup_place::Covered [list $left $top $wide $tall] $zones] == 0} {
            set place [list $left $top $wide $tall]
        } else {
            guard::changed $path
            my PlaceAt $wide [winfo reqheight $path]
        }
    }

    # Less of the output, so that the window is no higher than that.
    method Shorten {most} {
        foreach text [list $path.output.tabs.log.text $path.output.text] {
            set excess [expr {[winfo reqheight $path] - $most}]
            if {$excess > 0 && [winfo exists $text] && [winfo ismapped $text]} {
                set less [expr {int(ceil($excess / double([font metrics [theme::font mono] -linespace])))}]
                $text configure -height [expr {max(3, [$text cget -height] - $less)}]
                update idletasks
            }
        }
    }

    method Note {kind text} {
        set style [dict get {warn Warn.TLabel danger Danger.TLabel good Good.TLabel} $kind]
        $path.note configure -style $style -text $text
        if {$text eq ""} {
            pack forget $path.note
        } else {
            pack $path.note -fill x -padx [theme::chars 2] -pady [list [theme::chars 1] 0] -after $path.comment
        }
    }
}
