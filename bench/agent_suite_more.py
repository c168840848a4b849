"""More tasks that the agent was tuned on: once the untouched ones, until their misses were looked at."""

# ruff: noqa: E501

from __future__ import annotations

import sys

from bench.agent_checks import (
    Task,
    changes_nothing,
    either,
    every,
    go,
    has,
    node,
    only,
    passes,
    python,
    says,
    tests,
)

_UNITTEST = passes(sys.executable, "-m", "unittest")
_NODE_TEST = passes("node", "--test")
_GO_TEST = passes("go", "test", "./...")

PYTHON = (
    Task(
        "py-raise",
        "python",
        "Whereabouts do we raise a value error?",
        says(r"(?<!test[ _])\bitems(\.py| dot py| module| file)|\bin `?items\b|(?<!test[ _])\btake\b|\bshelf\b(?! test)"),
        is_change=False,
    ),
    Task(
        "py-bump",
        "python",
        "Put low stock up to six and run the tests afterwards.",
        every(only("stock/items.py"), python("from stock.items import LOW_STOCK; assert LOW_STOCK == 6"), tests(11)),
    ),
    Task(
        "py-load",
        "python",
        "In orders dot py I need a function load order. It opens a path and gives back the order that was saved there.",
        every(
            only("stock/orders.py"),
            python(
                "import os, tempfile\n"
                "from stock.orders import load_order, parse_order, save_order\n"
                "with tempfile.TemporaryDirectory() as folder:\n"
                "    path = os.path.join(folder, 'order.json')\n"
                "    save_order({'tea': 2, 'milk': 5}, path)\n"
                "    assert load_order(path) == {'tea': 2, 'milk': 5}\n"
                "assert parse_order('milk: 5') == {'milk': 5}"
            ),
        ),
    ),
    Task(
        "py-typo",
        "python",
        "Nothing in pricing dot py can be imported any more. There must be a typo, please correct it.",
        every(
            only("stock/pricing.py"),
            python(
                "from stock.pricing import *\n"
                "assert (bulk_price(10, 10), bulk_price(10, 9), bulk_price(2, 20)) == (85, 90, 34)\n"
                "assert (with_vat(100), discount(200, 10)) == (119, 180)"
            ),
        ),
        setup=(("stock/pricing.py", "if count >= 10:", "if count >= 10"),),
    ),
    Task(
        "py-unknown",
        "python",
        "When an item isn't on the shelf, take dies with a key error. I want a value error there too.",
        every(
            only("stock/items.py"),
            python(
                "from stock.items import Item, Shelf\n"
                "s = Shelf(); s.put(Item('a', 2, 3))\n"
                "for wrong in (('b', 1), ('a', 4)):\n"
                "    try:\n        s.take(*wrong)\n    except ValueError:\n        pass\n    else:\n        raise SystemExit(1)\n"
                "assert s.take('a', 2) == 4; assert s.take('a', 1) == 2; assert s.names() == ['a']"
            ),
        ),
    ),
    Task(
        "py-class",
        "python",
        "Rename the class Item to article.",
        every(
            only("stock/items.py", "tests/test_items.py"),
            python(
                "import stock.items as i\n"
                "s = i.Shelf(); s.put(i.Article('a', 2.0, 3)); assert s.take('a', 2) == 4; assert not hasattr(i, 'Item')"
            ),
            passes(sys.executable, "-m", "unittest"),
        ),
    ),
    Task(
        "py-default",
        "python",
        "What count does a new item get if I don't give one?",
        says(r"(?<![\d.])0(?!\.?\d)|\bzero\b"),
        is_change=False,
    ),
    Task(
        "py-kind",
        "python",
        "What does low return, the items themselves or just their names?",
        says(r"^(?!.*\bnot (just |only )?(the |their |item )*names?\b).*\bnames?\b"),
        is_change=False,
    ),
    Task(
        "py-reading",
        "python",
        "Something's off with reading orders, a test complains. Could you repair it?",
        every(
            only("stock/orders.py"),
            python("from stock.orders import parse_order as p; assert p('\\na: 1\\n\\n  \\nb: 2\\n') == {'a': 1, 'b': 2}"),
            _UNITTEST,
        ),
        setup=(("stock/orders.py", "            continue", "            break"),),
    ),
)  # fmt: skip

