"""The tokenizer of a stand-in: CLIP's own files, with merges that were learnt from this package's own text."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

WORD_END = "</w>"  # marks the last piece of a word
START, END = "<|startoftext|>", "<|endoftext|>"
PACKAGE = Path(__file__).parents[1]
LEARNT = 20_000  # tokens at most; this package has words for fewer


def write_tokenizer(folder: Path, size: int, pad: str, length: int) -> None:
    """Write vocab.json, merges.txt and the settings of a tokenizer of some number of tokens.

    Every byte is a token, alone and at the end of a word, and so is what merging gives: common words are one token,
    others several. Where the text has too few words for the number, pairs of letters that never come fill it up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = dict.fromkeys([*letters, *(letter + WORD_END for letter in letters)])
    merges = []
    for first, second in _pairs(letters):
        if len(tokens) == size - 2:
            break
        if first + second not in tokens and first in tokens and second in tokens:
            tokens[first + second] = None
            merges.append(f"{first} {second}")
    numbered = {token: index for index, token in enumerate([*tokens, START, END])}
    marks = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": pad}
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": length, "do_lower_case": True} | marks
    (folder / "vocab.json").write_text(json.dumps(numbered))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(marks))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def _pairs(letters: list[str]) -> Iterator[tuple[str, str]]:
    """The merges that were learnt, the most frequent first, and then any two letters."""
    yield from _learnt()
    for first in letters:
        for second in letters:
            yield first, second


@cache
def _learnt() -> list[tuple[str, str]]:
    """Merges of byte-pair encoding."""
    texts = [file.read_text(encoding="utf-8").lower() for file in sorted(PACKAGE.rglob("*.py"))]
    encoding = Tokenizer(models.BPE(end_of_word_suffix=WORD_END))
    encoding.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(False)])
    trainer = trainers.BpeTrainer(end_of_word_suffix=WORD_END, vocab_size=LEARNT, show_progress=False)
    encoding.train_from_iterator(texts, trainer)
    return [tuple(pair) for pair in json.loads(encoding.to_str())["model"]["merges"]]
