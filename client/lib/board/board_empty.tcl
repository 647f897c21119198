# client/lib/board/board_empty.tcl
#
# What to do where there is nothing to see: no templates, no day, or a day without nodes. It stands in the middle of the views,
# and goes by itself.
#
# Constraint: nothing is said of what has not been read.

namespace eval ::board {
    # numbers of template nodes and of their jobs; "" when not known
    variable templates ""
}

proc ::board::StartEmpty {} {
    variable frame
    set box [ttk::frame $frame.empty -padding [theme::px 24 18]]
    ttk::label $box.title -style Title.TLabel -anchor center
    ttk::label $box.text -justify center -wraplength [theme::px 520]
    ttk::button $box.templates -text Templates -command editor::show
    pack $box.title $box.text -pady [theme::px 0 10]
    foreach event {<<BoardPulse>> <<BoardLoaded>> <<BoardScope>> <<DbState>> <<DbRights>>} {
        bind . $event +[namespace code SayEmpty]
    }
}

# Which of them it is: no templates, no day, no nodes; "" when there is something, or it is not known.
proc ::board::Emptiness {} {
    variable read
    variable templates
    if {[db::state] ne "online" || [db::why] ne "" || !$read(listed)} {
        return ""
    } elseif {[dates] eq {}} {
        return [expr {$templates eq "" ? "" : [lindex $templates 0] == 0 ? "templates" : "day"}]
    } elseif {[known] && [inside] eq {} && !$read(loading)} {
        return nodes
    }
    return ""
}

proc ::board::SayEmpty {} {
    variable frame
    variable read
    if {$read(listed) && [dates] eq {} && [db::state] eq "online" && [db::why] eq ""} {
        db::query {SELECT count(*), count(DISTINCT n.job_name) FROM josch.tpl_nodes n} [namespace code TakeTemplates] \
            board-templates
    }
    ShowEmpty
}

proc ::board::TakeTemplates {result} {
    variable templates
    set templates [expr {[dict get $result ok] ? [lindex [dict get $result rows] 0] : ""}]
    ShowEmpty
}

proc ::board::ShowEmpty {} {
    variable frame
    variable templates
    set box $frame.empty
    set writes [editor::offered]
    switch [Emptiness] {
        templates {
            set title "There are no templates yet."
            set text [expr {$writes
                ? "Write them in Templates, or import CSV files there: variables, jobs, nodes, dependencies."
                : "A member of josch_author writes or loads them (SELECT josch.load_csv('FOLDER'))."}]
        }
        day {
            lassign $templates nodes jobs
            set title "No day has been made yet."
            set text "The templates have [Number $nodes node] in [Number $jobs job]. [expr {$writes
                ? "Schedule a Day\u2026 in Templates makes a day of them, and so does SELECT josch.schedule()."
                : "Somebody who may schedule makes a day of them (SELECT josch.schedule())."}]"
        }
        nodes {
            set title "[date] has no nodes."
            set text "Choose another date above[expr {$writes ? ", or schedule a day in Templates" : ""}]."
        }
        default {
            place forget $box
            return
        }
    }
    $box.title configure -text $title
    $box.text configure -text $text
    pack forget $box.templates
    if {$writes} {
        pack $box.templates
    }
    place $box -in $frame.panes.views -relx 0.5 -rely 0.42 -anchor center
    raise $box
}

# A number with its word.
proc ::board::Number {number word} {
    return "$number $word[expr {$number == 1 ? "" : "s"}]"
}
