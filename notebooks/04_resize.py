# %% [markdown]
# # 04 · Resizing an object by the gradient of its attention
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# In [lesson 03](03_forward_swap.ipynb) an object took over another one's attention. The second idea of the
# [paper](https://arxiv.org/abs/2404.05519) needs no other object: draw the attention that a word *should* have, and move
# the noisy latents until its real attention comes near. The paper calls it *backward guidance*. In this lesson you
# write its two equations, 3 and 4, and resize a burger with them.
#
# **After this lesson you can**
#
# 1. turn a word's map into one number, the energy, that says how far it is from a target (eq. 3);
# 2. compute the gradient of this energy with respect to the latents, and move them downhill (eq. 4);
# 3. say why eq. 3 needs a square, and in how many ways eq. 4 can be read;
# 4. choose how long a step is, and see when it is too short and too long;
# 5. ask for an object of a given size, and measure asked against got size.

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
# The next cell loads the models; on a GPU, change them there. Most pictures come from the image model, which is quick.

# %%
import numpy as np
import torch

from xattn_helpers import Bias, Guidance, capture, check, generate, lesson, load, show, size_edits, track
from xattn_helpers.attention.maps import soft_threshold
from xattn_helpers.edits.edit import State
from xattn_helpers.edits.energies import box_energy, shape_energy, signed_energy
from xattn_helpers.edits.guidance import LAWS
from xattn_helpers.edits.zero_shot import unguided
from xattn_helpers.sampling import denoise, initial_latents
from xattn_helpers.studies.guidance.cases import box
from xattn_helpers.studies.guidance.paper import CODE
from xattn_helpers.studies.resize import figures, pictures

IMAGE, VIDEO = "pocket-t2i", "pocket"  # also "pocket-dit"; on a GPU also: "stable-diffusion", "modelscope"
image_model, video_model = load(IMAGE), load(VIDEO)

# %% jupyter={"source_hidden": true}
# Settings and pictures that the lesson needs; nothing to learn here.
from matplotlib_inline.backend_inline import set_matplotlib_formats

from xattn_helpers.display import bullets, draw_boxes
from xattn_helpers.studies import load_rows, measured, origin
from xattn_helpers.studies.sight import Sight

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 66, "optimize": True, "progressive": True})
sight = Sight(VIDEO)  # what the detector sees, which knows the drawn world only

# %% [markdown]
# ## 1. A question to begin with
#
# Six pictures of one prompt, from the same noise, by the same network. The first is as the network makes it. Guess what
# was changed for the others.

# %%
prompt, word, seed = "a burger floats on the water", "burger", 2
free = unguided(image_model, prompt, seed)
# Five boxes that stand where the burger stands, from half to 1.75 times its own size:
paths = pictures.in_words(word, sight.boxes(free.clip, word))


def in_five_sizes(guidance=Guidance.for_size, **knobs):
    """A guided picture for each box, all in one batch."""
    edit = guidance([[word]] * len(paths), [[path] for path in paths.values()], **knobs)
    return generate(image_model, [prompt] * len(paths), seed, edits=edit)


equal = in_five_sizes()

# %% jupyter={"source_hidden": true}
figures.sheet(free.clip, {"a burger floats on the water": equal}, paths)

# %% [markdown]
# Only the noisy latents were changed, a little before each denoising step. The red boxes are what we asked for, and the
# burger follows, more or less. This is what `Guidance.for_size("burger", path)` did at each step:
#
# ![One guided step: look at the word's map, move the latents, then the usual step](diagrams/guided_loop.svg)
#
# *Latents* are the small noisy picture that the network works on ([lesson 00](00_pocket_diffusion.ipynb)). The *map* of
# a word tells how much each place attends to it ([lesson 01](01_cross_attention.ipynb)). A *target* is a map that we
# draw ourselves, here a disc in the red box. An *energy* is a number that is small where map and target agree; the name
# is from physics, where things roll downhill.
#
# Gradients of a classifier ([Dhariwal and Nichol 2021](https://arxiv.org/abs/2105.05233)) or of any loss
# ([Bansal et al. 2023](https://arxiv.org/abs/2302.07121)) are older. To let the *attention* decide comes from
# [layout guidance](https://arxiv.org/abs/2304.03373) and [self-guidance](https://arxiv.org/abs/2306.00986).
#
# ## 2. From a map to a shape
#
# We take the map of "burger" from the unguided run, at 16 × 16, and the target for the largest box.

