"""From words to the tokens that attention is about."""

import re
import unicodedata

from transformers import PreTrainedTokenizerBase


def words(prompt: str) -> list[tuple[str, int, int]]:
    """The words of a prompt with the characters that they span: [("a", 0, 1), ("burger", 2, 8)]; no punctuation."""
    return _matches(r"[^\W_]+(?:['’-][^\W_]+)*", prompt)


def find(tokenizer: PreTrainedTokenizerBase, prompt: str, word: str, occurrence: int = 0) -> list[int]:
    """The positions of a word's tokens in the tokenized prompt, counted with the start token at 0.

    `word` may be several words ("ice cream") or a part of one between hyphens and apostrophes ("wolf" of "wolf's");
    case does not matter; `occurrence` picks one of several ("the … the"), negative ones count from the end. Raises
    ValueError when the prompt has no such word or not so many of it.
    """
    prompt = unicodedata.normalize("NFC", prompt)  # as the tokenizer does: é is one character, not e and an accent
    spans = _spans(prompt, unicodedata.normalize("NFC", word))
    if not spans:
        there = ", ".join(text for text, _, _ in words(prompt))
        raise ValueError(f"word {word!r} is not in the prompt {prompt!r}; its words: {there}")
    if not -len(spans) <= occurrence < len(spans):
        raise ValueError(f"occurrence={occurrence} of {word!r}: the prompt {prompt!r} has {len(spans)}, counted from 0")
    start, end = spans[occurrence]
    offsets = tokenizer(prompt, return_offsets_mapping=True).offset_mapping
    return [index for index, (first, last) in enumerate(offsets) if first < end and last > start]


def labels(tokenizer: PreTrainedTokenizerBase, prompt: str) -> list[str]:
    """A short text for each position of the padded prompt: '<start>', 'a', 'burger', …, '<end>', '<pad>', …."""
    prompt = unicodedata.normalize("NFC", prompt)
    offsets = tokenizer(prompt, return_offsets_mapping=True).offset_mapping
    names = ["<start>", *(prompt[first:last].lower() for first, last in offsets[1:-1]), "<end>"]
    return names + ["<pad>"] * (tokenizer.model_max_length - len(names))


def _spans(prompt: str, word: str) -> list[tuple[int, int]]:
    """The first and last character of each place where a word, or several in a row, stand in a prompt."""
    there = _matches(r"[^\W_]+", prompt)
    wanted = [text.lower() for text, _, _ in _matches(r"[^\W_]+", word)]
    if not wanted:
        return []
    rows = [there[i : i + len(wanted)] for i in range(len(there) - len(wanted) + 1)]
    return [(row[0][1], row[-1][2]) for row in rows if [text.lower() for text, _, _ in row] == wanted]


def _matches(pattern: str, text: str) -> list[tuple[str, int, int]]:
    return [(match.group(), match.start(), match.end()) for match in re.finditer(pattern, text)]
