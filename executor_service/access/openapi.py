"""Keys in the published document: the scheme behind "Authorize", and the refusals."""

from typing import Any, Final

from fastapi import FastAPI

from executor_service.access.middleware import HEALTH

_SCHEME: Final = "key"
_DESCRIPTION: Final = (
    "A key that `azr-executor keys new NAME` made. Needed where keys are configured."
)


def document_access(app: FastAPI, responses: dict[int | str, dict[str, Any]]) -> None:
    """Add the bearer scheme to the document of ``app``, and ``responses`` where a key is asked for.

    Where no keys are configured the scheme is there all the same, as one of two ways in: the
    document is one and the same for every server.
    """
    plain = app.openapi

    def documented() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = plain()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes[_SCHEME] = {"type": "http", "scheme": "bearer", "description": _DESCRIPTION}
        for path, methods in document["paths"].items():
            if path in HEALTH:
                continue
            for operation in methods.values():
                operation["security"] = [{_SCHEME: []}, {}]
                for status, response in responses.items():
                    operation["responses"].setdefault(str(status), response)
        return document

    app.openapi = documented  # type: ignore[method-assign]
