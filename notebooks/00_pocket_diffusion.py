# %% [markdown]
# # 00 · Pocket diffusion
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# This series asks how cross-attention steers a diffusion model, and whether it does so in video. Before we open the
# attention layers we need a model that fits in a pocket: one that makes a video on a laptop in the time of a sip of
# coffee, and that is built from the very same parts as Stable Diffusion and ModelScope.
#
# **After this notebook you can**
#
# 1. describe the toy world that the pocket models have learnt, and why its exact masks matter to us;
# 2. write down how a clean latent becomes noise (eq. 2 of the paper) and what the network is trained to do (eq. 1);
# 3. take one denoising step by hand, and then all of them;
# 4. say what classifier-free guidance does, and what too much of it does;
# 5. explain how an image model becomes a video model, and what the new layers contribute.

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
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from matplotlib import pyplot as plt

from xattn_helpers import generate, lesson, load, show
from xattn_helpers.display import image_grid

IMAGE, VIDEO = "pocket-t2i", "pocket"  # on a GPU also: "stable-diffusion", "modelscope"
model, image_model = load(VIDEO), load(IMAGE)

# %% [markdown]
# ## 1. A world that can be drawn
#
# The pocket models know 22 objects, 10 scenes, and a few dozen words for what can happen between them. Every clip of
# their training set was drawn by a program: a painted scene, one or two sprites that move across it, and a caption.

# %%
from xattn_helpers.pocket.world.batches import sample_batch
from xattn_helpers.pocket.world.drawing import World
from xattn_helpers.pocket.world.vocabulary import MEDIA, OBJECTS

print("objects:", ", ".join(OBJECTS))
print("scenes: ", ", ".join(MEDIA))

# %%
batch, stories = sample_batch(3, seed=2)
videos, masks = World().draw(batch)  # pixels in [0, 1] and a mask for each object and frame
videos = videos.permute(0, 1, 3, 4, 2)  # (clips, frames, height, width, colours)
show(*videos, titles=[story.caption for story in stories], columns=3)

# %% [markdown]
# Read the captions against the clips. A caption always names the objects and the scene; sometimes it also names a
# size ("a small dog") or a motion ("to the left", "closer"). What it leaves out is up to chance, and later up to us.
#
# Because the program draws each object, it also knows **exactly which pixels belong to it**. Real videos do not come
# with such masks. Here they let us train a detector, and the detector will put a number on every claim of this series.

# %%
second = next(i for i, story in enumerate(stories) if len(story.actors) == 2)
names = [actor.name for actor in stories[second].actors]
frames = (0, 8, 15)
rows = [[videos[second, f] for f in frames]] + [[masks[second, slot, f].float() for f in frames] for slot in (0, 1)]
image_grid(rows, row_titles=["drawn", *(f"mask of the {name}" for name in names)], column_titles=[f"frame {f}" for f in frames])

# %% [markdown]
# The first row shows three frames of a clip with two objects; the rows below show the mask of each. Where one object
# covers the other, only the visible part counts.

# %% [markdown]
# ## 2. Pixels and latents
#
# The diffusion model never sees pixels. An autoencoder squeezes each frame from 128 × 128 × 3 numbers into
# 16 × 16 × 4, and the diffusion model works on those *latents*. The autoencoder's `scaling_factor` gives them a
# standard deviation of about one, the same as the noise that we are about to add.

# %%
scale = model.codec.vae.config.scaling_factor
with torch.no_grad():
    pixels = 2 * videos.permute(0, 1, 4, 2, 3) - 1  # the autoencoder wants [-1, 1]
    pixels = pixels.to(model.device, model.dtype)
    clean = torch.stack([model.codec.vae.encode(clip).latent_dist.mode() for clip in pixels[:2]]) * scale
clean = clean.transpose(1, 2)  # latents are (batch, channels, frames, height, width) everywhere in this series
print("pixels", tuple(pixels[:2].shape), "-> latents", tuple(clean.shape), f"with standard deviation {clean.std():.2f}")

