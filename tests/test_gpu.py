"""On a CUDA GPU: recording changes nothing there either, and runs are those of the CPU but for rounding."""

import copy
from dataclasses import replace

import pytest
import torch
from models_for_tests import PATH, PROMPT
from test_precision import MODELS, SWAP, in_precision, run, share_of_change

from xattn_helpers import Bias, Guidance, capture, generate, load
from xattn_helpers.backbones.backbone import find_backbone
from xattn_helpers.backbones.codec import Codec

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

PRECISIONS = ("float32", "float16", "bfloat16")


def on_gpu(model):
    """A copy of a small model on the GPU."""
    text = copy.copy(model.text)
    if text.encoder is None:
        text.table = text.table.cuda()
    else:
        text.encoder = copy.deepcopy(text.encoder).cuda()
    backbone = find_backbone(copy.deepcopy(model.network).cuda())
    return replace(model, backbone=backbone, text=text, codec=Codec(copy.deepcopy(model.codec.vae).cuda()))


@pytest.fixture(scope="module", params=list(MODELS))
def single(request):
    """A small model of each family on the CPU, in single precision."""
    model = MODELS[request.param]()
    return replace(model, defaults=replace(model.defaults, height=16, width=16))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_recording_changes_nothing_bit_for_bit(single, precision):
    model = on_gpu(in_precision(single, precision))
    plain = run(model)
    with capture(model, heads=True, every_step=True, half="both") as attention:
        recorded = run(model)
    assert model.device.type == "cuda" and plain.latents.dtype == model.latents_dtype
    assert torch.equal(recorded.latents, plain.latents) and (recorded.video == plain.video).all()
    maps = attention.probabilities(model.sites[0])
    torch.testing.assert_close(maps.sum(-1), torch.ones_like(maps[..., 0]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["pocket", "pocket-t2i"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_recording_a_pocket_model_changes_nothing_bit_for_bit(name, precision):
    model = load(name, "cuda", precision)
    plain = generate(model, PROMPT, steps=3, progress=False)
    with capture(model) as attention:
        recorded = generate(model, PROMPT, steps=3, progress=False)
    assert torch.equal(recorded.latents, plain.latents) and attention.maps("burger").isfinite().all()


@pytest.mark.parametrize(
    "edit", [None, SWAP, Bias("burger", PATH), Guidance("burger", PATH), Guidance("burger", PATH, memory="save")],
    ids=["plain", "swap", "bias", "guidance", "checkpoint"],
)  # fmt: skip
def test_runs_are_those_of_the_cpu_but_for_rounding(single, edit):
    edits = () if edit is None else edit
    reference, clip = run(single, edits=edits), run(on_gpu(single), edits=edits)
    clip = replace(clip, latents=clip.latents.cpu())
    assert share_of_change(clip, reference) < 0.01
