# client/lib/act/acts_ask.tcl
#
# The sheet that comes before an act that cannot be taken back: what will be done, to which nodes, and one comment for all
# of them. Nothing is done until the button that names the act is pressed.
#
# Constraint: what it lists is the database's answer at that moment: for a rerun with descendants, josch.descendants and
# the edges of josch.fsm tell which nodes will be done again.

namespace eval ::acts_ask {
    variable serial 0
    # windows whose answer is not known yet: what a rerun takes along
    variable waits [dict create]
    variable watched 0
}

proc ::acts_ask::open {parent rows action comment callback} {
    variable serial
    variable waits
    variable watched
    if {!$watched} {
        bind . <<DbState>> +::acts_ask::Connection
        set watched 1
    }
    set keys [dict keys $rows]
    set window .ask[incr serial]
    toplevel $window -class JoschDialog
    theme::dress $window
    wm withdraw $window
    set count [llength $keys]
    wm title $window [Title $action $count]
    Fill $window $count $action $comment
    $window.buttons.yes configure -command [list ::acts_ask::Do $window $parent $rows $action $callback]
    foreach widget [list $window.comment.entry $window.buttons.yes] {
        bind $widget <Return> "guard::key %W %K %t [list [list $window.buttons.yes invoke]]"
    }
    bind $window.buttons.no <Return> [list $window.buttons.no invoke]
    bind $window <Escape> [list destroy $window]
    dialog::center $window $parent
    focus $window.comment.entry
    db::query [NamesSql $keys] [list ::acts_ask::TakeNames $window]
    if {$action eq "rerun_all"} {
        dict set waits $window 1
        Live $window
        db::query [DescendantsSql $keys] [list ::acts_ask::TakeDescendants $window]
    }
    return $window
}

proc ::acts_ask::Title {action count} {
    return "[acts::label $action][expr {$count == 1 ? "" : ": $count nodes"}]?"
}

proc ::acts_ask::Fill {window count action comment} {
    ttk::frame $window.head -padding [theme::px 16 14 16 4]
    ttk::label $window.head.title -style Title.TLabel -text [Title $action $count]
    ttk::label $window.head.what -text [acts::meaning $action] -wraplength [theme::px 460] -justify left
    pack $window.head.title $window.head.what -anchor w -pady [theme::px 0 4]
    ttk::frame $window.list -padding [theme::px 16 4 16 4]
    text $window.list.text -width 62 -height [expr {min(12, max(2, $count + ($action eq "rerun_all" ? 5 : 0)))}] \
        -state disabled -wrap word -padx [theme::px 8] -pady [theme::px 6] \
        -tabs [list [theme::chars 10] [theme::chars 22]] -font [theme::font ui] -yscrollcommand [list $window.list.y set]
    ttk::scrollbar $window.list.y -orient vertical -command [list $window.list.text yview]
    details::dress $window.list.text
    $window.list.text tag configure node -lmargin2 [theme::chars 22]
    pack $window.list.y -side right -fill y
    pack $window.list.text -fill both -expand 1
    ttk::frame $window.comment -padding [theme::px 16 6 16 4]
    ttk::label $window.comment.label -text "Comment"
    ttk::entry $window.comment.entry
    $window.comment.entry insert 0 $comment
    pack $window.comment.label -side left -padx [theme::px 0 8]
    pack $window.comment.entry -side left -fill x -expand 1
    ttk::frame $window.buttons -padding [theme::px 16 10 16 14]
    ttk::button $window.buttons.yes -text [acts::label $action] -style Act.TButton -default active
    ttk::button $window.buttons.no -text "Cancel" -command [list destroy $window]
    pack $window.buttons.yes $window.buttons.no -side right -padx [theme::px 8 0]
    pack $window.buttons $window.comment -side bottom -fill x
    pack $window.head -fill x
    pack $window.list -fill both -expand 1
}

# Without a connection, and before it is known what would be done, it cannot be pressed.
proc ::acts_ask::Live {window} {
    variable waits
    $window.buttons.yes state [expr {[db::state] eq "online" && ![dict exists $waits $window] ? "!disabled" : "disabled"}]
}

proc ::acts_ask::Connection {} {
    foreach window [winfo children .] {
        if {[string match .ask* $window]} {
            Live $window
        }
    }
}

proc ::acts_ask::Do {window parent rows action callback} {
    if {![guard::meant]} {
        return
    }
    set comment [string trim [$window.comment.entry get]]
    destroy $window
    acts::perform $parent $rows $action $comment $callback
}

# ---- what it is about ----

proc ::acts_ask::NamesSql {keys} {
    return "SELECT n.node_id, n.node_name, n.state, n.job_date FROM (VALUES [acts::values $keys]) k(node_id, job_date)
        JOIN josch.nodes n USING (node_id, job_date) ORDER BY n.job_date, n.level, n.node_id"
}

# All below, nearest first: whether the rerun takes it along, and whether it stands in the way.
proc ::acts_ask::DescendantsSql {keys} {
    return "SELECT n.node_id, n.node_name, n.state,
        EXISTS (SELECT FROM josch.fsm f WHERE f.who = 'person' AND f.action = 'rerun' AND f.from_state = n.state
            AND strpos(f.node_types, n.node_type) > 0)::int AS again,
        EXISTS (SELECT FROM josch.fsm f WHERE f.who = 'person' AND f.action = 'stop' AND f.from_state = n.state
            AND strpos(f.node_types, n.node_type) > 0)::int AS busy
        FROM (SELECT d.node_id, d.job_date, min(d.distance) AS distance FROM (VALUES [acts::values $keys]) k(node_id, job_date),
            josch.descendants(k.node_id, k.job_date) d WHERE (d.node_id, d.job_date) NOT IN (VALUES [acts::values $keys])
            GROUP BY d.node_id, d.job_date) b
        JOIN josch.nodes n USING (node_id, job_date) ORDER BY b.distance, n.job_date, n.node_id"
}

proc ::acts_ask::Write {window args} {
    if {[winfo exists $window]} {
        $window.list.text configure -state normal
        $window.list.text insert end {*}$args
        $window.list.text configure -state disabled
    }
}

proc ::acts_ask::TakeNames {window result} {
    if {[dict get $result ok]} {
        # the same node may be there of several days
        set several [expr {[llength [lsort -unique [lmap row [dict get $result rows] {lindex $row 3}]]] > 1}]
        foreach row [dict get $result rows] {
            lassign $row id name state date
            set day [expr {$several ? "  $date" : ""}]
            Write $window "$id\t" node "$state\t" {node quiet} $name node $day {node quiet} \n node
        }
    }
}

proc ::acts_ask::TakeDescendants {window result} {
    if {![winfo exists $window]} {
        return
    }
    if {![dict get $result ok]} {
        Write $window "\n[dict get $result message]\n" {}
        return
    }
    set again [lmap row [dict get $result rows] {
        if {![lindex $row 3]} continue
        set row
    }]
    set busy [lmap row [dict get $result rows] {
        if {![lindex $row 4]} continue
        set row
    }]
    if {$again eq {}} {
        Write $window "\nNothing below has been done: nothing else is done again.\n" quiet
    }
    foreach {rows title} [list $again "Done again with it: [llength $again]" $busy "To be stopped first: [llength $busy]"] {
        if {$rows eq {}} {
            continue
        }
        Write $window "\n$title\n" quiet
        foreach row $rows {
            lassign $row id name state
            Write $window "$id\t" node "$state\t" {node quiet} "$name\n" node
        }
    }
    if {$busy eq {}} {
        dict unset ::acts_ask::waits $window
        Live $window
    }
}
