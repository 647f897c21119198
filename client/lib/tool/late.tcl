# client/lib/tool/late.tcl
#
# Callbacks for objects that may be gone when they come: a window is closed while an answer is on its way.
#
# Constraint: [list late::call object method ...] is all that a timer, a query or an event of another window may keep of an
# object; "namespace code" raises an error once the object is destroyed.

namespace eval ::late {}

# Call a method, of those too that are not exported, if the object is still there.
proc ::late::call {object method args} {
    if {[info object isa object $object]} {
        [info object namespace $object]::my $method {*}$args
    }
}
