"""A segmentation by colour, on painted and drawn videos whose masks are exact; and the sheet of worst clips."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from studies_for_tests import use_tiny_models

from xattn_helpers.pocket.world.batches import sample_batch
from xattn_helpers.pocket.world.drawing import World
from xattn_helpers.studies import by_colour, running, worst_clips
from xattn_helpers.studies.by_colour import ByColour, agreement, colour_masks
from xattn_helpers.studies.store import load_rows, store


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    use_tiny_models(monkeypatch)
    monkeypatch.setattr(running, "WORK", tmp_path)
    monkeypatch.setattr(worst_clips, "WORK", tmp_path)


def square(frames, place, side=10, colour=200):
    """A bright square that moves over a gradient, with its masks."""
    video = np.tile(np.linspace(0, 80, 64).astype(np.uint8)[None, None, :, None], (frames, 64, 1, 3)).copy()
    masks = np.zeros((frames, 64, 64), bool)
    for frame in range(frames):
        x, y = place(frame)
        masks[frame, y : y + side, x : x + side] = True
    video[masks] = colour
    return video, masks


@pytest.mark.parametrize("speed", [4, 6])
def test_what_moves_before_a_still_backdrop_is_found(speed):
    video, masks = square(8, lambda frame: (4 + speed * frame, 20))
    twin, _ = square(8, lambda frame: (10 + 5 * frame, 45))
    assert agreement(colour_masks(video, twin), masks) == pytest.approx(0.88), "a corner of a hundred loses three"


def test_what_stands_is_not_seen():
    video, _ = square(8, lambda frame: (20, 20))
    assert not colour_masks(video, square(8, lambda frame: (5 * frame, 45))[0]).any()


def test_the_empty_backdrop_has_no_object():
    video, _ = square(4, lambda frame: (0, 0), side=0)
    assert not colour_masks(video, video).any()


def test_in_drawn_videos_it_sees_what_was_drawn():
    """Objects of all kinds go from left to right below, and in the twins from right to left above."""
    batch, _ = sample_batch(12, seed=5)
    ahead = torch.linspace(0.25, 0.75, batch.frames)
    batch = replace(batch, size=torch.zeros_like(batch.size))  # no second object
    batch.size[:, 0] = 0.35
    below, above = batch.position.clone(), batch.position.clone()
    below[:, 0, :, 0], below[:, 0, :, 1], above[:, 0, :, 0], above[:, 0, :, 1] = ahead, 0.65, ahead.flip(0), 0.25
    videos, masks = World().draw(replace(batch, position=below))
    twins, _ = World().draw(replace(batch, position=above))
    overlaps = []
    for video, twin, mask in zip(videos, twins, masks[:, 0], strict=True):
        pixels = [(255 * frames).byte().permute(0, 2, 3, 1).numpy() for frames in (video, twin)]
        overlaps.append(agreement(colour_masks(*pixels), mask.numpy()))
    assert np.median(overlaps) > 0.85 and min(overlaps) > 0.4, "a dark object before a dark backdrop is hard to see"


def test_agreement_counts_frames_that_either_sees():
    first, second = np.zeros((3, 4, 4), bool), np.zeros((3, 4, 4), bool)
    first[0, :2], second[0, 1:3] = True, True  # a third
    first[1, 0] = True  # one sees, the other does not
    assert agreement(first, second) == pytest.approx((1 / 3 + 0) / 2)
    assert agreement(first[2:], second[2:]) == 0.0


def test_figures_and_order_by_hand():
    rows = []
    for number, (one, other) in enumerate(((0.2, 0.3), (0.5, 0.4), (0.8, 0.9))):
        rows.append({"setting": "defaults", "failed": "", "agreement": 0.6 + 0.1 * number, "iou": one,
                     "iou by colour": other})  # fmt: skip
    table = ByColour().summary(rows)
    figures = table["settings"]["defaults"]
    assert figures["agreement"].value == pytest.approx(0.7) and figures["mIoU"].value == pytest.approx(0.5)
    assert figures["order"].value == table["order of all"].value == pytest.approx(1)
    assert "| defaults | 0.70" in ByColour().markdown(table)


def test_it_runs_on_tiny_models_and_so_does_the_sheet(tmp_path):
    study = ByColour(smoke=True)
    study.smoke_cases = lambda: [case for case in ByColour().cases() if case["setting"] != "bias"][:: by_colour.COUNT]
    store(study, running.run(study), tmp_path / "results")
    rows = load_rows("by_colour", tmp_path / "results")
    assert len(rows) == 2 and all(0 <= row["agreement"] <= 1 for row in rows)
    (file,) = worst_clips.WorstClips(smoke=True).write()
    assert file.exists() and file.parent == tmp_path / "smoke"
