# client/test/clients.tcl
#
# Clients in processes of their own: part of the harness.
#
# A client is the real program with its own settings folder, run through driven.tcl. What a test asks goes through the
# pipe; what a person does goes through the X server (hand.tcl).

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
    # one look gives the window: by a second one it may have gone, or say something else
    wait {expr {[set window [lindex [tell $name [list ::driven::windows $pattern]] 0]] ne ""}} "in client $name: a window that says $pattern"
    return $window
}

# Wait until no window has that text.
proc ::harness::gone {name pattern} {
    until $name [list expr "\[llength \[::driven::windows [list $pattern]\]\] == 0"] "no window that says $pattern"
}

# xdotool on the display of a client.
proc ::harness::xdotool {name args} {
    variable clients
    exec env DISPLAY=[dict get $clients $name screen] xdotool {*}$args
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
