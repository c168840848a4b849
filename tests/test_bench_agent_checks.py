"""The checks of the untouched tasks, and of those that were, accept right results and refuse wrong ones."""

# ruff: noqa: E501

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.facts import TestsRun
from bench.agent_checks import Result, files_of
from bench.agent_suite_fresh import FRESH
from bench.agent_suite_more import MORE
from bench.agent_tasks import ALL, PROJECTS, claims_of_tests

Edits = list[tuple[str, str, str]]
TASKS = {task.name: task for task in (*MORE, *FRESH)}

ITEMS, ORDERS, PRICING = "stock/items.py", "stock/orders.py", "stock/pricing.py"
ROUTE, FORMAT, PACKING = "src/route.js", "src/format.js", "src/packing.js"
LEDGER, REPORT = "ledger/ledger.go", "report/report.go"
TOTAL = "items.reduce((sum, item) => sum + item.weight, 0)"
SUM = "\tfor _, v := range values {\n\t\tsum += v\n\t}\n\treturn sum / len(values)"
END = "\treturn value\n}\n"

# (task, whether it is right, what is replaced in the project after its setup).
CHANGES: list[tuple[str, bool, Edits]] = [
    ("py-fresh-indent", True, [(ORDERS, "json.dump(order, stream)", "json.dump(order, stream, indent=2)")]),
    ("py-fresh-indent", False, [(ORDERS, "json.dump(order, stream)", 'stream.write("  " + json.dumps(order))')]),
    (
        "py-fresh-minimum",
        True,
        [(ORDERS, "(count, target):\n    return max(target - count, 0)", "(count, target, minimum=0):\n    return max(target - count, minimum)")],
    ),
    (
        "py-fresh-minimum",
        True,
        [
            (
                ORDERS,
                "(count, target):\n    return max(target - count, 0)",
                "(count, target, minimum=0):\n    amount = max(target - count, 0)\n    if amount < minimum:\n        return minimum\n    return amount",
            )
        ],
    ),
    ("py-fresh-minimum", False, [(ORDERS, "(count, target):", "(count, target, minimum=0):")]),
    ("py-reading", True, [(ORDERS, "            break", "            continue")]),
    (
        "py-reading",
        True,
        [(ORDERS, "        if not line.strip():\n            break\n        name", '        if ":" not in line:\n            continue\n        name')],
    ),
    ("py-reading", False, [("tests/test_orders.py", ', "milk": 5}', "}")]),
    ("py-fresh-crash", True, [(PRICING, "discounted(price, 15)", "discount(price, 15)")]),
    ("py-fresh-crash", True, [(PRICING, "discounted(price, 15)", "round(price * 0.85, 2)")]),
    ("py-fresh-crash", False, [(PRICING, "discounted(price, 15) * count", "discount(price, 15)")]),
    ("py-fresh-rate", True, [(PRICING, "with_vat(price):", "with_vat(price, rate=VAT_RATE):"), (PRICING, "1 + VAT_RATE", "1 + rate")]),
    (
        "py-fresh-rate",
        True,
        [
            (PRICING, "with_vat(price):", "with_vat(price, rate=None):\n    rate = VAT_RATE if rate is None else rate"),
            (PRICING, "1 + VAT_RATE", "1 + rate"),
        ],
    ),
    ("py-fresh-rate", False, [(PRICING, "with_vat(price):", "with_vat(price, rate=VAT_RATE):")]),
    ("py-fresh-half", True, [(ORDERS, "count < LOW_STOCK / 2", "count <= LOW_STOCK / 2")]),
    ("py-fresh-half", True, [(ORDERS, "count < LOW_STOCK / 2", "count < LOW_STOCK / 2 or count == LOW_STOCK / 2")]),
    ("py-fresh-half", False, [(ORDERS, "count < LOW_STOCK / 2", "count <= LOW_STOCK")]),
    (
        "py-fresh-worth",
        True,
        [(ITEMS, "    def low(", "    def worth(self):\n        return sum(i.price * i.count for i in self._items.values())\n\n    def low(")],
    ),
    ("py-fresh-worth", False, [(ITEMS, "    def low(", "    def worth(self):\n        return sum(i.price for i in self._items.values())\n\n    def low(")]),
    (
        "js-destination",
        True,
        [(ROUTE, "  last() {", "  destination() {"), ("test/route.test.js", "route.last()", "route.destination()")],
    ),
    ("js-destination", False, [(ROUTE, "  last() {", "  destination() {")]),
    ("js-fresh-leg", True, [(FORMAT, "distance: distance", "distance: Number(distance)")]),
    ("js-fresh-leg", True, [(FORMAT, "distance: distance", "distance: parseFloat(distance)")]),
    ("js-fresh-leg", False, [(FORMAT, "distance: distance", "distance: 4.5")]),
    ("js-load", True, [(ROUTE, "leg.distance;\n", "leg.distance;\n  }\n")]),
    ("js-load", False, [(ROUTE, "leg.distance;\n  return total;\n}", "leg.distance;\n  return total;\n}}")]),
    (
        "js-fresh-rate",
        True,
        [(ROUTE, "climbTime(metres) {\n  return metres / 600", "climbTime(metres, rate = 600) {\n  return metres / rate")],
    ),
    ("js-fresh-rate", False, [(ROUTE, "climbTime(metres)", "climbTime(metres, rate = 600)")]),
    ("js-fresh-counts", True, [(PACKING, TOTAL, "items.reduce((sum, item) => sum + item.weight * (item.count ?? 1), 0)")]),
    ("js-fresh-counts", True, [(PACKING, TOTAL, "items.reduce((sum, { weight, count = 1 }) => sum + weight * count, 0)")]),
    ("js-fresh-counts", False, [(PACKING, TOTAL, "items.reduce((sum, item) => sum + item.weight * item.count, 0)")]),
    ("js-fresh-convert", True, [(FORMAT, "export function slugify", "export const toHours = (m) => m / 60;\n\nexport function slugify")]),
    ("js-fresh-convert", False, [(FORMAT, "export function slugify", "function toHours(m) {\n  return m / 60;\n}\n\nexport function slugify")]),
    ("js-fresh-convert", False, [(FORMAT, "export function slugify", "export const toHours = (m) => Math.floor(m / 60);\n\nexport function slugify")]),
    ("js-fresh-undefined", True, [(FORMAT, "slugify(title)", 'slugify(title = "")')]),
    ("js-fresh-undefined", True, [(FORMAT, "slugify(title) {", 'slugify(title) {\n  if (!title) {\n    return "";\n  }')]),
    ("js-fresh-undefined", False, [(FORMAT, "slugify(title) {", "slugify(title) {\n  if (!title) {\n    return undefined;\n  }")]),
    (
        "go-cents",
        True,
        [
            (LEDGER, "\tName   string\n\tAmount int", "\tName  string\n\tCents int"),
            (LEDGER, "sum += e.Amount", "sum += e.Cents"),
            (LEDGER, "e.Amount > best.Amount", "e.Cents > best.Cents"),
            (REPORT, "(e.Amount)", "(e.Cents)"),
            ("report/report_test.go", "Amount: 200", "Cents: 200"),
        ],
    ),
    ("go-cents", False, [(LEDGER, "\tAmount int", "\tCents int")]),
    ("go-fresh-small", True, [(LEDGER, "low {\n\t\treturn value", "low {\n\t\treturn low")]),
    ("go-fresh-small", False, [(LEDGER, "low {\n\t\treturn value", "low {\n\t\treturn 0")]),
    ("go-errors", True, [(LEDGER, "package ledger\n", 'package ledger\n\nimport "errors"\n')]),
    ("go-errors", True, [(LEDGER, "package ledger\n", 'package ledger\n\nimport (\n\t"errors"\n)\n')]),
    ("go-errors", False, [(LEDGER, 'errors.New("the ledger is full")', "error(nil)")]),
    (
        "go-positive",
        True,
        [
            (
                REPORT,
                SUM,
                "\tn := 0\n\tfor _, v := range values {\n\t\tif v >= 0 {\n\t\t\tsum += v\n\t\t\tn++\n\t\t}\n\t}\n\treturn sum / n",
            )
        ],
    ),
    (
        "go-positive",
        False,
        [(REPORT, "\t\tsum += v", "\t\tif v < 0 {\n\t\t\tcontinue\n\t\t}\n\t\tsum += v")],
    ),
    ("go-fresh-nil", True, [(LEDGER, "Len() int {", "Len() int {\n\tif l == nil {\n\t\treturn 0\n\t}")]),
    ("go-fresh-nil", False, [(LEDGER, "Len() int {", "Len() int {\n\tif l.entries == nil {\n\t\treturn 0\n\t}")]),
    ("go-fresh-last", True, [(LEDGER, END, END + "\nfunc (l *Ledger) Last() Entry {\n\treturn l.entries[len(l.entries)-1]\n}\n")]),
    (
        "go-fresh-last",
        True,
        [
            (
                LEDGER,
                END,
                END
                + "\nfunc (l *Ledger) Last() (Entry, bool) {\n\tif len(l.entries) == 0 {\n\t\treturn Entry{}, false\n\t}\n"
                "\treturn l.entries[len(l.entries)-1], true\n}\n",
            )
        ],
    ),
    ("go-fresh-last", False, [(LEDGER, END, END + "\nfunc (l *Ledger) Last() Entry {\n\treturn l.entries[0]\n}\n")]),
    (
        "go-fresh-percent",
        True,
        [
            (
                REPORT,
                "func IsOverdrawn",
                "func Percent(part, whole int) int {\n\tif whole == 0 {\n\t\treturn 0\n\t}\n\treturn part * 100 / whole\n}\n\nfunc IsOverdrawn",
            )
        ],
    ),
    (
        "go-fresh-percent",
        True,
        [
            (
                REPORT,
                "func IsOverdrawn",
                "func Percent(part, whole float64) float64 {\n\tif whole == 0 {\n\t\treturn 0\n\t}\n\treturn part * 100 / whole\n}\n\nfunc IsOverdrawn",
            )
        ],
    ),
    (
        "go-fresh-percent",
        False,
        [
            (
                REPORT,
                "func IsOverdrawn",
                "func Percent(part, whole int) int {\n\tif whole == 0 {\n\t\treturn 0\n\t}\n\treturn part / whole * 100\n}\n\nfunc IsOverdrawn",
            )
        ],
    ),
    ("py-fresh-missing", True, [(ITEMS, "        item = self._items[name]\n", '        if name not in self._items:\n            raise ValueError("not there")\n        item = self._items[name]\n')]),
    ("py-fresh-missing", True, [(ITEMS, "item = self._items[name]\n        if count > item.count", "item = self._items.get(name)\n        if item is None or count > item.count")]),
    ("py-fresh-missing", False, [(ITEMS, "item = self._items[name]", "item = self._items.get(name)\n        if item is None:\n            return 0")]),
    ("py-fresh-amount", True, [(ORDERS, "def is_urgent", "def total_amount(order):\n    return sum(order.values())\n\n\ndef is_urgent")]),
    ("py-fresh-amount", False, [(ORDERS, "def is_urgent", "def total_amount(order):\n    return len(order)\n\n\ndef is_urgent")]),
    ("py-fresh-prices", True, [(PRICING, "1 - VAT_RATE", "1 + VAT_RATE")]),
    ("py-fresh-prices", True, [(PRICING, "price * (1 - VAT_RATE)", "price + price * VAT_RATE")]),
    ("py-fresh-prices", False, [(PRICING, "round(price * (1 - VAT_RATE), 2)", "119.0")]),
    ("py-fresh-stock", True, [(ITEMS, "LOW_STOCK = 5", "MINIMUM_STOCK = 5"), (ITEMS, "< LOW_STOCK", "< MINIMUM_STOCK"), (ORDERS, "import LOW_STOCK", "import MINIMUM_STOCK"), (ORDERS, "< LOW_STOCK", "< MINIMUM_STOCK")]),
    ("py-fresh-stock", False, [(ITEMS, "LOW_STOCK = 5", "MINIMUM_STOCK = 5\nLOW_STOCK = MINIMUM_STOCK")]),
    ("js-fresh-single", True, [("test/format.test.js", 'test("a leg"', 'test("one word", () => {\n  assert.equal(slugify("lakes"), "lakes");\n});\n\ntest("a leg"')]),
    ("js-fresh-single", False, [("test/format.test.js", 'test("a leg"', 'test("one word", () => {\n  assert.equal(slugify("lakes"), "Lakes");\n});\n\ntest("a leg"')]),
    ("js-fresh-export", True, [(PACKING, "const LITRES", "export const LITRES")]),
    ("js-fresh-export", True, [(PACKING, "= 0.5;\n", "= 0.5;\nexport { LITRES_PER_HOUR };\n")]),
    ("js-fresh-export", False, [(PACKING, "const LITRES", "export default LITRES_PER_HOUR;\nconst LITRES")]),
    ("js-fresh-zero", True, [(ROUTE, "+= leg.distance", "+= leg.distance ?? 0")]),
    ("js-fresh-zero", True, [(ROUTE, "    total += leg.distance;", "    if (leg.distance) {\n      total += leg.distance;\n    }")]),
    ("js-fresh-zero", False, [(ROUTE, "    total += leg.distance;", "    if (!leg.distance) {\n      return 0;\n    }\n    total += leg.distance;")]),
    ("js-fresh-cold", True, [(PACKING, "if (!cold)", "if (cold)")]),
    ("js-fresh-cold", False, [(PACKING, "if (!cold) {", "if (days > 1) {")]),
    ("js-fresh-member", True, [(ROUTE, "  last() {", "  has(stop) {\n    return this.stops.includes(stop);\n  }\n\n  last() {")]),
    ("js-fresh-member", False, [(ROUTE, "  last() {", "  has(stop) {\n    return this.stops.length > 0;\n  }\n\n  last() {")]),
    ("go-fresh-least", True, [(LEDGER, "const MaxEntries = 100", "const MaxEntries = 100\nconst MinAmount = 1")]),
    ("go-fresh-least", True, [(LEDGER, "const MaxEntries = 100", "const (\n\tMaxEntries = 100\n\tMinAmount int = 1\n)")]),
    ("go-fresh-least", False, [(LEDGER, "const MaxEntries = 100", "const MinAmount = 1")]),
    ("go-fresh-has", True, [(LEDGER, END, END + "\nfunc (l *Ledger) Has(name string) bool {\n\tfor _, e := range l.entries {\n\t\tif e.Name == name {\n\t\t\treturn true\n\t\t}\n\t}\n\treturn false\n}\n")]),
    ("go-fresh-has", False, [(LEDGER, END, END + "\nfunc (l *Ledger) Has(name string) bool {\n\treturn len(l.entries) > 0\n}\n")]),
    ("go-fresh-average", True, [(REPORT, "(len(values) - 1)", "len(values)")]),
    ("go-fresh-average", False, [(REPORT, "sum / (len(values) - 1)", "values[1]")]),
    ("go-fresh-limit", True, [(LEDGER, "func Clamp", "func Limit"), *[("ledger/ledger_test.go", f"Clamp({n}, 0, 10); got", f"Limit({n}, 0, 10); got") for n in (12, -1)]]),
    ("go-fresh-limit", False, [(LEDGER, "func Clamp", "func Limit")]),
    ("go-fresh-above", True, [(LEDGER, "func (l *Ledger) Balance", "// Balance adds up the amounts of all entries.\nfunc (l *Ledger) Balance")]),
    ("go-fresh-above", False, [(LEDGER, "func (l *Ledger) Len", "// Balance adds up the amounts of all entries.\nfunc (l *Ledger) Len")]),
]  # fmt: skip

