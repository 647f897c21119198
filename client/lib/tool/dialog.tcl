# client/lib/tool/dialog.tcl
#
# The small windows that say or ask something, all from one builder.
#
# Constraint: none of them waits. The program goes on behind an open question; the answer comes to a callback. A window that
# says
# the same as one that is open is not made a second time, so that an error which repeats does not bury the screen.

namespace eval ::dialog {
    variable count 0
}

# Say what went wrong. detail: the facts, in small print; may be empty.
proc ::dialog::error {parent message {detail ""}} {
    Build $parent "JOSCH" danger $message $detail {Close cancel} {}
}

# Say something that is no error.
proc ::dialog::warn {parent message {detail ""}} {
    Build $parent "JOSCH" warn $message $detail {Close cancel} {}
}

# Ask; callback is run, with nothing appended, when the person says yes. Escape and Cancel say no.
proc ::dialog::ask {parent title message detail yesLabel callback} {
    Build $parent $title accent $message $detail [list Cancel cancel $yesLabel yes] $callback
}

# The window over parent; buttons: list of label and answer, the last is the default.
proc ::dialog::Build {parent title kind message detail buttons callback} {
    variable count
    foreach window [winfo children .] {
        if {[winfo class $window] eq "JoschDialog" && [wm title $window] eq $title
            && [info exists ::dialog::text($window)] && $::dialog::text($window) eq [list $message $detail]} {
            raise $window
            return $window
        }
    }
    set window .dialog[incr count]
    toplevel $window -class JoschDialog
    wm withdraw $window
    wm title $window $title
    wm resizable $window 0 0
    set ::dialog::text($window) [list $message $detail]
    theme::dress $window
    set gap [theme::chars 1]
    set width [theme::chars 56]
    ttk::frame $window.body -padding [expr {2 * $gap}]
    frame $window.body.mark -width [expr {max(3, $gap / 2)}]
    theme::dress $window.body.mark $kind
    ttk::label $window.body.message -text $message -style Bold.TLabel -wraplength $width -justify left
    ttk::label $window.body.detail -text $detail -style Quiet.TLabel -wraplength $width -justify left
    ttk::frame $window.body.buttons
    grid $window.body.mark -row 0 -column 0 -rowspan 2 -sticky ns -padx [list 0 [expr {2 * $gap}]]
    grid $window.body.message -row 0 -column 1 -sticky w
    if {$detail ne ""} {
        grid $window.body.detail -row 1 -column 1 -sticky w -pady [list $gap 0]
    }
    grid $window.body.buttons -row 2 -column 0 -columnspan 2 -sticky e -pady [list [expr {2 * $gap}] 0]
    grid columnconfigure $window.body 1 -weight 1
    pack $window.body -fill both -expand 1
    Buttons $window $buttons $callback
    center $window $parent
    return $window
}

proc ::dialog::Buttons {window buttons callback} {
    set number 0
    foreach {label answer} $buttons {
        set button $window.body.buttons.b[incr number]
        set command [list ::dialog::Close $window $answer $callback]
        ttk::button $button -text $label -command $command -style [expr {$answer eq "yes" ? "Act.TButton" : "TButton"}]
        pack $button -side left -padx [list [theme::chars 1] 0]
        if {$answer eq "cancel"} {
            bind $window <Escape> $command
            wm protocol $window WM_DELETE_WINDOW $command
        }
    }
    foreach event {<Return> <KP_Enter>} {
        bind $window $event "guard::key %W %K %t [list [list $button invoke]]"
    }
    bind $window <Destroy> [list ::dialog::Gone $window %W]
    set ::dialog::focus($window) $button
}

# Bring up a window of which there is one: it is built, over the middle of the main one, where it is not there.
proc ::dialog::bring {window build} {
    if {![winfo exists $window]} {
        {*}$build
        center $window .
    } else {
        wm deiconify $window
        raise $window
    }
}

# Bring up a window over the middle of another, or of the screen when that one is not to be seen, and with the keyboard: it
# answers something that the person just did.
proc ::dialog::center {window parent} {
    wm withdraw $window
    # its size is known when everything has been laid out
    after idle [list after 0 [list ::dialog::Center $window $parent]]
}

proc ::dialog::Center {window parent} {
    if {![winfo exists $window]} {
        return
    }
    set monitor [screens::here]
    lassign $monitor x y width height
    if {$parent ne "" && [winfo exists $parent] && [winfo viewable $parent]} {
        set top [winfo toplevel $parent]
        wm transient $window $top
        lassign [list [winfo rootx $top] [winfo rooty $top] [winfo width $top] [winfo height $top]] x y width height
        set monitor [screens::around [expr {$x + $width / 2}] [expr {$y + $height / 2}]]
    }
    lassign $monitor left upper wide high
    set x [expr {$x + ($width - [winfo reqwidth $window]) / 2}]
    set y [expr {$y + ($height - [winfo reqheight $window]) / 3}]
    set x [expr {max($left, min($x, $left + $wide - [winfo reqwidth $window]))}]
    set y [expr {max($upper, min($y, $upper + $high - [winfo reqheight $window]))}]
    wm geometry $window +$x+$y
    wm deiconify $window
    raise $window
    if {[info exists ::dialog::focus($window)]} {
        focus $::dialog::focus($window)
    }
}

proc ::dialog::Close {window answer callback} {
    if {$answer eq "yes" && ![guard::meant]} {
        return
    }
    destroy $window
    if {$answer eq "yes" && $callback ne ""} {
        uplevel #0 $callback
    }
}

proc ::dialog::Gone {window destroyed} {
    if {$window eq $destroyed} {
        unset -nocomplain ::dialog::text($window) ::dialog::focus($window)
    }
}