# %%
large, small = paths["bigger"], paths["smaller"]
side = min(free.maps(word), key=lambda height: abs(height - 16))  # 16, or what the model has next to it
A = free.maps(word)[side].cpu()  # (1 frame, 16, 16): the mean over layers, heads and steps
target = large.mask(frames=1, height=side, width=side, shape="disc")
zero_shot = free.moved(word, scale=pictures.WORDS["bigger"]).mask(1, side, side)
print(f"A has values from {A.min():.2f} to {A.max():.2f}, the target from {target.min():.0f} to {target.max():.0f}")

# %% jupyter={"source_hidden": true}
pictures.targets(free.clip, large, A, target, zero_shot)


# %% [markdown]
# A map is a dim hill, and the target is black and white. To compare them, the paper makes the map black and white, too,
# but softly:
#
# $$ \mathrm{shape}(\mathcal{A}) = \mathrm{norm}\big(\sigma(s\,(\mathrm{norm}(\mathcal{A}) - \tfrac12))\big),
#    \qquad \mathrm{norm}(\mathcal{A}) = \frac{\mathcal{A} - \min \mathcal{A}}{\max \mathcal{A} - \min \mathcal{A}} . $$
#
# *norm* stretches a map from 0 to 1. The sigmoid σ, with a sharpness of $s = 20$, then lifts what is above one half
# towards 1 and presses the rest towards 0. Why softly? A hard threshold is flat everywhere: its gradient is zero.
#
# ![A map of 4 × 4 cells becomes a shape, and with the target one number](diagrams/energy.svg)
#
# **Where does the target come from?** The last picture above is the paper's *zero-shot* target: shape(A) of the unguided
# run, enlarged. The paper finds the maps of its video model too noisy for this, and draws by hand (section 4.1). So do we.
#
# ### Exercise 1 ● 5 minutes: norm
#
# `maps` is (frames, height, width). Stretch each frame's map from 0 to 1 by itself. No map is constant.

# %%
def normalise_by_hand(maps):
    ...  # your code


check.normalise(normalise_by_hand)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `maps.amin((-2, -1), keepdim=True)` is the darkest cell of each frame, in a shape that can be subtracted from `maps`.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 1
def normalise_by_hand(maps):
    low = maps.amin((-2, -1), keepdim=True)  # (frames, 1, 1)
    high = maps.amax((-2, -1), keepdim=True)
    return (maps - low) / (high - low)


check.normalise(normalise_by_hand)


# %% [markdown]
# ### Exercise 2 ● 5 minutes: the soft threshold
#
# Now shape(A), for any sharpness. You may use your function of exercise 1.

# %%
def threshold_by_hand(maps, sharpness):
    ...  # your code


check.soft_threshold(threshold_by_hand)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Read the formula from the inside: stretch, subtract ½, multiply, `torch.sigmoid`, stretch again.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 2
def threshold_by_hand(maps, sharpness):
    def stretched(values):
        low, high = values.amin((-2, -1), keepdim=True), values.amax((-2, -1), keepdim=True)
        return (values - low) / (high - low)

    return stretched(torch.sigmoid(sharpness * (stretched(maps) - 0.5)))


check.soft_threshold(threshold_by_hand)

# %% [markdown]
# ## 3. The energy
#
# The paper's equation 3 is short:
#
# $$ E = \mathrm{shape}(\mathcal{A}_\text{tar}) - \mathrm{shape}(\mathcal{A}_\text{orig}) $$
#
# This is a map of differences, with signs. Guidance needs one number: the mean over the cells. Guess: if we go downhill
# on this mean, where will the burger go?

# %%
drawn = {"large box": target, "small box": small.mask(1, side, side, "disc")}
energies = {"signed": signed_energy, "squared": shape_energy, "share outside": box_energy}
pulls = pictures.downhill(A, drawn, energies)  # minus the gradient with respect to the map: [target][energy]
same = {name: torch.equal(pulls["large box"][name], pulls["small box"][name]) for name in energies}
print("the same pull for both boxes:", same)

