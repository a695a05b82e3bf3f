"""Graphs that stay with their network between runs, and are given other words, targets and texts of the same shapes."""

import gc
import weakref

import pytest
import torch
from models_for_tests import PATH, PROMPT, smallest, tiny
from steering_for_tests import TIMESTEP, begun, close, image_noise
from test_graphed import stand_in  # noqa: F401

from xattn_helpers import Guidance, generate, track
from xattn_helpers.backbones.offloading import take_turns
from xattn_helpers.backbones.temporal import frames_apart
from xattn_helpers.edits import graphs
from xattn_helpers.edits.energies import box_energy

pytestmark = pytest.mark.usefixtures("stand_in")

ELSEWHERE, OTHER = track([(0.7, 0.6)], size=0.3), "a dog runs on the grass and a burger"
PAIR = {"word": ["burger", "water"], "target": [PATH, ELSEWHERE]}
LATENTS = image_noise()


def passes(model=None, count=3, **about):
    """What passes of a run of their own give, the last one; it leaves its graph."""
    steering = begun(graphed=True, model=model or tiny(1), **about)
    results = [steering.gradient(LATENTS, TIMESTEP) for _ in range(count)]
    steering.release()
    return results[-1]


def recorded():
    return graphs.Graphed.count


@pytest.mark.parametrize(
    "about",
    [
        {}, {"word": "water"}, {"target": ELSEWHERE}, {"prompts": OTHER}, {"target": ELSEWHERE, "shape": "box"},
        {"strength": 0.01, "schedule": "always"}, {"frame_of": lambda frame, frames: 0}, {"word": "Burger"},
        {"target": torch.rand(1, 16, 16, generator=torch.Generator().manual_seed(1))},
    ],
)  # fmt: skip
def test_the_next_run_replays_what_was_recorded_with_its_own_words_targets_and_text(about):
    passes()
    given = passes(count=1, **about)
    close(given, begun(model=tiny(1), **about).gradient(LATENTS, TIMESTEP))
    assert recorded() == 1


def test_objects_that_share_a_target_are_told_apart_in_the_next_run():
    words = {"word": ["burger", "water", "floats"]}
    passes(target=[PATH, PATH, ELSEWHERE], **words)
    given = passes(count=1, target=[PATH, ELSEWHERE, ELSEWHERE], **words)
    close(given, begun(model=tiny(1), target=[PATH, ELSEWHERE, ELSEWHERE], **words).gradient(LATENTS, TIMESTEP))
    assert recorded() == 1


@pytest.mark.parametrize(
    "about",
    [
        PAIR, {"cells": 2}, {"groups": "up"}, {"energy": "size"}, {"energy": {"box": 2.0}}, {"memory": "save"},
        {"word": "on the"}, {"prompts": [PROMPT, OTHER]},
    ],
)  # fmt: skip
def test_what_is_computed_otherwise_is_recorded_anew(about):
    passes()
    latents = LATENTS if isinstance(about.get("prompts", ""), str) else torch.cat([LATENTS, LATENTS])
    steering = begun(graphed=True, model=tiny(1), **about)
    given = [steering.gradient(latents, TIMESTEP) for _ in range(2)][-1]
    close(given, begun(model=tiny(1), **about).gradient(latents, TIMESTEP))
    assert recorded() == 2


def test_weights_that_moved_and_hooks_that_were_put_are_noticed():
    model = smallest()
    latents = image_noise(height=8, width=8)

    def count():
        steering = begun(graphed=True, model=model, cells=1)
        for _ in range(2):
            steering.gradient(latents, TIMESTEP)
        steering.release()
        return recorded()

    assert [count(), count()] == [1, 1]
    model.network.conv_in.weight = torch.nn.Parameter(model.network.conv_in.weight.clone(), requires_grad=False)
    assert [count(), count()] == [2, 2]
    handle = model.network.mid_block.register_forward_hook(lambda *_: None)
    assert [count(), count()] == [3, 3]
    handle.remove()
    assert count() == 4
    model.network.set_attn_processor(type(model.network.mid_block.attentions[0].transformer_blocks[0].attn2.processor)())
    assert count() == 5


