# client/lib/popup/popup_list_acts.tcl
#
# What is done with the list of what waits: acts on the selected rows and groups with one comment, a window for one of them,
# putting off.
#
# Constraint: an act is on the rows as they are shown. While one is under way no other can begin: a second press would be for
# what is being answered already.

namespace eval ::popup_list {
    # the acts that can be offered, in this order; those to the left of the others are no answers
    variable acts {signoff approve retry mark_success mark_failed reject skip abandon acknowledge claim unclaim}
    variable left {claim unclaim}
    # the width that the buttons were laid out for; and how they stand: {frame lines}
    variable button_width 0
    variable packed {}
    # letters that are taken: Comment, Open, seLect all, snooZe, Filter, Group by
    variable taken {c o l z f g}
}

# {action letter ...}: the underlined letters.
proc ::popup_list::Letters {} {
    variable acts
    variable taken
    set letters {}
    foreach action $acts mark [popup_kinds::letters [lmap action $acts {acts::label $action}] $taken] {
        if {$mark >= 0} {
            lappend letters $action [string tolower [string index [acts::label $action] $mark]]
        }
    }
    return $letters
}

# Keys of what is selected; a group stands for all of it.
proc ::popup_list::Selected {} {
    variable path
    variable rows
    set keys [dict create]
    set tree $path.list.tree
    foreach item [$tree selection] {
        foreach one [expr {[IsGroup $item] ? [$tree children $item] : [list $item]}] {
            set key [Key $one]
            if {[dict exists $rows $key]} {
                dict set keys $key 1
            }
        }
    }
    return [dict keys $keys]
}

# Whether an act fits a row.
proc ::popup_list::Suits {action row} {
    if {![db::may $action]} {
        return 0
    }
    if {$action in {claim unclaim}} {
        set who [expr {$action eq "claim" ? "" : [db::user]}]
        return [expr {![model::is_alarm [model::key $row]] && [claims::who $row] eq $who}]
    }
    expr {$action in [dict get $row acts]}
}

# For each act that fits: {action keys}.
proc ::popup_list::Fits {} {
    variable rows
    variable acts
    set keys [Selected]
    lmap action $acts {
        set fit [lmap key $keys {
            if {![Suits $action [dict get $rows $key]]} continue
            set key
        }]
        if {![llength $fit]} continue
        list $action $fit
    }
}

proc ::popup_list::Buttons {} {
    variable path
    variable left
    set frame $path.buttons
    if {![winfo exists $frame]} {
        return
    }
    FixedButtons $frame
    set chosen [llength [Selected]]
    $frame.snooze configure -text "Snooze $::popup::pause min[expr {$chosen ? " ($chosen)" : ""}]"
    set wanted [dict create]
    foreach fit [Fits] {
        lassign $fit action keys
        set count [expr {[llength $keys] < $chosen || $chosen > 1 ? " ([llength $keys])" : ""}]
        dict set wanted $action [acts::label $action]$count
    }
    DropButtons $frame [dict keys $wanted]
    # a second press would be for what is being answered already
    set state [expr {[db::state] eq "online" && [acts::progress] eq "" ? "!disabled" : "disabled"}]
    dict for {action label} $wanted {
        set button [ActButton $frame $action]
        $button configure -text $label
        $button state $state
    }
    PackButtons $frame $chosen [dict keys $wanted]
}

# From left to right in the order in which the keyboard goes; the answers stand at the right, or, where that has no room, in
# lines of their own. What stands where it is to stand is left alone: a button that goes from the screen under a hand, for a
# moment only, is not pressed.
proc ::popup_list::PackButtons {frame chosen wanted} {
    variable left
    variable packed
    # what grows with the selection stands after what was pressed to select: a second press is not for another button
    set order [list $frame.all $frame.snooze]
    if {$chosen} {
        lappend order $frame.open
    }
    set answers {}
    foreach action $wanted {
        lappend [expr {$action in $left ? "order" : "answers"}] $frame.act_$action
    }
    set lines [Lines [winfo width $frame] $order $answers]
    if {$packed eq [list $frame $lines]} {
        return
    }
    set packed [list $frame $lines]
    pack forget {*}[winfo children $frame]
    set number 0
    foreach line $lines {
        lassign $line at_left at_right
        set at $frame.line[incr number]
        if {![winfo exists $at]} {
            lower [ttk::frame $at]
        }
        pack $at -fill x -pady [list [expr {$number > 1 ? [theme::chars 0.6] : 0}] 0]
        foreach button $at_left {
            pack $button -in $at -side left
        }
        foreach button [lreverse $at_right] {
            pack $button -in $at -side right -padx [list [theme::chars 1] 0]
        }
    }
    foreach button [concat $order $answers] {
        ::raise $button
    }
}

# The lines of buttons, {left right} each, that have room in a width; one that is not known yet is wide enough.
proc ::popup_list::Lines {width left right} {
    set whole [Wrapped $width [concat $left $right]]
    if {$width <= 1 || [llength $whole] <= 1} {
        return [list [list $left $right]]
    }
    return [concat [lmap line [Wrapped $width $left] {list $line {}}] [lmap line [Wrapped $width $right] {list {} $line}]]
}

