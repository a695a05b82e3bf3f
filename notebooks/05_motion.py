# %% [markdown]
# # 05 · Moving an object along a path
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# [Lesson 04](04_resize.ipynb) gave an object another size: an energy compared the word's attention map with a drawn
# target, and before a denoising step the latents moved downhill on it. Here every frame gets a target of its own, so
# that the object goes where we draw. This is Figures 1 and 5 of the
# [paper](https://arxiv.org/abs/2404.05519). It also claims that guidance brings back an object that the video had
# left out, and we try that, too.
#
# **After this lesson you can**
#
# 1. turn a path into a box for every frame, and a box into cells of an attention map;
# 2. say why one gradient moves all frames together;
# 3. move an object along a path, and bring back one that is missing, in two ways;
# 4. measure how well an object keeps to its path, and name what each measure does not see;
# 5. draw a path of your own, and tell when guidance will fail.

# %% tags=["colab-setup"]
# On Google Colab, this installs what is missing there of the project and its packages.
import subprocess
import sys
from importlib import import_module, util
from pathlib import Path

packages = ["mediapy", "resvg-py", "einops", "jaxtyping", "wadler-lindig"]
missing = [name for name in ["xattn-helpers", *packages] if not util.find_spec(name.replace("-", "_"))]
if "google.colab" in sys.modules and missing:
    places = [str(file.parents[1]) for file in Path.cwd().glob("*/xattn_helpers/__init__.py")] or [""]
    wanted = [places[0] if name == "xattn-helpers" else name for name in missing]
    print("Installing", *wanted, "(about a minute) ...")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *wanted]
    if (pip := subprocess.run(command, capture_output=True, text=True)).returncode:
        raise RuntimeError(f"{pip.stderr[-1000:]}\nPrivate, or without `make badges`? Upload a zip of the project, run `!unzip -q NAME.zip`, and then this cell.")
threads = import_module("xattn_helpers.threads")  # before torch, whose threads then wait without taking processors

# %% [markdown]
# The next cell loads the model; on a GPU, change `VIDEO` there. This lesson makes no images, so `IMAGE` stays unused.

# %%
import numpy as np
import torch

from xattn_helpers import Guidance, capture, check, detect, generate, lesson, load, show, track
from xattn_helpers.edits.energies import box_energy
from xattn_helpers.edits.steps import FRAMES
from xattn_helpers.measures.adherence import adherence, mean_iou
from xattn_helpers.sampling import initial_latents
from xattn_helpers.studies.guidance.cases import TRACKS, box

IMAGE, VIDEO = "pocket-t2i", "pocket"  # VIDEO also "pocket-dit"; on a GPU also "modelscope"
model = load(VIDEO)

# %% jupyter={"source_hidden": true}
# Settings and pictures that the lesson needs; nothing to learn here.
from matplotlib_inline.backend_inline import set_matplotlib_formats

from xattn_helpers.display import bullets, draw_boxes, markdown_table
from xattn_helpers.studies import load_rows, measured, motion_figures, origin
from xattn_helpers.studies.guidance import observations
from xattn_helpers.studies.sight import Sight

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 60, "optimize": True, "progressive": True})  # many pictures
sight = Sight(VIDEO)  # what the detector sees, which knows the drawn world only
FEW = min(8, model.defaults.frames) if sight.is_clear else None  # frames of clips in which nothing moves far

# %% [markdown]
# ## 1. A question to begin with
#
# The paper's first example is "a burger floats on the water". On the left is what the model makes of it. On the right
# only one thing is added: the *word* "burger" must be looked for in the red box, and the box goes down. Nothing is said
# about pixels. Before you look: will the burger follow? Will it be the same burger, and the same sea?

# %%
burger = "a burger floats on the water"
down = track([(0.25, 0.25), (0.25, 0.77)], size=box("burger"))  # centres (x, y) in shares of the picture, y down


def recorded(prompt, word, **options):
    """A clip, and the word's attention maps, (frames, height, width)."""
    with capture(model, words=word) as attention:
        clip = generate(model, prompt, seed=0, **options)
    return clip, motion_figures.finest_maps(attention, word, model)


