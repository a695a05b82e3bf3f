# %% [markdown]
# # 08 · A video that is given
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# All videos so far were made by the model that changed them. The [paper](https://arxiv.org/abs/2404.05519) ends with a
# promise: to edit *real* videos, and to keep their background. For this, a video that no model made must get onto the
# model's way from noise to pictures. This lesson takes a drawn clip, whose edited truth can be drawn as well, and turns
# its cat into a duck.
#
# **After this lesson you can**
#
# 1. say why noise has to be found for a given video, and what happens without it;
# 2. invert the steps of DDIM, and say why they come back elsewhere;
# 3. write two ways that are exact: edit-friendly DDPM inversion and FlowEdit;
# 4. keep a background with a mask made of attention maps, and say what it costs;
# 5. measure an edit: the new object, the old one, and everything else.

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
# `VIDEO` names the transformer:

# %%
from itertools import pairwise

import torch

from xattn_helpers import Guidance, KeepBackground, Reweight, check, edit_video, generate, lesson, load, observe
from xattn_helpers.edits.observed import encoded

VIDEO = "pocket-dit"  # on a GPU also: "wan", "ltx"
model, unet = load(VIDEO), load("pocket")

# %% jupyter={"source_hidden": true}
# Settings and pictures that the lesson needs; nothing to learn here.
import tempfile
from pathlib import Path

from ipywidgets import FileUpload
from matplotlib_inline.backend_inline import set_matplotlib_formats

from xattn_helpers.display import bullets, markdown_table
from xattn_helpers.edits.blending import shape_of
from xattn_helpers.studies import given_figures as figures
from xattn_helpers.studies import measured
from xattn_helpers.studies.sight import Sight

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 66, "optimize": True, "progressive": True})
sight = Sight(VIDEO)  # what the detector sees, which knows the drawn world only
FRAMES, STEPS = min(9, model.defaults.frames), min(10, model.defaults.steps)  # fewer than by default: enough for these pictures
ASKED = {"frames": FRAMES, "steps": STEPS, "progress": False, "check_prompt": False}  # of each edit

# %% [markdown]
# ## 1. A question to begin with
#
# Here is a clip that was drawn, with the prompt that describes it. We want a duck in the place of the cat, and
# everything else as it is. Guess: what does the model make of the new prompt alone?

# %%
cat_to_duck = figures.exchanges()[9]
prompt, new_prompt = cat_to_duck.source.caption, cat_to_duck.target_prompt
drawn = figures.drawn(cat_to_duck, FRAMES)
video, truth = figures.fitted(drawn.video, model), figures.fitted(drawn.truth, model)
alone = generate(model, new_prompt, seed=0, frames=FRAMES, steps=STEPS, progress=False)
print(f"given: {prompt}; wanted: {new_prompt}")

# %% jupyter={"source_hidden": true}
figures.strips({"given": video, "the new prompt alone": alone.video, "what we want (drawn)": truth})

# %% [markdown]
# It is a duck, but in another place, and before other mountains: nothing told the model about the clip. What decides
# where things are is the noise that a run begins with ([lesson 00](00_pocket_diffusion.ipynb)). Which noise would have
# become *this* clip?
#
# ## 2. Noise that is drawn
#
# The simplest answer is: any. [SDEdit](https://arxiv.org/abs/2108.01073) encodes the clip, adds noise that was drawn,
# up to some level, and samples from there with the new prompt. Guess: how much noise is right?

# %%
drawn_noise = {}
for skip in (0.2, 0.5, 0.7):  # the share of the steps, the noisiest ones, that are left out
    edit = edit_video(model, video, prompt, new_prompt, method="blended", skip=skip, keep_background=False, **ASKED)
    drawn_noise[f"the last {1 - skip:.0%} of the steps"] = cat_to_duck, edit.video

# %% jupyter={"source_hidden": true}
figures.strips({"given": video} | {title: edit for title, (_, edit) in drawn_noise.items()})

# %% jupyter={"source_hidden": true}
bullets(figures.verdicts(model, drawn_noise, sight))


