# client/lib/cli/cli_deploy.tcl
#
# Templates from files of this machine: josch validate, diff, deploy. The server touches no file, so that nobody needs rights on
# its disk; what is wrong, what would change and the load are its functions (doc/operations.md).

namespace eval ::cli_deploy {
    variable tables {environs tpl_jobs tpl_nodes tpl_node_deps calendars calendar_parts holidays}
    variable folder ""
}

# The arguments of the functions, of the files that are there.
proc ::cli_deploy::Arguments {words} {
    variable tables
    variable folder
    if {[llength $words] != 1} {
        cli::fail usage "of which folder? The files are [join [lmap table $tables {string cat $table .csv}] {, }]"
    }
    set folder [lindex $words 0]
    set arguments {}
    foreach table $tables {
        set path [file join $folder $table.csv]
        if {![file isfile $path]} continue
        set channel [open $path r]
        try {
            fconfigure $channel -translation binary
            set text [csv::text [read $channel]]
        } on error {message} {
            cli::fail usage "$path: $message"
        } finally {
            close $channel
        }
        lappend arguments "$table => [db::quote $text]"
    }
    if {$arguments eq {}} {
        cli::fail usage "none of the files [join [lmap table $tables {string cat $table .csv}] {, }] is in $folder"
    }
    if {[cli::option mode] ne ""} {
        lappend arguments "mode => [db::quote [cli::value mode]]"
    }
    return [join $arguments ", "]
}

# Where it is written: of an argument of the call, the file that it came from.
proc ::cli_deploy::Place {place} {
    variable folder
    variable tables
    if {[regexp {^Text "(\w+)", (line .*)$} $place - table line] && $table in $tables} {
        return "[file join $folder $table.csv], $line"
    }
    return $place
}

# A dict of texts as an object.
proc ::cli_deploy::Print {row} {
    set pairs [lmap {name value} $row {string cat '$name', [db::quote $value]::text}]
    puts [cli_db::one "SELECT json_build_object([join $pairs {, }])"]
}

# What is wrong, printed; how many of it are errors.
proc ::cli_deploy::Validate {arguments} {
    set errors 0
    foreach row [cli_db::dicts "SELECT severity, object, message, place FROM josch.validate_texts($arguments)"] {
        set place [Place [dict get $row place]]
        incr errors [expr {[dict get $row severity] eq "error"}]
        if {[cli::option json] ne ""} {
            Print [dict replace $row place $place]
        } else {
            set code [dict get {error 31 warning 33 note ""} [dict get $row severity]]
            puts "[cli_print::colour [dict get $row severity] $code]: [cli_print::line [dict get $row object]]:\
                [cli_print::line [dict get $row message]][if {$place ne ""} {string cat " (" [cli_print::line $place] ")"}]"
        }
    }
    return $errors
}

# What would change, printed; how many rows do.
proc ::cli_deploy::Diff {arguments} {
    set rows [cli_db::dicts "SELECT table_name, object, change, words FROM josch.diff_texts($arguments)"]
    foreach row $rows {
        if {[cli::option json] ne ""} {
            Print $row
        } else {
            set sign [dict get {added + changed ~ removed -} [dict get $row change]]
            set words [if {[dict get $row words] ne ""} {string cat ": " [dict get $row words]}]
            puts [cli_print::line "$sign [dict get $row object]$words"]
        }
    }
    return [llength $rows]
}

proc ::cli::verb_validate {words} {
    set arguments [cli_deploy::Arguments $words]
    cli_db::connect
    if {[cli_deploy::Validate $arguments]} {
        fail refused ""
    }
}

proc ::cli::verb_diff {words} {
    set arguments [cli_deploy::Arguments $words]
    cli_db::connect
    cli_deploy::Diff $arguments
}

# All of it in one transaction, so that what was shown is what is loaded.
proc ::cli::verb_deploy {words} {
    set arguments [cli_deploy::Arguments $words]
    set comment [cli_deploy::Comment]
    cli_db::connect
    cli_db::rows "BEGIN ISOLATION LEVEL REPEATABLE READ"
    if {[cli_deploy::Validate $arguments]} {
        fail refused "nothing was loaded"
    }
    set count [cli_deploy::Diff $arguments]
    if {$count} {
        cli_db::rows "SELECT * FROM josch.load($arguments, comment => [db::quote $comment])"
    }
    cli_db::rows COMMIT
    if {[option json] eq ""} {
        puts [expr {$count ? "$count [expr {$count == 1 ? {row} : {rows}}] loaded: $comment" : "nothing to change"}]
    }
}

# -m, or the commit that the folder is at: said to be more than that where something in it is not committed.
proc ::cli_deploy::Comment {} {
    variable folder
    if {[cli::option comment] ne ""} {
        return [cli::value comment]
    }
    if {[catch {exec git -C $folder rev-parse HEAD 2>/dev/null} commit]} {
        return "deployed from [file normalize $folder]"
    }
    set changed [expr {![catch {exec git -C $folder status --porcelain -- . 2>/dev/null} status] && $status ne ""}]
    return "commit $commit[if {$changed} {string cat ", and what is not committed"}]"
}
