"""The shipped sample says what is true: its outputs, its wrong answers and its attacks are real.

Only programs of valid tasks and four harmless forgeries are run here, in this process: they are
the project's own. Everything hostile is only read.
"""

import ast
import json
import re
from importlib import resources

import pytest

from executor_service import demo
from executor_service.demo import Case, DemoTask, Forgery, load_forgeries, load_tasks

TASKS = load_tasks()
FORGERIES = {forgery.name: forgery for forgery in load_forgeries()}
VALID = [task for task in TASKS if task.expect == "valid"]
REFUSED = [task for task in TASKS if task.expect != "valid"]
FACTORS = {"hash_seed", "process", "clock", "environment", "call"}
RUN_STATUSES = {
    "runtime_error",
    "timeout",
    "memory_limit",
    "output_limit",
    "process_limit",
    "security_violation",
    "unsupported_value",
    "invalid_program",
    "invalid_input",
}
REFUSALS = RUN_STATUSES | {"wrong", "invalid_answer", "nondeterministic"}


def namespace(program):
    names = {"__name__": "sample"}
    exec(program, names)
    return names


def call(names, arguments):
    return eval(f"f({arguments})", names)


def value_of(literal, names):
    """The value of an output: a Python expression, or the repr of an enum member."""
    if literal.startswith("<"):
        member = literal[1:].split(":")[0].split(".")[1]
        return names["Light"][member]
    constructors = {}
    exec("from collections import *\nfrom decimal import *\nfrom fractions import *", constructors)
    return eval(literal, constructors | names)


def typed(value):
    """The value with its types spelled out, in a form whose ``==`` is typed equality."""
    kind = type(value).__name__
    if isinstance(value, set | frozenset):
        return kind, frozenset(typed(item) for item in value)
    if isinstance(value, dict):
        pairs = tuple((typed(key), typed(item)) for key, item in value.items())
        return kind, pairs if kind == "OrderedDict" else frozenset(pairs)
    if isinstance(value, list | tuple) or kind == "deque":
        return kind, tuple(typed(item) for item in value)
    if isinstance(value, BaseException):
        return kind, typed(value.args)
    if hasattr(value, "__dataclass_fields__"):
        return kind, typed(vars(value))
    return kind, repr(value)


def each(tasks):
    return pytest.mark.parametrize("task", tasks, ids=lambda task: task.name)


def lines_of(filename):
    text = resources.files(demo).joinpath(filename).read_text(encoding="utf-8")
    return text.rstrip("\n").split("\n")


@pytest.mark.parametrize("filename", ["tasks.jsonl", "forgeries.jsonl"])
def test_every_line_is_one_json_object(filename):
    assert all(type(json.loads(line)) is dict for line in lines_of(filename))


def test_there_are_sixty_tasks_fifty_of_them_valid():
    assert (len(VALID), len(REFUSED)) == (50, 10)


def test_names_are_unique_and_kebab_case():
    names = [task.name for task in TASKS] + list(FORGERIES)
    assert len(set(names)) == len(names) == len(TASKS) + len(lines_of("forgeries.jsonl"))
    assert all(name.replace("-", "").isalnum() and name == name.lower() for name in names)


def test_no_program_is_shipped_twice():
    assert len({task.program for task in TASKS}) == len(TASKS)


@each(VALID)
def test_a_valid_task_maps_its_input_to_its_output_each_time(task):
    names = namespace(task.program)
    expected = typed(value_of(task.output, names))
    assert typed(call(names, task.input)) == expected
    assert typed(call(names, task.input)) == expected
    assert typed(call(namespace(task.program), task.input)) == expected


@each(VALID)
def test_every_case_of_a_valid_task_holds_and_is_another_input(task):
    names = namespace(task.program)
    assert 3 <= len(task.cases) <= 5
    assert len({case.input for case in task.cases} | {task.input}) == len(task.cases) + 1
    for case in task.cases:
        assert typed(call(names, case.input)) == typed(value_of(case.output, names)), case


@each(VALID)
def test_the_wrong_answer_is_another_value(task):
    names = namespace(task.program)
    assert typed(value_of(task.wrong_answer, names)) != typed(value_of(task.output, names))


@each(VALID)
def test_the_wrong_input_maps_to_another_output(task):
    names = namespace(task.program)
    assert typed(call(names, task.wrong_input)) != typed(value_of(task.output, names))


def test_the_outputs_spread_over_the_typed_values():
    kinds = {type(value_of(task.output, namespace(task.program))).__name__ for task in VALID}
    assert kinds >= {"int", "str", "float", "bool", "complex", "NoneType", "bytes", "bytearray"}
    assert kinds >= {"list", "tuple", "dict", "set", "frozenset", "range", "deque", "Counter"}
    assert kinds >= {"OrderedDict", "defaultdict", "Fraction", "date", "ValueError"}
    assert kinds >= {"Box", "Account", "Light"}, "namedtuple, dataclass, enum"
    assert any("Decimal(" in task.output for task in VALID)


