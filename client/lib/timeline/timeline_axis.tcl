# client/lib/timeline/timeline_axis.tcl
#
# Moments as numbers, and the ticks of a time axis.
#
# Pure: no window, no database. Moments are seconds since 1970 with fractions. Clocks are those of a time zone, whose days
# may have 23 or 25 hours: a tick stands at a round time of that clock, and the distance of two is what it is.

namespace eval ::timeline_axis {
    # distances of ticks, in seconds
    variable steps {1 2 5 10 15 30 60 120 300 600 900 1800 3600 7200 10800 21600 43200 86400 172800 604800 2419200}
    # zone -> what Tcl calls it; offsets($zone,$quarter of an hour)
    variable zones
    array set zones {}
    variable offsets
    array set offsets {}
}

# A timestamptz in PostgreSQL's ISO style as a number; "" for an empty text, for infinity, and for what is none.
proc ::timeline_axis::epoch {text} {
    if {[scan $text {%4d-%2d-%2d%*1[ T]%2d:%2d:%f%n} year month day hour minute second used] != 7} {
        return ""
    }
    set zone [string range $text $used end]
    set days [DaysFromCivil $year $month $day]
    return [expr {$days * 86400 + $hour * 3600 + $minute * 60 + $second - [ZoneSeconds $zone]}]
}

# Seconds of "+02", "-03:30", "Z" or nothing.
proc ::timeline_axis::ZoneSeconds {zone} {
    lassign {0 0 0} hours minutes seconds
    if {[scan $zone {%1[+-]%2d:%2d:%2d} sign hours minutes seconds] < 2} {
        return 0
    }
    set value [expr {$hours * 3600 + $minutes * 60 + $seconds}]
    return [expr {$sign eq "-" ? -$value : $value}]
}

# Days since 1970-01-01 of a date of the Gregorian calendar (Hinnant's method).
proc ::timeline_axis::DaysFromCivil {year month day} {
    if {$month <= 2} {
        incr year -1
    }
    set era [expr {$year / 400}]
    set of_era [expr {$year - $era * 400}]
    set of_year [expr {(153 * ($month + ($month > 2 ? -3 : 9)) + 2) / 5 + $day - 1}]
    return [expr {$era * 146097 + $of_era * 365 + $of_era / 4 - $of_era / 100 + $of_year - 719468}]
}

# What Tcl calls a time zone of PostgreSQL's; UTC where it does not know it.
proc ::timeline_axis::TclZone {zone} {
    variable zones
    if {![info exists zones($zone)]} {
        set zones($zone) [expr {$zone eq "" || [catch {clock format 0 -timezone :$zone}] ? ":UTC" : ":$zone"}]
    }
    return $zones($zone)
}

# The name that the axis may bear: that of the zone whose clock is shown.
proc ::timeline_axis::zone_name {zone} {
    return [string range [TclZone $zone] 1 end]
}

# Seconds by which the clocks of a zone are ahead of UTC.
proc ::timeline_axis::Offset {at zone} {
    variable offsets
    set quarter [expr {int(floor($at / 900.0))}]
    if {![info exists offsets($zone,$quarter)]} {
        if {[array size offsets] > 5000} {
            array unset offsets
        }
        set text [clock format [expr {$quarter * 900}] -format %z -timezone [TclZone $zone]]
        set offsets($zone,$quarter) [ZoneSeconds [string range $text 0 2]:[string range $text 3 4]]
    }
    return $offsets($zone,$quarter)
}

# A moment on the clock of a zone.
proc ::timeline_axis::show {at zone {format "%H:%M:%S"}} {
    if {$at eq ""} {
        return ""
    }
    return [clock format [expr {int(floor($at))}] -format $format -timezone [TclZone $zone] -locale C]
}

# A length of time in words: 850 ms, 12.4 s, 3 min 20 s, 2 h 5 min, 3 d 4 h.
proc ::timeline_axis::duration {seconds} {
    if {$seconds < 1} {
        return "[expr {int(round($seconds * 1000))}] ms"
    } elseif {$seconds < 60} {
        return "[format %.1f $seconds] s"
    } elseif {$seconds < 3600} {
        lassign [list 60 min 1 s] large large_name small small_name
    } elseif {$seconds < 86400} {
        lassign [list 3600 h 60 min] large large_name small small_name
    } else {
        lassign [list 86400 d 3600 h] large large_name small small_name
    }
    set whole [expr {int($seconds) / $large}]
    set rest [expr {int($seconds) % $large / $small}]
    return "$whole $large_name[expr {$rest ? " $rest $small_name" : ""}]"
}

# The smallest distance of ticks that leaves each of them so many pixels.
proc ::timeline_axis::step {seconds_per_pixel room} {
    variable steps
    foreach step $steps {
        if {$step / $seconds_per_pixel >= $room} {
            return $step
        }
    }
    return $step
}

# Ticks from one moment to another: a list of {moment label day}. day is the date's name where one begins, else empty.
proc ::timeline_axis::ticks {from to seconds_per_pixel zone {room 64}} {
    set step [step $seconds_per_pixel $room]
    set format [expr {$step < 60 ? "%H:%M:%S" : $step < 86400 ? "%H:%M" : "%a %d"}]
    set ticks {}
    for {set at [NextTick $from $step $zone]} {$at <= $to} {set at [NextTick [expr {$at + 1}] $step $zone]} {
        set day [expr {[show $at $zone %H%M%S] eq "000000" ? [day_name $at $zone] : ""}]
        lappend ticks [list $at [show $at $zone $format] $day]
    }
    return $ticks
}

proc ::timeline_axis::day_name {at zone} {
    return [show $at $zone "%a %d %b %Y"]
}

# The first round time of the zone's clock at or after a moment. Where clocks change on the way there, the way is as much
# longer or shorter, and a round time that the clocks leave out is left out.
proc ::timeline_axis::NextTick {at step zone} {
    set at [expr {int(ceil($at))}]
    set over [Over $at $step $zone]
    if {$over == 0} {
        return $at
    }
    set tick [expr {$at + $step - $over}]
    if {[Over $tick $step $zone] == 0} {
        return $tick
    }
    set mended [expr {$tick + [Offset $at $zone] - [Offset $tick $zone]}]
    if {$mended >= $at && [Over $mended $step $zone] == 0} {
        return $mended
    }
    return [NextTick $tick $step $zone]
}

# How far a moment is beyond a round time. Weeks begin on Mondays.
proc ::timeline_axis::Over {at step zone} {
    return [expr {($at + [Offset $at $zone] + ($step % 604800 == 0 ? 259200 : 0)) % $step}]
}

# The part of a time axis that is seen, as {from to}: zoomed by a factor about a moment, never narrower or wider than limits
# allow.
proc ::timeline_axis::zoom {from to about factor {least 2} {most 31536000}} {
    set span [expr {min(max(($to - $from) * $factor, $least), $most)}]
    set part [expr {($about - $from) / double($to - $from)}]
    set start [expr {$about - $part * $span}]
    return [list $start [expr {$start + $span}]]
}
