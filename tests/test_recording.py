"""What is recorded: everything that was asked for is there, and nothing else is stored."""

import gc

import pytest
import torch
from models_for_tests import SITES, run, tiny

from xattn_helpers import capture
from xattn_helpers.attention.processor import listening
from xattn_helpers.pocket.text import MAX_TOKENS

SIZES = {"down_blocks.0": 16, "down_blocks.1": 8, "mid_block": 4, "up_blocks.1": 8, "up_blocks.2": 16}


def stored(attention):
    """What a recording holds of each site and half of its only run."""
    return list(attention.run._maps.values())


def test_probabilities_of_all_tokens_sum_to_one(full, mean):
    for recording in (full, mean):
        for site in recording.sites():
            total = recording.probabilities(site).sum(-1)
            assert torch.allclose(total, torch.ones_like(total), atol=1e-5)


def test_the_running_mean_is_the_mean_of_every_step_head_and_site(full, mean):
    for site in full.sites():
        every = torch.stack([full.probabilities(site, step) for step in range(3)])
        assert torch.allclose(mean.probabilities(site), every.mean(0).mean(2, keepdim=True), atol=1e-6)
    assert torch.allclose(mean.maps("burger"), full.maps("burger"), atol=1e-6)
    assert mean.steps == full.steps and [step.index for step in full.steps] == [0, 1, 2]
    assert full.steps[0].timestep > full.steps[2].timestep


def test_maps_are_what_their_definition_says(full):
    sites = [site for site in full.sites() if "up_blocks.1" in site.name]
    conditional = torch.stack([full.probabilities(site)[0] for site in sites])
    wanted = conditional.mean(0)[..., 2].mean(1)  # over sites, then heads; "burger" is token 2
    assert torch.allclose(full.maps("burger", cells=2, group="up"), wanted, atol=1e-6)
    assert torch.equal(full.maps(2, cells=2, group="up"), full.maps("burger", cells=2, group="up"))


def test_steps_heads_sites_and_halves_can_be_chosen(full):
    site = "up_blocks.2.attentions.1"
    raw, other = full.probabilities(site), full.probabilities(site, half="unconditional")
    assert raw.shape == other.shape == (1, 3, 2, 16, 16, MAX_TOKENS)  # (clips, frames, heads, …)
    assert torch.allclose(full.maps(5, site=site, head=1), raw[0, :, 1, ..., 5])
    assert torch.allclose(full.maps(5, site=site, half="unconditional"), other[0].mean(1)[..., 5])
    assert not torch.allclose(raw, other)
    steps = [full.maps("burger", site=site, step=step) for step in range(3)]
    assert torch.equal(full.maps("burger", site=site, step=-1), steps[2])
    assert torch.allclose(full.maps("burger", site=site, step=range(2)), (steps[0] + steps[1]) / 2)
    assert not torch.allclose(steps[0], steps[2])


def test_sites_are_selected_by_group_cells_and_name(full):
    assert full.sites() == tiny().sites and len(full.sites()) == SITES
    assert [site.group for site in full.sites(group=("down", "mid"))] == ["down", "down", "mid"]
    for start, side in SIZES.items():
        assert full.maps("burger", site=start).shape == (3, side, side)
        cells = 16 // side
        assert any(site.name.startswith(start) for site in full.sites(cells=cells))
        assert all(full.size(site) == (side, side) for site in full.sites(cells=cells))
    assert full.maps("burger").shape == (3, 16, 16)  # the smaller ones are enlarged


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ({"group": "down"}, 2), ({"group": ("mid", "up")}, 5), ({"sites": "up_blocks.2"}, 2), ({"cells": 2}, 3),
        ({"sites": ["down_blocks", "mid"]}, 3), ({"cells": (1, 2), "group": "up"}, 4),
    ],
)  # fmt: skip
def test_only_the_chosen_sites_are_stored(chosen, count):
    with capture(tiny(), **chosen) as attention:
        run(tiny(), steps=1)
    assert len(attention.sites()) == count
    assert sum(len(maps.latest) for maps in stored(attention)) == count


