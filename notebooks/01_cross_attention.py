# %% [markdown]
# # 01 · Cross-attention
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# A network reads “a burger floats on the water” and puts a burger into noise. Somewhere inside, each place of the
# picture must have asked the words what belongs there. That layer is called *cross-attention*, and its answers can be
# seen: one picture for each word, the *map* of the word. The [paper](https://arxiv.org/abs/2404.05519) of this series
# edits videos by such maps.
#
# **After this lesson you can**
#
# 1. compute the map of a word from queries and keys (section 3.2 of the paper);
# 2. find cross-attention in a network, and tell it from self-attention in space and in time;
# 3. write a recorder that looks at a run without changing it;
# 4. average maps over steps, heads and layers, and say with one number how well a map finds an object;
# 5. say where the rest of the attention goes, and what a map does *not* prove.

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
# The next cell loads the models. On a GPU, change their names there.

# %%
from dataclasses import replace

import torch
from torch.nn import functional as F

from xattn_helpers import capture, check, detect, generate, lesson, load
from xattn_helpers.measures.map_quality import auroc, inside_and_outside

IMAGE, VIDEO = "pocket-t2i", "pocket"  # also "pocket-dit"; on a GPU also: "stable-diffusion", "modelscope"
image_model, video_model = load(IMAGE), load(VIDEO)

# %% jupyter={"source_hidden": true}
# Settings and pictures that the lesson needs; nothing to learn here.
from xattn_helpers.display import attention_figures as figures
from xattn_helpers.display import overlay, show
from xattn_helpers.display.explorers.attention import AttentionExplorer

DRAWN = VIDEO.startswith("pocket")  # pictures of the drawn world, in which the detector sees
STEPS = min(10, video_model.defaults.steps) if VIDEO == "pocket" else None  # fewer than by default: enough for this video
if not DRAWN:
    print("The detector knows the drawn world only: what is measured with it is nan for this model.")

# %% [markdown]
# ## 1. A question to begin with
#
# The video model makes a burger that floats to the right. While it works, we look at three words of its prompt. The
# brighter a place is in a word's map, the more that place has asked for the word.

# %%
moving = "a burger floats to the right on the water"
with capture(video_model, every_step=True, words=moving.split()) as video_attention:
    video = generate(video_model, moving, seed=1, steps=STEPS)

# %% jupyter={"source_hidden": true}
# The video, and the maps of three words over it. The answer stands in this cell.
riddle = ("water", "burger", "a")
over = [overlay(video.video, video_attention.maps(word)) for word in riddle]
show(video.video, *over, titles=["the video", "first word", "second word", "third word"], width=200)

# %% [markdown]
# Guess: which maps are those of “burger”, “water” and “a”? Two of them are bright on the burger. Only one can be its
# name. Write your guess down; the answer comes in section 5.
#
# ## 2. Queries, keys and values
#
# ![Pixels give queries, words give keys; the softmax of their products is attention, and a column of it is a map](diagrams/query_key_value.svg)
#
# A layer of cross-attention has two inputs. One is a vector for each *pixel*: here this means a cell of the layer's
# picture, which covers many pixels of the screen. The other is a vector for each *token*, a word or a piece of one, from
# the text encoder of [lesson 00](00_pocket_diffusion.ipynb). With $X$ for the pixels and $\tau(y)$ for the prompt,
# three matrices that were learnt give
#
# - **queries** $Q = X W_Q$: what does this pixel look for?
# - **keys** $K = \tau(y) W_K$: what is this token found by?
# - **values** $V = \tau(y) W_V$: what does this token add?
#
# Each pixel compares its query with all keys. In each row, the softmax makes positive shares of the products $s_k$ that
# sum to one, $e^{s_k} / \sum_j e^{s_j}$:
#
# $$ \mathcal{A} = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt d}\right), \qquad \text{output} = \mathcal{A} V . $$
#
# $d$ is the width of a query, 2 in the drawing. Without the root, the products of wide vectors would be so large that
# one token gets everything ([Vaswani et al. 2017](https://arxiv.org/abs/1706.03762)). The idea comes from translation,
# where each new word asks the words of the other language ([Bahdanau et al. 2015](https://arxiv.org/abs/1409.0473)).
#
# **A row of $\mathcal{A}$ says how one pixel divides its attention among the tokens. A column, folded back into a
# picture, is the map of one token.** The paper writes it $\mathcal{A}_{i,t,\cdot,\cdot,k}$: layer $i$, step $t$, token
# $k$.
#
# In the drawing, a pixel of the sky has the query (0, 0): it looks for nothing. Guess its row before you run the cell.

