"""Gradient passes that end early, or save memory."""

import math
from functools import partial

import pytest
import torch
from models_for_tests import PATH, PROMPT, noise, tiny
from steering_for_tests import TIMESTEP, begun, close, image_noise

from xattn_helpers import Guidance, capture, generate
from xattn_helpers.attention.processor import listening
from xattn_helpers.edits import saving
from xattn_helpers.edits.energies import box_energy
from xattn_helpers.edits.gradient import probed
from xattn_helpers.edits.saving import PARTS, STAGES, is_worth_it
from xattn_helpers.studies.full_size_steps import Steps, build


def test_a_probe_has_the_maps_of_its_sites_and_only_these():
    model, latents = tiny(1), image_noise()
    sites = [site for site in model.sites if site.group != "up"]
    predict = partial(model.predict, latents, TIMESTEP, model.encode(PROMPT))
    with torch.no_grad(), capture(model, group=("down", "mid"), heads=True, prompt=PROMPT) as attention:
        with probed(model.backbone, sites, predict) as maps:
            assert list(maps) == [site.name for site in sites]
    for site in sites:
        assert torch.equal(maps[site.name], attention.probabilities(site))


def test_what_goes_wrong_in_a_pass_is_told():
    def predict():
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        with probed(tiny(1).backbone, tiny(1).sites, predict):
            pass


# Checkpointing


@pytest.mark.parametrize("frames", [1, 3])
def test_checkpointing_changes_no_gradient_and_restores_the_model(frames):
    model = tiny(frames)
    plain, saving = (begun(model=model, memory=memory) for memory in ("spend", "save"))
    close(saving.gradient(noise(model), TIMESTEP), plain.gradient(noise(model), TIMESTEP))
    assert not any("forward" in vars(stage) for stage in model.backbone.stages())


def test_under_checkpointing_stages_run_twice_and_not_to_the_end():
    steering, network, ran = begun(memory="save", cells=2, groups="down", model=tiny(1)), tiny(1).network, []
    handles = [
        network.down_blocks[1].resnets[0].conv1.register_forward_hook(lambda *_: ran.append("down")),
        network.mid_block.resnets[0].conv1.register_forward_hook(lambda *_: ran.append("mid")),
    ]
    try:
        steering.gradient(image_noise(), TIMESTEP)
    finally:
        for handle in handles:
            handle.remove()
    assert ran == ["down", "down"]


def test_with_auto_a_pass_that_finds_no_memory_is_run_again_and_saves():
    model, ran, asked = tiny(1), [], []

    def hungry(maps, targets):
        asked.append(maps)
        if len(asked) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return box_energy(maps, targets)

    steering = begun(energy=hungry, cells=2, groups="down", model=model)
    handle = model.network.down_blocks[1].resnets[0].conv1.register_forward_hook(lambda *_: ran.append("down"))
    try:
        results = [steering.gradient(image_noise(), TIMESTEP) for _ in range(2)]
    finally:
        handle.remove()
    plain = begun(memory="spend", cells=2, groups="down", model=model).gradient(image_noise(), TIMESTEP)
    for result in results:
        close(result, plain)
    assert ran == ["down"] + ["down", "down"] * 2, "once in vain, then twice for each gradient"


@pytest.mark.parametrize("memory", ["spend", "save"])
def test_what_was_asked_for_by_name_is_not_changed_when_memory_runs_out(memory):
    def hungry(maps, targets):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        begun(energy=hungry, memory=memory, model=tiny(1)).gradient(image_noise(), TIMESTEP)


def test_what_checkpointing_computes_again_is_recorded_once():
    counts = []

    class Counting:
        edits = False

        def __call__(self, maps, site, call):
            counts.append((site.name, call.gradient))

    steering = begun(memory="save", cells=2, groups=("down", "up"), model=tiny(1))
    first, *_, last = (site.name for site in steering.sites)
    with listening(tiny(1).backbone, Counting(), steering.sites), capture(tiny(1), prompt=PROMPT) as attention:
        steering.gradient(image_noise(), TIMESTEP)
    assert counts.count((first, True)) == 2, "the pass, and again for the gradient"
    assert counts.count((last, True)) == 1, "the pass, which goes back at once"
    assert not attention.runs, "what guidance looks at is not what becomes of the clip"


def test_a_guided_clip_is_the_same_under_checkpointing():
    latents = []
    for memory in ("spend", "save"):
        guidance = Guidance("burger", PATH, memory=memory)
        latents.append(generate(tiny(1), PROMPT, steps=2, edits=guidance, progress=False).latents)
    torch.testing.assert_close(*latents, atol=1e-3, rtol=1e-3)


def test_what_saves_memory_is_over_with_its_pass():
    """While another thread guides, the stages are still prepared to be computed twice."""
    model, latents = tiny(1), image_noise()
    text = model.encode(PROMPT)
    with torch.no_grad():
        wanted = model.predict(latents, TIMESTEP, text)
        with STAGES.on(model.network, model.backbone.stages()):
            begun(memory="save", cells=2, groups="down", model=model).gradient(latents, TIMESTEP)
            assert torch.equal(model.predict(latents, TIMESTEP, text), wanted)


# What is left as it is while memory is saved


@pytest.fixture
def stages_seen(monkeypatch):
    """The stages that are asked for: name, size of the input, whether to compute it twice."""
    seen = []

    def noting(probe, name, inputs):
        worth = is_worth_it(probe, name, inputs)
        seen.append((name, next(value.numel() for value in inputs if isinstance(value, torch.Tensor)), worth))
        return worth

    monkeypatch.setattr(saving, "is_worth_it", noting)
    return seen


def test_small_stages_and_the_last_are_computed_once(stages_seen, monkeypatch):
    monkeypatch.setattr(saving, "SMALL", 1 / 2)
    model = tiny(3)
    steering = begun(memory="save", model=model)
    result = steering.gradient(noise(model), TIMESTEP)
    close(result, begun(memory="spend", model=model).gradient(noise(model), TIMESTEP))
    largest = 0
    for name, size, worth in stages_seen:
        largest = max(largest, size)
        is_last = steering.sites[-1].name.startswith(f"{name}.")
        assert worth == (size > largest / 2 and not is_last)
    assert steering.sites[-1].name.startswith(stages_seen[-1][0]), "the pass ends in the stage of its last site"
    assert {worth for _, _, worth in stages_seen} == {True, False}


@pytest.mark.parametrize("family", ["wan", "ltx"])
def test_wide_layers_go_in_parts_through_all_blocks_but_the_last(family):
    steps, sizes = Steps(build(family, "cpu", "float32", small=True), (3, 8, 8)), []
    backbone = steps.model.backbone
    with steps.gradient(memory="spend") as update:
        plain = update()
    handles = []
    for layer in backbone.placewise():
        first = layer.get_submodule("net.0")
        handles.append(first.register_forward_hook(lambda _, inputs, __: sizes.append(inputs[0].shape[1])))
    with steps.gradient(memory="save") as update:
        close(update(), plain)
    for handle in handles:
        handle.remove()
    places = math.prod(backbone.grid(backbone.sites()[0], (3, 8, 8)).values())
    assert set(sizes) == {places // PARTS}
    assert len(sizes) == PARTS * 3 * (len(backbone.stages()) - 1), "the pass, the block again, and each part again"
    assert not any("forward" in vars(layer) for layer in backbone.placewise())
