"""The modules of this repository as text and as syntax trees, and what they import of one another."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "xattn_helpers"
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Module:
    """One .py file. `path` is absolute, `root` is the folder from which it would be imported."""

    path: Path
    root: Path

    @property
    def file(self) -> str:
        """The path relative to the root: what an offence is reported under."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def name(self) -> str:
        """The dotted name; of a package, that of its folder."""
        parts = self.path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """The folder right below the package ("edits"); "root" for its own modules; else "tools" or "tests"."""
        top, *rest = self.path.relative_to(self.root).parts
        if top != PACKAGE:
            return top
        return rest[0] if len(rest) > 1 else "root"

    @cached_property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def lines(self) -> list[str]:
        """The source, line by line."""
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, self.file)

    @cached_property
    def functions(self) -> list[Function]:
        """All functions and methods, inner ones too, without the empty signatures of @overload."""
        functions = (node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS))
        return [function for function in functions if not is_overload(function)]


def modules(*folders: str, root: Path = ROOT) -> list[Module]:
    """Every module in these folders, sorted by path."""
    return [Module(path, root) for folder in folders for path in sorted((root / folder).rglob("*.py"))]


def is_overload(function: Function) -> bool:
    """Whether a function is one of the signatures of @overload."""
    return any(ast.unparse(decorator).endswith("overload") for decorator in function.decorator_list)


def bound_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, name) of every variable, attribute, argument, function and class that code binds.

    Arguments of methods like __eq__ are left out: Python's own convention names them.
    """
    conventional = _arguments_of_special_methods(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.arg) and node not in conventional:
            yield node.lineno, node.arg
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname


def public(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Public functions and classes, and the public methods of these classes."""
    for node in _public_children(tree):
        yield node.name, node
        if isinstance(node, ast.ClassDef):
            for method in _public_children(node):
                yield f"{node.name}.{method.name}", method


def imports(module: Module, known: set[str]) -> Iterator[tuple[int, str]]:
    """(line, name) of every module in `known` that a module imports, wherever in the file it does so.

    What stands under `if TYPE_CHECKING:` is not imported when the code runs, and is left out.
    """
    for node in _without_type_checking(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            names = [_submodule(base, alias.name, known) for alias in node.names]
        else:
            continue
        for name in names:
            if name in known and name != module.name:
                yield node.lineno, name


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import one another, in a circle of any length."""
    reachable = {name: _reachable(name, graph) for name in graph}
    groups = []
    for name in sorted(graph):
        group = sorted(target for target in reachable[name] if name in reachable[target])
        if group and group[0] == name:
            groups.append(group)
    return groups


def _reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    """What can be reached from `start` in one import or more; `start` itself only through a circle."""
    reached, waiting = set(), list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(graph[name])
    return reached


def _without_type_checking(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")):
            yield from _without_type_checking(child)


def _base(module: Module, node: ast.ImportFrom) -> str:
    """The absolute name after `from`."""
    if node.level == 0:
        return node.module or ""
    parts = module.name.split(".")
    is_package = module.path.name == "__init__.py"
    parent = parts[: len(parts) - node.level + is_package]
    return ".".join([*parent, *([node.module] if node.module else [])])


def _submodule(base: str, name: str, known: set[str]) -> str:
    """`from base import name` imports the module base.name if there is such a module, else base."""
    longer = f"{base}.{name}"
    return longer if longer in known else base


def _public_children(node: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    for child in node.body:
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)) and not child.name.startswith("_"):
            if not any(ast.unparse(decorator).endswith((".setter", "overload")) for decorator in child.decorator_list):
                yield child


def _arguments_of_special_methods(tree: ast.AST) -> set[ast.arg]:
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    special = [function for function in functions if function.name.startswith("__") and function.name.endswith("__")]
    return {argument for function in special for argument in function.args.args}
