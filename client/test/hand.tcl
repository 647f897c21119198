# client/test/hand.tcl
#
# A hand on the mouse and the keyboard of a client: part of the harness. What it does goes through the X server (xdotool), so that
# a button that is hidden, covered or dead is not pressed; when, is judged within the client (driven.tcl).
#
# Constraint: a test never clicks at a place that was computed before. It says what is to be hit, and the hand looks for it
# until it stands still, uncovered and enabled; when that is never so, the error tells what was seen last.

namespace eval ::harness {}

# Try until a script gives no reason why not any more.
proc ::harness::Insist {what script} {
    set reason ""
    if {[catch {wait {expr {[set reason [uplevel 1 $script]] eq ""}} $what} message]} {
        error "$message[expr {$reason eq "" ? "" : "; at last: $reason"}]"
    }
}

# Do what words of xdotool say at a place: a script, run in the client, that gives x and y on the screen, or an error.
proc ::harness::strike {name place args} {
    Insist "$args at \[$place\]" {tell $name [list ::driven::strike $place $args]}
}

# The same where something has just come or gone: a click that the program is not to take.
proc ::harness::strike_at_once {name place args} {
    Insist "$args at \[$place\]" {tell $name [list ::driven::strike $place $args 1]}
}

# Press a button as a person does: with the mouse, in the middle; again, when it became dead under the hand.
proc ::harness::press {name window label} {
    Insist "the button \"$label\" in $window" {
        set button ""
        strike $name [list ::driven::middle_of $window $label] click 1
        lassign [Landing $name] button took
        expr {$took ? "" : "$button was released without having been pressed"}
    }
    away $name
}

# Where the click came down: {button acts}.
proc ::harness::Landing {name} {
    until $name {llength $::driven::landed} "a button that was hit"
    return [tell $name {set ::driven::landed}]
}

# Press keys, or click, without a look, for tests of who gets what was not meant for anybody.
proc ::harness::blindly {name args} {
    xdotool $name {*}$args
}

# Wait until a key that does nothing, pressed after others, has come: so have they.
proc ::harness::typed {name key} {
    tell $name [format {
        unset -nocomplain ::driven::key
        bind all <KeyRelease-%1$s> {+set ::driven::key 1}
    } $key]
    xdotool $name key $key
    until $name {info exists ::driven::key}
}

# Hold a key until the screen has repeated it many times, and more than one window has had it.
proc ::harness::hold_key {name key} {
    tell $name [format {
        set ::driven::repeats 0
        bind all <KeyPress-%1$s> {+incr ::driven::repeats}
    } $key]
    xdotool $name keydown $key
    until $name {expr {$::driven::repeats > 25}}
    xdotool $name keyup $key
    typed $name F12
}

# Wait until all windows stand where they are to stand.
proc ::harness::still {name} {
    set last ""
    wait {
        set before $last
        set last [tell $name ::driven::standing]
        expr {$last eq $before && [lindex $last 0] == 0}
    } "windows that stand still, in client $name"
}

# Take the pointer to a corner where nothing is: a window that somebody is at behaves as such.
proc ::harness::away {name} {
    xdotool $name mousemove 2 898
}

# Click in the middle of a widget.
proc ::harness::click {name widget {button 1}} {
    strike $name [list ::driven::middle $widget] click $button
}

# Give a widget the keyboard, until its window has had it for a while.
proc ::harness::aim {name widget} {
    Insist "the keyboard in $widget" {tell $name [list ::driven::type $widget {}]}
}

# Press keys in a widget that has had the keyboard for a while.
proc ::harness::key {name widget args} {
    Insist "$args in $widget" {tell $name [list ::driven::type $widget [list key {*}$args]]}
}

# The same in one to which the keyboard has just come: keys that the program is not to take.
proc ::harness::key_at_once {name widget args} {
    Insist "$args in $widget" {tell $name [list ::driven::type $widget [list key {*}$args] 1]}
}

# Type a text in a widget, at its cursor; it is not waited for.
proc ::harness::type {name widget text} {
    Insist "\"$text\" for $widget" {tell $name [list ::driven::type $widget [list type --delay 2 -- $text] 1]}
}

# Write into a widget, key by key, as a person does.
proc ::harness::write {name widget text} {
    click $name $widget
    type $name $widget $text
    until $name "string match [list *[string map {\\ \\\\ * \\* ? \\? \[ \\\[} $text]*] \[::driven::text_of $widget\]" "\"$text\" in $widget"
}
