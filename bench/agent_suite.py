"""The tasks that the agent was tuned on. Those that it never was are in agent_suite_fresh.py."""

# ruff: noqa: E501

from __future__ import annotations

from bench.agent_checks import Task, every, go, has, node, only, python, says, tests

PYTHON = (
    Task("py-explain", "python", "What does reorder amount do?", says(r"target|differ|missing|order"), is_change=False),
    Task("py-where", "python", "Where is the VAT rate used?", says(r"pricing"), is_change=False),
    Task(
        "py-constant",
        "python",
        "Change the currency to USD.",
        every(only("stock/pricing.py"), python("from stock.pricing import CURRENCY; assert CURRENCY == 'USD'")),
    ),
    Task(
        "py-docstring",
        "python",
        "Add a docstring to bulk price.",
        every(only("stock/pricing.py"), python("from stock.pricing import bulk_price as f; assert f.__doc__; assert f(10, 10) == 85")),
    ),
    Task(
        "py-fix",
        "python",
        "Fix the failing test.",
        every(only("stock/pricing.py"), tests(11)),
        setup=(("stock/pricing.py", "price - price * percent / 100", "price + price * percent / 100"),),
    ),
    Task(
        "py-function",
        "python",
        "Add a function called net price to pricing that takes a gross price and divides it by one plus the VAT rate.",
        every(only("stock/pricing.py"), python("from stock.pricing import net_price; assert abs(net_price(119) - 100) < 0.01")),
    ),
    Task(
        "py-guard",
        "python",
        "Discount should raise a value error when the percent is over one hundred.",
        python(
            "from stock.pricing import discount\n"
            "assert discount(200, 10) == 180\n"
            "try:\n    discount(1, 101)\nexcept ValueError:\n    pass\nelse:\n    raise SystemExit(1)"
        ),
    ),
    Task(
        "py-rename",
        "python",
        "Rename is urgent to needs rush.",
        every(only("stock/orders.py", "tests/test_orders.py"), python("from stock.orders import needs_rush; assert needs_rush(1)"), tests(11)),
    ),
    Task(
        "py-method",
        "python",
        "Add a method total to Shelf that returns the sum of all counts.",
        every(
            only("stock/items.py"),
            python("from stock.items import *\ns = Shelf(); s.put(Item('a', 1, 2)); s.put(Item('b', 1, 3)); assert s.total() == 5"),
        ),
    ),
    Task(
        "py-test",
        "python",
        "Add a test for discount with zero percent.",
        every(only("tests/test_pricing.py"), has("tests/test_pricing.py", r"discount\(\d+, 0\)"), tests(12)),
    ),
)  # fmt: skip

JAVASCRIPT = (
    Task("js-explain", "javascript", "What does climb time compute?", says(r"600|six hundred|metres|meters"), is_change=False),
    Task("js-where", "javascript", "Which file defines slugify?", says(r"format"), is_change=False),
    Task(
        "js-constant",
        "javascript",
        "Set max stops to ten.",
        every(only("src/route.js"), node('import { MAX_STOPS } from "./src/route.js"; assert.equal(MAX_STOPS, 10);')),
    ),
    Task(
        "js-comment",
        "javascript",
        "Add a comment to total distance that says what it returns.",
        every(only("src/route.js"), has("src/route.js", r"(//|\*).*\n(\s*\*/\n)?export function totalDistance|totalDistance\(legs\) \{\n\s*(//|/\*)|(//|/\*).*\n\s*return total;"), tests(10)),
    ),
    Task(
        "js-fix",
        "javascript",
        "Make the tests pass again.",
        every(only("src/format.js"), tests(10)),
        setup=(("src/format.js", "(hours - whole) * 60", "(hours - whole) * 100"),),
    ),
    Task(
        "js-function",
        "javascript",
        "Add a function average speed to route that takes a distance and hours and returns distance divided by hours.",
        every(only("src/route.js"), node('import { averageSpeed } from "./src/route.js"; assert.equal(averageSpeed(9, 3), 3);')),
    ),
    Task(
        "js-guard",
        "javascript",
        "Packing list should also add sunscreen when the days are more than three.",
        every(
            only("src/packing.js"),
            node('import { packingList as p } from "./src/packing.js"; assert(p(4, false).includes("sunscreen")); assert(!p(3, false).includes("sunscreen"));'),
        ),
    ),
    Task(
        "js-method",
        "javascript",
        "Add a method count to the class Route that returns the number of stops.",
        every(only("src/route.js"), node('import { Route } from "./src/route.js"; const r = new Route("a"); r.addStop("b"); assert.equal(typeof r.count === "function" ? r.count() : r.count, 1);')),
    ),
    Task(
        "js-default",
        "javascript",
        "In slugify, replace spaces by an underscore instead of a dash and don't touch anything else.",
        # A test pins the dash: the change cannot stay, and that has to be told.
        says(r"could not|took it back"),
    ),
    Task(
        "js-test",
        "javascript",
        "Add a test that slugify of an empty string is empty.",
        every(only("test/format.test.js"), has("test/format.test.js", r"slugify\([\"']\s*[\"']\)"), tests(11)),
    ),
)  # fmt: skip

GO = (
    Task("go-explain", "go", "What does Clamp do?", says(r"low|high|range|between|limit"), is_change=False),
    Task("go-where", "go", "Who uses format amount?", says(r"report"), is_change=False),
    Task("go-constant", "go", "Set max entries to two hundred and fifty.", every(only("ledger/ledger.go"), has("ledger/ledger.go", r"^const MaxEntries = 250$"))),
    Task(
        "go-comment",
        "go",
        "Add a doc comment to Largest.",
        every(only("ledger/ledger.go"), has("ledger/ledger.go", r"^//.*\nfunc Largest\(|^\s*\*/\nfunc Largest\("), tests(7)),
    ),
    Task(
        "go-fix",
        "go",
        "Fix the failing test.",
        every(only("ledger/ledger.go"), tests(7)),
        setup=(("ledger/ledger.go", "e.Amount > best.Amount", "e.Amount < best.Amount"),),
    ),
    Task(
        "go-function",
        "go",
        "Add a function Smallest to ledger that returns the entry with the smallest amount.",
        every(
            only("ledger/ledger.go"),
            go("ledger", '\tif Smallest([]Entry{{"a", 3}, {"b", 1}, {"c", 2}}).Name != "b" {\n\t\tt.Fatal()\n\t}'),
        ),
    ),
    Task(
        "go-guard",
        "go",
        "Average should return zero for an empty list.",
        every(only("report/report.go"), go("report", "\tif Average(nil) != 0 || Average([]int{2, 4}) != 3 {\n\t\tt.Fatal()\n\t}")),
    ),
    Task(
        "go-import",
        "go",
        "Line should put the name in upper case.",
        # A test pins the name as it is: the change cannot stay, and that has to be told.
        says(r"could not|took it back"),
    ),
    Task(
        "go-rename",
        "go",
        "Rename is overdrawn to in debt and run the tests.",
        every(only("report/report.go", "report/report_test.go"), has("report/report.go", r"func InDebt\("), tests(7)),
    ),
    Task(
        "go-test",
        "go",
        "Add a test for Clamp with a value inside the range.",
        every(only("ledger/ledger_test.go"), tests(8)),
    ),
)  # fmt: skip

TUNED = (*PYTHON, *JAVASCRIPT, *GO)
