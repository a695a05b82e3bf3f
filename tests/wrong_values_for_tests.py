"""What the tables of wrong arguments may name: a tiny model, right and wrong values, and short forms of calls."""

import sys
from dataclasses import FrozenInstanceError, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from accelerate import Accelerator
from diffusers import FlowMatchEulerDiscreteScheduler
from models_for_tests import PATH, PROMPT, tiny

import xattn_helpers
from tools import badges, tutorial
from xattn_helpers import Guidance, Swap, capture, check, display, edit_video, generate, video_files
from xattn_helpers.backbones.noise import Noise
from xattn_helpers.display import explorers, videos
from xattn_helpers.edits import map_edit, targets, zero_shot
from xattn_helpers.measures import adherence, boxes, comparisons, detection, fidelity, map_quality, statistics
from xattn_helpers.pocket.training import __main__ as training
from xattn_helpers.pocket.training import config, latents, stages
from xattn_helpers.pocket.training.fit import Plan, Training
from xattn_helpers.pocket.world.vocabulary import check_prompt
from xattn_helpers.studies import __main__ as studies

MODULES = (
    display, map_edit, targets, zero_shot, detection, adherence, boxes, comparisons, map_quality, statistics, explorers,
    config, stages, badges, tutorial, video_files, fidelity, xattn_helpers,
)  # fmt: skip
TARGET = "a ball floats on the water"
SOME = np.random.default_rng(0)
TMP = Path(mkdtemp())
V = SOME.integers(0, 255, (4, 16, 16, 3), dtype=np.uint8)
GIVEN = SOME.integers(0, 255, (3, 32, 32, 3), dtype=np.uint8)
SHORT = {"height": 16, "width": 16, "steps": 2}


@cache
def model():
    """A tiny video model that understands the words of the pocket world alone."""
    text = replace(tiny().text, check=check_prompt)
    return replace(tiny(), text=text, defaults=replace(tiny().defaults, **SHORT, check_prompt=check_prompt))


def g(prompt=PROMPT, *rest, **options):
    return generate(model(), prompt, *rest, **({"progress": False} | options))


def edited(video, source_prompt=PROMPT, target_prompt=TARGET, **options):
    options = {"steps": 2, "check_prompt": False, "progress": False} | options
    return edit_video(model(), video, source_prompt, target_prompt, **options)


def guided(word="burger", target=PATH, **knobs):
    return g(edits=Guidance(word, target, **knobs), steps=1)


def tracked(*arguments, **options):
    track = targets.track(*arguments, **options)
    return track.boxes(3), track.mask(3, 8, 8)


def own(call):
    """An error in the user's own function is not hidden."""
    with pytest.raises(ZeroDivisionError):
        call()


def frozen(field, value):
    with pytest.raises(FrozenInstanceError):
        setattr(Guidance("burger", PATH), field, value)


def mp4(path):
    """Where ffmpeg is not there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(videos, "find_ffmpeg", lambda: False)
        display.save(V, path)


def drawn(*arguments, **options):
    display.image_grid(*arguments, **options).canvas.draw()


def captured(given, runs=0, **options):
    with capture(given, **options) as attention:
        for _ in range(runs):
            g(steps=2)
    return attention


def saved(content):
    buffer = BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def checkpoint(content):
    (TMP / "net.pt").write_bytes(content)
    Training("net", torch.nn.Linear(2, 2), Plan(1, 1, 0.1), TMP, Accelerator(cpu=True), 0)


def stories(content):
    (TMP / "latents.pt").write_bytes(content)
    latents.encode_stories(None, None, 4, 0, "cpu", TMP / "latents.pt")  # type: ignore


def train(line):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train", *line.split()])
        training.main()


@cache
def space():
    """Names and what they mean in the tables."""
    (TMP / "d.webp").mkdir()
    (TMP / "empty").mkdir()
    (TMP / "file.txt").write_text("x")
    matplotlib.use("agg")
    names = {}
    for module in MODULES:
        names |= vars(module)
    unguided = zero_shot.unguided(model(), PROMPT, seed=0)
    flow = Noise(FlowMatchEulerDiscreteScheduler())
    return names | {
        "nan": float("nan"), "inf": float("inf"), "np": np, "torch": torch, "Path": Path, "BytesIO": BytesIO,
        "M": model(), "IMAGES": tiny(1), "FLOW": replace(model(), noise=flow), "PROMPT": PROMPT, "TARGET": TARGET,
        "PATH": PATH, "GUIDANCE": Guidance("burger", PATH), "SWAP": Swap("burger", "ball", source=PROMPT),
        "U": unguided, "CLIP": unguided.clip, "R": captured(model(), 1, every_step=True, heads=True),
        "MEAN": captured(model(), 1), "TWO": captured(model(), 2), "TMP": TMP, "FILE": TMP / "file.txt",
        "EMPTY": TMP / "empty", "V": V, "VIDEO": V, "GIVEN": GIVEN, "MAPS": SOME.random((4, 8, 8)),
        "BOXES": np.array([[0.1, 0.1, 0.5, 0.5]] * 4), "colormaps": matplotlib.colormaps, "AXES": plt.figure().gca(),
        "FIGURE": statistics.Estimate(1, 0, 2, 3), "check": check, "g": g, "edited": edited,
        "MASKS": np.zeros((4, 16, 16), bool), "e": lambda edit: g(TARGET, edits=edit, steps=3),
        "t": tracked, "G": guided, "m": lambda **knobs: guided(target=unguided.moved("burger", **knobs)), "own": own,
        "frozen": frozen, "mp4": mp4, "drawn": drawn, "captured": captured, "saved": saved, "checkpoint": checkpoint,
        "latents": stories, "train": train, "studies": lambda line: studies.main(line.split()),
    }  # fmt: skip
