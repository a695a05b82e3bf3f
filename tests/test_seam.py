"""The seam: what holds for every family of networks, on tiny random ones."""

import copy
from dataclasses import replace

import pytest
import torch
from models_for_tests import PROMPT, tiny
from transformers_for_tests import BLOCKS, build_wan, tiny_transformer

from xattn_helpers import capture
from xattn_helpers.attention.processor import listening
from xattn_helpers.backbones.backbone import find_backbone
from xattn_helpers.backbones.text import Condition
from xattn_helpers.edits.gradient import probed

MODELS = {
    "2d": lambda: tiny(1), "3d": lambda: tiny(3), "wan": lambda: tiny_transformer("wan"),
    "ltx": lambda: tiny_transformer("ltx"),
}  # fmt: skip
GROUPS = {
    "2d": ["down"] * 2 + ["mid"] + ["up"] * 4, "3d": ["down"] * 2 + ["mid"] + ["up"] * 4,
    "wan": ["early", "middle", "late"], "ltx": ["early", "middle", "late"],
}  # fmt: skip
PRECISIONS = ("float32", "float16", "bfloat16")


@pytest.fixture(params=MODELS)
def kind(request):
    return request.param


@pytest.fixture
def model(kind):
    return MODELS[kind]()


def in_precision(model, name):
    network = copy.deepcopy(model.network).to(getattr(torch, name))
    return replace(model, backbone=find_backbone(network))


def inputs(model, clips=1, seed=0):
    """Latents that are wider than high, and not as many frames as either."""
    frames = 3 if model.is_video else 1
    generator = torch.Generator().manual_seed(seed)
    latents = torch.randn(clips, 4, frames, 8, 16, generator=generator)
    return latents.to(model.dtype), model.encode([PROMPT] * clips)


class Editor:
    """Returns what `edit` makes of the maps, which by default is what they were."""

    edits = True

    def __init__(self, edit=lambda maps: maps):
        self.edit, self.seen = edit, []

    def __call__(self, maps, site, call):
        self.seen.append((site, maps.detach(), call))
        return self.edit(maps)


# Watching changes nothing


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_watched_output_is_the_networks_own_bit_for_bit(model, precision, scale):
    model = in_precision(model, precision)
    latents, text = inputs(model, clips=2)
    negative = model.encode(["", "the shark"]) if scale != 1 else None
    plain = model.predict(latents, 500.0, text, negative, scale)
    with capture(model, heads=True, half="both", every_step=True):
        watched = model.predict(latents, 500.0, text, negative, scale)
    assert torch.equal(watched, plain) and plain.dtype == getattr(torch, precision) and plain.isfinite().all()
    assert plain.shape == latents.shape


def test_the_networks_own_prediction_is_what_diffusers_gives(kind, model):
    """Called as diffusers' pipelines call it."""
    latents, text = inputs(model)
    time = torch.tensor([500.0])
    if kind == "2d":
        wanted = model.network(latents[:, :, 0], 500, text.states).sample[:, :, None]
    elif kind == "ltx":
        tokens = latents.flatten(2).transpose(1, 2)
        packed = model.network(
            tokens, text.states, time, text.mask.float(), num_frames=3, height=8, width=16,
            rope_interpolation_scale=(8 / 25, 32, 32),
        ).sample  # fmt: skip
        wanted = packed.transpose(1, 2).unflatten(2, (3, 8, 16))
    else:
        wanted = model.network(latents, time, text.states).sample
    torch.testing.assert_close(model.predict(latents, 500.0, text), wanted, atol=1e-6, rtol=1e-5)


# The explicit softmax


def test_explicit_attention_is_the_networks_own(model):
    latents, text = inputs(model, clips=2)
    plain = model.predict(latents, 500.0, text, model.encode(["", "the shark"]), 3.0)
    with listening(model.backbone, editor := Editor()):
        explicit = model.predict(latents, 500.0, text, model.encode(["", "the shark"]), 3.0)
    torch.testing.assert_close(explicit, plain, atol=1e-5, rtol=1e-5)
    for _, maps, _ in editor.seen:
        torch.testing.assert_close(maps.sum(-1), torch.ones(maps.shape[:-1]), atol=1e-5, rtol=0)
        assert maps.dtype == torch.float32 and maps.std(-1).mean() > 0.01


@pytest.mark.parametrize("precision", PRECISIONS[1:])
def test_explicit_attention_is_close_in_half_precision(model, precision):
    model = in_precision(model, precision)
    latents, text = inputs(model)
    plain = model.predict(latents, 500.0, text).float()
    with listening(model.backbone, editor := Editor()):
        explicit = model.predict(latents, 500.0, text).float()
    assert (explicit - plain).abs().max() < 0.05 * plain.abs().max()
    assert all(maps.dtype == torch.float32 for _, maps, _ in editor.seen)


