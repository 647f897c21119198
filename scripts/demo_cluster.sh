# scripts/demo_cluster.sh
#
# scripts/demo --cluster: a Slurm of two nodes on this machine, and a night that runs on it; sourced by scripts/demo. The runner is killed
# in the middle, and finds all that runs; a node of the cluster dies, and what was on it is tried again on the other.
#
# Slurm's daemons run as the user of the server, below the demonstration's folder, on ports of the loopback interface that are free.

CLUSTER_NODES="1 2"

run_cluster() {
    trap 'say; say "The cluster is left as it is."; how_to_connect; exit 130' INT TERM
    start_cluster
    load_night
    cluster_waits
    cluster_runner_dies
    cluster_node_dies
    trap - INT TERM
    cluster_end
}

# Slurm, where it cannot be had, is said, and that is all.
have_cluster() {
    local program
    if ! command -v sbatch >/dev/null || ! [ -x /usr/sbin/slurmctld ]; then
        command -v apt-get >/dev/null && apt_offers slurmctld || { say "Slurm is not here, and apt does not offer it: this demonstration needs it."; exit 0; }
    fi
    ensure_cluster_packages
    for program in slurmctld slurmd munged; do
        [ -x "/usr/sbin/$program" ] || { say "Slurm is not whole: there is no /usr/sbin/$program."; exit 0; }
    done
}

# --- the cluster ------------------------------------------------------------------------------------------------------------

# slurm COMMAND...: as the user of the server
slurm() { as env SLURM_CONF="$CLUSTER/slurm.conf" PATH="$PATH:/usr/sbin:/sbin" "$@"; }

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo $port; return; }
    done
}

start_cluster() {
    local host n since=$SECONDS
    CLUSTER=$HOME_DIR/cluster
    host=$(hostname -s)
    as mkdir -p "$CLUSTER/state" "$CLUSTER/n1" "$CLUSTER/n2" "$CLUSTER/shared" || die "cannot write $CLUSTER"
    as sh -c 'umask 077; head -c 1024 /dev/urandom >"$1/munge.key"' sh "$CLUSTER"
    as tee "$CLUSTER/slurm.conf" >/dev/null <<CONF
ClusterName=josch
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$CLUSTER/munge.socket
SlurmUser=$(run_user)
SlurmdUser=$(run_user)
StateSaveLocation=$CLUSTER/state
SlurmdSpoolDir=$CLUSTER/%n
SlurmctldPidFile=$CLUSTER/slurmctld.pid
SlurmdPidFile=$CLUSTER/slurmd.%n.pid
SlurmctldLogFile=$CLUSTER/slurmctld.log
SlurmdLogFile=$CLUSTER/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SlurmdTimeout=10
JobRequeue=0
SchedulerParameters=batch_sched_delay=0,sched_min_interval=10000
$(for n in $CLUSTER_NODES; do echo "NodeName=n$n NodeHostname=$host NodeAddr=127.0.0.1 Port=$(free_port) CPUs=4 RealMemory=1000 State=UNKNOWN"; done)
PartitionName=night Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
    slurm munged --force --key-file="$CLUSTER/munge.key" --socket="$CLUSTER/munge.socket" --pid-file="$CLUSTER/munged.pid" \
        --log-file="$CLUSTER/munged.log" --seed-file="$CLUSTER/munge.seed" >/dev/null 2>&1 || die "munged does not start; see $CLUSTER/munged.log"
    # what works there is found by its folder when the demonstration is stopped
    (cd "$CLUSTER" && slurm slurmctld -i) >/dev/null 2>&1 || die "slurmctld does not start; see $CLUSTER/slurmctld.log"
    for n in $CLUSTER_NODES; do
        (cd "$CLUSTER" && slurm slurmd -N "n$n") >/dev/null 2>&1 || die "slurmd does not start; see $CLUSTER/slurmd.n$n.log"
    done
    until [ "$(slurm sinfo --noheader --format='%T %D' 2>/dev/null)" = 'idle 2' ]; do
        [ $((SECONDS - since)) -lt "$TIME_LIMIT" ] || die "the cluster does not come up; see $CLUSTER/slurmctld.log"
        sleep 0.2
    done
    say "A Slurm of two nodes is up:"
    slurm sinfo --Node --long | sed '1d; s/^/    /'
}

# What Slurm has started, and its daemons, have its configuration in their environment.
end_cluster() {
    local proc
    [ -d "$HOME_DIR/cluster" ] || return 0
    for proc in /proc/[0-9]*; do
        ! tr '\0' '\n' 2>/dev/null <"$proc/environ" | grep -qxF "SLURM_CONF=$HOME_DIR/cluster/slurm.conf" || kill -9 "${proc#/proc/}" 2>/dev/null
    done
}

# --- the night --------------------------------------------------------------------------------------------------------------

