# client/lib/editor/editor.tcl
#
# The template editor: jobs, nodes, dependencies and variables in tables, the row that is selected in a form, the
# dependencies as a graph too; below, what has been edited and is not applied yet.
#
# Constraint: edits are gathered here and applied in one transaction. The database judges them: what it refuses is shown
# in its own words at the row that it refused, and all edits are still there to be mended.

namespace eval ::editor {
    variable window .editor
    # whether it is told when the connection comes and goes
    variable listens 0
}

# Open the editor, or bring it up.
proc ::editor::show {} {
    variable window
    variable listens
    if {![winfo exists $window]} {
        if {![offered]} {
            dialog::error . {*}[expr {[db::state] eq "online"
                ? {"You may not write templates." "That needs membership in josch_author."}
                : [list "There is no connection to the database." [db::why]]}]
            return
        }
        if {!$listens} {
            bind . <<DbState>> +::editor::Connection
            set listens 1
        }
        set ::editor::place [Place]
        ::editor_window create ::editor::main $window
    }
    wm deiconify $window
    raise $window
    focus $window
}

proc ::editor::Connection {} {
    late::call ::editor::main connection
    editor_files::connection
    editor_schedule::connection
}

# How many edits would be lost if the program ended now, those too that are being typed.
proc ::editor::pending {} {
    return [expr {[info object isa object ::editor::main] ? [::editor::main pending] : 0}]
}

