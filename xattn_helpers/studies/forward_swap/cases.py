"""Pairs of prompts: for swaps, which differ in the object, and for words, which differ in one, two or three."""

from collections.abc import Sequence

from ...pocket.world.captions import one_object
from ..rows import Case

# Each object gives its maps to the next of its row, the last to the first: every clip without a swap serves two pairs.
ROWS = {
    ("drives", "on the road"): ("truck", "car", "bus"),  # the paper's pair is the first
    ("walks", "at night"): ("wolf", "cat", "turtle", "penguin"),
    ("flies", "in the sky"): ("rocket", "bee", "kite", "pizza", "balloon"),
    ("swims", "on the water"): ("shark", "fish", "duck", "turtle"),
    ("floats", "on the water"): ("boat", "apple", "burger", "ball"),
}
# Source, target, verb, scene, second scene: first the object differs, then also the scene, then also the size.
WORDS = (
    ("truck", "car", "drives", "on the road", "on the grass"),
    ("wolf", "cat", "walks", "in the snow", "in the forest"),
    ("apple", "burger", "rolls", "on the beach", "on the road"),
    ("kite", "bee", "flies", "on the grass", "on the beach"),
    ("penguin", "wolf", "walks", "in the forest", "in the desert"),
    ("bus", "truck", "drives", "in the desert", "in the snow"),
    ("duck", "turtle", "walks", "in the snow", "in the desert"),
    ("turtle", "dog", "walks", "on the grass", "on the beach"),
    ("cat", "wolf", "runs", "on the beach", "on the grass"),
    ("dog", "cat", "walks", "in the desert", "in the forest"),
    ("car", "bus", "drives", "in the snow", "in the forest"),
    ("burger", "apple", "rolls", "in the snow", "in the desert"),
    ("ball", "burger", "rolls", "on the grass", "on the road"),
    ("duck", "penguin", "walks", "on the beach", "on the road"),
    ("bee", "bird", "flies", "in the forest", "in the snow"),
    ("bird", "kite", "flies", "on the road", "on the beach"),
    ("wolf", "dog", "runs", "on the grass", "on the road"),
    ("truck", "bus", "drives", "on the beach", "on the grass"),
    ("apple", "ball", "rolls", "in the desert", "in the forest"),
    ("penguin", "turtle", "walks", "in the forest", "in the snow"),
)
SEEDS = (0, 1, 2)


def swap_cases(model: str, seeds: Sequence[int] = SEEDS, kind: str = "swap") -> list[Case]:
    """Every pair with every seed, for "swap" or "replace".

    The last pair of a row comes first, because its target's own clip is the source of the next.
    """
    cases: list[Case] = []
    for (verb, scene), names in ROWS.items():
        pairs = list(zip(names, (*names[1:], names[0]), strict=True))
        for source_word, word in reversed(pairs):
            about: Case = {"kind": kind, "model": model, "source_word": source_word, "word": word}
            about["source_prompt"] = one_object(source_word, scene, verb)
            about["prompt"] = one_object(word, scene, verb)
            cases += [about | {"seed": seed} for seed in seeds]
    return cases


def word_cases(model: str, seeds: Sequence[int] = SEEDS) -> list[Case]:
    """Every pair of `WORDS` with one, two and three differing words, with every seed."""
    cases: list[Case] = []
    for source_word, word, verb, scene, second_scene in WORDS:
        about: Case = {"kind": "words", "model": model, "source_word": source_word, "word": word}
        about |= {"source_scene": scene, "source_prompt": one_object(source_word, scene, verb, "big")}
        targets = (scene, "big"), (second_scene, "big"), (second_scene, "small")
        for differ, (target_scene, size) in enumerate(targets, start=1):
            prompt = one_object(word, target_scene, verb, size)
            target: Case = {"differ": differ, "scene": target_scene, "prompt": prompt}
            cases += [about | target | {"seed": seed} for seed in seeds]
    return cases
