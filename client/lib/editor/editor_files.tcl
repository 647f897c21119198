# client/lib/editor/editor_files.tcl
#
# Templates from CSV files of this machine into the database, and from the database into files of this machine: the
# server touches no file, so that nobody needs rights on its disk.
#
# Constraint: the files are those of josch.load_csv() and josch.export_csv(), byte for byte. What a load would do is
# counted by doing it and rolling it back; it is done anew when the person says so.

namespace eval ::editor_files {
    variable tables {environs calendars calendar_parts holidays semaphores executors tpl_jobs tpl_nodes tpl_node_deps
        tpl_node_semaphores}
    # files that are written where they say something, or would say something that is no longer so
    variable optional {calendars calendar_parts holidays semaphores executors tpl_node_semaphores}
    # columns that an exported file always has
    variable seed {
        environs {var value}
        calendars {calendar_name calendar_desc weekdays}
        calendar_parts {calendar_name position operation part_name}
        holidays {calendar_name holiday holiday_name}
        semaphores {semaphore_name capacity semaphore_desc}
        executors {executor_name start_command attach_command stop_command}
        tpl_jobs {job_name job_desc}
        tpl_nodes {node_id node_type job_name node_name exec_command signoff_time}
        tpl_node_deps {p_node_id p_date c_node_id c_date}
        tpl_node_semaphores {node_id semaphore_name units}
    }
    variable field
    array set field {folder "" mode merge}
    # a dialog whose answer was lost with the connection, and the command that finds out what was done
    variable unsure [dict create]
}

# ---- loading: the SQL ----

# The files of a folder that are there: table -> records, the first the header. Raises an error with the file's name.
proc ::editor_files::ReadFolder {folder} {
    variable tables
    set found [dict create]
    foreach table $tables {
        set path [file join $folder $table.csv]
        if {![file isfile $path]} continue
        set channel [open $path r]
        try {
            fconfigure $channel -translation binary
            set bytes [read $channel]
        } finally {
            close $channel
        }
        if {[catch {csv::parse [csv::text $bytes] [db::null]} records]} {
            error "$table.csv: $records"
        }
        if {$records eq {}} {
            error "$table.csv has no header"
        }
        dict set found $table [Checked $table $records]
    }
    if {$found eq {}} {
        error "None of the files [join [lmap table $tables {string cat $table .csv}] {, }] is in $folder."
    }
    return $found
}

# Every column has a name of its own, and every record the header's number of fields.
proc ::editor_files::Checked {table records} {
    set header [lindex $records 0]
    set width [llength $header]
    for {set i 0} {$i < $width} {incr i} {
        set name [lindex $header $i]
        if {$name in [list "" [db::null]]} {
            error "$table.csv: column [expr {$i + 1}] of the header has no name"
        } elseif {$name in [lrange $header 0 $i-1]} {
            error "$table.csv: the header has the column $name twice"
        }
    }
    set number 1
    foreach record [lrange $records 1 end] {
        incr number
        if {[llength $record] != $width} {
            error "$table.csv, record $number: [llength $record] fields, the header has $width"
        }
    }
    return $records
}

# What is in the files and in no table: a line for each such column.
proc ::editor_files::UnknownColumns {found} {
    set lines {}
    dict for {table records} $found {
        foreach name [lindex $records 0] {
            if {$name ni [editor::Names $table]} {
                lappend lines "$table.csv: there is no column $name; it is left out"
            }
        }
    }
    return $lines
}

# Statements that put records into temporary tables of the same names and load them. What an empty field means is for the
# server to say, as in its own load.
proc ::editor_files::LoadStatements {found mode} {
    set statements [list "SET LOCAL statement_timeout = '300s'"]
    dict for {table records} $found {
        set columns [lmap name [lindex $records 0] {string cat [Identifier $name] { text}}]
        lappend statements "CREATE TEMPORARY TABLE $table ([join $columns {, }]) ON COMMIT DROP"
        set records [lrange $records 1 end]
        for {set i 0} {$i < [llength $records]} {incr i 500} {
            set values [lmap record [lrange $records $i $i+499] {
                string cat ( [join [lmap value $record {db::quote $value}] ,] )
            }]
            lappend statements "INSERT INTO pg_temp.$table VALUES [join $values ,\n]"
        }
    }
    lappend statements "SELECT * FROM josch.load_schema(pg_my_temp_schema()::regnamespace, [db::quote $mode])"
    return $statements
}

