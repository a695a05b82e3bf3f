# %% [markdown]
# # 01 · Cross-attention
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# In [notebook 00](00_pocket_diffusion.ipynb) the words of the caption entered the network through one door:
# cross-attention. Here we open it. We compute one layer by hand, and then record all of them, for every word, frame,
# layer and step, and put a number on what we see.
#
# **After this notebook you can**
#
# 1. compute the cross-attention map of a word from the queries and keys of a layer (section 3.2 of the paper);
# 2. record the maps of any model with `capture`, and pick word, frame, layer, head and step;
# 3. measure with one number how well a map finds an object;
# 4. say where most of the attention goes, at which layers and steps the object shows, and where it does not;
# 5. tell cross-attention from the temporal attention that looks like it;
# 6. write down the soft threshold of section 3.4, and say what it hides.

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
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib import pyplot as plt

from xattn_helpers import capture, detect, generate, lesson, load
from xattn_helpers.display import draw_mask, draw_shares, heatmaps, image_grid, overlay, show, strip

IMAGE, VIDEO = "pocket-t2i", "pocket"  # also "pocket-dit"; on a GPU also: "stable-diffusion", "modelscope"
model, image_model = load(VIDEO), load(IMAGE)
DRAWN = VIDEO.startswith("pocket")  # videos of the drawn world, in which the detector sees


def mask_of(video, word):
    """Where an object is, (frames, height, width); nowhere, if the detector cannot know."""
    return detect(video, word)[1] if DRAWN else np.zeros(np.shape(video)[:3], bool)


if not DRAWN:
    print("The detector knows the drawn world only: what is measured with it is nan for this model.")


# %% [markdown]
# The cells below run on those models too, and on "pocket-dit", a transformer, whose maps have one size and which has no
# temporal layers ([notebook 07](07_transformer.ipynb)). Only numbers that compare a map with the *detected* object need
# the pocket world.
#
# ## 1. Where pixels meet words
#
# A cross-attention layer has two inputs: the features $X$ of all pixels of a frame, (pixels, channels), and the
# embedded caption $\tau(y)$, (tokens, width). Three matrices turn them into **queries** (what does this pixel look
# for?), **keys** (what is this token found by?) and **values** (what does this token say?):
#
# $$ Q = X W_Q, \qquad K = \tau(y)\, W_K, \qquad V = \tau(y)\, W_V $$
#
# Each pixel compares its query with all keys. The softmax makes the similarities positive and lets them add up to
# one:
#
# $$ \mathcal{A} = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt d}\right), \qquad \text{output} = \mathcal{A} V $$
#
# $d$ is the number of channels in $Q$. **Row $p$ of $\mathcal{A}$ says how pixel $p$ divides its attention among the
# tokens. Column $k$, folded back into a picture, is the map of token $k$**: it is what the paper calls
# $\mathcal{A}_{i,t,\cdot,\cdot,k}$ for layer $i$ and step $t$.

# %%
def attention_of(queries, keys):
    """Probabilities (pixels, tokens) from queries (pixels, d) and keys (tokens, d)."""
    return (queries @ keys.T / queries.shape[-1] ** 0.5).softmax(-1)


# %% [markdown]
# A check with pencil and paper: one pixel, two tokens, $d = 4$. The first token's similarity is
# $2 \ln 3 / \sqrt 4 = \ln 3$, the second one's is 0. So the softmax has to give
# $3 / (3 + 1)$ and $1 / (3 + 1)$.

# %% tags=["nbval-check-output"]
log_3 = torch.tensor(3.0).log()
queries = torch.tensor([[2.0, 0, 0, 0]])
keys = torch.stack([torch.tensor([log_3, 0, 0, 0]), torch.zeros(4)])
print([round(float(share), 4) for share in attention_of(queries, keys)[0]])

# %% [markdown]
# ## 2. One layer of the network, by hand
#
# First a picture to look at, and a question for the network: we mix the picture's latent with noise, as in eq. 2, and
# let the network guess the noise. Timestep 300 is late in the sampling: the picture is there, with some noise on it.

# %%
prompt = "a burger floats on the water"
picture = generate(image_model, prompt, seed=1)
text = image_model.encode(prompt)  # (1, tokens, width)

t = 300
alpha_bar = image_model.noise.scheduler.alphas_cumprod[t]
clean = picture.latents[None]  # (1, channels, 1 frame, height, width)
noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)).to(clean)
noisy = alpha_bar.sqrt() * clean + (1 - alpha_bar).sqrt() * noise

