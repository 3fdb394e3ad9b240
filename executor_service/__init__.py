"""A hardened service that runs untrusted Python programs and judges what they did.

Reading order, from the edge to the core: ``cli`` and ``routes`` speak to people and to HTTP,
``dispatch`` shares the sandboxes fairly, ``verifier`` holds the logic of verdicts, ``sandbox``
runs programs. Imports go in that direction only.
"""

__version__ = "0.1.0"
