# client/lib/popup/popup_list.tcl
#
# One window with a list, for when many nodes wait at once: what waits, since when and why, and who looks at it; sorted by any
# column, filtered, and in groups, which are selected and acted on as one. This file builds it; popup_list_rows.tcl fills it,
# popup_list_acts.tcl acts.
#
# Constraint: the list comes and goes with what waits; who reads in it keeps the place, the selection and the order.

namespace eval ::popup_list {
    # the window; a new name each time, because the former one may still be on its way out
    variable path .popuplist
    variable made 0
    variable watched 0
    # where it has just been put; {} when it is there
    variable moved {}
    # rows as they are to be shown, by key, those that wait longest first; and as they are shown
    variable rows [dict create]
    variable shown [dict create]
    # by which column it is sorted, and grouped ("" for none); the words of the filter
    variable sort_by waits
    variable descending 0
    variable group ""
    # characters across that it has at least; and where it was when it gave way to a window: {before after}
    variable narrow 46
    variable gave_way {}
    variable chosen
    array set chosen {group "No groups" filter ""}
    # so many alarms stand one by one; and how many lines the list has: for alarms alone, and for what waits
    variable flat 20
    variable lines {5 14}
    # title, width in characters, whether it takes the room that is left
    variable columns {
        node   {Node 22 1}
        id     {Id 9 0}
        job    {Job 12 0}
        date   {Date 11 0}
        waits  {Waits 10 0}
        blocks {Blocks 7 0}
        exit   {Exit 6 0}
        who    {"Looks at it" 11 0}
        why    {Why 26 1}
    }
}

# Show rows of josch.attention; without any the window goes.
proc ::popup_list::show {list} {
    variable path
    variable rows
    set former $rows
    set rows [dict create]
    set come 0
    foreach row $list {
        set key [model::key $row]
        dict set rows $key $row
        incr come [expr {![dict exists $former $key]}]
    }
    if {![dict size $rows]} {
        Close
        return
    }
    if {![winfo exists $path]} {
        Build
    } elseif {[$path.list.tree cget -height] < [Height]} {
        # nodes have come to alarms that were alone
        $path.list.tree configure -height [Height]
        Fit
    } elseif {$come && ![HasKeyboard]} {
        # somebody is needed for what has come, as for the first; who is at the list sees it
        popup::map $path
    }
    workq::add ::popup_list::Fill popup-list
}

# Are there alarms and nothing else?
proc ::popup_list::OnlyAlarms {} {
    variable rows
    return [expr {[lsearch -not -exact -index 1 [dict keys $rows] alarm] < 0}]
}

proc ::popup_list::Height {} {
    variable lines
    return [lindex $lines [expr {![OnlyAlarms]}]]
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
    variable chosen
    set shown [dict create]
    set chosen(filter) ""
    workq::cancel popup-list
    if {[winfo exists $path]} {
        popup::unmap $path
        set path .popuplist[incr made]
    }
}

# What of the screen is not to be covered: {box zones}; empty when it is not there.
proc ::popup_list::box {} {
    variable path
    variable moved
    if {![winfo exists $path] || ![winfo ismapped $path]} {
        return {}
    }
    lassign [expr {$moved eq {} ? [screens::box $path] : $moved}] x y width height
    set bottom [expr {[winfo height $path] - [winfo y $path.comment] + [theme::chars 1]}]
    set top [expr {[theme::lines 2] + [winfo reqheight $path.band]}]
    return [list [list $x $y $width $height] \
        [list [list $x $y $width $top] [list $x [expr {$y + $height - $bottom}] $width $bottom]]]
}

# Pixels across that are left of so many for a window beside the list.
proc ::popup_list::beside {width} {
    variable path
    variable narrow
    if {![winfo exists $path] || ![winfo ismapped $path]} {
        return $width
    }
    return [expr {$width - [theme::chars $narrow] - 4 * $::popup_place::gap}]
}

# Give way to a window of that width: to the left, as narrow as it may be. False when it has done what it can.
proc ::popup_list::give_way {width monitor} {
    variable path
    variable moved
    variable gave_way
    if {![winfo exists $path] || ![winfo ismapped $path]} {
        return 0
    }
    lassign [box] before
    lassign $before x y wide high
    set narrow [expr {max([lindex [wm minsize $path] 0], [lindex $monitor 2] - $width - 4 * $::popup_place::gap)}]
    set at [expr {[lindex $monitor 0] + $::popup_place::gap}]
    set moved [list $at $y [expr {min($wide, $narrow)}] $high]
    if {$moved eq $before} {
        return 0
    }
    set now [lindex $moved 2]x[winfo height $path]+$at+$y
    set gave_way [list [expr {$gave_way eq {} ? [wm geometry $path] : [lindex $gave_way 0]}] $now]
    wm geometry $path $now
    return 1
}

