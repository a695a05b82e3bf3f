"""Questions to a recording that it cannot answer, and captures that cannot be: errors that say what is possible."""

import pytest
import torch
from models_for_tests import PROMPT, run, tiny

from xattn_helpers import capture


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ({"word": "shark"}, "'shark' is not in the prompt .* burger, floats"),
        ({"word": "a", "occurrence": 1}, "occurrence=1 of 'a'"),
        ({"word": 20}, "word=20: there are 20 token positions"),
        ({"word": -21}, "word=-21"),
        ({"cells": 3}, r"no site of attention has cells 3; possible are down_blocks.0.attentions.0 \(group down, ce"),
        ({"group": "middle"}, "group 'middle'"),
        ({"site": "down_blocks.7"}, "site 'down_blocks.7'"),
        ({"group": "mid", "cells": 1}, "group 'mid', cells 1"),
        ({"step": 3}, "step=3 of 3 recorded steps, counted from 0"),
        ({"step": -4}, "step=-4"),
        ({"step": []}, "is empty; possible are the 3 recorded steps"),
        ({"head": 2}, "head=2: there are 2 heads"),
        ({"batch": 1}, "batch=1: there are 1 prompts"),
        ({"word": 3, "batch": -2}, "batch=-2"),
        ({"half": "unconditional"}, "the unconditional half has another prompt"),
        ({"word": 3, "half": "left"}, "half='left'"),
    ],
)
def test_a_wrong_question_is_an_error_that_says_what_is_there(full, question, answer):
    with pytest.raises(ValueError, match=answer):
        full.maps(**({"word": "burger"} | question))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ({"step": 0}, "use capture.model, every_step=True"),
        ({"head": 0}, "use capture.model, heads=True"),
        ({"half": "unconditional", "word": 1}, "half='unconditional' was not recorded.*capture.model, half='both'"),
    ],
)
def test_what_was_not_stored_is_an_error_that_says_how_to_store_it(mean, question, answer):
    with pytest.raises(ValueError, match=answer):
        mean.maps(**({"word": "burger"} | question))


def test_a_site_by_name_must_be_one(full):
    with pytest.raises(ValueError, match="site='up' fits 4 of the recorded sites; possible are up_blocks.1"):
        full.probabilities("up")
    with pytest.raises(ValueError, match="site='temp' fits 0 of the recorded sites; possible are down_blocks"):
        full.probabilities("temp")
    for site in tiny().sites:
        wanted = full.probabilities(site)
        assert torch.equal(wanted, full.probabilities(str(site))) and torch.equal(wanted, full.probabilities(site.name))


def test_a_site_that_was_not_recorded_is_told_from_one_that_is_not_there():
    with capture(tiny(), group="up") as attention:
        run(tiny(), steps=1)
    with pytest.raises(ValueError, match="group='mid'.*: not recorded; recorded are up_blocks.1.attentions.0"):
        attention.maps("burger", group="mid")
    with pytest.raises(ValueError, match="fits 0 of the recorded"):
        attention.size("mid_block")


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"group": "middle"}, "no site of attention has group 'middle'; possible are down_blocks.0.*mid_block"),
        ({"sites": ["temp_attentions"]}, r"site \['temp_attentions'\]"),
        ({"cells": 8}, "cells 8; possible are .*cells 4"),
        ({"group": "mid", "sites": "up"}, "group 'mid', site 'up'"),
        ({"half": "left"}, "half='left'.: half must be 'conditional', 'unconditional' or 'both'"),
    ],
)
def test_an_empty_choice_is_an_error_before_anything_runs(options, answer):
    with pytest.raises(ValueError, match=answer), capture(tiny(), **options):
        raise AssertionError("must not get here")


def test_an_unconditional_half_that_never_came_is_an_error_when_the_block_ends():
    processors = dict(tiny().network.attn_processors)
    with pytest.raises(ValueError, match="it had no such half"), capture(tiny(), half="unconditional"):
        run(tiny(), steps=1, cfg_scale=1.0)
    with capture(tiny(), half="both") as attention:
        run(tiny(), steps=1, cfg_scale=1.0)
    with pytest.raises(ValueError, match="it had no such half"):
        attention.maps(2, half="unconditional")
    assert attention.maps("burger").shape == (3, 16, 16)
    assert all(tiny().network.attn_processors[name] is own for name, own in processors.items())


@pytest.mark.parametrize("question", [lambda a: a.maps("burger"), lambda a: a.steps, lambda a: a.sites()])
def test_asking_before_anything_ran_is_an_error(question):
    with capture(tiny()) as attention:
        pass
    with pytest.raises(RuntimeError, match="run the model inside"):
        question(attention)


@pytest.mark.parametrize("every_step", [False, True])
def test_calls_by_hand_of_different_size_do_not_mix(every_step):
    model = tiny()
    text = model.encode([PROMPT])
    with pytest.raises(ValueError, match="calls of different size.*a capture for each"):
        with capture(model, every_step=every_step):
            model.predict(torch.zeros(1, 4, 3, 16, 16), 900, text)
            model.predict(torch.zeros(1, 4, 3, 8, 16), 100, text)
