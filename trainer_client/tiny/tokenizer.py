"""The demo's tokenizer: trained on the spot, one token to a mark or a piece of Python.

Text is cut at the longest of the pieces below that fits, else into single characters; the trainer
of the `tokenizers` library then numbers what the corpus holds, commonest first. Every printable ASCII
character is in the vocabulary, so encoding loses nothing of a text in ASCII and decoding gives it
back exactly. (A model can spell a piece letter by letter; its text then encodes to the piece.)
"""

import re
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

PADDING, END, UNKNOWN = "<|pad|>", "<|end|>", "<|unknown|>"

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


def train_tokenizer(texts: Iterable[str], marks: Iterable[str]) -> PreTrainedTokenizerFast:
    """Train on prompts and responses; each of the prompt set's marks becomes one token."""
    pieces = sorted((*marks, *PYTHON_PIECES), key=len, reverse=True)
    tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    pattern = "|".join([*map(re.escape, pieces), r"[\s\S]"])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    trainer = trainers.WordLevelTrainer(
        special_tokens=[PADDING, END, UNKNOWN], min_frequency=1, show_progress=False
    )
    tokenizer.train_from_iterator([*texts, *pieces, *_ALPHABET], trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PADDING,
        eos_token=END,
        unk_token=UNKNOWN,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        split_special_tokens=True,
    )
