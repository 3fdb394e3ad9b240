"""The page: complete, self-contained, safe to open, the same for the same run."""

import base64
import json
import re
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from tests.trainer.report.synthetic_run import write_run
from trainer_client.config.run import RunConfig
from trainer_client.errors import DataError
from trainer_client.report.page import number, write_report
from trainer_client.state.run_directory import RunDirectory
from trainer_client.telemetry.role_metrics import TASK_ROLES

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects elements, and fails on any that is not closed in its turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunDirectory:
    return write_run(tmp_path_factory.mktemp("runs") / "seed-0")


@pytest.fixture(scope="module")
def html(run) -> str:
    return write_report(run.path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html) -> Page:
    return Page(html)


def test_it_loads_nothing_and_runs_nothing(page):
    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"script", "img", "link", "iframe", "object", "use", "a", "form"})
    for _, attributes in page.elements:
        assert attributes.keys().isdisjoint({"src", "href", "xlink:href", "style"})
        assert not any(name.startswith("on") for name in attributes)


def test_its_policy_allows_its_own_style_sheet_alone(html, page):
    (policy,) = [a["content"] for t, a in page.elements if a.get("http-equiv")]
    style = re.search(r"<style>(.*)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "url(" not in style
    assert "@import" not in style


def test_what_a_model_said_is_shown_and_not_obeyed(html, page):
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "\\u202e\\x00\\ud800" in page.text
    assert not {"\u202e", "\x00"} & set(html)


def test_credentials_of_the_verifier_stay_out(html):
    assert "secret" not in html
    assert "url: http://there:8000" in html


@pytest.mark.parametrize(
    "heading",
    [
        "Held-out evaluation",
        "First against last values",
        "Where the time went",
        "Solver reward",
        "Proposer reward",
        "Solve rate of proposals",
        "Validity of proposals",
        "Entropy by role",
        "Response length",
        "KL divergence",
        "Clipped tokens",
        "Gradient norm",
        "Verifier latency",
        "Waiting for the verifier",
        "Tasks by birth step",
        "Sampled rollouts",
        "Configuration",
    ],
)
def test_every_part_is_there(page, heading):
    assert heading in page.text


def test_lengths_are_drawn_for_all_six_task_roles(html):
    figure = html[html.index("<h3>Response length</h3>") :].split("</figure>")[0]
    assert figure.count("<li>") == 6
    assert all(role.key in figure for role in TASK_ROLES if role.task != "error")
    strong = re.findall(r'<path [^>]*stroke-width="1\.6"[^>]*>', figure)
    assert len([path for path in strong if "stroke-h" in path]) == 6
    assert len([path for path in strong if "stroke-dasharray" in path]) == 3


def test_tables_hold_first_and_last_values_and_the_evaluation(page):
    assert "seed-0" in page.text
    assert "0.418" in page.text
    assert "The same problems before and after <b>training</b>." in page.text
    assert re.search(r"montecarlo\s*22 min 00 s\s*36\.7 %", page.text)
    assert "waiting for the verifier2.0% of the time" in page.text.replace("\n", "")


def test_a_masked_rollout_is_not_given_a_number(page):
    assert "reward masked" in page.text


def test_tasks_are_shown_from_the_seed_to_the_last_step(page):
    births = re.findall(r"born at step (\d+)|^(seed)$", page.text, re.MULTILINE)
    assert births == 3 * [("", "seed"), ("40", ""), ("80", ""), ("120", "")]


def test_the_same_run_gives_the_same_bytes(run, html):
    assert write_report(run.path).read_text(encoding="utf-8") == html


def test_drawings_have_no_names_that_could_clash(html):
    assert 'id="' not in html
    assert "matplotlib" not in html


def test_a_run_without_a_step_has_a_report(tmp_path):
    run = RunDirectory.create(tmp_path / "new", RunConfig())
    page = Page(write_report(run.path).read_text(encoding="utf-8"))
    assert "No step has been finished yet." in page.text
    assert "Curves" not in page.text


def test_a_run_of_one_step_has_a_report(tmp_path):
    run = write_run(tmp_path / "one", steps=1)
    assert "step 1" in Page(write_report(run.path).read_text(encoding="utf-8")).text


def test_unknown_metrics_are_listed_and_missing_ones_skipped(tmp_path):
    run = RunDirectory.create(tmp_path / "sft", RunConfig())
    rows = [{"step": n, "loss/total": 1 / n, "my/own": n, "bad": None} for n in (1, 2, 3)]
    run.metrics_file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = Page(write_report(run.path).read_text(encoding="utf-8"))
    assert "my/own" in page.text
    assert "Loss" in page.text
    assert "Solver reward" not in page.text


def test_what_is_no_run_has_no_report(tmp_path):
    with pytest.raises(DataError, match="holds no run"):
        write_report(tmp_path)


@pytest.mark.parametrize(
    ("evaluation", "said"),
    [
        ("{}", "the whole: .*valid array"),
        ('[{"title": "t", "columns": ["a"], "rows": [[1, 2]]}]', "2 cells under 1 columns"),
        ('[{"title": "t", "columns": ["a"], "rows": [[{}]]}]', r"0\.rows"),
    ],
)
def test_a_damaged_evaluation_is_named(tmp_path, evaluation, said):
    run = RunDirectory.create(tmp_path / "run", RunConfig())
    run.evaluation_file.write_text(evaluation)
    with pytest.raises(DataError, match=said):
        write_report(run.path)


@pytest.mark.parametrize(
    ("value", "text"), [(0.41834, "0.4183"), (1e-7, "1e-07"), (3, "3"), (None, ""), ("x", "x")]
)
def test_cells_are_short(value, text):
    assert number(value) == text
