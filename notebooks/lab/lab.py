# %% [markdown]
# # Lab · Move an object with attention
#
# <!-- badges -->
#
# A video model puts a burger where it likes. In 90 minutes you find the place in the network where the word “burger”
# looks at the picture, and lead the burger along a path that you draw. You need Python and matrices; you need not have
# read any lesson before. Two students at one screen work well.
#
# **After this lab you can**
#
# 1. say what a diffusion model does in one step, and write that step;
# 2. compute attention, and read the map of a word;
# 3. steer an object with one number inside of that computation;
# 4. measure how well it went, and say when it fails.
#
# **How it works.** Six tasks give 100 points; ● is easy, ●●● is hard. Each begins with a guess: write it down, on paper
# if there is no cell for it, *before* you run the next cell. Where you see `...`, put your code. The line `check.…` below
# tells what is wrong with it when you run the cell; ask it as often as you like. No task needs the code of an earlier
# one, so when the minutes of a task are over, go on to the next.
#
# Run all cells from top to bottom, each with Shift+Enter, the one below too, which only sets things up. A cell whose code
# is folded away shows three dots; it only draws, and must be run as well. `[*]` on the left of a cell says that it works.
# A video takes half a minute or more while a whole class uses one computer: read on in the meantime.

# %% [markdown] tags=["teacher"]
# > **For the teacher.** This is the teacher's version. Boxes like this one, and the solutions, which are folded, are not
# > in the student's. Both are made from `notebooks/lab/lab.py` by `python -m tools.teaching`. The page
# > [Teaching with this](../../docs/TEACHING.md) has a plan of the session, what it needs of a machine, and typical
# > misunderstandings; the [sheet with points](points.md) is one page to print.

# %% tags=["colab-setup"]

# %% [markdown]
# ## Start: 5 minutes
#
# Write your name, or one that you make up, in the place of `anonymous`: it is shown with your video in the gallery of the
# class. Then run the next three cells; the last one says how large the videos are.

# %%
NAME = "anonymous"
GALLERY = "gallery"  # the folder of the class; your teacher may tell you another
PROMPT = "a burger floats on the water"

# %%
from dataclasses import replace

import torch

from xattn_helpers import Bias, capture, check, detect, generate, lesson, load, show, track

VIDEO = "pocket-dit"  # on a GPU also: "wan", "ltx"
model = load(VIDEO)

# %% jupyter={"source_hidden": true}
# Settings and pictures that the lab needs; nothing to learn here.
from matplotlib_inline.backend_inline import set_matplotlib_formats

from xattn_helpers.display import draw_boxes, gallery, hand_in, heatmaps, image_grid, leaderboard
from xattn_helpers.display.explorers import PathDrawer

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 66, "optimize": True})
POCKET = VIDEO == "pocket-dit"  # the detector knows the drawn world only
if POCKET:
    model = replace(model, defaults=replace(model.defaults, steps=8))  # fewer than by default, enough for a lab
STEPS = model.defaults.steps
LATER = "First make the check above say ✓, then run this cell again. Nothing below needs it."
size = model.defaults
print(f"{size.frames} frames of {size.height} × {size.width} pixels, in {STEPS} steps")

# %% [markdown]
# ## Task 1 ● 10 minutes, 10 points: when is the place decided?
#
# The model begins with pure noise and takes some of it away in each of its steps. It does not work on pixels but on
# *latents*: small pictures, of which another network makes pixels at the end. The *seed* says which noise it begins with.
# At each step one can ask the network: what video do you think this will become?
#
# **Guess.** At which step will that guess show for the first time *where* the burger will be? At which step the sea?

# %%
guess = None  # your number for the burger; the first step is number 1
because = ""  # your reason, in one sentence

# %%
steps = []
with capture(model, words=["burger", "water"], every_step=True) as attention:  # keeps maps for task 3
    clip = generate(model, PROMPT, seed=0, watch=steps.append)
show(clip)

# %%
middle = len(clip.video) // 2  # one frame is enough
guesses = []
for step in steps:
    clean = model.noise.clean(step.prediction, step.inputs, step.level)
    guesses.append(model.decode(clean)[0].numpy()[middle])

