# client/test/editor_author.tcl
#
# What the tests of the template editor share: the author's client, its editor, and what is asked of them.

set tabs .editor.panes.upper.tabs
set path .editor.panes.upper.form.view.inner

# What a script gives in the author's client.
proc ask {script} {
    return [::harness::tell author $script]
}

proc awaits {condition} {
    ::harness::until author "expr {$condition}"
}

# A field of the gathered edits' object: its answer to a call.
proc changes {args} {
    return [ask "\[set \[info object namespace ::editor::main\]::changes\] $args"]
}

# The row with a value, in the editor.
proc row {table column value} {
    return [changes find $table $column [list $value]]
}

proc answer {} {
    return [ask {.editor.panes.changes.answer cget -text}]
}

proc apply_all {} {
    ask {late::call ::editor::main Say ""}
    awaits {![winfo ismapped .editor.panes.changes.answer]}
    awaits {[.editor.panes.changes.buttons.apply instate !disabled]}
    ::harness::press author .editor Apply
    awaits {![set [info object namespace ::editor::main]::busy] && [winfo ismapped .editor.panes.changes.answer]}
}

proc folder {name} {
    set folder [file join $::env(JOSCH_TEST_HOME) $name]
    file mkdir $folder
    return $folder
}

# Open the editor of the author's client, with so many nodes in it.
proc open_editor {count} {
    ask {wm geometry . 1000x600+0+0; editor::show}
    awaits {[winfo exists .editor.panes.changes.answer]}
    ask {wm geometry .editor 1380x860+0+0}
    nodes $count
}

# Wait until so many nodes are in the table.
proc nodes {count} {
    awaits "\[llength \[$::tabs.tpl_nodes.tree children {}\]\] == $count"
}

# The list of changes, as it is read.
proc listed {} {
    return [ask {lmap i [.editor.panes.changes.list children {}] {.editor.panes.changes.list item $i -text}}]
}

# A variable of the editor's window.
proc held {name} {
    return [ask "set \[info object namespace ::editor::main\]::$name"]
}

# Read again, and wait until it is shown.
proc reread {} {
    ask {::editor::main reload}
    awaits {![set [info object namespace ::editor::main]::loading]}
}

# Take back all edits without asking.
proc revert {} {
    ask {late::call ::editor::main DoRevertAll}
}

proc edit {node column value} {
    ask [list ::editor::main edit tpl_nodes [row tpl_nodes node_id $node] $column $value]
}

# Select a node, and wait until the form shows it.
proc choose {node} {
    ask "$::tabs.tpl_nodes.tree selection set [row tpl_nodes node_id $node]"
    awaits "\[winfo exists $::path.fields.f_node_id\] && \[$::path.fields.f_node_id get\] eq {$node}"
}

# Write into a widget without leaving it.
proc type_into {widget text} {
    ::harness::type author $widget $text
    awaits "\[string match [list *$text*] \[join \[::driven::text_of $widget\]\]\]"
}

# Open the field of a cell with a double click, and write into it.
proc type_cell {node column text} {
    set tree $::tabs.tpl_nodes.tree
    ::harness::strike author [list ::driven::row $tree [row tpl_nodes node_id $node] $column] click --repeat 2 --delay 60 1
    awaits "\[winfo exists $tree.field\]"
    ::harness::aim author $tree.field
    ask "$tree.field selection range 0 end"
    type_into $tree.field $text
}
