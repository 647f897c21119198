# client/lib/cli/cli_print.tcl
#
# What the command line prints: columns, colours, widths. Constraint: nothing that is stored reaches a terminal raw, as it may
# hold sequences that the terminal obeys; where stdout is no terminal, texts are whole and as they are. None goes through expr,
# which would write what looks like a number its own way.

namespace eval ::cli_print {
    # state -> colour of a terminal, by what it means; others are plain
    variable colors {
        failed 31 unknown 31 review 33 signoff 33 held 33 running 36 up 36 succeeded 32 skipped 2 omitted 2 abandoned 31
        pending 2
    }
    variable terminal
    array set terminal {}
}

# Is a channel a terminal? One has the settings of a line.
proc ::cli_print::is_terminal {channel} {
    variable terminal
    if {![info exists terminal($channel)]} {
        set dumb [expr {[info exists ::env(TERM)] && $::env(TERM) eq "dumb"}]
        set terminal($channel) [expr {[dict exists [fconfigure $channel] -mode] && !$dumb}]
    }
    return $terminal($channel)
}

# Lines and columns of the terminal.
proc ::cli_print::size {} {
    if {[catch {exec stty size <@stdin} size] && [catch {exec stty size </dev/tty} size]} {
        set size {24 80}
    }
    lassign $size lines columns
    return [list [expr {max(4, $lines)}] [expr {max(20, $columns)}]]
}

# A text in a line, for people.
proc ::cli_print::plain {text} {
    return [if {[is_terminal stderr]} {output_text::clean $text} else {string cat $text}]
}

# One line of a text: what is printed of a message that has several.
proc ::cli_print::line {text} {
    return [string map {\n " " \t " "} [output_text::clean $text]]
}

proc ::cli_print::is_coloured {} {
    return [expr {[is_terminal stdout] && ![info exists ::env(NO_COLOR)]}]
}

proc ::cli_print::colour {text code} {
    return [if {$code ne "" && [is_coloured]} {string cat "\x1b\[${code}m" $text "\x1b\[0m"} else {string cat $text}]
}

proc ::cli_print::of_state {state} {
    variable colors
    return [if {[dict exists $colors $state]} {dict get $colors $state}]
}

# Rows below headings; the last column is cut at the terminal's edge. state: number of the column that holds a state, -1 for
# none.
proc ::cli_print::table {headings rows {state -1}} {
    set rows [lmap row $rows {lmap cell $row {line $cell}}]
    set widths [lmap heading $headings {string length $heading}]
    foreach row $rows {
        set widths [lmap width $widths cell $row {expr {max($width, [string length $cell])}}]
    }
    set room [expr {[is_terminal stdout] ? [lindex [size] 1] : 0}]
    puts [Row $headings $widths $room -1]
    foreach row $rows {
        puts [Row $row $widths $room $state]
    }
}

proc ::cli_print::Row {cells widths room state} {
    set text ""
    set at 0
    set last [expr {[llength $cells] - 1}]
    foreach cell $cells width $widths {
        set padded [if {$at == $last} {string cat $cell} else {format %-*s $width $cell}]
        if {$room && [string length $text] + [string length $padded] > $room} {
            set padded [string range $padded 0 [expr {max(0, $room - [string length $text] - 2)}]]\u2026
        }
        if {$at == $state} {
            set from [string length $text]
            set code [of_state $cell]
        }
        append text $padded [expr {$at == $last ? "" : "  "}]
        incr at
    }
    set text [string trimright $text]
    if {$state >= 0 && $code ne ""} {
        set to [expr {$from + [string length [lindex $cells $state]] - 1}]
        set text [string replace $text $from $to [colour [string range $text $from $to] $code]]
    }
    return $text
}

# Name and value, a line each; those without a value are left out.
proc ::cli_print::facts {pairs} {
    set width 0
    foreach {name value} $pairs {
        set width [expr {$value eq "" ? $width : max($width, [string length $name])}]
    }
    set next "\n[string repeat " " [expr {$width + 2}]]"
    foreach {name value} $pairs {
        if {$value ne ""} {
            puts [format "%-*s  %s" $width $name [string map [list \n $next] [text $value]]]
        }
    }
}

# A text of several lines, fit for where it goes.
proc ::cli_print::text {text} {
    return [if {[is_terminal stdout]} {output_text::clean $text} else {string cat $text}]
}
