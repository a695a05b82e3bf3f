"""Listening to attention: what listeners see, what they can change, and that the network is always restored."""

import pytest
import torch
from diffusers.models.attention_processor import Attention
from models_for_tests import PROMPT, SITES, noise, tiny

from xattn_helpers.attention.processor import listening
from xattn_helpers.backbones.backbone import Site

MID = "mid_block.attentions.0.transformer_blocks.0.attn2"


class Spy:
    """Notes what it sees; with `edit`, it is an editor."""

    def __init__(self, edit=None):
        self.edit, self.edits, self.calls = edit, edit is not None, []

    def __call__(self, maps, site, call):
        self.calls.append((maps, site, call))
        return self.edit(maps) if self.edits else None


def uniform(maps):
    return torch.full_like(maps, 1 / maps.shape[-1])


def predict(model, latents=None, timestep=500, halves=False):
    text = model.encode([PROMPT] * (1 if latents is None else len(latents)))
    negative = torch.zeros_like(text.states) if halves else None
    return model.predict(noise(model) if latents is None else latents, timestep, text, negative, 2.0)


def state(model):
    """What nobody may change for good."""
    hooks = sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.network.modules())
    processors = {name: id(processor) for name, processor in model.network.attn_processors.items()}
    return hooks, processors, set(vars(model.network))


@pytest.fixture(params=[1, 3], ids=["image", "video"])
def model(request):
    return tiny(request.param)


# Sites


def test_sites_are_those_that_the_modules_call_cross_attention(model):
    names = {site.name for site in model.sites}
    assert len(names) == SITES
    for name, module in model.network.named_modules():
        if isinstance(module, Attention):
            temporal = "temp_attentions" in name or "transformer_in" in name  # their attn2 is self-attention
            assert (name in names) == (name.endswith("attn2") and not temporal)


def test_sites_run_in_the_order_of_the_list(model):
    with listening(model.backbone, spy := Spy()):
        predict(model)
    assert [site for _, site, _ in spy.calls] == model.sites
    assert [site.group for site in model.sites] == ["down"] * 2 + ["mid"] + ["up"] * 4
    assert str(spy.calls[2][1]) == "mid_block.attentions.0"


def test_only_the_sites_that_were_asked_for_are_seen(model):
    with listening(model.backbone, spy := Spy(), model.sites[1:3]):
        predict(model)
    assert [site for _, site, _ in spy.calls] == model.sites[1:3]


# What a listener sees


def test_the_softmax_by_hand_equals_what_a_listener_sees(model):
    seen, module = {}, model.network.get_submodule(MID)
    handle = module.register_forward_pre_hook(lambda m, args, kw: seen.update(kw, pixels=args[0]), with_kwargs=True)
    with listening(model.backbone, spy := Spy()):
        predict(model)
    handle.remove()
    frames = model.defaults.frames
    query, key = module.to_q(seen["pixels"]), module.to_k(seen["encoder_hidden_states"])  # (frames, …, 32)
    query, key = (x.unflatten(-1, (2, 16)).transpose(1, 2) for x in (query, key))  # (frames, heads, …, 16)
    by_hand = torch.softmax(query @ key.transpose(-1, -2) / 16**0.5, dim=-1)  # (frames, heads, pixels, tokens)
    recorded = next(maps for maps, site, _ in spy.calls if site == Site(MID, "mid"))
    assert recorded.shape == (1, frames, 2, 4, 4, 20)
    assert torch.allclose(recorded[0].flatten(2, 3), by_hand, atol=1e-6)
    assert by_hand.std(-1).mean() > 0.01  # not the same everywhere, or this would show nothing


def test_maps_sum_to_one_and_have_the_shape_of_the_picture(model):
    latents = noise(model, batch=2, height=8, width=24)
    with listening(model.backbone, spy := Spy()):
        predict(model, latents, halves=True)
    for maps, _, call in spy.calls:
        assert call.halves == ("unconditional", "conditional") and maps.shape[:3] == (4, model.defaults.frames, 2)
        assert torch.allclose(maps.sum(-1), torch.ones(maps.shape[:-1]), atol=1e-5)
    sizes = [tuple(maps.shape[3:5]) for maps, _, _ in spy.calls]
    assert sizes == [(8, 24), (4, 12), (2, 6), (4, 12), (4, 12), (8, 24), (8, 24)]


def test_frames_and_clips_are_told_apart():
    model, latents = tiny(), noise(tiny(), batch=2)
    with listening(model.backbone, batch := Spy()):
        predict(model, latents)
    for index in range(2):
        with listening(model.backbone, single := Spy()):
            predict(model, latents[index : index + 1])
        for (maps, _, _), (wanted, _, _) in zip(batch.calls, single.calls, strict=True):
            assert torch.allclose(maps[index], wanted[0], atol=1e-5)


