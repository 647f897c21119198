/* The variables of a command, as sh sees them. */
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\pset format unaligned
\pset tuples_only on
\pset null NULL

CREATE TEMP TABLE c (n serial, command text);

\echo == plain, braces, quotes
COPY c (command) FROM stdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
echo $A ${B} $A
echo "$A" '$B' \$C "\$D" \\$E "\\$F" '"$G"' "'$H'"
echo $A$B-$C_1.$D/x"$E"'$F'$G
echo $1 $12 $@ $* $# $? $$ $! $- $0 ${1} ${#} ${@} ${!} $ "$" $% ${12}
echo $'$A' $"$B" #$C
echo $1A ${10}B $_X
PYTHON=1
\.
SELECT command || '  =>  ' || josch.command_variables(command)::text FROM c ORDER BY n;
TRUNCATE c;

\echo == defaults and lengths
COPY c (command) FROM stdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
echo ${A:-x} ${B-x} ${C:=x} ${D=x} ${E+x} ${F:+x} ${G:?x} ${H?x}
echo ${A:-$B} ${C-"${D}"} ${E+'$F'} "${G+'$H'}" ${I:-`$J`}
echo ${#A} ${A%x} ${B%%x} ${C#x} ${D##*/} ${E%$F} "${G%'$H'}"
echo ${A:=1} $A
echo ${A:-1} $A
echo ${#-x} ${#-$A} ${?-$B}
echo ${A:-a}b} ${B:-"}"$C}$D
echo ${A:-${B:-${C}}}
\.
SELECT command || '  =>  ' || josch.command_variables(command)::text FROM c ORDER BY n;
TRUNCATE c;

\echo == commands inside commands
COPY c (command) FROM stdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
echo $(cat $A) "$(cat "$B" '$C')" `cat $D` "`cat $E '$F'`" `echo \`echo $G\` \$H`
echo "$(echo ')' $A)" $(echo "(" $B) $( (echo $C) )$D
echo $(case $A in (a) echo $B;; b) echo $C;; esac) "$D"
echo "$(case x in a) echo '$A';; esac)" '$B'
(cd $A && { echo $B; }); echo $C
echo $((A + $B + ${C} + 1)) $((2 * (D + $E))) "$((1 + $F))"
i=1; while [ $i -le 3 ]; do i=$((i + 1)); done; echo $((j = 2)) $j $((k += 1)) $k $((l <= 2)) $l $((m == 2)) $m
echo $((echo $A) ; (echo '$B'))
\.
SELECT command || '  =>  ' || josch.command_variables(command)::text FROM c ORDER BY n;
TRUNCATE c;

\echo == names that the command sets
COPY c (command) FROM stdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
A=1; echo $A $B
A=$B C=$A cmd $C
echo $A; A=1
export A=1 B=2 && echo $A $B $C
for f in $LIST; do echo $f; done
for f do echo $f; done
cat x | while read -r A B; do echo $A $B $C; done
IFS=: read A _ B < /etc/passwd; echo $A $B
2>/dev/null read A < $F; echo $A
f() { local a b=2; echo $a $b $c; }; f
while getopts ab: o; do echo $o $OPTARG; done
env A=1 sh -c 'echo $A' $B
echo read $A
"A"=1; echo $A
echo x=$A y$B=1 $B
case $1 in read) A=1;; esac; echo $A $B
if read A; then echo $A; elif ! read B; then echo $B; else echo $C; fi
. ./env.sh; echo $A
eval "$(ssh-agent)"; echo $SSH_AGENT_PID
echo . eval $A
\.
SELECT command || '  =>  ' || josch.command_variables(command)::text FROM c ORDER BY n;

\echo == comments, lines, here-documents
SELECT replace(c, E'\n', '\n') || '  =>  ' || josch.command_variables(c)::text
FROM unnest(ARRAY[
	E'echo a # $A\necho $B',
	E'echo a#$A;#$B\n#$C\n\techo $D',
	E'echo a\\\n  $A # \\\n$B',
	E'cat <<E\n$A ''$B'' "$C" \\$D `echo $E`\nE\necho $F',
	E'cat <<''E''; echo $A\n$B\nE\necho $C',
	E'cat <<\\E\n$A\nE\necho $B',
	E'cat <<-E\n\t$A\n\tE\necho $B',
	E'cat <<A1 <<"A2"\n$A\nA1\n$B\nA2\necho $C',
	E'cat <<E\n$A',
	E'cat <<E',
	E'x=$(cat <<E\n$A)\nE\n); echo $x $B',
	E'cat <<< $A; echo $B'
]) WITH ORDINALITY AS t (c, n) ORDER BY n;

\echo == what no shell accepts does no harm
SELECT command || '  =>  ' || josch.command_variables(command)::text FROM unnest(ARRAY[
	'', '   ', '$', 'a''', 'a"', '<<''', '<<"', '"$A', '''$A', '`$A', '${A', '${', '$(', '$((', '$((A', '$(echo $A', 'echo )$A( $B', '\', '${A:', '${A:-', '<<', '>', '$((1)', '${}x$A'
]) WITH ORDINALITY AS t (command, n) ORDER BY n;
SELECT josch.command_variables(repeat('$(', 100) || 'echo $A');
SELECT josch.command_variables(repeat('$((', 200) || '$A' || repeat(') ', 200));
SELECT josch.command_variables(NULL);

\echo == what is executed
SELECT command || '  =>  ' || josch.command_argv(command)::text FROM unnest(ARRAY[
	'/bin/true', './prog --date=2026-01-01 -x a,b user@host:/p 50%', E'  /bin/echo \t a  b ',
	'bin/prog', 'true', 'A=1/2 cmd', '/bin/x=y a', '/bin/echo A=1',
	'/bin/echo $A', '/bin/echo "a"', '/bin/echo ''a''', '/bin/echo a; b', '/bin/echo a|b', '/bin/echo a>b', '/bin/echo ~',
	'/bin/echo *', '/bin/echo a?', '/bin/echo [a]', '/bin/echo {a,b}', '/bin/echo #a', '/bin/echo !', '/bin/echo \a',
	'/bin/echo a&', '(/bin/true)', E'/bin/echo a\n/bin/echo b', '/bin/echo é', '~/bin/x', 'echo', '',
	'$PYTHON x.py --date $DATE', '${A}/bin/x', '"$A/x" y', '$A; $B', '$A | $B', '$A $(b)', 'A=$B $C', 'python3 $A'
]) WITH ORDINALITY AS t (command, n) ORDER BY n;
SELECT josch.command_argv(NULL);
