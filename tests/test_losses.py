"""What the networks minimise, against hand computations and diffusers."""

from types import SimpleNamespace

import pytest
import torch
from diffusers import DDPMScheduler
from diffusers.schedulers.scheduling_ddpm import rescale_zero_terminal_snr
from torch import nn

from xattn_helpers.pocket import losses
from xattn_helpers.pocket.losses import (
    build_scheduler,
    class_map,
    diffusion_loss,
    draw_timesteps,
    reconstruction_loss,
    rescale,
    spoil,
    through,
    timestep_weights,
)

EMPTY = torch.tensor([[7, 7, 7]])
ALPHAS = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").alphas_cumprod


def text_encoder(tokens):
    """Embeddings that are the tokens themselves."""
    return SimpleNamespace(last_hidden_state=tokens[..., None].float())


class Oracle(nn.Module):
    """Knows the latents, hence the noise, by diffusers' schedule; answers noise + `error`, and remembers its calls."""

    def __init__(self, latents, error=0.0):
        super().__init__()
        self.latents, self.error = latents, error
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, noisy, timesteps, embeddings):
        kept = ALPHAS[timesteps].view(-1, *[1] * (noisy.ndim - 1))
        self.noisy, self.timesteps, self.embeddings = noisy, timesteps, embeddings
        self.noise = (noisy - kept.sqrt() * self.latents) / (1 - kept).sqrt()
        return SimpleNamespace(sample=self.noise + self.error)


def loss_of(oracle):
    count = len(oracle.latents)
    batch_of = lambda n: (oracle.latents[:n], torch.arange(3 * count).view(count, 3)[:n] + 100)  # noqa: E731
    return diffusion_loss(batch_of, text_encoder, EMPTY)(oracle, count)


@pytest.fixture(params=((64, 4, 4, 4), (32, 4, 3, 4, 4)), ids=("images", "videos"))
def latents(request):
    torch.manual_seed(0)
    return torch.randn(request.param)


# The diffusion objective


def test_noise_is_added_as_diffusers_does(latents):
    oracle = Oracle(latents)
    loss_of(oracle)
    # Not build_scheduler().add_noise: before set_timesteps, DPMSolverMultistepScheduler counts timesteps backwards.
    scheduler = DDPMScheduler.from_config(build_scheduler().config)
    assert torch.allclose(oracle.noisy, scheduler.add_noise(latents, oracle.noise, oracle.timesteps), atol=1e-5)
    assert oracle.noise.mean().abs() < 0.05 and oracle.noise.std() == pytest.approx(1, abs=0.05)
    assert oracle.timesteps.min() < 100 and oracle.timesteps.max() > 900 and oracle.timesteps.unique().numel() > 20


def test_who_knows_the_noise_has_no_loss(latents):
    assert loss_of(Oracle(latents)).item() < 1e-6


def test_a_constant_error_costs_its_square_times_the_weights(latents):
    oracle = Oracle(latents, error=0.5)
    weights = timestep_weights(ALPHAS, largest=10.0)
    assert loss_of(oracle).item() == pytest.approx(0.25 * weights[oracle.timesteps].mean().item(), rel=1e-4)


def test_a_tenth_of_the_captions_is_empty():
    torch.manual_seed(0)
    oracle = Oracle(torch.zeros(2000, 1, 1, 1))
    loss_of(oracle)
    tokens = oracle.embeddings[..., 0].long()
    dropped = (tokens == EMPTY).all(1)
    assert dropped.float().mean() == pytest.approx(0.1, abs=0.02)
    assert torch.equal(tokens[~dropped], (torch.arange(6000).view(2000, 3) + 100)[~dropped])


@pytest.mark.parametrize("share", (0.0, 1.0))
def test_all_or_none_of_the_captions_can_be_empty(monkeypatch, share):
    monkeypatch.setattr(losses, "EMPTY_SHARE", share)
    oracle = Oracle(torch.zeros(50, 1, 1, 1))
    loss_of(oracle)
    assert (oracle.embeddings[..., 0] == EMPTY).all(1).float().mean() == share


def test_gradients_reach_the_network_and_not_the_text_encoder():
    encoder = nn.Linear(3, 3)

    def encode(tokens):
        return SimpleNamespace(last_hidden_state=encoder(tokens.float()))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, noisy, timesteps, embeddings):
            return SimpleNamespace(sample=self.weight * noisy + embeddings.mean())

    network = Network()
    diffusion_loss(lambda n: (torch.ones(n, 1, 2, 2), torch.ones(n, 3)), encode, EMPTY)(network, 4).backward()
    assert network.weight.grad.abs() > 0 and encoder.weight.grad is None


