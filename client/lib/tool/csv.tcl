# client/lib/tool/csv.tcl
#
# CSV text to lists and back, as PostgreSQL's COPY reads and writes it.
#
# Pure: no file, no window, no database. PostgreSQL tells a quoted empty field from one with nothing in it, and takes quotes
# in the middle of a field; so this does both, and josch.load_csv() and the client read a file alike.

namespace eval ::csv {}

# The text of a file's bytes. Raises an error that names the line of what is not UTF-8, and of a NUL, which no text of the
# database can hold.
proc ::csv::text {bytes} {
    if {[catch {encoding convertfrom utf-8 $bytes} text] || [encoding convertto utf-8 $text] ne $bytes} {
        error "line [FirstBad [split $bytes \n]]: the file is not UTF-8" "" {CSV ENCODING}
    }
    set at [string first \u0000 $text]
    if {$at >= 0} {
        error "line [llength [split [string range $text 0 $at] \n]]: a NUL is no part of a text" "" {CSV NUL}
    }
    return $text
}

# Number of the first line that is not UTF-8. Tcl 9 refuses it; Tcl 8.6 takes such a byte for a character, which does not
# give that byte back.
proc ::csv::FirstBad {lines} {
    set number 0
    foreach line $lines {
        incr number
        if {[catch {encoding convertfrom utf-8 $line} text] || [encoding convertto utf-8 $text] ne $line} {
            return $number
        }
    }
    return $number
}

# The records of a text: a list of lists. A field with nothing in it, not even quotes, becomes the value of null. Lines end
# with LF or CR LF, a byte order mark is left out, an empty line at the end does not count. Raises an error that names the
# line of a quote that is never closed.
proc ::csv::parse {text {null ""}} {
    set records {}
    set pending ""
    set first 0
    set number 0
    foreach line [Lines $text] {
        incr number
        if {$first} {
            append pending \n $line
        } else {
            set pending $line
            set first $number
        }
        if {[regexp -all \" $pending] % 2} continue
        lappend records [Fields [string trimright $pending \r] $null]
        set first 0
    }
    if {$first} {
        error "line $first: a quoted field is not closed" "" {CSV QUOTE}
    }
    return $records
}

proc ::csv::Lines {text} {
    if {[string index $text 0] eq "\ufeff"} {
        set text [string range $text 1 end]
    }
    set lines [split $text \n]
    if {[string trimright [lindex $lines end] \r] eq ""} {
        set lines [lrange $lines 0 end-1]
    }
    return $lines
}

# The fields of a record. Split at the quotes, every second piece is quoted, and an empty piece between two of these is a
# quote that was doubled.
proc ::csv::Fields {record null} {
    if {[string first \" $record] < 0} {
        return [lmap field [split $record ,] {if {$field eq ""} {set null} else {set field}}]
    }
    set fields {}
    set field ""
    set quoted 0
    set pieces [split $record \"]
    set last [expr {[llength $pieces] - 1}]
    for {set i 0} {$i <= $last} {incr i} {
        set piece [lindex $pieces $i]
        if {$i % 2} {
            append field $piece
            set quoted 1
        } elseif {$piece eq "" && $i > 0 && $i < $last} {
            append field \"
        } else {
            set parts [split $piece ,]
            append field [lindex $parts 0]
            foreach part [lrange $parts 1 end] {
                lappend fields [if {$field eq "" && !$quoted} {set null} else {set field}]
                set field $part
                set quoted 0
            }
        }
    }
    return [lappend fields [if {$field eq "" && !$quoted} {set null} else {set field}]]
}

# One line of a file. fields that are equal to null have nothing in them; an empty one has a pair of quotes when its column
# is in quote_empty (columns count from 0).
proc ::csv::line {fields {null ""} {quote_empty {}}} {
    set column -1
    set out [lmap field $fields {
        incr column
        if {$field eq $null || ($field eq "" && $column ni $quote_empty)} {
            string cat ""
        } elseif {$field eq "" || [regexp {[,"\r\n]} $field]} {
            string cat \" [string map {\" \"\"} $field] \"
        } else {
            set field
        }
    }]
    return [join $out ,]\n
}
