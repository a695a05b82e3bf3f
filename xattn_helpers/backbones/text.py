"""Text as a network gets it: words to tokens, tokens to embeddings."""

import html
import importlib.util
import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

Padding = Literal["kept", "zero", "masked"]  # what a network sees of the tokens after a prompt's end
TOKENIZING = threading.Lock()  # a tokenizer remembers how it pads, and refuses two threads at once


@dataclass(frozen=True)
class Condition:
    """Embedded prompts; `mask` tells real tokens from padding for networks that mask it, and is None for others."""

    states: Float[Tensor, "prompts tokens width"]
    mask: Bool[Tensor, "prompts tokens"] | None = None

    def __len__(self) -> int:
        """The number of prompts."""
        return len(self.states)

    def __getitem__(self, chosen: slice) -> "Condition":
        """Some of the prompts."""
        return Condition(self.states[chosen], None if self.mask is None else self.mask[chosen])

    def join(self, following: "Condition") -> "Condition":
        """These prompts, and after them those of another; raises ValueError if only one of the two has a mask."""
        if (self.mask is None) != (following.mask is None):
            raise ValueError("text: one has a mask and the other has none; give both or neither")
        states = torch.cat([self.states, following.states])
        if self.mask is None or following.mask is None:
            return Condition(states)
        return Condition(states, torch.cat([self.mask, following.mask]))

    @staticmethod
    def of(text: "Condition | Tensor") -> "Condition":
        """A condition, or bare embeddings (prompts, tokens, width) as one without a mask."""
        return Condition(text) if isinstance(text, Tensor) else text


def accept_any(prompt: str) -> None:
    """Most models understand something of every prompt."""


