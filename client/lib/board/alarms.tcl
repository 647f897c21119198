# client/lib/board/alarms.tcl
#
# Alarms: a chip in the status line that says how many are open and acknowledged by nobody, and the window behind it: what is
# open, since when, who knows of it; it is acknowledged there.
#
# Constraint: they are read when it is announced that some have changed, a few times a second at most, and when health counts
# others than it did. As many are read as somebody looks at: the first few for the tip, some hundreds for the window.

namespace eval ::alarms {
    # those that were read, as dicts, and how many there are: open, and of these acknowledged by nobody
    variable known {}
    variable counts {0 0}
    # what health said of them when they were read last
    variable told ""
    variable planned ""
    # ms between two looks at least, and how long the last one took: where there are very many, it is looked at less often
    variable gap 300
    variable took 0
    variable most 500
    variable window .alarms
    # why this person cannot acknowledge, as it was said last
    variable barred ""
    # alarm_id -> its row, of those in the window; the order that was clicked, "" for who is first to be looked after
    variable shown {}
    variable sort_by ""
    variable descending 0
    # name, heading, width
    variable columns {
        kind "Alarm" 85 node "Node" 150 job_name "Job" 95 job_date "Date" 90 since "Since" 105 due "Due" 105
        message "Message" 215 acked "Acknowledged" 115
    }
}

# The button of the chip, shown only where there is something to acknowledge.
proc ::alarms::create {button} {
    ttk::button $button -style Warn.Tool.TButton -command ::alarms::show
    bind . <<DbAlarms>> +::alarms::Soon
    bind . <<DbState>> +::alarms::Soon
    bind . <<BoardPulse>> +::alarms::Notice
    bind . <<BoardLoaded>> +board::read_alarms
    bind . <<DbRights>> +::alarms::Offer
    return $button
}

# Health is looked at by itself: it knows of what was not heard.
proc ::alarms::Notice {} {
    variable told
    set detail [lmap row [board::health] {
        if {[dict get $row component] ne "alarms"} continue
        dict get $row detail
    }]
    if {$detail ne $told} {
        set told $detail
        Soon
    }
}

proc ::alarms::Soon {} {
    variable planned
    variable gap
    variable took
    if {$planned eq ""} {
        set planned [after [expr {max($gap, 5 * $took)}] ::alarms::Read]
    }
}

proc ::alarms::Read {} {
    variable planned
    variable window
    variable most
    after cancel $planned
    set planned ""
    if {[db::state] ne "online"} {
        return
    }
    db::query "SELECT count(*), count(*) FILTER (WHERE acked_at IS NULL) FROM josch.alarms WHERE cleared_at IS NULL;
        SELECT a.alarm_id, a.kind, a.message, coalesce(a.job_name, a.calendar_name, '') AS job_name,
            coalesce(to_char(a.job_date, 'YYYY-MM-DD'), '') AS job_date, coalesce(a.node_id::text, '') AS node_id,
            coalesce(n.node_name, '') AS node_name,
            extract(epoch FROM a.raised_at) AS since, extract(epoch FROM a.due_at) AS due,
            coalesce(a.acked_by, '') AS acked_by, coalesce(extract(epoch FROM a.acked_at)::text, '') AS acked_at,
            coalesce(a.comment, '') AS comment
        FROM (SELECT * FROM josch.alarms WHERE cleared_at IS NULL ORDER BY acked_at IS NOT NULL, due_at, alarm_id
                LIMIT [expr {[winfo exists $window] ? $most : 10}]) a
            LEFT JOIN josch.nodes n ON n.job_date = a.job_date AND n.node_id = a.node_id
        ORDER BY a.acked_at IS NOT NULL, a.due_at, a.alarm_id" [list ::alarms::Take [clock milliseconds]] alarms
    board::read_alarms
}

proc ::alarms::Take {asked result} {
    variable known
    variable counts
    variable took
    variable shown
    # the clock may have been set meanwhile
    set took [expr {max(0, min(10000, [clock milliseconds] - $asked))}]
    if {[dict get $result ok]} {
        set counts [lindex [dict get [lindex [dict get $result all] 0] rows] 0]
        set former $known
        set known [db::dicts $result]
        board_status::Plan
        if {$known ne $former || [dict size $shown] == 0} {
            Fill
        } else {
            Offer
        }
    }
}

# How many are open, acknowledged or not.
proc ::alarms::number {} {
    variable counts
    return [lindex $counts 0]
}

# Writes the chip; where nothing is to be acknowledged there is none.
proc ::alarms::write {button} {
    variable known
    variable counts
    set number [lindex $counts 1]
    set text [switch $number 0 {} 1 {string cat "\u2691 1 alarm"} default {string cat "\u2691 $number alarms"}]
    if {$text ne [$button cget -text]} {
        # by then it has its width, and the states have what is left
        after idle ::board_status::Plan
    }
    $button configure -text $text
    set lines [lmap row [lrange $known 0 9] {
        if {[dict get $row acked_by] ne ""} continue
        dict get $row message
    }]
    if {$number > [llength $lines]} {
        lappend lines "and [expr {$number - [llength $lines]}] more"
    }
    tip::set_text $button [join $lines \n]
    if {$text eq ""} {
        pack forget $button
    } elseif {![winfo ismapped $button]} {
        pack $button -side right -padx [theme::px 6 0] -after [winfo parent $button].waiting
    }
}

