"""What was recorded of one run: maps by site, step and half, and questions about words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..arguments import checked
from ..backbones.backbone import Call, Half, Site, Words, choose_sites
from ..kinds import Cells, Integers
from .site_maps import Probabilities, SiteMaps

NO_SUCH_HALF = "half='unconditional': the run was without classifier-free guidance, it had no such half"


@dataclass(frozen=True)
class RecordedStep:
    """A denoising step, or a call by hand, of which maps were kept."""

    index: int
    timestep: float


class RecordedRun:
    """The attention of one run of a model. `steps` are the recorded steps, `prompts` those of the batch."""

    def __init__(
        self, model: Any, sites: Sequence[Site], half: str, every_step: bool, heads: bool, prompts: Sequence[str],
        tokens: Sequence[int] | None = None,
    ):  # fmt: skip
        self.model, self.half, self.every_step, self.heads = model, half, every_step, heads
        self.prompts: tuple[str, ...] = tuple(prompts)
        self.steps: list[RecordedStep] = []
        self.tokens = None if tokens is None else list(tokens)  # whose maps are kept, in order; None: from 0 on
        self._sites = {site.name: site for site in sites}
        self._maps: dict[tuple[str, str], SiteMaps] = {}  # by name of the site, and half

    def add(self, maps: Probabilities, site: Site, half: Half, call: Call) -> None:
        """Keep the maps of a half."""
        step = self._step(call)
        self._maps.setdefault((site.name, half), SiteMaps(self.every_step)).add(maps, step.index, call)

    def _step(self, call: Call) -> RecordedStep:
        """The step of a call; calls by hand have no number, and count by their timesteps."""
        last = self.steps[-1] if self.steps else None
        if last and (last.index == call.index or call.index is None and last.timestep == call.timestep):
            index = last.index
            self.steps.pop()
        else:
            index = call.index if call.index is not None else len(self.steps)
        self.steps.append(RecordedStep(index, call.timestep))
        return self.steps[-1]

    @checked
    def sites(
        self, group: Words | None = None, cells: Cells | None = None, site: str | Site | None = None
    ) -> list[Site]:
        """The recorded sites of a group, of a size of cells, or with a name; raises ValueError if there are none."""
        names = site.name if isinstance(site, Site) else site
        chosen = choose_sites(self.model.backbone, group, cells, names)
        recorded = [place for place in chosen if place.name in self._sites]
        if not recorded:
            asked = f"group={group!r}, cells={cells!r}, site={names!r}"
            raise ValueError(f"{asked}: not recorded; recorded are {', '.join(map(str, self._sites.values()))}")
        return recorded

    @checked
    def size(self, site: str | Site) -> tuple[int, int]:
        """Height and width of a site's maps."""
        height, width = self.probabilities(site).shape[3:5]
        return height, width

    @checked
    def probabilities(
        self, site: str | Site, step: Integers | None = None, half: Half | None = None
    ) -> Probabilities:
        """One site: the mean over all steps, a step, or the mean of several; of all tokens, or those that were kept.

        A site is named by `Site`, its name or a beginning of it that fits no other. Heads are their mean unless they
        were asked for. Raises ValueError for a site, step or half that was not recorded, RuntimeError before any run.
        """
        stored = self._of(self._name(site), self._half(half))
        if step is None:
            return stored.mean()
        if not self.every_step:
            raise ValueError(f"step={step}: only the mean over steps was kept; use capture(model, every_step=True)")
        chosen = []
        for number in self._numbers(step):
            index = self.steps[number].index
            if index not in stored.steps:
                raise ValueError(f"step={number}: the run did not reach {site}")
            chosen.append(stored.latest[stored.steps.index(index)])
        return torch.stack(chosen).mean(0)

    def _numbers(self, step: int | Sequence[int]) -> list[int]:
        numbers = [step] if isinstance(step, int) else list(step)
        if not numbers:
            raise ValueError(f"step is empty; possible are the {len(self.steps)} recorded steps, counted from 0")
        for number in numbers:
            if not -len(self.steps) <= number < len(self.steps):
                raise ValueError(f"step={number} of {len(self.steps)} recorded steps, counted from 0")
        return numbers

    def _half(self, half: Half | None) -> str:
        recorded = ("unconditional", "conditional") if self.half == "both" else (self.half,)
        if half is not None and half not in recorded:
            raise ValueError(f"half={half!r} was not recorded, {self.half!r} was; use capture(model, half='both')")
        return half or recorded[-1]

    def _name(self, site: str | Site) -> str:
        if isinstance(site, Site):
            site = site.name
        if site in self._sites:
            return site
        names = [name for name in self._sites if name.startswith(site)]
        if len(names) != 1:
            fitting = ", ".join(str(self._sites[name]) for name in names or self._sites)
            raise ValueError(f"site={site!r} fits {len(names)} of the recorded sites; possible are {fitting}")
        return names[0]

    def _of(self, name: str, half: str) -> SiteMaps:
        if not self.steps:
            raise RuntimeError("nothing was recorded: run the model inside the block of capture")
        if (name, half) not in self._maps:
            if half == "unconditional":
                raise ValueError(NO_SUCH_HALF)
            raise ValueError(f"the run did not reach {self._sites[name]}")
        return self._maps[name, half]

    @checked
    def maps(
        self, word: str | int, group: Words | None = None, cells: Cells | None = None,
        site: str | Site | None = None, step: Integers | None = None, head: int | None = None,
        occurrence: int = 0, batch: int = 0, half: Half | None = None,
    ) -> Float[Tensor, "frames height width"]:  # fmt: skip
        """The maps of a word: summed over its tokens, averaged over heads, sites and steps, one for each frame.

        `word` may be a token position. Sites of different size are enlarged to the largest. `batch` picks one of
        several prompts. Raises ValueError for a word, site, step, head, batch or half that is not there.
        """
        positions = self.positions(word, occurrence, batch, half)
        chosen = []
        for place in self.sites(group, cells, site):
            probabilities = self.probabilities(place, step, half)
            chosen.append(self._of_word(probabilities, positions, head, batch))
        largest = max((maps.shape[-2:] for maps in chosen), key=lambda size: size[0] * size[1])
        return torch.stack([_enlarge(maps, largest) for maps in chosen]).mean(0)

    @checked
    def positions(self, word: str | int, occurrence: int = 0, batch: int = 0, half: Half | None = None) -> list[int]:
        """The token positions of a word of the recorded prompt; a position stands for itself."""
        if isinstance(word, int):
            return [word]
        if self._half(half) == "unconditional":
            raise ValueError(f"word={word!r}: the unconditional half has another prompt; give a token position")
        if not self.prompts:
            raise ValueError(f"word={word!r}: the prompt of a run by hand is unknown; use capture(model, prompt=…)")
        _check_index("batch", batch, len(self.prompts), "prompts were recorded")
        return self.model.text.find(self.prompts[batch], word, occurrence)

    def _of_word(
        self, probabilities: Probabilities, positions: list[int], head: int | None, batch: int
    ) -> Float[Tensor, "frames height width"]:
        _check_index("batch", batch, len(probabilities), "prompts were recorded")
        positions = [self._column(position, probabilities.shape[-1]) for position in positions]
        if head is None:
            return probabilities[batch].mean(1)[..., positions].sum(-1)
        if not self.heads:
            raise ValueError(f"head={head}: only the mean over heads was kept; use capture(model, heads=True)")
        _check_index("head", head, probabilities.shape[2], "heads of this site")
        return probabilities[batch, :, head][..., positions].sum(-1)

    def _column(self, position: int, count: int) -> int:
        """Where the maps of a token are among those that were kept."""
        if self.tokens is None:
            _check_index("word", position, count, "token positions that were recorded")
            return position
        if position not in self.tokens:
            raise ValueError(f"word: token {position} was not recorded; recorded are tokens {self.tokens}")
        return self.tokens.index(position)


def _check_index(name: str, value: int, count: int, things: str) -> None:
    if not -count <= value < count:
        raise ValueError(f"{name}={value}: there are {count} {things}, counted from 0")


def _enlarge(maps: Float[Tensor, "frames h w"], size: tuple[int, int]) -> Float[Tensor, "frames height width"]:
    """Maps at a larger size, bilinear."""
    return maps if maps.shape[-2:] == size else F.interpolate(maps[:, None], size, mode="bilinear")[:, 0]
