"""Drawing the pocket world: pixels and masks against the sprites themselves."""

import copy

import pytest
import torch
import torch.nn.functional as F
from stories_for_tests import FULL, HALF, actor, batch_of

from xattn_helpers.pocket.world.batches import ABSENT, sample_batch
from xattn_helpers.pocket.world.drawing import ATLAS_SIDE, SIDE, World, atlas, backdrops
from xattn_helpers.pocket.world.scenes import SCENES
from xattn_helpers.pocket.world.vocabulary import OBJECTS


@pytest.fixture(scope="module")
def cpu():
    return World()


@pytest.fixture(scope="module")
def on_black(cpu):
    return before(cpu, 0.0)


def before(cpu, brightness):
    """The world with scenes of one brightness instead of painted ones."""
    plain = copy.copy(cpu)
    plain.backdrops = torch.full_like(cpu.backdrops, brightness)
    return plain


def draw_frame(drawer, *actors):
    """A story of one frame: pixels (3, SIDE, SIDE) and masks (actors, SIDE, SIDE)."""
    video, masks = drawer.draw(batch_of(list(actors)))
    return video[0, 0], masks[0, :, 0]


def sprite(name="truck", size=HALF, dx=0, dy=0):
    """A sprite (4, SIDE, SIDE) with its centre dx, dy pixels beside the picture's."""
    drawing = atlas()[list(OBJECTS).index(name)]
    side = ATLAS_SIDE
    if size == HALF:
        drawing, side = F.avg_pool2d(drawing, 2), ATLAS_SIDE // 2
    picture, edge = torch.zeros(4, SIDE, SIDE), (SIDE - side) // 2
    picture[:, edge + dy : edge + dy + side, edge + dx : edge + dx + side] = drawing
    return picture


def same(first, second):
    return torch.allclose(first, second, atol=2e-4)


def box(mask):
    """x0, y0, x1, y1 in pixels."""
    rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
    return columns.min().item(), rows.min().item(), columns.max().item() + 1, rows.max().item() + 1


# Sprites


@pytest.mark.parametrize("name", OBJECTS)
def test_a_sprite_touches_the_box_that_it_is_drawn_into(name):
    x0, y0, x1, y1 = box(atlas()[list(OBJECTS).index(name), 3] > 0.5)
    assert max(x1 - x0, y1 - y0) >= 0.9 * ATLAS_SIDE  # its long side is the actor's size
    assert abs(x0 + x1 - ATLAS_SIDE) <= 4 and abs(y0 + y1 - ATLAS_SIDE) <= 4  # its middle is the actor's position


@pytest.mark.parametrize("name", OBJECTS)
def test_a_sprite_is_one_solid_colourful_thing(name):
    drawing = atlas()[list(OBJECTS).index(name)]
    colour, alpha = drawing[:3], drawing[3]
    assert (alpha > 0.5).float().mean() > 0.2
    assert (colour <= alpha + 1 / 255).all()  # premultiplied
    assert colour[:, alpha > 0.99].std(1).max() > 0.05


def test_no_two_sprites_look_alike():
    small = F.avg_pool2d(atlas(), 8).flatten(1)
    distance = torch.cdist(small, small) + 1e9 * torch.eye(len(OBJECTS))
    assert distance.min() > 2


# One actor


@pytest.mark.parametrize("size", (FULL, HALF))
def test_pixels_and_mask_are_those_of_the_sprite(on_black, size):
    picture, masks = draw_frame(on_black, actor(size=size))
    assert same(picture, sprite(size=size)[:3])
    assert torch.equal(masks[0], sprite(size=size)[3] > 0.5)


def test_the_sprite_is_laid_over_the_painted_scene(cpu):
    picture, _ = draw_frame(cpu, actor())
    scene = backdrops()[list(SCENES).index("in the sky"), 0]
    assert same(picture, scene * (1 - sprite()[3:]) + sprite()[:3])


def test_a_position_moves_the_sprite(on_black):
    picture, _ = draw_frame(on_black, actor(x=0.5 + 10 / SIDE, y=0.5 - 6 / SIDE))
    assert same(picture, sprite(dx=10, dy=-6)[:3])


def test_what_leaves_the_picture_is_cut_off(on_black):
    picture, masks = draw_frame(on_black, actor(x=0.5 + 64 / SIDE))
    assert same(picture[:, :, 64:], sprite()[:3, :, :64])
    assert not picture[:, :, :-24].any() and box(masks[0])[2] == SIDE


