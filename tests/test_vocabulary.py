"""The words of the pocket world: who does what where, and what a prompt may say."""

import shutil

import pytest

from xattn_helpers.pocket import text, vocabulary, world
from xattn_helpers.pocket.clips import Actor, Clip
from xattn_helpers.pocket.scenes import SCENES
from xattn_helpers.pocket.vocabulary import MEDIA, OBJECTS, STANDING_VERBS, Thing, check_prompt, verbs, words

PAPER_PROMPTS = (
    "a burger floats on the water",
    "a shark swims in the ocean",
    "a car drives on the road",
    "a truck drives on the road",
    "a ball rolls on the grass",
    "a wolf howls to the moon",
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
    home = [scene for scene in MEDIA if verbs(name, scene)]
    assert home
    for scene in home:
        assert set(verbs(name, scene)) - set(STANDING_VERBS), f"{name} {scene}: only verbs of standing"


def test_every_scene_takes_two_different_objects():
    for scene in MEDIA:
        assert sum(bool(verbs(name, scene)) for name in OBJECTS) >= 2, scene


def test_verbs_come_from_the_media_of_the_scene_each_once():
    assert verbs("shark", "in the ocean") == ("swims",)
    assert verbs("shark", "on the road") == ()
    assert verbs("ball", "at night") == ("rolls", "bounces", "flies")  # land and air
    assert verbs("balloon", "at night") == ("floats", "flies")  # floats in both


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
    assert list(words()) == sorted(set(words()))
    assert not any(" " in word for word in words())


def test_adding_an_object_takes_a_drawing_and_a_line_of_vocabulary(monkeypatch, tmp_path):
    shutil.copytree(vocabulary.SPRITES, tmp_path / "sprites")
    (tmp_path / "sprites" / "star.svg").write_text(STAR)
    monkeypatch.setitem(OBJECTS, "star", Thing(1.0, air="shines falls"))
    monkeypatch.setattr(world, "SPRITES", tmp_path / "sprites")
    monkeypatch.setattr(world, "atlas", world.atlas.__wrapped__)  # without its memory

    check_prompt("a star falls in the sky")
    assert len(text.build_tokenizer()("star").input_ids) == 3  # start, star, end
    _, clips = world.sample_batch(400, seed=0)
    clip = next(clip for clip in clips if [actor.name for actor in clip.actors] == ["star"])
    assert clip.scene in ("in the sky", "at night") and "star" in clip.caption.split()
    _, masks = world.World().draw(world.collate([clip]))
    assert masks.flatten(3).any(3).all()


def test_an_object_without_a_drawing_is_named(monkeypatch):
    monkeypatch.setitem(OBJECTS, "star", Thing(1.0, air="shines"))
    with pytest.raises(FileNotFoundError, match="'star' .* star.svg"):
        world.atlas.__wrapped__()


def test_the_vocabulary_says_how_large_things_are_beside_each_other():
    def actor(name):
        path = [[0.5, 0.5]]
        return Actor(name, path, [0.4 * OBJECTS[name].size], [0.0], [1.0])

    clips = [Clip("in the sky", 0, [actor(name)], "", "") for name in ("bee", "bus")]
    _, masks = world.World().draw(world.collate(clips))
    bee, bus = (mask.any(0).sum().item() for mask in masks[:, 0, 0])  # columns: both are wider than high
    assert bus / bee == pytest.approx(OBJECTS["bus"].size / OBJECTS["bee"].size, rel=0.1)
