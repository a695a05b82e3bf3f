"""Videos, images and attention maps made visible: in a notebook, in a file, in a figure.

Everywhere a video is uint8 (frames, height, width, 3), or float in [0, 1], an image is a video of one frame, with or
without that axis, and maps are finite numbers (frames, h, w) of any resolution; numpy arrays and torch tensors alike.
A wrong argument raises ValueError with its name, what was given and what is possible.

Why not `mediapy.show_videos`: it needs an ffmpeg binary, which Binder, Windows and plain CI lack. Pillow alone writes
an animated WebP, about as small as a short MP4, which loops in every current browser, so in Jupyter, Colab and
exported HTML. mediapy does what it is better at here: conversions to uint8, colour maps, and MP4 files.
"""

import html
import io
import textwrap
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import matplotlib.colors
import matplotlib.pyplot as plt
import mediapy
import numpy as np
from IPython.display import HTML
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from PIL import Image

Color = str | tuple[int, int, int]  # a matplotlib name or "#rrggbb", or three integers in 0..255
QUALITY = 70  # of lossy WebP, of 100: a clip of 128 pixels takes 20 kB, and a notebook may hold many
COLORMAP = "magma"  # dark where there is no attention: in an overlay, the attended part looks lit
NEAREST, BILINEAR = Image.Resampling.NEAREST, Image.Resampling.BILINEAR


