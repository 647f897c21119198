# client/lib/act/claims.tcl
#
# Who looks at a node (josch.claim), in words: the same in windows, in the list and on the board.
#
# Constraint: a claim ends by itself, so it is judged by the clock whenever it is shown. A row has claimed_by, claimed_at,
# claimed_until (seconds since 1970, by the server's clock) and claim_comment, as josch.attention has them.

namespace eval ::claims {}

# Who looks at it; empty for nobody, and when the time is up.
proc ::claims::who {row} {
    if {$row eq {} || [dict get $row claimed_by] eq "" || [dict get $row claimed_until] <= [server_clock::now]} {
        return ""
    }
    return [dict get $row claimed_by]
}

# The same in words: "bob looks at it"; empty for nobody.
proc ::claims::short {row} {
    set who [who $row]
    if {$who eq ""} {
        return ""
    }
    return [expr {$who eq [db::user] ? "You look at it" : "$who looks at it"}]
}

# What a search finds: the words, and the name in them of whom they call you.
proc ::claims::found {row} {
    set short [short $row]
    return [expr {$short eq "" ? "" : "[dict get $row claimed_by] $short [dict get $row claim_comment]"}]
}

# Since when, and what that person wrote, too.
proc ::claims::words {row} {
    set short [short $row]
    if {$short eq ""} {
        return ""
    }
    set said [dict get $row claim_comment]
    return "$short since [server_clock::text [dict get $row claimed_at]][expr {$said eq "" ? "." : ": \u201c$said\u201d"}]"
}
