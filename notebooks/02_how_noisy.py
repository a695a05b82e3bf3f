# %% [markdown]
# # 02 · How noisy are the maps of a video model?
#
# *Links to Colab and Binder appear here after `make badges REPO=owner/name`.* <!-- badges -->
#
# The paper shows the maps of one prompt in an image model and in a video model (Figure 3) and concludes: "the
# cross-attention maps in T2I models capture the tokens much better than T2V models", and the noisy maps of the video
# model hinder guidance (section 4.1). It gives no number. In this notebook we rebuild the figure, turn "noisy" into six
# numbers, and measure them for 26 prompts and three seeds in both of our models.
#
# **After this notebook you can**
#
# 1. rebuild Figure 3 for any prompt and model, and say what its colours hide;
# 2. compute six statistics of a map, and say to what each of them is blind;
# 3. set up a fair comparison of an image model with a video model, with intervals that do not lie;
# 4. say where the paper's claim holds for the models at hand, where it does not, and by how much;
# 5. choose layers and steps for guidance with evidence.

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
from IPython.display import Markdown, display
from matplotlib import pyplot as plt

from xattn_helpers import capture, detect, generate, load
from xattn_helpers.attention.maps import normalise, soft_threshold
from xattn_helpers.display import bullets, change_text, image_grid, markdown_table
from xattn_helpers.measures import map_quality
from xattn_helpers.studies import load_rows, load_table, measured, origin, transformer_figures, transformer_noise
from xattn_helpers.studies.attention_noise import figures as noise_figures
from xattn_helpers.studies.attention_noise import maps as study_maps
from xattn_helpers.studies.attention_noise import prompts as study_prompts
from xattn_helpers.studies.attention_noise import statistics as study_statistics
from xattn_helpers.studies.attention_noise import table as noise_table

IMAGE, VIDEO = "pocket-t2i", "pocket"  # also "pocket-dit"; on a GPU also: "stable-diffusion", "modelscope"
image_model, video_model = load(IMAGE), load(VIDEO)
DRAWN = VIDEO.startswith("pocket")  # videos of the drawn world, in which the detector sees

# %% [markdown]
# **You can change the one line that names the models**, to "pocket-dit" (section 9), or on a GPU to large ones. Then
# section 1 shows their maps instead, and section 5 prints their statistics, of large models the two that need no
# detector. The stored tables always speak of the pocket models.
#
# ## 1. Figure 3, rebuilt
#
# One prompt, every token, and the mean over heads, steps and the layers of the mid and up blocks, as in the caption of
# the paper's figure. From the image model we take four pictures, because section 5 will need them.

# %%
prompt, noun = "a shark swims in the ocean", "shark"
with capture(image_model) as in_images:
    pictures = generate(image_model, [prompt] * 4, seed=[0, 1, 2, 3])
with capture(video_model) as in_video:
    clip = generate(video_model, prompt, seed=0)

# %%
names = image_model.text.labels(prompt)
names = names[: names.index("<end>") + 1]
middle = len(clip.video) // 2  # the frame of the video that we look at


def figure_row(attention, frame, cells):
    layers = {"cells": cells, "group": attention.model.groups[1:]}  # mid and up; of a transformer, middle and late
    return [attention.maps(position, **layers)[frame] for position in range(len(names))]


rows, kinds = [], []
for cells, side in ((1, 16), (2, 8)):  # latent cells a map cell: 16 × 16 and 8 × 8
    rows.append([pictures[0].video[0], *figure_row(in_images, 0, cells)])
    kinds.append(f"image model, {side} × {side}")
    if cells in video_model.cells():
        rows.append([clip.video[middle], *figure_row(in_video, middle, cells)])
        kinds.append(f"video model, {side} × {side}")
image_grid(rows, row_titles=kinds, column_titles=["picture", *names], cell=1.05)

