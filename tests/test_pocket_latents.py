"""The training set of the diffusion models, on a very small one."""

import pytest
import torch

from xattn_helpers.pocket.networks import build_vae
from xattn_helpers.pocket.text import MAX_TOKENS, build_tokenizer
from xattn_helpers.pocket.training import latents
from xattn_helpers.pocket.training.latents import LatentStories, encode_stories, tokenize
from xattn_helpers.pocket.world.batches import sample_batch
from xattn_helpers.pocket.world.captions import held_out
from xattn_helpers.pocket.world.drawing import World

STORIES, SEED = 3, 11


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer()


@pytest.fixture(scope="module")
def encoded(tokenizer, tmp_path_factory):
    """The file, and what was written into it by an autoencoder with a scaling factor of 2."""
    torch.manual_seed(0)
    vae, file = build_vae().eval(), tmp_path_factory.mktemp("work") / "new folder" / "latents.pt"
    vae.register_to_config(scaling_factor=2.0)
    return vae, file, encode_stories(vae, tokenizer, STORIES, SEED, "cpu", file)


def numbered(count=6, frames=2):
    """Latents and tokens tell story and frame; every other story is held out as a video, the first as an image."""
    number = torch.arange(count)
    latents = number.view(-1, 1, 1, 1, 1) + torch.arange(frames).view(-1, 1, 1, 1) / 8
    return LatentStories(
        latents=latents.half().expand(-1, -1, 4, 16, 16),
        video_tokens=number[:, None].repeat(1, MAX_TOKENS),
        image_tokens=10 * number[:, None].repeat(1, MAX_TOKENS),
        video_usable=number % 2 == 1,
        image_usable=number > 0,
        says_motion=number < 2,
    )


def test_latents_are_those_of_the_drawn_frames(encoded):
    vae, _, data = encoded
    batch, _ = sample_batch(STORIES, seed=SEED + 1)
    video, _ = World().draw(batch.select_frames(torch.tensor([[5]] * STORIES)))
    with torch.no_grad():
        expected = 2.0 * vae.encode(2 * video[:, 0] - 1).latent_dist.mode()
    assert data.latents.shape == (STORIES, 16, 4, 16, 16) and data.latents.dtype == torch.float16
    assert torch.allclose(data.latents[:, 5].float(), expected, atol=2e-3 * expected.abs().max().item())


def test_tokens_are_those_of_the_captions(encoded, tokenizer):
    _, stories = sample_batch(STORIES, seed=SEED + 1)
    assert torch.equal(encoded[2].video_tokens, tokenize(tokenizer, [story.caption for story in stories]))
    assert torch.equal(encoded[2].image_tokens, tokenize(tokenizer, [story.image_caption for story in stories]))
    assert encoded[2].video_usable.tolist() == [not held_out(story.caption) for story in stories]
    assert encoded[2].image_usable.tolist() == [not held_out(story.image_caption) for story in stories]
    assert encoded[2].says_motion.tolist() == [story.says_motion for story in stories]


def test_a_share_of_the_videos_can_come_from_captions_that_name_a_motion():
    torch.manual_seed(0)
    _, tokens = numbered().sample_videos(40, motion_share=0.75)
    assert (tokens[:30, 0] == 1).all()  # the only story that names one and is not held out
    assert set(tokens[30:, 0].tolist()) == {1, 3, 5}


def test_a_second_call_reads_the_file(encoded, monkeypatch):
    _, file, data = encoded
    monkeypatch.setattr(latents, "sample_batch", None)  # nothing is drawn
    again = encode_stories(None, None, STORIES, SEED, "cpu", file)
    for name, tensor in vars(data).items():
        assert torch.equal(tensor, getattr(again, name)), name


def test_captions_are_padded_to_one_length(tokenizer):
    tokens = tokenize(tokenizer, ["", "a ball rolls on the grass"])
    assert tokens.shape == (2, MAX_TOKENS)
    assert (tokens[0, 1:] == tokenizer.eos_token_id).all()


def test_held_out_stories_are_never_drawn():
    data = numbered()
    videos, video_tokens = data.sample_videos(200)
    assert videos.shape == (200, 4, 2, 16, 16) and videos.dtype == torch.float32
    assert set(videos[:, 0, 0, 0, 0].int().tolist()) == {1, 3, 5}
    images, image_tokens = data.sample_images(200)
    assert images.shape == (200, 4, 16, 16)
    assert set(images[:, 0, 0, 0].int().tolist()) == {1, 2, 3, 4, 5}
    assert torch.equal(video_tokens[:, 0], videos[:, 0, 0, 0, 0].long())  # each with its own caption
    assert torch.equal(image_tokens[:, 0], 10 * images[:, 0, 0, 0].long())


def test_videos_keep_the_order_of_frames_and_images_are_any_frame():
    data = numbered()
    videos, _ = data.sample_videos(20)
    assert (videos[:, 0, :, 0, 0] % 1).tolist() == [[0, 0.125]] * 20
    images, _ = data.sample_images(50)
    assert set((images[:, 0, 0, 0] % 1).tolist()) == {0, 0.125}
