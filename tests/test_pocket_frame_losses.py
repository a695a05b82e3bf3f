"""What the autoencoder and the detector minimise, and the frames on which they do, against hand computations."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from xattn_helpers.pocket.training import losses
from xattn_helpers.pocket.training.frames import FramePool, Frames
from xattn_helpers.pocket.training.losses import (
    augment,
    autoencoder_loss,
    class_map,
    detector_loss,
    reconstruct,
    reconstruction_loss,
)


def frames(count=4, side=4):
    """Random pixels with one actor each: a square of object 1 in one corner, before scene 2."""
    masks = torch.zeros(count, 1, side, side, dtype=torch.bool)
    masks[:, :, :2, :2] = True
    return Frames(torch.rand(count, 3, side, side), masks, torch.ones(count, 1).long(), torch.full((count,), 2))


def test_reconstruction_loss_by_hand():
    pixels = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    assert reconstruction_loss(torch.zeros(1, 1, 2, 2), pixels).item() == pytest.approx(0.5 + 0.5 + 0.5 * (1 + 0))
    assert reconstruction_loss(torch.zeros(1, 1, 2, 2), pixels.mT).item() == pytest.approx(0.5 + 0.5 + 0.5 * (0 + 1))
    assert reconstruction_loss(pixels.clone(), pixels).item() == 0
    shifted = pixels + 0.1  # its edges are right
    assert reconstruction_loss(shifted, pixels).item() == pytest.approx(0.1 + 0.01)


class Autoencoder(nn.Module):
    """Remembers what it was shown; its latents are the pixels, and it decodes them `error` too bright."""

    def __init__(self, error=0.0, divergence=0.0):
        super().__init__()
        self.error, self.divergence = error, divergence
        self.weight = nn.Parameter(torch.zeros(1))

    def encode(self, pixels):
        self.pixels = pixels
        posterior = SimpleNamespace(sample=lambda: pixels, kl=lambda: torch.tensor([self.divergence]))
        return SimpleNamespace(latent_dist=posterior)

    def decode(self, latents):
        return SimpleNamespace(sample=latents + self.error)

    def forward(self, pixels):
        return self.decode(self.encode(pixels).latent_dist.sample())


def test_the_autoencoder_pays_for_what_it_changes_and_a_little_for_its_latents():
    sample = frames()
    network = Autoencoder(error=0.1, divergence=1e6)
    loss = autoencoder_loss(lambda count: sample)(network, 4)
    assert loss.item() == pytest.approx(0.1 + 0.01 + 1e-7 * 1e6, rel=1e-4)
    assert torch.equal(network.pixels, 2 * sample.pixels - 1)


def test_class_map_by_hand():
    masks = torch.tensor([[[[1, 0, 0]], [[0, 1, 0]]], [[[0, 1, 1]], [[0, 0, 0]]]], dtype=torch.bool)
    objects = torch.tensor([[4, 0], [2, -1]])  # the second picture has one actor
    assert class_map(masks, objects).tolist() == [[[5, 1, 0]], [[0, 3, 3]]]


def test_pixels_are_reconstructed_in_the_range_of_the_autoencoder():
    class Brighter(Autoencoder):
        def decode(self, latents):
            return SimpleNamespace(sample=1.5 * latents)

    pixels = torch.tensor([[[[0.0, 0.25, 0.5, 1.0]]]], requires_grad=True)
    vae = Brighter()
    reconstructed = reconstruct(vae, pixels)
    assert torch.allclose(vae.pixels, torch.tensor([-1, -0.5, 0, 1.0]))
    assert torch.allclose(reconstructed, torch.tensor([0, 0.125, 0.5, 1.0])) and not reconstructed.requires_grad


def test_the_detector_sees_half_of_the_frames_through_the_autoencoder(monkeypatch):
    monkeypatch.setattr(losses, "augment", lambda pixels: pixels)
    sample, shown = frames(count=5), []

    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, pixels):
            shown.append(pixels)
            return torch.zeros(len(pixels), 3, 4, 4), torch.zeros(len(pixels), 4)

    loss = detector_loss(lambda count: sample, Autoencoder(error=2.0))(Detector(), 5)  # which makes them white
    assert (shown[0][:2] == 1).all() and torch.equal(shown[0][2:], sample.pixels[2:])
    assert loss.item() == pytest.approx(np.log(3) + 0.1 * np.log(4))  # of three classes and four scenes, by chance


def test_the_detector_pays_for_wrong_classes_and_wrong_scenes(monkeypatch):
    monkeypatch.setattr(losses, "augment", lambda pixels: pixels)
    sample = frames()

    class Detector(nn.Module):
        def __init__(self, by_pixel, by_frame):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))
            self.by_pixel, self.by_frame = by_pixel, by_frame

        def forward(self, pixels):
            return self.by_pixel, self.by_frame

    labels = torch.zeros(4, 4, 4).long()
    labels[:, :2, :2] = 2
    right_pixels = 100.0 * F.one_hot(labels, 3).movedim(-1, 1)
    right_scenes = 100.0 * F.one_hot(torch.full((4,), 2), 4)
    loss = detector_loss(lambda count: sample, Autoencoder())
    assert loss(Detector(right_pixels, right_scenes), 4) < 1e-6
    assert loss(Detector(right_pixels, -right_scenes), 4) == pytest.approx(0.1 * (100 + np.log(3)), rel=1e-3)
    assert loss(Detector(right_pixels.flip(-1), right_scenes), 4) == pytest.approx(50)  # half of the pixels are wrong


def test_augmenting_changes_each_picture_a_little_and_differently():
    torch.manual_seed(0)
    pixels = torch.full((8, 3, 16, 16), 0.5)
    augmented = augment(pixels)
    shift = (augmented - pixels).mean((1, 2, 3))
    assert 0 <= augmented.min() and augmented.max() <= 1
    assert shift.abs().max() < 0.11 and shift.std() > 0.01
    assert (augmented - pixels).std((1, 2, 3)).max() < 0.04
    assert augment(torch.ones(8, 3, 4, 4)).max() <= 1


def test_contrast_changes_too():
    torch.manual_seed(0)
    black_and_white = torch.tensor([0.25, 0.75]).view(1, 1, 1, 2).expand(50, 3, 16, 2)
    left, right = augment(black_and_white).mean((1, 2)).unbind(1)
    contrast = (right - left) / 0.5
    assert 0.88 < contrast.min() < 0.95 and 1.05 < contrast.max() < 1.12


# Frames


def test_a_pool_draws_any_frame_of_its_stories_with_the_truth_about_it():
    torch.manual_seed(0)
    pool = FramePool("cpu", stories=2, seed=3)
    video, masks = pool.world.draw(pool.batch)
    drawn = pool.sample(20)
    places = set()
    for pixels, mask, objects, scene in zip(drawn.pixels, drawn.masks, drawn.objects, drawn.scenes, strict=True):
        distance = (video - pixels).abs().flatten(2).amax(2)
        story, frame = divmod(distance.argmin().item(), video.shape[1])
        assert distance[story, frame] < 1e-4 and torch.equal(mask, masks[story, :, frame])
        assert torch.equal(objects, pool.batch.objects[story]) and scene == pool.batch.scene[story]
        places.add((story, frame))
    assert {story for story, _ in places} == {0, 1} and len({frame for _, frame in places}) > 5
