"""Pixels to latents and back."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from .offloading import working_device

FRAMES_AT_ONCE = 4  # which bounds the memory of the decoder,
PIXELS_AT_ONCE = 4 * 256 * 256  # as this does for large frames


def not_finite(things: str, dtype: torch.dtype) -> str:
    """What to say of results that are not finite in a precision."""
    advice = "its weights or its input are broken"
    if dtype in (torch.float16, torch.bfloat16):
        advice = 'load the model with dtype="float32"' + (' or "bfloat16"' if dtype == torch.float16 else "")
    return f"{things} are not finite in {str(dtype).removeprefix('torch.')}; {advice}"


@dataclass
class Codec:
    """An autoencoder of single pictures: each frame of a video is a picture of its own."""

    vae: Any  # diffusers' AutoencoderKL; None where nobody decodes

    @property
    def frames_per_latent(self) -> int:
        """Frames of a video for each frame of its latents, but for the first, which is one frame everywhere."""
        return 1

    def latent_frames(self, frames: int) -> int:
        """The number of latent frames of a video. Raises ValueError for a number that is not whole."""
        self.check_frames(frames)
        return 1 + (frames - 1) // self.frames_per_latent

    def check_frames(self, frames: int) -> None:
        """Raise ValueError, with the numbers that are near, for a number of frames that latents cannot have."""
        count = self.frames_per_latent
        if (frames - 1) % count:
            below = frames - (frames - 1) % count
            raise ValueError(
                f"frames={frames}: a latent frame after the first is {count} frames, so possible are 1, {1 + count}, "
                f"{1 + 2 * count}, …; the nearest are {below} and {below + count}"
            )

    @property
    def pixels_per_cell(self) -> int:
        """How many pixels wide and high one cell of the latents is."""
        return 2 ** (len(self.vae.config.block_out_channels) - 1)

    @property
    def channels(self) -> int:
        """Of the latents."""
        return self.vae.config.latent_channels

    def latent_size(self, frames: int, height: int, width: int) -> tuple[int, int, int]:
        """Frames, height and width of the latents of a video with these, height and width in pixels."""
        side = self.pixels_per_cell
        return self.latent_frames(frames), height // side, width // side

    def at_once(self, cells: int) -> int:
        """How many frames of so many cells of latents are decoded or encoded together."""
        return max(1, min(FRAMES_AT_ONCE, PIXELS_AT_ONCE // (cells * self.pixels_per_cell**2)))

    @torch.no_grad()
    def decode(
        self, latents: Float[Tensor, "batch channels frames h w"]
    ) -> UInt8[Tensor, "batch frames height width 3"]:
        """Pixels on the CPU. Raises FloatingPointError for pixels that are not finite, which would be a black video."""
        frames = latents.transpose(1, 2).flatten(0, 1) / self.vae.config.scaling_factor
        parts = frames.split(self.at_once(frames.shape[-2] * frames.shape[-1]))
        decoded = [self.vae.decode(part.to(self.vae.dtype)).sample for part in parts]
        pixels = torch.cat(decoded).float().unflatten(0, (len(latents), -1)).transpose(1, 2)
        return as_pixels(pixels, self.vae.dtype)

    @torch.no_grad()
    def encode(
        self, video: UInt8[Tensor, "batch frames height width 3"]
    ) -> Float[Tensor, "batch channels frames h w"]:
        """Latents, on the device and in the precision of the autoencoder; the mean of its posterior, not a sample."""
        pixels = as_video(video.to(working_device(self.vae)), self.vae.dtype).transpose(1, 2).flatten(0, 1)
        parts = pixels.split(self.at_once(pixels.shape[-2] * pixels.shape[-1] // self.pixels_per_cell**2))
        encoded = [self.vae.encode(part).latent_dist.mode() for part in parts]
        latents = torch.cat(encoded) * self.vae.config.scaling_factor
        return latents.unflatten(0, (len(video), -1)).transpose(1, 2)


def as_pixels(
    pictures: Float[Tensor, "batch 3 frames height width"], dtype: torch.dtype
) -> UInt8[Tensor, "batch frames height width 3"]:
    """What a decoder gives, from -1 to 1, as pixels on the CPU; raises FloatingPointError if it is not finite."""
    if not pictures.isfinite().all():
        raise FloatingPointError(not_finite("the decoder's pixels", dtype))
    return ((pictures / 2 + 0.5).clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 4, 1).cpu()


def as_video(
    pixels: UInt8[Tensor, "batch frames height width 3"], dtype: torch.dtype
) -> Float[Tensor, "batch 3 frames height width"]:
    """Pixels as an encoder takes them, from -1 to 1."""
    return (pixels.permute(0, 4, 1, 2, 3).to(dtype) / 127.5) - 1
