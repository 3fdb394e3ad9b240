"""The interpreter's own code in huge pages, so that a forked child need not map it page by page.

A fork does not copy the mappings of files: each child would fault in the interpreter's text and
constants again, some forty times, and the kernel would take some seven hundred pages out again
when it ends. Anonymous huge pages are copied by the fork, two megabytes an entry.

Covered: the part of the file with the interpreter's code that huge pages can cover, which is all
that counts for a distribution's python3. Not covered: data (a child writes to it, and a huge page
is split by the first write), and kernels before 6.1, where nothing is done.
"""

import ctypes
from typing import Final

HUGE_PAGE: Final = 1 << 21
_PROT_READ_WRITE: Final = 3
_PROT_READ_EXEC: Final = 5
_MAP_PRIVATE_ANONYMOUS: Final = 0x22
_MREMAP_MAYMOVE_FIXED: Final = 3
_MADV_COLLAPSE: Final = 25
_FAILED: Final = ctypes.c_size_t(-1).value


def move_text() -> int:
    """Move what can be moved; return its size in bytes, 0 where this kernel does not do it.

    For a process with one thread, before it is confined: /proc is read, memory is remapped.
    """
    start, end = whole_huge_pages(*text_range())
    size = end - start
    if size <= 0:
        return 0
    libc = _libc()
    reserved = libc.mmap(0, size + HUGE_PAGE, _PROT_READ_WRITE, _MAP_PRIVATE_ANONYMOUS, -1, 0)
    if reserved == _FAILED:
        return 0
    copy = -(-reserved // HUGE_PAGE) * HUGE_PAGE
    ctypes.memmove(copy, start, size)
    moved = (
        libc.madvise(copy, size, _MADV_COLLAPSE) == 0
        and libc.mprotect(copy, size, _PROT_READ_EXEC) == 0
        # The running code is replaced by its copy in this one call.
        and libc.mremap(copy, size, size, _MREMAP_MAYMOVE_FIXED, start) == start
    )
    # All of the reservation, but for what was moved out of it.
    libc.munmap(reserved, size + HUGE_PAGE)
    return size if moved else 0


def text_range() -> tuple[int, int]:
    """Return the addresses of the read-only mappings around the interpreter's code."""
    inside = ctypes.cast(ctypes.pythonapi.Py_GetVersion, ctypes.c_void_p).value or 0
    start = end = 0
    with open("/proc/self/maps") as maps:
        for line in maps:
            addresses, rights, _, _, inode = line.split()[:5]
            low, high = (int(number, 16) for number in addresses.split("-"))
            if "w" in rights or inode == "0":
                if start <= inside < end:
                    break
                start = end = 0
            elif low == end:
                end = high
            elif start <= inside < end:
                break
            else:
                start, end = low, high
    return (start, end) if start <= inside < end else (0, 0)


def whole_huge_pages(start: int, end: int) -> tuple[int, int]:
    """Return the part of a range that consists of whole huge pages; empty where end <= start."""
    return -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE


def _libc() -> ctypes.CDLL:
    # A handle of its own: the signatures set here must not be those of kernel.py's.
    libc = ctypes.CDLL(None)
    size, number = ctypes.c_size_t, ctypes.c_int
    libc.mmap.argtypes = [size, size, number, number, number, ctypes.c_long]
    libc.mremap.argtypes = [size, size, size, number, size]
    libc.madvise.argtypes = libc.mprotect.argtypes = [size, size, number]
    libc.munmap.argtypes = [size, size]
    libc.mmap.restype = libc.mremap.restype = size
    return libc
