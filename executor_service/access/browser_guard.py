"""Without keys, what stands between a web page and this service.

Everybody who can reach a loopback port may use the service, and the browser of somebody on this
machine can: any page it shows may send requests there. Two things give such requests away. A page
that had its own name point to 127.0.0.1 (DNS rebinding) sends that name as ``Host``; and whatever
a page sends to an origin other than its own, beyond plain reading, has an ``Origin``. Clients that
are no browsers send neither. With keys none of this is needed: a page does not have the key.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from executor_service.access.bearer import Headers

_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)
_ORIGIN: Final = re.compile(r"(https?)://(.+)", re.ASCII)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Authority(NamedTuple):
    """A name or address, in small letters and without brackets, and the port if one is said."""

    host: str
    port: int | None


def parse_authority(text: str) -> Authority | None:
    """Return what a ``Host`` header says, or None if that is no name and port."""
    match = _AUTHORITY.fullmatch(text.lower())
    if match is None:
        return None
    host = match[1].strip("[]").removesuffix(".")
    return Authority(host, int(match[2]) if match[2] else None) if host else None


def is_address(host: str) -> bool:
    """Tell whether ``host`` is an IP address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


class BrowserGuard:
    """Tells requests that a page of another origin had a browser send."""

    def __init__(self, names: Iterable[str]) -> None:
        """Accept ``names`` as names of this server, next to localhost and addresses."""
        self._names = {"localhost"} | {name.lower().removesuffix(".") for name in names}

    def refusal(self, headers: Headers) -> str | None:
        """Return why a request with these headers is refused, or None."""
        hosts, origins = [], []
        for name, value in headers:
            if name == b"host":
                hosts.append(value.decode("latin-1"))
            elif name == b"origin":
                origins.append(value.decode("latin-1"))
        host = parse_authority(hosts[0]) if len(hosts) == 1 else None
        # Any address will do: only a name can be made to point elsewhere.
        if host is None or not (host.host in self._names or is_address(host.host)):
            return (
                "the Host header names another server than this one; "
                "EXECUTOR_TRUSTED_HOSTS lists further names of this one"
            )
        if origins and not (len(origins) == 1 and _same(origins[0], host)):
            return "the request comes from a web page of another origin"
        return None


def _same(origin: str, host: Authority) -> bool:
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return False  # "null", and what is no web page
    default = _DEFAULT_PORTS[match[1]]
    sender = parse_authority(match[2])
    return (
        sender is not None
        and sender.host == host.host
        and (sender.port or default) == (host.port or default)
    )
