# client/lib/editor/editor_schedule.tcl
#
# Making a day, with a look at what it will be: its jobs and nodes, and the parents on other days, those that are there,
# those that are waited for although they are not made yet, and those that are absent.
#
# Constraint: the preview makes the day and rolls it back at once, so that it is the database's own answer and nothing
# stays locked while a person looks. What is made in the end is made anew.

namespace eval ::editor_schedule {
    # job: "" for all
    variable field
    array set field {date "" job ""}
    # the jobs that may be chosen
    variable names {}
    # what the preview showed, and Make makes: date and job
    variable previewed {}
    # nodes, and parents on other days, that a preview shows
    variable limit 5000
    variable window ""
}

proc ::editor_schedule::show {parent} {
    variable field
    variable names
    variable window
    set w [editor_files::Dialog $parent.schedule $parent "Schedule a Day"]
    wm title $w "Schedule a Day"
    ttk::label $w.f.l_date -text "Date"
    ttk::entry $w.f.date -width 14 -textvariable ::editor_schedule::field(date)
    ttk::label $w.f.l_job -text "Job"
    ttk::combobox $w.f.job -width 28 -state readonly -values [list "All jobs"]
    ttk::button $w.f.preview -text "Preview" -command [list ::editor_schedule::Preview $w]
    grid $w.f.l_date $w.f.date $w.f.l_job $w.f.job $w.f.preview -sticky w -padx [theme::px 0 8] -pady [theme::px 0 8]
    Tree $w
    ttk::label $w.f.answer -style Quiet.TLabel -wraplength [theme::px 700] -justify left \
        -text "Choose a date and look at what will be made."
    grid $w.f.answer - - - - -sticky ew -pady [theme::px 8 10]
    editor_files::Buttons $w load "Make the Day" [list ::editor_schedule::Make $w]
    grid configure $w.f.buttons -columnspan 5
    grid columnconfigure $w.f 1 -weight 0
    grid columnconfigure $w.f 3 -weight 1
    grid rowconfigure $w.f 1 -weight 1
    $w.f.buttons.load state disabled
    bind $w.f.date <Return> [list ::editor_schedule::Preview $w]
    bind $w.f.job <<ComboboxSelected>> [list ::editor_schedule::JobChosen $w]
    set window $w
    set names {}
    array set field {date "" job ""}
    $w.f.job current 0
    editor_files::Watch $w ::editor_schedule::field
    AskJobs $w
    dialog::center $w $parent
    focus $w.f.date
}

# The jobs to choose from, and the day that is likely to be wanted; when there is a connection.
proc ::editor_schedule::AskJobs {w} {
    if {[editor_files::Here $w]} {
        db::query {SELECT job_name, (SELECT to_char(greatest(max(job_date) + 1, josch.today()), 'YYYY-MM-DD') FROM josch.jobs),
            to_char(josch.today(), 'YYYY-MM-DD') FROM josch.tpl_jobs ORDER BY job_name} [list ::editor_schedule::TakeJobs $w]
    }
}

# The connection came or went. A dialog that was opened without one can be filled in when it is there.
proc ::editor_schedule::connection {} {
    variable window
    variable names
    if {[winfo exists $window] && $names eq {} && [editor::Away] eq {}} {
        editor_files::Tell $window "Choose a date and look at what will be made."
        AskJobs $window
    }
}

# By its place in the list: a job may be called like the entry for all.
proc ::editor_schedule::JobChosen {w} {
    variable field
    variable names
    set at [$w.f.job current]
    set field(job) [expr {$at > 0 ? [lindex $names [expr {$at - 1}]] : ""}]
}

proc ::editor_schedule::Tree {w} {
    ttk::frame $w.f.list
    ttk::treeview $w.f.list.tree -columns {type from note} -height 16 -yscrollcommand [list $w.f.list.y set]
    ttk::scrollbar $w.f.list.y -orient vertical -command [list $w.f.list.tree yview]
    foreach {column label width stretch} {#0 "Will be made" 400 1 type "Type" 50 0 from "Not before" 140 0 note "" 400 1} {
        $w.f.list.tree heading $column -text $label -anchor w
        $w.f.list.tree column $column -width [theme::px $width] -stretch $stretch
    }
    $w.f.list.tree tag configure job -font [theme::font bold]
    $w.f.list.tree tag configure parent -foreground [theme::color quiet]
    grid $w.f.list.tree $w.f.list.y -sticky nsew
    grid columnconfigure $w.f.list 0 -weight 1
    grid rowconfigure $w.f.list 0 -weight 1
    grid $w.f.list - - - - -sticky nsew
}

proc ::editor_schedule::TakeJobs {w result} {
    variable field
    variable names
    if {![winfo exists $w]} {
        return
    }
    if {![dict get $result ok]} {
        editor_files::TellFailure $w $result
        return
    }
    set names [lmap row [dict get $result rows] {lindex $row 0}]
    $w.f.job configure -values [concat [list "All jobs"] $names]
    $w.f.job current [expr {[lsearch -exact $names $field(job)] + 1}]
    lassign [lindex [dict get $result rows] 0] - next today
    if {$field(date) eq ""} {
        set field(date) [expr {$next ne "" ? $next : $today}]
    }
}

# ---- the SQL ----

proc ::editor_schedule::call_sql {date job} {
    return "josch.schedule([db::quote $date]::date, [expr {$job eq "" ? "NULL" : [db::quote $job]}])"
}

