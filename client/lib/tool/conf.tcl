# client/lib/tool/conf.tcl
#
# Settings of this person's client: the defaults below, then the file, then the environment, then the command line; the
# later wins. What is set while the program runs goes to the file. Pure: no Tk, no database.
#
# Constraint: no secret is ever written. A conninfo is stripped of what is secret in it before it is kept, and the file is
# for its
# owner alone.

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
        view         0
        sash         {}
        columns      {}
        sort         {}
        hide_done    0
        group_jobs   0
    }
    # keywords of a conninfo whose values are for nobody's eyes
    variable secrets {password sslpassword scram_client_key scram_server_key oauth_client_secret}
    # one keyword=value at the beginning of a conninfo, cut where libpq cuts it: a value without quotes may hold some
    variable word {\A\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?!')(?:[^\s\\]|\\.)*))}
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
    # Tcl 9 stops at bytes that are no UTF-8, unless told to replace them, as Tcl 8.6 does without
    catch {fconfigure $channel -profile replace}
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

# The same conninfo, keyword=value or URI, without its password and what else is secret in it.
proc ::conf::without_password {conninfo} {
    return [lindex [Part $conninfo] 0]
}

# What is secret in a conninfo: keyword -> value.
proc ::conf::secrets {conninfo} {
    return [lindex [Part $conninfo] 1]
}

# Could words of this conninfo be a secret? Also when it is none that libpq understands, and a part of a password stands
# outside.
proc ::conf::has_secret {conninfo} {
    lassign [Part $conninfo] open secret
    expr {[dict size $secret] || $open ne [string trim $conninfo] || [string match *@* [lindex [Uri $conninfo] 2]]}
}

# A conninfo in two: what may be kept, as it was written, and a dict of the secrets. What cannot be read is in neither.
proc ::conf::Part {conninfo} {
    variable word
    if {[is_uri $conninfo]} {
        return [PartUri {*}[Uri $conninfo]]
    }
    set open {}
    set secret [dict create]
    while {[regexp $word $conninfo pair keyword]} {
        if {[Is_secret $keyword]} {
            set secret [dict merge $secret [pairs $pair]]
        } else {
            lappend open [string trim $pair]
        }
        set conninfo [string range $conninfo [string length $pair] end]
    }
    return [list [join $open] $secret]
}

proc ::conf::PartUri {scheme login place parameters} {
    set secret [dict create]
    if {[regexp {^([^:]*):(.*)@$} $login all user password]} {
        dict set secret password [Decode $password]
        set login $user@
    }
    # of a password with an @ that is not encoded, the rest: libpq takes it for the host
    regsub {^[^?]*@} $place "" place
    set open {}
    foreach parameter [split $parameters &] {
        lassign [Parameter $parameter] keyword value
        if {[Is_secret $keyword]} {
            dict set secret $keyword $value
        } else {
            lappend open $parameter
        }
    }
    return [list $scheme$login$place[expr {[llength $open] ? "?[join $open &]" : ""}] $secret]
}

proc ::conf::Is_secret {keyword} {
    variable secrets
    expr {[string tolower $keyword] in $secrets}
}

proc ::conf::is_uri {conninfo} {
    regexp {^postgres(?:ql)?://} $conninfo
}

# The parts of a URI, cut where libpq cuts it: scheme, user and password with their @, hosts and database, parameters.
proc ::conf::Uri {conninfo} {
    if {![regexp {\A(postgres(?:ql)?://)([^@/]*@)?([^?]*)(?:\?(.*))?\Z} $conninfo all scheme login place parameters]} {
        return {}
    }
    return [list $scheme $login $place $parameters]
}

# A conninfo with keywords added: of two that are the same libpq takes the last, so these yield to what is in it.
proc ::conf::with_defaults {conninfo keywords} {
    return [Joined $conninfo [Written $conninfo $keywords] {}]
}

# The same, and these win.
proc ::conf::with {conninfo keywords} {
    return [Joined $conninfo {} [Written $conninfo $keywords]]
}

# A dict of keywords as a list in the form of a conninfo.
proc ::conf::Written {conninfo keywords} {
    set uri [is_uri $conninfo]
    set all {}
    dict for {keyword value} $keywords {
        lappend all [expr {$uri ? "$keyword=[Encode $value]" : [pair $keyword $value]}]
    }
    return $all
}

proc ::conf::Joined {conninfo before after} {
    if {![is_uri $conninfo]} {
        return [string trim "[join $before] $conninfo [join $after]"]
    }
    lassign [Uri $conninfo] scheme login place parameters
    set all [concat $before [expr {$parameters eq "" ? {} : [list $parameters]}] $after]
    return $scheme$login$place[expr {[llength $all] ? "?[join $all &]" : ""}]
}

# keyword=value of a URI, decoded.
proc ::conf::Parameter {parameter} {
    regexp {^([^=]*)=?(.*)$} $parameter all keyword value
    return [list [Decode $keyword] [Decode $value]]
}

proc ::conf::Decode {text} {
    set bytes [encoding convertto utf-8 $text]
    set out ""
    while {[regexp {^(.*?)%([0-9A-Fa-f]{2})(.*)$} $bytes all before code bytes]} {
        append out $before [format %c [scan $code %x]]
    }
    # bytes that are no UTF-8 are an error to Tcl 9
    if {[catch {encoding convertfrom utf-8 $out$bytes} decoded]} {
        return $text
    }
    return $decoded
}

# Text as a URI takes it.
proc ::conf::Encode {text} {
    set out ""
    foreach byte [split [encoding convertto utf-8 $text] ""] {
        if {![regexp {^[A-Za-z0-9_.-]$} $byte]} {
            set byte [format %%%02X [scan $byte %c]]
        }
        append out $byte
    }
    return $out
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
    variable word
    set dict [dict create]
    if {[is_uri $conninfo]} {
        return $dict
    }
    while {[regexp $word $conninfo all keyword quoted plain]} {
        dict set dict $keyword [regsub -all {\\(.)} $quoted$plain {\1}]
        set conninfo [string range $conninfo [string length $all] end]
    }
    return $dict
}

# The parameters of a URI as a dict, decoded; none of what is no URI.
proc ::conf::parameters {conninfo} {
    set dict [dict create]
    foreach parameter [split [lindex [Uri $conninfo] 3] &] {
        dict set dict {*}[Parameter $parameter]
    }
    return $dict
}
