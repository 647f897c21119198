# client/lib/popup/popup_window.tcl
#
# The window for one node that waits for a person: what it is, since when and why it waits, the end of its output, what depends
# on it, a comment, and the acts. Kinds (popup_kinds.tcl) say which acts there are and what is shown.
#
# Constraints: it never takes the focus; a person who types elsewhere goes on typing. It acts only on a click or key that was
# meant for it (guard.tcl). When somebody else was first, a window that somebody is at stays, and says who and what.

oo::class create ::popup::Window {
    superclass ::popup::Frame
    # row: of josch.attention; facts: what was read besides; busy: an act is under way; over: nothing to do any more
    # refused: the database has said why not; usedAt: when a person last clicked or pressed a key in it
    # lost: it says that there is no connection
    # slot: its place on the screen, from 0; offered: the acts that have buttons
    variable path row facts busy over refused lost usedAt log slot offered

    constructor {newRow newSlot} {
        set row $newRow
        set slot $newSlot
        set facts {}
        lassign {0 0 0 0 0 ""} busy over refused lost usedAt log
        set path .popup[regsub -all {\W} [self] _]
        toplevel $path -class JoschPopup
        wm withdraw $path
        wm title $path "[my title]: [dict get $row node_name]"
        wm protocol $path WM_DELETE_WINDOW [list [self] dismiss]
        theme::dress $path
        my Build
        my Bind
        $path.comment.text insert end [popup::take_draft $row]
        my Fill
        my Place
        my ReadFacts
    }

    destructor {
        popup::forget [self]
        if {$log ne ""} {
            $log destroy
        }
        popup::unmap $path
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

    method slot {} {
        return $slot
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
        set same [expr {$newRow eq $row}]
        set row $newRow
        if {!$busy && [my Offered] ne $offered} {
            # other rights, or other rules
            my Buttons
            guard::changed $path.buttons
        }
        if {!$again && $same} {
            return
        }
        if {$again} {
            guard::changed $path
            set refused 0
            my Note warn "It came to wait again at [popup::moment [dict get $row since]]."
            my ReadLog
        }
        my Fill
        if {$again} {
            my ReadFacts
        }
    }

    # Nobody is needed here any more: say why.
    method over {} {
        set over 1
        $path.band.since configure -text ""
        # what was written stays until it is closed; what only tells goes by itself
        if {[my Comment] eq ""} {
            after $::popup::tellsFor [list late::call [self] destroy]
        }
        my Buttons
        if {$refused} {
            # who was first has been said, in the database's words
            return
        }
        my Note warn "It waits no longer."
        db::query "SELECT n.state, n.action, n.acted_by, extract(epoch FROM n.acted_at) AS acted_at, n.comment
            FROM josch.nodes n WHERE [acts::node_condition $row]" [list late::call [self] TakeEnd]
    }

    method TakeEnd {result} {
        set now [lindex [db::dicts $result] 0]
        if {$now eq {} || $refused} {
            return
        }
        set text "It is [dict get $now state] now."
        if {[dict get $now acted_at] ne "" && [dict get $now acted_at] >= [dict get $row since]} {
            set text [states::deed [dict get $now acted_by] [dict get $now action] [popup::moment [dict get $now acted_at]]]
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
        if {$over} {
            return
        }
        my Live
        if {[db::state] ne "online"} {
            if {!$lost} {
                my Note warn "Not connected. [db::why]"
            }
            set lost 1
        } elseif {$lost} {
            set lost 0
            my Note warn ""
            my ReadLog
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
            popup::keep_draft $row [my Comment]
            popup::snooze [list [model::key $row]]
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
        } {
            bind $path $event [list [self] $method]
        }
        foreach {event method} {
            <Return> enter  <KP_Enter> enter  <Control-Return> act_default  <Control-KP_Enter> act_default
        } {
            bind $path $event [my Key $method]
        }
        foreach act [my acts] {
            lassign $act action label underline
            bind $path <Alt-[string tolower [string index $label $underline]]> [my Key act $action]
        }
        # in the comment Enter is a new line, and Tab leads on
        foreach event {<Control-Return> <Control-KP_Enter>} {
            bind $path.comment.text $event "[my Key act_default]; break"
        }
        bind $path.comment.text <Tab> {focus [tk_focusNext %W]; break}
        bind $path.comment.text <Shift-Tab> {focus [tk_focusPrev %W]; break}
        bind $path <Button-1> +[list [self] clicked %W]
        bind $path <Key> +[list [self] used]
        bind $path <Destroy> [list late::call [self] gone %W]
    }

    method Key {method args} {
        return "guard::key %W %K %t [list [list [self] $method {*}$args]]"
    }

    # ---- what is read besides ----

    method ReadFacts {} {
        db::query [popup_sql::facts $row] [list late::call [self] TakeFacts [dict get $row change_id]]
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
        $path.output.log.text configure -height 22 -width [$path.output.text cget -width]
        $log show_node [model::key $row]
        my FitSoon
    }

    method ReadLog {} {
        if {$log ne ""} {
            $log show_node [model::key $row]
        }
    }

    # ---- keys and buttons ----

    method comment {} {
        focus $path.comment.text
    }

    method used {} {
        set usedAt [clock milliseconds]
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
        my act_default
    }

    method act_default {} {
        if {$over} {
            my dismiss
        } elseif {[my default] ne "" && [my default] in [lmap act [my Offered] {lindex $act 0}]} {
            my act [my default]
        }
    }

    method Comment {} {
        string trim [$path.comment.text get 1.0 end]
    }

    # Do an act, with the comment.
    method act {action} {
        if {$busy || $over || [db::state] ne "online" || ![guard::meant] || ![winfo exists $path.buttons.$action]} {
            return
        }
        my Busy 1
        db::query [acts::call_sql $row $action [my Comment]] [list late::call [self] Acted]
    }

    method Busy {flag} {
        set busy $flag
        my Live
    }

    # The buttons of the acts are dead while one is under way, and without a connection.
    method Live {} {
        set dead [expr {!$over && ($busy || [db::state] ne "online")}]
        foreach button [winfo children $path.buttons] {
            if {[winfo name $button] ne "snooze"} {
                $button state [expr {$dead ? "disabled" : "!disabled"}]
            }
        }
    }

    method Acted {result} {
        my Busy 0
        set result [acts::judged $result]
        if {![dict get $result ok] && [string match 08* [dict get $result sqlstate]]} {
            my Note warn [dict get $result message]
            set lost 1
            my Live
        } elseif {![dict get $result ok] && [dict get $result sqlstate] eq ""} {
            my Note warn [dict get $result message]
            popup::read
        } elseif {![dict get $result ok]} {
            set text [dict get $result message]
            foreach part {detail hint} {
                if {[dict exists $result $part] && [dict get $result $part] ne ""} {
                    append text \n[dict get $result $part]
                }
            }
            set refused 1
            my Note danger [output_text::clip $text]
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