ANSWERS = [
    ("py-fresh-percent", True, "you get fifteen percent off."),
    ("py-fresh-percent", True, "a discount of 15%."),
    ("py-fresh-percent", False, "ten percent for 10 or more."),
    ("py-fresh-disk", True, "that's stock/orders.py."),
    ("py-fresh-disk", True, "save order in orders dot py."),
    ("py-fresh-disk", False, "it is in pricing dot py."),
    ("js-fresh-ninth", True, "it throws an error."),
    ("js-fresh-ninth", True, "you are told: too many stops."),
    ("js-fresh-ninth", False, "it is added at the end."),
    ("go-fresh-debt", True, "it has to be negative."),
    ("go-fresh-debt", True, "less than zero."),
    ("go-fresh-debt", False, "it has to be positive."),
    ("py-default", True, "a new item gets a count of 0 by default."),
    ("py-default", True, "zero, unless you give one."),
    ("py-default", False, "the count defaults to 10."),
    ("py-default", False, "it is 0.19."),
    ("py-kind", True, "low returns the names of the items."),
    ("py-kind", True, "just their names."),
    ("py-kind", False, "it returns the items themselves."),
    ("py-kind", False, "the items themselves, not just their names."),
    ("py-fresh-clean", True, "nothing has changed."),
    ("py-fresh-clean", True, "no, everything is committed."),
    ("py-fresh-clean", False, "yes, two files are different."),
    ("js-pace", True, "people walk 4.5 kilometres an hour."),
    ("js-pace", False, "at walking speed."),
    ("js-most", True, "a route can have at most 8 stops."),
    ("js-most", True, "eight."),
    ("js-most", False, "it is limited by max stops."),
    ("js-most", False, "18 stops."),
    ("js-fresh-outside", True, "yes, in packing dot js."),
    ("js-fresh-outside", True, "waterneeded calls it."),
    ("js-fresh-outside", False, "no, only in route dot js."),
    ("go-room", True, "add returns errfull."),
    ("go-room", True, "you get the error the ledger is full."),
    ("go-room", False, "an error comes back."),
    ("go-fresh-package", True, "line is in the report package."),
    ("go-fresh-package", False, "line lives in ledger."),
]

