# client/lib/editor/editor_table.tcl
#
# A template table as a grid: a row for each row, edited in place. What has been edited and is not applied is marked by
# a sign and a colour; a row that the database refused is red.
#
# Constraint: the rows belong to the editor's changes; this shows them and hands edits over, and is told when to look
# again. An edit in place is a field laid over the cell, gone with Escape, kept with Enter, Tab or the next click.

oo::class create ::editor_grid {
    # cell: row, column and former text of the field that is open; laid: the box of the cell that it lies over
    # widths: what the cells were shortened for
    variable frame tree table changes columns owner sort_by descending cell laid filter refused widths

    # owner: the editor's window, which is told: selected uid, edited, wanted choices
    constructor {path of_table of_changes of_owner} {
        set frame $path
        set table $of_table
        set changes $of_changes
        set owner $of_owner
        set columns [editor::Names $table]
        lassign {"" 0 {} {} {} {} {}} sort_by descending cell laid filter refused widths
        my Build
    }

    method Build {} {
        ttk::frame $frame
        set tree [ttk::treeview $frame.tree -columns [concat mark $columns] -show headings -selectmode extended \
            -yscrollcommand [namespace code {my Scrolled y}] -xscrollcommand [namespace code {my Scrolled x}]]
        ttk::scrollbar $frame.y -orient vertical -command [list $tree yview]
        ttk::scrollbar $frame.x -orient horizontal -command [list $tree xview]
        $tree column mark -width [theme::px 26] -minwidth [theme::px 26] -stretch 0 -anchor center
        foreach name $columns {
            $tree heading $name -text $name -anchor w -command [namespace code [list my SortBy $name]]
            $tree column $name -width [my Width $name] -minwidth 50 \
                -stretch [expr {$name in {exec_command value job_desc calendar_desc holiday_name part_name semaphore_desc}}]
        }
        grid $tree $frame.y -sticky nsew
        grid $frame.x -sticky ew
        grid columnconfigure $frame 0 -weight 1
        grid rowconfigure $frame 0 -weight 1
        foreach {event script} {
            <<TreeviewSelect>> {my Selected} <Double-Button-1> {my EditAt %x %y} <F2> {my EditFirst} <Return> {my EditFirst}
            <Delete> {my Ask delete} <Insert> {my Ask add} <Motion> {my Hover %x %y %X %Y} <Leave> {tip::hide}
            <Configure> {my Put; my Refit} <Button-1> {my Put} <ButtonRelease-1> {my Refit}
        } {
            bind $tree $event +[namespace code $script]
        }
        remember::columns $tree editor_$table
        bind $frame <<ThemeChanged>> [namespace code {my Recolor}]
        my Recolor
    }

    method Width {name} {
        set widths {node_id 80 node_type 92 job_name 130 node_name 190 exec_command 260 signoff_time 96 start_time 96
            exec_sql 130 time_zone 120 job_desc 260 var 180 value 320 p_node_id 220 c_node_id 220 p_date 70 c_date 70
            condition 80 join_rule 70 on_failure 80 calendar_name 130 calendar_desc 200 part_name 130 position 60 holiday 96
            holiday_name 220 rule 220 of_calendar 110 semaphore_name 180 capacity 90 semaphore_desc 260 units 70
            executor_name 150 start_command 260 attach_command 200}
        if {$table eq "tpl_node_semaphores"} {
            dict set widths node_id 260
        }
        set width [theme::px [expr {[dict exists $widths $name] ? [dict get $widths $name] : 104}]]
        # its heading is to be read, whatever stands below it
        return [expr {max($width, [font measure TkHeadingFont $name] + [theme::px 24])}]
    }

    method Recolor {} {
        foreach {tag color} {added succeeded changed ready deleted skipped refused failed} {
            set fill [dict get [theme::state $color] fill]
            $tree tag configure $tag -background [theme::blend $fill [theme::color panel] 0.45] \
                -foreground [theme::color text]
        }
        $tree tag configure same -background {} -foreground [theme::color text]
    }

    method widget {} {
        return $frame
    }

    # ---- rows ----

    # Show the rows as they are now. only: command prefix that says of a row (a dict) whether it is shown.
    method refresh {{only {}}} {
        set chosen [$tree selection]
        set filter $only
        set uids [lmap uid [$changes rows $table] {
            if {$only ne {} && ![{*}$only [$changes get $table $uid]]} continue
            set uid
        }]
        if {$sort_by ne ""} {
            set uids [my Sorted $uids]
        }
        $tree delete [$tree children {}]
        foreach uid $uids {
            $tree insert {} end -id $uid -values [my Cells $uid] -tags [my Tag $uid]
        }
        set chosen [lmap uid $chosen {
            if {![$tree exists $uid]} continue
            set uid
        }]
        $tree selection set $chosen
        my Lay
    }

    method refresh_row {uid} {
        if {[$tree exists $uid] && [$changes exists $uid]} {
            $tree item $uid -values [my Cells $uid] -tags [my Tag $uid]
        }
    }

    method Values {uid} {
        set row [$changes get $table $uid]
        set values [list [dict get {same "" added + changed \u2022 deleted \u2212} [$changes status $table $uid]]]
        foreach name $columns {
            set value [if {[dict exists $row $name]} {editor::Shown [dict get $row $name]}]
            if {$value ne "" && [editor::IsNode $table $name]} {
                set value [$changes node_name $value]
            }
            lappend values [string map {\n " \u21b5 "} $value]
        }
        return $values
    }

    # The same as far as the columns have room: what tells two texts apart is often at their end.
    method Cells {uid} {
        return [lmap name [concat mark $columns] value [my Values $uid] {
            expr {$name eq "mark" ? $value : [shorten::text $value [theme::font ui] [expr {[$tree column $name -width] - 10}]]}
        }]
    }

    # Columns are wider or narrower: shorten anew.
    method Refit {} {
        set now [lmap name $columns {$tree column $name -width}]
        if {$now ne $widths} {
            set widths $now
            foreach uid [$tree children {}] {
                my refresh_row $uid
            }
        }
    }

    method Tag {uid} {
        return [expr {$uid in $refused ? "refused" : [$changes status $table $uid]}]
    }

    method Sorted {uids} {
        set at [expr {[lsearch -exact $columns $sort_by] + 1}]
        set keyed [lmap uid $uids {list $uid [lindex [my Values $uid] $at]}]
        set order [expr {$descending ? "-decreasing" : "-increasing"}]
        return [lmap pair [lsort -dictionary $order -index 1 $keyed] {lindex $pair 0}]
    }

    # By a column; the other way round at the second click, as read at the third.
    method SortBy {name} {
        if {$sort_by ne $name} {
            lassign [list $name 0] sort_by descending
        } elseif {!$descending} {
            set descending 1
        } else {
            lassign {"" 0} sort_by descending
        }
        foreach column $columns {
            set sign [expr {$column ne $sort_by ? "" : $descending ? " \u25be" : " \u25b4"}]
            $tree heading $column -text $column$sign
        }
        my refresh $filter
    }

    # ---- selection ----

    method selection {} {
        return [$tree selection]
    }

    method select {uid} {
        if {[$tree exists $uid]} {
            $tree selection set [list $uid]
            $tree see $uid
            $tree focus $uid
        }
    }

    method Selected {} {
        $owner selected $table [$tree selection]
    }

    method Ask {what} {
        $owner $what
    }

    # Marks the rows that the database refused.
    method refuse {uids} {
        set former $refused
        set refused $uids
        foreach uid [concat $former $uids] {
            my refresh_row $uid
        }
        if {$uids ne {}} {
            my select [lindex $uids 0]
        }
    }

    # ---- editing in place ----

    method EditAt {x y} {
        set uid [$tree identify item $x $y]
        set at [string range [$tree identify column $x $y] 1 end]
        if {$uid eq "" || $at < 2 || [$tree identify region $x $y] ne "cell"} {
            return
        }
        my Edit $uid [lindex $columns [expr {$at - 2}]]
    }

    method EditFirst {} {
        set uid [lindex [$tree selection] 0]
        if {$uid ne ""} {
            my Edit $uid [lindex $columns 0]
        }
    }

    method Edit {uid name} {
        my Put
        if {[$changes status $table $uid] eq "deleted"} {
            return
        }
        $tree see $uid
        if {[$tree bbox $uid $name] eq ""} {
            return
        }
        set row [$changes get $table $uid]
        set value [if {[dict exists $row $name]} {editor::Shown [dict get $row $name]}]
        if {[string first \n $value] >= 0} {
            # several lines have room in the form alone
            $owner edit_in_form $name
            return
        }
        set cell [list $uid $name $value]
        my MakeField $value [$owner choices $table $name]
        my Lay
        focus $tree.field
        $tree.field selection range 0 end
    }

    # The field lies over its cell, also when the rows have been written anew under it.
    method Lay {} {
        if {$cell eq {}} {
            return
        }
        set laid [my Box]
        if {$laid eq ""} {
            my Put
            return
        }
        lassign $laid x y w h
        place $tree.field -x $x -y [expr {$y - 2}] -width [expr {max($w, 90)}] -height [expr {$h + 4}]
    }

    method Box {} {
        lassign $cell uid name
        return [if {[$tree exists $uid]} {$tree bbox $uid $name}]
    }

    # The cell has moved away from under its field, by whatever wheel, key or bar.
    method Scrolled {bar first last} {
        $frame.$bar set $first $last
        if {$cell ne {} && [my Box] ne $laid} {
            my Put
        }
    }

    method MakeField {value choices} {
        if {$choices eq {}} {
            ttk::entry $tree.field
        } else {
            ttk::combobox $tree.field -values $choices
            bind $tree.field <<ComboboxSelected>> [namespace code {my Put}]
        }
        $tree.field insert 0 $value
        bind $tree.field <Return> [namespace code {my Put; break}]
        # the field's own Return would end it without applying
        bind $tree.field <Control-Return> [namespace code {my Put; $owner apply; break}]
        bind $tree.field <Escape> [namespace code {my Drop; break}]
        bind $tree.field <Tab> [namespace code {my Next 1; break}]
        bind $tree.field <<PrevWindow>> [namespace code {my Next -1; break}]
        bind $tree.field <FocusOut> [namespace code {my LeftField %W}]
    }

    # The list of a combobox takes the focus for a while; that is not leaving.
    method LeftField {widget} {
        if {$widget eq "$tree.field" && ![string match $tree.field* [focus -displayof $tree]]} {
            my Put
        }
    }

    # Keep what was typed.
    method Put {} {
        if {$cell ne {}} {
            my flush
            my Drop
        }
    }

    # Take what is being typed; the field stays.
    method flush {} {
        if {$cell eq {}} {
            return
        }
        lassign $cell uid name before
        set text [$tree.field get]
        lset cell 2 $text
        if {$text ne $before} {
            $owner edit $table $uid $name $text
        }
    }

    method close {} {
        my Put
    }

    method Drop {} {
        set cell {}
        if {[winfo exists $tree.field]} {
            set had [string match $tree.field* [focus -displayof $tree]]
            destroy $tree.field
            if {$had} {
                focus $tree
            }
        }
    }

    method Next {by} {
        lassign $cell uid name
        my Put
        set at [expr {[lsearch -exact $columns $name] + $by}]
        if {$at >= 0 && $at < [llength $columns] && [$tree exists $uid]} {
            my Edit $uid [lindex $columns $at]
        }
    }

    # ---- the meaning of a column, over its heading ----

    method Hover {x y root_x root_y} {
        if {[$tree identify region $x $y] ne "heading"} {
            tip::hide
            return
        }
        set at [string range [$tree identify column $x $y] 1 end]
        if {$at >= 2} {
            tip::show $tree $root_x $root_y [dict get [editor::Column $table [lindex $columns [expr {$at - 2}]]] comment]
        }
    }
}
