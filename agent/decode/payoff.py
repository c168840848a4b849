"""Whether a draft pays and how long it should be, learned from what passes cost and drafts gave. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

_LENGTHS = (3, 7, 15, 31, 63)  # of drafts; the pass is one token wider

# A pass over w tokens costs about this many times one over a single token, until it has been timed.
# Float32 on two cores: 2.3 for 8 tokens, 3.1 for 32; a GPU does better.
_FIRST_RATIO, _RATIO_PER_TOKEN = 1.4, 1 / 20

_TIMES_KEPT = 0.8  # of an average when a new pass is timed
_DRAFTS_KEPT = 0.95  # of the weight of older drafts with each new one
_DRIFT = 0.02  # of the way back to the first guess, each time that a draft is not tried
_FIRST_DRAFTS = 4.0  # how many drafted tokens the first guess weighs

# Passes of several tokens round differently, so a draft that is refused for a near tie has all since the last
# exact pass computed anew. The chance is reckoned over this many tokens to come.
_HORIZON_TOKENS = 128
_FIRST_PICKS, _FIRST_TIES = 4000.0, 0.4


@dataclass
class _Rate:
    right: float
    tried: float

    def value(self) -> float:
        return self.right / self.tried


@dataclass
class Payoff:
    """What one model on one machine has shown; kept for as long as the model is loaded."""

    _times_s: dict[int, float] = field(default_factory=dict[int, float])
    _rates: dict[int, _Rate] = field(default_factory=dict[int, _Rate])
    _picks: float = _FIRST_PICKS
    _ties: float = _FIRST_TIES

    def observe_pass(self, width_tokens: int, seconds: float) -> None:
        """A pass over `width_tokens` took `seconds`."""
        size = width_tokens.bit_length()
        before_s = self._times_s.get(size, seconds)
        # One slow pass, while the machine did something else, must not end drafting.
        seconds = min(seconds, 4 * before_s)
        self._times_s[size] = _TIMES_KEPT * before_s + (1 - _TIMES_KEPT) * seconds

    def observe_draft(self, matched: int, proposed_tokens: int, accepted_tokens: int) -> None:
        """Of a draft found by `matched` tokens the first `accepted_tokens` were right."""
        rate = self._rate(matched)
        rate.right = rate.right * _DRAFTS_KEPT + accepted_tokens
        rate.tried = rate.tried * _DRAFTS_KEPT + min(accepted_tokens + 1, proposed_tokens)

    def observe_picks(self, picks: int, ties: int) -> None:
        """Of `picks` greedy choices `ties` were too near to trust a pass of several tokens."""
        self._picks += picks
        self._ties += ties

    def draft_tokens(self, matched: int, most_tokens: int) -> int:
        """How many tokens to draft, of at most `most_tokens`; 0 when drafting does not pay."""
        p = min(self._rate(matched).value(), 0.995)
        kept = (1 - self._ties / self._picks) ** _HORIZON_TOKENS
        best, best_speed = 0, 1 / self._cost(1)
        for length in _LENGTHS:
            if length > most_tokens and length != _LENGTHS[0]:
                length = most_tokens
            if length > most_tokens:
                break
            accepted = p * (1 - p**length) / (1 - p)
            speed = (1 + accepted * kept) / self._cost(length + 1)
            if speed > best_speed:
                best, best_speed = length, speed
        self._forget(matched, is_off=best == 0)
        return best

    def _rate(self, matched: int) -> _Rate:
        if matched not in self._rates:
            self._rates[matched] = _Rate(_first_rate(matched) * _FIRST_DRAFTS, _FIRST_DRAFTS)
        return self._rates[matched]

    def _forget(self, matched: int, *, is_off: bool) -> None:
        """While off, drift slowly back to the first guess, so that it is tried again some time."""
        if is_off:
            rate = self._rate(matched)
            rate.right += _DRIFT * (_first_rate(matched) - rate.right)
            rate.tried += _DRIFT * (1 - rate.tried)

    def _cost(self, width_tokens: int) -> float:
        """Seconds of a pass, from the nearest width that was timed."""
        size = width_tokens.bit_length()
        if not self._times_s:
            return _ratio(width_tokens)
        near = min(self._times_s, key=lambda other: abs(other - size))
        return self._times_s[near] * (1 if near == size else _ratio(width_tokens) / _ratio(1 << (near - 1)))


def _first_rate(matched: int) -> float:
    return 0.5 + 0.45 * min(matched, 12) / 12


def _ratio(width_tokens: int) -> float:
    return 1.0 if width_tokens == 1 else _FIRST_RATIO + _RATIO_PER_TOKEN * width_tokens
