"""The seam between the pool and what launches sandboxes.

A backend starts the runner in an isolated place and hands over its byte stream; that is all it
does. The protocol, the limits and the statuses are the same for every backend, and one list of
contract tests runs against each of them.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from executor_service.sandbox.stream import SandboxStream


class Launched(Protocol):
    """A sandbox that a backend has started."""

    stream: SandboxStream
    identity: str
    """Name of the sandbox on this host: no other one of the backend ever has it."""

    async def kill(self) -> None:
        """End the sandbox and everything in it; return when nothing of it is left."""

    def last_words(self) -> str:
        """Return what the sandbox wrote to its stderr, for an error message."""


class Backend(Protocol):
    """Launches sandboxes."""

    name: str

    async def launch(self) -> Launched:
        """Start one sandbox whose runner waits for its configuration frame.

        Raises:
            SandboxStartError: The sandbox could not be started.
        """

    async def sweep(self) -> int:
        """Remove what an earlier, killed service left behind; return how many things."""

    async def living(self) -> set[str]:
        """Return the identities of the sandboxes of this backend of which anything is left.

        As the system shows them, whether or not anybody still knows them; a sandbox that is being
        started or ended may or may not be among them.
        """

    def protections(self, hello: dict[str, Any]) -> list["Protection"]:
        """Say which protections are active, given a sandbox's hello."""


@dataclass(frozen=True)
class Protection:
    """One layer of isolation: its name, whether it is in force, and what it is or lacks."""

    name: str
    active: bool
    detail: str


def common_protections(hello: dict[str, Any]) -> list[Protection]:
    """Return the protections that the sandbox itself can attest, whatever launched it."""
    zygote = hello["zygotes"]["0"]
    other = hello["zygotes"].get("1", {})
    caps = int(hello.get("CapEff", "0"), 16) | int(hello.get("CapBnd", "0"), 16)
    abi = zygote["landlock_abi"]
    shifted = bool(other.get("clock_shifted"))
    return [
        Protection("pid_namespace", hello["pid"] == 1, f"supervisor has pid {hello['pid']}"),
        Protection("network_namespace", set(hello["network"]) <= {"lo"}, "no interface but lo"),
        Protection("capabilities_dropped", caps == 0, f"effective and bounding {caps:#x}"),
        Protection("no_new_privileges", hello.get("NoNewPrivs") == "1", "set before exec"),
        Protection("unprivileged_uid", hello["uid"] != 0, f"uid {hello['uid']} inside"),
        Protection("seccomp_container", hello.get("Seccomp") == "2", "seccomp/container.json"),
        Protection("seccomp_program", True, "seccomp/program.json, installed by each run"),
        Protection("landlock", abi > 0, f"ABI {abi}" if abi else "this kernel has none"),
        Protection("oom_score", bool(zygote["oom_score"]), "runs are killed before anything else"),
        Protection("hash_seeds", True, "two interpreters with different hash seeds"),
        Protection(
            "clock_shift",
            shifted,
            "libfaketime in the second interpreter" if shifted else "libfaketime not installed",
        ),
    ]
