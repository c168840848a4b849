"""What is said of the tests: a verdict on how they went, or something else that has such words."""

from __future__ import annotations

import pytest

from agent.verdicts import Verdict, verdict_in


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Yes, all the tests pass right now.", Verdict.PASS),
        ("All ten tests are passing.", Verdict.PASS),
        ("No tests fail.", Verdict.PASS),
        ("I ran the tests and they all passed.", Verdict.PASS),
        ("10 passed, 0 failed.", Verdict.PASS),
        ("The test suite is green.", Verdict.PASS),
        ("The tests failed.", Verdict.FAIL),
        ("Two tests fail because discount adds.", Verdict.FAIL),
        ("Not all of the tests pass.", Verdict.FAIL),
        ("The test test_discount is failing.", Verdict.FAIL),
        ("The failing test is test_discount.", Verdict.FAIL),
        ("The test passes 4 to take and expects a ValueError.", None),
        ("The test fails if no error is raised.", None),
        ("The function passes the name of the test on.", None),
        ("Slugify fails on undefined.", None),
        ("I don't know whether the tests pass.", None),
        ("It checks that taking too many fails.", None),
    ],
)
def test_a_sentence_has_a_verdict_only_where_it_states_one(sentence: str, expected: Verdict | None) -> None:
    assert verdict_in(sentence) is expected
