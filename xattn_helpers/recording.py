"""Recording cross-attention while anything runs: `with capture(model) as attention: …; attention.maps("burger")`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

from . import tokens
from .attention import PLACES, Layer, Step, controlled, find_layers, several
from .kept import Kept

HALVES = ("conditional", "unconditional", "both")


class Recording:
    """Cross-attention of a run: running means over its steps, or every step when asked for.

    Kept in float32, averaged over heads unless asked for: per layer (batch, frames, heads, height, width, tokens).
    """

    records = True  # runs after the controllers that edit

    def __init__(self, model, layers: list[Layer], options: dict):
        self.model, self.layers = model, {layer.name: layer for layer in layers}
        self.heads, self.every_step, self.half = options["heads"], options["every_step"], options["half"]
        self._gradients, self._heights = options["gradients"], options["heights"]
        self._told = self.prompts = options["prompts"]
        self.steps: list[Step] = []  # the last call of each step
        self._kept = {name: Kept(self.every_step) for name in self.layers}
        self._seen: dict[str, tuple[int, int]] = {}  # height and width of every map that went by

    def __call__(self, probabilities: Tensor, layer: Layer, step: Step) -> Tensor:
        """The controller: keeps what was asked for and returns the probabilities untouched."""
        self._seen[layer.name] = tuple(probabilities.shape[3:5])
        size_fits = not self._heights or probabilities.shape[3] in self._heights
        half_is_there = step.guided or self.half != "unconditional"
        if layer.name in self.layers and size_fits and half_is_there:  # the same operations when a layer is recomputed
            self._kept[layer.name].add(self._reduce(probabilities, step), step)
            self.prompts = self._told or self.model.prompts or self.prompts
            if self.steps and self.steps[-1].index == step.index:
                self.steps.pop()
            self.steps.append(step)
        return probabilities

    def _reduce(self, probabilities: Tensor, step: Step) -> Tensor:
        """The chosen half, mean over heads, float32; always a copy, so that nothing larger stays in memory."""
        kept = probabilities if self._gradients else probabilities.detach()
        if step.guided and self.half != "both":
            kept = kept.chunk(2)[self.half == "conditional"]
        return kept.to(torch.float32, copy=True) if self.heads else kept.mean(2, keepdim=True, dtype=torch.float32)

    def check(self) -> None:
        """Raise ValueError when something ran but nothing of it was to be recorded."""
        if self._seen and not self.steps and self.half == "unconditional":
            raise ValueError("half='unconditional': the run was without classifier-free guidance, it had no such half")
        if self._seen and not self.steps:
            raise ValueError(f"no layer of place, layers and resolution={self._heights}; there are {_list(self._seen)}")

    def probabilities(self, layer: Layer | str, step: int | Iterable[int] | None = None) -> Tensor:
        """One layer, (batch, frames, heads, height, width, tokens): a step, the mean of several, or of all.

        A layer is named by `Layer`, its name or a beginning of it that fits no other.
        """
        name = self._name(layer)
        kept = self._kept[name]
        if step is None:
            return kept.mean()
        if not self.every_step:
            raise ValueError(f"step={step}: only the mean over steps was kept; use capture(model, every_step=True)")
        chosen = [step] if isinstance(step, int) else list(step)
        for one in chosen:
            if not -len(self.steps) <= one < len(self.steps):
                raise ValueError(f"step={one} of {len(self.steps)} recorded steps, counted from 0")
            if self.steps[one].index not in kept.steps:
                raise ValueError(f"step={one}: the run did not reach {self.layers[name]}")
        if not chosen:
            raise ValueError(f"step={step} is empty; {len(self.steps)} steps were recorded, counted from 0")
        return torch.stack([kept.latest[kept.steps.index(self.steps[one].index)] for one in chosen]).mean(0)

    def _name(self, layer: Layer | str) -> str:
        there = self._recorded()
        name = layer.name if isinstance(layer, Layer) else layer
        fitting = [one for one in there if one == name or str(self.layers[one]) == name]
        fitting = fitting or [one for one in there if one.startswith(name)]
        if len(fitting) != 1:
            problem = "fits more than one layer" if fitting else "was not recorded"
            raise ValueError(f"layer={name!r} {problem}; recorded are {_list(there)}")
        return fitting[0]

    def _recorded(self) -> dict[str, tuple[int, int]]:
        """Names of the layers with something in them, and the size of their maps."""
        found = {name: self._seen[name] for name, kept in self._kept.items() if kept.steps}
        if not found:
            raise RuntimeError("nothing was recorded: run the model inside the `with capture(model)` block")
        return found

    def select(
        self,
        resolution: int | None = None,
        place: str | Iterable[str] | None = None,
        layer: str | None = None,
    ) -> list[Layer]:
        """The recorded layers of a resolution (height of the map), a place (down, mid, up), a name; all by default.

        Raises ValueError that lists what was recorded when nothing is left.
        """
        there, places = self._recorded(), several(place) or PLACES
        found = [
            self.layers[name] for name, (height, _) in there.items()
            if self.layers[name].place in places and name.startswith(layer or "") and resolution in (None, height)
        ]  # fmt: skip
        if not found:
            raise ValueError(
                f"no recorded layer has resolution={resolution}, place={place}, layer={layer}; there are {_list(there)}"
            )
        return found

    def maps(
        self, word: str | int, resolution: int | None = None, place: str | Iterable[str] | None = None, *,
        layer: str | None = None, step: int | Iterable[int] | None = None, head: int | None = None, occurrence: int = 0,
        batch: int = 0, half: str | None = None,
    ) -> Tensor:  # fmt: skip
        """The map of a word, (frames, height, width): summed over its tokens, averaged over heads, layers and steps.

        `word` may be a token position. Layers of different resolution are enlarged to the largest. `batch` picks one
        of several prompts, `half` one of both halves if both were recorded (else 'conditional'). Raises ValueError for
        a word, layer, step, head, batch or half that is not there.
        """
        layers = self.select(resolution, place, layer)
        positions = self.positions(word, occurrence, batch, half)
        chosen = [self._one(self.probabilities(one, step), positions, head, batch, half) for one in layers]
        size = max((one.shape[-2:] for one in chosen), key=lambda shape: shape[0] * shape[1])
        return torch.stack([_enlarge(one, size) for one in chosen]).mean(0)

    def positions(self, word: str | int, occurrence: int = 0, batch: int = 0, half: str | None = None) -> list[int]:
        """The token positions of a word of the recorded prompt; a position stands for itself."""
        if isinstance(word, int):
            return [word]
        if "unconditional" in (self.half, half):
            raise ValueError(f"word={word!r}: the unconditional half has another prompt; give a token position")
        if not self.prompts:
            raise ValueError(f"word={word!r}: the prompt of a run by hand is unknown; use capture(model, prompt=…)")
        _check_index("batch", batch, len(self.prompts), "prompts were recorded")
        return tokens.find(self.model.tokenizer, self.prompts[batch], word, occurrence)

    def _one(
        self, probabilities: Tensor, positions: list[int], head: int | None, batch: int, half: str | None
    ) -> Tensor:
        """Probabilities (batch, frames, heads, height, width, tokens) to one map for each frame."""
        if half is not None and half != self.half and (self.half != "both" or half not in HALVES[:2]):
            raise ValueError(f"half={half!r} was not recorded, {self.half!r} was; use capture(model, half='both')")
        if self.half == "both" and self.steps[-1].guided:
            probabilities = probabilities.chunk(2)[half != "unconditional"]
        _check_index("batch", batch, len(probabilities), "prompts were recorded")
        for position in positions:
            _check_index("word", position, probabilities.shape[-1], "token positions of the prompt")
        if head is not None and not self.heads:
            raise ValueError(f"head={head}: only the mean over heads was kept; use capture(model, heads=True)")
        if head is not None:
            _check_index("head", head, probabilities.shape[2], "heads of this layer")
        one = probabilities[batch].mean(1) if head is None else probabilities[batch, :, head]
        return one[..., positions].sum(-1)


def _check_index(name: str, value: int, count: int, what: str) -> None:
    if not -count <= value < count:
        raise ValueError(f"{name}={value}: there are {count} {what}, counted from 0")


def _list(sizes: dict[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name.split('.transformer_blocks')[0]} ({h}x{w})" for name, (h, w) in sizes.items())


def _enlarge(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps (frames, h, w) to a larger size, bilinear."""
    return maps if maps.shape[-2:] == size else F.interpolate(maps[:, None], size, mode="bilinear")[:, 0]


