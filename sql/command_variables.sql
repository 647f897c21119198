/* The variables of a command, and what is executed. */
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
echo $1A ${10}B $_X $$Y
PYTHON=1
echo a # $A, it's a comment
echo "it's" '$A' "$B's" '$C'
\.
SELECT command || '  =>  ' || josch.command_variables(command)::text FROM c ORDER BY n;
TRUNCATE c;

\echo == defaults and lengths
COPY c (command) FROM stdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
echo ${A:-x} ${B-x} ${C:=x} ${D=x} ${E+x} ${F:+x} ${G:?x} ${H?x}
echo ${A:-$B} ${C-"${D}"} ${E+'$F'} ${I:-`$J`} ${A:-${B:-${C}}}
echo ${#A} ${A%x} ${B%%x} ${C#x} ${D##*/} ${E%$F} ${!G} ${H[0]}
echo ${A:-1} $A
\.
SELECT command || '  =>  ' || josch.command_variables(command)::text FROM c ORDER BY n;
TRUNCATE c;

\echo == the text of other programs, and commands inside commands
COPY c (command) FROM stdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
awk -F, '{print $NF}' $FILE
x="$(awk '{print $NF}' "$FILE")"
echo "`cat $E '$F'`" `echo \`echo $G\` \$H` "`awk '{print $X}' "$Y" '$Z'`"
echo "$(echo ")" '$A' "$B")" "(" '$C' ")" "$D"
echo $((A + $B + ${C} + 1)) "$((1 + $F))"
cat $F <<E > x; it's
cat <<E; echo $A
cat <<< $A; echo $((1 << $B)) $C
cat $A <<'E' > $B
\.
SELECT command || '  =>  ' || josch.command_variables(command)::text FROM c ORDER BY n;
TRUNCATE c;

\echo == names that the command may set
COPY c (command) FROM stdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
A=1; echo $A $B
echo $A; A=1
export A=1 B=2 && echo $A $B $C
for f in $LIST; do echo $f; done
cat x | while read -r A B; do echo $A $B $C; done
IFS=: read A _ B < /etc/passwd; echo $A $B
f() { local a b=2; echo $a $b $c; }; f
i=1; while [ $i -le 3 ]; do i=$((i+1)); done; echo $((j = 2)) $j $((k += 1)) $k
A+=x; B[1]=y; echo $A ${B[1]} $C
"A"=1; echo $A
copy --from=$from --dir $dir from/dir -from
. ./env.sh; echo $A
if :; then . x; fi; echo $A
eval "$(ssh-agent)"; echo $SSH_AGENT_PID
cp $A . && find . -name $B; ls ..; ./source.sh $C evaluate sourced
\.
SELECT command || '  =>  ' || josch.command_variables(command)::text FROM c ORDER BY n;

\echo == what no shell accepts does no harm
SELECT command || '  =>  ' || josch.command_variables(command)::text FROM unnest(ARRAY[
	'', '   ', '$', 'a''', 'a"', '<<''', '<<"', '"$A', '''$A', '`$A', '${A', '${', '$(', '$((', '$((A', '$(echo $A', 'echo )$A( $B', '\', '${A:', '${A:-', '<<', '>', '$((1)', '${}x$A', '.', '. '
]) WITH ORDINALITY AS t (command, n) ORDER BY n;
SELECT josch.command_variables(NULL);

\echo == any length, in proportion to it
SET statement_timeout = '60s';
SELECT josch.command_variables(repeat('$((', 1000000) || '$A');
SELECT josch.command_variables(repeat('`"', 1000000) || '$A');
SELECT josch.command_variables(repeat('${', 1000000) || 'A');
SELECT cardinality(josch.command_variables(string_agg('$v' || g || ' $w' || g % 7, ' ' ORDER BY g))) FROM generate_series(1, 100000) g;
SELECT cardinality(josch.command_variables(string_agg('v' || g || '=1 $v' || g, ';' ORDER BY g))) FROM generate_series(1, 100000) g;
RESET statement_timeout;

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
