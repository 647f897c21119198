# client/lib/board/details.tcl
#
# The pane beside the board: what is selected there, its state and why, the acts that are allowed with one comment for them, and
# tabs with the rest of one node (details_tabs.tcl). It goes with the selection, and also stands for several nodes at once.
#
# Constraint: a comment belongs to the nodes for which it was written, and an act to the rows that are shown.

oo::class create ::details::View {
    # offered: the acts that have a button; reason: why the node does not start, in the server's words
    variable path key rows tabs offered drafts reason asking

    constructor {window} {
        set path $window
        set key ""
        set rows [dict create]
        # keys -> a comment that was begun for them
        set drafts [dict create]
        set offered none
        set reason ""
        set asking ""
        my Build
    }

    method Build {} {
        ttk::frame $path -padding [theme::px 10 4 4 4]
        my BuildHead
        set tabs [details::Tabs new $path.tabs]
        pack $path.head -fill x
        pack $path.acts -fill x -pady [theme::px 8 0]
        pack $path.comment -fill x -pady [theme::px 6 8]
        pack $path.tabs -fill both -expand 1
    }

    method BuildHead {} {
        set head [ttk::frame $path.head]
        ttk::label $head.name -style Title.TLabel -text ""
        ttk::label $head.where -style Small.TLabel -wraplength [theme::px 340] -justify left
        ttk::frame $head.line
        label $head.line.state -padx [theme::px 8] -pady [theme::px 2] -borderwidth 0
        ttk::label $head.line.since -style Small.TLabel
        ttk::label $head.why -wraplength [theme::px 340] -justify left
        details::bar $head.bar
        pack $head.name $head.where -anchor w
        pack $head.line -anchor w -pady [theme::px 6 0] -fill x
        pack $head.line.state -side left
        pack $head.line.since -side left -padx [theme::px 8]
        bind $head <Configure> [list ::details::Wrap $head %w]
        ttk::frame $path.acts
        bind $path.acts <Configure> [list late::call [self] LayActs]
        ttk::label $path.progress -style Warn.TLabel -wraplength [theme::px 340] -justify left
        ttk::frame $path.comment
        ttk::label $path.comment.label -text "Comment"
        ttk::entry $path.comment.entry
        pack $path.comment.label -side left -padx [theme::px 0 6]
        pack $path.comment.entry -side left -fill x -expand 1
    }

    # ---- which node ----

    method key {} {
        return $key
    }

    method FollowSelection {} {
        my KeepDraft
        set rows [board::selected_rows]
        my show [expr {[dict size $rows] == 1 ? [lindex [dict keys $rows] 0] : ""}]
    }

    # A comment belongs to the nodes that it was written for: others do not get it, and they get it back.
    method KeepDraft {} {
        set text [$path.comment.entry get]
        if {[string trim $text] ne ""} {
            dict set drafts [dict keys $rows] $text
        } else {
            dict unset drafts [dict keys $rows]
        }
    }

    method GiveDraft {} {
        set keys [dict keys $rows]
        $path.comment.entry delete 0 end
        if {[dict exists $drafts $keys]} {
            $path.comment.entry insert 0 [dict get $drafts $keys]
        }
    }

    # Show a node; "" for what is selected, when that is none or several.
    method show {new} {
        set key $new
        if {$key ne ""} {
            set rows [dict create]
            if {[board::row $key] ne {}} {
                dict set rows $key [board::row $key]
            }
        }
        my GiveDraft
        set offered none
        set reason ""
        my ShowHead
        my ShowActs
        my ShowTabs
        my AskWhy
    }

    method ShowTabs {} {
        if {$key eq "" || ![dict exists $rows $key]} {
            $tabs show "" ""
        } else {
            $tabs show $key [dict get $rows $key change_id] [board::past]
        }
    }

    method Refresh {event} {
        if {$event eq "<<BoardLoaded>>"} {
            # after a time without a connection, say
            $tabs renew
        }
        if {$event eq "<<BoardChanged>>"} {
            set mine 0
            foreach one [board::changed] {
                if {[dict exists $rows $one]} {
                    set mine 1
                    break
                }
            }
            if {!$mine} {
                return
            }
        }
        foreach one [dict keys $rows] {
            if {[board::row $one] ne {}} {
                dict set rows $one [board::row $one]
            }
        }
        my ShowHead
        if {[my ShowActs]} {
            # the hand may have been on its way to the button that was there
            guard::changed $path.acts
        }
        my ShowTabs
        my AskWhy
    }

    # ---- the head ----

    # What a node waits for that has not started, down to the root: the server knows. It may change while the node does not.
    method AskWhy {} {
        set row [expr {[dict exists $rows $key] ? [dict get $rows $key] : ""}]
        if {$row eq "" || [dict get $row state] ni {pending ready} || [board::past] ne ""} {
            set reason ""
            return
        }
        set asking $key
        lassign $key node_id date
        db::query "SELECT detail FROM josch.why([db::quote $node_id]::bigint, [db::quote $date]::date) LIMIT 1" \
            [list late::call [self] TakeWhy $key] why-[self]
    }

    # With what is read now and then: once for all of that.
    method AskWhyAgain {} {
        if {$asking ne $key} {
            my AskWhy
        }
    }

    method TakeWhy {of result} {
        set asking ""
        if {$of ne $key || ![dict get $result ok]} {
            return
        }
        set reason [lindex [dict get $result rows] 0 0]
        my ShowHead
    }

    method ShowHead {} {
        set head $path.head
        if {$key eq "" || ![dict exists $rows $key]} {
            my ShowSeveral
            return
        }
        set row [dict get $rows $key]
        set state [theme::state [dict get $row state]]
        $head.name configure -text [dict get $row node_name]
        lassign [lmap column {node_type node_id job_name job_date} {dict get $row $column}] type id job date
        $head.where configure -text "\[$type\] $id   $job   $date"
        $head.line.state configure -text "[dict get $state symbol]  [dict get $row state]" \
            -background [dict get $state fill] -foreground [dict get $state text]
        pack $head.line.state -side left -before $head.line.since
        $head.line.since configure -text "since [board_filter::clock_text [dict get $row state_since] [dict get $row job_date]]"
        my ShowWhy [output_text::clip [details::Why $row $reason]]
        details::show_bar $head.bar $head.line {*}[board::run_progress $key]
    }

    method ShowWhy {text} {
        set why $path.head.why
        $why configure -text $text
        if {$text eq ""} {
            pack forget $why
        } else {
            pack $why -anchor w -pady [theme::px 6 0] -fill x
        }
    }

    method ShowSeveral {} {
        set head $path.head
        pack forget $head.line.state
        set count [dict size $rows]
        set states [dict create]
        dict for {one row} $rows {
            dict incr states [dict get $row state]
        }
        $head.name configure -text [expr {$count == 0 ? "No node selected" : "$count nodes selected"}]
        $head.where configure -text [expr {$count > 0 ? "" :
            "Click one in the graph or the table; Control-click adds to the selection."}]
        $head.line.since configure -text ""
        details::show_bar $head.bar $head.line
        my ShowWhy [join [lmap {state number} $states {string cat $number " " $state}] ", "]
    }

    # ---- acts ----

    # The buttons; whether they are others now.
    method ShowActs {} {
        set acts [acts::allowed_on $rows]
        if {$acts eq $offered} {
            return 0
        }
        set offered $acts
        destroy {*}[winfo children $path.acts]
        foreach act $acts {
            lassign $act action label keys
            if {[llength $keys] < [dict size $rows]} {
                append label " ([llength $keys])"
            }
            if {[acts::asks_first $action]} {
                append label "\u2026"
            }
            ttk::button $path.acts.$action -text $label -command [list [self] act $action $keys]
            tip::set_text $path.acts.$action [acts::meaning $action]
        }
        my LayActs
        if {$acts eq {}} {
            # a frame whose last child goes keeps its height
            ttk::frame $path.acts.none -height 1 -width 1
            grid $path.acts.none
            pack forget $path.comment
        } else {
            pack $path.comment -fill x -pady [theme::px 2 8] -after $path.acts
        }
        return 1
    }

    # The buttons in columns of one width, in as many as have room for the longest label.
    method LayActs {} {
        set buttons [lmap button [winfo children $path.acts] {
            if {[winfo class $button] ne "TButton"} continue
            set button
        }]
        set gap [theme::px 4]
        set widest 1
        foreach button $buttons {
            set widest [expr {max($widest, [winfo reqwidth $button] + $gap)}]
        }
        set columns [expr {max(1, min(3, [winfo width $path.head] / $widest))}]
        foreach column {0 1 2} {
            grid columnconfigure $path.acts $column -uniform [expr {$column < $columns ? "acts" : ""}] \
                -weight [expr {$column < $columns}]
        }
        set number 0
        foreach button $buttons {
            grid $button -row [expr {$number / $columns}] -column [expr {$number % $columns}] -sticky ew \
                -padx [list 0 $gap] -pady [list 0 $gap]
            incr number
        }
    }

    # How far an act on many is.
    method Progress {} {
        set text [acts::progress]
        $path.progress configure -text $text
        if {$text eq ""} {
            pack forget $path.progress
        } else {
            pack $path.progress -fill x -after $path.acts
        }
    }

    method act {action keys} {
        if {![guard::meant]} {
            return
        }
        my do $action [acts::only $rows $keys]
    }

    # An act on some of the rows that are shown, with the comment that was written for them.
    method do {action some} {
        acts::do [winfo toplevel $path] $some $action [string trim [$path.comment.entry get]] \
            [list late::call [self] Acted [dict keys $rows]]
    }

    method Acted {keys outcome} {
        if {![llength [dict get $outcome done]]} {
            return
        }
        dict unset drafts $keys
        if {$keys eq [dict keys $rows]} {
            $path.comment.entry delete 0 end
        }
    }
}