# ---- the window ----

proc ::alarms::show {} {
    variable window
    dialog::bring $window ::alarms::Build
    Offer
    Read
    focus $window.list.tree
}

proc ::alarms::Build {} {
    variable window
    variable columns
    variable shown {}
    variable barred ""
    toplevel $window
    wm withdraw $window
    theme::dress $window
    wm title $window "Alarms"
    ttk::frame $window.list
    set names [lmap {name heading width} $columns {set name}]
    set tree [ttk::treeview $window.list.tree -columns $names -show headings -height 14 -selectmode extended \
        -yscrollcommand [list $window.list.y set]]
    ttk::scrollbar $window.list.y -orient vertical -command [list $tree yview]
    foreach {name heading width} $columns {
        $tree heading $name -text $heading -anchor w -command [list ::alarms::SortBy $name]
        $tree column $name -width [theme::px $width] -anchor w -stretch [expr {$name eq "message"}]
    }
    # so wide that messages can be read, where the monitor has the room
    set room [expr {[lindex [screens::here] 2] - [theme::px 860]}]
    $tree column message -width [expr {max([theme::px 215], min([theme::px 420], $room))}]
    pack $window.list.y -side right -fill y
    pack $tree -fill both -expand 1
    Foot
    set gap [theme::px 12]
    pack $window.buttons -side bottom -fill x -padx $gap -pady [list 0 $gap]
    pack $window.comment -side bottom -fill x -padx $gap -pady $gap
    pack $window.answer -side bottom -fill x -padx $gap
    pack $window.whole -side bottom -fill x -padx $gap -pady [theme::px 6 0]
    pack $window.list -fill both -expand 1 -padx $gap -pady [list $gap 0]
    bind $window <Escape> [list destroy $window]
    bind $tree <Configure> {after cancel ::alarms::Fill; after 200 ::alarms::Fill}
    bind $tree <Return> ::alarms::Open
    bind $tree <Double-Button-1> {::alarms::Open [%W identify item %x %y]}
    walk::tell $tree ::alarms::Offer
}

# The selected one's whole text, what was refused, the comment and the buttons.
proc ::alarms::Foot {} {
    variable window
    ttk::label $window.whole -style Quiet.TLabel -wraplength [theme::px 930] -justify left
    ttk::label $window.answer -style Warn.TLabel -wraplength [theme::px 930] -justify left
    ttk::frame $window.comment
    ttk::label $window.comment.label -text "Comment"
    ttk::entry $window.comment.entry
    pack $window.comment.label -side left -padx [theme::px 0 6]
    pack $window.comment.entry -side left -fill x -expand 1
    ttk::frame $window.buttons
    ttk::button $window.buttons.acknowledge -text "Acknowledge" -command ::alarms::Acknowledge
    tip::set_text $window.buttons.acknowledge \
        "say that you know of those that are selected; they stay open until their cause is gone"
    ttk::button $window.buttons.open -text "Open the node" -command ::alarms::Open
    ttk::button $window.buttons.close -text "Close" -command [list destroy $window]
    pack $window.buttons.acknowledge $window.buttons.open -side left -padx [theme::px 0 6]
    pack $window.buttons.close -side right
}

proc ::alarms::SortBy {column} {
    variable sort_by
    variable descending
    if {$sort_by ne $column} {
        lassign [list $column 0] sort_by descending
    } elseif {!$descending} {
        set descending 1
    } else {
        # the third click: back to who is first to be looked after
        lassign {"" 0} sort_by descending
    }
    Fill
}

# A cell of the list.
proc ::alarms::Cell {row column} {
    set today [clock format [clock seconds] -format %Y-%m-%d]
    switch -- $column {
        kind { return [string map {_ " "} [dict get $row kind]] }
        node {
            set id [dict get $row node_id]
            return [expr {$id eq "" ? "" : [string trim "[dict get $row node_name] ($id)"]}]
        }
        since - due { return [board_filter::clock_text [dict get $row $column] $today] }
        message { return [string map {\n " "} [dict get $row message]] }
        acked {
            return [join [lmap part [list [dict get $row acked_by] [board_filter::clock_text [dict get $row acked_at] $today] \
                    [string map {\n " "} [dict get $row comment]]] {
                if {$part eq ""} continue
                set part
            }] ", "]
        }
    }
    return [dict get $row $column]
}

# A text as long as its column has room.
proc ::alarms::Fitted {column text} {
    variable window
    if {$column ni {node message acked}} {
        return $text
    }
    return [shorten::text $text [theme::font ui] [expr {[$window.list.tree column $column -width] - 10}]]
}

