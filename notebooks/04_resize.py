# %% [markdown]
# # 04 · Changing an object's size by its attention
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# In [notebook 03](03_forward_swap.ipynb) an object took the place of another one, but never its size. Backward guidance
# needs no other object. We draw the attention that a word *should* have, measure how far its real attention is from the
# drawing, and move the noisy latents a little in the direction in which this distance falls. Then the network goes on
# as usual. In this notebook we write the two equations of the paper's section 3.4 by hand, ask for small and large
# objects as in its Figure 4, and hold what we got against what we asked for.
#
# **After this notebook you can**
#
# 1. write equations 3 and 4 as code, and say where the paper's text and its released code differ;
# 2. look at an energy through its gradient, and say what it pulls at and what it does not see;
# 3. ask for an object of a given size with `Guidance`, in steps of one length, from a drawn target or the object's own
#    maps;
# 4. measure asked against got size, and say what such a number can and cannot show;
# 5. recognise the three ways in which resizing fails.

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

# %%
from collections import Counter

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats

from xattn_helpers import Guidance, capture, detect, generate, lesson, load, track
from xattn_helpers.attention.maps import soft_threshold
from xattn_helpers.display import bullets, draw_boxes, draw_signed, figure_text, image_grid, markdown_table, show, strip
from xattn_helpers.edits.edit import Run, State
from xattn_helpers.edits.steering import Steering
from xattn_helpers.edits.zero_shot import all_unguided, unguided
from xattn_helpers.measures.adherence import size
from xattn_helpers.measures.statistics import spearman
from xattn_helpers.pocket.world.captions import one_object
from xattn_helpers.sampling import denoise, initial_latents
from xattn_helpers.studies import load_rows, load_table, origin, resize
from xattn_helpers.studies.guidance.cases import OBJECTS, box
from xattn_helpers.studies.guidance.settings import PAPER
from xattn_helpers.studies.resize.table import RATES, STATISTICS, relative_error

IMAGE, VIDEO = "pocket-t2i", "pocket"  # also "pocket-dit"; on a GPU also: "stable-diffusion", "modelscope"
image_model, video_model = load(IMAGE), load(VIDEO)
DRAWN = VIDEO.startswith("pocket")  # the detector knows the drawn world only
STORED = VIDEO == "pocket"  # the tables speak of this model
PLAIN = {"law": "1 - abar", "strength": 100.0, "schedule": "first half"}  # steps as long as the gradient makes them
set_matplotlib_formats("jpeg", pil_kwargs={"quality": 85})  # this notebook has many pictures: PNGs would be 1.3 MB

# %% [markdown]
# **On a GPU** you can change the one line that names the models. The pictures are then theirs; what needs the detector
# is left out, and the stored tables always speak of the pocket video model. Most cells use the image model, because
# one picture takes a second or two. A picture is a video of one frame, so that the same code serves both.
#
# ## 1. Equations 3 and 4 by hand
#
# We begin with a picture, a word, and a *target*: where the word's attention should be. `track` with a single point is
# a standing place, `size` is the side of the box in parts of the picture. `shape="disc"` draws the ellipse inside of
# the box, because few things fill the corners of theirs.

# %%
prompt, word, seed = "a ball rolls on the grass", "ball", 0
free = unguided(image_model, prompt, seed)  # the picture and the attention of its run
place = track([(0.65, 0.45)], size=0.5)
side = min(free.maps(word), key=lambda height: abs(height - 16))  # maps of 16 × 16, or what is nearest to them
A, target = free.maps(word)[side].cpu(), place.mask(1, side, side, "disc")  # (1 frame, 16, 16) each
image_grid(
    [[draw_boxes(free.clip.video, place.boxes(1))[0], A[0], soft_threshold(A)[0], target[0]]],
    column_titles=["unguided", "map A of “ball”", "shape(A)", "target"],
)


# %% [markdown]
# From left to right: the picture with the box that we are going to ask for, the mean map of "ball", the map after the
# soft threshold of [notebook 01](01_cross_attention.ipynb), and the target. The ball is smaller than the target.
#
# ### Equation 3: the energy
#
# The paper writes
#
# $$ E = \mathrm{shape}(\mathcal{A}_\text{tar}) - \mathrm{shape}(\mathcal{A}_\text{orig}),
#    \qquad \mathrm{shape}(\mathcal{A}) = \mathrm{norm}\big(\sigma(s\,(\mathrm{norm}(\mathcal{A}) - \tfrac12))\big) $$
#
# This is a map, not a number. Its authors' code takes the mean over pixels, and squares it first:

# %%
def energy_by_hand(maps, target):  # maps (..., frames, height, width), target (frames, height, width)
    return (target - soft_threshold(maps)).square().mean((-2, -1))


print(f"energy of the map above: {float(energy_by_hand(A, target)):.3f}")


# %% [markdown]
# Why the square? Without it, the derivative of $E$ with respect to the map is that of $-\mathrm{shape}(\mathcal{A})$:
# **the target drops out**. We can see it with two targets that have nothing in common.

# %% tags=["nbval-check-output"]
def downhill(energy, maps, target):
    """Minus the gradient of an energy with respect to the map: + where it wants more attention, - where less."""
    moving = maps.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(energy(moving, target).sum(), moving)
    return -gradient


def signed(maps, target):
    return (target - soft_threshold(maps)).mean((-2, -1))


elsewhere = track([(0.2, 0.8)], size=0.2).mask(1, side, side)
for name, energy in (("signed", signed), ("squared", energy_by_hand)):
    pulls = [downhill(energy, A, one) for one in (target, elsewhere)]
    print(f"{name:8} the same pull for both targets:", torch.equal(*pulls))

