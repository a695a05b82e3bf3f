"""What happens in the clips: paths, sizes and turns must be what the captions say."""

import random

import numpy as np
import pytest

from xattn_helpers.pocket import captions, clips, vocabulary
from xattn_helpers.pocket.text import MAX_TOKENS, build_tokenizer
from xattn_helpers.pocket.vocabulary import FREE_SCENES, MOTIONS, OBJECTS, SIZES, STILL, verbs


@pytest.fixture(scope="module")
def many():
    rng = random.Random(0)
    return [clips.sample(rng) for _ in range(2000)]


def named(clip):
    """The actors of a clip in the order of its caption."""
    words = clip.caption.split()
    return sorted((actor for actor in clip.actors if actor.name in words), key=lambda actor: words.index(actor.name))


def moving(many, motion):
    """The actors that do `motion`: the ones that their captions name first."""
    actors = [named(clip)[0] for clip in many if clip.motion == motion and "howls" not in clip.caption]
    assert len(actors) > 50
    return actors


def overlap(clip):
    """In how many frames of two actors their discs touch."""
    one, other = clip.actors
    return (np.linalg.norm(one.position - other.position, axis=1) < 0.45 * (one.size + other.size)).any()


# Captions


def test_the_same_seed_gives_the_same_clips():
    def tell(seed):
        rng = random.Random(seed)
        drawn = [clips.sample(rng) for _ in range(20)]
        return [(clip.caption, clip.backdrop, clip.actors[0].position.tolist()) for clip in drawn]

    assert tell(3) == tell(3) != tell(4)


def test_every_caption_is_understood_and_fits_into_the_encoder(many):
    told = [clip.caption for clip in many] + [clip.image_caption for clip in many]
    for caption in set(told):
        vocabulary.check_prompt(caption)
    assert max(len(ids) for ids in build_tokenizer()(told).input_ids) <= MAX_TOKENS


def test_a_caption_names_the_actors_and_the_scene(many):
    for clip in many:
        words = set(clip.caption.split())
        if "howls" in words:
            assert {actor.name for actor in clip.actors} >= {"moon"} and clip.scene == "at night"
        else:
            assert clip.caption.endswith(clip.scene) and clip.image_caption.endswith(clip.scene)
        assert {actor.name for actor in clip.actors} == words & set(OBJECTS)
        assert {actor.name for actor in clip.actors} == set(clip.image_caption.split()) & set(OBJECTS)


def test_everything_is_where_it_belongs(many):
    for clip in many:
        for actor in clip.actors:
            assert verbs(actor.name, clip.scene), f"{actor.name} {clip.scene}"


def test_all_objects_scenes_motions_and_sizes_occur(many):
    assert {actor.name for clip in many for actor in clip.actors} == set(OBJECTS)
    assert {clip.scene for clip in many} == set(vocabulary.MEDIA)
    assert {clip.motion for clip in many} == {"", STILL, *MOTIONS}
    assert {size for clip in many for size in clip.sizes} == set(SIZES)
    assert {len(clip.actors) for clip in many} == {1, 2}


def test_one_clip_in_thirty_three_howls_with_wolf_below_moon(many):
    howling = [clip for clip in many if "howls" in clip.caption]
    assert 0.02 < len(howling) / len(many) < 0.045
    assert {clip.caption for clip in howling} == {"a wolf howls to the moon", "a dog howls to the moon"}
    for clip in howling:
        moon, howler = clip.actors
        assert (moon.position[:, 1] + moon.size / 2 < howler.position[:, 1]).all()


def test_a_motion_that_is_told_happens_and_a_picture_never_tells_one(many):
    for clip in many:
        for phrase in (" to the left ", " to the right ", " up ", " down ", " closer ", " away ", f" {STILL} "):
            assert phrase not in clip.image_caption or phrase == f" {STILL} " == f" {clip.motion} "
            assert phrase not in clip.caption or phrase == f" {clip.motion} "


def test_a_clip_says_its_motion_when_the_caption_has_the_words(many):
    assert all(clip.says_motion == (f" {clip.motion} " in clip.caption) for clip in many if clip.motion)
    assert not any(clip.says_motion for clip in many if not clip.motion)


def test_most_motions_of_single_objects_are_told(many):
    alone = [clip for clip in many if len(clip.actors) == 1 and clip.motion]
    told = sum(clip.motion in clip.caption for clip in alone) / len(alone)
    assert told == pytest.approx(clips.SAY_MOTION, abs=0.06)


# Paths and sizes


@pytest.mark.parametrize(
    "motion, axis, sign", (("to the left", 0, -1), ("to the right", 0, 1), ("up", 1, -1), ("down", 1, 1))
)
def test_a_directed_motion_goes_far_that_way_and_little_across(many, motion, axis, sign):
    for actor in moving(many, motion):
        shift = actor.position[-1] - actor.position[0]
        assert 0.29 < sign * shift[axis] < 0.71
        assert abs(shift[1 - axis]) < 0.07
        assert (sign * np.diff(actor.position[:, axis]) > 0).all()  # all the time


def test_closer_grows_and_away_shrinks_noticeably(many):
    assert min(actor.size[-1] / actor.size[0] for actor in moving(many, "closer")) > 1.15
    assert max(actor.size[-1] / actor.size[0] for actor in moving(many, "away")) < 1 / 1.15
    for actor in moving(many, "closer") + moving(many, "away"):
        assert np.ptp(actor.position, axis=0).max() < 0.09


