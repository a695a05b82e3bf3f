"""What shows or measures pictures takes tensors of a GPU, alone and in lists: numpy refuses to read these itself."""

import numpy as np
import pytest
import torch
from display_videos import moving_square

from xattn_helpers.display import contact_sheet, draw_boxes, draw_mask, heatmaps, image_grid, overlay, strip
from xattn_helpers.measures.boxes import areas, boxes_of, centres, detected, frame_iou, masks_of


class OnGpu(torch.Tensor):
    """A tensor that, like one on a GPU, becomes an array only after `cpu`."""

    def cpu(self):
        """The plain tensor."""
        return self.as_subclass(torch.Tensor)

    def numpy(self, **options):
        """Refuse, as torch does."""
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor first.")

    def __array__(self, dtype=None, copy=None):
        return self.numpy()


def on_gpu(array):
    return torch.as_tensor(array).as_subclass(OnGpu)


VIDEO = moving_square()
MAPS = np.random.default_rng(0).random((len(VIDEO), 8, 8), np.float32)
MASKS = np.zeros((len(VIDEO), *VIDEO.shape[1:3]), bool)
MASKS[:, 4:9, 6:20] = True
BOXES = boxes_of(MASKS)

CALLS = {
    "draw_boxes": (lambda video, maps, masks, boxes: draw_boxes(video, boxes)),
    "draw_mask": (lambda video, maps, masks, boxes: draw_mask(video, masks)),
    "overlay": (lambda video, maps, masks, boxes: overlay(video, maps)),
    "heatmaps": (lambda video, maps, masks, boxes: heatmaps(maps)),
    "strip": (lambda video, maps, masks, boxes: strip(video, 3)),
    "boxes_of": (lambda video, maps, masks, boxes: boxes_of(masks)),
    "masks_of": (lambda video, maps, masks, boxes: masks_of(boxes, 16, 16)),
    "detected": (lambda video, maps, masks, boxes: detected(boxes)),
    "centres": (lambda video, maps, masks, boxes: centres(boxes)),
    "areas": (lambda video, maps, masks, boxes: areas(boxes)),
    "frame_iou": (lambda video, maps, masks, boxes: frame_iou(boxes, boxes)),
}
CONTAINERS = {"tensor": on_gpu, "list": lambda array: [on_gpu(part) for part in array]}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", CALLS)
def test_a_tensor_of_a_gpu_gives_what_an_array_gives(name, container):
    arrays = (VIDEO, MAPS, MASKS, BOXES)
    wanted = CALLS[name](*arrays)
    np.testing.assert_array_equal(CALLS[name](*map(CONTAINERS[container], arrays)), wanted)


def test_the_cells_of_a_grid_and_the_videos_of_a_sheet_may_be_tensors_of_a_gpu():
    grids = []
    for convert in (np.asarray, on_gpu):
        grids.append(image_grid([[convert(VIDEO[0]), convert(MAPS[0])], [convert(MAPS[1])]]))
        grids.append(contact_sheet([convert(VIDEO)], ["a square"]))
    for wanted, figure in zip(grids[:2], grids[2:], strict=True):
        for axes, same in zip(wanted.axes, figure.axes, strict=True):
            np.testing.assert_array_equal(same.images[0].get_array(), axes.images[0].get_array())


def test_the_stand_in_is_refused_by_numpy():
    with pytest.raises(TypeError, match="cuda:0"):
        np.asarray(on_gpu(MAPS))
    with pytest.raises(TypeError, match="cuda:0"):
        np.asarray([on_gpu(MAPS)])
