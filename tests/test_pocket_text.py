"""The text side: each word one token, and each token mostly itself."""

import pytest
import torch
from stories_for_tests import PAPER_PROMPTS
from transformers import CLIPTextModel, CLIPTokenizer

from xattn_helpers.pocket.text import END, MAX_TOKENS, START, WIDTH, build_text_encoder, build_tokenizer
from xattn_helpers.pocket.world.batches import sample_batch
from xattn_helpers.pocket.world.vocabulary import OBJECTS, known_words


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer()


@pytest.fixture(scope="module")
def encoder(tokenizer):
    return build_text_encoder(tokenizer)


@pytest.fixture(scope="module")
def told():
    _, stories = sample_batch(300, seed=0)
    return [story.caption for story in stories]


@torch.no_grad()
def embed(tokenizer, encoder, captions):
    """Embeddings (captions, MAX_TOKENS, WIDTH) of padded captions."""
    ids = tokenizer(captions, padding="max_length", return_tensors="pt").input_ids
    return encoder(ids).last_hidden_state


def cosine(first, second):
    return torch.cosine_similarity(first, second, dim=-1)


# The tokenizer


@pytest.mark.parametrize("word", known_words())
def test_a_known_word_is_one_token(tokenizer, word):
    for text in (word, word.upper(), f"{word} {word}"):
        assert tokenizer.tokenize(text) == [f"{word}</w>"] * len(text.split())


def test_a_prompt_has_a_start_its_words_and_an_end(tokenizer):
    ids = tokenizer("a burger floats on the water").input_ids
    assert tokenizer.convert_ids_to_tokens(ids) == [
        START, "a</w>", "burger</w>", "floats</w>", "on</w>", "the</w>", "water</w>", END
    ]  # fmt: skip
    assert [tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token] == [START, END, END]


def test_prompts_are_padded_with_the_end_to_the_same_length(tokenizer):
    ids = tokenizer(["", "a ball"], padding="max_length").input_ids
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    assert [len(row) for row in ids] == [MAX_TOKENS] * 2 == [tokenizer.model_max_length] * 2
    assert ids[0] == [start] + [end] * (MAX_TOKENS - 1)
    assert ids[1][3:] == [end] * (MAX_TOKENS - 3) and end not in ids[1][:3]


def test_ids_turn_back_into_words(tokenizer, told):
    for caption in told:
        assert tokenizer.decode(tokenizer(caption).input_ids, skip_special_tokens=True).strip() == caption


@pytest.mark.parametrize("unseen", ("zyzzyva", "tiger's", "über", "ñandú", "42!", "虎", "☂", "a_b-c", "\x7f"))
def test_unseen_characters_never_end_the_prompt(tokenizer, unseen):
    ids = tokenizer(f"a {unseen} floats").input_ids
    end = tokenizer.eos_token_id
    assert ids[-1] == end and end not in ids[:-1]
    assert len(ids) > 4  # it is not swallowed either
    assert tokenizer.convert_ids_to_tokens(ids)[-2] == "floats</w>"


def test_a_saved_tokenizer_is_the_same(tokenizer, told, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    loaded = CLIPTokenizer.from_pretrained(tmp_path)
    texts = [*told, "", "an über-tiger ☂"]
    assert loaded(texts, padding="max_length").input_ids == tokenizer(texts, padding="max_length").input_ids


def test_the_vocabulary_is_the_same_each_time_and_has_no_gaps(tokenizer):
    vocabulary = tokenizer.get_vocab()
    assert all(vocabulary == build_tokenizer().get_vocab() for _ in range(10))
    assert sorted(vocabulary.values()) == list(range(len(tokenizer)))


# The encoder


def test_the_encoder_is_frozen(encoder):
    assert not encoder.training and not any(weight.requires_grad for weight in encoder.parameters())


def test_the_encoder_fits_the_tokenizer(tokenizer, encoder):
    assert encoder.get_input_embeddings().weight.shape == (len(tokenizer), WIDTH)
    assert embed(tokenizer, encoder, ["a ball"]).shape == (1, MAX_TOKENS, WIDTH)


def test_the_encoder_is_the_same_each_time_and_leaves_random_numbers_alone(tokenizer, encoder):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    again, other = build_text_encoder(tokenizer), build_text_encoder(tokenizer, seed=8)
    assert torch.equal(torch.rand(3), expected)
    for name, weight in encoder.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name
    assert not torch.equal(encoder.get_input_embeddings().weight, other.get_input_embeddings().weight)


def test_a_noun_stays_itself_in_every_context(tokenizer, encoder, told):
    ids = torch.tensor(tokenizer(told, padding="max_length").input_ids)
    embeddings = embed(tokenizer, encoder, told)
    means = []
    for name in OBJECTS:
        is_noun = ids == tokenizer.convert_tokens_to_ids(f"{name}</w>")
        uses, places = embeddings[is_noun], is_noun.nonzero()[:, 1]
        alike = cosine(uses[:, None], uses[None])
        assert len(uses) > 5 and alike.min() > 0.8, name
        assert alike[places[:, None] == places].min() > 0.9, name  # in the same place of the caption
        means.append(uses.mean(0))
    nouns = torch.stack(means)
    assert (cosine(nouns[:, None], nouns[None]) - torch.eye(len(nouns))).max() < 0.5  # and is no other noun


def test_the_noun_does_not_leak_into_the_words_behind_it(tokenizer, encoder):
    burger, shark = embed(tokenizer, encoder, ["a burger floats on the water", "a shark floats on the water"])
    assert torch.equal(burger[:2], shark[:2])  # start and article: the encoder is causal
    assert cosine(burger[2], shark[2]) < 0.5
    assert cosine(burger[3:], shark[3:]).min() > 0.95


def test_a_saved_encoder_is_the_same(tokenizer, encoder, tmp_path):
    encoder.save_pretrained(tmp_path)
    loaded = CLIPTextModel.from_pretrained(tmp_path)
    prompts = list(PAPER_PROMPTS)
    assert torch.equal(embed(tokenizer, encoder, prompts), embed(tokenizer, loaded, prompts))
