#!/usr/bin/env bash
# need-packages.sh PACKAGE... : install the Debian packages that are missing.
# Without the rights to (or off Debian) it says what is missing and succeeds: what needs a package
# reports its absence itself. With the rights, a failed installation fails.
set -euo pipefail

missing=()
for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo -n); fi
if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
    echo "not installed (no right to): ${missing[*]}" >&2
    echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 0
fi
echo "installing ${missing[*]}"
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
"${install[@]}" update
"${install[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