# %% [markdown]
# At 16 × 16 the two models look much alike. Under "shark" there is a bright ring around the object, and nearly the same
# ring under "a", "swims" and "in"; under "the" the video model has only its upper half. The shark is indeed visible
# under words that have nothing to do with it, but in *both* rows. Under the start token it is a dark spot. At 8 × 8 the
# shark fills its own map as one bright patch, and it is a dark hole under the end token. Nothing in this picture says
# that the video model's maps are noisier.
#
# Two remarks on how to read it. First, the mid block works at 4 × 4, so that "mid and up blocks at 16 × 16" are the up
# blocks alone. Second, **every map is stretched to its own darkest and brightest pixel**. The eye can therefore not
# tell how strong a map is. We need numbers.

# %% [markdown]
# ## 2. Six numbers
#
# Let $A$ be the map of a word in one picture, $M$ the mask of its object at the same resolution (from the detector; a
# cell belongs to the object when at least half of it does), and $p, q$ pixels. We begin with a map of 2 × 3 pixels
# whose numbers can be checked in the head.

# %%
A = torch.tensor([[0.1, 0.3, 0.6], [0.2, 0.5, 0.3]])
M = torch.tensor([[False, False, True], [False, False, True]])

# %% [markdown]
# **AUROC**: the probability that the map is higher at a pixel of the object than at a pixel outside, ties counting
# half. It was introduced in [notebook 01](01_cross_attention.ipynb). 1 finds the object, ½ knows nothing of it.
#
# $$ \mathrm{AUROC} = P(A_p > A_q \mid p \in M, q \notin M) + \tfrac12 P(A_p = A_q \mid p \in M, q \notin M) $$

# %% tags=["nbval-check-output"]
pairs = [(inside, outside) for inside in A[M] for outside in A[~M]]
by_hand = sum(float(p > q) + float(p == q) / 2 for p, q in pairs) / len(pairs)
print(len(pairs), "pairs:", by_hand, "helper:", float(map_quality.auroc(A, M)))

# %% [markdown]
# **IoU after the soft threshold**: how well the paper's $\mathrm{shape}(A) = S$, the stretched sigmoid of
# [notebook 01](01_cross_attention.ipynb), covers the object. This is what an energy that compares shapes sees.
#
# $$ \mathrm{IoU} = \frac{\sum_p \min(S_p, M_p)}{\sum_p \max(S_p, M_p)} $$

# %% tags=["nbval-check-output"]
S = soft_threshold(A)
by_hand = torch.minimum(S, M.float()).sum() / torch.maximum(S, M.float()).sum()
print(S.numpy().round(2))
print(f"by hand {by_hand:.4f}, helper {map_quality.iou(S, M):.4f}")

# %% [markdown]
# The threshold lies half-way between the smallest and the largest value, here at .35. So the pixel with .5 is in,
# although it does not belong to the object, and the object's own pixel with .3 is mostly out.
#
# **Entropy**: how spread out the attention is. 0 when all of it lies on one pixel, 1 when all $n$ pixels have the same.
#
# $$ H = -\frac{1}{\log n} \sum_p a_p \log a_p, \qquad a_p = \frac{A_p}{\sum_q A_q} $$

# %% tags=["nbval-check-output"]
a = A.flatten() / A.sum()
print(f"by hand {-(a * a.log()).sum() / np.log(6):.4f}, helper {map_quality.entropy(A):.4f}")

# %% [markdown]
# **Roughness** (total variation): the mean difference of neighbours, of the map $N$ stretched to [0, 1]. A constant map
# has 0, a checkerboard 1. One clean object has some too, because it has an outline, and that weighs more on a coarse
# grid: compare maps of one resolution only.
#
# $$ R = \mathrm{mean}_{p \sim q}\, |N_p - N_q| $$

# %% tags=["nbval-check-output"]
N = normalise(A)
steps = torch.cat([(N[:, 1:] - N[:, :-1]).flatten(), (N[1:] - N[:-1]).flatten()])
print(f"{len(steps)} pairs of neighbours: by hand {steps.abs().mean():.4f}, helper {map_quality.roughness(A):.4f}")