@dataclass
class Text:
    """The tokenizer and the text encoder of a model; `encoder` is None for a network that is measured alone."""

    tokenizer: PreTrainedTokenizerBase
    encoder: PreTrainedModel | None
    check: Callable[[str], None] = accept_any  # raises ValueError for a prompt that the model does not understand
    padding: Padding = "kept"
    tidies: bool = False  # whether the published pipeline tidies prompts up before it reads them

    @property
    def length(self) -> int:
        """Tokens of a padded prompt."""
        return self.tokenizer.model_max_length

    @torch.no_grad()
    def encode(self, prompts: Sequence[str]) -> Condition:
        """Embeddings (prompts, tokens, width). Raises ValueError for a prompt that is too long or not understood."""
        for prompt in prompts:
            self.check_prompt(prompt)
        with TOKENIZING:
            tokens = self.tokenizer(self._tidied(prompts), padding="max_length", return_tensors="pt")
        assert self.encoder is not None
        ids, mask = tokens.input_ids.to(self.encoder.device), tokens.attention_mask.to(self.encoder.device)
        # Where padding becomes zero, the encoder does not see it either; where it is masked, the encoder does.
        states = self.encoder(ids, mask if self.padding == "zero" else None).last_hidden_state
        real = mask.bool().to(states.device)
        if self.padding == "zero":
            return Condition(states * real[..., None])
        return Condition(states, real if self.padding == "masked" else None)

    def _tidied(self, prompts: Sequence[str]) -> list[str]:
        return [tidied(prompt) for prompt in prompts] if self.tidies else list(prompts)

    def normal(self, prompt: str) -> str:
        """A prompt as its tokens are counted: tidied up where the model does so, é one character and not two."""
        return unicodedata.normalize("NFC", tidied(prompt) if self.tidies else prompt)

    def check_prompt(self, prompt: str) -> None:
        """Raise ValueError for a prompt that is too long, or not understood."""
        self.check(prompt)
        count = len(self._tokens(prompt).input_ids)
        if count > self.length:
            raise ValueError(f"prompt {prompt!r} has {count} tokens with start and end; the model takes {self.length}")

    def find(self, prompt: str, word: str, occurrence: int = 0) -> list[int]:
        """The positions of a word's tokens in the tokenized prompt, counted from 0, the start token if there is one.

        `word` may be several words ("ice cream") or a part of one between hyphens and apostrophes ("wolf" of "wolf's");
        case does not matter; `occurrence` picks one of several ("the … the"), negative ones count from the end. Raises
        ValueError when the prompt has no such word or not so many of it.
        """
        prompt = self.normal(prompt)
        spans = _spans(prompt, unicodedata.normalize("NFC", word))
        if not spans:
            known = ", ".join(text for text, _, _ in words(prompt))
            raise ValueError(f"word {word!r} is not in the prompt {prompt!r}; its words: {known}")
        if not -len(spans) <= occurrence < len(spans):
            raise ValueError(
                f"occurrence={occurrence} of {word!r}: the prompt {prompt!r} has {len(spans)}, counted from 0"
            )
        return self.between(prompt, *spans[occurrence])

    def find_all(self, prompt: str, word: str) -> list[int]:
        """The positions of the tokens of a word wherever it is in a prompt; none if it is nowhere."""
        prompt, positions = self.normal(prompt), []
        for start, end in _spans(prompt, unicodedata.normalize("NFC", word)):
            positions += self.between(prompt, start, end)
        return positions

    def between(self, prompt: str, start: int, end: int) -> list[int]:
        """The positions of the tokens that cover some of a normal prompt's characters, from `start` up to `end`."""
        positions = []
        for index, (first, last) in enumerate(self._offsets(prompt)):
            if first < end and last > start:
                positions.append(index)
        return positions

    def labels(self, prompt: str) -> list[str]:
        """A short text for each position of the padded prompt: '<start>', 'a', 'burger', …, '<end>', '<pad>', …."""
        prompt, names = self.normal(prompt), ["<start>"] if self.has_start else []
        for first, last in self._offsets(prompt)[len(names) : -1]:
            names.append(prompt[first:last].strip().lower())
        names.append("<end>")
        return names + ["<pad>"] * (self.length - len(names))

    @property
    def has_start(self) -> bool:
        """Whether a token comes before a prompt's first word."""
        return self._tokens("").input_ids[:-1] != []

    def count(self, prompt: str) -> int:
        """The number of a prompt's tokens, with start and end and without padding."""
        return len(self._tokens(prompt).input_ids)

    def _offsets(self, prompt: str) -> list[tuple[int, int]]:
        return self._tokens(prompt).offset_mapping

    def _tokens(self, prompt: str) -> BatchEncoding:
        """Those of one prompt, without padding."""
        with TOKENIZING:
            return self.tokenizer(self.normal(prompt), return_offsets_mapping=True)


def tidied(prompt: str) -> str:
    """A prompt as diffusers' pipeline of Wan reads it: entities become characters, white space becomes single spaces.

    Broken encodings are mended where the package ftfy is installed, as there.
    """
    if importlib.util.find_spec("ftfy"):
        prompt = importlib.import_module("ftfy").fix_text(prompt)
    return re.sub(r"\s+", " ", html.unescape(html.unescape(prompt))).strip()


def words(prompt: str) -> list[tuple[str, int, int]]:
    """The words of a prompt with the characters that they span: [("a", 0, 1), ("burger", 2, 8)]; no punctuation."""
    return _matches(r"[^\W_]+(?:['’-][^\W_]+)*", prompt)


def _spans(prompt: str, word: str) -> list[tuple[int, int]]:
    """The first and last character of each place where a word, or several in a row, stand in a prompt."""
    parts = _matches(r"[^\W_]+", prompt)
    wanted = [text.lower() for text, _, _ in _matches(r"[^\W_]+", word)]
    if not wanted:
        return []
    spans = []
    for start in range(len(parts) - len(wanted) + 1):
        row = parts[start : start + len(wanted)]
        if [text.lower() for text, _, _ in row] == wanted:
            spans.append((row[0][1], row[-1][2]))
    return spans


def _matches(pattern: str, text: str) -> list[tuple[str, int, int]]:
    return [(match.group(), match.start(), match.end()) for match in re.finditer(pattern, text)]
