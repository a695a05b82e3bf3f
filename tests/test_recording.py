"""Recording: nothing changes, everything that was asked for is there, and nothing else is kept."""

import gc

import pytest
import torch
from models_for_tests import LAYERS, PROMPT, checkpointing, noise, tiny

from xattn_helpers import capture, generate
from xattn_helpers.attention import controlled
from xattn_helpers.pocket.text import MAX_TOKENS

SIZES = {"down_blocks.0": 16, "down_blocks.1": 8, "mid_block": 4, "up_blocks.1": 8, "up_blocks.2": 16}


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"seed": 0, "progress": False} | options))


@pytest.fixture(scope="module")
def full():
    """A recording of everything, of a run with guidance."""
    with capture(tiny(), heads=True, every_step=True, half="both") as attention:
        run(tiny())
    return attention


@pytest.fixture(scope="module")
def mean():
    """A recording as it is by default, of the same run."""
    with capture(tiny()) as attention:
        run(tiny())
    return attention


# Nothing changes


@pytest.mark.parametrize("frames", [1, 3])
def test_recording_does_not_change_the_video(frames):
    model = tiny(frames)
    plain = run(model)
    with capture(model, heads=True, every_step=True, half="both"):
        recorded = run(model)
    assert (recorded.latents - plain.latents).abs().max() < 1e-4
    assert abs(recorded.video.astype(int) - plain.video).max() <= 1
    assert torch.equal(run(model).latents, plain.latents)


# What is recorded


def test_probabilities_of_all_tokens_sum_to_one(full, mean):
    for recording in (full, mean):
        for layer in recording.layers:
            total = recording.probabilities(layer).sum(-1)
            assert torch.allclose(total, torch.ones_like(total), atol=1e-5)


def test_the_running_mean_is_the_mean_of_every_step_head_and_layer(full, mean):
    for name in full.layers:
        every = torch.stack([full.probabilities(name, step)[1:] for step in range(3)])  # the conditional half
        assert torch.allclose(mean.probabilities(name), every.mean(0).mean(2, keepdim=True), atol=1e-6)
    assert torch.allclose(mean.maps("burger"), full.maps("burger"), atol=1e-6)
    assert [step.timestep for step in mean.steps] == [step.timestep for step in full.steps]
    assert len(full.steps) == 3 and all(step.guided for step in full.steps)


def test_maps_are_what_their_definition_says(full):
    conditional = torch.stack([full.probabilities(name)[1] for name in full.layers if "up_blocks.1" in name])
    wanted = conditional.mean(0)[..., 2].mean(1)  # over layers, then heads; "burger" is token 2
    assert torch.allclose(full.maps("burger", resolution=8, place="up"), wanted, atol=1e-6)
    assert torch.equal(full.maps(2, resolution=8, place="up"), full.maps("burger", resolution=8, place="up"))


def test_steps_heads_layers_and_halves_can_be_chosen(full):
    layer = "up_blocks.2.attentions.1"
    raw = full.probabilities(layer)  # (2, frames, heads, 16, 16, tokens)
    assert raw.shape == (2, 3, 2, 16, 16, MAX_TOKENS)
    assert torch.allclose(full.maps(5, layer=layer, head=1), raw[1, :, 1, ..., 5])
    assert torch.allclose(full.maps(5, layer=layer, half="unconditional"), raw[0].mean(1)[..., 5])
    steps = [full.maps("burger", layer=layer, step=step) for step in range(3)]
    assert torch.equal(full.maps("burger", layer=layer, step=-1), steps[2])
    assert torch.allclose(full.maps("burger", layer=layer, step=range(2)), (steps[0] + steps[1]) / 2)
    assert not torch.allclose(steps[0], steps[2])


