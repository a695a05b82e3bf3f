# %% [markdown]
# # 00 · Pocket diffusion
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# This series works through the paper [*Investigating the Effectiveness of Cross-Attention
# …*](https://arxiv.org/abs/2404.05519), which edits generated videos: it looks at where each word of the prompt acts in
# a picture, and changes that. First we need to know what such a model computes. This lesson takes one apart that is
# small enough for a laptop and built of the same parts as [Stable Diffusion](https://arxiv.org/abs/2112.10752) and
# [ModelScope](https://arxiv.org/abs/2308.06571).
#
# **After this lesson you can**
#
# 1. name the parts between a prompt and a video, and the shape of what goes from each to the next;
# 2. turn words into embeddings, and say what ours keep apart that others mix;
# 3. write eq. 2 of the paper, which adds noise, and eq. 1, by which a network learns to find it;
# 4. write classifier-free guidance, a step of DDIM, and the loop that makes a picture out of noise;
# 5. say how an image model becomes a video model, and what its new layers do.
#
# **How it works.** Run all cells from top to bottom, each with Shift+Enter, the next one too, which only sets things
# up. `[*]` beside a cell says that it is working, for up to a minute where videos are made. A grey line with three dots
# is a folded cell: it draws something or holds a solution, and must be run as well. In an exercise, put your code in
# the place of `...` and run the cell: the line `check.…` says what is wrong, as often as you like. A click on the dots
# below opens the solution.

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
# The next cell loads the models, an image model and a video model. On a GPU, name others there.

# %%
from dataclasses import replace

import torch
from diffusers import DDIMScheduler, DDPMScheduler

from xattn_helpers import check, generate, lesson, load, show
from xattn_helpers.backbones.noise import Noise
from xattn_helpers.backbones.temporal import frames_apart, temporal_layers
from xattn_helpers.pocket.text import build_text_encoder
from xattn_helpers.pocket.world.batches import sample_batch
from xattn_helpers.pocket.world.drawing import World
from xattn_helpers.sampling import initial_latents

IMAGE, VIDEO = "pocket-t2i", "pocket"  # on a GPU also: "stable-diffusion", "modelscope"
image_model, model = load(IMAGE), load(VIDEO)

# %% jupyter={"source_hidden": true}
# Settings and pictures that the lesson needs; nothing to learn here.
import numpy as np
from matplotlib_inline.backend_inline import set_matplotlib_formats

from xattn_helpers.display import bullets, image_grid
from xattn_helpers.pocket.training.config import TrainConfig
from xattn_helpers.studies import denoising_figures, measured, quality_table

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 66, "optimize": True, "progressive": True})
POCKET = IMAGE == "pocket-t2i" and VIDEO.startswith("pocket")  # the detector knows the drawn world only
STEPS = min(8, model.defaults.steps) if POCKET else None  # fewer than by default: enough for these pictures
if not POCKET:
    print("The detector knows the drawn world only, so that nothing is counted for this model.")

# %% [markdown]
# ## 1. A question to begin with
#
# A video begins as noise: random numbers, which a *seed* chooses. Here are three videos. The first two begin with the
# same noise and have different prompts. The first and the third have the same prompt and begin with different noise.
# Before you look: which two will move alike?

# %%
burger, car = "a burger floats on the water", "a car drives on the road"
begun = [(burger, 0), (car, 0), (burger, 1)]
clips = [generate(model, prompt, seed=seed, steps=STEPS) for prompt, seed in begun]

# %% jupyter={"source_hidden": true}
if POCKET:
    apart = denoising_figures.distances([clip.video for clip in clips], ("burger", "car", "burger"))
    print("how far the objects' middles are apart, in widths of the picture, mean of all frames:")
    print(f"same noise, other words: {apart[1]:.2f}; same words, other noise: {apart[2]:.2f}")
show(*clips, titles=["noise 0, burger", "noise 0, car", "noise 1, burger"], width=270)

