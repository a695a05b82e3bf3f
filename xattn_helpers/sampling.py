"""The denoising loop: a generator of steps, and `generate`, which runs it and decodes."""

import os
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm.auto import tqdm

from .models import Model


@dataclass
class Step:
    """The state after one denoising step."""

    index: int
    timestep: int
    latents: Tensor  # (batch, channels, frames, height, width)
    noise: Tensor  # what the model took for noise, same shape


@dataclass
class Clip:
    """A generated video, or an image, which is a video of one frame."""

    video: "numpy.ndarray"  # noqa: F821  uint8 (frames, height, width, 3)
    latents: Tensor  # (channels, frames, height, width)
    prompt: str
    seed: int
    source: "Clip | None" = None  # what a control ran beside it, see `forward.py`


def initial_latents(model: Model, seeds: list[int], frames: int, height: int, width: int) -> Tensor:
    """Gaussian noise (seeds, channels, frames, h, w); drawn on the CPU, so that every device starts from the same."""
    side = model.pixels_per_latent
    shape = (model.vae.config.latent_channels, frames, height // side, width // side)
    noise = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(noise).to(model.device, model.dtype)


def denoise(
    model: Model,
    latents: Tensor,
    text: Tensor,
    negative: Tensor | None,
    steps: int,
    guidance_scale: float,
    updates: Iterable = (),
) -> Iterator[Step]:
    """From noise to latents, one `Step` at a time.

    `text` and `negative` are embeddings (batch, tokens, width). Each of `updates` may change the latents before each
    call of the model: `update(latents, index, timestep, scheduler)`.
    """
    scheduler = type(model.scheduler).from_config(model.scheduler.config)  # solvers remember: each run has its own
    scheduler.set_timesteps(steps, device=model.device)
    latents = latents * scheduler.init_noise_sigma
    for index, timestep in enumerate(scheduler.timesteps):
        for update in updates:
            latents = update(latents, index, timestep, scheduler)
        with torch.no_grad():
            scaled = scheduler.scale_model_input(latents, timestep)
            noise = model.predict_noise(scaled, timestep, text, negative, guidance_scale)
            latents = scheduler.step(noise, timestep, latents).prev_sample
        yield Step(index, int(timestep), latents, noise)


def generate(
    model: Model,
    prompt: str | list[str],
    seed: int | list[int] = 0,
    steps: int | None = None,
    guidance_scale: float | None = None,
    *,
    negative_prompt: str = "",
    frames: int | None = None,
    height: int | None = None,
    width: int | None = None,
    guidance=None,
    control=None,
    progress: bool = True,
) -> Clip | list[Clip]:
    """Generate a clip for a prompt, or clips for a list of prompts (with one seed, or a list of as many).

    Everything that is None takes the model's own default. `guidance` steers the latents (`Guidance`), `control` edits
    the attention (`Swap`). The same seed gives the same clip on every device, up to rounding. Raises ValueError for
    sizes, frame counts, steps or seeds that the model cannot make.
    """
    prompts = [prompt] if isinstance(prompt, str) else list(prompt)
    seeds = list(seed) if isinstance(seed, Iterable) else [int(seed)] * len(prompts)
    if not prompts:
        raise ValueError("prompt: the list is empty")
    if len(seeds) != len(prompts):
        raise ValueError(f"seed: {len(seeds)} seeds given for {len(prompts)} prompts; give one, or one for each")
    own = model.defaults
    steps = own.steps if steps is None else steps
    scale = own.guidance_scale if guidance_scale is None else guidance_scale
    frames = own.frames if frames is None else frames
    height, width = own.height if height is None else height, own.width if width is None else width
    check_size(model, steps, frames, height, width)

    beside = control.beside(prompts) if control else []  # prompts that run along, each with its target's seed
    every, seeds = [*prompts, *beside], [*seeds, *seeds[: len(beside)]]
    text = model.encode_prompt(every)
    negative = model.encode_prompt([negative_prompt] * len(every)) if scale != 1 else None
    latents = initial_latents(model, seeds, frames, height, width)
    with model.running(every), control.attached(model, prompts, steps) if control else nullcontext():
        updates = [one.update for one in (control, guidance) if one]
        if guidance:
            guidance.begin(model, prompts, text, steps)
        run = denoise(model, latents, text, negative, steps, scale, updates)
        quiet = not progress or os.environ.get("TQDM_DISABLE") == "1"  # tqdm's bar for notebooks does not look there
        for state in tqdm(run, total=steps, desc=prompts[0][:40], leave=False, disable=quiet):
            latents = state.latents
    videos = model.decode(latents).numpy()
    clips = [Clip(*parts) for parts in zip(videos, latents, every, seeds, strict=True)]
    for clip, source in zip(clips, clips[len(prompts) :], strict=False):
        clip.source = source
    return clips[0] if isinstance(prompt, str) else clips[: len(prompts)]


def check_size(model: Model, steps: int, frames: int, height: int, width: int) -> None:
    """Raise ValueError for what the model cannot make."""
    block = model.pixels_per_latent * 2 ** (len(model.unet.config.down_block_types) - 1)
    for name, value in (("height", height), ("width", width)):
        if value % block or value < block:
            default = getattr(model.defaults, name)
            raise ValueError(f"{name}={value}: this model makes multiples of {block} pixels, by default {default}")
    if steps < 1 or steps > 1000:
        raise ValueError(f"steps={steps}: possible are 1 to 1000, by default {model.defaults.steps}")
    if not model.is_video and frames != 1:
        raise ValueError(f"frames={frames}: this is an image model, it makes 1")
    if frames < 1:
        raise ValueError(f"frames={frames}: possible are 1 and more, by default {model.defaults.frames}")