# %% [markdown]
# The signed energy asks for more attention, anywhere, and would be content with a map that is bright all over. Guidance
# by it must therefore give the same picture for both targets. (`Guidance` is the helper of this notebook, and we shall
# see below what it does.)

# %%
made = {}
for name in ("signed", "shape"):
    for there in (place, track([(0.2, 0.8)], size=0.2)):
        knobs = PLAIN | {"energy": name, "strength": PAPER["strength"]}
        clip = generate(image_model, prompt, seed, edits=Guidance(word, there, **knobs))
        made[name, there] = draw_boxes(clip.video, there.boxes(1))[0]
titles = ["signed", "signed, other box", "squared", "squared, other box"]
image_grid([list(made.values())], column_titles=titles)

# %% [markdown]
# With the signed energy the ball goes a little to the left, wherever the box is: the two pictures are the same. With
# the squared one it becomes larger in the large box. The small box, far from the ball, leaves it where it was: we shall
# see in section 2 why that energy hardly feels a box that the map does not touch. The authors' code squares, and from
# here on so do we.
#
# ### Equation 4: the update
#
# $$ \mathbf{z}_t \leftarrow \mathbf{z}_t - \delta_t^2\, \eta\, \nabla_{\mathbf{z}_t} \sum E $$
#
# The sum is over the frames. Each layer and head has a map of its own, so $E$ is computed for each of them, and we take
# the mean over heads, then over layers. The gradient needs one more pass through the network, with the prompt alone: no
# empty prompt, and no classifier-free guidance. For $\delta_t^2$ we take $1 - \bar\alpha_t$, as the released code does,
# and for $\eta$ its 15, times the weight of 4 that it gives to the energy.

# %%
text = image_model.encode([prompt])
positions = image_model.text.find(prompt, word)  # of the token "ball"
own = image_model.defaults
z, t = initial_latents(image_model, [seed], 1, own.height, own.width), 900
run = Run(image_model, (prompt,), (), (seed,), own.steps, tuple(z.shape[2:]), text)  # `generate` makes one itself
cells = sorted({image_model.backbone.cells(site) for site in Guidance(word, place).sites(image_model, run.size)})
SCALE = 1024  # in half precision small gradients become zero; a power of two changes nothing else


# %%
def gradient_by_hand(z, t):
    z, energies = z.detach().requires_grad_(True), []
    what = {"cells": cells, "heads": True, "gradients": True}
    with torch.enable_grad(), capture(image_model, **what, prompt=prompt) as attention:
        image_model.predict(z, torch.tensor(t), text)
    for layer in attention.sites():
        A = attention.probabilities(layer)[0, ..., positions].sum(-1).transpose(0, 1)  # (heads, frames, h, w)
        energies.append(energy_by_hand(A, place.mask(1, *A.shape[-2:], "disc").to(A)).mean(0))
    E = torch.stack(energies).mean(0)  # (frames,)
    return E, torch.autograd.grad(SCALE * E.sum(), z)[0].float() / SCALE


def update_by_hand(z, level, eta=PAPER["strength"]):
    delta_squared = level.sigma**2  # 1 - abar
    return (z - delta_squared * eta * gradient_by_hand(z, level.timestep)[1]).to(z.dtype)


# %% [markdown]
# `Guidance` does the same, with more knobs. One step, from pure noise, by hand and by helper:

# %% tags=["nbval-check-output"]
options = {"energy": "shape", "strength": PAPER["strength"], "law": "1 - abar", "schedule": "always"}


def begin(guidance):
    """The state of a guidance before a run of our prompt; otherwise `generate` makes it."""
    return Steering(guidance, run)


steering, level = begin(Guidance(word, place, **options)), image_model.noise.level(t)
mine, theirs = gradient_by_hand(z, t), steering.gradient(z, t)
lesson.close(mine[0], theirs[0][0], dtype=image_model.dtype)
lesson.close(mine[1], theirs[1], dtype=image_model.dtype)
lesson.close(update_by_hand(z, level), steering.update(z, level, index=0))
print("energy, gradient and update agree")


# %% [markdown]
# And the whole run. Before each step, `denoise` offers the latents to the `update` of every state that it is given, so
# that our function only needs a class around it.

# %%
class ByHand(State):
    def update(self, latents, level, index):
        return update_by_hand(latents, level)


negative = image_model.encode([""])
*_, step = denoise(image_model, z, text, negative, own.steps, own.cfg_scale, states=[ByHand()])  # the last
helped = generate(image_model, prompt, seed, edits=Guidance(word, place, **options))
apart = lesson.close(step.latents[0], helped.latents, calls=2 * own.steps)  # a gradient and a step
print(f"by hand and by helper: largest difference of the latents {apart:.1e}")
guided = image_model.decode(step.latents)[0].numpy()  # (1, height, width, 3)
image_grid(
    [[draw_boxes(one, place.boxes(1))[0] for one in (free.clip.video, guided, helped.video)]],
    column_titles=["unguided", "by hand", "by helper"],
)

# %% [markdown]
# The two pictures are the same. The ball has become a little larger than without guidance, but it does not fill the
# box. We shall see this again.
#
# ### Equation 4 to the letter
#
# The paper gives $\delta_t = \sqrt{(1 - \alpha_t)/\alpha_t}$, and its $\alpha_t$ is the $\bar\alpha_t$ of equation 2.
# At the first steps there is almost no signal: $\bar\alpha_t$ is nearly zero, and the quotient is large. `LAWS` has
# both.

# %%
from xattn_helpers.edits.guidance import LAWS

