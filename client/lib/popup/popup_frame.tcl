# client/lib/popup/popup_frame.tcl
#
# What a window that calls somebody in looks like: its widgets, and what stands in them. What it does is popup_window.tcl.
#
# Constraint: what stands in it may be long, or not there: texts are clipped, and a part without anything in it takes no room.

oo::class create ::popup::Frame {
    variable path row facts over slot offered

    method Build {} {
        set gap [theme::chars 1]
        set state [dict get $row state]
        ttk::frame $path.band -style $state.State.TFrame -padding [list [expr {2 * $gap}] $gap]
        ttk::label $path.band.symbol -style $state.StateBold.TLabel -text [dict get [theme::state $state] symbol]
        ttk::label $path.band.title -style $state.StateBold.TLabel -text [my title]
        ttk::label $path.band.since -style $state.State.TLabel
        pack $path.band.symbol $path.band.title -side left -padx [list 0 $gap]
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

    method PackOutput {} {
        pack $path.output -fill both -expand 1 -padx [theme::chars 2] -pady [list 0 [theme::chars 1]] -before $path.comment
    }

    method BuildHead {body} {
        set width [my Width]
        ttk::label $body.name -style Title.TLabel -wraplength $width
        ttk::label $body.where -style Quiet.TLabel
        ttk::label $body.why -wraplength $width -justify left
        ttk::label $body.children -style Quiet.TLabel -wraplength $width -justify left
        pack $body.name $body.where -anchor w
        pack $body.why -anchor w -pady [list [theme::chars 1] 0]
        pack $body.children -anchor w -pady [list [theme::chars 0.7] 0]
    }

    method BuildOutput {frame} {
        ttk::frame $frame
        ttk::frame $frame.head
        ttk::label $frame.head.label -text "End of the output" -style Quiet.TLabel
        ttk::button $frame.head.all -text "All of it" -underline 4 -style Flat.TButton -command [list [self] show_log]
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
        pack $frame.label -anchor w
        pack $frame.text -fill x -pady [list [theme::chars 0.3] 0]
    }

    # The buttons: what may be done, by the state machine and the person's rights; when it is over, only Close.
    method Buttons {} {
        ::destroy {*}[winfo children $path.buttons]
        set offered [my Offered]
        if {$over} {
            ttk::button $path.buttons.close -text "Close" -style Act.TButton -command [list [self] dismiss]
            pack $path.buttons.close -side right
            $path.comment.text configure -state disabled
            return
        }
        ttk::button $path.buttons.snooze -text "Snooze $::popup::pause min" -underline 4 -style Flat.TButton \
            -command [list [self] dismiss]
        pack $path.buttons.snooze -side left
        foreach act $offered {
            lassign $act action label underline style
            ttk::button $path.buttons.$action -text $label -underline $underline -style $style \
                -command [list [self] act $action]
            pack $path.buttons.$action -side right -padx [list [theme::chars 1] 0]
        }
    }

    # ---- showing ----

    method Fill {} {
        $path.body.name configure -text [dict get $row node_name]
        $path.body.where configure -text "[dict get $row job_name]    node [dict get $row node_id]   \
            [dict get $row job_date]   \
            since [popup::moment [dict get $row since]]"
        set why [output_text::clip [my why]]
        $path.body.why configure -text $why
        if {$why eq ""} {
            pack forget $path.body.why
        } else {
            pack $path.body.why -anchor w -after $path.body.where -pady [list [theme::chars 1] 0]
        }
        $path.body.children configure -text [my Children]
        my FillOutput
        my tick
        my FitSoon
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
        set lines [my output_lines]
        set tail ""
        if {[dict exists $facts output_tail]} {
            set tail [string trimright [output_text::clean [dict get $facts output_tail]]]
        }
        if {$lines == 0 || [dict get $row run_id] eq ""} {
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
        return [expr {min([theme::chars 70], [winfo screenwidth .] - [theme::chars 12])}]
    }
    method OutputWidth {{text ""}} {
        set longest 76
        foreach line [split $text \n] {
            set longest [expr {max($longest, min(110, [string length $line]))}]
        }
        return [expr {min($longest, ([winfo screenwidth .] - [theme::chars 12]) / [font measure [theme::font mono] 0])}]
    }

    # Beside the screen's right edge, each a little lower than the one before.
    method Place {} {
        set step [theme::lines 2.2]
        set at [expr {$step + $slot % 8 * $step}]
        wm geometry $path -$at+$at
        wm resizable $path 1 1
        popup::map $path
    }

    # All of it, its buttons above all, must be on the screen: once what is in it has been laid out, less of the output is
    # shown,
    # and it moves up.
    method FitSoon {} {
        after idle [list after 0 [list late::call [self] Fit]]
    }

    method Fit {} {
        if {[wm state $path] ne "normal"} {
            return
        }
        # the sizes come up level by level, a round of idle work each
        update idletasks
        # the window manager's title bar is no part of it
        set screen [expr {[winfo screenheight $path] - [theme::lines 3]}]
        foreach text [list $path.output.log.text $path.output.text] {
            set excess [expr {[winfo reqheight $path] - $screen}]
            if {$excess > 0 && [winfo exists $text] && [winfo ismapped $text]} {
                set less [expr {int(ceil($excess / double([font metrics [theme::font mono] -linespace])))}]
                $text configure -height [expr {max(3, [$text cget -height] - $less)}]
                update idletasks
            }
        }
        set below [expr {[winfo rooty $path] + [winfo reqheight $path] - $screen}]
        set left [expr {[winfo rootx $path] + [winfo width $path] - [winfo reqwidth $path]}]
        if {$below > 0 || $left < 0} {
            wm geometry $path +[expr {max(0, $left)}]+[expr {max(0, [winfo rooty $path] - max(0, $below) - [theme::lines 1])}]
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