free, free_maps = recorded(burger, "burger")
guided, guided_maps = recorded(burger, "burger", edits=Guidance("burger", down, memory="save"))
boxes = down.boxes(len(guided.video))

# %% jupyter={"source_hidden": true}
titles = ["unguided", f"guided {sight.overlap(guided, 'burger', down)}"]
show(free, draw_boxes(guided.video, boxes), titles=titles, width=400)

# %% [markdown]
# > *Place for the paper's [Figure 1](https://arxiv.org/html/2404.05519v1) (CC BY 4.0; not copied here). This is what it
# > shows:*
#
# ![A sketch of the paper's Figure 1: the unguided burger, the boxes, and the guided burger in four frames](diagrams/figure_one.svg)
#
# Ours follows, closely, and it is one burger on the same kind of sea. Prompt, noise and network are the same in both
# clips. What was changed are the latents, a little, in the first half of the denoising steps. (`memory="save"` changes
# nothing in the clip: it computes parts of the network twice instead of keeping them.)
#
# ## 2. A path becomes targets
#
# ![A path, its boxes, and the cells of the target in maps of two sizes, frame by frame](diagrams/track_as_targets.svg)
#
# A *track* is a list of key points, centres $(x, y)$ in shares of the picture. Between two of them, $a$ and $b$, the
# centre goes in a straight line at constant speed: in frame $f$ of $F$ frames, counted from 0, it is at
#
# $$ c_f = (1 - s_f)\, a + s_f\, b, \qquad s_f = \frac{f}{F - 1} , $$
#
# and the box lies around it. By hand, for five frames:

# %% tags=["nbval-check-output"]
start, end = np.array([0.25, 0.25]), np.array([0.25, 0.77])
share = np.linspace(0, 1, 5)[:, None]
centres = (1 - share) * start + share * end

np.testing.assert_allclose(centres, down.centres(frames=5))
print(centres.round(2).tolist())


# %% [markdown]
# ### Exercise 1 ● 6 minutes: boxes along a line
#
# Write the whole: `start` and `end` are centres, tensors of two numbers, `size` is (width, height). Return the boxes,
# (frames, 4), as x0, y0, x1, y1: left, upper, right and lower edge.

# %%
def line_boxes(start, end, size, frames):
    ...  # your code


