# client/lib/editor/editor_effects.tcl
#
# What the edits of calendars would bring: the year as it is and as it will be, the next days of jobs, and what would be
# otherwise of days that exist; SQL and words.
#
# Pure. Constraint: what will be is the database's own answer: the edits are made, looked at, and rolled back at once.

namespace eval ::editor_effects {
    # rows of each list that are shown at most
    variable limit 500
}

# What is asked of a calendar and a year: a list of {what sql}. edits: statements that stand between what is and what will be;
# was: the calendar's name as it is stored, now: as it will be, "" where there is none; job: "" for those that have it.
proc ::editor_effects::questions {was now year job edits} {
    set list [list [list setup "SET LOCAL statement_timeout = '30s'"]]
    if {$edits ne {}} {
        if {$was ne ""} {
            lappend list [list year_before [YearSql $was $year]]
        }
        lappend list [list effects_before [EffectsSql]]
        foreach sql $edits {
            lappend list [list edit $sql]
        }
    }
    if {$now ne ""} {
        lappend list [list year [YearSql $now $year]]
    }
    lappend list [list effects [EffectsSql]]
    if {$now ne "" || $job ne ""} {
        lappend list [list next [NextSql $now $job]]
    }
    return $list
}

proc ::editor_effects::YearSql {calendar year} {
    set name [db::quote $calendar]
    return "SELECT to_char(r.day, 'YYYY-MM-DD'), r.open::text, r.decided_by, coalesce(r.by_calendar, ''),
        coalesce(to_char(r.moved, 'YYYY-MM-DD'), ''), coalesce(h.holiday_name, ''),
        coalesce(r.day <= josch.known_until(c.calendar_name), true)::text
        FROM josch.calendars c CROSS JOIN LATERAL josch.calendar_reasons(c.calendar_name, make_date($year, 1, 1),
            make_date($year, 12, 31)) r
        LEFT JOIN josch.holidays h ON h.calendar_name = c.calendar_name AND h.holiday = r.day
        WHERE c.calendar_name = $name ORDER BY r.day"
}

proc ::editor_effects::EffectsSql {} {
    variable limit
    return "SELECT job_name, to_char(job_date, 'YYYY-MM-DD'), calendar_name, difference,
        coalesce(to_char(as_made, 'YYYY-MM-DD'), ''), coalesce(to_char(as_now, 'YYYY-MM-DD'), '')
        FROM josch.calendar_diff() LIMIT [expr {$limit + 1}]"
}

# Of one job a year and more, of all that have the calendar two months.
proc ::editor_effects::NextSql {calendar job} {
    variable limit
    set which [expr {$job ne "" ? "t.job_name = [db::quote $job]" : "t.calendar_name = [db::quote $calendar]"}]
    return "SELECT t.job_name, to_char(f.job_date, 'YYYY-MM-DD'), f.made::text, f.known::text,
        coalesce(to_char(f.due_at AT TIME ZONE coalesce(t.time_zone, josch.default_time_zone()), 'YYYY-MM-DD HH24:MI'), ''),
        coalesce(t.time_zone, josch.default_time_zone()), coalesce(f.outcome, ''), t.paused::text
        FROM josch.tpl_jobs t CROSS JOIN LATERAL josch.forecast_days(t.job_name, josch.today(),
            josch.today() + [expr {$job ne "" ? 400 : 62}]) f
        WHERE $which ORDER BY f.job_date, t.job_name LIMIT $limit"
}

# ---- the year ----

# Rows to a dict: date -> dict of open decided_by by_calendar moved name known.
proc ::editor_effects::days {rows} {
    set days [dict create]
    foreach row $rows {
        lassign $row date open by other moved name known
        dict set days $date [dict create open [expr {$open eq "true"}] decided_by $by by_calendar $other moved $moved \
            name $name known [expr {$known eq "true"}]]
    }
    return $days
}

# A day in a sentence. rule: of the calendar.
proc ::editor_effects::sentence {date day {rule ""} {before {}}} {
    set open [dict get $day open]
    set words "[LongDate $date] is [expr {$open ? "open" : "closed"}]: [Reason $day $rule]."
    if {$before ne {} && [dict get $before open] != $open} {
        append words " It is [expr {$open ? "closed" : "open"}] until the changes are applied."
    }
    if {![dict get $day known]} {
        append words " Nobody vouches for it (known_until)."
    }
    return $words
}

proc ::editor_effects::Reason {day rule} {
    set open [dict get $day open]
    set other [dict get $day by_calendar]
    switch -- [dict get $day decided_by] {
        weekdays {return [expr {$open ? "it is one of its weekdays" : "it is none of its weekdays"}]}
        of_calendar {return [expr {$open ? "as in $other" : "closed in $other"}]}
        rule {return [expr {$open ? "chosen by $rule" : "not chosen by $rule"}]}
        moved {
            return "moved [expr {$open ? "here from" : "to"}] [LongDate [dict get $day moved]]"
        }
        and {return [expr {$open ? "as in $other (and)" : "closed in $other (and)"}]}
        or {return "open in $other (or)"}
        not {return "open in $other (not)"}
    }
    return [expr {[dict get $day name] eq "" ? "named for itself" : [dict get $day name]}]
}

proc ::editor_effects::LongDate {date} {
    return [clock format [clock scan $date -format %Y-%m-%d -gmt 1] -format "%a %Y-%m-%d" -gmt 1 -locale C]
}

# How many days are open, and how many are named, of a year.
proc ::editor_effects::summary {days} {
    lassign {0 0 0} open named moved
    dict for {date day} $days {
        incr open [dict get $day open]
        incr named [expr {[dict get $day decided_by] eq "holiday"}]
        incr moved [expr {[dict get $day decided_by] eq "moved" && [dict get $day open]}]
    }
    set text "$open open"
    if {$named} {append text ", $named named"}
    if {$moved} {append text ", $moved moved"}
    return $text
}

# ---- days that exist ----

# Rows before and after the edits: a list of {when row}; when is new, same or gone. Without edits before is after.
proc ::editor_effects::compare {before after} {
    set list {}
    foreach row $after {
        lappend list [list [expr {$row in $before ? "same" : "new"}] $row]
    }
    foreach row $before {
        if {$row ni $after} {
            lappend list [list gone $row]
        }
    }
    return [lsort -index {1 1} [lsort -index {1 0} $list]]
}

# What is otherwise with a day, in words.
proc ::editor_effects::difference {row} {
    lassign $row job date calendar difference made now
    switch -- $difference {
        closed {return "is made, and is not a day of $calendar"}
        open {return "is a day of $calendar, and is not made"}
    }
    set name [dict get {previous PREV_DATE next NEXT_DATE} $difference]
    return "$name is [expr {$made eq "" ? "empty" : $made}], and would be [expr {$now eq "" ? "empty" : $now}]"
}

# ---- the next days ----

# What there is to say of a day to come: when it makes itself, what has become of it.
proc ::editor_effects::next {row} {
    lassign $row job date made known due zone outcome paused
    set words {}
    if {$outcome ne "" && !($made eq "true" && $outcome eq "made")} {lappend words $outcome}
    if {$made eq "true"} {
        lappend words "made"
    } elseif {$outcome eq ""} {
        lappend words [expr {$due eq "" ? "by hand" : $paused eq "true" ? "paused" : "makes itself"}]
    }
    if {$known ne "true"} {lappend words "nobody vouches for it"}
    return [list $job [LongDate $date] [expr {$due eq "" ? "" : "$due $zone"}] [join $words ", "]]
}
