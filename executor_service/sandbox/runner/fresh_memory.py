"""Where the objects made from now on lie: side by side on fresh pages.

Importing leaves both allocators (CPython's for up to 512 bytes, libc's beyond) with holes all over
the heap. What is allocated next fills them, a few objects to a page, and each of those pages is
copied by every child that writes to it, be it a reference count. So the zygote fills the holes,
before it makes the objects that its children use all the time; they, and what a child allocates,
then share pages. It costs a few hundred kilobytes and saves a child a tenth of its page faults.

Covered: CPython's allocator and any malloc that serves from the end of its heap what fits no
hole; with another one nothing is gained, and the bounds end the attempt.
"""

import ctypes
import gc
from collections.abc import Callable
from functools import partial
from typing import Any, Final

_POOL_BYTES: Final = 1 << 14
"""CPython takes memory for small objects in pools of this size, one size of object to a pool;"""
_POOL_HEADER: Final = 48
"""the first object of a pool lies behind its header."""
_PROOF: Final = 8
"""So many objects side by side from a pool's beginning on are taken for a pool that was empty."""
_LARGEST_SMALL: Final = 512
_LARGEST_HOLE: Final = 1 << 16
_MOST_BYTES: Final = 1 << 20
"""Spent at most on each allocator."""
_BYTES_OVERHEAD: Final = 33

_kept: Final[list[Any]] = []


def fill_holes() -> int:
    """Use up what is free inside the heap; return the bytes that it took."""
    gc.collect()  # also empties CPython's own lists of free objects
    return _fill_malloc() + _fill_pools()


def _fill_pools() -> int:
    number = 0.0

    def next_float() -> float:
        nonlocal number
        number += 0.5
        return number

    makers: list[tuple[int, Callable[[], Any]]] = [(16, object), (32, next_float)]
    for size in range(48, _LARGEST_SMALL + 1, 16):
        makers.append((size, partial(bytes, size - _BYTES_OVERHEAD)))
    spent = 0
    fresh: list[Any] = [None] * _PROOF  # made once: a list that grows takes places itself
    for size, make in makers:
        # The addresses compared here are numbers, and take places of a number's size.
        proof = 1 if make is next_float else _PROOF
        count = 0
        while count < proof:
            item = make()
            begins = id(item) % _POOL_BYTES == _POOL_HEADER
            if id(item) == id(fresh[count - 1]) + size if count else begins:
                fresh[count] = item
                count += 1
                continue
            _kept.extend(fresh[:count])
            _kept.append(item)
            count = 0
            spent += size
            if spent > _MOST_BYTES:
                return spent  # this is another allocator
        for index in range(count):
            fresh[index] = None  # the pool that they began is the next one's to begin
    return spent


def _fill_malloc() -> int:
    libc = ctypes.CDLL(None)
    malloc, free = libc.malloc, libc.free
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_size_t
    free.argtypes, free.restype = [ctypes.c_size_t], None
    end = malloc(2 * _LARGEST_HOLE)  # larger than any hole that counts
    free(end)
    spent = 0
    for size in (*range(_LARGEST_HOLE, 1024, -1024), *range(1024, 8, -16)):
        while spent <= _MOST_BYTES:
            address = malloc(size - 8)  # its own header makes it the size
            if address >= end:
                free(address)
                break
            spent += size
    return spent