# %% tags=["nbval-check-output"]
sky, burger, water = [0.0, 0.0], [4.0, 0.0], [0.0, 4.0]
Q = torch.tensor([sky, sky, sky, water, burger, water, water, water, water])  # (9 pixels, d)
K = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])  # of "burger", "on" and "water": (3 tokens, d)
A = (Q @ K.T / 2**0.5).softmax(-1)  # (9 pixels, 3 tokens)
for row in A[:, 0].unflatten(0, (3, 3)).tolist():  # the map of "burger"
    print(*(f"{share:.2f}" for share in row))


# %% [markdown]
# The sky looks for no word, but a row must sum to one: it gives a third to each. Keep this in mind: a map is never
# quite dark.
#
# Real layers have several *heads*: the vectors are cut into equal parts, and each part asks by itself, with a $d$ of its
# own. The map of a token is then usually the mean over heads.
#
# ### Exercise 1 ● 8 minutes: the map of a word
#
# `query` is (heads, height · width, d), `key` is (heads, tokens, d). Return the map of one token as a picture, (height,
# width): a softmax for each head, then the mean over heads.

# %%
def word_map(query, key, token, height, width):
    ...  # your code


check.word_map(word_map)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `key.mT` exchanges the last two axes. Compute all tokens first, and choose the column at the end. Pixels go along a
# row first, so that `.unflatten(0, (height, width))` folds them.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 1
def word_map(query, key, token, height, width):
    probabilities = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)  # (heads, pixels, tokens)
    return probabilities.mean(0)[:, token].unflatten(0, (height, width))


check.word_map(word_map)

# %% [markdown]
# ## 3. Where it is in a network
#
# ![A U-Net with maps of three sizes, and the two attention layers at each of its dots](diagrams/attention_in_unet.svg)
#
# This is the U-Net of lesson 00 ([Ronneberger et al. 2015](https://arxiv.org/abs/1505.04597)). Each dot stands for two
# layers of attention. They differ only in where the keys and values come from:
#
# - `attn1`, **self-attention**: from the pixels of the same frame. Pixels ask pixels, and no word is involved.
# - `attn2`, **cross-attention**: from the words. This is the only door by which the prompt gets in.
#
# The maps are as large as the picture at that dot: 16 × 16, 8 × 8 or 4 × 4 cells. Stable Diffusion
# ([Rombach et al. 2022](https://arxiv.org/abs/2112.10752)) and ModelScope
# ([Wang et al. 2023](https://arxiv.org/abs/2308.06571)), the paper's model, are larger and built in the same way.
#
# Now one layer, by hand. We make a picture, mix its latents with noise by eq. 2 of lesson 00, and let the network guess
# the noise. A *hook* is a function that PyTorch calls with what goes into a layer. `sites` lists the layers of
# cross-attention, and `capture`, the helper of this series, records their maps, with which we compare ours.

# %%
prompt, t = "a burger floats on the water", 300  # late in sampling: the picture is there, with some noise on it
picture = generate(image_model, prompt, seed=1)
alpha_bar, clean = image_model.noise.scheduler.alphas_cumprod[t], picture.latents[None]
noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)).to(clean)
noisy = alpha_bar.sqrt() * clean + (1 - alpha_bar).sqrt() * noise  # (1, channels, 1 frame, height, width)