def show(
    *videos: ArrayLike,
    titles: Sequence[str] | str | None = None,
    fps: float = 8,
    width: int | None = None,
    columns: int | None = None,
) -> HTML:
    """Plays clips side by side, in a loop, in the notebook.

    titles: one per video. width: of each clip in CSS pixels (the browser scales, so the data stays small), by default
    that of the first, at least 200. columns: clips in a row, by default as many as fit into 1000 pixels.
    Raises ValueError for no video, another number of titles than videos, and fps, width or columns of 0 or less.
    """
    _require(videos, "videos", "none", "one or more arrays: show(first, second)")
    clips = [_video(video, f"videos[{i}]") for i, video in enumerate(videos)]
    titles = _labels(titles, "titles", len(clips))
    width = max(200, clips[0].shape[2]) if width is None else width
    columns = max(1, 1000 // max(width, 1)) if columns is None else columns
    _require(min(fps, width, columns) > 0, "fps, width, columns", (fps, width, columns), "numbers above 0")
    # A table, not a flexbox: sanitizers (an untrusted notebook, GitHub) strip styles but keep tables.
    cells = [_html_cell(clip, title, fps, width) for clip, title in zip(clips, titles, strict=True)]
    rows = ["".join(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    body = "".join(f'<tr style="background:none">{row}</tr>' for row in rows)
    return HTML(f'<table style="border:0;margin:0"><tbody>{body}</tbody></table>')


def save(video: ArrayLike, path: str | Path, fps: float = 8) -> Path:
    """Writes a video as .webp (small), .gif (plays anywhere), .png (lossless, animated) or .mp4; returns the path.

    Missing folders are made. Raises ValueError for another suffix or fps <= 0, RuntimeError for .mp4 without ffmpeg.
    """
    clip, path = _video(video), Path(path)
    suffix = path.suffix.lower()
    _require(suffix in (".webp", ".gif", ".png", ".mp4"), "path", path, "a name in .webp, .gif, .png or .mp4")
    _require(fps > 0, "fps", fps, "a number above 0")
    if suffix == ".mp4" and not _find_ffmpeg():
        raise RuntimeError(
            f"path: given {path}, but .mp4 needs ffmpeg, which is not found. Install it (apt install ffmpeg, conda"
            " install ffmpeg or pip install imageio-ffmpeg), or save as .webp, .gif or .png."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix == ".mp4":
        mediapy.write_video(path, clip, fps=fps, qp=20)
    else:
        path.write_bytes(_encode(clip, fps, suffix[1:]))
    return path


def strip(video: ArrayLike, frames: int | Sequence[int] = 4, gap: int = 2) -> np.ndarray:
    """Puts some frames of a video into one row, with white gaps: uint8 (height, total width, 3).

    frames: which ones, or how many (evenly spaced from first to last, at most all there are); 4 of 16 are 0, 5, 10, 15.
    Raises ValueError for a frame that the video lacks, for no frame at all, and for gap < 0.
    """
    clip = _video(video)
    if isinstance(frames, (int, np.integer)):
        frames = np.linspace(0, len(clip) - 1, max(0, min(frames, len(clip)))).round().astype(int)
    known = len(frames) > 0 and all(-len(clip) <= frame < len(clip) for frame in frames)
    _require(known, "frames", list(frames), f"a count above 0, or numbers of frames up to {len(clip) - 1}")
    _require(gap >= 0, "gap", gap, "0 pixels or more")
    white = np.full((clip.shape[1], gap, 3), 255, np.uint8)
    return np.concatenate([part for frame in frames for part in (white, clip[frame])][1:], axis=1)


def overlay(
    video: ArrayLike, maps: ArrayLike, alpha: float = 0.6, colormap: str = COLORMAP, per_frame: bool = False
) -> np.ndarray:
    """Lays attention maps over a video, in colour: uint8 (frames, height, width, 3).

    maps: (frames, h, w), min-max normalised over the whole clip, so that frames compare, or each frame by itself;
    enlarged bilinearly. alpha in [0, 1]: 0 shows the video alone, 1 the maps alone.
    Raises ValueError for another number of maps than frames, an unknown colormap, alpha outside [0, 1].
    """
    clip = _video(video)
    values = _unit(_maps(maps, frames=len(clip)), each=per_frame)
    return _blend(clip, _colored(_resize(values, clip.shape[1:3], BILINEAR), colormap), alpha)


def draw_boxes(video: ArrayLike, boxes: ArrayLike, color: Color = "red", thickness: int = 2) -> np.ndarray:
    """Draws one box per frame into a copy of the video: uint8 (frames, height, width, 3).

    boxes: (frames, 4) as x0, y0, x1, y1 in [0, 1], y down; a row with NaN draws nothing, and what lies outside the
    picture is cut off. thickness: in pixels, inwards.
    Raises ValueError for another shape, boxes in pixels, x1 < x0 or y1 < y0, an unknown color, thickness < 1.
    """
    clip, boxes = _video(video).copy(), _numpy(boxes)
    frames, height, width, _ = clip.shape
    _require(boxes.shape == (frames, 4), "boxes", f"shape {boxes.shape}", f"shape {(frames, 4)}: one box per frame")
    wrong = (boxes[:, 2:] < boxes[:, :2]).any(axis=1) | (np.abs(boxes) > 2).any(axis=1)  # NaN compares as False
    _require(not wrong.any(), "boxes", boxes[wrong][:1], "x0 <= x1 and y0 <= y1, as fractions of the picture")
    _require(thickness >= 1, "thickness", thickness, "1 pixel or more")
    edges = (boxes * (width, height, width, height)).round()  # Shape: (frames, 4), in pixels
    inner = edges + np.array([1, 1, -1, -1]) * thickness
    clip[_inside(edges, height, width) & ~_inside(inner, height, width)] = _rgb(color)
    return clip


def draw_mask(video: ArrayLike, masks: ArrayLike, color: Color = "red", alpha: float = 0.4) -> np.ndarray:
    """Tints masks and draws their outline in a copy of the video: uint8 (frames, height, width, 3).

    masks: (frames, h, w), bool or only 0 and 1, enlarged by nearest neighbour. alpha in [0, 1]: strength of the tint;
    0 leaves the outline alone.
    Raises ValueError for another number of masks than frames, other values, an unknown color, alpha outside [0, 1].
    """
    clip = _video(video)
    values = _maps(masks, "masks", frames=len(clip))
    _require(np.isin(values, (0, 1)).all(), "masks", _summary(values), "only 0 and 1, as from soft_mask > .5")
    inside = _resize(values, clip.shape[1:3], NEAREST) > 0
    near = np.pad(inside, ((0, 0), (1, 1), (1, 1)), mode="edge")  # no outline along the edge of the picture
    core = near[:, 2:, 1:-1] & near[:, :-2, 1:-1] & near[:, 1:-1, 2:] & near[:, 1:-1, :-2]
    paint = np.broadcast_to(_rgb(color), clip.shape)
    tinted = np.where(inside[..., None], _blend(clip, paint, alpha), clip)
    return np.where((inside & ~core)[..., None], paint, tinted)


def heatmaps(maps: ArrayLike, size: int = 128, colormap: str = COLORMAP, per_frame: bool = False) -> np.ndarray:
    """Turns attention maps into pictures where every attention pixel stays visible: uint8 (n, height, width, 3).

    maps: (n, h, w), min-max normalised together or each by itself. size: pixels of the longer side.
    Raises ValueError for another shape, an unknown colormap, size < 1.
    """
    values = _unit(_maps(maps), each=per_frame)
    _require(size >= 1, "size", size, "1 pixel or more")
    height, width = (max(1, round(size * side / max(values.shape[1:]))) for side in values.shape[1:])
    return _colored(_resize(values, (height, width), NEAREST), colormap)


def image_grid(
    rows: Sequence[Sequence[ArrayLike | None]],
    row_titles: Sequence[str] | None = None,
    column_titles: Sequence[str] | None = None,
    cell: float = 1.2,
    colormap: str = COLORMAP,
) -> Figure:
    """Draws rows of images and maps as one small figure, with titles on the left and on top.

    rows: lists of images (height, width, 3), maps (h, w), each drawn in its own range (for a common one pass
    `heatmaps`), or None for an empty cell; lengths may differ. cell: height of a row in inches.
    Raises ValueError for no cells, videos in a cell, another number of titles than rows or columns, cell <= 0.
    """
    _require(cell > 0, "cell", cell, "inches above 0")
    columns = max((len(row) for row in rows), default=0)
    _require(columns, "rows", "no cells", "lists of images or maps")
    left = [textwrap.fill(title, 24) for title in _labels(row_titles, "row_titles", len(rows))]
    top = _labels(column_titles, "column_titles", columns)
    cells = [[_cell(image, colormap) for image in [*row, *[None] * (columns - len(row))]] for row in rows]
    widths = [max(image.shape[1] / image.shape[0] for image in column) for column in zip(*cells, strict=True)]
    size = cell * (sum(widths) + 1.2 * any(left)), cell * (len(cells) + 0.2 * any(top))
    shape = {"nrows": len(cells), "ncols": columns, "width_ratios": widths, "squeeze": False}
    figure, axes = plt.subplots(**shape, figsize=size, dpi=90, layout="compressed")
    plt.close(figure)  # it is returned: the inline backend would show it a second time
    for i, j in np.ndindex(axes.shape):
        axes[i, j].imshow(cells[i][j])
        axes[i, j].set(xticks=[], yticks=[])
        axes[i, j].spines[:].set_visible(False)
    for ax, title in zip(axes[:, 0], left, strict=True):
        ax.set_ylabel(title, rotation=0, ha="right", va="center", size=9)
    for ax, title, width in zip(axes[0], top, widths, strict=True):
        ax.set_title(textwrap.fill(title, max(8, int(14 * cell * width))), size=9)
    return figure


def contact_sheet(
    videos: Sequence[ArrayLike], captions: Sequence[str], frames: int | Sequence[int] = 4, cell: float = 1.2
) -> Figure:
    """Draws one row of frames per video, its caption on the left, as one figure.

    frames: as in `strip`. cell: as in `image_grid`. Raises ValueError for another number of captions than videos.
    """
    captions = _labels(captions, "captions", len(videos))
    return image_grid([[strip(video, frames)] for video in videos], row_titles=captions, cell=cell)


def _require(condition: object, name: str, given: object, possible: str) -> None:
    if not condition:
        raise ValueError(f"{name}: given {given}; possible: {possible}.")


def _numpy(values: ArrayLike) -> np.ndarray:
    if hasattr(values, "detach"):  # a torch tensor, on any device
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() else values  # numpy has no bfloat16
    return np.asarray(values)


def _video(video: ArrayLike, name: str = "video") -> np.ndarray:
    array = _numpy(video)
    array = array[None] if array.ndim == 3 else array
    fits = array.ndim == 4 and array.shape[-1] == 3 and array.size and array.dtype.kind in "fu"
    if fits and array.dtype.kind == "f":
        fits = array.min() >= 0 and array.max() <= 1
        array = mediapy.to_uint8(array) if fits else array
    possible = "uint8, or float in [0, 1], of shape (frames, height, width, 3), for an image also (height, width, 3)"
    _require(fits and array.dtype == np.uint8, name, _summary(array), possible)
    return array


def _maps(maps: ArrayLike, name: str = "maps", frames: int | None = None) -> np.ndarray:
    array = _numpy(maps)
    array = array[None] if array.ndim == 2 else array
    fits = array.ndim == 3 and array.size and array.dtype.kind in "fbiu" and np.isfinite(array).all()
    _require(fits, name, _summary(array), "finite numbers of shape (frames, h, w), for one map also (h, w)")
    _require(frames in (None, len(array)), name, f"{len(array)} for {frames} frames", "one per frame of the video")
    return array.astype(np.float32)


def _summary(array: np.ndarray) -> str:
    values = f" from {array.min():.3g} to {array.max():.3g}" if array.size and array.dtype.kind in "fiu" else ""
    return f"{array.dtype} of shape {array.shape}{values}"


def _labels(labels: Sequence[str] | str | None, name: str, count: int) -> list[str]:
    labels = [labels] if isinstance(labels, str) else [""] * count if labels is None else list(labels)
    _require(len(labels) == count, name, f"{len(labels)}, {labels}", f"exactly {count}")
    return labels


def _unit(maps: np.ndarray, each: bool) -> np.ndarray:
    """Min-max normalises maps to [0, 1], all together or each by itself; constant maps become 0."""
    axes = (1, 2) if each else None
    low, high = maps.min(axis=axes, keepdims=True), maps.max(axis=axes, keepdims=True)
    return (maps - low) / np.where(high > low, high - low, 1)


def _resize(maps: np.ndarray, size: tuple[int, int], how: Image.Resampling) -> np.ndarray:
    # Not mediapy.resize_video: that is always Lanczos, which leaves dark and bright rings around a peak.
    return np.stack([np.asarray(Image.fromarray(one).resize(size[::-1], how)) for one in maps])


def _colored(values: np.ndarray, colormap: str) -> np.ndarray:
    possible = "'magma', 'inferno', 'viridis', 'gray' or another name in matplotlib.colormaps"
    _require(colormap in matplotlib.colormaps, "colormap", repr(colormap), possible)
    return mediapy.to_uint8(mediapy.to_rgb(values, vmin=0, vmax=1, cmap=colormap))


def _rgb(color: Color) -> np.ndarray:
    if isinstance(color, str) and matplotlib.colors.is_color_like(color):
        return mediapy.to_uint8(np.array(matplotlib.colors.to_rgb(color)))
    array = np.asarray(color)
    fits = array.shape == (3,) and array.dtype.kind in "iu" and array.min() >= 0 and array.max() <= 255
    _require(fits, "color", repr(color), "a name such as 'red', '#rrggbb', or three integers in 0..255")
    return array.astype(np.uint8)


def _blend(below: np.ndarray, above: np.ndarray, alpha: float) -> np.ndarray:
    _require(0 <= alpha <= 1, "alpha", alpha, "a number in [0, 1]")
    return ((1 - alpha) * below + alpha * above + 0.5).astype(np.uint8)


def _inside(edges: np.ndarray, height: int, width: int) -> np.ndarray:
    """Marks the pixels inside boxes given in pixels: bool (frames, height, width), all False where a box is NaN."""
    x0, y0, x1, y1 = edges.T[:, :, None, None]  # Shape of each: (frames, 1, 1)
    x, y = np.arange(width), np.arange(height)[:, None]
    return (x >= x0) & (x < x1) & (y >= y0) & (y < y1)


def _encode(clip: np.ndarray, fps: float, file_format: str = "webp") -> bytes:
    first, *rest = [Image.fromarray(frame) for frame in clip]
    timing = {"duration": max(1, round(1000 / fps)), "loop": 0}  # milliseconds per frame; 0: forever
    buffer = io.BytesIO()
    moving = {"save_all": True, "append_images": rest, **timing} if rest else {}
    first.save(buffer, file_format, quality=QUALITY, **moving)
    return buffer.getvalue()


def _html_cell(clip: np.ndarray, title: str, fps: float, width: int) -> str:
    data, title = b64encode(_encode(clip, fps)).decode(), html.escape(title)
    alt = title or ("an image" if len(clip) == 1 else f"a video of {len(clip)} frames")
    image = f'<img src="data:image/webp;base64,{data}" width="{width}" alt="{alt}" style="image-rendering:auto">'
    caption = f"<div>{title}</div>" if title else ""
    return f'<td style="text-align:center;vertical-align:bottom;padding:4px">{caption}{image}</td>'


def _find_ffmpeg() -> bool:
    if not mediapy.video_is_available():
        try:
            import imageio_ffmpeg  # optional: a wheel that brings a binary

            mediapy.set_ffmpeg(imageio_ffmpeg.get_ffmpeg_exe())
        except (ImportError, RuntimeError):
            return False
    return mediapy.video_is_available()


def _cell(image: ArrayLike | None, colormap: str) -> np.ndarray:
    """Makes one cell of a grid: uint8 (height, width, 3); None becomes a white pixel."""
    array = np.ones((1, 1, 3)) if image is None else _numpy(image)
    is_image = array.ndim > 2 and array.shape[-1] == 3
    pictures = _video(array, "rows") if is_image else _colored(_unit(_maps(array, "rows"), each=True), colormap)
    _require(len(pictures) == 1, "rows", f"{len(pictures)} pictures in one cell", "one image or map per cell")
    return pictures[0]
