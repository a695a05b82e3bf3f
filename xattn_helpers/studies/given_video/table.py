"""The table of `given_video`: from a row an edit to figures with their intervals."""

from collections.abc import Mapping, Sequence

from ...display.tables import figure_text, table_text
from ...measures.statistics import Estimate
from ..rows import Row, column

NEAR = 0.1  # of the picture's diagonal: an object whose centre is nearer to the true one, in the mean, is on its path
MEANS = {  # column: name of the figure
    "iou": "IoU with the true mask",
    "old iou": "IoU with the given mask",
    "distance": "distance from the true path",
    "appearance": "change of appearance",
    "psnr": "background PSNR",
    "ssim": "background SSIM",
    "autoencoder psnr": "autoencoder's PSNR",
    "autoencoder ssim": "autoencoder's SSIM",
    "truth psnr": "drawn truth's PSNR",
    "truth ssim": "drawn truth's SSIM",
    "filled psnr": "PSNR where the object was",
    "seconds": "seconds",
}
ASKED = {  # of an exchanged object, by model
    "pocket-dit": {
        "new object seen": 0.95, "old object gone": 0.95, "IoU with the true mask": 0.6, "background PSNR": 33,
    },
    "pocket": {"new object seen": 0.85, "old object gone": 0.85, "background PSNR": 30},
}  # fmt: skip
DIGITS = {"background PSNR": ".1f"}
SHOWN = ("new object seen", "old object gone", "IoU with the true mask", "path kept", "background PSNR")
PRINTED = (*SHOWN, "seconds")


def summary(rows: Sequence[Row]) -> dict:
    """Figures by model, kind of edit and setting, in the order of the rows."""
    table: dict[str, dict[str, dict[str, dict[str, Estimate]]]] = {}
    for (model, kind, setting), members in grouped(rows).items():
        table.setdefault(model, {}).setdefault(kind, {})[setting] = figures(members, kind)
    return table


def grouped(rows: Sequence[Row]) -> dict[tuple[str, str, str], list[Row]]:
    """The rows of each model, kind of edit and setting."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["model"], row["kind"], row["setting"]), []).append(row)
    return groups


def figures(rows: Sequence[Row], kind: str) -> dict[str, Estimate]:
    """The figures of one setting. An object that stays has no old one that could be gone."""
    table = {}
    if kind != "removal":
        table["new object seen"] = Estimate.rate(row["new seen"] for row in rows)
        table["path kept"] = Estimate.rate(on_path(row) for row in rows)
    if kind in ("object", "removal"):
        table["old object gone"] = Estimate.rate(not row["old seen"] for row in rows)
    for name, title in MEANS.items():
        values = column(rows, name)
        if values:
            table[title] = Estimate.mean(values)
    return table


def on_path(row: Row) -> bool:
    """Whether the object is near its true path; one that is lost is not."""
    return bool(row["new seen"]) and row["distance"] is not None and row["distance"] < NEAR


def line(name: str, table: Mapping[str, Estimate]) -> str:
    """One setting in a line."""
    parts = [f"{title} {table[title].value:.3f}" for title in PRINTED if title in table]
    count = table["background PSNR"].n
    return f"{name} (n = {count}): " + ", ".join(parts)


def markdown(table: dict) -> str:
    """What was asked of an exchanged object, and what is reached; then every setting, and what bounds a background."""
    return "\n\n".join([asked_table(table), settings_table(table), *bounds(table)])


def asked_table(table: Mapping, answers: Mapping[str, str] | None = None) -> str:
    """What was asked of an exchanged object, and what a setting reaches: "edit", or another for each model."""
    rows = []
    for model, asked in ASKED.items():
        own = table.get(model, {}).get("object", {}).get((answers or {}).get(model, "edit"), {})
        for title, bound in asked.items():
            if title in own:
                rows.append([model, title, f"≥ {bound:g}", own[title].format()])
    return table_text(["model", "object exchanged", "asked", "reached"], rows)


def settings_table(table: Mapping) -> str:
    """A row for each model, kind of edit and setting. Times are left out: many processes may have shared a GPU."""
    rows = []
    for model, kinds in table.items():
        for kind, settings in kinds.items():
            for name, own in settings.items():
                cells = [figure_text(own[title], DIGITS.get(title, ".2f")) if title in own else "" for title in SHOWN]
                rows.append([model, kind, name, *cells])
    return table_text(["model", "edit", "setting", *SHOWN], rows)


def bounds(table: Mapping) -> list[str]:
    """For each model, what the autoencoder alone leaves of the background, and what the drawn truth has."""
    sentences = []
    for model, kinds in table.items():
        own = kinds.get("object", {}).get("edit", {})
        if own:
            alone, truth = (figure_text(own[title], ".1f") for title in ("autoencoder's PSNR", "drawn truth's PSNR"))
            sentences.append(f"Backgrounds, `{model}`: the autoencoder alone {alone} dB, the drawn truth {truth} dB.")
    return sentences
