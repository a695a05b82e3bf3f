"""The shapes of the pocket networks, and the video model before any training on video."""

from copy import deepcopy

import pytest
import torch
from diffusers.models.attention_processor import Attention

from xattn_helpers.backbones.temporal import align_rows, temporal_layers
from xattn_helpers.pocket.networks import build_image_unet, build_vae, build_video_unet, inflate
from xattn_helpers.pocket.text import MAX_TOKENS, WIDTH

FRAMES = 2
LAYOUT = [("down", 16), ("down", 16), ("down", 8), ("down", 8), ("mid", 4), *[("up", 8)] * 3, *[("up", 16)] * 3]


@pytest.fixture(scope="module")
def image_unet():
    torch.manual_seed(0)
    return build_image_unet().eval()


@pytest.fixture(scope="module")
def video_unet(image_unet):
    torch.manual_seed(1)
    return inflate(image_unet, build_video_unet()).eval()


@pytest.fixture(scope="module")
def inputs():
    """Latents (batch, 4, frames, 16, 16), a timestep each, and text."""
    generator = torch.Generator().manual_seed(2)
    latents = torch.randn(2, 4, FRAMES, 16, 16, generator=generator)
    return latents, torch.tensor([20, 900]), torch.randn(2, MAX_TOKENS, WIDTH, generator=generator)


@torch.no_grad()
def layout(unet, latents):
    """(place, side) of every layer that attends to text, in the order in which they run."""
    seen = []

    def note(name):
        def hook(layer, args, keywords, output):
            if keywords.get("encoder_hidden_states") is not None:
                seen.append((name.split("_")[0], round(args[0].shape[1] ** 0.5)))

        return hook

    hooks = [
        module.register_forward_hook(note(name), with_kwargs=True)
        for name, module in unet.named_modules()
        if isinstance(module, Attention)
    ]
    unet(latents, 10, torch.zeros(1, MAX_TOKENS, WIDTH))
    for hook in hooks:
        hook.remove()
    return seen


# Layout


def test_the_image_model_attends_to_text_where_the_paper_looks(image_unet):
    assert layout(image_unet, torch.zeros(1, 4, 16, 16)) == LAYOUT


def test_the_video_model_attends_to_text_in_the_same_places(video_unet):
    assert layout(video_unet, torch.zeros(1, 4, 1, 16, 16)) == LAYOUT


def test_heads_have_32_channels_in_both_models(image_unet, video_unet):
    for unet in (image_unet, video_unet):
        text_layers = [m for name, m in unet.named_modules() if name.endswith("attn2") and ".attentions." in name]
        assert len(text_layers) == 11
        assert all(layer.inner_dim // layer.heads == 32 for layer in text_layers)


def test_the_networks_fit_into_the_repository(image_unet, video_unet):
    parts = (image_unet, video_unet, build_vae())
    assert 2 * sum(weight.numel() for part in parts for weight in part.parameters()) < 41 * 2**20  # bytes in fp16


@torch.no_grad()
def test_the_autoencoder_makes_latents_of_16_by_16_and_pixels_again():
    vae = build_vae()
    latents = vae.encode(torch.zeros(1, 3, 128, 128)).latent_dist.mode()
    assert latents.shape == (1, 4, 16, 16)
    assert vae.decode(latents).sample.shape == (1, 3, 128, 128)


# Inflation


@torch.no_grad()
def test_an_inflated_model_predicts_what_the_image_model_does_frame_by_frame(image_unet, video_unet, inputs):
    latents, timesteps, text = inputs
    together = video_unet(latents, timesteps, text).sample
    for frame in range(FRAMES):
        alone = image_unet(latents[:, :, frame], timesteps, text).sample
        assert alone.std() > 0.01
        assert (together[:, :, frame] - alone).abs().max() < 1e-5


def test_every_tensor_of_the_image_model_is_copied(image_unet, video_unet):
    inflated = video_unet.state_dict()
    for name, tensor in image_unet.state_dict().items():
        assert torch.equal(inflated[name], tensor), name


def test_what_is_new_in_the_video_model_mixes_frames(image_unet, video_unet):
    mixing = {id(weight) for layer in temporal_layers(video_unet) for weight in layer.parameters()}
    new = {name for name, weight in video_unet.named_parameters() if id(weight) in mixing}
    assert new == set(video_unet.state_dict()) - set(image_unet.state_dict())


@torch.no_grad()
def test_frames_talk_once_a_temporal_layer_is_trained(image_unet, inputs):
    latents, timesteps, text = inputs
    video_unet = inflate(image_unet, build_video_unet()).eval()
    changed = latents.clone()
    changed[:, :, -1] += 1

    def first_frame_changes():
        before = video_unet(latents, timesteps, text).sample[:, :, 0]
        after = video_unet(changed, timesteps, text).sample[:, :, 0]
        return (before - after).abs().max()

    assert first_frame_changes() < 1e-5
    torch.nn.init.normal_(temporal_layers(video_unet)[0].proj_out.weight, std=0.1)
    assert first_frame_changes() > 1e-3


def test_rows_that_are_aligned_give_the_same_prediction_and_gradient(video_unet, inputs):
    (latents, timesteps, text), results = (tensor[:1] for tensor in inputs), []  # of two clips they are aligned anyway
    before = deepcopy(video_unet)
    torch.nn.init.normal_(temporal_layers(before)[0].proj_out.weight, std=0.1)  # else it says nothing
    after = deepcopy(before)
    align_rows(after)
    for network, is_aligned in ((before, False), (after, True)):
        seen, moving = [], latents.clone().requires_grad_(True)
        temporal_layers(network)[0].proj_in.register_forward_hook(lambda _, rows, out, to=seen: to.append(rows[0]))
        prediction = network(moving, timesteps, text).sample
        results.append((prediction.detach(), *torch.autograd.grad(prediction.square().sum(), moving)))
        assert seen[0].is_contiguous() == is_aligned
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_a_tensor_without_a_place_is_an_error_that_names_it():
    image_unet = build_image_unet()
    image_unet.register_parameter("foreign", torch.nn.Parameter(torch.zeros(1)))
    with pytest.raises(RuntimeError, match="no place for 1 tensors, foreign the first"):
        inflate(image_unet, build_video_unet())


def test_a_tensor_of_another_shape_is_an_error():
    image_unet = build_image_unet()
    image_unet.conv_out = torch.nn.Conv2d(64, 5, 3, padding=1)
    with pytest.raises(RuntimeError, match="conv_out.weight"):
        inflate(image_unet, build_video_unet())