# %% [markdown]
# **Leakage**: what the maps of *other* words know of the object, $L = 2\,\mathrm{AUROC} - 1$. It is 0 for a word that
# knows nothing, 1 for one whose map is always higher on the object, and −1 for one that is always lower there. Both
# signs make the object visible, once as a light and once as a shadow. The paper names "in" and "the"; we take the mean
# over such words.

# %% tags=["nbval-check-output"]
light, shadow = M.float(), 1 - M.float()
print("light", float(map_quality.leakage(light, M)), "shadow", float(map_quality.leakage(shadow, M)))

# %% [markdown]
# **Jitter**, for videos only: let $c_f$ be the centre of mass of the thresholded map and $o_f$ that of the object in
# frame $f$. A map that lies beside its object but moves along with it has no jitter; a map that jumps about has.
#
# $$ J = \sqrt{\mathrm{mean}_f\, \lVert (c_{f+1} - o_{f+1}) - (c_f - o_f) \rVert^2} $$

# %% tags=["nbval-check-output"]
still = torch.tensor([[0.5, 0.5]] * 4)
beside, trembling = still + 0.1, still + torch.tensor([[0.0], [0.1], [0.0], [0.1]])
by_hand = np.sqrt(0.1**2 + 0.1**2)  # each step goes .1 to the side and .1 down or up
print(f"beside {map_quality.jitter(beside, still):.4f}, trembling {map_quality.jitter(trembling, still):.4f}, by hand {by_hand:.4f}")

# %% [markdown]
# ## 3. To what is each number blind?
#
# Before we trust a number, we show it maps of which we know what is wrong with them.

# %%
ys, xs = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
distance = ((ys - 9) ** 2 + (xs - 6) ** 2).sqrt()
disc = (distance <= 4.2).float()
chance = torch.rand(16, 16, generator=torch.Generator().manual_seed(0))
toys = {
    "perfect": disc + 0.05,
    "faint": disc * 0.02 + 1,
    "blurred": torch.exp(-((distance / 5) ** 2)),
    "outline": torch.exp(-((distance - 4.2) ** 2)) + 0.05,
    "noisy": disc + 1.5 * chance,
    "one hot pixel": disc + 5.0 * (distance == 0),
    "noise": chance,
}
image_grid([list(toys.values())], column_titles=list(toys), cell=1.1)

# %%
found = {name: study_statistics.statistics(toy[None], disc[None] > 0) for name, toy in toys.items()}
columns = ["auroc", "iou", "entropy", "roughness"]
markdown_table(["map", *columns], [[name, *(f"{row[key]:.2f}" for key in columns)] for name, row in found.items()])

# %% [markdown]
# Every row but the first has a fault, and no single number finds them all:
#
# - AUROC and IoU do not mind that a map is **faint**, because they look at ranks or at the stretched map. Only the
#   entropy does.
# - The **blurred** map has a perfect AUROC and is smoother than the object itself.
# - The **outline** says exactly where the object is, and still AUROC and IoU blame it: its inside is dark. We have seen
#   such rings at 16 × 16 in the figure above. They are not noise.
# - The **noisy** map keeps a high AUROC, for ranks forgive much; its IoU halves and its roughness more than doubles.
# - **One hot pixel** ruins the IoU, because the threshold lies at half of the largest value.
# - Pure **noise** has an AUROC near ½, and an entropy that looks as good as that of many real maps.
#
# Therefore we report all of them, beside the value that a *perfect* map of the same objects would have (the share of
# each cell that the object covers).
#
# ## 4. The measurement
#
# Twenty captions that no model was trained on, with one object each, and the paper's six prompts; three seeds each;
# both models. What would make this comparison unfair, and what do we do about it?
#
# - **A picture is not a frame.** A video has 16 frames, but they show one object at one place. We count four frames of
#   each video (evenly spaced) and four pictures of the image model for each prompt and seed.
# - **Seeds of a prompt resemble each other** too: the moon is easier to find than a bee, whatever the seed. So we
#   average over frames and seeds, and the bootstrap resamples the *prompts*. The difference of the models is taken
#   prompt by prompt, which removes what makes prompts easy or hard.
# - **Motion.** The captions name none, so the image model understands them as well as the video model. Each frame's map
#   is compared with that frame's mask.
# - **Size.** A small object is harder to find and has a rougher map. So we print how large the objects are, and how
#   often the detector sees them. Where it sees nothing, nothing is counted.
#
# It takes about half an hour on a laptop: `python -m xattn_helpers.studies attention_noise`. Its result is stored; here it is.

