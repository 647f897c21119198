# client/lib/tool/sorting.tcl
#
# The order of a table's rows by one of its columns. Pure.

namespace eval ::sorting {}

# Keys of {value key} pairs in the order of the values; equals stay as they came. kind: text (as in a dictionary) or number, of
# which those without a value come last, whichever way.
proc ::sorting::keys {pairs kind descending} {
    set last {}
    if {$kind ne "text"} {
        set last [lmap pair $pairs {
            if {[lindex $pair 0] ne ""} continue
            lindex $pair 1
        }]
        set pairs [lsearch -all -inline -not -exact -index 0 $pairs ""]
    }
    set how [expr {$kind eq "text" ? "-dictionary" : "-real"}]
    set direction [expr {$descending ? "-decreasing" : "-increasing"}]
    return [concat [lmap pair [lsort $how $direction -index 0 $pairs] {lindex $pair 1}] $last]
}

# Put the mark of the sorted column into a tree's headings: {column title} each.
proc ::sorting::mark {tree titles column descending} {
    foreach {name title} $titles {
        $tree heading $name -text $title[expr {$name ne $column ? "" : $descending ? " \u25be" : " \u25b4"}]
    }
}
