# client/lib/popup/popup.tcl
#
# The windows of nodes: those that call people in, and those that a person has asked for. Reads what waits (josch.attention) and
# what was asked for when a notification says so, asks the model what to show, and opens, refreshes and closes windows
# accordingly. The windows are popup_frame.tcl, popup_window.tcl, popup_kinds.tcl and popup_list.tcl.
#
# Constraints: a notification is a hint; the rows are read again, at once after the first and no oftener than every 150 ms in
# a storm. A window comes within 0.2 s of the commit, so it opens with what josch.attention says, and the rest follows. Nothing
# here takes the keyboard away from anybody.

namespace eval ::popup {
    variable model
    # key -> object of the window that stands for the node now; objects of windows that only tell what happened
    variable windows [dict create]
    variable told {}
    # keys of windows that a person has asked for and that are not there yet
    variable coming {}
    # key -> change_id and a comment that was begun
    variable drafts [dict create]
    # whether windows come up by themselves (a person can switch that off)
    variable on 1
    # why what waits could not be read; empty when it could; and whether it has been read since the connection is there
    variable problem ""
    variable known 0
    # when the rows were read last, in ms; shortest time between two readings
    variable readAt 0
    variable gap 150
    variable readTimer ""
    variable tickTimer ""
    variable wakeTimer ""
    # a window that has nothing to do but say who was first goes after so long, in ms
    variable tellsFor 20000
    # most rows that are read; a list of more helps nobody
    variable limit 1000
    # snoozed for so long, in minutes
    variable pause 10
}

# Begin to watch. Called once, when Tk is there.
proc ::popup::init {} {
    variable model
    variable pause
    variable on
    set model [model::new [conf::get many]]
    set pause [conf::get snooze]
    set on [conf::get popups]
    bind . <<DbState>> +[namespace code StateChanged]
    bind . <<DbNotify>> +[namespace code Notified]
    bind . <<DbAlarms>> +[namespace code AfterAlarm]
    bind . <<BoardPulse>> +[namespace code Compare]
    Tick
}

# Are windows wanted?
proc ::popup::enabled {} {
    variable on
    return $on
}

# Let windows come up by themselves, or not. What waits is known all the same, and the list there for who asks for it.
proc ::popup::enable {flag} {
    variable on
    variable model
    set on $flag
    dict set model listing 0
    Show
}

# The window of a node, whatever its state, for somebody who asks for it: it stays until it is closed.
proc ::popup::open {key} {
    variable model
    variable coming
    variable windows
    set model [model::ask $model $key]
    lappend coming $key
    Show
    if {![dict exists $windows $key]} {
        read
    }
}

# A person has closed the window of a node.
proc ::popup::close {key} {
    gone $key
    Show
}

# Its window is gone without that.
proc ::popup::gone {key} {
    variable model
    variable pause
    set model [model::close $model $key [expr {[server_clock::now] + 60 * $pause}]]
}

# Does a person want the window of this node, and not only the node the person?
proc ::popup::asked {key} {
    variable model
    return [model::asked $model $key]
}

# Does the node wait for a person?
proc ::popup::is_waiting {key} {
    variable model
    return [model::waits $model $key]
}

# There is no room for one more window beside those that are there: a list for all.
proc ::popup::crowd {} {
    variable model
    set model [model::crowd $model]
    Show
}

# How many nodes wait, or how many alarms do, for the status lines: {all put-off}.
proc ::popup::count {{alarms 0}} {
    variable model
    model::count $model [server_clock::now] $alarms
}

# Why what waits could not be read, for the status lines; empty when it could.
proc ::popup::problem {} {
    variable problem
    return $problem
}

# Has what waits been read?
proc ::popup::known {} {
    variable known
    return $known
}

# Everything that waits in one list; what was put off too, when there is nothing else.
proc ::popup::show_list {} {
    variable model
    set now [server_clock::now]
    if {![llength [model::awake $model $now]] && ![llength [model::awake $model $now 1]]} {
        set model [model::wake $model]
    }
    set model [model::crowd $model]
    Show
    popup_list::raise
}

# What was put off is there again.
proc ::popup::wake {} {
    variable model
    set model [model::wake $model]
    Show
}

# Put nodes off for a while.
proc ::popup::snooze {keys} {
    variable model
    variable pause
    set model [model::snooze $model $keys [expr {[server_clock::now] + 60 * $pause}]]
    Show
}

# This person acted on nodes, as they were at a change: their windows are done. seen: key -> change_id.
proc ::popup::acted {seen} {
    variable model
    dict for {key change_id} $seen {
        set model [model::acted $model $key $change_id]
    }
    Show
}

# What somebody has begun to write about a node and put off with its window; given back when that comes again, for the same.
proc ::popup::keep_draft {row text} {
    variable drafts
    if {$text ne ""} {
        dict set drafts [model::key $row] [list [dict get $row change_id] $text]
    }
}
proc ::popup::take_draft {row} {
    variable drafts
    set key [model::key $row]
    if {![dict exists $drafts $key]} {
        return ""
    }
    lassign [dict get $drafts $key] change_id text
    dict unset drafts $key
    return [expr {$change_id eq [dict get $row change_id] ? $text : ""}]
}

