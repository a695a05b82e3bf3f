"""The edits for sizes: what they are by hand, and that both of them act in a run."""

import torch
from models_for_tests import tiny

from xattn_helpers import Bias, Guidance, generate, size_edits, track

PROMPT = "a burger floats on the water"
PATH = track([(0.5, 0.5)], size=0.6)


def test_they_are_a_gradient_at_each_step_and_a_bias_in_the_first_quarter():
    guidance, bias = size_edits("burger", PATH)
    assert guidance == Guidance("burger", PATH, energy={"box": 1.0, "shape": 0.6}, strength=0.055, schedule="always")
    assert bias == Bias("burger", PATH, inside=4.0, outside=-4.0, until=0.25)


def test_both_act_in_a_run():
    both = size_edits("burger", PATH)
    latents = []
    for edits in (None, both[:1], both[1:], both):
        latents.append(generate(tiny(), PROMPT, steps=4, edits=edits).latents)
    for first in range(4):
        for second in range(first):
            assert not torch.equal(latents[first], latents[second])


def test_several_prompts_have_words_and_targets_of_their_own():
    small = track([(0.5, 0.5)], size=0.3)
    edits = size_edits([["burger"], ["burger"]], [[PATH], [small]])
    clips = generate(tiny(), [PROMPT] * 2, steps=2, edits=edits)
    alone = [generate(tiny(), PROMPT, steps=2, edits=size_edits("burger", path)) for path in (PATH, small)]
    for together, single in zip(clips, alone, strict=True):
        torch.testing.assert_close(together.latents, single.latents, atol=1e-4, rtol=0)
