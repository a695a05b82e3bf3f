"""What `generate` is asked for: checked, and completed by the model's defaults."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .backbones.model import Model
from .memory import check_memory


@dataclass(frozen=True)
class Request:
    """Clips to be made; all of them have the same size and number of steps."""

    prompts: tuple[str, ...]
    negatives: tuple[str, ...]  # as many as prompts
    seeds: tuple[int, ...]  # likewise
    steps: int
    cfg_scale: float
    frames: int
    height: int
    width: int

    def of(self, chosen: slice) -> "Request":
        """Some of the clips."""
        prompts, negatives, seeds = self.prompts[chosen], self.negatives[chosen], self.seeds[chosen]
        return replace(self, prompts=prompts, negatives=negatives, seeds=seeds)


def complete(
    model: Model, prompt: str | Sequence[str], seed: int | Sequence[int],
    negative_prompt: str | Sequence[str | None] | None, steps: int | None, cfg_scale: float | None,
    frames: int | None, height: int | None, width: int | None,
) -> Request:  # fmt: skip
    """The request with what is None taken from the model's defaults; raises ValueError for what it cannot make."""
    prompts = _as_prompts(prompt)
    negatives = _for_each(prompts, negative_prompt, "negative_prompt")
    defaults = model.defaults
    request = Request(
        prompts,
        negatives=tuple(negative or "" for negative in negatives),
        seeds=_for_each(prompts, seed, "seed"),
        steps=defaults.steps if steps is None else steps,
        cfg_scale=defaults.cfg_scale if cfg_scale is None else cfg_scale,
        frames=defaults.frames if frames is None else frames,
        height=defaults.height if height is None else height,
        width=defaults.width if width is None else width,
    )
    _check(model, request)
    return request


def _as_prompts(prompt: Any) -> tuple[str, ...]:
    prompts = (prompt,) if isinstance(prompt, str) else tuple(prompt)
    if not prompts:
        raise ValueError("prompt=[]: the list is empty; give a text, or a list of texts")
    return prompts


def _for_each(prompts: tuple[str, ...], value: Any, name: str) -> tuple:
    """A value for each prompt: as many as prompts, or one for all."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return (value,) * len(prompts)
    values = tuple(value)
    if len(values) != len(prompts):
        raise ValueError(f"{name}: {len(values)} given for {len(prompts)} prompts; give one, or one for each")
    return values


def _check(model: Model, request: Request) -> None:
    multiple = model.codec.pixels_per_cell * model.backbone.multiple
    for name, value in (("height", request.height), ("width", request.width)):
        if value % multiple or value < multiple:
            default = getattr(model.defaults, name)
            raise ValueError(f"{name}={value}: this model makes multiples of {multiple} pixels, by default {default}")
    if not model.is_video and request.frames != 1:
        raise ValueError(f"frames={request.frames}: this is an image model, it makes 1; leave frames out")
    model.codec.check_frames(request.frames)
    pixels = request.frames * request.height * request.width * 3
    asked = f"frames={request.frames}, height={request.height}, width={request.width}"
    check_memory(asked, 2 * 4 * pixels * len(request.prompts))  # single precision, once to round
