# %% [markdown]
# # 07 · From U-Net to transformer
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# The [paper](https://arxiv.org/abs/2404.05519) steers a U-Net. Video models of today, such as
# [Wan](https://arxiv.org/abs/2503.20314) and [LTX-Video](https://arxiv.org/abs/2501.00103), are transformers trained by
# flow matching. Does its idea still work on them? This lesson takes a small transformer of Wan's kind apart, finds its
# attention maps, and moves a burger with them.
#
# **After this lesson you can**
#
# 1. turn a video into tokens and back, and say what a block does with them;
# 2. compute the text attention of a block by hand;
# 3. write a step of flow matching, and say what σ and the velocity are;
# 4. find out which blocks' maps show an object, and which can move it;
# 5. steer with a gradient and without one, and say what each costs at Wan's size.

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
from dataclasses import replace

import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from einops import rearrange
from torch.nn import functional as F

from xattn_helpers import Bias, Guidance, capture, check, detect, generate, lesson, load, show, track
from xattn_helpers.backbones.noise import Noise
from xattn_helpers.sampling import initial_latents

VIDEO = "pocket-dit"  # on a GPU also: "wan", "ltx"
model, unet = load(VIDEO), load("pocket")

# %% jupyter={"source_hidden": true}
# Settings and pictures that the lesson needs; nothing to learn here.
from matplotlib_inline.backend_inline import set_matplotlib_formats

from xattn_helpers.display import bullets
from xattn_helpers.edits.targets import draw
from xattn_helpers.studies import full_size_picture, led_clips, measured, transformer_figures
from xattn_helpers.studies.guidance.cases import TRACKS, box
from xattn_helpers.studies.sight import Sight

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 66, "optimize": True, "progressive": True})
sight = Sight(VIDEO)  # what the detector sees, which knows the drawn world only
STEPS = min(12, model.defaults.steps) if sight.is_clear else None  # fewer than by default: enough for these pictures
FEW = min(9, model.defaults.frames)  # frames of the clips that only check something

# %% [markdown]
# ## 1. A question to begin with
#
# Both models were trained on the same drawn world. Guess: will both dogs that are sent to the left go there?

# %%
walks = {}
for name, network, steps in (("U-Net", unet, min(10, unet.defaults.steps)), ("transformer", model, STEPS)):
    for side in ("to the left", "to the right"):
        walks[f"{name}, “{side}”"] = generate(network, f"a dog walks {side} on the grass", seed=1, steps=steps)

# %% jupyter={"source_hidden": true}
show(*walks.values(), titles=list(walks), width=215)

# %% [markdown]
# How often directions are obeyed was counted on held-out prompts:

# %% jupyter={"source_hidden": true}
quality, school = measured("pocket_quality"), measured("motion_school")
bullets(transformer_figures.sides({"pocket": "U-Net", "pocket-dit": "transformer"}, quality))

# %% [markdown]
# Both know left from right. How does a network know where in the picture, and when in the film, something is?
#
# ## 2. Patches and tokens
#
# ![A U-Net beside a transformer, with the places where their text attention is](diagrams/unet_beside_transformer.svg)
#
# A *U-Net* makes its pictures smaller in several levels and larger again. A *transformer* has no levels: it cuts the
# latents into *patches* once, and works on *tokens*, one for each patch, in blocks that are all alike ([Dosovitskiy et
# al. 2021](https://arxiv.org/abs/2010.11929) for images, [Peebles and Xie 2023](https://arxiv.org/abs/2212.09748) for
# diffusion).
#
# ![From latents to patches, tokens, a block, and back](diagrams/patches.svg)
#
# In each block, *self-attention* (`attn1`) lets tokens look at each other, *cross-attention* (`attn2`) at the words,
# and a small network works on each token. The noise level σ scales and shifts what goes in.
#
# By hand, patches are one line, and the first layer is one matrix:

