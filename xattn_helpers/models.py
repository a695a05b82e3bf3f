"""Loading text-to-image and text-to-video diffusion models, and the one small interface that the series uses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import diffusers
import torch
import transformers
from torch import Tensor

from .attention import Layer, find_layers
from .checkpoints import CHECKPOINTS, POCKET, Checkpoint, guess_defaults, load_parts, quiet, resolve

__all__ = ["CHECKPOINTS", "POCKET", "Checkpoint", "Model", "load", "load_detector"]


@dataclass
class Model:
    """A latent diffusion model for video, or for images, which are videos of one frame.

    Latents are (batch, channels, frames, height, width) throughout.
    """

    unet: torch.nn.Module
    vae: diffusers.AutoencoderKL
    text_encoder: transformers.CLIPTextModel
    tokenizer: transformers.CLIPTokenizer
    scheduler: diffusers.SchedulerMixin
    defaults: Checkpoint
    check_prompt: Callable[[str], None] = lambda prompt: None  # raises ValueError for what it does not understand
    prompts: tuple[str, ...] = ()  # of the run that is going on: this is how a recorder finds its words
    guided: bool = False  # whether the batch of the call that is going on is [unconditional, conditional]

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.unet.device

    @property
    def dtype(self) -> torch.dtype:
        """The precision of the network and of the latents."""
        return self.unet.dtype

    @property
    def is_video(self) -> bool:
        """Whether the model makes videos."""
        return isinstance(self.unet, diffusers.UNet3DConditionModel)

    @property
    def cross_attention_layers(self) -> list[Layer]:
        """The layers in which pixels attend to the prompt, in the order in which they run."""
        return find_layers(self.unet)

    @property
    def pixels_per_latent(self) -> int:
        """How many pixels wide one latent is."""
        return 2 ** (len(self.vae.config.block_out_channels) - 1)

    @contextmanager
    def running(self, prompts: list[str]) -> Iterator[None]:
        """Tell recorders the prompts of the run inside the block."""
        before, self.prompts = self.prompts, tuple(prompts)
        try:
            yield
        finally:
            self.prompts = before

    @torch.no_grad()
    def encode_prompt(self, prompts: str | list[str]) -> Tensor:
        """Embeddings (prompts, tokens, width). Raises ValueError for a prompt that is too long or not understood."""
        prompts = [prompts] if isinstance(prompts, str) else list(prompts)
        for prompt in prompts:
            self.check_prompt(prompt)
            count, most = len(self.tokenizer(prompt).input_ids), self.tokenizer.model_max_length
            if count > most:
                raise ValueError(f"prompt {prompt!r} has {count} tokens with start and end; the model takes {most}")
        tokens = self.tokenizer(prompts, padding="max_length", return_tensors="pt").input_ids
        return self.text_encoder(tokens.to(self.device)).last_hidden_state.to(self.dtype)

    def predict_noise(
        self,
        latents: Tensor,
        timestep: Tensor | int,
        text: Tensor,
        negative: Tensor | None = None,
        guidance_scale: float = 1.0,
    ) -> Tensor:
        """The noise in `latents` (batch, channels, frames, height, width), same shape.

        `text` is (batch, tokens, width). With `negative` embeddings of the same shape, classifier-free guidance:
        negative + guidance_scale * (positive - negative), both halves in one call (Ho and Salimans 2022).
        """
        if negative is None:
            return self._unet(latents, timestep, text)
        self.guided = True
        try:
            both = self._unet(torch.cat([latents, latents]), timestep, torch.cat([negative, text]))
        finally:
            self.guided = False
        unconditional, conditional = both.chunk(2)
        return unconditional + guidance_scale * (conditional - unconditional)

    def _unet(self, latents: Tensor, timestep: Tensor | int, text: Tensor) -> Tensor:
        if self.is_video:
            return self.unet(latents, timestep, text).sample
        return self.unet(latents[:, :, 0], timestep, text).sample[:, :, None]

    @torch.no_grad()
    def decode(self, latents: Tensor, at_once: int = 4) -> Tensor:
        """Latents to pixels, uint8 (batch, frames, height, width, 3) on the CPU; `at_once` frames bound the memory."""
        frames = latents.transpose(1, 2).flatten(0, 1) / self.vae.config.scaling_factor
        pixels = torch.cat([self.vae.decode(part.to(self.vae.dtype)).sample for part in frames.split(at_once)])
        pixels = ((pixels.float() / 2 + 0.5).clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1)
        return pixels.unflatten(0, (len(latents), -1)).cpu()


def load(name: str | Path = "pocket", device: str | None = None, dtype: torch.dtype | None = None) -> Model:
    """Load a model: a name of `CHECKPOINTS`, a folder in diffusers' layout, or "owner/name" on the model hub.

    Device and precision default to CUDA and float16 where there is a GPU, else to the CPU and float32. The pocket
    models and folders never touch the network. Raises ValueError for an unknown name, FileNotFoundError for an
    incomplete folder and OSError for a model that cannot be loaded or fetched; each says what to do.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = dtype or (torch.float16 if torch.device(device).type == "cuda" else torch.float32)
    checkpoint = resolve(str(name))
    parts = load_parts(checkpoint, dtype)
    for part in ("unet", "vae", "text_encoder"):
        parts[part].to(device).eval().requires_grad_(False)
    model = Model(**parts, defaults=checkpoint if checkpoint.frames else guess_defaults(checkpoint, parts))
    if checkpoint.source == str(POCKET):
        from .pocket.vocabulary import check_prompt

        model.check_prompt = check_prompt
    return model


def load_detector(device: str = "cpu"):
    """The detector of the pocket world, see `metrics.detect`."""
    from .pocket.detector import PocketDetector

    with quiet():
        network = PocketDetector.from_pretrained(POCKET / "detector", torch_dtype=torch.float32, local_files_only=True)
    return network.to(device).eval().requires_grad_(False)
