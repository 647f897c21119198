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
    foreach event {<<DbState>> <<DbSilent>> <<PopupsChanged>>} {
        bind . $event +[namespace code Refresh]
    }
    bind . <Alt-s> {popup::show_list}
    Refresh
    wm deiconify .
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
    switch [db::state] {
        online {
            set text "[expr {$all == 0 ? "Nothing waits for you" : $all == 1 ? "1 node waits for you" : "$all nodes wait for you"}]"
            if {$off} {
                append text " ($off put off)"
            }
            set style Good.TLabel
            if {![db::may signoff]} {
                set text "Connected; [db::user] may not act on nodes"
                set style Warn.TLabel
            } elseif {![popup::enabled]} {
                append text "; no windows come up"
                set style Warn.TLabel
            }
            if {[popup::problem] ne ""} {
                set text [popup::problem]
                set style Danger.TLabel
            }
            if {[db::why] ne ""} {
                set text [db::why]
                set style Danger.TLabel
            } elseif {[db::silent]} {
                set text "No answer from the server for [db::silent] s"
                set style Danger.TLabel
            }
        }
        connecting {
            set text "Connecting\u2026 [db::why]"
            set style Warn.TLabel
        }
        default {
            set text "Not connected. [db::why]"
            set style Danger.TLabel
        }
    }
    $path.dot configure -style $style
    $path.text configure -text $text
    $path.list state [expr {$all ? "!disabled" : "disabled"}]
    wm title . "JOSCH[expr {[db::state] eq "online" ? ": [db::user] at [db::info database]" : ""}][expr {$all ? " ($all)" : ""}]"
}