RUNS = [("js-pass", 10, 0, True), ("js-pass", 9, 1, False), ("go-run", 3, 0, True)]
RUNS += [("go-fresh-broken", 7, 0, True), ("go-fresh-broken", 6, 1, False)]
RUNS += [("go-run", 7, 0, True), ("go-run", 4, 0, False), ("go-run", 2, 1, False)]


def copied(name: str, folder: Path) -> Path:
    """The project of that task, as the agent finds it."""
    task = TASKS[name]
    root = folder / task.project
    shutil.copytree(PROJECTS / task.project, root, ignore=shutil.ignore_patterns("__pycache__"))
    edit(root, list(task.setup))
    return root


def edit(root: Path, edits: Edits) -> None:
    for path, old, new in edits:
        text = (root / path).read_text("utf-8")
        assert text.count(old) == 1, (path, old)
        (root / path).write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize(("name", "is_right", "edits"), CHANGES)
def test_a_changed_project_is_judged_as_a_person_would(
    name: str, is_right: bool, edits: Edits, tmp_path: Path
) -> None:
    tool = {"javascript": "node", "go": "go"}.get(TASKS[name].project)
    if tool and shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    root = copied(name, tmp_path)
    before = files_of(root)
    edit(root, edits)
    assert TASKS[name].check(Result(root, before, "", ())) is is_right


