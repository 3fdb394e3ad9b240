"""The rules for a task's input that is an expression: one argument list, harmless names only.

The input runs in the sandbox beside the program it belongs to; these rules keep it an *input*: it
cannot leave the brackets it stands in (``1) or (True``), reach for Python's inner names, or do what
the policy bans in programs.
"""

import ast
import builtins
from typing import Final

from executor_service.typed.literal_calls import CONSTRUCTORS, EXCEPTIONS, MODULES
from executor_service.verifier.policy_program import Violation
from executor_service.verifier.policy_source import UncheckableError, parse_source

HARMLESS_CALLS: Final = frozenset(
    {"abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "chr", "complex", "dict"}
    | {"divmod", "enumerate", "filter", "float", "frozenset", "hex", "int", "isinstance", "iter"}
    | {"len", "list", "map", "max", "min", "next", "oct", "ord", "pow", "range", "repr"}
    | {"reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "zip"}
)
"""Builtins that an input may call or pass on; ``format`` and ``getattr`` reach attributes by name,
``type`` makes classes."""

_MODULES: Final = frozenset(MODULES) | {"itertools", "functools", "string"}
_BUILTINS: Final = frozenset(dir(builtins))
_REFUSED: Final = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
_FORMATTING: Final = frozenset({"format", "format_map"})
_OPENING: Final = "_("


class ExpressionCheck:
    """Checks one input against the policy's sets and the program's entry point."""

    def __init__(
        self, banned_modules: frozenset[str], banned_names: frozenset[str], entry_point: str
    ) -> None:
        self.banned = banned_modules | banned_names
        self.entry_point = entry_point
        self.bound: set[str] = set()

    def run(self, source: str) -> str | None:
        """Return why ``source`` is refused, None when it is acceptable."""
        try:
            call = _single_call(source)
            if call is None:
                return "the input is not the argument list of one call"
            nodes = [node for part in (*call.args, *call.keywords) for node in ast.walk(part)]
            self.bound = {
                node.id
                for node in nodes
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            } | {node.arg for node in nodes if isinstance(node, ast.arg)}
            for node in nodes:
                self._node(node)
        except UncheckableError as error:
            return str(error)
        except Violation as violation:
            return str(violation)
        return None

    def _node(self, node: ast.AST) -> None:
        if isinstance(node, _REFUSED):
            raise Violation("an assignment, await or yield in an input", node)
        if isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, ast.arg | ast.keyword):
            if node.arg is not None and node.arg.startswith("__"):
                raise Violation(f"the name {node.arg!r} is not allowed", node)
        elif isinstance(node, ast.Call) and not isinstance(node.func, ast.Name | ast.Attribute):
            raise Violation("only a name or a method can be called", node)

    def _name(self, node: ast.Name) -> None:
        name = node.id
        if name.startswith("__") or name in self.banned:
            raise Violation(f"the name {name!r} is not allowed", node)
        if name == self.entry_point or name in HARMLESS_CALLS or name in EXCEPTIONS:
            return
        if name in _BUILTINS or not (
            name in self.bound or name in CONSTRUCTORS or name in _MODULES
        ):
            raise Violation(f"the name {name!r} is not allowed in an input", node)

    def _attribute(self, node: ast.Attribute) -> None:
        name = node.attr
        if name.startswith("_"):
            raise Violation(f"the attribute {name!r} is not allowed", node)
        if name in self.banned or f"{_path(node.value)}.{name}" in self.banned:
            raise Violation(f"{name!r} is banned", node)
        if name in _FORMATTING and not _plain_format(node.value):
            raise Violation("a format text must be constant and reach no attributes", node)


def _single_call(source: str) -> ast.Call | None:
    """Return the call whose argument list ``source`` is, None where it is anything else."""
    tree = parse_source(f"{_OPENING}\n{source}\n)")
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return None
    call = tree.body[0].value
    # Text that closes the bracket leaves another shape: _(1) or (True), _(0), (1), _(0)(1).
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "_":
        return call
    return None


def _path(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _plain_format(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and "__" not in str(node.value)