proc ::editor_files::Identifier {name} {
    return "\"[string map {\" \"\"} $name]\""
}

# ---- loading: the dialog ----

proc ::editor_files::show_import {parent done} {
    set w [Dialog $parent.import $parent "Import"]
    Folder $w "Folder with the files"
    foreach {mode label} {merge "Merge: insert and update what is in the files"
            replace "Replace: also delete what is not in the files"} {
        ttk::radiobutton $w.f.$mode -text $label -value $mode -variable ::editor_files::field(mode)
        grid $w.f.$mode - - -sticky w -pady [theme::px 2]
    }
    Answer $w "The counts appear here before anything is changed."
    Buttons $w preview "Preview" [list ::editor_files::Preview $w] load "Load" [list ::editor_files::Load $w $done]
    $w.f.buttons.load state disabled
    Watch $w ::editor_files::field
    dialog::center $w $parent
    StartAt $w Preview
}

# Any change of the fields, by key, mouse or program, makes what was counted stale.
proc ::editor_files::Watch {w variable} {
    set command [list ::editor_files::Stale $w]
    trace add variable $variable write $command
    bind $w <Destroy> [list ::editor_files::Unwatch $w %W $variable $command]
}

proc ::editor_files::Unwatch {w widget variable command} {
    if {$w eq $widget} {
        trace remove variable $variable write $command
    }
}

# What was counted is no longer what would be done.
proc ::editor_files::Stale {w args} {
    if {[winfo exists $w.f.buttons.load]} {
        $w.f.buttons.load state disabled
    }
}

# Can anything be read and written where the window's templates are from? Otherwise says why not.
proc ::editor_files::Here {w} {
    set words [editor::Away]
    if {$words ne {}} {
        Tell $w [string trim [join $words \n]] Danger.TLabel
    }
    return [expr {$words eq {}}]
}

# The connection came or went: when it is back, what would be done now tells whether it was.
proc ::editor_files::connection {} {
    variable unsure
    if {[editor::Away] ne {}} {
        return
    }
    set commands $unsure
    set unsure [dict create]
    dict for {w command} $commands {
        if {[winfo exists $w]} {
            {*}$command
        }
    }
}

# Says what was refused; when the answer was lost, command is run when the connection is back.
proc ::editor_files::TellUndone {w result command} {
    variable unsure
    Tell $w [string trim [join [editor::WriteRefusal $result "a row"] \n]] Danger.TLabel
    if {[editor::IsLost $result]} {
        dict set unsure $w $command
    }
}

proc ::editor_files::Preview {w} {
    variable field
    Stale $w
    if {![Here $w]} {
        return
    }
    if {[catch {ReadFolder $field(folder)} found]} {
        Tell $w $found Danger.TLabel
        return
    }
    Tell $w "Counting \u2026"
    editor::Transaction [LoadStatements $found $field(mode)] ROLLBACK \
        [list ::editor_files::Previewed $w [array get field] [UnknownColumns $found]]
}

# asked: the fields when it was asked for; what has been changed since then was not counted.
proc ::editor_files::Previewed {w asked unknown result} {
    variable field
    if {![winfo exists $w]} {
        return
    }
    if {![dict get $result ok]} {
        TellFailure $w $result
    } elseif {[array get field] ne $asked} {
        Tell $w "The fields have changed since; look again."
    } else {
        Tell $w [join [concat $unknown [list "This will be done:" [CountText [lindex [dict get $result results] end]]]] \n]
        $w.f.buttons.load state !disabled
    }
}

proc ::editor_files::CountText {result} {
    set lines {}
    foreach row [dict get $result rows] {
        lassign $row table inserted updated deleted
        lappend lines "[string trim $table]: $inserted inserted, $updated updated, $deleted deleted"
    }
    return [join $lines \n]
}

# Reads the files anew: what is loaded is what is in them now.
proc ::editor_files::Load {w done} {
    variable field
    Stale $w
    if {![Here $w]} {
        return
    }
    if {[catch {ReadFolder $field(folder)} found]} {
        Tell $w $found Danger.TLabel
        return
    }
    Tell $w "Loading \u2026"
    editor::Transaction [LoadStatements $found $field(mode)] COMMIT [list ::editor_files::Loaded $w $done]
}

proc ::editor_files::Loaded {w done result} {
    if {[dict get $result ok]} {
        {*}$done
    }
    if {![winfo exists $w]} {
        return
    }
    if {![dict get $result ok]} {
        TellUndone $w $result [list ::editor_files::Preview $w]
        return
    }
    Tell $w "Done:\n[CountText [lindex [dict get $result results] end]]"
}

