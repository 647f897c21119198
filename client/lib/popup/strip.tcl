# client/lib/popup/strip.tcl
#
# The main window when only the popups are wanted: one line that says whether the client is connected and how much waits.
#
# Constraint: a client without any window could not say that it has lost the server; nor could it be closed.

namespace eval ::strip {
    variable path .strip
}

proc ::strip::show {} {
    variable path
    set gap [theme::chars 1]
    ttk::frame $path -padding [list [expr {1.5 * $gap}] $gap]
    ttk::label $path.dot -text \u25cf
    ttk::label $path.text -width 44 -wraplength [theme::chars 44]
    ttk::button $path.list -text "Show" -underline 0 -command popup::show_list
    ttk::button $path.more -text \u2261 -width 2 -style Tool.TButton -command [list josch::menu $path.more]
    grid $path.dot $path.text $path.list $path.more -sticky w -padx [list 0 $gap]
    grid columnconfigure $path 1 -weight 1
    pack $path -fill both -expand 1
    wm title . JOSCH
    wm resizable . 1 0
    foreach event {<<DbState>> <<DbSilent>> <<DbNews>> <<PopupsChanged>>} {
        bind . $event +[namespace code Refresh]
    }
    bind . <Alt-s> {popup::show_list}
    Refresh
    # in the corner where no window comes up, until the person moves it
    lassign [screens::here] x y
    wm geometry . +[expr {$x + [theme::chars 1]}]+[expr {$y + [theme::chars 1]}]
    wm deiconify .
}

# What of the screen is not to be covered: {box zones}; where something has to be, rather by anything else.
proc ::strip::box {} {
    variable path
    if {![winfo exists $path] || ![winfo ismapped .]} {
        return {}
    }
    set box [screens::box .]
    return [list $box [lrepeat 10 $box]]
}

proc ::strip::hide {} {
    variable path
    destroy $path
    wm resizable . 1 1
}

proc ::strip::Refresh {} {
    variable path
    if {![winfo exists $path]} {
        return
    }
    lassign [popup::count] all off
    lassign [popup::count 1] alarms silent
    lassign [expr {[db::state] eq "online" ? [Online $all $off $alarms $silent] : [Away]}] text style
    $path.dot configure -style $style
    $path.text configure -text $text
    $path.list state [expr {$all + $alarms ? "!disabled" : "disabled"}]
    set where [expr {[db::state] eq "online" ? ": [db::user] at [db::info database]" : ""}]
    wm title . "JOSCH$where[expr {$all ? " ($all)" : ""}]"
}

# What is said while there is a connection: {text style}; what is wrong comes before what waits.
proc ::strip::Online {all off alarms silent} {
    if {[db::why] ne ""} {
        return [list [db::why] Danger.TLabel]
    }
    if {[db::silent]} {
        return [list "No answer from the server for [db::silent] s" Danger.TLabel]
    }
    if {[popup::problem] ne ""} {
        return [list [popup::problem] Danger.TLabel]
    }
    if {[db::info standby] eq "t"} {
        return [list "A standby: what is there can be seen, and nothing be done" Warn.TLabel]
    }
    if {![db::may signoff]} {
        return [list "Connected; [db::user] may not act on nodes" Warn.TLabel]
    }
    if {![popup::known]} {
        return [list "Connected" Good.TLabel]
    }
    # what is put off is counted apart
    set text [switch [expr {$all - $off}] {
        0 {string cat [expr {$off + $silent ? "Nothing else waits for you" : "Nothing waits for you"}]}
        1 {string cat "1 node waits for you"}
        default {string cat "[expr {$all - $off}] nodes wait for you"}
    }]
    if {$alarms - $silent} {
        append text ", \u2691 [expr {$alarms - $silent == 1 ? "1 alarm" : "[expr {$alarms - $silent}] alarms"}]"
    }
    if {$off + $silent} {
        append text ", [expr {$off + $silent}] put off"
    }
    if {![popup::enabled]} {
        return [list "$text; no windows come up" Warn.TLabel]
    }
    if {[db::news] eq "polling"} {
        return [list "$text (polling)" Warn.TLabel]
    }
    return [list $text Good.TLabel]
}

proc ::strip::Away {} {
    if {[db::state] eq "connecting"} {
        return [list "Connecting\u2026 [db::why]" Warn.TLabel]
    }
    return [list "Not connected. [db::why]" Danger.TLabel]
}
