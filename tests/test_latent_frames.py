"""Targets of latents whose frames stand for several frames of the video."""

import pytest
import torch

from xattn_helpers.edits.targets import draw, track


def test_a_track_is_drawn_in_the_middle_of_the_frames_that_a_latent_frame_stands_for():
    path = track([(0.0, 0.5), (1.0, 0.5)], size=0.2)
    whole = path.mask(9, 8, 16, "box")
    assert torch.equal(draw(path, 3, 8, 16, "box", span=4), whole[[0, 2, 6]])  # of 0, of 1 to 4, of 5 to 8
    assert torch.equal(draw(path, 2, 8, 16, "box", span=8), whole[[0, 4]])
    assert torch.equal(draw(path, 9, 8, 16, "box"), whole)


def test_maps_of_the_videos_frames_are_averaged_for_the_latents_frames():
    maps = torch.arange(9.0)[:, None, None].expand(9, 4, 4) / 8
    drawn = draw(maps, 3, 4, 4, "disc", span=4)
    assert drawn[:, 0, 0].tolist() == [0, 2.5 / 8, 6.5 / 8]
    assert torch.equal(draw(drawn, 3, 4, 4, "disc", span=4), drawn)
    with pytest.raises(ValueError, match=r"shape \(4, 4, 4\) given; needed is \(9, or 3 frames"):
        draw(maps[:4], 3, 4, 4, "disc", span=4)