def test_layers_are_selected_by_place_resolution_and_name(full):
    assert len(full.select()) == LAYERS
    assert [layer.place for layer in full.select(place=("down", "mid"))] == ["down", "down", "mid"]
    for start, side in SIZES.items():
        assert full.maps("burger", layer=start).shape == (3, side, side)
        assert any(layer.name.startswith(start) for layer in full.select(resolution=side))
    assert full.maps("burger").shape == (3, 16, 16)  # the smaller ones are enlarged


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ({"place": "down"}, 2), ({"place": ("mid", "up")}, 5), ({"layers": "up_blocks.2"}, 2), ({"resolution": 8}, 3),
        ({"layers": ["down_blocks", "mid"]}, 3), ({"resolution": (8, 16), "place": "up"}, 4),
    ],
)  # fmt: skip
def test_only_the_chosen_layers_are_kept(chosen, count):
    with capture(tiny(), **chosen) as attention:
        run(tiny(), steps=1)
    assert len(attention.select()) == count
    assert sum(len(kept.latest) for kept in attention._kept.values()) == count


def test_videos_that_are_not_square():
    with capture(tiny()) as attention:
        run(tiny(), steps=1, height=16, width=48)
    assert attention.maps("burger", resolution=8).shape == (3, 8, 24)
    assert attention.maps("burger", resolution=4).shape == (3, 4, 12)
    assert attention.maps("burger").shape == (3, 8, 24)