for name in ("1 - abar", "(1 - abar) / abar"):
    values = [float(LAWS[name](image_model.noise.level(t))) for t in (999, 750, 500, 250, 0)]
    print(f"{name:18}", "  ".join(f"{value:8.3f}" for value in values))

# %%
try:
    generate(image_model, prompt, seed, edits=Guidance(word, place, **options | {"law": "(1 - abar) / abar"}))
except ValueError as error:
    print(error)

# %% [markdown]
# The two laws agree at the end, where nearly all is signal, and differ by a factor of hundreds at the beginning, where
# guidance matters most. A latent is a number of about one standard deviation, so an update of many of them leaves noise
# of a kind that the network has never seen. `Guidance` stops there instead of making a grey picture. The table of
# notebook 06 has a row for this law.
#
# ## 2. What an energy pulls at
#
# The energy of the paper is one of several. Its peers found others, and `ENERGIES` has seven. Three are of use here:
#
# $$ E_\text{shape} = \frac1n \sum_p (M_p - S_p)^2, \qquad
#    E_\text{box} = \Big(1 - \frac{\sum_p A_p M_p}{\sum_p A_p}\Big)^2, \qquad
#    E_\text{top} = 1 - \overline{\text{top}_k\{A_p : p \in M\}} + \overline{\text{top}_k\{A_p : p \notin M\}} $$
#
# with $M$ the target, $S = \mathrm{shape}(A)$, and in $E_\text{top}$ the map divided by its maximum. $E_\text{box}$ is
# the squared share of attention outside the target (layout guidance); $E_\text{top}$ looks at the brightest cells
# inside and outside only (LVD). We hold one map, that of the unguided ball, against one box, and look at minus the
# gradient with respect to the *map*: red cells are to get more attention, blue ones less.

# %%
from xattn_helpers.edits.energies import ENERGIES

names = ("shape", "box", "top")

# %%
boxes = {"large box": place, "small box": track([(0.68, 0.38)], size=0.2)}
fig, axes = plt.subplots(2, 4, figsize=(8.5, 4.3), layout="compressed", dpi=80)
for row, (title, there) in zip(axes, boxes.items(), strict=True):
    goal = there.mask(1, side, side, "disc")
    row[0].imshow(A[0], cmap="magma")
    row[0].contour(goal[0], levels=[0.5], colors="white")
    row[0].set(title=title, xticks=[], yticks=[])
    row[0].title.set_size(9)
    for ax, name in zip(row[1:], names, strict=True):
        draw_signed(ax, downhill(ENERGIES[name], A, goal)[0], f"{name}: E = {float(ENERGIES[name](A, goal)):.2f}")
plt.show()

# %% [markdown]
# - **shape** pulls where the soft threshold is steep: at cells of middle brightness. What is clearly bright or clearly
#   dark feels nothing, inside of the box or outside. Because maps are stretched between their darkest and their
#   brightest cell, these two feel a strong pull of their own.
# - **box** pulls all cells inside up by one and the same amount, and all cells outside down by another. It does not
#   care how the attention is spread *inside*: one bright cell in the middle of a large box is as good as a full box. In
#   a small box, each cell inside is pulled up hard, and each cell outside is hardly pushed.
# - **top** pulls at a handful of cells, the brightest inside and the brightest outside, some of which are noise far
#   from the ball; and at the brightest of all, by which the map is divided. It too is content with few bright cells.
#
# So of the three only "shape" says that an object must *fill* its box, and it can feel only cells near its threshold.
#
# Guidance moves latents, not maps. Here is the length of the gradient with respect to the *latents*, over their four
# channels, at one early step, with all layers at 8 × 8 and 16 × 16.

# %%
rows = []
for there in boxes.values():
    lengths = []
    for name in names:
        gradient = begin(Guidance(word, there, energy=name)).gradient(z, 900)[1]
        lengths.append(gradient[0].norm(dim=0)[0].cpu())  # (height, width)
    rows.append([there.mask(1, side, side, "disc")[0], *lengths])
image_grid(rows, row_titles=list(boxes), column_titles=["target", *names])

# %% [markdown]
# Although the latents are still nearly pure noise, the gradient is not spread evenly. With all three energies the
# brightest spot is at the upper right, where the network is about to put the ball. Guidance strengthens or weakens what
# the network already begins to see, and this limits how far a size can be moved.
#
# ## 3. Figure 4, rebuilt
#
# The paper's Figure 4 shows objects in five sizes. We ask for five as well, each a multiple of the size that the object
# has without guidance, in a box that stands where the object stands. By the *size* of a box we mean the side of a
# square with the same area, in parts of the picture. The boxes have the proportions of the object's drawing. First four
# objects in the image model: twenty guided pictures in one batch. We begin with *plain* steps, which are as long as the
# gradient makes them, with the energy "box" and an η that suits it.

# %% tags=["nbval-check-output"]
print(PLAIN)
print(resize.WORDS)

# %%
SHOWN = ("burger", "ball", "shark", "duck")
SEED = 2
prompts = [one_object(word, OBJECTS[word][1], OBJECTS[word][0]) for word in SHOWN]
frees = all_unguided(image_model, prompts, [SEED] * len(SHOWN))  # all four together


def size_of(video, word):
    return size(detect(video, word)[0]) if DRAWN else np.nan


def standing(word, clip, times):
    """The asked side, and a box of that size where the object stands in the unguided clip."""
    boxes = detect(clip.video, word)[0] if DRAWN else np.full((len(clip.video), 4), np.nan)
    own = size(boxes)
    side = float(np.clip(times * (0.35 if np.isnan(own) else own), resize.LEAST, resize.MOST))
    return side, resize.standing(boxes, box(word, side))


