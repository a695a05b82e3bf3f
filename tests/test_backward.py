"""Backward guidance on a tiny model: what it changes, what it leaves alone, and what it refuses."""

import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler
from models_for_tests import PATH, PROMPT, begun, noise, tiny

from xattn_helpers import capture, generate
from xattn_helpers.attention import find_layers
from xattn_helpers.backward import FRAMES, LAWS, SCHEDULES, Guidance, signal
from xattn_helpers.energies import box_energy
from xattn_helpers.forward import Swap
from xattn_helpers.targets import track


def run(guidance=None, prompt=PROMPT, **options):
    return generate(tiny(), prompt, **({"seed": 0, "progress": False, "guidance": guidance} | options))


def test_zero_strength_is_bit_for_bit_the_unguided_clip():
    assert torch.equal(run(Guidance("burger", PATH, strength=0.0)).latents, run().latents)


def test_guidance_changes_the_clip_and_restores_the_model():
    model, before = tiny(), dict(tiny().unet.attn_processors)
    assert (run(Guidance("burger", PATH)).latents - run().latents).abs().max() > 1e-3
    assert model.unet.attn_processors.keys() == before.keys()
    assert all(one is before[name] for name, one in model.unet.attn_processors.items())


def test_the_gradient_is_that_of_the_energy_of_recorded_maps():
    guidance, model, latents = begun(resolution=16), tiny(), noise(tiny())
    energy, gradient = guidance.gradient(latents, 500)
    moving = latents.clone().requires_grad_(True)
    with torch.enable_grad(), capture(model, resolution=16, heads=True, gradients=True, prompt=PROMPT) as attention:
        model.predict_noise(moving, 500, model.encode_prompt(PROMPT))
    layers = [attention.probabilities(layer)[0, ..., 2].transpose(0, 1) for layer in attention.select(16)]
    by_hand = torch.stack([box_energy(maps, PATH.mask(3, 16, 16, "disc")).mean(0) for maps in layers]).mean(0)
    torch.testing.assert_close(energy[0], by_hand.detach())
    torch.testing.assert_close(gradient, torch.autograd.grad(by_hand.sum(), moving)[0])


def test_every_frame_has_a_gradient():
    """In the paper's released code the first half of the frames has none: it takes the second half of a batch."""
    _, gradient = begun().gradient(noise(tiny()), 500)
    assert (gradient[0].abs().amax((0, 2, 3)) > 0).all()


def test_one_small_step_lowers_the_energy():
    guidance, latents = begun(), noise(tiny())
    energy, gradient = guidance.gradient(latents, 500)
    after, _ = guidance.gradient(latents - 0.05 * gradient / gradient.abs().max(), 500)
    assert after.sum() < energy.sum()


def test_the_update_is_equation_four():
    guidance, latents = begun(strength=7.0), noise(tiny())
    scheduler = tiny().scheduler
    energy, gradient = guidance.gradient(latents, 500)
    wanted = latents - 7.0 * (1 - scheduler.alphas_cumprod[500]) * gradient
    torch.testing.assert_close(guidance.update(latents, 0, torch.tensor(500), scheduler), wanted)
    assert guidance.log[0]["step"] == 0 and guidance.log[0]["energy"] == pytest.approx(energy[0].tolist())


def test_repeats_update_again_until_the_energy_is_low_enough():
    twice = begun(repeats=2)
    twice.update(noise(tiny()), 0, torch.tensor(500), tiny().scheduler)
    assert len(twice.log) == 2
    enough = begun(repeats=2, stop_below=10.0)
    latents = noise(tiny())
    assert torch.equal(enough.update(latents, 0, torch.tensor(500), tiny().scheduler), latents)


def test_after_the_first_pass_only_needed_layers_are_explicit_and_nothing_runs_after_them():
    guidance, model, latents = begun(resolution=8), tiny(), noise(tiny())
    first = guidance.gradient(latents, 500)
    assert {layer.name for layer in guidance.layers} < {layer.name for layer in find_layers(model.unet)}
    ran = []
    handle = model.unet.conv_out.register_forward_hook(lambda *_: ran.append("conv_out"))
    try:
        second = guidance.gradient(latents, 500)
    finally:
        handle.remove()
    assert ran == []
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


def test_prompts_of_a_batch_are_guided_each_by_itself():
    prompts = [PROMPT, "a big burger floats on the water"]
    together, latents = begun(prompts), noise(tiny()).repeat(2, 1, 1, 1, 1)
    alone = begun(prompts[1:])
    torch.testing.assert_close(
        together.gradient(latents, 500)[1][1], alone.gradient(latents[1:], 500)[1][0], atol=1e-6, rtol=1e-3
    )


def test_two_objects_add_their_energies():
    water = track([(0.5, 0.8)], size=0.4)
    both = begun(word=["burger", "water"], target=[PATH, water])
    one, other = begun(), begun(word="water", target=water)
    energies = [guidance.gradient(noise(tiny()), 500)[0] for guidance in (both, one, other)]
    torch.testing.assert_close(energies[0], energies[1] + energies[2])


