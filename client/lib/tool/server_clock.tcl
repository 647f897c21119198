# client/lib/tool/server_clock.tcl
#
# What the server's clock says, between the answers that tell it: how long something waits or runs is by that clock.
#
# Pure but for the clock of this machine. An answer may be late but is never early, so of two estimates the larger is nearer to
# the truth; it is let go slowly, because clocks drift, and at once when the other is far from it: a clock was set.

namespace eval ::server_clock {
    # the server's clock less ours, in seconds, and when that was heard; empty: never
    variable skew 0
    variable heard_at ""
}

# An answer said what time it was there, in seconds of the epoch.
proc ::server_clock::heard {seconds} {
    variable skew
    variable heard_at
    set here [expr {[clock milliseconds] / 1000.0}]
    set new [expr {$seconds - $here}]
    if {$heard_at ne "" && abs($new - $skew) < 30} {
        set new [expr {max($new, $skew - 0.001 * ($here - $heard_at))}]
    }
    lassign [list $new $here] skew heard_at
}

proc ::server_clock::now {} {
    variable skew
    return [expr {[clock milliseconds] / 1000.0 + $skew}]
}

# Time of day of a moment, with the date when it is another day than today.
proc ::server_clock::text {seconds} {
    if {$seconds eq ""} {
        return ""
    }
    set seconds [expr {int($seconds)}]
    set format %H:%M:%S
    if {[clock format $seconds -format %Y-%m-%d] ne [clock format [clock seconds] -format %Y-%m-%d]} {
        set format "%Y-%m-%d %H:%M:%S"
    }
    clock format $seconds -format $format
}