asked = {
    (word, name): standing(word, one.clip, times)
    for word, one in zip(SHOWN, frees, strict=True)
    for name, times in resize.WORDS.items()
}

# %%
of = dict(zip(SHOWN, prompts, strict=True))


def boxed(clip, path):
    return draw_boxes(clip.video, path.boxes(len(clip.video)))


def five_sizes(make, **knobs):
    """The guided picture of each object and size; the five of an object are made together."""
    made = {}
    for word in SHOWN:
        paths = {name: asked[word, name][1] for name in resize.WORDS}
        batch = make([[word]] * len(paths), [[path] for path in paths.values()], **knobs)
        clips = generate(image_model, [of[word]] * len(paths), SEED, edits=batch)
        made |= {(word, name): clip for name, clip in zip(paths, clips, strict=True)}
    return made


titles = ["unguided", *(f"{name}, × {times:g}" for name, times in resize.WORDS.items())]


def sheet(pictures):
    rows = [
        [one.clip.video[0], *(boxed(pictures[word, name], asked[word, name][1])[0] for name in resize.WORDS)]
        for word, one in zip(SHOWN, frees, strict=True)
    ]
    return image_grid(rows, row_titles=list(SHOWN), column_titles=titles, cell=1.0)


pictures = five_sizes(Guidance, **PLAIN)
sheet(pictures)


# %%
def asked_and_got(pictures):
    rows = [
        [
            word,
            *(f"{asked[word, name][0]:.2f} → {size_of(pictures[word, name].video, word):.2f}" for name in resize.WORDS),
        ]
        for word in SHOWN
    ]
    return markdown_table(["asked → got", *resize.WORDS], rows)


asked_and_got(pictures) if DRAWN else None

# %% [markdown]
# The model follows half-heartedly. The burger grows into the two large boxes, ball and duck grow a little in the
# largest one, and the shark is larger than unguided in every box, the smallest included. The *small* boxes do nothing
# for the size: each of them sits somewhere on the belly of an object that is as large as it was, or larger.
#
# Why is the push so weak? The box energy is the square of a share, and its gradient is this share times something: when
# most of the attention is inside, there is hardly a push left. And the η that is enough for one object is too much for
# another, which it destroys. There is another way: make every step equally long,
#
# $$ \mathbf{z}_t \leftarrow \mathbf{z}_t - \sqrt{1 - \bar\alpha_t}\;\eta\, \frac{\nabla E}{\mathrm{rms}(\nabla E)} . $$
#
# `law="equal"` does this, and it is the law that `Guidance` has by default; the factor in front is that of LVD. The root
# mean square is taken over all values of the gradient, so that η is the length of a step in standard deviations of a
# latent, and means the same for a picture and a video. For sizes we take *equal steps* as `Guidance.for_size` has them,
# with η = 0.055 and guidance at every step.

# %%
for_size = Guidance.for_size(word, place)
print({name: getattr(for_size, name) for name in ("energy", "law", "strength", "schedule", "shape")})
equal = five_sizes(Guidance.for_size)
sheet(equal)

# %%
asked_and_got(equal) if DRAWN else None

# %% [markdown]
# Now all four objects follow, in both directions: the burger from .23 to .46, the ball from .23 to .39, the shark from
# .34 to .55, the duck from .19 to .40. The ends of the range are still missed, most of all the small one: the smallest
# burger and the smallest ball are much larger than their boxes, and stand beside rather than inside them. And there is
# a price: the smallest duck is a scrap, and the head of the largest one is frayed.
#
# Now the video model, with equal steps: one object live, in the four sizes that are not its own, made in one batch.
# These are cases of the stored table, so that we can hold our live sizes against the stored ones below.

# %%
video_word, video_seed = "burger", resize.SEEDS[0]
video_prompt = of[video_word]
video_free = unguided(video_model, video_prompt, video_seed)
other_sizes = {name: times for name, times in resize.WORDS.items() if times != 1}
video_asked = {name: standing(video_word, video_free.clip, times) for name, times in other_sizes.items()}
videos = {
    name: generate(video_model, video_prompt, video_seed, edits=Guidance.for_size(video_word, path))
    for name, (_, path) in video_asked.items()
}
video_titles = ["unguided", *(f"{name}, × {times:g}" for name, times in other_sizes.items())]
show(
    video_free.clip.video,
    *(boxed(clip, video_asked[name][1]) for name, clip in videos.items()),
    titles=video_titles,
    columns=5,
)

# %%
strips = [strip(boxed(clip, video_asked[name][1]), 6) for name, clip in videos.items()]
image_grid([[one] for one in (strip(video_free.clip.video, 6), *strips)], row_titles=video_titles, cell=0.7)

# %% [markdown]
# Without guidance the burger drifts to the left; in a standing box it stands. Its size follows the box: asked were .15,
# .23, .41 and .54, and we got .16, .28, .37 and .46. The smallest burger is little more than a bun. `resize.webp`
# beside the stored tables has the same for the ball, the shark and the duck (`python -m xattn_helpers.studies resize_sheet`).
#
# ## 4. Targets that nobody draws
#
# The paper calls its method zero-shot because the target can come from the object itself: $M \times
# \mathrm{shape}(\mathcal{A}_\text{orig})$, where $M$ resizes and moves. But then it finds the maps of its model too
# noisy and draws boxes by hand (section 4.1). Our maps are good enough to try. `unguided` keeps the maps of the run
# without guidance, and `moved` resizes them about their centre of mass.