# %%
table, stored_cases = load_table("attention_noise"), load_rows("attention_noise")
print(origin("attention_noise"))
for name, text in (("seen", "pictures with the object in them"), ("area", "share of the picture that it covers")):
    for key, kind in ((noise_table.IMAGE, "image model"), (noise_table.VIDEO, "video model")):
        print(f"{text}, {kind}: {table['pictures'][name][key].format(percent=True)}")


# %%
def in_words(figures):
    image, video, change = (figures[key] for key in (noise_table.IMAGE, noise_table.VIDEO, "difference"))
    if image.n == 0:  # only videos have a jitter
        return f"{video.value:.3f}<br>perfect: {figures['perfect'].value:.3f}"
    return change_text(image, video, change)


def noise_of(group):
    rows = [[place, *(in_words(row[name]) for name in noise_table.STATISTICS)] for place, row in table[group].items()]
    return markdown_table(["layers", *noise_table.STATISTICS], rows)


noise_of("held out")

# %% [markdown]
# In each cell: image model → video model, below it the difference (video minus image) with its bootstrap 95 % interval
# over prompts, bold where the interval does not contain zero. The jitter exists for the video model alone and stands
# beside that of a perfect map. There are 25 intervals; one or two of them would miss zero by chance alone, even if the
# models did not differ at all. The same for the paper's own six prompts, where the intervals are wider:

# %%
noise_of("paper")

# %%
noise_figures.by_place(table)

# %% [markdown]
# In nearly every panel the two models lie side by side, and the *layers* differ far more. At 8 × 8 the noun's map finds
# its object almost perfectly, at 16 × 16 less well, at 4 × 4 not at all. There is noise at 16 × 16, in both models: the
# maps are more than twice as rough as a perfect map, and after the soft threshold they cover their object badly. Where
# the models differ clearly, the video model is mostly the cleaner one: at 16 × 16 and at 8 × 8 (up) its maps are a
# little smoother, at 16 × 16 they find the object a little better (AUROC), and outside the down blocks they are more
# concentrated (lower entropy). But at 8 × 8 (up) the shape left by the threshold fits the object a little worse (IoU),
# and at 4 × 4 the maps are rougher and fit worse. Leakage goes both ways: in the video model it is lower at 16 × 16
# (down) and 8 × 8 (up), and higher at 8 × 8 (down).
#
# At 4 × 4 there are fewer prompts: a cell is a sixteenth of the picture, and small objects do not fill half of any:

# %%
for place, figures in table["counted"].items():
    print(f"{place:7} pictures that count, video model: {figures[noise_table.VIDEO].format(percent=True)}")


# %% [markdown]
# ## 5. A slice of it, live
#
# Does the table come from what we think it comes from? The recording of section 1 is one of its cases: "a shark swims
# in the ocean", seed 0, four pictures and one video. We compute its statistics again and look up the stored line.

# %%
def live(model, attention, frames):
    found = study_maps.place_maps(attention)  # {"16 up": (tokens, frames, height, width), …}
    some, where = study_statistics.counted(len(frames)), attention.positions(noun)
    masks = torch.from_numpy(detect(frames[some], noun)[1]) if DRAWN else None
    return {
        place: study_statistics.statistics(each[where].sum(0)[some].cpu(), masks) for place, each in found.items()
    }


now = {
    noise_table.IMAGE: live(image_model, in_images, np.concatenate([picture.video for picture in pictures])),
    VIDEO: live(video_model, in_video, clip.video),
}

