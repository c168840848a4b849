"""The tuning of a filter: towards a higher score, and of the coarse cepstra alone."""

from __future__ import annotations

import numpy as np
import pytest

from voice.speaking.matching.colour import N_MOVED, Transport
from voice.speaking.matching.tuning import N_TUNED, tuned

MOVES = Transport(np.zeros(N_MOVED), np.linspace(1, 2, N_MOVED), np.eye(N_MOVED))
DEVIATIONS = np.linspace(0.5, 0.1, N_MOVED)


@pytest.mark.parametrize("best", [-1.0, 0.5, 1.0])
def test_the_target_moves_to_where_the_score_is_higher(best: float) -> None:
    wanted = MOVES.target + best * DEVIATIONS

    def score(moves: Transport) -> float:
        return -float(np.mean(((moves.target - wanted) / DEVIATIONS)[:N_TUNED] ** 2))

    found = tuned(MOVES, DEVIATIONS, lambda some: [score(one) for one in some])
    assert score(found) > 0.7 * score(MOVES)
    assert np.array_equal(found.target[N_TUNED:], MOVES.target[N_TUNED:])
    assert np.array_equal(found.source, MOVES.source) and np.array_equal(found.matrix, MOVES.matrix)


def test_where_nothing_is_better_it_stays_near() -> None:
    found = tuned(MOVES, DEVIATIONS, lambda some: [0.5] * len(some))
    assert np.abs((found.target - MOVES.target) / DEVIATIONS).max() < 0.5
    again = tuned(MOVES, DEVIATIONS, lambda some: [0.5] * len(some))
    assert np.array_equal(found.target, again.target)