# Keys of the rows in the order that was clicked.
proc ::alarms::Order {rows} {
    variable sort_by
    variable descending
    if {$sort_by eq ""} {
        return [dict keys $rows]
    }
    set kind [expr {$sort_by in {since due} ? "number" : "text"}]
    return [sorting::keys [lmap {id row} $rows {
        list [expr {$kind eq "number" ? [dict get $row $sort_by] : [Cell $row $sort_by]}] $id
    }] $kind $descending]
}

# The list anew, with the selection and the place where the reader is.
proc ::alarms::Fill {} {
    variable window
    variable known
    variable shown
    variable columns
    variable sort_by
    variable descending
    if {![winfo exists $window]} {
        return
    }
    set tree $window.list.tree
    set chosen [$tree selection]
    set top [lindex [$tree yview] 0]
    set shown [dict create]
    foreach row $known {
        dict set shown [dict get $row alarm_id] $row
    }
    $tree delete [$tree children {}]
    foreach id [Order $shown] {
        set row [dict get $shown $id]
        $tree insert {} end -id $id -values [lmap {name heading width} $columns {Fitted $name [Cell $row $name]}]
    }
    sorting::mark $tree [concat {*}[lmap {name heading width} $columns {list $name $heading}]] $sort_by $descending
    $tree selection set [lmap id $chosen {
        if {![dict exists $shown $id]} continue
        set id
    }]
    $tree yview moveto $top
    Offer
}

# Why nobody can acknowledge here; "" where one can.
proc ::alarms::Refused {} {
    if {[db::state] ne "online" || [db::may acknowledge]} {
        return ""
    }
    return [expr {[db::info standby] eq "t" ? "A standby: nothing can be acknowledged here."
        : "[db::user] may look at alarms, and not acknowledge them: ask for the role josch_operator."}]
}

# Alarms that are selected and acknowledged by nobody.
proc ::alarms::Wanted {} {
    variable window
    variable shown
    return [lmap id [$window.list.tree selection] {
        if {[dict get $shown $id acked_by] ne ""} continue
        set id
    }]
}

# What the buttons can do, and what is said below the list.
proc ::alarms::Offer {} {
    variable window
    variable shown
    variable barred
    if {![winfo exists $window]} {
        return
    }
    set refused [Refused]
    if {$refused ne $barred} {
        set barred $refused
        Say $refused
    }
    set may [expr {$refused eq "" && [db::state] eq "online"}]
    $window.buttons.acknowledge state [expr {$may && [Wanted] ne {} ? "!disabled" : "disabled"}]
    $window.comment.entry state [expr {$may ? "!disabled" : "disabled"}]
    set chosen [$window.list.tree selection]
    set row [expr {[llength $chosen] == 1 ? [dict get $shown [lindex $chosen 0]] : {}}]
    $window.buttons.open state [expr {$row ne {} && [dict get $row node_id] ne "" ? "!disabled" : "disabled"}]
    $window.whole configure -text [Whole $row]
}

# The whole text of the one that is selected; without one, what is not in the list.
proc ::alarms::Whole {row} {
    variable known
    if {$row ne {}} {
        set acked [Cell $row acked]
        set text [dict get $row message][expr {$acked eq "" ? "" : "\nacknowledged: $acked"}]
        return [output_text::clip $text 8 1000]
    }
    if {[number] > [llength $known]} {
        return "The first [llength $known] of [number]."
    }
    return [expr {[number] ? "" : "No alarm is open."}]
}

proc ::alarms::Say {text} {
    variable window
    $window.answer configure -text $text
}

# All that are selected, in one transaction: on record with the comment, or nothing is.
proc ::alarms::Acknowledge {} {
    variable window
    set ids [Wanted]
    if {![guard::meant] || $ids eq {}} {
        return
    }
    set text [string trim [$window.comment.entry get]]
    set comment [expr {$text eq "" ? "NULL" : [db::quote $text]}]
    db::act [join [lmap id $ids {string cat "SELECT josch.acknowledge([db::quote $id]::bigint, $comment)"}] ";\n"] \
        ::alarms::Acknowledged
}

proc ::alarms::Acknowledged {result} {
    variable window
    if {[winfo exists $window]} {
        if {[dict get $result ok]} {
            Say ""
            $window.comment.entry delete 0 end
        } else {
            Say [string trim "[dict get $result message]\n[acts::details_of $result]"]
        }
    }
    Read
}

# The node's own window; of missed days their list.
proc ::alarms::Open {{id ""}} {
    variable window
    variable shown
    if {$id eq ""} {
        set id [lindex [$window.list.tree selection] 0]
    }
    if {[dict exists $shown $id]} {
        open_row [dict get $shown $id]
    }
}

# What an alarm is about.
proc ::alarms::open_row {row} {
    if {[dict get $row node_id] ne ""} {
        popup::open [list [dict get $row node_id] [dict get $row job_date]]
    } elseif {[dict get $row kind] eq "missed_days"} {
        missed::show
    } else {
        # there is nothing to open: all that is to be said
        dialog::warn . [dict get $row message]
    }
}
