"""Tracks, masks and moved maps, against what can be computed by hand."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from xattn_helpers.attention.maps import centre_of_mass
from xattn_helpers.edits.targets import draw, track, transform


def test_a_straight_track_has_boxes_that_can_be_computed_by_hand():
    path = track([(0.25, 0.25), (0.25, 0.75)], size=0.5)
    expected = [[0, 0, 0.5, 0.5], [0, 0.25, 0.5, 0.75], [0, 0.5, 0.5, 1]]
    np.testing.assert_allclose(path.boxes(3), expected)


def test_boxes_are_clipped_at_the_border_and_centres_are_not():
    path = track([(0.1, 0.5)], size=0.4)
    np.testing.assert_allclose(path.boxes(1), [[0, 0.3, 0.3, 0.7]])
    np.testing.assert_allclose(path.centres(1), [[0.1, 0.5]])


def test_sizes_vary_by_key():
    sides = np.diff(track([(0.5, 0.5), (0.5, 0.5)], size=[0.2, 0.6]).boxes(3)[:, [0, 2]], axis=1)[:, 0]
    np.testing.assert_allclose(sides, [0.2, 0.4, 0.6])


def test_a_wide_box_is_wide():
    x0, y0, x1, y1 = track([(0.5, 0.5)], size=(0.6, 0.2)).boxes(1)[0]
    assert (round(x1 - x0, 9), round(y1 - y0, 9)) == (0.6, 0.2)


def test_masks_hold_the_cells_whose_middle_is_inside():
    mask = track([(0.5, 0.5)], size=0.5).mask(frames=1, height=4, width=4)
    expected = torch.tensor([[0.0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    assert torch.equal(mask[0], expected)


def test_masks_of_pictures_that_are_not_square():
    mask = track([(0.25, 0.5)], size=(0.5, 1.0)).mask(frames=2, height=2, width=8)
    assert mask.shape == (2, 2, 8)
    assert torch.equal(mask[0], torch.tensor([[1.0] * 4 + [0] * 4] * 2))


def test_a_disc_leaves_the_corners_of_its_box_out():
    path = track([(0.5, 0.5)], size=0.9)
    box, disc = path.mask(1, 16, 16), path.mask(1, 16, 16, shape="disc")
    assert disc.sum() / box.sum() == pytest.approx(np.pi / 4, abs=0.06)
    assert ((disc == 1) & (box == 0)).sum() == 0


@pytest.mark.parametrize("shape", ["box", "disc"])
def test_a_cell_whose_middle_is_on_the_edge_is_inside(shape):
    assert track([(0.5, 0.5)], size=(0.75, 1.0)).mask(1, 1, 4, shape).tolist() == [[[1, 1, 1, 1]]]
    assert track([(0.5, 0.5)], size=(1.0, 0.75)).mask(1, 4, 1, shape).flatten().tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("centre", "cell"), [((0.99, 0.01), (0, 3)), ((0.01, 0.99), (3, 0)), ((1.0, 0.3), (1, 3)), ((0.3, 1.0), (3, 1))]
)
def test_a_target_smaller_than_a_cell_keeps_one_cell(centre, cell):
    mask = track([centre], size=0.01).mask(1, 4, 4)
    assert mask[0].nonzero().tolist() == [list(cell)]


def test_smooth_tracks_pass_their_keys_and_stay_between_them():
    keys = [(0.0, 0.5), (1.0, 0.0), (0.2, 1.0)]
    points = track(keys, smooth=True).centres(21)
    np.testing.assert_allclose(points[[0, 10, 20]], keys, atol=1e-12)
    assert points.min() >= 0 and points.max() <= 1


def test_a_track_goes_straight_unless_it_is_smooth():
    """Of a way of 1, the cubic's slope is 2 at the start and 0 at the turn, so half way it is at 1/2 + 2/8."""
    keys = [(0.0, 0.0), (1.0, 0.0), (0.0, 0.0)]
    np.testing.assert_allclose(track(keys).centres(5)[:, 0], [0, 0.5, 1, 0.5, 0])
    np.testing.assert_allclose(track(keys, smooth=True).centres(5)[:, 0], [0, 0.75, 1, 0.75, 0])


def test_a_track_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        track([(0.5, 0.5)]).smooth = True  # type: ignore


def test_a_smooth_track_does_not_go_beyond_a_turn():
    points = track([(0.2, 0.5), (0.8, 0.5), (0.7, 0.5)], smooth=True).centres(41)[:, 0]
    assert points.max() == pytest.approx(0.8) and points.argmax() == 20


def test_a_clip_of_one_frame_is_at_the_start():
    np.testing.assert_allclose(track([(0.2, 0.3), (0.8, 0.9)], easing="ease").centres(1), [[0.2, 0.3]])


