# Sourced by .ci/run: a Docker daemon for the time of the gate, where none answers yet.
#   docker_daemon_start   start one if none answers; fails with its log if that does not work
#   docker_daemon_stop    stop the one that was started here, and no other

docker_daemon_pid=""

docker_answers() { timeout 10 docker info >/dev/null 2>&1; }

# Start dockerd with the given flags; succeed when a daemon answers within 30 s.
docker_daemon_try() {
    local log=$1 waited
    shift
    dockerd "$@" >>"$log" 2>&1 </dev/null &
    docker_daemon_pid=$!
    for waited in $(seq 60); do
        if docker_answers; then
            echo "dockerd ${*:-with its defaults} answers (log: $log)"
            return 0
        fi
        # Another one may be starting (a package's init script): then ours ends and it answers.
        kill -0 "$docker_daemon_pid" 2>/dev/null || [ "$waited" -lt 10 ] || break
        sleep 0.5
    done
    docker_daemon_stop
    return 1
}

docker_daemon_start() {
    local log
    docker_answers && { echo "a docker daemon answers already"; return 0; }
    log=$(mktemp "${TMPDIR:-/tmp}/dockerd.XXXXXX.log")
    # The sandboxes have no network and the gate builds with the host's: where the kernel lacks
    # the netfilter modules that a bridge needs, a daemon without one does.
    docker_daemon_try "$log" && return 0
    docker_daemon_try "$log" --iptables=false --ip6tables=false --bridge=none && return 0
    tail -n 40 "$log" >&2
    echo "dockerd does not start" >&2
    return 1
}

docker_daemon_stop() {
    [ -n "$docker_daemon_pid" ] || return 0
    kill "$docker_daemon_pid" 2>/dev/null || true
    wait "$docker_daemon_pid" 2>/dev/null || true
    docker_daemon_pid=""
}