def test_facing_left_is_the_mirror_image(on_black):
    assert same(draw_frame(on_black, actor(facing=-1.0))[0], sprite()[:3].flip(-1))


def test_an_angle_turns_clockwise(on_black):
    assert same(draw_frame(on_black, actor(angle=90.0))[0], sprite()[:3].rot90(-1, (-2, -1)))


def test_a_turning_thing_is_squeezed_but_never_to_nothing(on_black):
    def sides(facing):
        _, masks = draw_frame(on_black, actor(facing=facing, size=FULL))
        x0, y0, x1, y1 = box(masks[0])
        return x1 - x0, y1 - y0

    width, height = sides(1.0)
    for facing, share in ((0.5, 1 / 2), (0.25, 1 / 4), (0.1, 1 / 4), (0.0, 1 / 4), (-0.1, 1 / 4), (-0.25, 1 / 4)):
        assert sides(facing) == (pytest.approx(share * width, abs=1), height), facing


@pytest.mark.parametrize("facing, side", ((0.1, 1), (0.0, 1), (-0.1, -1)))
def test_a_turning_thing_looks_right_until_it_looks_left(on_black, facing, side):
    turning, _ = draw_frame(on_black, actor(facing=facing, size=FULL))
    squeezed, _ = draw_frame(on_black, actor(facing=0.25 * side, size=FULL))
    assert same(turning, squeezed)


@pytest.mark.parametrize("name", OBJECTS)
def test_size_and_position_are_those_of_the_mask(on_black, name):
    _, masks = on_black.draw(batch_of([actor(name, x=0.4, y=0.55, size=0.3)], [actor(name, x=0.4, y=0.55, size=0.6)]))
    for mask, size in zip(masks[:, 0, 0], (0.3, 0.6), strict=True):
        x0, y0, x1, y1 = box(mask)
        assert 0.88 * size * SIDE <= max(x1 - x0, y1 - y0) <= size * SIDE + 1
        assert (x0 + x1) / 2 == pytest.approx(0.4 * SIDE, abs=2) and (y0 + y1) / 2 == pytest.approx(0.55 * SIDE, abs=2)


# Two actors


def test_masks_are_exact(cpu, on_black):
    """Coverage is what a black and a white backdrop disagree about: no use is made of how it is drawn."""
    batch, _ = sample_batch(8, seed=5)
    batch = batch.select_frames(torch.tensor([[0, 9]] * 8))
    alone = batch[:]
    alone.objects[:, 1] = ABSENT
    covered = 1 - (before(cpu, 1.0).draw(alone)[0] - on_black.draw(alone)[0])[:, :, 0]
    clear = (covered - 0.5).abs() > 1e-4
    masks = on_black.draw(alone)[1]
    assert torch.equal(masks[:, 0] & clear, (covered > 0.5) & clear)
    assert not masks[:, 1].any()


def test_the_last_actor_is_in_front(on_black):
    truck, ball = actor("truck", x=0.45), actor("ball", x=0.55)
    ball_alone = draw_frame(on_black, ball)[1][0]
    truck_alone = draw_frame(on_black, truck)[1][0]
    assert (truck_alone & ball_alone).any()
    _, (behind, front) = draw_frame(on_black, truck, ball)
    assert torch.equal(front, ball_alone) and torch.equal(behind, truck_alone & ~ball_alone)
    _, (behind, front) = draw_frame(on_black, ball, truck)
    assert torch.equal(front, truck_alone) and torch.equal(behind, ball_alone & ~truck_alone)


def test_no_pixel_belongs_to_two_actors(on_black):
    batch, _ = sample_batch(24, seed=1)
    _, masks = on_black.draw(batch.select_frames(torch.tensor([[0, 8, 15]] * 24)))
    assert masks.any() and masks.sum(1).max() == 1


def test_an_actor_that_is_not_there_leaves_no_trace(cpu):
    """A story of one actor is the same beside a story of two."""
    alone, pair = [actor("cat")], [actor("dog"), actor("bee", x=0.2)]
    video, masks = cpu.draw(batch_of(alone, pair))
    assert torch.equal(video[0], cpu.draw(batch_of(alone))[0][0])
    assert masks[0, 0].any() and not masks[0, 1].any() and masks[1].flatten(1).any(1).all()