namespace eval ::details {
    # the view beside the board
    variable pane ""
}

# The pane of the board.
proc ::details::create {path} {
    variable pane
    set pane [View new $path]
    $pane show ""
    foreach event {<<BoardChanged>> <<BoardLoaded>> <<BoardPast>> <<ActsChanged>> <<DbState>>} {
        bind . $event +[list late::call $pane Refresh $event]
    }
    bind . <<ActProgress>> +[list late::call $pane Progress]
    bind . <<BoardPulse>> +[list late::call $pane AskWhyAgain]
    bind . <<BoardSelection>> +[list late::call $pane FollowSelection]
    return $path
}

# An act on nodes that are selected on the board, from its menu: with the comment that stands in the pane.
proc ::details::do {action rows} {
    variable pane
    $pane do $action $rows
}

# How far a run is, as a bar with its words.
proc ::details::bar {bar} {
    ttk::frame $bar
    ttk::progressbar $bar.done -maximum 1000 -length [theme::px 160]
    ttk::label $bar.said -style Small.TLabel
    pack $bar.done -side left
    pack $bar.said -side left -padx [theme::px 8]
}

# Below another part of its window, where the run says how far it is.
proc ::details::show_bar {bar below {part ""} {text ""}} {
    if {$part eq ""} {
        pack forget $bar
        return
    }
    $bar.done configure -value [expr {round(1000 * $part)}]
    $bar.said configure -text [output_text::clip [board::percent $part $text]]
    pack $bar -anchor w -pady [theme::px 6 0] -fill x -after $below
}

