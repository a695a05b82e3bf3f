"""What a network sees in a given video, on tiny models."""

import numpy as np
import pytest
import torch
from models_for_tests import PROMPT, noise, tiny
from transformers_for_tests import tiny_transformer

from xattn_helpers import capture, edit_video, observe
from xattn_helpers.edits import observed
from xattn_helpers.edits.observed import Seen, check_description, look_at, watched_levels


@pytest.fixture(autouse=True)
def nothing_kept():
    observed._LOOKS.by_network.clear()


def video(model):
    made = model.defaults
    return np.full((made.frames, made.height, made.width, 3), 90, np.uint8)


@pytest.mark.parametrize("model", [tiny(), tiny_transformer("wan")])
def test_it_is_looked_at_where_noise_leaves_something_to_see(model):
    levels = watched_levels(model, noise(model))
    own = model.noise.solver(model.defaults.steps).levels()[:-1]
    assert set(levels) <= set(own) and len(levels) == len(set(levels))
    for sigma in observed.WATCHED:
        nearest = min(abs(level.sigma - sigma) for level in own)
        assert nearest in [pytest.approx(abs(level.sigma - sigma)) for level in levels]


def test_its_maps_are_those_of_the_noisy_video():
    model = tiny_transformer("wan")
    seen = observe(model, video(model), PROMPT, seed=5)
    latents = model.codec.encode(torch.from_numpy(video(model))[None])
    generator, maps = torch.Generator().manual_seed(5), []
    for level in watched_levels(model, latents):
        noisy = level.alpha * latents + level.sigma * torch.randn(latents.shape, generator=generator)
        with capture(model, prompt=PROMPT) as attention, torch.no_grad():
            model.predict(noisy, level.timestep, model.encode(PROMPT))
        maps.append(attention.maps("burger"))
    (own,) = seen.maps("burger").values()
    torch.testing.assert_close(own, torch.stack(maps).mean(0), atol=1e-5, rtol=1e-4)
    assert (seen.clip.video == video(model)).all() and seen.clip.prompt == PROMPT


def test_what_was_just_looked_at_is_not_looked_at_again(monkeypatch):
    model, looks, look = tiny(), [], observed._look
    monkeypatch.setattr(observed, "_look", lambda *about: looks.append(about[3:]) or look(*about))
    seen = observe(model, video(model), PROMPT, seed=5)
    edit_video(model, video(model), PROMPT, "a ball rolls on the grass", seed=5, steps=1, progress=False)
    assert observe(model, video(model), PROMPT, seed=5) is seen and looks == [(PROMPT, 5)]
    observe(model, video(model) + 1, PROMPT, seed=5)
    assert observe(model, video(model), PROMPT, seed=6) is not seen and len(looks) == 3
    assert len(observed._LOOKS.of(model.network)) == observed._LOOKS.limit == 2


def test_nobody_else_hears_of_it():
    model = tiny()
    with capture(model) as attention:
        seen = observe(model, video(model), PROMPT)
    assert attention.runs == [] and set(seen.attention) == {4, 8, 16}


def test_the_misfit_is_the_error_over_that_without_a_prompt(monkeypatch):
    """A network whose prediction of the clean video is off by 2 with the prompt, and by 4 without."""
    model = tiny()
    latents = model.codec.encode(torch.from_numpy(video(model))[None])
    predict_half = type(model).predict_half

    def predict(self, inputs, timestep, text, half, call=None):
        predict_half(self, inputs, timestep, text, half, call)  # for the maps
        level = self.noise.level(timestep)
        wrong = latents + torch.tensor([2.0, 4.0]).view(2, 1, 1, 1, 1)
        return (inputs - level.alpha * wrong) / level.sigma

    monkeypatch.setattr(type(model), "predict_half", predict)
    seen = look_at(model, video(model), latents, PROMPT, 0)
    assert seen.misfit == pytest.approx(4 / 16, rel=1e-3)
    assert look_at(model, video(model), latents, "", 0).misfit == pytest.approx(4 / 16, rel=1e-3)


@pytest.mark.parametrize(("misfit", "is_refused"), [(0.9, False), (1.04, False), (1.2, True), (4.0, True)])
def test_a_prompt_that_misleads_is_refused(misfit, is_refused):
    seen = observe(tiny(1), video(tiny(1)), PROMPT)
    described = Seen(seen.clip, seen.attention, seen.text, misfit)
    if not is_refused:
        check_description(described)
        return
    with pytest.raises(ValueError, match=f"error is {misfit:.2f} times as large.*check_prompt=False"):
        check_description(described)
