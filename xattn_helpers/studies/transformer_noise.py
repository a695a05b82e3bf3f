"""How noisy the maps of the video transformer are, beside those of the other two models: study `transformer_noise`.

The prompts, seeds, frames and statistics are those of `attention_noise`, so that its stored rows can be compared prompt
by prompt. The transformer's maps have one size, 8 x 8, and its places are its three groups of blocks.
"""

from collections.abc import Sequence

from ..display.tables import figure_text, table_text
from ..measures.statistics import Estimate
from .attention_noise import SEEDS, AttentionNoise
from .attention_noise.prompts import PAPER, held_out_prompts
from .attention_noise.table import GROUPS, NUMBERS, STATISTICS, VIDEO, by_prompt
from .rows import Case, Row, select

MODEL = "pocket-dit"
PLACES = ("8 early", "8 middle", "8 late")
BESIDE = "8 up"  # the video model's maps of the same size that find the object best


class TransformerNoise(AttentionNoise):
    """How well do the maps of the video transformer find the object, and how noisy are they?"""

    compared = (MODEL,)

    def cases(self) -> list[Case]:
        """Every prompt with every seed."""
        cases: list[Case] = []
        for group, nouns in zip(GROUPS, (held_out_prompts(), PAPER), strict=True):
            for prompt, word in nouns.items():
                about: Case = {"model": MODEL, "group": group, "prompt": prompt, "word": word}
                cases += [about | {"seed": seed} for seed in SEEDS]
        return cases

    def summary(self, rows: Sequence[Row]) -> dict:
        """Means over prompts of every statistic of each place, beside those of a perfect map; and what was seen."""
        table: dict = {}
        for group in GROUPS:
            members = select(rows, "group", group)
            table[group] = {place: figures_of(members, place) for place in PLACES}
        held_out = select(rows, "group", GROUPS[0])
        table["pictures"] = {name: mean(held_out, name) for name in ("seen", "area")}
        return table

    def show(self, table: dict) -> None:
        """Print the figures of the held-out prompts."""
        rows = []
        for place, figures in table[GROUPS[0]].items():
            rows.append([place, *(figure_text(figures[name]["model"]) for name in STATISTICS)])
        print(table_text(["place", *STATISTICS], rows))


def figures_of(rows: Sequence[Row], place: str) -> dict[str, dict[str, Estimate]]:
    """Every statistic of a place, of the model and of a perfect map of the same objects."""
    figures = {}
    for name in STATISTICS:
        figures[name] = {"model": mean(rows, f"{name} {place}"), "perfect": mean(rows, f"perfect {name} {place}")}
    return figures


def mean(rows: Sequence[Row], column: str) -> Estimate:
    """The mean over prompts of a column."""
    return Estimate.mean(by_prompt(rows, MODEL, column).values())


def beside_video(rows: Sequence[Row], video_rows: Sequence[Row], place: str) -> dict[str, Estimate]:
    """Transformer minus video model, prompt by prompt, of held-out prompts: a place against that model's best of 8 x 8.

    `video_rows` are the rows of `attention_noise`.
    """
    ours, theirs = select(rows, "group", GROUPS[0]), select(video_rows, "group", GROUPS[0])
    changes = {}
    for name in NUMBERS:
        own = by_prompt(ours, MODEL, f"{name} {place}")
        changes[name] = Estimate.difference(own, by_prompt(theirs, VIDEO, f"{name} {BESIDE}"))
    return changes


def differences(rows: Sequence[Row], video_rows: Sequence[Row]) -> list[str]:
    """In words, for each place, what differs from the video model so that the interval is without 0."""
    lines = []
    for place in PLACES:
        changes = beside_video(rows, video_rows, place)
        certain = {name: change for name, change in changes.items() if change.excludes(0.0)}
        said = [f"{name} {figure_text(change, '+.3f')}" for name, change in certain.items()]
        lines.append(f"**{place.split()[1]} blocks**: {', '.join(said) or 'nothing differs'}")
    return lines