# %% jupyter={"source_hidden": true}
figures.pulls({name: aim[0] for name, aim in drawn.items()}, pulls, A[0])


# %% [markdown]
# Red cells are to get more attention, blue ones less; outlines are the targets. In the column "signed" both rows are the
# same: **the target drops out**. It is a constant, and the derivative of $-\mathrm{shape}(\mathcal{A})$ asks for
# more attention anywhere, whatever we have drawn. The paper's text does not print a square; its
# [released code](https://github.com/sam-motamed/Video-Editing-X-Attention) has one. With it,
#
# $$ E_\text{shape} = \frac1n \sum_p \big(\mathrm{shape}(\mathcal{A}_\text{tar})_p - \mathrm{shape}(\mathcal{A})_p\big)^2 , $$
#
# the pull depends on the target. It is strong where the soft threshold is steep, at cells of middle brightness, and
# nearly zero at cells that are clearly bright or clearly dark, even where they are wrong. In the last column is the
# energy of layout guidance, the squared share of attention outside of the target:
#
# $$ E_\text{box} = \Big(1 - \frac{\sum_p \mathcal{A}_p M_p}{\sum_p \mathcal{A}_p}\Big)^2 . $$
#
# It pulls every cell inside up and every cell outside down. It does not ask how the attention is spread inside, so
# that one bright spot in a large box is enough for it. `Guidance` uses it by default.
#
# ### Exercise 3 ●● 8 minutes: the energy
#
# A layer has several heads, and each has a map of its own. `shapes` is (heads, frames, height, width), already after the
# soft threshold, and `target` is (frames, height, width). Return $E_\text{shape}$ for each head and frame.

# %%
def energy_by_hand(shapes, target):
    ...  # your code


check.shape_energy(energy_by_hand)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `target - shapes` has the shape that you need: torch repeats the target for each head. Which axes must the mean remove?
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 3
def energy_by_hand(shapes, target):
    return (target - shapes).square().mean((-2, -1))


check.shape_energy(energy_by_hand)

# %% [markdown]
# ## 4. From the map to the latents
#
# The attention is computed from the latents. How would it change with them? One pass of the network, with the prompt
# alone, gives the maps; *backpropagation* goes back from the energy through the network to the latents, and tells for
# each of them whether it should grow or shrink. In training, the same computation changes the weights. Here the weights
# stay, and the *input* changes ([`torch.autograd.grad`](https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html)).

# %%
own = image_model.defaults
z = initial_latents(image_model, [seed], 1, own.height, own.width)  # (1, channels, 1 frame, height, width), pure noise
text = image_model.encode(prompt)
names = [site.name for site in Guidance(word, large).sites(image_model)]  # layers with maps of 8 × 8 and 16 × 16


def gradient_by_hand(z, timestep, path=large, scale=1024):  # in half precision small gradients would become zero
    z = z.detach().requires_grad_(True)
    with capture(image_model, sites=names, words=word, heads=True, gradients=True, prompt=prompt) as attention:
        image_model.predict(z, timestep, text)
    of_layers = []
    for layer in attention.sites():
        maps = attention.probabilities(layer)[0].sum(-1).transpose(0, 1)  # (heads, frames, height, width)
        aim = path.mask(maps.shape[1], *maps.shape[-2:], "disc").to(maps)
        of_layers.append(energy_by_hand(soft_threshold(maps), aim).mean(0))  # the mean over heads
    energy = torch.stack(of_layers).mean(0).sum()  # the mean over layers, the sum over frames
    return torch.autograd.grad(scale * energy, z)[0].float() / scale


# %% jupyter={"source_hidden": true}
by_box = {"large box": gradient_by_hand(z, 900.0, large), "small box": gradient_by_hand(z, 900.0, small)}
pictures.gradients(free.clip, z, by_box)

