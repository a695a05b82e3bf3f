"""What `generate` is asked for: completed by the model's defaults, and refused with what is possible."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from models_for_tests import PATH, PROMPT, tiny
from transformers_for_tests import tiny_transformer

from xattn_helpers import Guidance, Swap, generate
from xattn_helpers.request import complete

NOTHING = (None,) * 6  # negative prompt, steps, cfg_scale, frames, height, width


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"seed": 0, "progress": False} | options))


def test_what_is_not_asked_for_is_the_models_default():
    request = complete(tiny(), PROMPT, 7, *NOTHING)
    assert (request.prompts, request.seeds, request.negatives) == ((PROMPT,), (7,), ("",))
    assert (request.steps, request.cfg_scale, request.frames, request.height, request.width) == (3, 4.0, 3, 32, 32)
    request = complete(tiny(), [PROMPT, "the shark"], np.arange(2), "the moon", 1, 0.0, 2, 16, 8)
    assert (request.seeds, request.negatives) == ((0, 1), ("the moon", "the moon"))
    assert (request.steps, request.cfg_scale, request.frames, request.height, request.width) == (1, 0.0, 2, 16, 8)


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"height": 20}, "height=20: this model makes multiples of 8 pixels, by default 32"),
        ({"width": 9}, "width=9: this model makes multiples of 8 pixels, by default 32"),
        ({"height": -8}, "height=-8"),
        ({"steps": 0}, "steps=0.: steps must be an integer from 1 to 1000 or None"),
        ({"steps": 1001}, "steps=1001"),
        ({"frames": 0}, "frames=0.: frames must be an integer from 1 to 10000 or None"),
        ({"frames": -1}, "frames=-1"),
        ({"seed": [1, 2]}, "seed: 2 given for 1 prompts; give one, or one for each"),
        ({"seed": []}, "seed: 0 given for 1 prompts"),
        ({"negative_prompt": ["a", "b"]}, "negative_prompt: 2 given for 1 prompts"),
        ({"prompt": []}, r"prompt=\[\]: the list is empty; give a text, or a list of texts"),
        ({"cfg_scale": float("nan")}, "cfg_scale=nan.: cfg_scale must be a number from -1000 to 1000 or None"),
        ({"cfg_scale": float("inf")}, "cfg_scale=inf"),
    ],
)
def test_what_the_model_cannot_make_is_an_error_with_what_it_can(options, answer):
    with pytest.raises(ValueError, match=answer):
        run(tiny(), **options)


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"steps": 2.5}, "steps=2.5.: steps is a float; it must be an integer from 1 to 1000 or None"),
        ({"frames": "3"}, "frames='3'.: frames is a str; it must be an integer"),
        ({"prompt": None}, "prompt=None.: prompt is None; it must be a text or a list of these"),
        ({"prompt": [PROMPT, 3]}, r"prompt\[1\] is an int; prompt must be a text or a list of these"),
    ],
)
def test_what_is_of_another_kind_is_an_error_with_what_is_needed(options, answer):
    with pytest.raises(TypeError, match=answer):
        run(tiny(), **options)


def test_an_image_model_makes_one_frame():
    with pytest.raises(ValueError, match="frames=2: this is an image model, it makes 1"):
        run(tiny(1), frames=2)


def test_each_side_is_told_its_own_default():
    wide = replace(tiny(), defaults=replace(tiny().defaults, width=48))
    with pytest.raises(ValueError, match="width=9: .* by default 48"):
        complete(wide, PROMPT, 0, None, None, None, None, 16, 9)
    assert complete(wide, PROMPT, 0, None, 1000, None, 1, 8, 8).width == 8


def test_sizes_are_multiples_of_what_each_network_divides():
    """Patches of two latents of two pixels; a latent of two pixels."""
    for kind, multiple in (("wan", 4), ("ltx", 2)):
        with pytest.raises(ValueError, match=f"width=9: this model makes multiples of {multiple} pixels"):
            run(tiny_transformer(kind), width=9)
        assert run(tiny_transformer(kind), width=8 + multiple, steps=1).video.shape == (3, 16, 8 + multiple, 3)


# Negative prompts


def test_a_negative_prompt_for_each_prompt():
    prompts, negatives = [PROMPT, "the shark"], ["the moon", "a wolf"]
    pair = run(tiny(), prompts, steps=2, negative_prompt=negatives)
    for clip, prompt, negative in zip(pair, prompts, negatives, strict=True):
        alone = run(tiny(), prompt, steps=2, negative_prompt=negative)
        assert torch.allclose(clip.latents, alone.latents, atol=1e-4)
        assert not torch.allclose(clip.latents, run(tiny(), prompt, steps=2).latents, atol=1e-2)
    same_for_all = run(tiny(), prompts, steps=2, negative_prompt="the moon")
    assert torch.allclose(same_for_all[0].latents, pair[0].latents, atol=1e-4)


@pytest.mark.parametrize("nothing", [None, "", [""], [None]])
def test_no_negative_prompt_is_an_empty_one(nothing):
    clip = run(tiny(), steps=1, negative_prompt=nothing)
    assert torch.equal(clip.latents, run(tiny(), steps=1).latents)


def test_sources_have_the_negative_prompts_of_their_targets():
    swap = Swap("wolf", "shark", source="a wolf")
    clips = run(tiny(), ["the shark", "the shark"], seed=[1, 2], steps=2, negative_prompt=["the moon", ""], edits=swap)
    for clip, negative in zip(clips, ("the moon", ""), strict=True):
        alone = run(tiny(), "a wolf", seed=clip.seed, steps=2, negative_prompt=negative)
        assert torch.allclose(clip.source.latents, alone.latents, atol=1e-4)


def test_without_classifier_free_guidance_no_half_is_computed(calls):
    run(tiny(), steps=1, cfg_scale=1.0, negative_prompt="the moon")
    assert calls == [1]
    assert torch.equal(run(tiny(), steps=1, cfg_scale=1.0).latents, run(tiny(), steps=1, cfg_scale=1).latents)


# Edits


@pytest.mark.parametrize(
    ("edits", "answer"),
    [
        (Guidance, "edits=the class Guidance.: edits must be a Swap, Replace.*make one: Guidance"),
        ("burger", "edits='burger'.: edits is a str; it must be a Swap"),
        ([Guidance("burger", PATH), 3], r"edits\[1\] is an int; edits must be"),
    ],
)
def test_what_is_no_edit_is_an_error_that_says_what_is(edits, answer):
    with pytest.raises(TypeError, match=answer):
        run(tiny(), edits=edits)
