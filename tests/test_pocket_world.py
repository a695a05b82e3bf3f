"""Drawing the pocket world: whole batches of videos, the same for the same seed."""

import pytest
import torch

from xattn_helpers.pocket.world.batches import sample_batch
from xattn_helpers.pocket.world.drawing import SIDE, World

# Of six stories: mean red, green and blue of the first and the last frame, and pixels of each actor in these frames.
DRAWN = {
    "a small ball floats near a bird on the water": (
        [[133.5, 189.9, 200.5], [130.1, 188.6, 198.1]], [[547, 540], [1187, 713]],
    ),
    "a bee stays still on the beach": (
        [[183.4, 208.6, 190.5], [183.5, 208.6, 190.5]], [[379, 383], [0, 0]],
    ),
    "a shark and a small burger in the ocean": (
        [[69.6, 116.3, 157.5], [68.5, 115.4, 157.2]], [[821, 821], [1414, 1316]],
    ),
    "a penguin and a bus in the snow": (
        [[191.5, 190.3, 186.7], [192.8, 194.5, 194.7]], [[987, 2698], [3681, 2287]],
    ),
    "a wolf runs up at night": (
        [[30.2, 36.1, 76.8], [30.5, 36.3, 76.6]], [[1336, 1321], [0, 0]],
    ),
    "a duck flies in the sky": (
        [[145.1, 194.0, 230.1], [141.6, 192.0, 229.7]], [[1134, 1125], [0, 0]],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def cpu():
    return World()


def test_what_is_drawn_for_a_seed_is_the_same_forever(cpu):
    """Known answers, of the program that drew the training set of the models in the repository."""
    batch, stories = sample_batch(6, seed=2)
    assert [story.caption for story in stories] == list(DRAWN)
    video, masks = cpu.draw(batch.select_frames(torch.tensor([[0, 15]] * 6)))
    for index, (colours, areas) in enumerate(DRAWN.values()):
        assert 255 * video[index].mean((2, 3)) == pytest.approx(torch.tensor(colours), abs=0.2)
        assert masks[index].flatten(2).sum(2) == pytest.approx(torch.tensor(areas), abs=5)


def test_the_same_seed_gives_the_same_pixels(cpu):
    def draw(seed):
        return cpu.draw(sample_batch(3, seed)[0].select_frames(torch.tensor([[0, 15]] * 3)))[0]

    assert torch.equal(draw(7), draw(7))
    assert not torch.equal(draw(7), draw(8))


def test_a_batch_is_drawn_as_its_stories_are_one_by_one(cpu):
    batch, stories = sample_batch(6, seed=0)
    assert {len(story.actors) for story in stories} == {1, 2}
    batch = batch.select_frames(torch.tensor([[3, 12]] * 6))
    video, masks = cpu.draw(batch)
    assert video.shape == (6, 2, 3, SIDE, SIDE) and masks.shape == (6, 2, 2, SIDE, SIDE) and masks.dtype == torch.bool
    for index in range(6):
        video_alone, masks_alone = cpu.draw(batch[index : index + 1])
        assert torch.allclose(video[index], video_alone[0], atol=1e-5) and torch.equal(masks[index], masks_alone[0])


def test_chosen_frames_are_those_of_the_whole_video(cpu):
    batch, _ = sample_batch(2, seed=3)
    video, masks = cpu.draw(batch)
    chosen_video, chosen_masks = cpu.draw(batch.select_frames(torch.tensor([[15, 4], [0, 0]])))
    assert torch.allclose(chosen_video, torch.stack([video[0, [15, 4]], video[1, [0, 0]]]), atol=1e-5)
    assert torch.equal(chosen_masks, torch.stack([masks[0][:, [15, 4]], masks[1][:, [0, 0]]]))


def test_the_video_stays_between_black_and_white(cpu):
    video, _ = cpu.draw(sample_batch(4, seed=4)[0].select_frames(torch.tensor([[0, 15]] * 4)))
    assert 0 <= video.min() and video.max() <= 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_draws_the_same(cpu):
    batch, _ = sample_batch(4, seed=0)
    batch = batch.select_frames(torch.tensor([[0, 8]] * 4))
    ours, theirs = cpu.draw(batch), World("cuda").draw(batch)
    assert torch.allclose(ours[0], theirs[0].cpu(), atol=1e-3)
    assert (ours[1] != theirs[1].cpu()).float().mean() < 1e-4