def test_a_drawn_target_equals_the_track_that_drew_it():
    targets = (PATH.mask(3, 16, 16, "disc"), PATH)
    drawn, path = (begun(target=one, resolution=16).gradient(noise(tiny()), 500)[0] for one in targets)
    torch.testing.assert_close(drawn, path)


def test_the_sources_of_a_control_stay_where_they_are():
    swap, boat = Swap("water", "water", source=PROMPT), "a boat floats on the water"
    guided, free = (run(guidance, boat, control=swap) for guidance in (Guidance("boat", PATH), None))
    torch.testing.assert_close(guided.source.latents, free.source.latents, atol=1e-3, rtol=0)
    assert (guided.latents - free.latents).abs().max() > 1e-2


def test_images_are_guided_too():
    guided, free = (generate(tiny(1), PROMPT, guidance=one, progress=False) for one in (Guidance("burger", PATH), None))
    assert (guided.latents - free.latents).abs().max() > 1e-3


def test_checkpointing_blocks_changes_no_gradient_and_restores_the_model():
    plain, saving, latents = begun(), begun(checkpoint_blocks=True), noise(tiny())
    blocks = [*tiny().unet.down_blocks, tiny().unet.mid_block, *tiny().unet.up_blocks]
    for _ in range(2):  # the second pass stops early
        for one, other in zip(plain.gradient(latents, 500), saving.gradient(latents, 500), strict=True):
            torch.testing.assert_close(other, one, atol=1e-5, rtol=1e-5)
        assert not any("forward" in vars(block) for block in blocks)
    assert [layer.name for layer in saving.layers] == [layer.name for layer in plain.layers]


def test_under_checkpointing_layers_are_recorded_once_and_blocks_run_twice_and_not_to_the_end():
    guidance, latents, ran, entered = begun(checkpoint_blocks=True, resolution=8), noise(tiny()), [], []
    guidance.gradient(latents, 500)
    unet = tiny().unet
    handles = [
        unet.down_blocks[0].resnets[0].register_forward_hook(lambda *_: ran.append("down")),
        unet.conv_out.register_forward_hook(lambda *_: ran.append("conv_out")),
    ]
    try:
        with capture(tiny(), resolution=8, prompt=PROMPT, every_step=True) as attention:
            guidance.gradient(latents, 500)
            entered = [len(attention._kept[layer.name].steps) for layer in attention.select(8)]
    finally:
        for handle in handles:
            handle.remove()
    assert ran == ["down", "down"] and set(entered) == {1}


def test_a_guided_clip_is_the_same_under_checkpointing():
    plain, saving = (run(Guidance("burger", PATH, checkpoint_blocks=one)).latents for one in (False, True))
    torch.testing.assert_close(saving, plain, atol=1e-3, rtol=1e-3)


