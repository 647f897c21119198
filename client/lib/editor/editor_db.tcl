# client/lib/editor/editor_db.tcl
#
# What the template editor reads and writes: the columns of the tables with their meaning, the rows, and the edits as one
# transaction.
#
# Constraint: nobody's transaction stays open while a person thinks. Each write is one message of several statements,
# which the server takes as one transaction; a preview ends in ROLLBACK. The n-th answer belongs to the n-th statement,
# so a refusal is shown at the row whose statement it was.

namespace eval ::editor {
    # stands for a column's default in an edit
    variable default "\u0000DEFAULT"
    # table -> list of columns, each a dict: name type required default comment
    variable columns {}
    # columns whose texts may have several lines
    variable texts {
        exec_command exec_sql ready_command job_desc calendar_desc semaphore_desc executor_desc value start_command
        attach_command stop_command
    }
    # where the templates of the editor's window are from
    variable place {}
}

# May this person write templates? The database knows; it refuses all the same.
proc ::editor::offered {} {
    return [expr {[db::state] eq "online" && [db::may schedule]}]
}

# ---- the connection ----

# Where the connection leads: the database, the person and the server, as the server says; and the server as the conninfo says.
proc ::editor::Place {} {
    set conninfo $::db::conninfo
    set known [dict merge [conf::pairs $conninfo] [conf::parameters $conninfo]]
    set words [lmap keyword {service host hostaddr port} {
        if {![dict exists $known $keyword]} continue
        dict get $known $keyword
    }]
    if {[regexp {^\w+://(?:[^@/]*@)?([^/?]+)} $conninfo all server]} {
        set words [linsert $words 0 $server]
    }
    return [list [db::info database] [db::user] [db::info system] [join $words :]]
}

# A place in words.
proc ::editor::PlaceWords {place} {
    lassign $place database user system server
    return "$database[if {$server ne ""} {string cat " at " $server}] as $user"
}

# Why nothing can be read or written now where the window's templates are from: a message and its detail; {} when it can.
proc ::editor::Away {} {
    variable place
    if {[db::state] ne "online"} {
        return [list "There is no connection to the database; changes stay here until it is back." [db::why]]
    } elseif {[lrange [Place] 0 2] ne [lrange $place 0 2]} {
        return [list "These are the templates of [PlaceWords $place], and the connection is to [PlaceWords [Place]] now." \
            "Nothing is read or written. Connect to the former again, or close this window and open it anew."]
    }
    return {}
}

# ---- values ----

# A number with its word.
proc ::editor::Count {n word {words ""}} {
    return "$n [expr {$n == 1 ? $word : $words ne "" ? $words : "${word}s"}]"
}

# An edit as SQL.
proc ::editor::Literal {value} {
    variable default
    return [expr {$value eq $default ? "DEFAULT" : [db::quote $value]}]
}

# What a person typed, as a value of a column. Nothing is NULL, or the default where NULL cannot be.
proc ::editor::Typed {column text} {
    variable default
    if {$text ne ""} {
        return $text
    }
    if {![dict get $column required]} {
        return [db::null]
    }
    return [expr {[dict get $column default] ne "" && [dict get $column type] ne "text" ? $default : ""}]
}

# A value as a person sees it.
proc ::editor::Shown {value} {
    variable default
    return [if {$value ni [list [db::null] $default]} {set value}]
}

# ---- reading ----

proc ::editor::ColumnsSql {} {
    return {SELECT c.relname, a.attname, format_type(a.atttypid, NULL), a.attnotnull::text,
        coalesce(pg_get_expr(d.adbin, d.adrelid), ''), coalesce(col_description(c.oid, a.attnum), '')
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.oid IN ('josch.calendars'::regclass, 'josch.calendar_parts'::regclass, 'josch.holidays'::regclass,
            'josch.semaphores'::regclass, 'josch.tpl_node_semaphores'::regclass, 'josch.executors'::regclass,
            'josch.environs'::regclass, 'josch.tpl_jobs'::regclass, 'josch.tpl_nodes'::regclass,
            'josch.tpl_node_deps'::regclass) ORDER BY c.relname, a.attnum}
}

proc ::editor::LearnColumns {rows} {
    variable columns
    set columns {}
    foreach row $rows {
        lassign $row table name type required default comment
        dict lappend columns $table [dict create name $name type $type required [expr {$required eq "true"}] \
            default $default comment $comment]
    }
}

proc ::editor::Names {table} {
    variable columns
    return [lmap column [dict get $columns $table] {dict get $column name}]
}

proc ::editor::Column {table name} {
    variable columns
    foreach column [dict get $columns $table] {
        if {[dict get $column name] eq $name} {
            return $column
        }
    }
}

# Does a column hold the node that a row is about, by its number?
proc ::editor::IsNode {table name} {
    return [expr {$name in {p_node_id c_node_id} || ($table eq "tpl_node_semaphores" && $name eq "node_id")}]
}

# All rows of a table as text, NULL told apart from an empty text by a sign before what is there.
proc ::editor::RowsSql {table} {
    set order [dict get {environs var calendars calendar_name calendar_parts {calendar_name, position}
        holidays {calendar_name, holiday} semaphores semaphore_name tpl_node_semaphores {semaphore_name, node_id}
        executors executor_name tpl_jobs job_name tpl_nodes {job_name, node_id}
        tpl_node_deps {c_node_id, p_node_id, p_date, c_date}} $table]
    set list [lmap name [Names $table] {string cat "coalesce('=' || t.${name}::text, '')"}]
    return "SELECT [join $list {, }] FROM josch.$table t ORDER BY $order"
}

proc ::editor::RowDicts {table result} {
    set names [Names $table]
    return [lmap row [dict get $result rows] {
        set dict [dict create]
        foreach name $names value $row {
            dict set dict $name [expr {$value eq "" ? [db::null] : [string range $value 1 end]}]
        }
        set dict
    }]
}

# ---- writing ----

# Runs statements as one transaction and calls back with the list of their results, or with the failure and the number
# of the statement that failed (at, from 0). end: COMMIT or ROLLBACK, which is said in a block, as the server warns otherwise.
proc ::editor::Transaction {statements end callback} {
    set all $statements
    if {$end eq "ROLLBACK"} {
        lappend all BEGIN ROLLBACK
    }
    # more than the statement_timeout that large changes set
    db::query [join $all ";\n"] [namespace code [list Transacted [llength $statements] $callback]] "" 310000
}

proc ::editor::Transacted {count callback result} {
    if {![dict get $result ok]} {
        {*}$callback $result
        return
    }
    {*}$callback [dict create ok 1 results [lrange [dict get $result all] 0 $count-1]]
}

# The statements of all edits, and the row that each belongs to ({} for none).
proc ::editor::Statements {changes comment} {
    set statements [list "SET LOCAL statement_timeout = '300s'"]
    set places [list {}]
    if {$comment ne ""} {
        lappend statements "SELECT pg_catalog.set_config('josch.comment', [db::quote $comment], true)"
        lappend places {}
    }
    set steps [lmap step [$changes sql ::editor::Literal] {list [lindex $step 2] [lrange $step 0 1]}]
    if {[$changes is_ahead]} {
        set constraint "SET CONSTRAINTS josch.calendars_of_calendar_fkey"
        set steps [concat [list [list "$constraint DEFERRED" {}]] $steps [list [list "$constraint IMMEDIATE" {}]]]
    }
    foreach step $steps {
        lassign $step sql place
        lappend statements $sql
        lappend places $place
    }
    return [list $statements $places]
}

# Was the connection lost before the answer came?
proc ::editor::IsLost {result} {
    return [expr {![dict get $result ok] && [string match 08* [dict get $result sqlstate]]}]
}

# The words of a refusal: those of the database, but for a row that is not as it was when it was read, and for an answer that
# never came. along: what would have gone with a row that was to be deleted.
proc ::editor::Refusal {result name {along ""}} {
    if {[IsLost $result]} {
        return [list "The connection was lost meanwhile." [dict get $result message]]
    }
    if {[dict get $result sqlstate] eq "22012"} {
        set joined [expr {$along eq "" ? "" : ", or added $along that would go with it"}]
        return [list "Somebody else has changed or deleted $name meanwhile$joined." \
            "Read the templates again to see what is there now."]
    }
    set rest {}
    foreach part {detail hint} {
        if {[dict get $result $part] ne ""} {
            lappend rest [dict get $result $part]
        }
    }
    return [list [dict get $result message] [join $rest \n]]
}

# The same for what was to be stored: after a loss nobody knows whether it is.
proc ::editor::WriteRefusal {result name {along ""}} {
    if {[IsLost $result]} {
        return [list "The connection was lost meanwhile. Whether it was done will be seen when it is back." \
            [dict get $result message]]
    }
    return [Refusal $result $name $along]
}
