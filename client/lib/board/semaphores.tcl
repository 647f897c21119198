# client/lib/board/semaphores.tcl
#
# Semaphores: a chip in the status line that says how much of them is taken and how many nodes wait, and the window behind it:
# who holds units, since when, and who waits, in their order.
#
# Constraint: what is taken is not announced by itself, so it is read with the board's pulse, in one row a semaphore; who waits
# is read while the window is open, and as many of them as somebody reads.

namespace eval ::semaphores {
    # rows of josch.semaphore_use as dicts
    variable known {}
    # nodes that wait, shown of all semaphores together
    variable limit 500
    variable window .semaphores
}

# The button of the chip, shown only where there are semaphores.
proc ::semaphores::create {button} {
    ttk::button $button -style Tool.TButton -command ::semaphores::show
    bind . <<BoardPulse>> +::semaphores::Read
    return $button
}

proc ::semaphores::Read {} {
    variable window
    if {[db::state] ne "online"} {
        return
    }
    db::query {SELECT semaphore_name, coalesce(semaphore_desc, '') AS semaphore_desc, capacity, used, waiting,
        paused::int AS paused, coalesce(round(extract(epoch FROM oldest_wait))::text, '') AS oldest
        FROM josch.semaphore_use ORDER BY semaphore_name} \
        ::semaphores::Take semaphores-use
    if {[winfo exists $window]} {
        ReadNodes
    }
}

proc ::semaphores::Take {result} {
    variable known
    if {[dict get $result ok]} {
        set known [db::dicts $result]
        board_status::Plan
    }
}

# Text, style and tip of the chip; an empty text when there is no semaphore.
proc ::semaphores::chip {rows} {
    if {$rows eq {}} {
        return [list "" Tool.TButton ""]
    }
    lassign {0 0 {}} waiting paused lines
    foreach row $rows {
        incr waiting [dict get $row waiting]
        incr paused [dict get $row paused]
        lappend lines "[dict get $row semaphore_name]: [Use $row]"
    }
    set text "\u25a6 "
    if {[llength $rows] == 1} {
        append text "[shorten::text [dict get [lindex $rows 0] semaphore_name] [theme::font ui] [theme::chars 14]]\
            [dict get [lindex $rows 0] used]/[dict get [lindex $rows 0] capacity]"
    } else {
        append text "[Full $rows] of [llength $rows] full"
    }
    if {$waiting} {append text ", $waiting wait"}
    if {$paused} {append text ", [expr {$paused == 1 ? "paused" : "$paused paused"}]"}
    return [list $text [expr {$waiting || $paused ? "Warn.Tool.TButton" : "Tool.TButton"}] [join [lrange $lines 0 19] \n]]
}

proc ::semaphores::Full {rows} {
    set full 0
    foreach row $rows {
        incr full [expr {[dict get $row used] >= [dict get $row capacity]}]
    }
    return $full
}

# How a semaphore stands, in words.
proc ::semaphores::Use {row} {
    set words "[dict get $row used] of [dict get $row capacity] taken"
    if {[dict get $row waiting]} {
        append words ", [dict get $row waiting] wait since [Since [dict get $row oldest]]"
    }
    if {[dict get $row paused]} {
        append words ", paused"
    }
    return $words
}

proc ::semaphores::Since {seconds} {
    return [board_filter::clock_text $seconds [clock format [clock seconds] -format %Y-%m-%d]]
}

# Writes the chip; without semaphores there is none.
proc ::semaphores::write {button} {
    variable known
    lassign [chip $known] text style tip
    if {$text ne [$button cget -text]} {
        # by then it has its width, and the states have what is left
        after idle ::board_status::Plan
    }
    $button configure -text $text -style $style
    tip::set_text $button $tip
    if {$text eq ""} {
        pack forget $button
    } elseif {![winfo ismapped $button]} {
        pack $button -side right -padx [theme::px 6 0] -after [winfo parent $button].waiting
    }
}

# ---- who holds and who waits ----

