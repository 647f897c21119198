# client/lib/board/board_shown.tcl
#
# What of the day the views show, and how it is gathered: what is done may be hidden, nodes may be grouped by their job, and a
# job's group may be collapsed to one thing. Chosen in a menu of the top line, for all views, and remembered.
#
# <<BoardShown>> tells the views that other nodes are shown, or in other groups.
#
# Constraint: it hides and gathers, and leaves out nothing else: what is counted is the day as it is. While a day runs, nodes
# are done all the time: the views are told of it once in a while.

namespace eval ::board {
    variable hides_done 0
    variable is_grouped 0
    # jobs whose group is one thing, as a dict
    variable collapsed {}
    variable shown_gap 2000
    variable shown_timer ""
}

proc ::board::StartShown {} {
    variable frame
    variable hides_done
    variable is_grouped
    set hides_done [expr {[conf::get hide_done] eq "1"}]
    set is_grouped [expr {[conf::get group_jobs] eq "1"}]
    ttk::menubutton $frame.top.tools.view -text View -style Tool.TMenubutton -menu $frame.top.tools.view.menu -takefocus 1
    menu $frame.top.tools.view.menu -tearoff 0 -postcommand [namespace code FillViewMenu]
    theme::dress $frame.top.tools.view.menu
    pack $frame.top.tools.view -side left -padx [theme::px 6 0]
    bind . <<BoardChanged>> +[namespace code SomeDone]
    bind . <<BoardPulse>> +[namespace code TellHidden]
    bind . <<BoardLoaded>> +[namespace code TellHidden]
    bind . <<BoardShown>> +[namespace code TellHidden]
}

proc ::board::FillViewMenu {} {
    variable frame
    set menu $frame.top.tools.view.menu
    $menu delete 0 end
    $menu add checkbutton -label "Hide What Is Done" -variable ::board::hides_done \
        -command [namespace code {KeepShown hide_done $hides_done}]
    $menu add checkbutton -label "Group by Job" -variable ::board::is_grouped \
        -command [namespace code {KeepShown group_jobs $is_grouped}]
    $menu add separator
    $menu add command -label "Collapse All Jobs" -command [namespace code {CollapseAll 1}]
    $menu add command -label "Open All Jobs" -command [namespace code {CollapseAll 0}]
}

proc ::board::KeepShown {name value} {
    conf::put $name $value
    event generate . <<BoardShown>>
}

# Only groups can be collapsed.
proc ::board::CollapseAll {all} {
    variable collapsed
    variable is_grouped
    variable row
    set collapsed {}
    foreach key [expr {$all ? [inside] : {}}] {
        dict set collapsed [dict get $row($key) job_name] 1
    }
    if {$all} {
        set is_grouped 1
    }
    KeepShown group_jobs $is_grouped
}

# Is a node of the day, but hidden?
proc ::board::is_hidden {key} {
    variable hides_done
    variable row
    return [expr {$hides_done && [info exists row($key)] && [states::is [dict get $row($key) state] final]}]
}

# Keys of the nodes inside that are not hidden, parents first.
proc ::board::shown {} {
    variable hides_done
    if {!$hides_done} {
        return [inside]
    }
    return [lmap key [inside] {
        if {[is_hidden $key]} continue
        set key
    }]
}

proc ::board::is_grouped {} {
    variable is_grouped
    return $is_grouped
}

proc ::board::is_collapsed {of_job} {
    variable collapsed
    return [dict exists $collapsed $of_job]
}

# Collapse the group of a job, or open it.
proc ::board::toggle_group {of_job} {
    variable collapsed
    if {[dict exists $collapsed $of_job]} {
        dict unset collapsed $of_job
    } else {
        dict set collapsed $of_job 1
    }
    event generate . <<BoardShown>>
}

# Job -> state -> number of its nodes inside.
proc ::board::job_counts {} {
    variable row
    set counts {}
    foreach key [inside] {
        set job [dict get $row($key) job_name]
        set one [expr {[dict exists $counts $job] ? [dict get $counts $job] : {}}]
        dict incr one [dict get $row($key) state]
        dict set counts $job $one
    }
    return $counts
}

# A job's counts in words, the most urgent first: "2 failed, 5 pending, 33 of 40 done".
proc ::board::group_words {counts} {
    lassign {0 0} done all
    set parts {}
    foreach state [states::names] {
        if {[dict exists $counts $state]} {
            set number [dict get $counts $state]
            incr all $number
            if {[states::is $state final]} {
                incr done $number
            } else {
                lappend parts "$number $state"
            }
        }
    }
    return [join [concat $parts [list "$done of $all done"]] {, }]
}

# Something has changed: when what is done is hidden, other nodes may be shown now.
proc ::board::SomeDone {} {
    variable hides_done
    variable changed
    variable row
    variable shown_gap
    variable shown_timer
    if {!$hides_done || $shown_timer ne ""} {
        return
    }
    foreach key $changed {
        if {[is_inside $key] && [states::is [dict get $row($key) state] final]} {
            set shown_timer [after $shown_gap [namespace code {set shown_timer ""; event generate . <<BoardShown>>}]]
            return
        }
    }
}

# What is hidden is said, or somebody misses it.
proc ::board::TellHidden {} {
    variable frame
    variable hides_done
    set count [expr {$hides_done ? [llength [inside]] - [llength [shown]] : 0}]
    $frame.top.tools.view configure -text [expr {$count ? "View ($count done hidden)" : "View"}]
}
