# client/lib/days/missed.tcl
#
# Days that did not make themselves, and of which somebody is asked: one list for all, with the four answers. It comes up by
# itself once for each such list, where windows come up and this person may answer.
#
# Constraint: what is answered is what the list showed. A day that came since stays for the next list.

namespace eval ::missed {
    # what the server said of them when the list came up last
    variable told ""
    # {job date} of the rows that are shown, by item of the list
    variable days
    array set days {}
    variable columns {job_name "Job" 150 job_date "Day" 100 due "Was due" 170 outcome "What" 90 comment "Why" 300}
    # how many are read
    variable most 1000
    # counts the windows: an answer is for the one that asked
    variable number 0
}

proc ::missed::create {} {
    bind . <<BoardPulse>> +::missed::Notice
}

# What josch.health says of such days; "" when there are none, or it is not known.
proc ::missed::detail {} {
    foreach row [board::health] {
        if {[dict get $row component] eq "days" && [dict get $row up] ni {t true 1}} {
            return [dict get $row detail]
        }
    }
    return ""
}

proc ::missed::Notice {} {
    variable told
    set detail [detail]
    if {$detail eq $told} {
        return
    }
    set told $detail
    if {[winfo exists .missed]} {
        Read
    } elseif {$detail ne "" && [popup::enabled] && [db::may make_missed]} {
        show
    }
}

proc ::missed::show {} {
    dialog::bring .missed ::missed::Build
    Read
}

proc ::missed::Build {} {
    variable columns
    variable number
    set w .missed
    incr number
    toplevel $w
    wm withdraw $w
    theme::dress $w
    wm title $w "Missed days"
    set tree [ttk::treeview $w.tree -columns [lmap {name heading width} $columns {set name}] -show headings -height 8]
    foreach {name heading width} $columns {
        $tree heading $name -text $heading -anchor w
        $tree column $name -width [theme::px $width] -anchor w -stretch [expr {$name eq "comment"}]
    }
    ttk::label $w.head -wraplength [theme::px 780] -justify left \
        -text "These days did not make themselves. What is to become of those that are selected, or of all where none is?"
    ttk::label $w.answer -style Warn.TLabel -wraplength [theme::px 780] -justify left
    ttk::frame $w.comment
    ttk::label $w.comment.label -text "Comment"
    ttk::entry $w.comment.entry
    pack $w.comment.label -side left -padx [theme::px 0 6]
    pack $w.comment.entry -side left -fill x -expand 1
    Buttons $w
    set gap [theme::px 12]
    pack $w.head -fill x -padx $gap -pady [list $gap 0]
    pack $w.buttons -side bottom -fill x -padx $gap -pady [list 0 $gap]
    pack $w.comment -side bottom -fill x -padx $gap -pady $gap
    pack $w.answer -side bottom -fill x -padx $gap
    pack $w.tree -fill both -expand 1 -padx $gap -pady [list $gap 0]
    bind $w <Escape> [list destroy $w]
}

proc ::missed::Buttons {w} {
    ttk::frame $w.buttons
    foreach {name label answer meaning} {
        make "Make them" make "all, in the order of their dates"
        latest "Make the latest" latest "of each job the latest; the others are declined"
        decline "Decline them" decline "they are not made, and nobody waits for them"
    } {
        ttk::button $w.buttons.$name -text $label -command [list ::missed::Answer $answer]
        tip::set_text $w.buttons.$name $meaning
        pack $w.buttons.$name -side left -padx [theme::px 0 6]
    }
    ttk::button $w.buttons.later -text "Later" -command [list destroy $w]
    pack $w.buttons.later -side right
}

proc ::missed::Read {} {
    variable most
    variable number
    db::query "SELECT job_name, to_char(job_date, 'YYYY-MM-DD') AS job_date,
            to_char(due_at, 'YYYY-MM-DD HH24:MI TZ') AS due, outcome, coalesce(comment, '') AS comment
        FROM josch.job_days WHERE outcome IN ('asked', 'failed') ORDER BY job_days.job_date, job_name LIMIT $most" \
        [list ::missed::Take $number] missed
}

proc ::missed::Take {of result} {
    variable days
    variable columns
    variable number
    if {$of != $number || ![winfo exists .missed]} {
        return
    }
    if {![dict get $result ok]} {
        Say [dict get $result message]
        return
    }
    array unset days
    .missed.tree delete [.missed.tree children {}]
    foreach row [db::dicts $result] {
        set item [.missed.tree insert {} end -values [lmap {name heading width} $columns {dict get $row $name}]]
        set days($item) [list [dict get $row job_name] [dict get $row job_date]]
    }
    set idle [expr {[array size days] == 0 ? "disabled" : "!disabled"}]
    foreach name {make latest decline} {
        .missed.buttons.$name state [expr {[db::may make_missed] ? $idle : "disabled"}]
    }
    if {[array size days] == 0 && [.missed.answer cget -text] eq ""} {
        destroy .missed
    }
}

proc ::missed::Say {text} {
    .missed.answer configure -text $text
}

# job -> dates, of what is selected, or of all.
proc ::missed::Chosen {} {
    variable days
    set items [.missed.tree selection]
    set chosen {}
    foreach item [expr {$items eq {} ? [.missed.tree children {}] : $items}] {
        lassign $days($item) job date
        dict lappend chosen $job $date
    }
    return $chosen
}

proc ::missed::Answer {answer} {
    if {![guard::meant]} {
        return
    }
    set statements {}
    dict for {job dates} [Chosen] {
        set dates [lsort $dates]
        set declined [switch $answer make {list} latest {lrange $dates 0 end-1} decline {set dates}]
        if {$declined ne {}} {
            lappend statements "SELECT josch.decline_missed([db::quote $job], [Dates $declined], [Comment])"
        }
        if {$answer ne "decline"} {
            set made [expr {$answer eq "make" ? $dates : [lrange $dates end end]}]
            lappend statements "SELECT count(*) FROM josch.make_missed([db::quote $job], [Dates $made])"
        }
    }
    if {$statements ne {}} {
        # one transaction: all of it is answered, or nothing
        db::act [join $statements ";\n"] ::missed::Answered
    }
}

proc ::missed::Dates {dates} {
    return "[db::quote "{[join $dates ,]}"]::date\[\]"
}

proc ::missed::Comment {} {
    set text [string trim [.missed.comment.entry get]]
    return [expr {$text eq "" ? "NULL" : [db::quote $text]}]
}

proc ::missed::Answered {result} {
    if {![winfo exists .missed]} {
        return
    }
    if {[dict get $result ok]} {
        Say ""
        .missed.comment.entry delete 0 end
    } else {
        Say [dict get $result message]
    }
    Read
    if {[winfo exists .board]} {
        board::pulse
    }
}
