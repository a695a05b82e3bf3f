"""More of estimates: differences, and input that does not fit."""

import json
import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from xattn_helpers.measures.statistics import Estimate

NAN = math.nan


FIGURE = Estimate(0.9649, 0.931, 0.983, 200)


def test_an_estimate_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        FIGURE.n = 3


def test_words_are_those_of_the_tables():
    assert FIGURE.format() == "0.965 (0.931 to 0.983), n = 200"
    assert FIGURE.format(percent=True) == "96.5 % (93.1 to 98.3), n = 200"
    assert FIGURE.format(digits=1) == "1.0 (0.9 to 1.0), n = 200"
    assert FIGURE.format(percent=True, digits=0) == "96 % (93 to 98), n = 200"
    assert Estimate.mean([]).format() == "nan (nan to nan), n = 0"


def test_a_table_gives_back_what_it_was_given():
    assert FIGURE.as_dict() == {"value": 0.9649, "low": 0.931, "high": 0.983, "n": 200}
    assert FIGURE.as_dict(digits=2) == {"value": 0.96, "low": 0.93, "high": 0.98, "n": 200}
    assert Estimate.from_dict(json.loads(json.dumps(FIGURE.as_dict()))) == FIGURE
    json.dumps(Estimate.rate(np.array([True, False])).as_dict())  # numpy's own numbers would not do


def test_older_tables_call_the_value_mean():
    assert Estimate.from_dict({"mean": 0.9649, "low": 0.931, "high": 0.983, "n": 200}) == FIGURE
    with pytest.raises(ValueError, match="stored has mean, low: an estimate must have value, low, high and n"):
        Estimate.from_dict({"mean": 1, "low": 1})


def test_an_interval_that_leaves_out_zero():
    assert Estimate(0.2, 0.1, 0.3, 5).excludes() and Estimate(-0.2, -0.3, -0.1, 5).excludes()
    assert not Estimate(0.2, 0.0, 0.3, 5).excludes() and not Estimate(-0.1, -0.3, 0.0, 5).excludes()
    assert Estimate(0.2, 0.1, 0.3, 5).excludes(0.4) and not Estimate(0.2, 0.1, 0.3, 5).excludes(0.2)
    assert not Estimate.mean([]).excludes()
