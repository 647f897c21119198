# client/lib/board/details_log.tcl
#
# The output of a node's runs: the latest by itself, an older one when it is chosen. While the run is open and the text is
# in sight, what it prints is added twice a second; the view stays at the end unless the reader has scrolled away.
#
# Constraint: a log may be very long. It is read in pages by offset in bytes; of a long one the end first, the rest when
# it is asked for.

namespace eval ::details_log {
    # bytes of the end that are shown at first, and of a page
    variable first 131072
    variable page 262144
    # ms between looks at a run that is open
    variable gap 500
}

# The runs, the latest first: id, attempt, start, status, whether it is still going on, and the host of one that ran elsewhere.
# Of a run that had not ended at that moment, what it printed is shown to the end that it came to.
proc ::details_log::RunsSql {key then} {
    lassign $key node_id date
    set of "FROM josch.runs r WHERE r.node_id = [db::quote $node_id]::bigint AND r.job_date = [db::quote $date]::date"
    set where "CASE WHEN r.executor IS NOT NULL THEN coalesce(r.host, '') ELSE '' END"
    set start "extract(epoch FROM coalesce(r.started_at, r.requested_at))"
    if {$then eq ""} {
        return "SELECT r.run_id, r.attempt, $start, r.status, (r.ended_at IS NULL)::int, $where $of ORDER BY r.attempt DESC"
    }
    set then "to_timestamp([format %.6f $then])"
    return "SELECT r.run_id, r.attempt, $start, CASE WHEN r.ended_at <= $then THEN r.status ELSE 'running' END, 0, $where
        $of AND r.requested_at <= $then ORDER BY r.attempt DESC"
}