# No window is beside it any more: it has its own width again, unless somebody has given it another.
proc ::popup_list::come_back {} {
    variable path
    variable gave_way
    if {$gave_way ne {} && [winfo exists $path] && [winfo ismapped $path]} {
        lassign $gave_way before now
        if {[lindex [split [wm geometry $path] +] 0] eq [lindex [split $now +] 0]} {
            guard::changed $path
            wm geometry $path $before
        }
    }
    set gave_way {}
}

# ---- building ----

proc ::popup_list::Build {} {
    variable path
    variable watched
    variable shown
    set shown [dict create]
    set ::popup_list::moved {}
    set ::popup_list::gave_way {}
    set gap [theme::chars 1]
    toplevel $path -class JoschPopup
    bind $path <Configure> {if {"%W" eq $::popup_list::path} {set ::popup_list::moved {}}}
    wm withdraw $path
    wm protocol $path WM_DELETE_WINDOW ::popup_list::snooze_all
    theme::dress $path
    ttk::frame $path.band -style failed.State.TFrame -padding [list [expr {2 * $gap}] $gap]
    ttk::label $path.band.title -style failed.StateBold.TLabel
    pack $path.band.title -side left
    BuildTools
    BuildTree
    ttk::frame $path.comment
    ttk::label $path.comment.label -text "Comment" -underline 0 -style Quiet.TLabel
    ttk::entry $path.comment.text
    pack $path.comment.label -side left -padx [list 0 $gap]
    pack $path.comment.text -side left -fill x -expand 1
    ttk::label $path.note -style Warn.TLabel
    ttk::frame $path.buttons
    bind $path.buttons <Configure> {::popup_list::Widened %W %w}
    pack $path.band -fill x
    pack $path.tools -fill x -padx [expr {2 * $gap}] -pady [list [expr {2 * $gap}] 0]
    pack $path.buttons -side bottom -fill x -padx [expr {2 * $gap}] -pady [expr {2 * $gap}]
    pack $path.comment -side bottom -fill x -padx [expr {2 * $gap}]
    pack $path.list -fill both -expand 1 -padx [expr {2 * $gap}] -pady $gap
    Buttons
    Bind
    if {!$watched} {
        bind . <<ActProgress>> +::popup_list::Progress
        bind . <<ActDone>> +::popup_list::TellDone
        set watched 1
    }
    after idle [list after 0 ::popup_list::Fit]
}

# Above the list: which of it is shown, and how.
proc ::popup_list::BuildTools {} {
    variable path
    set gap [theme::chars 1]
    set tools [ttk::frame $path.tools]
    ttk::label $tools.filter_label -text "Filter" -underline 0 -style Quiet.TLabel
    ttk::entry $tools.filter -width 24 -textvariable ::popup_list::chosen(filter)
    ttk::label $tools.group_label -text "Group by" -underline 0 -style Quiet.TLabel
    ttk::combobox $tools.group -state readonly -width 16 -textvariable ::popup_list::chosen(group) \
        -values [dict keys $::popup_rows::groups]
    ttk::button $tools.off -style Flat.TButton -command popup::wake
    tip::set_text $tools.off "What was put off is shown again"
    grid columnconfigure $tools 4 -weight 1
    ArrangeTools
    bind $tools <Configure> ::popup_list::ArrangeTools
    bind $tools.filter <KeyRelease> ::popup_list::Narrow
    bind $tools.filter <Escape> {set ::popup_list::chosen(filter) ""; ::popup_list::Narrow; break}
    bind $tools.group <<ComboboxSelected>> ::popup_list::Group
}

# Beside each other, or, where that has no room, below; what was put off is there when there is something.
proc ::popup_list::ArrangeTools {} {
    variable path
    set off [Off]
    set tools $path.tools
    if {![winfo exists $tools.filter_label]} {
        # the window is going, and its parts went first
        return
    }
    set needs 0
    foreach name [list filter_label filter group_label group {*}[expr {$off ? "off" : ""}]] {
        incr needs [expr {[winfo reqwidth $tools.$name] + [theme::chars 1]}]
    }
    set narrow [expr {[winfo width $tools] > 1 && $needs > [winfo width $tools]}]
    set places [expr {$narrow ? {0 0 0 1 1 0 1 1 2 1} : {0 0 0 1 0 2 0 3 0 4}}]
    foreach name {filter_label filter group_label group off} {row column} $places side {w w w w e} {
        grid $tools.$name -row $row -column $column -sticky $side -padx [list 0 [theme::chars 1]] \
            -pady [list [expr {$row ? [theme::chars 0.6] : 0}] 0]
    }
    if {!$off} {
        grid remove $tools.off
    }
}

