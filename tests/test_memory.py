"""How much memory is free, and what is said when there is none."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch
from models_for_tests import PATH, PROMPT, noise, tiny
from steering_for_tests import TIMESTEP, begun

from xattn_helpers import Bias, Guidance, generate
from xattn_helpers.backbones import memory, model
from xattn_helpers.backbones.codec import Codec
from xattn_helpers.edits import gradient
from xattn_helpers.edits.edit import State

GIB = 2**30


def gpu(monkeypatch, unclaimed, total, limit, held, used):
    """A GPU with so many GiB that nobody has, in all, allowed to this process, held and used by it."""
    answers = {
        "mem_get_info": (unclaimed * GIB, total * GIB), "get_per_process_memory_fraction": limit / total,
        "memory_reserved": held * GIB, "memory_allocated": used * GIB,
    }  # fmt: skip
    functions = {name: lambda device, answer=answer: answer for name, answer in answers.items()}
    monkeypatch.setattr(torch, "cuda", SimpleNamespace(**functions))
    return memory.free_share(torch.device("cuda"))


@pytest.mark.parametrize(
    "unclaimed, total, limit, held, used, share",
    [
        (16, 16, 16, 0, 0, 1.0), (10, 16, 16, 6, 6, 10 / 16), (10, 16, 16, 6, 2, 14 / 16),  # what is held can be used
        (100, 140, 15, 5, 5, 10 / 15), (100, 140, 15, 5, 3, 12 / 15),  # a limit
        (2, 140, 15, 5, 5, 2 / 15),  # others have the rest
        (0, 16, 16, 16, 16, 0.0), (10, 140, 15, 20, 20, 0.0),
    ],
)  # fmt: skip
def test_the_free_share_is_what_this_process_can_still_fill(monkeypatch, unclaimed, total, limit, held, used, share):
    assert gpu(monkeypatch, unclaimed, total, limit, held, used) == pytest.approx(share)


@pytest.mark.parametrize("free, together", [(4, True), (3, False)])
def test_what_fits_is_told_by_the_width_of_a_network(monkeypatch, free, together):
    """2 clips of 3 frames of 128 x 128 cells, 320 numbers of 2 bytes a cell, 60 times: 3.5 GiB."""
    gpu(monkeypatch, free, 16, 16, 6, 6)
    latents = SimpleNamespace(device=torch.device("cuda"), numel=lambda: 2 * 4 * 3 * 128 * 128, shape=(2, 4))
    assert memory.fits(latents, 320, torch.float16) == together


def test_halves_go_apart_where_both_do_not_fit(monkeypatch):
    network, seen = tiny(3), []
    latents, texts = noise(network), (network.encode(PROMPT), network.encode(""))
    together = network.predict(latents, TIMESTEP, *texts, 9.0)
    monkeypatch.setattr(model, "fits", lambda *about: seen.append(about) or False)
    sizes = []
    handle = network.network.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    apart = network.predict(latents, TIMESTEP, *texts, 9.0)
    handle.remove()
    torch.testing.assert_close(apart, together, atol=1e-4, rtol=1e-4)
    assert sizes == [1, 1]
    ((doubled, width, dtype),) = seen
    assert len(doubled) == 2 and width == network.network.config.block_out_channels[0] and dtype == torch.float32


def test_a_cpu_is_never_short():
    assert memory.fits(torch.zeros(1, 4, 1, 1), 10**12, torch.float32)
    assert memory.free_share(torch.device("cpu")) == 1.0


def full(*inputs, **options):
    raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB")


class Elsewhere:
    """An edit that does not say how it acts on some of the prompts."""

    source = ""

    @contextmanager
    def attach(self, run):
        yield State()


@pytest.mark.parametrize(
    "prompts, edits, wanted, unwanted",
    [
        (PROMPT, (), ("fewer frames", "height and width", "float16", "20.00 GiB"), ("fewer prompts", "Guidance")),
        ([PROMPT] * 3, (), ("fewer frames",), ("fewer prompts",)),  # they were tried one by one
        ([PROMPT] * 3, Elsewhere(), ("fewer prompts in a call (given: 3)",), ()),
        (PROMPT, Guidance("burger", PATH), ('memory="save"',), ()),
        (PROMPT, [Bias("burger", PATH), Guidance("burger", PATH, memory="spend")], ('memory="save"',), ()),
        (PROMPT, Guidance("burger", PATH, memory="save"), (), ("Guidance",)),
    ],
)
def test_a_full_memory_is_answered_with_what_helps(monkeypatch, prompts, edits, wanted, unwanted):
    model = tiny()
    monkeypatch.setattr(type(model.network), "forward", full)
    with pytest.raises(torch.OutOfMemoryError, match="the memory of cpu is full; what helps is") as caught:
        generate(model, prompts, edits=edits, progress=False)
    assert all(text in str(caught.value) for text in wanted)
    assert not any(text in str(caught.value) for text in unwanted)
    assert caught.value.__context__ is None, "what filled the memory is held by nobody"


@pytest.mark.parametrize("frames", [1, 3])
def test_memory_that_becomes_short_in_mid_pass_changes_no_gradient(frames, monkeypatch):
    model, free = tiny(frames), []

    def free_share(device):
        free.append(1.0 - 0.2 * len(free))
        return free[-1]

    monkeypatch.setattr(gradient, "free_share", free_share)
    spending, asking = begun(model=model, memory="spend"), begun(model=model, memory="auto")
    asking._is_short = gradient.shortage("auto", False, torch.device("cuda"))
    given, wanted = (steering.gradient(noise(model), TIMESTEP) for steering in (asking, spending))
    torch.testing.assert_close(given, wanted, atol=1e-7, rtol=1e-4)
    assert free[:3] == [1.0, 0.8, pytest.approx(0.6)] and min(free) < gradient.SHORT, "some are kept, others are not"
    assert not any("forward" in vars(stage) for stage in model.backbone.stages())


@pytest.mark.parametrize(
    "memory, graphed, device, short",
    [
        ("auto", False, "cpu", None), ("spend", False, "cuda", None), ("spend", True, "cuda", None),
        ("save", False, "cpu", [True, True]), ("save", False, "cuda", [True, True]),
        ("auto", True, "cuda", [True, True]), ("auto", False, "cuda", [False, True]),
    ],
)  # fmt: skip
def test_when_memory_counts_as_short(memory, graphed, device, short, monkeypatch):
    is_short, answers = gradient.shortage(memory, graphed, torch.device(device)), []
    for free in (0.5, 0.49):
        monkeypatch.setattr(gradient, "free_share", lambda device, free=free: free)
        answers.append(is_short and is_short())
    assert answers == (short or [None, None])


def test_an_unknown_way_to_use_memory_names_those_that_are_there():
    with pytest.raises(ValueError, match="memory='much'.: memory must be 'auto', 'save' or 'spend'"):
        Guidance("burger", PATH, memory="much")


@pytest.mark.parametrize("side, frames", [(128, 4), (256, 4), (320, 2), (512, 1), (768, 1), (4096, 1)])
def test_large_frames_are_decoded_one_by_one(side, frames):
    vae = SimpleNamespace(config=SimpleNamespace(block_out_channels=(1, 2, 3, 4)))
    assert Codec(vae).at_once((side // 8) ** 2) == frames