# %%
site = next(place for place in image_model.sites if place.group == "up")  # the first cross-attention on the way up
layer, inputs = image_model.network.get_submodule(site.name), []


def catch(module, pixels, names):
    inputs.append((pixels[0], names["encoder_hidden_states"]))  # of pixels, and of tokens


hook = layer.register_forward_pre_hook(catch, with_kwargs=True)
with torch.no_grad(), capture(image_model, prompt=prompt) as one_call:
    image_model.predict(noisy, t, image_model.encode(prompt))
hook.remove()


# %%
def split(features):
    return features.unflatten(-1, (layer.heads, -1)).transpose(1, 2).float()  # (batch, heads, positions, d)


query, key = split(layer.to_q(inputs[0][0]))[0], split(layer.to_k(inputs[0][1]))[0]
height, width = one_call.size(site)
positions = image_model.text.find(prompt, "burger")  # some tokenizers make several tokens of a word
by_hand = sum(word_map(query, key, token, height, width) for token in positions)

by_helper = one_call.maps("burger", site=site)[0]
apart = lesson.close(by_hand, by_helper, dtype=image_model.dtype)
print(f"“burger” is token {positions[0]} of {key.shape[1]}; largest difference from the helper {apart:.0e}")

# %% jupyter={"source_hidden": true}
captions = ["picture", f"map of “burger”, {height} × {width}", "map over picture"]
figures.captioned([picture.video[0], by_hand, overlay(picture.video, by_hand)[0]], captions, columns=3, cell=2.4)

# %% [markdown]
# The map is bright where the burger is. Nobody told the network where burgers are: it learnt to look there because that
# helps to guess the noise.
#
# **A trap.** The temporal layers of a video network have an `attn2`, too. There, queries and keys both come from the
# frames of one place, and there is no column for “burger”. A recorder that goes by the name alone records them as well.
# Ask the layer itself:

# %%
named = [module for name, module in video_model.network.named_modules() if name.endswith("attn2")]
of_text = [module for module in named if module.is_cross_attention]
print(f"{len(named)} layers of the video model are called attn2; {len(of_text)} of them read the text")


# %% [markdown]
# (In a transformer, such as that of [lesson 07](07_transformer.ipynb), the two numbers agree.)
#
# ## 4. A recorder
#
# A run calls the network at each step, and each call passes all dots of the drawing. The network keeps none of their
# maps: fast programs ([FlashAttention](https://arxiv.org/abs/2205.14135), and
# [that of PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html))
# compute the output without ever holding $\mathcal{A}$ in memory. So a recorder takes queries and keys, and computes
# $\mathcal{A}$ a second time. The network goes on with its own numbers.
#
# Two things need care. With classifier-free guidance (lesson 00), a call has two halves: first the empty prompt, then
# ours. And the maps of all tokens at all steps can fill the memory: we keep only some.
#
# ### Exercise 2 ●● 10 minutes: a recorder
#
# `query` is (2, heads, pixels, d), `key` is (2, heads, tokens, d): both halves. `tokens` is a list of positions. Return
# what is worth keeping: for our prompt, the maps of these tokens, the mean over heads, (pixels, number of `tokens`).

# %%
def record(query, key, tokens):
    ...  # your code


check.record(record)


# %% [markdown]
# <details><summary>Hint</summary>
#
# May you throw the other tokens away *before* the softmax? Think of the sky in section 2, and of a prompt of one word.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 2
def record(query, key, tokens):
    scores = query[1] @ key[1].mT / query.shape[-1] ** 0.5  # of our prompt: (heads, pixels, all tokens)
    return scores.softmax(-1).mean(0)[:, tokens]


check.record(record)

# %% [markdown]
# Now this recorder looks at one layer during a whole run, and beside it `capture` looks at all of them.

# %%
memory = []


