# client/test/cli_hand.tcl
#
# What the tests of the command line share: the program run as a user does, without a display.

set home [exec mktemp -d [file join [::harness::temporary] josch-cli.XXXXXX]]

# The environment of a person at a shell.
proc shell_of {user} {
    return [list env -u DISPLAY -u TERM HOME=$::home XDG_CONFIG_HOME=$::home/.config PGPASSFILE=$::home/.pgpass PGHOST=$::env(JOSCH_TEST_SOCKET) \
        PGPORT=54321 PGDATABASE=$::harness::database PGUSER=$user PGTZ=UTC PATH=$::harness::top/client:$::env(PATH)]
}

# josch as a person: a list of what it ended with, stdout and stderr.
proc josch_as {user args} {
    set code 0
    if {[catch {exec {*}[shell_of $user] josch {*}$args 2>$::home/err </dev/null} out options]} {
        set error [dict get $options -errorcode]
        set code [expr {[lindex $error 0] eq "CHILDSTATUS" ? [lindex $error 2] : -1}]
        regsub {\n?child process exited abnormally$} $out "" out
    }
    return [list $code $out [string trim [::harness::read_file $::home/err]]]
}

proc josch {args} {
    return [josch_as alice {*}$args]
}

# Start josch, its output in a file, to which what it ended with is added.
proc josch_begin {user file args} {
    exec {*}[shell_of $user] sh -c "\"\$@\" & echo \$! >$file.pid; wait \$!; echo \"ended \$?\"" sh josch {*}$args >$file 2>$file.err </dev/null &
}

# End it.
proc josch_end {file} {
    exec kill [string trim [::harness::read_file $file.pid]]
    says $file *ended*
}

# Wait until a session of the program is listening.
proc listening {{count 1} {query array_position}} {
    wait {expr {[one "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'josch client' AND query LIKE '%$query%'
        AND state = 'idle' AND datname = current_database()"] >= $count}} "a listener"
}

# Wait until a file says something; returns all of it.
proc says {file pattern} {
    wait {string match $pattern [::harness::read_file $file]} "$pattern in $file"
    return [::harness::read_file $file]
}
