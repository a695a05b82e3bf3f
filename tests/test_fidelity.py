"""How much of a video is kept: against hand computations and drawn videos with exact masks."""

import numpy as np
import pytest
from drawn_videos import draw

from xattn_helpers.measures.fidelity import SAME, appearance_change, background_psnr, background_ssim, mask_iou

SHAPE = (3, 16, 20)
LEFT = np.zeros(SHAPE, bool)
LEFT[:, :, :10] = True
SOME = np.random.default_rng(0)


def video(value=100):
    return np.full((*SHAPE, 3), value, np.uint8)


def test_psnr_is_that_of_the_error_outside():
    changed = video()
    changed[:, :, 10:] += 5  # outside
    changed[:, :, :10] = 255  # inside, which does not count
    assert background_psnr(changed, video(), LEFT) == pytest.approx(10 * np.log10(255**2 / 25))
    changed[:, :8, 10:] = 100  # half of it is right
    assert background_psnr(changed, video(), LEFT) == pytest.approx(10 * np.log10(255**2 / 12.5))
    assert background_psnr(video(), video(), LEFT) == SAME
    assert np.isnan(background_psnr(video(), video(), np.ones(SHAPE, bool)))


def test_ssim_is_one_of_equal_pictures_and_falls_with_noise_outside_alone():
    picture = SOME.integers(0, 255, (*SHAPE, 3), dtype=np.uint8)
    assert background_ssim(picture, picture, LEFT) == pytest.approx(1)
    noisy, inside = picture.copy(), picture.copy()
    noisy[:, :, 14:] = SOME.integers(0, 255, noisy[:, :, 14:].shape)
    inside[:, :, :4] = 0  # further inside than the windows of 7 pixels reach
    assert background_ssim(noisy, picture, LEFT) < 0.6 and background_ssim(inside, picture, LEFT) == pytest.approx(1)
    assert np.isnan(background_ssim(picture, picture, np.ones(SHAPE, bool)))
    one = LEFT.copy()
    one[1:] = True  # frames without a background are left out
    assert background_ssim(noisy, picture, one) == pytest.approx(background_ssim(noisy[:1], picture[:1], LEFT[:1]))


def test_the_iou_of_masks_is_by_frame_and_a_lost_object_counts_nothing():
    masks = LEFT.copy()
    masks[0, :, 5:] = False  # half of it
    masks[1] = False  # lost
    assert mask_iou(masks, LEFT) == pytest.approx((0.5 + 0 + 1) / 3)
    assert mask_iou(LEFT[:1], LEFT[:1] & False) == 0 and np.isnan(mask_iou(LEFT & False, LEFT & False))


def test_the_appearance_is_compared_wherever_and_however_large_an_object_is():
    still, there, far = [(0.3, 0.4)] * 2, [(0.6, 0.5)] * 2, [(0.7, 0.6)] * 2
    first, masks = draw([("burger", still, 0.5)])
    moved, moved_masks = draw([("burger", far, 0.4)], scene="in the ocean")
    other, other_masks = draw([("car", there, 0.5)])
    same = appearance_change(first, masks[0], first, masks[0])
    near = appearance_change(moved, moved_masks[0], first, masks[0])
    different = appearance_change(other, other_masks[0], first, masks[0])
    assert same == 0 and near < 0.06 and different > 2 * near
    assert np.isnan(appearance_change(first, masks[0], first, masks[0] & False))


def test_appearance_by_hand():
    """A bright and a dark square, each filling its box."""
    bright, dark = video(0), video(0)
    bright[:, 2:8, 2:8], dark[:, 5:9, 5:9] = 250, 50
    masks, others = bright[..., 0] > 0, dark[..., 0] > 0
    assert appearance_change(bright, masks, dark, others) == pytest.approx(200 / 255)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="have shapes .*must be of the same frames"):
        background_psnr(video(), video()[:2], LEFT)
    with pytest.raises(ValueError, match="must be of the same frames"):
        mask_iou(LEFT, LEFT[:2])
