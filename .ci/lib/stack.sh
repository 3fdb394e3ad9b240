#!/usr/bin/env bash
# stack.sh BASE_IMAGE REDIS_IMAGE : the images of docker-compose.yml, built by compose itself on a
# base that needs no registry; for Redis a stand-in of the same interface. tests/e2e starts them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

base_image=$1 redis_image=$2
log=$(mktemp "${TMPDIR:-/tmp}/stack-images.XXXXXX.log")
trap 'rm -f "$log"' EXIT

# Where the default bridge leads nowhere, the host's network does.
quietly() { "$@" >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }; }
quietly docker build --network host -f docker/redis.Dockerfile -t "$redis_image" \
    --build-arg PYTHON_IMAGE="$base_image" .
# The folder of wheels that this machine's pip knows, if any, for builds inside containers: torch's
# CPU build is there where the index alone would give the one for GPUs.
wheels=$(python3 -m pip config list | sed -n "s/.*find-links='\([^' ]*\)'.*/\1/p" | head -n 1)
links=
if [ -d "$wheels" ]; then
    coproc server { exec python3 -u -m http.server --bind 127.0.0.1 --directory "$wheels" 0 2>/dev/null; }
    server_pid=$server_PID
    trap 'kill "$server_pid"; rm -f "$log"' EXIT
    read -r -u "${server[0]}" _ _ _ _ _ port _
    links=http://127.0.0.1:$port/
fi
PIP_FIND_LINKS=$links PYTHON_IMAGE=$base_image REDIS_IMAGE=$redis_image BUILD_NETWORK=host RUNNER_PACKAGES= \
    RUNNER_IMAGE=${AZR_RUNNER_IMAGE:-azr-runner:dev} \
    quietly make -s stack-images ARGS="api runner trainer"
echo "made $redis_image, the service's, the runner's and the trainer's image"