def test_still_things_keep_place_and_size(many):
    for actor in moving(many, STILL):
        assert np.ptp(actor.position, axis=0).max() < 1e-9 and np.ptp(actor.size) < 1e-9


def test_everything_stays_inside_the_picture_at_a_visible_size(many):
    for actor in (actor for clip in many for actor in clip.actors):
        assert actor.position.min() > 0.05 and actor.position.max() < 0.95
        assert actor.size.min() >= clips.LEAST_SIZE and actor.size.max() <= clips.MOST_SIZE
        assert {len(track) for track in (actor.position, actor.size, actor.angle, actor.facing)} == {clips.FRAMES}


def test_a_size_word_is_a_range_of_sizes(many):
    said = {}
    for clip in many:
        if clip.scene in FREE_SCENES and clip.motion not in ("closer", "away") and "howls" not in clip.caption:
            for actor, size in zip(named(clip), clip.sizes, strict=True):
                low, high = np.clip(np.array(SIZES[size]) * OBJECTS[actor.name].size, clips.LEAST_SIZE, clips.MOST_SIZE)
                assert low <= actor.size[0] <= high
                said.setdefault(size, []).append(actor.size[0] / OBJECTS[actor.name].size)
    assert np.mean(said["small"]) < np.mean(said[""]) < np.mean(said["big"])


def test_half_of_the_sizes_are_said_and_what_is_said_is_so(many):
    said, possible = 0, 0
    for clip in many:
        if clip.motion in ("closer", "away") or "howls" in clip.caption:
            assert not {"small", "big"} & set(clip.caption.split())  # the former change, the latter are the paper's
            continue
        for actor, size in zip(named(clip), clip.sizes, strict=True):
            phrases = {each: captions.noun_phrase(actor.name, each) for each in SIZES if each}
            found = {each for each, phrase in phrases.items() if phrase in clip.caption}
            assert found <= {size}
            said, possible = said + len(found), possible + (size != "")
    assert said / possible == pytest.approx(clips.SAY_SIZE, abs=0.05)


def test_perspective_is_eight_tenths_at_the_horizon_and_flat_where_there_is_no_ground():
    rows = np.array([0.1, 0.4, 0.65, 0.9, 1.0])
    assert clips._perspective(rows, "on the road") == pytest.approx([0.75, 0.8, 1.0, 1.2, 1.25])
    assert clips._perspective(rows, "in the sky") == pytest.approx(np.ones(5))


def test_things_face_the_way_they_go(many):
    for motion, side in (("to the left", -1), ("to the right", 1)):
        assert all((actor.facing == side).all() for actor in moving(many, motion))


def test_what_goes_nowhere_faces_right(many):
    still = moving(many, STILL)
    assert still and all((actor.facing == 1).all() for actor in still)


def test_some_turn_around_and_come_back_facing_the_other_way(many):
    turning = [actor for clip in many for actor in clip.actors if np.ptp(actor.facing) > 0]
    assert len(turning) > 20
    for actor in turning:
        assert actor.facing[0] == -actor.facing[-1] != 0
        assert np.abs(actor.position[-1] - actor.position[0]).max() < 0.1
        out, back = actor.position[7, 0] - actor.position[0, 0], actor.position[-1, 0] - actor.position[8, 0]
        if abs(out) > 0.15:  # else the path may bow back
            assert actor.facing[0] == np.sign(out) == -np.sign(back)


def test_balls_roll_with_their_path_and_animals_keep_their_heads_up(many):
    for actor in (actor for clip in many for actor in clip.actors):
        if OBJECTS[actor.name].upright:
            assert np.abs(actor.angle).max() <= 8
        else:  # clockwise to the right: 40 degrees for half the picture
            turned, gone = actor.angle - actor.angle[0], actor.position[:, 0] - actor.position[0, 0]
            assert turned == pytest.approx(80 * gone)


def test_some_paths_are_curved(many):
    def bend(actor):
        """Largest distance to the line between the ends."""
        line, out = actor.position[-1] - actor.position[0], actor.position - actor.position[0]
        return np.abs(line[0] * out[:, 1] - line[1] * out[:, 0]).max() / max(np.linalg.norm(line), 1e-9)

    free = [bend(actor) for actor in moving(many, "") if np.ptp(actor.facing) == 0]
    assert 0.25 < np.mean(np.array(free) > 0.02) < 0.6


def test_two_objects_mostly_keep_clear_and_sometimes_cross(many):
    two = [clip for clip in many if len(clip.actors) == 2 and "howls" not in clip.caption]
    assert 0.1 < np.mean([overlap(clip) for clip in two]) < 0.45


def test_either_object_may_be_in_front(many):
    two = [clip for clip in many if len(clip.actors) == 2 and "howls" not in clip.caption]
    assert 0.4 < np.mean([clip.actors[0] is named(clip)[0] for clip in two]) < 0.6


@pytest.mark.parametrize("frames", (1, 8, 17))
def test_clips_can_have_any_length(frames):
    rng = random.Random(0)
    for _ in range(200):
        for actor in clips.sample(rng, frames).actors:
            for track in (actor.position, actor.size, actor.angle, actor.facing):
                assert len(track) == frames and np.isfinite(track).all()