# %% [markdown]
# The network has many layers of this kind. A *forward pre-hook* is a function that PyTorch calls with the inputs of a
# module before the module runs. We put one on a single layer, call the network once, and take the hook away again.

# %%
name = "up_blocks.2.attentions.0.transformer_blocks.0.attn2"
layer = image_model.network.get_submodule(name)
caught = {}


def catch(module, args, kwargs):
    caught["X"], caught["text"] = args[0][0], kwargs["encoder_hidden_states"][0]


hook = layer.register_forward_pre_hook(catch, with_kwargs=True)
with torch.no_grad():
    image_model.predict(noisy, t, text)
hook.remove()
print("pixels", tuple(caught["X"].shape), "and tokens", tuple(caught["text"].shape))

# %% [markdown]
# Now the formula. One detail is new: the layer divides its channels among several **heads**, which attend
# independently of each other. $d$ is the number of channels of one head.

# %%
with torch.no_grad():
    Q, K = layer.to_q(caught["X"]), layer.to_k(caught["text"])  # (pixels, channels), (tokens, channels)
    by_head = zip(Q.chunk(layer.heads, -1), K.chunk(layer.heads, -1), strict=True)
    by_hand = torch.stack([attention_of(q, k) for q, k in by_head])  # (heads, pixels, tokens)

side = int(by_hand.shape[1] ** 0.5)  # this picture is a square
A = by_hand.mean(0).unflatten(0, (side, side))  # mean over heads: (height, width, tokens)
lesson.close(A.sum(-1), torch.ones_like(A[..., 0]))  # all tokens of a pixel add up to one
print("probabilities", tuple(A.shape))

# %% [markdown]
# Which token is the burger? The tokenizer puts a start token at position 0, an end token behind the last word, and
# fills the rest with padding, so that all captions have the same length.

# %% tags=["nbval-check-output"]
tokens = image_model.text.labels(prompt)
positions = image_model.text.find(prompt, "burger")  # some tokenizers make several tokens of a rare word
print(len(tokens), "tokens:", *tokens[:10], "…")
print("burger is at position", *positions)

# %%
burger = A[None, ..., positions].sum(-1)  # (1 frame, height, width)
image_grid(
    [[picture.video[0], burger[0], overlay(picture.video, burger)[0]]],
    column_titles=["picture", "map of “burger”", "map over picture"],
    cell=1.3,
)

# %% [markdown]
# The map is bright where the burger is, and brightest around its rim. Nobody told the network where the burger is, or
# that burgers have a place at all: it learnt to look there because that helped it to guess the noise.
#
# **Does the helper say the same?** `capture` records the cross-attention of everything that runs inside its block.
# PyTorch's fused attention never shows its probabilities, so the helper computes them a second time beside it, as we
# just did. The network goes on with its own attention, and the picture is the same bit for bit.

# %%
with torch.no_grad(), capture(image_model, prompt=prompt) as attention:
    image_model.predict(noisy, t, text)
recorded = attention.maps("burger", site=name)
print(f"largest difference: {lesson.close(recorded, burger):.1e}")

# %% [markdown]
# ## 3. One number for a map: AUROC
#
# "The map finds the burger" can be measured. The detector of the pocket world gives us the mask of the burger. Draw a
# random pixel inside the mask and a random pixel outside: how often is the map higher inside? This probability is
# called AUROC (area under the receiver operating characteristic). 1 means that the map finds the object, 1/2 that it
# knows nothing of it, and 0 that it avoids it. The definition is one line of code, and can be counted on a map of
# 2 × 2 pixels: the object has the values 5 and 2, the rest has 3 and 1, and three of the four pairs are in order.

# %% tags=["nbval-check-output"]
from xattn_helpers.measures.map_quality import auroc

tiny_map, tiny_mask = torch.tensor([[5.0, 2.0], [3.0, 1.0]]), torch.tensor([[True, True], [False, False]])
pairs = tiny_map[tiny_mask][:, None] > tiny_map[~tiny_mask]  # every pixel inside against every pixel outside
print("by hand", float(pairs.float().mean()), "helper", float(auroc(tiny_map, tiny_mask)))


# %% [markdown]
# A map is coarser than the mask, so we enlarge it first.

# %%
def finds(maps, masks):
    """AUROC for each map (frames, h, w) and mask (frames, height, width); NaN where the object is not seen."""
    masks = torch.as_tensor(masks)
    return auroc(F.interpolate(maps[:, None].float().cpu(), masks.shape[-2:], mode="bilinear")[:, 0], masks)


