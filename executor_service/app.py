"""The HTTP application, assembled in one visible place."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from executor_service import __version__, problems
from executor_service.body_limit import BodyLimit
from executor_service.errors import ExecutorError
from executor_service.routes import batch, operations, status
from executor_service.service import running_service
from executor_service.settings import Settings

_DESCRIPTION = """
Runs Python programs that nobody trusts and says what is true of them. Every example below works
when pasted. Errors are RFC 9457 problem documents.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; its lifespan starts and ends the sandboxes.

    Where that fails for a reason of the operator's or the host's, ``state.startup_error`` says it.
    """
    chosen = settings or Settings()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            try:
                app.state.service = await stack.enter_async_context(running_service(chosen))
            except ExecutorError as error:
                app.state.startup_error = error
                raise
            yield

    app = FastAPI(
        title="AZR executor",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
        # curl -d says application/x-www-form-urlencoded, and its JSON is as good as any.
        strict_content_type=False,
    )
    app.add_middleware(BodyLimit, max_bytes=chosen.max_body_bytes)
    problems.install(app)
    for router in (operations.router, batch.router, status.router):
        app.include_router(router)
    return app