@pytest.mark.parametrize(("name", "is_right", "answer"), ANSWERS)
def test_an_answer_is_judged_by_its_facts(name: str, is_right: bool, answer: str, tmp_path: Path) -> None:
    root = copied(name, tmp_path)
    assert TASKS[name].check(Result(root, files_of(root), answer, ())) is is_right


@pytest.mark.parametrize(("name", "passed", "failed", "is_right"), RUNS)
def test_a_run_of_the_tests_is_judged_by_its_figures(
    name: str, passed: int, failed: int, is_right: bool, tmp_path: Path
) -> None:
    root = copied(name, tmp_path)
    facts = (TestsRun("any", passed, failed),)
    assert TASKS[name].check(Result(root, files_of(root), "", facts)) is is_right


@pytest.mark.parametrize(
    ("said", "runs", "is_false"),
    [
        ("Yes, all the tests pass right now.", (), True),
        ("The tests failed. Let's try again.", (), True),
        ("All the tests pass.", ((9, 1),), True),
        ("All the tests pass.", ((9, 1), (10, 0)), False),
        ("No tests fail.", ((10, 0),), False),
        ("One test fails, since it adds.", ((9, 1),), False),
        ("The test fails if nothing is raised.", (), False),
        ("It takes the distance.", (), False),
    ],
)
def test_who_says_how_the_tests_went_must_have_run_them(
    said: str, runs: tuple[tuple[int, int], ...], is_false: bool
) -> None:
    assert claims_of_tests(said, [TestsRun("any", *figures) for figures in runs]) is is_false


def test_each_task_has_a_right_and_a_wrong_result() -> None:
    judged = {(name, is_right) for name, is_right, _ in [*CHANGES, *ANSWERS]}
    judged |= {(name, is_right) for name, _, _, is_right in RUNS}
    assert judged >= {(task.name, is_right) for task in FRESH for is_right in (True, False)}


def test_every_task_has_a_name_of_its_own_and_a_third_is_untouched() -> None:
    assert len({task.name for task in ALL}) == len(ALL)
    assert len(FRESH) * 3 >= len(ALL)
