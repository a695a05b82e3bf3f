"""What a figure shows, in words: for whom cannot see it, in a notebook and on its page."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

LONGEST = 400  # characters; what is longer is not listened to
PICTURES = ("image/png", "image/jpeg", "image/svg+xml", "image/webp")


def describe_figures() -> None:
    """From now on, every matplotlib figure that this kernel displays brings its description along.

    Without a kernel, nothing happens. It leaves alone which formats figures are displayed in.
    """
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    formatter = getattr(shell, "display_formatter", None)
    if formatter is not None:
        formatter.mimebundle_formatter.for_type(Figure, _bundle)


def description_of(figure: Figure) -> str:
    """A figure in words: its label where somebody set one (`figure.set_label`), else its titles, axes and legends.

    At most 400 characters.
    """
    label = str(figure.get_label() or "")
    if label:
        return label
    axes = [ax for ax in figure.axes if ax.get_visible()]
    pictures = [ax for ax in axes if ax.images and not ax.lines]
    plots = [ax for ax in axes if ax not in pictures]
    parts = [_title(figure), _of_pictures(pictures), *[_of_plot(ax) for ax in plots]]
    text = " ".join(part for part in parts if part) or "A figure."
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _bundle(figure: Figure) -> tuple[dict, dict[str, Any]]:
    """No data of its own: the formatters of pictures give it, and find the description beside."""
    alternative = {"alt": description_of(figure)}
    return {}, {picture: dict(alternative) for picture in PICTURES}


def _title(figure: Figure) -> str:
    text = figure.get_suptitle()
    return f"{_one_line(text)}." if text else ""


def _of_pictures(axes: list[Axes]) -> str:
    """Pictures in rows and columns, by what stands on their left and on top."""
    if not axes:
        return ""
    count = "A picture" if len(axes) == 1 else f"{len(axes)} pictures"
    rows = _different(ax.get_ylabel() for ax in axes)
    columns = _different(ax.get_title() for ax in axes)
    parts = [count]
    if rows:
        parts.append(f"rows: {'; '.join(rows)}")
    if columns:
        parts.append(f"{'columns: ' if rows else ''}{'; '.join(columns)}")
    return ". ".join(parts) + "."


def _of_plot(ax: Axes) -> str:
    """A plot by its title, axes and legend."""
    across, up, title = (_one_line(text) for text in (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()))
    axes = f"{up or 'values'} against {across}" if across else up
    legend = ax.get_legend()
    names = _different(text.get_text() for text in legend.get_texts()) if legend else []
    parts = [part for part in (title, axes, ", ".join(names)) if part]
    return f"Plot: {'; '.join(parts)}." if parts else ""


def _different(texts: Any) -> list[str]:
    """Texts that are not empty, each once."""
    return list(dict.fromkeys(_one_line(text) for text in texts if text))


def _one_line(text: str) -> str:
    return " ".join(text.replace("$", "").split())
