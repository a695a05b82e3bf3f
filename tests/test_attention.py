"""The attention seam: what controllers see, what they can change, and that the model is always restored."""

import types

import pytest
import torch
from diffusers.models.attention_processor import Attention
from models_for_tests import LAYERS, PROMPT, noise, tiny

from xattn_helpers.attention import Layer, controlled, find_layers

NAME = "mid_block.attentions.0.transformer_blocks.0.attn2"


class Spy:
    """Notes what it sees and returns `edit` of it."""

    def __init__(self, edit=lambda probabilities: probabilities, records=False):
        self.edit, self.records, self.calls = edit, records, []

    def __call__(self, probabilities, layer, step):
        self.calls.append((probabilities, layer, step))
        return self.edit(probabilities)


def uniform(probabilities):
    return torch.full_like(probabilities, 1 / probabilities.shape[-1])


def predict(model, latents=None, timestep=500, guided=False):
    text = model.encode_prompt([PROMPT] * (1 if latents is None else len(latents)))
    negative = torch.zeros_like(text) if guided else None
    return model.predict_noise(noise(model) if latents is None else latents, timestep, text, negative, 2.0)


def state(model):
    """What a controller may not change for good."""
    hooks = sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.unet.modules())
    processors = {name: id(processor) for name, processor in model.unet.attn_processors.items()}
    return hooks, processors, set(vars(model.unet))


@pytest.fixture(params=[1, 3], ids=["image", "video"])
def model(request):
    return tiny(request.param)


# Layers


def test_layers_are_those_that_the_modules_call_cross_attention(model):
    names = {layer.name for layer in find_layers(model.unet)}
    assert len(names) == LAYERS
    for name, module in model.unet.named_modules():
        if isinstance(module, Attention):
            temporal = "temp_attentions" in name or "transformer_in" in name  # their attn2 is self-attention
            assert (name in names) == (name.endswith("attn2") and not temporal)


def test_layers_run_in_the_order_of_the_list(model):
    with controlled(model, spy := Spy()):
        predict(model)
    assert [layer for _, layer, _ in spy.calls] == find_layers(model.unet) == model.cross_attention_layers
    assert [str(layer) for _, layer, _ in spy.calls][2] == "mid_block.attentions.0"


def test_a_network_without_text_attention_is_an_error_that_lists_what_there_is():
    bare = types.SimpleNamespace(unet=torch.nn.Sequential(torch.nn.MultiheadAttention(4, 2)))
    with pytest.raises(ValueError, match="Sequential has no text cross-attention.*: MultiheadAttention"):
        with controlled(bare, Spy()):
            pass


# What a controller sees


def test_the_softmax_by_hand_equals_what_the_controller_sees(model):
    seen, layer = {}, model.unet.get_submodule(NAME)
    handle = layer.register_forward_pre_hook(lambda m, args, kw: seen.update(kw, pixels=args[0]), with_kwargs=True)
    with controlled(model, spy := Spy()):
        predict(model)
    handle.remove()
    frames = model.defaults.frames
    query, key = layer.to_q(seen["pixels"]), layer.to_k(seen["encoder_hidden_states"])  # (frames, pixels or tokens, 32)
    query, key = (x.unflatten(-1, (2, 16)).transpose(1, 2) for x in (query, key))  # (frames, heads, …, 16)
    by_hand = torch.softmax(query @ key.transpose(-1, -2) / 16**0.5, dim=-1)  # (frames, heads, pixels, tokens)
    recorded = next(probabilities for probabilities, layer, _ in spy.calls if layer == Layer(NAME, "mid"))
    assert recorded.shape == (1, frames, 2, 4, 4, 20)
    assert torch.allclose(recorded[0].flatten(2, 3), by_hand, atol=1e-6)
    assert by_hand.std(-1).mean() > 0.01  # not the same everywhere, or this would show nothing


def test_probabilities_sum_to_one_and_have_the_shape_of_the_picture(model):
    latents = noise(model, batch=2, height=8, width=24)
    with controlled(model, spy := Spy()):
        predict(model, latents, guided=True)
    for probabilities, _, step in spy.calls:
        assert step.guided and probabilities.shape[:3] == (4, model.defaults.frames, 2)
        assert torch.allclose(probabilities.sum(-1), torch.ones(probabilities.shape[:-1]), atol=1e-5)
    sizes = [tuple(probabilities.shape[3:5]) for probabilities, _, _ in spy.calls]
    assert sizes == [(8, 24), (4, 12), (2, 6), (4, 12), (4, 12), (8, 24), (8, 24)]


