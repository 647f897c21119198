# client/lib/tool/theme.tcl
#
# How everything looks: colours, fonts, ttk styles, and the table of states. Light and dark. No other file names a colour.
#
# Constraints: the fill of a state is the server's (josch.states()) in the graph, the table and the timeline alike, on a light
# ground as in josch.dot(), with text on it that is readable; and a state is never told by colour alone, so each has a symbol.
# Sizes are in points and in units of the font, so that they follow the screen's resolution.

namespace eval ::theme {
    # light or dark
    variable mode light
    variable scale 1.0

    # NAME -> {light dark}
    variable colors {
        window      {#f4f5f7 #23262b}
        panel       {#ffffff #2b2f36}
        field       {#ffffff #1d2025}
        border      {#ccd1d8 #454b55}
        line        {#e3e6ea #3a4049}
        text        {#1f2429 #e4e7eb}
        quiet       {#5c6670 #a3acb7}
        disabled    {#9aa3ad #6d7681}
        accent      {#1f5f99 #82bff6}
        on_accent   {#ffffff #10151a}
        select      {#cfe3f7 #2f4f6f}
        on_select   {#10202f #f2f6fa}
        button      {#e9ecf0 #383e47}
        hover       {#dfe4ea #434a55}
        pressed     {#d2d9e1 #2e333b}
        danger      {#c0392b #e5675a}
        on_danger   {#ffffff #1d0f0d}
        warn        {#8a5a00 #e9b44c}
        good        {#1d7a4f #57c08a}
        edge        {#8b949e #8b949e}
        far_edge    {#d4d9de #414852}
        review_rim  {#d00000 #ff6b6b}
        absent      {#808080 #808080}
        now         {#c0392b #ff7b6e}
        tip         {#fffbe6 #3b3a2e}
        shade       {#eef1f4 #262a30}
    }

    # state -> its symbol, of DejaVu Sans, and its name for people; its colours are the server's (states.tcl)
    variable states {
        pending   {symbol \u25cb label Pending}
        ready     {symbol \u25d0 label Ready}
        running   {symbol \u25b6 label Running}
        up        {symbol \u25b2 label Up}
        review    {symbol \u25c6 label Review}
        signoff   {symbol \u270e label Sign-off}
        succeeded {symbol \u2713 label Succeeded}
        failed    {symbol \u2717 label Failed}
        unknown   {symbol ? label Unknown}
        held      {symbol \u2016 label Held}
        skipped   {symbol \u00bb label Skipped}
        abandoned {symbol \u2298 label Abandoned}
        omitted   {symbol \u2205 label Omitted}
    }

    # font -> {family-of size-step weight}
    variable fonts {
        ui    {TkDefaultFont 0 normal}
        bold  {TkDefaultFont 0 bold}
        small {TkDefaultFont -1 normal}
        small_bold {TkDefaultFont -1 bold}
        title {TkDefaultFont 4 bold}
        big   {TkDefaultFont 2 bold}
        mono  {TkFixedFont 0 normal}
    }
}

# ---- what others call ----

# Make fonts and styles; mode empty: as it is.
proc ::theme::init {{newMode ""} {size ""}} {
    variable mode
    if {$newMode ne ""} {
        set mode $newMode
    }
    ttk::style theme use clam
    # as people know it, and as the lists have it; Emacs' meaning is Tk's default on X11
    event delete <<LineStart>> <Control-a>
    event add <<SelectAll>> <Control-a>
    MakeFonts $size
    Apply
    bind . <<StatesChanged>> +::theme::Apply
}

# Light to dark, or back; every window follows by <<ThemeChanged>>.
proc ::theme::toggle {} {
    variable mode
    set mode [expr {$mode eq "light" ? "dark" : "light"}]
    Apply
    return $mode
}

proc ::theme::mode {} {
    variable mode
    return $mode
}

# A colour by its name.
proc ::theme::color {name} {
    variable mode
    variable colors
    lindex [dict get $colors $name] [expr {$mode eq "dark"}]
}

# A colour between two: part 1 is the first, 0 the second.
proc ::theme::blend {first second part} {
    scan $first "#%2x%2x%2x" red green blue
    scan $second "#%2x%2x%2x" red2 green2 blue2
    format "#%02x%02x%02x" {*}[lmap a [list $red $green $blue] b [list $red2 $green2 $blue2] {
        expr {round($a * $part + $b * (1 - $part))}
    }]
}

# Looks of a state: dict of fill, text, symbol, label. One of which nothing is known looks plain.
proc ::theme::state {name} {
    variable states
    lassign [states::colors $name [mode]] fill text
    if {$fill eq ""} {
        lassign [list [color panel] [color text]] fill text
    }
    set looks [dict create fill $fill text $text symbol - label [string totitle $name]]
    if {[dict exists $states $name]} {
        set looks [dict merge $looks [dict get $states $name]]
    }
    return $looks
}

# A background for a whole row in that state, which leaves the row's text readable.
proc ::theme::tint {name} {
    blend [dict get [state $name] fill] [color field] 0.2
}

# The fill of a state from afar, without a rim: as it is where it asks for a person or goes on; nearly the ground's where it is
# done; of one that is as the ground (pending) something darker or lighter.
proc ::theme::far {name} {
    set fill [dict get [state $name] fill]
    if {[states::is $name final]} {
        return [blend $fill [color panel] 0.55]
    }
    if {$name eq "pending"} {
        return [blend [color quiet] [color panel] 0.3]
    }
    return $fill
}

# What is beside the point, of a state, near or from afar: its colour can still be told, and it is no other's.
proc ::theme::dim {name {from_afar 0}} {
    return [if {$from_afar} {blend [far $name] [color panel] 0.3} else {blend [dict get [state $name] fill] [color panel] 0.22}]
}

# The image of a patch in the state's colour, to stand before its name in a list.
proc ::theme::patch {name} {
    if {"josch_patch_$name" ni [image names]} {
        Patch $name
    }
    return josch_patch_$name
}

# Name of a font: ui, bold, small, small_bold, big, title or mono.
proc ::theme::font {name} {
    return josch_$name
}

# How much larger everything is than with a font whose lines are 16 pixels high: by the screen's resolution, or by choice.
proc ::theme::scale {} {
    variable scale
    return $scale
}

# Sizes that were thought of in pixels, at that scale.
proc ::theme::px {args} {
    variable scale
    lmap pixels $args {expr {round($pixels * $scale)}}
}

# The geometry of a window of that size at that scale, or of as much as the screen has that the pointer is on.
proc ::theme::geometry {width height} {
    lassign [px $width $height] wide high
    lassign [screens::around {*}[winfo pointerxy .]] - - most_wide most_high
    return [expr {min($wide, $most_wide - 40)}]x[expr {min($high, $most_high - 80)}]
}

# Pixels of n characters' width, or of n lines' height.
proc ::theme::chars {n} {
    expr {int(ceil($n * [::font measure josch_ui 0]))}
}
proc ::theme::lines {n} {
    expr {int(ceil($n * [::font metrics josch_ui -linespace]))}
}

# Give a classic widget (text, canvas, listbox, toplevel) the colours of the theme, now and whenever it changes.
proc ::theme::dress {window {background ""}} {
    bind $window <<ThemeChanged>> [list ::theme::Dress $window $background]
    Dress $window $background
}

# ---- fonts and styles ----

proc ::theme::MakeFonts {size} {
    variable fonts
    variable scale
    dict for {name spec} $fonts {
        lassign $spec base step weight
        set actual [::font actual $base]
        set points [expr {$size ne "" ? $size : abs([dict get $actual -size])}]
        if {$points < 6} {
            set points 10
        }
        set font josch_$name
        if {$font ni [::font names]} {
            ::font create $font
        }
        ::font configure $font -family [dict get $actual -family] -size [expr {$points + $step}] -weight $weight
    }
    set scale [expr {[::font metrics josch_ui -linespace] / 16.0}]
    foreach {old new} {TkDefaultFont ui TkTextFont ui TkMenuFont ui TkHeadingFont bold TkFixedFont mono TkTooltipFont small} {
        ::font configure $old {*}[::font configure josch_$new]
    }
}

proc ::theme::Apply {} {
    foreach name {window panel field border line text quiet disabled accent on_accent select on_select button hover pressed
        danger on_danger} {
        set $name [color $name]
    }
    set pad [chars 1]
    ttk::style configure . -background $window -foreground $text -font josch_ui -bordercolor $border -lightcolor $window \
        -darkcolor $window -troughcolor $line -fieldbackground $field -selectbackground $select -selectforeground $on_select \
        -insertcolor $text -focuscolor $accent -arrowcolor $quiet
    ttk::style map . -foreground [list disabled $disabled] -background {}
    Buttons $pad
    foreach style {TEntry TCombobox TSpinbox} {
        ttk::style configure $style -padding [expr {$pad / 2}] -fieldbackground $field -background $button \
            -bordercolor $border \
            -lightcolor $field -foreground $text -arrowsize [px 14]
        ttk::style map $style -bordercolor [list focus $accent] -lightcolor [list focus $accent] \
            -fieldbackground [list disabled $window readonly $field] -foreground [list disabled $disabled]
    }
    foreach style {TCheckbutton TRadiobutton} {
        ttk::style configure $style -background $window -indicatorbackground $field -indicatorforeground $text \
            -focuscolor $accent \
            -indicatorsize [px 11]
        ttk::style map $style -background [list active $window] -indicatorbackground [list selected $accent] \
            -indicatorforeground [list selected $on_accent]
    }
    ttk::style configure TProgressbar -background $accent -lightcolor $accent -darkcolor $accent -bordercolor $border
    Lists
    Labels
    Patches
    option add *Menu.background $panel widgetDefault
    foreach {option value} [list background $field foreground $text selectBackground $select selectForeground $on_select] {
        option add *TCombobox*Listbox.$option $value 80
    }
}

# Buttons: plain; Act, the default act; Danger, an act that destroys; Flat, for what is beside the point.
proc ::theme::Buttons {pad} {
    set ring [color accent]
    foreach {style back fore hover} {
        TButton button text hover
        Act.TButton accent on_accent accent
        Danger.TButton danger on_danger danger
        Flat.TButton window accent hover
        Tool.TButton window text hover
    } {
        ttk::style configure $style -background [color $back] -foreground [color $fore] -bordercolor [color border] \
            -lightcolor [color $back] -darkcolor [color $back] -padding [list $pad [expr {$pad * 2 / 3}]] -anchor center \
            -focuscolor [color $fore] -width 0 -relief flat
        ttk::style map $style \
            -background [list disabled [color window] pressed [color pressed] active [color $hover]] \
            -lightcolor [list disabled [color window] pressed [color pressed] active [color $hover]] \
            -darkcolor [list disabled [color window] pressed [color pressed] active [color $hover]] \
            -foreground [list disabled [color disabled] pressed [color text] active [color $fore]] \
            -bordercolor [list focus $ring]
    }
    foreach style {Flat.TButton Tool.TButton} {
        ttk::style configure $style -bordercolor [color window]
    }
    # what is well and what is not, to be clicked for more
    ttk::style configure Tool.TMenubutton -background [color window] -foreground [color text] -bordercolor [color window] \
        -lightcolor [color window] -darkcolor [color window] -padding [list $pad [expr {$pad * 2 / 3}]] \
        -width 0 -arrowcolor [color quiet] -focuscolor [color text] -relief flat
    ttk::style map Tool.TMenubutton -background [list active [color hover]] -bordercolor [list focus $ring]
    foreach {style fore} {Good.Tool.TButton good Warn.Tool.TButton warn Danger.Tool.TButton danger} {
        ttk::style configure $style -foreground [color $fore]
        ttk::style map $style -foreground [list active [color $fore]]
    }
}

proc ::theme::Lists {} {
    ttk::style configure Treeview -background [color field] -fieldbackground [color field] -foreground [color text] \
        -bordercolor [color border] -lightcolor [color field] -darkcolor [color field] -rowheight [lines 1.55]
    ttk::style map Treeview -background [list selected [color select]] -foreground [list selected [color on_select]]
    # a list whose first column has a picture, and no children to open
    ttk::style layout Flat.Treeview.Item {
        Treeitem.padding -sticky nswe -children {Treeitem.image -side left -sticky {} Treeitem.text -side left -sticky {}}
    }
    ttk::style configure Flat.Treeview.Item -padding [list [chars 0.6] 0]
    ttk::style configure Treeview.Heading -background [color shade] -foreground [color quiet] -font josch_ui -relief flat \
        -bordercolor [color line] -lightcolor [color shade] -darkcolor [color shade] -padding [list [chars 0.6] [chars 0.5]]
    ttk::style map Treeview.Heading -background [list active [color hover]]
    ttk::style configure TNotebook -background [color window] -bordercolor [color border] -lightcolor [color window] \
        -tabmargins [list 0 [chars 0.3] 0 0]
    ttk::style configure TNotebook.Tab -background [color window] -foreground [color quiet] -bordercolor [color border] \
        -lightcolor [color window] -padding [list [chars 1.5] [chars 0.6]]
    ttk::style map TNotebook.Tab -background [list selected [color panel] active [color hover]] \
        -lightcolor [list selected [color panel]] -foreground [list selected [color text]] -expand {} \
        -padding [list selected [list [chars 1.5] [chars 0.6]]]
    # of many tabs
    ttk::style configure Tight.TNotebook.Tab -padding [list [chars 0.5] [chars 0.6]]
    ttk::style map Tight.TNotebook.Tab -padding [list selected [list [chars 0.5] [chars 0.6]]]
    ttk::style configure TScrollbar -background [color button] -troughcolor [color window] -bordercolor [color window] \
        -lightcolor [color button] -darkcolor [color button] -arrowcolor [color quiet] -gripcount 0 -arrowsize [px 12]
    ttk::style map TScrollbar -background [list disabled [color window] active [color hover]] \
        -arrowcolor [list disabled [color line]]
    ttk::style configure TPanedwindow -background [color window]
    ttk::style configure Sash -sashthickness [chars 0.8] -gripcount 0 -background [color window] -lightcolor [color window] \
        -bordercolor [color window]
}

proc ::theme::Labels {} {
    foreach {style fore font} {
        Quiet.TLabel quiet josch_ui     Small.TLabel quiet josch_small   Title.TLabel text josch_title  Big.TLabel text \
            josch_big
        Bold.TLabel text josch_bold     Warn.TLabel warn josch_ui        Danger.TLabel danger josch_ui  Good.TLabel good \
            josch_ui
    } {
        ttk::style configure $style -foreground [color $fore] -background [color window] -font $font
    }
    ttk::style configure Tip.TLabel -background [color tip] -foreground [color text] -relief solid -borderwidth 1
    ttk::style configure Problem.TLabel -background [color danger] -foreground [color on_danger]
    ttk::style configure TLabel -background [color window] -foreground [color text]
    ttk::style configure TFrame -background [color window]
    # a band in the colour of a state, and the text on it
    foreach state [states::names] {
        set looks [state $state]
        ttk::style configure $state.State.TFrame -background [dict get $looks fill]
        ttk::style configure $state.State.TLabel -background [dict get $looks fill] -foreground [dict get $looks text]
        ttk::style configure $state.Mark.TButton -foreground [dict get $looks text] -relief flat -padding 0 -width 0
        foreach part {background bordercolor lightcolor darkcolor} {
            ttk::style configure $state.Mark.TButton -$part [dict get $looks fill]
        }
        ttk::style map $state.Mark.TButton -background [list active [color hover]] -foreground [list active [color text]] \
            -lightcolor [list active [color hover]] -darkcolor [list active [color hover]]
        ttk::style configure $state.StateBold.TLabel -background [dict get $looks fill] -foreground [dict get $looks text] \
            -font josch_big
    }
}

proc ::theme::Patches {} {
    foreach name [states::names] {
        Patch $name
    }
}

proc ::theme::Patch {name} {
    set side [::font metrics josch_ui -ascent]
    set image josch_patch_$name
    image create photo $image -width $side -height $side
    $image put [color quiet] -to 0 0 $side $side
    $image put [dict get [state $name] fill] -to 1 1 [expr {$side - 1}] [expr {$side - 1}]
}

proc ::theme::Dress {window background} {
    if {![winfo exists $window]} {
        return
    }
    # a toplevel may have a class of its own; a menu is one too
    set class [winfo class $window]
    if {$class ne "Menu" && [winfo toplevel $window] eq $window} {
        set class Toplevel
    }
    switch $class {
        Toplevel - Frame {
            $window configure -background [color [expr {$background eq "" ? "window" : $background}]]
        }
        Canvas {
            $window configure -background [color [expr {$background eq "" ? "panel" : $background}]] -highlightthickness 0
        }
        Menu {
            $window configure -background [color panel] -foreground [color text] -activebackground [color select] \
                -activeforeground [color on_select] -disabledforeground [color disabled] -relief solid -borderwidth 1 \
                -activeborderwidth 0 -selectcolor [color text]
        }
        Text - Listbox {
            $window configure -background [color [expr {$background eq "" ? "field" : $background}]] -foreground [color text] \
                -selectbackground [color select] -selectforeground [color on_select] -relief flat -borderwidth 0 \
                -highlightthickness 1 -highlightbackground [color border] -highlightcolor [color accent]
            if {$class eq "Text"} {
                $window configure -insertbackground [color text] -inactiveselectbackground [color select]
            }
        }
    }
}
