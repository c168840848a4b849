"""Pieces of text: cut at characters and at stop strings, whatever tokens the bytes arrive in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.engine.pieces import PieceMaker, ends_inside_character
from agent.engine.protocol import Finish, Piece

TEXTS = st.text(alphabet="ab<|é你\U0001f99c\n", max_size=20)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` cut at `places`, each taken modulo its length."""
    ends = sorted({place % len(data) for place in places} - {0}) if data else []
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True) if a < b]


def run(tokens: list[bytes], stops: list[str]) -> tuple[list[Piece], PieceMaker]:
    maker = PieceMaker(stops)
    pieces: list[Piece] = []
    for number, data in enumerate(tokens):
        pieces += maker.push(number, data)
        if maker.finished:
            return pieces, maker
    return [*pieces, maker.finish(Finish.LENGTH)], maker


@given(TEXTS, st.lists(st.integers(0, 100)))
def test_without_stops_all_text_and_all_tokens_come_out_in_order(text: str, places: list[int]) -> None:
    tokens = cut(text.encode(), places)
    pieces, _ = run(tokens, [])
    assert "".join(piece.text for piece in pieces) == text
    assert [token for piece in pieces for token in piece.tokens] == list(range(len(tokens)))


@given(TEXTS, st.lists(st.integers(0, 100)), st.lists(TEXTS.filter(bool), min_size=1, max_size=3))
def test_text_ends_before_the_first_stop_string(text: str, places: list[int], stops: list[str]) -> None:
    tokens = cut(text.encode(), places)
    pieces, _ = run(tokens, stops)
    found = [text.find(stop) for stop in stops if stop in text]
    # Of stops that begin late but end early, the one complete first counts: no text after it was seen.
    said = "".join(piece.text for piece in pieces)
    if not found:
        assert said == text
        assert pieces[-1].finish is Finish.LENGTH
    else:
        assert pieces[-1].finish is Finish.STOP
        assert text.startswith(said)
        assert any(text.startswith(stop, len(said)) for stop in stops)
        assert not any(stop in said for stop in stops)


@given(TEXTS, st.lists(st.integers(0, 100)), st.lists(TEXTS.filter(bool), max_size=2))
def test_the_text_of_a_piece_is_that_of_its_tokens(text: str, places: list[int], stops: list[str]) -> None:
    tokens = cut(text.encode(), places)
    pieces, _ = run(tokens, stops)
    for piece in pieces:
        if piece.tokens:
            assert b"".join(tokens[token] for token in piece.tokens).decode() == piece.text
        else:
            assert piece is pieces[-1]


def test_a_token_without_text_is_dropped_at_the_end_and_kept_in_between() -> None:
    maker = PieceMaker()
    assert maker.push(1, b"a") == [Piece("a", (1,))]
    assert maker.push(2, b"") == []
    assert maker.push(3, b"b") == [Piece("b", (2, 3))]
    assert maker.push(4, b"") == []
    assert maker.finish(Finish.END_OF_TURN) == Piece("", (), Finish.END_OF_TURN)


def test_half_a_character_is_not_kept_at_the_end() -> None:
    maker = PieceMaker()
    assert maker.push(1, b"a\xf0\x9f") == []
    assert maker.finish(Finish.LENGTH) == Piece("", (), Finish.LENGTH)


def test_bytes_that_can_be_no_character_do_not_hold_up_the_rest() -> None:
    assert PieceMaker().push(1, b"\xff") == [Piece("�", (1,))]


@given(st.text(min_size=1, max_size=3))
def test_a_text_cut_short_of_its_last_byte_ends_inside_a_character(text: str) -> None:
    data = text.encode()
    assert not ends_inside_character(data)
    assert ends_inside_character(data[:-1]) == (len(text[-1].encode()) > 1)
