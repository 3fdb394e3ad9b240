"""`write_report`: the HTML page.

The page loads nothing and runs nothing: its policy allows one style sheet, by its hash, and images
that are written out in the page itself, where the run has analyses. All text goes through the
templates' escaping. The same run gives the same bytes.
"""

import base64
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trainer_client.config.loading import dump_yaml
from trainer_client.report.chart import draw
from trainer_client.report.examples import rollouts_by_role, tasks_by_birth, visible
from trainer_client.report.panels import PANELS, Curve, Panel, curves_of
from trainer_client.report.run_data import RunData, read_run
from trainer_client.report.series import span_of, window_of
from trainer_client.report.summary import all_changes, facts_of, phases, role_changes
from trainer_client.state.durable import replace_text
from trainer_client.telemetry.duration import readable
from trainer_client.telemetry.role_metrics import MEASURES


def write_report(run_dir: Path | str) -> Path:
    """Write `report.html` into a run directory, which may still be growing.

    Raises:
        DataError: it is no run, or its evaluation is damaged.
        ConfigError: its configuration cannot be read.
    """
    data = read_run(run_dir)
    replace_text(data.run.report_file, render(data))
    return data.run.report_file


def render(data: RunData) -> str:
    """Return the page."""
    style = (files("trainer_client.report") / "templates" / "style.css").read_text("utf-8")
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=PackageLoader("trainer_client.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "duration": readable, "number": number}
    return environment.get_template("page.html.jinja").render(
        style=Markup(style),  # noqa: S704 - a file of this package
        style_digest=digest,
        name=data.run.name,
        steps=data.steps,
        window=window_of(data.steps),
        span=span_of(data.steps),
        facts=facts_of(data),
        measures=MEASURES,
        roles=role_changes(data),
        changes=all_changes(data),
        phases=phases(data),
        panels=_panels(data),
        examples=tasks_by_birth(data.problems),
        rollouts=rollouts_by_role(data.rollouts),
        evaluation=data.evaluation,
        analyses=data.analyses,
        config=dump_yaml(data.config),
    )


def number(value: object) -> str:
    """Return a cell's text: numbers with four digits, None as nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _panels(data: RunData) -> list[tuple[Panel, list[Curve], Markup]]:
    """Return the panels that the run has anything for, with their drawings."""
    found = []
    for panel in PANELS:
        curves = curves_of(panel, data.series)
        if curves:
            drawing = Markup(draw(panel, curves))  # noqa: S704 - ElementTree escapes its text
            found.append((panel, curves, drawing))
    return found
