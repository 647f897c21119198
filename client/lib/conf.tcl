# client/lib/conf.tcl
#
# Settings of this person's client: the defaults below, then the file, then the environment, then the command line; the
# later wins. What is set while the program runs goes to the file. Pure: no Tk, no database.
#
# Constraint: no secret is ever written. A conninfo is stripped of its password before it is kept, and the file is for its owner alone.

namespace eval ::conf {
    # the known settings and what they are when nobody says anything
    variable defaults {
        conninfo     {}
        theme        {}
        font_size    {}
        popups       1
        board        1
        snooze       10
        many         5
        geometry     {}
        show_all     0
    }
    variable file {}
    variable stored [dict create]
    variable given [dict create]
}

# Path of the settings file, whether it exists or not.
proc ::conf::path {} {
    if {[info exists ::env(JOSCH_CLIENT_CONF)]} {
        return $::env(JOSCH_CLIENT_CONF)
    }
    if {[info exists ::env(XDG_CONFIG_HOME)] && $::env(XDG_CONFIG_HOME) ne ""} {
        return [file join $::env(XDG_CONFIG_HOME) josch client.conf]
    }
    if {[info exists ::env(HOME)]} {
        return [file join $::env(HOME) .config josch client.conf]
    }
    return ""
}

# Read the settings file; a missing or damaged one is as good as an empty one.
proc ::conf::load {{path ""}} {
    variable file
    variable stored
    set file $path
    if {$file eq ""} {
        set file [path]
    }
    set stored [dict create]
    if {$file eq "" || [catch {open $file r} channel]} {
        return
    }
    fconfigure $channel -encoding utf-8
    set text [read $channel]
    close $channel
    foreach line [split $text \n] {
        if {[string match "#*" $line] || [catch {llength $line} words] || $words != 2} {
            continue
        }
        dict set stored {*}$line
    }
}

# Value of a setting.
proc ::conf::get {name {otherwise ""}} {
    variable given
    variable stored
    variable defaults
    foreach source [list $given $stored $defaults] {
        if {[dict exists $source $name]} {
            return [dict get $source $name]
        }
    }
    return $otherwise
}

# Use a value for this run alone: from the environment or the command line.
proc ::conf::give {name value} {
    variable given
    dict set given $name $value
}

# Use a value and remember it.
proc ::conf::put {name value} {
    variable given
    variable stored
    dict unset given $name
    if {$name eq "conninfo"} {
        set value [without_password $value]
    }
    if {[dict exists $stored $name] && [dict get $stored $name] eq $value} {
        return
    }
    dict set stored $name $value
    Save
}

# A client that cannot write its settings works as well, and has forgotten them the next time.
proc ::conf::Save {} {
    variable file
    variable stored
    if {$file eq ""} {
        return
    }
    catch {
        file mkdir [file dirname $file]
        set new $file.[pid]
        set channel [open $new {WRONLY CREAT TRUNC} 0600]
        fconfigure $channel -encoding utf-8
        puts $channel "# settings of the JOSCH client, written by it"
        dict for {name value} $stored {
            puts $channel [list $name [string map {\n " "} $value]]
        }
        close $channel
        file rename -force -- $new $file
    }
}

# The same conninfo, keyword=value or URI, without its password.
proc ::conf::without_password {conninfo} {
    if {[regexp {^postgres(?:ql)?://} $conninfo]} {
        regsub {^([a-z]+://[^:@/?]*):[^@/]*@} $conninfo {\1@} conninfo
        regsub -all {([?&])(?:ssl)?password=[^&]*&?} $conninfo {\1} conninfo
        return [string trimright $conninfo "?&"]
    }
    regsub -all {(?:^|\s)(?:ssl)?password\s*=\s*(?:'(?:[^'\\]|\\.)*'|\S*)} $conninfo {} conninfo
    return [string trim $conninfo]
}

# One keyword=value of a conninfo, quoted as libpq wants it; nothing for an empty value.
proc ::conf::pair {keyword value} {
    if {$value eq ""} {
        return ""
    }
    return "$keyword='[string map {\\ \\\\ ' \\'} $value]'"
}

# A conninfo of keyword=value pairs as a dict; what is a URI, or no conninfo, is an empty dict.
proc ::conf::pairs {conninfo} {
    set dict [dict create]
    set word {\A\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))}
    while {[regexp $word $conninfo all keyword quoted plain]} {
        dict set dict $keyword [regsub -all {\\(.)} $quoted$plain {\1}]
        set conninfo [string range $conninfo [string length $all] end]
    }
    return $dict
}