# %% [markdown]
# "IoU with the truth" compares the object's mask with that of the drawn truth. The background is everything outside of
# both objects, in decibels (exercise 5), beside what the autoencoder alone makes of it.
#
# With much noise the clip is forgotten: other mountains, a duck of another size. With less noise, this edit is a good
# one, because a duck may be where a cat was. But the whole picture is made anew, so that the background stays far below
# what the autoencoder allows; the right level has to be searched for every edit; and even with the clip's *own* prompt
# it would not come back. We look for a way that changes nothing when nothing is asked.
#
# ## 3. Noise that is found, and why it is the wrong one
#
# ![Plain inversion comes back elsewhere; the exact ways keep the source beside the edit](diagrams/inversion.svg)
#
# A step of [DDIM](https://arxiv.org/abs/2010.02502) draws no noise. From level $t$ it goes to the next level $s$ by
#
# $$ x_s = \alpha_s\, \frac{x_t - \sigma_t\, \epsilon_\theta(x_t, t)}{\alpha_t} + \sigma_s\, \epsilon_\theta(x_t, t) . $$
#
# It works in both directions: with more noise at $s$ it is a step *up*. *DDIM inversion* climbs from the clip to noise,
# and samples down again.
#
# ### Exercise 1 ● 6 minutes: a step up
#
# `latents` and the network's `noise` are at the lower level, `alpha` and `sigma` its shares; return the latents at the
# next one.

# %%
def inversion_step(latents, noise, alpha, sigma, next_alpha, next_sigma):
    ...  # your code


check.inversion_step(inversion_step)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Two lines: the clean latents that the noise means, and then these made noisy again, as much as the next level asks.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 1
def inversion_step(latents, noise, alpha, sigma, next_alpha, next_sigma):
    clean = (latents - sigma * noise) / alpha
    return next_alpha * clean + next_sigma * noise


check.inversion_step(inversion_step)

# %% [markdown]
# The U-Net predicts noise, so it goes first. Up and down with the clip's *own* prompt: do we get the clip back?

# %%
FEW = min(6, 2 * unet.defaults.steps)  # steps of what only checks something
small = figures.fitted(drawn.video[: unet.defaults.frames], unet)
x0, text, new_text, empty = encoded(unet, small), unet.encode(prompt), unet.encode(new_prompt), unet.encode("")
levels = unet.noise.solver(FEW).levels()  # from noise to clean, each with alpha, sigma and its timestep


def step(x, noise, level, to):
    return inversion_step(x, noise, level.alpha, level.sigma, to.alpha, to.sigma)


x = x0
for level, to in pairwise(reversed(levels)):  # up: the network is asked at the level that we want to reach
    x = step(x, unet.predict(x, to.timestep, text), level, to)
for level, to in pairwise(levels):  # down
    x = step(x, unet.predict(x, level.timestep, text), level, to)

# %%
small_asked = ASKED | {"frames": len(small), "steps": FEW, "skip": 0.0, "keep_background": False}
one = {"cfg_scale": 1.0, "source_cfg_scale": 1.0}  # no classifier-free guidance
plain = edit_video(unet, small, prompt, prompt, method="plain", **one, **small_asked)
lesson.close(x[0], plain.latents, calls=2 * FEW, dtype=unet.dtype)
pushed = edit_video(unet, small, prompt, new_prompt, method="plain", **small_asked)
print(f"off by {float((x - x0).square().mean() / x0.square().mean()) ** 0.5:.0%} of the latents' size")

# %% jupyter={"source_hidden": true}
back = {"back, its own prompt": plain.video, "back, the new prompt": pushed.video}
figures.strips({"given, through the autoencoder": unet.decode(x0)[0].numpy()} | back)


# %% [markdown]
# We do not come back, not even with the same prompt: place and shape return, colours do not. The step down from $s$ uses
# the noise that the network sees at $x_s$. On the way up we need the same number, but $x_s$ is what we want to compute.
# So we ask at the place where we are, and every step adds an error. More and shorter steps make it smaller;
# classifier-free guidance, without which prompts are obeyed badly, makes it larger. [Null-text
# inversion](https://arxiv.org/abs/2211.09794) repairs this by optimising the empty prompt at each step, [PnP
# inversion](https://arxiv.org/abs/2310.01506) by adding the error back. There are two simpler ways.
#
# ## 4. An exact way for the U-Net
#
# Let each step be random, as in DDPM: the network gives the mean $\mu$ of the next level, and noise $z$ is added. If
# the video is *known* at both levels, we can choose $z$ so that the step ends exactly there:
#
# $$ x_s = \mu_t(x_t) + \varsigma_t\, z_t \quad \Longrightarrow \quad z_t = \frac{x_s - \mu_t(x_t)}{\varsigma_t} . $$
#
# [Edit-friendly DDPM inversion](https://arxiv.org/abs/2304.06140) draws the noise of every level *by itself*, makes the
# clip as noisy as each level says, computes all $z_t$, and goes down once more with them and with the new prompt.
#
# ### Exercise 2 ● 4 minutes: the noise between two levels
#
# `mean` is $\mu_t(x_t)$, `deviation` is $\varsigma_t$, and `next_source` is the clip at the next level.

