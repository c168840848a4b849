"""What the llama.cpp loop asks of the server: forced tokens as prompt, masks only where they are needed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import llguidance
import numpy as np
import pytest

from agent.decode.call_grammar import call_grammar
from agent.decode.calls import CallGrammar, Constraint, Opener
from agent.engine import llama_decode
from agent.engine.llama_decode import Decoding, decode
from agent.engine.llama_grammar import one_of
from agent.engine.llama_server import Event
from agent.engine.llamacpp import LlamaCppEngine
from agent.engine.protocol import EngineError, Finish, Piece
from agent.engine.vocabulary import CONTROL, NORMAL, Vocabulary
from agent.toolcalls.declared import Declared

LETTERS = tuple(bytes([byte]) for byte in range(33, 127))
END = len(LETTERS)
VOCABULARY = Vocabulary("llama", (*LETTERS, b"</s>"), (*[NORMAL] * END, CONTROL), "", "", "</s>")
PROMPT = (0, 1, 2)


def letters(text: str) -> list[int]:
    return [byte - 33 for byte in text.encode()]


def text_of(tokens: Sequence[int]) -> str:
    return "".join(LETTERS[token].decode() for token in tokens)


class Spelt:
    """A tokeniser whose tokens are single characters."""

    eos_tokens = frozenset({END})

    def __init__(self) -> None:
        class Described:
            eos_token_id, bos_token_id = END, None
            tokens, special_token_ids = list(VOCABULARY.texts), [END]

            def __call__(self, text: bytes) -> list[int]:
                return letters(text.decode())

        self._made = llguidance.LLTokenizer(llguidance.TokenizerWrapper(Described()), slices=[])

    def tokeniser(self) -> llguidance.LLTokenizer:
        return self._made


SPELT = Spelt()


class Server:
    """Writes what `wants` says behind a prompt, one character at a time; keeps every request."""

    def __init__(self, wants: Callable[[str], str]) -> None:
        self.wants = wants
        self.requests: list[tuple[str, str, dict[str, Any]]] = []

    def _next(self, prompt: Sequence[int], options: dict[str, Any], matcher: Any) -> int:
        """The wanted token, or under a mask the wanted or else the first one that it admits."""
        wanted = (letters(self.wants(text_of(prompt[len(PROMPT) :]))) or [END])[0]
        if matcher is None:
            return wanted
        bits = llguidance.numpy.allocate_token_bitmask(1, END + 1)
        llguidance.numpy.fill_next_token_bitmask(matcher, bits)
        admitted = np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little")[: END + 1])
        return wanted if wanted in admitted else int(admitted[0])

    def _matcher(self, options: dict[str, Any]) -> Any:
        grammar = options.get("grammar")
        return grammar and llguidance.LLMatcher(SPELT.tokeniser(), grammar.removeprefix("%llguidance {}\n"))

    async def sample(self, prompt: Sequence[int], options: dict[str, Any]) -> int | None:
        self.requests.append(("one", text_of(prompt[len(PROMPT) :]), options))
        token = self._next(prompt, options, self._matcher(options))
        return None if token == END else token

    async def complete(self, prompt: Sequence[int], options: dict[str, Any]) -> AsyncGenerator[Event, None]:
        self.requests.append(("stream", text_of(prompt[len(PROMPT) :]), options))
        matcher, held = self._matcher(options), list(prompt)
        for n in range(1, options["n_predict"] + 1):
            token = self._next(held, options, matcher)
            if token == END:
                yield Event("", (token,), n, "")
                yield Event("", (), n, "eos")
                return
            held.append(token)
            if matcher is not None:
                matcher.consume_token(token)
            yield Event(text_of([token]), (token,), n, "")
        yield Event("", (), options["n_predict"], "limit")


class Slot:
    tokens: tuple[int, ...] = ()


def written(server: Server, constraint: Constraint, most: int = 60) -> tuple[str, Finish | None, list[Piece]]:
    async def run() -> list[Piece]:
        how = Decoding(constraint, (), most, 0.0, 0)
        given: Any = (server, Slot(), VOCABULARY, SPELT, PROMPT)
        async with aclosing(decode(*given, how)) as pieces:
            return [piece async for piece in pieces]

    pieces = asyncio.run(run())
    tokens = [token for piece in pieces for token in piece.tokens]
    assert text_of(tokens) == "".join(piece.text for piece in pieces)
    return text_of(tokens), pieces[-1].finish, pieces


def behind(text: str) -> Callable[[str], str]:
    """A model that wants to write `text`, whatever it is held to."""
    return lambda before: text[len(before) :]


def test_what_the_grammar_forces_is_prompt_and_not_sampled() -> None:
    server = Server(behind("name=alpha;colour=red."))
    rule = 'start: "name=" ("alpha" | "beta") ";colour=" ("red" | "green") "."\n'
    assert written(server, rule)[:2] == ("name=alpha;colour=red.", Finish.END_OF_TURN)
    assert [(kind, before) for kind, before, _ in server.requests] == [
        ("one", "name="),
        ("one", "name=alpha;colour="),
    ]


@pytest.mark.parametrize(
    ("forced", "requests"),
    [("cc", [("stream", "")]), ("cccc", [("stream", ""), ("one", "acccc")])],
)
def test_few_forced_tokens_are_let_come_in_the_request_under_way(
    forced: str, requests: list[tuple[str, str]]
) -> None:
    server = Server(behind(f"a{forced}d."))
    rule = f'start: ("a" | "b") "{forced}" ("d" | "e") "."\n'
    assert written(server, rule)[:2] == (f"a{forced}d.", Finish.END_OF_TURN)
    assert [(kind, before) for kind, before, _ in server.requests] == requests


def test_where_the_server_goes_another_way_than_is_forced_it_begins_again_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(llama_decode, "_FEW_TOKENS", 0)  # so that the server is not masked
    server = Server(behind("axxd"))
    rule = 'start: "s" ("a" | "b") "cc" ("d" | "e")\n'
    server.wants = lambda before: {"s": "a", "sa": "x", "sacc": "d"}.get(before, "x")
    assert written(server, rule)[:2] == ("saccd", Finish.END_OF_TURN)
    assert [(kind, before) for kind, before, _ in server.requests] == [("stream", "s"), ("stream", "sacc")]


def test_a_choice_that_the_grammar_refuses_is_made_among_those_that_it_admits() -> None:
    server = Server(behind("x1234567"))
    text, finish, _ = written(server, "start: /[a-f]/ /[0-9]{4}/\n")
    assert (text, finish) == ("a1234", Finish.END_OF_TURN)


def test_a_call_begins_in_free_text_and_free_text_goes_on_behind_it() -> None:
    server = Server(behind("Well.<call>read(left)Done."))
    calls = CallGrammar((Opener("<call>", "call"),), 'call: ("read" | "write") "(" ("left" | "right") ")"\n')
    text, finish, _ = written(server, calls)
    assert (text, finish) == ("Well.<call>read(left)Done.", Finish.END_OF_TURN)
    assert [before for _, before, _ in server.requests] == [
        "",
        "Well.<call>",
        "Well.<call>read(",
        "Well.<call>read(left)",
    ]


def test_the_end_of_the_turn_is_refused_amid_a_call() -> None:
    server = Server(lambda before: "<call>"[len(before) :])  # then it wants to end
    calls = CallGrammar((Opener("<call>", "call"),), 'call: ("read" | "write") "()"\n')
    text, finish, _ = written(server, calls)
    assert (text, finish) == ("<call>read()", Finish.END_OF_TURN)


def test_the_end_of_the_turn_as_the_last_token_that_the_limit_allows_is_no_cut() -> None:
    assert written(Server(behind("ab")), None, most=3)[:2] == ("ab", Finish.END_OF_TURN)
    assert written(Server(behind("ab")), None, most=2)[:2] == ("ab", Finish.LENGTH)


def test_the_limit_counts_forced_tokens_too_and_is_named() -> None:
    rule = 'start: ("a" | "b") "ccccccccccccc"\n'
    assert written(Server(behind("a")), rule, most=6)[:2] == ("accccc", Finish.LENGTH)
    assert written(Server(behind("a")), rule, most=14)[:2] == ("a" + "c" * 13, Finish.END_OF_TURN)


def test_each_request_draws_with_a_seed_of_its_own() -> None:
    server = Server(behind("alpha;red."))
    written(server, 'start: ("alpha" | "beta") ";" ("red" | "green") "."\n')
    seeds = [options["seed"] for _, _, options in server.requests]
    assert len(seeds) == len(set(seeds)) == 2


def test_a_server_that_ignores_the_grammar_is_an_error() -> None:
    class Deaf(Server):
        def _matcher(self, options: dict[str, Any]) -> Any:
            return None

    with pytest.raises(EngineError, match="did not follow the grammar"):
        written(Deaf(behind("zzzz")), 'start: "aa" ("left" | "right")\n')


def test_one_of_is_a_grammar_of_just_these_tokens() -> None:
    admitted = np.zeros(END + 1, bool)
    admitted[[3, 4, 5, 9]] = True
    assert one_of(admitted, may_end=False) == "start: <[3-5,9]>\n"
    assert one_of(admitted, may_end=True) == "start: <[3-5,9]>?\n"


def test_only_choices_are_sampled_and_the_text_is_what_the_server_alone_would_write(
    llama_engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real server and model: the text is what the grammar alone, in the server, gives."""
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    tools = (Declared("read_file", "Read a file", schema), Declared("remove_file", "Remove it", schema))
    paths = {"path": ("src/cart.py", "src/order.py")}
    offered = {"read_file": paths, "remove_file": paths}
    encode = llama_engine.encode
    calls = call_grammar("hermes", tools, offered, lambda name: encode(name, special=True))
    assert calls is not None
    rule = calls.after(calls.openers[0])
    prompt = encode(
        "<|im_start|>user\nRead order.py.<|im_end|>\n<|im_start|>assistant\n<tool_call>", special=True
    )
    requests = list[str]()
    server = llama_engine.server

    def counted(name: str) -> None:
        ask: Any = getattr(server, name)

        def asked(*given: Any) -> Any:
            requests.append(name)
            return ask(*given)

        monkeypatch.setattr(server, name, asked)

    async def run() -> tuple[str, list[int]]:
        masked = ""
        options = {"n_predict": 60, "temperature": 0.0, "grammar": "%llguidance {}\n" + rule}
        async for event in server.complete(prompt, options):
            masked += event.text
        counted("sample")
        counted("complete")
        session = await llama_engine.open()
        await session.prefill(prompt)
        async with aclosing(session.generate(rule, (), 60)) as pieces:
            got = [piece async for piece in pieces]
        assert "".join(piece.text for piece in got) == masked
        return masked, [token for piece in got for token in piece.tokens]

    masked, tokens = asyncio.run(run())
    arguments = r'\{"path": "src/(cart|order)\.py"\}'
    assert re.fullmatch(
        rf'\n\{{"name": "re(ad|move)_file", "arguments": {arguments}\}}\n</tool_call>', masked
    )
    assert set(requests) == {"sample"}  # one pass for each choice within the name and the path
    assert len(requests) <= 4 < 16 < len(tokens)
