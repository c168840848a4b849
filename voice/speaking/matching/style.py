"""A Kokoro style fitted to a person: shares of the model's voices, searched for by CMA-ES and a random walk.

Hansen and Ostermeier, "Completely derandomized self-adaptation in evolution strategies", Evolutionary
Computation 9, 2001; the package cmaes. The speaker encoder both guides the search and judges it, so it judges
on speech of the person that the search did not see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.speaking.engines.kokoro import KokoroSynthesiser
from voice.speaking.matching.fit import PROMPTS, Base, Fitted, Hear, Target, fit
from voice.speaking.matching.likeness import SpeakerEncoder
from voice.speaking.synthesis import Samples

BETTER = 0.02
"""Likeness that a fitted style must gain to be kept."""

_GENERATIONS, _POPULATION = 6, 8  # 48 evaluations
_WALK_STEPS, _WALK_SIGMA = 10, 0.15
_SIGMA = 0.8
_START_LEAD = 1.5  # of the base that the search begins from, in the logarithm of its share
_DNSMOS_NOISE = 0.02  # by which two takes of one voice differ

Shares = dict[str, float]


@dataclass(frozen=True)
class Judged:
    """What a voice says of a sentence, judged: likeness to held-out speech, wrong words, DNSMOS."""

    likeness: float
    errors: int
    dnsmos: float


def is_worth(new: Judged, old: Judged) -> bool:
    """Whether a fitted style is kept in place of the base: liker, and neither less clear nor less clean."""
    return (
        new.likeness > old.likeness + BETTER
        and new.errors <= old.errors
        and new.dnsmos >= old.dnsmos - _DNSMOS_NOISE
    )


def search(
    names: tuple[str, ...], start: Mapping[str, float], score: Callable[[Shares], float], seed: int = 1
) -> Iterator[tuple[Shares, float]]:
    """The best shares found so far and their score, after each evaluation; left when nobody asks on.

    `start`: shares to begin near, of `names`; `score`: higher is better.
    """
    from cmaes import CMA  # brings SciPy, see tuning.py

    rng = np.random.default_rng(seed)
    heaviest = max(start, key=lambda name: start[name])
    middle = np.array([_START_LEAD if name == heaviest else 0.0 for name in names])
    cma = CMA(mean=middle, sigma=_SIGMA, population_size=_POPULATION, seed=seed)
    best, best_score = dict(start), score(dict(start))
    at = middle
    yield best, best_score
    for _ in range(_GENERATIONS):
        asked: list[tuple[NDArray[np.float64], float]] = []
        for _ in range(_POPULATION):
            point = cma.ask()
            found = score(_shares(names, point))
            asked.append((point, -found))
            if found > best_score:
                best, best_score, at = _shares(names, point), found, point
            yield best, best_score
        cma.tell(asked)
    for _ in range(_WALK_STEPS):
        point = at + rng.normal(0, _WALK_SIGMA, len(names))
        found = score(_shares(names, point))
        if found > best_score:
            best, best_score, at = _shares(names, point), found, point
        yield best, best_score


def score_of(
    kokoro: KokoroSynthesiser, target: Target, encoder: SpeakerEncoder, formants: float
) -> Callable[[Shares], float]:
    """How like `target` a mixture is once it is matched, on one prompt; 0 where it has no voice."""

    def score(shares: Shares) -> float:
        kokoro.use(shares)
        base = Base.of("", _said(kokoro), kokoro.sample_rate, PROMPTS[:1])
        fitted = fit(target, [base], encoder, (formants,))
        return 0.0 if fitted is None else fitted.likeness

    return score


def matched_on(
    kokoro: KokoroSynthesiser, shares: Shares, target: Target, encoder: SpeakerEncoder, hear: Hear
) -> Fitted | None:
    """The match on top of a mixture, over all prompts; None when the mixture has no voice."""
    kokoro.use(shares)
    base = Base.of("", _said(kokoro), kokoro.sample_rate)
    return fit(target, [base], encoder, hear=hear)


def _said(voice: KokoroSynthesiser) -> Callable[[str], Samples]:
    return lambda text: np.concatenate([np.zeros(0, np.float32), *voice.synthesise(text)])


def _shares(names: tuple[str, ...], point: NDArray[np.float64]) -> Shares:
    """A point of the search as shares: positive, and one in all."""
    weights = np.exp(point - point.max())
    return {
        name: float(weight)
        for name, weight in zip(names, weights / weights.sum(), strict=True)
        if weight > 1e-3
    }
