# client/lib/tool/output_text.tcl
#
# What programs print, made fit to be read in a window: it was meant for a terminal.
#
# Pure. Escape sequences go, a line that was written over shows what was written last, and other control characters are
# dropped. Very long lines are broken: a text widget takes seconds for one of a megabyte.

namespace eval ::output_text {
    # characters after which a line is broken, and what the rest begins with
    variable longest 2000
    variable goes_on "\u21aa "
    # CSI, OSC, and the short ones (ECMA-48)
    variable escapes {\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]}
}

proc ::output_text::clean {text} {
    variable escapes
    if {[regexp {[^\x20-\x7e\n\t\u00a0-\uffff]} $text]} {
        regsub -all $escapes $text "" text
        set text [string map [list \r\n \n] $text]
        # a progress bar: what stands after the last return, or before one that ends the line
        regsub -all -line {^[^\n]*\r(?=[^\r\n])} $text "" text
        while {[regsub -all {[^\b\n]\b} $text "" text]} {}
        regsub -all {[\x00-\x08\x0b-\x1f\x7f-\x9f]} $text "" text
    }
    return [Break $text]
}

proc ::output_text::Break {text} {
    variable longest
    variable goes_on
    if {[string length $text] <= $longest} {
        return $text
    }
    return [join [lmap line [split $text \n] {
        set pieces {}
        for {set at 0} {$at == 0 || $at < [string length $line]} {incr at $longest} {
            lappend pieces [string range $line $at [expr {$at + $longest - 1}]]
        }
        join $pieces \n$goes_on
    }] \n]
}

# Lines that a text takes where so many characters stand in one.
proc ::output_text::height {text width} {
    set lines 0
    foreach line [split $text \n] {
        incr lines [expr {max(1, ([string length $line] + $width - 1) / $width)}]
    }
    return [expr {max(1, $lines)}]
}

# The beginning of a text, where all of it has no room.
proc ::output_text::clip {text {lines 8} {characters 700}} {
    set all [split $text \n]
    if {[llength $all] > $lines} {
        set text [join [lrange $all 0 $lines-1] \n]\n\u2026
    }
    if {[string length $text] > $characters} {
        set text [string range $text 0 $characters-1]\u2026
    }
    return $text
}
