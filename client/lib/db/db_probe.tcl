# client/lib/db/db_probe.tcl
#
# Finding out whether a conninfo works, and why not: the process that tries it (probe.tcl), and what its answer means. Part of
# db.tcl.
#
# Constraint: a reason is shown to people and kept on screens, so nothing of a password may be in it; libpq repeats what it does
# not understand.

namespace eval ::db {
    variable probeScript [file join [file dirname [file normalize [::info script]]] probe.tcl]
    # the probes under way: channel -> {callback timer text}; longest time that one may take, in ms
    variable probes [dict create]
    variable probing 60000
}

# Let another process try a conninfo. Calls back with why there is no connection, empty when there is, and with the time that it
# took, in ms. Returns what DropProbe takes; empty when there is no process to be had, and then nothing is called back.
proc ::db::Probe {conninfo callback} {
    variable probes
    variable probing
    set shell [Shell]
    if {$shell eq "" || [catch {open |[list $shell $::db::probeScript 2>@1] r+} channel]} {
        return ""
    }
    set timer [after $probing [namespace code [list Told $channel "the server does not answer" 0]]]
    dict set probes $channel [list [list ::db::Answered $conninfo $callback] $timer ""]
    fconfigure $channel -blocking 0 -encoding utf-8 -translation lf
    fileevent $channel readable [namespace code [list Probed $channel]]
    catch {
        puts -nonewline $channel [Complete $conninfo]
        flush $channel
        close $channel write
    }
    return $channel
}

# The tclsh that belongs to this wish; empty when there is none.
proc ::db::Shell {} {
    set version [::info tclversion]
    set near [file join [file dirname [::info nameofexecutable]] tclsh$version]
    if {[file executable $near]} {
        return $near
    }
    foreach name [list tclsh$version tclsh] {
        set found [lindex [auto_execok $name] 0]
        if {$found ne ""} {
            return $found
        }
    }
    return ""
}

# The probe wrote something: "ok" and a time, or, in pieces, why there is no connection.
proc ::db::Probed {channel} {
    variable probes
    lassign [dict get $probes $channel] callback timer text
    append text [read $channel]
    dict set probes $channel [list $callback $timer $text]
    if {[regexp {^ok (\d+)\n} $text all took]} {
        Told $channel "" $took
    } elseif {[eof $channel]} {
        set text [string trim $text]
        Told $channel [expr {$text eq "" ? "the attempt to connect has ended without a word" : $text}] 0
    }
}

proc ::db::Told {channel reason took} {
    variable probes
    set callback [lindex [dict get $probes $channel] 0]
    DropProbe $channel
    {*}$callback $reason $took
}

proc ::db::Answered {conninfo callback reason took} {
    {*}$callback [Reason $reason $conninfo] $took
}

# Of no effect when it is over.
proc ::db::DropProbe {channel} {
    variable probes
    if {[dict exists $probes $channel]} {
        after cancel [lindex [dict get $probes $channel] 1]
        catch {close $channel}
        dict unset probes $channel
    }
}

# ---- reasons ----

# A refusal in words: libpq's message without what is not for people, and without anything that may be a secret of the conninfo.
# What libpq does not understand it repeats, and that may be the rest of a password.
proc ::db::Reason {message conninfo} {
    regsub {^Connection to database failed\s*} $message "" message
    regsub -all {\s*\n\s*} [string trim $message] "; " message
    set syntax {connection info string|connection option|URI|percent-encoded|integer value|port number|forbidden value}
    if {[conf::has_secret $conninfo] && [regexp $syntax $message]} {
        regsub {".*"} $message {"..."} message
    }
    regsub -all {"[^"@]*@} $message {"...@} message
    return $message
}

# Is it just starting, stopping or full?
proc ::db::Busy {reason} {
    regexp -nocase {starting up|shutting down|recovery|too many|reserved|57P03|53300} $reason
}

# Did the server not believe who this is?
proc ::db::Refused {reason} {
    set no {authentication failed|no password supplied|not permitted to log in|role ".*" does not exist|no pg_hba.conf entry}
    regexp -nocase $no $reason
}

# Will waiting not help? The server said no; or there is something wrong with a certificate; or libpq does not understand.
proc ::db::Hopeless {reason} {
    set no {FATAL:|certificate|private key|does not support SSL|can't find package}
    set syntax {missing "|invalid (connection option|URI|port|integer|\w+ value)|definition of service|unexpected (space|char)}
    expr {![Busy $reason] && [regexp -nocase $no|$syntax $reason]}
}
