"""One process of the study: ``python -m trainer_client.tiny.study_job NAME SEED FOLDER ...``.

NAME is ``base`` or an arm; FOLDER holds the seed's base and arms; overrides
(``key.path=value``) may follow.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from trainer_client.telemetry import logs
from trainer_client.tiny.demo import DemoSettings
from trainer_client.tiny.study import make_study_base, run_arm, study_configuration


def main(arguments: Sequence[str]) -> None:
    """Do the job that the arguments name.

    Raises:
        TrainerError: it failed.
    """
    name, seed, folder, *overrides = arguments
    logs.configure("INFO")
    config = study_configuration(int(seed), overrides)
    base = Path(folder) / "base"
    settings = DemoSettings.of(config)
    if name == "base":
        make_study_base(config, base, settings)
    else:
        run_arm(config, name, base, Path(folder) / name, settings)


if __name__ == "__main__":
    main(sys.argv[1:])
