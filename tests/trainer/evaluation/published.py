"""Small files in the formats that the projects publish."""

import gzip
import json
from pathlib import Path
from typing import Any

MBPP: list[dict[str, Any]] = [
    {
        "task_id": "Mbpp/2", "entry_point": "similar_elements", "atol": 0,
        "prompt": '"""\nShared elements.\nassert similar_elements((3, 4), (4, 5)) == (4,)\n"""\n',
        "canonical_solution": "\ndef similar_elements(a, b):\n  return tuple(set(a) & set(b))\n",
        "base_input": [[[3, 4, 5, 6], [5, 7, 4, 10]]],
        "plus_input": [[[], []], [[1, 2, 3], [3, 2, 1]]],
        "contract": "", "assertion": "",
    },
    {
        "task_id": "Mbpp/99001", "entry_point": "third", "atol": 0,
        "prompt": '"""\nA third.\nassert third(3) == 1.0\n"""\n',
        "canonical_solution": "\ndef third(x):\n  return x / 3\n",
        "base_input": [[3], [6]], "plus_input": [[1], [10], [-7]],
        "contract": "", "assertion": "",
    },
    {
        "task_id": "Mbpp/99002", "entry_point": "largest", "atol": 0,
        "prompt": '"""\nThe largest.\nassert largest([1, 2]) == 2\n"""\n',
        "canonical_solution": "\ndef largest(xs):\n  return max(xs)\n",
        "base_input": [[[1, 2]]], "plus_input": [[[-3, -1]], [[5]]],
        "contract": "", "assertion": "",
    },
]  # fmt: skip
HUMANEVAL: list[dict[str, Any]] = [
    {
        "task_id": "HumanEval/0", "entry_point": "double",
        "prompt": 'def double(x):\n    """Twice x."""\n',
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(f):\n    assert f(2) == 4\n    assert f(0) == 0\n",
    }
]  # fmt: skip
CRUXEVAL = [
    {"id": "sample_0", "code": "def f(a, b):\n    return a + b", "input": "1, 2", "output": "3"},
    {"id": "sample_1", "code": "def f(s): return s[::-1]", "input": "'ab'", "output": "'ba'"},
]  # fmt: skip
AIME = [
    {"id": 60 + n, "problem": f"What is {n} + 200?", "solution": "Add.", "answer": str(200 + n),
     "url": "", "question": "unused"}
    for n in range(3)
]  # fmt: skip
MATH500 = [
    {"problem": "A half?", "solution": "", "answer": "\\frac{1}{2}", "subject": "Algebra",
     "level": 1, "unique_id": "test/algebra/1.json"},
]  # fmt: skip


def write(folder: Path) -> Path:
    """Write all of them as they are called; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in {
        "MbppPlus.jsonl": MBPP, "cruxeval.jsonl": CRUXEVAL, "aime24.jsonl": AIME,
        "math500.jsonl": MATH500,
    }.items():  # fmt: skip
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    plus = {**HUMANEVAL[0], "atol": 0, "base_input": [[2]], "plus_input": [[0], [-5]]}
    with gzip.open(folder / "HumanEval.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in HUMANEVAL)
    with gzip.open(folder / "HumanEvalPlus-v0.1.10.jsonl.gz", "wt") as file:
        file.write(json.dumps(plus) + "\n")
    return folder
