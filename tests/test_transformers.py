"""Whole runs of tiny video transformers: recording, edits, and one call or two for the halves."""

from dataclasses import replace

import pytest
import torch
from models_for_tests import PATH, PROMPT
from transformers_for_tests import BLOCKS, tiny_transformer

from xattn_helpers import Bias, Guidance, Reweight, Swap, capture, generate
from xattn_helpers.attention.processor import listening

SOURCE = "a shark floats on the water"
SIZES = {"wan": (3, 4, 6), "ltx": (3, 8, 12)}  # of maps: latents of 8 x 12, and patches of 2 or 1


@pytest.fixture(params=SIZES)
def kind(request):
    return request.param


@pytest.fixture
def model(kind):
    return tiny_transformer(kind)


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"seed": 0, "progress": False} | options))


class Watcher:
    edits = False

    def __init__(self):
        self.calls = []

    def __call__(self, maps, site, call):
        self.calls.append((site, call, maps))


def test_a_video_is_made_and_recorded(kind, model):
    plain = run(model)
    with capture(model, every_step=True, heads=True, half="both") as attention:
        recorded = run(model)
    assert torch.equal(recorded.latents, plain.latents) and (recorded.video == plain.video).all()
    assert plain.video.shape == (3, 16, 24, 3) and plain.video.std() > 0
    assert attention.maps("burger").shape == SIZES[kind]
    assert attention.maps("burger", group="late", step=-1, head=1).shape == SIZES[kind]
    assert [step.index for step in attention.steps] == [0, 1, 2] and len(attention.sites()) == BLOCKS
    for half in ("conditional", "unconditional"):
        total = attention.probabilities(model.sites[0], half=half).sum(-1)
        torch.testing.assert_close(total, torch.ones_like(total), atol=1e-5, rtol=0)
    assert not torch.allclose(attention.maps(2, half="unconditional"), attention.maps(2))


def test_the_default_recording_is_the_mean_of_steps_and_heads(model):
    with capture(model, every_step=True, heads=True) as full, capture(model) as mean:
        run(model)
    steps = torch.stack([full.probabilities(model.sites[1], step) for step in range(3)])
    torch.testing.assert_close(mean.probabilities(model.sites[1]), steps.mean(0).mean(2, keepdim=True))
    torch.testing.assert_close(mean.maps("burger"), full.maps("burger"))


def test_halves_come_in_a_call_or_in_two(kind, model):
    with listening(model.backbone, watcher := Watcher(), model.sites[:1]):
        run(model, [PROMPT, "the shark"], seed=[1, 2], steps=2)
    halves = [call.halves for _, call, _ in watcher.calls]
    if kind == "ltx":
        assert halves == [("unconditional", "conditional")] * 2 and model.backbone.joint
    else:
        assert halves == [("unconditional",), ("conditional",)] * 2 and not model.backbone.joint
    for _, call, maps in watcher.calls:
        assert call.clips == 2 and len(maps) == 2 * len(call.halves) and call.prompts == (PROMPT, "the shark")
    assert {call.index for _, call, _ in watcher.calls} == {0, 1}


def test_halves_are_the_same_in_a_call_and_in_two(kind, model):
    """A family that takes both halves in a call may be asked for them apart, and the reverse."""

    class Turned(type(model.backbone)):
        joint = not model.backbone.joint

    turned = replace(model, backbone=Turned(model.network))
    with capture(model, half="both") as own, capture(turned, half="both") as other:
        first = run(model)
        second = run(turned)
    torch.testing.assert_close(second.latents, first.latents, atol=1e-4, rtol=1e-4)
    for half in ("conditional", "unconditional"):
        wanted = own.runs[0].probabilities(model.sites[2], half=half)
        torch.testing.assert_close(other.runs[1].probabilities(model.sites[2], half=half), wanted, atol=1e-5, rtol=0)


def test_a_batch_is_as_its_parts_alone(model):
    clips = run(model, [PROMPT, SOURCE], seed=[3, 4])
    for clip in clips:
        alone = run(model, clip.prompt, seed=clip.seed)
        torch.testing.assert_close(clip.latents, alone.latents, atol=1e-4, rtol=1e-4)


# Edits


def test_swapping_a_word_with_itself_changes_nothing_and_with_another_something(model):
    plain = run(model)
    same = run(model, edits=Swap("burger", "burger", source=PROMPT))
    torch.testing.assert_close(same.latents, plain.latents, atol=1e-3, rtol=1e-3)
    swapped = run(model, edits=Swap("shark", "burger", source=SOURCE))
    assert (swapped.latents - plain.latents).abs().max() > 0.1
    torch.testing.assert_close(swapped.source.latents, run(model, SOURCE).latents, atol=1e-3, rtol=1e-3)


def test_a_swapped_word_has_the_sources_maps(model):
    with capture(model, every_step=True) as attention:
        run(model, steps=1, edits=Swap("shark", "burger", source=SOURCE, groups="late"))
    target, source = attention.maps("burger", group="late"), attention.maps("shark", group="late", batch=1)
    torch.testing.assert_close(target, source)
    assert not torch.allclose(attention.maps("burger", group="early"), attention.maps("shark", group="early", batch=1))


def test_a_word_can_be_hidden(model):
    with capture(model) as attention:
        run(model, edits=Reweight("burger", 0.0))
    assert not attention.maps("burger").any() and attention.maps("water").any()


def test_a_bias_draws_the_word_into_its_target(kind, model):
    """At the first site, which no other has changed yet, it does what adding to logits does."""
    first, inside = model.sites[0], PATH.mask(*SIZES[kind], "disc") > 0.5
    with capture(model, heads=True) as plain:
        run(model, steps=1)
    with capture(model, heads=True) as biased:
        run(model, steps=1, edits=Bias("burger", PATH, inside=3.0, outside=-2.0, until=1.0))
    before, after = plain.probabilities(first)[0], biased.probabilities(first)[0]  # (frames, heads, h, w, tokens)
    logits = before.log()
    logits[..., 2] += torch.where(inside, 3.0, -2.0)[:, None]
    torch.testing.assert_close(after, logits.softmax(-1), atol=1e-5, rtol=1e-4)
    assert 0 < inside.sum() < inside.numel()
    before, after = plain.maps("burger"), biased.maps("burger")
    assert after[inside].mean() > before[inside].mean() and after[~inside].mean() < before[~inside].mean()


@pytest.mark.parametrize("memory", ["spend", "save"])
def test_guidance_lowers_its_energy_and_saving_memory_changes_nothing(model, memory):
    knobs = {"strength": 0.3, "schedule": lambda index, steps: index == 0, "memory": memory}
    once = run(model, edits=Guidance("burger", PATH, repeats=1, **knobs))
    thrice = run(model, edits=Guidance("burger", PATH, repeats=3, **knobs))
    energies = [sum(update.energy) for update in thrice.updates]
    assert len(energies) == 3 and energies[2] < energies[0] == sum(once.updates[0].energy)
    if memory == "save":
        plain = run(model, edits=Guidance("burger", PATH, repeats=3, **(knobs | {"memory": "spend"})))
        torch.testing.assert_close(thrice.latents, plain.latents, atol=1e-4, rtol=1e-4)


def test_edits_act_together_in_any_order(model):
    swap, bias = Swap("shark", "burger", source=SOURCE), Bias("burger", PATH)
    guidance = Guidance("burger", PATH)
    first, second = run(model, edits=[swap, bias, guidance]), run(model, edits=[guidance, bias, swap])
    assert first.source is not None and first.updates and second.updates
    assert (first.latents - second.latents).abs().max() > 1e-3  # a swap after a bias takes what the bias did away
