# %% [markdown]
# # 02 · How noisy are the maps of a video model?
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# The [paper](https://arxiv.org/abs/2404.05519) shows the attention maps of one prompt in an image model and in a video
# model (its Figure 3), and concludes that those of the video model are much noisier, and that the noise hinders
# editing. It gives no number. In this lesson you rebuild the figure, turn "noisy" into three numbers that you write
# yourself, and get an answer for our models.
#
# **After this lesson you can**
#
# 1. rebuild Figure 3 for any prompt, and say what its colours hide;
# 2. write AUROC, roughness and leakage, and say to what each of them is blind;
# 3. compare two models fairly, with intervals over prompts;
# 4. say where the paper's claim holds for the models at hand, and where it does not;
# 5. choose the layers that an edit should use.

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
# The next cell loads the models. You can change their names there, to our transformer or, on a GPU, to large models.

# %%
import torch

from xattn_helpers import capture, check, detect, generate, lesson, load
from xattn_helpers.measures import map_quality

IMAGE, VIDEO = "pocket-t2i", "pocket"  # also "pocket-dit"; on a GPU also: "stable-diffusion", "modelscope"
image_model, video_model = load(IMAGE), load(VIDEO)

# %% jupyter={"source_hidden": true}
# Settings and pictures that the lesson needs; nothing to learn here.
from matplotlib_inline.backend_inline import set_matplotlib_formats

from xattn_helpers.display import bullets, image_grid
from xattn_helpers.studies import load_rows, load_table, measured
from xattn_helpers.studies import transformer_noise as transformer_study
from xattn_helpers.studies.attention_noise import answers as noise_answers
from xattn_helpers.studies.attention_noise.toys import toy_figure
from xattn_helpers.studies.noise_grid import table as grid_table

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 66, "optimize": True, "progressive": True})
DRAWN = VIDEO.startswith("pocket")  # videos of the drawn world, in which the detector sees
STEPS = min(12, video_model.defaults.steps) if DRAWN else None  # fewer than by default: enough for this video
table = load_table("attention_noise")

# %% [markdown]
# ## 1. A question to begin with
#
# One prompt, and the map of every token in two models: the mean over heads, steps and the layers of the mid and up
# blocks, as in the caption of the paper's figure.

# %%
prompt, noun = "a shark swims in the ocean", "shark"
with capture(image_model) as in_image:
    picture = generate(image_model, prompt, seed=0)
with capture(video_model) as in_video:
    clip = generate(video_model, prompt, seed=0, steps=STEPS)

# %% jupyter={"source_hidden": true}
names = image_model.text.labels(prompt)[: image_model.text.count(prompt)]
middle = len(clip.video) // 2  # the frame of the video that we look at


def figure_row(attention, frame, cells):
    layers = {"cells": cells, "group": attention.model.groups[1:]}  # mid and up; of a transformer, middle and late
    return [attention.maps(position, **layers)[frame].cpu() for position in range(len(names))]


shown, kinds = [], []
for cells, size in ((1, "fine"), (2, "coarse")):
    if cells in video_model.cells():
        shown.append([clip.video[middle], *figure_row(in_video, middle, cells)])
        kinds.append(f"model A, {size} maps")
    shown.append([picture.video[0], *figure_row(in_image, 0, cells)])
    kinds.append(f"model B, {size} maps")
image_grid(shown, row_titles=kinds, column_titles=["picture", *names], cell=1.05)


# %% [markdown]
# One of the two is the video model. **Which one, A or B?** Which maps are noisier? Write it down. Then look at the
# paper's own figure, where nobody has to ask.
#
# > *Place for the paper's [Figure 3](https://arxiv.org/html/2404.05519v1) (CC BY 4.0; not copied here).*
#
# (A is the video model; we show its middle frame.) Two things make such figures hard to read. Every map is stretched to
# its own darkest and brightest pixel, so that the eye cannot tell a strong map from a faint one. And one prompt proves
# little. We need numbers.
#
# ## 2. What can be wrong with a map
#
# ![Each pixel shares its attention out among all tokens; what goes to the noun is its map](diagrams/attention_spent.svg)
#
# A row of $\mathcal{A}$ belongs to a pixel and sums to one ([lesson 01](01_cross_attention.ipynb)). A pixel that does
# not give its attention to "shark" gives it to other words, to the start token, or to the padding behind the prompt. So
# a map can be bad in several ways, and we take one number for each:
#
# ![A good map, one that misses the object, a ragged one, and the object under another word](diagrams/bad_maps.svg)
#
# In all that follows, $A$ is a map and $M$ the mask of the object at the same size: a cell is inside when at least half
# of it is the object's. The mask comes from a detector that was trained on our drawn world.
#
# ### Exercise 1 ● 4 minutes: attention on the object
#
# To warm up: which share of a map's attention lies on the object? `map` and `mask` are (height, width).

