"""What holds for all three explorers, which share one panel."""

import ast
from pathlib import Path

import pytest
from models_for_tests import PROMPT

import xattn_helpers
from xattn_helpers.panel import Panel
from xattn_helpers.swap_explorer import SwapExplorer
from xattn_helpers.track_explorer import TrackExplorer
from xattn_helpers.widgets import AttentionExplorer

FILES = {"panel", "widgets", "swap_explorer", "track_explorer"}
EXPLORERS = {
    "attention": lambda model: AttentionExplorer(model, PROMPT), "swap": SwapExplorer,
    "track": lambda model: TrackExplorer(model, PROMPT, "burger"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPLORERS)
def test_the_model_is_left_as_it_was(model, name):
    before = dict(model.unet.attn_processors)
    EXPLORERS[name](model).run()
    assert model.unet.attn_processors == before


def test_while_it_runs_it_says_so_and_cannot_be_pressed(model):
    panel, seen = SwapExplorer(model), []
    with panel.running():
        seen += [panel.run_button.disabled, "Running" in panel.message.value]
        raise ValueError("a < b")
    assert isinstance(panel, Panel) and seen == [True, True] and not panel.run_button.disabled
    assert "a &lt; b" in panel.message.value, "text from outside is not taken for HTML"


def test_nothing_but_the_explorers_imports_one_of_them():
    for file in Path(xattn_helpers.__file__).parent.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
        found = {alias.name for node in imports for alias in node.names}
        found |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
        if file.stem not in FILES:
            assert not {name.split(".")[-1] for name in found} & {*FILES, "ipywidgets"}, file.name
