# client/lib/tool/workq.tcl
#
# A queue of work that can wait: commands are run when the program is idle, for a few milliseconds at a time, so that no
# burst of events (ten thousand notifications, a graph to draw) ever keeps a click waiting. A command that comes back with
# [return -code continue] has more to do and goes to the end of the queue.
#
# Constraint: Tcl runs idle callbacks only when no other event is there, and a stream of events would starve the queue.
# So a timer stands behind the idle callback, and whichever comes first runs the slice.

namespace eval ::workq {
    # list of {tag cmdprefix}, in the order in which they run
    variable queue {}
    # longest time of one slice, in milliseconds
    variable budget 8
    # longest wait for the program to be idle, in milliseconds
    variable patience 15
    # ids of the idle callback and of the timer behind it; empty when no slice is planned
    variable idle ""
    variable timer ""
}

# Run cmdprefix soon. Of several with the same tag (unless it is empty) only the last is run, in the place of the first.
proc ::workq::add {cmdprefix {tag ""}} {
    variable queue
    if {$tag ne ""} {
        set at [lsearch -exact -index 0 $queue $tag]
        if {$at >= 0} {
            lset queue $at 1 $cmdprefix
            return
        }
    }
    lappend queue [list $tag $cmdprefix]
    Plan
}

# Forget the commands with that tag.
proc ::workq::cancel {tag} {
    variable queue
    set queue [lsearch -all -inline -not -exact -index 0 $queue $tag]
}

# Number of commands that wait.
proc ::workq::size {} {
    variable queue
    llength $queue
}

proc ::workq::Plan {} {
    variable idle
    variable timer
    variable patience
    if {$timer eq ""} {
        # by way of a timer, so that a slice never follows a slice before events were looked at
        set idle [after idle [list after 0 [namespace code Slice]]]
        set timer [after $patience [namespace code Slice]]
    }
}

proc ::workq::Slice {} {
    variable queue
    variable budget
    variable idle
    variable timer
    after cancel $idle
    after cancel $timer
    after cancel [namespace code Slice]
    set timer ""
    set end [expr {[clock milliseconds] + $budget}]
    while {[llength $queue]} {
        set queue [lassign $queue item]
        Run {*}$item
        if {[clock milliseconds] >= $end} {
            break
        }
    }
    if {[llength $queue]} {
        Plan
    }
}

# Run one command; an error in it is reported and harms no other.
proc ::workq::Run {tag cmdprefix} {
    variable queue
    switch [catch {uplevel #0 $cmdprefix} message options] {
        1 {
            after 0 [list {*}[interp bgerror {}] $message $options]
        }
        4 {
            if {$tag eq "" || [lsearch -exact -index 0 $queue $tag] < 0} {
                lappend queue [list $tag $cmdprefix]
            }
        }
    }
}
