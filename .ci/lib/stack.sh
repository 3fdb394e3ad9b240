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
PYTHON_IMAGE=$base_image REDIS_IMAGE=$redis_image BUILD_NETWORK=host RUNNER_PACKAGES= \
    RUNNER_IMAGE=${AZR_RUNNER_IMAGE:-azr-runner:dev} \
    quietly make -s stack-images ARGS="api runner trainer"
echo "made $redis_image, the service's, the runner's and the trainer's image"
