"""Words to token positions, with the pocket tokenizer and with one in CLIP's own layout."""

import pytest
from models_for_tests import tiny, write_clip_tokenizer

from xattn_helpers import tokens


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip_tokenizer(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def pocket():
    return tiny().tokenizer


def pieces(tokenizer, prompt, positions):
    """The text of the tokens at these positions."""
    names = tokenizer.convert_ids_to_tokens(tokenizer(prompt).input_ids)
    return [names[position] for position in positions]


# Pocket


def test_a_pocket_word_is_one_token_at_its_place(pocket):
    prompt = "a burger floats on the water"
    for place, word in enumerate(prompt.split(), start=1):  # 0 is the start token
        assert tokens.find(pocket, prompt, word) == [place]


def test_a_repeated_word_is_picked_by_occurrence(pocket):
    prompt = "the dog runs near the ball on the grass"
    assert [tokens.find(pocket, prompt, "the", i) for i in range(3)] == [[1], [5], [8]]
    assert tokens.find(pocket, prompt, "the", -1) == [8]
    with pytest.raises(ValueError, match="occurrence=3 of 'the': the prompt .* has 3, counted from 0"):
        tokens.find(pocket, prompt, "the", 3)
    with pytest.raises(ValueError, match="occurrence=-4"):
        tokens.find(pocket, prompt, "the", -4)


def test_several_words_and_any_case(pocket):
    prompt = "A big turtle swims, in the Ocean!"
    assert tokens.find(pocket, prompt, "BIG turtle") == [2, 3]
    assert tokens.find(pocket, prompt, "ocean") == [8]  # the comma is a token of its own
    assert tokens.find(pocket, prompt, "swims, in") == [4, 5, 6]


@pytest.mark.parametrize("word", ["shark", "bur", "burge", "float", "", " ", "!", "a shark", "water a"])
def test_a_word_that_is_not_there_is_an_error_that_shows_the_words(pocket, word):
    with pytest.raises(ValueError, match="is not in the prompt .* its words: a, burger, floats, on, the, water"):
        tokens.find(pocket, "a burger floats on the water!", word)


def test_labels_of_a_padded_prompt(pocket):
    labels = tokens.labels(pocket, "A burger flies")
    assert labels == ["<start>", "a", "burger", "flies", "<end>"] + ["<pad>"] * 15


# CLIP


def test_a_word_of_several_tokens_has_all_of_them(clip):
    prompt = "a burger, a hamburger and sharks"
    assert pieces(clip, prompt, tokens.find(clip, prompt, "burger")) == ["burger</w>"]
    assert pieces(clip, prompt, tokens.find(clip, prompt, "hamburger")) == ["ham", "burger</w>"]
    sharks = pieces(clip, prompt, tokens.find(clip, prompt, "sharks"))
    assert len(sharks) > 2 and "".join(sharks) == "sharks</w>"


def test_a_word_inside_another_is_not_found_there(clip):
    prompt = "a hamburger and a burger"
    assert pieces(clip, prompt, tokens.find(clip, prompt, "burger")) == ["burger</w>"]
    assert tokens.find(clip, prompt, "burger") != tokens.find(clip, prompt, "hamburger")[-1:]
    with pytest.raises(ValueError, match="'ham' is not in the prompt"):
        tokens.find(clip, prompt, "ham")


def test_every_token_of_a_prompt_belongs_to_one_word_or_to_punctuation(clip):
    prompt = "The wolf, the shark... and (again) the hamburger!"
    found = [tokens.find(clip, prompt, "the", occurrence) for occurrence in range(3)]
    found += [tokens.find(clip, prompt, word) for word in ("wolf", "shark", "and", "again", "hamburger")]
    flat = [position for positions in found for position in positions]
    assert len(flat) == len(set(flat))
    left = set(range(1, len(clip(prompt).input_ids) - 1)) - set(flat)
    assert set("".join(pieces(clip, prompt, sorted(left))).replace("</w>", "")) == set(",.()!")


def test_apostrophes_and_hyphens(clip):
    prompt = "the wolf's ice-cream"
    assert [text for text, _, _ in tokens.words(prompt)] == ["the", "wolf's", "ice-cream"]
    assert pieces(clip, prompt, tokens.find(clip, prompt, "wolf's")) == ["wolf</w>", "'s</w>"]
    assert pieces(clip, prompt, tokens.find(clip, prompt, "wolf")) == ["wolf</w>"]
    assert pieces(clip, prompt, tokens.find(clip, prompt, "ice-cream")) == ["ice</w>", "-</w>", "cream</w>"]
    assert pieces(clip, prompt, tokens.find(clip, prompt, "cream")) == ["cream</w>"]
    assert tokens.find(clip, prompt, "ice cream") == tokens.find(clip, prompt, "ice-cream")
    assert tokens.find(clip, "ice cream", "ice-cream") == [1, 2]


def test_accents_are_the_same_however_they_are_typed(clip):
    composed, apart = "a café on the ice", "a cafe\u0301 on the ice"
    assert clip(composed).input_ids == clip(apart).input_ids
    wanted = tokens.find(clip, composed, "café")
    assert len(wanted) > 1 and wanted == tokens.find(clip, apart, "café") == tokens.find(clip, composed, "cafe\u0301")
    assert tokens.find(clip, apart, "the") == tokens.find(clip, composed, "the")
    assert "é" in tokens.labels(clip, apart)


def test_numbers_and_spaces(clip):
    prompt = "  3   burgers\n and 42 wolves "
    assert tokens.find(clip, prompt, "3") == [1]
    assert len(tokens.find(clip, prompt, "42")) == 2  # CLIP splits numbers into digits
    assert pieces(clip, prompt, tokens.find(clip, prompt, "burgers"))[0] in ("burg", "bur")


def test_labels_show_the_pieces(clip):
    labels = tokens.labels(clip, "The hamburger's ice!")
    assert labels[:8] == ["<start>", "the", "ham", "burger", "'s", "ice", "!", "<end>"]
    assert len(labels) == 77 and set(labels[8:]) == {"<pad>"}
