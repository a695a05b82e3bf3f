"""An explorer that is closed gives its model up: a model of real size fills a GPU that the next one needs."""

import copy
import gc
import weakref

import pytest
from models_for_tests import tiny

from xattn_helpers.display.explorers import AttentionExplorer, BiasExplorer, PathDrawer, SwapExplorer, TrackExplorer
from xattn_helpers.studies.real_size.lessons import _close_widgets


@pytest.mark.parametrize("explorer", [AttentionExplorer, SwapExplorer, PathDrawer, BiasExplorer, TrackExplorer])
def test_a_closed_explorer_keeps_no_model(explorer):
    model = copy.deepcopy(tiny())
    network = weakref.ref(model.network)
    shown = explorer(model)
    _close_widgets()
    del model, shown
    gc.collect()
    assert network() is None
