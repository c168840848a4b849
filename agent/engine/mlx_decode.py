"""The decode loop of the MLX engine: passes to tokens to pieces. Runs on the one worker thread of mlx.py.

A pass computes what stands but is not in the cache: the last token chosen, what the grammar forces after it,
and a draft of what may follow, of which the part that the model itself chooses stays.

In free text the pass over a token begins before the token is read, so that the device never waits; where
another token follows in the end, or none, that pass is taken back.

Passes of several tokens round differently from passes of one. So that the tokens are those that would come
out without drafts, a choice between two near ties in an inexact pass is made anew, from an exact one: the
cache is cut back to the last exact pass and goes on as it would have without drafts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import llguidance

from agent.decode.calls import CallGrammar, Constraint
from agent.decode.guide import Guide
from agent.decode.lookup import Draft, Lookup
from agent.decode.payoff import Payoff
from agent.decode.repetition import LoopWatch
from agent.engine.families import Family
from agent.engine.mlx_model import Ahead, Kv, MlxModel
from agent.engine.mlx_pick import Pick, Picker, Rows
from agent.engine.mlx_tokeniser import MlxTokeniser
from agent.engine.pieces import PieceMaker
from agent.engine.protocol import EngineError, Finish, Piece

_LONGEST_DRAFT_TOKENS = 63

# Passes without a draft before the next one begins ahead: a draft has to know the token that it follows, and
# what is being copied is seldom out of step for longer.
_QUIET_PASSES = 2


@dataclass(frozen=True)
class Decoding:
    """How to continue; see `Session.generate`."""

    constraint: Constraint
    stop: tuple[str, ...]
    max_tokens: int
    temperature: float
    seed: int


class Cancelled(Exception):
    """The caller does not want the rest."""


class MlxDecoder:
    """Continues prompts with one model. `drafts` and `goes_ahead` may be turned off, to compare."""

    def __init__(self, model: MlxModel, tokeniser: MlxTokeniser) -> None:
        self.model = model
        self.tokeniser = tokeniser
        self.drafts = True
        self.goes_ahead = True
        self.payoff = Payoff()
        self._grammars: llguidance.LLTokenizer | None = None

    def decode(
        self,
        kv: Kv,
        prompt: tuple[int, ...],
        how: Decoding,
        is_cancelled: Callable[[], bool],
    ) -> Generator[Piece]:
        """Continue `prompt`, most of which `kv` holds. Ends early, without a last piece, when cancelled.

        `kv` is the caller's again when the generator has ended or been closed.
        """
        guide = Guide(how.constraint, self.grammars, self._shown, self.tokeniser.eos_tokens)
        try:
            yield from _Decode(self, kv, prompt, how, guide, is_cancelled).pieces()
        except Cancelled:
            return

    def grammars(self) -> llguidance.LLTokenizer:
        """The tokeniser in llguidance's form."""
        if self._grammars is None:  # takes about a second
            self._grammars = llguidance.LLTokenizer(
                self.tokeniser.tokeniser.to_str(),
                # A model's logits may be wider than its tokeniser, for alignment, or narrower.
                n_vocab=max(self.model.vocabulary_size, len(self.tokeniser.vocabulary.texts)),
                eos_token=sorted(self.tokeniser.eos_tokens),
            )
        return self._grammars

    def _shown(self, token: int) -> bytes:
        vocabulary = self.tokeniser.vocabulary
        return vocabulary.bytes_of(token) or vocabulary.texts[token]


