"""``azr-trainer plan``: memory and time of a configuration on some GPUs, by arithmetic."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from trainer_client.cli.plain_errors import plain_errors
from trainer_client.config.loading import load
from trainer_client.plan.hardware import GIGA, GPUS, chosen_gpu
from trainer_client.plan.job import job
from trainer_client.plan.memory import Moment
from trainer_client.plan.verdict import Plan, advice, room, smallest
from trainer_client.plan.workload import VALID_SHARE, Lengths

EXAMPLES = """
[bold]Examples[/]

azr-trainer plan --preset azr-7b-coder --gpus 4

azr-trainer plan --preset azr-3b-coder --gpus 1 --gpu h200 --set learner.packing=true

azr-trainer plan --preset mine.yaml --gpus 8 --matrix-tflops 640 --response-tokens 2400

The exit status is 1 where it does not fit. Memory is in GB of 10^9 bytes on each GPU. Times are
floors: the rates are a data sheet's unless measured ones are given, and the verifier's time is not
in them.
"""
NOT_FITTING = 1


def plan(
    preset: Annotated[str, typer.Option(help="A preset's name or a YAML file.")] = "azr-selfplay",
    gpus: Annotated[int, typer.Option(min=1, help="Processes that torchrun starts.")] = 1,
    gpu: Annotated[str, typer.Option(help=f"One of {', '.join(GPUS)}.")] = "h100",
    gpu_memory: Annotated[float | None, typer.Option(help="GB of each GPU.")] = None,
    matrix_tflops: Annotated[float | None, typer.Option(help="Measured bf16 rate.")] = None,
    bandwidth: Annotated[float | None, typer.Option(help="Measured GB/s of its memory.")] = None,
    link: Annotated[
        float | None, typer.Option(help="GB/s between GPUs; across nodes the network's, per GPU.")
    ] = None,
    prompt_tokens: Annotated[float, typer.Option(help="Mean prompt.")] = 1024,
    response_tokens: Annotated[float, typer.Option(help="Mean response.")] = 1024,
    longest: Annotated[
        float | None, typer.Option(help="Longest response of a batch; default: the limit.")
    ] = None,
    valid_share: Annotated[
        float, typer.Option(min=0, max=1, help="Valid proposals.")
    ] = VALID_SHARE,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key.path=value, may be repeated.")
    ] = None,
) -> None:
    """Say whether a configuration fits, where the memory goes, and what bounds a step's time."""
    with plain_errors():
        config = load(preset, set_ or [])
        chosen = chosen_gpu(gpu, gpu_memory, matrix_tflops, bandwidth, link)
        limit = config.lengths.max_response_tokens
        lengths = Lengths(prompt_tokens, min(response_tokens, limit), longest or limit)
        found = Plan(job(config, gpus, chosen), lengths, valid_share)
        changes = advice(found)
        enough = None if found.fits else smallest(found)
    console = Console()
    console.print(_heading(found))
    console.print(_memory(found))
    console.print(_time(found))
    console.print(_verdict(found, changes, enough), highlight=False)
    if not found.fits:
        raise typer.Exit(NOT_FITTING)


def _heading(found: Plan) -> str:
    shape, gpu = found.job.shape, found.job.gpu
    return (
        f"{shape.name}: P = {shape.parameters / 1e9:.2f}e9 parameters on N = {found.job.gpus} × "
        f"{gpu.name}, {_gb(gpu.memory)} GB, {gpu.matrix_rate / 1e12:.0f} TFLOP/s, "
        f"{gpu.bandwidth / GIGA:,.0f} GB/s"
    )


def _memory(found: Plan) -> Table:
    table = Table("GB on each GPU", *Moment, "how", box=None, title="Memory", title_justify="left")
    for column in table.columns[1:-1]:
        column.justify = "right"
    for each in found.components:
        sizes = [_gb(each.size) if moment in each.at else "" for moment in Moment]
        table.add_row(each.name, *sizes, each.formula, style=None)
    table.add_row("in all", *(_gb(found.used(moment)) for moment in Moment), "", style="bold")
    for each in found.host:
        sizes = [_gb(each.size) if moment in each.at else "" for moment in Moment]
        table.add_row(f"host: {each.name}", *sizes, f"{each.formula}, all GPUs", style="dim")
    return table


def _time(found: Plan) -> Table:
    lengths, work = found.lengths, found.workload
    title = (
        f"Time of a step: {work.proposals} proposals, {work.solutions} answers, {work.estimates} "
        f"for difficulty; prompts of {lengths.prompt:.0f} tokens, responses of "
        f"{lengths.response:.0f}, the longest {lengths.longest:.0f}"
    )
    table = Table("seconds", "FLOPs", "memory", "links", "at least", "limited by",
                  box=None, title=title, title_justify="left")  # fmt: skip
    for column in table.columns[1:-1]:
        column.justify = "right"
    for each in found.phases:
        parts = (each.compute, each.memory, each.link, each.seconds)
        table.add_row(each.name, *(f"{part:.1f}" for part in parts), each.limit)
    table.add_row("in all", "", "", "", f"{found.seconds:.1f}", "", style="bold")
    return table


def _verdict(found: Plan, changes: list[str], enough: int | None) -> str:
    memory = found.job.gpu.memory
    cache = (
        f"The KV cache of an engine holds {found.engine.tokens:,} positions, the longest sample "
        f"has {found.job.longest:,}."
    )
    peak = f"{_gb(found.used(found.peak))} of {_gb(memory)} GB at its peak ({found.peak})"
    if found.fits:
        more = room(found)
        wider = f"\nThere is room for --set sampler.max_batch_tokens={more}" if more else ""
        return f"[bold green]It fits[/]: {peak}, {_gb(found.left)} GB to spare. {cache}{wider}"
    said = f"[bold red]It does not fit[/]: {peak}, {_gb(found.shortage)} GB too few. {cache}"
    if enough:
        said += f"\nAs it is, it fits on {enough} GPUs."
    if not changes:
        return f"{said}\nNo setting makes it fit: choose a smaller model.path or a larger GPU."
    ways = " ".join(c if c.startswith("--") else f"--set {c}" for c in changes)
    return f"{said}\nIt would fit with {ways}"


def _gb(size: float) -> str:
    return f"{size / GIGA:.1f}"
