"""Clips that do not fit the memory together are made in parts, and are the same."""

from copy import deepcopy

import pytest
import torch
from models_for_tests import PATH, PROMPT, tiny

from xattn_helpers import Bias, Guidance, Swap, capture, generate, track
from xattn_helpers.edits.swap import Reweight

OTHER, SOURCE = "a dog runs on the grass", "a truck drives on the road"
ELSEWHERE = track([(0.7, 0.5), (0.2, 0.5)])
PROMPTS, SEEDS = [PROMPT, OTHER, PROMPT, PROMPT, OTHER], [3, 1, 4, 1, 5]
WORDS = [["burger"], ["dog"], ["burger"], ["burger", "water"], ["dog"]]
PATHS = [[PATH], [ELSEWHERE], [ELSEWHERE], [PATH, ELSEWHERE], (PATH,)]
EDITS = [
    (), [Reweight("the", 0.5)], Swap("the", "the", source=SOURCE), Guidance("the", PATH), Guidance(WORDS, PATHS),
    [Bias(WORDS, PATHS), Guidance(WORDS, PATHS, repeats=2)],
]  # fmt: skip


def small(model, monkeypatch, rows):
    """A memory that holds so many rows of a batch; returns the numbers of rows that were tried."""
    forward, tried = type(model.network).forward, []

    def limited(network, latents, *inputs, **options):
        tried.append(len(latents))
        if len(latents) > rows:
            raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB")
        return forward(network, latents, *inputs, **options)

    monkeypatch.setattr(type(model.network), "forward", limited)
    return tried


@pytest.mark.parametrize("edits", EDITS)
@pytest.mark.parametrize("frames", [1, 3])
def test_clips_made_in_parts_are_those_made_together(edits, frames, monkeypatch):
    model, negatives = deepcopy(tiny(frames)), ["bad", None, "", "worse", None]
    model.network.double()  # a gradient makes what is rounded otherwise in another batch a thousand times as large
    make = {"seed": SEEDS, "steps": 2, "negative_prompt": negatives, "edits": edits, "progress": False}
    together = generate(model, PROMPTS, **make)
    rows = 8 if getattr(edits, "source", "") else 4  # of two clips with two halves, each with its source
    tried = small(model, monkeypatch, rows * (1 if model.backbone.joint else 0.5))
    apart = generate(model, PROMPTS, **make)
    assert max(tried) > rows and len(apart) == len(together) == 5
    for one, other in zip(apart, together, strict=True):
        assert (one.prompt, one.seed, len(one.updates)) == (other.prompt, other.seed, len(other.updates))
        assert (one.source is None) == (other.source is None)
        torch.testing.assert_close(one.latents, other.latents, atol=1e-9, rtol=1e-9)


def test_a_batch_is_halved_until_it_fits(monkeypatch):
    model = tiny()
    tried = small(model, monkeypatch, 4)
    clips = generate(model, [PROMPT] * 5, seed=SEEDS, steps=1, progress=False)
    assert [clip.seed for clip in clips] == SEEDS and tried == [10, 4, 6, 2, 4]


def test_while_somebody_records_a_run_stays_one(monkeypatch):
    model = tiny()
    tried = small(model, monkeypatch, 2)
    with pytest.raises(torch.OutOfMemoryError, match="fewer prompts in a call .given: 2."):
        with capture(model):
            generate(model, [PROMPT] * 2, steps=1, progress=False)
    assert tried == [4]
    with capture(tiny(3)):  # another network
        assert len(generate(model, [PROMPT] * 2, steps=1, progress=False)) == 2
