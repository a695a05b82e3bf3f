"""Words to token positions, with the pocket tokenizer and with one in CLIP's own layout."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from models_for_tests import tiny, write_clip_tokenizer

from xattn_helpers.backbones.text import Text, words


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return Text(write_clip_tokenizer(tmp_path_factory.mktemp("clip")), None)


@pytest.fixture(scope="module")
def pocket():
    return tiny().text


def pieces(text, prompt, positions):
    """The text of the tokens at these positions."""
    names = text.tokenizer.convert_ids_to_tokens(text.tokenizer(prompt).input_ids)
    return [names[position] for position in positions]


# Pocket


def test_a_pocket_word_is_one_token_at_its_place(pocket):
    prompt = "a burger floats on the water"
    for place, word in enumerate(prompt.split(), start=1):  # 0 is the start token
        assert pocket.find(prompt, word) == [place]


def test_a_repeated_word_is_picked_by_occurrence(pocket):
    prompt = "the dog runs near the ball on the grass"
    assert [pocket.find(prompt, "the", i) for i in range(3)] == [[1], [5], [8]]
    assert pocket.find(prompt, "the", -1) == [8]
    with pytest.raises(ValueError, match="occurrence=3 of 'the': the prompt .* has 3, counted from 0"):
        pocket.find(prompt, "the", 3)
    with pytest.raises(ValueError, match="occurrence=-4"):
        pocket.find(prompt, "the", -4)


def test_several_words_and_any_case(pocket):
    prompt = "A big turtle swims, in the Ocean!"
    assert pocket.find(prompt, "BIG turtle") == [2, 3]
    assert pocket.find(prompt, "ocean") == [8]  # the comma is a token of its own
    assert pocket.find(prompt, "swims, in") == [4, 5, 6]


@pytest.mark.parametrize("word", ["shark", "bur", "burge", "float", "", " ", "!", "a shark", "water a"])
def test_a_word_that_is_not_there_is_an_error_that_shows_the_words(pocket, word):
    with pytest.raises(ValueError, match="is not in the prompt .* its words: a, burger, floats, on, the, water"):
        pocket.find("a burger floats on the water!", word)


def test_labels_of_a_padded_prompt(pocket):
    labels = pocket.labels("A burger flies")
    assert labels == ["<start>", "a", "burger", "flies", "<end>"] + ["<pad>"] * 15


# CLIP


def test_a_word_of_several_tokens_has_all_of_them(clip):
    prompt = "a burger, a hamburger and sharks"
    assert pieces(clip, prompt, clip.find(prompt, "burger")) == ["burger</w>"]
    assert pieces(clip, prompt, clip.find(prompt, "hamburger")) == ["ham", "burger</w>"]
    sharks = pieces(clip, prompt, clip.find(prompt, "sharks"))
    assert len(sharks) > 2 and "".join(sharks) == "sharks</w>"


def test_a_word_inside_another_is_not_found_there(clip):
    prompt = "a hamburger and a burger"
    assert pieces(clip, prompt, clip.find(prompt, "burger")) == ["burger</w>"]
    assert clip.find(prompt, "burger") != clip.find(prompt, "hamburger")[-1:]
    with pytest.raises(ValueError, match="'ham' is not in the prompt"):
        clip.find(prompt, "ham")


def test_every_token_of_a_prompt_belongs_to_one_word_or_to_punctuation(clip):
    prompt = "The wolf, the shark... and (again) the hamburger!"
    positions_of = [clip.find(prompt, "the", occurrence) for occurrence in range(3)]
    positions_of += [clip.find(prompt, word) for word in ("wolf", "shark", "and", "again", "hamburger")]
    flat = [position for positions in positions_of for position in positions]
    assert len(flat) == len(set(flat))
    left = set(range(1, len(clip.tokenizer(prompt).input_ids) - 1)) - set(flat)
    assert set("".join(pieces(clip, prompt, sorted(left))).replace("</w>", "")) == set(",.()!")


def test_apostrophes_and_hyphens(clip):
    prompt = "the wolf's ice-cream"
    assert [text for text, _, _ in words(prompt)] == ["the", "wolf's", "ice-cream"]
    assert pieces(clip, prompt, clip.find(prompt, "wolf's")) == ["wolf</w>", "'s</w>"]
    assert pieces(clip, prompt, clip.find(prompt, "wolf")) == ["wolf</w>"]
    assert pieces(clip, prompt, clip.find(prompt, "ice-cream")) == ["ice</w>", "-</w>", "cream</w>"]
    assert pieces(clip, prompt, clip.find(prompt, "cream")) == ["cream</w>"]
    assert clip.find(prompt, "ice cream") == clip.find(prompt, "ice-cream")
    assert clip.find("ice cream", "ice-cream") == [1, 2]


def test_accents_are_the_same_however_they_are_typed(clip):
    composed, apart = "a café on the ice", "a cafe\u0301 on the ice"
    assert clip.tokenizer(composed).input_ids == clip.tokenizer(apart).input_ids
    wanted = clip.find(composed, "café")
    assert len(wanted) > 1 and wanted == clip.find(apart, "café") == clip.find(composed, "cafe\u0301")
    assert clip.find(apart, "the") == clip.find(composed, "the")
    assert "é" in clip.labels(apart)


def test_numbers_and_spaces(clip):
    prompt = "  3   burgers\n and 42 wolves "
    assert clip.find(prompt, "3") == [1]
    assert len(clip.find(prompt, "42")) == 2  # CLIP splits numbers into digits
    assert pieces(clip, prompt, clip.find(prompt, "burgers"))[0] in ("burg", "bur")


def test_labels_show_the_pieces(clip):
    labels = clip.labels("The hamburger's ice!")
    assert labels[:8] == ["<start>", "the", "ham", "burger", "'s", "ice", "!", "<end>"]
    assert len(labels) == 77 and set(labels[8:]) == {"<pad>"}


# Both


def test_tokens_are_counted_with_start_and_end_and_without_padding(clip, pocket):
    assert pocket.count("a burger flies") == 5 and pocket.length == 20
    assert clip.count("a burger") == 4 and clip.length == 77


def test_words_of_the_old_kind_of_apostrophe_and_underscores():
    assert [text for text, _, _ in words("the wolf’s snake_case -dash- 'quote'")] == [
        "the", "wolf’s", "snake", "case", "dash", "quote",
    ]  # fmt: skip
    assert words("a burger") == [("a", 0, 1), ("burger", 2, 8)]


def test_threads_may_share_a_tokenizer(pocket):
    """A tokenizer with another thread inside of it raises "Already borrowed"."""
    prompts = ["a burger floats on the water", "the dog", "a big shark swims in the ocean"] * 20
    wanted = [pocket.labels(prompt) for prompt in prompts]
    with ThreadPoolExecutor(8) as pool:
        labels = list(pool.map(pocket.labels, prompts))
        states = list(pool.map(lambda prompt: pocket.encode([prompt]).states, prompts))
    assert labels == wanted
    for prompt, embedded in zip(prompts, states, strict=True):
        assert torch.equal(embedded, pocket.encode([prompt]).states)
