# client/lib/cli/cli_screen.tcl
#
# A terminal as a screen: keys one by one, all of it drawn at once, and its size whenever that changes.
#
# Constraint: Tcl hears no SIGWINCH, and must not ask for the size again and again. A shell beside it hears the signal, as it is
# in the same foreground group, and writes a line; the same shell puts the terminal back as it was when this process is gone,
# however it went.

namespace eval ::cli_screen {
    variable helper ""
    variable watcher {
        exec 3<&0
        cat <&3 >/dev/null &
        cat=$!
        trap 'echo size' WINCH
        trap '' INT QUIT TERM TSTP TTOU
        while kill -0 $cat 2>/dev/null; do wait $cat; done
        stty "$1" </dev/tty
        printf '\033[?25h\033[?1049l' >/dev/tty
    }
    # what terminals send, and what it is called here
    variable keys [dict create \x1b\[A up \x1b\[B down \x1b\[C right \x1b\[D left \
        \x1bOA up \x1bOB down \x1bOC right \x1bOD left \
        \x1b\[5~ prior \x1b\[6~ next \x1b\[H home \x1b\[F end \x1b\[1~ home \x1b\[4~ end \x1bOH home \x1bOF end \
        \r return \n return \x03 q]
    variable typed ""
}

# Take the terminal over. on_key: a command prefix that takes a key; on_size: a command.
proc ::cli_screen::open {on_key on_size} {
    variable helper
    variable watcher
    set saved [exec stty -g <@stdin]
    set helper [::open |[list sh -c $watcher sh $saved 2>@stderr] r+]
    fconfigure $helper -blocking 0 -buffering line
    fileevent $helper readable [list ::cli_screen::Heard $on_size]
    exec stty -icanon -echo -isig -ixon min 1 time 0 <@stdin
    fconfigure stdin -blocking 0 -buffering none -translation binary
    fileevent stdin readable [list ::cli_screen::Typed $on_key]
    puts -nonewline "\x1b\[?1049h\x1b\[?25l"
    flush stdout
}

# Give it back, as it was. The shell does that when its input ends; it is waited for.
proc ::cli_screen::close {} {
    variable helper
    if {$helper ne ""} {
        fileevent $helper readable {}
        fileevent stdin readable {}
        fconfigure stdin -blocking 1
        ::close $helper write
        fconfigure $helper -blocking 1
        read $helper
        catch {::close $helper}
        set helper ""
    }
}

proc ::cli_screen::Heard {on_size} {
    variable helper
    while {[gets $helper line] >= 0} {
        {*}$on_size
    }
    if {[eof $helper]} {
        fileevent $helper readable {}
    }
}

proc ::cli_screen::Typed {on_key} {
    variable typed
    append typed [read stdin]
    if {[eof stdin]} {
        {*}$on_key q
        return
    }
    foreach key [Keys] {
        {*}$on_key $key
    }
}

# The keys of what has been typed; the beginning of one that may go on is left.
proc ::cli_screen::Keys {} {
    variable typed
    variable keys
    set list {}
    while {$typed ne ""} {
        if {[regexp {^(\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z]))(.*)$} $typed - sequence typed]} {
            lappend list [if {[dict exists $keys $sequence]} {dict get $keys $sequence}]
        } elseif {[regexp {^\x1b(\[[0-9;]*|O)?$} $typed]} {
            break
        } else {
            set key [string index $typed 0]
            set typed [string range $typed 1 end]
            lappend list [if {[dict exists $keys $key]} {dict get $keys $key} else {set key}]
        }
    }
    return [lsearch -all -inline -not -exact $list ""]
}

# Draw lines from the top, each {text style}; what is not there is empty.
proc ::cli_screen::draw {lines} {
    lassign [cli_print::size] height width
    set out "\x1b\[H"
    set number 0
    foreach line [lrange $lines 0 $height-1] {
        lassign $line text style
        set text [string range $text 0 $width-1]
        append out [expr {$style eq "" ? $text : "\x1b\[${style}m[format %-*s $width $text]\x1b\[0m"}] "\x1b\[K"
        if {[incr number] < $height} {
            append out \r\n
        }
    }
    puts -nonewline $out\x1b\[J
    flush stdout
}
