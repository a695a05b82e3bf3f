"""The maps of a few tokens: equal to those columns of all maps, and all that a large site ever holds."""

import pytest
import torch
from models_for_tests import PATH, PROMPT, noise, tiny
from transformers_for_tests import tiny_transformer

from xattn_helpers import Bias, Guidance, capture, generate
from xattn_helpers.attention import processor, softmax
from xattn_helpers.attention.softmax import attention_columns, attention_maps

OTHER = "the shark is on the road and the burger is on the water"


@pytest.fixture(params=["wan", "ltx", "3d"])
def model(request):
    return tiny(3) if request.param == "3d" else tiny_transformer(request.param)


@pytest.fixture
def large(monkeypatch):
    """Every site is large, and its maps come five pixels at a time."""
    monkeypatch.setattr(softmax, "LARGE", 0)
    monkeypatch.setattr(softmax, "AT_ONCE", 1000)


@pytest.fixture
def no_full_maps(large, monkeypatch):
    def refused(*_):
        raise AssertionError("the maps of all tokens were computed")

    monkeypatch.setattr(processor, "attention_maps", refused)


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"seed": 0, "progress": False} | options))


def random_attention(pixels=37, tokens=20):
    generator = torch.Generator().manual_seed(0)
    query = torch.randn((2, 3, pixels, 8), generator=generator, dtype=torch.float32) * 3
    return query, torch.randn((2, 3, tokens, 8), generator=generator) * 3


MASKS = {
    "none": None, "bool": torch.arange(20)[None] < torch.tensor([[20], [6]]),
    "added": torch.where(torch.arange(20) < 9, 0.0, -10000.0).expand(2, 1, 20),
}  # fmt: skip


@pytest.mark.parametrize("mask", MASKS)
def test_columns_and_their_gradients_are_those_of_the_full_softmax(large, mask):
    query, key = random_attention()
    wanted, gradients = [], []
    weights = torch.randn(2, 3, 37, 3, generator=torch.Generator().manual_seed(1))
    for maps in (
        lambda: attention_maps(query, key, MASKS[mask])[..., [4, 0, 7]],
        lambda: attention_columns(query, key, [4, 0, 7], MASKS[mask]),
    ):
        query.requires_grad_(False)
        plain = maps()
        query.requires_grad_(True)
        differentiated = maps()
        torch.testing.assert_close(plain, differentiated.detach(), atol=1e-7, rtol=0)
        wanted.append(plain)
        gradients.append(torch.autograd.grad((differentiated * weights).sum(), query)[0])
    torch.testing.assert_close(wanted[1], wanted[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-6, rtol=1e-4)


def test_no_more_scores_exist_at_one_time_than_allowed(large, monkeypatch):
    sizes, own = [], softmax._columns
    monkeypatch.setattr(softmax, "_columns", lambda part, *rest: sizes.append(part.shape) or own(part, *rest))
    query, key = random_attention()
    attention_columns(query.requires_grad_(True), key, [3]).sum().backward()
    assert sum(shape[2] for shape in sizes) == 2 * 37  # each pixel once for its map, and once for its gradient
    assert max(shape[:3].numel() * 20 for shape in sizes) <= 1000


def test_a_large_site_is_recorded_by_the_tokens_of_the_prompt(no_full_maps, model, monkeypatch):
    with capture(model, every_step=True, heads=True) as attention:
        recorded = run(model)
    monkeypatch.undo()
    with capture(model, every_step=True, heads=True) as full:
        plain = run(model)
    assert torch.equal(recorded.latents, plain.latents)
    count, site = model.text.count(PROMPT), model.sites[1]
    small, whole = attention.probabilities(site, step=1), full.probabilities(site, step=1)
    assert small.shape[-1] == count < whole.shape[-1] == model.text.length
    torch.testing.assert_close(small, whole[..., :count], atol=1e-6, rtol=0)
    torch.testing.assert_close(attention.maps("burger"), full.maps("burger"), atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match=f"word={count}: there are {count} token positions that were recorded"):
        attention.maps(count)


@pytest.mark.parametrize("is_large", [False, True])
def test_some_words_alone_are_recorded(model, is_large, request):
    with capture(model) as full:
        run(model, [PROMPT, OTHER])
    if is_large:
        request.getfixturevalue("no_full_maps")
    with capture(model, words=["burger", "road"]) as attention:
        run(model, [PROMPT, OTHER])
    positions = sorted({*model.text.find(PROMPT, "burger"), *model.text.find(OTHER, "burger")})
    positions = sorted({*positions, *model.text.find(OTHER, "road")})
    assert attention.run.tokens == positions and attention.probabilities(model.sites[0]).shape[-1] == len(positions)
    for batch, words in ((0, ["burger"]), (1, ["burger", "road"])):
        for word in words:
            wanted = full.maps(word, batch=batch)
            torch.testing.assert_close(attention.maps(word, batch=batch), wanted, atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match="word: token .* was not recorded; recorded are tokens"):
        attention.maps("water")
    with pytest.raises(ValueError, match="words='bicycle': none is in 'a burger"), capture(model, words="bicycle"):
        run(model)


def test_what_is_called_by_hand_without_a_prompt_is_recorded_whole(large):
    model = tiny(3)
    with capture(model) as attention:
        model.predict(noise(model), 500, model.encode(PROMPT))
    assert attention.probabilities(model.sites[0]).shape[-1] == model.text.length


@pytest.mark.parametrize("memory", ["spend", "save"])
def test_guidance_holds_the_columns_of_its_words_alone(no_full_maps, model, memory, monkeypatch):
    guidance = Guidance(["burger", "water"], [PATH, PATH], memory=memory, strength=0.3)
    with capture(model, words="burger") as attention:
        guided = run(model, [PROMPT, OTHER], edits=guidance)
    monkeypatch.undo()
    with capture(model, words="burger") as full:
        wanted = run(model, [PROMPT, OTHER], edits=guidance)
    plain = run(model, [PROMPT, OTHER])
    for clip, reference, unguided in zip(guided, wanted, plain, strict=True):
        torch.testing.assert_close(clip.latents, reference.latents, atol=1e-4, rtol=1e-4)
        assert (clip.latents - unguided.latents).abs().max() > 0.1
    torch.testing.assert_close(attention.maps("burger"), full.maps("burger"), atol=1e-4, rtol=1e-3)


def test_an_edit_at_a_large_site_has_all_maps_and_is_looked_at_afterwards(large, monkeypatch):
    model = tiny_transformer("wan")
    bias = Bias("burger", PATH, until=1)
    with capture(model) as attention:
        edited = run(model, edits=bias)
    monkeypatch.undo()
    with capture(model) as full:
        wanted = run(model, edits=bias)
    assert torch.equal(edited.latents, wanted.latents)
    assert torch.equal(attention.maps("burger"), full.maps("burger"))


def test_a_half_that_nobody_looks_at_costs_nothing(large, monkeypatch):
    model, seen = tiny_transformer("wan"), []
    monkeypatch.setattr(processor, "attention_columns", lambda *about: seen.append(1) or attention_columns(*about))
    for half, times in (("conditional", 1), ("both", 2)):
        seen.clear()
        with capture(model, half=half):
            run(model, steps=2)
        assert len(seen) == times * 2 * len(model.sites)
    with pytest.raises(ValueError, match="had no such half"), capture(model, half="unconditional"):
        run(model, steps=1, cfg_scale=1)