check.line_boxes(line_boxes)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.linspace(0, 1, frames)[:, None]` are the shares as a column. The edges are half a size away from the centre;
# `torch.cat([..., ...], 1)` puts columns side by side.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 1
def line_boxes(start, end, size, frames):
    share = torch.linspace(0, 1, frames)[:, None]
    centres = (1 - share) * start + share * end
    return torch.cat([centres - size / 2, centres + size / 2], 1)


check.line_boxes(line_boxes)


# %% [markdown]
# `track` can do more: three and more keys, a size at each key (`size=[0.2, 0.5]`: the box grows), a smooth curve
# (`smooth=True`), a slow start and end (`easing="ease"`). Keys are reached at even times, so a long way between two keys
# is a fast one.
#
# Guidance cannot use a box as such: it compares attention maps, and these have few cells. A cell is in the target if its
# *middle* is inside the box (`shape="box"`), or inside the ellipse that fits into the box (`shape="disc"`, the default,
# because few things fill the corners of their box). Look at the drawing again: at 8 × 8 the target stands still for some
# frames and then jumps. The 16 × 16 maps carry the finer position, so both are used.
#
# ### Exercise 2 ●● 8 minutes: a box as cells
#
# `box` has x0, y0, x1, y1. Return a tensor (height, width) that is 1 in the cells whose middle is inside, else 0.

# %%
def box_mask(box, height, width):
    ...  # your code


check.box_mask(box_mask)


# %% [markdown]
# <details><summary>Hint</summary>
#
# The middle of column $i$ is at $(i + 0.5) / \text{width}$. Make one vector of conditions for columns and one for rows;
# `rows[:, None] & columns` has an entry for each cell.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 2
def box_mask(box, height, width):
    x, y = (torch.arange(width) + 0.5) / width, (torch.arange(height) + 0.5) / height
    columns, rows = (box[0] <= x) & (x <= box[2]), (box[1] <= y) & (y <= box[3])
    return (rows[:, None] & columns).float()


check.box_mask(box_mask)


# %% [markdown]
# ## 3. One gradient for all frames
#
# Energy, guided step and loop are those of [lesson 04](04_resize.ipynb). Only the target now depends on the frame. With
# $A_{f,p}$, the attention of place $p$ of frame $f$ to the word, and the mask $M_f$, the energy of a frame is the
# share of attention outside of its target, squared
# ([Chen et al. 2024](https://arxiv.org/abs/2304.03373)), and the gradient is that of the sum over frames:
#
# $$ E_f = \Bigl(1 - \frac{\sum_p A_{f,p} M_{f,p}}{\sum_p A_{f,p}}\Bigr)^2 , \qquad g = \nabla_{z_t} \sum_f E_f . $$
#
# By hand, on the maps of the two clips above:

# %%
def outside(maps, masks):
    inside = (maps * masks).sum((-2, -1)) / maps.sum((-2, -1))
    return (1 - inside) ** 2  # one number for each frame


masks = down.mask(*guided_maps.shape, "disc")
lesson.close(outside(guided_maps, masks), box_energy(guided_maps, masks), dtype=model.dtype)
for name, maps in (("unguided", free_maps), ("guided", guided_maps)):
    print(f"{name:9}", outside(maps, masks).numpy().round(2))

# %% [markdown]
# Each number is a frame. Without guidance nearly all of the attention is outside in most frames (1 is all of it). With
# guidance the energy falls in every frame; it does not reach 0, because a map is never quite dark elsewhere. The same in
# four frames of our Figure 1:

# %% jupyter={"source_hidden": true}
motion_figures.frame_by_frame(free.video, guided.video, guided_maps, down)

# %% [markdown]
# The rows: without guidance, what we ask for, what the network attends to, and what it draws.
#
# Now guess: if only the *first* frame had a target, would the gradient move the other frames, too? We ask for the
# gradient of $E_0$ alone, at the first step, and look at its size in the latents of each frame:

# %%
z = initial_latents(model, [0], FEW or 4, model.defaults.height, model.defaults.width).requires_grad_(True)
first = model.noise.solver(10).scheduler.timesteps[0]
with capture(model, words="burger", gradients=True, prompt=burger) as attention:
    model.predict(z, first, model.encode(burger))
maps = attention.maps("burger")
masks = down.mask(*maps.shape, "disc").to(maps)
scale = 1024  # small gradients would be rounded to zero in half precision
(gradient,) = torch.autograd.grad(scale * outside(maps, masks)[0], z)
size = gradient.float().square().sum((0, 1, 3, 4)).sqrt()  # of each frame
print((size / size.max()).cpu().numpy().round(2))

# %% [markdown]
# The first frame gets most, and its neighbours in time get more than the last ones: the network mixes frames in its layers
# over time, so whatever changes in one changes the maps of its neighbours. This may be why the object does not flicker
# from box to box. It may also be why it may lag behind: a frame listens to its neighbours as well as to its own target.
#
# ### What "the paper's setting" means
#
# The paper's text and [its code](https://github.com/sam-motamed/Video-Editing-X-Attention) differ, so this series says
# which it means.
#
# - *The text*: a strength η of 15 to 25, binary maps as targets, every step of the first quarter guided and then every
#   other one, and steps as long as $\delta_t^2 \eta$ times the gradient, $\delta_t^2 = (1 - \alpha_t) / \alpha_t$
#   (eq. 4). It does not say which α that is. We read it as $\bar\alpha$ of its eq. 2, which is a reading.
# - *The released code*: $\delta_t^2 = 1 - \bar\alpha_t$, discs as targets, and a strength of 15 that is 37.5 in our
#   units ([lesson 04](04_resize.ipynb) tells why).
# - *As released* means that code with its bug: it splits a batch in two where there is nothing to split. Frame $f$ is
#   then held against the target of another frame.
#
# Which frame answers for which target? By hand, and as the helper has it:

# %% tags=["nbval-check-output"]
by_hand = [8 + frame // 2 for frame in range(16)]
assert by_hand == [FRAMES["released"](frame, 16) for frame in range(16)]
print("frame that answers for the target of frame 0, 1, 2, …:", by_hand)

# %% [markdown]
# Frames 0 to 7 answer for no target. They move only because the others pull them along.
#
# ## 4. Figure 5, frame by frame
#
# The paper's other examples: a ball from the top left to the bottom right, a shark from the top right to the bottom
# left, and a moon that stays where it is put. Which of the three will be the hardest?

# %%
examples = {
    "ball": ("a ball rolls on the grass", "top left to bottom right"),
    "shark": ("a shark swims in the ocean", "top right to bottom left"),
    "moon": ("a wolf howls to the moon", "stays"),
}
paths, unguided, led, maps_of = {}, {}, {}, {}
for word, (prompt, name) in examples.items():
    paths[word] = track(TRACKS[name], size=box(word))
    length = {"frames": FEW} if name == "stays" else {}
    unguided[word] = generate(model, prompt, seed=0, **length)
    led[word], maps_of[word] = recorded(prompt, word, edits=Guidance(word, paths[word], memory="save"), **length)

# %% jupyter={"source_hidden": true}
titles = [f"{prompt} {sight.overlap(led[word], word, paths[word])}" for word, (prompt, _) in examples.items()]
show(*(draw_boxes(led[word].video, paths[word].boxes(len(led[word].video))) for word in led), titles=titles, width=310)

# %% [markdown]
# > *Place for the paper's [Figure 5](https://arxiv.org/html/2404.05519v1) (CC BY 4.0; not copied here).*
#
# Here are four frames of the ball:

# %% jupyter={"source_hidden": true}
motion_figures.frame_by_frame(unguided["ball"].video, led["ball"].video, maps_of["ball"], paths["ball"])

# %% [markdown]
# Guidance moves the map, and the picture follows the map. Look at the ends: in the first frame the ball hangs out of its
# box, as if it were on its way already, and in the last it has not quite arrived. Now the shark:

# %% jupyter={"source_hidden": true}
motion_figures.frame_by_frame(unguided["shark"].video, led["shark"].video, maps_of["shark"], paths["shark"])

# %% [markdown]
# And the moon:

# %% jupyter={"source_hidden": true}
motion_figures.frame_by_frame(unguided["moon"].video, led["moon"].video, maps_of["moon"], paths["moon"])

# %% [markdown]
# The moon goes into its box. But where is the wolf? Nothing in the energy speaks of it, and two pale stumps are all that
# is left. And the paper's moon was missing until it was asked for, while ours is there without guidance. So this prompt
# cannot show that guidance brings something back; we need another one.
#
# ## 5. What the model left out
#
# Where does our model leave something out? We did not search until a clip looked right. The study `pocket_quality` makes
# clips of prompts with two objects that were held out of training, one seed each, and its detector notes what is seen:

# %% jupyter={"source_hidden": true}
motion_figures.left_out_text(load_rows("pocket_quality"), VIDEO)


# %% [markdown]
# So it is rare. We take the video U-Net's first, the penguin. (With another model, take a line of your list.)
#
# There are two ways to bring it back.
#
# ![A target's energy beside that of Attend-and-Excite](diagrams/target_or_excite.svg)
#
# With a *target*, the penguin gets a place.
# [Attend-and-Excite (Chefer et al. 2023)](https://arxiv.org/abs/2301.13826) gives no place. It only asks that *some*
# place attends to the word: its energy is $1 - \max_p A_p$, on the map blurred a little, so that a single cell does not
# count. An energy is a function of maps and targets, and `Guidance` takes any such function:

# %%
def excite(maps, targets):
    """1 - the brightest place, (heads, frames) for maps (heads, frames, height, width); targets play no part."""
    blurred = torch.nn.functional.avg_pool2d(maps.flatten(0, 1)[:, None], 3, stride=1, padding=1)
    return 1 - blurred.amax((1, 2, 3)).view(maps.shape[:2])


pair, seed = "a penguin walks near a kite in the forest", 9000000
place = track([(0.28, 0.7)], size=box("penguin"))
edits = {
    "unguided": (),
    "a target for the penguin": Guidance("penguin", place, memory="save"),
    "Attend-and-Excite's energy": Guidance("penguin", place, energy=excite, memory="save"),
}
back = {name: generate(model, pair, seed=seed, edits=edit) for name, edit in edits.items()}

# %% jupyter={"source_hidden": true}
titles = [f"{name} {sight.shares(clip, ['penguin', 'kite'])}" for name, clip in back.items()]
show(*back.values(), titles=titles, width=310)


# %% [markdown]
# Without guidance there is one thing, in the colours of the kite, and the detector sees no penguin. Both energies bring a
# penguin back. The target puts it where we asked for it, but look at the rest: the kite has gone. The energy speaks of
# the penguin alone, and nothing holds what it does not speak of. With Attend-and-Excite's energy something of the kite
# stays beside the penguin, and the detector sees it in a part of the frames; place and size are the network's choice.
# One clip shows what can happen and not which way is better. To hold both, give both a target:
# `Guidance(["penguin", "kite"], [first, second])`.
#
# ### Exercise 3 ●●● 10 minutes: help who needs it most
#
# Attend-and-Excite looks after all nouns of a prompt, and at each step helps the one that is worst off. `maps` is
# (words, frames, height, width). Return the energy of each frame, (frames,): 1 minus the largest value of the map of
# the word for which that is worst.

# %%
def neediest(maps):
    ...  # your code


check.neediest(neediest)


# %% [markdown]
# <details><summary>Hint</summary>
#
# First one number for each word and frame: `maps.amax((-2, -1))`. Guidance goes downhill, so the word that is worst off
# must have the *largest* energy.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 3
def neediest(maps):
    energies = 1 - maps.amax((-2, -1))  # (words, frames)
    return energies.amax(0)


check.neediest(neediest)

# %% [markdown]
# ## 6. How a detector judges
#
# "It follows closely" needs a number. A *detector* says in every frame where the object is, a box $b_f$, or that it sees
# none. Ours is a small network that was trained on the drawn world; for real videos one takes a detector of any word,
# such as [OWLv2](https://arxiv.org/abs/2306.09683). Then each frame has an *intersection over union* with the asked box
# $t_f$, and a video has their mean:
#
# $$ \text{IoU}_f = \frac{|b_f \cap t_f|}{|b_f \cup t_f|}, \qquad \text{mIoU} = \frac1F \sum_f \text{IoU}_f . $$

# %%
wanted = paths["ball"].boxes(len(led["ball"].video))
try:
    found, _ = detect(led["ball"].video, "ball", "pocket" if sight.is_clear else "owlv2")
except OSError as error:
    print(error, "So the boxes below are no ball's: they are the asked ones, a little further right.")
    found = wanted + [0.05, 0, 0.05, 0]
low, high = np.maximum(found[:, :2], wanted[:, :2]), np.minimum(found[:, 2:], wanted[:, 2:])
common = np.clip(high - low, 0, None).prod(axis=1)
either = (found[:, 2:] - found[:, :2]).prod(axis=1) + (wanted[:, 2:] - wanted[:, :2]).prod(axis=1) - common
iou = np.nan_to_num(common / either)  # a frame in which the ball is not seen counts 0
np.testing.assert_allclose(iou.mean(), mean_iou(found, wanted))
print(iou.round(2), "mean", iou.mean().round(2))


# %% [markdown]
# Why does a frame without the object count 0? Leave such frames out, and a method that destroys the video in half of
# its frames looks better than one that keeps the object everywhere, a little off its path. Losing the object is the
# worst failure, so it must cost most.
#
# ### Exercise 4 ●● 10 minutes: mean IoU
#
# Write it in torch: `boxes` and `targets` are (frames, 4), and a row of NaN ("not a number") means that the object was
# not seen.

# %%
def mean_iou_of(boxes, targets):
    ...  # your code


check.mean_iou(mean_iou_of)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.maximum` and `torch.minimum` of corners give the common part; where its sides would be negative, there is none:
# `.clamp(min=0)`. NaN stays NaN in all of this; `.nan_to_num(0)` makes it 0. When must that happen?
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 4
def mean_iou_of(boxes, targets):
    low, high = torch.maximum(boxes[:, :2], targets[:, :2]), torch.minimum(boxes[:, 2:], targets[:, 2:])
    common = (high - low).clamp(min=0).prod(1)
    both = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (targets[:, 2:] - targets[:, :2]).prod(1)
    return (common / (both - common)).nan_to_num(0).mean()


