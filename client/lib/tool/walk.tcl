# client/lib/tool/walk.tcl
#
# Lists and tables by keyboard, from the first key: ttk's tree moves a focus that nobody has set, and knows no Home and End.
# And what a person selects there is told at once.
#
# Constraint: what a tree does of itself stays; only a key that would do nothing is given something to do. <<TreeviewSelect>>
# comes behind all events that wait, and in between a second key would act on what was selected before, or a timer would show
# that again, and undo what was selected.

namespace eval ::walk {
    # key -> where it leads when there is no item with the focus, and when there is one ("" is ttk's own way)
    variable keys {
        Down {first ""}  Up {last ""}  Home {first first}  End {last last}  Next {first ""}  Prior {last ""}
        Right {first ""}  Left {last ""}
    }
}

# Let all trees be walked. Called once, when Tk is there.
proc ::walk::init {} {
    variable keys
    foreach key [dict keys $keys] {
        bind Treeview <Key-$key> "if {!\[::walk::Key %W $key\]} {[bind Treeview <Key-$key>]}"
    }
}

# Run a script whenever the selection of a tree may be another: within the key or the click that has done it, before any
# other event.
proc ::walk::tell {tree script} {
    set tag walk$tree
    set at [lsearch -exact [bindtags $tree] Treeview]
    bindtags $tree [linsert [bindtags $tree] [expr {$at + 1}] $tag]
    foreach event {<Key> <Button> <ButtonRelease>} {
        # the click, or the key, may have closed the window
        bind $tag $event "if {\[winfo exists %W\]} {$script}"
    }
    bind $tree <<TreeviewSelect>> +$script
}

# True when the key has been answered.
proc ::walk::Key {tree key} {
    variable keys
    set all [Shown $tree {}]
    set at [$tree focus]
    set where [lindex [dict get $keys $key] [expr {$at in $all}]]
    if {$all eq {} || $where eq ""} {
        return 0
    }
    set item [lindex $all [expr {$where eq "first" ? 0 : "end"}]]
    $tree focus $item
    $tree selection set [list $item]
    $tree see $item
    return 1
}

# Items that can be seen by scrolling, from the top.
proc ::walk::Shown {tree parent} {
    set items {}
    foreach item [$tree children $parent] {
        lappend items $item
        if {[$tree item $item -open]} {
            lappend items {*}[Shown $tree $item]
        }
    }
    return $items
}