JAVASCRIPT = (
    Task(
        "js-list",
        "javascript",
        "What's on the packing list for a cold trip of three days?",
        says(r"\btents?\b", r"\bjackets?\b"),
        is_change=False,
    ),
    Task(
        "js-ascent",
        "javascript",
        "I'd rather have climb time called ascent time, also in the tests.",
        every(
            only("src/route.js", "test/route.test.js"),
            node(
                'import * as route from "./src/route.js"; assert.equal(route.ascentTime(600), 1); assert(!("climbTime" in route)); '
                'await import("./test/route.test.js");'
            ),
        ),
    ),
    Task(
        "js-remark",
        "javascript",
        "Leave a short comment at slugify about what it does to a title.",
        every(
            only("src/format.js"),
            # Right before the function, or anywhere in it.
            has("src/format.js", r"(//[^\n]*\w{3}[^\n]*|\*/)\s*\n(export )?function slugify\(|function slugify\(title\) \{[^}]*(//[^\n]*|/\*[^}]*)\w{3}[^}]*\n?\}"),
            node('import * as f from "./src/format.js"; assert.equal(f.slugify(" Two  Lakes"), "two-lakes"); assert.equal(f.formatHours(1.5), "1 h 30 min"); assert.equal(f.parseLeg("a: 4").distance, 4);'),
        ),
    ),
    Task(
        "js-nowhere",
        "javascript",
        "As long as a route has no stops, last should give me null.",
        every(
            only("src/route.js"),
            node(
                'import { Route } from "./src/route.js"; const r = new Route("a"); assert.equal(r.last(), null); '
                'r.addStop("b"); assert.equal(r.last(), "b"); r.addStop("c"); assert.equal(r.last(), "c"); assert.equal(r.stops.length, 2);'
            ),
        ),
    ),
    Task(
        "js-tent",
        "javascript",
        "The test about the tent is red. Put that right, please.",
        every(
            only("src/packing.js"),
            node(
                'import { packingList as p, totalWeight, waterNeeded } from "./src/packing.js"; '
                'assert.deepEqual([p(1, false), p(1, true), p(2, false), p(5, true)], [["map", "water"], ["map", "water", "jacket"], ["map", "water", "tent"], ["map", "water", "tent", "jacket"]]); '
                'assert.equal(totalWeight([{ weight: 2 }, { weight: 3 }]), 5); assert.equal(waterNeeded(9), 1);'
            ),
        ),
        setup=(("src/packing.js", "if (days > 1)", "if (days > 2)"),),
    ),
    Task(
        "js-pace",
        "javascript",
        "How fast do we assume that people walk?",
        says(r"(?<![\d.])4\.5(?!\d)|four (and a half|point five)"),
        is_change=False,
    ),
    Task(
        "js-most",
        "javascript",
        "How many stops can a route have at most?",
        says(r"(?<![\d.])8(?!\.?\d)|\beight\b"),
        is_change=False,
    ),
    Task(
        "js-destination",
        "javascript",
        "Rename the method last to destination.",
        every(
            only("src/route.js", "test/route.test.js"),
            node(
                'import { Route } from "./src/route.js"; const r = new Route("a"); r.addStop("b"); r.addStop("c"); '
                'assert.equal(r.destination(), "c"); assert.equal(r.last, undefined);'
            ),
            _NODE_TEST,
        ),
    ),
    Task(
        "js-pass",
        "javascript",
        "Do all the tests pass right now?",
        every(tests(10), changes_nothing),
        is_change=False,
    ),
    Task(
        "js-load",
        "javascript",
        "Node refuses to load the route module, please mend that.",
        every(
            only("src/route.js"),
            node(
                'import { Route, totalDistance as t, climbTime, duration } from "./src/route.js"; '
                'assert.equal(t([{ distance: 1 }, { distance: 2 }, { distance: 4 }]), 7); assert.equal(t([]), 0); '
                'assert.equal(new Route("x").name, "x"); assert.equal(climbTime(600), 1); assert.equal(duration(9), 2);'
            ),
            _NODE_TEST,
        ),
        setup=(("src/route.js", "    total += leg.distance;\n  }\n", "    total += leg.distance;\n"),),
    ),
)  # fmt: skip