check.mean_iou(mean_iou_of)

# %% [markdown]
# Others use three more, which [Peekaboo (Jain et al. 2024)](https://arxiv.org/abs/2312.07509) defined: *AP50*, the share
# of frames with an IoU of at least one half among those in which the object is seen; *coverage*, the share of videos in
# which it is seen in more than half of the frames; and the *centroid distance*, how far the two centres are apart. Each
# is blind to something: AP50 to frames without the object, coverage to the path, the distance to the size, and all of
# them to a badly drawn shark. The helper `adherence` gives all, and the share of the way that the object *travelled*:

# %%
for word, clip in (led.items() if sight.is_clear else ()):
    numbers = adherence(sight.boxes(clip, word), paths[word].boxes(len(clip.video)))
    print(word, {name: round(float(value), 2) for name, value in numbers.items()})

# %% [markdown]
# A moon that stays has no way to go, so that *travelled* is no number there.
#
# ## 7. Draw your own path
#
# The explorer shows the unguided clip. Click or drag on it to draw a path; move points, and drag the dots, which are the
# frames: where they lie close, the object is slow. The cells of the target appear as you draw. *Run* makes the clip, and
# *Code* shows the cell that would make it. Where your notebook cannot draw
# (without the package anywidget), sliders take the place of the mouse.

