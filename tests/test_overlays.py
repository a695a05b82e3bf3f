"""Tests of `display.overlays` against pixels worked out by hand, and torch's interpolation."""

import numpy as np
import pytest
import torch
from display_videos import FRAMES, HEIGHT, WIDTH, moving_square, plain

from xattn_helpers.display import draw_boxes, draw_mask, heatmaps, overlay
from xattn_helpers.display.pixels import at_frames


@pytest.fixture
def video() -> np.ndarray:
    return moving_square()


@pytest.fixture
def gray() -> np.ndarray:
    return plain(128)


# overlay and heatmaps


def test_overlay_by_hand():
    maps = np.array([[[0, 1, 2], [3, 4, 4]]])  # stretched: 0, 1/4, 2/4, 3/4, 1; greys: 0, 63, 127, 191, 255
    lit = overlay(plain(100, 1, 2, 3), maps, alpha=0.5, colormap="gray")
    expected = [[50, 82, 114], [146, 178, 178]]  # (100 + grey) / 2, a half rounded up
    assert lit.dtype == np.uint8 and lit.shape == (1, 2, 3, 3)
    assert (lit[0] == np.array(expected)[..., None]).all()


def test_overlay_by_hand_with_its_defaults():
    maps = np.array([[[0.0, 1.0]]])
    lit = overlay(np.array([[[[10, 20, 30], [40, 50, 60]]]], np.uint8), maps)
    # magma begins at (0, 0, 4) and ends at (252, 253, 191); six tenths of it are seen
    assert lit[0, 0].tolist() == [[4, 8, 14], [167, 172, 139]]


def test_overlay_of_a_one_hot_map_lights_its_region_and_no_other(gray):
    maps = np.zeros((FRAMES, 12, 16))
    maps[:, 3, 9] = 0.02
    result = overlay(gray, maps, colormap="gray").astype(int)
    lit = result[0, :, :, 0] > result[0, 0, 0, 0]
    y, x = np.nonzero(lit)
    assert (y.min(), y.max(), x.min(), x.max()) == (20, 35, 68, 83)  # cell 24..31, 72..79, and half a cell around
    assert result[0, 27, 76, 0] == result.max()
    assert result[0, 0, 0, 0] == round(0.4 * 128)


def test_overlay_enlarges_as_torch_does(gray):
    maps = torch.rand(FRAMES, 6, 8, generator=torch.Generator().manual_seed(0))
    unit = (maps - maps.min()) / (maps.max() - maps.min())
    large = torch.nn.functional.interpolate(unit[:, None], (HEIGHT, WIDTH), mode="bilinear")[:, 0]
    result = overlay(gray, maps, alpha=1, colormap="gray")
    assert np.abs(result[..., 0] / 255 - large.numpy()).max() < 0.006


def test_overlay_normalises_the_clip_or_each_frame(gray):
    maps = np.zeros((FRAMES, 4, 4))
    maps[:, 0, 0] = np.linspace(1, 2, FRAMES)
    together = overlay(gray, maps, alpha=1, colormap="gray")[:, 0, 0, 0]
    alone = overlay(gray, maps, alpha=1, colormap="gray", per_frame=True)[:, 0, 0, 0]
    assert together[0] == 127 and together[-1] == 255 and (np.diff(together.astype(int)) > 0).all()
    assert (alone == 255).all()


def test_overlay_limits(video):
    maps = torch.rand(FRAMES, 8, 8).bfloat16().requires_grad_()
    assert np.array_equal(overlay(video, maps, alpha=0), video)
    assert np.array_equal(overlay(video[0], maps[0], alpha=0), video[:1])
    constant = overlay(video, np.ones((FRAMES, 8, 8)), alpha=1, colormap="gray")
    assert (constant == 0).all()


def test_heatmaps_by_hand():
    pictures = heatmaps(np.array([[[0, 1, 2, 4]], [[8, 8, 8, 0]]]), size=8, colormap="gray")
    row = np.array([[0, 31, 63, 127], [255, 255, 255, 0]])  # eighths of 255, two pixels for each cell
    assert pictures.shape == (2, 2, 8, 3)
    assert (pictures == np.repeat(row, 2, axis=1)[:, None, :, None]).all()
    alone = heatmaps(np.array([[[0, 1, 2, 4]], [[8, 8, 8, 0]]]), size=4, colormap="gray", per_frame=True)
    assert alone[:, 0, :, 0].tolist() == [[0, 63, 127, 255], [255, 255, 255, 0]]