mask = mask_of(picture.video, "burger")
print(f"AUROC of the map above: {float(finds(burger, mask)):.2f}")
image_grid([[picture.video[0], draw_mask(picture.video, mask)[0]]], column_titles=["picture", "detected"])

# %% [markdown]
# ## 4. Every token: where does most of the attention go?
#
# From now on we record whole runs: fourteen steps of denoising, all layers. Without further wishes, `maps` gives the
# mean over steps, layers and heads, at the resolution of the finest layer. A word may also be given as a position, so
# that we can ask for the start token and the padding.

# %%
with capture(image_model) as attention:
    picture = generate(image_model, prompt, seed=1)

every_token = torch.cat([attention.maps(i) for i in range(len(tokens))]).cpu()  # (tokens, height, width)
inside = torch.as_tensor(mask_of(picture.video, "burger"))
scores = finds(every_token, inside)  # one mask for all tokens
first = [*range(8), len(tokens) - 1]  # the words, and one of the padding tokens
image_grid(
    [[picture.video[0], *(every_token[i] for i in first)]],
    column_titles=["picture", *(f"{tokens[i]} {scores[i]:.2f}" for i in first)],
)

# %% [markdown]
# The number under each token is its AUROC *for the burger*. The noun finds it best, with a clean spot on a dark ground.
# The small words "a", "floats" and "the" find it nearly as well, and this is the overlap that the paper complains about
# in section 3.3. Start, end and padding have an AUROC of about 0: their maps are the burger's negative, and a perfect
# negative knows as much as a perfect positive. "Water" is bright in parts of the sky, too.
#
# Brightness in such a picture is relative, because each map is stretched by itself. So let us look at the
# probabilities, on average inside the burger and outside of it.

# %%
near = F.adaptive_avg_pool2d(inside.float(), every_token.shape[-2:])[0] >= 0.5  # as coarse as the maps
where, equal = torch.arange(len(tokens)), 1 / len(tokens)

plt.figure(figsize=(9, 2.8))
plt.bar(where - 0.2, every_token[:, near].mean(1), 0.4, label="pixels of the burger")
plt.bar(where + 0.2, every_token[:, ~near].mean(1), 0.4, label="all other pixels")
plt.axhline(equal, color="grey", lw=0.8)
plt.text(len(tokens) - 0.5, equal, "an equal share", color="grey", ha="right", va="bottom", fontsize=8)
plt.xticks(where, tokens, rotation=60, ha="right")
plt.ylabel("mean probability")
plt.legend()
plt.show()

# %% [markdown]
# Now the noun stands out: a pixel of the burger gives "burger" more than three times as much as another pixel does.
# For "a" and "the" the difference is small, but it has the same sign nearly everywhere, and that is all that AUROC
# asks for. **Rank and strength are two questions; ask both.** Outside of the burger, the token with the most attention
# is not a word at all but the start token. How does the whole divide, layer by layer?

# %%
end = tokens.index("<end>")
groups = {"start": [0], "words": [*range(1, end)], "end and padding": [*range(end, len(tokens))]}
layers = attention.sites()
shares = {
    group: [float(attention.probabilities(layer)[..., chosen].sum(-1).mean()) for layer in layers]
    for group, chosen in groups.items()
}

# %%
axes = plt.figure(figsize=(9, 2.6)).gca()
draw_shares(axes, {f"{group}: {np.mean(share):.0%} on average": share for group, share in shares.items()})
heights = [attention.probabilities(layer).shape[3] for layer in layers]
names = [f"{layer.group}\n{height}" for layer, height in zip(layers, heights, strict=True)]
axes.set(xlabel="layer, in the order in which they run, and height of its maps", ylabel="share of attention")
axes.set_xticks(range(len(layers)), names)
plt.show()

# %% [markdown]
# About half of all attention goes to the end token and the padding, and a sixth to the start token alone, which is
# three times its equal share. The words together get a third.
#
# Why should a network look at padding? A row of $\mathcal{A}$ must add up to one, so a pixel that needs no word has to
# put its attention *somewhere*. Start and padding are nearly the same in every caption. Stable Diffusion uses its start
# token in the same way; Attend-and-Excite therefore drops it and divides the rest anew.
#
# ## 5. Every frame: does the map follow the object?
#
# In a video each frame has its own maps. This burger is told to move to the right, and with this seed it does. We keep
# every step of this run, for the explorer of section 12, but only the maps of its words: start and padding of a large
# model's captions would take ten times as much memory.