def look(module, pixels, names):
    query, key = split(module.to_q(pixels[0])), split(module.to_k(names["encoder_hidden_states"]))
    memory.append(record(query, key, positions).sum(-1).unflatten(0, (height, width)))


pair = [next(place for place in image_model.sites if place.group == group) for group in ("mid", "down")]
hook = layer.register_forward_pre_hook(look, with_kwargs=True)
with (
    capture(image_model, every_step=True, heads=True, words="burger") as attention,
    capture(image_model) as of_all_tokens,
    capture(image_model, sites=[place.name for place in pair]) as of_pair,  # for section 6
):
    again = generate(image_model, prompt, seed=1)
hook.remove()

# %%
by_helper = torch.cat([attention.maps("burger", site=site, step=step) for step in range(len(memory))])
apart = lesson.close(torch.stack(memory), by_helper, dtype=image_model.dtype)
changed = int((again.video != picture.video).sum())
print(f"{len(memory)} maps; largest difference {apart:.0e}; {changed} pixels of the picture have changed")

# %% [markdown]
# The picture is the same as without a recorder. Check this for each such tool: half precision and another order of sums
# can change a picture.
#
# ## 5. Reading words
#
# What did each token look at, in the mean over all steps, layers and heads? To compare maps we need a number. Draw a
# random pixel of the object and a random pixel outside of it: how often is the map higher on the object? This
# probability is called *AUROC* (area under the receiver operating characteristic). An example: the object has the values
# 5 and 2, the rest has 3 and 1. Of the four pairs, three are in order, so that the AUROC is ¾. 1 finds the object, ½
# knows nothing of it, 0 avoids it. The detector of the pocket world sees where the object is in the finished picture.

# %%
mask = torch.from_numpy(detect(picture.video, "burger")[1]) if DRAWN else torch.zeros(picture.video.shape[:3]) > 0


def finds(maps):
    """AUROC of maps (n, h, w) for the burger in the picture."""
    large = F.interpolate(maps[:, None].float().cpu(), mask.shape[-2:], mode="bilinear")[:, 0]
    return auroc(large, mask)


tokens = image_model.text.labels(prompt)  # all positions, with the padding
count = image_model.text.count(prompt)  # tokens of the prompt, with start and end
every_token = torch.cat([of_all_tokens.maps(position) for position in range(len(tokens))]).cpu()
scores = finds(every_token)

# %% jupyter={"source_hidden": true}
chosen = [*range(count), len(tokens) - 1]  # the prompt, and one padding
captions = [f"{tokens[token]}: {float(scores[token]):.2f}" for token in chosen]
figures.captioned([picture.video[0], *every_token[chosen]], ["picture", *captions])

# %% [markdown]
# The numbers are AUROCs. The start token `<start>`, the end token and the padding have maps that are the burger's
# negative. The noun finds the burger with a clean spot. But “a”, “floats” and “the” find it nearly as well, on a brighter
# ground. (The paper complains of this overlap in its section 3.3; [lesson 02](02_how_noisy.ipynb) measures it.) And each
# map is drawn from its own darkest to its own brightest value. So look at the strength as well as at the order:

# %% jupyter={"source_hidden": true}
on, off = inside_and_outside(every_token, mask)
for token in range(1, count - 1):
    print(f"{tokens[token]:8} probability on the burger {on[token]:.2f}, elsewhere {off[token]:.2f}")
print(f"The riddle of section 1: first “{riddle[0]}”, second “{riddle[1]}”, third “{riddle[2]}”.")


# %% [markdown]
# On the burger, its noun gets several times as much as elsewhere. With “a” and “the”, nearly every pixel of the burger has a
# little more than pixels elsewhere, and AUROC asks for no more than that. **AUROC tells the order only: look at the
# probabilities as well.**
#
# ### Where does the rest go?
#
# The words together get less than you may think. How much?
#
# ### Exercise 3 ● 6 minutes: shares of tokens
#
# `probabilities` is (pixels, tokens). The prompt has `count` tokens, its start and end token included; what follows is
# padding. Return a tensor of four shares, of the start token, of all words together, of the end token and of all padding,
# each the mean over pixels.

