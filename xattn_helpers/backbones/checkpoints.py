"""Reading the parts of a checkpoint from a folder or from the model hub."""

import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from .catalogue import CHECKPOINTS, Checkpoint, has_weights
from .parts import UnsupportedModel, find_kind, find_precision, longest_prompt
from .temporal import align_rows
from .weights import attempts

PARTS = ("network", "vae", "text_encoder", "tokenizer", "scheduler")
NETWORKS = PARTS[:3]  # the parts that have weights
WORDS = ({"tokenizer.json"}, {"vocab.json", "merges.txt"}, {"spiece.model"})  # files of which a tokenizer needs a set
MADE_BY = {"LTXVideoTransformer3DModel": "ltx", "WanTransformer3DModel": "wan"}  # a checkpoint of each such network
TOLD: set[str] = set()  # the checkpoints whose licence and size this process has printed


def load_parts(checkpoint: Checkpoint, dtype: torch.dtype) -> dict:
    """The parts of a model by name; the network is touched only for a checkpoint that is not a folder."""
    folder = Path(checkpoint.source)
    local = folder.is_dir() or folder.is_absolute()
    if local:
        _check_trained(checkpoint)
        _check_folder(folder, [getattr(checkpoint, part, part) for part in PARTS])
    elif checkpoint.licence and checkpoint.source not in TOLD:
        TOLD.add(checkpoint.source)
        print(f"{checkpoint.source}: {checkpoint.licence}; {checkpoint.download} to download the first time.")
    parts = {}
    with quiet():
        for part in PARTS:
            parts[part] = _load_part(checkpoint, part, dtype, local)
    align_rows(parts["network"])
    tokenizer = parts["tokenizer"]
    tokenizer.model_max_length = longest_prompt(parts["network"], parts["text_encoder"], tokenizer)
    return parts


def guess_defaults(checkpoint: Checkpoint, parts: dict, is_video: bool) -> Checkpoint:
    """Defaults for a checkpoint that we do not know: the size it was made for, 16 frames if it makes videos."""
    kind = type(parts["network"]).__name__
    if kind in MADE_BY:
        like = CHECKPOINTS[MADE_BY[kind]]
        size = {"frames": like.frames, "height": like.height, "width": like.width}
        return replace(checkpoint, **size, steps=like.steps, cfg_scale=like.cfg_scale)
    side = parts["network"].config.sample_size or 64  # a number, or (height, width)
    rows, columns = (side, side) if isinstance(side, int) else side
    pixels = 2 ** (len(parts["vae"].config.block_out_channels) - 1)
    frames, scale = (16, 9.0) if is_video else (1, 7.5)
    return replace(checkpoint, frames=frames, height=rows * pixels, width=columns * pixels, cfg_scale=scale)


def _check_trained(checkpoint: Checkpoint) -> None:
    if not has_weights(checkpoint):
        network = Path(checkpoint.source, checkpoint.network)
        raise FileNotFoundError(f"the weights of this model are not in {network}; `{checkpoint.training}` trains them")


def _check_folder(folder: Path, needed: list[str]) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(f"checkpoint folder {folder} is missing; for the pocket models, see `make train`")
    missing = [part for part in needed if not any((folder / part).glob("*.json"))]
    if missing:
        raise FileNotFoundError(
            f"checkpoint folder {folder}: {', '.join(missing)} missing or without configuration; diffusers' layout has "
            f"the subfolders {', '.join(needed)}"
        )
    files = {file.name for file in (folder / "tokenizer").iterdir()}
    if not any(words <= files for words in WORDS):  # transformers would make one up
        raise FileNotFoundError(
            f"checkpoint folder {folder}: tokenizer needs tokenizer.json, or vocab.json and merges.txt, or spiece.model"
        )


def _load_part(checkpoint: Checkpoint, part: str, dtype: torch.dtype, local: bool) -> Any:
    """One part, from the files that fit best; every failure names the part."""
    where = {"subfolder": getattr(checkpoint, part, part), "local_files_only": local}
    choices = [{}]
    if part in NETWORKS:
        choices = attempts(checkpoint.source, where["subfolder"], dtype, local)
    failures = []
    for choice in choices:
        try:
            kind = find_kind(checkpoint.source, part, where)
            if part not in NETWORKS:
                return kind.from_pretrained(checkpoint.source, **where)
            options = {"torch_dtype": find_precision(kind, dtype), "output_loading_info": True} | choice
            return _complete(*kind.from_pretrained(checkpoint.source, **where, **options))
        except UnsupportedModel:
            raise
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
    if any(isinstance(error, ImportError) for error in failures):
        advice = "; a spiece.model needs `pip install sentencepiece protobuf`" if part == "tokenizer" else ""
        return f"{part} of {source!r} needs a package that is not installed{advice}. ({said})"
    if local:
        return f"{part} of {source!r} could not be loaded: the files may be damaged or incomplete. ({said})"
    forbidden = os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0")
    offline = " (HF_HUB_OFFLINE is set, which forbids it)" if forbidden else ""
    return (
        f"{part} of {source!r} could not be loaded from the model hub: is the machine online{offline}, and does the "
        "model still exist under that name? Download it elsewhere and pass the folder to load(), or set HF_HOME to a "
        f"folder that holds it; load('pocket') needs no network. ({said})"
    )


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
