#!/usr/bin/env bash
# base-image.sh TAG : a stand-in for python:3.12-slim-bookworm, made by debootstrap, for machines
# that reach Debian's packages but no image registry. It has `python`, `python3` and `pip`, and
# numpy, sympy and libfaketime from Debian. Package sources, proxies and trusted certificates
# are this host's, read at run time, so that `apt-get` and `pip` work in images built on it.
# Made again only when this script or the host's certificates change.
set -euo pipefail

tag=$1
suite=bookworm
packages=ca-certificates,libfaketime,python-is-python3,python3,python3-numpy,python3-pip
packages+=,python3-sympy,python3-venv
certificates=/etc/ssl/certs/ca-certificates.crt

digest=$(cat "${BASH_SOURCE[0]}" "$certificates" | sha256sum | cut -c1-16)
label=org.azr-executor.base
if [ "$(docker image inspect -f "{{index .Config.Labels \"$label\"}}" "$tag" 2>/dev/null)" = "$digest" ]; then
    echo "$tag is up to date"
    exit 0
fi

# Lines "deb URI SUITE COMPONENT" of the host's own sources for this suite.
sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' | grep -F " $suite" | sort -u || true)
mirror=$(awk -v suite="$suite" '$3 == suite { print $2; exit }' <<<"$sources")

work=$(mktemp -d "${TMPDIR:-/tmp}/azr-base.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root
if ! debootstrap --variant=minbase --include="$packages" "$suite" "$root" ${mirror:+"$mirror"} \
    >"$work/log" 2>&1; then
    tail -n 20 "$work/log" >&2
    exit 1
fi

[ -z "$sources" ] || printf '%s\n' "$sources" >"$root/etc/apt/sources.list"
apt-config dump Acquire | grep -E '::(Proxy|Check-[A-Za-z-]+) ' >"$root/etc/apt/apt.conf.d/90host" || true
cp "$certificates" "$root$certificates"
{
    echo "[global]"
    python3 -m pip config list 2>/dev/null | grep -v 'file:' |
        sed -nE "s/^.*\.((extra-)?index-url|proxy|trusted-host|timeout)='(.*)'$/\1 = \3/p"
} >"$root/etc/pip.conf"
# As in the official images, pip may install beside the distribution's packages.
rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED "$root"/etc/{hostname,resolv.conf}
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*

tar -C "$root" --one-file-system --exclude=./dev -c . | docker import \
    --change "LABEL $label=$digest" \
    --change "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8" \
    --change "ENV PIP_CERT=$certificates SSL_CERT_FILE=$certificates PIP_ROOT_USER_ACTION=ignore" \
    --change 'CMD ["python3"]' - "$tag" >/dev/null
echo "made $tag"