# What an object shows is gone.
proc ::details::Gone {object window path} {
    if {$window eq $path && [info object isa object $object]} {
        $object destroy
    }
}

proc ::details::Wrap {head width} {
    foreach label [list $head.name $head.where $head.why [winfo parent $head].progress] {
        $label configure -wraplength [expr {max(100, $width - 8)}]
    }
}

# Give a text the theme's colours, now and whenever it changes; quiet is the tag of what is beside the point.
proc ::details::dress {text} {
    theme::dress $text
    bind $text <<ThemeChanged>> +[list ::details::DressTag $text]
    DressTag $text
}

proc ::details::DressTag {text} {
    $text tag configure quiet -foreground [theme::color quiet]
}

# Why a node is in its state: what it waits for, the message, and who acted last.
proc ::details::Why {row {reason ""}} {
    set parts {}
    if {$reason ne "" && $reason ne [dict get $row message]} {
        lappend parts [string toupper $reason 0 0]
    }
    set who [claims::words [board::claim [list [dict get $row node_id] [dict get $row job_date]]]]
    if {$who ne ""} {
        lappend parts $who
    }
    # of an act the sentence below says all that the message does
    set acted [expr {[dict get $row action] ne "" && [string match "*by [dict get $row acted_by]" [dict get $row message]]}]
    if {[dict get $row message] ne "" && !$acted} {
        lappend parts [dict get $row message]
    }
    if {[dict get $row action] ne ""} {
        set said [states::deed [dict get $row acted_by] [dict get $row action] \
            [board_filter::clock_text [dict get $row acted_at] [dict get $row job_date]]]
        if {[dict get $row comment] ne ""} {
            append said ": \u201c[dict get $row comment]\u201d"
        }
        lappend parts $said
    }
    set time [board::not_before $row]
    if {$time ne ""} {
        lappend parts [string toupper $time 0 0]
    }
    return [join $parts \n]
}
