"""The pocket text side: a CLIP tokenizer trained on the captions and a frozen CLIP text encoder."""

import json
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from .vocabulary import words

MAX_TOKENS = 20  # start, at most 18 words, end; CLIP has 77
START, END = "<|startoftext|>", "<|endoftext|>"
WIDTH = 128  # of a token's embedding


def build_tokenizer() -> CLIPTokenizer:
    """A CLIP tokenizer in which each word of the pocket world is one token.

    Every byte is in the vocabulary, alone and at the end of a word, so that an unseen word falls apart into letters
    instead of turning into the end token in mid-prompt.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    # Numbered beforehand, or the trainer would number them, and hence break ties, anew in each run.
    numbered = [*alphabet, *dict.fromkeys(word[-1] + "</w>" for word in words())]
    trainer = trainers.BpeTrainer(
        end_of_word_suffix="</w>", special_tokens=numbered, vocab_size=10_000, show_progress=False
    )
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.Whitespace(), decoders.BPEDecoder()
    bpe.train_from_iterator([word for word in words() for _ in range(2)], trainer)  # twice: a pair must recur to merge
    merges = [tuple(pair) for pair in json.loads(bpe.to_str())["model"]["merges"]]
    tokens = [*alphabet, *(letter + "</w>" for letter in alphabet), *("".join(pair) for pair in merges), START, END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "vocab.json").write_text(json.dumps(vocabulary))
        Path(folder, "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in merges))
        return CLIPTokenizer.from_pretrained(folder, model_max_length=MAX_TOKENS, pad_token=END)


def build_text_encoder(tokenizer: CLIPTokenizer, seed: int = 7) -> CLIPTextModel:
    """A frozen, random, one-layer CLIP text encoder whose outputs stay close to the token itself.

    Were it trained along, its causal layers would leak the object into later tokens, and the object's attention map
    would appear under "on" or "the". Large token embeddings beside small position embeddings keep each word itself.
    """
    config = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=1,
        num_attention_heads=4, max_position_embeddings=MAX_TOKENS, projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = CLIPTextModel(config)
        torch.nn.init.normal_(encoder.get_input_embeddings().weight, std=1.0)
        position = next(p for name, p in encoder.named_parameters() if "position_embedding" in name)
        torch.nn.init.normal_(position, std=0.3)
    return encoder.eval().requires_grad_(False)
