"""Which verifier is meant when a caller names none, or only its URL."""

import os
from typing import Final

from trainer_client.config.run import VerifierConfig

URL_VARIABLE: Final = "VERIFIER_URL"
"""The environment variable with the verifier's base URL."""


def resolved(config: VerifierConfig | str | None) -> VerifierConfig:
    """Return the configuration meant.

    Args:
        config: all of it; or a base URL; or None: the URL in the environment variable
            VERIFIER_URL, else the default (a verifier on this machine, port 8000).
    """
    if isinstance(config, VerifierConfig):
        return config
    url = config if config is not None else os.environ.get(URL_VARIABLE)
    return VerifierConfig() if not url else VerifierConfig(url=url)
