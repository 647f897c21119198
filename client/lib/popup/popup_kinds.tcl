# client/lib/popup/popup_kinds.tcl
#
# The four kinds of window: sign-off, failure, review, unknown. Each says its title, its acts, what the Enter key does and
# what it shows; all else is popup_window.tcl.
#
# Constraint: which acts exist is said here, for the person; which of them are allowed is said by the database.

namespace eval ::popup_kinds {
    # state -> class
    variable classes {signoff Signoff failed Failure review Review unknown Unknown}
}

# The window for a row of josch.attention, in that place on the screen.
proc ::popup_kinds::create {row slot} {
    variable classes
    ::popup::[dict get $classes [dict get $row state]] new $row $slot
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
        return {{signoff "Sign Off" 0 Act.TButton}}
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
        return {{retry "Retry" 0 Act.TButton} {mark_success "Mark Success" 0 TButton}}
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
            lappend lines "[states::deed $acted_by $action [popup::moment $acted_at]]$end"
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
        return {{approve "Approve" 0 Act.TButton} {reject "Reject" 0 Danger.TButton} {retry "Run Again" 1 TButton}}
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
        return {{mark_success "Mark Success" 0 TButton} {mark_failed "Mark Failed" 5 TButton} {retry "Retry" 0 TButton}}
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
            set line "It started at [popup::moment [dict get $facts started_at]]"
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