# %%
moving = "a burger floats to the right on the water"
with capture(model, every_step=True, words=moving.split()) as attention:
    video = generate(model, moving, seed=1)
burger_maps, burger_masks = attention.maps("burger"), mask_of(video.video, "burger")
titles = [moving, "the map of “burger” over it", "the map alone"]
show(video.video, overlay(video.video, burger_maps), heatmaps(burger_maps), titles=titles)

# %%
image_grid(
    [[strip(video.video, 4)], [strip(overlay(video.video, burger_maps), 4)]],
    row_titles=["frames 0, 5, 10, 15", "map of “burger”"],
    cell=0.9,
)

# %%
each_frame = finds(burger_maps, burger_masks)
print("AUROC in each frame:", *(f"{score:.2f}" for score in each_frame))

# %% [markdown]
# The bright spot goes to the right with the burger, and in every frame the map ranks nearly all pixels of the burger
# above all others. Each frame is on its own here; the maps move smoothly because the temporal layers keep the latents
# together.
#
# ## 6. Every layer and every resolution
#
# A UNet goes down from fine to coarse and up again. These are all of its cross-attention layers in the order in which
# they run, from left to right; the row is the resolution of the map. The numbers are AUROCs, averaged over the
# frames, and the picture is one frame of the same video.

# %%
layers = attention.sites()
maps = [attention.maps("burger", site=layer).cpu() for layer in layers]
scores = [finds(one, burger_masks).nanmean() for one in maps]
heights = sorted({len(one[0]) for one in maps}, reverse=True)
frame = len(video.video) // 2
image_grid(
    [[one[frame] if len(one[0]) == height else None for one in maps] for height in heights],
    row_titles=[f"{height} × {height}" for height in heights],
    column_titles=[f"{layer.group} {score:.2f}" for layer, score in zip(layers, scores, strict=True)],
    cell=0.9,
)

# %% [markdown]
# The picture has the shape of the network's name. All five layers at 8 × 8 find the burger, with clean maps. At 16 × 16
# it depends on the place: the first layer, right behind the noisy latent, is grainy; the next ones find the burger; and
# in the very last one hardly anything is left of it. **The mid layer at 4 × 4 fails**: it lights up cells without a
# burger, and one of its cells is nearly as large as the burger.
#
# The recorder averages over any choice of layers. They are chosen by `group`, and by `cells`: how many cells of the
# latents one cell of the map is wide. Our latents have 16 × 16 cells, so that `cells=1` is 16 × 16, `cells=2` is 8 × 8
# and `cells=4` is 4 × 4; the same number means the same share of the picture in every model. The paper uses 16 × 16 and
# 8 × 8.

# %%
kinds = [(layer.group, model.backbone.cells(layer)) for layer in layers]
for group, cells in dict.fromkeys(kinds):  # each of them once
    mean = attention.maps("burger", group=group, cells=cells)
    side = len(mean[0])
    print(f"{group:5}{side:2} × {side:<2} {finds(mean, burger_masks).nanmean():.2f}")

# %% [markdown]
# The mean over the upper layers at 16 × 16 is as good as the best of its members. A mean of probabilities listens to
# the layer with strong contrasts, and the grainy layers are also the faint ones.
#
# A size of cells that no layer has is an error that tells what there is.

# %% tags=["nbval-check-output"]
try:
    attention.maps("burger", cells=7)
except ValueError as error:
    print(error)

# %% [markdown]
# ## 7. Every step: when does the object appear?
#
# Sampling begins with pure noise. We watch eight burgers come out of it: the maps of every step, and the noisy latents
# that the network was given, which a hook on the whole network catches.

# %%
seeds, given = range(8), []
hook = image_model.network.register_forward_pre_hook(lambda module, args: given.append(args[0]))
with capture(image_model, every_step=True, words="burger") as attention_of_all:
    pictures = [generate(image_model, prompt, seed=seed) for seed in seeds]
hook.remove()
runs = attention_of_all.runs  # one for each picture
print(len(given), "calls of the network, the first with latents", tuple(given[0].shape))

# %% [markdown]
# Each call gets a batch of two: the same latents once with the empty prompt and once with ours, because of
# classifier-free guidance. `capture` keeps the second half.

# %%
timesteps = [step.timestep for step in runs[0].steps]
burgers = [torch.as_tensor(mask_of(one.video, "burger")) for one in pictures]