def test_heatmaps_have_the_size_of_the_longer_side():
    assert heatmaps(np.eye(4, 8)[None]).shape == (1, 64, 128, 3)
    assert heatmaps(np.eye(6, 3)[None], size=90).shape == (1, 90, 45, 3)
    assert heatmaps(np.eye(8, 1)[None], size=4).shape == (1, 4, 1, 3), "no side vanishes"


# boxes


def test_draw_boxes_by_hand():
    result = draw_boxes(plain(7, 2, 4, 8), [[0.25, 0.25, 0.875, 1.0], [0.5, 0.0, 0.5, 1.0]], (1, 2, 3), thickness=1)
    picture = np.array([
        "........",
        "..#####.",
        "..#...#.",
        "..#####.",
    ])  # fmt: skip
    drawn = np.array([list(row) for row in picture]) == "#"
    assert (result[0][drawn] == (1, 2, 3)).all() and (result[0][~drawn] == 7).all()
    assert (result[1] == 7).all(), "a box without width"


def test_a_box_ends_at_the_pixel_that_is_nearest():
    red = (draw_boxes(plain(7, 1, 10, 10), [[0.14, 0.16, 0.84, 0.86]], thickness=9) == (255, 0, 0)).all(-1)[0]
    rows, columns = np.nonzero(red)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (1, 2, 7, 8)  # 1.4, 1.6, and before 8.4, 8.6


def test_draw_boxes_paints_the_frame_of_the_box_only(gray):
    boxes = np.tile([0.25, 0.25, 0.75, 0.5], (FRAMES, 1))
    boxes[3] = np.nan
    result = draw_boxes(gray, torch.tensor(boxes))  # two pixels, red
    expected = gray[0].copy()
    expected[24:48, 32:96] = (255, 0, 0)
    expected[26:46, 34:94] = 128
    assert np.array_equal(result[0], expected)
    assert np.array_equal(result[3], gray[3])  # not seen: not drawn
    assert (gray == 128).all()  # a copy


def test_draw_boxes_cuts_off_what_is_outside(gray):
    boxes = np.tile([-0.5, 0.5, 0.5, 1.5], (FRAMES, 1))
    red = (draw_boxes(gray, boxes, thickness=1) == (255, 0, 0)).all(axis=-1)[0]
    assert red[48, :64].all() and red[48:, 63].all() and red.sum() == 64 + 48 - 1


# masks


def test_draw_mask_by_hand():
    picture = [
        "......",
        ".####.",
        ".####.",
        ".#####",
        "....##",
    ]
    mask = np.array([list(row) for row in picture]) == "#"
    result = draw_mask(plain(128, 1, 5, 6), mask[None])[0]
    tinted = np.zeros((5, 6), bool)
    tinted[2, 2:4] = tinted[3, 4] = True  # the neighbours above, below, left and right are in the mask
    tinted[4, 5] = True  # and the edge of the picture is no outline
    assert (result[tinted] == (179, 77, 77)).all()  # .6 * 128 + .4 * (255, 0, 0), rounded
    assert (result[mask & ~tinted] == (255, 0, 0)).all()
    assert (result[~mask] == 128).all()


def test_draw_mask_enlarges_and_tints(gray):
    masks = np.zeros((FRAMES, 12, 16), bool)
    masks[:, 2:6, 4:12] = True  # rows 16..47, columns 32..95
    result = draw_mask(gray, masks, color="#ff0000", alpha=0.5)[0]
    assert (result[16, 32:96] == (255, 0, 0)).all() and (result[16:48, 95] == (255, 0, 0)).all()
    assert (result[17:47, 33:95] == (192, 64, 64)).all()
    result[16:48, 32:96] = 128
    assert (result == 128).all()
    assert np.array_equal(draw_mask(gray, torch.zeros(FRAMES, 4, 4)), gray)


# maps of a model that has fewer of them than frames


def test_a_frame_takes_the_map_that_is_nearest_in_time():
    maps = torch.arange(3.0)[:, None, None].expand(3, 2, 2)
    nearest = at_frames(maps, 8)[:, 0, 0]  # 0 and 2 at the ends, and seven steps of 2 / 7 between them
    assert nearest.tolist() == [0, 0, 1, 1, 1, 1, 2, 2]
    assert at_frames(maps, 3) is maps and at_frames(maps[:1], 4).tolist() == [[[0, 0], [0, 0]]] * 4


@pytest.mark.parametrize("span", [4, 8])
def test_the_map_of_a_latent_frame_is_on_all_frames_that_it_is_about(span):
    maps = torch.arange(3.0)[:, None, None].expand(3, 2, 2)
    wanted = [0.0] + [1.0] * span + [2.0] * span
    assert at_frames(maps, 1 + 2 * span)[:, 0, 0].tolist() == wanted
