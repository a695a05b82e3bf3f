"""OWLv2 with tiny random weights that are saved here, in the layout of the published ones."""

import numpy as np
import pytest
import torch
from models_for_tests import write_clip_tokenizer
from transformers import Owlv2Config, Owlv2ForObjectDetection, Owlv2ImageProcessor

from xattn_helpers import detect, owl
from xattn_helpers.metrics import boxes_of, masks_of

SIDE = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    """A checkpoint of four patches."""
    where = tmp_path_factory.mktemp("owl")
    tokenizer = write_clip_tokenizer(where, length=16)
    part = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    marks = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 0}
    text = part | marks | {"vocab_size": len(tokenizer), "max_position_embeddings": 16}
    vision = part | {"image_size": SIDE, "patch_size": 16}
    config = Owlv2Config(text_config=text, vision_config=vision, projection_dim=16)
    torch.manual_seed(0)
    Owlv2ForObjectDetection(config).save_pretrained(where)
    Owlv2ImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(where)
    return str(where)


@pytest.fixture
def video() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 24, 48, 3), np.uint8)


def test_the_best_box_of_each_frame_agrees_with_transformers_own_post_processing(folder, video):
    boxes = owl.find(video, "burger", folder, least=0.0)
    model, processor = owl.load(folder)
    inputs = processor(images=list(video), text=[["a photo of a burger"]] * 5, return_tensors="pt").to(model.device)
    with torch.no_grad():
        output = model(**inputs)
    found = processor.post_process_grounded_object_detection(output, threshold=0.0, target_sizes=[(24, 48)] * 5)
    best = np.stack([one["boxes"][one["scores"].argmax()].cpu().numpy() for one in found]) / [48, 24, 48, 24]
    assert boxes.shape == (5, 4)
    np.testing.assert_allclose(boxes, best.clip(0, 1), atol=1e-5)


def test_detect_takes_a_folder_and_its_masks_are_its_boxes(folder, video):
    boxes, masks = detect(video, "burger", detector=folder)
    assert np.array_equal(boxes, owl.find(video, "burger", folder), equal_nan=True)
    assert masks.dtype == bool and np.array_equal(masks, masks_of(boxes, 24, 48))


def test_detect_takes_the_published_detector_by_its_short_name(video, monkeypatch):
    monkeypatch.setattr(owl, "find", lambda video, word, source: np.array([[0.25, 0, 0.75, 0.5]] * len(video)))
    boxes, masks = detect(video, "burger", detector="owlv2")
    np.testing.assert_allclose(boxes_of(masks), boxes)


def test_nothing_is_seen_below_the_least_score(folder, video):
    scores = np.isnan(owl.find(video, "burger", folder, least=0.0)), np.isnan(owl.find(video, "burger", folder, 1.0))
    assert not scores[0].any() and scores[1].all()


@pytest.mark.parametrize("detector", ["owlv2", "nobody/nothing"])
def test_one_that_cannot_be_loaded_says_what_to_do(video, detector, monkeypatch):
    monkeypatch.setattr(owl, "HUB", "nobody/owlv2")  # a user's cache may hold the real one
    name = owl.HUB if detector == "owlv2" else detector
    with pytest.raises(OSError, match=f"detector='{name}' could not be loaded.*pass its folder.*needs no network"):
        detect(video, "burger", detector=detector)


def test_a_folder_without_a_detector_says_what_to_do(video, tmp_path):
    with pytest.raises(OSError, match="could not be loaded"):
        detect(video, "burger", detector=str(tmp_path))
