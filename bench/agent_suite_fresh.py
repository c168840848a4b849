"""Tasks that the agent was never tuned on: written after the others, and never to be looked at when it is."""

# ruff: noqa: E501

from __future__ import annotations

from bench.agent_checks import Task, every, go, node, only, python, says, tests

PYTHON = (
    Task(
        "py-fresh-limit",
        "python",
        "How many items are there when stock counts as low?",
        says(r"five|5|low.stock|fewer|less"),
        is_change=False,
    ),
    Task(
        "py-fresh-comments",
        "python",
        "Make parse order skip lines that start with a hash sign.",
        every(
            only("stock/orders.py"),
            python(
                "from stock.orders import parse_order as p; assert p('# note\\ntea: 2\\n') == {'tea': 2}; assert p('milk: 5') == {'milk': 5}"
            ),
        ),
    ),
    Task(
        "py-fresh-remove",
        "python",
        "Please add a method called remove to Shelf that takes a name and deletes that item.",
        every(
            only("stock/items.py"),
            python(
                "from stock.items import *\ns = Shelf(); s.put(Item('a', 1, 2)); s.put(Item('b', 1, 3)); s.remove('a'); assert s.names() == ['b']"
            ),
        ),
    ),
    Task(
        "py-fresh-broken",
        "python",
        "Can you get the tests green again?",
        every(only("stock/orders.py"), tests(11)),
        setup=(("stock/orders.py", "max(target - count, 0)", "min(target - count, 0)"),),
    ),
    Task(
        "py-fresh-two",
        "python",
        "Rename with vat to gross price and add a docstring to it.",
        every(
            only("stock/pricing.py", "tests/test_pricing.py"),
            python("from stock.pricing import gross_price as f; assert f.__doc__; assert f(100) == 119"),
        ),
    ),
)

JAVASCRIPT = (
    Task(
        "js-fresh-water",
        "javascript",
        "How does water needed work?",
        says(r"duration|hour|litre|distance"),
        is_change=False,
    ),
    Task(
        "js-fresh-heaviest",
        "javascript",
        "Write a function heaviest in packing that returns the item with the greatest weight.",
        every(
            only("src/packing.js"),
            node(
                'import { heaviest } from "./src/packing.js"; assert.equal(heaviest([{ weight: 2 }, { weight: 9 }, { weight: 3 }]).weight, 9);'
            ),
        ),
    ),
    Task(
        "js-fresh-throw",
        "javascript",
        "Duration should throw an error if the speed is zero.",
        every(
            only("src/route.js"),
            node(
                'import { duration } from "./src/route.js"; assert.throws(() => duration(3, 0)); assert.equal(duration(9), 2);'
            ),
        ),
    ),
    Task(
        "js-fresh-broken",
        "javascript",
        "One of the tests is failing, fix it please.",
        every(only("src/packing.js"), tests(10)),
        setup=(("src/packing.js", "sum + item.weight", "sum - item.weight"),),
    ),
    Task(
        "js-fresh-stops",
        "javascript",
        "Set max stops to a dozen, I mean twelve.",
        every(
            only("src/route.js"),
            node('import { MAX_STOPS } from "./src/route.js"; assert.equal(MAX_STOPS, 12);'),
        ),
    ),
)

GO = (
    Task("go-fresh-full", "go", "What happens when the ledger is full?", says(r"err|full"), is_change=False),
    Task(
        "go-fresh-total",
        "go",
        "Add a function called Total to report that sums up a list of whole numbers.",
        every(
            only("report/report.go"), go("report", "\tif Total([]int{1, 2, 3}) != 6 {\n\t\tt.Fatal()\n\t}")
        ),
    ),
    Task(
        "go-fresh-clear",
        "go",
        "Add a method Clear to Ledger that removes all entries.",
        every(
            only("ledger/ledger.go"),
            go(
                "ledger",
                '\tl := &Ledger{}\n\tl.Add(Entry{"a", 1})\n\tl.Clear()\n\tif l.Len() != 0 {\n\t\tt.Fatal()\n\t}',
            ),
        ),
    ),
    Task(
        "go-fresh-broken",
        "go",
        "Why is a test failing? Fix it.",
        every(only("ledger/ledger.go"), tests(7)),
        setup=(
            ("ledger/ledger.go", "if value > high {\n\t\treturn high", "if value > high {\n\t\treturn low"),
        ),
    ),
    Task(
        "go-fresh-negative",
        "go",
        "Is overdrawn should only be true below minus one hundred.",
        # A test says that minus one is overdrawn: the change cannot stay, and that has to be told.
        says(r"could not|took it back"),
    ),
)

FRESH = (*PYTHON, *JAVASCRIPT, *GO)