# %%
zero_word, zero_prompt, factor = "duck", of["duck"], 1.6
zero_free = unguided(image_model, zero_prompt, SEED)
moved = zero_free.moved(zero_word, scale=factor)
drawn = standing(zero_word, zero_free.clip, factor)[1]
results = {"unguided": zero_free.clip}
for name, one in {"own maps, moved": moved, "drawn disc": drawn}.items():
    results[name] = generate(image_model, zero_prompt, SEED, edits=Guidance.for_size(zero_word, one))

# %%
sides = sorted(zero_free.maps(zero_word), key=lambda height: abs(height - 12))[:2]  # maps of 16 × 16 and 8 × 8
rows = [
    [
        soft_threshold(zero_free.maps(zero_word)[height])[0],
        *(one.mask(1, height, height, "disc")[0] for one in (moved, drawn)),
    ]
    for height in sorted(sides, reverse=True)
]
rows.append([clip.video[0] for clip in results.values()])
image_grid(
    rows,
    row_titles=["target at 16 × 16", "target at 8 × 8", "result"],
    column_titles=["unguided, with its shape(A)", "own maps, moved", "drawn disc"],
)

# %%
for name, clip in results.items():
    print(f"{name:16} size {size_of(clip.video, zero_word):.2f}")

# %% [markdown]
# The two targets differ in more than their outline. The moved map has the tilt of the duck's own map, which at 16 × 16
# is a band from the head down to the tail; the drawn target is an ellipse in a box of the duck's proportions, and knows
# nothing of ducks. The moved map is grey at the rim, because enlarging blurs, and it carries along some specks of
# noise.
#
# With this seed both ducks have grown nearly to the size that we asked for, .43: .41 from the own maps, .39 from the
# disc. [Notebook 06](06_what_matters.ipynb) measures zero-shot targets on moving objects. What the paper says of its
# own model, that maps are too noisy to be a target, need not hold where maps are as clean as those of [notebook
# 02](02_how_noisy.ipynb).
#
# ## 5. Asked against got
#
# Now the numbers. The study `resize` asks for ten sizes (five multiples, and five in parts of the picture), for eight
# objects with eight seeds each, under several settings of `Guidance`, and measures what it got with the detector.
# The project had set itself two bounds before it measured: a rank correlation of at least .9 between asked and got, and
# a median relative error of at most 15 %.
#
# The *rank correlation* (Spearman's) asks whether a larger wish gives a larger object, whatever the scale: replace
# asked and got sizes by their ranks, and correlate these. The *median relative error* asks how far the size is off, in
# half of the videos:
#
# $$ \rho = \mathrm{corr}\big(\mathrm{rank}(\text{asked}), \mathrm{rank}(\text{got})\big), \qquad
#    e = \mathrm{median}\left|\frac{\text{got}}{\text{asked}} - 1\right| $$

# %% tags=["nbval-check-output"]
wish, found = np.array([0.2, 0.3, 0.4, 0.6]), np.array([0.26, 0.28, 0.33, 0.36])  # every size in order, none right
ranks = [one.argsort().argsort() for one in (wish, found)]
rho, error = np.corrcoef(*ranks)[0, 1], np.median(np.abs(found / wish - 1))
print(f"by hand {rho:.3f} and {error:.3f}")
print(f"helper  {spearman(wish, found):.3f} and {relative_error(wish, found):.3f}")

# %% [markdown]
# The example shows why we need both: the order is perfect, and the sizes are almost a quarter off. A model that follows
# a tenth of each wish would have the first number right. Therefore we also fit a *slope*: of a change of the wish, in
# logarithms, how much is taken over? It is fitted for each object and seed by itself, so that only the wish varies, and
# then averaged. 1 is obedience, 0 is a deaf model.

# %%
table, videos_of = load_table("resize"), {}
for case in load_rows("resize"):
    videos_of.setdefault(case["setting"], []).append(case)
print(origin("resize"))
for setting, part in table["settings"].items():
    seeds = sorted({case["seed"] for case in videos_of[setting]})
    print(f"{setting}: {part['guidance'] or 'Guidance.for_size'}, {part['cases']} videos, seeds {seeds}")

# %%
layout = {"figsize": (2.2 * len(videos_of), 2.7), "layout": "compressed", "dpi": 80, "sharex": True, "sharey": True}
fig, axes = plt.subplots(1, len(videos_of), **layout)
for ax, (setting, cases), color in zip(axes, videos_of.items(), plt.cm.tab10.colors, strict=False):
    ax.plot([case["side"] for case in cases], [case["size"] for case in cases], "o", ms=3, alpha=0.6, color=color)
    ax.axline((0, 0), slope=1, color="grey", lw=0.8)
    ax.set(title=setting, xlabel="asked size", xlim=(0, 0.85), ylim=(0, 0.85))
axes[0].set_ylabel("got size")
plt.show()


# %% [markdown]
# Each dot is a video, the grey line is obedience. *defaults* are the equal steps of `Guidance.for_size`; *old defaults*
# are the plain steps of section 3, which were the defaults of this series before. The clouds of plain steps and of the
# paper's setting are flatter than the line: small wishes lie above it, large ones below. The defaults follow the line.
# With η = 0.08 there are more dots far below it, objects that became much too small.
#
# How were the settings chosen? Strength and schedule of the defaults were decided by the study `tuning`, on eight other
# objects (a dog, a kite, an apple, a penguin, a bus, a cat, a bee and a pizza) with seeds of their own. Six settings went
# on from the first seed to two more. None of these loses one of its 72 objects, and η = .055 at every step comes nearest
# to the asked boxes: its mean IoU with them is .675, and its sizes are off by 14.7 % on average. One thing did come from
# here: an earlier version of this table had shown that at every step, steps almost half as long again lose more than
# twice as many objects, and so the longest steps were not tried there with that schedule. The figures of the defaults
# may flatter them a little.
#
# A word of caution before the table. Five of the ten wishes are multiples of the size that the object has anyway, and
# objects differ in size. A model that ignored us would therefore get a positive rank correlation for nothing. The last
# row shows how much: it takes the *unguided* sizes for what was got.

