"""The walk over a program's syntax tree that finds bans; ``policy`` says what it covers.

Imports bind names to dotted paths (``import os as o`` binds ``o`` to ``os``). Every use of such a
name extends the path with the attributes that follow it, and the path is looked up among the bans.
A module with dotted bans may only be used as ``module.attribute``: once it is passed around, no
static check can follow it.
"""

import ast
from collections.abc import Callable
from typing import Any, Final

LOADERS: Final = frozenset(
    {"builtins", "importlib", "imp", "pkgutil", "runpy", "zipimport", "code", "codeop"}
)
"""Modules that load or run others by name; of ``importlib``, ``import_module("name")`` may stay."""

BACKDOORS: Final = frozenset(
    {"__builtins__", "__globals__", "__subclasses__", "__loader__", "__spec__", "__getattribute__"}
    | {"globals", "locals"}
)
"""Names and attributes that lead to every module there is."""

_BY_NAME: Final = frozenset({"getattr", "setattr", "delattr", "hasattr", "vars"})
_REFLECTIVE: Final = frozenset({"attrgetter", "methodcaller", "getmembers", "getattr_static"})
DYNAMIC_WORDS: Final = (
    LOADERS | BACKDOORS | _BY_NAME | _REFLECTIVE | {"__import__", "__dict__", "modules"}
)
"""Words without which a program can name nothing at run time."""

_STATEMENTS: Final[dict[str, tuple[type[ast.AST], ...]]] = {
    "assert": (ast.Assert,),
    "async": (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith),
    "await": (ast.Await,),
    "class": (ast.ClassDef,),
    "del": (ast.Delete,),
    "for": (ast.For, ast.AsyncFor, ast.comprehension),
    "global": (ast.Global,),
    "lambda": (ast.Lambda,),
    "nonlocal": (ast.Nonlocal,),
    "raise": (ast.Raise,),
    "try": (ast.Try, ast.TryStar),
    "while": (ast.While,),
    "with": (ast.With, ast.AsyncWith),
    "yield": (ast.Yield, ast.YieldFrom),
}
_MAX_CHAIN: Final = 8


class Violation(Exception):
    """A ban is broken; the message names it and the line."""

    def __init__(self, problem: str, node: ast.AST) -> None:
        super().__init__(f"{problem} (line {getattr(node, 'lineno', '?')})")


