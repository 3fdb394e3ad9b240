"""What scripts may bring along: paths that stay below, and no more than fits."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor_service.errors import RequestError
from executor_service.operations import ScriptOperation
from executor_service.sandbox.runs import Limits
from executor_service.verifier.scripts import MOST_BYTES, checked_path, script_request


def made(**fields):
    return script_request(ScriptOperation(program="", **fields), Limits())


@pytest.mark.parametrize(
    ("path", "shortest"),
    [("a", "a"), ("./a", "a"), ("a//b", "a/b"), ("a/./b", "a/b"), ("...", "..."), ("ä/b", "ä/b")],
)
def test_a_path_that_stays_below_is_put_in_its_shortest_form(path, shortest):
    assert checked_path(path, "files") == shortest


@pytest.mark.parametrize(
    "path",
    ["", ".", "/", "/a", "..", "../a", "a/..", "a/../b", "a/", "./", "a\0b", "\ud800", "x" * 256,
     "ä" * 128, "a/" * 600 + "b"],
)  # fmt: skip
def test_any_other_path_is_refused(path):
    with pytest.raises(RequestError) as refusal:
        checked_path(path, "files")
    assert refusal.value.field == "files"


@given(st.text(st.sampled_from("./a\0"), max_size=12))
def test_no_accepted_path_leads_out(path):
    try:
        found = checked_path(path, "files")
    except RequestError:
        return
    assert not found.startswith("/")
    assert not {"", ".", ".."} & set(found.split("/"))


@pytest.mark.parametrize(
    "files",
    [
        {"a": "", "./a": ""},
        {"a": "", "a/b": ""},
        {"a/b/c": "", "a/b": ""},
        {"script.py": ""},
        {"script.py/x": ""},
        {".stdin": ""},
        {"a": "%"},
        {f"{number}/x": "" for number in range(300)},
        {f"{'/'.join('abcdefgh')}{number}/y/z/x": "" for number in range(200)},
    ],
)
def test_files_that_no_directory_can_hold_at_once_are_refused(files):
    with pytest.raises(RequestError) as refusal:
        made(files=files)
    assert refusal.value.field == "files"


def test_what_does_not_fit_the_scratch_is_refused():
    content = base64.b64encode(bytes(MOST_BYTES // 2)).decode()
    assert made(files={"a": content}).files[0][0] == "a"
    for more in ({"files": {"a": content, "b": content}}, {"stdin": "x" * (MOST_BYTES + 1)}):
        with pytest.raises(RequestError, match="are the most"):
            made(**({"stdin": "x"} | more))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"args": ["a\0"]}, "args"),
        ({"args": ["x" * 70_000]}, "args"),
        ({"fetch": ["../a"]}, "fetch"),
        ({"fetch": ["a"] * 300}, "fetch"),
        ({"name": "../a"}, "name"),
    ],
)
def test_arguments_and_names_are_checked_too(fields, field):
    with pytest.raises(RequestError) as refusal:
        made(**fields)
    assert refusal.value.field == field