# %%
def percent(figure):
    return figure_text(figure, ".3g", percent=True)


def agreement(figures):
    """Rank correlation, relative error and slope, as texts."""
    order, error, slope = (figures[name] for name in ("rank correlation", "median relative error", "slope"))
    return [figure_text(order, ".3g"), percent(error), figure_text(slope, ".3g")]


# %%
rows = [
    [setting, *agreement({name: part[name]["all"] for name in table["no guidance"]}),
     *(percent(part[name]["all"]) for name in RATES)]
    for setting, part in table["settings"].items()
]  # fmt: skip
rows.append(["no guidance", *agreement(table["no guidance"]), "", "", ""])
markdown_table(["setting", *STATISTICS, "slope", *RATES], rows)

# %%
rows = [
    [setting, kind, figure_text(part["rank correlation"][kind], ".3g"), percent(part["median relative error"][kind])]
    + [percent(part[name][kind]) for name in RATES]
    for setting, part in table["settings"].items()
    for kind in ("words", "numbers", "of the world", "object before")
]
markdown_table(["setting", "asked", *STATISTICS, *RATES], rows)

# %%
for setting, part in table["settings"].items():
    lost = Counter(case["word"] for case in videos_of[setting] if np.isnan(case["size"]))
    share = part["series in order"]["all"]
    good = f"{share.value * share.n:.0f} of {share.n} series"
    print(f"{setting:12} in order (.94 or more): {good} | never seen: {dict(lost.most_common())}")

# %% [markdown]
# **Size.** With the defaults, the median error is 12.3 % (11.2 to 13.3): within the bound of 15 %. With plain steps it
# is 22 %, and a third for a model that ignores the wish. Where the world has the asked size, the defaults have 7.8 %.
#
# **Order.** The defaults have a rank correlation of .924 (.903 to .942): the bound of .9 is met. The other settings
# miss it. Within one object and seed the order is nearly perfect: the defaults have .94 or more in 61 of 64 such series
# of ten (the list after the tables).
#
# **Not there.** In two of the 64 unguided videos there is nothing to resize: with seed 11 our model draws the night
# instead of the ocean, with a fish that the detector does not know and no shark. No setting brings that shark back. The
# rows "object before" leave these two aside; the defaults then keep 99.8 % of the scenes.
#
# **Price.** The defaults lose the object in 4 % of the videos, plain steps and the paper's setting in 3 %, and they
# keep as many scenes. With η = 0.08 it is lost in 10 %. The defaults also take longer than plain steps, because they
# guide every step.
#
# "Seen" means in more than half of the frames; "one instance", in more than half of the frames that show any;
# "scene kept", that the detector names the scene of the unguided video.
#
# The intervals of the first two columns resample objects with their seeds, each with all of its videos: ten videos of
# one object from one seed are not ten independent proofs. "Of the world" are the wishes for a size that the pocket
# world has for the object (`of_world` of the study).
#
# Who is disobeyed, small wishes or large ones?

# %%
EDGES = (0.08, 0.2, 0.3, 0.4, 0.5, 0.81)
rows = []
for low, high in zip(EDGES[:-1], EDGES[1:], strict=True):
    line = [f"{low:.2g} to {high:.2g}"]
    for cases in videos_of.values():
        asked_here = [case for case in cases if low <= case["side"] < high and not np.isnan(case["size"])]
        ratios = [case["size"] / case["side"] for case in asked_here]
        line.append(f"{np.median(ratios):.2f} (n = {len(ratios)})" if ratios else "–")
    rows.append(line)
markdown_table(["asked size", *(f"got / asked, {setting}" for setting in videos_of)], rows)

# %% [markdown]
# 1 would be obedience. With plain steps and the paper's setting, what is asked to be smallest comes out twice as large,
# and the ratio falls steadily: sizes are drawn towards the one that the object has anyway. With the defaults the ratio
# is within a tenth of 1 from .2 to .5. Wishes below .2 are still missed by nearly a third. No setting makes objects as
# large as the largest boxes.
#
# ### A slice of it, live
#
# The videos of section 3 are four of the stored cases. If the weights were changed since the table was made, this cell
# fails.

# %%
burgers = [case for case in videos_of["defaults"] if (case["word"], case["seed"]) == (video_word, video_seed)]
stored_sizes = {case["asked"]: case["size"] for case in burgers}
if STORED:
    for name, clip in videos.items():
        live = size_of(clip.video, video_word)
        print(f"{name:9} asked {video_asked[name][0]:.2f}, live {live:.3f}, stored {stored_sizes[name]:.3f}")
        # Where the object is lost, its size is 0. Another processor rounds differently, and the loop amplifies it.
        assert abs(np.nan_to_num(live) - np.nan_to_num(stored_sizes[name])) < 0.1

# %% [markdown]
# ## 6. Where it fails
#
# **The object is larger than the box.** A clip's `updates` keep the energy before each update. Here are those of three
# burgers of section 3: the smallest, the middle and the largest box. The energy of the box is the square of the share
# of attention outside.

