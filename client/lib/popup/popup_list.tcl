# client/lib/popup/popup_list.tcl
#
# One window with a list, for when many nodes wait at once: what waits, since when and why; acts on the selected ones with one
# comment; a window for one of them.
#
# Constraint: a thousand rows may come and go in a second. The list is compared with what is shown, and only what differs is
# touched, a few rows at a time; the selection and the place where the reader is stay.

namespace eval ::popup_list {
    # the window; a new name each time, because the former one may still be on its way out
    variable path .popuplist
    variable made 0
    variable watched 0
    # rows as they are to be shown, by key; and as they are shown
    variable rows [dict create]
    variable shown [dict create]
    # keys by the name of their item, in the order that is wanted
    variable order {}
    variable columns {
        node   {Node 24 1}
        job    {Job 14 0}
        date   {Date 11 0}
        waits  {Waits 10 0}
        blocks {Blocks 7 0}
        why    {Why 30 1}
    }
    # the acts that can be offered, in this order, with the underlined letter; besides there are c, l, o and z
    variable acts {signoff 0 approve 0 retry 0 mark_success 0 mark_failed 5 reject 2 skip 1}
}

# Show rows of josch.attention; without any the window goes.
proc ::popup_list::show {list} {
    variable path
    variable rows
    variable order
    set former $rows
    set rows [dict create]
    set come 0
    foreach row $list {
        set key [model::key $row]
        dict set rows $key $row
        incr come [expr {![dict exists $former $key]}]
    }
    set order [dict keys $rows]
    if {![llength $order]} {
        Close
        return
    }
    if {![winfo exists $path]} {
        Build
    } elseif {$come && ![HasKeyboard]} {
        # somebody is needed for what has come, as for the first; who is at the list sees it
        popup::map $path
    }
    workq::add ::popup_list::Fill popup-list
}

proc ::popup_list::HasKeyboard {} {
    variable path
    set focus [focus -displayof $path]
    return [expr {$focus ne "" && [winfo toplevel $focus] eq $path}]
}

# Bring it up, for somebody who asked for it.
proc ::popup_list::raise {} {
    variable path
    if {[winfo exists $path]} {
        wm deiconify $path
        ::raise $path
        focus $path.list.tree
    }
}

proc ::popup_list::Close {} {
    variable path
    variable made
    variable shown
    set shown [dict create]
    workq::cancel popup-list
    if {[winfo exists $path]} {
        popup::unmap $path
        set path .popuplist[incr made]
    }
}

# ---- building ----

proc ::popup_list::Build {} {
    variable path
    variable watched
    variable shown
    set shown [dict create]
    set gap [theme::chars 1]
    toplevel $path -class JoschPopup
    wm withdraw $path
    wm protocol $path WM_DELETE_WINDOW ::popup_list::snooze
    theme::dress $path
    ttk::frame $path.band -style failed.State.TFrame -padding [list [expr {2 * $gap}] $gap]
    ttk::label $path.band.title -style failed.StateBold.TLabel
    pack $path.band.title -side left
    BuildTree
    ttk::frame $path.comment
    ttk::label $path.comment.label -text "Comment" -underline 0 -style Quiet.TLabel
    ttk::entry $path.comment.text
    pack $path.comment.label -side left -padx [list 0 $gap]
    pack $path.comment.text -side left -fill x -expand 1
    ttk::label $path.note -style Warn.TLabel
    ttk::frame $path.buttons
    pack $path.band -fill x
    pack $path.buttons -side bottom -fill x -padx [expr {2 * $gap}] -pady [expr {2 * $gap}]
    pack $path.comment -side bottom -fill x -padx [expr {2 * $gap}]
    pack $path.list -fill both -expand 1 -padx [expr {2 * $gap}] -pady [expr {2 * $gap}]
    Buttons
    Bind
    if {!$watched} {
        bind . <<ActProgress>> +::popup_list::Progress
        set watched 1
    }
    wm geometry $path -[theme::lines 3]+[theme::lines 3]
    popup::map $path
    after idle [list after 0 ::popup_list::Fit]
}

proc ::popup_list::Bind {} {
    variable path
    foreach {event command} {
        <Escape> ::popup_list::snooze  <Alt-z> ::popup_list::snooze  <Alt-o> ::popup_list::Open
        <Alt-l> ::popup_list::SelectAll  <Alt-c> ::popup_list::Comment
    } {
        bind $path $event $command
    }
    dict for {action underline} $::popup_list::acts {
        set letter [string tolower [string index [acts::label $action] $underline]]
        bind $path <Alt-$letter> "guard::key %W %K %t {::popup_list::Do $action}"
    }
}

