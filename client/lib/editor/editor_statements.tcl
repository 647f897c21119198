# client/lib/editor/editor_statements.tcl
#
# Edits of templates as SQL, and in words. A mixin of editor_changes; pure.
#
# Constraint: every step between must be allowed when the end is. What is deleted goes before what comes, and a dependency
# that changes is deleted and inserted, so that no cycle is seen on the way that the end does not have. So are parts of
# calendars and named dates whose key changes, which may change places.

oo::class create ::editor_statements {
    variable keys base work uids null default

    # ---- what will be done ----

    # All edits: a list of {status table uid}, in the order of the SQL.
    method pending {} {
        array set by {}
        foreach table [my tables] {
            foreach uid $uids($table) {
                lappend by($table,[my status $table $uid]) $uid
            }
        }
        set list {}
        foreach {table status} {environs deleted environs changed environs added tpl_node_deps deleted
                tpl_node_semaphores deleted semaphores changed semaphores added executors changed executors added
                calendar_parts deleted
                holidays deleted calendars changed calendars added holidays changed holidays added calendar_parts changed
                calendar_parts added tpl_jobs changed tpl_jobs added tpl_nodes deleted tpl_nodes changed tpl_nodes added
                tpl_node_deps changed tpl_node_deps added tpl_node_semaphores changed tpl_node_semaphores added
                tpl_jobs deleted calendars deleted semaphores deleted executors deleted} {
            if {[info exists by($table,$status)]} {
                foreach uid $by($table,$status) {
                    lappend list [list $status $table $uid]
                }
            }
        }
        return $list
    }

    # One statement for each step: a list of {table uid sql}. quote: command that makes a literal of a value. An update or
    # delete of a row that somebody else has changed or deleted meanwhile fails, as division_by_zero.
    method sql {quote} {
        set list {}
        set pending [my pending]
        foreach edit $pending {
            lassign $edit status table uid
            if {$status eq "changed" && [my is_put_anew $table $uid]} {
                # before anything that renames what it refers to
                set list [linsert $list 0 [list $table $uid [my delete_sql $table $uid $quote]]]
            }
            if {$status eq "changed" && [my leaves_calendar $table $uid]} {
                lappend list [list $table $uid [my detach_sql $uid $quote]]
            }
        }
        foreach edit $pending {
            lassign $edit status table uid
            switch -- $status {
                deleted {set sql [my delete_sql $table $uid $quote]}
                added {set sql [my insert_sql $table $uid $quote]}
                changed {
                    set verb [expr {[my is_put_anew $table $uid] ? "insert_sql" : "update_sql"}]
                    set sql [my $verb $table $uid $quote]
                }
            }
            lappend list [list $table $uid $sql]
        }
        return $list
    }

    # Is a row that changes deleted and inserted?
    method is_put_anew {table uid} {
        if {$table eq "tpl_node_deps"} {
            return 1
        }
        foreach column [my changed_columns $table $uid] {
            if {$column in {position part_name operation holiday calendar_name} && $table in {calendar_parts holidays}
                    || $column in {node_id semaphore_name} && $table eq "tpl_node_semaphores"} {
                return 1
            }
        }
        return 0
    }

    # Is a calendar to be of another one than now? Two of them may change places, which no step between may see as a circle.
    method leaves_calendar {table uid} {
        if {$table ne "calendars" || "of_calendar" ni [my changed_columns $table $uid]} {
            return 0
        }
        return [expr {[dict get [my carried $table $base($uid)] of_calendar] ne $null}]
    }

    # Does a calendar that comes or changes name one that is not there yet when it is written?
    method is_ahead {} {
        foreach uid $uids(calendars) {
            if {![info exists work($uid)] || [my status calendars $uid] eq "same"} continue
            set name [if {[dict exists $work($uid) of_calendar]} {dict get $work($uid) of_calendar}]
            set other [my find calendars calendar_name $name]
            if {$other ne "" && ![info exists base($other)]} {
                return 1
            }
        }
        return 0
    }

    method detach_sql {uid quote} {
        set stored $base($uid)
        set where [my where $stored calendar_name $quote][my unchanged $stored of_calendar $quote]
        return "WITH done AS (UPDATE josch.calendars SET of_calendar = NULL WHERE $where RETURNING 1)\
            SELECT 1 / count(*) FROM done"
    }

    method literal {quote value} {
        return [{*}$quote $value]
    }

    method insert_sql {table uid quote} {
        set names [dict keys $work($uid)]
        set values [lmap value [dict values $work($uid)] {my literal $quote $value}]
        return "INSERT INTO josch.$table ([join $names {, }]) VALUES ([join $values {, }])"
    }

    method update_sql {table uid quote} {
        set stored [my carried $table $base($uid)]
        set edited [my changed_columns $table $uid]
        set changes [lmap column $edited {string cat $column " = " [my literal $quote [dict get $work($uid) $column]]}]
        set key [dict get $keys $table]
        set others [lmap column $edited {
            if {$column in $key || ![dict exists $stored $column]} continue
            if {$column eq "of_calendar" && [my leaves_calendar $table $uid]} continue
            set column
        }]
        set where [my where $stored $key $quote][my unchanged $stored $others $quote]
        return "WITH done AS (UPDATE josch.$table SET [join $changes {, }] WHERE $where RETURNING 1)\
            SELECT 1 / count(*) FROM done"
    }

    # The row as it was read, all of it: what somebody else has written since is not deleted unseen. A dependency that goes
    # before its nodes are renamed has their old keys, as a part and a named date of a calendar have. A node takes no dependency
    # and no units of a semaphore along that have come since, a calendar no part and no named date.
    method delete_sql {table uid quote} {
        set early [expr {$table in {tpl_node_deps tpl_node_semaphores calendar_parts holidays}}]
        set stored [if {$early} {set base($uid)} else {my carried $table $base($uid)}]
        set key [dict get $keys $table]
        set others [lmap column [dict keys $stored] {
            if {$column in $key} continue
            set column
        }]
        set where [my where $stored $key $quote][my unchanged $stored $others $quote]
        if {$table eq "tpl_nodes"} {
            set id [my literal $quote [dict get $stored node_id]]
            append where " AND NOT EXISTS (SELECT FROM josch.tpl_node_deps WHERE p_node_id = $id OR c_node_id = $id)\
                AND NOT EXISTS (SELECT FROM josch.tpl_node_semaphores WHERE node_id = $id)"
        } elseif {$table eq "calendars"} {
            set name [my literal $quote [dict get $stored calendar_name]]
            append where " AND NOT EXISTS (SELECT FROM josch.calendar_parts WHERE calendar_name = $name)\
                AND NOT EXISTS (SELECT FROM josch.holidays WHERE calendar_name = $name)"
        }
        return "WITH done AS (DELETE FROM josch.$table WHERE $where RETURNING 1) SELECT 1 / count(*) FROM done"
    }

    method where {row names quote} {
        return [join [lmap name $names {string cat $name " = " [my literal $quote [dict get $row $name]]}] " AND "]
    }

    # Further conditions: columns are still what they were when they were read. What a default became may not have been read.
    method unchanged {row names quote} {
        return [join [lmap name $names {
            if {[dict get $row $name] eq $default} continue
            string cat " AND " $name " IS NOT DISTINCT FROM " [my literal $quote [dict get $row $name]]
        }] ""]
    }

    # ---- in words ----

    # An edit as a sentence.
    method words {status table uid} {
        set what [my name $table $uid]
        switch -- $status {
            added {return "Add $what"}
            deleted {return "Delete $what"}
        }
        set parts {}
        set stored [my carried $table $base($uid)]
        foreach column [my changed_columns $table $uid] {
            lappend parts "$column [my shown $stored $column] \u2192 [my shown $work($uid) $column]"
        }
        return "Change $what: [join $parts {, }]"
    }

    method shown {row column} {
        if {![dict exists $row $column] || [dict get $row $column] eq $null} {
            return "(nothing)"
        }
        set value [string map {\n " "} [dict get $row $column]]
        if {[string length $value] > 60} {
            set value [string range $value 0 58]\u2026
        }
        return \u201c$value\u201d
    }

    # What a row is called.
    method name {table uid} {
        set row [my get $table $uid]
        switch -- $table {
            environs {return "variable [dict get $row var]"}
            tpl_jobs {return "job [dict get $row job_name]"}
            tpl_nodes {return "node [my node_name [dict get $row node_id]]"}
            calendars {return "calendar [dict get $row calendar_name]"}
            calendar_parts {
                return "part [dict get $row position] of [dict get $row calendar_name]\
                    ([dict get $row operation] [dict get $row part_name])"
            }
            holidays {return "[dict get $row holiday] of [dict get $row calendar_name]"}
            semaphores {return "semaphore [dict get $row semaphore_name]"}
            executors {return "executor [dict get $row executor_name]"}
            tpl_node_semaphores {
                return "units of [dict get $row semaphore_name] for node [my node_name [dict get $row node_id]]"
            }
        }
        return [my edge_name $row]
    }

    method edge_name {row} {
        set days {}
        foreach {column word} {p_date parent c_date child} {
            if {[dict exists $row $column] && [dict get $row $column] ne "0"} {
                lappend days "$word's day [dict get $row $column]"
            }
        }
        if {[dict exists $row condition] && [dict get $row condition] in {done failure well}} {
            lappend days "on [dict get $row condition]"
        }
        return "dependency [my node_name [dict get $row p_node_id]] \u2192 [my node_name [dict get $row c_node_id]][expr {
            $days eq {} ? "" : " ([join $days {, }])"}]"
    }
}
