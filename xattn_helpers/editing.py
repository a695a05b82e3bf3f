"""Editing a video that is given.

    clip = edit_video(model, "dog.mp4", "a dog runs on the grass", "a cat runs on the grass")
    clip.video, clip.source.video   # the edit, and the given video as the model takes it
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from pydantic import Field
from tqdm.auto import tqdm

from .arguments import checked
from .attention.processor import listening
from .backbones.codec import not_finite
from .backbones.model import Model
from .edits.beside import Pair
from .edits.blending import Background, KeepBackground, asked_places, object_words, overlaid, shape_of
from .edits.edit import Edit, Edits, Latents, Run, State, as_edits
from .edits.inversion import Ladder, Method, Route, check_draws, default_method, find_route
from .edits.observed import Seen, check_description, encoded, look_at
from .kinds import Draws, Frames, Prompt, Seed, Side, Steps
from .request import Request, complete
from .sampling import CfgScale, Clip, updates_of
from .video_files import AnyVideo, as_given

SKIP = 0.3  # of the steps: with less noise than that, an edit keeps where things are
SCALE = 0.75  # of the scale with which a model generates: what is given needs less of a push
NO_MASK = (
    "overlay: True given, and no mask: keep_background is False, or no word tells the object; possible are False, and "
    "keep_background=KeepBackground(target_word=...)"
)

Skip = Annotated[float, Field(ge=0, lt=1)]
Keep = Annotated[bool | KeepBackground, Field(description="True, False or a KeepBackground")]


@dataclass(frozen=True, eq=False)
class Task:
    """An edit that was asked for, completed: what `generate` would be asked, and what is asked of the source."""

    request: Request  # its prompt is the target's
    source_prompt: str
    method: Method
    draws: int
    skip: float
    source_scale: float
    edits: Sequence[Edit]
    keep: KeepBackground | None
    overlay: bool


@checked
def edit_video(
    model: Model, video: AnyVideo, source_prompt: Prompt, target_prompt: Prompt, seed: Seed = 0, *,
    method: Method | None = None, draws: Draws = 1, edits: Edits = (), keep_background: Keep = True,
    overlay: bool = False, skip: Skip | None = None, steps: Steps | None = None, cfg_scale: CfgScale | None = None,
    source_cfg_scale: CfgScale | None = None, negative_prompt: Prompt | None = None, frames: Frames | None = None,
    height: Side | None = None, width: Side | None = None, check_prompt: bool = True, progress: bool = True,
) -> Clip:  # fmt: skip
    """Edit a given video, which `source_prompt` describes, so that `target_prompt` does; `clip.source` is the video.

    `video` is uint8, (frames, height, width, 3), a file (.mp4, .gif, .webp, …) or a folder of pictures; it is cut and
    resized to what the model makes, or to `frames`, `height` and `width`, and a sentence says so. Everything that is
    None takes a default of the model.

    method: "flowedit" (the default of flow matching) and "ddpm" (of diffusion) give the video itself where nothing is
    edited; "plain" inverts the steps of sampling, and does not. draws: of noise, at each step of the first two; an edit
    is the mean over them, and each takes as long as the first. skip: the share of the steps, the noisiest, that are
    left out; the more, the more stays as it is. edits: as for `generate`; a swap's source is `source_prompt`. Targets
    of the video's own maps come from `observe`. source_cfg_scale: by default 1, and `cfg_scale` where both prompts are
    the same. keep_background: outside the object the edit stays the given video; the object's words are those that
    differ between the prompts or that edits name, or those of a `KeepBackground`. overlay: whether outside the object
    the given video's own pixels are laid over the decoded ones, so that no autoencoder changes them. check_prompt:
    whether a source prompt is refused with which the model predicts the video worse than without.

    Raises ValueError for a video that is broken, too short or too small, for prompts that do not fit, for draws that a
    method does not make, for an overlay without a mask, and for a source of an edit that is not `source_prompt`;
    FloatingPointError for results that are not finite.
    """
    request = complete(model, target_prompt, seed, negative_prompt, steps, cfg_scale, frames, height, width)
    if cfg_scale is None:
        request = replace(request, cfg_scale=SCALE * request.cfg_scale)
    edits, keep = as_edits(edits), KeepBackground() if keep_background is True else keep_background or None
    method, skip = method or default_method(model.noise), SKIP if skip is None else skip
    check_draws(method, draws)
    scale = _source_scale(source_cfg_scale, request, source_prompt)
    task = Task(request, source_prompt, method, draws, skip, scale, edits, keep, overlay)
    _check_prompts(model, task)
    _check_sources(task)
    pixels, said = as_given(video, request.frames, request.height, request.width)
    if said:
        print(said)
    latents = encoded(model, pixels)
    seen = look_at(model, pixels, latents, source_prompt, request.seeds[0])
    if check_prompt:
        check_description(seen)
    return _edited(model, task, latents, seen, progress)


def _source_scale(scale: float | None, request: Request, source_prompt: str) -> float:
    """The source's own prompt needs no push; but where nothing differs, nothing shall be pushed apart."""
    if scale is not None:
        return scale
    return request.cfg_scale if request.prompts == (source_prompt,) else 1.0