def test_maps_are_turned_the_right_way():
    """Attention to one token in the upper left only: a controller that paints, seen by the recorder."""

    def paint(probabilities, layer, step):
        height, width = probabilities.shape[3:5]
        painted = torch.zeros_like(probabilities)
        painted[..., 0] = 1
        painted[:, 1, :, : height // 2, : width // 4, 2] = 1
        painted[:, 1, :, : height // 2, : width // 4, 0] = 0
        return painted

    with capture(tiny()) as attention, controlled(tiny(), paint):
        run(tiny(), steps=1, height=32, width=16)
    wanted = torch.zeros(3, 16, 8)
    wanted[1, :8, :2] = 1
    assert torch.equal(attention.maps("burger", resolution=16), wanted)


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
    with capture(tiny()) as attention:
        run(tiny(), "the dog and the hovercraft", steps=1)
    positions = attention.positions("hovercraft")
    assert len(positions) > 1
    assert torch.allclose(attention.maps("hovercraft"), sum(attention.maps(p) for p in positions), atol=1e-6)
    assert torch.equal(attention.maps("the", occurrence=1), attention.maps(4))


def test_runs_without_guidance_have_one_half(mean):
    with capture(tiny(), half="both") as attention:
        run(tiny(), guidance_scale=1.0)
    assert attention.probabilities("mid").shape[0] == 1
    assert attention.maps("burger").shape == (3, 16, 16)


# Runs by hand, gradients, guidance


def test_a_run_by_hand_needs_its_prompt_for_words_only():
    model = tiny()
    text = model.encode_prompt([PROMPT])
    with capture(model) as attention:
        model.predict_noise(noise(model), 500, text)
    assert attention.maps(2).shape == (3, 16, 16)
    with pytest.raises(ValueError, match=r"unknown; use capture\(model, prompt=…\)"):
        attention.maps("burger")
    with capture(model, prompt=PROMPT) as told:
        model.predict_noise(noise(model), 500, text)
    assert torch.equal(told.maps("burger"), attention.maps(2))


@pytest.mark.parametrize("frames", [1, 3])
def test_gradients_reach_the_latents_of_every_frame(frames):
    model = tiny(frames)
    latents, text = noise(model).requires_grad_(), model.encode_prompt([PROMPT])
    with capture(model, gradients=True, prompt=PROMPT) as attention:
        model.predict_noise(latents, 500, text)
    attention.maps("burger", resolution=8).square().sum().backward()
    assert latents.grad.isfinite().all() and (latents.grad.abs().amax((0, 1, 3, 4)) > 0).all()


def test_without_gradients_no_graph_is_kept():
    model = tiny()
    latents, text = noise(model).requires_grad_(), model.encode_prompt([PROMPT])
    with capture(model, heads=True) as attention:
        model.predict_noise(latents, 500, text)
    assert not attention.probabilities("mid").requires_grad


def test_checkpointing_does_not_record_twice_and_gives_the_same_gradient():
    model = tiny()
    text, found = model.encode_prompt([PROMPT]), []
    for blocks in ([], [*model.unet.down_blocks, model.unet.mid_block, *model.unet.up_blocks]):
        latents, counts = noise(model).requires_grad_(), []
        with checkpointing(blocks), capture(model, gradients=True, every_step=True) as attention:
            with controlled(model, lambda p, layer, step, counts=counts: counts.append(layer) or p):
                model.predict_noise(latents, 500, text)
                first = [kept.latest[0] for kept in attention._kept.values()]
                attention.maps(2, resolution=8).square().sum().backward()
        assert all(kept.latest[0] is one for kept, one in zip(attention._kept.values(), first, strict=True))
        assert [len(kept.latest) for kept in attention._kept.values()] == [1] * LAYERS
        found.append((latents.grad, attention.maps(2).detach(), len(counts)))
    assert torch.allclose(found[0][0], found[1][0], rtol=1e-4, atol=1e-7)
    assert torch.equal(found[0][1], found[1][1])
    assert found[1][2] > found[0][2] == LAYERS  # layers did run again


def test_a_step_counts_once_with_its_last_call():
    """A guidance calls the model before the step does, on other latents and without the unconditional half."""
    model, text = tiny(), tiny().encode_prompt([PROMPT])

    class Look:
        def begin(self, *_):
            pass

        def update(self, latents, *_):
            model.predict_noise(latents + 1, _[1], text)
            return latents

    for half in ("conditional", "both"):
        with capture(model, half=half, every_step=True) as guided:
            run(model, guidance=Look())
        with capture(model, half=half, every_step=True) as plain:
            run(model)
        assert [step.timestep for step in guided.steps] == [step.timestep for step in plain.steps]
        assert torch.allclose(guided.maps("burger", step=1), plain.maps("burger", step=1), atol=1e-6)
        assert torch.allclose(guided.maps("burger"), plain.maps("burger"), atol=1e-6)


def test_a_layer_that_a_stopped_pass_did_not_reach_is_averaged_over_its_own_steps():
    model, text = tiny(), tiny().encode_prompt([PROMPT])

    class Enough(Exception):
        pass

    def stop(*_):
        raise Enough

    with capture(model, every_step=True) as attention:
        model.predict_noise(noise(model), 900, text)
        handle = model.unet.up_blocks[0].register_forward_pre_hook(stop)
        with pytest.raises(Enough):
            model.predict_noise(noise(model), 100, text)
        handle.remove()
    total = attention.probabilities("up_blocks.2.attentions.0").sum(-1)
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)
    with pytest.raises(ValueError, match="step=1: the run did not reach up_blocks.2.attentions.0"):
        attention.probabilities("up_blocks.2.attentions.0", step=1)
    assert attention.maps(2, place="down", step=1).shape == (3, 16, 16)


# Memory


def test_memory_does_not_grow_with_steps():
    def stored(steps, **options):
        with capture(tiny(), **options) as attention:
            run(tiny(), steps=steps)
        gc.collect()
        held = [tensor for kept in attention._kept.values() for tensor in (*kept.latest, kept.before)]
        held = [tensor for tensor in held if tensor is not None]
        assert all(tensor.untyped_storage().nbytes() == tensor.nbytes for tensor in held)  # no view of something larger
        return len(held)

    assert stored(2) == stored(6) == 2 * LAYERS
    assert stored(2, heads=True) == 2 * LAYERS
    assert stored(4, every_step=True) == 4 * LAYERS


def test_a_model_can_be_recorded_again_and_recordings_are_apart(mean):
    with capture(tiny(), place="up") as outer, capture(tiny(), place="mid", every_step=True) as inner:
        run(tiny())
    # the layers that nobody records keep their own attention, which rounds differently
    assert torch.allclose(outer.maps("burger"), mean.maps("burger", place="up"), atol=1e-5)
    assert torch.allclose(inner.maps("burger"), mean.maps("burger", place="mid"), atol=1e-5)


# Wrong input


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ({"word": "shark"}, "'shark' is not in the prompt .* burger, floats"),
        ({"word": "a", "occurrence": 1}, "occurrence=1 of 'a'"),
        ({"word": 20}, "word=20: there are 20 token positions"),
        ({"word": "burger", "resolution": 32}, r"resolution=32.*; there are down_blocks.0.attentions.0 \(16x16\)"),
        ({"word": "burger", "place": "middle"}, "place=middle"),
        ({"word": "burger", "layer": "down_blocks.7"}, "layer=down_blocks.7"),
        ({"word": "burger", "place": "mid", "resolution": 16}, "resolution=16, place=mid"),
        ({"word": "burger", "step": 3}, "step=3 of 3 recorded steps, counted from 0"),
        ({"word": "burger", "step": -4}, "step=-4"),
        ({"word": "burger", "step": []}, "is empty; 3 steps"),
        ({"word": "burger", "head": 2}, "head=2: there are 2 heads"),
        ({"word": "burger", "batch": 1}, "batch=1: there are 1 prompts"),
        ({"word": 3, "batch": -2}, "batch=-2"),
        ({"word": "burger", "half": "unconditional"}, "the unconditional half has another prompt"),
        ({"word": 3, "half": "left"}, "half='left'"),
    ],
)
def test_a_wrong_question_is_an_error_that_says_what_is_there(full, question, answer):
    with pytest.raises(ValueError, match=answer):
        full.maps(**question)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ({"step": 0}, "use capture.model, every_step=True"),
        ({"head": 0}, "use capture.model, heads=True"),
        ({"half": "unconditional", "word": 1}, "half='unconditional' was not recorded"),
    ],
)
def test_what_was_not_kept_is_an_error_that_says_how_to_keep_it(mean, question, answer):
    with pytest.raises(ValueError, match=answer):
        mean.maps(**({"word": "burger"} | question))


