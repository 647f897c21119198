# client/lib/editor.tcl
#
# The template editor: jobs, nodes, dependencies and variables in tables, the row that is selected in a form, the
# dependencies as a graph too; below, what has been edited and is not applied yet.
#
# Constraint: edits are gathered here and applied in one transaction. The database judges them: what it refuses is shown
# in its own words at the row that it refused, and all edits are still there to be mended.

namespace eval ::editor {
    variable window .editor
}

# Open the editor, or bring it up.
proc ::editor::show {} {
    variable window
    if {![offered]} {
        dialog::error . "You may not write templates." "That needs membership in josch_author."
        return
    }
    if {![winfo exists $window]} {
        ::editor_window create ::editor::main $window
    }
    wm deiconify $window
    raise $window
    focus $window
}

oo::class create ::editor_window {
    mixin ::editor_apply
    variable window changes grids form graph tabs job jobs search comment loading places applied

    constructor {path} {
        set window $path
        set changes [editor_changes new [db::null]]
        set tabs {tpl_nodes Nodes tpl_node_deps Dependencies tpl_jobs Jobs environs Variables}
        lassign {} grids jobs
        lassign {"" "" "" 0} search comment graph loading
        array set places {}
        set job "All jobs"
        toplevel $window -class JoschEditor
        wm title $window "Templates \u2013 JOSCH"
        wm minsize $window 820 520
        wm geometry $window [theme::geometry 1180 760]
        wm protocol $window WM_DELETE_WINDOW [namespace code {my Close}]
        bind $window <Destroy> [namespace code {my Gone %W}]
        theme::dress $window
        db::query [editor::ColumnsSql] [list late::call [self] TakeColumns]
    }

    destructor {
        $changes destroy
        foreach {table grid} $grids {
            $grid destroy
        }
        if {$graph ne ""} {
            $graph destroy
        }
    }

    method Gone {widget} {
        if {$widget eq $window} {
            my destroy
        }
    }

    method Close {} {
        $form flush
        set count [llength [$changes pending]]
        if {$count == 0} {
            destroy $window
            return
        }
        dialog::ask $window "Close the editor?" "Close the editor without applying [my Count $count change]?" \
            "They are listed at the bottom of the window." "Close" [list destroy $window]
    }

    method Count {n word} {
        return "$n $word[expr {$n == 1 ? "" : "s"}]"
    }

    # ---- the window ----

    method TakeColumns {result} {
        if {![dict get $result ok]} {
            dialog::error $window {*}[editor::Refusal $result ""]
            destroy $window
            return
        }
        editor::LearnColumns [dict get $result rows]
        my Build
        my reload
    }

    method Build {} {
        ttk::panedwindow $window.panes -orient vertical
        ttk::panedwindow $window.panes.upper -orient horizontal
        ttk::notebook $window.panes.upper.tabs
        foreach {table label} $tabs {
            set grid [editor_grid new $window.panes.upper.tabs.$table $table $changes [self]]
            lappend grids $table $grid
            $window.panes.upper.tabs add [$grid widget] -text $label
        }
        set graph [editor_graph new $window.panes.upper.tabs.graph $changes [self]]
        $window.panes.upper.tabs add [$graph widget] -text Graph
        ttk::notebook::enableTraversal $window.panes.upper.tabs
        set form [editor_form new $window.panes.upper.form [self]]
        $window.panes.upper add $window.panes.upper.tabs -weight 1
        $window.panes.upper add $window.panes.upper.form -weight 0
        $window.panes add $window.panes.upper -weight 1
        $window.panes add [my BuildChanges $window.panes.changes] -weight 0
        my BuildTop
        pack $window.top -fill x -padx [theme::px 10] -pady [theme::px 8]
        pack $window.panes -fill both -expand 1 -padx [theme::px 10] -pady [theme::px 0 10]
        bind $window.panes.upper.tabs <<NotebookTabChanged>> [namespace code {my TabChanged}]
        bind $window <F5> [namespace code {my reload}]
        bind $window <Control-f> [list focus $window.top.search]
        bind $window <Control-Return> [namespace code {my apply}]
    }

    method BuildTop {} {
        set top [ttk::frame $window.top]
        ttk::label $top.job_label -text "Job"
        ttk::combobox $top.job -width 22 -state readonly -textvariable [my varname job]
        ttk::label $top.search_label -text "Search"
        ttk::entry $top.search -width 20 -textvariable [my varname search]
        ttk::button $top.add -text "Add" -command [namespace code {my add}]
        ttk::button $top.delete -text "Delete\u2026" -command [namespace code {my delete}]
        ttk::button $top.schedule -text "Schedule a Day\u2026" -command [list editor_schedule::show $window]
        ttk::button $top.export -text "Export\u2026" -command [list editor_files::show_export $window]
        ttk::button $top.import -text "Import\u2026" -command [list editor_files::show_import $window [namespace code {my reload}]]
        ttk::button $top.reload -text "Read Again" -command [namespace code {my reload}]
        set gap [theme::px 6 0]
        grid $top.job_label $top.job $top.search_label $top.search $top.add $top.delete x \
            $top.reload $top.import $top.export $top.schedule -padx $gap -sticky ew
        grid configure $top.job_label -padx 0
        grid configure $top.search_label -padx [theme::px 14 0]
        # where the line is too short, the search gives way
        grid columnconfigure $top 3 -weight 1
        grid columnconfigure $top 6 -weight 1000
        bind $top.job <<ComboboxSelected>> [namespace code {my refresh}]
        bind $top.search <KeyRelease> [namespace code {my Searching}]
    }

    method Searching {} {
        workq::add [list late::call [self] refresh] [self]-refresh
    }

    method TabChanged {} {
        set name [my Tab]
        $window.top.add state [expr {$name eq "graph" ? "disabled" : "!disabled"}]
        if {$name eq "graph"} {
            $graph refresh [my Job]
        } else {
            $form show $name [lindex [[dict get $grids $name] selection] 0] $changes
        }
    }

    # The table of the tab that is shown, or graph.
    method Tab {} {
        return [winfo name [$window.panes.upper.tabs select]]
    }

    # The chosen job, "" for all.
    method Job {} {
        return [if {$job eq "All jobs"} {string cat ""} else {set job}]
    }

    # ---- rows ----

    # Read everything again; what is edited stays.
    method reload {} {
        if {$loading || ![winfo exists $window.panes]} {
            return
        }
        set loading 1
        set tables {tpl_jobs tpl_nodes tpl_node_deps environs}
        editor::Transaction [lmap table $tables {editor::RowsSql $table}] COMMIT \
            [list late::call [self] TakeRows $tables]
    }

    method TakeRows {tables result} {
        set loading 0
        if {![dict get $result ok]} {
            my Say {*}[editor::Refusal $result "a row"]
            return
        }
        if {$applied} {
            $changes forget
            set applied 0
        }
        foreach table $tables answer [dict get $result results] {
            $changes load $table [editor::RowDicts $table $answer]
        }
        my refresh
    }

    # Show everything as it is now.
    method refresh {} {
        if {![winfo exists $window.panes]} {
            return
        }
        set jobs [lsort -dictionary [lmap uid [$changes rows tpl_jobs] {dict get [$changes get tpl_jobs $uid] job_name}]]
        $window.top.job configure -values [concat [list "All jobs"] $jobs]
        if {[my Job] ne "" && [my Job] ni $jobs} {
            set job "All jobs"
        }
        foreach {table grid} $grids {
            $grid refresh [my Filter $table]
        }
        if {[my Tab] eq "graph"} {
            $graph refresh [my Job]
        }
        my show_changes
        my ShowForm
    }

    method ShowForm {} {
        set name [my Tab]
        if {$name ne "graph"} {
            $form show $name [lindex [[dict get $grids $name] selection] 0] $changes
        }
    }

    # A command that says whether a row is shown; {} when all are.
    method Filter {table} {
        if {[my Job] eq "" && [string trim $search] eq ""} {
            return {}
        }
        return [namespace code [list my Passes $table]]
    }

    method Passes {table row} {
        set wanted [my Job]
        if {$wanted ne "" && $table ne "environs" && $wanted ni [my JobsOf $table $row]} {
            return 0
        }
        set text [string tolower [join [lmap value [dict values $row] {editor::Shown $value}] \t]]
        if {$table eq "tpl_node_deps"} {
            foreach end {p_node_id c_node_id} {
                append text \t [string tolower [$changes node_name [dict get $row $end]]]
            }
        }
        foreach word [string tolower $search] {
            if {[string first $word $text] < 0} {
                return 0
            }
        }
        return 1
    }

    method JobsOf {table row} {
        if {$table ne "tpl_node_deps"} {
            return [list [dict get $row job_name]]
        }
        return [lmap end {p_node_id c_node_id} {$changes job_of [dict get $row $end]}]
    }

    # ---- called by grids, form and graph ----

    method selected {table uids} {
        if {[my Tab] in [list $table graph]} {
            $form show $table [lindex $uids 0] $changes
        }
    }

    # A person typed a text into a column.
    method edit {table uid name text} {
        if {![$changes exists $table $uid]} {
            return
        }
        if {$table eq "tpl_node_deps" && $name in {p_node_id c_node_id}} {
            set text [my NodeId $text]
        }
        $changes set $table $uid $name [editor::Typed [editor::Column $table $name] $text]
        workq::add [list late::call [self] refresh] [self]-refresh
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
            tpl_nodes.node_type {return {N S L R}}
            tpl_nodes.job_name {return $jobs}
            tpl_nodes.exec_sql_atomic {return {true false}}
            tpl_node_deps.p_node_id - tpl_node_deps.c_node_id {return [my node_choices]}
        }
        return {}
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
        if {$table eq "graph"} {
            return
        }
        if {$table eq "tpl_node_deps"} {
            editor_edge::show $window [my node_choices] "" "" [namespace code {my add_edge}]
            return
        }
        set uid [$changes add $table [my NewRow $table]]
        my refresh
        [dict get $grids $table] select $uid
        $form show $table $uid $changes
        $form focus_on [dict get {tpl_nodes node_name tpl_jobs job_name environs var} $table]
    }

    method NewRow {table} {
        switch -- $table {
            environs {return [dict create var "" value ""]}
            tpl_jobs {return [dict create job_name "" job_desc [db::null]]}
        }
        set name [my Job]
        if {$name eq ""} {
            set uid [lindex [[dict get $grids tpl_nodes] selection] 0]
            set name [if {$uid ne ""} {dict get [$changes get tpl_nodes $uid] job_name} else {lindex $jobs 0}]
        }
        return [dict create node_id [$changes free_id $name] node_type N job_name $name node_name "" exec_command [db::null] \
            signoff_time [db::null]]
    }

    # A dependency drawn on the graph or chosen in the dialog.
    method add_edge {parent p_date child c_date} {
        set uid [$changes add tpl_node_deps [dict create p_node_id [my NodeId $parent] p_date $p_date \
            c_node_id [my NodeId $child] c_date $c_date]]
        my refresh
        [dict get $grids tpl_node_deps] select $uid
    }

    method delete {} {
        set table [my Tab]
        if {$table eq "graph"} {
            lassign [$graph chosen] table uids
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
        set names [lmap uid $uids {$changes name $table $uid}]
        set along {}
        foreach uid $uids {
            foreach pair [$changes dependents $table $uid] {
                dict set along $pair 1
            }
        }
        set lines [lmap pair [lrange [dict keys $along] 0 11] {string cat "\u2022 " [$changes name {*}$pair]}]
        if {[dict size $along] > 12} {
            lappend lines "\u2022 and [expr {[dict size $along] - 12}] more"
        }
        set what [expr {[llength $names] == 1 ? [lindex $names 0] : "these [llength $names] rows"}]
        set detail [expr {$lines eq {} ? "Nothing else goes with it." : "With it go:\n[join $lines \n]"}]
        append detail "\nNothing is deleted before you apply your changes. Days that exist keep their copies."
        dialog::ask $window "Delete" "Delete $what?" $detail "Delete" [list late::call [self] Delete $table $uids]
    }

    method Delete {table uids} {
        foreach uid $uids {
            $changes remove $table $uid
        }
        my refresh
    }

    method show_row {table uid} {
        $window.panes.upper.tabs select $window.panes.upper.tabs.$table
        [dict get $grids $table] select $uid
    }
}

