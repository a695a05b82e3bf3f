"""Figures and sentences of lesson 00: embeddings, weights of the loss, what captions add, and where things are."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure
from torch import Tensor

from ..backbones.text import Text
from ..display.plots import panels
from ..measures.boxes import centres, detected
from ..measures.detection import detect
from ..pocket.training.config import TrainConfig
from ..pocket.training.schedule import loss_weights
from ..pocket.world.stories import Story

OWN = "its own caption"
STYLES = ("o-", "s--", "^--", "x--")  # of the curves of captions
KINDS = ("image", "video")
NOISIEST, MIDDLE = 999, 500  # timesteps whose weights are compared
BAR = 0.4  # of the distance between tokens

Video = UInt8[np.ndarray, "frames height width 3"]
Cosines = Mapping[str, Float[Tensor, " tokens"]]
Errors = Mapping[str, Sequence[float]]


# Embeddings


def token_cosines(cosines: Cosines, text: Text, prompt: str, title: str) -> Figure:
    """A bar for each token of a prompt and each encoder: the cosine (tokens,) of its embeddings before and after."""
    figure, [[axis]] = panels(1, 1, (8, 2.4))
    count = text.count(prompt)
    for place, (name, values) in enumerate(cosines.items()):
        axis.bar(np.arange(count) + BAR * (place - 0.5), values[:count].tolist(), BAR - 0.02, label=name)
    axis.set(xticks=range(count), xticklabels=text.labels(prompt)[:count], ylabel="cosine", title=title)
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def least_cosines(cosines: Cosines, text: Text, prompt: str, noun: str) -> list[str]:
    """The least cosine (tokens,) of all tokens after a noun, padding apart, in a line for each encoder."""
    after, lines = text.find(prompt, noun)[-1] + 1, []
    for name, values in cosines.items():
        lowest = float(values[after : text.count(prompt)].min())
        lines.append(f"{name}: words after the noun have a cosine of {lowest:.2f} or more")
    return lines


# Training


def weights_of_the_loss() -> Figure:
    """How much each timestep counts in the training of the pocket models."""
    figure, [[axis]] = panels(1, 1, (7, 2.3))
    for kind in KINDS:
        axis.plot(loss_weights(kind), label=f"pocket {kind} model")
    axis.set(xlabel="timestep t", ylabel="weight", title="weights of the loss")
    axis.legend(frameon=False)
    return figure


def training_in_noise(config: TrainConfig) -> list[str]:
    """How much more the noisiest timesteps count than those in the middle, and how often they are drawn, in lines."""
    lines = []
    for kind in KINDS:
        weights = loss_weights(kind)
        times = float(weights[NOISIEST] / weights[MIDDLE])
        lines.append(f"{kind} model: t = {NOISIEST} counts {times:.0f} times as much as t = {MIDDLE}")
    width = 1 - config.t2v_noisy_from
    drawn = config.t2v_noisy_share + (1 - config.t2v_noisy_share) * width
    return [*lines, f"video model: {drawn:.0%} of its timesteps are drawn from the noisiest {width:.0%}"]


# What captions contribute


def captions_told(stories: Sequence[Story]) -> dict[str, list[str]]:
    """Captions of pictures: their own, none, with a wrong noun, and that of the next picture; a list for each kind."""
    own, changed = [], []
    for story in stories:
        noun = story.actors[0].name
        own.append(story.caption)
        changed.append(story.caption.replace(noun, "boat" if noun == "burger" else "burger"))
    return {
        OWN: own,
        "no caption": [""] * len(own),
        "a wrong noun": changed,
        "another picture's caption": own[1:] + own[:1],
    }


def more_error(errors: Errors) -> dict[str, Float[np.ndarray, " timesteps"]]:
    """By caption, the share by which the error at each timestep is larger than with its own caption."""
    own = np.asarray(errors[OWN])
    return {name: np.asarray(values) / own - 1 for name, values in errors.items()}


def error_ranges(errors: Errors, timesteps: Sequence[int]) -> list[str]:
    """By how much other captions raise the error, least, most and at the last timestep, in a line each."""
    lines = []
    for name, extra in more_error(errors).items():
        if name != OWN:
            reach = f"{extra.min():+.0%} to {extra.max():+.0%}"
            lines.append(f"{name}: error {reach}, at t = {timesteps[-1]} {extra[-1]:+.0%}")
    return lines


def errors_by_timestep(errors: Errors, timesteps: Sequence[int]) -> Figure:
    """The error with each of four captions, and in percent how much more it is than with its own."""
    figure, [(left, right)] = panels(1, 2, (9, 2.8))
    for (name, extra), style in zip(more_error(errors).items(), STYLES, strict=True):
        left.plot(timesteps, errors[name], style, label=name)
        right.plot(timesteps, 100 * extra, style, label=name)
    left.set(yscale="log", xlabel="timestep t", title="squared error of the guessed noise")
    right.set(xlabel="timestep t", title="more than with its own caption, %")
    right.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


# Where things are


def distances(videos: Sequence[Video], words: Sequence[str], reference: int = 0) -> list[float]:
    """Of each video's object, the distance of its middle from that in a reference video, mean of all frames.

    Distances are in widths of the picture, frames in which either is not seen are left out, and NaN says that all are.
    """
    ways = [centres(detect(video, word)[0]) for video, word in zip(videos, words, strict=True)]
    apart = []
    for way in ways:
        lengths = np.linalg.norm(way - ways[reference], axis=1)
        seen = lengths[np.isfinite(lengths)]
        apart.append(float(seen.mean()) if len(seen) else float("nan"))
    return apart


def first_seen(pictures: Sequence[Video], word: str) -> tuple[int, float]:
    """The first picture in which an object is seen, and how far, in widths, it is there from its place in the last.

    Raises ValueError where it is seen in none.
    """
    for index, picture in enumerate(pictures):
        if detected(detect(picture, word)[0])[0]:
            return index, distances([picture, pictures[-1]], [word, word])[1]
    raise ValueError(f"{word!r} is seen in none of the {len(pictures)} pictures")
