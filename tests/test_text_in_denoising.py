"""What lesson 00 says of the image model: what a caption contributes, and that a scale moves what is in a picture."""

import numpy as np
import pytest
import torch

from xattn_helpers import detect, generate, load
from xattn_helpers.pocket.world.batches import sample_batch
from xattn_helpers.pocket.world.drawing import World
from xattn_helpers.studies.denoising_figures import captions_told

TIMESTEPS = (50, 410, 950)
COUNT = 12  # pictures


@pytest.fixture(scope="module")
def image_model():
    return load("pocket-t2i", "cpu")


@pytest.fixture(scope="module")
def errors(image_model):
    """The mean error of the guessed noise, by what the network is told and by timestep."""
    batch, stories = sample_batch(COUNT, seed=2)
    pictures, _ = World().draw(batch.select_frames(torch.full((COUNT, 1), 8)))
    clean = image_model.codec.encode((255 * pictures).byte().movedim(2, -1))
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    told = captions_told(stories)
    return {name: [error(image_model, clean, noise, texts, t) for t in TIMESTEPS] for name, texts in told.items()}


@torch.no_grad()
def error(model, clean, noise, captions, t):
    abar = model.noise.scheduler.alphas_cumprod[t]
    noisy = abar.sqrt() * clean + (1 - abar).sqrt() * noise
    return float((model.predict(noisy, t, model.encode(captions)) - noise).square().mean())


def test_a_caption_helps_and_that_of_another_picture_costs_more_than_none(errors):
    own, none, _, other = errors.values()
    for index in range(len(TIMESTEPS)):
        assert own[index] < none[index] < other[index]


def test_a_wrong_noun_costs_more_than_none_in_the_middle_and_less_in_the_strongest_noise(errors):
    own, none, noun, _ = errors.values()
    assert none[1] < noun[1] and own[-1] < noun[-1] < none[-1]


def test_the_same_noise_is_not_the_same_layout_at_another_scale(image_model):
    prompt, places = "a dog and a balloon on the grass", []
    for scale in (4.0, 1.0):
        box = detect(generate(image_model, prompt, seed=2, cfg_scale=scale, progress=False).video, "dog")[0][0]
        places.append((box[:2] + box[2:]) / 2)
    assert np.linalg.norm(places[0] - places[1]) > 0.2
