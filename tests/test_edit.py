"""The facts of a run, and what `edits=` takes."""

from collections.abc import Sequence

import pytest
from models_for_tests import PATH, run_of, tiny

from xattn_helpers import Bias, Guidance, Reweight, Swap, generate
from xattn_helpers.edits.edit import Edit, State, as_edits

CAR, BUS, TRUCK, VAN = "a car drives", "a bus drives", "a truck drives", "a ball drives"
SWAP, WEIGHT = Swap("truck", "car", source=TRUCK), Reweight("car", 2.0)


def test_a_batch_holds_targets_and_then_the_clips_of_each_source():
    run = run_of(tiny(1), (CAR, BUS), sources=(TRUCK, VAN))
    assert run.batch == (CAR, BUS, TRUCK, TRUCK, VAN, VAN)
    assert run.batch[run.targets] == (CAR, BUS)
    assert run.batch[run.beside(TRUCK)] == (TRUCK, TRUCK) and run.batch[run.beside(VAN)] == (VAN, VAN)


def test_a_call_knows_its_run():
    run = run_of(tiny(1), CAR, sources=(TRUCK,))
    call = run.call(3, gradient=True)
    assert (call.index, call.prompts, call.run, call.gradient) == (3, (CAR, TRUCK), run, True)
    assert not run.call(3).gradient


@pytest.mark.parametrize(
    ("share", "steps", "count"), [(0.0, 4, 0), (0.5, 4, 2), (0.6, 4, 2), (0.7, 4, 3), (0.7, 10, 7), (1.0, 4, 4)]
)
def test_a_share_of_a_run_is_rounded_to_steps(share, steps, count):
    assert run_of(tiny(1), CAR, steps).until(share) == count


def test_a_state_that_only_listens_moves_nothing():
    latents = object()
    assert State().update(latents, None, 0) is latents and not State().updates  # type: ignore


# edits=


@pytest.mark.parametrize(
    ("edits", "wanted"),
    [
        (None, ()),
        ((), ()),
        (SWAP, (SWAP,)),
        ([SWAP, WEIGHT], (SWAP, WEIGHT)),
        ((WEIGHT,), (WEIGHT,)),
        (iter([SWAP, WEIGHT]), (SWAP, WEIGHT)),
    ],
)
def test_one_several_or_none(edits, wanted):
    assert as_edits(edits) == wanted


@pytest.mark.parametrize("edit", [SWAP, WEIGHT, Bias("car", PATH), Guidance("car", PATH)])
def test_all_are_edits(edit):
    assert isinstance(edit, Edit)


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        (Swap, "the class Swap.: edits must be a Swap, .* or Guidance, a list of these or None .make one: Swap"),
        (Guidance, "the class Guidance.: edits must be"),  # which has a source and can be attached, as its instances do
        ([SWAP, Bias], r".*edits\[1\] is the class Bias; edits must be"),
        ("swap", "'swap'.: edits is a str; it must be a Swap"),
        (2, "2.: edits is an int; it must be a Swap"),
        ([SWAP, None], r".*edits\[1\] is None; edits must be"),
        ({"edit": SWAP}, ".*edits is a dict; it must be"),
    ],
)
def test_what_is_no_edit_is_refused(edits, message):
    with pytest.raises(TypeError, match=f"edits={message}"):
        generate(tiny(1), CAR, steps=1, edits=edits, progress=False)


def test_a_protocol_is_enough():
    """An edit of somebody else's: nothing here needs to know its class."""

    class Halved(State):
        source = ""

        def __init__(self):
            self.indices = []

        def attach(self, run):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.indices.append("end")

        def update(self, latents, level, index):
            self.indices.append(index)
            return latents / 2

    edit: Sequence = [Halved()]
    clips = [generate(tiny(1), CAR, steps=2, edits=edits, progress=False) for edits in (edit, ())]
    assert edit[0].indices == [0, 1, "end"] and (clips[0].latents - clips[1].latents).abs().max() > 1e-3
