"""Autoencoders of whole videos, whose latent frames stand for several frames each, and the choice of a codec."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from .codec import Codec, as_pixels, as_video
from .offloading import working_device

DECODE_TIMESTEP, DECODE_NOISE = 0.05, 0.025  # what LTX-Video's publishers give for decoders that ask for them


class VideoCodec(Codec):
    """An autoencoder whose first latent frame is the first frame, and each later one several frames.

    Latents are normalised, (z - mean) / deviation for each channel, before the network sees them.
    """

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of the autoencoder's own latents, of a deviation of 1 for the network."""
        raise NotImplementedError

    def _decoded(self, latents: Tensor) -> Tensor:
        """Pictures (1, 3, frames, height, width) of one clip's normalised latents (1, channels, frames, h, w)."""
        mean, deviation = self._on(latents)
        return self.vae.decode((latents * deviation + mean).to(self.vae.dtype)).sample

    def _on(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        mean, deviation = self.statistics()
        shape = (1, -1, 1, 1, 1)
        return mean.to(latents).view(shape), deviation.to(latents).view(shape)

    @torch.no_grad()
    def decode(
        self, latents: Float[Tensor, "batch channels frames h w"]
    ) -> UInt8[Tensor, "batch frames height width 3"]:
        """As `Codec.decode`, one clip after another, which bounds the memory."""
        return torch.cat([as_pixels(self._decoded(clip).float(), self.vae.dtype) for clip in latents.split(1)])

    @torch.no_grad()
    def encode(
        self, video: UInt8[Tensor, "batch frames height width 3"]
    ) -> Float[Tensor, "batch channels frames h w"]:
        """As `Codec.encode`. Raises ValueError for a number of frames that is no whole number of latent frames."""
        self.check_frames(video.shape[1])
        encoded = []
        for clip in video.split(1):
            inputs = as_video(clip.to(working_device(self.vae)), self.vae.dtype)
            posterior = self.vae.encode(inputs).latent_dist.mode()
            mean, deviation = self._on(posterior)
            encoded.append((posterior - mean) / deviation)
        return torch.cat(encoded)


class WanCodec(VideoCodec):
    """Of Wan 2.1: four frames a latent frame, 8 x 8 pixels a cell."""

    @property
    def frames_per_latent(self) -> int:
        """As configured."""
        return self.vae.config.scale_factor_temporal

    @property
    def pixels_per_cell(self) -> int:
        """As configured."""
        return self.vae.config.scale_factor_spatial

    @property
    def channels(self) -> int:
        """Of the latents."""
        return self.vae.config.z_dim

    def statistics(self) -> tuple[Tensor, Tensor]:
        """As configured."""
        config = self.vae.config
        return torch.tensor(config.latents_mean), torch.tensor(config.latents_std)


class LTXCodec(VideoCodec):
    """Of LTX-Video: eight frames a latent frame, 32 x 32 pixels a cell."""

    @property
    def frames_per_latent(self) -> int:
        """What the encoder divides time by."""
        return self.vae.temporal_compression_ratio

    @property
    def pixels_per_cell(self) -> int:
        """What the encoder divides height and width by."""
        return self.vae.spatial_compression_ratio

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Among the weights; the scaling factor is a part of the deviation."""
        return self.vae.latents_mean, self.vae.latents_std / self.vae.config.scaling_factor

    def _decoded(self, latents: Tensor) -> Tensor:
        """Later checkpoints have a decoder that removes the last noise, and so gets a little, the same each time."""
        if not self.vae.config.timestep_conditioning:
            return super()._decoded(latents)
        mean, deviation = self._on(latents)
        own = latents * deviation + mean
        noise = torch.randn(own.shape, generator=torch.Generator().manual_seed(0)).to(own)
        own = (1 - DECODE_NOISE) * own + DECODE_NOISE * noise
        timestep = torch.tensor([DECODE_TIMESTEP], device=own.device, dtype=own.dtype)
        return self.vae.decode(own.to(self.vae.dtype), timestep).sample


CODECS: dict[str, Callable[[Any], Codec]] = {  # by the name of the autoencoder's class
    "AutoencoderKL": Codec,
    "AutoencoderKLLTXVideo": LTXCodec,
    "AutoencoderKLWan": WanCodec,
}


def find_codec(vae: Any) -> Codec:
    """The codec of an autoencoder; of None, one that can neither encode nor decode."""
    return CODECS.get(type(vae).__name__, Codec)(vae)
