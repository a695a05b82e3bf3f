"""Inputs that public bug reports suggest, and others of their kinds."""

import copy
import json
import shutil
import threading
from dataclasses import replace

import pytest
import torch
from diffusers import EulerAncestralDiscreteScheduler, EulerDiscreteScheduler
from diffusers.models.attention_processor import CustomDiffusionAttnProcessor
from models_for_tests import PATH, PROMPT, build_unet, smallest, tiny, with_solver, write_checkpoint

from xattn_helpers import Bias, Guidance, Reweight, Swap, capture, generate, load
from xattn_helpers.backbones.backbone import CALL
from xattn_helpers.display.explorers.track import TrackExplorer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of numpy, within diffusers


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"progress": False} | options))


def distance(first, second):
    return float((first.latents.float() - second.latents.float()).abs().max())


def first_step_only(index, steps):
    return index == 0


# The gradient pass sees what the network sees


def test_the_energy_before_the_first_step_is_the_same_with_solvers_that_scale():
    """From the same noise, the network sees the same at the first step, whatever the solver keeps."""
    energies = []
    for model in (tiny(), with_solver(tiny(), EulerDiscreteScheduler)):
        guidance = Guidance("burger", PATH, strength=0.01, schedule=first_step_only, cells=(1, 2))
        clip = run(model, steps=4, edits=guidance)
        with capture(model, every_step=True, cells=(1, 2), heads=True) as attention:
            run(model, steps=4)
        energies.append((sum(clip.updates[0].energy) / 3, energy_by_hand(attention)))
    for looked_at, real in energies:
        assert looked_at == pytest.approx(real, abs=1e-3)
    assert energies[0][0] == pytest.approx(energies[1][0], abs=0.05)


def energy_by_hand(attention):
    """(1 - share of the map inside the disc)^2, mean over heads, frames and sites, at the first step."""
    values = []
    for site in attention.sites():
        maps = attention.probabilities(site, 0)[0][..., attention.positions("burger")].sum(-1)
        inside = PATH.mask(3, *attention.size(site), "disc")[:, None]
        share = (maps * inside).sum((-2, -1)) / maps.sum((-2, -1))
        values.append((1 - share).square().mean())
    return float(torch.stack(values).mean())


# Sizes of published models


@pytest.mark.parametrize(("height", "width"), [(40, 72), (64, 64), (96, 96), (16, 16), (8, 40)])
def test_the_defaults_of_edits_work_at_every_size(height, width):
    """Map heights 20, 10, 5 for the first, as ZeroScope's in small."""
    for edit in (Guidance("burger", PATH), Bias("burger", PATH), Swap("burger", "water", source=PROMPT)):
        run(tiny(), steps=1, frames=1, height=height, width=width, edits=edit)


def test_the_explorer_works_at_a_size_that_is_not_the_pocket_models():
    explorer = TrackExplorer(with_size(tiny(), 40, 72), PROMPT, "burger")
    explorer.run()
    assert explorer.clip is not None, explorer.message.value


def with_size(model, height, width):
    return replace(model, defaults=replace(model.defaults, height=height, width=width))


# Edits in a second run


@pytest.mark.parametrize(
    "edit",
    [
        Reweight("burger", 0.0, window=(0, 0.5)), Bias("burger", PATH), Guidance("burger", PATH),
        Swap("shark", "burger", source="a shark floats on the water", keep_background=("shark", "burger")),
    ],
    ids=lambda edit: type(edit).__name__,
)  # fmt: skip
def test_an_edit_in_the_second_run_of_a_recording_does_what_it_does_alone(edit):
    model = with_size(tiny(), 16, 16)
    alone = run(model, steps=4, edits=edit)
    with capture(model):
        run(model, steps=2)
        second = run(model, steps=4, edits=edit)
        third = run(model, steps=4, edits=edit)
    assert torch.equal(second.latents, alone.latents) and torch.equal(third.latents, alone.latents)
    assert second.updates == third.updates == alone.updates
    longer = run(model, steps=8, edits=edit)
    assert distance(longer, run(model, steps=8)) > 1e-3


def test_as_many_steps_as_the_first_run_had_is_no_special_case():
    with capture(tiny()) as attention:
        run(tiny(), steps=2)
        run(tiny(), steps=2, edits=Reweight("burger", 0.0))
    assert attention.runs[0].maps("burger").any() and not attention.runs[1].maps("burger").any()


# Negative prompts


