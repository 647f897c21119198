# client/lib/tool/guard.tcl
#
# Whether a click or a key was meant for what it hits. Windows come and go by themselves here, and a person's hand is often on
# its way to what was in their place: acts that cannot be undone ask guard::meant first.
#
# Constraint: it is judged when the button or the key goes down. A click counts for nothing where the screen has changed less
# than a moment ago: a window came up or went away there, or its buttons have become others. A key counts for nothing while
# it repeats, and in the moment after the keyboard came to the window: it was pressed for another one.

namespace eval ::guard {
    # the moment, in ms
    variable pause 400
    # windows that come and go by themselves, by their class
    variable classes {JoschPopup JoschDialog}
    # what has changed lately: {moment window}, for as long as it is there, or {moment x0 y0 x1 y1}
    variable places {}
    # toplevel -> moment at which the keyboard came to it
    variable entered
    array set entered {}
    # the key that was released last, and when by the X server's clock
    variable released {"" 0}
    variable meant 1
}

# Begin to watch. Called once, when Tk is there.
proc ::guard::init {} {
    foreach {event script} {
        <ButtonPress-1> {Pressed %W %X %Y}  <KeyPress> {Typed %W %K %t}  <KeyRelease> {Released %K %t}
        <Map> {Came %W}  <Unmap> {Went %W}  <Destroy> {Went %W}  <FocusIn> {Entered %W %d}
    } {
        bind all $event +[namespace code $script]
    }
    # a button judges its click, and its key, before it does what it is for
    foreach class {TButton TCheckbutton} {
        bind $class <Button-1> "guard::click %W %X %Y [list [bind $class <Button-1>]]"
    }
    foreach event {<Key-space> <<Invoke>>} {
        if {[bind TButton $event] ne ""} {
            bind TButton $event {guard::key %W %K %t {ttk::button::activate %W}}
        }
    }
}

# Was the last click or key meant for what it hit?
proc ::guard::meant {} {
    variable meant
    return $meant
}

# Run the script of a click, if the click was meant.
proc ::guard::click {window x y script} {
    variable meant
    Pressed $window $x $y
    if {$meant} {
        uplevel #0 $script
    }
}

# Run the script of a key, if the key was meant: for bindings that are run before those of all windows.
proc ::guard::key {window keysym time script} {
    variable meant
    Typed $window $keysym $time
    if {$meant} {
        uplevel #0 $script
    }
}

# What a window, or a part of one, offers has just become something else.
proc ::guard::changed {window} {
    variable places
    Prune
    lappend places [list [clock milliseconds] $window]
}

# ---- what happens on the screen ----

proc ::guard::Prune {} {
    variable places
    variable pause
    set since [expr {[clock milliseconds] - $pause}]
    set places [lmap place $places {
        if {[lindex $place 0] < $since} continue
        set place
    }]
}

proc ::guard::Came {window} {
    variable classes
    if {[winfo class $window] in $classes} {
        changed $window
    }
}

# A window goes elsewhere: what was below it is uncovered, and it comes where it goes.
proc ::guard::moves {window} {
    variable places
    Prune
    changed $window
    lappend places [list [clock milliseconds] {*}[Box $window]]
}

# Its place is kept: what was below it is uncovered now.
proc ::guard::Went {window} {
    variable classes
    variable places
    variable entered
    if {[winfo class $window] in $classes} {
        Prune
        lappend places [list [clock milliseconds] {*}[Box $window]]
        unset -nocomplain entered($window)
    }
}

proc ::guard::Box {window} {
    set x [winfo rootx $window]
    set y [winfo rooty $window]
    return [list $x $y [expr {$x + [winfo width $window]}] [expr {$y + [winfo height $window]}]]
}

# Has something changed at this point of the screen, a moment ago?
proc ::guard::Unquiet {x y} {
    variable places
    Prune
    foreach place $places {
        set box [lrange $place 1 end]
        if {[llength $box] == 1} {
            if {![winfo exists [lindex $box 0]]} continue
            set box [Box [lindex $box 0]]
        }
        lassign $box x0 y0 x1 y1
        if {$x >= $x0 && $x < $x1 && $y >= $y0 && $y < $y1} {
            return 1
        }
    }
    return 0
}

# Who clicks in a window that stands there means its keyboard too.
proc ::guard::Pressed {window x y} {
    variable meant
    variable entered
    set meant [expr {![Unquiet $x $y]}]
    if {$meant && [winfo exists $window]} {
        unset -nocomplain entered([winfo toplevel $window])
    }
}

# The keyboard came to a toplevel from elsewhere, perhaps without having been asked to.
proc ::guard::Entered {window detail} {
    variable entered
    variable classes
    if {[winfo class $window] in $classes && $detail in {NotifyNonlinear NotifyNonlinearVirtual NotifyAncestor}} {
        set entered($window) [clock milliseconds]
    }
}

proc ::guard::Released {keysym time} {
    variable released
    set released [list $keysym $time]
}

# A key that repeats is released and pressed at the same time.
proc ::guard::Typed {window keysym time} {
    variable meant
    variable released
    variable entered
    variable pause
    if {![winfo exists $window]} {
        # the key has closed it
        return
    }
    lassign $released last at
    set top [winfo toplevel $window]
    set repeats [expr {$keysym eq $last && abs($time - $at) <= 1}]
    set stray [expr {[info exists entered($top)] && [clock milliseconds] - $entered($top) < $pause}]
    set meant [expr {!$repeats && !$stray}]
}