# %%
chosen = [sorted(resize.WORDS, key=resize.WORDS.get)[index] for index in (0, 2, 4)]
clips, maps_of = {}, {}
plt.figure(figsize=(5, 2.8), dpi=80, layout="compressed")
for name in chosen:
    guidance = Guidance.for_size("burger", asked["burger", name][1])
    with capture(image_model, cells=cells) as attention:
        clips[name] = generate(image_model, of["burger"], SEED, edits=guidance)
    maps_of[name] = {size.shape[1]: size for size in (attention.maps("burger", cells=one).cpu() for one in cells)}
    updates = clips[name].updates
    plt.plot([update.step for update in updates], [update.energy[0] for update in updates], "o-", ms=3, label=name)
plt.gca().set(xlabel="denoising step", ylabel="energy", ylim=(0, 1))
plt.legend(fontsize=8)
plt.show()

# %%
rows = [
    [boxed(clips[name], asked["burger", name][1])[0], *(one[0] for one in maps_of[name].values())] for name in chosen
]
image_grid(rows, row_titles=chosen, column_titles=["result", *(f"map at {side} × {side}" for side in maps_of[name])])

# %%
for name in chosen:
    for side, one in maps_of[name].items():
        inside = asked["burger", name][1].mask(1, *one.shape[1:], "disc")
        share, area = 100 * float((one * inside).sum() / one.sum()), 100 * float(inside.mean())
        print(f"{name:9} {side:2} × {side:<2} {share:3.0f} % of the attention on {area:3.0f} % of the cells")

# %% [markdown]
# All three energies fall, but none comes near zero, and that of the smallest box falls least: to the end, most of the
# attention is outside. The maps tell why. The smallest burger is larger than its target and stands at its upper left,
# and its attention goes where the burger is: the *tails* outside of the box are the rest of the burger. To lose them,
# the network would have to draw a smaller burger, and we shall see below that it hardly can. At 16 × 16 there is also a
# dim floor all over the picture; it is weak, but it has many cells, and no burger could make it go away. This is why
# even the largest burger, which nearly fills its box, has half of its attention outside there.
#
# **A large box is filled with something else.** A box is a wish for attention, and the network may fulfil it with two
# objects as well as with one; or not at all, if the energy is content with less. One balloon, a box of .6, four ways:

# %%
balloon = one_object("balloon", OBJECTS["balloon"][1], OBJECTS["balloon"][0])
large = track([(0.5, 0.5)], size=box("balloon", 0.6))
ways = {
    "box energy, strength 100": PLAIN,
    "paper's energy, strength 60": PLAIN | {"energy": "shape", "strength": 60.0},
    "the same, strength 200": PLAIN | {"energy": "shape", "strength": 200.0},
    "box and size": PLAIN | {"energy": {"box": 1.0, "size": 1.0}},
}
balloons = [generate(image_model, balloon, 1, edits=Guidance("balloon", large, **knobs)) for knobs in ways.values()]
image_grid([[boxed(clip, large)[0] for clip in balloons]], column_titles=list(ways))

# %% [markdown]
# With the box energy there is one balloon, which does not fill its box: most of its attention is inside, and the box
# energy hardly asks for more. The paper's energy knows that the box is not full. At its usual strength it leaves a small
# balloon at the bottom of the box. Asked more firmly, the network stretches the balloon until it is as tall as the box,
# though not in its middle. And with an energy on the area added to that of the box, it draws two balloons: more of the box is
# covered, as the energies want, and it is not what we meant. This is why the table counts instances. Without counting,
# two small balloons might pass for a large one.
#
# **A size that the world has never seen.** Half of the captions of the pocket world tell a size: "a small burger", "a
# big burger". The other half say nothing, whatever the size is. Guidance changes the attention, not the caption. What
# if the two contradict each other, and what if nothing of the asked size exists?

# %%
SIDES, sizes_word, sizes_seed = (0.15, 0.25, 0.35, 0.45, 0.6), "burger", 3
paths = [track([(0.52, 0.52)], size=box(sizes_word, side)) for side in SIDES]
rows, lines = [], []
for said in ("small", "", "big"):
    told = one_object(sizes_word, OBJECTS[sizes_word][1], OBJECTS[sizes_word][0], said)
    alone = unguided(image_model, told, sizes_seed).clip
    guidance = Guidance.for_size([[sizes_word]] * len(SIDES), [[one] for one in paths])
    clips = generate(image_model, [told] * len(SIDES), sizes_seed, edits=guidance)
    rows.append([alone.video[0], *(boxed(clip, one)[0] for clip, one in zip(clips, paths, strict=True))])
    lines.append([said or "(no word)", *(f"{size_of(clip.video, sizes_word):.2f}" for clip in (alone, *clips))])

# %%
titles = ["unguided", *(f"asked {side:g}" for side in SIDES)]
image_grid(rows, row_titles=[line[0] for line in lines], column_titles=titles, cell=0.9)

# %%
markdown_table(["got size", *titles], lines) if DRAWN else None

# %%
if DRAWN:
    from xattn_helpers.pocket.world.actors import LARGEST, SMALLEST
    from xattn_helpers.pocket.world.stories import SAY_SIZE
    from xattn_helpers.pocket.world.vocabulary import OBJECTS as THINGS
    from xattn_helpers.pocket.world.vocabulary import SIZES

    for said, ends in SIZES.items():
        low, high = (end * THINGS[sizes_word].size for end in ends)
        print(f"{said or 'in between':10}  long side {low:.2f} to {high:.2f} before perspective")
    print(f"said in {SAY_SIZE:.0%} of the captions; where nothing is said, the object may be of any of the three")
    print(f"with perspective and growth, never below {SMALLEST} and never above {LARGEST}")


