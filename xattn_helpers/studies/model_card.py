"""Write the pocket models' card, the pages of results, and README's pictures and table: report `model_card`.

Tables come from `studies/results/`, training curves from `pocket/weights/training.json`, and the contact sheets are
generated here, ten prompts with the first seed, not the best.
"""

import re
from collections.abc import Callable
from pathlib import Path

from xattn_helpers import load

from ..display.tables import table_text
from ..pocket import WEIGHTS
from . import full_size_picture, guidance_cost, quality_table
from .card_pictures import (
    PROMPTS,
    draw_curves,
    draw_hero,
    draw_sheet,
    trained_networks,
    training_notes,
    training_runs,
)
from .checks import EARLIER_WEIGHTS
from .guidance import choices
from .models import missing, present
from .running import WORK
from .store import load_table, origin
from .study import Report, Study, find

CARD = WEIGHTS.parent / "MODEL_CARD.md"
TEMPLATE = Path(__file__).with_name("model_card.template.md")
TRANSFORMER = Path(__file__).with_name("model_card.transformer.md")
README = Path(__file__).parents[2] / "README.md"
PICTURES = README.parent / "docs"
RESULTS, NOISE = PICTURES / "RESULTS.md", PICTURES / "NOISE.md"
QUALITY = "pocket_quality"
VIDEO, DIT = "pocket", "pocket-dit"
Sections = dict[str, Callable[[], str]]  # what makes each, by the comment that it stands at


class ModelCard(Report):
    """Writes the model card, the results and README's table from the stored tables, and draws their pictures."""

    compared = ("pocket-t2i", VIDEO, DIT)

    def write(self, folder: Path | None = None) -> list[Path]:
        """The card, the pages of results, README, and the pictures; all of them into one folder if one is given.

        A smoke run writes into a folder of its own, and says where a table is missing instead of failing.
        """
        folder = folder or (WORK / "smoke" / "model_card" if self.smoke else None)
        pictures = folder or PICTURES
        pictures.mkdir(parents=True, exist_ok=True)
        files = self.draw(pictures)
        written = {CARD: fill(TEMPLATE.read_text(), self.texts(card_sections()), closed=False)}
        for file, sections in pages().items():
            written[file] = fill(file.read_text(), self.texts(sections), closed=True)
        for file, text in written.items():
            target = folder / file.name if folder else file
            target.write_text(text)
            files.append(target)
        return files

    def draw(self, folder: Path) -> list[Path]:
        """Contact sheets of the models, the moving picture, and training curves."""
        files, prompts = [], PROMPTS[:1] if self.smoke else PROMPTS
        for name in self.present:
            model = load(name)
            files.append(draw_sheet(model, prompts, folder / f"{name}.webp", self.steps))
            if name == VIDEO:
                files.append(draw_hero(model, prompts, folder / "hero.webp", self.steps))
        return [*files, draw_curves(training_notes(WEIGHTS), folder / "pocket-training.webp")]

    def texts(self, sections: Sections) -> dict[str, str]:
        """What stands in each section."""
        texts = {}
        for name, make in sections.items():
            try:
                texts[name] = make()
            except (FileNotFoundError, ValueError) as error:
                if not self.smoke:
                    raise
                texts[name] = f"({error})"
        return texts


def card_sections() -> Sections:
    """What the card shows, by the comment in its template."""
    return {
        "detector": lambda: stored_table("detector_quality"),
        "quality": lambda: stored_table(QUALITY),
        "motions": lambda: quality_table.motion_table(load_table(QUALITY)),
        "school": lambda: section("motion_school"),
        "auroc": lambda: quality_table.auroc_table(load_table(QUALITY)),
        "objects": lambda: quality_table.objects_table(load_table(QUALITY)),
        "training": training_table,
        "sharpness": lambda: section("sharpness"),
        "transformer": transformer_section,
        "speed": lambda: stored_table("pocket_speed"),
        "waiting": lambda: section("waiting"),
        "source": lambda: source(QUALITY),
    }