# %%
cases = {(case["model"], case["prompt"], case["seed"]): case for case in stored_cases}
for kind, key in (("image", noise_table.IMAGE), ("video", VIDEO)):
    for place, row in now[key].items():
        print(f"{kind} {place:7}", *(f"{name} {value:.3f}" for name, value in row.items()))
        if VIDEO == noise_table.VIDEO:
            line = cases[key, prompt, 0]
            print("       stored", *(f"{name} {line[f'{name} {place}']:.3f}" for name in row))
            assert place == "4 mid" or abs(row["auroc"] - line[f"auroc {place}"]) < 0.05

# %% [markdown]
# Live and stored agree. Last digits may differ between processors, because a denoising loop amplifies rounding.
#
# ## 6. The object in the maps of other words
#
# The second half of the paper's claim: "the shark is still visible in the cross-attention maps of tokens 'in' and
# 'the'" (section 3.3). Here is the leakage of every kind of word. "Size" is "small" or "big", where the caption has it;
# "scene" is the last word, such as "ocean"; "noun" is the object's own word, for comparison.

# %%
noise_figures.of_tokens(table, ("16 up", "8 up"))


# %% [markdown]
# At 16 × 16 (left) *every* word is brighter on the object, and "in" not much less than the noun; only the start token is
# its negative. At 8 × 8 (right) the noun and its size word stand out, the other words know less of the object, and
# start token, end token and padding are its negative. In these layers the models differ little at most words. By far
# the largest difference is that under "in" at 8 × 8, and there it is the image model that shows more of the object:
# whatever puts it there, it is not a fault of video.
#
# How can "in" know a shark? The attention of a pixel adds up to one over the tokens. Here is how pixels on the object
# and pixels outside spend it, in the video of section 1.

# %%
def spending(place):
    average, roles = study_maps.place_maps(in_video)[place], study_prompts.roles(video_model.text, prompt, noun)
    cells = map_quality.shrink_mask(torch.from_numpy(detect(clip.video, noun)[1]), average.shape[-2:])
    rows = {}
    for kind in dict.fromkeys(roles):
        mass = average[[role == kind for role in roles]].sum(0).cpu()  # (frames, height, width), summed over its tokens
        rows[kind] = float(mass[cells].mean()), float(mass[~cells].mean())
    return rows


if DRAWN:
    here = ("16 up", "8 up") if "up" in video_model.groups else ("8 early", "8 middle")
    one, other = spending(here[0]), spending(here[1])
    rows = [[kind, *(f"{100 * part:.1f} %" for part in (*one[kind], *other[kind]))] for kind in one]
    titles = ["tokens", f"{here[0]}: on the object", "outside", f"{here[1]}: on the object", "outside"]
    display(markdown_table(titles, rows))

# %% [markdown]
# At 8 × 8, pixels of the shark spend several times as much on "shark" as other pixels do, and take it from the
# padding. At 16 × 16 they take a little from the start token and give a little to nearly *all* words: those layers
# seem to ask "is there something here that the caption speaks of?" rather than "what is it?". This is how a shark
# comes to be visible under "in" and "the", without any word knowing of another.

# %% [markdown]
# ## 7. When is the map good enough for guidance?
#
# All maps so far were means over the steps, and so they contain the late steps, when the object is there to be seen.
# But guidance acts in the first steps (section 3 of [notebook 00](00_pocket_diffusion.ipynb)). Here is the AUROC of the
# noun's map at each single step, always against the mask of the *finished* picture.

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 2.8), layout="compressed", dpi=80, sharey=True)
for ax, (place, by_step) in zip(axes, table["AUROC of steps"].items(), strict=True):
    for key, label in ((noise_table.IMAGE, "image model"), (noise_table.VIDEO, "video model")):
        mean, low, high = np.array([(step[key].value, step[key].low, step[key].high) for step in by_step]).T
        ax.plot(mean, "o-", ms=3, label=label)
        ax.fill_between(range(len(mean)), low, high, alpha=0.2)
    ax.axhline(0.5, color="grey", lw=0.8)
    ax.set(title=place, xlabel="denoising step", ylim=(0.4, 1.02))
