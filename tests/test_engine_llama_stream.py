"""Token ids recovered from a stream that leaves some out, against a stand-in for llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from agent.engine.llama_stream import TokenStream
from agent.engine.pieces import ends_inside_character
from agent.engine.vocabulary import NORMAL, Vocabulary, byte_alphabet

LETTERS = {byte: char for char, byte in byte_alphabet().items()}
WORDS = [
    "\U0001f99c"[:1].encode()[:2],
    "\U0001f99c".encode()[2:],
    "你".encode()[:2],
    "你".encode(),
    b" hello",
    b"ST",
]
BYTES = [bytes([byte]) for byte in range(256)]
TOKENS = [*BYTES, *WORDS]
VOCABULARY = Vocabulary(
    kind="gpt2",
    texts=tuple("".join(LETTERS[byte] for byte in token).encode() for token in TOKENS),
    types=(NORMAL,) * len(TOKENS),
    chat_template="",
    bos_token="",
    eos_token="",
)


def serve(tokens: list[int], held_ends: tuple[bytes, ...]) -> Iterator[tuple[str, list[int], int]]:
    """The events: none inside a character, and no text while it ends like the beginning of a stop string."""
    unsent = b""
    for predicted, token in enumerate(tokens, start=1):
        unsent += TOKENS[token]
        if ends_inside_character(unsent):
            continue
        text = b"" if unsent.endswith(held_ends) else unsent
        unsent = unsent[len(text) :]
        yield text.decode(), [token], predicted


def id_of(data: bytes) -> int:
    return TOKENS.index(data)


@given(
    st.lists(st.sampled_from(["你", "\U0001f99c", "é", "a", "S", "T", " hello"])),
    st.randoms(use_true_random=False),
)
def test_every_token_is_given_back_with_its_text(words: list[str], random: Random) -> None:
    data = "".join(words).encode()
    tokens: list[int] = []
    while data:
        fitting = [n for n, token in enumerate(TOKENS) if data.startswith(token)]
        tokens.append(random.choice(fitting))
        data = data[len(TOKENS[tokens[-1]]) :]
    stream = TokenStream(VOCABULARY)
    known = [token for event in serve(tokens, (b"S",)) for token in stream.push(*event)]
    text = b"".join(token.text for token in known)
    assume(known)
    assert "".join(words).encode().startswith(text)
    assert all(TOKENS[token.id] == token.text for token in known)
    assert len(known) <= len(tokens)


def test_the_ids_between_are_found_by_their_bytes() -> None:
    bird = "\U0001f99c".encode()
    tokens = [id_of(bird[:2]), id_of(bird[2:]), id_of(b"a")]
    stream = TokenStream(VOCABULARY)
    events = list(serve(tokens, ()))
    assert [len(event[1]) for event in events] == [1, 1]
    assert [token.id for event in events for token in stream.push(*event)] == tokens


def test_text_held_back_by_the_server_does_not_hide_the_ids() -> None:
    chinese = "你".encode()
    tokens = [id_of(b"S"), id_of(chinese[:2]), id_of(chinese[2:]), id_of(b"a")]
    stream = TokenStream(VOCABULARY)
    assert [token.id for event in serve(tokens, (b"S",)) for token in stream.push(*event)] == tokens