# %% [markdown]
# The burger and the car take nearly the same way: they rise to the right and get smaller. The other burger stays low.
# In this model the words say *what* there is, and much of *where* it is comes from the noise. A prompt may name a
# direction, but no exact place. To put the burger where we want it, we have to change the noise, or what the network
# does with it. This series does both.
#
# ## 2. The whole machine
#
# ![From a prompt and noise to a video, with all shapes](diagrams/pipeline.svg)
#
# From left to right:
#
# - *Latents* are small pictures with four channels that stand for the frames. The whole loop works on them, and never
#   on pixels: there are 48 times fewer numbers. An *autoencoder* is a second network: its encoder turns pixels into
#   latents, and its decoder turns latents back into pixels.
# - The *tokenizer* cuts the prompt into *tokens*, one for each word, and the *text encoder* makes *embeddings* of them,
#   128 numbers for each token.
# - The *U-Net* ([Ronneberger et al. 2015](https://arxiv.org/abs/1505.04597)) gets noisy latents and says which part of
#   them is noise. It makes its pictures smaller in several levels, where it sees the whole, and then larger again.
#   *Skip connections* carry the details across, which would be lost otherwise.
# - *Attention* ([Vaswani et al. 2017](https://arxiv.org/abs/1706.03762)) is a layer of the U-Net in which each place
#   of the picture takes in what it needs from elsewhere: in *self-attention* (`attn1` in the code) from other places, in
#   *cross-attention* (`attn2`) from the words. Cross-attention is the only door through which the prompt enters.
# - The *loop* takes a part of the noise away and asks again. The *timestep* $t$ says how much noise there is. (In training,
#   noise is diffused into pictures little by little: hence *diffusion model*.)

# %% tags=["nbval-check-output"]
text, empty = model.encode(burger), model.encode("")  # the second is the prompt without words
shapes = {"embeddings": text.states[0], "latents": clips[0].latents, "video": torch.from_numpy(clips[0].video)}
for name, values in shapes.items():
    print(f"{name}: {' × '.join(str(size) for size in values.shape)} = {values.numel():,} numbers")

# %% [markdown]
# ## 3. A world that can be drawn
#
# The pocket models know 22 objects and 10 scenes. A program drew everything that they learnt from, and wrote a caption
# for it. So it also knows which pixels belong to which object, as no real video does. On these *masks* a detector was
# trained, which counts in all lessons.

# %%
batch, stories = sample_batch(16, seed=2)
batch = batch.select_frames(torch.full((len(batch), 1), 8))  # one frame of each
pictures, masks = World().draw(batch)  # (16, 1, 3, 128, 128) in [0, 1], and a mask for each object
pictures = (255 * pictures).byte().movedim(2, -1)  # colours last, as everywhere in this series
captions = [story.caption for story in stories]

clean = image_model.codec.encode(pictures)  # (16, channels, 1, height, width)
decoded = image_model.decode(clean)
print("standard deviation of the latents:", f"{clean.float().std():.2f}")

# %% jupyter={"source_hidden": true}
chosen, channels = (0, 2, 4), clean[:, :, 0].float().cpu()
rows = [[pictures[i, 0].numpy(), masks[i].any(0)[0].float(), *channels[i], decoded[i, 0].numpy()] for i in chosen]
titles = ["drawn", "mask", *(f"channel {number}" for number in range(channels.shape[1])), "decoded"]
image_grid(rows, row_titles=[captions[i] for i in chosen], column_titles=titles)

# %% [markdown]
# What does it mean? The latents are small pictures of the same layout: an object is at the same place in pixels and in
# latents. That is why 16 × 16 cells can tell where something is in the video. Their standard deviation is about one, as
# that of the noise which we are about to add.
#
# ## 4. From words to embeddings
#
# ![Words become tokens, numbers and embeddings; a trained encoder mixes them](diagrams/text_to_embeddings.svg)
#
# In the text encoder, each token looks at those before it. So "the" in "a burger floats on the water" might say
# something of the burger. Does it? We exchange the noun, and compare the embeddings of all tokens. A *cosine* of 1, the
# cosine of the angle between two vectors, means that the direction of an embedding did not change.
#
# Guess: of which tokens will the embedding change?

