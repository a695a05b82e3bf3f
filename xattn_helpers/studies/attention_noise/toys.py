"""Maps of which one knows what is wrong with them, to see to what a number is blind."""

import torch
from jaxtyping import Bool, Float
from matplotlib.figure import Figure
from torch import Tensor

from ...display.figures import image_grid
from ...measures.map_quality import auroc, roughness

SIDE = 16  # cells
ROW, COLUMN, RADIUS = 9, 6, 4.2  # of the object, a disc

Toy = Float[Tensor, "side side"]


def disc() -> Bool[Tensor, "side side"]:
    """The object."""
    return _distance() <= RADIUS


def toys() -> dict[str, Toy]:
    """Maps of a disc by what is wrong with them; the noise is the same each time."""
    distance, inside = _distance(), disc().float()
    chance = torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return {
        "perfect": inside + 0.05,
        "faint": 0.02 * inside + 1,
        "blurred": torch.exp(-((distance / 5) ** 2)),
        "outline": torch.exp(-((distance - RADIUS) ** 2)) + 0.05,
        "with noise": inside + 1.5 * chance,
        "only noise": chance,
    }


def _distance() -> Toy:
    """Of each cell from the object's centre."""
    places = torch.arange(SIDE)
    return ((places[:, None] - ROW) ** 2 + (places - COLUMN) ** 2).sqrt()


def toy_figure() -> Figure:
    """Each of these maps, with its AUROC and its roughness."""
    titles = []
    for name, values in toys().items():
        right, ragged = float(auroc(values, disc())), float(roughness(values))
        titles.append(f"{name}: AUROC {right:.2f}, roughness {ragged:.2f}")
    return image_grid([list(toys().values())], column_titles=titles, cell=1.5)
