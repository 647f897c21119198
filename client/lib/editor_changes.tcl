# client/lib/editor_changes.tcl
#
# What a person has changed in the templates and not yet applied.
#
# Pure: rows and edits in, words and SQL out; no window, no database.  Every row
# has a number of its own (uid), because its key may be edited too.  A key that
# other rows refer to takes these along, as the foreign keys do (ON UPDATE
# CASCADE): they are not changes of their own.

oo::class create editor_changes {
    mixin editor_statements
    variable keys base work uids serial null renames called

    # null: the value that stands for NULL
    constructor {null_value} {
        set null $null_value
        set serial 0
        set keys {environs var tpl_jobs job_name tpl_nodes node_id tpl_node_deps {p_node_id p_date c_node_id c_date}}
        foreach table [dict keys $keys] {
            set uids($table) {}
        }
        array set base {}
        array set work {}
        my touch
    }

    # Forgets what was worked out from the rows.
    method touch {} {
        set renames {}
        set called {}
    }

    method tables {} {
        return [dict keys $keys]
    }

    method key_columns {table} {
        return [dict get $keys $table]
    }

    # ---- rows ----

    # What is stored in a table, as dicts.  Edits that were not applied stay, on
    # top of what is stored now.
    method load {table rows} {
        my touch
        set known {}
        foreach uid $uids($table) {
            if {[info exists base($uid)]} {
                dict set known [my key_of $table $base($uid)] $uid
            }
        }
        set kept {}
        foreach row $rows {
            set key [my key_of $table $row]
            if {[dict exists $known $key]} {
                set uid [dict get $known $key]
                dict unset known $key
                my rebase $table $uid $row
            } else {
                set uid [incr serial]
                set work($uid) $row
            }
            set base($uid) $row
            lappend kept $uid
        }
        foreach uid [dict values $known] {
            unset base($uid)
            unset -nocomplain work($uid)
        }
        set added [lmap uid $uids($table) {
            if {[info exists base($uid)] || ![info exists work($uid)]} continue
            set uid
        }]
        set uids($table) [concat $kept $added]
    }

    # A stored row that may have changed under an edit.
    method rebase {table uid row} {
        if {![info exists work($uid)]} {
            return
        }
        set edited [my changed_columns $table $uid]
        dict for {column value} $row {
            if {$column ni $edited} {
                dict set work($uid) $column $value
            }
        }
    }

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

    method exists {table uid} {
        return [expr {$uid in $uids($table)}]
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
        if {$work($uid) eq $base($uid) && [my carried $table $base($uid)] eq $base($uid)} {
            return {}
        }
        set stored [my carried $table $base($uid)]
        set list {}
        dict for {column value} $work($uid) {
            if {![dict exists $stored $column] || [dict get $stored $column] ne $value} {
                lappend list $column
            }
        }
        return $list
    }

    # A stored row, with the keys that it refers to as they will be.
    method carried {table row} {
        foreach {of column to} {tpl_nodes job_name tpl_jobs tpl_node_deps p_node_id tpl_nodes tpl_node_deps c_node_id tpl_nodes} {
            if {$of eq $table} {
                set renamed [my renamed $to]
                if {[dict exists $renamed [dict get $row $column]]} {
                    dict set row $column [dict get $renamed [dict get $row $column]]
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

    # ---- edits ----

    # Adds a row; columns that it lacks get their defaults.  Returns its number.
    method add {table row} {
        my touch
        set uid [incr serial]
        set work($uid) $row
        lappend uids($table) $uid
        return $uid
    }

    method set {table uid column value} {
        if {![info exists work($uid)]} {
            return
        }
        my touch
        set old [if {[dict exists $work($uid) $column]} {dict get $work($uid) $column}]
        dict set work($uid) $column $value
        if {$old ne "" && $old ne $value} {
            my carry $table $column $old $value
        }
    }

    # Rows that refer to a key follow it.
    method carry {table column old new} {
        foreach {to key of reference} {tpl_jobs job_name tpl_nodes job_name tpl_nodes node_id tpl_node_deps p_node_id
                tpl_nodes node_id tpl_node_deps c_node_id} {
            if {$to ne $table || $key ne $column} continue
            foreach uid $uids($of) {
                if {[info exists work($uid)] && [dict get $work($uid) $reference] eq $old} {
                    dict set work($uid) $reference $new
                }
            }
        }
    }

    # Deletes a row, and what goes with it.
    method remove {table uid} {
        foreach pair [my dependents $table $uid] {
            my remove_one {*}$pair
        }
        my remove_one $table $uid
    }

    method remove_one {table uid} {
        my touch
        unset -nocomplain work($uid)
        if {![info exists base($uid)]} {
            set uids($table) [lsearch -all -inline -not -exact $uids($table) $uid]
        }
    }

    # What goes with a row when it is deleted: a list of {table uid}, dependencies first.
    method dependents {table uid} {
        if {![info exists work($uid)] || $table ni {tpl_jobs tpl_nodes}} {
            return {}
        }
        if {$table eq "tpl_nodes"} {
            return [my edges_of [dict create [dict get $work($uid) node_id] 1]]
        }
        set job [dict get $work($uid) job_name]
        set ids {}
        set nodes {}
        foreach node $uids(tpl_nodes) {
            if {[info exists work($node)] && [dict get $work($node) job_name] eq $job} {
                dict set ids [dict get $work($node) node_id] 1
                lappend nodes [list tpl_nodes $node]
            }
        }
        return [concat [my edges_of $ids] $nodes]
    }

    # Dependencies that have an end among some nodes (a dict of their ids).
    method edges_of {ids} {
        set list {}
        foreach edge $uids(tpl_node_deps) {
            if {[info exists work($edge)] && ([dict exists $ids [dict get $work($edge) p_node_id]]
                    || [dict exists $ids [dict get $work($edge) c_node_id]])} {
                lappend list [list tpl_node_deps $edge]
            }
        }
        return $list
    }

    # Takes back the edits of a row; of a deleted one also the deletion of what it refers to.
    method restore {table uid} {
        if {![info exists base($uid)]} {
            my remove $table $uid
            return
        }
        if {[info exists work($uid)]} {
            foreach column [my changed_columns $table $uid] {
                my set $table $uid $column [dict get [my carried $table $base($uid)] $column]
            }
            return
        }
        my touch
        set work($uid) [my carried $table $base($uid)]
        foreach {of column to key} {tpl_nodes job_name tpl_jobs job_name tpl_node_deps p_node_id tpl_nodes node_id
                tpl_node_deps c_node_id tpl_nodes node_id} {
            if {$of eq $table} {
                my restore_key $to $key [dict get $base($uid) $column]
            }
        }
    }

    method restore_key {table column value} {
        foreach uid $uids($table) {
            if {![info exists work($uid)] && [dict get $base($uid) $column] eq $value} {
                my restore $table $uid
            }
        }
    }

    method restore_all {} {
        my touch
        foreach table [my tables] {
            set kept {}
            foreach uid $uids($table) {
                if {[info exists base($uid)]} {
                    set work($uid) $base($uid)
                    lappend kept $uid
                } else {
                    unset -nocomplain work($uid)
                }
            }
            set uids($table) $kept
        }
    }

    # All has been applied: what is stored has to be loaded again.
    method forget {} {
        my touch
        foreach table [my tables] {
            foreach uid $uids($table) {
                unset -nocomplain base($uid)
                unset -nocomplain work($uid)
            }
            set uids($table) {}
        }
    }

    # ---- names ----

    method node_name {id} {
        my learn_names
        return [expr {[dict exists $called $id] ? "[lindex [dict get $called $id] 0] ($id)" : $id}]
    }

    method job_of {id} {
        my learn_names
        return [if {[dict exists $called $id]} {lindex [dict get $called $id] 1}]
    }

    # node_id -> {name job}
    method learn_names {} {
        if {$called eq {}} {
            foreach uid $uids(tpl_nodes) {
                set row [my get tpl_nodes $uid]
                dict set called [dict get $row node_id] [list [dict get $row node_name] [dict get $row job_name]]
            }
        }
    }

    # A number for a new node: the next ten after those of its job that no node has.
    method free_id {job} {
        my learn_names
        set last 0
        dict for {id pair} $called {
            if {[string is entier -strict $id] && ($job eq "" || [lindex $pair 1] eq $job)} {
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
