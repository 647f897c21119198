# client/lib/editor/editor_rows.tcl
#
# What a person does to rows of the template editor: edits that come from the tables, the form and the graph; adding, deleting.
#
# A mixin of editor_window. Constraint: nothing here writes to the database; a key that another row has is the one edit that
# is refused before the database sees it.

oo::class create ::editor_rows {
    variable window changes grids form graph job jobs denied calendar

    # ---- called by grids, form and graph ----

    method selected {table uids} {
        if {$table eq "calendars" && [llength $uids] == 1 && $uids ne $calendar} {
            set calendar [lindex $uids 0]
            my Soon
        }
        if {[my Tab] in [list $table graph]} {
            $form show $table [lindex $uids 0] $changes
        }
    }

    # A person typed a text into a column.
    method edit {table uid name text} {
        if {![$changes exists $uid]} {
            return
        }
        if {[editor::IsNode $table $name]} {
            set text [my NodeId $text]
        }
        set value [editor::Typed [editor::Column $table $name] $text]
        if {$denied eq [list $table $uid $name]} {
            my Forgive
        }
        set other [$changes taken $table $uid $name $value]
        if {$other ne ""} {
            my Deny $table $uid $name $value $other
        } else {
            $changes set $table $uid $name $value
        }
        my Soon
    }

    # A key that another row has would be refused in the end, and meanwhile nobody could tell the two apart.
    method Deny {table uid name value other} {
        set denied [list $table $uid $name]
        my Say "There is [$changes name $table $other] already." "The edit of [$changes name $table $uid] is not kept:\
            $name \u201c$value\u201d. Give it another one, or edit the other row first."
        [dict get $grids $table] refuse [list $uid]
    }

    # "Name (12)" or "12" as the id.
    method NodeId {text} {
        if {[regexp {\((\d+)\)\s*$} $text - id]} {
            return $id
        }
        return $text
    }

    # What may be chosen for a column; {} when anything may be typed.
    method choices {table name} {
        switch -- $table.$name {
            tpl_nodes.node_type {return {N S L R E}}
            tpl_nodes.job_name {return $jobs}
            tpl_nodes.exec_sql_atomic - tpl_nodes.repeatable {return {true false}}
            tpl_nodes.join_rule {return {all any}}
            tpl_nodes.on_failure {return {ask abandon}}
            tpl_node_deps.condition {return {success done failure well}}
            tpl_node_deps.p_node_id - tpl_node_deps.c_node_id - tpl_node_semaphores.node_id {return [my node_choices]}
            tpl_node_semaphores.semaphore_name {return [my Names semaphores semaphore_name]}
            tpl_jobs.executor - tpl_nodes.executor {return [concat local [my Names executors executor_name]]}
            tpl_jobs.catch_up {return {all latest none ask}}
            tpl_jobs.paused - holidays.open {return {true false}}
            calendars.move_rule {return {drop following preceding modified_following modified_preceding}}
            calendar_parts.operation {return {and or not}}
            tpl_jobs.calendar_name - calendars.of_calendar - calendar_parts.calendar_name - calendar_parts.part_name -
            holidays.calendar_name {return [my Names calendars calendar_name]}
        }
        return {}
    }

    # What the rows of a table are called.
    method Names {table column} {
        return [lsort -dictionary [lmap uid [$changes rows $table] {dict get [$changes get $table $uid] $column}]]
    }

    method node_choices {} {
        return [lsort -dictionary [lmap uid [$changes rows tpl_nodes] {
            $changes node_name [dict get [$changes get tpl_nodes $uid] node_id]
        }]]
    }

    method edit_in_form {name} {
        $form focus_on $name
    }

    # ---- adding and deleting ----

    method add {} {
        set table [my Tab]
        if {![dict exists $grids $table]} {
            return
        }
        my Flush
        if {$table eq "tpl_node_deps"} {
            editor_edge::show $window [my node_choices] "" "" [namespace code {my add_edge}]
            return
        }
        set uid [$changes add $table [my NewRow $table]]
        my refresh
        [dict get $grids $table] select $uid
        $form show $table $uid $changes
        $form focus_on [dict get {tpl_nodes node_name tpl_jobs job_name environs var calendars calendar_name
            calendar_parts part_name holidays holiday semaphores semaphore_name tpl_node_semaphores units
            executors executor_name} $table]
    }

    method NewRow {table} {
        switch -- $table {
            environs {return [dict create var "" value ""]}
            tpl_jobs {return [dict create job_name "" job_desc [db::null]]}
            calendars {return [dict create calendar_name "" calendar_desc [db::null]]}
            calendar_parts {
                return [dict create calendar_name [my CalendarName] position [my NextPosition] operation or part_name ""]
            }
            holidays {return [dict create calendar_name [my CalendarName] holiday "" holiday_name [db::null] open false]}
            semaphores {return [dict create semaphore_name "" capacity 1]}
            executors {return [dict create executor_name "" start_command ""]}
            tpl_node_semaphores {
                return [dict create node_id [my Chosen tpl_nodes node_id] semaphore_name [my Chosen semaphores semaphore_name] \
                    units 1]
            }
        }
        set name $job
        if {$name eq ""} {
            set name [my Chosen tpl_nodes job_name [lindex $jobs 0]]
        }
        return [dict create node_id [$changes free_id $name] node_type N job_name $name node_name "" exec_command [db::null] \
            signoff_time [db::null]]
    }

    # A column of the row that is selected in a table; without one something else.
    method Chosen {table column {otherwise ""}} {
        set uid [lindex [[dict get $grids $table] selection] 0]
        return [if {$uid ne ""} {dict get [$changes get $table $uid] $column} else {set otherwise}]
    }

    # Behind all parts of the chosen calendar.
    method NextPosition {} {
        set last 0
        foreach uid [$changes rows calendar_parts] {
            set row [$changes get calendar_parts $uid]
            if {[dict get $row calendar_name] eq [my CalendarName] && [string is integer -strict [dict get $row position]]} {
                set last [expr {max($last, [dict get $row position])}]
            }
        }
        return [expr {$last + 1}]
    }

    # A dependency drawn on the graph or chosen in the dialog.
    method add_edge {parent p_date child c_date {condition success}} {
        set uid [$changes add tpl_node_deps [dict create p_node_id [my NodeId $parent] p_date $p_date \
            c_node_id [my NodeId $child] c_date $c_date condition $condition]]
        my refresh
        [dict get $grids tpl_node_deps] select $uid
    }

    method delete {} {
        my Flush
        set table [my Tab]
        if {$table eq "graph"} {
            lassign [$graph chosen] table uids
        } elseif {![dict exists $grids $table]} {
            return
        } else {
            set uids [[dict get $grids $table] selection]
        }
        set uids [lmap uid $uids {
            if {[$changes status $table $uid] eq "deleted"} continue
            set uid
        }]
        if {$uids ne {}} {
            my ConfirmDelete $table $uids
        }
    }

    # Says what goes along before anything goes.
    method ConfirmDelete {table uids} {
        set along [$changes dependents $table $uids]
        set lines [lmap pair [lrange $along 0 11] {string cat "\u2022 " [$changes name {*}$pair]}]
        if {[llength $along] > 12} {
            lappend lines "\u2022 and [expr {[llength $along] - 12}] more"
        }
        set what [expr {[llength $uids] == 1 ? [$changes name $table [lindex $uids 0]] : "these [llength $uids] rows"}]
        set detail [expr {$lines eq {} ? "Nothing else goes with it." : "With it go:\n[join $lines \n]"}]
        append detail "\nNothing is deleted before you apply your changes. Days that exist keep their copies."
        dialog::ask $window "Delete" "Delete $what?" $detail "Delete" [list late::call [self] Delete $table $uids]
    }

    method Delete {table uids} {
        $changes remove $table $uids
        my refresh
    }

    method show_row {table uid} {
        set tab [my Around $table]
        $window.panes.upper.tabs select $window.panes.upper.tabs.[expr {$tab eq "" ? $table : $tab}]
        if {$tab eq "business"} {
            my ShowCalendarOf $table $uid
        }
        if {$tab ne ""} {
            [my Pages $tab] select [my Pages $tab].$table
        }
        [dict get $grids $table] select $uid
    }
}

