"""Networks that somebody has changed: other attention processors, torch.compile, copies."""

import copy
from dataclasses import replace

import pytest
import torch
from diffusers.models.attention_processor import (
    AttnProcessor,
    AttnProcessor2_0,
    CustomDiffusionAttnProcessor,
    IPAdapterAttnProcessor2_0,
    SlicedAttnProcessor,
)
from models_for_tests import PATH, PROMPT, noise, smallest
from transformers_for_tests import build_wan, tiny_transformer

from xattn_helpers import Bias, Guidance, Reweight, Swap, capture, generate
from xattn_helpers.pocket.text import WIDTH


def run(model, **options):
    return generate(model, PROMPT, **({"seed": 0, "steps": 2, "progress": False} | options))


# Processors


@pytest.mark.parametrize("processor", [AttnProcessor, AttnProcessor2_0, lambda: SlicedAttnProcessor(1)])
def test_processors_of_diffusers_are_kept_working_and_come_back(processor):
    model = smallest()
    model.network.set_attn_processor(processor())
    before, plain = dict(model.network.attn_processors), run(model)
    with capture(model, half="both") as attention:
        recorded = run(model)
    assert torch.equal(recorded.latents, plain.latents) and attention.maps("burger").shape == (1, 8, 8)
    same = run(model, edits=Swap("burger", "burger", source=PROMPT))
    torch.testing.assert_close(same.latents, plain.latents, atol=1e-3, rtol=1e-3)
    after = model.network.attn_processors
    assert all(after[name] is own for name, own in before.items())


def foreign(kind, model):
    """Processors with weights of their own, for the text attention alone."""
    sites = {f"{site.name}.processor" for site in model.sites}
    processors = {}
    for name, own in model.network.attn_processors.items():
        processors[name] = own
        if name in sites:
            processors[name] = kind(hidden_size=32, cross_attention_dim=WIDTH)
    return processors


def custom(hidden_size, cross_attention_dim):
    return CustomDiffusionAttnProcessor(False, True, hidden_size, cross_attention_dim)


@pytest.mark.parametrize(
    ("kind", "name"),
    [(custom, "CustomDiffusionAttnProcessor"), (IPAdapterAttnProcessor2_0, "IPAdapterAttnProcessor2_0")],
)
def test_processors_with_weights_of_their_own_are_refused_by_name_and_left_as_they_are(kind, name):
    model = smallest()
    model.network.set_attn_processor(foreign(kind, model))
    before = dict(model.network.attn_processors)
    latents, text = noise(model, height=8, width=8), model.encode([PROMPT])
    answer = f"down_blocks.0.attentions.0 has the attention processor {name}, .*possible are AttnProcessor, "
    edits = [Swap("shark", "burger", source="the shark"), Reweight("burger", 0.0), Bias("burger", PATH)]
    for edit in (*edits, Guidance("burger", PATH), Guidance("burger", PATH, memory="save")):
        with pytest.raises(ValueError, match=answer):
            run(model, edits=edit)
    with pytest.raises(ValueError, match=answer), capture(model):
        model.predict(latents, 500, text)
    assert all(model.network.attn_processors[name] is own for name, own in before.items())
    with capture(smallest()):  # other networks are not concerned
        run(smallest())
    if kind is custom:
        assert run(model).latents.isfinite().all()  # it runs as before, unwatched


def test_a_transformer_with_another_processor_is_refused_too():
    from diffusers.models.transformers.transformer_wan import WanAttnProcessor

    class Foreign(WanAttnProcessor):
        pass

    model = replace(tiny_transformer("wan"))
    model.network = build_wan()
    model.network.blocks[1].attn2.set_processor(Foreign())
    with pytest.raises(ValueError, match="blocks.1 has the attention processor Foreign.*possible are WanAttnProcessor"):
        with capture(model):
            pass
    assert type(model.network.blocks[0].attn2.processor) is WanAttnProcessor


@pytest.mark.parametrize("kind", ["layer_norm", "group_norm"])
def test_text_that_is_normalised_in_the_attention_is_seen_as_it_is(kind):
    """An option of diffusers' attention that few networks use."""
    model = smallest()
    for site in model.sites:
        attn = model.network.get_submodule(site.name)
        if kind == "layer_norm":
            attn.norm_cross = torch.nn.LayerNorm(WIDTH)
        else:
            attn.norm_cross = torch.nn.GroupNorm(8, WIDTH)
        torch.nn.init.normal_(attn.norm_cross.weight)
    plain = run(model)
    same = run(model, edits=Swap("burger", "burger", source=PROMPT))
    torch.testing.assert_close(same.latents, plain.latents, atol=1e-3, rtol=1e-3)


def test_projections_that_were_fused_are_seen_as_they_are_or_refused():
    wan, unet = replace(tiny_transformer("wan")), smallest()
    wan.network = build_wan()
    unfused = run(wan, edits=Swap("burger", "burger", source=PROMPT))
    wan.network.fuse_qkv_projections()
    fused = run(wan)
    torch.testing.assert_close(fused.latents, unfused.latents, atol=1e-3, rtol=1e-3)
    with capture(wan):
        assert torch.equal(run(wan).latents, fused.latents)
    swapped = run(wan, edits=Swap("burger", "burger", source=PROMPT))
    torch.testing.assert_close(swapped.latents, fused.latents, atol=1e-3, rtol=1e-3)
    unet.network.fuse_qkv_projections()
    with pytest.raises(ValueError, match="FusedAttnProcessor2_0"), capture(unet):
        pass


def test_a_copy_of_a_watched_network_is_not_watched():
    model = smallest()
    with capture(model):
        twin = copy.deepcopy(model)
    with capture(twin) as attention:
        clip = run(twin)
    assert attention.maps("burger").shape == (1, 8, 8) and torch.equal(clip.latents, run(model).latents)


# torch.compile


@pytest.fixture(scope="module", params=["wrapped", "in place", "blocks"])
def compiled(request):
    """The same network as it is, and compiled."""
    plain, model = smallest(), smallest()
    if request.param == "wrapped":
        model.network = torch.compile(model.network, backend="eager")
    elif request.param == "in place":
        model.network.compile(backend="aot_eager")
    else:
        for block in (*model.network.down_blocks, *model.network.up_blocks):
            block.compile(backend="eager")
    return plain, model


def test_a_compiled_network_makes_the_same_clip_and_is_recorded(compiled):
    plain, model = compiled
    wanted = run(plain)
    torch.testing.assert_close(run(model).latents, wanted.latents, atol=1e-4, rtol=1e-4)
    with capture(model) as attention, capture(plain) as own:
        clip = run(model)
        run(plain)
    torch.testing.assert_close(clip.latents, wanted.latents, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(attention.maps("burger"), own.maps("burger"), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(run(model).latents, wanted.latents, atol=1e-4, rtol=1e-4)


def test_a_compiled_network_is_edited_as_one_that_is_not(compiled):
    plain, model = compiled
    swap = Swap("shark", "burger", source="a shark floats")
    for edit in (swap, Guidance("burger", PATH), Guidance("burger", PATH, memory="save")):
        wanted = run(plain, edits=edit)
        torch.testing.assert_close(run(model, edits=edit).latents, wanted.latents, atol=1e-4, rtol=1e-4)


def test_what_was_compiled_in_place_is_compiled_again_afterwards():
    model = smallest()
    calls = []

    def backend(graph, inputs):
        calls.append(graph)
        return graph.forward

    model.network.compile(backend=backend)
    with capture(model):
        run(model)
    assert not calls and model.network._compiled_call_impl is not None
    run(model)
    assert calls
