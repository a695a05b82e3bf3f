"""Stories as tensors keep every number, and the stories of a seed are the same forever."""

import random
import zlib

import numpy as np
import pytest
import torch
from stories_for_tests import actor

from xattn_helpers.pocket.world.batches import ABSENT, collate, sample_batch
from xattn_helpers.pocket.world.stories import Story, sample_story
from xattn_helpers.pocket.world.vocabulary import MEDIA, OBJECTS


@pytest.fixture(scope="module")
def alone_and_pair():
    """A story of one actor, and one of two."""
    stories = [sample_story(random.Random(seed)) for seed in range(20)]
    alone = next(story for story in stories if len(story.actors) == 1)
    pair = next(story for story in stories if len(story.actors) == 2)
    return alone, pair


def test_the_stories_of_a_seed_are_the_same_forever():
    """Known answers: the models in the repository were trained on these stories, and must be trained on them again."""
    _, stories = sample_batch(500, seed=0)
    captions = "\n".join(story.caption for story in stories)
    image_captions = "\n".join(story.image_caption for story in stories)
    assert zlib.crc32(captions.encode()) == 1286373965
    assert zlib.crc32(image_captions.encode()) == 2592576715


def test_collating_keeps_every_number(alone_and_pair):
    alone, pair = alone_and_pair
    batch = collate(alone_and_pair)
    names = list(OBJECTS)
    assert batch.objects.tolist() == [
        [names.index(alone.actors[0].name), ABSENT],
        [names.index(pair.actors[0].name), names.index(pair.actors[1].name)],
    ]
    assert [list(MEDIA)[index] for index in batch.scene] == [alone.scene, pair.scene]
    assert batch.backdrop.tolist() == [alone.backdrop, pair.backdrop]
    for slot in (0, 1):
        actor = pair.actors[slot]
        assert batch.position[1, slot].numpy() == pytest.approx(actor.position, abs=1e-6)
        assert batch.size[1, slot].numpy() == pytest.approx(actor.size, abs=1e-6)
        assert batch.angle[1, slot].numpy() == pytest.approx(np.pi / 180 * actor.angle, abs=1e-6)
        assert batch.facing[1, slot].numpy() == pytest.approx(actor.facing)
    assert not batch.size[0, 1].any()


def test_a_batch_knows_its_own_shape(alone_and_pair):
    batch = collate(alone_and_pair)
    assert (len(batch), batch.actors, batch.frames) == (2, 2, 16)
    assert (len(batch[:1]), batch[:1].actors, batch[:1].frames) == (1, 2, 16)


def test_selected_stories_are_those_at_the_index():
    batch, _ = sample_batch(5, seed=1)
    selected = batch[torch.tensor([3, 0, 3])]
    for name, tensor in vars(batch).items():
        assert torch.equal(getattr(selected, name), torch.stack([tensor[3], tensor[0], tensor[3]])), name


def test_selected_frames_are_each_story_s_own():
    batch, _ = sample_batch(2, seed=3)
    selected = batch.select_frames(torch.tensor([[15, 4, 4], [0, 0, 9]]))
    for name in ("position", "size", "angle", "facing"):
        track = getattr(batch, name)
        expected = torch.stack([track[0, :, [15, 4, 4]], track[1, :, [0, 0, 9]]])
        assert torch.equal(getattr(selected, name), expected), name
    assert torch.equal(selected.scene, batch.scene) and torch.equal(selected.objects, batch.objects)
    assert torch.equal(selected.backdrop, batch.backdrop) and selected.frames == 3


def test_stories_of_different_lengths_are_an_error():
    stories = [Story("in the sky", 0, [actor(frames=frames)], "", "") for frames in (2, 3)]
    with pytest.raises(ValueError, match=r"stories: 2 with \[2, 3\] frames given; all must have the same number"):
        collate(stories)


def test_no_stories_are_an_error():
    with pytest.raises(ValueError, match="stories: 0 with"):
        collate([])