# All of it is on the screen, its buttons above all: the list itself gives way.
proc ::popup_list::Fit {} {
    variable path
    if {![winfo exists $path]} {
        return
    }
    # the sizes come up level by level, a round of idle work each
    update idletasks
    set wide [expr {min([winfo reqwidth $path], [winfo screenwidth $path] - [theme::lines 4])}]
    set high [expr {min([winfo reqheight $path], [winfo screenheight $path] - [theme::lines 6])}]
    wm minsize $path [expr {min($wide, [theme::chars 60])}] [expr {min($high, [theme::lines 16])}]
    wm geometry $path ${wide}x$high
}

proc ::popup_list::BuildTree {} {
    variable path
    variable columns
    ttk::frame $path.list
    set tree $path.list.tree
    ttk::treeview $tree -columns [dict keys $columns] -show {tree headings} -selectmode extended -height 14 \
        -yscrollcommand [list $path.list.y set]
    ttk::scrollbar $path.list.y -orient vertical -command [list $tree yview]
    $tree heading #0 -text State -anchor w
    $tree column #0 -width [theme::chars 18] -stretch 0
    dict for {name look} $columns {
        lassign $look title width stretch
        $tree heading $name -text $title -anchor w
        $tree column $name -width [theme::chars $width] -stretch $stretch -anchor w
    }
    pack $path.list.y -side right -fill y
    pack $tree -fill both -expand 1
    bind $tree <<TreeviewSelect>> ::popup_list::Buttons
    bind $tree <Double-Button-1> ::popup_list::Open
    bind $tree <Return> ::popup_list::Open
    bind $tree <Control-a> ::popup_list::SelectAll
}

# ---- rows ----

# Bring the list nearer to what is wanted; comes back until it is there.
proc ::popup_list::Fill {} {
    variable path
    variable rows
    variable shown
    variable order
    if {![winfo exists $path]} {
        return
    }
    set tree $path.list.tree
    DeleteGone $tree
    Heading
    set left 40
    set index 0
    foreach key $order {
        set row [dict get $rows $key]
        if {![dict exists $shown $key]} {
            $tree insert {} $index -id [Item $key] -values [Values $row] {*}[Look $row]
        } elseif {[dict get $shown $key] ne $row} {
            $tree item [Item $key] -values [Values $row] {*}[Look $row]
        } else {
            incr index
            continue
        }
        dict set shown $key $row
        incr index
        if {[incr left -1] == 0} {
            return -code continue
        }
    }
    set items [lmap key $order {Item $key}]
    if {[$tree children {}] ne $items} {
        # something came to wait again: it waits for a shorter time now
        $tree children {} $items
    }
    Buttons
}

proc ::popup_list::DeleteGone {tree} {
    variable rows
    variable shown
    set gone [lmap key [dict keys $shown] {
        if {[dict exists $rows $key]} {
            continue
        }
        dict unset shown $key
        Item $key
    }]
    if {[llength $gone]} {
        $tree delete $gone
    }
}

proc ::popup_list::Item {key} {
    return [lindex $key 1]/[lindex $key 0]
}

proc ::popup_list::Key {item} {
    lassign [split $item /] date node
    list $node $date
}

proc ::popup_list::Look {row} {
    set looks [theme::state [dict get $row state]]
    list -text " [dict get $looks symbol] [dict get $looks label]" -image [theme::patch [dict get $row state]]
}

proc ::popup_list::Values {row} {
    list [dict get $row node_name] [dict get $row job_name] [dict get $row job_date] \
        [popup::waits [dict get $row since]] [Number [dict get $row blocks]] [string map {\n " "} [dict get $row message]]
}

# A number; nothing for none.
proc ::popup_list::Number {count} {
    if {$count == 0} {
        return ""
    }
    return $count
}

proc ::popup_list::Heading {} {
    variable path
    variable rows
    set counts [dict create]
    dict for {key row} $rows {
        dict incr counts [dict get $row state]
    }
    set parts [lmap state [states::names] {
        if {![dict exists $counts $state]} {
            continue
        }
        string cat [dict get $counts $state] " " [string tolower [dict get [theme::state $state] label]]
    }]
    set number [dict size $rows]
    set more [expr {$number >= $::popup::limit ? "More than " : ""}]
    set text "$more$number [expr {$number == 1 ? "waits" : "wait"}] for you: [join $parts ", "]"
    if {[$path.band.title cget -text] ne $text} {
        $path.band.title configure -text $text
        wm title $path "JOSCH: $text"
    }
    # the colour of the most urgent
    foreach state [lreverse [states::names]] {
        if {[dict exists $counts $state]} {
            $path.band configure -style $state.State.TFrame
            $path.band.title configure -style $state.StateBold.TLabel
        }
    }
}