# %%
from xattn_helpers.display.explorers import PathDrawer

drawer = PathDrawer(model, burger, "burger", tracks=down)
drawer.explore(guided, "burger", down, free)
drawer

# %% [markdown]
# On a page, where no kernel runs, a dozen ready-made paths stand in its place. Try the corner, the arch and "there and
# back": which of them does the burger obey worst, and why? What you draw is also a value: `drawer.tracks` are tracks,
# for `Guidance` or for a friend. Try paths that the scene makes hard, too: a burger in the sky, a ball that jumps.
#
# ## 8. Over many cases
#
# A few clips are examples. The study `guidance` repeats them over a dozen objects, five tracks and several seeds, none
# of which was used to choose the defaults, on the video U-Net (the transformer's tables are on [the page of
# results](../docs/RESULTS.md)). An object is *lost* if the detector sees it in half of the frames or fewer; mIoU counts
# it 0.

# %% jupyter={"source_hidden": true}
table = measured("guidance")
if table:
    settings, cases = table["settings"], load_rows("guidance")
    lines, missing = observations.table_rows(settings)
    print(f"{settings['defaults']['cases']} cases.", origin("guidance"), missing, sep="\n")
markdown_table(["", *observations.COLUMNS], lines) if table else None

# %% [markdown]
# Numbers in brackets are 95 % intervals: where the intervals of two rows overlap widely, do not read an order into
# them. Published rows for real models are lower ([Peekaboo](https://arxiv.org/abs/2312.07509) reports them for
# ModelScope), and cannot be compared with these: our world is a toy, and the detector was trained for it.
#
# Where the paper's text is taken with α read as ᾱ, its first step leaves no picture. `Guidance` refuses such a step, so
# that there is no video, and every object counts as lost. With the steps of the code it does about as well as the code.
#
# The paper makes three observations in words (its section 6): objects keep a reasonable perspective though all targets
# have one size; they fall short of the start and the end; and sometimes they stand still. Guess which of them hold:

