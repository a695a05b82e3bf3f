"""The pocket video U-Net with positions: three more input channels that say where and when a latent cell is."""

from pathlib import Path

import torch
from diffusers import UNet3DConditionModel
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn

from ...backbones.text import Condition
from ...backbones.unet import UNet
from ..networks import build_video_unet

FOLDER = Path("runs/motion_school")  # not in the repository
KINDS = ("positions", "longer")  # the trainings
BEFORE = "before"  # the weights from which both go on
BEFORE_COMMIT = "11c5fb1"  # in which they were shipped
AXES = 3  # frame, row, column
FIRST_WEIGHT = 0.1  # standard deviation of the new weights: from 0 they hardly begin to move


def folder_of(kind: str, smoke: bool = False) -> Path:
    """Where a network and its checkpoint are; smoke runs have a place of their own."""
    return (FOLDER / "smoke" if smoke else FOLDER) / kind


Latents = Float[Tensor, "batch channels frames height width"]


def command_before(smoke: bool = False) -> str:
    """The command that takes the network from which both trainings go on out of the repository's history."""
    folder = folder_of(BEFORE, smoke)
    return f"mkdir -p {folder}; git archive {BEFORE_COMMIT}:xattn_helpers/pocket/weights unet | tar -x -C {folder}"


def positions(like: Latents) -> Float[Tensor, "batch 3 frames height width"]:
    """Frame, row and column of each cell of latents, from -1 to 1."""
    axes = [torch.linspace(-1, 1, count, device=like.device, dtype=like.dtype) for count in like.shape[2:]]
    return torch.stack(torch.meshgrid(*axes, indexing="ij")).expand(len(like), -1, -1, -1, -1)


def with_positions(latents: Latents) -> Float[Tensor, "batch more frames height width"]:
    """Latents, and after their channels those of the positions."""
    return torch.cat([latents, positions(latents)], 1)


@torch.no_grad()
def widened(network: UNet3DConditionModel) -> UNet3DConditionModel:
    """The network with a first layer that takes positions, too; what it knew about latents stays."""
    first = network.conv_in
    added = torch.randn(len(first.weight), AXES, *first.weight.shape[2:]) * FIRST_WEIGHT
    first.weight = nn.Parameter(torch.cat([first.weight, added.to(first.weight)], 1))
    first.in_channels += AXES
    return network


def is_trained(kind: str, smoke: bool = False) -> bool:
    """Whether the school has stored a network of this kind."""
    return any(folder_of(kind, smoke).glob("unet/*.safetensors"))


def read(folder: Path, is_widened: bool) -> UNet3DConditionModel:
    """A network of the school from the folder in which its training put it, in single precision."""
    network = build_video_unet()
    network = widened(network) if is_widened else network
    weights = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights |= load_file(file)
    network.load_state_dict({name: weight.float() for name, weight in weights.items()})
    return network.eval().requires_grad_(False)


class Positioned(nn.Module):
    """The network as a loss calls it: with latents alone."""

    def __init__(self, network: UNet3DConditionModel):
        super().__init__()
        self.network = network

    def forward(self, latents: Tensor, timesteps: Tensor, text: Tensor):
        """What the network predicts for latents of (batch, channels, frames, height, width)."""
        return self.network(with_positions(latents), timesteps, text)


class PositionedUNet(UNet):
    """The backbone of such a network."""

    def predict(self, latents: Tensor, timestep: Tensor, text: Condition) -> Tensor:
        """What the network predicts for latents."""
        return super().predict(with_positions(latents), timestep, text)


def trained(kind: str, device: str, smoke: bool = False) -> UNet:
    """The backbone of a network that the school has trained."""
    has_positions = kind == "positions"
    network = read(folder_of(kind, smoke) / "unet", has_positions).to(device)
    return (PositionedUNet if has_positions else UNet)(network)
