"""What the networks minimise, against hand computations and diffusers."""

from types import SimpleNamespace

import pytest
import torch
from diffusers import DDPMScheduler
from torch import nn

from xattn_helpers.pocket.training import losses
from xattn_helpers.pocket.training.losses import (
    DiffusionLoss,
)
from xattn_helpers.pocket.training.schedule import build_scheduler, timestep_weights

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
    tokens = torch.arange(3 * count).view(count, 3) + 100

    def sample(number):
        return oracle.latents[:number], tokens[:number]

    return DiffusionLoss(sample, text_encoder, EMPTY)(oracle, count)


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
    weights = timestep_weights(ALPHAS, "image")
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
    loss = DiffusionLoss(lambda count: (torch.ones(count, 1, 2, 2), torch.ones(count, 3)), encode, EMPTY)
    loss(network, 4).backward()
    assert network.weight.grad.abs() > 0 and encoder.weight.grad is None


def test_a_video_s_loss_uses_the_schedule_the_weights_and_the_focus_of_videos():
    torch.manual_seed(0)
    oracle = Oracle(torch.zeros(200, 4, 2, 4, 4), error=0.5)
    loss = DiffusionLoss(lambda _: (oracle.latents, torch.ones(200, 3)), text_encoder, EMPTY, "video", (1.0, 0.9))
    expected_alphas = build_scheduler("video").alphas_cumprod
    assert torch.equal(loss.alpha_bar, expected_alphas)
    assert torch.equal(loss.weights, timestep_weights(expected_alphas, "video"))
    loss(oracle, 200)
    assert oracle.timesteps.min() >= 900