class _Decode:
    """One generation."""

    def __init__(
        self,
        decoder: MlxDecoder,
        kv: Kv,
        prompt: tuple[int, ...],
        how: Decoding,
        guide: Guide,
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._model = decoder.model
        self._tokeniser = decoder.tokeniser
        self._payoff = decoder.payoff
        self._kv = kv
        self._guide = guide
        self._is_cancelled = is_cancelled
        self._maker = PieceMaker(how.stop)
        self._picker = Picker(decoder.model.mx, how.temperature, how.seed)
        self._loops = LoopWatch(prompt)
        self._lookup = Lookup(prompt) if decoder.drafts else None
        # Text in calls is written with escapes, and what is to be repeated has not been seen so yet.
        self._is_unescaped = isinstance(how.constraint, CallGrammar) and how.constraint.escapes_json
        self._tokens = prompt
        self._left = how.max_tokens
        self._is_cut = False  # by the limit, amid what a grammar forces
        self._goes_ahead = decoder.goes_ahead and decoder.model.family is not Family.UNKNOWN
        self._ahead: Ahead | None = None  # the pass over the last token, under way or done
        self._quiet_passes = 0
        self._passed_s = 0.0  # when the last pass had ended
        # Up to here the cache is as it would be without drafts; `_steps` are what the passes from here would
        # compute.
        self._exact_tokens = self._model.keep(kv, prompt[:-1])
        self._steps = [prompt[self._exact_tokens :]]

    def pieces(self) -> Iterator[Piece]:
        """See `MlxDecoder.decode`. However it ends, the cache holds what it says that it holds."""
        try:
            yield from self._pieces()
        finally:
            self._take_back()

    def _pieces(self) -> Iterator[Piece]:
        forced = self._within_limit(self._guide.forced())
        self._steps[-1] += forced
        yield from self._write(forced)
        while not self._maker.finished:
            if self._guide.problem:
                raise EngineError(f"The grammar cannot be followed any further: {self._guide.problem}")
            if self._guide.is_over and not self._is_cut:
                yield self._maker.finish(Finish.END_OF_TURN)
            elif self._left <= 0:
                yield self._maker.finish(Finish.LENGTH)
            else:
                yield from self._pass()

    def _pass(self) -> Iterator[Piece]:
        """One pass through the model, and all the tokens that come of it."""
        held = len(self._kv.tokens)
        new, draft = self._tokens[held:], self._draft()
        self._quiet_passes = self._quiet_passes + 1 if draft is None else 0
        if self._ahead is not None:
            draft = None  # the next token may have one: the pass over this one is under way
        is_exact = draft is None and held == self._exact_tokens and len(self._steps) == 1
        drafted = draft.tokens if draft is not None else ()
        rows = self._rows((*new, *drafted), len(drafted) + 1, is_exact)
        if is_exact:
            self._exact_tokens, self._steps = len(self._tokens), []
        at = 0
        while not self._maker.finished:
            pick = self._pick(rows, at, is_exact)
            if pick.is_near_tie:
                self._take_back()
                pick, rows, at, drafted = *self._pick_exactly(), 0, ()
            if pick.token in self._tokeniser.eos_tokens:
                yield self._maker.finish(Finish.END_OF_TURN)
                break
            chosen = self._within_limit(self._guide.take(pick.token))
            if chosen != (pick.token,):
                self._take_back()
            if not chosen:
                continue  # the same place again, now under a grammar
            self._steps.append(chosen)
            yield from self._write(chosen)
            if drafted[at : at + len(chosen)] != chosen or self._guide.is_over or self._left <= 0:
                break
            at += len(chosen)
        if draft is not None:
            self._model.keep(self._kv, self._tokens[:-1])
            if drafted:
                self._payoff.observe_draft(draft.matched, len(drafted), at)

    def _rows(self, tokens: Sequence[int], positions: int, is_exact: bool) -> Rows:
        if self._is_cancelled():
            raise Cancelled
        started_s = self._passed_s if self._ahead is not None else time.perf_counter()
        with self._model.computing(self._kv):
            logits = self._extend(tokens, positions)
            rows = self._picker.rows(logits, finds_ties=not is_exact)
            ahead = self._begin_next(rows) if positions == 1 else None
            rows.read()
        self._ahead, self._passed_s = ahead, time.perf_counter()
        self._payoff.observe_pass(len(tokens), self._passed_s - started_s)
        return rows

    def _extend(self, tokens: Sequence[int], positions: int) -> Any:
        if self._ahead is None:
            return self._model.extend(self._kv, tokens, positions=positions)
        ahead, self._ahead = self._ahead, None
        self._kv.tokens += tuple(tokens)
        return ahead.logits

    def _begin_next(self, rows: Rows) -> Ahead | None:
        """Begin the pass over the token that `rows` will give, where it is likely to be of use."""
        is_likely = self._guide.is_free and self._left > 1 and self._quiet_passes >= _QUIET_PASSES
        if not self._goes_ahead or not is_likely:
            return None
        return self._model.extend_ahead(self._kv, self._picker.choose_freely(rows))

    def _take_back(self) -> None:
        """Undo the pass that was begun ahead."""
        if self._ahead is not None:
            self._model.take_back(self._kv, self._ahead)
            self._ahead = None

    def _pick(self, rows: Rows, at: int, is_exact: bool) -> Pick:
        pick = self._picker.pick(rows, at, self._guide)
        if self._picker.is_greedy and not is_exact:
            self._payoff.observe_picks(1, int(pick.is_near_tie))
        return pick

    def _pick_exactly(self) -> tuple[Pick, Rows]:
        """Compute anew, as without drafts, all that was not; choose from that."""
        self._model.keep(self._kv, self._tokens[: self._exact_tokens])
        *before, last = self._steps
        for step in before:
            self._rows(step, 1, is_exact=True)
        rows = self._rows(last, 1, is_exact=True)
        self._exact_tokens, self._steps = len(self._tokens), []
        return self._picker.pick(rows, 0, self._guide), rows

    def _draft(self) -> Draft | None:
        """What to try beside the next token, when that pays."""
        if self._lookup is None or self._left < 2 or not self._model.family.trims:
            return None
        if self._is_unescaped and self._guide.is_in_call:
            self._is_unescaped = False
            self._lookup.add_source(self._escaped())
        found = self._lookup.draft(min(_LONGEST_DRAFT_TOKENS, self._left - 1))
        if found is None:
            return None
        tokens = self._guide.admitted(found.tokens)
        length = self._payoff.draft_tokens(found.matched, len(tokens))
        return Draft(tuple(tokens[:length]), found.matched) if length else None

    def _escaped(self) -> list[int]:
        """The tokens of all that stands, written as in a JSON string: what a call may repeat of it."""
        text = b"".join(map(self._tokeniser.vocabulary.bytes_of, self._tokens)).decode(errors="replace")
        return self._tokeniser.encode(json.dumps(text, ensure_ascii=False)[1:-1], special=False)

    def _within_limit(self, tokens: tuple[int, ...]) -> tuple[int, ...]:
        self._is_cut = self._is_cut or len(tokens) > self._left
        return tokens[: self._left]

    def _write(self, tokens: Sequence[int]) -> Iterator[Piece]:
        """Append chosen or forced tokens; gives the pieces that they make ready."""
        vocabulary = self._tokeniser.vocabulary
        for token in tokens:
            self._tokens += (token,)
            self._left -= 1
            if self._lookup is not None:
                self._lookup.append((token,))
            yield from self._maker.push(token, vocabulary.written(token))
            if self._maker.finished:
                return
            if self._loops.push(token):
                yield self._maker.finish(Finish.REPETITION)
                return