@contextmanager
def capture(
    model, *, place: str | Iterable[str] | None = None, layers: str | Iterable[str] | None = None,
    resolution: int | Iterable[int] | None = None, heads: bool = False, every_step: bool = False,
    half: str = "conditional", gradients: bool = False, prompt: str | Iterable[str] | None = None,
) -> Iterator[Recording]:  # fmt: skip
    """Record the text cross-attention of everything that runs inside the block; the model is restored afterwards.

    By default the mean over steps and heads of all layers, which needs no more memory for more steps. `layers` are
    beginnings of layer names, `resolution` heights of maps. `half` chooses from classifier-free guidance:
    'conditional', 'unconditional', 'both'. `gradients` keeps the graph, so that a gradient can flow to the latents.
    `prompt` names the words of a run by hand; `generate` tells them itself. Raises ValueError for an empty choice.
    """
    if half not in HALVES:
        raise ValueError(f"half={half!r}: possible are {', '.join(HALVES)}")
    there, places, prefixes = find_layers(model.unet), several(place) or PLACES, several(layers) or ("",)
    chosen = [layer for layer in there if layer.place in places and layer.name.startswith(prefixes)]
    if not chosen:
        raise ValueError(f"no layer has place={place}, layers={layers}; there are {', '.join(map(str, there))}")
    options = {"heads": heads, "every_step": every_step, "half": half, "gradients": gradients}
    recording = Recording(model, chosen, options | {"heights": several(resolution), "prompts": several(prompt)})
    with controlled(model, recording, chosen):
        yield recording
    recording.check()