def test_edited_attention_is_what_the_network_uses(model):
    latents, text = inputs(model)
    plain = model.predict(latents, 500.0, text)
    with listening(model.backbone, Editor(lambda maps: torch.full_like(maps, 1 / maps.shape[-1]))):
        uniform = model.predict(latents, 500.0, text)
    assert (uniform - plain).abs().max() > 1e-3 * plain.abs().max()


# Sites, groups, sizes


def test_sites_are_all_text_attentions_in_the_order_in_which_they_run(kind, model):
    latents, text = inputs(model)
    with listening(model.backbone, editor := Editor()):
        model.predict(latents, 500.0, text)
    assert [site for site, _, _ in editor.seen] == model.sites
    assert [site.group for site in model.sites] == GROUPS[kind]
    assert set(GROUPS[kind]) == set(model.groups)


def test_maps_have_the_size_that_the_backbone_tells(model):
    latents, text = inputs(model)
    with listening(model.backbone, editor := Editor()):
        model.predict(latents, 500.0, text)
    for site, maps, call in editor.seen:
        cells, grid = model.backbone.cells(site), model.backbone.grid(site, call.size)
        assert maps.shape[1] == grid["frames"] == latents.shape[2]
        assert tuple(maps.shape[3:5]) == (grid["height"], grid["width"]) == (8 // cells, 16 // cells)
    assert model.cells() == sorted({model.backbone.cells(site) for site in model.sites})


def test_sizes_that_do_not_divide_are_rounded_up_as_networks_of_convolutions_do():
    model, text = tiny(), tiny().encode([PROMPT])
    with capture(model, prompt=PROMPT) as attention:
        model.predict(torch.zeros(1, 4, 3, 10, 14), 500, text)
    assert [attention.size(site) for site in model.sites[:3]] == [(10, 14), (5, 7), (3, 4)]


def test_groups_divide_the_depth_evenly():
    backbone = find_backbone(build_wan(num_layers=7))
    assert [site.group for site in backbone.sites()] == ["early"] * 3 + ["middle"] * 2 + ["late"] * 2
    assert [site.name for site in backbone.sites()][3] == "blocks.3.attn2" and len(backbone.stages()) == 7
    assert len(tiny_transformer("ltx").sites) == BLOCKS


# Gradients


def test_gradients_reach_every_frame_and_saving_memory_changes_none(model):
    latents, text = inputs(model)
    gradients = []
    for is_short in (None, lambda: True):
        moving = latents.clone().requires_grad_()
        with probed(model.backbone, model.sites, lambda m=moving: model.predict(m, 500.0, text), is_short) as maps:
            loss = sum(site_maps[..., 2].square().mean() for site_maps in maps.values())
            gradients.append(torch.autograd.grad(loss, moving)[0])
        assert len(maps) == len(model.sites)
    assert (gradients[0].abs().amax((0, 1, 3, 4)) > 0).all()
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-8, rtol=1e-4)


# Masked and unmasked text


def test_masked_text_is_as_text_that_ends_there():
    for model in (tiny_transformer("ltx"), tiny(1)):
        latents, text = inputs(model)
        count = model.text.count(PROMPT)
        assert count < text.states.shape[1]
        short = Condition(text.states[:, :count])
        masked = Condition(text.states, torch.arange(text.states.shape[1])[None] < count)
        wanted = model.predict(latents, 500.0, short)
        torch.testing.assert_close(model.predict(latents, 500.0, masked), wanted, atol=1e-5, rtol=1e-5)
        with listening(model.backbone, editor := Editor()):
            explicit = model.predict(latents, 500.0, masked)
        torch.testing.assert_close(explicit, wanted, atol=1e-5, rtol=1e-5)
        assert all((maps[..., count:] == 0).all() for _, maps, _ in editor.seen)
        unmasked = model.predict(latents, 500.0, Condition(text.states))
        assert (unmasked - wanted).abs().max() > 1e-4


def test_padding_of_a_network_that_masks_no_text_draws_attention():
    model = tiny_transformer("wan")
    latents, text = inputs(model)
    with capture(model, prompt=PROMPT) as attention:
        model.predict(latents, 500.0, text)
    assert not text.states[:, model.text.count(PROMPT) :].any() and attention.maps(-1).mean() > 0.01


@pytest.mark.parametrize("network", ["3d", "wan"])
def test_a_mask_for_a_network_that_masks_no_text_is_an_error(network):
    model = MODELS[network]()
    latents, text = inputs(model)
    masked = Condition(text.states, torch.ones(text.states.shape[:2], dtype=torch.bool))
    with pytest.raises(ValueError, match="text: .* masks no text, and a mask was given"):
        model.predict(latents, 500.0, masked)
