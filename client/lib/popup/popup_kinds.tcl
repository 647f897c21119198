# client/lib/popup/popup_kinds.tcl
#
# The kinds of window: sign-off, failure, review, unknown, and that of a node that waits for nobody. Each says its title, its
# acts, what the Enter key does and what it shows; all else is popup_window.tcl.
#
# Constraint: which acts have a button of their own is said here, for the person; which of them are allowed is said by the
# database. Their names and meanings are those of acts.tcl.

namespace eval ::popup_kinds {
    # state -> class; any other state has Calm
    variable classes {signoff Signoff failed Failure review Review unknown Unknown}
}

# The window for the row of a node.
proc ::popup_kinds::create {row} {
    [class [dict get $row state]] new $row
}

# The class of a window for a node in that state.
proc ::popup_kinds::class {state} {
    variable classes
    return ::popup::[expr {[dict exists $classes $state] ? [dict get $classes $state] : "Calm"}]
}

# For each label, which of its letters is underlined: the first that no other label and nothing else has; -1 for none.
proc ::popup_kinds::letters {labels taken} {
    return [lmap label $labels {
        set at -1
        for {set i 0} {$i < [string length $label] && $at < 0} {incr i} {
            set letter [string tolower [string index $label $i]]
            if {[string is alpha -strict $letter] && $letter ni $taken} {
                lappend taken $letter
                set at $i
            }
        }
        set at
    }]
}

# A signal by its short name, or its number.
proc ::popup_kinds::Signal {number} {
    set names {1 HUP 2 INT 3 QUIT 4 ILL 6 ABRT 7 BUS 8 FPE 9 KILL 11 SEGV 13 PIPE 14 ALRM 15 TERM}
    if {[dict exists $names $number]} {
        return "SIG[dict get $names $number]"
    }
    return "signal $number"
}

# ---- a person is asked to sign it off ----

oo::class create ::popup::Signoff {
    superclass ::popup::Window
    variable row

    method title {} {
        return "Sign-off"
    }
    method acts {} {
        return {{signoff Act.TButton}}
    }
    method default {} {
        return signoff
    }
    method output_lines {} {
        return 0
    }
}

# ---- it failed ----

oo::class create ::popup::Failure {
    superclass ::popup::Window
    variable row facts

    method title {} {
        return "Failed"
    }
    method acts {} {
        return {{retry Act.TButton} {mark_success TButton}}
    }
    method default {} {
        return retry
    }

    # The message; who rejected it; how its run ended, where the message does not say.
    method why {} {
        set lines {}
        set message [dict get $row message]
        if {$message ne ""} {
            lappend lines $message
        }
        if {$facts eq {}} {
            return [join $lines \n]
        }
        dict with facts {}
        if {$exit_signal ne "" && [string first [popup_kinds::Signal $exit_signal] $message] < 0} {
            lset lines 0 "[lindex $lines 0][expr {$message eq "" ? "Ended by " : ", "}][popup_kinds::Signal $exit_signal]"
        } elseif {$exit_code ne "" && $exit_code != 0 && ![regexp "\\m$exit_code\\M" $message]} {
            lappend lines "Exit code $exit_code."
        }
        if {$action in {reject mark_failed} && $acted_at ne "" && $acted_at >= $started_at} {
            # which says all that the message does
            set lines {}
            set end [expr {$comment eq "" ? "." : ": \u201c$comment\u201d"}]
            lappend lines "[states::deed $acted_by $action [server_clock::text $acted_at]]$end"
        }
        if {$attempt > 1} {
            lappend lines "Run $attempt of this day."
        }
        return [join $lines \n]
    }
}

# ---- a person is asked to judge its output ----

oo::class create ::popup::Review {
    superclass ::popup::Window
    variable row facts

    method title {} {
        return "Review"
    }
    method acts {} {
        return {{approve Act.TButton} {reject Danger.TButton} {retry TButton}}
    }
    method default {} {
        return approve
    }
    method output_lines {} {
        return 16
    }
    method why {} {
        if {$facts eq {} || [dict get $facts ended_at] eq "" || [dict get $facts started_at] eq ""} {
            return [dict get $row message]
        }
        set took [expr {[dict get $facts ended_at] - [dict get $facts started_at]}]
        return "It ended well after [expr {$took < 1 ? "less than a second" : [model::span $took]}]; is its output good?"
    }
}

# ---- how it ended cannot be known ----

oo::class create ::popup::Unknown {
    superclass ::popup::Window
    variable row facts

    method title {} {
        return "Unknown"
    }
    method acts {} {
        return {{mark_success TButton} {mark_failed TButton} {retry TButton}}
    }

    # No act on Enter: what nobody knows is not to be answered by habit.
    method default {} {
        return ""
    }

    # What is known.
    method why {} {
        set lines {}
        if {[dict get $row message] ne ""} {
            lappend lines [dict get $row message]
        }
        if {$facts ne {} && [dict get $facts started_at] ne ""} {
            set line "It started at [server_clock::text [dict get $facts started_at]]"
            if {[dict get $facts host] ne ""} {
                append line " on [dict get $facts host]"
            }
            if {[dict get $facts pid] ne ""} {
                append line ", process [dict get $facts pid]"
            }
            lappend lines "$line. Look there before you decide: to retry what did its work does it twice."
        }
        return [join $lines \n]
    }
}

# ---- it waits for nobody ----

oo::class create ::popup::Calm {
    superclass ::popup::Window
    variable row facts

    method title {} {
        return [dict get [theme::state [dict get $row state]] label]
    }

    # All that its state allows.
    method acts {} {
        return [lmap act [acts::allowed [dict get $row state] [dict get $row node_type]] {list [lindex $act 0] TButton}]
    }

    # The message, and who acted last.
    method why {} {
        set lines [list [dict get $row message]]
        if {$facts ne {} && [dict get $facts action] ne ""} {
            dict with facts {}
            set end [expr {$comment eq "" ? "." : ": \u201c$comment\u201d"}]
            if {[string match "* by $acted_by" [lindex $lines 0]]} {
                # which says less
                set lines {}
            }
            lappend lines "[states::deed $acted_by $action [server_clock::text $acted_at]]$end"
        }
        return [string trim [join $lines \n]]
    }
}