# %% [markdown]
# The latents are still pure noise, yet the gradient is largest where the network is about to put its burger. Guidance
# strengthens or weakens what the network already begins to see, which limits how far a size can be moved.
#
# ### Equation 4
#
# $$ \mathbf{z}_t \leftarrow \mathbf{z}_t - \delta_t^2\, \eta\, \nabla_{\mathbf{z}_t} \sum E ,
#    \qquad \delta_t = \sqrt{(1 - \alpha_t) / \alpha_t} $$
#
# η is the *strength*. And $\alpha_t$? The paper's equation 2 has $\bar\alpha_t$, the share of the signal after all steps
# up to $t$; equation 4 has no bar. In the usual notation $\alpha_t$ is what *one* step keeps. The released code has
# neither, but $1 - \bar\alpha_t$, the share of noise. So there are three readings:

# %%
solver = image_model.noise.solver(own.steps)
levels = [solver.level(number) for number in range(0, own.steps, max(1, own.steps // 5))]  # some steps of a run
for law in ("(1 - abar) / abar", "(1 - alpha) / alpha", "1 - abar"):
    print(f"{law:20} from noise to picture:", "  ".join(f"{LAWS[law](level):8.4f}" for level in levels))

# %% [markdown]
# At the first step, where guidance matters most, they differ by factors from 80 to 18 000. With $\alpha$ read as $\bar\alpha$
# the first step is enormous, and `Guidance` refuses it:

# %%
try:
    generate(image_model, prompt, seed, edits=Guidance(word, large, energy="shape", law="(1 - abar) / abar", strength=20.0))
except ValueError as error:
    print(error)


# %% [markdown]
# A latent has a standard deviation of about one: no picture is left after such a step. We follow the code.
#
# | | the paper's text | its released code | this section |
# | --- | --- | --- | --- |
# | energy | difference (eq. 3) | squared | squared |
# | η | 15 to 25 | 15 · 4 · 10/16 = 37.5 | 37.5 |
# | $\delta_t^2$ | $(1 - \alpha_t) / \alpha_t$ | $1 - \bar\alpha_t$ | $1 - \bar\alpha_t$ |
# | target | binary masks | discs | discs |
# | norm over | each map | all heads of a frame together | each map |
#
# The code multiplies its η of 15 by 4, and averages over 16 layers of which 6 give zero; we average over the ten others.
# Its frames are mixed up by a bug that [lesson 06](06_what_matters.ipynb) measures.
#
# ### Exercise 4 ● 5 minutes: a guided step
#
# Write the update with $\delta_t^2 = 1 - \bar\alpha_t$. `abar` and `strength` are numbers.

# %%
def guided_step(latents, gradient, abar, strength):
    ...  # your code


check.guided_step(guided_step)


# %% [markdown]
# <details><summary>Hint</summary>
#
# The gradient points uphill, to a larger energy.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 4
def guided_step(latents, gradient, abar, strength):
    return latents - (1 - abar) * strength * gradient


check.guided_step(guided_step)


# %% [markdown]
# Now the whole loop. Before each step, `denoise` offers the latents to the `update` of every state that it is given;
# our functions only need a class around them. Then the same with `Guidance`:

# %%
class ByHand(State):
    def __init__(self, step, strength):
        self.step, self.strength = step, strength

    def update(self, latents, level, index):
        gradient = gradient_by_hand(latents, level.timestep)
        return self.step(latents, gradient, 1 - level.sigma**2, self.strength).to(latents.dtype)


def run_by_hand(step, strength, steps):
    states = [ByHand(step, strength)]
    *_, last = denoise(image_model, z, text, image_model.encode(""), steps, own.cfg_scale, states)
    return last.latents


# %%
eta = CODE["strength"]  # 37.5
by_hand = run_by_hand(guided_step, eta, own.steps)
plain = {"energy": "shape", "law": "1 - abar", "strength": eta, "schedule": "always"}
by_helper = generate(image_model, prompt, seed, edits=Guidance(word, large, **plain))
apart = lesson.close(by_hand[0], by_helper.latents, calls=2 * own.steps)  # a gradient and a step, each time
print(f"by hand and by helper: largest difference of the latents {apart:.0e}")

# %% jupyter={"source_hidden": true}
decoded = image_model.decode(by_hand)[0].numpy()
pictures.boxed({"unguided": (free.clip, large), "by hand": (decoded, large), "by helper": (by_helper, large)})

# %% [markdown]
# By hand and by helper are the same, up to rounding, and the burger has grown. Can eq. 4 make it smaller as well?
#
# ## 5. How long should a step be?
#
# Guess: how long are the first steps of eq. 4 beside the last ones? We ask for the five sizes with the box energy and an η
# of 100 that suits it; `clip.updates` tells what happened at each step for the smallest box. Beside it are the steps of
# section 1.

# %%
PLAIN = {"law": "1 - abar", "strength": 100.0, "schedule": "always"}  # the length is the gradient's
as_gradient = in_five_sizes(Guidance, **PLAIN)
too_long = in_five_sizes(strength=0.16)
followed = {"η · gradient": as_gradient[0], "section 1": equal[0]}  # the smallest box

# %% jupyter={"source_hidden": true}
figures.lengths(followed)


# %% [markdown]
# On the right is the longest way that any latent goes at a step. By eq. 4 the first steps are the longest by far, and the
# last ones next to nothing; on the left, the energy stops falling. Another way is to make every step equally long,
#
# $$ \mathbf{z}_t \leftarrow \mathbf{z}_t - \sqrt{1 - \bar\alpha_t}\;\eta\, \frac{\nabla E}{\mathrm{rms}(\nabla E)} ,
#    \qquad \mathrm{rms}(x) = \sqrt{\mathrm{mean}(x^2)} . $$
#
# η is now the length of a step in standard deviations of a latent, and means the same for every energy, picture and
# video. The factor in front is that of
# [LVD (LLM-grounded video diffusion)](https://arxiv.org/abs/2309.17444). This law is the default of
# `Guidance`; `Guidance.for_size` has an η of 0.055, at every step.
#
# ### Exercise 5 ●●● 12 minutes: equal steps
#
# `latents` and `gradient` are now a batch, (clips, channels, frames, height, width). Each clip needs its own rms.

# %%
def equal_step(latents, gradient, abar, strength):
    ...  # your code


check.equal_step(equal_step)


# %% [markdown]
# <details><summary>Hint</summary>
#
# The rms of a clip is over all axes but the first. With `keepdim=True` it can divide the gradient.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 5
def equal_step(latents, gradient, abar, strength):
    rms = gradient.square().mean((1, 2, 3, 4), keepdim=True).sqrt()  # (clips, 1, 1, 1, 1)
    return latents - (1 - abar) ** 0.5 * strength * gradient / rms


check.equal_step(equal_step)

# %%
by_hand = run_by_hand(equal_step, 0.055, steps=3)
by_helper = generate(image_model, prompt, seed, steps=3, edits=Guidance.for_size(word, large, energy="shape")).latents
print(f"largest difference {lesson.close(by_hand[0], by_helper, calls=6):.0e}")

# %% [markdown]
# Now with equal steps of three times the length.

# %% jupyter={"source_hidden": true}
ways = {"η · gradient": as_gradient, "equal, η = 0.055": equal, "equal, η = 0.16": too_long}
print(pictures.sizes_text(paths, ways, word, sight))
figures.sheet(free.clip, ways, paths)

# %% [markdown]
# Steps that follow the gradient move the large sizes and leave the small ones alone. Equal steps move both, and can be too
# long: the last row comes nearest to the smallest box, and pays with a scrap of a burger at one end and a frayed one at
# the other.
#
# ## 6. A bias in the first steps
#
# The first steps begin from almost pure noise. There the maps are unclear, and their gradient says little. Guess: what
# if we *set* the attention in these steps?
#
# Attention is a softmax of *logits* ([lesson 01](01_cross_attention.ipynb)). A *bias* $b$ is added to those of one word:
#
# $$ \mathcal{A} = \mathrm{softmax}(\text{logits} + b), \qquad b = +4 \text{ inside}, \quad b = -4 \text{ outside}. $$
#
# It needs no gradient, and costs almost nothing. A place that gives "burger" a tenth of its attention then gives:

# %% tags=["nbval-check-output"]
share = 0.1
for bias in (4, 0, -4):
    odds = share / (1 - share) * np.exp(bias)  # adding to a logit multiplies the odds
    print(f"bias {bias:+d}: {odds / (1 + odds):.1%}")

# %% [markdown]
# `size_edits(word, path)` has such a bias in the first quarter of the steps, and at every step the gradient of
# $E_\text{box} + 0.6\, E_\text{shape}$: attention shall stay in the box, and fill it. Beside it is a bias alone, of ±8 in
# all steps.

# %%
with_bias = in_five_sizes(size_edits)
bias_alone = in_five_sizes(Bias, until=1.0)

# %% jupyter={"source_hidden": true}
ways = {"gradient alone": equal, "bias and gradient": with_bias, "bias alone, to the end": bias_alone}
print(pictures.sizes_text(paths, ways, word, sight))
figures.sheet(free.clip, ways, paths)

# %% [markdown]
# With the bias in the first steps, the smallest burger comes nearer to its box, and it is whole. The bias alone is a
# warning: in the later steps the network has begun another burger, and forced attention tears it. A bias that ends early
# leaves time to draw a whole one. [Lesson 06](06_what_matters.ipynb) compares biases and gradients.
#
# ## 7. A video
#
# In a video every frame has its maps, its target and its energy, and eq. 4 sums over the frames. The call is the same.

# %%
usual = video_model.defaults
settings = {"seed": 10, "frames": min(9, usual.frames), "steps": min(10, usual.steps)}  # few, to be quick
video_free = generate(video_model, prompt, **settings)
video_paths = pictures.in_words(word, sight.boxes(video_free, word), ("smaller", "bigger"))
videos = {}
for name, path in video_paths.items():
    videos[name] = generate(video_model, prompt, **settings, edits=size_edits(word, path))

# %% jupyter={"source_hidden": true}
boxed = [draw_boxes(videos[name].video, path.boxes(len(videos[name].video))) for name, path in video_paths.items()]
show(video_free.video, *boxed, titles=["unguided", *videos], width=300)

# %% [markdown]
# > *Place for the paper's [Figure 4](https://arxiv.org/html/2404.05519v1) (CC BY 4.0; not copied here).*
#
# The paper shows four objects in five sizes. Ours, from the pocket
# video model with all its frames; each picture is the middle of a video:
#
# ![A burger, a ball, a shark and a duck: unguided, and in five sizes with the box that was asked for](../xattn_helpers/studies/results/resize.webp)
#
# Burger, ball and duck follow in both directions. The shark takes the sizes as well, but not as a shark: it becomes a
# patch of fins that fills its box.
#
# ## 8. Asked and got
#
# The study `resize` asks for ten sizes of eight objects, with sixteen seeds each, and lets the detector measure what came
# out. *Size* is the side of a square as large as the box, in parts of the picture. Two numbers say how well a model obeys:
#
# - The *rank correlation* ([Spearman](https://en.wikipedia.org/wiki/Spearman%27s_rank_correlation_coefficient)): does a
#   larger wish give a larger object? Replace both sizes by their ranks, and correlate these.
# - The *median relative error*: by how much is the size off, in half of the videos?
#
# $$ \rho = \mathrm{corr}\big(\mathrm{rank}(\text{asked}), \mathrm{rank}(\text{got})\big), \qquad
#    e = \mathrm{median}\left|\frac{\text{got}}{\text{asked}} - 1\right| $$
#
# Why both? Guess the two for a model that takes over a part of each wish:

# %% tags=["nbval-check-output"]
wish, result = np.array([0.2, 0.3, 0.4, 0.6]), np.array([0.26, 0.28, 0.33, 0.36])
ranks = wish.argsort().argsort(), result.argsort().argsort()
print(f"rank correlation {np.corrcoef(*ranks)[0, 1]:.2f}, median relative error {np.median(np.abs(result / wish - 1)):.0%}")

# %% [markdown]
# The order is perfect, and the sizes are almost a quarter off. The *slope* tells it, too: of a change of the wish, in
# logarithms, how much is taken over? 1 is obedience, 0 a model that does not listen.

# %%
table, rows = measured("resize"), load_rows("resize")
print(origin("resize"), *figures.settings_lines(table, rows), sep="\n")

# %% jupyter={"source_hidden": true}
figures.asked_and_got(rows)

# %% jupyter={"source_hidden": true} tags=["nbval-check-output"]
bullets([*figures.lines(table, rows), *figures.verdicts(table)])

# %% [markdown]
# Each dot is a video, the grey line is what was asked, and the dark line the median of what came out. The first panel is
# `size_edits`, the second the box energy alone, in equal steps. The other two have steps as long as the gradient makes
# them, by this series' earlier defaults and by the paper's released code. All dark lines are flatter than the grey one:
# sizes are drawn towards the one that the object has anyway. With the bias the line is the steepest, and its dots lie
# closest together.
#
# Half of the wishes are multiples of the size that the object has anyway, so that even a model that hears no wish gets a
# positive rank correlation. Longer equal steps do not replace the bias: they lose more objects.
#
# The numbers of `size_edits` were found by the study `tuning`, on *other* objects and seeds: what is judged by the cases
# that it was chosen on looks better than it is.
#
# **What it means.** The paper shows that backward guidance changes an object's size. The slopes tell how much: with steps
# as in eq. 4 a smaller part of the change that was asked for, with equal steps more, with a bias three quarters of it.
#
# ## 9. When it fails
#
# *Lost* in the list is the share of videos in which the object is seen in half of the frames or fewer: the price of
# pushing.
# Two more ways to fail: what if the words say "a small burger" and the box says a big one? And what if the energies ask
# for a *full* box?

# %%
failures = {}
for said, name in (("small", "bigger"), ("big", "smaller")):
    edit = Guidance.for_size(word, paths[name])
    failures[f"“{said}”, {name} box"] = generate(image_model, f"a {said} {prompt[2:]}", seed, edits=edit), paths[name]
wide = track([(0.5, 0.5)], size=box("balloon", 0.6))
for title, energy in (("box energy", "box"), ("box and size", {"box": 1.0, "size": 1.0})):
    edit = Guidance("balloon", wide, energy=energy, **PLAIN | {"schedule": "first half"})
    failures[title] = generate(image_model, "a balloon floats in the sky", seed=1, edits=edit), wide

# %% jupyter={"source_hidden": true}
silent = dict(zip(paths.values(), equal, strict=True))  # with these boxes, and the prompt of section 1
print(pictures.against_words(failures, silent, word, sight))
pictures.boxed(failures)

# %% [markdown]
# Word and box pull against each other, and the result is between the two: to get a small burger, say "small" as well.
# The balloon does not fill its box: the box energy is content when the attention is inside. An energy on the size asks
# for more, and the network may answer with a second balloon. This is why the study also counts instances.
#
# **What cannot be concluded.** Our models have learnt a world in which sizes have sharp limits, and every object is
# drawn from one picture. The detector measures boxes: an object that is half hidden counts as small.
#
# ## In this lesson we saw
#
# - A word's map becomes a shape by a soft threshold, and with a target one number, the energy.
# - Without a square the target drops out of the gradient, and guidance cannot aim.
# - The gradient of the energy moves the latents. Eq. 4 can be read in three ways; one of them leaves no picture.
# - Steps as long as the gradient fade too early. Steps of equal length resize better.
# - A light bias in the first steps helps the gradient.
# - Asked against got size needs an order and an error; a model that hears nothing has an order, too.
#
# ## Three questions
#
# 1. Why does the gradient pass use the prompt alone, without the empty prompt and without classifier-free guidance?
# 2. You double the weight of the energy. What happens to a step of eq. 4, and what to an equal step?
# 3. All cells of a map are multiplied by two. What happens to $E_\text{shape}$, and what to $E_\text{box}$?
#
# <details><summary>Answers</summary>
#
# 1. The energy is about the map of a word, and the empty prompt has no such word. It also saves half of the pass.
# 2. The step of eq. 4 is twice as long. The equal step stays as it is, because the gradient is divided by its length.
# 3. Nothing, to both. norm stretches the map from 0 to 1 whatever its scale, and $E_\text{box}$ is a share.
#
# </details>
#
# ## What to read next
#
# - [Epstein et al. 2023](https://arxiv.org/abs/2306.00986), *Diffusion self-guidance*: where shape(A) comes from.
# - [Chen et al. 2024](https://arxiv.org/abs/2304.03373), *Training-free layout control*: the box energy.
# - [Lesson 05](05_motion.ipynb) moves objects along paths. All tables of the study are among the
#   [results](../docs/RESULTS.md).
