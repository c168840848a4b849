"""Times an edit that repeats eight lines: the MLX engine beside mlx-lm's own loop, with the same model."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.engine.mlx_decode import Decoding, MlxDecoder
from agent.engine.mlx_model import MlxModel
from agent.engine.mlx_tokeniser import load_tokeniser
from agent.toolcalls import grammar
from bench.report import machine, table, write_section
from voice import config
from voice.commands.context import store_of

RUNS = 3
LEAST_RATIO = 4.0
LONGEST_TOKENS = 200
ALIKE_TOKENS = 40
FENCE = grammar.FENCE

LINES = """\
def total(lines):
    result = 0
    for line in lines:
        price = line.price * line.count
        if line.discount:
            price -= line.discount
        result += price
    return result
"""
SYSTEM = "You edit files. A call is the tool, the path, the old lines and the new lines."
REQUEST = f"cart.py:\n{FENCE}\n{LINES}{FENCE}\nMake total return its result rounded to two digits."
BEFORE_OLD = f"tool: edit_file\npath: cart.py\nold:\n{FENCE}\n"
BEFORE_NEW = f"{FENCE}\nnew:\n{FENCE}\n"

SOURCES = Path(__file__).resolve().parent.parent / "agent"
CHANGES = ("Write it again with a better name for the first function.", "Write it again with a docstring.")


@dataclass(frozen=True)
class Blank:
    """One blank of the call: the prompt before it, and what came out."""

    prompt: tuple[int, ...]
    text: str
    tokens: tuple[int, ...]
    seconds: float


class Ours:
    """The engine's decode loop; drafts, passes ahead of their token and the grammar may be left out."""

    def __init__(self, folder: Path) -> None:
        self.tokeniser = load_tokeniser(folder)
        self._model = MlxModel(folder)
        self._decoder = MlxDecoder(self._model, self.tokeniser)

    def fill(
        self,
        prompt: tuple[int, ...],
        rule: str | None,
        *,
        drafts: bool,
        ahead: bool = True,
        most: int = LONGEST_TOKENS,
    ) -> Blank:
        """Continue `prompt`, which is computed before the clock starts, up to a fence."""
        self._decoder.drafts, self._decoder.goes_ahead = drafts, ahead
        kv = self._model.new_kv()
        self._model.prefill(kv, prompt[:-1])
        how = Decoding(rule, (FENCE,), most, temperature=0.0, seed=0)
        started_s = time.perf_counter()
        pieces = list(self._decoder.decode(kv, prompt, how, lambda: False))
        seconds = time.perf_counter() - started_s
        tokens = tuple(token for piece in pieces for token in piece.tokens)
        return Blank(prompt, "".join(piece.text for piece in pieces), tokens, seconds)


class Peer:
    """`mlx_lm.stream_generate`."""

    def __init__(self, folder: Path) -> None:
        import mlx_lm  # after `interpose_openblas`, so that it has the same BLAS

        loaded: Any = mlx_lm.load(str(folder))
        self._model, self._tokeniser = loaded[0], loaded[1]

    def fill(self, prompt: tuple[int, ...]) -> Blank:
        """As `Ours.fill`."""
        import mlx.core as mx
        import mlx_lm
        from mlx_lm.models.cache import make_prompt_cache

        cache: Any = make_prompt_cache(self._model)
        self._model(mx.array([prompt[:-1]]), cache=cache)
        mx.eval([layer.state for layer in cache])
        tokens: list[int] = []
        text = ""
        started_s = time.perf_counter()
        for answer in mlx_lm.stream_generate(
            self._model, self._tokeniser, [prompt[-1]], max_tokens=LONGEST_TOKENS, prompt_cache=cache
        ):
            text += answer.text
            if FENCE in text or answer.finish_reason == "stop":
                break
            tokens.append(answer.token)
        seconds = time.perf_counter() - started_s
        return Blank(prompt, text.partition(FENCE)[0], tuple(tokens), seconds)