# Forget what was begun about nodes that wait no longer.
proc ::popup::DropDrafts {} {
    variable drafts
    variable model
    set drafts [dict filter $drafts script {key draft} {expr {[model::row $model $key] ne {}}}]
}

# How long ago something was, by the server's clock.
proc ::popup::waits {since} {
    model::span [expr {[server_clock::now] - $since}]
}

# ---- reading ----

proc ::popup::StateChanged {} {
    variable known
    if {[db::state] ne "online"} {
        set known 0
    }
    if {[db::state] eq "online"} {
        read
    }
    Each connection
}

# Was there something in the burst that concerns people?
proc ::popup::Notified {} {
    variable model
    foreach change [db::changes] {
        if {![dict exists $change to] || [states::is [dict get $change to] attention]
                || [states::is [dict get $change from] attention]
                || [model::asked $model [list [dict get $change node] [dict get $change date]]]} {
            Soon
            return
        }
    }
}

# The board has counted what waits: is it what is known here?
proc ::popup::Compare {} {
    variable known
    variable limit
    variable model
    set counted [board::attention]
    if {$known && [db::may signoff] && $counted ne "" && $counted <= $limit && $counted != [llength [model::waiting $model]]} {
        Soon
    }
}

# Read now, or when the last reading is long enough ago.
proc ::popup::Soon {} {
    variable readAt
    variable readTimer
    variable gap
    set wait [expr {$readAt + $gap - [clock milliseconds]}]
    if {$wait <= 0} {
        read
    } elseif {$readTimer eq ""} {
        set readTimer [after $wait [namespace code read]]
    }
}

# An alarm often comes with the change of its node, which is not to be looked at twice.
proc ::popup::AfterAlarm {} {
    variable readTimer
    variable gap
    if {$readTimer eq ""} {
        set readTimer [after $gap [namespace code read]]
    }
}

proc ::popup::read {} {
    variable readAt
    variable readTimer
    variable model
    after cancel $readTimer
    set readTimer ""
    if {[db::state] ne "online"} {
        return
    }
    set asked [model::asked $model]
    if {![db::may signoff] && $asked eq {}} {
        # windows come to those who may act: members of josch_operator
        Take {} {}
        return
    }
    set readAt [clock milliseconds]
    set sql [popup_sql::rows [db::may signoff] $asked]
    db::query "$sql; [popup_sql::alarms [db::may acknowledge]]" [namespace code [list Took $asked]] popup-read
}

# The rows of what waits, and those of what was asked for.
proc ::popup::Took {asked result} {
    variable problem
    set problem [expr {[dict get $result ok] ? "" : [dict get $result message]}]
    if {![dict get $result ok]} {
        event generate . <<PopupsChanged>>
        return
    }
    lassign [dict get $result all] waiting others alarms
    Take [concat [db::dicts $waiting] [db::dicts $alarms]] [db::dicts $others]
    Vanish $asked [lmap row [concat [db::dicts $waiting] [db::dicts $others]] {model::key $row}]
}

proc ::popup::Take {waiting others} {
    variable model
    variable known
    variable problem
    set problem ""
    foreach row [lrange [concat $waiting $others] 0 0] {
        server_clock::heard [dict get $row now]
    }
    set known 1
    set model [model::take $model $waiting $others]
    DropDrafts
    Show
}

# What was asked for, and is not there (any more): a window says so, and is nobody's any more.
proc ::popup::Vanish {asked found} {
    variable model
    variable windows
    variable told
    variable coming
    foreach key $asked {
        if {$key in $found || ![model::asked $model $key]} continue
        dict unset model asked $key
        if {[dict exists $windows $key]} {
            set window [dict get $windows $key]
            dict unset windows $key
            lappend told $window
            $window vanished
        } else {
            dialog::warn . "There is no node [lindex $key 0] of [lindex $key 1]."
        }
        set coming [lsearch -all -inline -not -exact $coming $key]
    }
}

# ---- showing ----

# Make the windows be what the model says.
proc ::popup::Show {} {
    variable model
    variable windows
    variable wakeTimer
    variable on
    set busy [lmap key [dict keys $windows] {
        if {![[dict get $windows $key] written]} {
            continue
        }
        set key
    }]
    # one moment for all that follows: between two, what was put off would be over and never be looked at
    set now [server_clock::now]
    lassign [model::view $model $now $busy $on] model keys list
    dict for {key window} $windows {
        Keep $key $window [expr {$key in $keys}]
    }
    foreach key $keys {
        set row [model::row $model $key]
        # of what was acted on just now nothing is known yet
        if {$row ne {} && [dict exists $windows $key]} {
            [dict get $windows $key] renew $row
        } elseif {$row ne {}} {
            dict set windows $key [popup_kinds::create $row]
        }
    }
    BringAsked
    popup_list::show [lmap key $list {model::row $model $key}]
    after cancel $wakeTimer
    set next [model::wakes_at $model $now]
    if {$next ne ""} {
        set wakeTimer [after [expr {int(1000 * max(0.1, $next - $now))}] [namespace code Show]]
    }
    event generate . <<PopupsChanged>>
}

