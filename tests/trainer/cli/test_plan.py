"""``azr-trainer plan``: what is printed, its exit status, and its refusals."""

import pytest

from tests.trainer.cli.command import run


def test_what_fits_is_told_with_its_memory_and_its_time():
    done = run("plan", "--preset", "azr-7b-coder", "--gpus", "4", "--gpu-memory", "80")
    assert done.exit_code == 0, done.output
    for said in ("7.62e9", "gradients", "AdamW moments", "KV cache", "montecarlo", "It fits"):
        assert said in done.output
    # 8 bytes for each of 7.62e9 parameters, divided by 4.
    (line,) = (each for each in done.output.splitlines() if "AdamW moments" in each)
    assert line.count("15.2") == 3


def test_what_does_not_fit_ends_with_1_and_says_what_to_change():
    done = run("plan", "--preset", "azr-7b-coder")
    assert done.exit_code == 1
    for said in ("It does not fit", "on 4 GPUs", "--set "):
        assert said in done.output


def test_settings_and_lengths_are_taken_over():
    plain = run("plan", "--preset", "azr-3b-coder", "--response-tokens", "500")
    changed = run(
        *("plan", "--preset", "azr-3b-coder", "--response-tokens", "500"),
        *(
            "--set",
            "model.gradient_checkpointing=false",
            "--set",
            "learner.micro_batch_tokens=20000",
        ),
    )
    assert "responses of 500" in plain.output
    assert "T = 20,000" in changed.output
    assert changed.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--preset", "tiny-demo"), "model.path"),
        (("--preset", "azr-huge"), "no preset azr-huge"),
        (("--gpu", "abacus"), "h200"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_a_line(arguments, said):
    done = run("plan", *arguments)
    assert done.exit_code != 0
    assert said in done.output
    assert "Traceback" not in done.output
