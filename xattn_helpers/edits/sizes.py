"""What gives an object the size of a target where it stands: a bias in the first steps, and a gradient at all of them.

    clip = generate(model, "a burger floats on the water", edits=size_edits("burger", track([(0.5, 0.5)], size=0.6)))
"""

from .bias import Bias
from .guidance import Guidance
from .placements import Targets, WordsOfTargets

BOTH_ENERGIES = {"box": 1.0, "shape": 0.6}  # the attention lies inside, and fills the inside


def size_edits(word: WordsOfTargets, target: Targets) -> list[Guidance | Bias]:
    """The edits for objects that take a size: `Guidance.for_size` with two energies, and `Bias.for_size` beside it.

    In the first denoising steps, out of almost pure noise, a gradient of unclear maps says little; a bias needs none.
    `word` and `target` are as for `Guidance`. The study `tuning` chose both on objects of its own. The study `resize`
    measures them on others.
    """
    return [Guidance.for_size(word, target, energy=BOTH_ENERGIES), Bias.for_size(word, target)]