# %%
def mass_on_object(map, mask):
    ...  # your code


check.mass_on_object(mass_on_object)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `map[mask]` are the values where the mask is true.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 1
def mass_on_object(map, mask):
    return map[mask].sum() / map.sum()


check.mass_on_object(mass_on_object)


# %% [markdown]
# This number depends on how large the object is: a map that knows nothing has a mass of 0.5 on an object that fills half
# of the picture. So we do not use it to compare. The next one has no such fault.
#
# ### Exercise 2 ●● 10 minutes: AUROC
#
# Take a pixel $p$ of the object and a pixel $q$ outside. How likely is the map brighter at $p$? Ties count half:
#
# $$ \mathrm{AUROC} = P(A_p > A_q \mid p \in M, q \notin M) + \tfrac12 P(A_p = A_q \mid p \in M, q \notin M) $$
#
# 1 finds the object, ½ knows nothing of it, 0 is its negative. (It is the *area under the ROC curve*, hence the name;
# see [Fawcett 2006](https://doi.org/10.1016/j.patrec.2005.10.010).) Go through all pairs.

# %%
def auroc(map, mask):
    ...  # your code


check.auroc(auroc)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `map[mask][:, None] - map[~mask]` has one number for each pair: above zero, zero, or below.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 2
def auroc(map, mask):
    apart = map[mask][:, None] - map[~mask]
    return (apart > 0).float().mean() + (apart == 0).float().mean() / 2


check.auroc(auroc)


# %% [markdown]
# ### Exercise 3 ● 6 minutes: roughness
#
# Stretch the map to $N$ in [0, 1]. How much do neighbours differ, on average over all pairs side by side and one below
# the other? A constant map has 0, a checkerboard 1. (It is called *total variation*, [Rudin et al.
# 1992](https://doi.org/10.1016/0167-2789(92)90242-F).)
#
# $$ R = \mathrm{mean}_{p \sim q}\, |N_p - N_q| $$

# %%
def roughness(map):
    ...  # your code


check.roughness(roughness)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `values.diff(dim=0)` are the steps down, `values.diff(dim=1)` those to the right. Join all of them, then take one
# mean.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 3
def roughness(map):
    stretched = (map - map.min()) / (map.max() - map.min())
    steps = torch.cat([stretched.diff(dim=0).flatten(), stretched.diff(dim=1).flatten()])
    return steps.abs().mean()


check.roughness(roughness)


# %% [markdown]
# One clean object has some roughness, too, because it has an outline, and on a coarse grid that weighs more. So we
# compare maps of one size only, and with that of a *perfect* map of the same objects.
#
# ### Exercise 4 ●●● 10 minutes: leakage
#
# The paper also says that "the shark is still visible" under "in" and "the". What do the *other* tokens know of the
# object? For each of them $2\,\mathrm{AUROC} - 1$: 0 knows nothing, 1 shows it as a light, −1 as a shadow. `maps` is
# (tokens, height, width), `noun` the noun's token. Return the mean over all other tokens.

# %%
def leakage(maps, mask, noun):
    ...  # your code


check.leakage(leakage)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Use your own formula for AUROC once for each token but the noun. A loop over `range(len(maps))` will do.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 4
def leakage(maps, mask, noun):
    figures = []
    for token in range(len(maps)):
        apart = maps[token][mask][:, None] - maps[token][~mask]
        share = (apart > 0).float().mean() + (apart == 0).float().mean() / 2
        if token != noun:
            figures.append(2 * share - 1)
    return torch.stack(figures).mean()


check.leakage(leakage)

# %% [markdown]
# Your functions, on the map of "shark" in the video's middle frame, beside the helpers of `measures/map_quality.py`:

# %%
cells, group = (2, "up") if "up" in video_model.groups else (max(video_model.cells()), video_model.groups[-1])
map = in_video.maps(noun, cells=cells, group=group)[middle].cpu()
mask = map > map.median()  # half of the picture, to try the functions: no detector, or it sees nothing
if DRAWN:
    seen = map_quality.shrink_mask(torch.from_numpy(detect(clip.video, noun)[1]), tuple(map.shape))[middle]
    mask = seen if seen.any() else mask
lesson.close(auroc(map, mask), map_quality.auroc(map, mask))
lesson.close(roughness(map), map_quality.roughness(map))
print(f"AUROC {auroc(map, mask):.3f}, roughness {roughness(map):.3f}, on the object {mass_on_object(map, mask):.0%}")