# ---- exporting ----

proc ::editor_files::show_export {parent} {
    set w [Dialog $parent.export $parent "Export"]
    Folder $w "Folder for the files"
    Answer $w "Writes environs.csv, tpl_jobs.csv, tpl_nodes.csv and tpl_node_deps.csv, and those of calendars, semaphores\
        and executors where there are any, as they are stored: changes that are not applied are not in them. Files of\
        these names are replaced."
    Buttons $w load "Export" [list ::editor_files::Export $w]
    dialog::center $w $parent
    StartAt $w Export
}

# The folder of last time is there to be taken with Enter, or to be written over.
proc ::editor_files::StartAt {w step} {
    bind $w.f.folder <Return> [list ::editor_files::$step $w]
    $w.f.folder selection range 0 end
    focus $w.f.folder
}

# Two steps in one snapshot each: which columns say something, then the rows.
proc ::editor_files::Export {w} {
    variable field
    if {![file isdirectory $field(folder)] || ![file writable $field(folder)]} {
        Tell $w "$field(folder) is no folder that can be written." Danger.TLabel
        return
    }
    if {![Here $w]} {
        return
    }
    editor::Transaction [TellingStatements] COMMIT [list ::editor_files::Telling $w $field(folder)]
}

# For each table: does a column beyond the first ones hold something else than its default?
proc ::editor_files::TellingStatements {} {
    variable tables
    return [lmap table $tables {
        set tests [lmap column [Extra $table] {
            set default [dict get $column default]
            if {$default eq ""} {
                set default NULL
            }
            string cat "coalesce(bool_or(t.[dict get $column name] IS DISTINCT FROM ($default)), false)"
        }]
        string cat "SELECT [expr {$tests eq {} ? "1" : [join $tests {, }]}] FROM josch.$table t"
    }]
}

# Columns beyond the first ones that are kept in files.
proc ::editor_files::Extra {table} {
    variable seed
    return [lmap column [dict get $::editor::columns $table] {
        if {[dict get $column name] in [dict get $seed $table] || [dict get $column name] eq "loaded_on"} continue
        set column
    }]
}

proc ::editor_files::Telling {w folder result} {
    variable tables
    variable seed
    if {![dict get $result ok]} {
        TellFailure $w $result
        return
    }
    set headers {}
    foreach table $tables answer [dict get $result results] {
        set names [dict get $seed $table]
        foreach column [Extra $table] flag [lindex [dict get $answer rows] 0] {
            if {$flag eq "t"} {
                lappend names [dict get $column name]
            }
        }
        dict set headers $table $names
    }
    editor::Transaction [lmap table $tables {RowsSql $table [dict get $headers $table]}] COMMIT \
        [list ::editor_files::Rows $w $folder $headers]
}

# Rows in the order of josch.export_csv(); a sign before each value tells an empty text from NULL.
proc ::editor_files::RowsSql {table names} {
    set from [dict get {
        environs {josch.environs t ORDER BY t.var COLLATE "C"}
        calendars {josch.calendars t ORDER BY t.calendar_name COLLATE "C"}
        calendar_parts {josch.calendar_parts t ORDER BY t.calendar_name COLLATE "C", t.position}
        holidays {josch.holidays t ORDER BY t.calendar_name COLLATE "C", t.holiday}
        semaphores {josch.semaphores t ORDER BY t.semaphore_name COLLATE "C"}
        executors {josch.executors t ORDER BY t.executor_name COLLATE "C"}
        tpl_node_semaphores {josch.tpl_node_semaphores t JOIN josch.tpl_nodes n ON n.node_id = t.node_id
            ORDER BY n.job_name COLLATE "C", t.node_id, t.semaphore_name COLLATE "C"}
        tpl_jobs {josch.tpl_jobs t ORDER BY t.job_name COLLATE "C"}
        tpl_nodes {josch.tpl_nodes t ORDER BY t.job_name COLLATE "C", t.node_id}
        tpl_node_deps {josch.tpl_node_deps t JOIN josch.tpl_nodes p ON p.node_id = t.p_node_id
            ORDER BY p.job_name COLLATE "C", t.p_node_id, t.p_date, t.c_node_id, t.c_date}
    } $table]
    return "SELECT [join [lmap name $names {string cat "coalesce('=' || [Output $table $name], '')"}] {, }] FROM $from"
}