axes[0].set_ylabel("AUROC")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# At 8 × 8 the map points to the object's later place from the very first steps, when the picture is still noise. At
# 16 × 16 it begins at about .7. There the image model needs six steps to pass .9, and the video model three. In
# which steps do the models differ?

# %%
for place, by_step in table["AUROC of steps"].items():
    for step, figures in enumerate(by_step):
        change = figures["difference"]
        if change.excludes(0.0):
            print(f"{place}, step {step:2}: video minus image {change.format()}")

# %% [markdown]
# At 16 × 16 the video model is *ahead* in every step, perhaps because sixteen noisy frames of one object tell more than
# one noisy picture does (exercise 3). At 8 × 8 the two are alike in the first step, although the video model's begins
# with less signal (the two models have noise schedules of their own), and the video model is ahead in the next five.

# %% [markdown]
# ## 8. Where it fails
#
# A mean hides its worst cases. Each dot is one prompt; below the diagonal, the video model's map is worse.

# %%
by_prompt = {}
for case in stored_cases:
    by_prompt.setdefault(case["prompt"], {}).setdefault(case["model"], []).append(case["auroc 16 up"])
x, y = (np.array([np.nanmean(both[key]) for both in by_prompt.values()]) for key in (noise_table.IMAGE, noise_table.VIDEO))

# %%
limits = np.nanmin([x, y]) - 0.01, 1.005
plt.figure(figsize=(4.2, 4.2), dpi=80)
plt.plot(limits, limits, color="grey", lw=0.8)
plt.plot(x, y, "o", ms=4)
for worst in np.argsort(np.minimum(x, y))[:3]:
    label = " ".join(list(by_prompt)[worst].split()[1:3])
    plt.annotate(label, (x[worst], y[worst]), fontsize=8, xytext=(6, -3), textcoords="offset points")
plt.xlabel("AUROC, image model, 16 up")
plt.ylabel("AUROC, video model, 16 up")
plt.xlim(limits)
plt.ylim(limits)
plt.show()


# %% [markdown]
# The dots follow the diagonal, most of them a little above it: a prompt that is hard for one model is hard for the
# other. This is why taking the difference prompt by prompt makes its interval so much narrower than those of the two
# means. We look at the single worst video of the table.

# %%
def auroc_of(case):
    is_video = case["model"] == noise_table.VIDEO
    return case["auroc 16 up"] if is_video and case["auroc 16 up"] == case["auroc 16 up"] else 1.0  # NaN: not seen


worst = min(stored_cases, key=auroc_of)
word = (study_prompts.held_out_prompts() | study_prompts.PAPER)[worst["prompt"]]
with capture(video_model) as attention:
    failed = generate(video_model, worst["prompt"], seed=worst["seed"])
print(f"{worst['prompt']!r}, seed {worst['seed']}: AUROC {worst['auroc 16 up']:.2f} at 16 up, {worst['auroc 8 up']:.2f} at 8 up")
frames = np.linspace(0, len(failed.video) - 1, 4).round().astype(int)
rows, titles = [[failed.video[frame] for frame in frames]], ["video"]
for cells, side in ((1, 16), (2, 8)):
    if cells in video_model.cells():
        rows.append([attention.maps(word, cells=cells, group=video_model.groups[-1])[frame] for frame in frames])
        titles.append(f"{word}, {side} {video_model.groups[-1]}")
image_grid(rows, row_titles=titles, column_titles=[f"frame {frame}" for frame in frames])

# %% [markdown]
# The map of "shark" at 16 × 16 marks the outline of the shark, and more brightly the line between water and sand, in
# every frame: these layers answer to *edges*, and the sea floor is a longer edge than a small, pale shark. At 8 × 8 the
# map is on the shark. A guidance that reads the first kind of map pushes the sea floor about.

# %% [markdown]
# ## 9. A third model: a transformer
#
# The video models of today are transformers, and our "pocket-dit" is one ([notebook 07](07_transformer.ipynb)). All its
# maps have 8 × 8 cells, and it was trained from nothing. The study `transformer_noise` asks it the same 26 prompts; here
# its three groups of blocks stand beside the U-Nets' maps of 8 × 8.