oo::class create ::details_log::View {
    # carry: what is printed of a line that has not ended; chasing: the view goes with the end
    variable path text key runs run offset start open timer busy carry chasing failed

    constructor {window} {
        set path $window
        lassign {} key runs run timer
        lassign {0 0 0 0 "" 1 0} offset start open busy carry chasing failed
        my Build
    }

    destructor {
        after cancel $timer
    }

    method Build {} {
        ttk::frame $path
        ttk::frame $path.top -padding [theme::px 6 6 6 4]
        ttk::combobox $path.top.runs -state readonly -width 30
        ttk::button $path.top.all -text "Show All" -style Tool.TButton -command [list [self] show_all]
        ttk::label $path.top.note -style Small.TLabel
        # packed last: where there is no room, the button is what counts
        pack $path.top.note -side left -padx [theme::px 8]
        set text $path.text
        text $text -wrap char -state disabled -borderwidth 0 -padx [theme::px 8] -pady [theme::px 6] -width 34 -height 8 \
            -yscrollcommand [list $path.y set] -font [theme::font mono]
        details::dress $text
        ttk::scrollbar $path.y -orient vertical -command [list $text yview]
        pack $path.top -fill x
        pack $path.y -side right -fill y
        pack $text -fill both -expand 1
        bind $path.top.runs <<ComboboxSelected>> [list late::call [self] Choose]
        bind $text <Map> [list late::call [self] Poll]
    }

    # Show the runs of a node, read anew: those of now or, with a moment in seconds, those that there were then.
    method show_node {new {then ""}} {
        if {$new ne $key} {
            set key $new
            my Forget ""
        }
        if {$key ne ""} {
            db::query [details_log::RunsSql $key $then] [list late::call [self] TakeRuns $key] runs-[self]
        }
    }

    # No run is shown; a note says why.
    method Forget {note} {
        set run ""
        set runs {}
        my Clear
        $path.top.runs set ""
        $path.top.runs configure -values {}
        pack forget $path.top.runs
        $path.top.note configure -text $note
    }

    method TakeRuns {of result} {
        if {$of ne $key || ![dict get $result ok]} {
            return
        }
        if {[dict get $result rows] eq {}} {
            my Forget "It has not run yet."
            return
        }
        set latest [lindex $runs 0 0]
        set was_latest [expr {$run eq "" || $run eq $latest}]
        set runs [dict get $result rows]
        $path.top.runs configure -values [lmap one $runs {
            lassign $one id attempt at status open host
            string cat "Run $attempt, [board_filter::clock_text $at [lindex $key 1]], $status" \
                [expr {$host eq "" ? "" : " on $host"}]
        }]
        $path.top.note configure -text ""
        pack $path.top.runs -side left -before $path.top.note
        $path.top.runs current [expr {$was_latest ? 0 : max(0, [lsearch -exact -index 0 $runs $run])}]
        my Choose
    }

    method Choose {} {
        $path.top.runs selection clear
        set one [lindex $runs [$path.top.runs current]]
        set open [lindex $one 4]
        if {[lindex $one 0] ne $run} {
            set run [lindex $one 0]
            my Clear
            set offset [expr {-$::details_log::first}]
        }
        # of a run that has just ended, what it printed last is still to be read
        my Read
    }

    method Clear {} {
        after cancel $timer
        $text configure -state normal
        $text delete 1.0 end
        $text configure -state disabled
        lassign {0 0 0 "" 1} offset start busy carry chasing
        $text mark set line 1.0
        $text mark gravity line left
        pack forget $path.top.all
    }

    method Read {} {
        if {$busy || $run eq ""} {
            return
        }
        set busy 1
        db::query "SELECT p.start_offset, p.next_offset, p.text
            FROM josch.log_page([db::quote $run]::bigint, $offset, $::details_log::page) p" \
            [list late::call [self] Take $run]
    }

    method Take {of result} {
        if {$of ne $run} {
            return
        }
        set busy 0
        after cancel $timer
        if {![dict get $result ok]} {
            # the connection may be gone, and be back
            $path.top.note configure -text [dict get $result message]
            set failed 1
            set timer [after 2000 [list late::call [self] Poll]]
            return
        }
        if {$failed} {
            set failed 0
            my ShowStart
        }
        lassign [lindex [dict get $result rows] 0] from next piece
        if {$offset < 0} {
            set start $from
            my ShowStart
        }
        set offset $next
        my Append $piece
        # a short page may end where the middle of the log was not kept
        if {$next - $from >= $::details_log::page || (!$open && $piece ne "")} {
            my Read
        } elseif {$open} {
            after cancel $timer
            set timer [after $::details_log::gap [list late::call [self] Poll]]
        }
    }

    # Look again, when somebody does.
    method Poll {} {
        after cancel $timer
        if {($open || $failed) && $run ne "" && [winfo viewable $text]} {
            my Read
        }
    }

    # What was printed is made fit to be read line by line; the last line may go on.
    method Append {piece} {
        if {$piece eq ""} {
            return
        }
        set chasing [expr {$chasing || [lindex [$text yview] 1] >= 0.999}]
        set raw $carry$piece
        set cut [string last \n $raw]
        set carry [string range $raw $cut+1 end]
        if {[string length $carry] > 65536} {
            set cut [expr {[string length $raw] - 1}]
            set carry ""
        }
        $text configure -state normal
        # up to "end" the newline before it would go too
        $text delete line "end -1 chars"
        $text insert end [output_text::clean [string range $raw 0 $cut]]
        $text mark set line "end -1 chars"
        $text insert end [output_text::clean $carry]
        $text configure -state disabled
        if {$chasing} {
            my SeeEnd
            $text sync -command [list late::call [self] SeeEnd]
        }
    }

    # The end is where it is only once all lines have been measured.
    method SeeEnd {} {
        $text see end
        if {[$text pendingsync]} {
            return
        }
        set chasing 0
    }

    # Of how much the beginning is not there, in place of what the note said.
    method ShowStart {} {
        $path.top.note configure -text [expr {$start > 0 ? "The first [expr {$start / 1024}] kB are not shown." : ""}]
        if {$start > 0} {
            pack $path.top.all -side right -before $path.top.note
        }
    }

    method show_all {} {
        my Clear
        $path.top.note configure -text ""
        my Read
    }
}