# %% [markdown]
# ## 3. To what is each number blind?
#
# Before we trust a number, we show it maps of which we know what is wrong with them. Guess first: which of these has
# the best AUROC, which the worst roughness?

# %% jupyter={"source_hidden": true}
toy_figure()

# %% [markdown]
# - AUROC looks at ranks. It does not mind that a map is **faint** or **blurred**, and it forgives much **noise**.
# - The **outline** says exactly where the object is, and AUROC blames it, for its inside is dark. You have seen such
#   rings in the fine maps of section 1. They are not noise.
# - Roughness sees noise, and it is blind to *where* the object is: a smooth map may be all wrong.
#
# No single number finds all faults. Therefore three, and beside each that of a perfect map.
#
# ## 4. A fair comparison
#
# The study `attention_noise` asks both models for twenty captions on which nothing was trained, with three seeds each.
# What could make it unfair?
#
# - **A frame is not a picture.** Sixteen frames of a video show one object at one place. We count four frames of a
#   video, and four pictures of the image model.
# - **Seeds of a prompt resemble each other**: a moon is easier to find than a bee, whatever the seed. So we average
#   over frames and seeds first, and the 95 % intervals are over *prompts* ([bootstrap, Efron
#   1979](https://doi.org/10.1214/aos/1176344552)). Sixty seeds as if they were independent would give intervals that
#   are too narrow.
# - **Some prompts are hard** for both. The difference of the models is taken prompt by prompt.
#
# ## 5. The answer
#
# Guess: at 16 × 16, where the paper looked, which model has the higher AUROC? And which step is larger, from the image
# model to the video model, or from the maps of 16 × 16 to those of 8 × 8?

# %% jupyter={"source_hidden": true}
of_transformer = measured("transformer_noise")
noise_answers.three_numbers(table, of_transformer)

# %% [markdown]
# Places in the network are on the horizontal axis, "up" is the half that makes pictures larger again. In AUROC and
# roughness the two models lie side by side, and the *places* differ far more. Leakage is less alike. In sentences, with
# the differences taken prompt by prompt:

# %% jupyter={"source_hidden": true} tags=["nbval-check-output"]
bullets(noise_answers.answers(table))

# %% [markdown]
# **So the paper's claim is not true of these two models.** At 16 × 16 there is noise (compare with the grey marks of a
# perfect map), but in both models, and on the way up, by all three numbers, the video model is a little cleaner. At
# 8 × 8 both find the object almost perfectly; at 4 × 4 neither does.
#
# The second half of the claim, that the object shows under other words, is true at 16 × 16 of *both* models: pixels of
# an object take attention from the start token and give a little more to nearly all words. Those layers seem to ask "is
# there something here?" rather than "what is it?". It is not a fault of video: at 8 × 8 on the way up, where less leaks,
# the video model leaks less than the image model.
#
# **A third model**, the transformer of [lesson 07](07_transformer.ipynb), was trained from nothing, and all its maps
# have 8 × 8 cells. Where its blocks differ from the video U-Net's best maps, prompt by prompt:

# %% jupyter={"source_hidden": true} tags=["nbval-check-output"]
lines = transformer_study.differences(load_rows("transformer_noise"), load_rows("attention_noise")) if of_transformer else []
bullets(lines, "" if lines else "(This study is not measured yet; the command is in section 5.)")

# %% [markdown]
# ## 6. Why are ours clean?
#
# The paper names depth, data and the number of layers. Two things set our models apart from ModelScope that it does not
# name.
#
# **How the video model came to be.** Ours was *inflated* from our image model: it began as a copy, with layers for time
# added, and its maps began as good ones. [ModelScope](https://arxiv.org/abs/2308.06571) began as Stable Diffusion, too,
# but was trained on for long, on videos from the web with captions that are noisy themselves.
#
# **The text encoder is frozen and random.** A trained one, as [CLIP](https://arxiv.org/abs/2103.00020), lets each word
# take in those before it. Then "in" and "ocean" *are* partly "shark", and the shark shows under them, whatever the
# video model does. Ours was never trained: its weights are random, and so chosen that each word stays itself ([lesson
# 03](03_forward_swap.ipynb) measures it). So what leaks here, at 16 × 16, is the network's own doing. In a model with
# CLIP both come together.
#
# The study `noise_grid` trains our models again, with an encoder that mixes words and everything else as it was. Below
# are two of its transformers, trained on the same stories in the same order, a few minutes each. Cover the lower row, and
# guess the map of "the" in it.
#
# ![A burger on the water and the map of each word of the prompt, in two models. With words kept apart, the burger is in the maps of "burger" and "floats" and dark in those of "on" and "water". With words mixed, it is bright in those of "floats", "on" and "the", too.](../xattn_helpers/studies/results/noise_grid.webp)
#
# The next words have heard of the noun: "floats", "on" and "the" point at the burger now. ("Water", the last, does not.)
# This is the leak of the paper's picture, and the video model is not its cause. Only "floats" points there in both rows:
# where something floats is where the burger is. What mixing changes over all prompts and in three trainings of each kind
# (AUROC below 0: the noun's map finds less; leakage above 0: other words show more; mIoU and overlap below 0: an edit
# does less of what it is asked):

