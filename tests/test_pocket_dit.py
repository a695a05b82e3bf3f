"""The pocket video transformer: a small random network of its layout, sampled by hand, and what `load` says of it."""

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from dit_for_tests import use_dit, write_dit
from models_for_tests import PATH, PROMPT

from xattn_helpers import Bias, Guidance, Swap, capture, generate, load
from xattn_helpers.edits.edit import Run
from xattn_helpers.edits.steering import Steering
from xattn_helpers.sampling import initial_latents

SOURCE, STEPS = "a shark floats on the water", 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a small random network is."""
    return write_dit(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def known(folder, monkeypatch):
    """`load("pocket-dit")` finds it."""
    use_dit(monkeypatch, folder)


@pytest.fixture
def model(known):
    return load("pocket-dit", "cpu", "float32")


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"seed": 0, "steps": STEPS, "frames": 4, "progress": False} | options))


def sampled_by_hand(model, prompt, seed, steps, cfg_scale, shift=3.0):
    """Euler steps of diffusers' own scheduler, with the sigmas that are shifted once."""
    tokens = model.text.tokenizer([prompt, ""], padding="max_length", return_tensors="pt")
    with torch.no_grad():
        states = model.text.encoder(tokens.input_ids).last_hidden_state * tokens.attention_mask[..., None]
    scheduler = FlowMatchEulerDiscreteScheduler()  # shifts nothing
    even = torch.arange(steps, 0, -1) / steps
    scheduler.set_timesteps(sigmas=(shift * even / (1 + (shift - 1) * even)).tolist())
    latents = initial_latents(model, [seed], 4, 128, 128)
    for timestep in scheduler.timesteps:
        with torch.no_grad():
            pair = model.network(latents.repeat(2, 1, 1, 1, 1), timestep.expand(2), states).sample
        velocity = pair[:1] * cfg_scale + pair[1:] * (1 - cfg_scale)
        latents = scheduler.step(velocity, timestep, latents).prev_sample
    return latents[0]


def test_generate_equals_the_steps_of_diffusers(model):
    clip = run(model, seed=5, cfg_scale=4.0)
    torch.testing.assert_close(clip.latents, sampled_by_hand(model, PROMPT, 5, STEPS, 4.0), atol=1e-4, rtol=1e-4)
    wrong = sampled_by_hand(model, PROMPT, 5, STEPS, 4.0, shift=9.0)  # twice
    assert (clip.latents - wrong).abs().max() > 0.01


def test_what_it_makes_by_default(model):
    own = model.defaults
    assert (own.frames, own.height, own.width, own.steps, own.cfg_scale) == (16, 128, 128, 25, 4.0)
    assert model.is_video and model.groups == ("early", "middle", "late") and model.cells() == [2]
    first = model.noise.solver(25).level(0)
    assert first.sigma == 1 and first.alpha == 0 and first.timestep == 1000
    with pytest.raises(ValueError, match="bugrer"):
        run(model, "a bugrer floats on the water")


def test_it_makes_images_too(model):
    with capture(model) as attention:
        clip = run(model, frames=1)
    assert clip.video.shape == (1, 128, 128, 3) and attention.maps("burger").shape == (1, 8, 8)


def test_a_prompt_is_zero_after_its_end(model):
    text = model.encode([PROMPT, ""])
    assert text.mask is None and not text.states[1, 2:].any() and text.states[1, :2].abs().min(1).values.any()
    assert text.states[0].any(-1).sum() == model.text.count(PROMPT)
    with capture(model) as attention:
        run(model, steps=1)
    padding = range(model.text.count(PROMPT), model.text.length)
    shares = [attention.maps(position).mean() for position in padding]
    assert all(share > 0 for share in shares) and max(shares) - min(shares) < 1e-6  # not masked, and all alike


def test_recording_changes_nothing_and_a_seed_is_the_same_in_a_batch(model):
    plain = run(model)
    with capture(model) as attention:
        recorded = run(model)
    assert torch.equal(plain.latents, recorded.latents)
    assert attention.maps("burger").shape == (4, 8, 8)
    batch = run(model, [SOURCE, PROMPT], seed=[3, 0])
    torch.testing.assert_close(batch[1].latents, plain.latents, atol=1e-4, rtol=1e-4)
    assert (batch[0].latents - plain.latents).abs().max() > 0.1


@pytest.mark.parametrize(
    "edit", [Swap("shark", "burger", source=SOURCE), Bias("burger", PATH), Guidance("burger", PATH)], ids=repr
)
def test_edits_change_the_clip(model, edit):
    plain, edited = run(model), run(model, edits=edit)
    assert edited.latents.isfinite().all() and (plain.latents - edited.latents).abs().max() > 1e-3


def test_a_gradient_reaches_every_frame(model):
    latents = initial_latents(model, [0], 4, 128, 128)
    about = Run(model, (PROMPT,), (), (0,), STEPS, (4, 16, 16), model.encode([PROMPT]), 4.0)
    level = model.noise.solver(STEPS).level(0)
    moved = Steering(Guidance("burger", PATH), about).update(latents, level, 0)
    assert (moved - latents).abs().amax((0, 1, 3, 4)).min() > 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_it_runs_in_half_precision_although_some_parts_stay_in_single(known, dtype):
    model = load("pocket-dit", "cpu", dtype)
    assert {weight.dtype for weight in model.network.parameters()} == {torch.float32, getattr(torch, dtype)}
    assert model.dtype == getattr(torch, dtype)
    clip = run(model, edits=Guidance("burger", PATH))
    assert clip.latents.dtype == torch.float32 and clip.latents.isfinite().all()


def test_without_weights_load_says_how_to_train_them(tmp_path, monkeypatch):
    use_dit(monkeypatch, tmp_path)
    with pytest.raises(FileNotFoundError, match="are not in .*transformer; `python -m .* --stages dit` trains them"):
        load("pocket-dit")
