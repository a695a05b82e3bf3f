"""Exercises on tracks: boxes along a path, targets as maps have them, how well a path is kept, and words left out."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..arguments import checked
from ..edits.targets import track
from ..kinds import takes
from ..measures.adherence import mean_iou as measured_iou
from .parts import mean_over_all
from .verdict import Inputs, Verdict, judge

Boxes = Annotated[Callable, takes(4)]
Mask = Annotated[Callable, takes(3)]
Overlap = Annotated[Callable, takes(2)]
Energy = Annotated[Callable, takes(1)]


@checked
def line_boxes(function: Boxes) -> Verdict:
    """Check `function(start, end, size, frames)`: the boxes x0, y0, x1, y1 of a path, (frames, 4), none cut off.

    start and end are centres (x, y), and size is (width, height), tensors in shares of the picture.
    """
    calls: list[Inputs] = [
        (torch.tensor([0.2, 0.3]), torch.tensor([0.7, 0.6]), torch.tensor([0.3, 0.2]), 5),
        (torch.tensor([0.6, 0.75]), torch.tensor([0.4, 0.25]), torch.tensor([0.1, 0.4]), 3),
    ]
    return judge(function, _boxes, BOX_MISTAKES, calls, "line_boxes")


def _boxes(start: Tensor, end: Tensor, size: Tensor, frames: int) -> Tensor:
    path = track([tuple(start.tolist()), tuple(end.tolist())], size=tuple(size.tolist()))
    return torch.from_numpy(path.boxes(frames)).float()


def _around(centres: Tensor, half: Tensor) -> Tensor:
    return torch.cat([centres - half, centres + half], 1)


def _centres(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    return start + share[:, None] * (end - start)


def _even(frames: int) -> Tensor:
    return torch.linspace(0, 1, frames)


BOX_MISTAKES = {
    "line_boxes never arrives: in the last frame, number frames - 1, the share of the way must be 1":
        lambda start, end, size, frames: _around(_centres(start, end, torch.arange(frames) / frames), size / 2),
    "line_boxes has begun to move in the first frame: there the share of the way must be 0":
        lambda start, end, size, frames: _around(_centres(start, end, (torch.arange(frames) + 1) / frames), size / 2),
    "line_boxes makes boxes twice as wide and high: an edge is half a size away from the centre":
        lambda start, end, size, frames: _around(_centres(start, end, _even(frames)), size),
    "line_boxes goes from the end to the start":
        lambda start, end, size, frames: _around(_centres(end, start, _even(frames)), size / 2),
    "line_boxes has y before x: a box is left, upper, right, lower edge":
        lambda start, end, size, frames: _boxes(start, end, size, frames)[:, [1, 0, 3, 2]],
    "line_boxes exchanges width and height":
        lambda start, end, size, frames: _around(_centres(start, end, _even(frames)), size.flip(0) / 2),
    "line_boxes takes the centre for the upper left corner: the box lies around it":
        lambda start, end, size, frames: torch.cat([centres := _centres(start, end, _even(frames)), centres + size], 1),
    "line_boxes gives centre and size: give the two corners, x0, y0, x1, y1":
        lambda start, end, size, frames: torch.cat(
            [_centres(start, end, _even(frames)), size.expand(frames, 2)], 1),
}  # fmt: skip


@checked
def box_mask(function: Mask) -> Verdict:
    """Check `function(box, height, width)`: 1 where the middle of a cell is inside x0, y0, x1, y1, (height, width)."""
    calls: list[Inputs] = [
        (torch.tensor([0.21, 0.1, 0.68, 0.33]), 8, 8),
        (torch.tensor([0.45, 0.28, 0.9, 0.93]), 4, 6),
        (torch.tensor([0.05, 0.6, 0.48, 0.97]), 16, 16),
    ]
    return judge(function, _mask, MASK_MISTAKES, calls, "box_mask")


def _mask(box: Tensor, height: int, width: int) -> Tensor:
    return _inside(box, height, width, 0.5)


def _inside(box: Tensor, height: int, width: int, part: float) -> Tensor:
    """1 in cells of which a point is inside: part 0 is their left and upper edge, 0.5 their middle, 1 the others."""
    x, y = (torch.arange(width) + part) / width, (torch.arange(height) + part) / height
    rows, columns = (box[1] <= y) & (y <= box[3]), (box[0] <= x) & (x <= box[2])
    return (rows[:, None] & columns).float()


def _touched(box: Tensor, height: int, width: int) -> Tensor:
    rows, columns = torch.arange(height), torch.arange(width)
    across = (box[0] < (columns + 1) / width) & (columns / width < box[2])
    down = (box[1] < (rows + 1) / height) & (rows / height < box[3])
    return (down[:, None] & across).float()


MASK_MISTAKES = {
    "box_mask looks at the left and upper edge of a cell: its middle is half a cell further, at (number + 0.5) / count":
        lambda box, height, width: _inside(box, height, width, 0.0),
    "box_mask looks at the right and lower edge of a cell: its middle is at (number + 0.5) / count":
        lambda box, height, width: _inside(box, height, width, 1.0),
    "box_mask takes every cell that the box touches: only those count whose middle is inside": _touched,
    "box_mask turns y upside down: y points down, so row 0 is at the top":
        lambda box, height, width: _mask(box, height, width).flip(0),
    "box_mask exchanges x and y: rows are about y, the second and fourth number of a box":
        lambda box, height, width: _mask(box[[1, 0, 3, 2]], height, width),
    "box_mask is 1 outside: exchange inside and outside": lambda box, height, width: 1 - _mask(box, height, width),
    "box_mask takes rows or columns: a cell must be inside by both":
        lambda box, height, width: _mask(box * torch.tensor([0, 1, 0, 1]) + torch.tensor([0, 0, 1, 0]), height, width
        ).maximum(_mask(box * torch.tensor([1, 0, 1, 0]) + torch.tensor([0, 0, 0, 1]), height, width)),
}  # fmt: skip


@checked
def mean_iou(function: Overlap) -> Verdict:
    """Check `function(boxes, targets)`: intersection over union of (frames, 4), mean over frames, 0 for a row of NaN.

    In one call the object is seen in every frame, and in one other it is not.
    """
    targets = torch.tensor([[0.1, 0.1, 0.5, 0.4], [0.2, 0.3, 0.6, 0.6], [0.3, 0.5, 0.7, 0.8], [0.5, 0.6, 0.9, 0.9]])
    boxes = torch.tensor([[0.2, 0.1, 0.5, 0.5], [0.2, 0.4, 0.5, 0.6], [0.4, 0.4, 0.8, 0.7], [0.1, 0.1, 0.3, 0.3]])
    lost = boxes.clone()
    lost[1] = torch.nan  # a frame in which the detector sees nothing
    return judge(function, _overlap, OVERLAP_MISTAKES, [(boxes, targets), (lost, targets)], "mean_iou")


def _overlap(boxes: Tensor, targets: Tensor) -> Tensor:
    return torch.tensor(measured_iou(boxes.numpy(), targets.numpy()))


def _sides(boxes: Tensor) -> Tensor:
    return boxes[:, 2:] - boxes[:, :2]


def _common(boxes: Tensor, targets: Tensor, floor: float = 0.0) -> Tensor:
    """Areas that boxes share; `floor` is the smallest side, 0 or -infinity for one that is left negative."""
    low, high = boxes[:, :2].maximum(targets[:, :2]), boxes[:, 2:].minimum(targets[:, 2:])
    return (high - low).clamp(min=floor).prod(1)


def _areas(boxes: Tensor, targets: Tensor) -> Tensor:
    """Areas of both, the common ones counted twice."""
    return _sides(boxes).prod(1) + _sides(targets).prod(1)


def _ratio(boxes: Tensor, targets: Tensor, floor: float = 0.0) -> Tensor:
    common = _common(boxes, targets, floor)
    return common / (_areas(boxes, targets) - common)


OVERLAP_MISTAKES = {
    "mean_iou leaves out the frames without the object: there the overlap is 0, or losing it would cost nothing":
        lambda boxes, targets: _ratio(boxes, targets).nanmean(),
    "mean_iou is not a number where the object is not seen: put 0 there, before the mean":
        lambda boxes, targets: _ratio(boxes, targets).mean(),
    "mean_iou counts the common area twice in the union: subtract it once":
        lambda boxes, targets: mean_over_all(_common(boxes, targets) / _areas(boxes, targets)),
    "mean_iou lets two negative sides make an area: a side of the common part is at least 0":
        lambda boxes, targets: mean_over_all(_ratio(boxes, targets, floor=-torch.inf)),
    "mean_iou divides by the target alone: a huge box would be perfect; divide by the union":
        lambda boxes, targets: mean_over_all(_common(boxes, targets) / _sides(targets).prod(1)),
    "mean_iou divides the sum of the common areas by that of the unions: take the ratio of each frame, then the mean":
        lambda boxes, targets: _common(boxes, targets).nansum()
        / (_areas(boxes, targets) - _common(boxes, targets)).nansum(),
    "mean_iou returns one number for each frame: take their mean":
        lambda boxes, targets: _ratio(boxes, targets).nan_to_num(0),
}  # fmt: skip


@checked
def neediest(function: Energy) -> Verdict:
    """Check `function(maps)`: 1 - the largest value of a word's map, of the word for which it is largest, (frames,).

    Maps are (words, frames, height, width).
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for shape in ((2, 5, 4, 4), (3, 2, 3, 5)):
        calls.append((torch.rand(shape, generator=generator) / 2,))
    return judge(function, _neediest, NEEDIEST_MISTAKES, calls, "neediest")


def _neediest(maps: Tensor) -> Tensor:
    return (1 - maps.amax((-2, -1))).amax(0)


NEEDIEST_MISTAKES = {
    "neediest helps the word that is there already: the one that is worst off has the largest energy":
        lambda maps: (1 - maps.amax((-2, -1))).amin(0),
    "neediest adds the words up: only the one that is worst off counts": lambda maps: (1 - maps.amax((-2, -1))).sum(0),
    "neediest takes the mean of the words: only the one that is worst off counts":
        lambda maps: (1 - maps.amax((-2, -1))).mean(0),
    "neediest takes the mean of a map: one bright place is enough, so take its largest value":
        lambda maps: (1 - maps.mean((-2, -1))).amax(0),
    "neediest grows with the attention: guidance goes downhill, so take 1 minus it":
        lambda maps: maps.amax((-2, -1)).amin(0),
    "neediest gives one number: each frame has one of its own": lambda maps: _neediest(maps).max(),
    "neediest gives a number for each word: take the largest of them, the first axis":
        lambda maps: 1 - maps.amax((-2, -1)),
}  # fmt: skip