def test_easing_starts_slowly_and_is_half_way_at_half_time():
    eased = track([(0, 0), (1, 1)], easing="ease").centres(5)[:, 0]
    np.testing.assert_allclose(eased, 0.5 - 0.5 * np.cos(np.pi * np.linspace(0, 1, 5)), atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keys": []}, "keys must be a list of one point or more"),
        ({"keys": [(0.5, 1.2)]}, r"keys\[0\]\[1\] is 1.2; keys must be .* from 0 to 1, y down"),
        ({"keys": [(0.5, 0.5)], "size": 0}, "size"),
        ({"keys": [(0.5, 0.5)], "size": 1.5}, "size"),
        ({"keys": [(0.5, 0.5)], "size": [0.2, 0.3]}, "2 sizes given for 1 keys"),
        ({"keys": [(0.5, -0.1)]}, r"keys\[0\]\[1\] is -0.1; keys must be"),
        ({"keys": [(0.5, 0.5, 0.5)]}, r"keys must be .* \(x, y\)"),
        ({"keys": [(float("nan"), 0.5)]}, r"keys\[0\]\[0\] is nan; keys must be"),
        ({"keys": [(0.5, 0.5)], "size": (0.2, 0.2, 0.2)}, "size must be a side above 0 and up to 1"),
        ({"keys": [(0.5, 0.5)] * 2, "size": [0.2]}, "1 sizes given for 2 keys"),
        ({"keys": [(0.5,)]}, r"keys must be .* \(x, y\)"),
        ({"keys": [(0.5, 0.5)], "size": (0.2,)}, "size must be a side above 0 and up to 1"),
        ({"keys": [(0.5, 0.5)], "size": (0.2, 0.0)}, "size"),
        ({"keys": [(0.5, 0.5)], "easing": "bounce"}, "easing='bounce'.: easing must be 'linear' or 'ease'"),
    ],
)
def test_wrong_tracks_say_what_is_possible(arguments, message):
    with pytest.raises(ValueError, match=message):
        track(**arguments)


def test_wrong_shapes_and_frames_say_what_is_possible():
    with pytest.raises(ValueError, match="shape='star'.: shape must be 'box' or 'disc'"):
        track([(0.5, 0.5)]).mask(1, 4, 4, shape="star")
    with pytest.raises(ValueError, match="frames=0"):
        track([(0.5, 0.5)]).boxes(0)


def square(at: int, side: int, size: int = 16) -> torch.Tensor:
    maps = torch.zeros(1, size, size)
    maps[0, at : at + side, at : at + side] = 1
    return maps


def test_scale_one_and_no_shift_change_nothing():
    maps = torch.rand(3, 8, 12, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(transform(maps), maps)


def test_a_shift_by_whole_cells_is_exact_and_does_not_wrap():
    maps = square(8, 4)
    assert torch.allclose(transform(maps, shift=(2 / 16, -3 / 16)), maps.roll((-3, 2), (1, 2)), atol=1e-5)
    gone = transform(maps, shift=(0.9, 0.0))
    assert gone.sum() < 1e-4


def test_where_nothing_comes_from_there_is_nothing():
    moved = transform(torch.ones(1, 16, 16), shift=(0.5, 0.25))
    wanted = torch.zeros(1, 16, 16)
    wanted[:, 4:, 8:] = 1
    torch.testing.assert_close(moved, wanted)


def test_doubling_a_square_doubles_its_sides_about_its_centre():
    maps = square(6, 4)
    twice = transform(maps, scale=2.0)
    assert float(twice.sum()) == pytest.approx(64, rel=0.05)
    torch.testing.assert_close(centre_of_mass(twice), centre_of_mass(maps), atol=1e-3, rtol=0)


def test_each_frame_may_have_its_own_transform():
    maps = square(6, 4).repeat(2, 1, 1)
    moved = transform(maps, scale=torch.tensor([1.0, 2.0]), shift=torch.tensor([[0.0, 0.0], [0.125, 0.0]]))
    torch.testing.assert_close(moved[0], maps[0])
    assert float(centre_of_mass(moved)[1, 0]) == pytest.approx(0.625, abs=1e-3)


def test_half_the_scale_of_a_square_halves_its_sides():
    halved = transform(square(4, 8), scale=0.5)
    assert float(halved.sum()) == pytest.approx(16, rel=0.05)
    assert torch.equal(halved[0] > 0.5, square(6, 4)[0] > 0.5)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_an_impossible_scale_is_an_error(scale):
    with pytest.raises(ValueError, match="scale"):
        transform(square(6, 4), scale=scale)


def test_an_empty_map_stays_empty():
    assert transform(torch.zeros(1, 8, 8), scale=2.0).sum() == 0


# Drawing any target


def test_a_track_draws_itself_in_its_shape():
    path = track([(0.5, 0.5)], size=0.9)
    for shape in ("box", "disc"):
        assert torch.equal(draw(path, 2, 8, 12, shape), path.mask(2, 8, 12, shape))


def test_maps_are_averaged_over_the_cells_of_a_smaller_size():
    maps = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(draw(maps, 2, 8, 8, "disc"), maps)
    by_hand = maps.unflatten(1, (4, 2)).unflatten(3, (2, 4)).mean((2, 4))
    torch.testing.assert_close(draw(maps, 2, 4, 2, "disc"), by_hand)
    assert torch.equal(draw(maps > 0.5, 2, 8, 8, "disc"), (maps > 0.5).float())
    assert torch.equal(draw(torch.ones(300, 2, 2), 300, 1, 1, "disc"), torch.ones(300, 1, 1)), "of long clips, too"


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 8, 8), (2, 8), (8, 8), (2, 1, 8, 8), (1, 2, 8, 8)])
def test_maps_of_other_axes_or_another_number_of_frames_are_an_error(shape):
    with pytest.raises(ValueError, match=r"target: shape .* given; needed is \(2 frames, height, width\)"):
        draw(torch.zeros(shape), 2, 8, 8, "disc")
