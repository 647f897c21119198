# client/lib/tool/json.tcl
#
# JSON text to Tcl values: an object becomes a dict, an array a list, a string, number or literal its text; null becomes
# the empty string. Pure: no Tk, no database.
#
# Constraint: payloads come from the network. What is no JSON raises an error with the errorcode JOSCH JSON and never runs as
# Tcl.

namespace eval ::json {}

# The value of a JSON text.
proc ::json::parse {text} {
    set at 0
    set value [Value $text at]
    Blank $text at
    if {$at < [string length $text]} {
        Fail $text $at "the end"
    }
    return $value
}

proc ::json::Fail {text at wanted} {
    set near [string range $text $at [expr {$at + 15}]]
    return -code error -errorcode {JOSCH JSON} "JSON: expected $wanted at character [expr {$at + 1}], near \"$near\""
}

proc ::json::Blank {text atName} {
    upvar 1 $atName at
    if {[regexp -start $at -indices {\A[ \t\r\n]+} $text span]} {
        set at [expr {[lindex $span 1] + 1}]
    }
}

# Step over character and tell whether it was there.
proc ::json::Take {text atName character} {
    upvar 1 $atName at
    Blank $text at
    if {[string index $text $at] ne $character} {
        return 0
    }
    incr at
    return 1
}

proc ::json::Value {text atName} {
    upvar 1 $atName at
    Blank $text at
    switch -- [string index $text $at] {
        "\{" { return [Object $text at] }
        "\[" { return [Array $text at] }
        "\"" { return [String $text at] }
    }
    if {![regexp -start $at {\A(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null)} $text word]} {
        Fail $text $at "a value"
    }
    incr at [string length $word]
    # not by expr, which would write numbers its own way
    if {$word eq "null"} {
        return ""
    }
    return $word
}

proc ::json::Object {text atName} {
    upvar 1 $atName at
    set object [dict create]
    incr at
    if {[Take $text at "\}"]} {
        return $object
    }
    while 1 {
        Blank $text at
        set name [String $text at]
        if {![Take $text at ":"]} {
            Fail $text $at "\":\""
        }
        dict set object $name [Value $text at]
        if {[Take $text at "\}"]} {
            return $object
        }
        if {![Take $text at ","]} {
            Fail $text $at "\",\" or \"\}\""
        }
    }
}

proc ::json::Array {text atName} {
    upvar 1 $atName at
    set list {}
    incr at
    if {[Take $text at "\]"]} {
        return $list
    }
    while 1 {
        lappend list [Value $text at]
        if {[Take $text at "\]"]} {
            return $list
        }
        if {![Take $text at ","]} {
            Fail $text $at "\",\" or \"\]\""
        }
    }
}

proc ::json::String {text atName} {
    upvar 1 $atName at
    if {![regexp -start $at {\A"((?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*)"} $text all inner]} {
        Fail $text $at "a string"
    }
    incr at [string length $all]
    if {[string first "\\" $inner] < 0} {
        return $inner
    }
    return [Unescape $inner]
}

proc ::json::Unescape {inner} {
    set simple {\\" \" \\\\ \\ \\/ / \\b \b \\f \f \\n \n \\r \r \\t \t}
    set out ""
    set at 0
    set escape {\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u....|.)}
    foreach span [regexp -all -inline -indices $escape $inner] {
        lassign $span first last
        append out [string range $inner $at [expr {$first - 1}]]
        set escape [string range $inner $first $last]
        switch [string length $escape] {
            2 { append out [string map $simple $escape] }
            6 { append out [format %c [scan [string range $escape 2 5] %x]] }
            12 {
                scan $escape {\u%4x\u%4x} high low
                append out [format %c [expr {0x10000 + (($high - 0xd800) << 10) + $low - 0xdc00}]]
            }
        }
        set at [expr {$last + 1}]
    }
    append out [string range $inner $at end]
}
