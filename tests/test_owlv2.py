"""OWLv2 with tiny random weights that are saved here, in the layout of the published ones."""

import inspect
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from models_for_tests import write_clip_tokenizer
from transformers import Owlv2Config, Owlv2ForObjectDetection, Owlv2ImageProcessor

from xattn_helpers import detect
from xattn_helpers.measures import owlv2
from xattn_helpers.measures.boxes import boxes_of, masks_of

SIDE = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    """A checkpoint of four patches."""
    path = tmp_path_factory.mktemp("owlv2")
    tokenizer = write_clip_tokenizer(path, length=16)
    part = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    marks = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 0}
    text = part | marks | {"vocab_size": len(tokenizer), "max_position_embeddings": 16}
    vision = part | {"image_size": SIDE, "patch_size": 16}
    config = Owlv2Config(text_config=text, vision_config=vision, projection_dim=16)
    torch.manual_seed(0)
    Owlv2ForObjectDetection(config).save_pretrained(path)
    Owlv2ImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(path)
    return str(path)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, height, width, 3), np.uint8)


@pytest.fixture
def video() -> np.ndarray:
    return noise(24, 48)


def published(folder: str, video: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best box of each frame in parts of the picture, and its score, by transformers' own post-processing."""
    model, processor = owlv2.load(folder)
    height, width = video.shape[1:3]
    inputs = processor(images=list(video), text=[["a photo of a burger"]] * 5, return_tensors="pt").to(model.device)
    with torch.no_grad():
        output = model(**inputs)
    sizes = [(height, width)] * 5
    frames = processor.post_process_grounded_object_detection(output, threshold=0.0, target_sizes=sizes)
    best = [frame["scores"].argmax() for frame in frames]
    boxes = np.stack([frame["boxes"][index].cpu().numpy() for frame, index in zip(frames, best, strict=True)])
    scores = np.array([float(frame["scores"][index]) for frame, index in zip(frames, best, strict=True)])
    return (boxes / [width, height, width, height]).clip(0, 1), scores


@pytest.mark.parametrize("height, width", [(24, 48), (48, 24), (32, 32)])
def test_the_best_box_of_each_frame_agrees_with_transformers_own_post_processing(folder, height, width):
    video = noise(height, width)
    boxes = owlv2.detect_boxes(video, "burger", folder, least_score=0.0)
    assert boxes.shape == (5, 4)
    np.testing.assert_allclose(boxes, published(folder, video)[0], atol=1e-5)


def test_nothing_is_seen_in_frames_below_the_least_score(folder, video):
    scores = published(folder, video)[1]
    least = (np.sort(scores)[1] + np.sort(scores)[2]) / 2
    boxes = owlv2.detect_boxes(video, "burger", folder, least_score=float(least))
    assert np.isnan(boxes).all(axis=1).tolist() == (scores < least).tolist()
    assert np.isnan(boxes).any(axis=1).sum() == 2


def test_the_least_score_itself_is_enough(folder, video, monkeypatch):
    monkeypatch.setattr(owlv2, "AT_ONCE", 5)  # as many at once as below: the scores are the same bit for bit
    best = np.float32(published(folder, video)[1].max())
    above = np.nextafter(best, np.float32(1))
    assert not np.isnan(owlv2.detect_boxes(video, "burger", folder, least_score=float(best))).all()
    assert np.isnan(owlv2.detect_boxes(video, "burger", folder, least_score=float(above))).all()


def test_it_is_asked_for_a_photo_of_the_word_in_every_frame(folder, video, monkeypatch):
    model, processor = owlv2.load(folder)
    asked = []

    def record(images, text, **options):
        asked.extend(text)
        return processor(images=images, text=text, **options)

    monkeypatch.setattr(owlv2, "load", lambda source: (model, record))
    owlv2.detect_boxes(video, "burger", folder)
    assert asked == [["a photo of a burger"]] * 5


def test_the_usual_least_score_is_that_of_transformers(folder):
    processor = owlv2.load(folder)[1]
    theirs = inspect.signature(processor.post_process_grounded_object_detection).parameters["threshold"].default
    assert inspect.signature(owlv2.detect_boxes).parameters["least_score"].default == theirs == 0.1


def test_detect_takes_a_folder_and_its_masks_are_its_boxes(folder, video, monkeypatch):
    boxes, masks = detect(video, "burger", detector=folder)
    np.testing.assert_array_equal(boxes, owlv2.detect_boxes(video, "burger", folder))
    assert masks.dtype == bool and masks.shape == (5, 24, 48)
    np.testing.assert_array_equal(masks, masks_of(boxes, 24, 48))


def test_detect_takes_the_published_detector_by_its_short_name(video, monkeypatch):
    sources = []

    def detect_boxes(video, word, source):
        sources.append(source)
        return np.array([[0.25, 0, 0.75, 0.5]] * len(video))

    monkeypatch.setattr(owlv2, "detect_boxes", detect_boxes)
    boxes, masks = detect(video, "burger", detector="owlv2")
    np.testing.assert_allclose(boxes_of(masks), boxes)
    detect(video, "burger", detector="somebody/owlv2-large")
    assert sources == [owlv2.HUB, "somebody/owlv2-large"]


def test_threads_read_one_network(folder, monkeypatch):
    monkeypatch.setattr(owlv2, "_LOADED", {})
    with ThreadPoolExecutor(4) as threads:
        networks = [future.result()[0] for future in [threads.submit(owlv2.load, folder) for _ in range(4)]]
    assert len({id(network) for network in networks}) == 1 and list(owlv2._LOADED) == [folder]


@pytest.mark.parametrize("detector", ["owlv2", "nobody/nothing"])
def test_one_that_cannot_be_loaded_says_what_to_do(video, detector, monkeypatch):
    monkeypatch.setattr(owlv2, "HUB", "nobody/owlv2")  # a user's cache may hold the real one
    name = owlv2.HUB if detector == "owlv2" else detector
    wanted = f"detector='{name}' could not be loaded.*offline.*pass its folder.*needs no network"
    with pytest.raises(OSError, match=wanted) as caught:
        detect(video, "burger", detector=detector)
    assert str(caught.value).endswith(".") and ". " not in str(caught.value).partition(" (")[0], "one sentence"


def test_a_folder_without_a_detector_says_what_to_do(video, tmp_path):
    with pytest.raises(OSError, match="could not be loaded"):
        detect(video, "burger", detector=str(tmp_path))