# %% jupyter={"source_hidden": true}
motion_figures.observed(cases, settings, Guidance.strength) if table else None

# %% jupyter={"source_hidden": true}
bullets(observations.sentences(cases, settings)) if table else None

# %% [markdown]
# Left: how much larger an object is in the last frame, by kind of way; the dashes are what the training videos would
# draw, where something lower in the picture is nearer. A box of one size for all frames holds the object back from
# growing. Middle: how far the centre is from the asked one; in the first and last frame it is farther off than in the
# mean, a little with our defaults, and much with the paper's setting (orange). Right: the share of objects that stand still
# (red), the IoU (blue) and the share of scenes that are kept (grey), from weak to strong guidance. If an object will not
# go, it needs more guidance; but too much of it costs the scene. So the last two observations hold for the paper's
# setting, and hardly for ours.
#
# ## 9. When does it fail?
#
# Two ways, on clips of eight frames. First, the ball and its path of section 4, in half as many frames: it must now go
# twice as far from one frame to the next. Second, the moon with four times the default strength. What will happen?

# %%
strong = Guidance("moon", paths["moon"], strength=4 * Guidance.strength)
hurried = generate(model, examples["ball"][0], seed=0, frames=FEW, edits=Guidance("ball", paths["ball"]))
forced = generate(model, examples["moon"][0], seed=0, frames=FEW, edits=strong)

