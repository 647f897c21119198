# client/lib/db/probe.tcl
#
# A program of its own, run by tclsh: reads a conninfo from its standard input, tries it, and prints "ok" and the ms that it
# took, or why not.
#
# Constraint: libpq looks names up by blocking, and a host that is gone would freeze every window for seconds. So this process
# takes the wait upon itself, and the client connects when it is known that somebody answers. The conninfo comes by a pipe,
# because others can read command lines.

fconfigure stdin -encoding utf-8
fconfigure stdout -encoding utf-8
set conninfo [read stdin]
if {[catch {
    package require Pgtcl
    set began [clock milliseconds]
    pg_disconnect [pg_connect -conninfo $conninfo]
} message]} {
    puts $message
} else {
    puts "ok [expr {[clock milliseconds] - $began}]"
}