def test_frames_denoised_apart_are_another_pass():
    model, latents = tiny(3), torch.randn(1, 4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    together = begun(graphed=True, model=model)
    for _ in range(2):
        together.gradient(latents, TIMESTEP)
    together.release()
    with frames_apart(model):
        steering = begun(graphed=True, model=model)
        given = [steering.gradient(latents, TIMESTEP) for _ in range(2)][-1]
        close(given, begun(model=model).gradient(latents, TIMESTEP))
    assert recorded() == 2


def test_a_graph_is_used_by_one_run_at_a_time():
    passes()
    first, second = begun(graphed=True, model=tiny(1)), begun(graphed=True, model=tiny(1))
    for _ in range(2):
        first.gradient(LATENTS, TIMESTEP)
        second.gradient(LATENTS, TIMESTEP)
    assert recorded() == 2 and first._graph.graph is not second._graph.graph


def test_where_memory_is_short_nothing_is_kept(monkeypatch):
    monkeypatch.setattr(graphs, "free_share", lambda device: 0.49)
    passes()
    assert not graphs.forget()
    passes()
    assert recorded() == 2


def test_a_function_as_an_energy_is_not_kept_because_it_may_hold_the_model():
    passes(energy=lambda maps, targets: box_energy(maps, targets))
    assert not graphs.forget()


def test_a_network_that_leaves_the_gpu_keeps_no_graph():
    model = smallest()
    take_turns([model.network], torch.device("cpu"))
    steering = begun(graphed=True, model=model, cells=1)
    assert not steering._graph.is_kept and begun(graphed=True, model=tiny(1))._graph.is_kept


def test_a_kept_graph_goes_with_its_network_and_does_not_keep_it():
    network = torch.nn.Linear(2, 2)
    graphs.keep(network, "key", object(), torch.device("cpu"))
    gone = weakref.ref(network)
    del network
    gc.collect()
    assert gone() is None and not graphs.forget()


def test_a_full_memory_takes_kept_graphs_first(monkeypatch):
    network, forward, tried = tiny(1).network, type(tiny(1).network).forward, []
    wanted = generate(tiny(1), PROMPT, steps=1, progress=False)

    def full_once(*inputs, **options):
        tried.append(inputs)
        if len(tried) == 1:
            raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB")
        return forward(*inputs, **options)

    monkeypatch.setattr(type(network), "forward", full_once)
    graphs.keep(network, "key", object(), torch.device("cpu"))
    assert torch.equal(generate(tiny(1), PROMPT, steps=1, progress=False).latents, wanted.latents)
    assert len(tried) == 2 and not graphs.forget()
    tried.clear()
    with pytest.raises(torch.OutOfMemoryError, match="is full"):
        generate(tiny(1), PROMPT, steps=1, progress=False)


def test_a_target_that_the_user_holds_is_never_written():
    maps = torch.rand(1, 16, 16, generator=torch.Generator().manual_seed(2))
    before = maps.clone()
    passes(target=maps)
    passes(count=1, target=ELSEWHERE)
    assert torch.equal(maps, before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_next_clip_is_that_of_a_run_without_a_graph():
    from xattn_helpers import load

    model, latents = load("pocket"), []
    generate(model, PROMPT, edits=Guidance("burger", PATH, graphed=True), progress=False)
    assert len(graphs._KEPT) == 1
    for graphed in (False, True):
        guidance = Guidance("water", ELSEWHERE, graphed=graphed, memory="save")
        latents.append(generate(model, PROMPT, seed=4, edits=guidance, progress=False).latents)
    torch.testing.assert_close(*latents, atol=0.05, rtol=0.05)
