"""The few kernel calls that Python has no wrapper for, through ctypes.

Covered: prctl, seccomp filter installation, Landlock. Every function raises ``OSError``
when the kernel refuses; none of them fails open.
"""

import ctypes
import os
import stat
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38
SECCOMP_MODE_FILTER: Final = 2

_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_ADD_RULE: Final = 445
_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_VERSION: Final = 1
_LANDLOCK_PATH_BENEATH: Final = 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_WRITE_FILE: Final = 1 << 1
_TRUNCATE: Final = 1 << 14
# Removing directories and files, making directories and files, moving them: no link, no device.
_CHANGE: Final = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13
# All file-system rights by Landlock ABI version: 13 in the first, then refer, truncate, ioctl.
_RIGHTS_BY_ABI: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_SCOPES_ABI: Final = 6
_NETWORK_ABI: Final = 4

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
_prctl = _libc.prctl
_prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class _RulesetAttr(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def _fail(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def prctl(option: int, value: int) -> None:
    """Set one option of this process, by the call of this name."""
    if _prctl(option, value, 0, 0, 0) != 0:
        raise _fail(f"prctl {option}")


class SeccompFilter:
    """A compiled BPF program, ready to be installed by a forked child in one call."""

    def __init__(self, bpf: bytes) -> None:
        if not bpf or len(bpf) % 8:
            raise ValueError("a BPF program is a non-empty sequence of 8-byte instructions")
        self._buffer = ctypes.create_string_buffer(bpf, len(bpf))
        self._program = _Program(len(bpf) // 8, ctypes.addressof(self._buffer))
        self._address = ctypes.addressof(self._program)

    def install(self) -> None:
        """Confine the calling thread and all it starts; cannot be undone."""
        if _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, self._address, 0, 0) != 0:
            raise _fail("seccomp")


def landlock_abi() -> int:
    """Return the Landlock ABI version of this kernel, or 0 where it has none."""
    version = _syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    return max(int(version), 0)


def landlock_confine(readable: tuple[str, ...], writable: tuple[str, ...] = ()) -> int:
    """Leave this process nothing of the file system but reading and writing below these paths.

    What is ``writable`` can be read, too; no links or devices can be made there.

    Returns the ABI version in force, 0 where the kernel has no Landlock. Also forbids TCP and, on
    newer kernels, signals and abstract sockets that leave the domain.
    """
    abi = landlock_abi()
    if abi == 0:
        return 0
    handled = _RIGHTS_BY_ABI[max(version for version in _RIGHTS_BY_ABI if version <= abi)]
    attr = _RulesetAttr(handled, 3 if abi >= _NETWORK_ABI else 0, 3 if abi >= _SCOPES_ABI else 0)
    size = 8 if abi < _NETWORK_ABI else 16 if abi < _SCOPES_ABI else 24
    ruleset = _syscall(_LANDLOCK_CREATE_RULESET, ctypes.byref(attr), size, 0)
    if ruleset < 0:
        raise _fail("landlock_create_ruleset")
    try:
        for path in readable:
            _allow(ruleset, path, _READ_FILE, _READ_DIR)
        for path in writable:
            file_rights = (_READ_FILE | _WRITE_FILE | _TRUNCATE) & handled
            _allow(ruleset, path, file_rights, (_READ_DIR | _CHANGE) & handled)
        if _syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) != 0:
            raise _fail("landlock_restrict_self")
    finally:
        os.close(ruleset)
    return abi


def _allow(ruleset: int, path: str, file_rights: int, folder_rights: int) -> None:
    """Allow ``file_rights`` for ``path`` and below, and ``folder_rights`` where it is a folder."""
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        folder = stat.S_ISDIR(os.fstat(parent).st_mode)
        rights = file_rights | folder_rights if folder else file_rights
        rule = _PathBeneath(rights, parent)
        if _syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_PATH_BENEATH, ctypes.byref(rule), 0):
            raise _fail("landlock_add_rule")
    finally:
        os.close(parent)