def _check_prompts(model: Model, task: Task) -> None:
    """Raise ValueError for prompts that are too long or not understood, by the name of the argument."""
    request = task.request
    prompts = {"source_prompt": task.source_prompt, "target_prompt": request.prompts[0]}
    for name, prompt in (prompts | {"negative_prompt": request.negatives[0]}).items():
        try:
            model.text.check_prompt(prompt)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def _check_sources(task: Task) -> None:
    for edit in task.edits:
        if edit.source not in ("", task.source_prompt):
            raise ValueError(
                f"edits: source={edit.source!r} given in {type(edit).__name__}; beside the edit of a given video runs "
                f"that video alone, so it must be source_prompt, {task.source_prompt!r}"
            )


def _edited(model: Model, task: Task, latents: Latents, seen: Seen, progress: bool) -> Clip:
    """The edit of a video that is ready."""
    request = task.request
    levels = model.noise.solver(request.steps, places=latents[0, 0].numel()).levels()
    first = min(round(task.skip * request.steps), request.steps - 1)
    ladder = Ladder(latents, model.noise, levels[first:])
    size = (latents.shape[2], latents.shape[3], latents.shape[4])
    text = model.encode([request.prompts[0], task.source_prompt])
    sources = (task.source_prompt,)
    run = Run(model, request.prompts, sources, request.seeds, request.steps, size, text, request.cfg_scale)
    pair = Pair.of(run, (request.cfg_scale, task.source_scale), request.negatives[0])
    silent = not progress or os.environ.get("TQDM_DISABLE") == "1"
    with ExitStack() as attached, torch.no_grad():
        states = [attached.enter_context(edit.attach(run)) for edit in task.edits]
        background = _background(run, task, seen)
        if task.overlay and background is None:
            raise ValueError(NO_MASK)
        if background is not None:
            attached.enter_context(listening(model.backbone, background))
        route = find_route(task.method, ladder, pair.of_source, request.seeds[0], task.draws)
        bar = tqdm(total=len(ladder.levels) - 1, desc=request.prompts[0][:40], leave=False, disable=silent)
        attached.enter_context(bar)
        edited = _loop(route, pair, states, background, first, bar)
        updates = updates_of(states, 0)
    video = model.decode(edited).numpy()[0]
    if background is not None and task.overlay:
        video = overlaid(video, seen.clip.video, background.mask(), model.codec.frames_per_latent)
    return Clip(video, edited[0], request.prompts[0], request.seeds[0], seen.clip, updates)


def _loop(
    route: Route, pair: Pair, states: Sequence[State], background: Background | None, first: int, bar: tqdm
) -> Latents:
    """From the source at the first level to the clean edit. Until there, rows are draws of noise."""
    edited = route.sources[0]
    for number in range(len(route.ladder.levels) - 1):
        edited, own, of_source = _predicted(route, pair, states, edited, number, first + number)
        edited = route.step(number, edited, own, of_source)
        if background is not None:
            edited = background.blend(edited, route.sources[number + 1])
        if not edited.isfinite().all():
            raise FloatingPointError(not_finite(f"step {first + number}: the latents", pair.run.model.dtype))
        bar.update()
    return edited


def _predicted(
    route: Route, pair: Pair, states: Sequence[State], edited: Latents, number: int, step: int
) -> tuple[Latents, Latents, Latents]:
    """The edit at a level, as edits change it, and what is predicted for it and for the source; one draw at a time."""
    level, rows = route.ladder.levels[number], []
    for own, source in zip(edited.split(1), route.sources[number].split(1), strict=True):
        inputs = torch.cat([own, source])
        for state in states:
            inputs = state.update(inputs, level, step)
        rows.append((inputs[:1], *pair.predict(inputs, level, step)))
    changed, predictions, of_source = (torch.cat(column) for column in zip(*rows, strict=True))
    return changed, predictions, of_source


def _background(run: Run, task: Task, seen: Seen) -> Background | None:
    """What keeps the background; nothing where nothing shall be kept, or no word tells what it is behind."""
    if task.keep is None:
        return None
    words = object_words(task.source_prompt, run.prompts[0], task.edits)
    source_word, target_word = task.keep.source_word or words[0], task.keep.target_word or words[1]
    keep = replace(task.keep, source_word=source_word, target_word=target_word)
    known = asked_places(task.edits, run)
    if source_word:
        known.append(shape_of(seen.maps(source_word).values(), run.size, keep.threshold))
    return Background(run, keep, known) if known or target_word else None
