"""Forward guidance: replace attention maps while the network runs (section 3.3 of the paper, and Prompt-to-Prompt).

A source prompt runs beside the asked one, in the same batch and from the same noise; an edit gives some of its maps to
the target:

    swap = Swap("truck", "car", source="a truck drives on the road")
    clip = generate(model, "a car drives on the road", edits=swap)

The clip of the source is in `clip.source`.
"""

import difflib
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from ..arguments import checked
from ..backbones.text import Text, words
from .edit import Run
from .map_edit import ClipMaps, MapEdit, Pairs

__all__ = ["Refine", "Replace", "Reweight", "Swap"]


@checked
@dataclass(frozen=True)
class Swap(MapEdit):
    """Give one word the map of a word of the source prompt; each word is looked up in its own prompt."""

    source_word: str
    target_word: str
    source: str = field(kw_only=True)

    def pair(self, run: Run, prompt: str) -> Pairs:
        """The target word's tokens and the source word's; raises ValueError for a word that is missing."""
        out_of = run.model.text.find(self.source, self.source_word)
        return [(run.model.text.find(prompt, self.target_word), out_of)]


@checked
@dataclass(frozen=True)
class Replace(MapEdit):
    """Give all words the maps of the source prompt, position by position (Prompt-to-Prompt's word swap)."""

    source: str = field()

    def pair(self, run: Run, prompt: str) -> Pairs:
        """Word for word, start and padding included; raises ValueError for prompts of different length."""
        text = run.model.text
        targets, sources = _words(text, prompt), _words(text, self.source)
        if len(targets) != len(sources):
            raise ValueError(
                f"source: {self.source!r} has {len(sources)} words and {prompt!r} has {len(targets)}, so they cannot "
                "be paired one by one; Refine pairs the words that they share"
            )
        pairs = _start(text)
        for target, source in zip(targets, sources, strict=True):
            pairs.append((target.positions, source.positions))
        end, source_end = text.count(prompt) - 1, text.count(self.source) - 1
        for offset in range(text.length - max(end, source_end)):
            pairs.append(([end + offset], [source_end + offset]))
        return pairs


@checked
@dataclass(frozen=True)
class Refine(MapEdit):
    """Give the words that both prompts share the source's maps; new words keep their own (Prompt-to-Prompt)."""

    source: str = field()

    def pair(self, run: Run, prompt: str) -> Pairs:
        """The start token, if any, and the shared words in their order; raises ValueError where there are none."""
        targets, sources = _words(run.model.text, prompt), _words(run.model.text, self.source)
        shared = _shared([word.text for word in targets], [word.text for word in sources])
        if not shared:
            raise ValueError(f"source: {self.source!r} shares no word with {prompt!r}")
        pairs = _start(run.model.text)
        for index, source_index in shared:
            pairs.append((targets[index].positions, sources[source_index].positions))
        return pairs


@checked
@dataclass(frozen=True)
class Reweight(MapEdit):
    """Multiply the map of one word; 0 hides the word, 2 shouts it (Prompt-to-Prompt). Needs no source."""

    word: str
    factor: Annotated[float, Field(ge=0, le=1000)]  # probabilities are not negative

    def pair(self, run: Run, prompt: str) -> Pairs:
        """The word's tokens."""
        return [(run.model.text.find(prompt, self.word), [])]

    def edit(self, target: ClipMaps, source: ClipMaps | None, pairs: Pairs) -> ClipMaps:
        """Maps with the word's columns multiplied."""
        edited = target.clone()
        for into, _ in pairs:
            edited[..., into] *= self.factor
        return edited


@dataclass(frozen=True)
class Word:
    """A word of a prompt, in lower case, and the positions of its tokens."""

    text: str
    positions: list[int]


def _start(text: Text) -> list[tuple[list[int], list[int]]]:
    return [([0], [0])] if text.has_start else []


def _words(text: Text, prompt: str) -> list[Word]:
    prompt = text.normal(prompt)
    spelt = []
    for word, start, end in words(prompt):
        spelt.append(Word(word.lower(), text.between(prompt, start, end)))
    return spelt


def _shared(target: list[str], source: list[str]) -> list[tuple[int, int]]:
    """Indices of the words that two prompts share, in order."""
    shared = []
    for block in difflib.SequenceMatcher(None, target, source, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            shared.append((block.a + offset, block.b + offset))
    return shared
