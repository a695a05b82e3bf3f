"""Parts that come to the GPU when they work. A second CPU, which is the first in truth, stands for the GPU."""

import pytest
import torch
from torch import nn
from video_checkpoints_for_tests import wan_pipeline, write

from xattn_helpers import Guidance, capture, generate, load, track
from xattn_helpers.backbones import offloading

PROMPT, STAND_IN = "a burger floats on the water", torch.device("cpu", 1)
CPU = torch.device("cpu")
PATH = track([(0.25, 0.25), (0.75, 0.75)], size=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("checkpoints") / "wan", wan_pipeline())


@pytest.fixture
def offloaded(folder, monkeypatch):
    """A model, and what came to the device, in order; raises if two parts are there at one time."""
    model, arrivals = load(folder, "cpu"), []
    parts = {"text": model.text.encoder, "network": model.network, "vae": model.codec.vae}
    places = {id(part): CPU for part in parts.values()}

    def moving(name, part):
        def to(device):
            if device == STAND_IN and places[id(part)] == CPU:
                arrivals.append(name)
            places[id(part)] = torch.device(device)
            assert list(places.values()).count(STAND_IN) <= 1, places
            return part

        return to

    for name, part in parts.items():
        part.to = moving(name, part)
    monkeypatch.setattr(offloading, "_device", lambda part: places.get(id(part), CPU))
    offloading.take_turns(list(parts.values()), STAND_IN)
    return model, arrivals


def run(model, **options):
    size = {"frames": 5, "height": 32, "width": 32, "steps": 2}
    return generate(model, PROMPT, seed=0, progress=False, **(size | options))


def test_each_part_is_there_while_it_works(offloaded, folder):
    model, arrivals = offloaded
    assert model.device == STAND_IN and arrivals == []
    clip = run(model, edits=Guidance("burger", PATH, memory="save"))
    assert arrivals == ["text", "network", "vae"]
    with capture(model) as attention:
        run(model)
    assert arrivals == ["text", "network", "vae"] * 2
    plain = load(folder, "cpu")
    assert torch.equal(clip.latents, run(plain, edits=Guidance("burger", PATH, memory="save")).latents)
    with capture(plain) as wanted:
        run(plain)
    assert torch.equal(attention.maps("burger"), wanted.maps("burger"))


def test_encoding_a_video_brings_the_autoencoder(offloaded):
    model, arrivals = offloaded
    model.codec.encode(torch.zeros(1, 5, 32, 32, 3).byte())
    assert arrivals == ["vae"]


@pytest.mark.parametrize(
    ("offload", "answer"),
    [
        (True, "offload=True needs a GPU"),
        ("yes", "offload='yes'.: offload must be 'auto' or True or False"),
        (1, "offload=1.: offload must be"),
    ],
)
def test_what_cannot_be_offloaded_is_an_error(folder, offload, answer):
    with pytest.raises(ValueError, match=answer):
        load(folder, "cpu", offload=offload)


def test_auto_offloads_what_fills_more_than_half_of_a_gpu(monkeypatch):
    parts, taken = [nn.Linear(10, 10, bias=False), nn.Linear(5, 10, bias=False)], []  # 600 bytes
    monkeypatch.setattr(offloading, "take_turns", lambda parts, device: taken.append(device))
    monkeypatch.setattr(nn.Module, "to", lambda part, device: part)
    for total, offloads in ((1300, False), (1100, True)):
        memory = type("Memory", (), {"total_memory": total})
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device, memory=memory: memory)
        offloading.place(parts, torch.device("cuda"), "auto")
        assert bool(taken) == offloads
    assert offloading.weight(parts) == 600


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_a_clip_is_the_same_and_nothing_else_stays_there(folder):
    model, plain = load(folder, "cuda", "float32", offload=True), load(folder, "cuda", "float32", offload=False)
    torch.testing.assert_close(run(model).latents, run(plain).latents)
    assert model.network.device == CPU and model.text.encoder.device == CPU and model.device.type == "cuda"
