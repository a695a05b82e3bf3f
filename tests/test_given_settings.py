"""The settings of given videos: which edits they are, of which words and places."""

import numpy as np
import torch
from models_for_tests import tiny

from xattn_helpers import Bias, Clip, Guidance, Reweight, Swap
from xattn_helpers.edits.observed import Seen
from xattn_helpers.studies.given_video import clips, settings
from xattn_helpers.studies.given_video.settings import Setting


def seen_of(clip):
    """What a network sees in a clip: maps at random."""
    own = Clip(np.zeros((16, 8, 8, 3), np.uint8), torch.zeros(4, 16, 8, 8), clip.source.caption, 0)
    return Seen(own, {8: torch.rand(16, 8, 8, 20)}, tiny().text, 1.0)


def first(kind):
    return clips.sample_clips(kind, 1, 5)[0]


def test_a_moved_object_is_asked_to_be_where_the_clip_says():
    clip = first("path")
    seen = seen_of(clip)
    moved = seen.moved(clip.word, 1.0, (clip.asked["across"], clip.asked["down"]))
    guidance, bias = settings.guide(clip, seen)[0], settings.bias(clip, seen)[0]
    assert isinstance(guidance, Guidance) and isinstance(bias, Bias)
    for edit in (guidance, bias):
        assert edit.word == clip.word and (edit.target.mask(16, 8, 8) == moved.mask(16, 8, 8)).all()
    assert settings.hide(clip, seen) == [Reweight(clip.word, 0.0)]


def test_a_new_object_is_asked_to_be_where_the_old_one_is():
    clip = first("object")
    seen = seen_of(clip)
    swap = Swap(clip.word, clip.new_word, source=clip.source.caption, window=settings.SWAPPED)
    assert settings.swap(clip, seen) == [swap]
    for edits, names in {
        settings.hold: ["Bias"], settings.pull: ["Guidance"], settings.hold_and_pull: ["Bias", "Guidance"],
        settings.hold_and_swap: ["Swap", "Bias"],
    }.items():  # fmt: skip
        made = edits(clip, seen)
        assert [type(edit).__name__ for edit in made] == names
        for edit in made:
            if isinstance(edit, (Bias, Guidance)):
                assert edit.word == clip.new_word
                assert (edit.target.mask(16, 8, 8) == seen.moved(clip.word).mask(16, 8, 8)).all()


def test_edits_that_differ_in_a_number_are_known_apart():
    longer, whole = settings.hold_until(0.75), settings.hold_until(1.0)
    keys = [str(Setting({}, edits).depends()) for edits in (settings.hold, longer, whole)]
    assert len(set(keys)) == 3
    clip = first("object")
    assert [edits(clip, seen_of(clip))[0].until for edits in (longer, whole)] == [0.75, 1.0]