# Seven nodes on the cluster between two that run here. The last of them, at its first attempt, has no end: it is there when its machine dies.
load_night() {
    as tee "$CLUSTER/paths.sh" >/dev/null <<'SH'
# paths.sh BOOK: what takes its time, until the runner has been killed; that of the last book until its machine has died
echo "$1 on $SLURMD_NODENAME, attempt $ATTEMPT"
part=0
until [ -e "$CLUSTER/killed" ] && [ "$1 $ATTEMPT" != 'book-7 1' ]; do
    sleep 1
    part=$((part + 1))
    echo "part $part"
done
SH
    call "CREATE EXTENSION josch"
    need -c "INSERT INTO josch.environs VALUES ('SLURM_CONF', '$CLUSTER/slurm.conf'), ('CLUSTER', '$CLUSTER'), ('EXECUTORS', '$STAGE$PG_LIB/josch/executors')" || exit 1
    call "INSERT INTO josch.executors (executor_name, start_command, attach_command, stop_command, max_running) VALUES
        ('slurm', '\$EXECUTORS/slurm --folder \$CLUSTER/shared start', '\$EXECUTORS/slurm --folder \$CLUSTER/shared attach', '\$EXECUTORS/slurm --folder \$CLUSTER/shared stop', 6)"
    call "INSERT INTO josch.tpl_jobs (job_name, executor) VALUES ('Night', 'slurm')"
    call "INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, executor_options, repeatable, retries, retry_delay)
        SELECT id, 'N', 'Night', 'Paths ' || id, format('sh \$CLUSTER/paths.sh book-%s', id), '--cpus-per-task 2', true, 1, '1 second' FROM generate_series(1, 7) id"
    call "INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, executor) VALUES
        (10, 'N', 'Night', 'Prices', 'echo prices', 'local'), (20, 'N', 'Night', 'Report', 'echo all books are there', 'local')"
    need -c "INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT 10, id FROM generate_series(1, 7) id UNION ALL SELECT id, 20 FROM generate_series(1, 7) id" || exit 1
    DAY=$(need -c "SELECT josch.today()") || exit 1
    call "SELECT josch.schedule('$DAY')"
}

# Four have a node of the cluster, two wait at Slurm, one waits for a place of the executor.
cluster_waits() {
    desk_until "four run, two wait at Slurm, one waits here" "SELECT count(*) FILTER (WHERE n.state = 'running' AND r.host ~ '^n[12]$' AND n.message IS NULL) = 4
        AND count(*) FILTER (WHERE n.state = 'running' AND n.message ~ '^slurm: ') = 2 AND count(*) FILTER (WHERE n.state = 'ready') = 1
        FROM josch.nodes n LEFT JOIN josch.runs r USING (node_id, job_date) WHERE n.node_id < 10 AND n.job_date = '$DAY'"
    call "SELECT n.node_name, r.host, n.state, n.message FROM josch.nodes n LEFT JOIN josch.runs r USING (node_id, job_date) WHERE n.node_id < 10 ORDER BY n.node_id"
    call "SELECT n.node_id, w.reason, w.detail FROM josch.nodes n, josch.why(n.node_id, n.job_date) w WHERE n.state = 'ready' AND w.depth = 0"
    say "What they print is to be read while they run:"
    call "SELECT node_id, host, josch.log(run_id) FROM josch.runs WHERE host ~ '^n[12]\$' ORDER BY node_id LIMIT 1"
}

# The runner, and the programs that it has started, are gone from one moment to the next.
cluster_runner_dies() {
    local pid
    pid=$(cat "$HOME_DIR/spool/runner.lock")
    say "
--- josch-runner is killed, with all that it has started on this machine ---"
    as kill -9 "$pid" $(need -c "SELECT DISTINCT pid FROM josch.runs WHERE ended_at IS NULL AND executor IS NOT NULL AND pid IS NOT NULL")
    as touch "$CLUSTER/killed"
    desk_until "another runner has found what runs on the cluster" "SELECT count(*) FILTER (WHERE state = 'succeeded') = 6 FROM josch.nodes WHERE node_id < 10 AND job_date = '$DAY'"
    call "SELECT n.node_name, n.state, r.attempt, r.host, r.exit_code FROM josch.nodes n JOIN josch.runs r USING (node_id, job_date) WHERE n.node_id < 10 AND n.state = 'succeeded' ORDER BY n.node_id"
}

# A machine of the cluster dies.
cluster_node_dies() {
    local node
    desk_until "the last one runs on the cluster" "SELECT count(*) > 0 FROM josch.nodes n JOIN josch.runs r USING (node_id, job_date) WHERE n.node_id = 7 AND n.message IS NULL AND r.ended_at IS NULL AND r.host ~ '^n[12]$'"
    node=$(need -c "SELECT host FROM josch.runs WHERE node_id = 7 AND ended_at IS NULL") || exit 1
    say "
--- node $node of the cluster dies ---"
    as bash -s "$CLUSTER" "$node" <<'SH'
for proc in /proc/[0-9]*; do
    if tr '\0' '\n' 2>/dev/null <"$proc/environ" | grep -qx "SLURMD_NODENAME=$2"; then
        pids="${pids:-} ${proc#/proc/} $(ps -o ppid= -p "${proc#/proc/}")"
    fi
done
for signal in STOP KILL; do
    kill -$signal $(cat "$1/slurmd.$2.pid") $pids 2>/dev/null
done
SH
    desk_until "what was on it runs on the other node" "SELECT count(*) > 0 FROM josch.runs WHERE attempt = 2"
    call "SELECT n.node_name, r.attempt, r.host, r.status, r.message FROM josch.runs r JOIN josch.nodes n USING (node_id, job_date) WHERE n.attempt > 1 ORDER BY r.run_id"
}

cluster_end() {
    desk_state 20 "$DAY" succeeded
    call "SELECT n.node_name, r.attempt, r.host, r.status, r.exit_code, to_char(r.ended_at - r.started_at, 'SS') AS seconds FROM josch.nodes n JOIN josch.runs r USING (node_id, job_date) ORDER BY r.run_id"
    say "
All that the night had to do is done, each part of it once, but for what died with its machine."
    how_to_connect
}
