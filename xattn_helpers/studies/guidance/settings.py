"""The settings of guidance that are compared: ours, the paper's, and what changes one thing of either.

Every setting that is no default names all that it depends on. Steps of equal length are named by their length, in
standard deviations of a latent: "equal, 0.08".
"""

from collections.abc import Mapping

from .crossing import CROSSED
from .paper import TEXT
from .setting import OLD_DEFAULTS, PAPER, Purpose, Setting, in_steps, varied

__all__ = ["OLD_DEFAULTS", "PAPER", "Purpose", "Setting"]

MAIN = {
    "unguided": Setting(),
    "defaults": Setting({}),
    "old defaults": Setting(OLD_DEFAULTS),
    "paper": Setting(PAPER),
}
FACTORS: dict[str, dict[str, Setting]] = {  # what notebook 06 changes, one thing at a time
    "layers": {
        "8 x 8 only": varied(cells=2),
        "16 x 16 only": varied(cells=1),
        "mid only": varied(cells=4, groups="mid"),
        "mid only, boxes": varied(cells=4, groups="mid", shape="box"),
        "with mid": varied(cells=(1, 2, 4)),
        "down only": varied(groups="down"),
        "up only": varied(groups="up"),
    },
    "strength": in_steps("equal, ", "strength", (0.02, 0.04, 0.055, 0.08, 0.12, 0.16)),
    "strength of the paper's energy": in_steps("paper, strength ", "strength", (15.0, 75.0, 150.0, 300.0), "paper"),
    "law": {
        "1 - abar, strength 100": varied(law="1 - abar", strength=100.0),
        "sqrt(1 - abar), strength 30": varied(law="sqrt(1 - abar)", strength=30.0),
        "eq. 4 literally": varied(law="(1 - abar) / abar", strength=100.0),
        "paper, equal steps": varied("paper", law="equal", strength=0.055),
    },
    "energy by law": CROSSED,
    "schedule": {
        "paper's schedule": varied(schedule="paper"),
        "released": varied(schedule="released"),
        "first quarter": varied(schedule="first quarter"),
        "first half": varied(schedule="first half"),
        "always": varied(schedule="always"),
    },
    "energy": {
        "top": varied(energy="top"),
        "centre": varied(energy="centre"),
        "box and size": varied(energy={"box": 1.0, "size": 5.0}),
        "box and centre": varied(energy={"box": 1.0, "centre": 1.0}),
        "box and shape": varied(energy={"box": 1.0, "shape": 1.0}),
        "paper, each head by itself": varied("paper", energy="shape"),
        "paper, signed": varied("paper", energy="signed"),
    },
    "target": {
        "drawn as box": varied(shape="box"),
        "zero-shot": varied(target="zero-shot"),
        "paper, zero-shot": varied("paper", target="zero-shot"),
        "paper, drawn as box": varied("paper", shape="box"),
    },
    "frames": {
        "frame bug": varied(frame_of="released"),
        "as released": varied("paper", frame_of="released"),  # the code's strength, discs, heads, schedule, and bug
        "as released, strength 15": varied("paper", frame_of="released", strength=15.0),
        "as released, strength 150": varied("paper", frame_of="released", strength=150.0),
    },
    "the paper's text": {name: Setting(knobs, base="paper") for name, knobs in TEXT.items()},
    "without a gradient": {
        "bias": Setting(bias={}),
        "defaults and bias": Setting({}, bias={}),
    },
}


def without_repetitions(
    groups: Mapping[str, Mapping[str, Setting]], purpose: Purpose = "track"
) -> dict[str, dict[str, Setting]]:
    """The groups without settings that are, knob for knob, the defaults of today, or one of an earlier group."""
    known = {Setting({}).depends(purpose)}
    different: dict[str, dict[str, Setting]] = {}
    for group, settings in groups.items():
        different[group] = {}
        for name, setting in settings.items():
            knobs = setting.depends(purpose)
            if knobs not in known:
                different[group][name] = setting
                known.add(knobs)
    return different


def in_one(groups: Mapping[str, Mapping[str, Setting]]) -> dict[str, Setting]:
    """The settings of all groups; raises ValueError for a name that two of them have."""
    settings: dict[str, Setting] = {}
    for group, members in groups.items():
        repeated = sorted(set(settings) & set(members))
        if repeated:
            raise ValueError(f"{group} has {', '.join(repeated)}, which an earlier group has, too")
        settings |= members
    return settings


GROUPS = {"main": MAIN} | without_repetitions(FACTORS)
SETTINGS = in_one(GROUPS)
