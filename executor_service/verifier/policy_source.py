"""Parsing untrusted source for inspection, with every way it can fail told apart."""

import ast
import warnings


class UncheckableError(Exception):
    """The source is too complex to be checked, so it may hide anything."""


def parse_source(source: str) -> ast.Module | None:
    """Return the syntax tree of ``source``, None where it is no Python.

    Raises:
        UncheckableError: the parser gave up on depth or memory.
    """
    try:
        # Under "warnings as errors" a warning about the *program* would read as a syntax error.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (RecursionError, MemoryError):
        raise UncheckableError("the source is too deeply nested to be checked") from None
    except (SyntaxError, ValueError):
        return None
