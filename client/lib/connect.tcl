# client/lib/connect.tcl
#
# The window that asks where the database is, and says why it cannot be reached.
#
# Constraint: it remembers everything but the password, which stays in memory. What is left empty is libpq's to find: the PG*
# variables, the service file, .pgpass; those names stand in the fields in grey.

namespace eval ::connect {
    variable path .connect
    # keyword of the conninfo -> label, variable of the environment, what libpq takes without
    variable fields {
        service  {Service PGSERVICE {}}
        host     {Host PGHOST {(this machine)}}
        port     {Port PGPORT 5432}
        dbname   {Database PGDATABASE {(as the user)}}
        user     {User PGUSER {(as you are logged in)}}
        password {Password PGPASSWORD {(.pgpass)}}
        sslmode  {SSL PGSSLMODE prefer}
    }
    variable modes {{} disable allow prefer require verify-ca verify-full}
    # the values of the fields, and what else is in the conninfo
    variable value
    array set value {}
    # whether this window has asked for the connection that is being made
    variable trying 0
}

# Called once, when Tk is there.
proc ::connect::init {} {
    bind . <<DbState>> +[namespace code StateChanged]
}

# Show it, or bring it up.
proc ::connect::show {} {
    variable path
    variable fields
    variable value
    if {![winfo exists $path]} {
        set known [conf::pairs [conf::get conninfo]]
        dict for {keyword look} $fields {
            set value($keyword) ""
            if {[dict exists $known $keyword]} {
                set value($keyword) [dict get $known $keyword]
            }
        }
        set value(more) [Rest]
        Build
    }
    Tell
    wm deiconify $path
    raise $path
    focus $path.form.[expr {[string match *password* [db::why]] ? "password" : "host"}]
}

# What the conninfo has besides the fields: keyword=value pairs, or a whole URI.
proc ::connect::Rest {} {
    variable fields
    set conninfo [conf::get conninfo]
    if {[regexp {^postgres(?:ql)?://} $conninfo]} {
        return $conninfo
    }
    set rest {}
    dict for {keyword text} [conf::pairs $conninfo] {
        if {![dict exists $fields $keyword]} {
            lappend rest [conf::pair $keyword $text]
        }
    }
    return [join $rest]
}

proc ::connect::Build {} {
    variable path
    variable fields
    variable modes
    set gap [theme::chars 1]
    toplevel $path -class JoschConnect
    wm withdraw $path
    wm title $path "JOSCH: connect"
    wm resizable $path 1 0
    theme::dress $path
    set form [ttk::frame $path.form -padding [expr {2 * $gap}]]
    ttk::label $form.title -text "Connect to PostgreSQL" -style Big.TLabel
    grid $form.title -columnspan 3 -sticky w -pady [list 0 $gap]
    dict for {keyword look} $fields {
        lassign $look label variable otherwise
        ttk::label $form.${keyword}_label -text $label
        if {$keyword eq "sslmode"} {
            ttk::combobox $form.$keyword -values $modes -state readonly
        } else {
            ttk::entry $form.$keyword
        }
        $form.$keyword configure -width 34 -textvariable ::connect::value($keyword)
        ttk::label $form.${keyword}_hint -style Small.TLabel -text [Hint $variable $otherwise]
        grid $form.${keyword}_label $form.$keyword $form.${keyword}_hint -sticky ew -padx [list 0 $gap] -pady [expr {$gap / 3}]
    }
    $form.password configure -show \u2022
    ttk::label $form.more_label -text "More"
    ttk::entry $form.more -textvariable ::connect::value(more)
    ttk::label $form.more_hint -style Small.TLabel -text "sslrootcert=... or a URI"
    grid $form.more_label $form.more $form.more_hint -sticky ew -padx [list 0 $gap] -pady [expr {$gap / 3}]
    ttk::label $form.note -wraplength [theme::chars 64] -justify left
    grid $form.note -columnspan 3 -sticky ew -pady [list $gap 0]
    ttk::frame $form.buttons
    ttk::button $form.buttons.connect -text "Connect" -underline 0 -style Act.TButton -command ::connect::Go
    ttk::button $form.buttons.cancel -text "Cancel" -command ::connect::Close
    pack $form.buttons.connect $form.buttons.cancel -side right -padx [list $gap 0]
    grid $form.buttons -columnspan 3 -sticky e -pady [list [expr {2 * $gap}] 0]
    grid columnconfigure $form 1 -weight 1
    pack $form -fill both -expand 1
    bind $path <Return> ::connect::Go
    bind $path <Alt-c> ::connect::Go
    bind $path <Escape> ::connect::Close
    wm protocol $path WM_DELETE_WINDOW ::connect::Close
}

# What an empty field means here.
proc ::connect::Hint {variable otherwise} {
    if {![info exists ::env($variable)]} {
        return $otherwise
    }
    if {$variable eq "PGPASSWORD"} {
        return $variable
    }
    return "$variable: $::env($variable)"
}

# The conninfo that the fields make.
proc ::connect::conninfo {} {
    variable fields
    variable value
    set parts {}
    dict for {keyword look} $fields {
        if {$value($keyword) ne ""} {
            lappend parts [conf::pair $keyword $value($keyword)]
        }
    }
    set more [string trim $value(more)]
    if {[regexp {^postgres(?:ql)?://} $more]} {
        set extra [join [lmap keyword {password sslmode} {
            if {$value($keyword) eq ""} {
                continue
            }
            string cat $keyword = [Percent $value($keyword)]
        }] &]
        return $more[expr {$extra eq "" ? "" : [string first ? $more] >= 0 ? "&" : "?"}]$extra
    }
    return [string trim "[join $parts] $more"]
}

# Text as a URI takes it.
proc ::connect::Percent {text} {
    set out ""
    foreach byte [split [encoding convertto utf-8 $text] ""] {
        if {![regexp {^[A-Za-z0-9_.-]$} $byte]} {
            set byte [format %%%02X [scan $byte %c]]
        }
        append out $byte
    }
    return $out
}

proc ::connect::Go {} {
    variable trying
    set trying 1
    db::connect [conninfo]
    Tell
}

proc ::connect::StateChanged {} {
    variable path
    variable trying
    if {![winfo exists $path]} {
        return
    }
    if {[db::state] eq "online" && $trying} {
        conf::put conninfo [conninfo]
        Close
        return
    }
    Tell
}

proc ::connect::Tell {} {
    variable path
    set note $path.form.note
    switch [db::state] {
        online {
            $note configure -style Good.TLabel -text "Connected as [db::user] to [db::info database]."
        }
        connecting {
            $note configure -style Warn.TLabel -text [expr {[db::why] eq "" ? "Connecting\u2026" : "Trying again: [db::why]"}]
        }
        default {
            $note configure -style Danger.TLabel -text [db::why]
        }
    }
}

proc ::connect::Close {} {
    variable path
    variable value
    variable trying
    set trying 0
    set value(password) ""
    destroy $path
}
