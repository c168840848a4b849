"""Tasks that the agent was never tuned on: written after the others, and never to be looked at when it is."""

# ruff: noqa: E501

from __future__ import annotations

import sys

from bench.agent_checks import (
    Task,
    every,
    has,
    node,
    only,
    passes,
    python,
    says,
)
from bench.agent_suite_fresh_go import GO

_UNITTEST = passes(sys.executable, "-m", "unittest")
_NODE_TEST = passes("node", "--test")

PYTHON = (
    Task(
        "py-fresh-minimum",
        "python",
        "Add a parameter minimum to reorder amount with a default of zero, and never return less than that.",
        every(
            only("stock/orders.py"),
            python(
                "from stock.orders import reorder_amount as f\n"
                "assert (f(3, 10), f(12, 10), f(10, 10, minimum=5), f(3, 10, minimum=2), f(3, 10, 9)) == (7, 0, 5, 7, 9)"
            ),
        ),
    ),
    Task(
        "py-fresh-clean",
        "python",
        "Have I changed anything since the last commit?",
        says(r"\bnothing\b|\bno\b|\bclean\b|\bnot changed|unchanged|haven't"),
        is_change=False,
    ),
    Task(
        "py-fresh-crash",
        "python",
        "Bulk price crashes with a name error, please fix that.",
        every(
            only("stock/pricing.py"),
            python(
                "from stock.pricing import bulk_price as f, discount, with_vat\n"
                "assert (f(10, 10), f(10, 9), f(2, 20), discount(200, 10), with_vat(100)) == (85, 90, 34, 180, 119)"
            ),
        ),
        setup=(("stock/pricing.py", "return discount(price, 15) * count", "return discounted(price, 15) * count"),),
    ),
    Task(
        "py-fresh-rate",
        "python",
        "With vat should take the rate as an optional second argument, and use the VAT rate if it's left out.",
        every(
            only("stock/pricing.py"),
            python("from stock.pricing import with_vat as f; assert (f(100), f(100, 0.07), f(10, 0.5), f(10, 0)) == (119, 107, 15, 10)"),
        ),
    ),
    Task(
        "py-fresh-half",
        "python",
        "Is urgent should also hold when the count is exactly half of low stock.",
        every(
            only("stock/orders.py"),
            python("from stock.orders import is_urgent as f; assert [f(1), f(2.5), f(2.6), f(5)] == [True, True, False, False]"),
            _UNITTEST,
        ),
    ),
    Task(
        "py-fresh-worth",
        "python",
        "Write a method on Shelf called worth that adds up price times count over all the items.",
        every(
            only("stock/items.py"),
            python(
                "from stock.items import Item, Shelf\n"
                "s = Shelf(); assert s.worth() == 0; s.put(Item('a', 2.5, 4)); s.put(Item('b', 1, 3)); assert s.worth() == 13; assert s.names() == ['a', 'b']"
            ),
            _UNITTEST,
        ),
    ),
    Task(
        "py-fresh-indent",
        "python",
        "Save order should write its file with an indent of two.",
        every(
            only("stock/orders.py"),
            python(
                "import json, os, tempfile\n"
                "from stock.orders import save_order\n"
                "with tempfile.TemporaryDirectory() as folder:\n"
                "    path = os.path.join(folder, 'order.json')\n"
                "    save_order({'tea': 2, 'milk': 5}, path)\n"
                "    assert open(path).read().strip() == json.dumps({'tea': 2, 'milk': 5}, indent=2)"
            ),
        ),
    ),
    Task(
        "py-fresh-percent",
        "python",
        "How much of a discount do you get on ten or more of something?",
        says(r"(?<![\d.])15(?!\.?\d)|\bfifteen\b"),
        is_change=False,
    ),
    Task(
        "py-fresh-disk",
        "python",
        "Which file holds the code that writes an order to disk?",
        says(r"\borders\b"),
        is_change=False,
    ),
    Task(
        "py-fresh-missing",
        "python",
        "When I take something that isn't on the shelf I want a value error, not a key error.",
        every(
            only("stock/items.py"),
            python(
                "from stock.items import Item, Shelf\n"
                "s = Shelf(); s.put(Item('a', 2, 3))\n"
                "for wrong in (('b', 1), ('a', 4)):\n"
                "    try:\n        s.take(*wrong)\n    except ValueError:\n        pass\n    else:\n        raise SystemExit(1)\n"
                "assert s.take('a', 2) == 4; assert s.take('a', 1) == 2"
            ),
            _UNITTEST,
        ),
    ),
    Task(
        "py-fresh-amount",
        "python",
        "In orders I'd like to have a function total amount that adds up all the amounts of an order.",
        every(
            only("stock/orders.py"),
            python("from stock.orders import total_amount as t; assert (t({}), t({'tea': 2, 'milk': 5})) == (0, 7)"),
            _UNITTEST,
        ),
    ),
    Task(
        "py-fresh-prices",
        "python",
        "The tests about prices have turned red. Get them green again, would you?",
        every(
            only("stock/pricing.py"),
            python("from stock.pricing import discount, with_vat as f; assert (f(100), f(50), discount(200, 10)) == (119, 59.5, 180)"),
            _UNITTEST,
        ),
        setup=(("stock/pricing.py", "1 + VAT_RATE", "1 - VAT_RATE"),),
    ),
    Task(
        "py-fresh-stock",
        "python",
        "The constant low stock should be called minimum stock instead.",
        every(
            only("stock/items.py", "stock/orders.py"),
            python("import stock.items as i, stock.orders as o; assert i.MINIMUM_STOCK == 5; assert not hasattr(i, 'LOW_STOCK'); assert o.is_urgent(2)"),
            _UNITTEST,
        ),
    ),
)  # fmt: skip

