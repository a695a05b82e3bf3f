"""Which words shall be where: what is given to `Guidance`, checked and put into pairs."""

from collections.abc import Callable

from torch import Tensor

from .targets import Track
from .zero_shot import Moved

Target = Track | Moved | Tensor


def same_number(words: list, targets, what: str) -> zip:
    """Words with their targets, one by one; ValueError unless there are as many."""
    targets = targets if isinstance(targets, list) else [targets]
    if len(words) != len(targets) or not words:
        raise ValueError(f"target: {len(targets)} given for {len(words)} {what}; give one for each")
    return zip(words, targets, strict=True)


def pairs(word: str | list[str], target) -> list[tuple[str, Target]]:
    """Words of one prompt with their targets; ValueError for what can be neither."""
    found = list(same_number(list(word) if isinstance(word, (list, tuple)) else [word], target, "words"))
    for name, one in found:
        if not isinstance(name, str):
            raise ValueError(f"word: {name!r} given; needed is a word of the prompt")
        if not isinstance(one, Target):
            raise ValueError(f"target: {type(one).__name__} given; possible are a track, maps as a tensor, or a list")
        if isinstance(one, Tensor) and not (one.ndim == 3 and one.min() >= 0 and one.max() <= 1):
            raise ValueError(f"target: shape {tuple(one.shape)} given; needed are (frames, height, width) in [0, 1]")
    return found


def named(argument: str, value: str | Callable, possible: dict[str, Callable]) -> Callable:
    """A function by its name, or a function; ValueError for an unknown name."""
    if not callable(value) and value not in possible:
        raise ValueError(f"{argument}={value!r}: possible are {', '.join(possible)}, or a function")
    return value if callable(value) else possible[value]