# %%
def token_shares(probabilities, count):
    ...  # your code


check.token_shares(token_shares)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Take the mean over pixels first. Positions are counted from 0: where is the end token? `torch.stack` makes one tensor
# of four numbers.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 3
def token_shares(probabilities, count):
    means = probabilities.mean(0)
    words, padding = means[1 : count - 1].sum(), means[count:].sum()
    return torch.stack([means[0], words, means[count - 1], padding])


check.token_shares(token_shares)

# %%
by_layer = []
for place in image_model.sites:
    probabilities = of_all_tokens.probabilities(place)[0, 0, 0].flatten(0, 1)  # (pixels, tokens)
    by_layer.append(token_shares(probabilities, count).cpu())
start, words, end, padding = torch.stack(by_layer).mean(0)
print(f"start {start:.0%}, words {words:.0%}, end {end:.0%}, padding {padding:.0%}")

# %% jupyter={"source_hidden": true}
layers = [f"{place.group}\n{of_all_tokens.size(place)[0]}" for place in image_model.sites]
figures.shares_by_layer(torch.stack(by_layer), layers)

# %% [markdown]
# Most of the attention goes to tokens that are no words. A pixel that needs no word must put its attention somewhere,
# as the sky in section 2, and start and padding are nearly the same in every prompt. Such a token is called a *sink*;
# [language models](https://arxiv.org/abs/2309.17453) have them, too, and so do
# [image transformers](https://arxiv.org/abs/2309.16588). [Attend-and-Excite](https://arxiv.org/abs/2301.13826) drops the
# start token of Stable Diffusion and divides the rest anew. We keep probabilities as they are.
#
# ## 6. Reading layers and steps
#
# The map that you saw is a mean over many. Guess: which of the five sizes and groups of the drawing finds the burger
# best, and which one worst?

# %%
kinds = dict.fromkeys((place.group, image_model.backbone.cells(place)) for place in image_model.sites)
means = [attention.maps("burger", group=group, cells=cells) for group, cells in kinds]

# %% jupyter={"source_hidden": true}
scores_of_means = [float(finds(maps)) for maps in means]
figures.maps_by_size(means, [group for group, _ in kinds], scores_of_means)


# %% [markdown]
# From left to right in the order in which they run, with AUROCs. At 8 × 8 the maps are clean. At 16 × 16 they show the
# burger's rim, and the first ones, right behind the noisy latents, are grainy. At 4 × 4 a cell is nearly as large as the
# burger: too coarse. `cells` says how many cells of the latents a cell of the map is wide: 1, 2 and 4 here. The paper
# takes 16 × 16 and 8 × 8 ([its code](https://github.com/sam-motamed/Video-Editing-X-Attention)).
#
# ### Exercise 4 ●● 10 minutes: a mean of unlike maps
#
# `coarse` and `fine` are the maps of one word in two layers, each (steps, heads, height, width). Their sizes differ, and
# so may their numbers of heads. Return one map as large as the fine one, in which both layers count alike. Enlarge
# bilinearly.

# %%
def mean_map(coarse, fine):
    ...  # your code


check.mean_map(mean_map)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `F.interpolate(maps, size, mode="bilinear")` takes maps with two axes before height and width, as these have. If you
# put all heads into one tensor, which layer counts more?
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 4
def mean_map(coarse, fine):
    large = F.interpolate(coarse, fine.shape[-2:], mode="bilinear").mean((0, 1))
    return (large + fine.mean((0, 1))) / 2


check.mean_map(mean_map)


# %%
def heads_of(place):
    steps = range(len(attention.steps))
    maps = [attention.probabilities(place, step=step)[0, 0].sum(-1) for step in steps]  # each (heads, height, width)
    return torch.stack(maps)  # (steps, heads, height, width)