def test_frames_and_the_batch_are_told_apart():
    model, latents = tiny(), noise(tiny(), batch=2)
    with controlled(model, both := Spy()):
        predict(model, latents)
    for index in range(2):
        with controlled(model, one := Spy()):
            predict(model, latents[index : index + 1])
        for (probabilities, _, _), (wanted, _, _) in zip(both.calls, one.calls, strict=True):
            assert torch.allclose(probabilities[index], wanted[0], atol=1e-5)


def test_the_explicit_softmax_gives_what_the_default_processor_gives(model):
    plain = predict(model, guided=True)
    with controlled(model, Spy()):
        assert torch.allclose(predict(model, guided=True), plain, atol=1e-5)


def test_steps_count_timesteps_and_calls():
    model = tiny()
    with controlled(model, spy := Spy()):
        predict(model, timestep=900)
        predict(model, timestep=900, guided=True)
        predict(model, timestep=torch.tensor([100]))
    steps = [step for _, layer, step in spy.calls if layer.place == "mid"]
    assert [(s.index, s.timestep, s.call, s.guided) for s in steps] == [
        (0, 900, 0, False), (0, 900, 1, True), (1, 100, 2, False),
    ]  # fmt: skip


# What it can change


def test_what_a_controller_returns_is_what_the_model_uses(model):
    plain = predict(model)
    with controlled(model, Spy(uniform)):
        edited = predict(model)
    assert (edited - plain).abs().max() > 1e-4
    assert torch.equal(predict(model), plain)


@pytest.mark.parametrize("outer_records", [True, False])
def test_a_recorder_sees_the_edited_probabilities_whatever_the_nesting(outer_records):
    model, recorder, editor = tiny(), Spy(records=True), Spy(uniform)
    outer, inner = (recorder, editor) if outer_records else (editor, recorder)
    with controlled(model, outer), controlled(model, inner):
        predict(model)
    assert all((probabilities == 1 / 20).all() for probabilities, _, _ in recorder.calls)
    assert not any((probabilities == 1 / 20).all() for probabilities, _, _ in editor.calls)


def test_a_controller_stops_with_its_own_block():
    model, outer, inner = tiny(), Spy(), Spy()
    with controlled(model, outer):
        with controlled(model, inner):
            predict(model)
        predict(model)
    assert (len(outer.calls), len(inner.calls)) == (2 * LAYERS, LAYERS)


def test_controllers_that_are_equal_are_kept_apart():
    class Same(Spy):
        def __eq__(self, other):
            raise AssertionError("comparing controllers may compare tensors")

    model, outer, inner = tiny(), Same(), Same()
    with controlled(model, outer):
        with controlled(model, inner):
            pass
        predict(model)
    assert (len(outer.calls), len(inner.calls)) == (LAYERS, 0)


@pytest.mark.parametrize("wrong", [lambda p: None, lambda p: p.sum(-1)])
def test_a_controller_that_returns_something_else_is_an_error(wrong):
    with pytest.raises(TypeError, match="must return probabilities"), controlled(tiny(), Spy(wrong)):
        predict(tiny())


# Restoring


@pytest.mark.parametrize("failure", [None, "in the block", "in the controller", "in the model"])
def test_the_model_is_restored_whatever_happens(model, failure):
    before, plain = state(model), predict(model)

    def fail(probabilities):
        raise KeyError

    try:
        with controlled(model, Spy(uniform)), controlled(model, Spy(fail) if failure == "in the controller" else Spy()):
            assert state(model) != before
            predict(model, noise(model)[:, :2] if failure == "in the model" else None)
            if failure:
                raise KeyError
    except (KeyError, RuntimeError):
        assert failure
    assert state(model) == before
    assert torch.equal(predict(model), plain)


def test_processors_that_somebody_else_had_set_come_back():
    model = tiny()
    before = dict(model.unet.attn_processors)
    mine = {name: type(processor)() for name, processor in before.items()}
    model.unet.set_attn_processor(dict(mine))
    try:
        with controlled(model, Spy()):
            pass
        assert all(model.unet.attn_processors[name] is mine[name] for name in mine)
    finally:
        model.unet.set_attn_processor(before)