# ---- acting ----

proc ::popup_list::Selected {} {
    variable path
    variable rows
    lmap item [$path.list.tree selection] {
        set key [Key $item]
        if {![dict exists $rows $key]} {
            continue
        }
        set key
    }
}

# For each act that fits: {action keys}.
proc ::popup_list::Fits {} {
    variable rows
    variable acts
    set keys [Selected]
    lmap action [dict keys $acts] {
        set fit [lmap key $keys {
            if {$action ni [dict get $rows $key acts] || ![db::may $action]} {
                continue
            }
            set key
        }]
        if {![llength $fit]} {
            continue
        }
        list $action $fit
    }
}

proc ::popup_list::Buttons {} {
    variable path
    variable acts
    set frame $path.buttons
    if {![winfo exists $frame]} {
        return
    }
    set chosen [llength [Selected]]
    set wanted [lmap fit [Fits] {
        lassign $fit action keys
        list $action [acts::label $action][expr {[llength $keys] < $chosen || $chosen > 1 ? " ([llength $keys])" : ""}]
    }]
    if {![winfo exists $frame.snooze]} {
        ttk::button $frame.snooze -text "Snooze $::popup::pause min" -underline 4 -style Flat.TButton \
            -command ::popup_list::snooze
        ttk::button $frame.all -text "Select All" -underline 2 -style Flat.TButton -command ::popup_list::SelectAll
        ttk::button $frame.open -text "Open" -underline 0 -command ::popup_list::Open
        pack $frame.snooze $frame.all -side left
    }
    DropButtons $frame [lmap act $wanted {lindex $act 0}]
    pack forget $frame.open
    foreach act [lreverse $wanted] {
        lassign $act action label
        set button $frame.act_$action
        if {![winfo exists $button]} {
            ttk::button $button -command [list ::popup_list::Do $action] -underline [dict get $acts $action]
        }
        $button configure -text $label
        # a second press would be for what is being answered already
        $button state [expr {[db::state] eq "online" && [acts::progress] eq "" ? "!disabled" : "disabled"}]
        pack forget $button
        pack $button -side right -padx [list [theme::chars 1] 0]
    }
    if {$chosen} {
        pack $frame.open -side right
    }
}

proc ::popup_list::Comment {} {
    variable path
    focus $path.comment.text
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

proc ::popup_list::Open {} {
    variable rows
    foreach key [lrange [Selected] 0 4] {
        popup::open [dict get $rows $key]
    }
}

proc ::popup_list::Do {action} {
    variable path
    foreach fit [expr {[guard::meant] ? [Fits] : {}}] {
        if {[lindex $fit 0] eq $action} {
            acts::do $path [acts::only $::popup_list::rows [lindex $fit 1]] $action \
                [string trim [$path.comment.text get]] ::popup_list::Done
        }
    }
}

proc ::popup_list::Done {outcome} {
    variable path
    variable rows
    if {![winfo exists $path]} {
        return
    }
    if {[dict exists $outcome done] && [llength [dict get $outcome done]]} {
        $path.comment.text delete 0 end
        foreach key [dict get $outcome done] {
            if {[dict exists $rows $key]} {
                popup::acted $key [dict get $rows $key change_id]
            }
        }
    }
}

# How far the act on many is.
proc ::popup_list::Progress {} {
    variable path
    if {![winfo exists $path.note]} {
        return
    }
    set text [acts::progress]
    $path.note configure -text $text
    if {$text eq ""} {
        pack forget $path.note
    } else {
        pack $path.note -fill x -padx [theme::chars 2] -after $path.comment
    }
    Buttons
}

# Put all of it off.
proc ::popup_list::snooze {} {
    variable order
    popup::snooze $order
}

# ---- what the manager tells all windows ----

# The times, of what is in sight.
proc ::popup_list::tick {} {
    variable path
    variable shown
    if {![winfo exists $path] || ![winfo viewable $path]} {
        return
    }
    set tree $path.list.tree
    set items [$tree children {}]
    set first [expr {int([lindex [$tree yview] 0] * [llength $items])}]
    foreach item [lrange $items $first [expr {$first + 40}]] {
        set text [popup::waits [dict get $shown [Key $item] since]]
        if {[$tree set $item waits] ne $text} {
            $tree set $item waits $text
        }
    }
}

proc ::popup_list::connection {} {
    variable path
    Buttons
    if {[winfo exists $path] && [db::state] ne "online"} {
        wm title $path "JOSCH: not connected"
        $path.band.title configure -text "Not connected. [db::why]"
    }
}