# %% jupyter={"source_hidden": true} tags=["nbval-check-output"]
grid = measured("noise_grid")
bullets(grid_table.answers(grid) if grid else [], "" if grid else "(Until it is measured, this question stays open.)")

# %% [markdown]
# So the noun's own map stays almost as good, the other words give the object away, and every edit suffers. Some of that is
# not the maps' doing: with words mixed a model learns more slowly, and paints its object in fewer frames. All this is of
# transformers. In the video U-Net that was trained with mixed words no more leaked, but it paints its object in less than
# half of the frames.
#
# **And the paper's own reasons?** The same study changes them one by one (each in one training, so take them as hints). A
# tenth of the data makes maps a little less exact. Four blocks instead of ten do too, which speaks against *depth* as the
# cause. The maps of a video U-Net that began as the image U-Net are as good as that one's. A video U-Net that began from
# nothing had not learned to paint after as many steps, and its maps find nothing: training matters more than whether
# pictures move. All figures are on [a page of their own](../docs/NOISE.md).
#
# ## 7. What it means for editing
#
# An edit reads the map of a word in some layers at some steps ([lesson 04](04_resize.ipynb)). Take the layers at 8 × 8
# first: they know the object's place from the first steps on, when the picture is still noise. Add those at 16 × 16 for
# detail. Leave out the layer at 4 × 4. And where other words show the object, too, moving the noun's map alone leaves
# their evidence at the old place.
#
# **When does this fail?** A fine map answers to *edges*: in section 1, that of "the" in model A is brighter on the line
# between water and sand than on the shark, and an edit that trusts such a map pushes the sea floor about. And nothing
# here says how noisy ModelScope's own maps are: run section 1 on a GPU, and bring a detector. Attention is also not an
# explanation of what a network does ([Jain and Wallace 2019](https://arxiv.org/abs/1902.10186), and the
# [reply](https://arxiv.org/abs/1908.04626)): a map tells where a word is read, not what is done with it.
#
# ## In this lesson we saw
#
# - Each pixel shares its attention out among all tokens; a map can miss the object, be ragged, or show under other
#   words.
# - AUROC, roughness and leakage find one fault each, and each is blind to the others.
# - Prompts are resampled, not frames or seeds, and differences are taken prompt by prompt.
# - In our models the place in the network decides how well a map finds the object, far more than whether it is image or
#   video.
# - The object shows under other words at 16 × 16, in both models.
# - In transformers, a text encoder that mixes words makes words after the noun show the object, and edits weaker. Ours
#   keeps words apart, and is a best case.
#
# ## Three questions
#
# 1. A map has an AUROC of 0.05. Is it useless?
# 2. You measure 500 frames of 10 videos and give an interval over 500 values. What is wrong, and what would you do?
# 3. In a model with CLIP, leakage into "ocean" is high. Name two causes, and a way to tell them apart.
#
# <details><summary>Answers</summary>
#
# 1. No: it is almost a perfect negative. Turned over, it finds the object.
# 2. Frames of a video are hardly independent. Average over the frames of a video, and resample videos, or prompts.
# 3. The text encoder mixes "shark" into "ocean"; or the network reads "ocean" where there is anything. Compare the
#    vector of "ocean" after "shark" and after "ship", or replace the encoder by one that keeps words apart and train
#    again.
#
# </details>
#
# ## What to read next
#
# - [DAAM: what the DAAM](https://arxiv.org/abs/2210.04885), which measures maps of Stable Diffusion against human
#   masks, with its [code](https://github.com/castorini/daam).
# - [Prompt-to-Prompt](https://arxiv.org/abs/2208.01626), where maps of words were first shown to hold the layout.
# - [Attend-and-Excite](https://arxiv.org/abs/2301.13826), which repairs what a map leaves out.
# - [Lesson 03](03_forward_swap.ipynb) gives a word the maps of another prompt.
