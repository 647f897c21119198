#!/usr/bin/env tclsh
# client/test/all.tcl [NAME]...
#
# Run the tests of the client, or the files that are named (patterns, without .test), each in a process of its own with a
# time-out, against one server and one X display that are started for them. Needs the extension in the PostgreSQL whose
# initdb and pg_ctl are on the PATH (scripts/check puts it there) and a user who is not root.
#
# Prints a line a test (ok NAME, not ok NAME, with all that the test said), figures as comments (# ...), a line a file, and
# at the end a count. A skipped test has not run, and is not ok. The exit code is 0 only if all is well and something ran.

set folder [file dirname [file normalize [info script]]]
source [file join $folder harness.tcl]

namespace eval ::all {
    # seconds for a file, on a machine that is busy with other things
    variable limit 600
    variable passed 0
    variable failed 0
}

# One file, in this process.
proc ::all::one {file} {
    set ::argv {}
    set code [catch {uplevel #0 [list source $file]} message options]
    harness::finish
    if {$code} {
        puts "[dict get $options -errorinfo]\n==== [file rootname [file tail $file]]-as-a-whole FAILED"
    }
    exit $code
}

proc ::all::run {folder file} {
    variable limit
    variable passed
    variable failed
    set name [file rootname [file tail $file]]
    set before [list $passed $failed]
    set started [clock milliseconds]
    set ::env(TCLTEST_OPTIONS) {-verbose {pass body error skip}}
    set output [open |[list timeout -k 5 $limit [info nameofexecutable] $folder/all.tcl --one $file </dev/null 2>@1] r]
    fconfigure $output -encoding utf-8
    set said {}
    while {[gets $output line] >= 0} {
        set said [Line $name $line $said]
    }
    if {[catch {close $output} message]} {
        if {$failed == [lindex $before 1]} {
            incr failed
            puts "not ok $name: $message"
        }
        puts [join [lmap line $said {string cat "    " $line}] \n]
    } elseif {$before eq [list $passed $failed]} {
        incr failed
        puts "not ok $name: nothing ran"
    }
    lassign $before passedBefore failedBefore
    puts [format "# %s: %d passed, %d failed, %.1f s" $name [expr {$passed - $passedBefore}] [expr {$failed - $failedBefore}] \
        [expr {([clock milliseconds] - $started) / 1000.0}]]
    flush stdout
}

# A line of a file's output. tcltest tells of a failure from "==== NAME TITLE FAILED" to "==== NAME FAILED"; what was said
# since the last test, and in that block, is returned, to be shown with the failure.
proc ::all::Line {name line said} {
    variable passed
    variable failed
    if {[regexp {^\+\+\+\+ (\S+) PASSED} $line all test]} {
        incr passed
        puts "ok $name $test"
        set said {}
    } elseif {[regexp {^\+\+\+\+ (\S+) SKIPPED: (.*)} $line all test why]} {
        incr failed
        puts "not ok $name $test: skipped, $why"
        set said {}
    } elseif {[regexp {^==== (\S+) FAILED$} $line all test]} {
        incr failed
        puts "not ok $name $test"
        puts [join [lmap one $said {string cat "    " $one}] \n]
        set said {}
    } elseif {[string match "# *" $line]} {
        puts $line
    } elseif {[string trim $line] ne ""} {
        lappend said $line
    }
    flush stdout
    return $said
}

proc ::all::main {folder names} {
    variable passed
    variable failed
    set files {}
    foreach file [lsort [glob -nocomplain -directory $folder *.test]] {
        foreach pattern [expr {[llength $names] ? $names : "*"}] {
            if {[string match $pattern [file rootname [file tail $file]]]} {
                lappend files $file
                break
            }
        }
    }
    if {[catch {
        harness::server
        harness::display
        # what a test that is killed leaves behind goes with the server
        set ::env(TMPDIR) $::env(JOSCH_TEST_HOME)
        foreach file $files {
            run $folder $file
        }
    } message options]} {
        incr failed
        puts "not ok all: [dict get $options -errorinfo]"
    }
    harness::finish
    puts "$passed passed, $failed failed"
    exit [expr {$failed > 0 || $passed == 0}]
}

if {[lindex $argv 0] eq "--one"} {
    ::all::one [lindex $argv 1]
} else {
    ::all::main $folder $argv
}
