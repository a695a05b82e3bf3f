"""How the actors move: paths, sizes and turns must be what the captions say."""

import random

import numpy as np
import pytest
from stories_for_tests import cast_in_order, howls, tellings

from xattn_helpers.pocket.world.actors import LARGEST, SMALLEST, perspective, sample_actor, standing_actor
from xattn_helpers.pocket.world.stories import FRAMES
from xattn_helpers.pocket.world.vocabulary import DEPTHS, FREE_SCENES, OBJECTS, SIZES, STILL


@pytest.fixture(scope="module")
def stories():
    return tellings()


@pytest.fixture(scope="module")
def actors(stories):
    return [actor for story in stories for actor in story.actors]


def moving(stories, motion):
    """The actors that do `motion`: the ones that their captions name first."""
    actors = [cast_in_order(story)[0] for story in stories if story.motion == motion and not howls(story)]
    assert len(actors) > 50
    return actors


def touch(first, second):
    """Whether the discs of two actors overlap in some frame."""
    distance = np.linalg.norm(first.position - second.position, axis=1)
    return (distance < 0.45 * (first.size + second.size)).any()


# Paths


@pytest.mark.parametrize(
    "motion, axis, sign", (("to the left", 0, -1), ("to the right", 0, 1), ("up", 1, -1), ("down", 1, 1))
)
def test_a_directed_motion_goes_far_that_way_and_little_across(stories, motion, axis, sign):
    for actor in moving(stories, motion):
        shift = actor.position[-1] - actor.position[0]
        assert 0.29 < sign * shift[axis] < 0.71
        assert abs(shift[1 - axis]) < 0.07
        assert (sign * np.diff(actor.position[:, axis]) > 0).all()  # all the time


def test_still_things_keep_place_and_size(stories):
    for actor in moving(stories, STILL):
        assert np.ptp(actor.position, axis=0).max() < 1e-9 and np.ptp(actor.size) < 1e-9


def test_everything_stays_inside_the_picture_at_a_visible_size(actors):
    for actor in actors:
        assert actor.position.min() > 0.05 and actor.position.max() < 0.95
        assert actor.size.min() >= SMALLEST and actor.size.max() <= LARGEST
        assert {len(track) for track in (actor.position, actor.size, actor.angle, actor.facing)} == {FRAMES}


def test_some_paths_are_curved(stories):
    def bend(actor):
        """Largest distance to the line between the ends."""
        line = actor.position[-1] - actor.position[0]
        offset = actor.position - actor.position[0]
        area = np.abs(line[0] * offset[:, 1] - line[1] * offset[:, 0])
        return area.max() / max(np.linalg.norm(line), 1e-9)

    straight_ahead = [actor for actor in moving(stories, "") if np.ptp(actor.facing) == 0]
    assert 0.25 < np.mean([bend(actor) > 0.02 for actor in straight_ahead]) < 0.6


def test_two_objects_mostly_keep_clear_and_sometimes_cross(stories):
    pairs = [story.actors for story in stories if len(story.actors) == 2 and not howls(story)]
    assert 0.1 < np.mean([touch(*pair) for pair in pairs]) < 0.45


def test_a_standing_actor_has_the_place_and_the_size_that_are_given():
    moon = standing_actor("moon", (0.3, 0.2), 0.25, frames=3)
    assert moon.position.tolist() == [[0.3, 0.2]] * 3 and moon.size.tolist() == [0.25] * 3
    assert moon.angle.tolist() == [0] * 3 and moon.facing.tolist() == [1] * 3


# Sizes


def test_closer_grows_and_away_shrinks_noticeably(stories):
    assert min(actor.size[-1] / actor.size[0] for actor in moving(stories, "closer")) > 1.15
    assert max(actor.size[-1] / actor.size[0] for actor in moving(stories, "away")) < 1 / 1.15
    for actor in moving(stories, "closer") + moving(stories, "away"):
        assert np.ptp(actor.position, axis=0).max() < 0.09


def test_growth_is_between_1_6_and_2_2_where_no_limit_cuts_it():
    rng = random.Random(0)
    ratios = []
    for _ in range(300):
        size = sample_actor(rng, "burger", "in the sky", "closer", "", FRAMES).size
        if SMALLEST < size.min() and size.max() < LARGEST:
            ratios.append(size[-1] / size[0])
    assert 1.6 <= min(ratios) < 1.65 and 2.15 < max(ratios) <= 2.2


def test_a_size_word_is_a_range_of_sizes(stories):
    relative = {size: [] for size in SIZES}
    for story in stories:
        if story.scene not in FREE_SCENES or story.motion in DEPTHS or howls(story):
            continue
        for actor, size in zip(cast_in_order(story), story.sizes, strict=True):
            low, high = np.clip(np.array(SIZES[size]) * OBJECTS[actor.name].size, SMALLEST, LARGEST)
            assert low <= actor.size[0] <= high
            relative[size].append(actor.size[0] / OBJECTS[actor.name].size)
    assert np.mean(relative["small"]) < np.mean(relative[""]) < np.mean(relative["big"])


def test_perspective_is_eight_tenths_at_the_horizon_and_flat_where_there_is_no_ground():
    rows = np.array([0.1, 0.4, 0.65, 0.9, 1.0])
    assert perspective(rows, "on the road") == pytest.approx([0.75, 0.8, 1.0, 1.2, 1.25])
    assert perspective(rows, "in the sky") == pytest.approx(np.ones(5))


# Turns


def test_things_face_the_way_they_go(stories):
    for motion, side in (("to the left", -1), ("to the right", 1)):
        assert all((actor.facing == side).all() for actor in moving(stories, motion))


def test_what_goes_nowhere_faces_right(stories):
    assert all((actor.facing == 1).all() for actor in moving(stories, STILL))


def test_some_turn_around_and_come_back_facing_the_other_way(actors):
    turning = [actor for actor in actors if np.ptp(actor.facing) > 0]
    assert len(turning) > 20
    for actor in turning:
        assert actor.facing[0] == -actor.facing[-1] != 0
        assert np.abs(actor.position[-1] - actor.position[0]).max() < 0.1
        away = actor.position[7, 0] - actor.position[0, 0]
        back = actor.position[-1, 0] - actor.position[8, 0]
        if abs(away) > 0.15:  # else the path may bow back
            assert actor.facing[0] == np.sign(away) == -np.sign(back)


def test_balls_roll_with_their_path_and_animals_keep_their_heads_up(actors):
    for actor in actors:
        if OBJECTS[actor.name].upright:
            assert np.abs(actor.angle).max() <= 8
        else:  # clockwise to the right: 40 degrees for half the picture
            turned = actor.angle - actor.angle[0]
            gone = actor.position[:, 0] - actor.position[0, 0]
            assert turned == pytest.approx(80 * gone)