def test_a_layer_by_name_must_be_one(full):
    with pytest.raises(ValueError, match="layer='up' fits more than one layer; recorded are down_blocks"):
        full.probabilities("up")
    with pytest.raises(ValueError, match="layer='temp' was not recorded"):
        full.probabilities("temp")
    for layer in full.model.cross_attention_layers:
        assert torch.equal(full.probabilities(layer), full.probabilities(str(layer)))


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"place": "middle"}, "no layer has place=middle.*; there are down_blocks.0.attentions.0, .*mid_block"),
        ({"layers": ["temp_attentions"]}, "no layer has"),
        ({"place": "mid", "layers": "up"}, "no layer has place=mid, layers=up"),
        ({"half": "left"}, "half='left': possible are conditional, unconditional, both"),
    ],
)
def test_an_empty_choice_is_an_error_before_anything_runs(options, answer):
    with pytest.raises(ValueError, match=answer), capture(tiny(), **options):
        raise AssertionError("must not get here")


def test_a_choice_that_turns_out_empty_is_an_error_when_the_block_ends():
    with pytest.raises(ValueError, match=r"resolution=\(64,\); there are down_blocks.0.attentions.0 \(16x16\)"):
        with capture(tiny(), resolution=64):
            run(tiny(), steps=1)
    with pytest.raises(ValueError, match="it had no such half"), capture(tiny(), half="unconditional"):
        run(tiny(), steps=1, guidance_scale=1.0)
    assert not hasattr(tiny().unet, "_attention_tap")


def test_asking_before_anything_ran_is_an_error():
    with capture(tiny()) as attention:
        pass
    with pytest.raises(RuntimeError, match="run the model inside"):
        attention.maps("burger")


@pytest.mark.parametrize("every_step", [False, True])
def test_runs_of_different_size_do_not_mix(every_step):
    with pytest.raises(ValueError, match="runs of different size.*a capture for each"):
        with capture(tiny(), every_step=every_step) as attention:
            run(tiny(), steps=2)
            run(tiny(), steps=2, height=16)
        attention.maps("burger")