def main() -> bool:
    """Time the call and write the section `decode`; False when it is too slow or its output another."""
    folder = store_of(config.load()).path("qwen2.5-coder-0.5b-mlx")
    ours = Ours(folder)
    peer = Peer(folder)
    theirs, waiting, plain, drafted, guided = (list[list[Blank]]() for _ in range(5))
    for _ in range(RUNS):
        theirs.append(list(call(ours, lambda prompt, _rule: peer.fill(prompt))))
        waiting.append(
            list(call(ours, lambda prompt, _rule: ours.fill(prompt, None, drafts=False, ahead=False)))
        )
        plain.append(list(call(ours, lambda prompt, _rule: ours.fill(prompt, None, drafts=False))))
        drafted.append(list(call(ours, lambda prompt, _rule: ours.fill(prompt, None, drafts=True))))
        guided.append(list(call(ours, lambda prompt, rule: ours.fill(prompt, rule, drafts=True))))
    rows = [
        ("`mlx_lm.stream_generate`", theirs),
        ("Utter, no drafts, each pass after its token was read", waiting),
        ("Utter, no drafts", plain),
        ("Utter, drafts", drafted),
        ("Utter, drafts and the grammar of the call", guided),
    ]
    is_same = all(text_of(run) == text_of(theirs[0]) for _, runs in rows for run in runs)
    repeats = theirs[0][0].text == LINES
    ratio = speed(drafted) / speed(theirs)
    n_alike, n_prompts = alike(ours)
    text = [
        f"`python -m bench decode`: an edit call that repeats {len(LINES.splitlines())} lines and writes "
        f"them changed, Qwen2.5-Coder 0.5B in float32, greedy, medians of {RUNS} runs in turn; the prompt is "
        f"computed before the clock starts. {machine()}",
        table(
            ["loop", "tokens", "tokens/s", "ratio"],
            [
                [
                    name,
                    str(n_tokens(runs[0])),
                    f"{speed(runs):.1f}",
                    f"{speed(runs) / speed(theirs):.1f}",
                ]
                for name, runs in rows
            ],
        ),
        f"- Drafts: {ratio:.1f} times the tokens per second of mlx-lm; {LEAST_RATIO:.0f} is wanted.\n"
        f"- All five wrote the same text: {'yes' if is_same else 'no'}; it begins with the lines as they "
        f"stand: {'yes' if repeats else 'no'}.\n"
        f"- Other prompts, {ALIKE_TOKENS} tokens each, with drafts and without: the same tokens in {n_alike} "
        f"of {n_prompts}.",
    ]
    write_section("decode", "\n\n".join(text))
    return ratio >= LEAST_RATIO and is_same and repeats and n_alike == n_prompts


def call(ours: Ours, fill: Callable[[tuple[int, ...], str], Blank]) -> Iterator[Blank]:
    """Both blanks of the call, one after the other; `fill` takes the prompt and the blank's grammar."""
    start = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n{REQUEST}<|im_end|>\n"
    prompt = encode(ours, f"{start}<|im_start|>assistant\n{BEFORE_OLD}")
    old = fill(prompt, grammar.consecutive(LINES.splitlines()))
    yield old
    after = (*prompt, *encode(ours, old.text + BEFORE_NEW))
    yield fill(after, grammar.code(40))


def alike(ours: Ours) -> tuple[int, int]:
    """Of how many prompts about real files the tokens are the same with drafts as without."""
    same = n = 0
    for number, path in enumerate(sorted(SOURCES.glob("*.py"))[:12]):
        code = "".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:24])
        request = f"<|im_start|>user\n{FENCE}\n{code}{FENCE}\n{CHANGES[number % len(CHANGES)]}<|im_end|>\n"
        prompt = encode(ours, f"{request}<|im_start|>assistant\n{FENCE}python\n")
        with_drafts, without = (
            ours.fill(prompt, None, drafts=drafts, most=ALIKE_TOKENS).tokens for drafts in (True, False)
        )
        same += with_drafts == without
        n += 1
    return same, n


def encode(ours: Ours, text: str) -> tuple[int, ...]:
    return tuple(ours.tokeniser.encode(text, special=True))


def text_of(run: Sequence[Blank]) -> list[str]:
    return [blank.text.rstrip("\n") for blank in run]


def n_tokens(run: Sequence[Blank]) -> int:
    return sum(len(blank.tokens) for blank in run)


def speed(runs: Sequence[Sequence[Blank]]) -> float:
    """Tokens per second, the median over the runs."""
    return statistics.median(n_tokens(run) / sum(blank.seconds for blank in run) for run in runs)