class ProgramCheck:
    """Checks one program against one policy's sets."""

    def __init__(
        self, banned_modules: frozenset[str], banned_names: frozenset[str], allow_imports: bool
    ) -> None:
        self.dotted = banned_modules | {name for name in banned_names if "." in name}
        self.modules = frozenset(name for name in banned_modules if "." not in name)
        self.names = frozenset(name for name in banned_names if "." not in name)
        self.statements = {name: _STATEMENTS[name] for name in self.names if name in _STATEMENTS}
        self.guarded = frozenset(
            ".".join(parts[:length])
            for parts in (ban.split(".") for ban in self.dotted)
            for length in range(1, len(parts))
        )
        self.anything = bool(banned_modules or banned_names)
        self.allow_imports = allow_imports
        self.paths: dict[str, set[str]] = {}
        self.starred: dict[str, str] = {}
        self.whole: set[str] = set()
        self.reflective = False
        self.bases: set[int] = set()
        self.cleared: set[int] = set()

    def run(self, tree: ast.Module) -> str | None:
        """Return the first violation found, None without one."""
        nodes = list(ast.walk(tree))  # parents before children: a call clears its parts first
        try:
            for node in nodes:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    self._import(node)
                elif isinstance(node, ast.Attribute):
                    self.bases.add(id(node.value))
                    self.reflective |= node.attr in _REFLECTIVE
                elif isinstance(node, ast.Name):
                    self.reflective |= node.id in _REFLECTIVE or node.id in _BY_NAME
            for node in nodes:
                self._statement(node)
                visit = _VISITS.get(type(node))
                if visit is not None:
                    visit(self, node)
        except Violation as violation:
            return str(violation)
        return None

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if not self.allow_imports:
            raise Violation("imports are not allowed", node)
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._module(alias.name, node)
                name, path = alias.asname or alias.name.partition(".")[0], alias.name
                self._bind(name, path if alias.asname else path.partition(".")[0])
                self.whole.add(alias.name)
            return
        module = node.module or ""
        if module and not node.level:
            self._module(module, node)
        for alias in node.names:
            if alias.name == "*":
                self._star(module, node)
            elif not node.level:
                path = f"{module}.{alias.name}"
                self._path(path, node)
                self._bind(alias.asname or alias.name, path)
            if alias.name in self.names or alias.name in _REFLECTIVE:
                self.reflective = True
            if alias.name in self.names:
                raise Violation(f"the name {alias.name!r} is banned", node)

    def _star(self, module: str, node: ast.AST) -> None:
        if self.anything and (module in LOADERS or module == "sys"):
            raise Violation(f"a star import of {module!r} leads to any module", node)
        for ban in self.dotted:
            owner, _, name = ban.rpartition(".")
            if owner == module:
                self.starred[name] = ban

    def _bind(self, name: str, path: str) -> None:
        self.paths.setdefault(name, set()).add(path)

    def _module(self, path: str, node: ast.AST) -> None:
        """Check the import of a whole module."""
        self._path(path, node)
        root = path.partition(".")[0]
        if self.anything and root in LOADERS and root != "importlib":
            raise Violation(f"the module {root!r} can load any other", node)

    def _path(self, path: str, node: ast.AST) -> None:
        """Check a dotted path from a module on: bans, and banned modules reached through others."""
        parts = path.split(".")
        for start in range(len(parts)):
            for end in range(start + (2 if start else 1), len(parts) + 1):
                ban = ".".join(parts[start:end])
                if ban in self.dotted:
                    raise Violation(f"{ban!r} is banned", node)
        for part in parts[1:]:
            if part in self.modules:
                raise Violation(f"{part!r} is banned, also as {path!r}", node)
        if not self.anything:
            return
        if parts[0] == "importlib" and path not in ("importlib", "importlib.import_module"):
            raise Violation(f"{path!r} can load any module", node)
        if {"sys", "modules"} <= set(parts) or BACKDOORS & set(parts) or "__dict__" in parts:
            raise Violation(f"{path!r} leads to any module", node)

    def _statement(self, node: ast.AST) -> None:
        for name, kinds in self.statements.items():
            if isinstance(node, kinds):
                raise Violation(f"{name!r} is banned", node)

    def resolve(self, node: ast.AST) -> set[str]:
        """Return the dotted paths that ``node`` may stand for."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute) and len(attributes) < _MAX_CHAIN:
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return set()
        tail = "".join(f".{name}" for name in reversed(attributes))
        return {path + tail for path in self.paths.get(node.id, ())}

    def name(self, node: ast.Name) -> None:
        """Check the use of a name."""
        name = node.id
        if name in self.names:
            raise Violation(f"the name {name!r} is banned", node)
        if name in self.starred:
            raise Violation(f"{self.starred[name]!r} is banned", node)
        if not self.anything and self.allow_imports:
            return
        if name in BACKDOORS:
            raise Violation(f"{name!r} leads to any module", node)
        if name == "__import__" and id(node) not in self.cleared:
            raise Violation("__import__ may only be called, with a constant name", node)
        if isinstance(node.ctx, ast.Load) and id(node) not in self.bases:
            self._escape(node)

    def attribute(self, node: ast.Attribute) -> None:
        """Check an attribute, by its path from a module where it has one."""
        path = self._imported_here(node.value)
        if path is not None:
            self._path(f"{path}.{node.attr}", node)
        if self.anything and node.attr in BACKDOORS - {"globals", "locals"}:
            raise Violation(f"{node.attr!r} leads to any module", node)
        for path in self.resolve(node):
            self._path(path, node)
        if id(node) not in self.bases:
            self._escape(node)

    def _escape(self, node: ast.expr) -> None:
        """Refuse to lose sight of a module with dotted bans, or of the importer."""
        if id(node) in self.cleared:
            return
        for path in self.resolve(node):
            if path in self.guarded or (self.reflective and path in self.whole):
                raise Violation(
                    f"the module {path!r} may only be used as {path}.name under this policy", node
                )
            if path.partition(".")[0] == "importlib" and self.anything:
                raise Violation("importlib.import_module may only be called, with a constant", node)

    def call(self, node: ast.Call) -> None:
        """Check imports and attribute access by a text; prepares the names it clears."""
        function = node.func
        first = node.args[0] if node.args else None
        if self._imports(function):
            self._import_call(node, first)
        elif isinstance(function, ast.Name) and function.id in _BY_NAME:
            self._attribute_call(node, function.id)

    def _import_call(self, node: ast.Call, first: ast.expr | None) -> None:
        if not self.allow_imports:
            raise Violation("imports are not allowed", node)
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
            if not self.anything:
                return
            raise Violation("an import of a name that is not constant", node)
        path = first.value.lstrip(".")
        self._module(path, node)
        if self.anything and path.partition(".")[0] == "importlib":
            raise Violation(f"{path!r} can load any module", node)
        self.cleared.add(id(node.func))
        if id(node) not in self.bases and (path in self.guarded or self.reflective):
            raise Violation(f"the module {path!r} must be imported by a statement", node)

    def _attribute_call(self, node: ast.Call, function: str) -> None:
        if not node.args:
            if function == "vars" and self.anything:
                raise Violation("vars() leads to any module", node)
            return
        paths = self.resolve(node.args[0])
        if not paths or not self.anything:
            return
        name = node.args[1] if len(node.args) > 1 else None
        if not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
            raise Violation(f"{function} on a module with a name that is not constant", node)
        for path in paths:
            self._path(f"{path}.{name.value}", node)
        self.cleared.add(id(node.args[0]))

    def _imported_here(self, node: ast.expr) -> str | None:
        """Return ``os`` where ``node`` is ``__import__('os')`` or its like."""
        if not (isinstance(node, ast.Call) and node.args):
            return None
        function, first = node.func, node.args[0]
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
            return None
        return first.value if self._imports(function) else None

    def _imports(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name) and function.id == "__import__":
            return True
        return "importlib.import_module" in self.resolve(function)


_VISITS: Final[dict[type[ast.AST], Callable[[ProgramCheck, Any], None]]] = {
    ast.Name: ProgramCheck.name,
    ast.Attribute: ProgramCheck.attribute,
    ast.Call: ProgramCheck.call,
}