# %% tags=["picture-guesses"] jupyter={"source_hidden": true}
chosen = sorted({round(place * (len(guesses) - 1) / 7) for place in range(8)})
titles = [f"step {number + 1}" for number in chosen]
print(f"Your guess was step {guess}, because: {because or '(no reason given)'}")
image_grid([[guesses[number] for number in chosen]], column_titles=titles, cell=1.3)

# %% [markdown]
# **Your answer** (double-click here): what did you see, and how does it differ from your guess?
#
# …
#
# Whoever wants to say where the burger goes must say it *before* it is decided. So we act in the first half of the steps.

# %% [markdown] tags=["teacher"]
# > **Answer.** Step 1 has a horizon and a blur: the mean of all videos that fit the prompt, so there is a sea and no place
# > for the burger. Its place shows from step 2 on, and its details come last. The number itself is worth little: what
# > counts is that the place comes early and details late.
# >
# > **Points.** 4 for a number and a reason before the cell was run, whatever they are; 6 for an answer that says what is
# > seen first (sea and place) and what last (details).

# %% [markdown]
# ## Task 2 ● 10 minutes, 15 points: one step
#
# How much noise there is, is a number σ: 1 at the start, 0 at the end. Between the clean latents $z_0$ and pure noise
# $\epsilon$ there is a straight way, and the network tells its direction, the *velocity* $v$:
#
# $$ z_\sigma = (1 - \sigma)\, z_0 + \sigma\, \epsilon, \qquad v = \epsilon - z_0 . $$
#
# A step goes from σ to a lower σ′. **Guess** first: is it towards $v$ or away from it? Then write it.

# %%
def flow_step(latents, velocity, sigma, next_sigma):
    ...  # your code


check.flow_step(flow_step)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Write down $z_\sigma$ and $z_{\sigma'}$ with the first formula, and subtract one from the other.
#
# </details>

# %% tags=["teacher"] jupyter={"source_hidden": true}
# Solution of task 2
def flow_step(latents, velocity, sigma, next_sigma):
    return latents + (next_sigma - sigma) * velocity


check.flow_step(flow_step)

# %% [markdown]
# Four of your steps make a whole video, a short one here. `predict` gives the velocity. The network wants to be told
# 1000 σ for σ, and the last number says how strongly it shall keep to the prompt.

# %%
text, empty = model.encode(PROMPT), model.encode("")
noise = steps[0].inputs[:, :, :9]  # the noise that the video above began with, its first frames
levels = [1.0, 0.9, 0.75, 0.5, 0.0]
z = noise
if check.flow_step(flow_step):
    for sigma, next_sigma in zip(levels[:-1], levels[1:], strict=True):
        velocity = model.predict(z, 1000 * sigma, text, empty, 4.0)
        z = flow_step(z, velocity, sigma, next_sigma)
show(model.decode(z)[0].numpy(), titles="made by your steps") if z is not noise else LATER

# %% [markdown] tags=["teacher"]
# > **Points.** 15 if the check says ✓; 8 if only the sign is wrong; 5 for the right difference of the two formulas on
# > paper.

# %% [markdown]
# ## Task 3 ●● 20 minutes, 20 points: where a word looks
#
# ![From latents to patches, tokens, a block, and back](../diagrams/patches.svg)
#
# The network cuts the latents into *patches*. In each of its blocks every patch asks the words of the prompt: who of you
# is about me? This is *cross-attention*. A patch $p$ has a *query* $q_p$, a word $w$ has a *key* $k_w$ and a *value* $u_w$,
# lists of $d$ numbers each. The better query and key fit, the more of the word's value the patch gets:
#
# $$ A_{p,w} = \frac{\exp(q_p \cdot k_w / \sqrt d)}{\sum_{w'} \exp(q_p \cdot k_{w'} / \sqrt d)}, \qquad
#    \text{what } p \text{ gets} = \sum_w A_{p,w}\, u_w . $$
#
# The column $A_{\cdot,w}$, one number for each patch, is the *map* of the word $w$. **Guess**: what does the map of
# “burger” look like, and what that of “water”? Then write attention: `query` is (heads, patches, d), `key` and `value` are
# (heads, words, d).

# %%
def attention_of(query, key, value):
    ...  # your code


check.attention(attention_of)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Three lines: scores, softmax, mean of the values. `key.mT` exchanges the last two axes. For which axis must the weights
# sum to one: for the patches or for the words?
#
# </details>

# %% tags=["teacher"] jupyter={"source_hidden": true}
# Solution of task 3
def attention_of(query, key, value):
    weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)
    return weights @ value


