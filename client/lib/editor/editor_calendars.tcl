# client/lib/editor/editor_calendars.tcl
#
# The tab of business calendars in the template editor: the year of one, its tables, the next days of jobs, and what the edits
# would make otherwise of days that exist.
#
# A mixin of editor_window. Constraint: what is shown is what will be, edits included, as the database says: they are made and
# rolled back at once, in one message (editor_effects). An answer to a question that is no longer asked is dropped.

oo::class create ::editor_calendars {
    variable window changes grids form graph job jobs calendar calendars year yearly asked told

    method BuildCalendars {path} {
        lassign {"" {} "" "" {}} calendar calendars yearly asked told
        set year [clock format [clock seconds] -format %Y]
        ttk::frame $path
        set bar [ttk::frame $path.bar -padding [theme::px 0 4]]
        ttk::label $bar.label -text "Calendar"
        ttk::combobox $bar.name -state readonly -width 22
        ttk::label $bar.year_label -text "Year"
        ttk::spinbox $bar.year -from 100 -to 9899 -width 6 -textvariable [my varname year] \
            -command [namespace code {my YearChosen}]
        ttk::label $bar.summary -style Quiet.TLabel
        pack $bar.label $bar.name $bar.year_label $bar.year $bar.summary -side left -padx [theme::px 0 6]
        bind $window <Configure> +[namespace code {if {"%W" eq $window} {my FitForm}}]
        bind $bar.name <<ComboboxSelected>> [namespace code {my CalendarChosen}]
        bind $bar.year <Return> [namespace code {my YearChosen}]
        bind $bar.year <FocusOut> [namespace code {my YearChosen}]
        pack $bar -fill x
        ttk::notebook $path.tabs
        $path.tabs add [my BuildYear $path.tabs.year] -text "Year"
        my AddGrids $path.tabs {calendars Calendars calendar_parts Parts holidays Holidays}
        my BuildList next "Next Days" {job Job 150 day Day 130 at "Makes itself" 270 note "" 150}
        my BuildList effects "Effects" {when "" 140 job Job 130 day Day 140 what "" 320}
        ttk::notebook::enableTraversal $path.tabs
        bind $path.tabs <<NotebookTabChanged>> [namespace code {my TabChanged}]
        pack $path.tabs -fill both -expand 1
        return $path
    }

    method BuildYear {path} {
        ttk::frame $path
        set yearly [editor_year new $path.year [self]]
        ttk::frame $path.day
        ttk::label $path.day.words -style Quiet.TLabel -text [my DayHint] -anchor w
        ttk::button $path.day.toggle -text "Close Day" -command [namespace code {my ToggleChosen}]
        pack $path.day.toggle -side right
        pack $path.day.words -side left -fill x -expand 1
        bind $path.day.words <Configure> {%W configure -wraplength [expr {max(100, %w - 10)}]}
        pack $path.day -side bottom -fill x -pady [theme::px 4 2]
        pack [$yearly widget] -fill both -expand 1
        return $path
    }

    method DayHint {} {
        return "Choose a day, with the mouse or the arrows. Space opens or closes it by name; Return names it."
    }

    # A list that only shows, with a line above it; columns: name, heading and width of each.
    method BuildList {name label columns} {
        set path [ttk::frame $window.panes.upper.tabs.business.tabs.$name]
        ttk::label $path.note -style Quiet.TLabel -justify left
        bind $path.note <Configure> {%W configure -wraplength [expr {max(100, %w - 10)}]}
        ttk::treeview $path.tree -columns [lmap {column - -} $columns {set column}] -show headings -selectmode browse \
            -yscrollcommand [list $path.y set]
        ttk::scrollbar $path.y -orient vertical -command [list $path.tree yview]
        foreach {column heading width} $columns {
            $path.tree heading $column -text $heading -anchor w
            $path.tree column $column -width [theme::px $width] -stretch [expr {$column in {note what}}]
        }
        $path.tree tag configure new -font [theme::font bold]
        grid $path.note -columnspan 2 -sticky ew -pady [theme::px 4]
        grid $path.tree $path.y -sticky nsew
        grid columnconfigure $path 0 -weight 1
        grid rowconfigure $path 1 -weight 1
        $window.panes.upper.tabs.business.tabs add $path -text $label
    }

    # The form stands beside what only shows where both have room; tables always have it.
    method FitForm {} {
        set panes $window.panes.upper
        set shows [expr {[my Tab] in {year next effects}}]
        set room [expr {[winfo width $window] - [winfo reqwidth $panes.form] >= [theme::chars 110]}]
        set there [expr {"$panes.form" in [$panes panes]}]
        if {$shows && !$room && $there} {
            $panes forget $panes.form
        } elseif {(!$shows || $room) && !$there} {
            $panes add $panes.form -weight 0
        }
    }

    method Pages {{tab business}} {
        return $window.panes.upper.tabs.$tab.tabs
    }

    # ---- what is chosen ----

    # The list of calendars as it will be; the chosen one stays, whatever it is called by now.
    method RefreshCalendars {} {
        set calendars [lmap pair [lsort -dictionary -index 0 [lmap uid [$changes rows calendars] {
            list [dict get [$changes get calendars $uid] calendar_name] $uid
        }]] {lindex $pair 1}]
        if {$calendar ni $calendars} {
            set calendar [lindex $calendars 0]
        }
        set box $window.panes.upper.tabs.business.bar.name
        $box configure -values [lmap uid $calendars {dict get [$changes get calendars $uid] calendar_name}]
        if {$calendar eq ""} {
            $box set ""
        } else {
            $box current [lsearch -exact $calendars $calendar]
        }
        my AskEffects
    }

    method CalendarName {} {
        return [if {$calendar ne ""} {dict get [$changes get calendars $calendar] calendar_name}]
    }

    method CalendarChosen {} {
        set calendar [lindex $calendars [$window.panes.upper.tabs.business.bar.name current]]
        my refresh
    }

    method YearChosen {} {
        set written $year
        if {[scan $year %d number] == 1 && $number >= 100 && $number <= 9899} {
            set year $number
        } else {
            set year [clock format [clock seconds] -format %Y]
        }
        my AskEffects
    }

    # Choose the calendar of a row, so that the row is in its table.
    method ShowCalendarOf {table uid} {
        set name [my Column $table $uid calendar_name]
        set other [expr {$table eq "calendars" ? $uid : [$changes find calendars calendar_name $name]}]
        if {$other ni [list "" $calendar]} {
            set calendar $other
            my refresh
        }
    }

    method year_by {by} {
        set year [expr {max(100, min(9899, $year + $by))}]
        my AskEffects
    }

    # ---- the chosen day ----

    method day_chosen {} {
        set path [my Pages].year.day
        set words [$yearly sentence]
        $path.words configure -text [expr {$words eq "" ? [my DayHint] : $words}]
        set date [$yearly chosen]
        set named [my NamedDay $date]
        set open [expr {[dict exists [$yearly days] $date] && [dict get [$yearly days] $date open]}]
        $path.toggle configure -text [expr {$named ne "" ? "Unname Day" : $open ? "Close Day" : "Open Day"}]
        $path.toggle state [expr {$words eq "" ? "disabled" : "!disabled"}]
        if {[my Tab] eq "year"} {
            my ShowForm
        }
    }

    # The row that names a date in the chosen calendar, of those that will be; "" for none.
    method NamedDay {date} {
        foreach uid [$changes rows holidays] {
            set row [$changes get holidays $uid]
            if {[dict get $row holiday] eq $date && [dict get $row calendar_name] eq [my CalendarName]
                && [$changes status holidays $uid] ne "deleted"} {
                return $uid
            }
        }
    }

    method ToggleChosen {} {
        my toggle_day [$yearly chosen]
    }

    # A day is named, to be what it is not now; or no longer named.
    method toggle_day {date} {
        my Flush
        set named [my NamedDay $date]
        if {$named ne ""} {
            $changes remove holidays [list $named]
        } elseif {[dict exists [$yearly days] $date]} {
            set open [dict get [$yearly days] $date open]
            my NameDay $date [expr {$open ? "false" : "true"}]
        }
        my refresh
    }

    # A row that was deleted here and names the date comes back: two rows cannot have one key.
    method NameDay {date open} {
        foreach uid [$changes rows holidays] {
            set row [$changes get holidays $uid]
            if {[dict get $row holiday] eq $date && [dict get $row calendar_name] eq [my CalendarName]} {
                $changes restore holidays [list $uid]
                $changes set holidays $uid open $open
                return
            }
        }
        $changes add holidays [dict create calendar_name [my CalendarName] holiday $date holiday_name [db::null] open $open]
    }

    # To where a day gets its name: in the form, beside the table where there is no room for it here.
    method name_day {date} {
        if {![dict exists [$yearly days] $date]} {
            return
        }
        if {[my NamedDay $date] eq ""} {
            my toggle_day $date
        }
        if {"$window.panes.upper.form" ni [$window.panes.upper panes]} {
            my show_row holidays [my NamedDay $date]
        }
        my ShowForm
        $form focus_on holiday_name
    }

    # The row that the form shows beside the year: the chosen day's, or the calendar's; {table row}.
    method YearRow {} {
        set named [my NamedDay [$yearly chosen]]
        return [expr {$named ne "" ? [list holidays $named] : [list calendars $calendar]}]
    }

    # ---- what the database says ----

    # Ask anew when something else is to be asked than what was; or in any case.
    method AskEffects {{anyhow 0}} {
        if {[winfo name [$window.panes.upper.tabs select]] ne "business" || [editor::Away] ne {}} {
            return
        }
        set was [if {$calendar ne ""} {$changes stored_key calendars $calendar}]
        set questions [editor_effects::questions $was [my CalendarName] $year $job [my CalendarEdits]]
        if {$questions eq $asked && !$anyhow} {
            my ShowEffects
            return
        }
        set asked $questions
        editor::Transaction [lmap question $questions {lindex $question 1}] ROLLBACK \
            [list late::call [self] TakeEffects $questions]
    }

    # The statements of what is edited in calendars, and in the jobs that are there.
    method CalendarEdits {} {
        set list {}
        foreach place [lindex [set all [editor::Statements $changes ""]] 1] sql [lindex $all 0] {
            lassign $place table uid
            if {$table in {calendars calendar_parts holidays} || [string match "SET CONSTRAINTS*" $sql]
                || ($table eq "tpl_jobs" && [$changes status $table $uid] eq "changed")} {
                lappend list $sql
            }
        }
        return $list
    }

    method TakeEffects {questions result} {
        if {$questions ne $asked || ![winfo exists [my Pages]]} {
            return
        }
        set told [dict create refused ""]
        if {[dict get $result ok]} {
            foreach question $questions answer [dict get $result results] {
                dict set told [lindex $question 0] [dict get $answer rows]
            }
        } elseif {![editor::IsLost $result]} {
            dict set told refused [join [editor::Refusal $result "a row"]]
        } else {
            set asked ""
        }
        my ShowEffects
    }

    method Told {what} {
        return [if {[dict exists $told $what]} {dict get $told $what}]
    }

    method ShowEffects {} {
        set rule [if {$calendar ne ""} {editor::Shown [my Column calendars $calendar rule]}]
        set days [editor_effects::days [my Told year]]
        $yearly show $year $days [editor_effects::days [my Told year_before]] $rule
        set refused [my Told refused]
        set summary $window.panes.upper.tabs.business.bar.summary
        $summary configure -style [expr {$refused eq "" ? "Quiet.TLabel" : "Danger.TLabel"}] \
            -text [expr {$refused ne "" ? "Refused: $refused" : [dict size $days] ? [editor_effects::summary $days] : ""}]
        tip::set_text $summary $refused
        my ShowNext
        my ShowDifferences
    }

    method Column {table uid name} {
        set row [$changes get $table $uid]
        return [expr {[dict exists $row $name] ? [dict get $row $name] : [db::null]}]
    }

    method ShowNext {} {
        set path [my Pages].next
        $path.tree delete [$path.tree children {}]
        foreach row [my Told next] {
            $path.tree insert {} end -values [editor_effects::next $row]
        }
        set which [expr {$job ne "" ? "of job $job, for 400 days"
            : "of all jobs that have calendar [my CalendarName], for two months"}]
        $path.note configure -text "The days $which from today on. Choose a job above to see its own."
    }

    method ShowDifferences {} {
        set path [my Pages].effects
        $path.tree delete [$path.tree children {}]
        set edited [expr {[lsearch -index 0 $asked edit] >= 0}]
        set rows [editor_effects::compare [if {$edited} {my Told effects_before} else {my Told effects}] [my Told effects]]
        foreach pair [lrange $rows 0 $::editor_effects::limit] {
            lassign $pair when row
            $path.tree insert {} end -tags $when -values [list \
                [dict get {new "by the changes" same "as it is" gone "no longer"} $when] [lindex $row 0] \
                [editor_effects::LongDate [lindex $row 1]] [editor_effects::difference $row]]
        }
        set new [llength [lsort -unique [lmap pair [lsearch -all -inline -index 0 $rows new] {lrange [lindex $pair 1] 0 1}]]]
        $path.note configure -text [if {!$edited} {
            string cat "Days that exist, from today on, and that the calendars would make otherwise now. Nothing is edited."
        } else {
            string cat "Days that exist stay as they are. Of [editor::Count $new day] the changes would make something" \
                " otherwise."
        }]
    }
}
