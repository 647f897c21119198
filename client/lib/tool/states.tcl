# client/lib/tool/states.tcl
#
# What the states of a node are, and the acts of people, by the server's word: josch.states() and josch.acts(), read at each
# connect.
#
# Constraint: no list of states stands anywhere else in the client. What it shows of a state besides (its symbol, its name for
# people) is theme.tcl's, where a state that is new looks plain until it has some.

namespace eval ::states {
    # state -> {satisfies attention begun final fill text dark_fill dark_text success done failure well}, the most urgent first
    variable known [dict create]
    # action -> what somebody did, in words
    variable deeds [dict create]
    variable sql {
        SELECT s.state, s.satisfies::int AS satisfies, s.attention::int AS attention, s.begun::int AS begun,
            s.final::int AS final, s.fill, s.text_color AS text, s.dark_fill, s.dark_text, s.success, s.done, s.failure, s.well
        FROM josch.states() s ORDER BY s.urgency;
        SELECT a.action, a.deed FROM josch.acts() a;
    }
}

# Read them; called before anything else is read.
proc ::states::load {} {
    variable sql
    db::query $sql ::states::Take states-load
}

proc ::states::Take {result} {
    if {[dict get $result ok]} {
        variable known
        variable deeds
        set before [list $known $deeds]
        lassign [dict get $result all] states acts
        learn [db::dicts $states] [dict get $acts rows]
        if {$before ne [list $known $deeds]} {
            event generate . <<StatesChanged>>
        }
    }
}

# Take over states, as dicts, and acts, {action deed} each.
proc ::states::learn {states acts} {
    variable known
    variable deeds
    set known [dict create]
    foreach state $states {
        dict set known [dict get $state state] $state
    }
    set deeds [dict create {*}[concat {*}$acts]]
}

# All states, the most urgent first; or those of which something is true.
proc ::states::names {{what ""}} {
    variable known
    return [lmap state [dict keys $known] {
        if {$what ne "" && ![is $state $what]} continue
        set state
    }]
}

# Is it true of a state that it satisfies (its children need not wait), asks for attention, has begun, is final?
proc ::states::is {state what} {
    variable known
    return [expr {[dict exists $known $state] && [dict get $known $state $what]}]
}

# What a parent in that state is to a dependency with that condition: waits, satisfied or impossible; of a state that is not
# known it waits.
proc ::states::means {state condition} {
    variable known
    return [if {[dict exists $known $state $condition]} {dict get $known $state $condition} else {string cat waits}]
}

# Its colours on a light ground or a dark one: {fill text}; empty when it is not known.
proc ::states::colors {state {ground light}} {
    variable known
    if {![dict exists $known $state]} {
        return {}
    }
    return [lmap name [expr {$ground eq "dark" ? {dark_fill dark_text} : {fill text}}] {dict get $known $state $name}]
}

# What somebody did, as a sentence without its end: "alice signed it off at 09:31". moment: text of the time.
proc ::states::deed {who action moment} {
    variable deeds
    if {[dict exists $deeds $action]} {
        return "$who [dict get $deeds $action] at $moment"
    }
    return "$who did [string map {_ " "} $action] at $moment"
}