proc ::semaphores::show {} {
    variable window
    dialog::bring $window ::semaphores::Build
    Read
    focus $window.list.tree
}

proc ::semaphores::Build {} {
    variable window
    toplevel $window
    wm withdraw $window
    theme::dress $window
    wm title $window "Semaphores"
    ttk::frame $window.list -padding [theme::px 12]
    ttk::treeview $window.list.tree -columns {units state since} -height 16 -selectmode browse \
        -yscrollcommand [list $window.list.y set]
    ttk::scrollbar $window.list.y -orient vertical -command [list $window.list.tree yview]
    foreach {name heading width} {#0 "Who" 420 units "Units" 80 state "" 190 since "Since" 150} {
        $window.list.tree heading $name -text $heading -anchor w
        $window.list.tree column $name -width [theme::px $width] -anchor w -stretch [expr {$name eq "#0"}]
    }
    $window.list.tree tag configure semaphore -font [theme::font bold]
    ttk::label $window.list.note -style Quiet.TLabel -text "Return, or a double click, opens a node."
    grid $window.list.tree $window.list.y -sticky nsew
    grid $window.list.note -sticky w -pady [theme::px 6 0]
    grid columnconfigure $window.list 0 -weight 1
    grid rowconfigure $window.list 0 -weight 1
    pack $window.list -fill both -expand 1
    bind $window <Escape> [list destroy $window]
    bind $window.list.tree <Return> ::semaphores::Open
    bind $window.list.tree <Double-Button-1> ::semaphores::Open
}

# Holders first, then those that wait in the order in which they do.
proc ::semaphores::ReadNodes {} {
    variable limit
    db::query "SELECT s.semaphore_name, 'holds' AS how, h ->> 'node_id', h ->> 'job_date', h ->> 'node_name', h ->> 'job_name',
            h ->> 'units', h ->> 'state', coalesce(round(extract(epoch FROM (h ->> 'since')::timestamptz))::text, '')
        FROM josch.semaphore_use s, jsonb_array_elements(s.holders) h
        UNION ALL (SELECT r.semaphore_name, 'waits', n.node_id::text, to_char(n.job_date, 'YYYY-MM-DD'), n.node_name,
            n.job_name, r.units::text, n.state, coalesce(round(extract(epoch FROM l.due_at))::text, '')
        FROM josch.waiting l JOIN josch.node_semaphores r ON r.job_date = l.job_date AND r.node_id = l.node_id
            JOIN josch.nodes n ON n.job_date = l.job_date AND n.node_id = l.node_id
        WHERE l.waits_for = 'l' ORDER BY l.due_at, n.node_id LIMIT $limit)" ::semaphores::TakeNodes semaphores-nodes
}

proc ::semaphores::TakeNodes {result} {
    variable window
    variable known
    if {![winfo exists $window] || ![dict get $result ok]} {
        return
    }
    set tree $window.list.tree
    set chosen [$tree selection]
    set top [lindex [$tree yview] 0]
    set closed [lmap item [$tree children {}] {
        if {[$tree item $item -open]} continue
        set item
    }]
    $tree delete [$tree children {}]
    foreach row $known {
        set name [dict get $row semaphore_name]
        $tree insert {} end -id s:$name -tags semaphore -open [expr {"s:$name" ni $closed}] -text $name \
            -values [list "[dict get $row used]/[dict get $row capacity]" [Use $row]]
    }
    foreach row [dict get $result rows] {
        lassign $row name how id date title job units state since
        if {[$tree exists s:$name] && ![$tree exists [list $how $name $id $date]]} {
            $tree insert s:$name end -id [list $how $name $id $date] -text "$title ($id) of $date, $job" \
                -values [list $units "$how, $state" [Since $since]]
        }
    }
    $tree selection set [lmap item $chosen {
        if {![$tree exists $item]} continue
        set item
    }]
    $tree yview moveto $top
}

proc ::semaphores::Open {} {
    variable window
    set item [lindex [$window.list.tree selection] 0]
    if {[llength $item] == 4} {
        popup::open [lrange $item 2 3]
    }
}
