# client/lib/editor/editor_beneath.tcl
#
# What the database has, beneath the edits: taking what was read, and what was applied. A mixin of editor_changes; pure.
#
# Constraint: no edit is ever lost by either. What was edited while Apply was under way, or while the tables were being read,
# stays an edit, on top of what is stored now; an edit of a row that is no longer there is a new row.

oo::class create ::editor_beneath {
    variable keys base work uids serial default target

    # What is stored in a table, as dicts. Returns the rows that were edited here and are no longer there.
    method load {table rows} {
        my touch
        set known [dict create]
        foreach uid $uids($table) {
            if {[info exists base($uid)]} {
                dict set known [my key_of $table $base($uid)] $uid
            }
        }
        set gone $known
        foreach row $rows {
            dict unset gone [my key_of $table $row]
        }
        set orphans [my orphan $table [dict values $gone]]
        set mine [my unstored $table]
        set kept {}
        foreach row $rows {
            set key [my key_of $table $row]
            if {[dict exists $known $key]} {
                set uid [dict get $known $key]
            } elseif {[dict exists $mine $key] && [my agrees [dict get $mine $key] $row]} {
                # added here, and it is there: the answer to its Apply was lost
                set uid [dict get $mine $key]
                set orphans [lsearch -all -inline -not -exact $orphans $uid]
                set base($uid) [dict merge $row $work($uid)]
            } else {
                set uid [incr serial]
            }
            my lay $table $uid $row
            lappend kept $uid
        }
        set uids($table) [concat $kept [lmap uid $uids($table) {
            if {[info exists base($uid)] || ![info exists work($uid)]} continue
            set uid
        }]]
        my touch
        my bind_within $table
        return $orphans
    }

    # References of a table to itself: when its rows were read, not all of those that they mean were there.
    method bind_within {table} {
        foreach {of column to} [my references] {
            if {$of ne $table || $to ne $table} continue
            foreach uid $uids($table) {
                if {[info exists base($uid)] && [info exists work($uid)] && $column ni [my changed_columns $table $uid]} {
                    my bind stored $table $uid [list $column]
                }
            }
        }
    }

    # Rows that are no longer there: the edited ones are new rows from now on, the others are gone. Returns the former.
    method orphan {table rows} {
        set edited [lmap uid $rows {
            if {[my changed_columns $table $uid] eq {}} continue
            set uid
        }]
        foreach uid $rows {
            unset base($uid)
            if {$uid ni $edited} {
                unset -nocomplain work($uid) target($uid)
            }
        }
        return $edited
    }

    # Key -> row, of the rows that are not stored and have a whole key.
    method unstored {table} {
        set map [dict create]
        foreach uid $uids($table) {
            if {[info exists base($uid)] || ![info exists work($uid)]} continue
            set key [lmap column [dict get $keys $table] {
                if {![dict exists $work($uid) $column]} continue
                dict get $work($uid) $column
            }]
            if {[llength $key] == [llength [dict get $keys $table]]} {
                dict set map $key $uid
            }
        }
        return $map
    }

    # Has a stored row all that a row here says?
    method agrees {uid row} {
        dict for {column value} $work($uid) {
            if {$value ne $default && [dict get $row $column] ne $value} {
                return 0
            }
        }
        return 1
    }

    # Lays a stored row beneath the edits of it.
    method lay {table uid row} {
        if {![info exists base($uid)]} {
            set base($uid) $row
            set work($uid) [my carried $table $row]
            my bind stored $table $uid
            return
        }
        if {![info exists work($uid)]} {
            set base($uid) $row
            return
        }
        set edited [my changed_columns $table $uid]
        set base($uid) $row
        set columns {}
        dict for {column value} [my carried $table $row] {
            if {$column ni $edited} {
                dict set work($uid) $column $value
                lappend columns $column
            }
        }
        my bind stored $table $uid $columns
    }

    # ---- what was applied ----

    # The edits of this moment, for applied: row -> table and the row as it will be ({} for a deleted one); and the new keys.
    method snapshot {} {
        set rows [dict create]
        foreach edit [my pending] {
            lassign $edit status table uid
            dict set rows $uid [list $table [if {$status ne "deleted"} {set work($uid)}]]
        }
        set renamed [dict create]
        foreach table {calendars semaphores tpl_jobs tpl_nodes} {
            dict set renamed $table [my renamed $table]
        }
        return [list $rows $renamed]
    }

    # The edits of a snapshot are stored now; what has been edited since is on top of them.
    method applied {snapshot} {
        lassign $snapshot rows renamed
        foreach table {calendars calendar_parts holidays tpl_jobs tpl_nodes tpl_node_deps tpl_node_semaphores} {
            foreach uid $uids($table) {
                if {[info exists base($uid)]} {
                    set base($uid) [my carried $table $base($uid) $renamed]
                }
            }
        }
        dict for {uid pair} $rows {
            lassign $pair table row
            if {$row eq {}} {
                unset -nocomplain base($uid)
                continue
            }
            if {![my exists $uid]} {
                # added, and deleted since
                lappend uids($table) $uid
            }
            set base($uid) $row
        }
        my tidy
    }

}
