"""Captions of the pocket world: one grammar that writes them, and the rule that keeps a tenth for evaluation."""

import random
import zlib

from .vocabulary import STANDING_VERBS, STILL, verbs

HELD_OUT = 10  # one caption in ten is never trained on


def noun_phrase(name: str, size: str = "") -> str:
    """'a burger', 'an apple', 'a big apple'."""
    noun = f"{size} {name}".strip()
    article = "an" if noun[0] in "aeiou" else "a"
    return f"{article} {noun}"


def one_object(name: str, scene: str, verb: str, size: str = "", motion: str = "") -> str:
    """'a small car drives to the left on the road'; `size` and `motion` may be empty."""
    parts = (noun_phrase(name, size), verb, motion, scene)
    return " ".join(part for part in parts if part)


def two_objects(first: str, second: str, scene: str, verb: str = "", sizes: tuple[str, str] = ("", "")) -> str:
    """'a dog and a ball on the grass', or with a verb 'a dog runs near a ball on the grass'."""
    link = f"{verb} near" if verb else "and"
    return f"{noun_phrase(first, sizes[0])} {link} {noun_phrase(second, sizes[1])} {scene}"


def howling(name: str) -> str:
    """'a wolf howls to the moon': the one prompt of the paper that names no scene; it is always night."""
    return f"{noun_phrase(name)} howls to the moon"


def held_out(caption: str) -> bool:
    """Whether a caption is kept out of training, so that evaluation can use it (a fixed tenth of all captions)."""
    return zlib.crc32(caption.encode()) % HELD_OUT == 0


def pick_verb(rng: random.Random, name: str, scene: str, motion: str = "") -> str:
    """A verb for an object in a scene: 'stays still' where standing is to be told, none that contradicts a motion."""
    if motion == STILL:
        return STILL
    possible = list(verbs(name, scene))
    if motion:
        possible = [verb for verb in possible if verb not in STANDING_VERBS]
    return rng.choice(possible)
