# client/lib/popup/popup_list_rows.tcl
#
# The rows of the list of what waits.
#
# Constraint: a thousand rows may come and go in a second. The list is compared with what is shown, and only what differs is
# touched, a few rows at a time; the selection and the place where the reader is stay.

# Bring the list nearer to what is wanted; comes back until it is there.
proc ::popup_list::Fill {} {
    variable path
    variable shown
    if {![winfo exists $path]} {
        return
    }
    set tree $path.list.tree
    FitColumns $tree
    lassign [Wanted] keys groups
    DeleteGone $tree $keys
    Heading
    foreach one $groups {
        MakeGroup $tree {*}$one
    }
    if {![FillSome $tree $groups]} {
        return -code continue
    }
    Place $tree $groups
    Buttons
}

# The keys that are to be shown, in order; and the groups that they are in, {name keys} each; one without a name for none.
# Alarms come after the nodes, in any order; many of them in groups by their kind, so that they take no more room than needed.
proc ::popup_list::Wanted {} {
    variable rows
    variable group
    variable sort_by
    variable descending
    variable chosen
    variable flat
    lassign {} nodes alarms
    foreach key [popup_rows::arrange $rows $chosen(filter) $sort_by $descending] {
        lappend [expr {[model::is_alarm $key] ? "alarms" : "nodes"}] $key
    }
    set keys [concat $nodes $alarms]
    set by [expr {$group eq "" && [llength $alarms] > $flat ? "state" : $group}]
    if {$by eq ""} {
        return [list $keys [list [list "" $keys]]]
    }
    set groups [expr {$group eq "" ? [list [list "" $nodes]] : [popup_rows::group $rows $nodes $group]}]
    foreach one [popup_rows::group $rows $alarms $by] {
        lappend groups [list "\u2691 [lindex $one 0]" [lindex $one 1]]
    }
    return [list $keys $groups]
}

# Write some rows anew; true when none is left to be written.
proc ::popup_list::FillSome {tree groups} {
    variable rows
    variable shown
    set left 40
    foreach one $groups {
        set parent [expr {[lindex $one 0] eq "" ? "" : [GroupItem [lindex $one 0]]}]
        foreach key [lindex $one 1] {
            set row [dict get $rows $key]
            if {![dict exists $shown $key]} {
                $tree insert $parent end -id [Item $key] -values [Values $row] {*}[Look $row]
            } elseif {[dict get $shown $key] ne $row} {
                $tree item [Item $key] -values [Values $row] {*}[Look $row]
            } else {
                continue
            }
            dict set shown $key $row
            if {[incr left -1] == 0} {
                return 0
            }
        }
    }
    return 1
}

# A group's row says how many it has, and what they have in common.
proc ::popup_list::MakeGroup {tree name keys} {
    if {$name eq ""} {
        return
    }
    set item [GroupItem $name]
    set look [list -text " [llength $keys] \u00d7" -values [list [Fitted node $name bold]] -tags group]
    if {[$tree exists $item]} {
        $tree item $item {*}$look
    } else {
        $tree insert {} end -id $item {*}$look
    }
}

# All in its place and order; groups that are no more go, once their rows are elsewhere.
proc ::popup_list::Place {tree groups} {
    set top {}
    foreach one $groups {
        lassign $one name keys
        set items [lmap key $keys {Item $key}]
        if {$name eq ""} {
            lappend top {*}$items
            continue
        }
        lappend top [GroupItem $name]
        if {[$tree children [GroupItem $name]] ne $items} {
            $tree children [GroupItem $name] $items
        }
    }
    set former [$tree children {}]
    if {$former ne $top} {
        $tree children {} $top
        $tree delete [lmap item $former {
            if {![IsGroup $item] || $item in $top} continue
            set item
        }]
    }
}

proc ::popup_list::DeleteGone {tree keys} {
    variable shown
    set wanted [dict create]
    foreach key $keys {
        dict set wanted $key 1
    }
    set gone [lmap key [dict keys $shown] {
        if {[dict exists $wanted $key]} continue
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

# The item of a group; those of rows begin with a date.
proc ::popup_list::GroupItem {name} {
    return "g:$name"
}

proc ::popup_list::IsGroup {item} {
    string match g:* $item
}

# An alarm has a mark, not a colour: those are the states'.
proc ::popup_list::Look {row} {
    if {[model::is_alarm [model::key $row]]} {
        return [list -text "\u2691 [popup_rows::value $row state]"]
    }
    set looks [theme::state [dict get $row state]]
    list -text " [dict get $looks symbol] [dict get $looks label]" -image [theme::patch [dict get $row state]]
}

proc ::popup_list::Values {row} {
    variable columns
    return [lmap column [dict keys $columns] {
        switch $column {
            waits {popup::waits [dict get $row since]}
            blocks {Number [dict get $row blocks]}
            node - job - why {Fitted $column [popup_rows::value $row $column]}
            default {popup_rows::value $row $column}
        }
    }]
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
    set alarms [expr {[dict exists $counts alarm] ? [dict get $counts alarm] : 0}]
    set number [expr {[dict size $rows] - $alarms}]
    set text {}
    if {$number} {
        lappend text "[More 0]$number [expr {$number == 1 ? "waits" : "wait"}] for you: [join $parts ", "]"
    }
    if {$alarms} {
        lappend text "[More 1]\u2691 $alarms [expr {$alarms == 1 ? "alarm" : "alarms"}]"
    }
    set text [join $text "; "]
    ShowOff
    if {[$path.band.title cget -text] ne $text} {
        $path.band.title configure -text $text
        wm title $path "JOSCH: $text"
    }
    # the colour of the most urgent; alarms have none
    $path.band configure -style TFrame
    $path.band.title configure -style Big.TLabel
    foreach state [lreverse [states::names]] {
        if {[dict exists $counts $state]} {
            $path.band configure -style $state.State.TFrame
            $path.band.title configure -style $state.StateBold.TLabel
        }
    }
}

# There may be more of them than were read.
proc ::popup_list::More {alarms} {
    return [expr {[lindex [popup::count $alarms] 0] >= $::popup::limit ? "More than " : ""}]
}

# How much is put off.
proc ::popup_list::Off {} {
    return [expr {[lindex [popup::count] 1] + [lindex [popup::count 1] 1]}]
}

# What is put off is counted apart.
proc ::popup_list::ShowOff {} {
    variable path
    set text "[Off] put off: show"
    if {[$path.tools.off cget -text] ne $text} {
        $path.tools.off configure -text $text
        ArrangeTools
    }
}

# ---- what the manager tells all windows ----

# The times, and who looks at it, of what is in sight.
proc ::popup_list::tick {} {
    variable path
    variable rows
    if {![winfo exists $path] || ![winfo viewable $path]} {
        return
    }
    set tree $path.list.tree
    set items [walk::Shown $tree {}]
    set first [expr {int([lindex [$tree yview] 0] * [llength $items])}]
    foreach item [lrange $items $first [expr {$first + 40}]] {
        if {[IsGroup $item] || ![dict exists $rows [Key $item]]} continue
        set row [dict get $rows [Key $item]]
        foreach {column text} [list waits [popup::waits [dict get $row since]] who [claims::who $row]] {
            if {[$tree set $item $column] ne $text} {
                $tree set $item $column $text
            }
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
