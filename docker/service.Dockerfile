# The image of the trusted side: `azr-executor serve` (the API) and `azr-executor worker`.
# Programs that a model wrote run in containers of docker/runner.Dockerfile, not in this one.
#
# PYTHON_IMAGE          any image with python3 >= 3.11 and pip
# SERVICE_APT_PACKAGES  Debian packages to add ("" where the base has them or is not Debian's);
#                       libseccomp compiles the filters that the worker sends into its sandboxes
# SANDBOX_PACKAGES      for workers with bubblewrap (docker/bubblewrap.yml), whose programs run on
#                       this image's Python: what they may import beyond the standard library
# What only the build needs (pip's and hatchling's files, the sources) stays in the first stage.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python3 -m venv --without-pip /opt/azr
# What the package depends on, in a layer that only pyproject.toml changes.
COPY pyproject.toml ./
RUN python3 -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print(*p['dependencies'], *p['optional-dependencies']['service'], sep='\n')" > requirements.txt \
    && python3 -m pip --python /opt/azr/bin/python install --no-cache-dir -r requirements.txt
COPY README.md LICENSE ./
COPY seccomp seccomp
COPY trainer_client trainer_client
COPY executor_service executor_service
RUN python3 -m pip --python /opt/azr/bin/python install --no-cache-dir --no-deps .

FROM ${PYTHON_IMAGE}
LABEL org.azr-executor.service=1
ARG SERVICE_APT_PACKAGES="libseccomp2"
RUN set -eu; \
    if [ -n "${SERVICE_APT_PACKAGES}" ] && ! dpkg -s ${SERVICE_APT_PACKAGES} >/dev/null 2>&1; then \
        apt-get update; \
        apt-get install -y --no-install-recommends ${SERVICE_APT_PACKAGES}; \
        rm -rf /var/lib/apt/lists/*; \
    fi
ARG SANDBOX_PACKAGES=""
RUN set -eu; \
    if [ -n "${SANDBOX_PACKAGES}" ]; then python3 -m pip install --no-cache-dir ${SANDBOX_PACKAGES}; fi
COPY --from=build /opt/azr /opt/azr
# The key file: a new volume begins as a copy of this, with its owner and an empty file, which
# lets nobody in. (The worker mounts no such volume and reads no keys.)
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/azr-executor \
    && install -o 10001 -g 10001 -m 0600 /dev/null /var/lib/azr-executor/keys.jsonl
# The root is read-only at run time, so nothing tries to write bytecode or a home directory.
ENV PATH=/opt/azr/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /
EXPOSE 8000
ENTRYPOINT ["azr-executor"]
CMD ["serve"]
