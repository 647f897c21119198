# client/lib/db/db_news.tcl
#
# News of changes: what is announced, whether it can be heard at all, and the looks that take its place where it cannot. Part of
# db.tcl.
#
# Constraint: that LISTEN was accepted proves nothing. Behind a pooler it is another process of the server that listens, and a
# standby has no news. So the listening connection is believed when it has heard what the other one sent, at connect and after
# each silence; where it has not, whoever shows rows is told to look every second or two, as if something had been announced.

namespace eval ::db {
    # raw payloads not yet announced, and the payloads of the burst that is being announced
    variable heard {}
    variable changes {}
    # a burst of more payloads than this is announced by dates, not one by one
    variable many 40
    # whether news come: "" not known yet, heard, or why not: standby, polling
    variable news ""
    # the channel of this connection, the word that was sent on it last, and whether anything was heard since
    variable channel ""
    variable proof 0
    variable silence 0
    # how long a word may take, and ms between two looks
    variable proving 5000
    variable looking 1500
    variable lookTimer ""
}

# Do news come? "" not known yet, heard, or in a word why not: standby, polling (a pooler is in between).
proc ::db::news {} {
    variable news
    return $news
}

# While <<DbNotify>> is being handled: the payloads of the burst, as dicts. A big burst is a dict {date D changed N} a date; a
# look where nothing can be heard has no date.
proc ::db::changes {} {
    variable changes
    return $changes
}

# ---- whether they come ----

# Listen, by waiting for the server's answer: pg_listen knows no other way. An error is that of a connection that was lost.
proc ::db::Listen {} {
    variable ear
    variable channel
    if {[info standby] eq "t"} {
        News standby
        return
    }
    set channel josch_client_[pid]_[clock microseconds]
    if {[catch {
        pg_listen $ear josch ::db::Heard
        pg_listen $ear $channel ::db::Echoed
    } message]} {
        if {[pg_dbinfo status $ear] ne "connection_ok"} {
            error $message
        }
        News polling
    }
}

# Send a word by the connection that works, to be heard on the one that listens.
proc ::db::Prove {} {
    variable channel
    variable proof
    variable news
    if {$channel ne "" && $news ne "standby"} {
        set ::db::silence 1
        query "SELECT pg_catalog.pg_notify([quote $channel], '[incr proof]')" [list ::db::Sent $proof] josch-db-proof
    }
}

proc ::db::Sent {word result} {
    variable epoch
    variable proving
    if {[dict get $result ok]} {
        after $proving [list ::db::Judge $epoch $word]
    }
}

# Single word, called by Pgtcl.
proc ::db::Echoed {channel pid {word ""}} {
    variable proof
    if {$word eq $proof} {
        set ::db::silence 0
        News heard
    }
}

# The word should have been heard by now, or something else since.
proc ::db::Judge {ofEpoch word} {
    variable epoch
    variable proof
    variable silence
    if {$ofEpoch == $epoch && $word eq $proof && $silence} {
        News polling
    }
}

proc ::db::News {word} {
    variable news
    variable lookTimer
    variable looking
    after cancel $lookTimer
    if {$word ni {"" heard}} {
        set lookTimer [after $looking ::db::Look]
    }
    if {$word ne $news} {
        set news $word
        Announce <<DbNews>>
    }
}

# As if something had been announced; nobody knows what.
proc ::db::Look {} {
    variable state
    variable news
    if {$state eq "online"} {
        News $news
        Tell {{look 1}}
        Announce <<DbAlarms>>
    }
}

# Every half minute: was anything heard? What is announced in the meantime proves as much.
proc ::db::CheckNews {} {
    variable silence
    variable news
    if {$silence || $news ne "heard"} {
        Prove
    }
    set silence 1
}

# ---- what comes ----

# Single word, called by Pgtcl for each notification: only put it aside.
proc ::db::Heard {channel pid {payload ""}} {
    variable heard
    set ::db::silence 0
    lappend heard $payload
    workq::add ::db::TellHeard josch-db-tell
}

proc ::db::TellHeard {} {
    variable heard
    set burst $heard
    set heard {}
    if {"{\"alarms\":true}" in $burst} {
        Announce <<DbAlarms>>
    }
    if {[llength $burst]} {
        Tell [Digest $burst]
    }
}

proc ::db::Tell {list} {
    variable changes
    set changes $list
    Announce <<DbNotify>>
    set changes {}
}

# A payload as a dict, empty when it is none: whoever can connect may send anything on the channel.
proc ::db::Change {payload} {
    if {[catch {json::parse $payload} change] || [catch {dict get $change date} date]
            || ![regexp {^\d{4}-\d\d-\d\d$} $date]} {
        return ""
    }
    foreach name {from node} {
        if {[dict exists $change to] && ![dict exists $change $name]} {
            return ""
        }
    }
    return $change
}

# Payloads to dicts; a big burst is summed up by dates, the way the server does it.
proc ::db::Digest {burst} {
    variable many
    set list {}
    if {[llength $burst] <= $many} {
        foreach payload $burst {
            set change [Change $payload]
            if {$change ne ""} {
                lappend list $change
            }
        }
        return $list
    }
    set sums [dict create]
    foreach payload $burst {
        if {[regexp {"date" ?: ?"(\d{4}-\d\d-\d\d)"} $payload all date]} {
            if {![regexp {"changed" ?: ?([1-9][0-9]{0,8})\y} $payload all changed]} {
                set changed 1
            }
            dict incr sums $date $changed
        }
    }
    dict for {date changed} $sums {
        lappend list [dict create date $date changed $changed]
    }
    return $list
}
