"""The code that runs inside a sandbox: standard library only, no import from outside this folder.

Theory of operation. Three kinds of process share a sandbox::

    supervisor (PID 1)      reads frame headers from stdin, moves payloads on without reading
      │                     them, watches clocks, kills by pidfd, writes reports to stdout
      └─ zygote             a warmed-up interpreter; forks one child per run, waits for it,
          │                 and tells the supervisor how it ended; never reads a request
          └─ child          reads its own request, locks itself in, runs the program, writes
                            one result frame, and dies

Each zygote keeps a child parked ahead of time in one of its *lanes* (a request pipe, a result
pipe, and pipes for stdout and stderr), so the cost of a fork is paid while the previous run is
still busy. A lane is used again only after its child is dead and its pipes are drained: a child
cannot start another process, so nobody is left to write into them.

Whole scripts are run the same way by zygotes of their own kind, which are started by the first
script. Their children may write to one place, the sandbox's ``/tmp`` (``scratch``), which the
supervisor empties once they are dead, have no result pipe, and are run as ``__main__``.

Covered: one process per run; nothing of a run reaches the supervisor's or a zygote's memory but
its result bytes passing through the supervisor; every limit enforced from outside the child.
Not covered: what the kernel or the CPU itself leaks between processes.
"""
