"""``azr-executor doctor``: what protects this host, what is missing, and does it work."""

import asyncio
import shutil
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from executor_service.access.binding import describe
from executor_service.cli.options import load_settings, plain_errors
from executor_service.sandbox.backend import Protection
from executor_service.sandbox.runs import RunRequest
from executor_service.service import missing_protections, running_service
from executor_service.settings import Settings

EXAMPLES = """
[bold]Examples[/]

azr-executor doctor

azr-executor doctor --backend docker
"""
_PROBE = "import socket\n\ndef f():\n    socket.socket(socket.AF_INET)\n"


def doctor(
    backend: Annotated[str | None, typer.Option(help="bubblewrap (default) or docker.")] = None,
) -> None:
    """Show which protections are active here; exit 1 when a required one is missing."""
    # All of them are shown before any is required.
    settings = load_settings(backend=backend, slots=1)
    with plain_errors():
        protections, facts = asyncio.run(_examine(settings))
        facts["serve listens on"] = describe(settings)
    console = Console()
    console.print(protection_table(settings, protections))
    for name, value in facts.items():
        console.print(f"{name}: {value}", highlight=False, markup=False)
    with plain_errors():
        missing = [p.name for p in missing_protections(settings, protections)]
    if missing:
        console.print(f"[red]missing and required: {', '.join(missing)}[/]")
        raise typer.Exit(1)
    if facts["a program that opens a socket"] != "security_violation":
        console.print("[red]the per-run filter does not stop a socket[/]")
        raise typer.Exit(1)


def protection_table(settings: Settings, protections: list[Protection]) -> Table:
    """Return the protections as a table."""
    table = Table(title=f"Protections of the {settings.backend} backend", title_justify="left")
    table.add_column("protection")
    table.add_column("active")
    table.add_column("required")
    table.add_column("detail")
    for p in protections:
        required = p.name in settings.required_protections
        active = "[green]yes[/]" if p.active else "[red]no[/]" if required else "[yellow]no[/]"
        table.add_row(p.name, active, "yes" if required else "", p.detail)
    return table


async def _examine(settings: Settings) -> tuple[list[Protection], dict[str, Any]]:
    async with running_service(settings.model_copy(update={"required_protections": ()})) as service:
        trivial = await service.pool.run(RunRequest("def f():\n    return 1", "f"))
        probe = await service.pool.run(RunRequest(_PROBE, "f"))
        hello = service.pool.hello or {}
        return service.protections(), {
            "python in the sandbox": hello.get("python"),
            "a trivial program": trivial.status,
            "a program that opens a socket": probe.status,
            "docker client": shutil.which("docker") or "not installed",
        }