# %%
pair = [burger, burger.replace("burger", "shark")]
states = {"encoder of this model": model.encode(pair).states.float().cpu()}
if POCKET:
    mixing = build_text_encoder(model.text.tokenizer, mixing="contextual")  # also random, built to mix
    ids = model.text.tokenizer(pair, padding="max_length", return_tensors="pt").input_ids
    states["encoder that mixes"] = mixing(ids).last_hidden_state
cosines = {name: torch.cosine_similarity(*values, dim=-1) for name, values in states.items()}

# %% jupyter={"source_hidden": true}
print(*denoising_figures.least_cosines(cosines, model.text, burger, "burger"), sep="\n")
denoising_figures.token_cosines(cosines, model.text, burger, "burger exchanged for shark")

# %% [markdown]
# In the pocket models, only the noun itself changes. **Their text encoder is frozen and random, and built so that words
# do not leak into each other:** it has one layer, in which a token's own vector outweighs what comes from the others. So
# what the picture takes from "burger" belongs to the burger. (How much each place takes from a word is the word's *map*;
# lesson 01 draws it.) Where an encoder mixes, as the orange one does, "on" and "the" know of the burger, too.
#
# Encoders of published models, as [CLIP](https://arxiv.org/abs/2103.00020), were trained to understand sentences, and do
# mix:
#
# - In [lesson 02](02_how_noisy.ipynb), maps are clean partly because *we* kept the words apart. In its Figure 3 the paper
#   still sees the shark in the maps of "in" and "the".
# - In [lesson 03](03_forward_swap.ipynb), exchanging the map of one word exchanges all that the *text* says of the
#   object. Where later tokens know of it, too, one word may not be enough.
#
# A word that the pocket models do not know is an error:

# %% tags=["nbval-check-output"]
try:
    model.encode("a bugrer floats on the water")
    print("This model takes any word, as letters if need be.")
except ValueError as error:
    print(error)


# %% [markdown]
# ## 5. Adding noise: equation 2
#
# ![Sampling goes from t = 1000 to t = 0; training adds noise](diagrams/direction_of_time.svg)
#
# Time counts noise. **$t = 0$ is the picture, $t = 1000$ is noise, and a video is made from large $t$ to small $t$.** So
# "the first steps" are always the noisiest ones. At timestep $t$, the clean latents $z_0$ are mixed with noise
# $\epsilon$ ([Ho et al. 2020](https://arxiv.org/abs/2006.11239)):
#
# $$ z_t = \sqrt{\bar\alpha_t}\, z_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon $$
#
# $\bar\alpha_t$ ("alpha bar", `abar`) falls from 1 to 0 as $t$ grows: it is the share of the picture in the variance of
# $z_t$. The list of its values is the *schedule*. Each model has its own.
#
# ### Exercise 1 ● 4 minutes: adding noise
#
# Write eq. 2. `clean` and `noise` have the same shape, `abar` is a tensor with one number.

# %%
def add_noise(clean, noise, abar):
    ...  # your code


check.add_noise(add_noise)


# %% [markdown]
# <details><summary>Hint</summary>
#
# The variance of a sum of independent parts is the sum of their variances, and a factor counts squared. With which
# factors do picture and noise, each of variance one, give a variance of one?
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 1
def add_noise(clean, noise, abar):
    return abar.sqrt() * clean + (1 - abar).sqrt() * noise


check.add_noise(add_noise)

# %%
abar = image_model.noise.scheduler.alphas_cumprod  # the schedule of the image model: 1,000 numbers
noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)).to(clean)
theirs = DDPMScheduler.from_config(image_model.noise.scheduler.config).add_noise(clean, noise, torch.tensor([600]))
print(f"largest difference from the library diffusers: {lesson.close(add_noise(clean, noise, abar[600]), theirs):.1g}")
for name, loaded in (("image model", image_model), ("video model", model)):
    print(f"{name}: at t = 999, the factor √ᾱ of the picture is {loaded.noise.level(999).alpha:.3f}")

