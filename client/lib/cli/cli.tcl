# client/lib/cli/cli.tcl
#
# josch on the command line: the verbs, their options, and what they end with. No Tk, no display.
#
# Constraint: a script can rely on it. What is printed for people goes by columns, with --json one object a line; nothing is
# coloured, shortened or cleaned where stdout is no terminal; an exit code always means the same; a name that could mean two
# nodes is refused.

namespace eval ::cli {
    # verb -> the words after it, and what it does
    variable verbs {
        status   {{[DATE] [--job JOB] [--state STATE] [--attention]} "the nodes of a day, with their states"}
        watch    {{[DATE] [--job JOB]} "a board for the terminal, that follows; elsewhere a line for each change"}
        why      {{NODE [DATE]} "why a node does not start, down to the root"}
        log      {{[-f] [-n LINES] NODE [DATE] | RUN} "what a run has printed; -f follows it"}
        act      {{VERB NODE... [DATE] [-m COMMENT] [--descendants]} "sign off, retry, hold and what else people do"}
        wait     {{NODE|JOB [DATE] [--timeout TIME] [--people]} "until it has ended, or asks for a person"}
        schedule {{[DATE] [JOB] [--param NAME=VALUE]...} "make a day out of the templates"}
        pause    {{JOB [DATE] | --semaphore NAME | --all [-m COMMENT]} "nothing of it starts until it is resumed"}
        resume   {{JOB [DATE] | --semaphore NAME | --all [-m COMMENT]} "what was paused goes on"}
        validate {{DIR [--mode MODE]} "what is wrong with CSV files of templates, and what is doubtful"}
        diff     {{DIR [--mode MODE]} "what CSV files of templates would change"}
        deploy   {{DIR [--mode MODE] [-m COMMENT]} "validate, show what changes and load, in one transaction"}
        show     {{NODE [DATE]} "all that is known of a node: facts, runs, history"}
        doctor   {{} "how JOSCH itself is"}
    }
    # what people type who come from elsewhere -> ours
    variable aliases {autorep status squeue status job_depends why sendevent act scontrol show}
    # options with a value, and those without
    variable valued {-m comment --message comment --comment comment --job job --state state --timeout timeout -n lines
        --lines lines --param param --run run --mode mode --semaphore semaphore}
    variable flags {--json json --attention attention -a attention -f follow --follow follow --people people
        --descendants descendants --all all}
    variable given
    # exit codes
    variable codes {ok 0 refused 1 timeout 2 person 3 connection 4 usage 64}
}

# All of it: words of the command line, the verb among them.
proc ::cli::main {words} {
    variable given
    variable verbs
    set rest [Options $words]
    set rest [lassign $rest verb]
    if {[dict exists $given help]} {
        puts -nonewline [usage $verb]
        exit 0
    }
    if {[catch {verb_$verb $rest} message options]} {
        Failed $message $options
    }
    catch {flush stdout}
    exit 0
}

# An error: of our own making it says what it ends with (errorcode CLI); a pipe that is closed (head) is none.
proc ::cli::Failed {message options} {
    variable codes
    set code [dict get $options -errorcode]
    if {[lindex $code 0] eq "POSIX" && [lindex $code 1] eq "EPIPE"} {
        exit 0
    }
    catch {flush stdout}
    if {$message ne ""} {
        puts stderr "josch: [cli_print::plain $message]"
    }
    if {[lindex $code 0] ne "CLI" && [info exists ::env(JOSCH_DEBUG)]} {
        puts stderr [dict get $options -errorinfo]
    }
    exit [expr {[lindex $code 0] eq "CLI" ? [dict get $codes [lindex $code 1]] : 1}]
}

# End with a message and one of the codes.
proc ::cli::fail {how message} {
    return -code error -errorcode [list CLI $how] $message
}

proc ::cli::Misused {message} {
    fail usage "$message; see josch --help"
}

proc ::cli::is_verb {word} {
    variable verbs
    variable aliases
    return [expr {[dict exists $verbs $word] || [dict exists $aliases $word] || $word eq "complete"}]
}

proc ::cli::usage {verb} {
    variable verbs
    if {![dict exists $verbs $verb]} {
        return $::josch::usage
    }
    lassign [dict get $verbs $verb] words does
    if {$verb eq "wait"} {
        append does ".\n\nIt ends with 0 when it has succeeded, 1 when it has failed, 2 after the time-out,\
            3 when it waits for a person (--people:\nthat is waited for, too), 4 without a connection,\
            64 when it is not known what is meant"
    }
    return "Usage: josch $verb $words\n\n[string toupper [string index $does 0]][string range $does 1 end].\n"
}

# What the words of an option are worth; "" when it was not given.
proc ::cli::option {name} {
    variable given
    return [if {[dict exists $given $name]} {dict get $given $name}]
}

# Takes the options out of the words; what is left begins with the verb.
proc ::cli::Options {words} {
    variable given
    variable valued
    variable flags
    variable aliases
    set given [dict create]
    set connection [dict create]
    set rest {}
    while {[llength $words]} {
        set words [lassign $words word]
        set words [Split $word $words]
        set word [lindex $words 0]
        set words [lrange $words 1 end]
        if {$word eq "--"} {
            lappend rest {*}$words
            break
        } elseif {$word eq "--help"} {
            dict set given help 1
        } elseif {[dict exists $flags $word]} {
            dict set given [dict get $flags $word] 1
        } elseif {[dict exists $valued $word] || [dict exists $::josch::keywords $word]} {
            if {![llength $words]} {
                Usage "$word needs a value"
            }
            set words [lassign $words value]
            if {[dict exists $valued $word]} {
                dict lappend given [dict get $valued $word] $value
            } else {
                dict set connection [dict get $::josch::keywords $word] $value
            }
        } elseif {[string match -?* $word] && ![regexp {^-\d+$} $word]} {
            Usage "there is no option $word"
        } else {
            lappend rest $word
        }
    }
    josch::Target $connection
    return [Named $rest]
}

# Before it is known what to do, an error is one of the words.
proc ::cli::Usage {message} {
    Failed "$message; see josch --help" {-errorcode {CLI usage} -errorinfo ""}
}

# --name=value and -hVALUE as two words.
proc ::cli::Split {word words} {
    if {[regexp {^(--[a-z]+)=(.*)$} $word - name value] || [regexp {^(-[hpUdmn])(.+)$} $word - name value]} {
        return [list $name $value {*}$words]
    }
    return [list $word {*}$words]
}

# The words with the verb as we call it.
proc ::cli::Named {words} {
    variable aliases
    set rest [lassign $words verb]
    if {[dict exists $aliases $verb]} {
        set verb [dict get $aliases $verb]
    }
    return [list $verb {*}$rest]
}

# The last value of an option that is to come once.
proc ::cli::value {name} {
    return [lindex [option $name] end]
}