coarse, fine = (heads_of(place) for place in pair)
apart = lesson.close(mean_map(coarse, fine), of_pair.maps("burger")[0], dtype=image_model.dtype)
print(f"{tuple(coarse.shape)} and {tuple(fine.shape)}; largest difference {apart:.0e}")

# %% [markdown]
# This is what `maps` does when you do not say which layers you want. Now the other axis, time. Guess: at which of the
# steps does the map know where the burger will be?

# %% jupyter={"source_hidden": true}
by_step = torch.cat([attention.maps("burger", step=step) for step in range(len(attention.steps))])
figures.maps_of_steps(by_step, finds(by_step), picture.video[0])

# %% [markdown]
# At the first step the network has seen nothing but noise, and the map is a broad blur with two candidates. A few steps
# later one of them is left, and that is where the burger will be. Whoever wants to move an object must act in the first
# steps, as [lesson 05](05_motion.ipynb) does.
#
# ## 7. When a map misleads
#
# “A map that finds the burger belongs to a token that means the burger.” Is that so? Two kinds of tokens mean nothing:
# the padding of the *empty* prompt, and vectors of random numbers as long as those of words. We give them to the
# network with the noisy latents of section 3, which have a burger in them, and take AUROCs, also of the words.

# %%
empty = image_model.encode("")
generator = torch.Generator().manual_seed(0)


def found_by(states):
    with torch.no_grad(), capture(image_model, prompt="") as recording:
        image_model.predict(noisy, t, replace(empty, states=states))
    maps = torch.cat([recording.maps(position) for position in range(2, states.shape[1])])
    return finds(maps)  # of all positions but the start and end token


words = finds(torch.cat([one_call.maps(position) for position in range(1, count - 1)]))  # of section 3
padding = found_by(empty.states)
random = []
for _ in range(5):
    states = torch.randn(empty.states.shape, generator=generator).to(empty.states) * empty.states.std()
    random.append(found_by(torch.cat([empty.states[:, :2], states[:, 2:]], 1)))
random = torch.cat(random)

# %% jupyter={"source_hidden": true}
figures.scores_by_kind({"words of the prompt": words, "padding, empty prompt": padding, "random vectors": random})


# %% [markdown]
# Tokens that mean nothing find the burger, or avoid it, with any AUROC from 0 to 1. The object's pixels have features in
# common that the rest has not, so that a key in *any* direction tells the two apart to some degree, one way or the
# other. The best padding position is nearly perfect. Shall we conclude that it knows the burger? We have
# picked it from all positions after we saw their scores.
#
# ### Exercise 5 ●●● 12 minutes: the best of many
#
# `scores` is what random tokens got. Let p be the share of them that reach `score`. You try `tries` random tokens, and
# keep the best. Return the chance that it reaches `score`.

# %%
def chance_of_best(score, scores, tries):
    ...  # your code


check.chance_of_best(chance_of_best)


# %% [markdown]
# <details><summary>Hint</summary>
#
# When does the best of them *not* reach the score? Only if none does. What is the chance of that, if each of them misses
# it with the chance 1 − p?
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 5
def chance_of_best(score, scores, tries):
    share = float((scores >= score).float().mean())
    return 1 - (1 - share) ** tries


check.chance_of_best(chance_of_best)

# %%
score = 0.95
single, best = chance_of_best(score, random, 1), chance_of_best(score, random, len(padding))
print(f"AUROC of at least {score}: one random token {single:.0%}, the best of {len(padding)} {best:.1%}")

