# client/lib/editor/editor_changes.tcl
#
# What a person has changed in the templates and not yet applied.
#
# Pure: rows and edits in, words and SQL out; no window, no database. Every row has a number of its own (uid), because its
# key may be edited too. A key that other rows refer to takes these along, as the foreign keys do (ON UPDATE CASCADE): they
# are not changes of their own.

oo::class create ::editor_changes {
    mixin editor_statements editor_references editor_beneath
    variable keys base work uids serial null default renames called lookup target

    # The values that stand for NULL and for a column's default.
    constructor {null_value {default_value "\u0000DEFAULT"}} {
        set null $null_value
        set default $default_value
        set serial 0
        set keys {environs var calendars calendar_name calendar_parts {calendar_name position} holidays {calendar_name holiday}
            semaphores semaphore_name executors executor_name
            tpl_jobs job_name tpl_nodes node_id tpl_node_deps {p_node_id p_date c_node_id c_date}
            tpl_node_semaphores {node_id semaphore_name}}
        foreach table [dict keys $keys] {
            set uids($table) {}
        }
        array set base {}
        array set work {}
        array set target {}
        my touch
    }

    method tables {} {
        return [dict keys $keys]
    }

    # ---- rows ----

    method key_of {table row} {
        return [lmap column [dict get $keys $table] {dict get $row $column}]
    }

    # Numbers of all rows of a table, those too that will be deleted.
    method rows {table} {
        return $uids($table)
    }

    # A row as it will be; as it is when it will be deleted.
    method get {table uid} {
        return [expr {[info exists work($uid)] ? $work($uid) : [my carried $table $base($uid)]}]
    }

    # The key of a row as it is stored, of a table with a key of one column; "" of one that is not.
    method stored_key {table uid} {
        return [if {[info exists base($uid)]} {dict get $base($uid) [dict get $keys $table]}]
    }

    method exists {uid} {
        return [expr {[info exists base($uid)] || [info exists work($uid)]}]
    }

    # The row with a value in a column, of those that will be; "" for none.
    method find {table column value} {
        foreach uid $uids($table) {
            if {[info exists work($uid)] && [dict exists $work($uid) $column] && [dict get $work($uid) $column] eq $value} {
                return $uid
            }
        }
        return ""
    }

    # same, added, changed or deleted
    method status {table uid} {
        if {![info exists base($uid)]} {
            return added
        } elseif {![info exists work($uid)]} {
            return deleted
        }
        return [expr {[my changed_columns $table $uid] eq {} ? "same" : "changed"}]
    }

    method changed_columns {table uid} {
        if {![info exists base($uid)] || ![info exists work($uid)]} {
            return {}
        }
        set stored [my carried $table $base($uid)]
        if {$work($uid) eq $stored} {
            return {}
        }
        set list {}
        dict for {column value} $work($uid) {
            if {![dict exists $stored $column] || [dict get $stored $column] ne $value} {
                lappend list $column
            }
        }
        return $list
    }

    # ---- edits ----

    # Adds a row; columns that it lacks get their defaults. Returns its number.
    method add {table row} {
        set uid [incr serial]
        set work($uid) $row
        lappend uids($table) $uid
        my touch
        my bind live $table $uid
        return $uid
    }

    method set {table uid column value} {
        if {![info exists work($uid)]} {
            return
        }
        set old [if {[dict exists $work($uid) $column]} {dict get $work($uid) $column}]
        dict set work($uid) $column $value
        if {$column in {job_name node_id node_name calendar_name semaphore_name}} {
            my touch
        }
        my bind live $table $uid [list $column]
        if {$old ne $value && $column eq [dict get $keys $table]} {
            my carry $table $uid $old
        }
    }

    # Deletes rows, and what goes with them.
    method remove {table rows} {
        set gone [concat [my dependents $table $rows] [lmap uid $rows {list $table $uid}]]
        foreach pair $gone {
            unset -nocomplain work([lindex $pair 1])
        }
        my tidy
    }

    # Rows that are neither stored nor will be are no more.
    method tidy {} {
        foreach table [my tables] {
            set uids($table) [lmap uid $uids($table) {
                if {![my exists $uid]} {
                    unset -nocomplain target($uid)
                    continue
                }
                set uid
            }]
        }
        my touch
    }

    # What goes with rows when they are deleted: a list of {table uid}, dependencies first.
    method dependents {table rows} {
        set rows [lmap uid $rows {
            if {![info exists work($uid)]} continue
            set uid
        }]
        switch -- $table {
            tpl_nodes {
                # a semaphore that some node needs the database refuses to delete
                return [concat [my referring tpl_node_deps tpl_nodes $rows] [my referring tpl_node_semaphores tpl_nodes $rows]]
            }
            tpl_jobs {
                set nodes [my referring tpl_nodes tpl_jobs $rows]
                return [concat [my dependents tpl_nodes [lmap pair $nodes {lindex $pair 1}]] $nodes]
            }
            calendars {
                # where it is a part itself, or a job has it, the database refuses
                set parts [my referring calendar_parts calendars $rows calendar_name]
                return [concat $parts [my referring holidays calendars $rows]]
            }
        }
        return {}
    }

    # Takes back the edits of rows; of a deleted one also the deletion of what it refers to.
    method restore {table rows} {
        set added {}
        foreach uid $rows {
            if {![info exists base($uid)]} {
                lappend added $uid
            } elseif {[info exists work($uid)]} {
                my restore_changed $table $uid
            } else {
                my restore_deleted $table $uid
            }
        }
        my remove $table $added
    }

    method restore_changed {table uid} {
        set key [dict get $keys $table]
        set old [if {[llength $key] == 1} {dict get $work($uid) $key}]
        set work($uid) [my carried $table $base($uid)]
        my bind stored $table $uid
        if {[llength $key] == 1 && $old ne [dict get $work($uid) $key]} {
            my touch
            my carry $table $uid $old
        }
    }

    # No key is another one after this, so that what was worked out from the stored keys still holds.
    method restore_deleted {table uid} {
        set work($uid) [my carried $table $base($uid)]
        my bind stored $table $uid
        foreach {of column to} [my references] {
            if {$of eq $table} {
                set other [dict get $target($uid) $column]
                if {$other ne "" && ![info exists work($other)]} {
                    my restore_deleted $to $other
                }
            }
        }
    }

    method restore_all {} {
        foreach table [my tables] {
            foreach uid $uids($table) {
                unset -nocomplain work($uid)
                if {[info exists base($uid)]} {
                    set work($uid) $base($uid)
                }
            }
        }
        my tidy
        foreach table [my tables] {
            foreach uid $uids($table) {
                my bind stored $table $uid
            }
        }
    }
}