# %% jupyter={"source_hidden": true}
times = (999, 800, 600, 400, 200, 0)
noisy = [image_model.decode(add_noise(clean[:1], noise[:1], abar[t]))[0, 0].numpy() for t in times]
image_grid([noisy], column_titles=[f"t = {t}, ᾱ = {abar[t]:.3f}" for t in times], cell=1.6)


# %% [markdown]
# At $t = 200$ we still see most things, at 400 a trace, and from 600 on nothing. The network sees more than we do.
#
# At $t = 999$ a little of the picture is left. [Lin et al. 2024](https://arxiv.org/abs/2305.08891) call that a flaw: a
# network that was trained with such traces looks for them in pure noise, too. A video shows the path of its object in 16
# frames, so that its traces are stronger, and the video model's schedule leaves less of them.
#
# ## 6. What the network learns: equation 1
#
# The network $\epsilon_\theta$, with its weights $\theta$, gets the noisy latents, the timestep and the embedded caption
# $\tau(y)$, and says what the noise was. Its loss is the mean, $\mathbb{E}$, over pictures, captions, noise and timesteps:
#
# $$ \mathcal{L} = \mathbb{E}_{z_0, y, \epsilon, t}\, w_t\, \lVert \epsilon - \epsilon_\theta(z_t, t, \tau(y)) \rVert^2 $$
#
# The paper's eq. 1 has no weight $w_t$, and draws $t$ evenly. Ours were trained with weights
# ([Hang et al. 2023](https://arxiv.org/abs/2303.09556), [Salimans and Ho 2022](https://arxiv.org/abs/2202.00512)): in the
# strongest noise, where things get their place, the error is tiny even if the picture is all wrong.
#
# ### Exercise 2 ●● 8 minutes: the loss
#
# `guess` and `noise` are (batch, channels, height, width), and `weights` has one number for each picture of the batch.
# Take the mean squared error of each picture, times its weight, and return the mean over the batch.

# %%
def noise_loss(guess, noise, weights):
    ...  # your code


check.noise_loss(noise_loss)


# %% [markdown]
# <details><summary>Hint</summary>
#
# `flatten(1)` puts all numbers of a picture into one axis, of which `mean(1)` takes the mean.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 2
def noise_loss(guess, noise, weights):
    errors = (guess - noise).square().flatten(1).mean(1)
    return (weights * errors).mean()


check.noise_loss(noise_loss)

# %% jupyter={"source_hidden": true}
print(*denoising_figures.training_in_noise(TrainConfig()), sep="\n")
denoising_figures.weights_of_the_loss()

# %% [markdown]
# The numbers of the last line are the training program's defaults; later runs drew more of their timesteps from the
# noisiest part ([model card](../xattn_helpers/pocket/MODEL_CARD.md)).
#
# ### What does the text contribute?
#
# We give the trained image model 16 pictures with noise and four captions each: its own, none, one with a wrong noun,
# and that of another picture. Guess the order of the four errors. Which is the fair comparison for "what the text
# contributes"?

# %%
told = denoising_figures.captions_told(stories)  # 16 captions of each of the four kinds


@torch.no_grad()
def error(captions, t):
    z = add_noise(clean, noise, abar[t])
    prediction = image_model.predict(z, t, image_model.encode(captions))
    guess = image_model.noise.noise_in(prediction, z, image_model.noise.level(t))  # some networks predict a mixture
    return float(noise_loss(guess.float(), noise.float(), torch.ones(len(z), device=z.device)))


# %%
ts = range(50, 951, 180)
errors = {name: [error(texts, t) for t in ts] for name, texts in told.items()}

# %% jupyter={"source_hidden": true}
print(*denoising_figures.error_ranges(errors, ts), sep="\n")
denoising_figures.errors_by_timestep(errors, ts)


