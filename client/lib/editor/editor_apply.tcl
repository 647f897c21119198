# client/lib/editor/editor_apply.tcl
#
# The lower part of the template editor: the list of edits, taking them back, applying them, and what the database said.
#
# A mixin of editor_window. Constraint: edits are applied all or not at all, in one message to the server; the number of
# the statement that was refused leads back to its row.

oo::class create ::editor_apply {
    variable window changes grids comment sent places busy lost away denied

    method BuildChanges {path} {
        ttk::frame $path
        ttk::label $path.title -style Bold.TLabel -text "Changes"
        ttk::treeview $path.list -show tree -height 5 -selectmode extended -yscrollcommand [list $path.y set]
        ttk::scrollbar $path.y -orient vertical -command [list $path.list yview]
        ttk::label $path.answer -style Quiet.TLabel -wraplength [theme::px 700] -justify left
        ttk::frame $path.buttons
        ttk::label $path.buttons.label -text "Comment"
        ttk::entry $path.buttons.comment -textvariable [my varname comment]
        ttk::button $path.buttons.one -text "Revert Selected" -command [namespace code {my RevertSelected}]
        ttk::button $path.buttons.all -text "Revert All" -command [namespace code {my RevertAll}]
        ttk::button $path.buttons.apply -text "Apply" -style Act.TButton -command [namespace code {my apply}]
        tip::set_text $path.buttons.comment "Stored with the changes, in the audit tables."
        pack $path.buttons.label -side left -padx [theme::px 0 6]
        pack $path.buttons.comment -side left -fill x -expand 1
        pack $path.buttons.apply $path.buttons.all $path.buttons.one -side right -padx [theme::px 6 0]
        grid $path.title -row 0 -column 0 -columnspan 2 -sticky w -pady [theme::px 8 4]
        grid $path.list -row 1 -column 0 -sticky nsew
        grid $path.y -row 1 -column 1 -sticky ns
        grid $path.answer -row 2 -column 0 -columnspan 2 -sticky ew -pady [theme::px 6 0]
        grid $path.buttons -row 3 -column 0 -columnspan 2 -sticky ew -pady [theme::px 6 0]
        grid columnconfigure $path 0 -weight 1
        grid rowconfigure $path 1 -weight 1
        grid remove $path.answer
        bind $path.list <Double-Button-1> [namespace code {my GoToChange}]
        bind $path.list <Delete> [namespace code {my RevertSelected}]
        return $path
    }

    # The list of edits, as it is now.
    method show_changes {} {
        set path $window.panes.changes
        set pending [$changes pending]
        $path.list delete [$path.list children {}]
        array unset places
        set number 0
        foreach edit [lrange $pending 0 499] {
            set places([incr number]) $edit
            set sign [dict get {added + changed \u2022 deleted \u2212} [lindex $edit 0]]
            $path.list insert {} end -id $number -text "$sign  [$changes words {*}$edit]"
        }
        if {[llength $pending] > 500} {
            $path.list insert {} end -text "\u2026 and [expr {[llength $pending] - 500}] more"
        }
        set count [llength $pending]
        $path.title configure -text [expr {$count == 0 ? "No changes" : "[editor::Count $count change], not applied yet"}]
        foreach button {one all apply} {
            $path.buttons.$button state [expr {$count && !$busy ? "!disabled" : "disabled"}]
        }
        if {$away} {
            $path.buttons.apply state disabled
        }
        wm title $window "[expr {$count ? "\u2022 " : ""}][my Title]"
    }

    # What the database, or we, have to say; nothing for an empty message.
    method Say {message {detail ""} {style Danger.TLabel}} {
        set label $window.panes.changes.answer
        if {$message eq ""} {
            grid remove $label
            return
        }
        $label configure -text [string trim "$message\n$detail"] -style $style \
            -wraplength [expr {max(300, [winfo width $window] - 60)}]
        grid $label
    }

    method GoToChange {} {
        set number [lindex [$window.panes.changes.list selection] 0]
        if {[info exists places($number)]} {
            lassign $places($number) status table uid
            my show_row $table $uid
        }
    }

    # What is being typed is an edit before it is taken back.
    method RevertSelected {} {
        my Settle
        set rows [dict create]
        foreach number [$window.panes.changes.list selection] {
            if {[info exists places($number)]} {
                lassign $places($number) status table uid
                dict lappend rows $table $uid
            }
        }
        my Forgive
        dict for {table uids} $rows {
            $changes restore $table $uids
        }
        my refresh
    }

    # No field is open any more, and what was in it is taken.
    method Settle {} {
        my Flush
        foreach {table grid} $grids {
            $grid close
        }
    }

    method RevertAll {} {
        my Settle
        set count [llength [$changes pending]]
        if {$count == 0} {
            return
        }
        dialog::ask $window "Revert" "Take back [editor::Count $count change]?" "The database keeps what it has." "Revert" \
            [list late::call [self] DoRevertAll]
    }

    method DoRevertAll {} {
        my Settle
        my Forgive
        $changes restore_all
        my refresh
    }

    # No row is refused any more.
    method Forgive {} {
        # what is left to apply tells nothing any more of an answer that was lost
        set lost 0
        my Say ""
        set denied {}
        foreach {table grid} $grids {
            $grid refuse {}
        }
    }

    # ---- applying ----

    method apply {} {
        if {$busy} {
            return
        }
        my Forgive
        if {![my Flush] || [$changes pending] eq {} || ![my Here]} {
            return
        }
        lassign [editor::Statements $changes $comment] statements rows
        set snapshot [$changes snapshot]
        set sent $comment
        set busy 1
        my Say "Applying\u2026" "" Quiet.TLabel
        try {
            my refresh
            editor::Transaction $statements COMMIT [list late::call [self] Applied $rows $snapshot]
        } on error {message options} {
            set busy 0
            my show_changes
            return -options $options $message
        }
    }

    # rows: the row of each statement; snapshot: what the statements say.
    method Applied {rows snapshot result} {
        set busy 0
        if {[dict get $result ok]} {
            my DropComment
            $changes applied $snapshot
            my refresh
            my Say "[editor::Count [dict size [lindex $snapshot 0]] change] applied." \
                "Days that exist are copies; these changes show in days that are made from now on." Quiet.TLabel
            my reload
            return
        }
        set lost [editor::IsLost $result]
        set place [if {[dict exists $result at]} {lindex $rows [dict get $result at]}]
        if {$place ne {} && ![$changes exists [lindex $place 1]]} {
            # taken back meanwhile
            set place {}
        }
        lassign {"a row" ""} name along
        if {$place ne {}} {
            set name [$changes name {*}$place]
            set words {tpl_nodes "a dependency or units of a semaphore" calendars "a part or a named date"}
            set gone [expr {[dict exists $words [lindex $place 0]] && [$changes status {*}$place] eq "deleted"}]
            set along [if {$gone} {dict get $words [lindex $place 0]}]
        }
        lassign [editor::WriteRefusal $result $name $along] message detail
        my refresh
        if {$place ne {}} {
            set detail [string trim "$detail\nRefused at: $name. Nothing has been applied."]
            my GoTo {*}$place
        }
        my Say $message $detail
    }

    # The comment has gone with its changes; another one that was begun since is for the next.
    method DropComment {} {
        if {$comment eq $sent} {
            set comment ""
        }
    }

    method GoTo {table uid} {
        [dict get $grids $table] refuse [list $uid]
        if {[my Tab] ne "graph"} {
            my show_row $table $uid
        }
    }

    # What was found when everything was read again. orphans: names of rows that are edited here and gone there.
    method SayRead {orphans} {
        if {$orphans ne {}} {
            my Say "Somebody else has deleted or renamed meanwhile: [join [lrange $orphans 0 9] {, }][expr {
                [llength $orphans] > 10 ? " and [expr {[llength $orphans] - 10}] more" : ""}]." \
                "Your changes are kept as new rows; revert them if they are not wanted any more." Warn.TLabel
        } elseif {$lost && [$changes pending] eq {}} {
            my Say "It was applied before the connection was lost." "" Quiet.TLabel
            my DropComment
        } elseif {$lost} {
            my Say "The changes that are listed are not applied." "The connection was lost before they were." Warn.TLabel
        }
        set lost 0
    }
}
