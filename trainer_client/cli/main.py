"""The ``azr-trainer`` command and the list of its subcommands."""

import typer

from trainer_client.cli import analyze, demo, figures, plan, presets, report, study, train
from trainer_client.cli import eval as evaluation

app = typer.Typer(
    name="azr-trainer",
    help="Self-play reinforcement learning on a verifier's verdicts alone.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback()
def main() -> None:
    """Self-play reinforcement learning on a verifier's verdicts alone."""


app.command("train", epilog=train.EXAMPLES)(train.train)
app.command("plan", epilog=plan.EXAMPLES)(plan.plan)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("presets", epilog=presets.EXAMPLES)(presets.presets)
app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
app.command("study", epilog=study.EXAMPLES)(study.study)
app.command("eval", epilog=evaluation.EXAMPLES)(evaluation.evaluate)
app.add_typer(analyze.app, name="analyze")
app.command("figures", epilog=figures.EXAMPLES)(figures.figures)

if __name__ == "__main__":
    # For torchrun, which starts a module.
    app()
