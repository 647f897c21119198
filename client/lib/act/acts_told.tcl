# client/lib/act/acts_told.tcl
#
# What was refused of an act, and why, in the database's own words: a sentence for one node, a list for many.
#
# Constraint: of three hundred each has its own line, and nobody has to read them before the next thing is done. The end of a
# reason says who was first, so that what has no room is shortened, and stands below the list, whole, when it is selected.

namespace eval ::acts_told {
    variable serial 0
}

# outcome: as acts::perform keeps it.
proc ::acts_told::refusals {outcome} {
    set refused [dict get $outcome refused]
    if {$refused eq {}} {
        return
    }
    set parent [dict get $outcome parent]
    if {![winfo exists $parent]} {
        set parent .
    }
    set all [expr {[llength $refused] + [llength [dict get $outcome done]]}]
    if {$all > 1} {
        List $parent "[acts::label [dict get $outcome action]] was refused for [llength $refused] of $all nodes." $outcome
        return
    }
    lassign [lindex $refused 0] key answer
    dialog::error $parent [dict get $answer message] \
        [string trim "[dict get $outcome rows $key node_name]\n[acts::details_of $answer]"]
}

proc ::acts_told::List {parent title outcome} {
    variable serial
    set window .told[incr serial]
    toplevel $window -class JoschDialog
    wm withdraw $window
    wm title $window JOSCH
    theme::dress $window
    ttk::label $window.title -text $title -style Bold.TLabel -padding [theme::px 16 14 16 4]
    ttk::frame $window.list
    Tree $window [lmap pair [dict get $outcome refused] {
        lassign $pair key answer
        set why [string map {\n " "} "[dict get $answer message] [acts::details_of $answer]"]
        set row [dict get $outcome rows $key]
        list [dict get $row node_name] [dict get $row node_id] [dict get $row job_date] $why
    }]
    ttk::label $window.all -justify left
    ttk::button $window.close -text "Close" -style Act.TButton -command [list destroy $window]
    pack $window.title -anchor w
    pack $window.close -side bottom -anchor e -padx [theme::px 16] -pady [theme::px 14]
    pack $window.all -side bottom -fill x -padx [theme::px 16] -pady [theme::px 8 0]
    pack $window.list -fill both -expand 1 -padx [theme::px 16]
    foreach event {<Escape> <Return>} {
        bind $window $event [list destroy $window]
    }
    set ::dialog::focus($window) $window.list.tree
    bind $window <Destroy> [list ::dialog::Gone $window %W]
    dialog::center $window $parent
}

# rows: {name id date why} each. As wide as they need, where the screen has the room.
proc ::acts_told::Tree {window rows} {
    set tree $window.list.tree
    ttk::treeview $tree -columns {id date why} -show {tree headings} -selectmode browse \
        -height [expr {min(14, max(3, [llength $rows]))}] -yscrollcommand [list $window.list.y set]
    ttk::scrollbar $window.list.y -orient vertical -command [list $tree yview]
    set room [expr {[lindex [screens::here] 2] - [theme::chars 34]}]
    set name [expr {min($room / 3, max([theme::chars 16], [Longest $rows 0] + [theme::chars 4]))}]
    set why [expr {min($room - $name, max([theme::chars 40], [Longest $rows 3] + [theme::chars 3]))}]
    foreach {column title width stretch} [list #0 Node $name 0 id Id [theme::chars 9] 0 date Date [theme::chars 12] 0 \
            why Why $why 1] {
        $tree heading $column -text $title -anchor w
        $tree column $column -width $width -stretch $stretch -anchor w
    }
    foreach row $rows {
        $tree insert {} end
    }
    bind $tree <Configure> [list ::acts_told::Fit $window $rows]
    walk::tell $tree [list ::acts_told::Whole $window $rows]
    pack $window.list.y -side right -fill y
    pack $tree -fill both -expand 1
}

# Pixels of the longest text in a column.
proc ::acts_told::Longest {rows column} {
    set longest ""
    foreach row $rows {
        if {[string length [lindex $row $column]] > [string length $longest]} {
            set longest [lindex $row $column]
        }
    }
    return [font measure [theme::font ui] [string range $longest 0 $::shorten::most]]
}

# The texts as their columns have room for them; below, all of that which is selected, the first to begin with.
proc ::acts_told::Fit {window rows} {
    set tree $window.list.tree
    foreach item [$tree children {}] row $rows {
        lassign $row name id date why
        lassign [lmap column {#0 why} {expr {[$tree column $column -width] - [theme::chars 2.5]}}] room wide
        $tree item $item -text [shorten::text $name [theme::font ui] $room] \
            -values [list $id $date [shorten::text $why [theme::font ui] $wide]]
    }
    if {[$tree selection] eq {}} {
        set first [lindex [$tree children {}] 0]
        $tree focus $first
        $tree selection set [list $first]
    }
    $window.all configure -wraplength [winfo width $window.list]
    Whole $window $rows
}

proc ::acts_told::Whole {window rows} {
    set tree $window.list.tree
    set at [lsearch -exact [$tree children {}] [lindex [$tree selection] 0]]
    $window.all configure -text [output_text::clip [lindex $rows $at 3]]
}
