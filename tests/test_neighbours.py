"""Masks and Gaussians of the neighbours, by hand; and their study on tiny models."""

import math

import pytest
import torch
from maps_for_tests import CAR, edited, random_maps
from models_for_tests import PROMPT, run, tiny
from transformers_for_tests import tiny_transformer

from xattn_helpers import generate, track
from xattn_helpers.backbones.self_attention import HOOKS, MASKED, apart, region_mask
from xattn_helpers.studies.neighbours.gaussian import Gaussian
from xattn_helpers.studies.neighbours.masks import Masks

LEFT = track([(0.25, 0.5)], size=(0.5, 1.0))  # the left half of the picture
RIGHT = track([(0.75, 0.5)], size=(0.5, 1.0))
WORD, ENDS = 2, [0, *range(7, 20)]  # "car", and start, end and padding of "a car drives on the road"


def masked_by_hand(maps: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """softmax of the scores plus -10000 where a token (h, w, tokens) is not visible; maps are of one clip."""
    scores = maps.double().log() + torch.where(visible, 0.0, -1e4)[None, None]
    return scores.softmax(-1).float()


@pytest.mark.parametrize("shared", [False, True])
def test_inside_there_is_only_the_word_and_outside_all_but_it(shared):
    before = random_maps(2)
    after = edited(Masks("car", LEFT, until=1.0, shared=shared, pixels=False), before)
    visible = torch.ones(4, 4, 20, dtype=torch.bool)
    visible[:, 2:, WORD] = False  # the right half sees no car
    visible[:, :2] = False  # the left half sees nothing else
    visible[:, :2, WORD] = True
    if shared:
        visible[..., ENDS] = True
    torch.testing.assert_close(after[1], masked_by_hand(before[1], visible))
    assert torch.equal(after[0], before[0]), "the unconditional half is as it was"


def test_two_objects_keep_out_of_each_other():
    after = edited(Masks(["car", "road"], [LEFT, RIGHT], until=1.0, pixels=False), random_maps(2))[1]
    assert after[..., :2, WORD].min() == 1 and after[..., :2, 6].max() == 0
    assert after[..., 2:, 6].min() == 1 and after[..., 2:, WORD].max() == 0


def test_masks_end_with_their_share_of_the_steps():
    before = random_maps(2)
    edit = Masks("car", LEFT, until=0.2, pixels=False)
    assert not torch.equal(edited(edit, before, index=1), before) and torch.equal(edited(edit, before, index=2), before)


# Pixels from pixels


@pytest.mark.parametrize(
    ("pattern", "rows", "positions"),
    [
        ("(batch frames) (height width)", 4, 6), ("(batch height width) frames", 12, 2),
        ("batch (frames height width)", 2, 12),
    ],
)  # fmt: skip
def test_a_region_mask_by_hand(pattern, rows, positions):
    regions = torch.tensor([[[0, 1, 0], [0, 1, 2]], [[1, 1, 0], [0, 0, 0]]])[None]  # a clip of two frames of 2 x 3
    mask = region_mask(regions, pattern, halves=2, dtype=torch.float32)
    assert mask.shape == (rows, positions, positions)
    flat = regions[0].flatten(1)  # (frames, cells)
    if pattern.endswith("(frames height width)"):
        members = [flat.flatten().tolist()] * 2
    else:
        members = (flat.T if pattern.endswith("frames") else flat).tolist() * 2
    for row, own in zip(mask, members, strict=True):
        for one in range(positions):
            for other in range(positions):
                assert row[one, other] == (0 if own[one] == own[other] else MASKED)


def test_one_region_changes_nothing_and_two_do_not_mix():
    model, steps = tiny(3), {"steps": 1, "cfg_scale": 1.0}
    free = run(model, **steps).latents

    def one(grid, call):
        return torch.zeros(call.clips, grid["frames"], grid["height"], grid["width"], dtype=torch.long)

    with apart(model.backbone, one):
        torch.testing.assert_close(run(model, **steps).latents, free, atol=1e-4, rtol=1e-4)
    assert not HOOKS.is_on(model.network)
    site = next(site for site, rows in model.backbone.self_attention().items() if rows.endswith("width)"))
    attn = model.network.get_submodule(site.name)
    side = model.backbone.grid(site, (3, 16, 16))["height"]
    values = {}

    def halves(grid, call):
        regions = one(grid, call)
        regions[..., grid["width"] // 2 :] = 1
        return regions

    def keep(module, inputs, options, output):
        values["in"], values["out"] = inputs[0] if inputs else options["hidden_states"], output

    handle = attn.register_forward_hook(keep, with_kwargs=True)
    with apart(model.backbone, halves):
        run(model, **steps)
    handle.remove()
    own = values["in"].view(3, side, side, -1)
    left = own[:, :, : side // 2].flatten(1, 2)
    alone = attn(left).view(3, side, side // 2, -1)  # the left half by itself
    torch.testing.assert_close(values["out"].view(3, side, side, -1)[:, :, : side // 2], alone, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", ["wan", "ltx"])
def test_of_a_transformer_one_half_does_not_know_of_the_other(kind):
    model = tiny_transformer(kind)
    size = model.codec.latent_size(model.defaults.frames, model.defaults.height, model.defaults.width)
    latents = torch.randn(1, model.codec.channels, *size, generator=torch.Generator().manual_seed(0))
    other, middle = latents.clone(), size[2] // 2
    other[..., middle:] += 1.0
    text = model.encode(["a burger"])

    def halves(grid, call):
        regions = torch.zeros(call.clips, grid["frames"], grid["height"], grid["width"], dtype=torch.long)
        regions[..., grid["width"] // 2 :] = 1
        return regions

    free = [model.predict(inputs, 500.0, text)[..., :middle] for inputs in (latents, other)]
    with apart(model.backbone, halves):
        masked = [model.predict(inputs, 500.0, text)[..., :middle] for inputs in (latents, other)]
    assert (free[0] - free[1]).abs().max() > 1e-4
    torch.testing.assert_close(masked[0], masked[1], atol=1e-6, rtol=1e-6)


def test_peekaboos_masks_act_on_pixels_too_and_leave_nothing_behind():
    model = tiny(3)
    free = run(model, steps=2).latents
    words = run(model, steps=2, edits=Masks("burger", LEFT, until=1.0, pixels=False)).latents
    both = run(model, steps=2, edits=Masks("burger", LEFT, until=1.0)).latents
    assert (words - free).abs().max() > 1e-3 and (both - words).abs().max() > 1e-3
    torch.testing.assert_close(run(model, steps=2).latents, free, atol=0, rtol=0)


def test_masks_do_the_same_alone_and_in_a_batch():
    model, prompts = tiny(3), [PROMPT, CAR]
    edits = Masks([["burger"], ["car"]], [[LEFT], [RIGHT]], until=1.0)
    together = generate(model, prompts, [0, 1], 1, edits=edits, progress=False)
    alone = generate(model, CAR, 1, 1, edits=Masks("car", RIGHT, until=1.0), progress=False)
    torch.testing.assert_close(together[1].latents, alone.latents, atol=1e-3, rtol=1e-3)


# TrailBlazer


def test_the_gaussian_by_hand():
    before = random_maps(2)
    box = track([(0.5, 0.5)], size=0.5)  # the four cells in the middle, a quarter of a cell from its edges
    after = edited(Gaussian("car", box, until=1.0, raised=0.1, lowered=0.001), before)[1]
    tokens = [WORD, *range(7, 20)]
    distance = (0.125 / 0.25) ** 2  # of the middle of a cell from that of the box, in half sides, squared
    for token in tokens:
        for row in range(4):
            for column in range(4):
                was = before[1, :, :, row, column, token]
                if row in (1, 2) and column in (1, 2):
                    largest = before[1, ..., token].amax((-2, -1))
                    wanted = was + 0.1 * largest * math.exp(-(distance + distance) / 2)
                else:
                    wanted = 0.001 * was
                torch.testing.assert_close(after[:, :, row, column, token], wanted)
    others = [token for token in range(20) if token not in tokens]
    assert torch.equal(after[..., others], before[1][..., others])


def test_trailblazers_edit_needs_a_track():
    with pytest.raises(ValueError, match="needs a track"):
        Gaussian("car", torch.zeros(2, 4, 4))
