# client/lib/editor/editor_year.tcl
#
# A calendar's year at a glance: twelve months, each day open or closed, and by its mark why; the day that is chosen, with the
# mouse or the keys.
#
# Constraint: nothing is told by colour alone. It shows what it is given (editor_effects::days) and changes nothing itself: the
# owner is told which day is chosen, and which is to be opened or closed.

oo::class create ::editor_year {
    mixin ::editor_year_draw
    variable canvas owner year days before rule chosen metrics

    constructor {path of_owner} {
        set canvas [canvas $path -highlightthickness 1 -takefocus 1 -width 10 -height 10]
        set owner $of_owner
        lassign {1970 {} {} "" "" {}} year days before rule chosen metrics
        theme::dress $canvas
        my Dress
        foreach {event script} {
            <Configure> {my plan_draw} <Button-1> {my Click %x %y} <Double-Button-1> {my Toggle} <space> {my Toggle}
            <Return> {$owner name_day $chosen} <Left> {my Move -1} <Right> {my Move 1} <Up> {my Move -7} <Down> {my Move 7}
            <Home> {my Choose [my Date 01-01]} <End> {my Choose [my Date 12-31]}
            <Prior> {$owner year_by -1} <Next> {$owner year_by 1}
            <Motion> {my Hover %x %y %X %Y} <Leave> {tip::hide} <FocusIn> {my plan_draw} <FocusOut> {my plan_draw}
        } {
            bind $canvas $event [namespace code $script]
        }
        bind $canvas <<ThemeChanged>> +[namespace code {my Dress; my plan_draw}]
        bind $canvas <Destroy> [namespace code {my destroy}]
    }

    method widget {} {
        return $canvas
    }

    method Dress {} {
        $canvas configure -highlightthickness 1 -highlightbackground [theme::color border] -highlightcolor [theme::color accent]
    }

    method plan_draw {} {
        workq::add [list late::call [self] draw] [self]-draw
    }

    # Show a year. of_days, of_before: date -> day as it will be, and as it is stored ({} where that is the same).
    method show {of_year of_days of_before of_rule} {
        if {$of_year ne $year} {
            set chosen [regsub {^\d+} $chosen [format %04d $of_year]]
            if {[string match *-02-29 $chosen] && !($of_year % 4 == 0 && ($of_year % 100 || $of_year % 400 == 0))} {
                set chosen [format %04d-02-28 $of_year]
            }
        }
        lassign [list $of_year $of_days $of_before $of_rule] year days before rule
        my plan_draw
        $owner day_chosen
    }

    method days {} {
        return $days
    }

    method chosen {} {
        return $chosen
    }

    # The chosen day in words; "" when none is.
    method sentence {} {
        return [if {[dict exists $days $chosen]} {my SentenceOf $chosen}]
    }

    method SentenceOf {date} {
        set former [if {[dict exists $before $date]} {dict get $before $date}]
        return [editor_effects::sentence $date [dict get $days $date] $rule $former]
    }

    # ---- mouse and keys ----

    method Date {month_and_day} {
        return [format %04d-%s $year $month_and_day]
    }

    method Choose {date} {
        if {[dict exists $days $date]} {
            set chosen $date
            my draw
            $owner day_chosen
        } elseif {$date ne "" && [scan $date %d to] == 1 && $to != $year} {
            set chosen $date
            $owner year_by [expr {$to - $year}]
        }
    }

    # By so many days; from nowhere to today, or to the year's first.
    method Move {by} {
        if {![dict exists $days $chosen]} {
            set today [clock format [clock seconds] -format %Y-%m-%d]
            my Choose [expr {[dict exists $days $today] ? $today : [my Date 01-01]}]
            return
        }
        set seconds [clock scan $chosen -format %Y-%m-%d -gmt 1]
        my Choose [clock format [expr {$seconds + $by * 86400}] -format %Y-%m-%d -gmt 1]
    }

    method Click {x y} {
        focus $canvas
        my Choose [my DateAt $x $y]
    }

    method Toggle {} {
        if {[dict exists $days $chosen]} {
            $owner toggle_day $chosen
        }
    }

    method Hover {x y root_x root_y} {
        set date [my DateAt $x $y]
        if {[dict exists $days $date]} {
            tip::plan $canvas $root_x $root_y [my SentenceOf $date]
        } else {
            tip::hide
        }
    }
}
