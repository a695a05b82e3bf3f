"""The shapes of the pocket networks, and how the image model becomes the video model."""

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet3DConditionModel, WanTransformer3DModel
from diffusers.models.transformers.transformer_temporal import TransformerTemporalModel
from torch import nn

from ..backbones.temporal import temporal_layers
from .text import WIDTH

LATENT_SIDE = 16  # three levels with attention at 16, 8 and 4 (mid), as in the paper; ModelScope adds 32
CHANNELS = (64, 96, 128)
HEAD_CHANNELS = 32  # of an attention head
BLOCKS = 10  # of the transformer, each with text attention
HEADS = tuple(width // HEAD_CHANNELS for width in CHANNELS)  # at each level


def build_vae() -> AutoencoderKL:
    """128 x 128 x 3 pixels to 16 x 16 x 4 latents."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 48, 64, 96), layers_per_block=1, latent_channels=4, norm_num_groups=16, sample_size=128,
    )  # fmt: skip


def build_image_unet() -> UNet2DConditionModel:
    """Stable Diffusion's UNet, 1/120 of its size; linear projections, so that its tensors fit the video UNet's.

    What diffusers calls `attention_head_dim` is here, as in Stable Diffusion 1, the number of heads.
    """
    return UNet2DConditionModel(
        sample_size=LATENT_SIDE, block_out_channels=CHANNELS, layers_per_block=2, norm_num_groups=16,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"), use_linear_projection=True,
        cross_attention_dim=WIDTH, attention_head_dim=HEADS,
    )  # fmt: skip


def build_video_unet() -> UNet3DConditionModel:
    """ModelScope's UNet, 1/110 of its size."""
    return UNet3DConditionModel(
        sample_size=LATENT_SIDE, block_out_channels=CHANNELS, layers_per_block=2, norm_num_groups=16,
        down_block_types=("CrossAttnDownBlock3D", "CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D", "CrossAttnUpBlock3D"),
        cross_attention_dim=WIDTH, attention_head_dim=HEAD_CHANNELS,
    )  # fmt: skip


def build_video_transformer(blocks: int = BLOCKS) -> WanTransformer3DModel:
    """Wan 2.1's transformer, 1/120 of its size: a token is a patch of 2 x 2 latents in one frame."""
    return WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=8, attention_head_dim=HEAD_CHANNELS, num_layers=blocks, ffn_dim=1024,
        in_channels=4, out_channels=4, text_dim=WIDTH, freq_dim=256, cross_attn_norm=True,
        qk_norm="rms_norm_across_heads", rope_max_seq_len=32,
    )  # fmt: skip


@torch.no_grad()
def inflate(image_unet: UNet2DConditionModel, video_unet: UNet3DConditionModel) -> UNet3DConditionModel:
    """Copy every tensor of the image UNet into the video UNet and silence the temporal layers, which are new.

    The result makes, frame by frame, exactly the image model's prediction; only training makes the frames talk.
    Raises RuntimeError when a tensor of the image UNet has no place in the video UNet.
    """
    _, unexpected = video_unet.load_state_dict(image_unet.state_dict(), strict=False)
    if unexpected:
        raise RuntimeError(f"the video UNet has no place for {len(unexpected)} tensors, {unexpected[0]} the first")
    for layer in temporal_layers(video_unet):
        for parameter in _last_projection(layer).parameters():
            nn.init.zeros_(parameter)
    return video_unet


def _last_projection(layer: nn.Module) -> nn.Module:
    """What writes a temporal layer's result, which is then added to the layer's input."""
    if isinstance(layer, TransformerTemporalModel):
        return layer.get_submodule("proj_out")
    return list(layer.get_submodule("conv4").children())[-1]
