# client/lib/editor/editor_edge.tcl
#
# The dialog for a dependency: parent, child, the day of each relative to the day at hand, and what the child waits for.
#
# Constraint: it waits for nobody; what was chosen goes to a callback. What it means is said in words below the fields,
# because "-1, 0" is easily read the wrong way round.

namespace eval ::editor_edge {
    variable field
    array set field {parent "" p_date 0 child "" c_date 0 condition success}
}

# nodes: what may be chosen, "Name (id)"; callback gets parent, p_date, child, c_date, condition.
proc ::editor_edge::show {parent nodes from to callback} {
    variable field
    array set field [list parent $from p_date 0 child $to c_date 0 condition success]
    set window $parent.edge
    destroy $window
    toplevel $window -class JoschDialog
    wm withdraw $window
    wm title $window "Dependency"
    wm transient $window $parent
    wm resizable $window 1 0
    theme::dress $window
    ttk::frame $window.f -padding [theme::px 14]
    Fields $window.f $nodes
    ttk::label $window.f.meaning -style Quiet.TLabel -wraplength [theme::px 420] -justify left
    ttk::frame $window.f.buttons
    ttk::button $window.f.buttons.ok -text "Add" -style Act.TButton -command [list ::editor_edge::Take $window $callback]
    ttk::button $window.f.buttons.cancel -text "Cancel" -command [list destroy $window]
    pack $window.f.buttons.ok $window.f.buttons.cancel -side right -padx [theme::px 8 0]
    grid $window.f.meaning -columnspan 2 -sticky ew -pady [theme::px 10 12]
    grid $window.f.buttons -columnspan 2 -sticky ew
    grid columnconfigure $window.f 1 -weight 1
    pack $window.f -fill both -expand 1
    bind $window <Return> [list ::editor_edge::Take $window $callback]
    bind $window <Escape> [list destroy $window]
    Explain $window
    dialog::center $window $parent
    focus $window.f.[expr {$from eq "" ? "parent" : "p_date"}]
}

proc ::editor_edge::Fields {f nodes} {
    foreach {name label} {parent "Parent" p_date "Parent's day" child "Child" c_date "Child's day" condition "Waits for"} {
        ttk::label $f.l_$name -text $label
        if {$name eq "condition"} {
            ttk::combobox $f.$name -values {success done failure well} -state readonly -width 10 \
                -textvariable ::editor_edge::field($name)
            bind $f.$name <<ComboboxSelected>> [list ::editor_edge::Explain [winfo toplevel $f]]
        } elseif {$name in {parent child}} {
            ttk::combobox $f.$name -values $nodes -width 44 -textvariable ::editor_edge::field($name)
            bind $f.$name <<ComboboxSelected>> [list ::editor_edge::Explain [winfo toplevel $f]]
        } else {
            ttk::spinbox $f.$name -from -366 -to 366 -width 6 -textvariable ::editor_edge::field($name) \
                -command [list ::editor_edge::Explain [winfo toplevel $f]]
        }
        bind $f.$name <KeyRelease> [list ::editor_edge::Explain [winfo toplevel $f]]
        grid $f.l_$name $f.$name -pady [theme::px 3]
        grid configure $f.l_$name -sticky w -padx [theme::px 0 12]
        grid configure $f.$name -sticky [expr {$name in {parent child} ? "ew" : "w"}]
    }
    tip::set_text $f.p_date [dict get [editor::Column tpl_node_deps p_date] comment]
    tip::set_text $f.c_date [dict get [editor::Column tpl_node_deps c_date] comment]
    tip::set_text $f.condition [dict get [editor::Column tpl_node_deps condition] comment]
}

# The dependency as a sentence.
proc ::editor_edge::sentence {parent p_date child c_date {condition success}} {
    set what [dict get {success "" done " to have ended, however" failure " to fail" well " to have ended well"} \
        [expr {$condition in {done failure well} ? $condition : "success"}]]
    return "[Name $child] of [Day $c_date] waits for [Name $parent] of [Day $p_date]$what."
}

proc ::editor_edge::Name {text} {
    regsub { \(\d+\)$} $text "" text
    return [if {$text eq ""} {string cat \u2026} else {set text}]
}

proc ::editor_edge::Day {offset} {
    if {![string is integer -strict $offset] || $offset == 0} {
        return "the day"
    } elseif {abs($offset) == 1} {
        return [expr {$offset < 0 ? "the day before" : "the day after"}]
    }
    return "[expr {abs($offset)}] days [expr {$offset < 0 ? "before" : "after"}]"
}

proc ::editor_edge::Explain {window} {
    variable field
    if {[winfo exists $window.f.meaning]} {
        $window.f.meaning configure -text [sentence $field(parent) $field(p_date) $field(child) $field(c_date) \
            $field(condition)]
        set whole [expr {$field(parent) ne "" && $field(child) ne "" && [string is integer -strict $field(p_date)]
            && [string is integer -strict $field(c_date)]}]
        $window.f.buttons.ok state [expr {$whole ? "!disabled" : "disabled"}]
    }
}

proc ::editor_edge::Take {window callback} {
    variable field
    if {[$window.f.buttons.ok instate disabled]} {
        return
    }
    destroy $window
    {*}$callback $field(parent) $field(p_date) $field(child) $field(c_date) $field(condition)
}
