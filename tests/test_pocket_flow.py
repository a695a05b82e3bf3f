"""Flow matching: the levels of noise, the loss, and the text as Wan reads it."""

import copy
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from diffusers import FlowMatchEulerDiscreteScheduler
from transformers import CLIPTextModel, CLIPTokenizer

from xattn_helpers.pocket import WEIGHTS
from xattn_helpers.pocket.networks import build_video_transformer
from xattn_helpers.pocket.training.fit import Plan, Training
from xattn_helpers.pocket.training.flow import IMAGE_SHIFT, VIDEO_SHIFT, FlowLoss, real_tokens, sample_sigmas
from xattn_helpers.pocket.training.latents import tokenize

CAPTIONS = ["a dog runs to the left on the grass", "", "a bus"]


@pytest.fixture(scope="module")
def tokenizer():
    return CLIPTokenizer.from_pretrained(WEIGHTS / "tokenizer", local_files_only=True)


@pytest.fixture(scope="module")
def encoder():
    return CLIPTextModel.from_pretrained(WEIGHTS / "text_encoder", dtype=torch.float32, local_files_only=True).eval()


class Data:
    """Fixed latents, one number a clip, and captions in turn."""

    def __init__(self, tokenizer):
        self.tokens = tokenize(tokenizer, CAPTIONS)
        self.asked = []

    def sample_videos(self, count, motion_share):
        self.asked.append(("videos", count, motion_share))
        return torch.ones(count, 4, 2, 16, 16), self.tokens[torch.arange(count) % 3]

    def sample_images(self, count):
        self.asked.append(("images", count))
        return torch.ones(count, 4, 16, 16), self.tokens[torch.arange(count) % 3]


class Watched(torch.nn.Module):
    """Predicts a constant velocity, and remembers what it was asked."""

    def __init__(self):
        super().__init__()
        self.velocity = torch.nn.Parameter(torch.tensor(0.5))
        self.calls = []

    def forward(self, latents, timestep, text, return_dict=True):
        self.calls.append(SimpleNamespace(latents=latents, timestep=timestep, text=text))
        return (self.velocity.expand_as(latents),)


def make_loss(tokenizer, encoder, image_share=0.0, **knobs):
    empty = tokenize(tokenizer, [""])
    options = {"motion_share": 0.3, "image_share": image_share, "images": 4} | knobs
    return FlowLoss(Data(tokenizer), encoder, empty, **options)


def test_levels_of_noise_are_shifted_as_diffusers_shifts_them():
    torch.manual_seed(0)
    sigmas = sample_sigmas(200_000, 1.0, "cpu")
    assert 0 < sigmas.min() and sigmas.max() < 1
    assert sigmas.mean() == pytest.approx(0.5, abs=0.005)
    ends = ((sigmas < 0.02) | (sigmas > 0.98)).float().mean()
    assert ends == pytest.approx(0.15 * 0.04, abs=0.002)  # a logit-normal hardly ever gives them
    torch.manual_seed(0)
    shifted = sample_sigmas(200_000, 3.0, "cpu")
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(sigmas=sigmas[:5].tolist())  # which shifts them
    torch.testing.assert_close(shifted[:5], scheduler.sigmas[:5])


def test_padding_begins_after_the_first_end_token(tokenizer):
    padded = tokenizer(CAPTIONS, padding="max_length", return_tensors="pt")
    real = real_tokens(padded.input_ids, tokenizer.eos_token_id)
    assert torch.equal(real, padded.attention_mask.bool()) and real.sum(1).tolist() == [11, 2, 4]


def test_the_loss_is_the_squared_error_of_the_velocity(tokenizer, encoder):
    network = Watched()
    loss = make_loss(tokenizer, encoder)(network, 6)
    (call,) = network.calls
    sigma = (call.timestep / 1000).view(-1, 1, 1, 1, 1)
    noise = (call.latents - (1 - sigma)) / sigma  # of latents that are all 1
    assert noise.std() == pytest.approx(1, abs=0.05)
    torch.testing.assert_close(loss, (0.5 - (noise - 1)).square().mean(), rtol=1e-4, atol=1e-4)
    assert call.latents.shape == (6, 4, 2, 16, 16) and len(set(sigma.flatten().tolist())) == 6


def test_text_is_zero_after_its_end_and_sometimes_empty(tokenizer, encoder):
    network, loss = Watched(), make_loss(tokenizer, encoder)
    for _ in range(40):
        loss(network, 3)
    with torch.no_grad():
        wanted = encoder(tokenize(tokenizer, CAPTIONS)).last_hidden_state
    empty = 0
    for call in network.calls:
        lengths = call.text.any(-1).sum(1)
        empty += int(lengths[0] == 2)
        if lengths[0] == 11:
            torch.testing.assert_close(call.text[0, :11], wanted[0, :11])
            assert not call.text[0, 11:].any()
    assert 0 < empty < 20


def test_a_batch_is_of_videos_or_of_images_and_each_has_its_shift(tokenizer, encoder):
    network, loss = Watched(), make_loss(tokenizer, encoder, image_share=0.5)
    torch.manual_seed(0)
    for _ in range(200):
        loss(network, 2)
    kinds = [asked[0] for asked in loss.data.asked]
    assert 70 < kinds.count("images") < 130
    assert set(loss.data.asked) == {("videos", 2, 0.3), ("images", 8)}
    again = make_loss(tokenizer, encoder, image_share=0.5)
    for _ in range(200):
        again(network, 2)
    assert [asked[0] for asked in again.data.asked] == kinds  # in each process the same
    for kind, shift, frames in (("videos", VIDEO_SHIFT, 2), ("images", IMAGE_SHIFT, 1)):
        calls = [call for call, seen in zip(network.calls[:200], kinds, strict=True) if seen == kind]
        assert all(call.latents.shape[2] == frames for call in calls)
        median = torch.cat([call.timestep for call in calls]).median() / 1000
        assert median == pytest.approx(shift / (1 + shift), abs=0.06)  # the shift of a half


def test_a_step_changes_every_weight_of_the_transformer(tokenizer, encoder, tmp_path):
    network = build_video_transformer()
    assert sum(weight.numel() for weight in network.parameters()) == pytest.approx(11.2e6, rel=0.01)
    network.blocks = network.blocks[:1]
    before = copy.deepcopy(network.state_dict())
    plan = Plan(steps=2, batch=1, learning_rate=1e-3, warmup=1)
    Training("dit", network, plan, tmp_path, Accelerator(), seed=0).run(make_loss(tokenizer, encoder))
    after = network.state_dict()
    assert [name for name in before if torch.equal(before[name], after[name])] == []
