# client/lib/editor/editor_references.tcl
#
# Which row of the templates refers to which, and what rows are called. A mixin of editor_changes; pure.
#
# Constraint: a reference is kept as the row that it means (its number), not as the key that is written in it: a key that is
# mistyped on its way to another one may for a moment be that of another row, whose references are not to follow.

oo::class create ::editor_references {
    variable keys base work uids renames called lookup target

    # table, column, and the table whose key that column holds; an executor that is named cannot be renamed
    method references {} {
        return {
            tpl_nodes job_name tpl_jobs tpl_node_deps p_node_id tpl_nodes tpl_node_deps c_node_id tpl_nodes
            calendars of_calendar calendars calendar_parts calendar_name calendars calendar_parts part_name calendars
            holidays calendar_name calendars tpl_jobs calendar_name calendars
            tpl_node_semaphores node_id tpl_nodes tpl_node_semaphores semaphore_name semaphores
        }
    }

    # Forgets what was worked out from the rows.
    method touch {} {
        set renames {}
        set called {}
        set lookup {}
    }

    # Key -> row, of the rows as they are stored, or as they will be (live), of a table with a key of one column.
    method by_key {which table} {
        if {![dict exists $lookup $which $table]} {
            set column [dict get $keys $table]
            set map [dict create]
            foreach uid $uids($table) {
                if {$which eq "stored" ? [info exists base($uid)] : [info exists work($uid)]} {
                    set row [expr {$which eq "stored" ? $base($uid) : $work($uid)}]
                    dict set map [dict get $row $column] $uid
                }
            }
            dict set lookup $which $table $map
        }
        return [dict get $lookup $which $table]
    }

    # The row that will have a key, other than this one; "" for none.
    method taken {table uid column value} {
        if {[dict get $keys $table] ne $column || $value eq ""} {
            return ""
        }
        foreach other $uids($table) {
            if {$other ne $uid && [info exists work($other)] && [dict get $work($other) $column] eq $value} {
                return $other
            }
        }
        return ""
    }

    # Learns which rows a row refers to, by the keys in it; stored: by those in the row as it is stored.
    method bind {which table uid {only {}}} {
        foreach {of column to} [my references] {
            if {$of ne $table || ($only ne {} && $column ni $only)} continue
            set row [expr {$which eq "stored" ? $base($uid) : $work($uid)}]
            set map [my by_key $which $to]
            set known [expr {[dict exists $row $column] && [dict exists $map [dict get $row $column]]}]
            dict set target($uid) $column [if {$known} {dict get $map [dict get $row $column]}]
        }
    }

    # Does a row mean another one in a column? One that met none when it was written means the first that gets the key.
    method means {uid column other key} {
        set meant [dict get $target($uid) $column]
        return [expr {$meant eq $other || ($meant eq "" && $key ne "" && [dict exists $work($uid) $column]
            && [dict get $work($uid) $column] eq $key)}]
    }

    # Rows that refer to one whose key was changed follow it.
    method carry {table uid old} {
        set new [dict get $work($uid) [dict get $keys $table]]
        foreach {of column to} [my references] {
            if {$to ne $table} continue
            foreach other $uids($of) {
                if {[info exists work($other)] && [my means $other $column $uid $old]} {
                    dict set work($other) $column $new
                    dict set target($other) $column $uid
                }
            }
        }
    }

    # Rows of a table that refer to some rows of another, or do in one column: a list of {table uid}.
    method referring {of to others {only ""}} {
        set wanted [dict create]
        set by [dict create]
        foreach other $others {
            dict set wanted $other 1
            dict set by [dict get $work($other) [dict get $keys $to]] 1
        }
        set list {}
        foreach uid $uids($of) {
            if {![info exists work($uid)]} continue
            foreach {table column meant} [my references] {
                if {$table ne $of || $meant ne $to || $only ni [list "" $column]} continue
                set other [dict get $target($uid) $column]
                if {$other eq "" ? [dict exists $by [dict get $work($uid) $column]] : [dict exists $wanted $other]} {
                    lappend list [list $of $uid]
                    break
                }
            }
        }
        return $list
    }

    # A stored row, with the keys that it refers to as they will be; renamed: table -> old key -> new key, of a former moment.
    method carried {table row {renamed ""}} {
        foreach {of column to} [my references] {
            if {$of eq $table} {
                set map [expr {$renamed eq "" ? [my renamed $to] : [dict get $renamed $to]}]
                if {[dict exists $row $column] && [dict exists $map [dict get $row $column]]} {
                    dict set row $column [dict get $map [dict get $row $column]]
                }
            }
        }
        return $row
    }

    # Old key -> new key, of the rows whose key was edited.
    method renamed {table} {
        if {[dict exists $renames $table]} {
            return [dict get $renames $table]
        }
        set column [dict get $keys $table]
        set map {}
        foreach uid $uids($table) {
            if {[info exists base($uid)] && [info exists work($uid)]} {
                set old [dict get $base($uid) $column]
                set new [dict get $work($uid) $column]
                if {$old ne $new} {
                    dict set map $old $new
                }
            }
        }
        dict set renames $table $map
        return $map
    }

    # ---- names ----

    # "Name (id)", or the id alone when there is no such node.
    method node_name {id} {
        my learn_names
        return [expr {[dict exists $called $id] ? "[dict get $called $id name] ($id)" : $id}]
    }

    # The name alone.
    method title {id} {
        my learn_names
        return [expr {[dict exists $called $id] ? [dict get $called $id name] : $id}]
    }

    # The row of a node; "" when there is none.
    method node_uid {id} {
        my learn_names
        return [if {[dict exists $called $id]} {dict get $called $id uid}]
    }

    method job_of {id} {
        my learn_names
        return [if {[dict exists $called $id]} {dict get $called $id job}]
    }

    # node_id -> name, job and row; a node that will be deleted has its number only while no other has it.
    method learn_names {} {
        if {$called ne {}} {
            return
        }
        foreach uid $uids(tpl_nodes) {
            set row [my get tpl_nodes $uid]
            set id [dict get $row node_id]
            if {[info exists work($uid)] || ![dict exists $called $id]} {
                dict set called $id [dict create name [dict get $row node_name] job [dict get $row job_name] uid $uid]
            }
        }
    }

    # A number for a new node: the next ten after those of its job that no node has.
    method free_id {job} {
        my learn_names
        set last 0
        dict for {id node} $called {
            if {[string is entier -strict $id] && ($job eq "" || [dict get $node job] eq $job)} {
                set last [expr {max($last, $id)}]
            }
        }
        set id [expr {($last / 10 + 1) * 10}]
        while {[dict exists $called $id]} {
            incr id 10
        }
        return $id
    }
}