# %%
decoded = model.decode(clean)
image_grid(
    [[videos[i, 0], *clean[i, :, 0], decoded[i, 0]] for i in (0, 1)],
    column_titles=["drawn", *(f"channel {c}" for c in range(4)), "decoded"],
)

# %% [markdown]
# From left to right: a drawn frame, the four channels of its latent, and the frame that the decoder makes of them. A
# latent is a small picture of the same layout: **position survives the autoencoder**. That is why attention maps of
# 16 × 16 cells can tell us where an object is in the video.

# %% [markdown]
# ## 3. From latent to noise: equation 2
#
# At timestep $t$ the clean latent $z_0$ is mixed with Gaussian noise $\epsilon$:
#
# $$ z_t = \sqrt{\bar\alpha_t}\, z_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon $$
#
# $\bar\alpha_t$ falls from nearly 1 (all picture) to nearly 0 (all noise). In code the formula is one line.

# %%
alpha_bar = model.noise.scheduler.alphas_cumprod
noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)).to(clean)


def add_noise(clean, noise, t):
    return alpha_bar[t].sqrt() * clean + (1 - alpha_bar[t]).sqrt() * noise


# %% tags=["nbval-check-output"]
t = 600
theirs = DDPMScheduler.from_config(model.noise.scheduler.config).add_noise(clean, noise, torch.tensor([t]))
print(f"largest difference from diffusers: {lesson.close(add_noise(clean, noise, t), theirs):.6f}")

# %%
steps = (0, 300, 600, 999)
noisy = [model.decode(add_noise(clean[:1, :, :1], noise[:1, :, :1], t))[0, 0] for t in steps]
image_grid([noisy], column_titles=[f"t = {t}\nᾱ = {float(alpha_bar[t]):.3f}" for t in steps])

# %% [markdown]
# Each column is one timestep. At $t = 300$ a person still sees water and sky, and guesses the rest; from $t = 600$ on
# there is nothing left to see, although a model can still find a little. Whatever the model decides about *where things
# are* it must decide in the first, noisiest steps. Remember this when we ask in which steps guidance should act.
#
# At $t = 999$ a little of the picture is still left. That is a known flaw of Stable Diffusion's schedule (Lin et al.
# 2023): a network that is trained with it looks for a picture in the noise, also when it starts from noise alone. A
# video tells the path of its object 16 times over, so that it shines through stronger noise than a single picture does.
# The schedule of our video model therefore ends in less signal than that of the image model:

# %% tags=["nbval-check-output"]
for name, one in (("image model", image_model), ("video model", model)):
    print(f"{name}: share of the picture at t = 999: {float(one.noise.scheduler.alphas_cumprod[-1].sqrt()):.3f}")


# %% [markdown]
# ## 4. What the network learns: equation 1
#
# The network $\epsilon_\theta$ gets the noisy latent, the timestep and the embedded caption $\tau(y)$, and has to say
# what the noise was:
#
# $$ \mathcal{L} = \mathbb{E}_{z_0, y, \epsilon, t}\, \lVert \epsilon - \epsilon_\theta(z_t, t, \tau(y)) \rVert^2 $$
#
# Training is nothing but this, millions of times. Here it is for one batch, by hand.

# %%
def noise_of(model, prediction, z, t):
    """The noise that a prediction means: Stable Diffusion 2.1 predicts a mixture of noise and picture."""
    if model.noise.prediction == "epsilon":
        return prediction
    level = model.noise.level(t)
    return (z - level.alpha * model.noise.clean(prediction, z, level)) / level.sigma


@torch.no_grad()
def loss(model, clean, noise, t, captions):
    embeddings, z = model.encode(captions), add_noise(clean, noise, t)  # tau(y): (batch, tokens, width)
    guess = noise_of(model, model.predict(z, t, embeddings), z, t)
    return float((guess - noise).float().square().mean())


captions = [story.caption for story in stories[:2]]
ts = range(50, 1000, 150)
right = [loss(model, clean, noise, t, captions) for t in ts]
wrong = [loss(model, clean, noise, t, captions[::-1]) for t in ts]

