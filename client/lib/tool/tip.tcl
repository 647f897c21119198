# client/lib/tool/tip.tcl
#
# Short explanations beside the pointer.
#
# One small window for all of them. It never takes the focus, and it goes away with the first key, click or departure; a
# widget that is destroyed meanwhile takes its explanation along.

namespace eval ::tip {
    variable window .tip
    variable delay 450
    variable timer ""
    variable texts
    array set texts {}
    bind Tip <Enter> {tip::plan %W %X %Y [tip::TextOf %W]}
    bind Tip <Leave> {tip::hide}
    bind Tip <ButtonPress> {tip::hide}
    bind Tip <KeyPress> {tip::hide}
    bind Tip <Destroy> {tip::Forget %W}
}

# Gives a widget an explanation; an empty text takes it away.
proc ::tip::set_text {widget text} {
    variable texts
    set texts($widget) $text
    if {"Tip" ni [bindtags $widget]} {
        bindtags $widget [linsert [bindtags $widget] end Tip]
    }
}

proc ::tip::TextOf {widget} {
    variable texts
    return [expr {[info exists texts($widget)] ? $texts($widget) : ""}]
}

# Shows a text beside a point of the screen when the pointer has rested there for a while; none if it is empty.
proc ::tip::plan {widget x y text} {
    variable delay
    variable timer
    hide
    if {$text ne ""} {
        set timer [after $delay [namespace code [list show $widget $x $y $text]]]
    }
}

# Shows a text beside a point of the screen, at once.
proc ::tip::show {widget x y text} {
    variable window
    if {![winfo exists $widget] || ![winfo viewable $widget] || $text eq ""} {
        return
    }
    if {![winfo exists $window]} {
        toplevel $window -borderwidth 1 -background [theme::color border]
        wm withdraw $window
        wm overrideredirect $window 1
        label $window.text -justify left -padx [theme::chars 1] -pady [theme::chars 0.6] -wraplength [theme::chars 60]
        pack $window.text
    }
    $window configure -background [theme::color border]
    $window.text configure -text [output_text::clip $text 24 1200] -font [theme::font small] \
        -background [theme::color tip] -foreground [theme::color text]
    set width [winfo reqwidth $window.text]
    set height [winfo reqheight $window.text]
    lassign [screens::around $x $y] screen_x screen_y screen_width screen_height
    set left [expr {max($screen_x, min($x + 14, $screen_x + $screen_width - $width - 6))}]
    set top [expr {$y + 18}]
    if {$top + $height + 6 > $screen_y + $screen_height} {
        set top [expr {$y - $height - 10}]
    }
    wm geometry $window +$left+[expr {max($screen_y, $top)}]
    wm deiconify $window
    raise $window
}

proc ::tip::hide {} {
    variable window
    variable timer
    after cancel $timer
    if {[winfo exists $window]} {
        wm withdraw $window
    }
}

proc ::tip::Forget {widget} {
    variable texts
    unset -nocomplain texts($widget)
}
