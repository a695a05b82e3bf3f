"""Making videos, maps, figures and tables visible, and explorers to turn them by hand.

`from xattn_helpers.display import show, overlay, markdown_table` needs no widgets; the explorers, which do, are in
`xattn_helpers.display.explorers`.
"""

from .descriptions import describe_figures, description_of
from .figures import contact_sheet, image_grid
from .galleries import gallery, hand_in, leaderboard
from .notebooks import play_clips
from .overlays import draw_boxes, draw_mask, heatmaps, overlay
from .plots import draw_intervals, draw_shares, draw_signed
from .tables import bullets, change_text, figure_text, markdown_table, number_text, percent_text, table_text
from .videos import save, show, strip

__all__ = [
    "bullets", "change_text", "contact_sheet", "describe_figures", "description_of", "draw_boxes", "draw_intervals",
    "draw_mask", "draw_shares", "draw_signed", "figure_text", "gallery", "hand_in", "heatmaps", "image_grid",
    "leaderboard", "markdown_table", "number_text", "overlay", "percent_text", "play_clips", "save", "show", "strip",
    "table_text",
]  # fmt: skip

describe_figures()
play_clips()