def curve(seed, target):
    """AUROC of a seed's map in each step, for the burger in the picture of a target seed: (steps,)."""
    maps = torch.cat([runs[seed].maps("burger", step=index) for index in range(len(timesteps))])
    return finds(maps, burgers[target])


own = torch.stack([curve(seed, seed) for seed in seeds])  # (seeds, steps)
others = torch.stack([curve(seed, (seed + 1) % len(seeds)) for seed in seeds])

# %%
plt.figure(figsize=(6.5, 2.8))
plt.plot(own.T, color="tab:blue", lw=0.7, alpha=0.5)
plt.plot(own.nanmean(0), "o-", color="tab:blue", lw=2, label="its own burger, mean of eight seeds")
plt.plot(others.nanmean(0), "s--", color="tab:orange", label="the next seed's burger")
plt.axhline(0.5, color="grey", lw=0.8)
plt.text(len(timesteps) - 1, 0.51, "knows nothing", color="grey", ha="right", va="bottom", fontsize=8)
plt.xticks(range(len(timesteps)), [f"{index}\n{t:.0f}" for index, t in enumerate(timesteps)], fontsize=8)
plt.xlabel("step, and its timestep t")
plt.ylabel("AUROC against the\nburger of the final picture")
plt.ylim(0.3, 1.02)
plt.legend(loc="center right", fontsize=8)
plt.show()