# %%
plt.figure(figsize=(6, 2.6))
plt.plot(ts, right, "o-", label="with its own caption")
plt.plot(ts, wrong, "s--", label="with the other clip's caption")
plt.axhline(1, color="grey", lw=0.8)
plt.text(950, 1.05, "no better than guessing zero", color="grey", ha="right", va="bottom", fontsize=8)
plt.xlabel("timestep t")
plt.ylabel("squared error per latent value")
plt.yscale("log")
plt.ylim(top=2)
plt.legend(loc="lower left")
plt.show()


# %% [markdown]
# The error is largest at small $t$, where hardly any noise is there to be seen, and small at large $t$, where nearly
# everything *is* noise (the axis is logarithmic). At almost every $t$ the right caption helps: with the wrong one, the
# model expects another object in another scene, and its guess of the noise gets worse. **The gap between the two lines
# is what the text contributes, and cross-attention is the only door through which it enters.**

# %% [markdown]
# ## 5. One step back, by hand
#
# If we know (or guess) the noise, we can solve eq. 2 for the clean latent, $\hat z_0$, and then mix it again with a
# little less noise. This is one step of DDIM (Song et al. 2021), from $t$ to an earlier $s$:
#
# $$ \hat z_0 = \frac{z_t - \sqrt{1 - \bar\alpha_t}\, \epsilon_\theta}{\sqrt{\bar\alpha_t}}, \qquad
#    z_s = \sqrt{\bar\alpha_s}\, \hat z_0 + \sqrt{1 - \bar\alpha_s}\, \epsilon_\theta $$

# %%
def ddim_step(z, guess, t, s):
    signal_t, signal_s = alpha_bar[t], alpha_bar[s] if s >= 0 else torch.tensor(1.0)
    z0 = (z - (1 - signal_t).sqrt() * guess) / signal_t.sqrt()
    return signal_s.sqrt() * z0 + (1 - signal_s).sqrt() * guess


# %% [markdown]
# The whole sampler is this step in a loop, with one addition that the next section explains (`cfg_scale`). We try
# it on the image model, with its own $\bar\alpha_t$.

