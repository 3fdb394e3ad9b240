"""``azr-executor keys``: a key is shown once, and files and lists hold no key."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from cli.command import run, run_here
from executor_service.access.key_file import read_keys
from executor_service.access.key_ring import KeyRing, parse_entries
from executor_service.access.keys import TOKEN, token_digest


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.jsonl"


def test_a_new_key_stands_alone_on_stdout_and_only_its_hash_in_the_file(path):
    done = run_here("keys", "new", "trainer", EXECUTOR_KEYS_FILE=str(path))
    assert done.exit_code == 0, done.stderr
    token = done.stdout.removesuffix("\n")
    assert TOKEN.fullmatch(token)
    assert "trainer" in done.stderr
    assert token not in done.stderr
    assert token not in path.read_text()
    assert KeyRing("", str(path)).find(token).name == "trainer"


def test_limits_of_its_own_are_kept_with_the_key(path):
    flags = ("--operations-per-second", "2.5", "--burst", "7")
    assert run_here("keys", "new", "a", "--file", str(path), *flags).exit_code == 0
    (key,) = read_keys(path)
    assert (key.operations_per_second, key.burst) == (2.5, 7)


def test_the_entry_for_the_environment_needs_no_file():
    done = run_here("keys", "new", "a", "--print-hash")
    assert done.exit_code == 0
    token = done.stdout.strip()
    assert TOKEN.fullmatch(token)
    entry = done.stderr.split()[-1]
    assert entry == f"a:{token_digest(token)}"
    assert KeyRing(entry).find(token).name == "a"


def test_without_a_file_a_key_is_not_made():
    done = run_here("keys", "new", "a")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "EXECUTOR_KEYS_FILE" in done.stderr
    assert "--print-hash" in done.stderr


@pytest.mark.parametrize(
    ("name", "words"), [("a", "already"), ("fixed", "already"), ("b c", "name a key")]
)
def test_a_name_that_will_not_do_makes_no_key(path, name, words):
    run_here("keys", "new", "a", "--file", str(path))
    before = path.read_bytes()
    fixed = f"fixed:{'0' * 64}"
    done = run_here("keys", "new", name, "--file", str(path), EXECUTOR_KEYS=fixed)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert words in done.stderr
    assert path.read_bytes() == before


def test_the_list_shows_names_limits_and_who_is_revoked_and_no_hash(path):
    run_here("keys", "new", "first", "--file", str(path), "--operations-per-second", "5")
    run_here("keys", "new", "second", "--file", str(path))
    run_here("keys", "revoke", "second", "--file", str(path))
    fixed = f"third:{'0' * 64}"
    done = run_here("keys", "list", "--file", str(path), EXECUTOR_KEYS=fixed)
    assert done.exit_code == 0
    lines = {line.split()[1]: line for line in done.stdout.splitlines() if " │ " in line}
    assert set(lines) == {"first", "second", "third"}
    assert "yes" in lines["first"]
    assert " 5 " in lines["first"]
    assert "revoked" in lines["second"]
    assert "EXECUTOR_KEYS" in lines["third"]
    assert not any(key.sha256[:16] in done.stdout for key in read_keys(path))


def test_revoking_says_what_is_done_and_what_cannot_be(path):
    run_here("keys", "new", "a", "--file", str(path))
    assert run_here("keys", "revoke", "a", "--file", str(path)).exit_code == 0
    assert read_keys(path)[0].revoked is not None
    unknown = run_here("keys", "revoke", "b", "--file", str(path))
    assert (unknown.exit_code, "no key with the name b" in unknown.stderr) == (1, True)
    entry = f"c:{'0' * 64}"
    fixed = run_here("keys", "revoke", "c", "--file", str(path), EXECUTOR_KEYS=entry)
    assert (fixed.exit_code, "EXECUTOR_KEYS" in fixed.stderr) == (1, True)


@pytest.mark.parametrize("command", [("list",), ("revoke", "a")])
def test_without_a_file_there_is_nothing_to_show_or_revoke(command):
    done = run_here("keys", *command)
    assert done.exit_code == 1
    assert "EXECUTOR_KEYS_FILE" in done.stderr


def test_a_damaged_file_is_named_with_its_line(path):
    path.write_text("nonsense\n")
    for command in (("list",), ("new", "a"), ("revoke", "a")):
        done = run_here("keys", *command, "--file", str(path))
        assert done.exit_code == 1
        assert f"{path}, line 1" in done.stderr
        assert done.stdout == ""
    assert path.read_text() == "nonsense\n"


def test_commands_at_the_same_time_lose_no_key(path):
    def new(number: int) -> subprocess.CompletedProcess:
        return run("keys", "new", f"k{number}", "--file", str(path))

    with ThreadPoolExecutor(3) as threads:
        done = list(threads.map(new, range(3)))
    assert [one.returncode for one in done] == [0] * 3
    ring = KeyRing("", str(path))
    assert [ring.find(one.stdout.strip()).name for one in done] == ["k0", "k1", "k2"]


@pytest.mark.parametrize("command", [(), ("new",), ("list",), ("revoke",)])
def test_help_shows_examples(command):
    done = run_here("keys", *command, "--help")
    assert done.exit_code == 0
    assert "Examples" in done.stdout
    assert f"azr-executor keys {' '.join(command)}".strip() in done.stdout


def test_serve_refuses_a_key_file_that_is_not_there_and_one_that_is_wrong(path):
    missing = run_here("serve", EXECUTOR_KEYS_FILE=str(path))
    assert (missing.exit_code, "keys new" in missing.stderr) == (1, True)
    path.write_text("{}\n")
    wrong = run_here("serve", EXECUTOR_KEYS_FILE=str(path))
    assert (wrong.exit_code, "line 1: name" in wrong.stderr) == (1, True)
    assert "Traceback" not in missing.stderr + wrong.stderr


def test_a_printed_entry_is_one_that_the_service_reads():
    entries = [run_here("keys", "new", name, "--print-hash").stderr.split()[-1] for name in "ab"]
    assert [key.name for key in parse_entries(",".join(entries))] == ["a", "b"]


def test_the_doctor_says_where_the_service_listens_and_for_whom(path):
    run_here("keys", "new", "a", "--file", str(path))
    done = run_here("doctor", EXECUTOR_KEYS_FILE=str(path), EXECUTOR_HOST="0.0.0.0")
    assert done.exit_code == 0, done.stderr
    assert "serve listens on: 0.0.0.0 port 8000, with one of 1 keys" in done.stdout
    bare = run_here("doctor", EXECUTOR_HOST="0.0.0.0")
    assert bare.exit_code == 1
    assert "not a loopback address" in bare.stderr
