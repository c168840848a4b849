"""Those of the untouched tasks that are about the sample project in Go."""

# ruff: noqa: E501

from __future__ import annotations

from bench.agent_checks import Task, changes_nothing, either, every, go, has, only, passes, says, tests

_GO_TEST = passes("go", "test", "./...")

_LAST = (
    '\tl := &Ledger{{}}\n\tl.Add(Entry{{"a", 5}})\n\tl.Add(Entry{{"b", 1}})\n'
    '\tif {} := l.Last(); got.Name != "b" || l.Len() != 2 {{\n\t\tt.Fatal()\n\t}}'
)

GO = (
    Task(
        "go-fresh-package",
        "go",
        "Which package does Line live in?",
        says(r"\breport\b"),
        is_change=False,
    ),
    Task(
        "go-fresh-small",
        "go",
        "Clamp gives wrong answers for small values, a test says so. Fix it.",
        every(
            only("ledger/ledger.go"),
            go(
                "ledger",
                "\tif Clamp(-1, 0, 10) != 0 || Clamp(3, 5, 10) != 5 || Clamp(12, 0, 10) != 10 || Clamp(7, 0, 10) != 7 {\n\t\tt.Fatal()\n\t}",
            ),
        ),
        setup=(("ledger/ledger.go", "if value < low {\n\t\treturn low", "if value < low {\n\t\treturn value"),),
    ),
    Task(
        "go-fresh-nil",
        "go",
        "Len should return zero for a nil ledger instead of crashing.",
        every(
            only("ledger/ledger.go"),
            go(
                "ledger",
                '\tvar none *Ledger\n\tl := &Ledger{}\n\tl.Add(Entry{"a", 1})\n\tif none.Len() != 0 || l.Len() != 1 || (&Ledger{}).Len() != 0 {\n\t\tt.Fatal()\n\t}',
            ),
        ),
    ),
    Task(
        "go-fresh-last",
        "go",
        "Add a method Last to Ledger that returns the entry that was added most recently.",
        every(
            only("ledger/ledger.go"),
            # With or without something beside the entry that tells whether there is one.
            either(go("ledger", _LAST.format("got")), go("ledger", _LAST.format("got, _"))),
            _GO_TEST,
        ),
    ),
    Task(
        "go-fresh-percent",
        "go",
        "In report I want a function Percent. It takes a part and a whole and returns the part times a hundred divided by the whole, or zero if the whole is zero.",
        every(
            only("report/report.go"),
            go("report", "\tif Percent(1, 4) != 25 || Percent(3, 3) != 100 || Percent(3, 0) != 0 {\n\t\tt.Fatal()\n\t}"),
            _GO_TEST,
        ),
    ),
    Task(
        "go-fresh-broken",
        "go",
        "Is anything wrong with the tests at the moment?",
        every(tests(7), changes_nothing),
        is_change=False,
    ),
    Task(
        "go-fresh-debt",
        "go",
        "What does a balance have to be for it to count as overdrawn?",
        says(r"\bnegative\b|(below|under|less than|smaller than|lower than) (zero|0)|< ?0"),
        is_change=False,
    ),
    Task(
        "go-fresh-least",
        "go",
        "Put a constant MinAmount with the value one into the ledger file.",
        every(only("ledger/ledger.go"), go("ledger", "\tif MinAmount != 1 || MaxEntries != 100 {\n\t\tt.Fatal()\n\t}"), _GO_TEST),
    ),
    Task(
        "go-fresh-has",
        "go",
        "Give Ledger a method Has that says whether there's an entry of a given name.",
        every(
            only("ledger/ledger.go"),
            go("ledger", '\tl := &Ledger{}\n\tl.Add(Entry{"a", 5})\n\tif !l.Has("a") || l.Has("b") || l.Len() != 1 {\n\t\tt.Fatal()\n\t}'),
            _GO_TEST,
        ),
    ),
    Task(
        "go-fresh-average",
        "go",
        "The average comes out wrong, one of the tests is red. Mend it, please.",
        every(
            only("report/report.go"),
            go("report", "\tif Average([]int{2, 4, 6}) != 4 || Average([]int{5}) != 5 {\n\t\tt.Fatal()\n\t}"),
            _GO_TEST,
        ),
        setup=(("report/report.go", "return sum / len(values)", "return sum / (len(values) - 1)"),),
    ),
    Task(
        "go-fresh-limit",
        "go",
        "I'd prefer to have the function Clamp named Limit.",
        every(
            only("ledger/ledger.go", "ledger/ledger_test.go"),
            go("ledger", "\tif Limit(12, 0, 10) != 10 || Limit(-1, 0, 10) != 0 {\n\t\tt.Fatal()\n\t}"),
            has("ledger/ledger.go", r"\A(?![\s\S]*\bClamp\b)"),
            _GO_TEST,
        ),
    ),
    Task(
        "go-fresh-above",
        "go",
        "Write a comment above Balance that says what it computes.",
        every(
            only("ledger/ledger.go"),
            has("ledger/ledger.go", r"(//[^\n]*\w{3}[^\n]*|\*/)\nfunc \(l \*Ledger\) Balance\(\) int \{"),
            _GO_TEST,
        ),
    ),
)  # fmt: skip