check.attention(attention_of)

# %% jupyter={"source_hidden": true}
# Queries and keys of a block in the middle of the network, caught while it works; nothing to learn here.
site = model.sites[int(0.6 * len(model.sites))]
attn = model.network.get_submodule(site.name)
with lesson.inputs_of(attn) as inputs, capture(model, sites=site.name, prompt=PROMPT) as at_once:
    model.predict(steps[2 * STEPS // 8].inputs, steps[2 * STEPS // 8].timestep, text)


def split(features):
    return features[0].unflatten(-1, (attn.heads, -1)).transpose(0, 1).float()  # (heads, positions, d)


query, key = split(attn.norm_q(attn.to_q(inputs[0]))), split(attn.norm_k(attn.to_k(inputs[1])))
key = key if text.mask is None else key[:, text.mask[0]]  # a network that masks its padding
frames, rows, columns = at_once.maps("burger", site=site).shape
print(f"query {tuple(query.shape)}, key {tuple(key.shape)}")

# %% [markdown]
# Your function gives the map of a word, too. Which `value` makes it do so? One that is 1 for “burger” and 0 for every
# other word: then what a patch gets is $A_{p,\text{burger}}$.

# %%
value = torch.zeros(*key.shape[:2], 1)
value[:, model.text.find(PROMPT, "burger")] = 1
if check.attention(attention_of):
    by_hand = attention_of(query, key, value).mean(0).reshape(frames, rows, columns)  # the mean over the heads
    lesson.close(by_hand, at_once.maps("burger", site=site).cpu(), dtype=model.dtype)
    print("Your map of “burger” is that of the network, up to rounding.")
else:
    print(LATER)

# %% [markdown]
# Now look at both words, at the first step, at the third, and at the last. Bright is where the word looks.

# %% tags=["picture-maps"] jupyter={"source_hidden": true}
wanted = [0, 2 * STEPS // 8, STEPS - 1]
pictures = []
for word in ("burger", "water"):
    row = []
    for number in wanted:
        maps = attention.maps(word, site=site, step=number).cpu()
        row.append(heatmaps(maps[len(maps) // 2][None], size=96)[0])
    pictures.append([*row, clip.video[middle]])
image_grid(
    pictures, row_titles=["burger", "water"],
    column_titles=[*(f"step {number + 1}" for number in wanted), "the frame"], cell=1.5,
)  # fmt: skip

# %% [markdown]
# **Your answer** (double-click here): what do the two maps show at the last step, and what is different at the first?
#
# …

# %% [markdown] tags=["teacher"]
# > **Answer.** Late, “burger” is bright on the burger and nowhere else. At the first step there is nothing but noise, and
# > its map is one large blob where burgers usually are. A map shows where a word has influence *now*; it is no outline of the object, and its cells are as large
# > as 16 × 16 pixels. The sum over all *words* is one for each patch; the sum of a map over patches is not one.
# >
# > **Points.** 12 if the check says ✓ (6 if the only mistake is the axis of the softmax or the square root); 4 for the
# > map of “burger” in words; 4 for the difference between the first step and the last.

# %% [markdown]
# ## Task 4 ●● 15 minutes, 20 points: one number that steers
#
# What stands in the exponent is called a *logit*. We add a number $b_p$ to the logit of “burger”: up for patches inside a
# circle, down for those outside, and in the first half of the steps alone. Further below, the circle moves from frame to
# frame, and a red box shows where it is.
#
# ![Logits of two patches, a bias added to one word, and the softmax](../diagrams/bias.svg)
#
# **Guess**: the smallest of the numbers 1, 4 and 8 that suffices to move the burger.

# %%
guess = None  # 1, 4 or 8

# %% [markdown]
# `logits` is (patches, words), `bias` has one number for each patch, and the word is number 1, as everything counts from 0.
# Return the probabilities.

# %%
def biased_attention(logits, bias):
    ...  # your code


check.biased_attention(biased_attention)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Only one column changes, and it changes before the softmax. `logits.clone()` gives a copy that you may change.
#
# </details>

# %% tags=["teacher"] jupyter={"source_hidden": true}
# Solution of task 4
def biased_attention(logits, bias):
    logits = logits.clone()
    logits[:, 1] += bias
    return logits.softmax(-1)


check.biased_attention(biased_attention)

# %%
path = track([(0.25, 0.25), (0.25, 0.8)], size=0.35)  # from the upper left to the lower left
biased = {}
for number in (1, 4, 8):
    edit = Bias("burger", path, inside=number, outside=-number)
    biased[number] = generate(model, PROMPT, seed=0, edits=edit, frames=9 if POCKET else None)

# %% tags=["picture-bias"] jupyter={"source_hidden": true}
boxes = path.boxes(len(biased[8].video))
titles = [f"b = ±{number}" for number in biased]
print(f"Your guess was {guess}.")
show(*(draw_boxes(made.video, boxes) for made in biased.values()), titles=titles, width=250)

# %% [markdown]
# **Your answer** (double-click here): which number suffices? By what factor does $b = 8$ multiply $\exp(\text{logit})$ of
# “burger” inside of the circle, beside that of the other words?
#
# …

# %% [markdown] tags=["teacher"]
# > **Answer.** 4 suffices: with 1 the burger stays about where it was, with 4 and with 8 it is led. (What gives the points
# > is that the answer fits the picture, whatever the guess was.) $e^8 \approx 2981$; between inside and outside the factor
# > is $e^{16}$. The sea hardly changes: the shares of its words keep their ratios, because a larger $\exp(\text{logit})$
# > of “burger” divides all others by the same number.
# >
# > **Points.** 12 if the check says ✓ (6 for a bias that is added after the softmax); 4 for a number that fits what is
# > seen; 4 for the factor.

# %% [markdown]
# ## Task 5 ●● 10 minutes, 15 points: how well did it follow?
#
# ![Two boxes, what they share, and what they cover together](../diagrams/overlap.svg)
#
# A *detector* finds the burger in each frame and draws a box around it. We hold it against the box that was asked for:
# *intersection over union* is the area that both share, over the area that they cover together. The mean over the frames
# is called *mIoU*. **Guess** the mIoU of the three videos of task 4, and say why a frame without a burger must count 0.
#
# `boxes` and `targets` are (frames, 4): left, upper, right and lower edge, all from 0 to 1. A frame without a burger has a
# row of NaN in `boxes`. Return one number.

# %%
def mean_iou(boxes, targets):
    ...  # your code


check.mean_iou(mean_iou)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Left and upper edge of the common part are `boxes[:, :2].maximum(targets[:, :2])`. Its sides may come out negative: then
# nothing is shared. The union is both areas less the common one. `nan_to_num(0)` puts 0 in the place of NaN.
#
# </details>

# %% tags=["teacher"] jupyter={"source_hidden": true}
# Solution of task 5
def mean_iou(boxes, targets):
    low = boxes[:, :2].maximum(targets[:, :2])
    high = boxes[:, 2:].minimum(targets[:, 2:])
    common = (high - low).clamp(min=0).prod(1)
    both = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (targets[:, 2:] - targets[:, :2]).prod(1)
    return (common / (both - common)).nan_to_num(0).mean()


check.mean_iou(mean_iou)

# %%
if not POCKET:
    print("The detector knows the drawn world only: left out for this model.")
elif check.mean_iou(mean_iou):
    for number, made in biased.items():
        seen = torch.from_numpy(detect(made.video, "burger")[0])
        print(f"b = ±{number}: mIoU {float(mean_iou(seen, torch.from_numpy(boxes))):.2f}")
else:
    print(LATER)

# %% [markdown] tags=["teacher"]
# > **Answer.** The cell above prints the three numbers. If a frame without the object were left out of the mean, losing
# > the object would cost nothing.
# >
# > **Points.** 15 if the check says ✓; 10 if only the frames without a burger, or the negative sides, are wrong; 5 for the
# > right ratio on paper.

# %% [markdown]
# ## Task 6 ●●● 15 minutes, 20 points: your own path
#
# Draw a path on the grey square: click or drag there, pull the points, and change the size of the box at the ends of the
# path. Leave the other controls as they are. **Guess** your mIoU, then press *Run*. Two videos are made, without and with
# your path. The boxes with a line are those that you asked for, those with dashes are what the detector sees.
#
# Here the burger is led not by a bias but by *guidance*: at each step the latents move a little, in the direction in which
# the word's map becomes brighter inside of the box. Lesson 05 of the series is about that.
#
# The gallery is sorted by mIoU. Your box must leave the place where it begins: in some frame it must not touch the box of
# the first frame. Try a path that does not fit the scene, too, into the sky or very fast.

# %%
drawer = PathDrawer(model, PROMPT, "burger", seed=0, tracks=track([(0.25, 0.3), (0.7, 0.7)], size=0.35))
drawer

# %% [markdown]
# <details><summary>Nothing to draw on?</summary>
#
# Then write the path, and make the video with it. `Bias` works about as well as guidance does:
#
#     path = track([(0.2, 0.3), (0.5, 0.8), (0.8, 0.3)], size=0.35)
#     mine = generate(model, PROMPT, seed=0, edits=Bias("burger", path))
#     hand_in(GALLERY, NAME, mine, "burger", path)
#
# </details>

# %% tags=["teacher"] jupyter={"source_hidden": true}
# What a student does with the mouse: press Run
drawer.run()

# %% [markdown]
# Hand it in. You may do so as often as you like; what counts is your last video.

# %%
if drawer.clip is None:
    print("Press Run above first, and wait until the video is there.")
elif POCKET:
    print(hand_in(GALLERY, NAME, drawer.clip, "burger", drawer.asked["burger"]))
else:
    print("The detector knows the drawn world only: left out for this model.")

# %% [markdown]
# The gallery of the class. It measures every video anew. Run these two cells again later to see what the others did.

# %%
leaderboard(GALLERY) if POCKET and drawer.clip is not None else "Hand in first."

# %%
gallery(GALLERY) if POCKET and drawer.clip is not None else "Hand in first."

# %% [markdown]
# **Your answer** (double-click here): describe a path that failed, and say why you think it did. What does a high mIoU not
# tell you about a video?
#
# …

# %% [markdown] tags=["teacher"]
# > **Answer.** Paths fail that are too fast, too small, or against the scene. mIoU knows boxes: it says nothing of whether
# > the burger still looks like one, whether the sea is still there, and whether the motion is smooth.
# >
# > **Points.** 8 for a video in the gallery; 6 for a path that failed with a reason that fits it; 6 for something that
# > mIoU does not see. The place in the table gives no points.

# %% [markdown]
# ## Three questions: 5 minutes
#
# 1. Why do we steer in the first half of the steps and not in the second?
# 2. You add 8 to the logits of *all* words in a patch. What changes?
# 3. Somebody shows you a bright map of “burger” and says: “The model knows what a burger is, here is the proof.” What do
#    you answer?
#
# Write your answers here (double-click):
#
# …
#
# ## In this lab we saw
#
# - A diffusion model decides early where things are, and late what they look like.
# - Attention shares each patch out among the words. The column of a word is its map.
# - A number added to a word's logits decides where the word has influence, and so where the object goes.
# - mIoU says how well boxes agree. A frame without the object counts 0.
#
# ## What to read next
#
# - [Lesson 00](../00_pocket_diffusion.ipynb) begins with a denoising step; [lesson 01](../01_cross_attention.ipynb) is
#   about maps, [lesson 05](../05_motion.ipynb) about paths, [lesson 07](../07_transformer.ipynb) about the network of this
#   lab.
# - [The paper behind the series](https://arxiv.org/abs/2404.05519), in which objects are led by a gradient.
# - [Attention is all you need](https://arxiv.org/abs/1706.03762), [Scalable diffusion models with
#   transformers](https://arxiv.org/abs/2212.09748), [Flow matching](https://arxiv.org/abs/2210.02747).
# - [Training-free layout control](https://arxiv.org/abs/2304.03373) and [Peekaboo](https://arxiv.org/abs/2312.07509),
#   two ways to say where an object goes.

# %% [markdown] tags=["teacher"]
# > **Answers to the three questions** (no points; for the end of the session).
# >
# > 1. The place is decided in the first steps. Later the bias would fight with what is there, and the object would lose its
# >    shape.
# > 2. Nothing: the factor $e^8$ cancels in the softmax.
# > 3. A map says where a word has influence on this picture. It is no proof of knowledge, and not even of a cause: the test
# >    is to change the map and see whether the video follows, which is what we did.