# A column as COPY writes it: truth is t or f there.
proc ::editor_files::Output {table name} {
    if {[dict get [editor::Column $table $name] type] eq "boolean"} {
        return "CASE WHEN t.$name THEN 't' ELSE 'f' END"
    }
    return "t.${name}::text"
}

proc ::editor_files::Rows {w folder headers result} {
    variable tables
    variable optional
    if {![dict get $result ok]} {
        TellFailure $w $result
        return
    }
    set texts {}
    set lines {}
    foreach table $tables answer [dict get $result results] {
        if {$table in $optional && [dict get $answer rows] eq {} && ![file exists [file join $folder $table.csv]]} continue
        lappend lines "$table.csv: [editor::Count [llength [dict get $answer rows]] row]"
        dict set texts $table [FileText [dict get $headers $table] [dict get $answer rows]]
    }
    if {[catch {WriteFiles $folder $texts} message]} {
        Tell $w $message Danger.TLabel
        return
    }
    Tell $w "Written to $folder:\n[join $lines \n]"
}

# The text of a file. values: as rows_sql gives them.
proc ::editor_files::FileText {names rows} {
    set quote_empty [lsearch -all -regexp $names {^(job|calendar|semaphore|executor)_desc$}]
    set text [csv::line $names]
    foreach row $rows {
        append text [csv::line [lmap value $row {
            expr {$value eq "" ? [db::null] : [string range $value 1 end]}
        }] [db::null] $quote_empty]
    }
    return $text
}

# All files beside their places, then each into its place.
proc ::editor_files::WriteFiles {folder texts} {
    try {
        dict for {table text} $texts {
            set channel [open [file join $folder .$table.csv.tmp] w]
            try {
                fconfigure $channel -encoding utf-8 -translation lf
                puts -nonewline $channel $text
            } finally {
                close $channel
            }
        }
        foreach table [dict keys $texts] {
            file rename -force -- [file join $folder .$table.csv.tmp] [file join $folder $table.csv]
        }
    } finally {
        foreach table [dict keys $texts] {
            file delete -- [file join $folder .$table.csv.tmp]
        }
    }
}

# ---- the dialogs' parts ----

proc ::editor_files::Dialog {w parent title} {
    destroy $w
    toplevel $w -class JoschDialog
    wm withdraw $w
    wm title $w "$title \u2013 Templates"
    wm transient $w $parent
    theme::dress $w
    ttk::frame $w.f -padding [theme::px 14]
    pack $w.f -fill both -expand 1
    grid columnconfigure $w.f 1 -weight 1
    bind $w <Escape> [list destroy $w]
    return $w
}

proc ::editor_files::Folder {w label} {
    ttk::label $w.f.label -text $label
    ttk::entry $w.f.folder -width 46 -textvariable ::editor_files::field(folder)
    ttk::button $w.f.browse -text "Browse\u2026" -command [list ::editor_files::Browse $w]
    grid $w.f.label $w.f.folder $w.f.browse -sticky ew -padx [theme::px 0 8] -pady [theme::px 0 8]
}

proc ::editor_files::Browse {w} {
    variable field
    set chosen [tk_chooseDirectory -parent $w -initialdir $field(folder) -mustexist 1]
    if {$chosen ne ""} {
        set field(folder) $chosen
    }
}

proc ::editor_files::Answer {w text} {
    ttk::label $w.f.answer -style Quiet.TLabel -text $text -wraplength [theme::px 560] -justify left
    grid $w.f.answer - - -sticky ew -pady [theme::px 10 12]
}

proc ::editor_files::Buttons {w args} {
    ttk::frame $w.f.buttons
    foreach {name label command} $args {
        ttk::button $w.f.buttons.$name -text $label -command $command
        pack $w.f.buttons.$name -side left -padx [theme::px 0 8]
    }
    $w.f.buttons.load configure -style Act.TButton
    ttk::button $w.f.buttons.close -text "Close" -command [list destroy $w]
    pack $w.f.buttons.close -side left
    grid $w.f.buttons - - -sticky e
}

proc ::editor_files::Tell {w text {style Quiet.TLabel}} {
    if {[winfo exists $w.f.answer]} {
        $w.f.answer configure -text $text -style $style
    }
}

proc ::editor_files::TellFailure {w result} {
    Tell $w [string trim [join [editor::Refusal $result "a row"] \n]] Danger.TLabel
}
