"""Half precision: the same runs as in single precision, and results that are not finite are errors."""

import copy
from dataclasses import replace

import pytest
import torch
from models_for_tests import PATH, PROMPT, tiny
from transformers_for_tests import TableText, tiny_transformer

from xattn_helpers import Bias, Guidance, Swap, capture, generate
from xattn_helpers.backbones.backbone import find_backbone
from xattn_helpers.backbones.codec import Codec
from xattn_helpers.backbones.text import Text

HALVES = ("float16", "bfloat16")
SWAP = Swap("shark", "burger", source="a shark floats on the water")


def in_precision(model, name):
    """A copy of a model in a precision, as `load(..., dtype=name)` gives it."""
    dtype = getattr(torch, name)
    network, vae = copy.deepcopy(model.network).to(dtype), copy.deepcopy(model.codec.vae).to(dtype)
    text = model.text
    if not isinstance(text, TableText):
        text = Text(text.tokenizer, copy.deepcopy(text.encoder).to(dtype))
    return replace(model, backbone=find_backbone(network), text=text, codec=Codec(vae))


MODELS = {
    "image": lambda: tiny(1), "video": tiny, "wan": lambda: tiny_transformer("wan"),
    "ltx": lambda: tiny_transformer("ltx"),
}  # fmt: skip


@pytest.fixture(scope="module", params=[(kind, name) for kind in MODELS for name in HALVES], ids="-".join)
def pair(request):
    """A model in single and in half precision."""
    kind, name = request.param
    single = MODELS[kind]()
    single = replace(single, defaults=replace(single.defaults, height=16, width=16))
    return single, in_precision(single, name)


def run(model, **options):
    return generate(model, PROMPT, **({"seed": 0, "steps": 2, "progress": False} | options))


def share_of_change(clip, reference):
    """How far latents are from a reference, in its standard deviations."""
    return float((clip.latents.float() - reference.latents).std() / reference.latents.std())


def test_the_precision_of_a_model_is_that_of_its_network_as_diffusers_finds_it(pair):
    single, half = pair
    assert single.dtype == torch.float32 and half.dtype == half.network.dtype != torch.float32
    network = copy.deepcopy(half.network)
    for name, weight in network.named_parameters():
        if any(kept in name for kept in network._keep_in_fp32_modules or ()):
            weight.data = weight.data.float()
    mixed = replace(half, backbone=find_backbone(network))
    assert mixed.dtype == network.dtype == half.dtype
    network.enable_layerwise_casting(torch.float8_e4m3fn, half.dtype)
    assert mixed.dtype == network.dtype == half.dtype, "that in which layers compute, not that of their weights"


def test_recording_changes_nothing_bit_for_bit(pair):
    _, half = pair
    plain = run(half)
    with capture(half, heads=True, every_step=True, half="both") as attention:
        recorded = run(half)
    assert torch.equal(recorded.latents, plain.latents) and (recorded.video == plain.video).all()
    assert plain.latents.dtype == half.latents_dtype and half.dtype != torch.float32
    maps = attention.probabilities(half.sites[0])
    assert maps.dtype == torch.float32
    torch.testing.assert_close(maps.sum(-1), torch.ones(maps.shape[:-1]), atol=1e-5, rtol=0)


def test_maps_are_those_of_single_precision_but_for_rounding(pair):
    single, half = pair
    recorded = []
    for model in pair:
        with capture(model) as attention:
            run(model, steps=1)
        recorded.append(attention.maps("burger"))
    assert (recorded[1] - recorded[0]).abs().mean() < 0.05 * recorded[0].mean()


@pytest.mark.parametrize(
    "edit", [None, SWAP, Bias("burger", PATH), Guidance("burger", PATH), Guidance("burger", PATH, memory="save")],
    ids=["plain", "swap", "bias", "guidance", "checkpoint"],
)  # fmt: skip
def test_runs_are_those_of_single_precision_but_for_rounding(pair, edit):
    single, half = pair
    edits = () if edit is None else edit
    reference, clip = run(single, edits=edits), run(half, edits=edits)
    assert share_of_change(clip, reference) < 0.1
    if edit is not None:
        assert share_of_change(reference, run(single)) > 0.001  # the edit did something
    for update, wanted in zip(clip.updates, reference.updates, strict=True):
        assert update.energy == pytest.approx(wanted.energy, rel=0.05, abs=0.01)


# Not finite


def broken(name, weight, factor):
    """A small model in a precision with one weight multiplied."""
    model = in_precision(replace(tiny(), defaults=replace(tiny().defaults, height=16, width=16)), name)
    with torch.no_grad():
        parts = {"network": model.network.conv_out.weight, "decoder": model.codec.vae.decoder.conv_out.weight}
        parts["middle"] = model.network.get_submodule(model.sites[2].name).to_q.weight
        parts[weight].mul_(factor)
    return model


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("float16", 'load the model with dtype="float32" or "bfloat16"'),
        ("bfloat16", 'load the model with dtype="float32"$'),
        ("float32", "its weights or its input are broken"),
    ],
)  # fmt: skip
def test_latents_that_are_not_finite_are_an_error_that_names_step_and_precision(name, advice):
    factor = 3e4 if name == "float16" else float("inf")
    with pytest.raises(FloatingPointError, match=f"step 0: the latents are not finite in {name}; {advice}"):
        run(broken(name, "network", factor))


def test_the_step_is_the_one_in_which_it_happened():
    model = broken("float32", "network", 1.0)
    calls = []

    def overflow(module, inputs, output):
        calls.append(1)
        return output * float("nan") if len(calls) == 2 else output

    handle = model.network.conv_out.register_forward_hook(overflow)
    with pytest.raises(FloatingPointError, match="step 1: the latents are not finite in float32"):
        run(model, steps=3)
    handle.remove()
    assert len(calls) == 2


def test_pixels_that_are_not_finite_are_an_error_and_never_a_black_video():
    with pytest.raises(FloatingPointError, match="the decoder's pixels are not finite in float16; load the model with"):
        run(broken("float16", "decoder", float("inf")))


def test_a_gradient_that_is_not_finite_is_an_error_that_names_step_and_precision():
    with pytest.raises(FloatingPointError, match="step 0: the gradient is not finite in float16"):
        run(broken("float16", "middle", float("nan")), edits=Guidance("burger", PATH, groups="mid", cells=4))


def test_a_failed_run_leaves_the_network_as_it_was():
    model = broken("float16", "network", 3e4)
    before = dict(model.network.attn_processors)
    for edits in (SWAP, Guidance("burger", PATH, memory="save")):
        with pytest.raises(FloatingPointError), capture(model):
            run(model, edits=edits)
    assert all(model.network.attn_processors[name] is own for name, own in before.items())
    assert not any("forward" in vars(module) for module in model.network.modules())
