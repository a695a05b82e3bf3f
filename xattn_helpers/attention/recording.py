"""Recording attention while anything runs: `with capture(model) as attention: …; attention.maps("burger")`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ..arguments import checked
from ..backbones.backbone import HALVES, Call, Half, Numbers, Site, Words, as_tuple, choose_sites
from ..backbones.model import Model
from ..kinds import Cells
from .processor import Maps, listening
from .recorded import NO_SUCH_HALF, RecordedRun, RecordedStep
from .site_maps import Probabilities

RecordedHalf = Literal["conditional", "unconditional", "both"]


class Recording:
    """The attention of the runs inside a block: running means over steps, or every step when asked for.

    Kept in float32, averaged over heads unless asked for: (batch, frames, heads, height, width, tokens) for each site.
    All questions go to the only run; of several, `runs` has each, in the order in which they began.
    """

    edits = False

    def __init__(
        self, model: Any, sites: Sequence[Site], half: RecordedHalf, every_step: bool, heads: bool, gradients: bool,
        prompts: Sequence[str], words: Sequence[str] = (),
    ):  # fmt: skip
        self.model, self.chosen, self.half = model, list(sites), half
        self.halves: tuple[Half, ...] = HALVES if half == "both" else (half,)
        self.every_step, self.heads, self.gradients, self.prompts_given = every_step, heads, gradients, tuple(prompts)
        self.words = tuple(words)
        self.runs: list[RecordedRun] = []
        self._tokens: dict[tuple[tuple[str, ...], bool], list[int] | None] = {}  # by prompts, and at a large site
        self._began: list[object] = []  # the run that each of `runs` is about; None for calls by hand

    def __call__(self, maps: Maps, site: Site, call: Call) -> None:
        """Listen: keep what was asked for. What guidance looks at beforehand is not what becomes of the clip."""
        if call.gradient:
            return
        run = self._run_of(call)
        for half in self.halves:
            part = call.part(half)
            if part is not None:
                run.add(self._reduced(maps[part]), site, half, call)

    def columns(self, site: Site, call: Call, large: bool) -> list[int] | None:
        """Which tokens are kept, in order: those of `words`; else all, but at a large site those of the prompts alone.

        Raises ValueError for words of which no prompt has any.
        """
        key = (self.prompts_given or call.prompts, large)
        if call.gradient:
            return []
        self._run_of(call)  # which is a run, also if it never has the half that is recorded
        if all(call.part(half) is None for half in self.halves):
            return []
        if key not in self._tokens:
            self._tokens[key] = self._chosen(*key)
        return self._tokens[key]

    def _chosen(self, prompts: tuple[str, ...], large: bool) -> list[int] | None:
        text = self.model.text
        if not prompts or not large and not self.words:
            return None
        if not self.words:
            return list(range(max(text.count(prompt) for prompt in prompts)))
        positions: set[int] = set()
        for prompt in prompts:
            for word in self.words:
                positions.update(text.find_all(prompt, word))
        if not positions:
            raise ValueError(f"words={', '.join(map(repr, self.words))}: none is in {', '.join(map(repr, prompts))}")
        return sorted(positions)

    def _run_of(self, call: Call) -> RecordedRun:
        if call.run not in self._began:
            prompts = self.prompts_given or call.prompts
            about = (self.half, self.every_step, self.heads, prompts, self._chosen(prompts, large=False))
            self.runs.append(RecordedRun(self.model, self.chosen, *about))
            self._began.append(call.run)
        return self.runs[self._began.index(call.run)]

    def _reduced(self, maps: Maps) -> Maps:
        """The mean over heads; always a copy, so that nothing larger stays in memory."""
        if not self.gradients:
            maps = maps.detach()
        return maps.to(torch.float32, copy=True) if self.heads else maps.mean(2, keepdim=True, dtype=torch.float32)

    @property
    def run(self) -> RecordedRun:
        """The only run. Raises RuntimeError when nothing ran, ValueError when several did."""
        if not self.runs:
            raise RuntimeError("nothing was recorded: run the model inside the block of capture")
        if len(self.runs) > 1:
            raise ValueError(f"{len(self.runs)} runs were recorded: ask one of them, as attention.runs[0].maps(…)")
        return self.runs[0]

    @property
    def steps(self) -> list[RecordedStep]:
        """The recorded steps of the only run."""
        return self.run.steps

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts of the only run's batch, those of sources at the end."""
        return self.run.prompts

    def sites(
        self, group: Words | None = None, cells: Numbers | None = None, site: str | Site | None = None
    ) -> list[Site]:
        """As `RecordedRun.sites`."""
        return self.run.sites(group, cells, site)

    def size(self, site: str | Site) -> tuple[int, int]:
        """Height and width of a site's maps."""
        return self.run.size(site)

    def probabilities(
        self, site: str | Site, step: Numbers | None = None, half: Half | None = None
    ) -> Probabilities:
        """As `RecordedRun.probabilities`, (batch, frames, heads, height, width, tokens)."""
        return self.run.probabilities(site, step, half)

    def maps(
        self, word: str | int, group: Words | None = None, cells: Numbers | None = None,
        site: str | Site | None = None, step: Numbers | None = None, head: int | None = None,
        occurrence: int = 0, batch: int = 0, half: Half | None = None,
    ) -> Float[Tensor, "frames height width"]:  # fmt: skip
        """As `RecordedRun.maps`: those of a word, one for each frame."""
        return self.run.maps(word, group, cells, site, step, head, occurrence, batch, half)

    def positions(self, word: str | int, occurrence: int = 0, batch: int = 0, half: Half | None = None) -> list[int]:
        """The token positions of a word of the recorded prompt."""
        return self.run.positions(word, occurrence, batch, half)


@checked
@contextmanager
def capture(
    model: Model, *, group: Words | None = None, cells: Cells | None = None, sites: Words | None = None,
    heads: bool = False, every_step: bool = False, half: RecordedHalf = "conditional", gradients: bool = False,
    prompt: Words | None = None, words: Words | None = None,
) -> Iterator[Recording]:  # fmt: skip
    """Record the text cross-attention of everything that this thread runs inside the block; it changes nothing.

    By default the mean over steps and heads of all sites, which needs no more memory for more steps. `group`, `cells`
    (latent cells a map cell) and `sites` (beginnings of names) choose where, `half` of classifier-free guidance chooses
    'conditional', 'unconditional' or 'both'. `gradients` keeps the graph, so that a gradient can flow to the latents.
    `prompt` names the words of a call by hand; `generate` tells them itself.

    `words` keeps the maps of some words alone, in a fraction of the memory. By default all tokens are kept, but where a
    site is too large for that (more than 67 million probabilities a call), those of the prompts without their padding.
    Raises ValueError for an empty choice.
    """
    chosen = choose_sites(model.backbone, group, cells, sites)
    recording = Recording(model, chosen, half, every_step, heads, gradients, as_tuple(prompt), as_tuple(words))
    with listening(model.backbone, recording, chosen):
        yield recording
    if half == "unconditional" and not all(run.steps for run in recording.runs):
        raise ValueError(NO_SUCH_HALF)
