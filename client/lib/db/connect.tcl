# client/lib/db/connect.tcl
#
# The window that asks where the database is, and says why it cannot be reached.
#
# Constraint: it remembers everything but the password, which stays in memory and is never to be read on the screen. What is
# left
# empty is libpq's to find: the PG* variables, the service file, .pgpass; those names stand beside the fields. What is typed
# here
# is tried first; until it works, the connection that there is stays, and Cancel changes nothing.

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
    # the conninfo of the connection that there was before one was given up for another; empty without
    variable former ""
    # secrets of the conninfo for which there is no field: keyword -> value
    variable hidden [dict create]
    # what this window waits for: nothing, the answer to a try (checking), the connection that it has asked for (connecting)
    variable phase ""
    # the conninfo that is being tried, and why the last one did not work
    variable wanted ""
    variable refusal ""
    # the conninfo of the fields when the window came by itself, and whether it did; whether it has been sent away since
    variable shown ""
    variable asked 0
    variable declined 0
}

# Called once, when Tk is there.
proc ::connect::init {} {
    bind . <<DbState>> +[namespace code StateChanged]
}

# Show it, or bring it up.
proc ::connect::show {} {
    variable path
    if {![winfo exists $path]} {
        Fill [conf::get conninfo]
        Build
    }
    Tell
    wm deiconify $path
    raise $path
    focus $path.form.[expr {[string match *password* [db::why]] ? "password" : "host"}]
}

# Show it because there is no connection; it goes by itself when there is one and nothing was typed. Whoever sends it away while
# it is being tried again is not asked again for every other reason.
proc ::connect::ask {} {
    variable path
    variable asked
    variable shown
    variable declined
    if {[winfo exists $path]} {
        Tell
    } elseif {!$declined || [db::state] eq "offline"} {
        show
        set asked 1
        set shown [conninfo]
    }
}

# The fields as a conninfo has them.
proc ::connect::Fill {conninfo} {
    variable fields
    variable value
    variable refusal
    set refusal ""
    set value(password) ""
    set open [Hide $conninfo]
    set known [conf::pairs $open]
    dict for {keyword look} [dict remove $fields password] {
        set value($keyword) [expr {[dict exists $known $keyword] ? [dict get $known $keyword] : ""}]
    }
    set value(more) [Rest $open]
}

# Take what is secret out of a conninfo: the password to its field, the others out of sight. Returns what is left.
proc ::connect::Hide {conninfo} {
    variable value
    variable hidden
    set secrets [conf::secrets $conninfo]
    if {[dict exists $secrets password]} {
        set value(password) [dict get $secrets password]
    }
    set hidden [dict merge $hidden [dict remove $secrets password]]
    return [conf::without_password $conninfo]
}

# What the conninfo has besides the fields: keyword=value pairs, or a whole URI.
proc ::connect::Rest {conninfo} {
    variable fields
    if {[conf::is_uri $conninfo]} {
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
    set gap [theme::chars 1]
    toplevel $path -class JoschConnect
    wm withdraw $path
    wm title $path "JOSCH: connect"
    wm resizable $path 1 0
    theme::dress $path
    set form [ttk::frame $path.form -padding [expr {2 * $gap}]]
    ttk::label $form.title -text "Connect to PostgreSQL" -style Big.TLabel
    grid $form.title -columnspan 3 -sticky w -pady [list 0 $gap]
    BuildFields $form $gap
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

proc ::connect::BuildFields {form gap} {
    variable fields
    variable modes
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
    variable hidden
    set all $hidden
    dict for {keyword look} $fields {
        if {$value($keyword) ne ""} {
            dict set all $keyword $value($keyword)
        }
    }
    set more [string trim $value(more)]
    if {[conf::is_uri $more]} {
        # it says where; beside it counts what is not to be read in it
        set all [dict filter $all script {keyword text} {
            expr {$keyword in {password sslmode} || [dict exists $hidden $keyword]}
        }]
        return [conf::with $more $all]
    }
    return [conf::with_defaults $more $all]
}

proc ::connect::Go {} {
    variable value
    variable phase
    variable wanted
    variable refusal
    variable declined
    if {[dict size [conf::secrets $value(more)]]} {
        set value(more) [Hide $value(more)]
    }
    set wanted [conninfo]
    set phase checking
    set refusal ""
    set declined 0
    db::check $wanted ::connect::Tried
    Tell
}

# The answer to a try: only what works takes the place of the connection that there is.
proc ::connect::Tried {reason took} {
    variable path
    variable phase
    variable wanted
    variable refusal
    variable former
    if {$reason ne ""} {
        set phase ""
        set refusal $reason
        Tell
        if {[string match *password* $reason]} {
            focus $path.form.password
        }
        return
    }
    set phase connecting
    set former [expr {[db::state] eq "online" ? $::db::conninfo : ""}]
    db::connect $wanted $took
}

proc ::connect::StateChanged {} {
    variable path
    variable phase
    variable refusal
    variable former
    variable wanted
    variable asked
    variable shown
    variable declined
    if {[db::state] eq "online"} {
        set declined 0
    }
    if {![winfo exists $path]} {
        return
    }
    if {$phase eq "connecting" && [db::state] ne "online" && [db::why] ne ""} {
        # it worked a moment ago, and does not now: a later success is not the one that was waited for here
        set phase ""
        set refusal [db::why]
    }
    if {[db::state] eq "online" && $phase eq "connecting" && [db::why] ne ""} {
        # there is nothing of JOSCH for this person: back to where there was
        set phase ""
        set refusal [db::why]
        if {$former ne ""} {
            db::connect $former
        }
    }
    if {[db::state] eq "online" && $phase eq "connecting"} {
        conf::put conninfo $wanted
        Close
    } elseif {[db::state] eq "online" && $phase eq "" && $asked && [conninfo] eq $shown} {
        Close
    } else {
        Tell
    }
}

proc ::connect::Tell {} {
    variable path
    variable phase
    variable refusal
    set note $path.form.note
    if {$phase eq "checking"} {
        $note configure -style Warn.TLabel -text "Trying\u2026"
        return
    }
    if {$refusal ne ""} {
        set stays [expr {[db::state] eq "online" ? "\nThe connection to [db::info database] as [db::user] stays." : ""}]
        $note configure -style Danger.TLabel -text $refusal$stays
        return
    }
    switch [db::state] {
        online {
            set missing [expr {[db::why] eq "" ? "" : "\n[db::why]"}]
            $note configure -style [expr {$missing eq "" ? "Good" : "Warn"}].TLabel \
                -text "Connected as [db::user] to [db::info database].$missing"
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
    variable hidden
    variable phase
    variable asked
    variable declined
    db::check_no_more
    set phase ""
    set declined $asked
    set asked 0
    set value(password) ""
    set hidden [dict create]
    destroy $path
}
