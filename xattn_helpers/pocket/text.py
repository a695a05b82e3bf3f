"""The pocket text side: a CLIP tokenizer trained on the captions and a frozen CLIP text encoder."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from .world.vocabulary import known_words

MAX_TOKENS = 20  # start, at most 18 words, end; CLIP has 77
START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"  # marks the last piece of a word, as in CLIP
WIDTH = 128  # of a token's embedding
ENCODER_SEED = 7
Mixing = Literal["apart", "contextual"]
LAYERS = {"apart": 1, "contextual": 4}
MIXING = {"q_proj": 2.0, "k_proj": 2.0, "v_proj": 1.5, "out_proj": 1.5}  # times the usual size of a random weight


def build_tokenizer() -> CLIPTokenizer:
    """A CLIP tokenizer in which each word of the pocket world is one token.

    Every byte is in the vocabulary, alone and at the end of a word, so that an unseen word falls apart into letters
    instead of turning into the end token in mid-prompt.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = _train_merges(alphabet)
    letters_at_end = [letter + WORD_END for letter in alphabet]
    merged = [first + second for first, second in merges]
    tokens = list(dict.fromkeys([*alphabet, *letters_at_end, *merged, START, END]))
    with tempfile.TemporaryDirectory() as folder:
        _write_tokenizer(Path(folder), tokens, merges)
        return CLIPTokenizer.from_pretrained(folder, model_max_length=MAX_TOKENS, pad_token=END)


def _train_merges(alphabet: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of pieces that byte-pair encoding joins, in their order, until each known word is one piece."""
    words = known_words()
    # Numbered beforehand, or the trainer would number them, and hence break ties, anew in each run.
    numbered = [*alphabet, *dict.fromkeys(word[-1] + WORD_END for word in words)]
    trainer = trainers.BpeTrainer(
        end_of_word_suffix=WORD_END, special_tokens=numbered, vocab_size=10_000, show_progress=False
    )
    encoding = Tokenizer(models.BPE(end_of_word_suffix=WORD_END))
    encoding.pre_tokenizer = pre_tokenizers.Whitespace()
    encoding.decoder = decoders.BPEDecoder()
    encoding.train_from_iterator([word for word in words for _ in range(2)], trainer)  # a pair must recur to merge
    return [tuple(pair) for pair in json.loads(encoding.to_str())["model"]["merges"]]


def _write_tokenizer(folder: Path, tokens: Sequence[str], merges: Sequence[tuple[str, str]]) -> None:
    """CLIP's own layout of files."""
    vocabulary = {token: index for index, token in enumerate(tokens)}
    lines = ["#version: 0.2"]
    lines += [f"{first} {second}" for first, second in merges]
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(lines))


def build_text_encoder(tokenizer: CLIPTokenizer, seed: int = ENCODER_SEED, mixing: Mixing = "apart") -> CLIPTextModel:
    """A frozen, random CLIP text encoder. "apart": one layer whose outputs stay close to the token itself.

    Were it trained along, its causal layers would leak the object into later tokens, and the object's attention map
    would appear under "on" or "the". Large token embeddings beside small position embeddings keep each word itself.
    "contextual" is for seeing what happens otherwise: four layers with large weights, after which a word is as much
    what stands before it as itself (the study `noise_grid`). Torch's random numbers are left as they are.
    """
    config = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=LAYERS[mixing],
        num_attention_heads=4, max_position_embeddings=MAX_TOKENS, projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = CLIPTextModel(config)
        torch.nn.init.normal_(encoder.get_input_embeddings().weight, std=1.0)
        position = next(weight for name, weight in encoder.named_parameters() if "position_embedding" in name)
        torch.nn.init.normal_(position, std=0.3)
        if mixing == "contextual":
            _mix(encoder)
    return encoder.eval().requires_grad_(False)


def _mix(encoder: CLIPTextModel) -> None:
    """Large random weights of self-attention: it chooses among the words before, and adds what it has chosen."""
    for name, weight in encoder.named_parameters():
        for part, gain in MIXING.items():
            if name.endswith(f"{part}.weight"):
                torch.nn.init.normal_(weight, std=gain * WIDTH**-0.5)
