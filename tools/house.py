"""How the house is built, measured: python -m tools.house [--all] [ROOM ...]

Prints the figures of each room, and each offence against the rules that tests/test_house.py keeps.
    ROOM     only these: root attention backbones display edits measures pocket studies tools
    --all    the tests as well, for which the rules are advice
"""

import argparse
import ast
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tools.source import PACKAGE, Function, Module, bound_names, circles, imports, modules, public

LONGEST_FILE = 220  # lines
LONGEST_FUNCTION = 45
MEDIAN_FUNCTION = 10
COMPREHENSIONS = 5.0  # for 100 lines of a room
# Only these know a network. The rest speaks of sites, groups and cells.
KNOW_NETWORKS = ("backbones", "pocket")
NETWORK = re.compile(
    r"(?i:u-?net)|\bWan(?![a-z])|\bLTX|(?<![\"'\w])(?:wan|ltx)\b(?![\"'])|\b(?:Latte|Allegro|SanaVideo)"
    r"|CLIP|alphas_cumprod|\b(?:down|up)_blocks|\bmid_block|\btransformer_blocks"
)
PRONOUNS = frozenset(
    "aims all along another any anything both each either everything few found given got he here it kept least less "
    "many more most neither none nothing one ones other others same several she some something such that them there "
    "these they this those together twins we what which who whom whose you".split()
)
COMPREHENSION = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Offence:
    """One place where a rule is broken."""

    room: str
    place: str  # file:line
    fault: str

    def __str__(self) -> str:
        return f"{self.place}: {self.fault}"


def rooms(checked: list[Module]) -> dict[str, list[Module]]:
    """The modules of each room."""
    rooms: dict[str, list[Module]] = {}
    for module in checked:
        rooms.setdefault(module.room, []).append(module)
    return rooms


def networks(checked: list[Module]) -> Iterator[Offence]:
    """Lines that name a network or a part of one, outside the rooms that may."""
    for module in checked:
        if module.room not in (*KNOW_NETWORKS, "tools", "tests"):
            for number, line in enumerate(module.lines, 1):
                if match := NETWORK.search(line):
                    yield _offence(module, number, f"names a network: {match[0]}")


def lengths(checked: list[Module]) -> Iterator[Offence]:
    """Files and functions that are too long."""
    for module in checked:
        if len(module.lines) > LONGEST_FILE:
            yield _offence(module, 1, f"{len(module.lines)} lines; at most {LONGEST_FILE}")
        for function in module.functions:
            if length(function) > LONGEST_FUNCTION:
                yield _offence(
                    module, function.lineno, f"{function.name} has {length(function)} lines; at most {LONGEST_FUNCTION}"
                )


def directions(checked: list[Module]) -> Iterator[Offence]:
    """Imports that go the wrong way: display is imported by the package itself and studies, studies by nothing."""
    known = {module.name for module in checked}
    for module in checked:
        for number, name in imports(module, known):
            if not _allowed(module, name):
                yield _offence(module, number, f"imports {name}")


def import_circles(checked: list[Module]) -> Iterator[Offence]:
    """Modules that import one another, imports inside of functions included."""
    by_name = {module.name: module for module in checked}
    graph = {name: {target for _, target in imports(module, set(by_name))} for name, module in by_name.items()}
    for group in circles(graph):
        yield _offence(by_name[group[0]], 1, f"imports in a circle: {' '.join(group)}")


def pronouns(checked: list[Module]) -> Iterator[Offence]:
    """Names that are no nouns."""
    for module in checked:
        for number, name in bound_names(module.tree):
            if is_pronoun(name):
                yield _offence(module, number, f"the name {name}")


def undocumented(checked: list[Module]) -> Iterator[Offence]:
    """Public modules, classes, functions and methods without a docstring."""
    for module in checked:
        if module.room == "tests":
            continue
        if not ast.get_docstring(module.tree):
            yield _offence(module, 1, "the module has no docstring")
        for name, node in public(module.tree):
            if not ast.get_docstring(node):
                yield _offence(module, node.lineno, f"{name} has no docstring")


def glue(checked: list[Module]) -> Iterator[Offence]:
    """Lambdas with defaults, and values that are compared with themselves."""
    for module in checked:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Lambda) and (node.args.defaults or any(node.args.kw_defaults)):
                yield _offence(module, node.lineno, "a lambda with a default argument")
            if isinstance(node, ast.Compare) and ast.dump(node.left) == ast.dump(node.comparators[0]):
                yield _offence(module, node.lineno, f"{ast.unparse(node)} compares a value with itself")


RULES = (networks, lengths, directions, import_circles, pronouns, undocumented, glue)


def is_pronoun(name: str) -> bool:
    """Whether a name is no noun; `_found` is as little one as `found`, and `__all__` is Python's."""
    return name.strip("_") in PRONOUNS and not name.startswith("__")


def length(function: Function) -> int:
    """Lines of a function from `def` on, docstring and comments included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def median_length(checked: list[Module]) -> float:
    """The median length of a function."""
    return statistics.median(length(function) for module in checked for function in module.functions)


def comprehensions(checked: list[Module]) -> float:
    """Comprehensions and generator expressions for 100 lines."""
    count = sum(isinstance(node, COMPREHENSION) for module in checked for node in ast.walk(module.tree))
    return 100 * count / sum(len(module.lines) for module in checked)


def _allowed(module: Module, name: str) -> bool:
    """Whether a module may import another, as far as display and studies go."""
    room = name.removeprefix(f"{PACKAGE}.").partition(".")[0]
    if room == "display":
        return module.name == PACKAGE or module.room in ("display", "studies", "tools", "tests")
    if room == "studies":
        return module.room in ("studies", "tools", "tests")
    return True


def _offence(module: Module, line: int, fault: str) -> Offence:
    return Offence(module.room, f"{module.file}:{line}", fault)


def pronoun_share(checked: list[Module]) -> float:
    """The share of the bound names that are no nouns."""
    names = [is_pronoun(name) for module in checked for _, name in bound_names(module.tree)]
    return sum(names) / len(names) if names else 0.0


def figures(room: str, members: list[Module]) -> str:
    """A line of the table."""
    functions = [length(function) for module in members for function in module.functions] or [0]
    sizes = [len(module.lines) for module in members]
    return (
        f"{room:10}{len(members):6}{sum(sizes):7}{max(sizes):13}{statistics.median(functions):8g}{max(functions):9}"
        f"{comprehensions(members):16.1f}{pronoun_share(members):10.1%}"
    )


def main() -> None:
    """Prints the figures and the offences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("rooms", nargs="*")
    arguments = parser.parse_args()
    checked = modules(PACKAGE, "tools", *(["tests"] if arguments.all else []))
    asked = set(arguments.rooms) or set(rooms(checked))
    print("room       files  lines  longest file  median, longest function  comprehensions  pronouns")
    for room, members in rooms(checked).items():
        if room in asked:
            print(figures(room, members))
    for rule in RULES:
        offences = [offence for offence in rule(checked) if offence.room in asked]
        counts = Counter(offence.room for offence in offences)
        print(f"\n{rule.__name__}: {len(offences)}  {dict(counts) or ''}")
        print("".join(f"  {offence}\n" for offence in offences), end="")


if __name__ == "__main__":
    main()
