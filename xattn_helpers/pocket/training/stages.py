"""The stages of the training program, in their order: what each one trains, from what, and where the result goes.

A new stage is a function that takes the trainer, one line in STAGES, and its steps and batch size in `TrainConfig`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    UNet2DConditionModel,
    UNet3DConditionModel,
    WanTransformer3DModel,
)
from jaxtyping import Float
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from ..detector import PocketDetector
from ..networks import build_image_unet, build_vae, build_video_transformer, build_video_unet, inflate
from ..text import ENCODER_SEED, build_text_encoder, build_tokenizer
from ..world.vocabulary import MEDIA, OBJECTS
from .fit import Plan
from .flow import VIDEO_SHIFT, FlowLoss
from .frames import FramePool
from .latents import LatentStories, encode_stories, tokenize
from .losses import DiffusionLoss, autoencoder_loss, detector_loss
from .schedule import build_scheduler
from .stored import compact

if TYPE_CHECKING:
    from .trainer import Trainer


@dataclass(frozen=True)
class Stage:
    """One part of the training program; `needs` and `makes` are folders in the folder of the finished models."""

    name: str
    run: Callable[["Trainer"], None]
    needs: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    goes_on: bool = False  # whether it can start from what it has made before, instead of anew


def train_vae(trainer: "Trainer") -> None:
    """Autoencoder of frames; its scaling factor is measured at the end."""
    config = trainer.config
    frames = FramePool(trainer.device, config.frame_clips, config.seed)
    plan = Plan(config.vae_steps, config.vae_batch, learning_rate=1e-3, ema=0.995)
    vae = trainer.fit("vae", build_vae(), autoencoder_loss(frames.sample), plan)
    vae.register_to_config(scaling_factor=_latent_scale(vae, frames.sample(64).pixels))
    trainer.save(vae, "vae")


@torch.no_grad()
def _latent_scale(vae: AutoencoderKL, pixels: Float[Tensor, "count 3 height width"]) -> float:
    """The factor that gives latents a standard deviation of one."""
    return 1 / vae.encode(2 * pixels - 1).latent_dist.mode().std().item()


def train_detector(trainer: "Trainer") -> None:
    """Detector, on frames as they are drawn and as the autoencoder gives them back."""
    config = trainer.config
    frames = FramePool(trainer.device, config.frame_clips, config.seed)
    vae = trainer.finished(AutoencoderKL, "vae").to(trainer.device)
    network = PocketDetector(objects=tuple(OBJECTS), scenes=tuple(MEDIA))
    plan = Plan(config.detector_steps, config.detector_batch, learning_rate=2e-3, ema=0.995)
    detector = trainer.fit("detector", network, detector_loss(frames.sample, vae), plan)
    trainer.save(detector, "detector")


def build_text(trainer: "Trainer") -> None:
    """Tokenizer, frozen text encoder and schedulers: nothing to train."""
    tokenizer = build_tokenizer()
    if trainer.accelerator.is_main_process:
        tokenizer.save_pretrained(trainer.config.out / "tokenizer")
        build_scheduler("video").save_pretrained(trainer.config.out / "scheduler")
        build_scheduler("image").save_pretrained(trainer.config.out / "scheduler_t2i")
        for folder in ("tokenizer", "scheduler", "scheduler_t2i"):
            compact(trainer.config.out / folder)
    config = trainer.config
    trainer.save(build_text_encoder(tokenizer, ENCODER_SEED + config.seed, config.text), "text_encoder")


def train_image_model(trainer: "Trainer") -> None:
    """Text-to-image model, on single frames."""
    config = trainer.config
    data, text_encoder, empty = _training_set(trainer)
    if "t2i" in config.go_on:
        network = trainer.finished(UNet2DConditionModel, "unet_t2i")
    else:
        network = build_image_unet()
    loss = DiffusionLoss(data.sample_images, text_encoder, empty, "image")
    plan = Plan(config.t2i_steps, config.t2i_batch, learning_rate=6e-4)
    trainer.save(trainer.fit("t2i", network, loss, plan), "unet_t2i")


def train_video_model(trainer: "Trainer") -> None:
    """Text-to-video model, inflated from the text-to-image model."""
    config = trainer.config
    loss = video_loss(trainer, config.t2v_motion_share, (config.t2v_noisy_share, config.t2v_noisy_from))
    if "t2v" in config.go_on:
        network = trainer.finished(UNet3DConditionModel, "unet")
    else:
        network = _begin_video_unet(trainer)
    plan = Plan(config.t2v_steps, config.t2v_batch, learning_rate=4e-4)
    trainer.save(trainer.fit("t2v", network, loss, plan), "unet")


def video_loss(trainer: "Trainer", motion_share: float, focus: tuple[float, float]) -> DiffusionLoss:
    """The video U-Net's loss on the training set.

    `motion_share`, in [0, 1], is from captions that name a motion; `focus` as in `DiffusionLoss`.
    """
    data, text_encoder, empty = _training_set(trainer)
    sample = partial(data.sample_videos, motion_share=motion_share)
    return DiffusionLoss(sample, text_encoder, empty, "video", focus)


def _begin_video_unet(trainer: "Trainer") -> UNet3DConditionModel:
    """The video U-Net before its training: inflated from the image model, or all random."""
    if trainer.config.t2v_scratch:
        return build_video_unet()
    return inflate(trainer.finished(UNet2DConditionModel, "unet_t2i"), build_video_unet())


def train_video_transformer(trainer: "Trainer") -> None:
    """Video transformer by flow matching, on videos and on single frames, from nothing but captions and latents."""
    config = trainer.config
    if trainer.accelerator.is_main_process:
        FlowMatchEulerDiscreteScheduler(shift=VIDEO_SHIFT).save_pretrained(config.out / "scheduler_dit")
    data, text_encoder, empty = _training_set(trainer)
    network = build_video_transformer(config.dit_blocks)
    if "dit" in config.go_on:
        network.load_state_dict(trainer.finished(WanTransformer3DModel, "transformer").state_dict())
    loss = FlowLoss(data, text_encoder, empty, config.dit_motion_share, config.dit_image_share, images=8)
    plan = Plan(config.dit_steps, config.dit_batch, learning_rate=config.dit_rate, hold=config.dit_hold, floor=0.02)
    trainer.save(trainer.fit("dit", network, loss, plan, folder="transformer"), "transformer")


def _training_set(trainer: "Trainer") -> tuple[LatentStories, CLIPTextModel, Tensor]:
    """Latents and tokens on the device, the text encoder that embeds tokens, and the tokens of no caption."""
    config = trainer.config
    tokenizer = CLIPTokenizer.from_pretrained(config.out / "tokenizer")
    text_encoder = CLIPTextModel.from_pretrained(config.out / "text_encoder", dtype=torch.float32)
    vae = trainer.finished(AutoencoderKL, "vae")
    scale = vae.config.scaling_factor  # differs with every training of the autoencoder
    file = config.latents_folder / f"latents-{config.clips}-{config.story_seed}-{scale:.6f}.pt"
    with trainer.accelerator.main_process_first():
        data = encode_stories(vae, tokenizer, config.clips, config.story_seed, trainer.device, file)
    empty = tokenize(tokenizer, [""]).to(trainer.device)
    data = data.first(config.data_share)
    return data, text_encoder.to(trainer.device).requires_grad_(False), empty


DATA = ("vae", "tokenizer", "text_encoder")  # what the training set of the diffusion models is made with

STAGES = (
    Stage("vae", train_vae, makes=("vae",)),
    Stage("detector", train_detector, needs=("vae",), makes=("detector",)),
    Stage("text", build_text, makes=("tokenizer", "scheduler", "scheduler_t2i", "text_encoder")),
    Stage("t2i", train_image_model, needs=DATA, makes=("unet_t2i",), goes_on=True),
    Stage("t2v", train_video_model, needs=(*DATA, "unet_t2i"), makes=("unet",), goes_on=True),
    Stage("dit", train_video_transformer, needs=DATA, makes=("transformer", "scheduler_dit"), goes_on=True),
)


def check_needs(stages: Sequence[Stage], out: Path) -> None:
    """Raise FileNotFoundError for the first folder that a stage needs and that neither exists nor is made before."""
    made = set()
    for stage in stages:
        for folder in stage.needs:
            if folder not in made and not (out / folder).is_dir():
                raise FileNotFoundError(
                    f"stage {stage.name!r} needs {folder!r}, which is not in {out}; run stage {_maker(folder)!r} first"
                )
        made.update(stage.makes)


def _maker(folder: str) -> str:
    """The name of the stage that makes a folder."""
    return next(stage.name for stage in STAGES if folder in stage.makes)
