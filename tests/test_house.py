"""How the house is built: each rule of tools/house.py, on the code itself and on a small house that breaks it."""

import re

import pytest

from tools import house
from tools.source import ROOT, circles, modules

HOUSE = modules("xattn_helpers", "tools")
ROOMS = house.rooms(HOUSE)


def small_house(tmp_path, **files):
    """Modules with the given text; the name `edits__swap` is the file xattn_helpers/edits/swap.py."""
    for name, text in files.items():
        path = tmp_path / "xattn_helpers" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return modules("xattn_helpers", root=tmp_path)


def faults(rule, checked):
    return [str(offence) for offence in rule(checked)]


# The house


@pytest.mark.parametrize("rule", house.RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule):
    broken = faults(rule, HOUSE)
    assert not broken, "\n".join([f"{len(broken)} offences:", *broken])


def test_functions_are_short():
    assert house.median_length(HOUSE) <= house.MEDIAN_FUNCTION


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_few_comprehensions(room):
    assert house.comprehensions(ROOMS[room]) <= house.COMPREHENSIONS


def test_the_rooms_are_those_of_the_design():
    rooms = {"root", "backbones", "attention", "edits", "measures", "display", "pocket", "studies", "tools", "check"}
    assert set(ROOMS) == rooms


def test_test_files_are_short():
    too_long = [module.file for module in modules("tests") if len(module.lines) > house.LONGEST_FILE]
    assert too_long == []


def test_contributing_names_every_room_and_only_files_that_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [room for room in ROOMS if room != "root" and f"`{room}/`" not in text] == []
    named = set(re.findall(r"`([a-z_/.-]+\.(?:py|toml|yml|md|txt))", text))
    folders = (ROOT, ROOT / "xattn_helpers", ROOT / "xattn_helpers" / "backbones", ROOT / "xattn_helpers" / "measures")
    assert len(named) > 10
    assert [path for path in sorted(named) if not any((folder / path).exists() for folder in folders)] == []


# The rules, on houses that break them


@pytest.mark.parametrize(
    "line",
    [
        "model.unet", "# as the UNet does", "'''A U-Net.'''", "down_blocks", "alphas_cumprod", "CLIP", "WanAttention",
        "the LTX family", "from ..backbones import wan", "transformer_blocks",
    ],
)
def test_a_line_that_names_a_network_is_found(tmp_path, line):
    checked = small_house(tmp_path, edits__swap=f"fine\n{line}\n", backbones__unet=line, pocket__networks=line)
    (fault,) = faults(house.networks, checked)
    assert fault.startswith("xattn_helpers/edits/swap.py:2: names a network")


@pytest.mark.parametrize("line", ['load("wan")', "clip = Clip()", "Wanted", "the sunset", "blocks"])
def test_other_words_name_no_network(tmp_path, line):
    assert faults(house.networks, small_house(tmp_path, edits__swap=line)) == []


def test_a_long_file_and_a_long_function_are_found(tmp_path):
    body = "    x = 1\n" * house.LONGEST_FUNCTION
    files = {"a": f"def long():\n{body}", "b": "x = 1\n" * (house.LONGEST_FILE + 1), "c": f"def fits():\n{body[10:]}"}
    long_function, long_file = faults(house.lengths, small_house(tmp_path, **files))
    assert long_function == "xattn_helpers/a.py:1: long has 46 lines; at most 45"
    assert long_file == "xattn_helpers/b.py:1: 221 lines; at most 220"


@pytest.mark.parametrize(
    "importer, line, allowed",
    [
        ("edits__swap", "from ..display import pictures", False),
        ("edits__swap", "from ..display.pictures import show", False),
        ("edits__swap", "def late():\n    import xattn_helpers.display.pictures", False),
        ("__init__", "from .display.pictures import show", True),
        ("display__videos", "from .pictures import show", True),
        ("studies__sheet", "from ..display.pictures import show", True),
        ("edits__swap", "from ..studies import table", False),
        ("studies__sheet", "from . import table", True),
        ("edits__swap", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..studies import table", True),
    ],
)
def test_imports_in_the_wrong_direction_are_found(tmp_path, importer, line, allowed):
    files = {"display__pictures": "", "studies__table": "", "display____init__": "", "studies____init__": ""}
    checked = small_house(tmp_path, **files, **{importer: line})
    assert (faults(house.directions, checked) == []) is allowed


def test_a_circle_of_imports_is_found(tmp_path):
    files = {"a": "from . import b", "b": "def late():\n    from .c import x", "c": "import xattn_helpers.a"}
    checked = small_house(tmp_path, **files)
    (fault,) = faults(house.import_circles, checked)
    assert fault.endswith("imports in a circle: xattn_helpers.a xattn_helpers.b xattn_helpers.c")


def test_two_circles_are_two_groups_and_a_chain_is_none():
    graph = {"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"c"}, "e": {"a"}}
    assert circles(graph) == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize(
    "code",
    [
        "found = 1", "for one in []: pass", "[some for some in []]", "def both(): pass", "def f(each): pass",
        "x._kept = 1", "import numpy as there", "with open('') as other: pass", "lambda many: 1", "few: int = 1",
    ],
)
def test_a_pronoun_as_a_name_is_found(tmp_path, code):
    assert len(faults(house.pronouns, small_house(tmp_path, a=code))) == 1


@pytest.mark.parametrize("code", ["found_boxes = 1", "def __eq__(self, other): pass", "f(some=1)", "__all__ = []"])
def test_other_names_are_no_pronouns(tmp_path, code):
    assert faults(house.pronouns, small_house(tmp_path, a=code)) == []


def test_what_has_no_docstring_is_found(tmp_path):
    code = "def f(): pass\nclass C:\n    def m(self): pass\n    def _own(self): pass\ndef _g(): pass\n"
    named = [fault.partition(": ")[2].split()[0] for fault in faults(house.undocumented, small_house(tmp_path, a=code))]
    assert named == ["the", "f", "C", "C.m"]


def test_the_signatures_of_an_overload_need_no_docstring(tmp_path):
    code = '"""M."""\n@overload\ndef f(x: int): ...\ndef f(x):\n    """F."""\n'
    assert faults(house.undocumented, small_house(tmp_path, a=code)) == []


@pytest.mark.parametrize("code, count", [("lambda x=1: x", 1), ("x == x", 1), ("x != x", 1), ("lambda x: x == y", 0)])
def test_glue_is_found(tmp_path, code, count):
    assert len(faults(house.glue, small_house(tmp_path, a=code))) == count


def test_comprehensions_are_counted_for_a_hundred_lines(tmp_path):
    checked = small_house(tmp_path, a="x = [i for i in y]\nz = any(i for i in x)\n" + "\n" * 48)
    assert house.comprehensions(checked) == 4.0
