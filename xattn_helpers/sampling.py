"""The denoising loop: a generator of steps, and `generate`, which runs it and decodes."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Any, overload

import numpy as np
import torch
from jaxtyping import Float, UInt8
from pydantic import Field
from torch import Tensor
from tqdm.auto import tqdm

from .arguments import checked
from .backbones.backbone import Call, Latents
from .backbones.codec import not_finite
from .backbones.model import Model
from .backbones.noise import Level
from .backbones.text import Condition
from .edits.edit import Edit, Edits, Run, State, Update, as_edits
from .edits.graphs import forget
from .fitting import halves, too_large
from .kinds import Frames, Prompt, Prompts, Seed, Seeds, Side, Steps, takes
from .request import Request, complete

CfgScale = Annotated[float, Field(ge=-1000, le=1000)]  # further away, numbers are no longer finite


@dataclass
class Step:
    """The state after one call of the network, which for most solvers is one denoising step."""

    index: int  # of the denoising step
    timestep: float
    latents: Latents
    prediction: Latents  # what the network predicted, with classifier-free guidance
    inputs: Latents  # what the network saw; `model.noise.clean(prediction, inputs, level)` is the clip it has in mind
    level: Level  # of noise in the inputs


Watch = Annotated[Callable[[Step], object], takes(1)]


@dataclass(repr=False)
class Clip:
    """A generated video, or an image, which is a video of one frame."""

    video: UInt8[np.ndarray, "frames height width 3"]
    latents: Float[Tensor, "channels frames h w"]
    prompt: str
    seed: int
    source: "Clip | None" = None  # what a swap ran beside it, or the given video of an edit
    updates: tuple[Update, ...] = ()  # what guidance did to it

    def __repr__(self) -> str:
        frames, height, width, _ = self.video.shape
        return f"Clip({self.prompt!r}, seed={self.seed}, {frames} x {height} x {width}); show(clip.video) plays it"


@checked
def initial_latents(model: Model, seeds: Sequence[Seed], frames: Frames, height: Side, width: Side) -> Latents:
    """Gaussian noise for each seed; frames of the video, height and width in pixels.

    Drawn on the CPU, so that every device starts from the same. Raises ValueError for frames that latents cannot have.
    """
    return _first_noise(model, [_generator(seed) for seed in seeds], frames, height, width)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(int(seed))


def _first_noise(model: Model, generators: list[torch.Generator], frames: int, height: int, width: int) -> Latents:
    shape = (model.codec.channels, *model.codec.latent_size(frames, height, width))
    noise = [torch.randn(shape, generator=generator) for generator in generators]
    return torch.stack(noise).to(model.device, model.latents_dtype)


def denoise(
    model: Model, latents: Latents, text: Condition, negative: Condition | None, steps: int, cfg_scale: float,
    states: Iterable[State] = (), run: Run | None = None, generators: list[torch.Generator] | None = None,
) -> Iterator[Step]:  # fmt: skip
    """From noise to latents, one `Step` at a time.

    `text` and `negative` are embedded prompts, one for each clip. `states` are those of edits that may move the latents
    before each denoising step; `generators`, one for each clip, are for solvers that draw noise. Raises
    FloatingPointError for latents that are not finite.
    """
    states, generators = list(states), generators or [_generator(0) for _ in latents]
    solver = model.noise.solver(steps, places=latents[0, 0].numel())
    latents = latents * solver.first_scale
    last = -1
    for number, timestep in enumerate(solver.timesteps):
        index = solver.index(number)
        level = solver.level(number)
        if index != last:  # solvers may call the network more than once a step
            for state in states:
                latents = state.update(latents, level, index)
        last = index
        with torch.no_grad():
            inputs = solver.scaled(latents, number)
            call = run.call(index) if run else Call(index=index, run=solver)
            prediction = model.predict(inputs, timestep, text, negative, cfg_scale, call)
            latents = solver.step(prediction, latents, number, generators)
        if not latents.isfinite().all():
            raise FloatingPointError(not_finite(f"step {index}: the latents", model.dtype))
        yield Step(index, float(timestep), latents, prediction, inputs, level)


@overload
def generate(model: Model, prompt: str, seed: int = 0, *args: Any, **knobs: Any) -> Clip: ...
@overload
def generate(
    model: Model, prompt: Sequence[str], seed: int | Sequence[int] = 0, *args: Any, **knobs: Any
) -> list[Clip]: ...
@checked
def generate(
    model: Model, prompt: Prompts, seed: Seeds = 0, steps: Steps | None = None, cfg_scale: CfgScale | None = None, *,
    negative_prompt: Prompt | Sequence[Prompt | None] | None = None, frames: Frames | None = None,
    height: Side | None = None, width: Side | None = None, edits: Edits = (), progress: bool = True,
    watch: Watch | None = None,
) -> Clip | list[Clip]:  # fmt: skip
    """Generate a clip for a prompt, or clips for a list of prompts (with one seed, or a list of as many).

    Everything that is None takes the model's own default. `cfg_scale` is that of classifier-free guidance, away from
    `negative_prompt`, one or as many as prompts. `edits` change attention or latents (`Swap`, `Bias`, `Guidance`, …),
    in their order. `watch` is called with each `Step`; what it raises ends the run. The same seed gives the same clip
    on every device and in every batch, up to rounding; so clips that do not fit a GPU's memory together are made in
    parts, unless somebody records them, whose recording is of one run. Raises ValueError for what the model cannot
    make, FloatingPointError for results that are not finite, and torch.OutOfMemoryError, which says what to change, for
    clips that are too large for the memory.
    """
    request = complete(model, prompt, seed, negative_prompt, steps, cfg_scale, frames, height, width)
    edits = as_edits(edits)
    clips = _made(model, request, edits, progress, watch)
    return clips[0] if isinstance(prompt, str) else clips


def _made(
    model: Model, request: Request, edits: Sequence[Edit], progress: bool, watch: Watch | None, may_forget: bool = True
) -> list[Clip]:
    """The clips; in parts, if all together are too large for the memory even without what earlier runs have left."""
    try:
        return _make(model, request, edits, progress, watch)
    except torch.OutOfMemoryError as error:
        advice = too_large(model, request, edits, str(error))
        error.__traceback__ = None  # whose frames hold what filled the memory
    if may_forget and forget():  # outside of `except`, where the error would be held
        return _made(model, request, edits, progress, watch, may_forget=False)
    clips: list[Clip] = []
    for part, edits_of_part in halves(model, request, edits):
        clips += _made(model, part, edits_of_part, progress, watch)
    if not clips:
        raise torch.OutOfMemoryError(advice)
    return clips


def _make(model: Model, request: Request, edits: Sequence[Edit], progress: bool, watch: Watch | None) -> list[Clip]:
    count = len(request.prompts)
    sources = tuple(dict.fromkeys(edit.source for edit in edits if edit.source))
    times = 1 + len(sources)
    generators = [_generator(seed) for seed in request.seeds * times]
    latents = _first_noise(model, generators, request.frames, request.height, request.width)
    prompts = [*request.prompts]
    for source in sources:
        prompts += [source] * count
    text = model.encode(prompts)
    negative = _negative(model, list(request.negatives * times)) if request.cfg_scale != 1 else None
    size = (latents.shape[2], latents.shape[3], latents.shape[4])
    run = Run(model, request.prompts, sources, request.seeds, request.steps, size, text, request.cfg_scale)
    silent = not progress or os.environ.get("TQDM_DISABLE") == "1"  # tqdm's bar for notebooks does not look there
    with ExitStack() as attached:
        states = [attached.enter_context(edit.attach(run)) for edit in edits]
        loop = denoise(model, latents, text, negative, request.steps, request.cfg_scale, states, run, generators)
        for step in tqdm(loop, total=request.steps, desc=prompts[0][:40], leave=False, disable=silent):
            latents = step.latents
            if watch is not None:
                watch(step)
        updates = [updates_of(states, clip) for clip in range(count)]
    return _clips(run, request, model.decode(latents).numpy(), latents, updates)


def _negative(model: Model, prompts: list[str]) -> Condition:
    try:
        return model.encode(prompts)
    except ValueError as error:
        raise ValueError(f"negative_prompt: {error}") from None


def updates_of(states: Sequence[State], clip: int) -> tuple[Update, ...]:
    """What all edits did to a clip."""
    updates: list[Update] = []
    for state in states:
        if state.updates:
            updates += state.updates[clip]
    return tuple(updates)


def _clips(
    run: Run, request: Request, videos: np.ndarray, latents: Latents, updates: list[tuple[Update, ...]]
) -> list[Clip]:
    """The targets, each with the clip of the first source that ran beside it."""
    count, clips = len(run.prompts), []
    for index, prompt in enumerate(run.prompts):
        clip = Clip(videos[index], latents[index], prompt, request.seeds[index], updates=updates[index])
        if run.sources:
            beside = count + index
            clip.source = Clip(videos[beside], latents[beside], run.sources[0], request.seeds[index])
        clips.append(clip)
    return clips
