"""The tasks that the agent was tuned on. More are in agent_suite_more.py, those that it never was tuned on in agent_suite_fresh.py."""

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
    Task(
        "py-limit",
        "python",
        "How many items are there when stock counts as low?",
        says(r"five|5|low.stock|fewer|less"),
        is_change=False,
    ),
    Task(
        "py-comments",
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
        "py-remove",
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
        "py-broken",
        "python",
        "Can you get the tests green again?",
        every(only("stock/orders.py"), tests(11)),
        setup=(("stock/orders.py", "max(target - count, 0)", "min(target - count, 0)"),),
    ),
    Task(
        "py-two",
        "python",
        "Rename with vat to gross price and add a docstring to it.",
        every(
            only("stock/pricing.py", "tests/test_pricing.py"),
            python("from stock.pricing import gross_price as f; assert f.__doc__; assert f(100) == 119"),
        ),
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
    Task(
        "js-water",
        "javascript",
        "How does water needed work?",
        says(r"duration|hour|litre|distance"),
        is_change=False,
    ),
    Task(
        "js-heaviest",
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
        "js-throw",
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
        "js-broken",
        "javascript",
        "One of the tests is failing, fix it please.",
        every(only("src/packing.js"), tests(10)),
        setup=(("src/packing.js", "sum + item.weight", "sum - item.weight"),),
    ),
    Task(
        "js-stops",
        "javascript",
        "Set max stops to a dozen, I mean twelve.",
        every(
            only("src/route.js"),
            node('import { MAX_STOPS } from "./src/route.js"; assert.equal(MAX_STOPS, 12);'),
        ),
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
    Task("go-full", "go", "What happens when the ledger is full?", says(r"err|full"), is_change=False),
    Task(
        "go-total",
        "go",
        "Add a function called Total to report that sums up a list of whole numbers.",
        every(
            only("report/report.go"), go("report", "\tif Total([]int{1, 2, 3}) != 6 {\n\t\tt.Fatal()\n\t}")
        ),
    ),
    Task(
        "go-clear",
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
        "go-broken",
        "go",
        "Why is a test failing? Fix it.",
        every(only("ledger/ledger.go"), tests(7)),
        setup=(
            ("ledger/ledger.go", "if value > high {\n\t\treturn high", "if value > high {\n\t\treturn low"),
        ),
    ),
    Task(
        "go-negative",
        "go",
        "Is overdrawn should only be true below minus one hundred.",
        # A test says that minus one is overdrawn: the change cannot stay, and that has to be told.
        says(r"could not|took it back"),
    ),
)  # fmt: skip

FIRST = (*PYTHON, *JAVASCRIPT, *GO)
