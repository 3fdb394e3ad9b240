"""Where a service may listen: without keys, where this machine alone reaches it."""

import logging

from executor_service.access.browser_guard import is_loopback
from executor_service.access.key_ring import KeyRing
from executor_service.errors import ConfigurationError
from executor_service.settings import Settings

log = logging.getLogger(__name__)


def check_binding(settings: Settings) -> None:
    """Make sure that an address others can reach comes with keys.

    Raises:
        ConfigurationError: It does not, or the keys are wrong; the message says what to do.
    """
    required = KeyRing.from_settings(settings).required
    if is_loopback(settings.host) or required or settings.insecure_no_keys:
        return
    raise ConfigurationError(
        f"{settings.host} is not a loopback address, and no keys are configured: name a key file "
        "in EXECUTOR_KEYS_FILE and make a key with azr-executor keys new NAME, or listen on "
        "127.0.0.1; EXECUTOR_INSECURE_NO_KEYS=true lets everybody in who reaches the port"
    )


def warn(settings: Settings, ring: KeyRing) -> None:
    """Log what an operator may not have meant."""
    if ring.required:
        if all(key.revoked is not None for key in ring.current()):
            log.warning(
                "there is no good key: nobody gets in until azr-executor keys new makes one"
            )
    elif settings.insecure_no_keys:
        log.warning(
            "EXECUTOR_INSECURE_NO_KEYS: no keys are asked for, "
            "so everybody who reaches the port may run programs"
        )


def describe(settings: Settings) -> str:
    """Return in one line where a service with these settings listens, and for whom.

    Raises:
        ConfigurationError: As ``check_binding``.
    """
    check_binding(settings)
    ring = KeyRing.from_settings(settings)
    where = f"{settings.host} port {settings.port}"
    if ring.required:
        good = sum(key.revoked is None for key in ring.current())
        return f"{where}, with one of {good} keys"
    if is_loopback(settings.host):
        return f"{where}, without keys: this machine alone"
    return f"{where}, without keys: EVERYBODY who reaches the port"