# %%
def found_noise(next_source, mean, deviation):
    ...  # your code


check.found_noise(found_noise)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Solve the formula on the left for $z_t$.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 2
def found_noise(next_source, mean, deviation):
    return (next_source - mean) / deviation


check.found_noise(found_noise)


# %% [markdown]
# All of it, by hand. The last step has no noise ($\varsigma = 0$), so we keep the product $\varsigma_t z_t$, the
# *rest*, and never divide:

# %%
def mean(x, noise, level, to):  # of a step of DDPM: eq. 12 of the DDIM paper with η = 1
    variance = (to.sigma / level.sigma) ** 2 * (1 - (level.alpha / to.alpha) ** 2)
    clean = (x - level.sigma * noise) / level.alpha
    return to.alpha * clean + max(to.sigma**2 - variance, 0) ** 0.5 * noise


def edit_friendly(levels, words, cfg_scale):
    generator = torch.Generator().manual_seed(0)
    draws = [torch.randn(x0.shape, generator=generator).to(x0) for _ in levels[:-1]]
    xs = [level.alpha * x0 + level.sigma * draw for level, draw in zip(levels, draws, strict=False)] + [x0]
    y = xs[0]
    for (level, to), x, next_x in zip(pairwise(levels), xs[:-1], xs[1:], strict=True):
        rest = next_x - mean(x, unet.predict(x, level.timestep, text), level, to)
        y = mean(y, unet.predict(y, level.timestep, words, empty, cfg_scale), level, to) + rest
    return y