def pages() -> dict[Path, Sections]:
    """What the pages show that have tables between comments."""
    noise = {"noise grid": lambda: section("noise_grid")}
    return {RESULTS: result_sections(), NOISE: noise, README: readme_sections()}


def readme_sections() -> Sections:
    """What README shows, by the comments around it."""
    return {
        "full size picture": lambda: full_size_picture.shown(README.parent),
    }


def result_sections() -> Sections:
    """What the page of results shows, by the comments around it."""
    return {
        "quality": lambda: section(QUALITY),
        "guidance": lambda: f"{section('guidance')} What it costs: {cost('for a track')}",
        "choices": lambda: choices.markdown(load_table("guidance")["settings"]),
        "neighbours": lambda: section("neighbours"),
        "conditions": lambda: section("conditions"),
        "left right": lambda: section("left_right"),
        "swap shapes": lambda: section("swap_shapes"),
        "resize": lambda: f"{section('resize')} What `size_edits` costs: {cost('for a size, with a bias')}",
        "full size": lambda: section("full_size"),
        "real size": lambda: section("real_size"),
        "given": lambda: section("given_video"),
        "given fresh": lambda: section("given_fresh"),
        "exchange": lambda: section("exchange_tuning"),
        "given exchange": lambda: section("given_exchange"),
        "repeats": lambda: section("repeats"),
    }


def transformer_section() -> str:
    """What the card says of the video transformer, or that its weights are not there yet."""
    if not present([DIT]):
        return f'`load("{DIT}")` is a video transformer; {missing([DIT])[0]}.'
    return fill(TRANSFORMER.read_text().strip(), {"maps": section("dit_maps")}, closed=False)


def section(name: str) -> str:
    """A stored table and where it comes from."""
    return f"{stored_table(name)}\n\n{source(name)}"


def source(name: str) -> str:
    """Where a stored table comes from, and which of its models had other weights then."""
    models = EARLIER_WEIGHTS.get(name, [])
    if not models:
        return origin(name)
    return f"{origin(name)} **The figures of `{', '.join(models)}` are of its weights before its last training.**"


def stored_table(name: str) -> str:
    """A stored table as its study writes it; raises ValueError for the name of a report."""
    study = find(name)()
    if not isinstance(study, Study):
        raise ValueError(f"{name} is a report, which stores no table")
    return study.markdown(load_table(name))


def cost(setting: str) -> str:
    """What a setting of guidance costs, in words."""
    return guidance_cost.sentence(load_table("guidance_cost")[setting])


def training_table() -> str:
    """Data and compute of each run of each network."""
    notes = training_notes(WEIGHTS)
    rows = []
    for name, title in trained_networks(notes).items():
        for count, note in enumerate(training_runs(notes[name])):
            rows.append([f"{title}, continued" if count else title, *training_cells(note)])
    header = ["network", "parameters", "steps", "batch", "learning rate", "minutes", "device", "date"]
    return table_text(header, rows)


def training_cells(note: dict) -> list[str]:
    """One run in words."""
    plan = note["plan"]
    return [
        f"{note['parameters'] / 1e6:.2f} M",
        f"{plan['steps']:,}" if plan["steps"] else "not noted",
        f"{plan['batch'] * note['processes']}",
        f"{plan['learning_rate']:g}",
        f"{note['seconds'] / 60:.1f}",
        f"{note['processes']} × {note['device']}",
        note["date"],
    ]


def fill(text: str, sections: dict[str, str], closed: bool) -> str:
    """A text with a section instead of each comment `<!-- name -->`, or, if closed, between it and `<!-- /name -->`.

    Raises ValueError for a section that has no such comment.
    """
    for name, content in sections.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        pattern = f"{re.escape(begin)}.*{re.escape(end)}" if closed else re.escape(begin)
        filled = f"{begin}\n{content}\n{end}" if closed else content
        pieces = re.split(pattern, text, flags=re.DOTALL)
        if len(pieces) != 2:
            raise ValueError(f"the text has {len(pieces) - 1} places for {name!r}; there must be one")
        text = filled.join(pieces)
    return text