# %% jupyter={"source_hidden": true}
failures = {"in a hurry": (hurried, "ball"), "too strong": (forced, "moon")}
titled = {f"{name}: {sight.overlap(clip, word, paths[word])}": clip.video for name, (clip, word) in failures.items()}
motion_figures.strips(titled, [paths[word].boxes(len(clip.video)) for clip, word in failures.values()])

# %% [markdown]
# In a hurry, the ball goes the same way and falls short at both ends: in the first frame it hangs out of its box, and in
# the last it has not arrived. It has become too large, and the grass has gone. With four times the strength something
# bright fills the box, but it is hardly a moon any more: the detector sees one in next to no frame, so that the IoU is
# almost 0, and stars and hills have gone, too. A step that long leads the latents away from everything that the
# network knows.
#
# Other ways to fail:
#
# - **What has no target is not held**, as the wolf of section 4.
# - **A target is small.** A box below two cells of the 8 × 8 maps has next to no cells to push into.
# - **A path is against the scene.** A ball in the sky, a car in the sea: the network must choose between path and
#   prompt.
# - **A path is too fast.** Neighbouring frames pull at each other (section 3). Ask for a little more than you want.
#
# ## In this lesson we saw
#
# - A track is a box in every frame, and a box is a set of cells: coarse at 8 × 8, finer at 16 × 16.
# - One gradient, of the sum over frames, moves all frames; frames pull each other along.
# - Guidance moves the map, and the picture follows. What has no target may change or go.
# - A word that was left out comes back by a target, which says where, or by Attend-and-Excite's energy, which only says
#   that it must be somewhere.
# - A detector and the IoU turn "follows closely" into a number, if a frame without the object counts 0.
#
# ## Three questions
#
# 1. A track has three keys, at the left, in the middle and at the right, but the middle one is close to the left one.
#    Where is the object fast?
# 2. A method loses its object in half of the frames, and has an IoU of 0.9 in the others. What is its mIoU, and what
#    would it be if lost frames were left out? What does AP50 say?
# 3. Why does Attend-and-Excite need no track, and what does it pay for that in a video?
#
# <details><summary>Answers</summary>
#
# 1. On its second half: keys are reached at even times, and there the way is longer.
# 2. 0.45, and 0.9. AP50 is 1, because it looks only at frames in which the object is seen.
# 3. Its energy asks for a bright place anywhere. So the network chooses the place, in each frame by itself: nothing says
#    where the object is or how it moves.
#
# </details>
#
# ## What to read next
#
# - [06 · Which choices matter](06_what_matters.ipynb), where every knob of `Guidance` is changed by itself, and
#   [the results](../docs/RESULTS.md) of all studies.
# - The [paper](https://arxiv.org/abs/2404.05519), sections 4 to 6, and [its
#   code](https://github.com/sam-motamed/Video-Editing-X-Attention).
# - The two ideas behind it: [layout control](https://arxiv.org/abs/2304.03373) and
#   [diffusion self-guidance](https://arxiv.org/abs/2306.00986).
# - Others that move objects without training:
#   [LVD, LLM-grounded video diffusion](https://arxiv.org/abs/2309.17444), where a language model draws the boxes;
#   [Peekaboo](https://arxiv.org/abs/2312.07509), which masks attention; and
#   [TrailBlazer](https://arxiv.org/abs/2401.00896), which edits the maps.
# - With training: [DragNUWA](https://arxiv.org/abs/2308.08089) and [Boximator](https://arxiv.org/abs/2402.01566).
