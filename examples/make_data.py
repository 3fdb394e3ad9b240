"""Write a dataset for trainers that know one label per prompt: verl (parquet), OpenRLHF (JSONL).

python examples/make_data.py verl --triplets triplets.jsonl train.parquet
python examples/make_data.py openrlhf --triplets triplets.jsonl train.jsonl
"""

import argparse
import json
from pathlib import Path
from typing import Any

from trainer_client.adapters import Sample
from trainer_client.adapters.rows import chat, rows
from trainer_client.buffers.azr_format import read_triplets


def for_verl(row: dict[str, Any], index: int) -> dict[str, Any]:
    """Return a row as verl's RLHFDataset wants it: messages, for the model's chat template."""
    label = Sample.read(row).label()
    return {
        "data_source": f"azr/{row['task']}",
        "prompt": chat(row["prompt"]),
        "ability": "code",
        "reward_model": {"style": "rule", "ground_truth": label},
        "extra_info": {"index": index},
    }


def for_openrlhf(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row for ``--data.input_key prompt --data.label_key label``."""
    return {"prompt": row["prompt"], "label": Sample.read(row).label()}


def main() -> None:
    """Write the file that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trainer", choices=("verl", "openrlhf"))
    parser.add_argument("--triplets", type=Path, required=True, help="JSONL in AZR's format")
    parser.add_argument("--prompts", default="azr")
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    problems = read_triplets(given.triplets)
    made = [
        row for task in ("deduction", "abduction") for row in rows(task, problems, given.prompts)
    ]
    if given.trainer == "openrlhf":
        lines = [json.dumps(for_openrlhf(row)) for row in made]
        given.file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return
    from datasets import Dataset  # noqa: PLC0415 - verl's own needs

    Dataset.from_list([for_verl(row, index) for index, row in enumerate(made)]).to_parquet(
        str(given.file)
    )


if __name__ == "__main__":
    main()
