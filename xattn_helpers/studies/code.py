"""Which code measures a row: the source of a function and of all that it uses, so that other code may change freely."""

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from types import FunctionType, ModuleType

ROOMS = ("xattn_helpers.studies", "xattn_helpers.measures")  # whose code counts
ROOT = Path(__file__).parents[2]  # of the checkout
SPELLING = ("kind", "ctx", "type_comment")  # fields of a syntax tree that say how something is written, or where


def digest(*parts: object) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of what the parts look like when printed."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def reached(method: Callable, rooms: tuple[str, ...] = ROOMS) -> dict[str, str]:
    """The structure of a function or method and of every function, class and constant of these rooms that it uses.

    Found by the names that stand in the source, so what is only reached through a variable is not seen. Comments,
    docstrings and layout are left out. A constant counts by its value, and is a name in capitals without a leading
    underscore.
    """
    sources: dict[str, str] = {}
    waiting = [(inspect.unwrap(method), type(getattr(method, "__self__", None)))]
    while waiting:
        item, owner = waiting.pop()
        name = f"{item.__module__}.{item.__qualname__}"
        if name in sources:
            continue
        tree = without_docstrings(ast.parse(dedent(inspect.getsource(item))))
        sources[name] = structure(tree)
        for label, value in used(tree, item, owner):
            definition = inspect.unwrap(value) if callable(value) else value
            if is_code(definition, rooms):
                waiting.append((definition, owner))
            elif label.isupper() and not label.startswith("_") and not isinstance(value, ModuleType):  # not `F`
                sources[f"{item.__module__}.{label}"] = plain(value)
    return dict(sorted(sources.items()))


def structure(node: object) -> str:
    """A syntax tree as a text that is the same in all versions of Python, as neither its `dump` nor its `unparse` are.

    Left out are empty fields, which newer versions add, and the empty texts that some put between parts of an f-string.
    """
    if isinstance(node, list):
        return f"[{' '.join(structure(item) for item in node)}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name, value in sorted(ast.iter_fields(node)):
        if isinstance(node, ast.JoinedStr):
            value = [part for part in value if not (isinstance(part, ast.Constant) and part.value == "")]
        if value is not None and value != [] and name not in SPELLING:
            fields.append(f"{name}={structure(value)}")
    return f"{type(node).__name__}({' '.join(fields)})"


def used(tree: ast.AST, item: Callable, owner: type) -> list[tuple[str, object]]:
    """Names in a source with the values that they have in its module, in one of its modules, or in `self`."""
    scope = vars(sys.modules[item.__module__])
    pairs = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in scope:
            pairs.append((node.id, scope[node.id]))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            base = owner if node.value.id == "self" else scope.get(node.value.id)
            if isinstance(base, (ModuleType, type)) and hasattr(base, node.attr):
                pairs.append((node.attr, getattr(base, node.attr)))
    return pairs


def is_code(value: object, rooms: tuple[str, ...]) -> bool:
    """Whether a value is a function or class that is written in one of the rooms."""
    module = getattr(value, "__module__", None) or ""
    return isinstance(value, (FunctionType, type)) and module.startswith(rooms)


def plain(value: object) -> str:
    """What a constant looks like, the same in every process and checkout.

    Sets have no order, some objects only an address, and where this repository is says nothing.
    """
    if isinstance(value, Path):
        return (value.relative_to(ROOT) if value.is_relative_to(ROOT) else value).as_posix()
    if isinstance(value, (set, frozenset)):
        return repr(sorted(value, key=repr))
    text = repr(value)
    return type(value).__name__ if " at 0x" in text else text


def without_docstrings(tree: ast.AST) -> ast.AST:
    """The tree with its docstrings taken out; comments and layout are in no tree."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree
