"""The detector's network; what the trained one measures is in studies/pocket_quality.py."""

import pytest
import torch
import torch.nn.functional as F

from xattn_helpers.pocket.detector import PocketDetector

SMALL = {"objects": ("cat", "dog"), "scenes": ("in", "out", "up"), "channels": (8, 16, 16, 24, 32)}


@pytest.mark.parametrize("height, width", ((128, 128), (64, 96), (16, 16)))
def test_it_names_a_class_for_every_pixel_and_a_scene_for_every_frame(height, width):
    by_pixel, by_frame = PocketDetector(**SMALL)(torch.rand(2, 3, height, width))
    assert by_pixel.shape == (2, 3, height, width)  # background, cat, dog
    assert by_frame.shape == (2, 3)


def test_frames_are_judged_one_by_one():
    torch.manual_seed(0)
    detector, frames = PocketDetector(**SMALL).eval(), torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        together, alone = detector(frames), detector(frames[1:2])
    for of_three, of_one in zip(together, alone, strict=True):
        assert torch.allclose(of_three[1:2], of_one, atol=1e-5)


def test_a_saved_detector_knows_its_classes_and_says_the_same(tmp_path):
    torch.manual_seed(0)
    detector, frame = PocketDetector(**SMALL).eval(), torch.rand(1, 3, 32, 32)
    detector.save_pretrained(tmp_path)
    loaded = PocketDetector.from_pretrained(tmp_path).eval()
    assert tuple(loaded.config.objects) == SMALL["objects"] and tuple(loaded.config.scenes) == SMALL["scenes"]
    with torch.no_grad():
        assert torch.equal(detector(frame)[0], loaded(frame)[0])


def test_it_can_learn_what_is_where():
    """Cats are bright squares and dogs dark ones; the scene is the colour behind them."""
    torch.manual_seed(0)
    frames, labels, scenes = torch.zeros(12, 3, 32, 32), torch.zeros(12, 32, 32, dtype=torch.long), torch.arange(12) % 3
    frames[torch.arange(12), scenes] = 0.5
    for index, (x, y) in enumerate(torch.randint(22, (12, 2)).tolist()):
        label = 1 + index // 6
        frames[index, :, y : y + 10, x : x + 10] = 1.0 if label == 1 else 0.0
        labels[index, y : y + 10, x : x + 10] = label
    detector = PocketDetector(**SMALL)
    optimizer = torch.optim.Adam(detector.parameters(), 1e-2)
    for _ in range(40):
        by_pixel, by_frame = detector(frames)
        loss = F.cross_entropy(by_pixel, labels) + F.cross_entropy(by_frame, scenes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    by_pixel, by_frame = detector(frames)
    assert torch.equal(by_frame.argmax(1), scenes)
    assert (by_pixel.argmax(1) == labels).float().mean() > 0.98