# Buttons in lines of a width, as many in each as have room.
proc ::popup_list::Wrapped {width buttons} {
    set lines {}
    set line {}
    set used 0
    foreach button $buttons {
        set needs [expr {[winfo reqwidth $button] + [theme::chars 1]}]
        if {$line ne {} && $used + $needs > $width} {
            lappend lines $line
            lassign {{} 0} line used
        }
        lappend line $button
        incr used $needs
    }
    return [if {$line eq {}} {set lines} else {concat $lines [list $line]}]
}

# Another width may have room for more in a line, or for less.
proc ::popup_list::Widened {frame width} {
    variable button_width
    if {$width != $button_width} {
        set button_width $width
        Buttons
    }
}

proc ::popup_list::FixedButtons {frame} {
    if {[winfo exists $frame.snooze]} {
        return
    }
    ttk::button $frame.snooze -underline 4 -style Flat.TButton -command ::popup_list::snooze
    ttk::button $frame.all -text "Select All" -underline 2 -style Flat.TButton -command ::popup_list::SelectAll
    ttk::button $frame.open -text "Open" -underline 0 -style Flat.TButton -command ::popup_list::Open
    tip::set_text $frame.snooze "Puts off what is selected, or all of it (Escape: all of it)"
}

proc ::popup_list::ActButton {frame action} {
    variable left
    set button $frame.act_$action
    if {![winfo exists $button]} {
        set letters [Letters]
        set mark [expr {[dict exists $letters $action] ?
            [string first [dict get $letters $action] [string tolower [acts::label $action]]] : -1}]
        ttk::button $button -command [list ::popup_list::Do $action] -underline $mark \
            -style [expr {$action in $left ? "Flat.TButton" : "TButton"}]
        tip::set_text $button [acts::meaning $action]
    }
    return $button
}

# Buttons of acts that do not fit any more.
proc ::popup_list::DropButtons {frame wanted} {
    foreach button [winfo children $frame] {
        if {[string match *.act_* $button] && [string range [winfo name $button] 4 end] ni $wanted} {
            destroy $button
        }
    }
}

proc ::popup_list::SelectAll {} {
    variable path
    set tree $path.list.tree
    $tree selection set [$tree children {}]
}

# ---- windows of rows ----

proc ::popup_list::Open {} {
    foreach key [lrange [Selected] 0 4] {
        OpenKey $key
    }
}

# The window of a node; of an alarm that of what it is about.
proc ::popup_list::OpenKey {key} {
    variable rows
    if {[model::is_alarm $key]} {
        alarms::open_row [dict get $rows $key]
    } else {
        popup::open $key
    }
}

# True when there is a row at that place, whose window is opened: a group opens as any branch does.
proc ::popup_list::OpenAt {x y} {
    variable path
    set tree $path.list.tree
    set item [$tree identify item $x $y]
    if {$item eq "" || [IsGroup $item] || [$tree identify region $x $y] ni {cell tree}} {
        return 0
    }
    OpenKey [Key $item]
    return 1
}

proc ::popup_list::OpenFocus {} {
    variable path
    set item [$path.list.tree focus]
    if {$item eq "" || [IsGroup $item]} {
        return 0
    }
    OpenKey [Key $item]
    return 1
}

# ---- acting ----

proc ::popup_list::Do {action} {
    variable path
    variable rows
    if {![guard::meant] || [acts::progress] ne ""} {
        return
    }
    foreach fit [Fits] {
        if {[lindex $fit 0] eq $action} {
            acts::do $path [acts::only $rows [lindex $fit 1]] $action [string trim [$path.comment.text get]] ::popup_list::Done
        }
    }
}

proc ::popup_list::Done {outcome} {
    variable path
    variable left
    if {![winfo exists $path]} {
        return
    }
    if {![llength [dict get $outcome done]]} {
        return
    }
    $path.comment.text delete 0 end
    if {[dict get $outcome action] in $left} {
        popup::read
        return
    }
    # as they were when the act was begun: some may wait anew already
    popup::acted [dict map {key row} [acts::only [dict get $outcome rows] [dict get $outcome done]] {dict get $row change_id}]
}

# How far the act on many is.
proc ::popup_list::Progress {} {
    if {[acts::progress] ne ""} {
        Note [acts::progress]
    }
    Buttons
}

# What came of it; it stays until something else is done.
proc ::popup_list::TellDone {} {
    variable path
    Note [acts::outcome]
}

proc ::popup_list::Note {text} {
    variable path
    if {![winfo exists $path.note]} {
        return
    }
    $path.note configure -text $text
    if {$text eq ""} {
        pack forget $path.note
    } else {
        pack $path.note -fill x -padx [theme::chars 2] -side bottom -after $path.buttons
    }
}

# Put off what is selected, or all of it.
proc ::popup_list::snooze {} {
    variable rows
    set keys [Selected]
    popup::snooze [expr {$keys eq {} ? [dict keys $rows] : $keys}]
}

proc ::popup_list::snooze_all {} {
    variable rows
    popup::snooze [dict keys $rows]
}
