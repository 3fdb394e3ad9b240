"""One request to the service, and what may come of it: answers, trouble, or our mistake."""

import asyncio
import ipaddress
import os
from collections.abc import Sequence
from typing import Any, Final

import httpx

from trainer_client.config.run import VerifierConfig
from trainer_client.errors import ConfigError, VerifierError
from trainer_client.verifier.parcels import Parcel, body
from trainer_client.verifier.retry import retry_after

KEY_VARIABLE: Final = "VERIFIER_KEY"
"""The environment variable that holds the key; no configuration and no log ever does."""
_CONNECT_SECONDS: Final = 10.0
_SERVER_SHARE: Final = 0.9
"""The part of our time limit that the service is told: what it has begun by then may still end."""
_IDLE_SECONDS: Final = 2.0
"""Idle connections are closed sooner than servers do it (uvicorn: 5 s), which could happen just as
a request is on its way."""
BATCH: Final = "v1/batch"
_NO_VERIFIER: Final = "; is this the URL of a verifier?"
_HINTS: Final = {401: f"; set {KEY_VARIABLE} to a key that it knows", 405: _NO_VERIFIER}


class Trouble(Exception):
    """A request was not answered with results; `wait` seconds were asked for before the next."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Away(Trouble):
    """Nobody is there, or says to be out of service: the request has not been looked at."""


class Busy(Trouble):
    """The verifier has too much to do (429)."""


class Broken(Trouble):
    """The request came to nothing: by the verifier's state, or by what is in the request."""


class TooLarge(Trouble):
    """The body is too large (413)."""


class Transport:
    """The connections to one verifier."""

    def __init__(
        self,
        config: VerifierConfig,
        key: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            config: the URL, the time limit and the concurrency.
            key: the bearer key; None: that of the environment, if any.
            transport: what carries requests instead of the network (for tests).

        Raises:
            ConfigError: the URL or the key cannot be one.
        """
        self._url = config.url
        self._seconds = config.request_seconds
        url = _checked_url(config.url)
        self._client = httpx.AsyncClient(
            base_url=url,
            headers=_headers(key if key is not None else os.environ.get(KEY_VARIABLE), config),
            # The limit of the whole request is kept in `post`: httpx has none.
            timeout=httpx.Timeout(None, connect=min(_CONNECT_SECONDS, self._seconds)),
            limits=httpx.Limits(
                max_connections=config.concurrency,
                max_keepalive_connections=config.concurrency,
                keepalive_expiry=_IDLE_SECONDS,
            ),
            # A proxy of the environment cannot lead to this machine.
            trust_env=not _is_loopback(url.host),
            transport=transport,
        )

    async def post(self, parcels: Sequence[Parcel]) -> list[Any]:
        """Return what the verifier says to each item.

        Raises:
            Trouble: it did not answer with results; the subclass says what to make of it.
            VerifierError: it does not take the request at all, or is no verifier.
        """
        response = await self._answered("POST", BATCH, body(parcels))
        if not response.is_success:
            raise self._failure(response, BATCH)
        try:
            results = response.json()["results"]
            fits = isinstance(results, list) and len(results) == len(parcels)
        except (ValueError, TypeError, KeyError, RecursionError):
            fits = False
        if not fits:
            raise VerifierError(
                f"{self._url} did not answer a batch with one result per item; "
                "is it a verifier that speaks version 1 of the contract?"
            )
        return list(results)

    async def call(
        self, method: str, path: str, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> Any:
        """Return the JSON that any other endpoint answers with.

        Raises:
            Trouble: it did not answer; the subclass says what to make of it.
            VerifierError: it does not take the request, or is no verifier.
        """
        response = await self._answered(method, path, content, headers)
        if not response.is_success:
            raise self._failure(response, path)
        try:
            return response.json()
        except (ValueError, RecursionError):
            raise VerifierError(
                f"{self._url}/{path} did not answer with JSON{_NO_VERIFIER}"
            ) from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _answered(
        self, method: str, path: str, content: bytes, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._client.request(method, path, content=content, headers=headers)
        except TimeoutError:
            raise Broken(f"no answer within {self._seconds:g} s") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise Away(_named(error)) from error
        except httpx.RequestError as error:
            raise Broken(_named(error)) from error

    def _failure(self, response: httpx.Response, path: str) -> Trouble | VerifierError:
        status = response.status_code
        said = f"{status} {_detail(response)}".strip()
        wait = retry_after(response.headers.get("Retry-After"))
        if status == 413:
            return TooLarge(said)
        if status == 429:
            return Busy(said, wait)
        if status in {408, 500, 504}:
            return Broken(said, wait)
        if status > 500:
            return Away(said, wait)
        if status == 404 and path == BATCH:
            return VerifierError(f"{self._url} refused {path}: {said}{_NO_VERIFIER}")
        return VerifierError(f"{self._url} refused {path}: {said}{_HINTS.get(status, '')}")


def _headers(key: str | None, config: VerifierConfig) -> dict[str, str]:
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "X-Request-Timeout": f"{config.request_seconds * _SERVER_SHARE:g}",
    }
    if key:
        # httpx would show it in its own error.
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise ConfigError(f"{KEY_VARIABLE} holds characters that no key has (a line break?)")
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _checked_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigError(f"verifier.url: {text!r} is no URL: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigError(f"verifier.url: {text!r} is not of the form http://HOST:PORT")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _detail(response: httpx.Response) -> str:
    """Return what a refusal says, as one short printable line."""
    try:
        text = str(response.json()["detail"])
    except (ValueError, TypeError, KeyError, RecursionError):
        text = response.text or response.reason_phrase
    shown = " ".join(text.split())[:300]
    return "".join(char if char.isprintable() else "?" for char in shown)