# %% [markdown]
# The last cell printed what the captions of the world mean: three ranges of sizes, and limits that no picture of the
# world exceeds (the long side of a burger is nearly the same as our size, because a burger is nearly square). Without
# guidance the word decides: .22, .28 and .36. With guidance both have a say. Asked for .25 or .35, the three burgers
# are half as far apart as without guidance. Asked for .45, the one without a word and the "big" one come to .41 and
# .42, and the "small" one stays at .32.
#
# Asked for .15, the burgers come out at .18 to .25, the "big" one largest: the world has none below .22. Asked for .6,
# two of them come to about .5, and the "small" one is no larger than before: word and box contradict each other.
#
# Where the words say the same as the box, both work together: to get a small burger, say "small".
#
# ## 7. The verdict
#
# The sentences of the list are computed from the table, so that they can never be older than it.

# %%
def verdict(part, kind):
    """The statistics of a group of videos against their bounds, in words."""
    judged = []
    for name, (sign, bound) in STATISTICS.items():
        figure, over = part[name][kind], sign == "≥"
        clear = figure.low >= bound if over else figure.high <= bound
        met = figure.value >= bound if over else figure.value <= bound
        text = "met" if clear else "met, but not beyond doubt" if met else "**missed**"
        judged.append(f"{name} {figure_text(figure, '.3g')}, bound {bound:g}: {text}")
    return "; ".join(judged)


lines = []
for setting, part in table["settings"].items():
    lines += [f"**{setting}**, {kind}: {verdict(part, kind)}." for kind in ("all", "object before")]
bullets(lines)

# %% [markdown]
# **Against the paper.** Its section 5 says that backward guidance changes an object's size, and shows it. With its own
# setting we find a quarter of the change. With steps of equal length two thirds of the change can be had, at no price
# that the table could show, until the wish leaves what the model has seen.
#
# **What cannot be concluded.** The paper shows four objects in five sizes, without numbers, and calls resizing less
# prone to failure than motion. Our models have learnt a world in which sizes have sharp limits, and in which every
# object is drawn from one picture. And our detector measures boxes: an object that is half hidden counts as small.
#
# ## Exercises
#
# **1.** Two objects with two sizes: "a ball and a dog on the grass", the ball large on the left, the dog small on the
# right, and the other way round.
#
# <details><summary>Solution</summary>
#
# ```python
# both = "a ball and a dog on the grass"
# left, right = (0.27, 0.55), (0.75, 0.55)
# for seed in (0, 1, 2):
#     for ball_side, dog_side in ((0.5, 0.25), (0.25, 0.5)):
#         targets = [track([left], size=ball_side), track([right], size=dog_side)]
#         clip = generate(image_model, both, seed, edits=Guidance(["ball", "dog"], targets, **PLAIN))
#         print(seed, ball_side, dog_side, {name: round(size_of(clip.video, name), 2) for name in ("ball", "dog")})
# ```
#
# With all three seeds the order is right: the ball has .36 to .47 where it was asked for .5, and .30 to .32 where it
# was asked for .25; the dog .43 to .45 and .32 to .34. Both are drawn towards their usual size, as before.
# </details>
#
# **2.** A size that changes along the video. Tracks take a size for each key point. Let the burger grow from .25 to .5
# while it stays where it is, and plot asked and got size over the frames.
#
# <details><summary>Solution</summary>
#
# ```python
# grows = track([(0.5, 0.5), (0.5, 0.5)], size=[box("burger", 0.25), box("burger", 0.5)])
# clip = generate(video_model, video_prompt, video_seed, edits=Guidance("burger", grows, **PLAIN))
# for boxes in (grows.boxes(len(clip.video)), detect(clip.video, "burger")[0]):
#     print([round(size(one[None]), 2) for one in boxes])
# show(boxed(clip, grows))
# ```
#
# The burger does not grow: it goes from .42 down to .37 and back to .39, where .25 to .5 was asked. Now put the word
# that the world has for it into the prompt: "a burger floats closer on the water". With the same target it grows from
# .28 to .53. Equal steps (`Guidance.for_size`) make the burger grow without the word as well, from .27 to .35.
# </details>
#
# **3.** The box energy is content with a small object in a large box. Add the energy "size", which compares the area of
# the thresholded map with that of the target, to the balloon of section 6. Which weight does it need?
#
# <details><summary>Solution</summary>
#
# ```python
# for weight in (0.0, 1.0, 2.0, 5.0, 10.0, 20.0):
#     guidance = Guidance("balloon", large, **PLAIN | {"energy": {"box": 1.0, "size": weight}})
#     clip = generate(image_model, balloon, 1, edits=guidance)
#     print(weight, round(size_of(clip.video, "balloon"), 2))
# ```
#
# With 0 the balloon has .32, where .6 was asked. With 1 there is a second balloon: nobody said that it must be one.
# With 2 to 10 there is one balloon again, which reaches from the top of the box to the bottom and is longer than
# balloons are, with a size of .44 to .49. With 20 it is torn and the sky is spoiled.
# </details>
#
# ## In this notebook we saw
#
# - equations 3 and 4 by hand, the helper that does the same, and why the energy is squared;
# - that equation 4 to the letter moves latents out of the world;
# - what three energies pull at, and what each of them is content with;
# - five sizes of four objects, and how steps of equal length follow where plain ones do not;
# - targets that are drawn, and targets from the object's own maps;
# - asked against got sizes, with an order, an error and a slope;
# - three failures: an object larger than its box, a second object, a size that the world does not have.
#
# Next: [notebook 05](05_motion.ipynb) moves objects along paths, with the same call.
