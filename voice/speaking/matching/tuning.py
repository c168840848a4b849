"""A filter's target, moved a little to where the speaker encoder hears more of the person, by CMA-ES.

Means and covariances bring a voice's colour near; which of its cepstra people are told apart by, only the
encoder knows. Hansen and Ostermeier, "Completely derandomized self-adaptation in evolution strategies",
Evolutionary Computation 9, 2001; the package cmaes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from voice.speaking.matching.colour import Floats, Transport

N_TUNED = 12
"""Cepstra that are moved: the coarse shape."""

_GENERATIONS, _POPULATION = 6, 10
_SIGMA = 0.25  # of the first generation, in standard deviations of the person's cepstra
_FAR = 0.1  # likeness that a move of one standard deviation in each costs; moving far costs DNSMOS too


def tuned(
    moves: Transport, deviations: Floats, scores: Callable[[list[Transport]], Sequence[float]]
) -> Transport:
    """The middle of the last generation, which is surer than its best.

    `deviations`: of the person's c1 to c24; `scores`: one for each, higher is better, about 0 to 1.
    """
    from cmaes import CMA  # brings SciPy, which takes longer to import than most commands to begin

    def at(point: Floats) -> Transport:
        offsets = np.zeros(len(moves.target))
        offsets[:N_TUNED] = point * deviations[:N_TUNED]
        return replace(moves, target=moves.target + offsets)

    cma = CMA(mean=np.zeros(N_TUNED), sigma=_SIGMA, population_size=_POPULATION, seed=1)
    for _ in range(_GENERATIONS):
        points = [cma.ask() for _ in range(_POPULATION)]
        found = zip(points, scores([at(one) for one in points]), strict=True)
        cma.tell([(one, _FAR * float(np.mean(one**2)) - score) for one, score in found])
    return at(cma.mean)