# %%
N = 20
alpha_bar = image_model.noise.scheduler.alphas_cumprod
schedule = torch.arange(999, -1, -1000 // N).tolist()  # 999, 949, …, 49


@torch.no_grad()
def sample(model, prompt, seed=0):
    text, empty, own, cell = model.encode([prompt]), model.encode([""]), model.defaults, model.codec.pixels_per_cell
    shape = (1, model.codec.channels, own.frames, own.height // cell, own.width // cell)  # (1, 4, 1, 16, 16)
    z = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(model.device, model.dtype)
    for t, s in zip(schedule, [*schedule[1:], -1], strict=True):
        guess = noise_of(model, model.predict(z, t, text, empty, own.cfg_scale), z, t)
        z = ddim_step(z, guess, t, s)
    return z


by_hand = sample(image_model, "a burger floats on the water")

# %% [markdown]
# The helper `generate` does the same and decodes. Ordinarily it uses a solver that needs fewer steps
# (DPM-Solver++); with diffusers' own DDIM it must agree with our loop.

# %%
from dataclasses import replace

from xattn_helpers.backbones.noise import Noise

ddim = DDIMScheduler.from_config(
    image_model.noise.scheduler.config, timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=True
)
helper = generate(replace(image_model, noise=Noise(ddim)), "a burger floats on the water", seed=0, steps=N)
print(f"largest difference of the latents: {lesson.close(by_hand[0], helper.latents, calls=N):.1e}")

# %%
seeds = range(5)
pictures = generate(image_model, ["a burger floats on the water"] * len(seeds), seed=list(seeds))
image_grid([[picture.video[0] for picture in pictures]], column_titles=[f"seed {seed}" for seed in seeds])

# %% [markdown]
# One prompt, five seeds. The burger and the water are always there, because the caption names them; the place and the
# size are drawn by chance. The rest of the series takes the place and the size out of the hands of chance.

# %% [markdown]
# ## 6. Classifier-free guidance
#
# In training, one caption in ten was empty, so the network can also guess the noise *without* text. Guidance goes from
# that guess towards the guess with text, and further:
#
# $$ \hat\epsilon = \epsilon_\theta(z_t, \varnothing) + g\,\bigl(\epsilon_\theta(z_t, \tau(y)) - \epsilon_\theta(z_t, \varnothing)\bigr) $$
#
# With $g = 1$ the model is used as it was trained. Each step costs two calls of the network, or one call with a batch
# of two; this is why attention maps later come in two halves, one for the empty prompt and one for ours.

# %%
scales = (1, 4, 12)
rows = [
    [generate(image_model, prompt, seed=seed, cfg_scale=scale).video[0] for scale in scales]
    for prompt, seed in (("a shark swims in the ocean", 1), ("a dog and a balloon on the grass", 2))
]
image_grid(rows, row_titles=["shark", "dog and balloon"], column_titles=[f"g = {scale}" for scale in scales])

# %% [markdown]
# The seed, and so the layout, is the same in each row. A higher scale follows the caption more strictly, up to a
# point: with the highest one, colours saturate, edges break up and dirt appears in the background. The pocket models
# use $g = 4$, Stable Diffusion usually 7.5, and ModelScope 9 to 15.

# %% [markdown]
# ## 7. How an image model became a video model
#
# The pocket video model was not trained from nothing. It is the image model, *inflated*: every tensor of the image
# UNet was copied, and between its layers new **temporal layers** were put, which mix the same pixel across frames. They
# began with a last layer of zeros, so that at first the video model made exactly the image model's pictures. Then all
# layers were trained on videos.

# %%
image_names = set(image_model.network.state_dict())
video_tensors = model.network.state_dict()
copied = sum(value.numel() for name, value in video_tensors.items() if name in image_names)
new = sum(value.numel() for name, value in video_tensors.items() if name not in image_names)
print(f"image UNet: {len(image_names)} tensors, all of them in the video UNet too: {image_names <= set(video_tensors)}")
print(f"parameters that were copied: {copied / 1e6:.1f} million, new for time: {new / 1e6:.1f} million")

# %% [markdown]
# Two kinds of layers are new: a *temporal convolution* looks at a frame and its neighbours, and a *temporal
# transformer* lets each pixel attend to itself in all frames. The second has an "attention" in its name, and even an
# `attn2`, but it never sees the caption.
#
# What do the temporal layers do? Let us switch them off.

# %%
from xattn_helpers.backbones.temporal import frames_apart, temporal_layers

print(len(temporal_layers(model.network)), "temporal layers")
prompt = "a car drives on the road"
together = generate(model, prompt, seed=1)
with frames_apart(model):
    apart = generate(model, prompt, seed=1)
show(together.video, apart.video, titles=["all layers", "temporal layers off"])

# %% [markdown]
# Left, the video model as it is: one car, one road, one motion. Right, the same model, same seed, without its temporal
# layers: every frame is a picture for itself, with its own road and its own car. **The spatial layers, and with
# them all of the cross-attention, work frame by frame; only the temporal layers make the frames agree.** When we push
# the attention maps of a video around, we push each frame by itself, and count on the temporal layers to keep the
# video in one piece.

# %% [markdown]
# ## 8. The paper's prompts
#
# These are the prompts of the paper, word for word.

# %%
prompts = [
    "a burger floats on the water",
    "a shark swims in the ocean",
    "a car drives on the road",
    "a truck drives on the road",
    "a ball rolls on the grass",
    "a wolf howls to the moon",
]
made = [generate(model, prompt, seed=0) for prompt in prompts]
show(*(clip.video for clip in made), titles=prompts, columns=3)

# %% [markdown]
# Do the videos hold what the captions promise? The detector of the pocket world answers, frame by frame.

# %%
from xattn_helpers import detect

if VIDEO != "pocket":
    print("The detector knows the drawn world only, so that nothing is counted for this model.")
for prompt, clip in zip(prompts, made if VIDEO == "pocket" else [], strict=VIDEO == "pocket"):
    for noun in [word for word in prompt.split() if word in OBJECTS]:
        boxes, _ = detect(clip.video, noun)
        print(f"{prompt:30} {noun:7} seen in {int((boxes[:, 0] == boxes[:, 0]).sum()):2} of {len(boxes)} frames")

# %% [markdown]
# A single seed is an anecdote. The model card (`xattn_helpers/pocket/MODEL_CARD.md`) repeats this count for many
# held-out prompts and gives intervals.
#
# ## 9. When it is asked for the impossible
#
# The pocket models have seen 22 objects and nothing else. A word that they do not know is an error, not a silent
# disappointment.

# %% tags=["nbval-check-output"]
try:
    generate(model, "a bugrer floats on the water", steps=1)
    print("This model takes any word, as letters if need be.")
except ValueError as error:
    print(error)

# %% [markdown]
# ## Exercises
#
# **1.** The loop in section 5 uses 20 steps. Try 5 and 50 with the same seed. What changes, and what stays?
#
# <details><summary>Solution</summary>
#
# ```python
# for N in (5, 20, 50):
#     schedule = torch.arange(999, -1, -1000 // N).tolist()
#     z = sample(image_model, "a burger floats on the water")
#     display(image_grid([[image_model.decode(z)[0, 0]]], column_titles=[f"{N} steps"]))
# ```
#
# Layout and place stay, because they are decided in the first steps from the same noise. With 5 steps the outline of the
# bun is a little off, and there is a smudge in the sky; from about 20 steps on, more of them change nothing to be seen.
# </details>
#
# **2.** Section 4 shuffled the captions of two clips. Replace only the noun ("a shark …" becomes "a dog …") and keep
# the rest of the caption. Is the gap smaller? At which timesteps is it largest?
#
# <details><summary>Solution</summary>
#
# ```python
# swapped = [story.caption.replace(story.actors[0].name, "boat") for story in stories[:2]]
# wrong_noun = [loss(model, clean, noise, t, swapped) for t in ts]
# for t, one, other, third in zip(ts, right, wrong_noun, wrong):
#     print(f"t = {t:3}: right {one:.4f}, wrong noun {other:.4f}, wrong caption {third:.4f}")
# ```
#
# Up to t = 650 it is smaller: the scene fills most of the picture, and its words are still right. Relative to the error
# itself it grows with the noise, from a tenth of it at t = 50 to more than four times as much at t = 950: the less
# there is to be seen, the more the network goes by the words. There the wrong noun even costs more than the wrong
# caption.
# </details>
#
# **3.** Make a video of 8 or of 24 frames (`generate(model, prompt, frames=24)`). The model was trained with 16. What
# goes wrong, and why does anything work at all?
#
# <details><summary>Solution</summary>
#
# The spatial layers do not care how many frames there are, the temporal convolutions look at neighbours only, and the
# temporal transformers attend over all frames, however many. But a transformer over so many frames was never seen in
# training: look for things that change their shape on the way, and for motions that end too early or too late.
# </details>
#
# **4.** The captions of the training set name motions: "to the left", "to the right", "up", "down", "closer", "away",
# "stays still". Ask for opposite directions with the same seed, up and down, then left and right. Does the video model
# obey?
#
# <details><summary>Solution</summary>
#
# ```python
# asked = [f"a rocket flies {way} at night" for way in ("up", "down", "to the left", "to the right")]
# show(*(generate(model, prompt, seed=3).video for prompt in asked), titles=asked, columns=2)
# ```
#
# The first rocket goes up and the second down. The other two go where the seed sends them. The model card counts it
# over 200 prompts: all motions are obeyed but "to the left", which happens in 48 % of the videos that ask for it (31 to
# 66 %, n = 27), and "to the right", in 68 % (51 to 81 %, n = 34). A later notebook moves objects by their attention
# maps, which works in all directions.
# </details>
#
# ## In this notebook we saw
#
# - a world whose every pixel is known, and models small enough to run anywhere that have learnt it;
# - eq. 2, which turns latents into noise, and eq. 1, which trains a network to find that noise;
# - that sampling is a loop of small steps, and that the first steps decide where things are;
# - that classifier-free guidance compares two guesses, with and without text;
# - that the video model is an image model plus temporal layers, and that text enters frame by frame, through
#   cross-attention.
#
# Next: [01 · Cross-attention](01_cross_attention.ipynb) opens that door.
