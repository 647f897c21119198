# client/lib/popup/popup_list_columns.tcl
#
# How wide the columns of the list of what waits are, and the texts that are shortened for them.
#
# Constraint: what tells two nodes apart is often at the end of their names, so names have the room that they need before
# reasons and jobs have theirs, and what has less is shortened in its middle.

namespace eval ::popup_list {
    # columns of texts, which are as long as they are: what they have at least, in characters; the last gives way first
    variable texts {node 12 job 6 why 11}
    # what the columns were fitted for
    variable fitted {}
}

proc ::popup_list::FitSoon {} {
    workq::add ::popup_list::Fill popup-list
}

# Let the columns have the room that there is, and all texts be shortened anew when that is another now.
proc ::popup_list::FitColumns {tree} {
    variable shown
    variable fitted
    set width [winfo width $tree]
    set needs [Needs]
    set there [ThatFit $width $needs]
    set now [list $tree $width $there $needs]
    if {$now eq $fitted || $width <= 1} {
        return
    }
    set fitted $now
    if {[$tree cget -displaycolumns] ne $there} {
        $tree configure -displaycolumns $there
    }
    dict for {name width} [Widths $width $there $needs] {
        $tree column $name -width $width -stretch [expr {$name eq [lindex $there end]}]
    }
    dict for {key row} $shown {
        dict set shown $key {}
    }
}

# In a narrow list some columns give way, so that the others can be read; of alarms some say nothing.
proc ::popup_list::ThatFit {width needs} {
    variable columns
    set left [dict keys [dict remove $columns {*}[expr {[OnlyAlarms] ? {blocks exit who} : {}}]]]
    set sum [theme::chars 16]
    foreach name $left {
        incr sum [Least $name $needs]
    }
    foreach name {date blocks job exit who waits why id} {
        if {$sum <= $width} break
        incr sum -[Least $name $needs]
        set left [lsearch -all -inline -not -exact $left $name]
    }
    return $left
}

# Pixels that a column has at least: one of texts no more than they need.
proc ::popup_list::Least {name needs} {
    variable columns
    variable texts
    if {[dict exists $texts $name]} {
        return [expr {min([theme::chars [expr {[dict get $texts $name] + 4}]], [dict get $needs $name])}]
    }
    return [theme::chars [lindex [dict get $columns $name] 1]]
}

# Pixels that all columns would like to have, beyond what they were made with.
proc ::popup_list::Wish {} {
    variable columns
    set needs [Needs]
    set more 4
    dict for {name look} $columns {
        incr more [expr {[dict exists $needs $name] ? [dict get $needs $name] : [Least $name $needs]}]
        incr more -[theme::chars [lindex $look 1]]
    }
    return [expr {max(0, $more)}]
}

# Pixels that the longest text of each column of texts needs.
proc ::popup_list::Needs {} {
    variable rows
    variable texts
    variable columns
    # no less than their headings; where alarms are gathered by their kind, that stands with the names
    set longest [dict map {name least} $texts {lindex [dict get $columns $name] 0}]
    dict for {key row} $rows {
        if {[dict exists $row kind] && [string length [dict get $row kind]] + 2 > [string length [dict get $longest node]]} {
            dict set longest node "\u2691 [dict get $row kind]"
        }
        dict for {name text} $longest {
            set value [popup_rows::value $row $name]
            if {[string length $value] > [string length $text]} {
                dict set longest $name $value
            }
        }
    }
    return [dict map {name text} $longest {
        expr {[font measure [theme::font ui] [string range $text 0 199]] + [theme::chars 2.5]}
    }]
}

# Pixels for each column that is there: what it needs, as far as there is room.
proc ::popup_list::Widths {width there needs} {
    variable texts
    set room [expr {$width - [theme::chars 16] - 4}]
    set widths {}
    foreach name $there {
        dict set widths $name [Least $name $needs]
        incr room -[Least $name $needs]
    }
    foreach name [dict keys $texts] {
        if {[dict exists $widths $name]} {
            set more [expr {max(0, min($room, [dict get $needs $name] - [dict get $widths $name]))}]
            dict incr widths $name $more
            incr room -$more
        }
    }
    return $widths
}

# A text as its column has room for it.
proc ::popup_list::Fitted {column text {font ui}} {
    variable path
    return [shorten::text $text [theme::font $font] [expr {[$path.list.tree column $column -width] - [theme::chars 1.5]}]]
}