GO = (
    Task(
        "go-currency",
        "go",
        "Which function puts the currency behind a number?",
        says(r"format[ _]?amount"),
        is_change=False,
    ),
    Task(
        "go-names",
        "go",
        "Give Ledger a method Names that returns the names of the entries in the order they came in.",
        every(
            only("ledger/ledger.go"),
            go(
                "ledger",
                "\tl := &Ledger{}\n"
                '\tl.Add(Entry{"rent", -7})\n\tl.Add(Entry{"pay", 9})\n\tl.Add(Entry{"tea", 1})\n'
                '\tif got := strings.Join(l.Names(), " "); got != "rent pay tea" {\n\t\tt.Fatal(got)\n\t}\n'
                "\tif l.Len() != 3 || l.Balance() != 3 || len((&Ledger{}).Names()) != 0 {\n\t\tt.Fatal()\n\t}",
                "strings",
            ),
        ),
    ),
    Task(
        "go-nothing",
        "go",
        "Largest blows up when there are no entries. It should return an empty entry in that case.",
        every(
            only("ledger/ledger.go"),
            go(
                "ledger",
                "\tif Largest(nil) != (Entry{}) || Largest([]Entry{}) != (Entry{}) {\n\t\tt.Fatal()\n\t}\n"
                '\tif Largest([]Entry{{"a", -3}, {"b", -1}, {"c", -2}}).Name != "b" {\n\t\tt.Fatal()\n\t}',
            ),
        ),
    ),
    Task(
        "go-commit",
        "go",
        "Raise max entries to five hundred and commit that.",
        every(
            only("ledger/ledger.go"),
            go("ledger", "\tif MaxEntries != 500 {\n\t\tt.Fatal()\n\t}"),
            python(
                "import subprocess\n"
                "committed = subprocess.check_output(['git', 'show', 'HEAD:ledger/ledger.go'], text=True)\n"
                "assert committed == open('ledger/ledger.go').read()"
            ),
        ),
    ),
    Task(
        "go-compile",
        "go",
        "The report package doesn't compile. Can you see to that?",
        every(
            only("report/report.go"),
            go(
                "report",
                "\tif Average([]int{2, 4, 6}) != 4 || Average([]int{7}) != 7 || IsOverdrawn(0) {\n\t\tt.Fatal()\n\t}\n"
                '\tif got := Line(ledger.Entry{Name: "pay", Amount: 205}); got != "pay: 2.05 EUR" {\n\t\tt.Fatal(got)\n\t}',
                "example.org/purse/ledger",
            ),
        ),
        setup=(("report/report.go", "sum := 0", "sum = 0"),),
    ),
    Task(
        "go-room",
        "go",
        "What error do I get when there's no more room in the ledger?",
        says(r"\berr[ _]?full\b|ledger is full"),
        is_change=False,
    ),
    Task(
        "go-cents",
        "go",
        "Rename the field Amount of Entry to Cents.",
        every(
            only("ledger/ledger.go", "report/report.go", "report/report_test.go"),
            go("ledger", '\tif (Entry{Name: "a", Cents: 3}).Cents != 3 {\n\t\tt.Fatal()\n\t}'),
            has("report/report.go", r"^func FormatAmount\(cents int\) string \{$"),
            _GO_TEST,
        ),
    ),
    Task(
        "go-run",
        "go",
        "Run the tests of the ledger package, please.",
        every(either(tests(3), tests(7)), changes_nothing),
        is_change=False,
    ),
    Task(
        "go-errors",
        "go",
        "Go build complains about ledger dot go, can you sort that out?",
        every(
            only("ledger/ledger.go"),
            go("ledger", '\tif ErrFull.Error() != "the ledger is full" {\n\t\tt.Fatal()\n\t}'),
            _GO_TEST,
        ),
        setup=(("ledger/ledger.go", 'import "errors"\n\n', ""),),
    ),
    Task(
        "go-positive",
        "go",
        "Average should leave out all values below zero.",
        every(
            only("report/report.go"),
            go(
                "report",
                "\tif Average([]int{2, 4, 6}) != 4 || Average([]int{-3, 2, 4}) != 3 || Average([]int{-1, 8, -2, 0}) != 4 {\n\t\tt.Fatal()\n\t}",
            ),
        ),
    ),
)  # fmt: skip

MORE = (*PYTHON, *JAVASCRIPT, *GO)