def test_a_negative_prompt_for_each_prompt_and_none():
    prompts, negatives = [PROMPT, "the shark"], ["the moon", "a wolf"]
    clips = run(tiny(), prompts, steps=1, negative_prompt=negatives)
    for clip, prompt, negative in zip(clips, prompts, negatives, strict=True):
        assert distance(clip, run(tiny(), prompt, steps=1, negative_prompt=negative)) < 1e-3
    assert distance(run(tiny(), steps=1, negative_prompt=None), run(tiny(), steps=1)) == 0


# An overflow in half precision is not a black video


def test_an_overflow_in_half_precision_is_an_error():
    half = copy.deepcopy(tiny())
    for part in (half.network, half.codec.vae, half.text.encoder):
        part.half()
    with torch.no_grad():
        half.network.conv_out.weight.mul_(3e4)
    with pytest.raises(FloatingPointError, match="step 0: the latents are not finite in float16"):
        run(half, steps=2)


# torch.compile


def test_compiled_networks_run_and_are_recorded_and_their_old_name_says_what_to_write():
    model = smallest()
    wanted = run(model, steps=1)
    with pytest.raises(AttributeError, match="write model.network = …"):
        model.unet = torch.compile(model.network, backend="eager")
    model.network = torch.compile(model.network, backend="eager")
    assert distance(run(model, steps=1), wanted) < 1e-4
    with capture(model) as attention:
        assert distance(run(model, steps=1), wanted) < 1e-4
    assert attention.maps("burger").shape == (1, 8, 8)


# Seeds


def test_the_same_seed_is_the_same_clip_with_a_solver_that_draws_noise(tmp_path):
    model = with_solver(tiny(), EulerAncestralDiscreteScheduler)
    assert distance(run(model, seed=3, steps=4), run(model, seed=3, steps=4)) == 0
    write_checkpoint(tmp_path / "sde", "modelscope")
    file = tmp_path / "sde" / "scheduler" / "scheduler_config.json"
    sde = {"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"}
    file.write_text(json.dumps(json.loads(file.read_text()) | sde))
    loaded = load(tmp_path / "sde", "cpu")
    assert loaded.noise.scheduler.config.algorithm_type == "sde-dpmsolver++"
    clips = [run(loaded, "a burger", seed=3, steps=4, frames=2) for _ in range(2)]
    assert distance(*clips) == 0 and distance(clips[0], run(loaded, "a burger", seed=4, steps=4, frames=2)) > 0.1


# Processors with weights of their own


def test_a_network_with_processors_of_its_own_is_refused_and_not_changed():
    model = copy.deepcopy(tiny())
    names = {f"{site.name}.processor" for site in model.sites}
    processors = dict(model.network.attn_processors)
    for name in names:
        processors[name] = CustomDiffusionAttnProcessor(train_q_out=False, hidden_size=32, cross_attention_dim=128)
    model.network.set_attn_processor(dict(processors))
    plain = run(model, steps=1)
    with pytest.raises(ValueError, match="CustomDiffusionAttnProcessor"), capture(model):
        run(model, steps=1)
    assert distance(run(model, steps=1), plain) == 0 and distance(plain, run(tiny(), steps=1)) > 0
    assert all(model.network.attn_processors[name] is own for name, own in processors.items())


# Two threads on one model


def test_two_guided_runs_in_two_threads_are_each_as_alone():
    model, clips = with_size(tiny(), 16, 16), []
    wanted = run(model, steps=4, edits=Guidance("burger", PATH))

    def work():
        clips.append(run(model, steps=4, edits=Guidance("burger", PATH)))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [distance(clip, wanted) for clip in clips] == [0, 0] and CALL.get() is None


# Models that generate could not run


XL = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8, "projection_class_embeddings_input_dim": 80}


@pytest.mark.parametrize(("settings", "answer"), [(XL, "Stable Diffusion XL"), ({"in_channels": 9}, "inpainting")])
def test_load_refuses_what_generate_could_not_run(tmp_path, settings, answer):
    write_checkpoint(tmp_path / "model", "stable-diffusion")
    shutil.rmtree(tmp_path / "model" / "unet")
    unet = build_unet(False, sample_size=8, cross_attention_dim=32, **settings)
    unet.save_pretrained(tmp_path / "model" / "unet")
    with pytest.raises(ValueError, match=f"cannot be run.*{answer}"):
        load(tmp_path / "model", "cpu")
