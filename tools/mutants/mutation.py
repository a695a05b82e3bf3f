"""Cosmic Ray's mutations of a file: all places where there is one, a choice of them at random, and their code."""

import ast
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from tools.source import FUNCTIONS, is_overload

Position = tuple[int, int]  # line from 1, column from 0
# 2.5 | 1 and the like raise at once, so that any test would catch them.
RAISES = re.compile(r"_(Add|Sub|Mul|Div|FloorDiv|Mod|Pow)_(BitOr|BitAnd|BitXor|LShift|RShift)$")


@dataclass(frozen=True)
class Mutant:
    """One mutation. `occurrence` counts the places where an operator may act, in the order of the file."""

    operator: str  # Cosmic Ray's name, "core/NumberReplacer"
    occurrence: int
    start: Position
    before: str  # the code line, without indentation
    after: str
    code: str  # the whole file, mutated


def choose(code: str, number: int, seed: str) -> list[Mutant]:
    """At most `number` mutants at different places, the same for the same seed; a larger number adds to them.

    Every place, and kind of operator there, is as likely as any; so what can be replaced in eleven ways counts once.
    """
    draw = random.Random(seed)
    places: dict[tuple[Position, str], list[tuple[str, int]]] = {}
    for name, occurrence, start in sites(code):
        places.setdefault((start, family(name)), []).append((name, occurrence))
    order = sorted(places)
    draw.shuffle(order)
    mutants = []
    for start, kind in order:
        name, occurrence = draw.choice(places[start, kind])
        if len(mutants) < number and (mutant := apply(code, name, occurrence, start)):
            mutants.append(mutant)
    return mutants


def sites(code: str) -> Iterator[tuple[str, int, Position]]:
    """(operator, occurrence, start) of every mutation outside of annotations and overloads, which do not run."""
    tree = get_ast(code)
    idle = _idle(code)
    for name, operator in _operators().items():
        occurrence = 0
        for node in ast_nodes(tree):
            for start, _ in operator.mutation_positions(node):
                if not any(begin <= start < end for begin, end in idle):
                    yield name, occurrence, start
                occurrence += 1


def family(name: str) -> str:
    """The kind of an operator: all replacements of a comparison are one kind."""
    return name.partition("/")[2].partition("_")[0]


def apply(code: str, name: str, occurrence: int, start: Position) -> Mutant | None:
    """The mutant; None where the mutated code is no Python, or the code has not changed."""
    mutated = mutate_code(code, _operators()[name], occurrence)
    if mutated is None or not _compiles(mutated):
        return None
    old, new = code.splitlines(), mutated.splitlines()
    if old == new:
        return None
    first = next((index for index, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(new) - 1)
    return Mutant(name, occurrence, start, old[first].strip(), new[first].strip(), mutated)


@cache
def _operators() -> dict[str, Any]:
    """Those that need no arguments, change something, and leave code that may run."""
    operators = {}
    for name in sorted(operator_names()):
        useful = name != "core/NoOp" and not RAISES.search(name)
        if useful and not get_operator(name).arguments():
            operators[name] = get_operator(name)()
    return operators


def _idle(code: str) -> list[tuple[Position, Position]]:
    """Begin and end of all annotations and of the signatures of overloads."""
    nodes: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.arg, ast.AnnAssign)):
            nodes.append(node.annotation)
        elif isinstance(node, FUNCTIONS):
            nodes.append(node if is_overload(node) else node.returns)
    return [_span(node) for node in nodes if node is not None]


def _span(node: Any) -> tuple[Position, Position]:
    """Decorators included: they stand before the line of a function."""
    first = min([node, *getattr(node, "decorator_list", [])], key=lambda part: part.lineno)
    return (first.lineno, first.col_offset), (node.end_lineno, node.end_col_offset)


def _compiles(code: str) -> bool:
    try:
        compile(code, "mutant", "exec")
    except SyntaxError:
        return False
    return True
