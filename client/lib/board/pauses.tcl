# client/lib/board/pauses.tcl
#
# What is paused, by whom and why, and the two acts: pause and resume, of all, a job, the day that is shown, a semaphore.
#
# Constraint: what is resumed is what was selected, and what is paused is chosen, never guessed from what the board shows.

namespace eval ::pauses {
    variable window .pauses
    variable columns {what "Paused" 300 by "By" 110 since "Since" 150 comment "Why" 320}
    # item of the list -> the arguments of josch.resume(); words of the choice -> those of josch.pause()
    variable paused {}
    variable choices {}
}

proc ::pauses::show {} {
    variable window
    dialog::bring $window ::pauses::Build
    Read
}

proc ::pauses::Build {} {
    variable window
    variable columns
    toplevel $window
    wm withdraw $window
    theme::dress $window
    wm title $window "Pause and resume"
    set gap [theme::px 12]
    set tree [ttk::treeview $window.tree -columns [lmap {name heading width} $columns {set name}] -show headings -height 6]
    foreach {name heading width} $columns {
        $tree heading $name -text $heading -anchor w
        $tree column $name -width [theme::px $width] -anchor w -stretch [expr {$name eq "comment"}]
    }
    ttk::label $window.head -wraplength [theme::px 860] -justify left -text "Of what is paused no command\
        and no SQL starts; what runs goes on, and sign-offs are asked for."
    ttk::label $window.answer -style Warn.TLabel -wraplength [theme::px 860] -justify left
    ttk::frame $window.what
    ttk::label $window.what.label -text "Pause"
    ttk::combobox $window.what.choice -state readonly -width 44
    ttk::label $window.what.why -text "Comment"
    ttk::entry $window.what.comment
    pack $window.what.label $window.what.choice $window.what.why -side left -padx [theme::px 0 6]
    pack $window.what.comment -side left -fill x -expand 1
    ttk::frame $window.buttons
    ttk::button $window.buttons.pause -text "Pause" -command ::pauses::Pause
    ttk::button $window.buttons.resume -text "Resume" -command ::pauses::Resume
    ttk::button $window.buttons.close -text "Close" -command [list destroy $window]
    pack $window.buttons.pause $window.buttons.resume -side left -padx [theme::px 0 6]
    pack $window.buttons.close -side right
    pack $window.head -fill x -padx $gap -pady [list $gap 0]
    pack $window.tree -fill both -expand 1 -padx $gap -pady $gap
    pack $window.what $window.answer -fill x -padx $gap
    pack $window.buttons -fill x -padx $gap -pady $gap
    bind $window <Escape> [list destroy $window]
    bind $tree <<TreeviewSelect>> ::pauses::Offer
    bind $window.what.choice <<ComboboxSelected>> ::pauses::Offer
}

# What is paused, and all that could be; as arguments of the two functions.
proc ::pauses::Read {} {
    set date [expr {[board::date] eq "" ? "NULL" : [db::quote [board::date]]}]
    db::query "SELECT what, name, to_char(nullif(job_date, '-infinity'), 'YYYY-MM-DD') AS job_date, paused_by AS by,
            round(extract(epoch FROM paused_at))::text AS since, coalesce(comment, '') AS comment, 1 AS paused
        FROM josch.pauses WHERE resumed_at IS NULL
        UNION ALL SELECT w.what, w.name, w.job_date, '', '', '', 0 FROM (
            VALUES ('database', '', NULL::text)
            UNION ALL SELECT 'day', job_name, to_char(job_date, 'YYYY-MM-DD') FROM josch.jobs WHERE job_date = ${date}::date
            UNION ALL SELECT 'job', job_name, NULL FROM josch.tpl_jobs
            UNION ALL SELECT 'semaphore', semaphore_name, NULL FROM josch.semaphores) w (what, name, job_date)
        ORDER BY 7 DESC, 1, 2, 3" ::pauses::Take pauses
}

proc ::pauses::Take {result} {
    variable window
    variable paused
    variable choices
    if {![winfo exists $window] || ![dict get $result ok]} {
        return
    }
    set chosen [$window.tree selection]
    $window.tree delete [$window.tree children {}]
    lassign {} paused choices
    foreach row [db::dicts $result] {
        set words [Words $row]
        if {[dict get $row paused]} {
            set item [$window.tree insert {} end -id [list p $words] -values [list $words [dict get $row by] \
                [board_filter::clock_text [dict get $row since] [clock format [clock seconds] -format %Y-%m-%d]] \
                [string map {\n " "} [dict get $row comment]]]]
            dict set paused $item [Arguments $row]
            dict set choices $words ""
        } elseif {![dict exists $choices $words]} {
            dict set choices $words [Arguments $row]
        }
    }
    set choices [dict filter $choices value ?*]
    $window.what.choice configure -values [dict keys $choices]
    if {![dict exists $choices [$window.what.choice get]]} {
        $window.what.choice set ""
    }
    $window.tree selection set [lmap item $chosen {
        if {![dict exists $paused $item]} continue
        set item
    }]
    Offer
}

# Others pause and resume, too.
proc ::pauses::Follow {} {
    variable window
    if {[winfo exists $window] && [db::state] eq "online"} {
        Read
    }
}

proc ::pauses::Words {row} {
    set name [dict get $row name]
    switch -- [dict get $row what] {
        database {return "everything"}
        day {return "[dict get $row job_date] of job $name"}
    }
    return "[dict get $row what] $name"
}

proc ::pauses::Arguments {row} {
    set name [db::quote [dict get $row name]]
    switch -- [dict get $row what] {
        database {return "NULL, NULL, NULL"}
        day {return "$name, [db::quote [dict get $row job_date]]::date, NULL"}
        job {return "$name, NULL, NULL"}
    }
    return "NULL, NULL, $name"
}

proc ::pauses::Offer {} {
    variable window
    set may [expr {[db::state] eq "online" && [db::may pause]}]
    $window.buttons.pause state [expr {$may && [$window.what.choice get] ne "" ? "!disabled" : "disabled"}]
    $window.buttons.resume state [expr {$may && [$window.tree selection] ne {} ? "!disabled" : "disabled"}]
    if {!$may && [db::state] eq "online"} {
        $window.answer configure -text "[db::user] may see what is paused, and not change it."
    }
}

proc ::pauses::Pause {} {
    variable window
    variable choices
    Act pause [list [dict get $choices [$window.what.choice get]]]
}

proc ::pauses::Resume {} {
    variable window
    variable paused
    Act resume [lmap item [$window.tree selection] {dict get $paused $item}]
}

# All of them, or none.
proc ::pauses::Act {function list} {
    variable window
    if {![guard::meant] || $list eq {}} {
        return
    }
    set text [string trim [$window.what.comment get]]
    set comment [expr {$text eq "" ? "NULL" : [db::quote $text]}]
    db::act [join [lmap arguments $list {
        string cat "SELECT josch.$function\(" $arguments ", " $comment ")"
    }] ";\n"] ::pauses::Done
}

proc ::pauses::Done {result} {
    variable window
    if {[winfo exists $window]} {
        set ok [dict get $result ok]
        $window.answer configure \
            -text [expr {$ok ? "" : [string trim "[dict get $result message]\n[acts::details_of $result]"]}]
        if {$ok} {
            $window.what.comment delete 0 end
        }
        Read
    }
    board::pulse
}
