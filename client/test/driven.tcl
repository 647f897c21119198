# client/test/driven.tcl
#
# wish driven.tcl PROGRAM ARGUMENT...: the program as it is, with a pipe beside it, through which a test looks at its
# windows and measures it. Scripts come in by the standard input, one a line in base64, and answers go out the same way.
#
# Constraint: the program knows nothing of this; it has no door for tests that somebody else could find open.

namespace eval ::driven {
    # errors that nobody caught: messages and traces
    variable errors {}
    # window -> when it was first mapped, in microseconds
    variable mapped [dict create]
    # the ticker: when it ticked last, and the longest time between two ticks, in ms
    variable last 0
    variable longest 0
    variable ticker ""
    # the work that is done between two looks at the events, in commands of Tcl: the count at the last look, and the most
    variable count 0
    variable most 0
    # the statements that were sent to the server
    variable sent {}
    # the buttons that were released since the hand acted last, and whether each was pressed then
    variable landed {}
}

proc ::driven::Obey {} {
    if {[gets stdin line] < 0} {
        if {[eof stdin]} {
            exit
        }
        return
    }
    Look
    set script [encoding convertfrom utf-8 [binary decode base64 $line]]
    set code [catch {uplevel #0 $script} result]
    # what a test asks is no work of the program's
    set ::driven::count [::info cmdcount]
    puts "@ $code [binary encode base64 [encoding convertto utf-8 $result]]"
    flush stdout
}

proc ::driven::Failed {handler message options} {
    variable errors
    lappend errors "$message\n[dict get $options -errorinfo]"
    catch {{*}$handler $message $options}
}

proc ::driven::Mapped {window} {
    variable mapped
    if {[winfo toplevel $window] eq $window && ![dict exists $mapped $window]} {
        dict set mapped $window [clock microseconds]
    }
}

# ---- what tests ask ----

# Between two commands of the work queue, and between two events, events may be looked at: how much was done since?
proc ::driven::Look {args} {
    variable count
    variable most
    set now [::info cmdcount]
    set most [expr {max($most, $now - $count)}]
    set count $now
}

proc ::driven::Sent {call args} {
    lappend ::driven::sent [lindex $call 1]
}

# Measure from now on how long the event loop is kept busy, and with how much.
proc ::driven::tick {} {
    variable ticker
    variable last
    variable longest
    set ::driven::most 0
    set ::driven::sent {}
    after cancel $ticker
    set last [clock microseconds]
    set longest 0
    set ticker [after 10 ::driven::Tock]
}

proc ::driven::Tock {} {
    variable ticker
    variable last
    variable longest
    Look
    set now [clock microseconds]
    set longest [expr {max($longest, ($now - $last) / 1000.0 - 10)}]
    set last $now
    set ticker [after 10 ::driven::Tock]
}

# The longest time that a tick came late, in ms, since tick; stops the ticker.
proc ::driven::tock {} {
    variable ticker
    variable longest
    after cancel $ticker
    return [format %.1f $longest]
}

# Has all that was asked been answered and shown, and the graph its last layout?
proc ::driven::quiet {} {
    expr {![llength $::db::work_current] && ![llength $::db::work_queue]
        && ![llength $::db::hand_current] && [::workq::size] == 0 && !$::board::read(loading)
        && $::graph::pipe eq "" && $::graph::builder eq ""}
}

# The most commands that were run at a stretch since tick.
proc ::driven::most {} {
    variable most
    return $most
}

# Ms that a frame takes while a canvas is panned to and fro, the mean of so many.
proc ::driven::pan {canvas frames} {
    set began [clock microseconds]
    for {set i 0} {$i < $frames} {incr i} {
        $canvas scan mark 400 300
        $canvas scan dragto [expr {400 + ($i % 20) - 10}] [expr {300 + ($i % 14) - 7}] 1
        update
    }
    return [expr {([clock microseconds] - $began) / 1000.0 / $frames}]
}

# A window and all below it that can be seen.
proc ::driven::tree {window} {
    set found [list $window]
    foreach child [winfo children $window] {
        if {[winfo toplevel $child] ne $child} {
            lappend found {*}[tree $child]
        }
    }
    return $found
}

# Toplevels on the screen, apart from the main window, in which a text can be read.
proc ::driven::windows {{pattern *}} {
    set found {}
    foreach window [wm stackorder .] {
        if {$window ne "." && [string match $pattern [texts $window]]} {
            lappend found $window
        }
    }
    return $found
}

# All that can be read in a window: its title, labels, buttons, entries, texts, and lists.
proc ::driven::texts {window} {
    set texts [list [wm title [winfo toplevel $window]]]
    foreach widget [tree $window] {
        if {[winfo ismapped $widget]} {
            lappend texts {*}[text_of $widget]
        }
    }
    return [join $texts \n]
}

proc ::driven::text_of {widget} {
    switch [winfo class $widget] {
        Text {
            return [list [$widget get 1.0 end-1c]]
        }
        TEntry - Entry - TCombobox - TSpinbox {
            return [list [$widget get]]
        }
        Treeview {
            return [rows_of $widget {}]
        }
        Canvas {
            return [lmap item [$widget find all] {
                if {[$widget type $item] ne "text"} continue
                $widget itemcget $item -text
            }]
        }
    }
    if {[catch {$widget cget -textvariable} variable] || $variable eq ""} {
        return [expr {[catch {$widget cget -text} text] ? {} : [list $text]}]
    }
    return [list [set $variable]]
}

proc ::driven::rows_of {tree parent} {
    set rows {}
    foreach item [$tree children $parent] {
        lappend rows "[$tree item $item -text] [$tree item $item -values]" {*}[rows_of $tree $item]
    }
    return $rows
}

# The labels of the buttons in a window that can be pressed.
proc ::driven::buttons {window} {
    return [lmap widget [tree $window] {
        if {[winfo class $widget] ni {TButton Button TMenubutton} || ![winfo ismapped $widget]} continue
        if {![catch {$widget instate disabled} off] && $off} continue
        lindex [text_of $widget] 0
    }]
}

# The button with a label, or the first widget of a class; an error lists what there is.
proc ::driven::button {window label} {
    foreach widget [tree $window] {
        if {[winfo class $widget] in {TButton Button TMenubutton TCheckbutton} && [winfo ismapped $widget] &&
                [string match -nocase $label [lindex [text_of $widget] 0]]} {
            return $widget
        }
    }
    error "no button \"$label\" in $window; there are: [join [buttons $window] {, }]"
}

proc ::driven::widget {window class} {
    foreach widget [tree $window] {
        if {[winfo class $widget] eq $class && [winfo ismapped $widget]} {
            return $widget
        }
    }
    error "no $class in $window"
}

# Has the window that this is in been there for longer than the moment in which it does not act, and nothing else changed?
proc ::driven::settled {window} {
    variable mapped
    set window [winfo toplevel $window]
    ::guard::Prune
    expr {[dict exists $mapped $window] && [clock microseconds] - [dict get $mapped $window] > 1000 * ($::guard::pause + 50)
        && ![llength $::guard::places]}
}

# Where all windows are, when nothing is left to be done before that is so: a test looks until it has seen the same twice.
proc ::driven::standing {} {
    # the first round sees what the program has still to do, the second what the screen says to it
    foreach round {first second} {
        update
        winfo pointerxy .
    }
    list [::workq::size] [lmap window [wm stackorder .] {list $window [wm geometry $window] [winfo reqwidth $window] [winfo reqheight $window]}]
}

# The state of a node on the board; empty when it is not there.
proc ::driven::state {node date} {
    set row [::board::row [list $node $date]]
    expr {[dict exists $row state] ? [dict get $row state] : ""}
}

# When a window was first mapped, in microseconds since 1970.
proc ::driven::mapped {window} {
    variable mapped
    dict get $mapped $window
}

# ---- a hand on the mouse and the keyboard ----
#
# A person looks where a thing is, and clicks there when it stands still. So does this: it lets all that has happened be handled,
# looks twice, and when both looks show the same, and nothing in the way, acts at once. The program handles nothing in
# between: xdotool runs within the same command. Each gives what kept it from acting; nothing when it has acted.

# Do what deeds, words of xdotool, say, at the place that a script gives: x and y on the screen, perhaps with more deeds; or an error
# that says why there is none. hasty: also where something came or went a moment ago, of which the program takes no click.
proc ::driven::strike {place deeds {hasty 0}} {
    variable landed
    foreach look {first second} {
        update
        if {[catch {uplevel #0 $place} $look]} {
            return [set $look]
        }
    }
    if {$first ne $second} {
        return "it moves, from $first to $second"
    }
    if {!$hasty && [::guard::Unquiet {*}[lrange $second 0 1]]} {
        return "less than $::guard::pause ms ago something came, went or changed there"
    }
    set landed {}
    exec xdotool mousemove {*}$second {*}$deeds
    return ""
}

# The middle of a widget on the screen, when it can be pressed there.
proc ::driven::middle {widget} {
    if {![winfo exists $widget]} {
        error "there is no $widget"
    }
    if {![catch {$widget instate disabled} off] && $off} {
        error "$widget is disabled"
    }
    return [seen [expr {[winfo rootx $widget] + [winfo width $widget] / 2}] [expr {[winfo rooty $widget] + [winfo height $widget] / 2}] $widget]
}

# A place on the screen, when a widget can be seen there; what covers it is below its window the next time.
proc ::driven::seen {x y widget} {
    if {![winfo viewable $widget] || [winfo width $widget] <= 1} {
        error "$widget is not shown"
    }
    set top [winfo containing $x $y]
    if {$top ne $widget && ![string match $widget.* $top]} {
        raise [winfo toplevel $widget]
        error "at $x,$y is \"$top\", not $widget"
    }
    return [list $x $y]
}

# The same of the button with a label in a window.
proc ::driven::middle_of {window label} {
    return [middle [button $window $label]]
}

# A place in a widget, so far from its upper left corner, or, when that is negative, from its lower right one.
proc ::driven::within {widget x y} {
    set x [expr {round($x < 0 ? [winfo width $widget] + $x : $x)}]
    set y [expr {round($y < 0 ? [winfo height $widget] + $y : $y)}]
    return [seen [expr {[winfo rootx $widget] + $x}] [expr {[winfo rooty $widget] + $y}] $widget]
}

# The middle of a row of a tree, or of one of its cells, so many points from the left.
proc ::driven::row {tree item {column ""} {from 10}} {
    $tree see $item
    lassign [$tree bbox $item {*}$column] x y w h
    if {$x eq ""} {
        error "$item of $tree is not shown"
    }
    return [seen [expr {[winfo rootx $tree] + $x + $from}] [expr {[winfo rooty $tree] + $y + $h / 2}] $tree]
}

# Give a widget the keyboard, and press keys there, when both looks show that it has it. Without a window manager the keyboard goes
# where the pointer is. By focus -force only when nobody has it: in 8.6.13 that may read freed memory when a window that had the
# keyboard has been destroyed. hasty as above.
proc ::driven::type {widget deeds {hasty 0}} {
    foreach look {first second} {
        update
        if {[catch {at_keyboard $widget $hasty} message]} {
            return $message
        }
    }
    if {$deeds ne {}} {
        exec xdotool {*}$deeds
    }
    return ""
}

# An error unless the widget has the keyboard: the pointer is on it, nothing is above it, and the program knows. Moves towards that.
proc ::driven::at_keyboard {widget hasty} {
    if {![winfo exists $widget]} {
        error "there is no $widget"
    }
    set top [winfo toplevel $widget]
    if {[catch {seen [expr {[winfo rootx $widget] + 4}] [expr {[winfo rooty $widget] + 4}] $widget} place]} {
        # what is beyond the edge of a form comes into sight with the keyboard
        focus $widget
        error $place
    }
    if {[winfo pointerxy $widget] ne $place} {
        raise $top
        focus $widget
        exec xdotool mousemove {*}$place
        error "the pointer is on its way to $widget"
    }
    if {[focus] ne $widget} {
        focus $widget
        if {[focus] eq ""} {
            # nobody's, as the window that had it has gone: a window manager would give it to this one
            focus -force $top
        }
        error "\"[focus]\" has the keyboard, not $widget"
    }
    if {!$hasty && [info exists ::guard::entered($top)] && [clock milliseconds] - $::guard::entered($top) <= $::guard::pause} {
        error "the keyboard came to $top less than $::guard::pause ms ago"
    }
}

# Was the button that the hand went for pressed, and has it acted? {} as long as that is not known; else what was hit.
proc ::driven::Landed {widget} {
    variable landed
    lappend landed $widget [$widget instate {pressed !disabled}]
}

fconfigure stdin -blocking 0 -translation lf
fconfigure stdout -translation lf
fileevent stdin readable ::driven::Obey
bind all <Map> {+::driven::Mapped %W}
foreach class {TButton TCheckbutton} {
    bind $class <ButtonRelease-1> "::driven::Landed %W; [bind $class <ButtonRelease-1>]"
}
if {[lindex $argv 0] eq "--"} {
    # it kept Tk's hands off the program's options
    set argv [lrange $argv 1 end]
}
set argv [lassign $argv argv0]
set argc [llength $argv]
source $argv0
interp bgerror {} [list ::driven::Failed [interp bgerror {}]]
trace add execution ::workq::Run enter ::driven::Look
trace add execution ::db::Send enter ::driven::Sent
puts "@ 0 [binary encode base64 ready]"
flush stdout
