# client/lib/popup_window.tcl
#
# The window for one node that waits for a person: what it is, since when and why it waits, the end of its output, what depends
# on it, a comment, and the acts. Kinds (popup_kinds.tcl) say which acts there are and what is shown.
#
# Constraints: it never takes the focus; a person who types elsewhere goes on typing. It does not act on a click or key in the
# first moment after it came up. When somebody else was first, a window that somebody is at stays, and says who and what.

oo::class create ::popup::Window {
    # row: of josch.attention; facts: what was read besides; busy: an act is under way; over: nothing to do any more
    # refused: the database has said why not; usedAt: when a person last clicked or pressed a key in it
    variable path row facts busy over refused armedAt keysAt usedAt log

    constructor {newRow number} {
        set row $newRow
        set facts {}
        lassign {0 0 0 0 0 0 ""} busy over refused armedAt keysAt usedAt log
        set path .popup[regsub -all {\W} [self] _]
        toplevel $path -class JoschPopup
        wm withdraw $path
        wm title $path "[my title]: [dict get $row node_name]"
        wm protocol $path WM_DELETE_WINDOW [list [self] dismiss]
        theme::dress $path
        my Build
        my Bind
        my Fill
        my Place $number
        my ReadFacts
    }

    destructor {
        popup::forget [self]
        if {$log ne ""} {
            $log destroy
        }
        if {[winfo exists $path]} {
            ::destroy $path
        }
    }

    # ---- what a kind says ----

    # Title of the window and of its band.
    method title {} {
        return "Waits"
    }

    # The acts: list of {action label underlined-letter style}, the default act last; in the order of the buttons.
    method acts {} {
        return {}
    }

    # The act of the Enter key; empty for none.
    method default {} {
        return ""
    }

    # Whether the end of the output belongs into it, and how many lines of it.
    method output_lines {} {
        return 8
    }

    # Why it waits, in words.
    method why {} {
        return [dict get $row message]
    }

    # ---- what the manager calls ----

    method state {} {
        return [dict get $row state]
    }

    method path {} {
        return $path
    }

    # Has the person written a comment?
    method written {} {
        expr {!$over && [my Comment] ne ""}
    }

    # Is somebody at it: has written, or just clicked or pressed a key in it? That the pointer or the keyboard is there by
    # chance means nothing.
    method attended {} {
        expr {[my written] || $busy || $refused || [clock milliseconds] - $usedAt < 10000}
    }

    # The row as it is now. A later change is a new round of the same: it failed again.
    method renew {newRow} {
        set again [expr {[dict get $newRow change_id] ne [dict get $row change_id]}]
        if {!$again && $newRow eq $row} {
            return
        }
        set row $newRow
        if {$again} {
            my Arm
            set refused 0
            my Note warn "It came to wait again at [popup::moment [dict get $row since]]."
            my DropLog
        }
        my Fill
        if {$again} {
            my ReadFacts
        }
    }

    # Nobody is needed here any more: say why.
    method over {} {
        set over 1
        # what was written stays until it is closed; what only tells goes by itself
        if {[my Comment] eq ""} {
            after $::popup::tellsFor [list ::popup::tell [self] destroy]
        }
        my Buttons
        if {$refused} {
            # who was first has been said, in the database's words
            return
        }
        my Note warn "It waits no longer."
        db::query "SELECT n.state, n.action, n.acted_by, extract(epoch FROM n.acted_at) AS acted_at, n.comment
            FROM josch.nodes n WHERE [popup_sql::node_condition $row]" [list ::popup::tell [self] TakeEnd]
    }

    method TakeEnd {result} {
        set now [lindex [db::dicts $result] 0]
        if {$now eq {} || $refused} {
            return
        }
        set text "It is [dict get $now state] now."
        if {[dict get $now acted_at] ne "" && [dict get $now acted_at] >= [dict get $row since]} {
            set text [model::deed [dict get $now acted_by] [dict get $now action] [popup::moment [dict get $now acted_at]]]
            if {[dict get $now comment] ne ""} {
                append text ": \u201c[dict get $now comment]\u201d"
            } else {
                append text "."
            }
        }
        my Note warn $text
    }

    method tick {} {
        if {!$over} {
            $path.band.since configure -text "waits [popup::waits [dict get $row since]]"
        }
    }

    # The connection came or went.
    method connection {} {
        if {!$over && [db::state] ne "online"} {
            my Note warn "Not connected: [db::why]"
        }
    }

    # Bring it up, for somebody who asked for it: with the keyboard.
    method show {} {
        wm deiconify $path
        raise $path
        focus $path.comment.text
    }

    method dismiss {} {
        if {$over} {
            my destroy
        } else {
            popup::snooze [list [model::key $row]]
        }
    }

    # ---- building ----

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
        ttk::label $path.note -wraplength [theme::chars 70] -justify left
        ttk::frame $path.buttons
        pack $path.band -fill x
        pack $path.body -fill x
        pack $path.output -fill both -expand 1 -padx [expr {2 * $gap}] -pady [list 0 $gap]
        pack $path.comment -fill x -padx [expr {2 * $gap}]
        pack $path.buttons -fill x -padx [expr {2 * $gap}] -pady [expr {2 * $gap}] -side bottom
        my Buttons
    }

    method BuildHead {body} {
        set width [theme::chars 70]
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
        text $frame.text -width 76 -height [my output_lines] -wrap char -state disabled -font [theme::font mono] \
            -padx [theme::chars 0.7] -pady [theme::chars 0.5] -yscrollcommand [list ::popup::scrolled $frame.y]
        theme::dress $frame.text
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
        if {$over} {
            ttk::button $path.buttons.close -text "Close" -style Act.TButton -command [list [self] dismiss]
            pack $path.buttons.close -side right
            $path.comment.text configure -state disabled
            return
        }
        ttk::button $path.buttons.snooze -text "Snooze $::popup::pause min" -underline 4 -style Flat.TButton -command [list [self] dismiss]
        pack $path.buttons.snooze -side left
        foreach act [my Offered] {
            lassign $act action label underline style
            ttk::button $path.buttons.$action -text $label -underline $underline -style $style \
                -command [list [self] act $action]
            pack $path.buttons.$action -side right -padx [list [theme::chars 1] 0]
        }
    }

    # Acts of this kind that the state machine has and this person may do.
    method Offered {} {
        lmap act [my acts] {
            if {[lindex $act 0] ni [dict get $row acts] || ![db::may [lindex $act 0]]} {
                continue
            }
            set act
        }
    }

    method Bind {} {
        foreach {event method} {
            <Escape> dismiss  <Alt-z> dismiss  <Alt-c> comment  <Alt-o> show_log
            <Return> enter  <KP_Enter> enter  <Control-Return> act_default  <Control-KP_Enter> act_default
        } {
            bind $path $event [list [self] $method]
        }
        foreach act [my acts] {
            lassign $act action label underline
            bind $path <Alt-[string tolower [string index $label $underline]]> [list [self] act $action]
        }
        # in the comment Enter is a new line, and Tab leads on
        foreach event {<Control-Return> <Control-KP_Enter>} {
            bind $path.comment.text $event "[list [self] act_default]; break"
        }
        bind $path.comment.text <Tab> {focus [tk_focusNext %W]; break}
        bind $path.comment.text <Shift-Tab> {focus [tk_focusPrev %W]; break}
        bind $path <Button-1> +[list [self] clicked %W]
        bind $path <FocusIn> [list [self] entered %W %d]
        bind $path <Key> +[list [self] used]
        bind $path <Destroy> [list ::popup::tell [self] gone %W]
    }

    # ---- showing ----

    method Fill {} {
        $path.body.name configure -text [dict get $row node_name]
        $path.body.where configure -text "[dict get $row job_name]    node [dict get $row node_id]    [dict get $row job_date]   \
            since [popup::moment [dict get $row since]]"
        set why [my why]
        $path.body.why configure -text $why
        if {$why eq ""} {
            pack forget $path.body.why
        } else {
            pack $path.body.why -anchor w -after $path.body.where -pady [list [theme::chars 1] 0]
        }
        $path.body.children configure -text [my Children]
        my FillOutput
        my tick
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
            set tail [string trimright [dict get $facts output_tail]]
        }
        if {$lines == 0 || [dict get $row run_id] eq ""} {
            pack forget $path.output
            return
        }
        set text $path.output.text
        $text configure -state normal -height [expr {min($lines, max(1, [llength [split $tail \n]]))}]
        $text delete 1.0 end
        if {$tail eq "" && $facts ne {}} {
            set tail "(it printed nothing)"
        }
        $text insert end $tail
        $text configure -state disabled
        $text see end
    }

    # Beside the screen's right edge, each a little lower than the one before.
    method Place {number} {
        set step [theme::lines 2.2]
        set slot [expr {($number - 1) % 8}]
        wm geometry $path -[expr {$step + $slot * $step}]+[expr {$step + $slot * $step}]
        wm resizable $path 1 1
        # a window of this type is not given the focus when it comes up, by any window manager that knows types
        catch {wm attributes $path -type utility}
        wm focusmodel $path passive
        my Arm
        wm deiconify $path
        raise $path
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

    # ---- what is read besides ----

    method ReadFacts {} {
        db::query [popup_sql::facts $row] [list ::popup::tell [self] TakeFacts [dict get $row change_id]]
    }

    method TakeFacts {of result} {
        if {$of ne [dict get $row change_id] || ![dict get $result ok]} {
            return
        }
        set facts [lindex [db::dicts $result] 0]
        my Fill
    }

    # All of the output, in place of its end; it goes on while the run does.
    method show_log {} {
        if {$log ne "" || ![winfo ismapped $path.output]} {
            return
        }
        pack forget $path.output.text $path.output.y $path.output.head
        set log [details_log::View new $path.output.log]
        pack $path.output.log -fill both -expand 1
        $path.output.log.text configure -height 22
        $log show_node [model::key $row] [dict get $row change_id]
    }

    method DropLog {} {
        if {$log ne ""} {
            $log show_node [model::key $row] [dict get $row change_id]
        }
    }

    # ---- keys and buttons ----

    method comment {} {
        focus $path.comment.text
    }

    method used {} {
        set usedAt [clock milliseconds]
    }

    # The keyboard came to this window, perhaps without having been asked to: the key that is being pressed meant another.
    method entered {widget detail} {
        if {$widget eq $path && $detail in {NotifyNonlinear NotifyNonlinearVirtual NotifyAncestor}} {
            set keysAt [expr {[clock milliseconds] + $::popup::guard}]
        }
    }

    # A click means that the person wants to be here, where the window manager has not brought the keyboard by itself.
    method clicked {widget} {
        my used
        if {[winfo exists $widget] && [winfo class $widget] in {Text TEntry TButton}} {
            return
        }
        focus $path.comment.text
    }

    method gone {window} {
        if {$window eq $path} {
            my destroy
        }
    }

    # Enter, where no widget took it: a button that has the keyboard is pressed, else the default act is done.
    method enter {} {
        set focus [focus -displayof $path]
        if {$focus eq "$path.comment.text" || [string match $path.output* $focus]} {
            return
        }
        if {$focus ne "" && [winfo class $focus] eq "TButton"} {
            $focus invoke
            return
        }
        if {[clock milliseconds] >= $keysAt} {
            my act_default
        }
    }

    method act_default {} {
        if {$over} {
            my dismiss
        } elseif {[my default] ne "" && [my default] in [lmap act [my Offered] {lindex $act 0}]} {
            my act [my default]
        }
    }

    method Arm {} {
        set armedAt [expr {[clock milliseconds] + $::popup::guard}]
    }

    method Comment {} {
        string trim [$path.comment.text get 1.0 end]
    }

    # Do an act, with the comment.
    method act {action} {
        if {$busy || $over || [clock milliseconds] < $armedAt || ![winfo exists $path.buttons.$action]} {
            return
        }
        my Busy 1
        db::query [popup_sql::act $row $action [my Comment]] [list ::popup::tell [self] Acted]
    }

    method Busy {flag} {
        set busy $flag
        foreach button [winfo children $path.buttons] {
            $button state [expr {$flag ? "disabled" : "!disabled"}]
        }
    }

    method Acted {result} {
        my Busy 0
        if {![dict get $result ok]} {
            set text [dict get $result message]
            foreach part {detail hint} {
                if {[dict exists $result $part] && [dict get $result $part] ne ""} {
                    append text \n[dict get $result $part]
                }
            }
            set refused 1
            my Note danger $text
            popup::read
        } elseif {[dict get $result count] == 0} {
            my Note warn "Something happened to it since this was shown; look again."
            popup::read
        } else {
            # its own end, before the manager wonders who was first
            popup::forget [self]
            popup::acted [model::key $row] [dict get $row change_id]
            my destroy
        }
    }

    # what other code calls by name
    export show_log comment enter act act_default dismiss clicked gone TakeEnd TakeFacts Acted
}
