# client/lib/editor/editor_form.tcl
#
# The form beside the tables: all columns of the row that is selected, one below the other, with what the database says
# of each as explanation.
#
# Constraint: a field is taken when it is left (or with Enter), so that the form and the tables always show the same.
# Text of several lines (commands, SQL) has room here and nowhere else.

oo::class create ::editor_form {
    variable frame inner owner table uid fields before

    constructor {path of_owner} {
        set frame $path
        set owner $of_owner
        lassign {"" "" {} {}} table uid fields before
        ttk::frame $frame -width [theme::chars 46]
        pack propagate $frame 0
        canvas $frame.view -width 10 -height 10 -yscrollcommand [namespace code {my Scrolled}]
        theme::dress $frame.view window
        ttk::scrollbar $frame.y -orient vertical -command [list $frame.view yview]
        pack $frame.y -side right -fill y
        pack $frame.view -side left -fill both -expand 1
        set inner [ttk::frame $frame.view.inner -padding [theme::px 12 6]]
        $frame.view create window 0 0 -anchor nw -window $inner -tags inner
        ttk::label $inner.title -style Bold.TLabel -justify left
        ttk::label $inner.note -style Quiet.TLabel -text "Select a row to see all of it." -justify left
        ttk::frame $inner.fields
        grid $inner.title -sticky ew
        grid $inner.note -sticky ew -pady [theme::px 2 8]
        grid $inner.fields -sticky nsew
        grid columnconfigure $inner 0 -weight 1
        grid columnconfigure $inner.fields 1 -weight 1
        bind $inner <Configure> [namespace code {my Resized}]
        bind $frame.view <Configure> [namespace code {my Resized}]
    }

    # The fields are as wide as there is room; when they are higher than that, they scroll.
    method Resized {} {
        $frame.view itemconfigure inner -width [winfo width $frame.view]
        $inner.title configure -wraplength [expr {max(100, [winfo width $frame.view] - [theme::chars 4])}]
        $frame.view configure -scrollregion [list 0 0 10 [winfo reqheight $inner]]
    }

    # Bring a field into sight: the keyboard leads to all of them.
    method See {widget} {
        set all [expr {double(max(1, [winfo reqheight $inner]))}]
        set top [expr {[winfo y $inner.fields] + [winfo y $widget] - 4}]
        set bottom [expr {$top + [winfo height $widget] + 8}]
        set from [$frame.view canvasy 0]
        if {$top < $from} {
            $frame.view yview moveto [expr {$top / $all}]
        } elseif {$bottom > $from + [winfo height $frame.view]} {
            $frame.view yview moveto [expr {($bottom - [winfo height $frame.view]) / $all}]
        }
    }

    method Scrolled {first last} {
        $frame.y set $first $last
        $frame.y state [expr {$first <= 0 && $last >= 1 ? "disabled" : "!disabled"}]
    }

    method widget {} {
        return $frame
    }

    # Show a row; "" for none. What is being typed into another is taken; what is being typed into this one stays.
    method show {of_table of_uid changes} {
        set other [expr {$of_table ne $table || $of_uid ne $uid}]
        if {$other} {
            my flush
        }
        if {$of_uid eq "" || ![$changes exists $of_uid]} {
            my Clear
            return
        }
        if {$of_table ne $table} {
            my Clear
            set table $of_table
            my Build
        }
        set uid $of_uid
        set status [$changes status $table $uid]
        set name [$changes name $table $uid]
        $inner.title configure -text "[string toupper [string index $name 0]][string range $name 1 end]"
        $inner.note configure -text [dict get {same "" added "New: not applied yet." changed "Changed: not applied yet."
            deleted "Will be deleted."} $status]
        set row [$changes get $table $uid]
        set edited [$changes changed_columns $table $uid]
        foreach {name widget} $fields {
            set value [if {[dict exists $row $name]} {editor::Shown [dict get $row $name]}]
            if {$other || ![my IsTyped $name]} {
                my Fill $name $widget $value
            }
            dict set before $name $value
            $inner.fields.l_$name configure -style [expr {$name in $edited ? "Warn.TLabel" : "TLabel"}]
            my Enable $widget [expr {$status ne "deleted" && $name ne "loaded_on"}]
        }
    }

    method Clear {} {
        destroy {*}[winfo children $inner.fields]
        lassign {"" "" {} {}} table uid fields before
        $inner.title configure -text ""
        $inner.note configure -text "Select a row to see all of it."
    }

    method Build {} {
        set line 0
        foreach column [dict get $::editor::columns $table] {
            set name [dict get $column name]
            set widget $inner.fields.f_$name
            ttk::label $inner.fields.l_$name -text $name
            if {$name in $::editor::texts} {
                text $widget -height [expr {$name in {exec_sql exec_command} ? 4 : 2}] -width 30 -wrap word -undo 1
                theme::dress $widget
                bind $widget <Tab> "[bind all <<NextWindow>>]; break"
                bind $widget <Shift-Tab> "[bind all <<PrevWindow>>]; break"
                # not a new line in the text
                bind $widget <Control-Return> [namespace code {$owner apply; break}]
            } elseif {[set choices [$owner choices $table $name]] ne {}} {
                ttk::combobox $widget -values $choices -width 28
                bind $widget <<ComboboxSelected>> [namespace code [list my Take $name]]
            } else {
                ttk::entry $widget -width 30
            }
            bind $widget <FocusOut> [namespace code [list my Take $name]]
            bind $widget <FocusIn> [namespace code [list my See $widget]]
            if {[winfo class $widget] ne "Text"} {
                bind $widget <Return> [namespace code [list my Take $name]]
            }
            grid $inner.fields.l_$name -row $line -column 0 -sticky nw -padx [theme::px 0 10] -pady [theme::px 3]
            grid $widget -row $line -column 1 -sticky ew -pady [theme::px 2]
            foreach of [list $inner.fields.l_$name $widget] {
                tip::set_text $of [my Meaning $column]
            }
            lappend fields $name $widget
            incr line
        }
    }

    method Meaning {column} {
        set text [dict get $column comment]
        if {[dict get $column default] ne ""} {
            append text "\nDefault: [dict get $column default]"
        }
        return "$text\n([dict get $column type][expr {[dict get $column required] ? ", required" : ""}])"
    }

    method Fill {name widget value} {
        switch -- [winfo class $widget] {
            Text {
                $widget configure -state normal
                if {[$widget get 1.0 end-1c] ne $value} {
                    $widget replace 1.0 end $value
                }
            }
            TCombobox {
                $widget configure -values [$owner choices $table $name]
                $widget set $value
            }
            default {
                $widget state !disabled
                if {[$widget get] ne $value} {
                    $widget delete 0 end
                    $widget insert 0 $value
                }
            }
        }
    }

    method Enable {widget on} {
        if {[winfo class $widget] eq "Text"} {
            $widget configure -state [expr {$on ? "normal" : "disabled"}]
        } else {
            $widget state [expr {$on ? "!disabled" : "disabled"}]
        }
    }

    method Content {name} {
        set widget [dict get $fields $name]
        return [expr {[winfo class $widget] eq "Text" ? [$widget get 1.0 end-1c] : [$widget get]}]
    }

    # Does a field hold another text than it was filled with?
    method IsTyped {name} {
        return [expr {[dict exists $before $name] && [my Content $name] ne [dict get $before $name]}]
    }

    # What stands in a field, when it is another text than before.
    method Take {name} {
        if {$uid ne "" && [my IsTyped $name]} {
            set value [my Content $name]
            dict set before $name $value
            $owner edit $table $uid $name $value
        }
    }

    # Take what is being typed in any field.
    method flush {} {
        foreach {name widget} $fields {
            my Take $name
        }
    }

    method focus_on {name} {
        if {[dict exists $fields $name]} {
            focus [dict get $fields $name]
        }
    }
}
