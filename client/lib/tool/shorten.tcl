# client/lib/tool/shorten.tcl
#
# Texts that have less room than they need: shortened in the middle, so that what tells two of them apart (#22, _EMEA, exit
# code 3) stays at the end, or broken over lines.
#
# Constraint: it is asked for each box and cell, and texts are anybody's: what is longer than a line is cut before it is
# measured, and the room is found by halving. The font must be one that some widget has; another is opened anew for each
# text that is measured, which takes 300 times as long.

namespace eval ::shorten {
    # longer texts lose their middle before they are measured
    variable most 400
    # after these a name may be broken
    variable breaks {_ - . / : { }}
}

# The text, or as much of its beginning and its end as there is room for.
proc ::shorten::text {text font pixels} {
    variable most
    set text [string map {\n " "} $text]
    if {[string length $text] > $most} {
        set text [Cut $text $most]
    }
    if {[font measure $font $text] <= $pixels} {
        return $text
    }
    set low 0
    set high [string length $text]
    while {$high - $low > 1} {
        set middle [expr {($low + $high) / 2}]
        if {[font measure $font [Cut $text $middle]] <= $pixels} {
            set low $middle
        } else {
            set high $middle
        }
    }
    return [Cut $text $low]
}

# So many characters of a text, with a sign in place of its middle. The end has two of five, and more when its last word needs
# them.
proc ::shorten::Cut {text count} {
    set length [string length $text]
    regexp {[^\s_/:.-]*$} $text word
    set tail [expr {$count * 2 / 5}]
    if {[string length $word] > $tail && [string length $word] <= $count * 3 / 4} {
        set tail [string length $word]
    }
    return [string range $text 0 [expr {$count - $tail - 1}]]\u2026[string range $text [expr {$length - $tail}] end]
}

# The text in at most so many lines, each of which has room; broken between words where that is possible, the last shortened.
proc ::shorten::wrap {text font pixels lines} {
    set done {}
    while {[llength $done] < $lines - 1 && [font measure $font $text] > $pixels} {
        set line [Head $text $font $pixels]
        lappend done [string trim $line]
        set text [string trim [string range $text [string length $line] end]]
    }
    lappend done [text $text $font $pixels]
    return $done
}

# As much of the beginning as has room: to the end of a word, unless that is less than half of it.
proc ::shorten::Head {text font pixels} {
    variable most
    variable breaks
    set low 1
    set high [expr {min($most, [string length $text])}]
    while {$high - $low > 1} {
        set middle [expr {($low + $high) / 2}]
        if {[font measure $font [string range $text 0 $middle-1]] <= $pixels} {
            set low $middle
        } else {
            set high $middle
        }
    }
    for {set at $low} {$at * 2 > $low} {incr at -1} {
        if {[string index $text $at-1] in $breaks || [string index $text $at] in {# \[ ( " "}} {
            return [string range $text 0 $at-1]
        }
    }
    return [string range $text 0 $low-1]
}