# %% [markdown]
# On the left, all lines fall: where nearly everything is noise, noise is easy to find. On the right is what we asked.
# **The gap between the own caption and none is what the text contributes.** The gap to another picture's caption is larger
# at every timestep, because a wrong caption does not only say nothing, it misleads.
#
# The wrong noun is instructive. In the middle it costs more than saying nothing: the network looks for something that is
# not there. In the strongest noise it costs less: there only the scene can be made out, and its words are still right.
#
# ## 7. Classifier-free guidance
#
# In training, one caption in ten was empty. So the network can guess the noise without words, too.
# [Ho and Salimans 2022](https://arxiv.org/abs/2207.12598) go from that guess towards the one with words, and further:
#
# $$ \hat\epsilon = \epsilon_\theta(z_t, \varnothing) + g\,\bigl(\epsilon_\theta(z_t, \tau(y)) - \epsilon_\theta(z_t, \varnothing)\bigr) $$
#
# $\varnothing$ is the empty caption and $g$ the *scale*. With $g = 1$ the model is used as it was trained; any other
# scale costs two guesses a step, one without words and one with them. We call them the two *halves*.
#
# ### Exercise 3 ● 4 minutes: guidance
#
# Write it. `unconditional` is the guess without words, `conditional` the one with them, `cfg_scale` is $g$.

# %%
def classifier_free(unconditional, conditional, cfg_scale):
    ...  # your code


check.classifier_free(classifier_free)


# %% [markdown]
# <details><summary>Hint</summary>
#
# What must come out for $g = 0$, and what for $g = 1$?
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 3
def classifier_free(unconditional, conditional, cfg_scale):
    return unconditional + cfg_scale * (conditional - unconditional)


check.classifier_free(classifier_free)

# %% [markdown]
# Guess: all pictures in a row begin with the same noise. Will the things in them stay in the same place when $g$ grows?

# %%
scales = (1, 4, 12)
asked = {"shark": ("a shark swims in the ocean", 1), "dog": ("a dog and a balloon on the grass", 2)}
rows = {}
for word, (prompt, seed) in asked.items():
    rows[word] = [generate(image_model, prompt, seed=seed, cfg_scale=scale).video for scale in scales]
    if POCKET:
        moved = np.nanmax(denoising_figures.distances(rows[word], [word] * len(scales), reference=1))
        print(f"{word}: its middle is up to {moved:.2f} widths of the picture from where it is at g = {scales[1]}")

# %% jupyter={"source_hidden": true}
grid = [[video[0] for video in row] for row in rows.values()]
image_grid(grid, row_titles=["shark", "dog and balloon"], column_titles=[f"g = {scale}" for scale in scales], cell=2.2)


# %% [markdown]
# The noise is the same in each row, and the layout is *not*: the dog changes sides, because the scale, too, decides where
# things go. A higher scale follows the words more strictly, up to a point. At $g = 12$ colours are too strong and
# outlines break up. The pocket models use 4, Stable Diffusion usually 7.5, ModelScope 9 to 15.
#
# ## 8. One step back
#
# From the guessed noise $\hat\epsilon$ follows a guess $\hat z_0$ of the clean latents: solve eq. 2 for $z_0$. Then mix it
# again with the same noise, but a little less. This is a step of DDIM
# ([denoising diffusion implicit models](https://arxiv.org/abs/2010.02502), Song et al. 2021) from $t$ to a smaller $s$:
#
# $$ \hat z_0 = \frac{z_t - \sqrt{1 - \bar\alpha_t}\, \hat\epsilon}{\sqrt{\bar\alpha_t}}, \qquad
#    z_s = \sqrt{\bar\alpha_s}\, \hat z_0 + \sqrt{1 - \bar\alpha_s}\, \hat\epsilon $$
#
# Take care with names: papers write $\alpha_t$ for what *one* step keeps, and $\bar\alpha_t$ for the product of all up to
# $t$; the DDIM paper writes $\alpha_t$ for the product.
#
# ### Exercise 4 ●● 8 minutes: a step of DDIM
#
# `abar` belongs to the latents that come in, `next_abar` to those that go out.

# %%
def ddim_step(latents, noise, abar, next_abar):
    ...  # your code


check.ddim_step(ddim_step)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Two lines: first $\hat z_0$, then eq. 2 with `next_abar`. Which of the two levels is the noisier one?
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 4
def ddim_step(latents, noise, abar, next_abar):
    clean = (latents - (1 - abar).sqrt() * noise) / abar.sqrt()
    return next_abar.sqrt() * clean + (1 - next_abar).sqrt() * noise