proc ::popup_list::Bind {} {
    variable path
    foreach {event command} {
        <Escape> ::popup_list::snooze_all  <Alt-z> ::popup_list::snooze  <Alt-o> ::popup_list::Open
        <Alt-l> ::popup_list::SelectAll  <Alt-c> {focus $::popup_list::path.comment.text}
        <Alt-f> {focus $::popup_list::path.tools.filter}  <Control-f> {focus $::popup_list::path.tools.filter}
        <Alt-g> {focus $::popup_list::path.tools.group}
    } {
        bind $path $event $command
    }
    foreach {action letter} [Letters] {
        bind $path <Alt-$letter> "guard::key %W %K %t {::popup_list::Do $action}"
    }
}

# On the monitor where the person is, and all of it, its buttons above all: the list itself gives way.
proc ::popup_list::Fit {} {
    variable path
    if {![winfo exists $path]} {
        return
    }
    # the sizes come up level by level, a round of idle work each
    update idletasks
    set monitor [screens::here]
    lassign [list [winfo reqwidth $path] [lindex $monitor 2]] wide room
    set wide [expr {min(max($wide, min($wide + [Wish], $room * 3 / 4)), $room - [theme::lines 1])}]
    set high [expr {min([winfo reqheight $path], [lindex $monitor 3] - [theme::lines 4])}]
    set least [expr {min($high, [theme::lines 18])}]
    set narrow [expr {min($wide, [theme::chars $::popup_list::narrow])}]
    wm minsize $path $narrow $least
    wm geometry $path [Room [list $wide $narrow] $high $least $monitor [popup::boxes list]]
    popup::map $path
}

# Where it has a place beside others: less high where it has one then, or less wide.
proc ::popup_list::Room {widths high least monitor others} {
    set title [theme::lines 2]
    foreach wide $widths {
        for {set try $high} {$try >= $least} {incr try -[theme::lines 1]} {
            set at [popup_place::find $wide [expr {$try + $title}] $monitor $others]
            if {$at ne {}} {
                return ${wide}x$try+[lindex $at 0]+[lindex $at 1]
            }
        }
    }
    set wide [lindex $widths 0]
    set at [popup_place::least $wide [expr {$high + $title}] $monitor $others]
    return ${wide}x$high+[lindex $at 0]+[lindex $at 1]
}

proc ::popup_list::BuildTree {} {
    variable path
    variable columns
    ttk::frame $path.list
    set tree $path.list.tree
    ttk::treeview $tree -columns [dict keys $columns] -show {tree headings} -selectmode extended -height [Height] \
        -yscrollcommand [list $path.list.y set]
    ttk::scrollbar $path.list.y -orient vertical -command [list $tree yview]
    $tree heading #0 -text State -anchor w -command {::popup_list::SortBy state}
    $tree column #0 -width [theme::chars 16] -stretch 0
    dict for {name look} $columns {
        lassign $look title width stretch
        $tree heading $name -text $title -anchor w -command [list ::popup_list::SortBy $name]
        $tree column $name -width [theme::chars $width] -stretch $stretch -anchor w
    }
    bind $tree <Configure> {::popup_list::FitSoon}
    $tree tag configure group -font [theme::font bold]
    pack $path.list.y -side right -fill y
    pack $tree -fill both -expand 1
    bind $tree <<TreeviewSelect>> ::popup_list::Buttons
    bind $tree <Double-Button-1> {if {[::popup_list::OpenAt %x %y]} break}
    bind $tree <Return> {if {[::popup_list::OpenFocus]} break}
    bind $tree <Control-a> {::popup_list::SelectAll; break}
}

# ---- sorted, filtered, in groups ----

# A click on a heading: sorted by it, then the other way, then as it was.
proc ::popup_list::SortBy {column} {
    variable sort_by
    variable descending
    if {$sort_by ne $column} {
        set sort_by $column
        set descending 0
    } elseif {!$descending} {
        set descending 1
    } else {
        set sort_by waits
        set descending 0
    }
    Rearrange
}

proc ::popup_list::Narrow {} {
    after cancel ::popup_list::Rearrange
    after 150 ::popup_list::Rearrange
}

proc ::popup_list::Group {} {
    variable path
    variable group
    variable chosen
    set group [dict get $::popup_rows::groups $chosen(group)]
    $path.tools.group selection clear
    Rearrange
}

proc ::popup_list::Rearrange {} {
    variable path
    variable columns
    variable sort_by
    variable descending
    if {[winfo exists $path]} {
        set titles {#0 State}
        dict for {name look} $columns {
            lappend titles $name [lindex $look 0]
        }
        sorting::mark $path.list.tree $titles [expr {$sort_by eq "state" ? "#0" : $sort_by}] $descending
        workq::add ::popup_list::Fill popup-list
    }
}
