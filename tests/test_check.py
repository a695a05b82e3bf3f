"""Checks of exercises, on right, wrong and empty answers: each usual mistake is named, and a right one passes."""

import denoising_for_tests
import given_answers_for_tests as given_answers
import guidance_answers_for_tests as guidance_answers
import map_answers_for_tests as map_answers
import numpy as np
import pytest
import swap_answers_for_tests as swap_answers
import torch

from xattn_helpers import check
from xattn_helpers.check import blocks, flow, motion
from xattn_helpers.check.verdict import judge


def right_step(latents, velocity, sigma, next_sigma):
    return latents - (sigma - next_sigma) * velocity


def right_share(sigma):
    return 1 / (1 + ((1 - sigma) / sigma) ** 2)


def right_patches(tokens, rows, columns):
    patches = tokens.reshape(-1, rows, columns, tokens.shape[1] // 4, 2, 2)
    return patches.permute(3, 0, 1, 4, 2, 5).reshape(tokens.shape[1] // 4, -1, 2 * rows, 2 * columns)


def right_attention(query, key, value):
    return torch.nn.functional.scaled_dot_product_attention(query, key, value)


def right_bias(logits, bias):
    logits = logits.clone()
    logits[:, 1] += bias
    return logits.softmax(-1)


def right_boxes(start, end, size, frames):
    rows = []
    for frame in range(frames):
        x, y = ((frames - 1 - frame) * start + frame * end) / (frames - 1)
        width, height = size
        rows.append(torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2]))
    return torch.stack(rows)


def right_mask(box, height, width):
    mask = torch.zeros(height, width)
    for row in range(height):
        for column in range(width):
            x, y = (2 * column + 1) / (2 * width), (2 * row + 1) / (2 * height)
            mask[row, column] = float(box[0] <= x <= box[2] and box[1] <= y <= box[3])
    return mask


def right_overlap(boxes, targets):
    overlaps = []
    for (a0, b0, a1, b1), (c0, d0, c1, d1) in zip(boxes.tolist(), targets.tolist(), strict=True):
        common = max(0, min(a1, c1) - max(a0, c0)) * max(0, min(b1, d1) - max(b0, d0))
        both = (a1 - a0) * (b1 - b0) + (c1 - c0) * (d1 - d0)
        overlaps.append(common / (both - common) if both == both else 0)
    return sum(overlaps) / len(overlaps)


def right_energy(maps):
    return 1 - maps.flatten(2).max(2).values.min(0).values


EXERCISES = {
    "flow_step": (check.flow_step, right_step, flow.STEP_MISTAKES),
    "noise_share": (check.noise_share, right_share, flow.SHARE_MISTAKES),
    "unpatchify": (check.unpatchify, right_patches, blocks.PATCH_MISTAKES),
    "attention": (check.attention, right_attention, blocks.ATTENTION_MISTAKES),
    "line_boxes": (check.line_boxes, right_boxes, motion.BOX_MISTAKES),
    "box_mask": (check.box_mask, right_mask, motion.MASK_MISTAKES),
    "mean_iou": (check.mean_iou, right_overlap, motion.OVERLAP_MISTAKES),
    "neediest": (check.neediest, right_energy, motion.NEEDIEST_MISTAKES),
    "biased_attention": (check.biased_attention, right_bias, blocks.BIAS_MISTAKES),
    **denoising_for_tests.EXERCISES,
    **given_answers.EXERCISES,
    **guidance_answers.EXERCISES,
    **map_answers.EXERCISES,
    **swap_answers.EXERCISES,
}
each = pytest.mark.parametrize("name", EXERCISES)
WRONG = [(name, sentence) for name, (_, _, mistakes) in EXERCISES.items() for sentence in mistakes]


@each
def test_a_right_answer_passes(name):
    verdict = EXERCISES[name][0](EXERCISES[name][1])
    assert verdict and verdict.right and repr(verdict) == f"✓ {name} is right."


@each
def test_an_empty_answer_is_told_from_a_wrong_one(name):
    for empty in (lambda *inputs: None, lambda *inputs: ...):
        verdict = EXERCISES[name][0](empty)
        assert not verdict and "returns nothing yet" in verdict.message and repr(verdict).startswith("✗ ")


@pytest.mark.parametrize(("name", "sentence"), WRONG, ids=[f"{name}: {sentence[:60]}" for name, sentence in WRONG])
def test_a_usual_mistake_is_named(name, sentence):
    checked, _, mistakes = EXERCISES[name]
    assert checked(mistakes[sentence]).message == sentence and sentence.startswith(name)


@each
def test_any_other_mistake_has_its_values_told(name):
    checked, right, _ = EXERCISES[name]
    message = checked(lambda *inputs: 1.5 * right(*inputs)).message
    assert "gives other values" in message and "where it must be" in message


@each
def test_what_a_wrong_answer_raises_is_told(name):
    def answer(*inputs):
        raise KeyError("no such key")

    assert "raises KeyError: 'no such key'" in EXERCISES[name][0](answer).message


def test_mistakes_that_fail_at_the_first_step_are_named_by_the_others():
    def ratio(sigma):
        return sigma**2 / (1 - sigma) ** 2  # at 1, Python raises

    assert "divides by the signal alone" in check.noise_share(ratio).message


def test_other_kinds_and_shapes_are_told():
    assert "returns a str; it must be a number" in check.noise_share(lambda sigma: "half").message
    assert "returns a list; it must be a tensor of shape (2, 5, 8)" in check.attention(lambda *qkv: [1]).message
    assert "returns a tensor of shape (1,)" in check.flow_step(lambda *inputs: torch.ones(1)).message
    assert "shape (3,); it must be a number" in check.noise_loss(lambda guess, noise, weights: weights).message
    wrong = check.flow_step(lambda z, v, sigma, after: z + (after - sigma) * v / 0)
    assert "not finite" in wrong.message


def test_a_number_of_numpy_is_a_number():
    assert check.noise_share(lambda sigma: np.float32(right_share(sigma)))


def test_inputs_must_stay_as_they_are():
    def answer(latents, velocity, sigma, next_sigma):
        latents += (next_sigma - sigma) * velocity
        return latents

    assert "changes what it is given" in check.flow_step(answer).message


def test_the_worst_values_are_shown():
    wrong = judge(lambda x: x * torch.tensor([1.0, 2.0]), lambda x: x, {}, [(torch.tensor([1.0, 3.0]),)], "f")
    assert wrong.message == "f gives other values: 1 where it must be 1, 6 where it must be 3"


@pytest.mark.parametrize("function", [check.flow_step, check.attention, check.noise_share])
def test_what_is_no_function_is_refused(function):
    with pytest.raises(ValueError, match="function"):
        function(3)
