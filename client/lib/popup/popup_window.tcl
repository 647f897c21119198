# client/lib/popup/popup_window.tcl
#
# The window for one node: what it is, in which state, since when and why, who looks at it, the end of its output, what depends
# on it, a comment, and the acts. Kinds (popup_kinds.tcl) say which acts there are and what is shown. One that calls a person
# goes when the node waits no longer; one that a person has asked for (popup::asked) stays until it is closed, becomes the kind
# of each state that the node comes to, and has all of the output, the history and the facts.
#
# Constraints: it never takes the focus; a person who types elsewhere goes on typing. It acts only on a click or key that was
# meant for it (guard.tcl). When somebody else was first, a window that somebody is at stays, and says who and what.

oo::class create ::popup::Window {
    superclass ::popup::Frame
    # row: of josch.attention; facts: what was read besides; busy: an act is under way; over: nothing to do any more
    # refused: the database has said why not; usedAt: when a person last clicked or pressed a key in it
    # lost: it says that there is no connection
    # place: its box on the screen; offered: the acts that have buttons; letters: the keys that are bound to them
    # tabs: all of the output, the history, the facts; ""; most: the lines of the output's end that have room
    # moving: where it is on the screen as long as it has not come to another place, {} else
    # unread: its facts could not be read
    variable path row facts busy over refused lost usedAt tabs place offered letters most moving unread

    constructor {newRow} {
        set row $newRow
        set facts {}
        set most [my output_lines]
        lassign {0 0 0 0 0 "" {} {} {} 0} busy over refused lost usedAt tabs place letters moving unread
        set path .popup[regsub -all {\W} [self] _]
        toplevel $path -class JoschPopup
        wm withdraw $path
        wm protocol $path WM_DELETE_WINDOW [list [self] dismiss]
        theme::dress $path
        my Build
        my Bind
        $path.comment.text insert end [popup::take_draft $row]
        my Fill
        my Place
        my ReadFacts
        if {[my pinned]} {
            my show_all
        }
    }

    destructor {
        popup::forget [self]
        popup::unmap $path
    }

    # ---- what a kind says ----

    # Title of the window and of its band.
    method title {} {
        return "Waits"
    }

    # The acts: list of {action style}, the default act first; the buttons stand from right to left.
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

    # Has a person asked for it? Then it stays.
    method pinned {} {
        expr {!$over && [popup::asked [model::key $row]]}
    }

    # Does it call a person, who may put it off?
    method calls {} {
        expr {!$over && ![my pinned] && [popup::is_waiting [model::key $row]]}
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
        set former [dict get $row state]
        set row $newRow
        if {[dict get $row state] ne $former} {
            oo::objdefine [self] class [popup_kinds::class [dict get $row state]]
            set most [my output_lines]
        }
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
            set moment [server_clock::text [dict get $row since]]
            my Note warn [expr {[dict get $row state] ne $former ? "" : "It came to wait again at $moment."}]
            my ReadAll
        }
        my Fill
        if {$again} {
            my ReadFacts
        }
    }

    # There is no such node any more.
    method vanished {} {
        my End
        my Note warn "This node is not there any more: its day was taken back."
    }

    method End {} {
        set over 1
        $path.band.since configure -text ""
        my Buttons
        my ShowMark
    }

    # Nobody is needed here any more: say why.
    method over {} {
        my End
        # what was written stays until it is closed; what only tells goes by itself
        if {[my Comment] eq ""} {
            after $::popup::tellsFor [list late::call [self] destroy]
        }
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
            set moment [server_clock::text [dict get $now acted_at]]
            set text [states::deed [dict get $now acted_by] [dict get $now action] $moment]
            if {[dict get $now comment] ne ""} {
                append text ": \u201c[dict get $now comment]\u201d"
            } else {
                append text "."
            }
        }
        my Note warn $text
    }

    method tick {} {
        if {$over} {
            return
        }
        set since [popup::waits [dict get $row since]]
        $path.band.since configure -text [expr {[popup::is_waiting [model::key $row]] ? "waits $since" : "for $since"}]
        if {[claims::words $row] ne [$path.body.holder cget -text]} {
            my FillHolder
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
            my ReadAll
        }
    }

    # Bring it up, for somebody who asked for it: with the keyboard, and with all that there is to see.
    method show {} {
        my show_all
        my ShowMark
        my Buttons
        wm deiconify $path
        raise $path
        focus [my Home]
    }

    # Close it: what calls is put off.
    method dismiss {} {
        if {$over} {
            my destroy
            return
        }
        popup::keep_draft $row [my Comment]
        if {[my pinned]} {
            # whoever closes it need not be told why it goes
            popup::forget [self]
            popup::close [model::key $row]
            my destroy
        } else {
            popup::snooze [list [model::key $row]]
        }
    }

    # Acts of this kind that the state machine has and this person may do.
    method Offered {} {
        lmap act [my acts] {
            set function [acts::function [lindex $act 0]]
            if {$function ni [dict get $row acts] || ![db::may $function]} {
                continue
            }
            set act
        }
    }

    method Bind {} {
        foreach {event method} {
            <Escape> dismiss  <Alt-z> dismiss  <Alt-c> comment  <Alt-o> show_all  <Alt-l> claim
        } {
            bind $path $event [list [self] $method]
        }
        foreach {event method} {
            <Return> enter  <KP_Enter> enter  <Control-Return> act_default  <Control-KP_Enter> act_default
        } {
            bind $path $event [my Key $method]
        }
        # in the comment Enter is a new line, and Tab leads on
        foreach event {<Control-Return> <Control-KP_Enter>} {
            bind $path.comment.text $event "[my Key act_default]; break"
        }
        bind $path.comment.text <Tab> {focus [tk_focusNext %W]; break}
        bind $path.comment.text <Shift-Tab> {focus [tk_focusPrev %W]; break}
        bind $path <Button-1> +[list [self] clicked %W]
        bind $path <Key> +[list [self] used]
        bind $path <Configure> [list late::call [self] there %W]
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
        if {$of ne [dict get $row change_id]} {
            return
        }
        set unread [expr {![dict get $result ok]}]
        if {!$unread} {
            set facts [lindex [db::dicts $result] 0]
            my Fill
        }
        if {$place eq {}} {
            # it has waited for that
            my Place
        }
    }

    # All of the output, which goes on while the run does, the history and the facts, in place of the end of the output.
    method show_all {} {
        if {$tabs ne ""} {
            return
        }
        pack forget {*}[pack slaves $path.output]
        set tabs [details::Tabs new $path.output.tabs]
        pack $path.output.tabs -fill both -expand 1
        # where the tabs are, a click comes to them
        raise $path.output.tabs
        $path.output.tabs.log.text configure -height 16 -width [$path.output.text cget -width]
        my ReadAll
        my FillOutput
        my FitSoon
    }

    method ReadAll {} {
        if {$tabs ne ""} {
            $tabs show [model::key $row] [list [dict get $row change_id] [dict get $row claimed_at]]
        }
    }

    # ---- keys and buttons ----

    # Where the keyboard is at home: in the comment, or, where there is none, in what can be read.
    method Home {} {
        if {[winfo manager $path.comment.text] eq "" && $tabs ne ""} {
            return $path.output.tabs.log.text
        }
        return $path.comment.text
    }

    method comment {} {
        focus [my Home]
    }

    # The screen has put it where it was to be.
    method there {window} {
        if {$window eq $path && [list [winfo rootx $path] [winfo rooty $path]] ne $moving} {
            set moving {}
        }
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
        focus [my Home]
    }

    method gone {window} {
        if {$window eq $path} {
            popup::gone [model::key $row]
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

    # Do an act, with the comment; what has no button of its own in the window of its kind asks first.
    method act {action} {
        if {$busy || $over || [db::state] ne "online" || ![guard::meant] || ![winfo exists $path.buttons.$action]} {
            return
        }
        if {[info object class [self]] eq "::popup::Calm"} {
            my act_other $action [dict create [model::key $row] $row]
            return
        }
        my Busy 1
        # its answer is for what it is now: by then it may have come to wait again
        db::act [acts::call_sql $row $action [my Comment]] [list late::call [self] Acted [dict get $row change_id]]
    }

    method act_other {action rows} {
        acts::do $path $rows $action [my Comment] [list late::call [self] ActedOther]
    }

    method ActedOther {outcome} {
        if {[llength [dict get $outcome done]]} {
            $path.comment.text delete 1.0 end
        }
        popup::read
    }

    # What else its state allows, in a menu below the button.
    method others {} {
        set menu $path.othersmenu
        ::destroy $menu
        ::menu $menu -tearoff 0
        theme::dress $menu
        acts::fill_menu $menu [dict create [model::key $row] $row] [list [self] act_other] [lmap act [my acts] {lindex $act 0}]
        set button $path.buttons.others
        tk_popup $menu [winfo rootx $button] [expr {[winfo rooty $button] + [winfo height $button]}]
    }

    # "I look at it", or no longer, for all to see.
    method claim {} {
        if {[winfo exists $path.buttons.claim] && ![$path.buttons.claim instate disabled]} {
            acts::perform $path [dict create [model::key $row] $row] [my ClaimAct] [my Comment] [list late::call [self] Claimed]
        }
    }

    method ClaimAct {} {
        expr {[claims::who $row] eq [db::user] ? "unclaim" : "claim"}
    }

    method Claimed {outcome} {
        popup::read
    }

    method Busy {flag} {
        set busy $flag
        my Live
    }

    # The buttons of the acts are dead while one is under way, and without a connection.
    method Live {} {
        set dead [expr {!$over && ($busy || [db::state] ne "online")}]
        foreach button [winfo children $path.buttons] {
            $button state [expr {$dead ? "disabled" : "!disabled"}]
        }
    }

    method Acted {seen result} {
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
            my Done $seen
        }
    }

    # It was done, to the node as it was seen: a window that called is at its end, before the manager wonders who was first; one
    # that was asked for goes on, and so does one whose node waits anew already.
    method Done {seen} {
        set key [model::key $row]
        if {[my pinned] || (!$over && [dict get $row change_id] > $seen)} {
            $path.comment.text delete 1.0 end
            popup::acted [dict create $key $seen]
            popup::read
        } else {
            popup::forget [self]
            popup::acted [dict create $key $seen]
            my destroy
        }
    }

    # what other code calls by name
    export there show_all comment enter act act_default act_other others claim dismiss clicked gone
}