# The answers: what was made; its nodes; their parents on other days.
proc ::editor_schedule::PreviewStatements {date job} {
    variable limit
    return [list "SET LOCAL statement_timeout = '300s'" \
        "CREATE TEMPORARY TABLE josch_made ON COMMIT DROP AS SELECT * FROM [call_sql $date $job]" \
        {SELECT m.job_name, to_char(m.job_date, 'YYYY-MM-DD'), m.nodes, m.dependencies, j.time_zone
            FROM pg_temp.josch_made m JOIN josch.jobs j USING (job_name, job_date) ORDER BY m.job_name} \
        [string cat {SELECT n.job_name, n.node_id, n.node_name, n.node_type,
            coalesce(to_char(n.due_at AT TIME ZONE j.time_zone, 'YYYY-MM-DD HH24:MI'), ''), n.unmet
            FROM josch.nodes n JOIN pg_temp.josch_made USING (job_name, job_date) JOIN josch.jobs j USING (job_name, job_date)
            ORDER BY n.job_name, n.level, n.node_id LIMIT } $limit] \
        [string cat {SELECT d.c_node_id, d.p_node_id, to_char(d.p_date, 'YYYY-MM-DD'), coalesce(p.node_name, t.node_name, ''),
            coalesce(p.state, ''), d.expected::text, d.condition
            FROM josch.node_deps d JOIN josch.nodes c ON c.node_id = d.c_node_id AND c.job_date = d.c_date
            JOIN pg_temp.josch_made m ON m.job_name = c.job_name AND m.job_date = c.job_date
            LEFT JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date
            LEFT JOIN josch.tpl_nodes t ON t.node_id = d.p_node_id
            WHERE d.p_date <> d.c_date OR p.node_id IS NULL
            ORDER BY d.c_node_id, d.p_date, d.p_node_id LIMIT } $limit]]
}

# How a parent on another day stands, in words.
proc ::editor_schedule::ParentNote {state expected condition} {
    if {$state ne ""} {
        return "$state: [dict get {waits "waited for" satisfied "not waited for" impossible "it will be omitted"} \
            [states::means $state $condition]]"
    }
    return [expr {$expected eq "true" ? "not made yet: waited for" : "absent: not waited for"}]
}

# ---- the preview ----

proc ::editor_schedule::Preview {w} {
    variable field
    editor_files::Stale $w
    $w.f.list.tree delete [$w.f.list.tree children {}]
    if {![editor_files::Here $w]} {
        return
    }
    editor_files::Tell $w "Looking \u2026"
    editor::Transaction [PreviewStatements $field(date) $field(job)] ROLLBACK \
        [list ::editor_schedule::Previewed $w $field(date) $field(job)]
}

proc ::editor_schedule::Previewed {w date job result} {
    variable field
    variable previewed
    if {![winfo exists $w] || $date ne $field(date) || $job ne $field(job)} {
        return
    }
    if {![dict get $result ok]} {
        editor_files::TellFailure $w $result
        return
    }
    set previewed [list $date $job]
    lassign [dict get $result results] - - made nodes parents
    Fill $w.f.list.tree [dict get $made rows] [dict get $nodes rows] [dict get $parents rows]
    set jobs [llength [dict get $made rows]]
    if {$jobs == 0} {
        editor_files::Tell $w "Nothing to make: $date has [expr {$job eq "" ? "all jobs" : "this job"}] already."
        return
    }
    set count 0
    foreach row [dict get $made rows] {
        incr count [lindex $row 2]
    }
    set shown [llength [dict get $nodes rows]]
    editor_files::Tell $w "Nothing has been made yet. Made, the scheduler begins with it at once: what waits for nothing is\
        started.[expr {$shown < $count ? " The first $shown nodes are shown." : ""}]"
    $w.f.buttons.load configure -text "Make [editor::Count $jobs Job], [editor::Count $count Node]"
    $w.f.buttons.load state !disabled
}

proc ::editor_schedule::Fill {tree made nodes parents} {
    foreach row $made {
        lassign $row job date count dependencies zone
        $tree insert {} end -id job-$job -text $job -open 1 -tags job \
            -values [list "" "" "$date, $zone: [editor::Count $count node], \
                [editor::Count $dependencies dependency dependencies]"]
    }
    foreach row $nodes {
        lassign $row job id name type due unmet
        set note [expr {$unmet == 0 ? "waits for no parent" : $unmet == 1 ? "waits for 1 parent" : "waits for $unmet parents"}]
        $tree insert job-$job end -id node-$id -text "$name ($id)" -values [list $type $due $note] -open 1
    }
    foreach row $parents {
        lassign $row child parent date name state expected condition
        if {[$tree exists node-$child]} {
            $tree insert node-$child end -text "after $name ($parent) of $date" -tags parent \
                -values [list "" "" [ParentNote $state $expected $condition]]
        }
    }
}

proc ::editor_schedule::Make {w} {
    variable previewed
    editor_files::Stale $w
    if {![editor_files::Here $w]} {
        return
    }
    editor_files::Tell $w "Making \u2026"
    editor::Transaction [list "SET LOCAL statement_timeout = '300s'" "SELECT * FROM [call_sql {*}$previewed]"] COMMIT \
        [list ::editor_schedule::Made $w]
}

proc ::editor_schedule::Made {w result} {
    if {[dict get $result ok]} {
        board::pulse
    }
    if {![winfo exists $w]} {
        return
    }
    if {![dict get $result ok]} {
        editor_files::TellUndone $w $result [list ::editor_schedule::Preview $w]
        return
    }
    set rows [dict get [lindex [dict get $result results] end] rows]
    $w.f.buttons.load configure -text "Make the Day"
    editor_files::Tell $w "Made: [join [lmap row $rows {
        string cat "[lindex $row 0] of [lindex $row 1] ([editor::Count [lindex $row 2] node])"
    }] {, }]."
}
