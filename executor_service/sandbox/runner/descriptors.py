"""The numbers of the descriptors that a zygote and its children have, agreed with the supervisor.

In a module without imports, since the supervisor has no need of what the zygote is made of.
"""

from typing import Final

RESULT_FD: Final = 3
"""The only descriptor beyond stdin, stdout and stderr that a program finds open."""
REQUEST_FD: Final = 4
"""Where a child's request comes from; closed before the program starts."""
EVENTS_FD: Final = 5
"""Where a zygote, or a child whose harness fails, tells the supervisor; closed before a program
starts."""
SETUP_FD: Final = 21
"""Where a zygote is told what to be; closed when it has read that."""
FIRST_LANE_FD: Final = 22
"""Four descriptors per lane from here on: request, result, stdout, stderr."""
