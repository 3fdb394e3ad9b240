# The image that untrusted programs run in: a Python, the runner, and nothing that a program needs
# at run time beyond them. The container's limits, seccomp profile and read-only root are given by
# the backend that starts it, not here.
#
#   make runner-image                              # from python:3.12-slim-bookworm
#   make runner-image PYTHON_IMAGE=my-python:3.13  # any image with python3
#
# RUNNER_PACKAGES      what programs may import beyond the standard library ("" for nothing)
# RUNNER_APT_PACKAGES  Debian packages to add ("" where the base has them or is not Debian's);
#                      libfaketime shifts the second zygote's clock for the determinism check
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
FROM ${PYTHON_IMAGE}
LABEL org.azr-executor.runner=1

ARG RUNNER_APT_PACKAGES="libfaketime"
RUN set -eu; \
    if [ -n "${RUNNER_APT_PACKAGES}" ] && ! dpkg -s ${RUNNER_APT_PACKAGES} >/dev/null 2>&1; then \
        apt-get update; \
        apt-get install -y --no-install-recommends ${RUNNER_APT_PACKAGES}; \
        rm -rf /var/lib/apt/lists/*; \
    fi

ARG RUNNER_PACKAGES="numpy sympy"
RUN set -eu; \
    if [ -n "${RUNNER_PACKAGES}" ]; then \
        python3 -m pip install --no-cache-dir ${RUNNER_PACKAGES}; \
    fi

# The root is read-only at run time, so bytecode that is missing now is compiled at every start
# (the official images ship without it). No file keeps a setuid or setgid bit.
RUN set -eu; \
    python3 -m compileall -q -j 0 -x '/(site-packages|dist-packages|lib2to3|tests?)/' \
        "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"; \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} +

COPY --chown=0:0 executor_service/sandbox/runner /opt/azr-runner/runner
RUN chmod -R u=rwX,go=rX /opt/azr-runner \
    && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/azr-runner

USER 65534:65534
WORKDIR /
# -I -S -B: no environment, no user or site packages, no bytecode written.
ENTRYPOINT ["python3", "-I", "-S", "-B", "-c", \
    "import sys; sys.path.insert(0, '/opt/azr-runner'); from runner.supervisor import main; sys.path.pop(0); main()"]
