"""The picture of `neighbours` beside its table: adherence against cost."""

from pathlib import Path

from .neighbours.picture import pareto_picture
from .running import WORK
from .store import RESULTS, load_table
from .study import Report


class NeighboursPicture(Report):
    """Adherence against cost, of every way to put an object where it shall be, as one picture."""

    def write(self, folder: Path | None = None) -> list[Path]:
        """Draw the stored table; a smoke run draws that of the smoke run of the study."""
        stored = WORK / "smoke" / "results" if self.smoke else RESULTS
        if not (stored / "neighbours.json").exists():
            return []
        file = (folder or stored) / "neighbours.webp"
        pareto_picture(load_table("neighbours", stored)).savefig(file, dpi=100, pil_kwargs={"quality": 70})
        return [file]