# %% [markdown]
# So a high AUROC of the best position is to be expected, and tells nothing. “burger” stands another test: we chose its
# position *before* we looked, no other word is as strong on the burger, and nouns find their objects in other pictures
# as well ([lesson 02](02_how_noisy.ipynb)).
#
# **Attention is not an explanation.** A map says where the network mixes in the value of a token. What the later layers
# make of it, the map does not say ([Jain and Wallace 2019](https://arxiv.org/abs/1902.10186); a reply by
# [Wiegreffe and Pinter](https://arxiv.org/abs/1908.04626)). To know what a map does, one has to change it. That is what
# lessons [03](03_forward_swap.ipynb) and [05](05_motion.ipynb) are about.
#
# **A clean shape can be made of nothing.** To compare the shape of a map with one that we want, the paper stretches the
# map to [0, 1] and cuts it softly at one half (section 3.4, after
# [self-guidance](https://arxiv.org/abs/2306.00986)), with $s = 20$ in its code:
#
# $$ \mathrm{norm}(\mathcal{A}) = \frac{\mathcal{A} - \min \mathcal{A}}{\max \mathcal{A} - \min \mathcal{A}}, \qquad
#    \mathrm{shape} = \mathrm{norm}\Bigl(\sigma\bigl(s\,(\mathrm{norm}(\mathcal{A}) - \tfrac12)\bigr)\Bigr) . $$

# %% jupyter={"source_hidden": true}
places = (site, image_model.sites[-1])
figures.maps_and_shapes([attention.maps("burger", site=place) for place in places], [place.group for place in places])

# %% [markdown]
# Left, a map and its shape: the background has gone, and a spot on the burger stays. Right, the very last layer: the
# title tells how low its probabilities are, but stretched it is as bright as the other. Look at the probabilities
# before you stretch them. [Lesson 04](04_resize.ipynb) works with these shapes.
#
# ## 8. Look around
#
# The explorer holds the video of section 1: choose word, size of the maps, step and frame. Each frame has maps of its
# own. A new prompt runs when you press *Run*.

# %%
explorer = AttentionExplorer(video_model)
explorer.explore(video, video_attention)
explorer

# %% [markdown]
# ## In this lesson we saw
#
# - Cross-attention: queries from pixels, keys and values from tokens, a softmax over the tokens. A column is a map.
# - `attn1` is self-attention, `attn2` is cross-attention, but not along time: ask the layer.
# - A recorder computes the probabilities beside the network, which does not change, and chooses tokens after the softmax.
# - A mean map is a mean over steps, heads and layers, enlarged to one size.
# - Most attention goes to start and padding: a row must sum to one, and what no word needs goes there.
# - AUROC asks for order, probabilities for strength. The best of many tokens nearly always fits: choose
#   before you look.
#
# ## Three questions
#
# 1. A prompt has one token only, without start and padding. What are its maps, and what can they tell?
# 2. You record `attn2` by its name in a video network, and average the maps of token 2. What have you averaged?
# 3. Somebody shows you the head that finds the dog best, out of 300 heads. What do you ask?
#
# <details><summary>Answers</summary>
#
# 1. All ones: each row has one entry, and it sums to one. They tell nothing, whatever the picture is.
# 2. Maps of the word in the layers that read the text, mixed with the attention to frame 2 in those along time. In our
#    video model, more than half of the layers with this name are of the second kind.
# 3. How well the best of 300 does on a picture where the dog is somewhere else, or for a word that means nothing, and
#    whether the same head is best in pictures by which it was not chosen.
#
# </details>
#
# ## What to read next
#
# - [What the DAAM](https://arxiv.org/abs/2210.04885), with its [code](https://github.com/castorini/daam): maps of Stable
#   Diffusion, and what they say of grammar.
# - [Prompt-to-Prompt](https://arxiv.org/abs/2208.01626), with its [code](https://github.com/google/prompt-to-prompt):
#   pictures edited by their maps, as [lesson 03](03_forward_swap.ipynb) does with videos.
# - [The paper](https://arxiv.org/html/2404.05519v1), section 3.2, which you can now read with ease. Then
#   [lesson 02](02_how_noisy.ipynb) asks how noisy the maps of a video model are.
