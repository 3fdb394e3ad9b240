"""The demo's tokenizer: made on the spot, one token to a mark or piece of Python, else characters.

It has the form of Qwen2's own (byte-level BPE, here without merges), since transformers loads no
other for that architecture. The alphabet is numbered by the trainer of the `tokenizers` library,
commonest first; it holds every printable ASCII character, so encoding loses nothing of a text in
ASCII and decoding gives it back exactly. Text is cut at the longest piece that fits. (A model can
spell a piece letter by letter; its text then encodes to the piece.)
"""

from collections.abc import Iterable

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers
from transformers import Qwen2Tokenizer

PADDING, END = "<|pad|>", "<|end|>"

PYTHON_PIECES = (
    "def f(x):\n",
    "    x = ",
    "    return ",
    "[::-1]",
    "[1:]",
    "[:-1]",
    ".upper()",
    ".replace('",
    "', '",
    "')",
    " + ",
    " * ",
)
"""What the grammar's programs are made of, apart from letters, digits and quotes."""

_ALPHABET = "\n" + "".join(map(chr, range(0x20, 0x7F)))


def train_tokenizer(
    texts: Iterable[str], marks: Iterable[str], pieces: Iterable[str] = PYTHON_PIECES
) -> Qwen2Tokenizer:
    """Train on prompts and responses; each mark of the prompt set and each piece is one token."""
    characters = Tokenizer(models.BPE())
    characters.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    specials = [PADDING, END]
    trainer = trainers.BpeTrainer(
        # No room for merges: letters must stay letters where strings are turned around.
        vocab_size=len(specials) + len(_ALPHABET),
        special_tokens=specials,
        show_progress=False,
    )
    characters.train_from_iterator([*texts, *_ALPHABET], trainer)
    tokenizer = Qwen2Tokenizer(
        vocab=characters.get_vocab(),
        merges=[],
        unk_token=END,
        eos_token=END,
        pad_token=PADDING,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        split_special_tokens=True,
    )
    whole = (*marks, *pieces)
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in whole])
    return tokenizer
