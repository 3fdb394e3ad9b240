"""The documents name tests, files and sections that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), ROOT / "benchmarks/README.md"])
NAMED_TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")
LETTER = re.compile(r"\[([a-z])\](?!\()")


def functions_of(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_that_a_document_names_exists(document):
    for path, name in NAMED_TEST.findall(document.read_text()):
        assert (ROOT / path).is_file(), path
        assert name in functions_of(ROOT / path), f"{path}::{name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_that_a_document_links_to_exists(document):
    for link in LINK.findall(document.read_text()):
        assert (document.parent / link).exists(), link


def test_each_claim_about_a_peer_has_a_source_and_each_of_ours_a_test():
    text = (ROOT / "docs/peers.md").read_text()
    body, _, sources = text.partition("## Sources")
    listed = set(re.findall(r"^\* \[([a-z])\]", sources, re.MULTILINE))
    assert set(LETTER.findall(body)) == listed
    rows = [line for line in body.partition("## Attacks")[2].splitlines() if line[:1] == "|"]
    attacks = [row for row in rows if re.match(r"\| [A-K]: ", row)]
    assert {row[2] for row in attacks} == set("ABCDEFIJK")
    for row in attacks:
        assert NAMED_TEST.search(row), row