# Bring up what a person has just asked for, with the keyboard.
proc ::popup::BringAsked {} {
    variable windows
    variable coming
    foreach key $coming {
        if {[dict exists $windows $key]} {
            set coming [lsearch -all -inline -not -exact $coming $key]
            [dict get $windows $key] show
        }
    }
}

# What stands on the screen beside a window, {box zones} each: the other windows, the list, and the line, which is not to be
# covered at all. window: an object, or "list".
proc ::popup::boxes {window} {
    set boxes [list]
    foreach other [objects] {
        if {$other ne $window} {
            lappend boxes [$other box]
        }
    }
    if {$window ne "list"} {
        lappend boxes [popup_list::box]
    }
    lappend boxes [strip::box]
    return [lsearch -all -inline -not -exact $boxes {}]
}

# Places for a window of that size and for those on its monitor that nobody is at, all at once: whether there is room does not
# depend on who came first. What somebody is at, has touched or moved stays where it is. False when there are none.
proc ::popup::make_room {window size monitor} {
    set moved [list $window]
    set sizes [list $size]
    set stay {}
    foreach other [objects] {
        set its [expr {$other eq $window ? {} : [$other movable]}]
        if {$its ne {} && [popup_place::Covered [lindex [$other box] 0] [list $monitor]]} {
            lappend moved $other
            lappend sizes $its
        } elseif {$other ne $window} {
            lappend stay [$other box]
        }
    }
    lappend stay [popup_list::box] [strip::box]
    set places [popup_place::tile $sizes $monitor [lsearch -all -inline -not -exact $stay {}]]
    foreach place $places {
        set index [lindex $place 0]
        [lindex $moved $index] move {*}[lrange $place 1 end] [lindex $sizes $index]
    }
    return [expr {$places ne {}}]
}

# All windows of nodes that are on the screen.
proc ::popup::objects {} {
    variable windows
    variable told
    return [concat [dict values $windows] $told]
}

# Put a window on the screen without the keyboard. Many window managers give it to whatever comes up, and Tk cannot set
# _NET_WM_USER_TIME; so the window says that it takes no input, and says otherwise when it is there. A click then gives it
# the keyboard, as any other window; one that a person has just asked for has it from the window manager.
proc ::popup::map {window {asked 0}} {
    if {!$asked} {
        catch {wm attributes $window -type utility}
        wm focusmodel $window active
    }
    wm deiconify $window
    raise $window
    guard::changed $window
    after [expr {$::guard::pause + 200}] [list ::popup::Settle $window]
}

proc ::popup::Settle {window} {
    if {[winfo exists $window]} {
        wm focusmodel $window passive
    }
}

# Take a window off the screen, and destroy it when it has lost the keyboard: Tk 8.6.13 goes on using a window that was
# destroyed with it, at the next focus -force (of a combobox, say), and crashes.
proc ::popup::unmap {window} {
    if {[winfo exists $window]} {
        # nobody is behind it any more
        foreach event [bind $window] {
            bind $window $event {}
        }
        wm withdraw $window
        after 500 [list ::destroy $window]
    }
}

# A window whose node is not to be shown, or waits for something else now, goes; unless somebody has asked for it, or is at it
# and should know why.
proc ::popup::Keep {key window wanted} {
    variable model
    variable windows
    variable told
    if {$wanted && [model::asked $model $key]} {
        return
    }
    if {[model::waits $model $key] && [dict get [model::row $model $key] state] eq [$window state]} {
        if {!$wanted} {
            dict unset windows $key
            $window destroy
        }
        return
    }
    dict unset windows $key
    if {![$window pinned] && [$window attended]} {
        lappend told $window
        $window over
    } else {
        $window destroy
    }
}

# A window object is gone, whoever closed it.
proc ::popup::forget {window} {
    variable windows
    variable told
    set windows [dict filter $windows script {key object} {expr {$object ne $window}}]
    set told [lsearch -all -inline -not -exact $told $window]
    if {![llength [objects]]} {
        popup_list::come_back
    }
}

# Call a method of every window.
proc ::popup::Each {method args} {
    foreach window [objects] {
        $window $method {*}$args
    }
    popup_list::$method {*}$args
}

# Once a second: the times that windows show.
proc ::popup::Tick {} {
    variable tickTimer
    after cancel $tickTimer
    Each tick
    set tickTimer [after 1000 [namespace code Tick]]
}

# A scrollbar that is there only when there is something to scroll.
proc ::popup::scrolled {bar first last} {
    set text [winfo parent $bar].text
    if {($first <= 0 && $last >= 1) || [winfo manager $text] eq ""} {
        pack forget $bar
    } elseif {[winfo manager $bar] eq ""} {
        pack $bar -side right -fill y -before $text
    }
    $bar set $first $last
}