def test_timestep_weights_against_hand_computation():
    signal = torch.tensor([0.99, 0.9, 0.5, 0.25, 0.05])  # snr 99, 9, 1, 1/3, 1/19
    raw = torch.tensor([100 / 99 * 5 / 99, 10 / 9 * 5 / 9, 2, 4, 10])  # 1 + 19 = 20 is capped
    assert torch.allclose(timestep_weights(signal, largest=10.0), raw / raw.mean())


def test_timestep_weights_are_one_on_average_and_grow_with_the_noise():
    weights = timestep_weights(ALPHAS, largest=10.0)
    assert weights.mean().item() == pytest.approx(1) and (weights.diff() >= -1e-6).all() and weights.min() > 0


def test_half_of_a_focus_is_drawn_from_the_noisiest_part():
    torch.manual_seed(0)
    drawn = draw_timesteps(20_000, 1000, share=0.5, begin=0.8)
    assert drawn.min() >= 0 and drawn.max() < 1000
    assert (drawn >= 800).float().mean().item() == pytest.approx(0.5 + 0.5 * 0.2, abs=0.02)
    assert draw_timesteps(500, 1000, share=1.0, begin=0.9).min() >= 900


def test_rescaling_to_no_signal_is_that_of_diffusers():
    betas = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").betas.double()
    assert torch.allclose(rescale((1 - betas).cumprod(0), 0.0), rescale_zero_terminal_snr(betas))


def test_the_schedule_of_videos_ends_in_less_signal_and_begins_alike():
    image, video = (build_scheduler(kind).alphas_cumprod.sqrt() for kind in ("image", "video"))
    assert video[-1].item() == pytest.approx(0.03, abs=1e-4) and image[-1].item() == pytest.approx(0.0683, abs=1e-3)
    assert video[0].item() == pytest.approx(image[0].item(), abs=1e-5) and (video.diff() < 0).all()


def test_videos_weigh_the_noisiest_steps_more_than_images():
    image, video = (timestep_weights(ALPHAS, losses.LARGEST_WEIGHT[kind]) for kind in ("image", "video"))
    assert video[-1] / video[0] > 3 * image[-1] / image[0]


def test_the_schedule_is_that_of_stable_diffusion():
    scheduler = build_scheduler()
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    assert torch.allclose(scheduler.alphas_cumprod, (1 - betas).cumprod(0))
    assert scheduler.config.prediction_type == "epsilon"
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]  # trailing: starts in pure noise


# Pictures


def test_reconstruction_loss_by_hand():
    wanted = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    assert reconstruction_loss(torch.zeros(1, 1, 2, 2), wanted).item() == pytest.approx(0.5 + 0.5 + 0.5 * (1 + 0))
    assert reconstruction_loss(wanted.clone(), wanted).item() == 0
    shifted = wanted + 0.1  # its edges are right
    assert reconstruction_loss(shifted, wanted).item() == pytest.approx(0.1 + 0.01)


def test_class_map_by_hand():
    masks = torch.tensor([[[[1, 0, 0]], [[0, 1, 0]]], [[[0, 1, 1]], [[0, 0, 0]]]], dtype=torch.bool)
    objects = torch.tensor([[4, 0], [2, -1]])  # the second picture has one actor
    assert class_map(masks, objects).tolist() == [[[5, 1, 0]], [[0, 3, 3]]]


def test_through_encodes_and_decodes_in_the_range_of_the_autoencoder():
    seen = []

    def vae(pixels):
        seen.append(pixels)
        return SimpleNamespace(sample=pixels * 1.5)

    pixels = torch.tensor([[[[0.0, 0.25, 0.5, 1.0]]]], requires_grad=True)
    back = through(vae, pixels)
    assert torch.allclose(seen[0], torch.tensor([-1, -0.5, 0, 1.0]))
    assert torch.allclose(back, torch.tensor([0, 0.125, 0.5, 1.0])) and not back.requires_grad


def test_spoiling_changes_each_picture_a_little_and_differently():
    torch.manual_seed(0)
    pixels = torch.full((8, 3, 16, 16), 0.5)
    spoiled = spoil(pixels)
    shift = (spoiled - pixels).mean((1, 2, 3))
    assert 0 <= spoiled.min() and spoiled.max() <= 1
    assert shift.abs().max() < 0.11 and shift.std() > 0.01
    assert (spoiled - pixels).std((1, 2, 3)).max() < 0.04
    assert spoil(torch.ones(8, 3, 4, 4)).max() <= 1
