"""What holds for all explorers, which share one panel."""

import ast
import threading
from pathlib import Path

import ipywidgets as widgets
import pytest
from models_for_tests import PROMPT, tiny

import xattn_helpers
from xattn_helpers import capture, generate
from xattn_helpers.display.explorers import AttentionExplorer, BiasExplorer, PathDrawer, SwapExplorer, TrackExplorer
from xattn_helpers.display.explorers.choices import cell_choices, chosen, offer, words
from xattn_helpers.display.explorers.panel import Panel

EXPLORERS = {
    "attention": lambda model: AttentionExplorer(model, PROMPT),
    "swap": SwapExplorer,
    "track": lambda model: TrackExplorer(model, PROMPT, "burger"),
    "drawer": PathDrawer,
    "bias": BiasExplorer,
}


@pytest.mark.parametrize("name", EXPLORERS)
def test_the_model_is_left_as_it_was(model, name):
    before = dict(model.network.attn_processors)
    EXPLORERS[name](model).run()
    assert model.network.attn_processors == before


ERRORS = [KeyError("lost"), KeyboardInterrupt(), TypeError("a < b"), MemoryError(""), SystemExit()]


@pytest.mark.parametrize("name", EXPLORERS)
@pytest.mark.parametrize("error", ERRORS)
def test_after_an_exception_of_any_kind_it_does_not_say_that_it_runs(model, monkeypatch, name, error):
    def fail(*_, **__):
        raise error

    explorer = EXPLORERS[name](model)
    monkeypatch.setattr(type(model), "predict", fail)
    if isinstance(error, MemoryError):  # something that users can help
        explorer.run()
    else:
        with pytest.raises(type(error)):
            explorer.run()
    said = "Stopped" if isinstance(error, KeyboardInterrupt) else type(error).__name__
    assert said in explorer.message.value and "Running" not in explorer.message.value
    assert not explorer.run_button.disabled and explorer.run_button.description == "Run"


def test_while_it_runs_it_says_so_and_cannot_be_pressed(model):
    explorer, seen = SwapExplorer(model), []
    with explorer.running():
        seen += [explorer.run_button.disabled, "Running" in explorer.message.value]
        raise ValueError("a < b")
    assert isinstance(explorer, Panel) and seen == [True, True] and not explorer.run_button.disabled
    assert "a &lt; b" in explorer.message.value, "text from outside is not taken for HTML"


def test_a_run_that_says_nothing_leaves_the_message_of_before(model):
    explorer = SwapExplorer(model)
    before = explorer.message.value
    with explorer.running():
        pass
    assert explorer.message.value == before


def test_an_explorer_and_a_cell_may_run_at_once(model):
    """JupyterLab runs the button's callback in a thread beside that of the cells."""
    explorer, alone = AttentionExplorer(model, PROMPT), AttentionExplorer(model, PROMPT)
    thread = threading.Thread(target=explorer.run)
    thread.start()
    with capture(model, every_step=True) as attention:
        clip = generate(model, "a shark on the road", seed=3, progress=False)
    thread.join()
    alone.run()
    assert len(attention.steps) == len(explorer.recording.steps) == model.defaults.steps
    assert (clip.video == generate(model, "a shark on the road", seed=3, progress=False).video).all()
    assert (explorer.clip.video == alone.clip.video).all() and (explorer.maps == alone.maps).all()


def test_words_are_offered_without_punctuation_and_once():
    assert words("A wolf's “ice-cream”, on the, the road … (at night).") == (
        "A", "wolf's", "ice-cream", "on", "the", "road", "at", "night"
    )  # fmt: skip
    assert words(" … ") == ()


def test_the_choices_of_sizes_are_those_of_the_model_at_its_own_size():
    model = tiny()
    assert cell_choices(model) == [("all", "all"), ("16 × 16", 1), ("8 × 8", 2), ("4 × 4", 4)]


def test_new_choices_keep_the_chosen_one_where_it_is_among_them():
    control = widgets.Dropdown(options=[("all", "all"), ("8 × 8", 2)], value=2)
    offer(control, [("all", "all"), ("16 × 16", 1), ("8 × 8", 2)])
    assert control.value == 2
    offer(control, [("all", "all"), ("16 × 16", 1)])
    assert control.value == "all" and chosen(control) is None


def test_only_the_explorers_import_widgets():
    package = Path(xattn_helpers.__file__).parent
    for file in package.rglob("*.py"):
        if file.parent.name == "explorers":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)]
            module = getattr(node, "module", None) or ""
            imported = {part for name in (*names, module) for part in name.split(".")}
            assert not imported & {"explorers", "ipywidgets"}, file.name