def test_each_prompt_of_a_batch_may_have_words_and_targets_of_its_own():
    prompts, water = [PROMPT, "a boat floats on the water"], track([(0.5, 0.8)], size=0.4)
    both = begun(prompts, word=[["burger"], ["boat", "water"]], target=[[PATH], [PATH, water]])
    apart = begun(prompts[:1]), begun(prompts[1:], word=["boat", "water"], target=[PATH, water])
    latents = noise(tiny()).repeat(2, 1, 1, 1, 1)
    energy, gradient = both.gradient(latents, 500)
    for index, one in enumerate(apart):
        alone = one.gradient(latents[:1], 500)
        torch.testing.assert_close(energy[index], alone[0][0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(gradient[index], alone[1][0], atol=1e-6, rtol=1e-3)


@pytest.mark.parametrize("options", [{"law": "norm"}, {"repeats": 2, "stop_below": 0.7}])
def test_a_prompt_is_updated_alike_alone_and_in_a_batch(options):
    prompts = [PROMPT, "a big burger floats on the water"]
    latents, now = torch.cat([noise(tiny()), noise(tiny(), seed=1)]), (0, torch.tensor(500), tiny().scheduler)
    together = begun(prompts, **options).update(latents, *now)
    for index, prompt in enumerate(prompts):
        alone = begun([prompt], **options).update(latents[index : index + 1], *now)
        torch.testing.assert_close(together[index], alone[0], atol=1e-4, rtol=1e-3)


def test_the_released_codes_frame_bug_leaves_the_first_half_without_targets():
    """Frame f of 16 reads frame 8 + f // 2, so that each later frame answers for two targets."""
    assert [FRAMES["released"](frame, 16) for frame in range(16)] == [8 + frame // 2 for frame in range(16)]
    probabilities = torch.rand(1, 4, 2, 8, 8, 20, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    energies = {name: begun(frame_of=name).of_layer(probabilities)[0] for name in FRAMES}
    reached = {
        name: torch.autograd.grad(energy.sum(), probabilities)[0][0].abs().amax((1, 2, 3, 4)) > 0
        for name, energy in energies.items()
    }
    assert reached["own"].tolist() == [True] * 4 and reached["released"].tolist() == [False, False, True, True]
    targets = PATH.mask(4, 8, 8, "disc")
    maps = probabilities[0, ..., 2].transpose(0, 1)  # (heads, frames, h, w)
    by_hand = box_energy(maps[:, [2, 2, 3, 3]], targets).mean(0)
    torch.testing.assert_close(energies["released"], by_hand)


def test_frames_may_be_named_by_a_function():
    probabilities = torch.rand(1, 4, 2, 8, 8, 20)
    named, own = begun(frame_of=lambda frame, frames: frame), begun()
    torch.testing.assert_close(named.of_layer(probabilities), own.of_layer(probabilities))


# Laws and schedules


def test_laws_at_the_ends_of_the_schedule():
    abar = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").alphas_cumprod
    ends = {name: [float(LAWS[name](abar[t])) for t in (999, 20)] for name in LAWS}
    assert ends["(1 - abar) / abar"] == pytest.approx([213.6, 0.01904], rel=0.01)
    assert ends["1 - abar"] == pytest.approx([0.9953, 0.0187], rel=0.01)


@pytest.mark.parametrize(
    ("name", "steps", "guided"),
    [
        ("paper", 8, [0, 1, 2, 4, 6]),
        ("released", 10, [0, 1, 2, 3, 4, 6, 8]),
        ("first quarter", 8, [0, 1]),
        ("first half", 8, [0, 1, 2, 3]),
        ("always", 3, [0, 1, 2]),
    ],
)
def test_schedules(name, steps, guided):
    assert [index for index in range(steps) if SCHEDULES[name](index, steps)] == guided


def test_eta_that_explodes_is_an_error_that_names_the_way_out():
    with pytest.raises(ValueError, match=r"law='\(1 - abar\) / abar' moves a latent.*another law .*'1 - abar'"):
        run(Guidance("burger", PATH, strength=1e6, law="(1 - abar) / abar"))


def test_a_gradient_that_is_not_finite_is_an_error():
    with pytest.raises(FloatingPointError, match="not finite; load the model with dtype=torch.float32"):
        run(Guidance("burger", PATH, energy=lambda maps, targets: maps.sum((-2, -1)) / 0.0))


def test_a_scheduler_without_abar_is_an_error():
    with pytest.raises(ValueError, match="FlowMatchEulerDiscreteScheduler has no alphas_cumprod"):
        signal(FlowMatchEulerDiscreteScheduler(), 1)
    assert 0 < float(signal(EulerDiscreteScheduler(), 500)) < 1
    with pytest.raises(ValueError, match="has no alphas_cumprod.*use DDIMScheduler"):
        begun().update(noise(tiny()), 0, torch.tensor(500), FlowMatchEulerDiscreteScheduler())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"energy": "boxes"}, "possible are box, shape"),
        ({"law": "linear"}, "law='linear': possible are '1 - abar'"),
        ({"schedule": "never"}, "schedule='never'"),
        ({"strength": -1.0}, "strength=-1.0"),
        ({"place": ()}, "places are down, mid, up"),
        ({"place": "top"}, "places are down, mid, up"),
        ({"word": ["burger", "water"]}, "1 given for 2 words"),
        ({"word": [["burger"], ["water"]], "target": [[PATH]]}, "1 given for 2 prompts"),
        ({"word": []}, "target: 1 given for 0"),
        ({"word": 2}, "word: 2 given; needed is a word of the prompt"),
        ({"frame_of": "first"}, "frame_of='first': possible are own, released, or a function"),
        ({"resolution": ()}, r"resolution=\(\)"),
        ({"repeats": 0}, "repeats=0: possible are from 0 and from 1 on"),
        ({"strength": float("nan")}, "strength=nan"),
        ({"target": [(0.1, 0.2)]}, "target: tuple given; possible are a track"),
        ({"target": torch.zeros(16, 16)}, r"target: shape \(16, 16\) given; needed are \(frames, height, width\)"),
        ({"target": torch.full((3, 4, 4), 255.0)}, r"target: .* in \[0, 1\]"),
    ],
)
def test_wrong_knobs_say_what_is_possible(options, message):
    with pytest.raises(ValueError, match=message):
        Guidance(**({"word": "burger", "target": PATH} | options))


@pytest.mark.parametrize(
    ("guidance", "message"),
    [
        (Guidance("shark", PATH), "'shark' is not in the prompt"),
        (Guidance("burger", PATH, resolution=5), "resolution=5: no layer in down, mid, up"),
        (Guidance("burger", torch.zeros(2, 16, 16)), r"shape \(2, 16, 16\) given; needed is \(3 frames"),
        (Guidance("burger", PATH, shape="star"), "box, disc"),
        (Guidance([["burger"], ["water"]], [[PATH], [PATH]]), "lists for 2 prompts given; this run has 1"),
        (Guidance("burger", PATH, place="mid", resolution=16), "resolution=16: no layer in mid"),
        (Guidance("burger", PATH, frame_of=lambda frame, frames: frame + 1), r"gives frames \[1, 2, 3\]; possible are"),
    ],
)
def test_what_does_not_fit_the_run_says_what_is_possible(guidance, message):
    with pytest.raises(ValueError, match=message):
        run(guidance)
