# client/test/clients.tcl
#
# Clients in processes of their own, and a hand on their mouse and keyboard: part of the harness.
#
# A client is the real program with its own settings folder, run through driven.tcl. What a test asks goes through the
# pipe; what a person does goes through the X server (xdotool), so that a button that is hidden, covered or dead is not
# pressed.

namespace eval ::harness {
    # client -> its channel, its home and its display; answers as they come in
    variable clients [dict create]
    # client -> display of its own
    variable desks [dict create]
    variable answers
    array set answers {}
}

# Give the client of that name, which is to be started, a screen, a mouse and a keyboard of its own.
proc ::harness::desk {name args} {
    variable desks
    variable mine
    lassign [xvfb -nolisten tcp -nolisten unix {*}$args] channel number
    dict set mine "desk $name" $channel
    dict set desks $name :$number
}

# Start a client for a person; options go to the program. Returns its name when its main window is there.
proc ::harness::client {name user args} {
    variable clients
    variable folder
    variable top
    variable desks
    display
    set screen [expr {[dict exists $desks $name] ? [dict get $desks $name] : $::env(DISPLAY)}]
    set home [exec mktemp -d [file join [temporary] josch-$name.XXXXXX]]
    set environment [list DISPLAY=$screen HOME=$home XDG_CONFIG_HOME=$home/.config PGPASSFILE=$home/.pgpass]
    set command [list env {*}$environment wish $folder/driven.tcl -- $top/client/josch {*}$args]
    if {$user ne ""} {
        lappend command [conninfo $user]
    }
    set channel [open |[list {*}$command 2>$home/errors] r+]
    fconfigure $channel -blocking 0 -translation lf -buffering line
    dict set clients $name [dict create channel $channel home $home screen $screen]
    set ::harness::answers($name) {}
    fileevent $channel readable [list ::harness::Heard $name]
    Answer $name
    if {$user ne ""} {
        until $name {expr {[::db::state] eq "online"}}
    }
    return $name
}

proc ::harness::Heard {name} {
    variable clients
    variable answers
    set channel [dict get $clients $name channel]
    while {[gets $channel line] >= 0} {
        if {[string match "@ *" $line]} {
            lappend answers($name) $line
        } else {
            puts "# $name: $line"
        }
    }
    if {[eof $channel]} {
        fileevent $channel readable {}
        lappend answers($name) gone
    }
}

proc ::harness::Answer {name} {
    variable answers
    variable clients
    variable patience
    set timer [after $patience [list lappend ::harness::answers($name) late]]
    while {![llength $answers($name)]} {
        vwait ::harness::answers($name)
    }
    after cancel $timer
    set answers($name) [lassign $answers($name) line]
    switch $line {
        gone {
            error "client $name has ended: [read_file [dict get $clients $name home]/errors]"
        }
        late {
            error "client $name does not answer"
        }
    }
    lassign $line at code text
    set text [encoding convertfrom utf-8 [binary decode base64 $text]]
    if {$code == 1} {
        error "client $name: $text"
    }
    return $text
}

# Run a script in a client; returns what it returns.
proc ::harness::tell {name script} {
    variable clients
    puts [dict get $clients $name channel] [binary encode base64 [encoding convertto utf-8 $script]]
    return [Answer $name]
}

# Wait until a script in a client gives true.
proc ::harness::until {name script {what ""}} {
    wait {::harness::tell $name $script} "in client $name: [expr {$what eq "" ? $script : $what}]"
}

# Wait for a window in which a text can be read; returns its path.
proc ::harness::window {name pattern} {
    until $name [list expr "\[llength \[::driven::windows [list $pattern]\]\] > 0"] "a window that says $pattern"
    return [lindex [tell $name [list ::driven::windows $pattern]] 0]
}

# Wait until no window has that text.
proc ::harness::gone {name pattern} {
    until $name [list expr "\[llength \[::driven::windows [list $pattern]\]\] == 0"] "no window that says $pattern"
}

# Press a button as a person does: with the mouse, in the middle.
proc ::harness::press {name window label} {
    until $name [list ::driven::settled $window] "$window settled"
    click $name [tell $name [list ::driven::button $window $label]]
    away $name
}

# Take the pointer to a corner where nothing is: a window that somebody is at behaves as such.
proc ::harness::away {name} {
    xdotool $name mousemove 2 898
}

proc ::harness::click {name widget {button 1}} {
    tell $name [list raise [tell $name [list winfo toplevel $widget]]]
    wait {expr {![catch {::harness::tell $name [list ::driven::middle $widget]} ::harness::place]}} "$widget uncovered"
    lassign $::harness::place x y
    xdotool $name mousemove $x $y click $button
}

# xdotool on the display of a client.
proc ::harness::xdotool {name args} {
    variable clients
    exec env DISPLAY=[dict get $clients $name screen] xdotool {*}$args
}

# Write into a widget, key by key, as a person does.
proc ::harness::write {name widget text} {
    click $name $widget
    tell $name [list focus $widget]
    xdotool $name type --delay 2 -- $text
    until $name "string match [list *[string map {\\ \\\\ * \\* ? \\? \[ \\\[} $text]*] \[::driven::text_of $widget\]" "\"$text\" in $widget"
}

# Give a widget the keyboard. Without a window manager the keyboard goes where the pointer is. Not by focus -force: in 8.6.13
# that reads freed memory when a window that had the keyboard has been destroyed.
proc ::harness::aim {name widget} {
    lassign [tell $name [format {raise [winfo toplevel %1$s]; focus %1$s; list [winfo rootx %1$s] [winfo rooty %1$s]} $widget]] x y
    xdotool $name mousemove [expr {$x + 4}] [expr {$y + 4}]
    until $name [format {expr {[focus] eq "%1$s"}} $widget] "the keyboard in $widget"
}

proc ::harness::key {name window key} {
    aim $name $window
    xdotool $name key $key
}

# Errors that nobody caught in a client.
proc ::harness::errors {name} {
    return [tell $name {set ::driven::errors}]
}

# A picture of what is on a client's screen.
proc ::harness::picture {name file} {
    variable clients
    exec env DISPLAY=[dict get $clients $name screen] import -silent -window root $file
}

# End a client.
proc ::harness::quit {name} {
    variable clients
    set channel [dict get $clients $name channel]
    set pids [pid $channel]
    fconfigure $channel -blocking 1
    catch {close $channel w}
    set timer [after 5000 [list catch [list exec kill -9 {*}$pids]]]
    fconfigure $channel -blocking 0
    wait {read $channel; eof $channel} "the end of client $name"
    after cancel $timer
    catch {close $channel}
    file delete -force [dict get $clients $name home]
    dict unset clients $name
}

proc ::harness::close_clients {} {
    variable clients
    foreach name [dict keys $clients] {
        catch {quit $name}
    }
}
