# A stand-in for the official Redis image, for machines that reach Debian's packages but no image
# registry (REDIS_IMAGE). What docker-compose.yml expects of either: sh, redis-server and redis-cli
# from 7.0 on, a user 999:999, and a /data that belongs to it.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
FROM ${PYTHON_IMAGE}
RUN set -eu; \
    apt-get update; \
    apt-get install -y --no-install-recommends redis-server; \
    rm -rf /var/lib/apt/lists/*; \
    install -d -o 999 -g 999 -m 0700 /data
USER 999:999
WORKDIR /data
VOLUME /data
CMD ["redis-server"]