# %%
z = initial_latents(model, [0], FEW, model.defaults.height, model.defaults.width)  # (1, channels, frames, h, w)
deep, high, wide = model.backbone.patch()  # of a patch, in latent cells
cut = "channels (f deep) (r high) (c wide) -> (f r c) (channels deep high wide)"
patches = rearrange(z[0], cut, deep=deep, high=high, wide=wide).to(model.dtype)

embed = getattr(model.network, "patch_embedding", None) or model.network.proj_in
tokens = F.linear(patches, embed.weight.flatten(1), embed.bias)

is_convolution = embed.weight.ndim > 2  # over patches that do not overlap: the same matrix for each
expected = embed(z.to(model.dtype)).flatten(2).mT[0] if is_convolution else embed(patches)
lesson.close(tokens, expected)
print(f"{len(patches)} patches of {patches.shape[1]} numbers become tokens of {tokens.shape[1]}")


# %% [markdown]
# A U-Net's maps have three sizes; here all have that of the patch grid. They are never finer than a patch: 2 × 2 latent
# cells or 16 × 16 pixels.
#
# ### Exercise 1 ● 5 minutes: back to latents
#
# After the last block, the tokens become latents again. Write the inverse for patches of 1 × 2 × 2 cells: `tokens` is
# (frames · rows · columns, channels · 4), the result is (channels, frames, 2 · rows, 2 · columns).

# %%
def unpatchify(tokens, rows, columns):
    ...  # your code


check.unpatchify(unpatchify)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `rearrange` reads backwards as well as forwards: swap the two sides of `cut`, and tell it `high=2, wide=2`, `r` and `c`.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 1
def unpatchify(tokens, rows, columns):
    put = "(f r c) (channels high wide) -> channels f (r high) (c wide)"
    return rearrange(tokens, put, r=rows, c=columns, high=2, wide=2)


check.unpatchify(unpatchify)

# %% [markdown]
# ## 3. Space and time at once
#
# The U-Net attends in two moves: the places of one frame to each other, then the frames of one place. In the
# transformer, every token attends to every other one of the whole video. A dog that crosses the picture is never out of
# sight, but pairs grow with the square of the number of tokens.
#
# But attention alone does not know order: shuffled tokens give the same results, shuffled. So queries and keys are
# turned by angles that grow with the token's frame, row and column ([rotary positions, Su et al.
# 2021](https://arxiv.org/abs/2104.09864)). The product of two turned vectors depends on how far they are apart.
#
# Guess: what happens if we number the frames backwards, and change nothing else?

# %%
burger = "a burger floats on the water"
text, empty = model.encode(burger), model.encode("")


def last_frame_first(module, inputs, positions):
    count = z.shape[2] // deep  # frames of tokens
    return tuple(part.unflatten(1, (count, -1)).flip(1).flatten(1, 2) for part in positions)


forwards = model.predict(z, 900.0, text)
handle = model.network.rope.register_forward_hook(last_frame_first)
backwards = model.predict(z.flip(2), 900.0, text)
handle.remove()
print(f"largest difference: {lesson.close(backwards.flip(2), forwards, dtype=model.dtype):.0e}")

# %% [markdown]
# The network makes the film backwards, up to rounding. The positions are *all* it knows of before and after, and of
# left and right. The U-Net's attention has none, and an earlier U-Net of ours obeyed directions little better than chance
# would. Was that why? The study `motion_school` trained it for seven minutes more, with more captions that name a
# motion: once with three more input channels (frame, row and column), and once as it was. Guess first:

# %% jupyter={"source_hidden": true} tags=["nbval-check-output"]
titles = {"before": "the earlier U-Net"} | transformer_figures.SCHOOL
bullets(transformer_figures.sides(titles, school))