# %%
low = levels[FEW // 3 :]  # the noisiest third of the levels is left out: it would decide anew where things are
same = edit_friendly(low, text, 1.0)
duck = edit_friendly(low, new_text, 3.0)
friendly = edit_video(unet, small, prompt, new_prompt, cfg_scale=3.0, **(small_asked | {"skip": 0.3}))
lesson.close(duck[0], friendly.latents, calls=3 * FEW, dtype=unet.dtype)
print(f"own prompt: off by {float((same - x0).abs().max()):.0e} at most")

# %% jupyter={"source_hidden": true}
figures.strips({"given": small, "its own prompt": unet.decode(same)[0].numpy(), "the new prompt": friendly.video})


# %% [markdown]
# The clip comes back up to rounding (what is lost in the second row is the autoencoder's), by construction and with any
# network, even a bad one. With the new prompt, what the two prompts say *alike* still cancels, and what they say
# differently is the edit: a duck with the cat's path and size, before the same mountains. The rests hold the clip's
# layout. Since the noise of each level was drawn by itself, they have to carry more of the clip than noise that a run
# would have drawn.
#
# ## 5. An exact way for the transformer
#
# Flow matching has no random steps. [FlowEdit](https://arxiv.org/abs/2412.08629) goes from the clip to the edit
# directly, without passing through noise. The edit $y$ begins as the clip. At each level, the clip is made noisy,
# $x_\sigma = (1 - \sigma) x_0 + \sigma \epsilon$, the edit gets the same noise, $y + x_\sigma - x_0$, and moves by
#
# $$ y \leftarrow y + (\sigma' - \sigma)\, \bigl( v_\theta(y + x_\sigma - x_0, \text{new prompt}) -
#    v_\theta(x_\sigma, \text{prompt}) \bigr) . $$
#
# ### Exercise 3 ●● 5 minutes: a step of FlowEdit

# %%
def flowedit_step(edit, target_velocity, source_velocity, sigma, next_sigma):
    ...  # your code


check.flowedit_step(flowedit_step)


# %% [markdown]
# <details><summary>Hint</summary>
#
# With the same prompt on both sides nothing may move. The rest is the step of lesson 07.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 3
def flowedit_step(edit, target_velocity, source_velocity, sigma, next_sigma):
    return edit + (next_sigma - sigma) * (target_velocity - source_velocity)


check.flowedit_step(flowedit_step)

# %%
z0, words, new_words, nothing = encoded(model, video), model.encode(prompt), model.encode(new_prompt), model.encode("")
steps = model.noise.solver(FEW, places=z0[0, 0].numel()).levels()[FEW // 3 :]


def flowedit(cfg_scale=3.0):
    generator, y = torch.Generator().manual_seed(0), z0
    for level, to in pairwise(steps):
        noise = torch.randn(z0.shape, generator=generator).to(z0)
        noisy = (1 - level.sigma) * z0 + level.sigma * noise
        source = model.predict(noisy, level.timestep, words)
        target = model.predict(y + noisy - z0, level.timestep, new_words, nothing, cfg_scale)
        y = flowedit_step(y, target, source, level.sigma, to.sigma)
    return y


by_hand = flowedit()
few = ASKED | {"steps": FEW, "keep_background": False, "cfg_scale": 3.0}
by_helper = edit_video(model, video, prompt, new_prompt, **few)
print(f"largest difference: {lesson.close(by_hand[0], by_helper.latents, calls=3 * FEW, dtype=model.dtype):.0e}")

# %% [markdown]
# The two ways are one idea: the source goes beside the edit, and only the *difference* of two predictions moves it.
# Noise is drawn anew at each level, and its traces average out; better still with several draws at each (`draws=2`),
# every one of which takes as long as the first.
#
# ## 6. The background, and a mask that keeps it
#
# Exact means: *with the same prompt*, everything comes back. With another prompt, does the background?

# %%
free = edit_video(model, video, prompt, new_prompt, keep_background=False, **ASKED)
kept = edit_video(model, video, prompt, new_prompt, **ASKED)
exchanged = {"no mask": free, "mask": kept}

# %% jupyter={"source_hidden": true}
seen = observe(model, video, prompt, frames=FRAMES)
shape = shape_of(seen.maps("cat").values(), z0.shape[2:], KeepBackground().threshold)
with_map = {"given, with the map of “cat”": figures.masked(video, shape)}
figures.strips(with_map | {title: edit.video for title, edit in exchanged.items()})

# %% jupyter={"source_hidden": true}
lines = {title: (cat_to_duck, edit.video) for title, edit in exchanged.items()}
bullets(figures.verdicts(model, lines, sight))


# %% [markdown]
# Without a mask, the background is worse than the autoencoder's: a prompt touches everything. But maps tell where the
# object is ([lesson 01](01_cross_attention.ipynb)): those of "cat" while the network looks at the noisy clip (the first
# row, where they are above one half), and those of "duck" while the edit is made. Early maps of "duck" are all over the
# picture, so they are cut off one cell beyond the map of the cat.
#
# ![The larger of two maps is a mask; outside of it the latents of the given video stand](diagrams/background_mask.svg)
#
# After each step, everything outside of this mask is put back to the clip *at the same level of noise*, as in [Blended
# Latent Diffusion](https://arxiv.org/abs/2206.02779). Here it gains less than one would hope. The mask is made of latent
# cells, 8 pixels wide, and reaches beyond the cat; what lies between counts as background and may change. And it costs
# something: at the mask's soft edge both videos are mixed, so that a trace of the cat's tail stays behind the duck. A
# narrower mask keeps more of both, and the new object must fit into it. What the autoencoder loses is lost in any case,
# unless the clip's own pixels are laid over the decoded edit wherever the mask is empty (`overlay=True`).
#
# ### Exercise 4 ●● 8 minutes: edit inside, source outside
#
# Both masks are soft, (height, width) in [0, 1]; latents are (channels, height, width) and at the same level.

# %%
def blended_latents(edit, source, old_mask, new_mask):
    ...  # your code


check.blended_latents(blended_latents)


# %% [markdown]
# <details><summary>Hint</summary>
#
# The union of two soft masks is the larger of the two, place by place: `torch.maximum`. Then mix by shares.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 4
def blended_latents(edit, source, old_mask, new_mask):
    mask = torch.maximum(old_mask, new_mask)
    return mask * edit + (1 - mask) * source


check.blended_latents(blended_latents)


# %% [markdown]
# ### Exercise 5 ●●● 10 minutes: how well is a background kept?
#
# The *peak signal to noise ratio* is $10 \log_{10}(255^2 / \text{mean squared error})$, in decibels. `video` and
# `reference` are floats (frames, height, width, 3) from 0 to 255, `objects` is (frames, height, width) and True inside.
# Count all pixels outside of the objects together.

# %%
def outside_psnr(video, reference, objects):
    ...  # your code


check.outside_psnr(outside_psnr)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `tensor[~objects]` gives the pixels outside, all frames together. The logarithm comes last.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 5
def outside_psnr(video, reference, objects):
    error = (video - reference)[~objects].square().mean()
    return 10 * torch.log10(255**2 / error)


check.outside_psnr(outside_psnr)

# %% [markdown]
# ## 7. Resize and move
#
# Everything that steered generated videos works here, too. The target is the paper's: the clip's *own* map, made smaller
# or moved, $M \times \text{shape}(A_{\text{orig}})$ ([lesson 04](04_resize.ipynb)). `observe` has recorded that map while
# the network looked at the clip. Where things are is decided early, so no step is left out. The last edit takes new noise
# inside the mask, as SDEdit did: the mask alone ties it to the clip. Guess: which is the hardest?

# %%
new_noise = {"method": "blended", "cfg_scale": 4.0}
ways = {"smaller": (1 / 1.5, 0.0, {}), "to the left": (1.0, -0.35, {}), "to the left, new noise": (1.0, -0.35, new_noise)}
placed = {}
for title, (scale, across, knobs) in ways.items():
    guidance = Guidance("cat", seen.moved("cat", scale, (across, 0.0)))
    edit = edit_video(model, video, prompt, prompt, edits=guidance, skip=0.0, **knobs, **ASKED)
    placed[title] = figures.changed(cat_to_duck, scale, across), edit.video

# %% jupyter={"source_hidden": true}
shown = {"given": video}
for title, (wanted, edit) in placed.items():
    if "noise" not in title:
        shown[f"{title}, as it should be"] = figures.fitted(figures.drawn(wanted, FRAMES).truth, model)
    shown[title] = edit
figures.strips(shown)

# %% jupyter={"source_hidden": true}
bullets(figures.verdicts(model, placed, sight))

# %% [markdown]
# The cat goes to the left, but it is another cat: smaller, with fewer details, and the detector is not sure of it. Where
# it was, FlowEdit leaves smears; new noise leaves snow. Making it smaller fails: it keeps nearly its size and changes its
# colours. Guidance says *where* the word looks, not *which* cat it is: that is decided anew. What could hold its looks
# are features of the given object; [self-guidance](https://arxiv.org/abs/2306.00986) has an energy for them.
#
# ## 8. When does it fail?
#
# **Removing an object.** Let the network not look at "cat" at all: is the cat gone?

# %%
hidden = edit_video(model, video, prompt, prompt, edits=Reweight("cat", 0.0), skip=0.0, **ASKED)

# %% jupyter={"source_hidden": true}
figures.strips({"given": video, "“cat” is not attended to": hidden.video})

# %% [markdown]
# Almost: strokes of its tail stay, and the snow is smeared. Nothing in the prompt says what should be in its place, and
# what the mask does not cover is put back.
#
# **A prompt that does not describe the clip.** Then its maps are about nothing. The helper compares the network's error
# with the prompt to that without, and refuses:

# %%
try:
    wrong = "a boat sails on the water", "a duck sails on the water"
    edit_video(model, video, *wrong, **(ASKED | {"check_prompt": True}))
except ValueError as error:
    print(error)

# %% [markdown]
# **An object of quite another shape.** We chose the cat because its edit looks good. Three more clips, chosen by their
# prompts: a rocket that becomes a duck, a bus that becomes a truck, a shark that becomes a penguin.

# %%
rows = {"no mask": [], "mask": []}
for number in (3, 5, 6):
    clip = figures.exchanges()[number]
    pixels = figures.fitted(figures.drawn(clip, FRAMES).video, model)
    for title, keep in (("no mask", False), ("mask", True)) if sight.is_clear else ():
        edit = edit_video(model, pixels, clip.source.caption, clip.target_prompt, keep_background=keep, **ASKED)
        rows[title].append(figures.measure(model, clip, edit.video))

# %% jupyter={"source_hidden": true}
header = ["", "new object seen", "old one gone", "IoU with the truth", "background", "autoencoder alone"]
markdown_table(header, [[title, *figures.counted(found)] for title, found in rows.items() if found])

# %% [markdown]
# The objects are exchanged, but the overlap with the truth is lower than the duck's: the new object takes the place of
# the old one and some of its shape. A penguin does not stand in a shark's outline.
#
# These are few clips, short and with few steps. The study `given_video` edits many, in four ways (object, size, path,
# removal), by both models and several methods; none of them chose a setting. What it says of an exchanged object:

# %% jupyter={"source_hidden": true}
table = measured("given_video")
figures.by_setting(table) if table else None

# %% [markdown]
# A dot is a mean over sixty clips, with its 95 % interval. "Edit" asks the new object to be where the old one was, by the
# bias on its logits that lesson 07 compares with a gradient, and keeps the background by the mask. Each other setting
# changes one thing of it. Without the bias the overlap falls by 0.09 in the transformer. The mask costs no overlap and
# saves about three decibels. "Plain" inversion does less badly here than in section 2, because the mask puts the source
# back outside of the object. Leaving out fewer of the noisy steps ("skip .15") gives the new object more room; on other
# clips that gains less (0.02): the best row of a table is partly luck.
#
# Can the overlap grow? Settings that were chosen on other clips were run on these (study `given_exchange`). In the first,
# a bias pushes the word away from elsewhere more than it pulls it in, `Bias("duck", place, inside=4, outside=-16)`, with
# `skip=0.15`, `cfg_scale=2.5` and `steps=14`, which is 12 denoising steps instead of 17. The transformer's overlap is
# 0.60 instead of 0.58, which may be chance. The second has two draws of noise at each step, a place 1.2 times as large,
# a wider mask (`KeepBackground(threshold=0.2)`), and `overlay=True`. It takes twice as long; its overlap is 0.61, and in
# all sixty clips the new object is found in at least half of the frames. Good it is not: a burger in a balloon's place
# is a blurred bottle, and a kite that takes a bee's place is lost before the end.
#
# The background is measured as in [PIE-Bench](https://arxiv.org/abs/2310.01506); the drawn truth is what real videos
# cannot have. What such a table does not tell: real videos have cameras that move, hair and shadows, and a caption says
# little of what is seen. Methods for them, such as [TokenFlow](https://arxiv.org/abs/2307.10373), tie the frames together
# by their features as well.
#
# ## 9. Your own clip
#
# Choose a file (.mp4, .gif, .webp), say what it shows and what it shall show, and run the next cell. The pocket model
# knows only its drawn world; for real clips, run the lesson on a GPU with `VIDEO = "wan"`. No real clip comes with this
# project; [Wikimedia Commons](https://commons.wikimedia.org/wiki/Category:Videos) has
# many, each with its licence beside it. A clip needs nine frames and at least the size of the model's pictures.

# %%
upload = FileUpload(accept="video/*,.gif,.webp", multiple=False)
upload

# %%
OLD, NEW = "a cat walks in the snow", "a duck walks in the snow"
for file in upload.value:  # nothing happens without a file
    path = Path(tempfile.mkdtemp(), Path(file["name"]).name)
    path.write_bytes(file["content"])
    edited = edit_video(model, path, OLD, NEW, frames=FRAMES)

# %% jupyter={"source_hidden": true}
figures.strips({OLD: edited.source.video, NEW: edited.video}) if upload.value else print("No file was chosen.")

# %% [markdown]
# ## In this lesson we saw
#
# - Noise that is merely drawn makes the whole picture anew, and gives no way back to the given video.
# - DDIM steps taken backwards ask the network at the wrong place, and do not come back.
# - Two ways are exact: the noise between levels is computed (DDPM), or only a difference of velocities moves the edit
#   (FlowEdit). In both, the source goes beside.
# - A mask made of the words' maps keeps what lies outside of it, up to the autoencoder, and limits the new object.
# - Exchanging an object is easier than resizing or moving it: maps say where an object is, not which one it is.
#
# ## Three questions
#
# 1. Edit-friendly inversion gives the clip back even with a network that knows nothing. Why does that say nothing about
#    the quality of an edit?
# 2. In FlowEdit, what happens if you draw no noise, $\epsilon = 0$?
# 3. Why is the source outside of the mask put back at the *same level of noise*, and not clean?
#
# <details><summary>Answers</summary>
#
# 1. The rests hold everything that the network got wrong. With the same prompt they fit by construction; with another
#    prompt, it is the network that has to know what changes.
# 2. The network sees latents that are too clean for their level, which it has never seen in training: its velocities
#    mean little.
# 3. The network expects one level for all places. Clean cells beside noisy ones would be told from the object by their
#    noise alone, and the object would not fit in.
#
# </details>
#
# ## What to read next
#
# - [Prompt-to-Prompt](https://arxiv.org/abs/2208.01626), where editing by maps begins ([lesson 03](03_forward_swap.ipynb)).
# - [Edit-friendly DDPM inversion](https://arxiv.org/abs/2304.06140) and [FlowEdit](https://arxiv.org/abs/2412.08629).
# - [Null-text inversion](https://arxiv.org/abs/2211.09794): what the plain way needs.
