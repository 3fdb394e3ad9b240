#!/usr/bin/env bash
# canonical.sh DATA: the evaluation must find every canonical solution of the published files right.
set -euo pipefail
data=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

timeout 600 .venv/bin/azr-trainer eval --solutions canonical --benchmarks humaneval,mbpp+,aime24 \
    --data "$data" --out "$out"
.venv/bin/python - "$out/results.json" <<'PYTHON'
import json
import sys

with open(sys.argv[1]) as file:
    benchmarks = json.load(file)["benchmarks"]
bad = [
    f"{name}: {problem}"
    for name, result in benchmarks.items()
    for problem, counts in result["problems"].items()
    if counts["judged"] != 1 or set(counts["right"].values()) != {1}
]
sys.exit("canonical solutions that are not right: " + ", ".join(bad) if bad else 0)
PYTHON