# %%
last = len(timesteps) - 1
some = [min(step, last) for step in (0, 1, 2, last // 2, last)]
seen = given[len(given) // len(seeds) :]  # from the first call for seed 1 on
image_grid(
    [
        [*(image_model.decode(seen[s][[1], :, None])[0, 0] for s in some), pictures[1].video[0]],
        [*(runs[1].maps("burger", step=s, cells=2)[0] for s in some), None],
        [*(runs[1].maps("burger", step=s, cells=1)[0] for s in some), None],
    ],
    row_titles=["what the network is given", "map of “burger”, coarse", "fine"],
    column_titles=[*(f"step {s}" for s in some), "result"],
    cell=0.75,
)

# %% [markdown]
# In the upper figure a thin line is one seed. In step 0 the latent is pure noise, and yet the map is right about the
# burger's place with an AUROC of almost 0.9 on average. Part of that is habit, as the maps of other seeds show (dashed,
# 0.65); the rest it has read from the noise. **From step 4 of 14 on, the place is settled.**
#
# The lower figure shows how for seed 1: a broad band across the middle, then two candidates, and by step 6 only the
# right one, although the latent still looks like noise. Whoever wants to move an object has to act in the first steps.
#
# ## 8. Every head
#
# We have always averaged over the heads of a layer. With `heads=True` they are kept apart.

# %%
with capture(image_model, heads=True) as heads:
    generate(image_model, prompt, seed=1)
names = [f"{block}.attentions.0" for block in ("down_blocks.1", "mid_block", "up_blocks.1", "up_blocks.2")]
count = {name: heads.probabilities(name).shape[2] for name in names}
rows = [[heads.maps("burger", site=name, head=head)[0] for head in range(count[name])] for name in names]
image_grid(
    [[picture.video[0] if row is rows[0] else None, *row] for row in rows],
    row_titles=names,
    column_titles=["picture", *(f"head {head}" for head in range(max(count.values())))],
    cell=0.9,
)

# %%
for name, row in zip(names, rows, strict=True):
    print(f"{name:26} AUROC of each head:", *(f"{float(finds(one[None], inside)):.2f}" for one in row))

# %% [markdown]
# Heads of one layer are not copies of each other. Of the first layer's three heads, two find the burger and the third
# is as busy with the sky. The mean over heads, which nearly everybody uses, mixes them.
#
# ## 9. The temporal layers, which are not cross-attention
#
# In the video model, more than half of the layers that are called `attn2` never see the caption. Code that searches
# for the name "attn2" records them as well. The layer itself knows better.

# %%
second = {name: module for name, module in model.network.named_modules() if name.endswith("attn2")}
text_layers = [name for name, module in second.items() if module.is_cross_attention]
time_layers = [name for name in second if name not in text_layers]
print(f"{len(second)} modules end in attn2, {len(text_layers)} of them are cross-attention")
print("is:    ", text_layers[0])
print("is not:", time_layers[0] if time_layers else "none: a transformer has no temporal layers")

# %% [markdown]
# And so do the shapes of what goes in. We catch the inputs of both, as in section 2.

# %%
inputs = {}


def note(module, args, kwargs):
    inputs[module] = args[0], args[1] if len(args) > 1 else kwargs["encoder_hidden_states"]


pair = [text_layers[0], *[name for name in time_layers if name.startswith("down_blocks.0")][:1]]
hooks = [second[name].register_forward_pre_hook(note, with_kwargs=True) for name in pair]
with torch.no_grad():
    model.predict(torch.randn_like(video.latents)[None], 500, model.encode(moving))
for hook in hooks:
    hook.remove()

# %%
for name in pair:
    queries_from, keys_from = inputs[second[name]]
    print(name.split(".transformer")[0], "cross-attention:", second[name].is_cross_attention)
    print("   queries from", tuple(queries_from.shape))
    print("   keys from   ", "the same" if keys_from is None else tuple(keys_from.shape))

# %% [markdown]
# The cross-attention layer gets one row for each frame: all of its pixels as queries, and the tokens as keys. The
# temporal layer gets one row for each *pixel*: its 16 frames as queries, and the same 16 frames as keys. There is no
# column for "burger" in its probabilities, and averaging them into a map of the burger would add noise.
#
# ## 10. The soft threshold
#
# A map has a background: even where no burger is, "burger" gets a little attention. To compare the *shape* of a map
# with the shape that we want, section 3.4 of the paper cuts it at the middle between its smallest and its largest
# value, and softly, so that gradients survive. With $\mathrm{norm}$ for stretching a map to $[0, 1]$ and a sharpness
# $s$:
#
# $$ \mathrm{norm}(\mathcal{A}) = \frac{\mathcal{A} - \min \mathcal{A}}{\max \mathcal{A} - \min \mathcal{A}}, \qquad
#    \mathrm{shape}(k) = \mathrm{norm}\Bigl(\sigma\bigl(s\,(\mathrm{norm}(\mathcal{A}_k) - \tfrac12)\bigr)\Bigr) $$
#
# By hand, on four pixels, with $s = 20$ as in the paper's code:

# %% tags=["nbval-check-output"]
from xattn_helpers.attention.maps import SHARPNESS, centre_of_mass, normalise, soft_threshold
from xattn_helpers.measures.map_quality import iou


def norm(maps):
    return (maps - maps.min()) / (maps.max() - maps.min())


tiny = torch.tensor([[0.1, 0.2], [0.3, 0.5]])
shape = norm(torch.sigmoid(20 * (norm(tiny) - 0.5)))
print("norm ", [round(value, 3) for value in norm(tiny).flatten().tolist()])
print("shape", [round(value, 3) for value in shape.flatten().tolist()])
assert SHARPNESS == 20 and torch.allclose(soft_threshold(tiny), shape)

# %%
values = torch.linspace(0, 1, 201)[None]  # a "map" of one row that has every value once
plt.figure(figsize=(4.2, 2.4))
for sharpness, style in ((5, ":"), (20, "-"), (100, "--")):
    plt.plot(values[0], soft_threshold(values, sharpness)[0], style, label=f"s = {sharpness}")
plt.xlabel("norm(A)")
plt.ylabel("shape")
plt.legend()
plt.show()

# %% [markdown]
# The curve is a step with rounded corners. The larger $s$, the harder the cut; with $s = 100$ nearly all values lie
# where the curve is flat, and there the gradient is next to zero. Now real maps.

# %%
columns = {"16 × 16": 1, "8 × 8": 2, "4 × 4": 4}
columns = {size: cells for size, cells in columns.items() if cells in model.cells()}
chosen = [attention.maps("burger", cells=cells).cpu() for cells in columns.values()]
image_grid(
    [
        [video.video[frame], *(one[frame] for one in chosen)],
        [draw_mask(video.video, burger_masks)[frame], *(soft_threshold(one)[frame] for one in chosen)],
    ],
    row_titles=["map", "soft threshold"],
    column_titles=["frame 8", *columns],
)


# %%
def overlap(maps):
    """Mean overlap (IoU) of soft masks (frames, h, w) with the burger, where it is seen."""
    large = F.interpolate(maps[:, None], burger_masks.shape[-2:], mode="bilinear")[:, 0]
    return float(iou(large, torch.as_tensor(burger_masks)).nanmean())


for title, one in zip(columns, chosen, strict=True):
    before, after = overlap(normalise(one)), overlap(soft_threshold(one))
    print(f"{title:8} overlap with the burger: stretched {before:.2f}, thresholded {after:.2f}")

# %% [markdown]
# At 16 × 16 and 8 × 8 the background goes black and a shape stays that is close to the burger's (the red tint is the
# detected mask). The overlap of that shape with the mask, 1 if they were the same, rises accordingly; part of what is
# missing is the coarse grid. At 4 × 4 the threshold keeps cells all over the picture.
#
# A place can now be read off a map: its centre of mass. Does it move with the burger?

# %%
fine = attention.maps("burger", cells=2).cpu()
objects = centre_of_mass(torch.as_tensor(burger_masks))  # (frames, 2) as x, y
plt.figure(figsize=(5, 2.6))
plt.plot(objects[:, 0], "k-", lw=2, label="the detected burger")
plt.plot(centre_of_mass(soft_threshold(fine))[:, 0], "o-", label="map, soft threshold")
plt.plot(centre_of_mass(fine)[:, 0], "s:", label="map as it is")
plt.xlabel("frame")
plt.ylabel("centre (0 left, 1 right)")
plt.ylim(0, 1)
plt.legend(fontsize=8)
plt.show()

# %% [markdown]
# With the soft threshold, the centre of the map and the centre of the burger draw nearly the same line. Without it,
# the faint background of the whole picture pulls the centre towards the middle. This is what the threshold is for:
# the energy of the paper compares shapes and places, and the background has neither.
#
# **What it hides.** Stretching makes every map equally loud. The threshold draws a shape with confidence even when
# there was nothing to draw.

# %%
rows, names = [], {"up, 8 × 8": "up_blocks.1.attentions.1", "up, the very last": layers[-1]}
if "up" not in model.groups:  # a transformer
    names = {"in the middle": layers[len(layers) // 2], "the very last": layers[-1]}
for title, name in names.items():
    one = attention.maps("burger", site=name).cpu()
    rows.append([one[frame], soft_threshold(one)[frame]])
    score = finds(one, burger_masks).nanmean()
    print(f"{title:17} probabilities from {one.min():.3f} to {one.max():.3f}, AUROC {score:.2f}")
image_grid(rows, row_titles=list(names), column_titles=["stretched", "soft threshold"])

# %% [markdown]
# Both rows were drawn with the same confidence. But in the upper one "burger" got more than half of a pixel's
# attention, and in the lower one never more than 0.02: less than the equal share of 0.05. The shapes in it are noise.
# Look at the probabilities *before* you stretch them.

# %% [markdown]
# ## 11. Where maps mislead
#
# **Words that name nothing.** This prompt has "the" twice; `occurrence` picks one of them, counted from 0.

# %%
for word, which in (("burger", 0), ("a", 0), ("the", 0), ("the", 1), ("water", 0)):
    score = finds(attention.maps(word, occurrence=which), burger_masks).nanmean()
    print(f"{word:6} (occurrence {which}) finds the burger with AUROC {score:.2f}")

# %% [markdown]
# The article "a" finds the burger as well as the noun does, and each "the" to some degree. Do these words *mean* the
# burger? One suspect can be questioned: attention adds up to one, and we saw in section 4 that the burger's pixels
# give less to start and padding. What is left is shared by *all* words. So let us ask how a pixel divides what it
# gives to the words other than the noun.

# %%
others = [1, 3, 4, 5, 6]  # "a", "floats", "on", "the", "water": the words of section 4 without its noun
divided = every_token[others] / every_token[others].sum(0)  # how a pixel divides what it gives to these five
before, after = finds(every_token[others], inside), finds(divided, inside)
for i, one, two in zip(others, before, after, strict=True):
    print(f"{tokens[i]:7} AUROC for the burger {one:.2f}, as a share of the other words {two:.2f}")

# %% [markdown]
# As a share, "floats" and "the" lose part of their AUROC, and "on" and "water" turn out to avoid the burger. "A" keeps
# its place: it stands before the noun in nearly every caption. **An AUROC near 1 does not make a word the name of the
# object.**
#
# **Attention is not an explanation.** A map says where the network *mixes in* the value of a word. What the later
# layers make of it shows only when the map is changed, as in notebooks 03 and 05.
#
# **Words that are not there.** A misspelt word is an error that shows the words of the prompt.

# %% tags=["nbval-check-output"]
try:
    attention.maps("bugrer")
except ValueError as error:
    print(error)

# %% [markdown]
# ## 12. Look around
#
# The explorer does all of this with the mouse: prompt, seed, word, size of the maps, step and frame. The model runs
# only when you press *Run* with another prompt or seed; everything else is read from the recording.

# %%
from xattn_helpers.display.explorers.attention import AttentionExplorer

explorer = AttentionExplorer(model)
explorer.explore(video, attention)
explorer

# %% [markdown]
# Each control is also a Python object. Here we turn them by hand, and show the picture that the explorer would.

# %%
explorer.word.value, explorer.cells.value, explorer.step.value, explorer.frame.value = "burger", 2, 0, 8
assert torch.equal(explorer.maps, attention.maps("burger", cells=2, step=0).cpu())
image_grid([[explorer.picture]], column_titles=["“burger” in frame 8, at the first step"], cell=1.2)

# %% [markdown]
# The three panels are the frame, the map over it, and the map alone. This is the first step, in which the network has
# seen nothing but noise.
#
# ## Exercises
#
# **1.** Compute the map of "burger" by hand in the mid block (`mid_block.attentions.0.transformer_blocks.0.attn2`).
# Check the map against the recorder.
#
# <details><summary>Solution</summary>
#
# ```python
# name = "mid_block.attentions.0.transformer_blocks.0.attn2"
# layer = image_model.network.get_submodule(name)
# hook = layer.register_forward_pre_hook(catch, with_kwargs=True)
# with torch.no_grad(), capture(image_model, prompt=prompt) as check:
#     image_model.predict(noisy, t, text)
#     Q, K = layer.to_q(caught["X"]), layer.to_k(caught["text"])
# hook.remove()
# by_head = zip(Q.chunk(layer.heads, -1), K.chunk(layer.heads, -1), strict=True)
# A = torch.stack([attention_of(q, k) for q, k in by_head]).mean(0).unflatten(0, (4, 4))
# assert torch.allclose(check.maps("burger", site=name)[0], A[..., 2], atol=1e-3)
# ```
#
# It has four heads and 4 × 4 = 16 pixels.
# </details>
#
# **2.** Classifier-free guidance calls the network with the caption and with an empty one. `capture` keeps the half
# with the caption. Record both (`half="both"`) and compare where the attention goes: `maps(0, half="unconditional")`
# is the map of the empty prompt's start token. Does the empty prompt know where the burger is?
#
# <details><summary>Solution</summary>
#
# ```python
# with capture(image_model, half="both") as both:
#     generate(image_model, prompt, seed=1)
# for half in ("conditional", "unconditional"):
#     every = torch.cat([both.maps(i, half=half) for i in range(len(tokens))])
#     for i, (share, score) in enumerate(zip(every.mean((1, 2)), finds(every, inside))):
#         print(f"{half:13} position {i:2}: share {share:.2f}, AUROC {score:.2f}")
# ```
#
# In the empty prompt everything from position 2 on is padding, and each gets about 4 %. Yet the padding at position 2
# finds the burger: nearly all captions have their noun there, and every embedding tells its position.
# </details>
#
# **3.** Two objects in one picture: does each noun find its own? Take "a dog and a ball on the grass" and compute a
# table of 2 × 2 AUROCs, words against masks.
#
# <details><summary>Solution</summary>
#
# ```python
# with capture(image_model) as two:
#     both = generate(image_model, "a dog and a ball on the grass", seed=0)
# for word in ("dog", "ball"):
#     print(word, *(f"{float(finds(two.maps(word), detect(both.video, noun)[1])):.2f}" for noun in ("dog", "ball")))
# ```
#
# Each noun finds its own object best (0.99 and 1.00), but the other one too (0.75 and 0.78): compared with grass and
# sky, a ball looks a little like a dog.
# </details>
#
# ## In this notebook we saw
#
# - cross-attention by hand: queries from pixels, keys from tokens, a softmax over the tokens;
# - `capture`, which records it in any run, for any word, frame, layer, head and step, and leaves the model as it was;
# - one number, AUROC, and why it must be read together with the probabilities themselves;
# - that most attention goes to tokens that are not words, and that small words share the object's map with its noun;
# - that 8 × 8 finds the object, and 4 × 4 and the last layer do not; and that its place is settled within a few steps;
# - that temporal layers are not cross-attention, whatever they are called;
# - the soft threshold, which turns a map into a shape, and makes noise look like one too.
#
# Next: [02 · How noisy are the maps of a video model?](02_how_noisy.ipynb) repeats the measurement with many prompts
# and gives intervals.