# %% [markdown]
# Positions are not what it lacked. Without them it learns left and right as well: its convolutions see the nearest
# cells and frames in their order. More training was enough, with more captions that name a side and more of the noisy
# timesteps; which of the three did it we did not test. The U-Net that you load is the one without positions. We expected
# the opposite: a comparison of two networks needs both trained alike.
#
# ## 4. The text attention of a block, by hand
#
# In `attn2`, each token $p$ asks the words. With queries $q_p$, keys $k_w$ and the width $d$ of a head,
#
# $$ A_{p,w} = \frac{\exp(q_p \cdot k_w / \sqrt d)}{\sum_{w'} \exp(q_p \cdot k_{w'} / \sqrt d)} , $$
#
# as in [lesson 01](01_cross_attention.ipynb). Only the rows are new: the tokens of *all* frames ask in one call. We
# catch what goes into one block, and compute its map.

# %%
site = model.sites[len(model.sites) // 2]
attn = model.network.get_submodule(site.name)
with lesson.inputs_of(attn) as inputs, capture(model, sites=site.name, prompt=burger) as attention:
    model.predict(z, 900.0, text)
pixels, words = inputs[:2]  # (1, tokens, width) of the video and of the prompt


# %%
def split(features):
    return features.unflatten(-1, (attn.heads, -1)).transpose(1, 2).float()  # (1, heads, tokens, d)


query = split(attn.norm_q(attn.to_q(pixels)))
key = split(attn.norm_k(attn.to_k(words)))
logits = query @ key.mT / query.shape[-1] ** 0.5
if text.mask is not None:  # a network that masks its padding
    logits = logits.masked_fill(~text.mask[:, None, None], -torch.inf)
by_hand = logits.softmax(-1).mean(1)[0]  # the mean over heads: (tokens of the video, tokens of the prompt)

by_helper = attention.probabilities(site)[0, :, 0].flatten(0, 2)
lesson.close(by_hand[:, : by_helper.shape[1]], by_helper, dtype=model.dtype)
print(f"{site}: {by_hand.shape[0]} tokens of the video, {by_hand.shape[1]} of text")


# %% [markdown]
# ### Exercise 2 ●● 10 minutes: attention
#
# Write all of attention for one video: softmax as above, then the mean of the values with these weights. `query` is
# (heads, pixels, d), `key` and `value` are (heads, tokens, d).

# %%
def attention_of(query, key, value):
    ...  # your code


check.attention(attention_of)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `key.mT` exchanges the last two axes. Over which axis must the weights sum to one: pixels or tokens?
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 2
def attention_of(query, key, value):
    weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)
    return weights @ value


check.attention(attention_of)

# %% [markdown]
# ## 5. Flow matching
#
# The paper's eq. 2 mixes latents and noise, and its eq. 1 has the network find the noise. Flow matching ([Lipman et al.
# 2023](https://arxiv.org/abs/2210.02747), [Liu et al. 2023](https://arxiv.org/abs/2209.03003)) takes the straight way
# between the two and has the network find its *direction*:
#
# $$ z_t = \sqrt{\bar\alpha_t}\, z_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon
#    \qquad \longrightarrow \qquad z_\sigma = (1 - \sigma)\, z_0 + \sigma\, \epsilon $$
#
# $$ \lVert \epsilon - \epsilon_\theta(z_t, t, y) \rVert^2
#    \qquad \longrightarrow \qquad \lVert (\epsilon - z_0) - v_\theta(z_\sigma, \sigma, y) \rVert^2 $$
#
# σ is the share of noise: 1 at the start and 0 at the end. The network predicts the *velocity* $v = \epsilon - z_0$,
# which points from the clean latents to the noise and is the same all along the way. From $z_\sigma$ and $v$ follow
# both ends: $z_0 = z_\sigma - \sigma v$ and $\epsilon = z_\sigma + (1 - \sigma) v$.

# %%
with capture(model, words="burger", every_step=True) as each_step, capture(model) as attention:
    clip = generate(model, burger, seed=0, steps=STEPS)
clean = clip.latents[None]