JAVASCRIPT = (
    Task(
        "js-fresh-outside",
        "javascript",
        "Is duration used anywhere outside of the route file?",
        says(r"\bpacking\b|water[ _]?needed"),
        is_change=False,
    ),
    Task(
        "js-fresh-leg",
        "javascript",
        "The test for a leg fails. What's going on there? Fix it.",
        every(
            only("src/format.js"),
            node(
                'import { parseLeg as p } from "./src/format.js"; assert.deepEqual([p("north: 4.5"), p(" a b :3")], '
                '[{ name: "north", distance: 4.5 }, { name: "a b", distance: 3 }]);'
            ),
            _NODE_TEST,
        ),
        setup=(("src/format.js", "distance: Number(distance)", "distance: distance"),),
    ),
    Task(
        "js-fresh-rate",
        "javascript",
        "Let climb time accept the metres per hour as a second parameter, six hundred by default.",
        every(
            only("src/route.js"),
            node('import { climbTime as c } from "./src/route.js"; assert.deepEqual([c(300), c(300, 300), c(900, 450)], [0.5, 1, 2]);'),
        ),
    ),
    Task(
        "js-fresh-counts",
        "javascript",
        "Total weight should multiply every weight by the item's count, and the count is one if it's missing.",
        every(
            only("src/packing.js"),
            node(
                'import { totalWeight as t } from "./src/packing.js"; assert.deepEqual([t([]), t([{ weight: 2 }, { weight: 3 }]), '
                "t([{ weight: 2, count: 3 }, { weight: 4 }, { weight: 1, count: 2 }])], [0, 5, 12]);"
            ),
        ),
    ),
    Task(
        "js-fresh-convert",
        "javascript",
        "I need a function in format that turns minutes into hours, call it to hours.",
        every(
            only("src/format.js"),
            node('import { toHours as h, formatHours } from "./src/format.js"; assert.deepEqual([h(90), h(30), h(0)], [1.5, 0.5, 0]); assert.equal(formatHours(1.5), "1 h 30 min");'),
        ),
    ),
    Task(
        "js-fresh-undefined",
        "javascript",
        "Slugify shouldn't choke on undefined, it should give back an empty string then.",
        every(
            only("src/format.js"),
            node('import { slugify as s } from "./src/format.js"; assert.deepEqual([s(undefined), s(""), s(" Two  Lakes ")], ["", "", "two-lakes"]);'),
        ),
    ),
    Task(
        "js-fresh-ninth",
        "javascript",
        "What happens if I add a ninth stop to a route?",
        says(r"too many stops|\berror\b|\bthrow|exception"),
        is_change=False,
    ),
    Task(
        "js-fresh-single",
        "javascript",
        "Add a test which makes sure that slugify leaves a single word as it is.",
        every(only("test/format.test.js"), has("test/format.test.js", r"slugify\([\s\S]*slugify\("), _NODE_TEST),
    ),
    Task(
        "js-fresh-export",
        "javascript",
        "Litres per hour should be exported from the packing module.",
        every(
            only("src/packing.js"),
            node('import { LITRES_PER_HOUR as l, waterNeeded as w } from "./src/packing.js"; assert.deepEqual([l, w(9)], [0.5, 1]);'),
        ),
    ),
    Task(
        "js-fresh-zero",
        "javascript",
        "If a leg has no distance, total distance should count it as zero.",
        every(
            only("src/route.js"),
            node(
                'import { totalDistance as t } from "./src/route.js"; assert.deepEqual([t([]), t([{}, { distance: 3 }]), '
                "t([{ distance: 1 }, { distance: 2 }])], [0, 3, 3]);"
            ),
            _NODE_TEST,
        ),
    ),
    Task(
        "js-fresh-cold",
        "javascript",
        "Packing has a failing test. Look after it, please.",
        every(
            only("src/packing.js"),
            node(
                'import { packingList as p } from "./src/packing.js"; assert.deepEqual([p(1, false), p(1, true), p(2, false)], '
                '[["map", "water"], ["map", "water", "jacket"], ["map", "water", "tent"]]);'
            ),
            _NODE_TEST,
        ),
        setup=(("src/packing.js", "if (cold) {", "if (!cold) {"),),
    ),
    Task(
        "js-fresh-member",
        "javascript",
        "Route needs a method called has that tells whether a stop is on the route.",
        every(
            only("src/route.js"),
            node('import { Route } from "./src/route.js"; const r = new Route("a"); r.addStop("b"); assert.deepEqual([r.has("b"), r.has("c")], [true, false]);'),
            _NODE_TEST,
        ),
    ),
)  # fmt: skip

FRESH = (*PYTHON, *JAVASCRIPT, *GO)
