# client/lib/act/acts_told.tcl
#
# What was refused of an act, and why, in the database's own words: a sentence for one node, a list for many.
#
# Constraint: of three hundred each has its own line, and nobody has to read them before the next thing is done.

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
    set tree $window.list.tree
    ttk::treeview $tree -columns {id date why} -show {tree headings} -selectmode browse \
        -height [expr {min(14, max(3, [llength [dict get $outcome refused]]))}] -yscrollcommand [list $window.list.y set]
    ttk::scrollbar $window.list.y -orient vertical -command [list $tree yview]
    foreach {column title width stretch} {#0 Node 24 0 id Id 9 0 date Date 11 0 why Why 70 1} {
        $tree heading $column -text $title -anchor w
        $tree column $column -width [theme::chars $width] -stretch $stretch -anchor w
    }
    foreach pair [dict get $outcome refused] {
        lassign $pair key answer
        set why [string map {\n " "} "[dict get $answer message] [acts::details_of $answer]"]
        $tree insert {} end -text [dict get $outcome rows $key node_name] -values [list {*}$key $why]
    }
    ttk::button $window.close -text "Close" -style Act.TButton -command [list destroy $window]
    pack $window.title -anchor w
    pack $window.close -side bottom -anchor e -padx [theme::px 16] -pady [theme::px 14]
    pack $window.list -fill both -expand 1 -padx [theme::px 16]
    pack $window.list.y -side right -fill y
    pack $tree -fill both -expand 1
    foreach event {<Escape> <Return>} {
        bind $window $event [list destroy $window]
    }
    dialog::center $window $parent
}