# %%
of_transformer = measured("transformer_noise")
transformer_figures.noise_beside(of_transformer, table) if of_transformer else None

# %%
lines = transformer_noise.differences(load_rows("transformer_noise"), stored_cases) if of_transformer else []
bullets(lines, "Transformer minus video U-Net, at 8 × 8" if lines else "")

# %% [markdown]
# Only what differs from the U-Net's best layers is told, with intervals over prompts.
#
# ## 10. The answer
#
# Is the paper's claim true of *these* models? The sentences below are computed from the table, so that they can never
# be older than it.

# %%
NOISIER = {"auroc": -1, "iou": -1, "entropy": 1, "roughness": 1}  # the sign of a change towards noise


def verdict(change, sign):
    if not change.excludes(0.0):
        return "undecided"
    return "noisier" if change.value * sign > 0 else "cleaner"


verdicts = {"noisier": [], "cleaner": [], "undecided": []}
for place, row in table["held out"].items():
    for name, sign in NOISIER.items():
        change = row[name]["difference"]
        verdicts[verdict(change, sign)].append(f"{name} at {place} ({change.value:+.3f})")
lines = [f"**{kind}** in {len(found)}: {', '.join(found) or 'none'}" for kind, found in verdicts.items()]
count = sum(map(len, verdicts.values()))
bullets(lines, f"Of {count} comparisons on held-out prompts, the maps of the video model are")

# %%
at = {place: row["auroc"] for place, row in table["held out"].items()}
shown = {place: figures["difference"].format() for place, figures in at.items()}
by_name = {name: verdict(table["held out"]["16 up"][name]["difference"], sign) for name, sign in NOISIER.items()}
truth = "true, at least in part" if "noisier" in by_name.values() else "**not true**"
layers = at["8 up"][noise_table.VIDEO].value - at["16 up"][noise_table.VIDEO].value
leak = table["leakage of tokens"]["16 up"]
Markdown(
    f"""
- **Noisier?** Where the paper looked (16 × 16, up blocks), the claim is {truth} of these models:
  {", ".join(f"{name} {found}" for name, found in by_name.items())}. The AUROC of the noun changes from image to video
  model by {shown["16 up"]} prompts; at 8 × 8 (up) it changes by {shown["8 up"]}.
- **Layers matter more than models.** Inside the video model, going from 16 × 16 to 8 × 8 (up blocks) changes the AUROC by
  {layers:+.3f}.
- **No map at 4 × 4** is of use: its AUROC is {at["4 mid"][noise_table.VIDEO].format()} in the video
  model and {at["4 mid"][noise_table.IMAGE].format()} in the image model.
- **Visible under "in" and "the"?** Yes, in *both* models, at 16 × 16 in the up blocks: leakage into prepositions is
  {leak["in, on"][noise_table.VIDEO].format()} in the video model and
  {leak["in, on"][noise_table.IMAGE].format()} in the image model; into "the" it is
  {leak["the"][noise_table.VIDEO].format()} and
  {leak["the"][noise_table.IMAGE].format()}.
"""
)

# %% [markdown]
# **What it means for guidance.** An energy reads the map of one word at some layers and some early steps. Take the
# layers at 8 × 8 first, where the object is found from the first steps on; add those at 16 × 16 for detail; leave out
# the mid block. An energy that compares *shapes* should know that even a map with an excellent AUROC covers its object
# only partly after the soft threshold (see the IoU column). And where other words show the object as well, moving the
# map of the noun alone leaves their evidence at the old place.
#
# **What cannot be concluded.** Our video model was *inflated* from our image model: its maps began as copies of the
# image model's, and were only trained on. That is the best case for clean maps. ModelScope was inflated from Stable
# Diffusion too, but trained on web videos with noisy captions, and for much longer. An early experiment of this project
# trained a pocket video model from nothing: its maps at 16 × 16 were noise, like the paper's, and only 8 × 8 found the
# noun. So *how a video model was trained* can decide the question, and "video" as such does not. Our text encoder keeps
# each word nearly to itself; CLIP's lets later words look back at earlier ones. And no number of this notebook says
# anything about ModelScope itself: for that, run section 1 on a GPU, and bring a detector.