check.ddim_step(ddim_step)


# %% [markdown]
# ### Exercise 5 ●●● 12 minutes: all steps
#
# Write the loop. `abars` begins with the noisiest level and ends with 1. `predict(latents, index)` gives the noise at step
# `index`, counted from 0, and `step` is your function of exercise 4. Return the latents after the last step.

# %%
def denoise(predict, step, latents, abars):
    ...  # your code


check.denoise(denoise)


# %% [markdown]
# <details><summary>Hint</summary>
#
# Of `len(abars)` levels there are `len(abars) - 1` steps from one to the next. Ask for the noise anew in each of them.
#
# </details>

# %% jupyter={"source_hidden": true}
# Solution of exercise 5
def denoise(predict, step, latents, abars):
    for index in range(len(abars) - 1):
        noise = predict(latents, index)
        latents = step(latents, noise, abars[index], abars[index + 1])
    return latents


check.denoise(denoise)

# %% [markdown]
# The last three functions are a whole sampler. `generate` must give the same if it is told to use DDIM; by default it uses
# [DPM-Solver++](https://arxiv.org/abs/2211.01095), which needs fewer steps.

# %%
N = min(20, 2 * image_model.defaults.steps)  # DDIM needs more steps than the usual solver
steps = range(999, -1, -1000 // N)  # 999, 949, …, 49
abars = torch.cat([abar[list(steps)], torch.ones(1)])
words, no_words = image_model.encode(burger), image_model.encode("")
guesses = []  # of the clean latents, one a step


@torch.no_grad()
def predict(latents, index):
    level, halves = image_model.noise.level(steps[index]), []
    for half in (no_words, words):
        prediction = image_model.predict(latents, steps[index], half)
        halves.append(image_model.noise.noise_in(prediction, latents, level))
    noise = classifier_free(*halves, image_model.defaults.cfg_scale)
    guesses.append((latents - level.sigma * noise) / level.alpha)
    return noise


# %%
size = 1, image_model.defaults.height, image_model.defaults.width  # frames, height, width
by_hand = denoise(predict, ddim_step, initial_latents(image_model, [0], *size), abars)

options = {"timestep_spacing": "trailing", "clip_sample": False, "set_alpha_to_one": True}
ddim = DDIMScheduler.from_config(image_model.noise.scheduler.config, **options)
by_helper = generate(replace(image_model, noise=Noise(ddim)), burger, seed=0, steps=N).latents
print(f"largest difference: {lesson.close(by_hand[0], by_helper, calls=2 * N):.0e}")

# %% jupyter={"source_hidden": true}
looks = [look for look in (0, 2, 4, 7, 12, 19) if look < N]
pictures = [image_model.decode(guess)[0].numpy() for guess in guesses]
if POCKET:
    index, off = denoising_figures.first_seen(pictures, "burger")
    print(f"the detector first sees the burger at step {index + 1} of {N}, {off:.2f} widths from its final place")
titles = [f"step {index + 1}, t = {steps[index]}" for index in looks]
image_grid([[pictures[index][0] for index in looks]], column_titles=titles, cell=1.6)

# %% [markdown]
# These are the guesses $\hat z_0$, decoded. First a blur, the mean of all pictures that fit the prompt. Then the burger
# has its place, and what follows are details. **Where things are is decided in the first, noisiest steps.** This is why
# guidance acts there, in lessons 04 and 05.
#
# ## 9. From pictures to videos
#
# The video U-Net was not trained from nothing. It is the image model *inflated*: its layers were copied, and between
# them new *temporal layers* were put, as in [Tune-A-Video](https://arxiv.org/abs/2212.11565) and
# [AnimateDiff](https://arxiv.org/abs/2307.04725). A temporal convolution looks at a frame and its neighbours; a
# temporal transformer lets each place look at itself in all frames. Neither sees the words.
#
# Guess: what becomes of the burger video if we switch them off?

# %%
if temporal_layers(model.network):
    with frames_apart(model):
        loose = generate(model, burger, seed=0, steps=STEPS)
    copied = set(image_model.network.state_dict()) & set(model.network.state_dict())
    print(f"{len(copied)} tensors as in the image model, {len(temporal_layers(model.network))} temporal layers")
    for name, clip in (("with them", clips[0]), ("without", loose)):
        change = np.abs(np.diff(clip.video.astype(float), axis=0)).mean()
        print(f"{name}, a pixel changes by {change:.0f} of 255 from frame to frame")
else:
    loose = clips[0]
    print("This network has no layers for time alone, so that nothing is switched off: lesson 07 looks at it.")

# %% jupyter={"source_hidden": true}
show(clips[0], loose, titles=["all layers", "temporal layers off"], width=320)

# %% [markdown]
# On the right, each frame is a picture by itself. **The spatial layers, and all cross-attention with them, work frame by
# frame; only the temporal layers make the frames agree.** When we change maps later, we change those of each frame, and
# count on the temporal layers to keep the video in one piece.
#
# ## 10. When does this fail?

# %% jupyter={"source_hidden": true}
motions = [f"motion obeyed: {motion}" for motion in ("up", "to the left", "to the right")]
figures = (measured("pocket_quality") or {}).get("pocket", {})
reached = quality_table.reached(figures, ("object present, one object", *motions))
bullets(reached, "The video U-Net on prompts that it was not trained with:")

# %% [markdown]
# - A motion to a side is not always obeyed. It was the hardest to learn ([lesson 07](07_transformer.ipynb)).
# - Of two objects that a prompt names, one may be missing. [Lesson 05](05_motion.ipynb) brings one back.
# - The world is drawn and small. What holds for 22 objects need not hold for photographs.
# - Our prompts are the paper's, but for an article: it says "car drives on the road" and "truck drives on the road".
#
# ## In this lesson we saw
#
# - A video begins as noise. The words say what there is, and the noise has much to say about where.
# - The loop works on latents, small pictures of the same layout; the words enter through cross-attention alone.
# - Our text encoder keeps words apart by construction. Trained encoders mix them.
# - Eq. 2 adds noise, eq. 1 teaches a network to find it, with weights that favour strong noise.
# - What the text contributes is the gap to *no* caption; a wrong caption misleads.
# - Sampling is a loop from $t = 1000$ to $t = 0$: guess the noise, solve for the picture, mix again with less noise.
# - Temporal layers make the frames of a video agree; cross-attention works frame by frame.
#
# ## Three questions
#
# 1. You sample with the schedule of another model by mistake: your $\bar\alpha_t$ is too large at every $t$. What does
#    the step believe about the noise in the latents, and what will the picture look like?
# 2. In a model with CLIP you exchange the attention map of "burger" for that of another prompt, and the burger stays.
#    Where may it still be known?
# 3. With $g = 1$, why does a picture often follow its prompt less well than with $g = 4$, although the model was trained
#    with $g = 1$?
#
# <details><summary>Answers</summary>
#
# 1. It believes that there is less noise than there is, and takes too little away in each step: noise is left in the end.
# 2. In later tokens, "on", "the" and the padding, into whose embeddings the encoder has mixed it.
# 3. The error counts all pixels alike, and a network that is unsure answers with a mean over many pictures. The
#    difference of the two guesses points to what the words change, and $g$ makes that larger.
#
# </details>
#
# ## What to read next
#
# - [01 · Cross-attention](01_cross_attention.ipynb), which opens the door through which the words enter.
# - [Denoising diffusion probabilistic models](https://arxiv.org/abs/2006.11239) and
#   [DDIM](https://arxiv.org/abs/2010.02502), the two papers behind sections 5 to 8.
# - [High-resolution image synthesis with latent diffusion models](https://arxiv.org/abs/2112.10752), the whole machine.
# - [The annotated diffusion model](https://huggingface.co/blog/annotated-diffusion), with code, and
#   [smalldiffusion](https://github.com/yuanchenyang/smalldiffusion), a sampler in twenty lines.
