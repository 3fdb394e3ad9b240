"""``azr-executor seccomp``: what the two profiles let through, or their compiled form."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from executor_service.cli.options import plain_errors
from executor_service.sandbox.seccomp import (
    DOCKER_DEFAULT,
    compile_bpf,
    explain,
    load_profile,
)

EXAMPLES = """
[bold]Examples[/]

azr-executor seccomp --explain

azr-executor seccomp --compile program > program.bpf
"""
_NAMES = ("container", "program")


def seccomp(
    explain_profiles: Annotated[
        bool, typer.Option("--explain", help="Print the allowed calls per profile.")
    ] = False,
    compile_profile: Annotated[
        str | None, typer.Option("--compile", help="Write container's or program's BPF to stdout.")
    ] = None,
    allow_threads: Annotated[
        bool, typer.Option(help="As with EXECUTOR_ALLOW_THREADS=true.")
    ] = False,
) -> None:
    """Explain or compile the seccomp profiles."""
    with plain_errors():
        if compile_profile is not None:
            if compile_profile not in _NAMES:
                raise typer.BadParameter("container or program is wanted")
            profile = load_profile(compile_profile)  # type: ignore[arg-type]
            sys.stdout.buffer.write(compile_bpf(profile, allow_threads=allow_threads))
            return
        if not explain_profiles:
            raise typer.BadParameter("give --explain or --compile NAME")
        console = Console()
        counts = Table(title="System calls that can be made", title_justify="left")
        counts.add_column("profile")
        counts.add_column("allowed", justify="right")
        counts.add_column("of them conditional", justify="right")
        counts.add_column("killed for", justify="right")
        for name in _NAMES:
            told = explain(load_profile(name), allow_threads=allow_threads)  # type: ignore[arg-type]
            console.print(
                f"\n[bold]{name}.json[/] allows {len(told.allowed)} calls without conditions:"
            )
            console.print(" ".join(told.allowed), highlight=False)
            console.print(f"[bold]with conditions[/] ({len(told.conditional)}):")
            for call, condition in told.conditional.items():
                console.print(f"  {call}: {condition}", highlight=False, markup=False)
            console.print(
                f"[bold]kills for[/] ({len(told.killed)}): {' '.join(told.killed)}", highlight=False
            )
            on_conditions = told.reach.reachable - len(told.allowed)
            counts.add_row(
                name, str(told.reach.reachable), str(on_conditions), str(len(told.killed))
            )
        counts.add_row(
            "Docker's default",
            str(DOCKER_DEFAULT.reachable),
            "",
            f"of {DOCKER_DEFAULT.total} known",
        )
        console.print()
        console.print(counts)