# %% [markdown]
# ## Exercises
#
# **1.** Figure 3 shows one seed. Rebuild its first two rows for three other prompts. Under which words is the object a
# light, under which a shadow, and is it the same in both models?
#
# <details><summary>Solution</summary>
#
# ```python
# for other in ("a car drives on the road", "a wolf howls to the moon", "a duck walks on the road"):
#     names = image_model.text.labels(other)[: len(other.split()) + 2]
#     rows = []
#     for model in (image_model, video_model):
#         with capture(model) as attention:
#             made = generate(model, other, seed=0)
#         frame = len(made.video) // 2
#         rows.append([made.video[frame], *figure_row(attention, frame, cells=1)])
#     display(image_grid(rows, row_titles=["image", "video"], column_titles=["picture", *names]))
# ```
#
# Under nearly every word it is a light, and under the start token a shadow, in both models.
# </details>
#
# **2.** An interval that lies: compute the bootstrap interval of the video model's AUROC at 16 up from all 60 held-out
# cases, as if seeds were as good as prompts. How much narrower is it than the stored one?
#
# <details><summary>Solution</summary>
#
# ```python
# from xattn_helpers.measures.statistics import Estimate
#
# values = [c["auroc 16 up"] for c in stored_cases if c["model"] == noise_table.VIDEO and c["group"] == "held out"]
# print(Estimate.mean(values).format())
# print(table["held out"]["16 up"]["auroc"][noise_table.VIDEO].format())
# ```
#
# The mean is nearly the same, and the interval is narrower by about $\sqrt 3$, as if there were three times as many
# proofs. But three seeds of a hard prompt are hard together: they say little about what happens with *other* prompts,
# which is what we want to know. (Cases in which the object was never seen are left out.)
# </details>
#
# **3.** Is it the temporal layers that change the maps, or the training? Generate the video of section 1 with the
# temporal layers switched off (`frames_apart`, [notebook 00](00_pocket_diffusion.ipynb)) and compute `live` again.
#
# <details><summary>Solution</summary>
#
# ```python
# from contextlib import nullcontext
#
# from xattn_helpers.backbones.temporal import frames_apart
#
# for title, switch in (("on", nullcontext()), ("off", frames_apart(video_model))):
#     with switch, capture(video_model, every_step=True) as attention:
#         video = generate(video_model, prompt, seed=0).video
#     for place, row in live(video_model, attention, video).items():
#         print(title, place, {name: round(value, 3) for name, value in row.items()})
#     inside = map_quality.shrink_mask(torch.from_numpy(detect(video, noun)[1]), (16, 16))
#     early = [attention.maps(noun, cells=1, group="up", step=step) for step in range(4)]
#     print(title, "first steps, 16 up:", [round(float(map_quality.auroc(one, inside).nanmean()), 2) for one in early])
# ```
#
# With the temporal layers off, the maps at 16 × 16 get rougher, about as rough as those of the image model, and find
# the shark less well: the AUROC falls from .73 to .60 (down) and from .90 to .85 (up). It falls in the first steps,
# too, from .72, .85, .89, .88 to .66, .74, .78, .80. In this case it is the temporal layers that clean the maps: they
# let the frames of one object agree on where it is. How would you measure it on many cases?
# </details>
#
# ## In this notebook we saw
#
# - Figure 3 rebuilt for our models, and why its colours cannot settle how noisy a map is;
# - six statistics of a map, each blind to something, and therefore reported together with those of a perfect map;
# - a comparison in which as many pictures count on both sides, and in which prompts, not frames, are resampled;
# - that the choice of layers changes the maps far more than the choice between our image and our video model;
# - that the object shows under other words in both models, and why the start token is its negative;
# - which layers and steps a guidance should read, and what ModelScope could still do differently.
#
# Next: [03 · Forward swap](03_forward_swap.ipynb) replaces the maps of one prompt by those of another.