def noisy_and_guess(sigma):
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(1)).to(clean)
    noisy = (1 - sigma) * clean + sigma * noise  # in place of eq. 2
    velocity = model.predict(noisy, 1000 * sigma, text)
    loss = F.mse_loss(velocity, noise - clean)  # in place of eq. 1
    print(f"σ = {sigma:g}: loss {float(loss):.2f}")
    return noisy, noisy - sigma * velocity


ways = {sigma: noisy_and_guess(sigma) for sigma in (0.3, 0.6, 0.8, 0.95, 1.0)}

# %% jupyter={"source_hidden": true}
transformer_figures.noisy_and_guessed(model, ways)


# %% [markdown]
# At σ = 0.8 we see nothing in the noise, and the network sees the burger. From pure noise it makes a blur: the mean of
# all videos that fit the prompt, with a sea, and no place for the burger yet. Where things are is decided in the first
# steps, so that guidance acts there.
#
# ### Exercise 3 ● 5 minutes: a step
#
# Sampling goes back along the velocity. If $v$ is the way from $z_0$ to $\epsilon$, how far along it do you go from σ
# to a lower σ′, and in which direction?

# %%
def flow_step(latents, velocity, sigma, next_sigma):
    ...  # your code


check.flow_step(flow_step)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Write $z_\sigma$ and $z_{\sigma'}$ with the formula above, and subtract.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 3
def flow_step(latents, velocity, sigma, next_sigma):
    return latents + (next_sigma - sigma) * velocity


check.flow_step(flow_step)

# %% [markdown]
# With this step, sampling is a short loop. A *shift* of 3 puts most levels where there is much noise ([Esser et al.
# 2024](https://arxiv.org/abs/2403.03206)).

# %%
euler = replace(model, noise=Noise(FlowMatchEulerDiscreteScheduler(shift=3.0)))


def levels(steps):
    even = torch.linspace(1, 1 / steps, steps)
    return [*(3 * even / (1 + 2 * even)).tolist(), 0.0]


def sample(z, sigmas, cfg_scale=4.0):
    for sigma, next_sigma in zip(sigmas[:-1], sigmas[1:], strict=True):
        velocity = model.predict(z, 1000 * sigma, text, empty, cfg_scale)
        z = flow_step(z, velocity, sigma, next_sigma)
    return z


by_hand = sample(z, levels(3))
by_helper = generate(euler, burger, seed=0, steps=3, cfg_scale=4.0, frames=FEW).latents
print(f"largest difference: {lesson.close(by_hand[0], by_helper, calls=3, dtype=model.dtype):.0e}")

# %% [markdown]
# ### What becomes of the paper's step size?
#
# Eq. 4 moves the latents by $\delta_t^2 \eta \nabla E$, with $\delta_t^2 = (1 - \bar\alpha_t) / \bar\alpha_t$: noise
# over signal. In flow matching the signal's share is $1 - \sigma$, so that $\delta^2 = \sigma^2 / (1 - \sigma)^2$. The
# first step has σ = 1. Guess what the helper says:

# %%
down = track(TRACKS["top left to bottom left"], size=box("burger"))  # the paper's burger
try:
    generate(model, burger, seed=0, steps=2, frames=FEW, edits=Guidance("burger", down, law="(1 - abar) / abar"))
except ValueError as error:
    print(error)


# %% [markdown]
# A U-Net's schedule stops just short of pure noise; here we divide by zero. The series' own law is the standard
# deviation of the noise over that of the whole, $\sqrt{1 - \bar\alpha}$, and it is 1 there.
#
# ### Exercise 4 ●● 8 minutes: the share of noise
#
# Signal and noise are independent and have a variance of one. What share of the variance of $z_\sigma$ is noise? It is
# what $1 - \bar\alpha$ was, where both shares sum to one by construction. Here they do not.

# %%
def noise_share(sigma):
    ...  # your code


check.noise_share(noise_share)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Variances of independent parts add up: $(1 - \sigma)^2$ and $\sigma^2$. Which part is noise, and what is the whole?
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 4
def noise_share(sigma):
    return sigma**2 / ((1 - sigma) ** 2 + sigma**2)


check.noise_share(noise_share)

# %% [markdown]
# ## 6. Where the maps are
#
# Every block has a map of "burger" at every step. Which ones show it? One frame of section 5's clip:

# %% jupyter={"source_hidden": true}
transformer_figures.maps_by_block(each_step, "burger", clip.video)

# %% [markdown]
# Columns are blocks. Block 4 looks at the sky at first: a map may also show where the object is *not*. From the fourth
# step on, most maps are a few bright cells on the burger. As a number: the *AUROC* is the probability that a map is
# brighter at a place of the object, as the detector sees it in the finished clip, than elsewhere (½ knows nothing).

# %%
if sight.is_clear:
    grid = transformer_figures.auroc_grid(each_step, "burger", detect(clip.video, "burger")[1])  # (blocks, steps)
else:
    print("The detector knows the drawn world only: left out for this model.")

# %% jupyter={"source_hidden": true}
transformer_figures.found_by_block(grid, measured("dit_maps")) if sight.is_clear else None

# %% [markdown]
# White lines part early, middle and late blocks. Blocks 5 to 7 find the object best, and soonest. Block 0 finds it
# last: its tokens have not looked at much else yet. At the first step all maps are vague: there is nothing to see.
#
# ### Where does the rest of the attention go?
#
# A row of a map sums to one over all tokens of the prompt. After its few words comes padding: Wan sets it to zero and
# does *not* mask it. Guess how much of the attention goes there.

# %%
shares = transformer_figures.token_shares(attention, burger, "burger")  # of each block
print(f"padding: {torch.tensor(shares['padding']).mean():.0%} of all attention")

# %% jupyter={"source_hidden": true}
transformer_figures.shares_by_block(shares)


# %% [markdown]
# The noun gets a few per cent. All positions of padding have the same key and value: together they are one word,
# "nothing", with many votes. A token that needs no word attends there. Padding is a *sink*, as the first token is in
# [language models](https://arxiv.org/abs/2309.17453) and some patches are in [image
# transformers](https://arxiv.org/abs/2309.16588). LTX-Video masks it; there the share is zero.
#
# ## 7. Which blocks steer?
#
# Blocks that *find* the object need not be the ones that *move* it. One guided step, by hand: the energy is the share
# of the word's attention outside of the target, squared ([Chen et al. 2024](https://arxiv.org/abs/2304.03373); [lesson
# 05](05_motion.ipynb)), and the latents move downhill on it, by a fixed length times $\sqrt{1 - \bar\alpha}$.

# %%
def guided_step(z, sigma, group="early", strength=0.08):
    z = z.detach().requires_grad_(True)
    with capture(model, group=group, words="burger", heads=True, gradients=True, prompt=burger) as attention:
        model.predict(z, 1000 * sigma, text)
    energies = []
    for place in attention.sites(group):
        maps = attention.probabilities(place)[0].sum(-1)  # (frames, heads, height, width)
        drawn = draw(down, len(maps), *maps.shape[-2:], "disc", model.codec.frames_per_latent)
        inside = (maps * drawn[:, None].to(maps)).sum((-2, -1)) / maps.sum((-2, -1))
        energies.append((1 - inside).square().mean(1))  # the mean over heads
    (gradient,) = torch.autograd.grad(torch.stack(energies).mean(0).sum(), z)
    length = strength * noise_share(sigma) ** 0.5
    return (z - length * gradient / gradient.square().mean().sqrt()).detach()


# %%
sigmas = levels(2)
by_hand = sample(guided_step(z, sigmas[0]), sigmas)  # the first of two steps is guided
early = Guidance("burger", down, groups="early")
by_helper = generate(euler, burger, seed=0, steps=2, cfg_scale=4.0, frames=FEW, edits=early).latents
print(f"largest difference: {lesson.close(by_hand[0], by_helper, calls=4, dtype=model.dtype):.0e}")

# %% [markdown]
# The helper does the same. Guess: through which blocks does it work best, early, middle or late ones? Noise, path and
# length of the steps are the same:

# %%
groups = {}
for group in model.groups:
    groups[group] = generate(model, burger, seed=0, steps=STEPS, edits=Guidance("burger", down, groups=group))

# %% jupyter={"source_hidden": true}
led_clips.strips({"unguided": clip} | groups, {"burger": down}, sight)

# %% [markdown]
# One clip is an example. The study `dit_steering` counts many cases, by which no setting was chosen, and has the bias of
# section 9 as well; a lost object counts 0. On the left is where maps find the object, on the right where they move it:

# %% jupyter={"source_hidden": true}
finding, steering = measured("dit_maps"), measured("dit_steering")
transformer_figures.finding_and_steering(finding, steering) if steering and finding else None

# %% [markdown]
# With a gradient (green), the early blocks steer best, a little better than all together (0.72 against 0.69; the
# interval only just leaves out 0), and they are not those that find best. A reason that fits: what an early block sees,
# all later ones work with; a late block's map only *reports* what was decided, and the latents can be moved in many
# ways that improve a report. With the bias (orange) it is the other way round: it needs all blocks, and in the early
# ones alone it does least.
#
# ## 8. The paper's Figure 5
#
# > *Place for the paper's [Figure 5](https://arxiv.org/html/2404.05519v1) (CC BY 4.0; not copied here).*
#
# The paper's other examples are a ball, a shark, and a moon that
# gets a place.

# %%
examples = {
    "ball": ("a ball rolls on the grass", "top left to bottom right"),
    "shark": ("a shark swims in the ocean", "top right to bottom left"),
    "moon": ("a wolf howls to the moon", "stays"),
}
moved, paths = {"burger": groups["early"]}, {"burger": down}
for word, (prompt, name) in examples.items():
    paths[word] = track(TRACKS[name], size=box(word))
    moved[word] = generate(model, prompt, seed=0, steps=STEPS, edits=Guidance(word, paths[word], groups="early"))

# %% jupyter={"source_hidden": true}
led_clips.videos(moved, paths, sight, columns=2)

# %% [markdown]
# All four follow their boxes. The wolf stays below its moon, which the U-Net of [lesson 05](05_motion.ipynb) has lost.
# The shark pays for its path with its shape. Sizes are the network's own: a path does not force them.
#
# ## 9. Gradient beside bias
#
# The gradient asks: how must the *noise* change so that the word looks there? A bias *makes* it look there: it adds a
# number $b$ to the word's logits.
#
# $$ A_{p,w} \propto \exp(q_p \cdot k_w / \sqrt d + b_p), \qquad b_p = +8 \text{ inside}, \; -8 \text{ outside}. $$

# %%
biased = generate(model, burger, seed=0, steps=STEPS, edits=Bias("burger", down))

# %% jupyter={"source_hidden": true}
print(transformer_figures.bias_beside_gradient(steering))
led_clips.videos({"gradient, early blocks": groups["early"], "bias, all blocks": biased}, {"burger": down}, sight)


# %% [markdown]
# A bias needs no gradient: its step costs about as much as an unguided one, and over all blocks the study cannot tell
# the two apart (−0.02, from −0.05 to +0.01). What speaks for the gradient are the early blocks, and that it changes the
# input alone. A bias overrules the network: every place in the target must attend to the burger, whatever else is
# there.
#
# ### Exercise 5 ●●● 12 minutes: a bias
#
# `logits` is (pixels, tokens), `bias` has one number for each pixel, and the word is token 1. Return the probabilities.

# %%
def biased_attention(logits, bias):
    ...  # your code


check.biased_attention(biased_attention)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Only one column of the logits changes. Do not change what you were given: `torch.zeros_like` or `clone` help.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 5
def biased_attention(logits, bias):
    added = torch.zeros_like(logits)
    added[:, 1] = bias
    return (logits + added).softmax(-1)


check.biased_attention(biased_attention)

# %% [markdown]
# ## 10. What changes at Wan's size
#
# The same lines run on Wan 2.1 with 1.3 billion weights. A video of 81 frames and 480 × 832 pixels has:

# %% tags=["nbval-check-output"]
tokens, words_of_prompt, heads, blocks = 21 * 30 * 52, 512, 12, 30
gigabytes = tokens * words_of_prompt * heads * 4 / 1e9
print(f"{tokens:,} tokens; all probabilities of one block: {gigabytes:.1f} GB, of {blocks} blocks: {blocks * gigabytes:.0f} GB")

# %% [markdown]
# But we need one word out of 512. Its column can be had without the others, 100 pixels at a time:
#
# $$ A_{p,w} = \exp\bigl(\ell_{p,w} - \log \textstyle\sum_{w'} \exp \ell_{p,w'}\bigr), \qquad \ell = q \cdot k / \sqrt d . $$

# %%
noun = model.text.find(burger, "burger")
columns = [(part[..., noun] - part.logsumexp(-1, keepdim=True)).exp() for part in logits.split(100, dim=2)]
difference = lesson.close(torch.cat(columns, 2), logits.softmax(-1)[..., noun])
print(f"The word's column in parts and the whole softmax differ by at most {difference:.0e}.")

# %% [markdown]
# The helper saves twice more: the pass stops after the early blocks, and with `memory="save"` each block forgets its
# intermediate results and computes them again for the gradient. Time and memory do not depend on what was learned, so
# that random weights are enough to measure them:

# %% jupyter={"source_hidden": true}
costs = full_size_picture.transformer_clips(measured("full_size") or {"clips": {}})
full_size_picture.memory_figure(costs) if costs else print("not measured yet: python -m xattn_helpers.studies full_size")

# %% [markdown]
# Bars are the peak of memory; × is the time, in unguided steps. Red, the way in which one would first write guidance,
# does not fit on a GPU of 24 GB; green, through the early blocks, does. Even fewer blocks cost less, but steer worse on
# the pocket transformer:

# %% jupyter={"source_hidden": true} tags=["nbval-check-output"]
bullets(transformer_figures.fewer_blocks(costs, steering) if costs and steering else [])

# %% [markdown]
# Wan's autoencoder packs four frames into one latent frame (LTX-Video's eight): a motion within them cannot be steered.
#
# **When does this fail?** We measured one small drawn world. On published weights of Wan nobody has run this code yet.
# A path against the scene's logic (a ball in the sky) makes the network choose between the two.
#
# ## In this lesson we saw
#
# - A transformer cuts latents into patches, and all its maps have the size of the patch grid.
# - Attention over space and time knows order only through positions.
# - Flow matching goes straight: a step is $(\sigma' - \sigma) v$. The paper's step size is infinite at the first.
# - Blocks 5 to 7 of ten find the object best. A gradient steers best through the early ones; a bias needs no gradient, but all
#   blocks.
# - Padding that is not masked takes most of the attention.
# - A gradient takes little memory if it keeps one word and stops early.
#
# ## Three questions
#
# 1. A video has twice as many frames. How many times more pairs of tokens are there in self-attention, and how many in
#    text attention?
# 2. In flow matching, a network predicts $v$ at $\sigma = 1$. What is $z_\sigma - \sigma v$, and why is it a blur?
# 3. You mask the padding in a network that was trained without a mask. What will you see in its maps?
#
# <details><summary>Answers</summary>
#
# 1. Four times, and twice: the words do not become more.
# 2. The guess of the clean latents. Noise does not say which video it will become; the mean of all that fit has the
#    least squared error.
# 3. The attention of the sink goes to words: all maps become brighter, also where their word is not.
#
# </details>
#
# ## What to read next
#
# - [Attention is all you need](https://arxiv.org/abs/1706.03762).
# - [Wan](https://arxiv.org/abs/2503.20314), its sections on the network.
# - [Lecture notes of MIT 6.S184](https://diffusion.csail.mit.edu/) on flow matching.
