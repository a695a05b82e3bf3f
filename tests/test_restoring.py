"""An exception anywhere in a run leaves network, thread and edits as they were; edits can be used again."""

import dataclasses
from contextlib import nullcontext

import pytest
import torch
from models_for_tests import PATH, PROMPT, smallest, tiny
from transformers_for_tests import tiny_transformer

from xattn_helpers import Bias, Guidance, Refine, Replace, Reweight, Swap, capture, generate
from xattn_helpers.backbones.backbone import CALL, LISTENERS
from xattn_helpers.edits.edit import Run, State

SOURCE = "a shark floats on the water"


class Broken(Exception):
    pass


def fail(*_, **__):
    raise Broken


class Late:
    """Raises after some calls."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self, *_):
        self.left -= 1
        if self.left < 0:
            raise Broken
        return True


def run(model, **options):
    return generate(model, PROMPT, **({"seed": 0, "steps": 3, "progress": False} | options))


def state(model):
    processors = {name: id(processor) for name, processor in model.network.attn_processors.items()}
    forwards = [name for name, module in model.network.named_modules() if "forward" in vars(module)]
    hooks = sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.network.modules())
    return processors, forwards, hooks, CALL.get(), LISTENERS.get()


@dataclasses.dataclass(frozen=True)
class BrokenSwap(Swap):
    """A swap that raises when it edits."""

    def edit(self, target, source, pairs):
        raise Broken


NO_CAT = [Reweight("burger", 0.0), Swap("cat", "burger", source=SOURCE)]
FAILING = {
    "a word that is missing, in the second edit": (NO_CAT, ValueError),
    "an edit of maps": (BrokenSwap("shark", "burger", source=SOURCE), Broken),
    "an energy": (Guidance("burger", PATH, energy=fail, memory="save"), Broken),
    "a schedule, later": ([Bias("burger", PATH), Guidance("burger", PATH, schedule=Late(2))], Broken),
    "a step that leaves no picture": (Guidance("burger", PATH, strength=1e5, memory="save"), ValueError),
    "a group that is not there": ([Bias("burger", PATH), Guidance("burger", PATH, groups="left")], ValueError),
}


@pytest.mark.parametrize("where", FAILING)
@pytest.mark.parametrize("build", [smallest, lambda: tiny_transformer("wan")], ids=["unet", "wan"])
def test_an_exception_in_an_edit_restores_everything(build, where):
    model = build()
    edits, error = FAILING[where]
    before, plain = state(model), run(model)
    with pytest.raises(error):
        run(model, edits=edits)
    with pytest.raises(error), capture(model):
        run(model, edits=edits)
    assert state(model) == before
    assert torch.equal(run(model).latents, plain.latents)


def test_an_exception_in_the_block_of_a_capture_restores_everything():
    model = smallest()
    before = state(model)
    with pytest.raises(Broken), capture(model), capture(model, heads=True):
        run(model)
        raise Broken
    assert state(model) == before


def test_an_exception_in_the_decoder_or_the_text_restores_everything(monkeypatch):
    model = smallest()
    before = state(model)
    for name in ("decode", "encode"):
        with monkeypatch.context() as patched, pytest.raises(Broken):
            patched.setattr(type(model), name, fail)
            with capture(model):
                run(model, edits=Guidance("burger", PATH, memory="save"))
    assert state(model) == before


def test_a_capture_ends_when_a_run_is_interrupted():
    """As the key for interrupts does."""
    model = smallest()
    before = state(model)
    with pytest.raises(KeyboardInterrupt), capture(model) as attention:
        generate(model, PROMPT, steps=3, progress=False, edits=Interrupting())
    assert state(model) == before
    assert len(attention.steps) == 1 and attention.maps("burger").shape == (1, 8, 8)


class Stop(State):
    def update(self, latents, level, index):
        if index == 1:
            raise KeyboardInterrupt
        return latents


@dataclasses.dataclass(frozen=True)
class Interrupting:
    source: str = ""

    def attach(self, run: Run):
        return nullcontext(Stop())


# Edits are descriptions

EDITS = [
    Swap("shark", "burger", source=SOURCE), Replace(SOURCE), Refine("a big burger floats on the water"),
    Reweight("burger", 2.0), Bias("burger", PATH), Guidance("burger", PATH), Guidance("burger", PATH, memory="save"),
    Swap("shark", "burger", source=SOURCE, keep_background=("shark", "burger"), renormalise=True),
]  # fmt: skip


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: type(edit).__name__)
def test_an_edit_can_be_used_in_other_runs_and_models_and_nothing_is_set_on_it(edit):
    before = dict(vars(edit))
    first = run(smallest(), edits=edit)
    run(tiny_transformer("ltx"), edits=edit, steps=2)
    generate(tiny(1), [PROMPT, PROMPT], [1, 2], steps=1, edits=edit, progress=False)
    again = run(smallest(), edits=edit)
    assert torch.equal(again.latents, first.latents) and again.updates == first.updates
    assert vars(edit) == before
    with pytest.raises(dataclasses.FrozenInstanceError):
        edit.source = "something"