oo::class create ::editor_window {
    mixin ::editor_apply ::editor_rows ::editor_calendars
    variable window changes grids form graph tabs job jobs search comment sent loading places busy lost away denied

    constructor {path} {
        set window $path
        set changes [editor_changes new [db::null] $::editor::default]
        set tabs {tpl_nodes Nodes tpl_node_deps Dependencies tpl_jobs Jobs environs Variables}
        lassign {} grids jobs form graph
        # job: the chosen one, "" for all; denied: table, row and column of an edit that was not taken
        lassign {"" "" "" "" {}} job search comment sent denied
        lassign {0 0 0 0} loading busy lost away
        array set places {}
        toplevel $window -class JoschEditor
        wm title $window [my Title]
        wm minsize $window 820 520
        wm geometry $window [theme::geometry 1180 760]
        wm protocol $window WM_DELETE_WINDOW [namespace code {my Close}]
        bind $window <Destroy> [namespace code {my Gone %W}]
        theme::dress $window
        # where the database or the connection has something to say: not there otherwise
        pack [ttk::label $window.state -style Warn.TLabel -justify left -text "Reading the templates \u2026"] \
            -fill x -padx [theme::px 10] -pady [theme::px 8 0]
        db::query [editor::ColumnsSql] [list late::call [self] TakeColumns]
    }

    destructor {
        $changes destroy
        foreach {table grid} $grids {
            $grid destroy
        }
        foreach part [list $graph $form] {
            if {$part ne ""} {
                $part destroy
            }
        }
    }

    method Gone {widget} {
        if {$widget eq $window} {
            my destroy
        }
    }

    method Title {} {
        return "Templates of [editor::PlaceWords $::editor::place] \u2013 JOSCH"
    }

    method Close {} {
        set kept [my Flush]
        set count [llength [$changes pending]]
        if {$count == 0 && $kept} {
            destroy $window
        }
        if {$count == 0} {
            return
        }
        dialog::ask $window "Close the editor?" "Close the editor without applying [editor::Count $count change]?" \
            "They are listed at the bottom of the window." "Close" [list destroy $window]
    }

    # Takes what is being typed, in the form and in a cell. False when something of it is refused.
    method Flush {} {
        set denied {}
        if {$form ne ""} {
            $form flush
        }
        foreach {table grid} $grids {
            $grid flush
        }
        return [expr {$denied eq {}}]
    }

    # Edits that are not applied; one that was refused counts too.
    method pending {} {
        set kept [my Flush]
        return [expr {[llength [$changes pending]] + !$kept}]
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
        ttk::notebook $window.panes.upper.tabs -style Tight.TNotebook
        my AddGrids $window.panes.upper.tabs $tabs
        set graph [editor_graph new $window.panes.upper.tabs.graph $changes [self]]
        $window.panes.upper.tabs add [$graph widget] -text Graph
        $window.panes.upper.tabs add [my BuildCalendars $window.panes.upper.tabs.business] -text Calendars
        $window.panes.upper.tabs add [my BuildLimits $window.panes.upper.tabs.limits] -text Limits
        ttk::notebook::enableTraversal $window.panes.upper.tabs
        set form [editor_form new $window.panes.upper.form [self]]
        $window.panes.upper add $window.panes.upper.tabs -weight 1
        $window.panes.upper add $window.panes.upper.form -weight 0
        $window.panes add $window.panes.upper -weight 1
        $window.panes add [my BuildChanges $window.panes.changes] -weight 0
        remember::sash $window.panes.upper editor
        my BuildTop
        pack $window.top -fill x -padx [theme::px 10] -pady [theme::px 8]
        pack $window.panes -fill both -expand 1 -padx [theme::px 10] -pady [theme::px 0 10]
        bind $window.panes.upper.tabs <<NotebookTabChanged>> [namespace code {my TabChanged}]
        bind $window <F5> [namespace code {my reload}]
        bind $window <Control-f> [list focus $window.top.search]
        bind $window <Control-Return> [namespace code {my apply}]
        my Tell ""
    }

    # A page of a notebook for each table.
    method AddGrids {notebook tables} {
        foreach {table label} $tables {
            set grid [editor_grid new $notebook.$table $table $changes [self]]
            lappend grids $table $grid
            $notebook add [$grid widget] -text $label
        }
    }

    # How much there is of what, which node needs how much of it, and where else commands run.
    method BuildLimits {path} {
        ttk::frame $path
        ttk::notebook $path.tabs
        my AddGrids $path.tabs {semaphores Semaphores tpl_node_semaphores "Who Needs Them"
            executors Executors}
        ttk::notebook::enableTraversal $path.tabs
        bind $path.tabs <<NotebookTabChanged>> [namespace code {my TabChanged}]
        pack $path.tabs -fill both -expand 1 -pady [theme::px 4 0]
        return $path
    }

    method BuildTop {} {
        set top [ttk::frame $window.top]
        ttk::label $top.job_label -text "Job"
        ttk::combobox $top.job -width 22 -state readonly
        ttk::label $top.search_label -text "Search"
        ttk::entry $top.search -width 20 -textvariable [my varname search]
        ttk::button $top.add -text "Add" -command [namespace code {my add}]
        ttk::button $top.delete -text "Delete\u2026" -command [namespace code {my delete}]
        ttk::button $top.schedule -text "Schedule a Day\u2026" -command [list editor_schedule::show $window]
        ttk::button $top.export -text "Export\u2026" -command [list editor_files::show_export $window]
        ttk::button $top.import -text "Import\u2026" \
            -command [list editor_files::show_import $window [list late::call [self] reload]]
        ttk::button $top.reload -text "Read Again" -command [namespace code {my reload}]
        set gap [theme::px 6 0]
        grid $top.job_label $top.job $top.search_label $top.search $top.add $top.delete x \
            $top.reload $top.import $top.export $top.schedule -padx $gap -sticky ew
        grid configure $top.job_label -padx 0
        grid configure $top.search_label -padx [theme::px 14 0]
        # where the line is too short, the search gives way
        grid columnconfigure $top 3 -weight 1
        grid columnconfigure $top 6 -weight 1000
        bind $top.job <<ComboboxSelected>> [namespace code {my JobChosen}]
        trace add variable [my varname search] write [namespace code {my Soon}]
    }

    # By its place in the list: a job may be called like the entry for all.
    method JobChosen {} {
        set at [$window.top.job current]
        set job [expr {$at > 0 ? [lindex $jobs [expr {$at - 1}]] : ""}]
        my refresh
    }

    # Show everything anew when there is time for it.
    method Soon {args} {
        workq::add [list late::call [self] refresh] [self]-refresh
    }

    method TabChanged {} {
        set name [my Tab]
        $window.top.add state [expr {[dict exists $grids $name] ? "!disabled" : "disabled"}]
        $window.top.delete state [expr {[dict exists $grids $name] || $name eq "graph" ? "!disabled" : "disabled"}]
        if {$name eq "graph"} {
            $graph refresh $job
        } else {
            my ShowForm
        }
        my FitForm
        my AskEffects
    }

    # The table of the tab that is shown, or graph; of a tab with pages what is shown there: a table, year, next or effects.
    method Tab {} {
        set name [winfo name [$window.panes.upper.tabs select]]
        return [expr {$name in {business limits} ? [winfo name [[my Pages $name] select]] : $name}]
    }

    # The tab of whose pages a table is one; "" where it is a tab itself.
    method Around {table} {
        return [expr {$table in {calendars calendar_parts holidays} ? "business"
            : $table in {semaphores tpl_node_semaphores executors} ? "limits" : ""}]
    }

    # ---- the connection ----

    # It came or went, or leads elsewhere. Whatever was missed is read when it is back.
    method connection {} {
        if {![winfo exists $window.panes]} {
            return
        }
        set words [editor::Away]
        set back [expr {$away && $words eq {}}]
        set away [expr {$words ne {}}]
        my Tell [string trim [join $words \n]]
        my show_changes
        if {$back} {
            my reload
        }
    }

    # A line above the tables; none for an empty text.
    method Tell {text} {
        set label $window.state
        $label configure -text $text -wraplength [expr {max(300, [winfo width $window] - 40)}]
        if {$text eq ""} {
            pack forget $label
        } else {
            pack $label -before $window.top -fill x -padx [theme::px 10] -pady [theme::px 8 0]
        }
    }

    # Can anything be read and written? Otherwise says why not.
    method Here {} {
        set words [editor::Away]
        if {$words ne {}} {
            my Say {*}$words
        }
        return [expr {$words eq {}}]
    }

    # ---- rows ----

    # Read everything again; what is edited stays.
    method reload {} {
        if {![winfo exists $window.panes]} {
            return
        }
        if {$loading} {
            # what is under way may have been read before that which somebody wants to see now
            set loading 2
            return
        }
        my Flush
        if {![my Here]} {
            return
        }
        set loading 1
        # what others refer to comes before them
        set tables {calendars calendar_parts holidays semaphores executors tpl_jobs tpl_nodes tpl_node_deps
            tpl_node_semaphores environs}
        editor::Transaction [lmap table $tables {editor::RowsSql $table}] COMMIT \
            [list late::call [self] TakeRows $tables]
    }

    method TakeRows {tables result} {
        set again [expr {$loading == 2}]
        set loading 0
        if {$again && [dict get $result ok]} {
            my reload
            return
        }
        if {![dict get $result ok]} {
            if {![editor::IsLost $result]} {
                my Say {*}[editor::Refusal $result "a row"]
            }
            return
        }
        my Flush
        set orphans {}
        foreach table $tables answer [dict get $result results] {
            foreach uid [$changes load $table [editor::RowDicts $table $answer]] {
                lappend orphans [$changes name $table $uid]
            }
        }
        my refresh
        my AskEffects 1
        my SayRead $orphans
    }

    # Show everything as it is now.
    method refresh {} {
        if {![winfo exists $window.panes]} {
            return
        }
        set jobs [lsort -dictionary [lmap uid [$changes rows tpl_jobs] {
            if {[set name [dict get [$changes get tpl_jobs $uid] job_name]] eq ""} continue
            set name
        }]]
        $window.top.job configure -values [concat [list "All jobs"] $jobs]
        set at [lsearch -exact $jobs $job]
        if {$at < 0} {
            set job ""
        }
        $window.top.job current [expr {$at + 1}]
        my RefreshCalendars
        foreach {table grid} $grids {
            $grid refresh [my Filter $table]
        }
        if {[my Tab] eq "graph"} {
            $graph refresh $job
        }
        my show_changes
        my ShowForm
    }

    method ShowForm {} {
        set name [my Tab]
        if {[dict exists $grids $name]} {
            $form show $name [lindex [[dict get $grids $name] selection] 0] $changes
        } elseif {$name ne "graph"} {
            $form show {*}[my YearRow] $changes
        }
    }

    # A command that says whether a row is shown; {} when all are.
    method Filter {table} {
        if {$job eq "" && [string trim $search] eq "" && $table ni {calendar_parts holidays}} {
            return {}
        }
        return [namespace code [list my Passes $table]]
    }

    method Passes {table row} {
        if {$job ne "" && $table in {tpl_jobs tpl_nodes tpl_node_deps tpl_node_semaphores} && $job ni [my JobsOf $table $row]} {
            return 0
        }
        # a row whose calendar is not written yet belongs to none, and is not lost from sight
        if {$table in {calendar_parts holidays} && [dict get $row calendar_name] ni [list "" [my CalendarName]]} {
            return 0
        }
        set text [string tolower [join [lmap value [dict values $row] {editor::Shown $value}] \t]]
        dict for {name value} $row {
            if {[editor::IsNode $table $name]} {
                append text \t [string tolower [$changes node_name $value]]
            }
        }
        foreach word [board_filter::Words $search] {
            if {[string first $word $text] < 0} {
                return 0
            }
        }
        return 1
    }

    method JobsOf {table row} {
        if {[dict exists $row job_name]} {
            return [list [dict get $row job_name]]
        }
        return [lmap {name value} $row {
            if {![editor::IsNode $table $name]} continue
            $changes job_of $value
        }]
    }
}