@pytest.mark.parametrize("class_name", ["Account", "Light", "Point", "Op"])
def test_some_input_is_an_object_of_a_class_that_its_program_defines(class_name):
    (task,) = [task for task in VALID if f"class {class_name}" in task.program]
    assert f"{class_name}(" in task.input


def test_only_the_date_task_among_the_valid_needs_a_policy_of_its_own():
    assert [task.name for task in VALID if task.policy] == ["third-weekday"]


def test_the_refused_tasks_cover_every_reason_once_or_more():
    reasons = {"nondeterministic", "invalid_program", "timeout", "memory_limit"}
    assert {task.expect for task in REFUSED} == reasons | {"unsupported_value"}


@each(REFUSED)
def test_a_refused_task_claims_no_output_and_names_a_factor_only_if_nondeterministic(task):
    assert (task.output, task.cases, task.wrong_answer, task.wrong_input) == (None, (), None, None)
    assert (task.factor in FACTORS) == (task.expect == "nondeterministic")
    assert set(task.also) <= FACTORS - {task.factor}


def test_only_the_task_that_says_so_fails_to_parse():
    broken = []
    for task in TASKS:
        try:
            ast.parse(task.program)
        except SyntaxError:
            broken.append(task.name)
    assert broken == ["missing-colon"]


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=lambda forgery: forgery.name)
def test_a_forgery_is_a_whole_operation_that_may_never_be_judged_correct(forgery):
    needed = {
        "deduction": {"program", "input", "answer"},
        "abduction": {"program", "output", "answer"},
        "induction": {"program", "cases"},
        None: {"program", "input"},
    }
    operation = forgery.operation
    assert operation["op"] == ("verify" if "mode" in operation else "validate")
    assert needed[operation.get("mode")] <= operation.keys()
    assert forgery.must and set(forgery.must) <= REFUSALS
    assert forgery.what.endswith(".")
    ast.parse(operation["program"])


@pytest.mark.parametrize("name", ["break-out-of-the-call"])
def test_the_input_forgery_beats_a_check_pasted_together_as_text(name):
    operation = FORGERIES[name].operation
    names = namespace(operation["program"])
    assert eval(f"{operation['output']} == f({operation['answer']})", names) is True


@pytest.mark.parametrize(
    "name", ["name-the-gold-variable", "answer-equal-to-everything", "look-alike-numbers"]
)
def test_the_answer_forgeries_beat_a_grader_that_evaluates_both_sides(name):
    operation = FORGERIES[name].operation
    gold_output = repr(call(namespace(operation["program"]), operation["input"]))
    assert eval(gold_output) == eval(operation["answer"])
    assert gold_output != operation["answer"]


@pytest.mark.parametrize("name", ["program-returns-an-equal-to-all", "int-that-lies"])
def test_the_lying_objects_beat_a_grader_that_asks_them(name):
    operation = FORGERIES[name].operation
    names = namespace(operation["program"])
    for case in operation["cases"]:
        assert call(names, case["input"]) == eval(case["output"])


def test_the_frame_walker_beats_a_harness_that_holds_the_gold_while_it_calls():
    operation = FORGERIES["expected-value-in-callers-frames"].operation
    gold = operation["cases"][0]["output"]
    assert repr(call(namespace(operation["program"]), "1")) == gold


def test_no_program_carries_the_gold_that_it_hunts():
    hunters = [forgery for forgery in FORGERIES.values() if "gold-" in str(forgery.operation)]
    assert len(hunters) == 3
    for forgery in hunters:
        for case in forgery.operation["cases"]:
            assert re.fullmatch("'gold-[0-9a-f]{10}'", case["output"])
            assert case["output"][1:-1] not in forgery.operation["program"]


def test_a_repeated_text_is_written_out_wherever_it_stands():
    assert FORGERIES["bracket-mountain"].operation["answer"] == "[" * 100_000
    nested = {"a": [{"repeat": ["xy", 2]}, 1], "repeat": 3}
    assert demo.expand(nested) == {"a": ["xyxy", 1], "repeat": 3}


def test_a_repeated_text_without_bound_is_refused():
    with pytest.raises(ValueError, match="too long"):
        demo.expand({"repeat": ["ab", demo.MAX_REPEATED_CHARS]})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"name": ', "line 1"),
        ("[1]", "line 1: not an object"),
        ('{"name": "x", "colour": 1}', "line 1.*colour"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(line, message, monkeypatch, tmp_path):
    for filename in ("tasks.jsonl", "forgeries.jsonl"):
        (tmp_path / filename).write_text(line)
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    with pytest.raises(ValueError, match=message):
        load_tasks()
    with pytest.raises(ValueError, match="line 1"):
        load_forgeries()


def test_the_records_cannot_be_changed_by_a_reader():
    for record in (TASKS[0], TASKS[0].cases[0], FORGERIES["fork-bomb"]):
        assert isinstance(record, DemoTask | Case | Forgery)
        with pytest.raises(AttributeError):
            record.name = "other"
