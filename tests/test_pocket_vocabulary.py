"""The words of the pocket world: who does what where, and what a prompt may say."""

import shutil

import pytest
from stories_for_tests import PAPER_PROMPTS, actor, batch_of

from xattn_helpers.pocket import text
from xattn_helpers.pocket.world import drawing, vocabulary
from xattn_helpers.pocket.world.batches import collate, sample_batch
from xattn_helpers.pocket.world.scenes import SCENES
from xattn_helpers.pocket.world.vocabulary import (
    MEDIA,
    OBJECTS,
    STANDING_VERBS,
    Thing,
    check_prompt,
    known_words,
    objects_of,
    scenes_of,
    verbs,
)

STAR = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
<path d="M50 4 62 38 98 38 69 59 80 94 50 73 20 94 31 59 2 38 38 38Z" fill="#ffcc22"/></svg>"""


def test_there_are_twenty_objects_and_ten_scenes():
    assert len(OBJECTS) >= 20 and len(MEDIA) >= 10


def test_every_object_has_a_drawing_and_every_drawing_is_an_object():
    assert {path.stem for path in vocabulary.SPRITES.glob("*.svg")} == set(OBJECTS)


def test_scenes_are_painted_in_the_order_of_the_vocabulary():
    assert list(SCENES) == list(MEDIA)


@pytest.mark.parametrize("name", OBJECTS)
def test_every_object_belongs_somewhere_and_can_move_there(name):
    home = scenes_of(name)
    assert home
    for scene in home:
        assert set(verbs(name, scene)) - set(STANDING_VERBS), f"{name} {scene}: only verbs of standing"


def test_every_scene_takes_two_different_objects():
    for scene in MEDIA:
        assert len(objects_of(scene)) >= 2, scene


def test_objects_and_scenes_find_each_other():
    assert scenes_of("shark") == ["in the ocean", "on the water"]
    assert objects_of("in the ocean") == ["burger", "ball", "shark", "fish", "turtle", "penguin", "apple", "pizza"]
    for name in OBJECTS:
        assert [scene for scene in MEDIA if name in objects_of(scene)] == scenes_of(name)


def test_verbs_come_from_the_media_of_the_scene_each_once():
    assert verbs("shark", "in the ocean") == ("swims",)
    assert verbs("shark", "on the road") == ()
    assert verbs("ball", "at night") == ("rolls", "bounces", "flies")  # land and air
    assert verbs("balloon", "at night") == ("floats", "flies")  # floats in both


def test_an_unknown_object_or_scene_is_named_with_the_possible_ones():
    with pytest.raises(ValueError, match="name='tiger' is not in the pocket world; possible: 'burger', 'ball', "):
        verbs("tiger", "on the road")
    with pytest.raises(ValueError, match="scene='on the moon' is not in the pocket world; possible: 'in the ocean', "):
        verbs("car", "on the moon")


@pytest.mark.parametrize("prompt", (*PAPER_PROMPTS, "", "A Burger floats, on the water!", "a big apple stays still"))
def test_known_words_are_accepted(prompt):
    check_prompt(prompt)


@pytest.mark.parametrize(
    "prompt, unknown, hint",
    (
        ("a burgr floats on the water", "'burgr'", "'burger'"),
        ("a wolf howls to the mooon", "'mooon'", "'moon'"),
        ("a xqq", "'xqq'", "known objects: burger, ball"),
        ("a ball, then a tiger", "'then'", "did you mean"),  # the first one only
    ),
)
def test_an_unknown_word_is_named_with_its_neighbours(prompt, unknown, hint):
    with pytest.raises(ValueError, match=f"do not know the word {unknown}; .*{hint}") as error:
        check_prompt(prompt)
    assert repr(prompt) in str(error.value) and "tiger" not in str(error.value).replace(prompt, "")


def test_a_word_inside_a_known_word_is_unknown():
    with pytest.raises(ValueError, match="'burg'"):
        check_prompt("a burg")


def test_words_are_sorted_and_single():
    assert list(known_words()) == sorted(set(known_words()))
    assert not any(" " in word for word in known_words())


def test_adding_an_object_takes_a_drawing_and_a_line_of_vocabulary(monkeypatch, tmp_path):
    shutil.copytree(vocabulary.SPRITES, tmp_path / "sprites")
    (tmp_path / "sprites" / "star.svg").write_text(STAR)
    monkeypatch.setitem(OBJECTS, "star", Thing(1.0, air="shines falls"))
    monkeypatch.setattr(drawing, "SPRITES", tmp_path / "sprites")
    monkeypatch.setattr(drawing, "atlas", drawing.atlas.__wrapped__)  # without its memory

    check_prompt("a star falls in the sky")
    assert len(text.build_tokenizer()("star").input_ids) == 3  # start, star, end
    _, stories = sample_batch(400, seed=0)
    story = next(story for story in stories if [actor.name for actor in story.actors] == ["star"])
    assert story.scene in ("in the sky", "at night") and "star" in story.caption.split()
    _, masks = drawing.World().draw(collate([story]))
    assert masks.flatten(3).any(3).all()


def test_an_object_without_a_drawing_is_named(monkeypatch):
    monkeypatch.setitem(OBJECTS, "star", Thing(1.0, air="shines"))
    with pytest.raises(FileNotFoundError, match="'star' .* star.svg"):
        drawing.atlas.__wrapped__()


def test_the_vocabulary_says_how_large_things_are_beside_each_other():
    casts = [[actor(name, size=0.4 * OBJECTS[name].size)] for name in ("bee", "bus")]
    _, masks = drawing.World().draw(batch_of(*casts))
    bee, bus = (mask.any(0).sum().item() for mask in masks[:, 0, 0])  # columns: both are wider than high
    assert bus / bee == pytest.approx(OBJECTS["bus"].size / OBJECTS["bee"].size, rel=0.1)