def test_videos_that_are_not_square():
    with capture(tiny()) as attention:
        run(tiny(), steps=1, height=16, width=48)
    assert attention.maps("burger", cells=1).shape == (3, 8, 24)
    assert attention.maps("burger", cells=2).shape == (3, 4, 12)
    assert attention.maps("burger").shape == (3, 8, 24)


def test_maps_are_turned_the_right_way():
    """Attention to a token in the upper left only: an editor that paints, seen by the recorder."""

    class Painter:
        edits = True

        def __call__(self, maps, site, call):
            height, width = maps.shape[3:5]
            painted = torch.zeros_like(maps)
            painted[..., 0] = 1
            painted[:, 1, :, : height // 2, : width // 4, 2] = 1
            painted[:, 1, :, : height // 2, : width // 4, 0] = 0
            return painted

    with capture(tiny()) as attention, listening(tiny().backbone, Painter()):
        run(tiny(), steps=1, height=32, width=16)
    wanted = torch.zeros(3, 16, 8)
    wanted[1, :8, :2] = 1
    assert torch.equal(attention.maps("burger", cells=1), wanted)


def test_a_batch_of_prompts_is_recorded_as_each_alone():
    prompts, seeds = ["a burger floats on the water", "the big shark"], [3, 4]
    with capture(tiny()) as attention:
        run(tiny(), prompts, seed=seeds)
    for index, (prompt, seed, word) in enumerate(zip(prompts, seeds, ("burger", "shark"), strict=True)):
        with capture(tiny()) as alone:
            run(tiny(), prompt, seed=seed)
        assert torch.allclose(attention.maps(word, batch=index), alone.maps(word), atol=1e-5)
    with pytest.raises(ValueError, match="'burger' is not in the prompt 'the big shark'"):
        attention.maps("burger", batch=1)
    with pytest.raises(ValueError, match="batch=2: there are 2 prompts"):
        attention.maps("burger", batch=2)


def test_words_of_several_tokens_add_up_and_repeated_ones_are_told_apart():
    prompt = "the shark and the burger"
    with capture(tiny()) as attention:
        run(tiny(), prompt, steps=1)
    assert torch.allclose(attention.maps("the shark"), attention.maps(1) + attention.maps(2))
    first, second = (attention.maps("the", occurrence=number) for number in (0, 1))
    assert torch.equal(first, attention.maps(1)) and torch.equal(second, attention.maps(4))


def test_a_question_is_about_the_first_prompt_and_the_first_of_equal_words():
    prompts = ["the shark and the burger", "a shark and the burger on the road"]
    with capture(tiny()) as attention:
        run(tiny(), prompts, steps=1)
    assert attention.positions("the") == [1] and attention.positions("the", batch=1) == [4]
    assert attention.positions("the", occurrence=1) == [4] and attention.positions("the", 1, 1) == [7]
    assert torch.equal(attention.maps("the"), attention.maps("the", occurrence=0, batch=0))
    assert not torch.equal(attention.maps("the"), attention.maps("the", batch=1))


def test_memory_does_not_grow_with_steps():
    def held(steps, **options):
        with capture(tiny(), **options) as attention:
            run(tiny(), steps=steps)
        gc.collect()
        tensors = [tensor for maps in stored(attention) for tensor in (*maps.latest, maps.before)]
        tensors = [tensor for tensor in tensors if tensor is not None]
        assert all(tensor.untyped_storage().nbytes() == tensor.nbytes for tensor in tensors)  # no view of larger ones
        return len(tensors)

    assert held(2) == held(6) == 2 * SITES
    assert held(2, heads=True) == 2 * SITES
    assert held(4, every_step=True) == 4 * SITES


def test_nested_captures_record_what_each_was_asked_for(mean):
    with capture(tiny(), group="up") as outer, capture(tiny(), group="mid", every_step=True) as inner:
        run(tiny())
    assert torch.equal(outer.maps("burger"), mean.maps("burger", group="up"))
    assert torch.equal(inner.maps("burger"), mean.maps("burger", group="mid"))
    assert len(outer.sites()) == 4 and len(inner.sites()) == 1