def test_halves_are_where_the_call_says(model):
    latents, text = noise(model), model.encode([PROMPT])
    negative = torch.zeros_like(text.states)
    with listening(model.backbone, pair := Spy()):
        model.predict(latents, 500, text, negative, 2.0)
    for half, states in (("conditional", text), ("unconditional", negative)):
        with listening(model.backbone, single := Spy()):
            model.predict(latents, 500, states)
        for (maps, _, call), (wanted, _, _) in zip(pair.calls, single.calls, strict=True):
            assert torch.allclose(maps[call.part(half)], wanted, atol=1e-5)
    assert single.calls[0][2].part("unconditional") is None


def test_a_call_by_hand_knows_its_timestep_and_size():
    model, latents = tiny(), noise(tiny(), batch=2, height=8, width=24)
    with listening(model.backbone, spy := Spy()):
        predict(model, latents, timestep=torch.tensor([900]))
    call = spy.calls[0][2]
    assert (call.timestep, call.size, call.clips, call.index, call.prompts) == (900, (3, 8, 24), 2, None, ())
    assert not call.gradient and call.run is None


def test_a_network_that_is_called_directly_while_it_is_watched_is_an_error_that_says_what_to_call():
    model, text = tiny(), tiny().encode([PROMPT])
    with pytest.raises(RuntimeError, match="UNet3DConditionModel was called directly .* call model.predict"):
        with listening(model.backbone, Spy()):
            model.network(noise(model), 500, text.states)


# What it can change


def test_what_an_editor_returns_is_what_the_network_uses(model):
    plain = predict(model)
    with listening(model.backbone, Spy(uniform)):
        edited = predict(model)
    assert (edited - plain).abs().max() > 1e-4
    assert torch.equal(predict(model), plain)


@pytest.mark.parametrize("outer_edits", [True, False])
def test_a_recorder_sees_the_edited_maps_whatever_the_nesting(outer_edits):
    model, recorder, editor = tiny(), Spy(), Spy(uniform)
    outer, inner = (editor, recorder) if outer_edits else (recorder, editor)
    with listening(model.backbone, outer), listening(model.backbone, inner):
        predict(model)
    assert all((maps == 1 / 20).all() for maps, _, _ in recorder.calls)
    assert not any((maps == 1 / 20).all() for maps, _, _ in editor.calls)


def test_editors_act_in_their_order():
    model, first, second = tiny(), Spy(lambda maps: maps * 0 + 1), Spy(lambda maps: maps + 2)
    with listening(model.backbone, first), listening(model.backbone, second), listening(model.backbone, last := Spy()):
        predict(model)
    assert (second.calls[0][0] == 1).all() and (last.calls[0][0] == 3).all()


def test_a_listener_stops_with_its_own_block():
    model, outer, inner = tiny(), Spy(), Spy()
    with listening(model.backbone, outer):
        with listening(model.backbone, inner):
            predict(model)
        predict(model)
    assert (len(outer.calls), len(inner.calls)) == (2 * SITES, SITES)


def test_listeners_that_are_equal_are_kept_apart():
    class Same(Spy):
        def __eq__(self, other):
            raise AssertionError("comparing listeners may compare tensors")

    model, outer, inner = tiny(), Same(), Same()
    with listening(model.backbone, outer):
        with listening(model.backbone, inner):
            pass
        predict(model)
    assert (len(outer.calls), len(inner.calls)) == (SITES, 0)


@pytest.mark.parametrize("wrong", [lambda maps: None, lambda maps: maps.sum(-1)])
def test_an_editor_that_returns_something_else_is_an_error(wrong):
    with pytest.raises(TypeError, match=r"Spy must return maps of the shape .* given, \(1, 3, 2, 16, 16, 20\)"):
        with listening(tiny().backbone, Spy(wrong)):
            predict(tiny())


# Restoring


@pytest.mark.parametrize("failure", [None, "in the block", "in the listener", "in the network"])
def test_the_network_is_restored_whatever_happens(model, failure):
    before, plain = state(model), predict(model)

    def fail(maps):
        raise KeyError

    try:
        with listening(model.backbone, Spy(uniform)):
            with listening(model.backbone, Spy(fail) if failure == "in the listener" else Spy()):
                assert state(model) != before
                predict(model, noise(model)[:, :2] if failure == "in the network" else None)
                if failure:
                    raise KeyError
    except (KeyError, RuntimeError):
        assert failure
    assert state(model) == before
    assert torch.equal(predict(model), plain)
