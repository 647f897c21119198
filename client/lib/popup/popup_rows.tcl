# client/lib/popup/popup_rows.tcl
#
# What waits, as the list shows it: which rows pass the filter, in which order, in which groups. Pure: rows in, keys out.
#
# Constraint: a group is a unit of work, so its name says what its rows have in common, and nothing else.

namespace eval ::popup_rows {
    # column -> how it sorts: text, number, state, or place (as they came: the longest first)
    variable kinds {
        state state node text id number job text date text waits place blocks number exit number who text why text
    }
    # what can be grouped by: label -> column
    variable groups {"No groups" "" "Reason" why "Job" job "Exit code" exit "State" state "Date" date "Who looks at it" who}
}

# What a row says in a column.
proc ::popup_rows::value {row column} {
    switch $column {
        who {
            return [claims::who $row]
        }
        state {
            return [expr {[dict exists $row kind] ? [string map {_ " "} [dict get $row kind]] : [dict get $row state]}]
        }
        why {
            return [string trim [string map {\n " "} [dict get $row message]]]
        }
    }
    set fields {node node_name id node_id job job_name date job_date blocks blocks exit exit_code}
    if {[dict exists $fields $column]} {
        return [dict get $row [dict get $fields $column]]
    }
    return ""
}

# Keys of the rows that pass, in order. rows: dict of key -> row, those that wait longest first.
proc ::popup_rows::arrange {rows words column descending} {
    variable kinds
    set kind [dict get $kinds $column]
    set pairs {}
    dict for {key row} $rows {
        if {![passes $row $words]} continue
        set value [value $row $column]
        lappend pairs [list [expr {$kind eq "state" ? [lsearch -exact [states::names] $value] : $value}] $key]
    }
    if {$kind eq "place"} {
        set keys [lmap pair $pairs {lindex $pair 1}]
        return [expr {$descending ? [lreverse $keys] : $keys}]
    }
    return [sorting::keys $pairs $kind $descending]
}

# Do all words occur in what the row says?
proc ::popup_rows::passes {row words} {
    set hay ""
    foreach word [regexp -all -inline {\S+} [string tolower $words]] {
        if {$hay eq ""} {
            foreach column {node id job date state why who} {
                append hay [string tolower [value $row $column]] \n
            }
            append hay [string tolower [name $row exit]]
        }
        if {[string first $word $hay] < 0} {
            return 0
        }
    }
    return 1
}

# The name of the group of a row.
proc ::popup_rows::name {row column} {
    set value [value $row $column]
    switch $column {
        exit {
            if {$value ne ""} {
                return "exit code $value"
            }
            return [expr {[dict get $row exit_signal] ne "" ? "signal [dict get $row exit_signal]" : "no exit code"}]
        }
        state {
            return [string tolower [dict get [theme::state $value] label]]
        }
        who {
            return [expr {$value eq "" ? "nobody" : $value}]
        }
        why {
            return [expr {$value eq "" ? "no reason given" : $value}]
        }
    }
    return $value
}

# Groups of keys by a column, {name keys} each, the largest first; the keys of each as they stand.
proc ::popup_rows::group {rows keys column} {
    set groups [dict create]
    foreach key $keys {
        dict lappend groups [name [dict get $rows $key] $column] $key
    }
    set sized {}
    dict for {name members} $groups {
        lappend sized [list [llength $members] $name $members]
    }
    return [lmap one [lsort -integer -decreasing -index 0 $sized] {lrange $one 1 2}]
}
