"""Running a project's tests with both runners, on odd projects, and the repairs that a run can tell right."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from agent.code.harmless import is_harmless
from agent.facts import TestFailure
from agent.guard import compare
from agent.guided.mending import small_repair
from agent.tools import process
from agent.tools.process import project_environment
from agent.tools.python_tests import PythonRunner
from agent.tools.repairs import repairs
from agent.tools.testreport import Outcome, TestCase, TestReport, from_junit
from agent.tools.tests_runner import TestRunner
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace

ENVIRONMENT = project_environment(os.environ, Path(sys.prefix))


def project(root: Path, **files: str) -> TestRunner:
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return TestRunner(Workspace(root), ENVIRONMENT, python=PythonRunner(sys.executable))


def with_unittest(runner: TestRunner) -> TestRunner:
    return replace(runner, python=PythonRunner(sys.executable, {sys.executable: False}))


def is_dead(pid: int) -> bool:
    """Whether a process that was killed is gone, or a zombie that its new parent has not asked for."""
    try:
        child = psutil.Process(pid)
        for _ in range(1000):  # a signal takes a moment to arrive
            if child.status() == psutil.STATUS_ZOMBIE:
                return True
            time.sleep(0.01)
    except psutil.NoSuchProcess:
        return True
    return False


UNITTEST = """import unittest
from code_ import double, name

class DoubleTest(unittest.TestCase):
    def test_right(self):
        self.assertEqual(double(2), 4)

    def test_wrong(self):
        self.assertEqual(9, double(3))

    def test_text(self):
        self.assertEqual(name(), "a != b")

    @unittest.skip("later")
    def test_later(self):
        pass
"""
CODE = 'def double(x):\n    return 2 * x\n\ndef name():\n    return "a == b"\n'


@pytest.mark.parametrize("runner_name", ["pytest", "unittest"])
def test_both_runners_tell_the_same(tmp_path: Path, runner_name: str) -> None:
    runner = project(tmp_path, code_=CODE, test_code=UNITTEST)
    if runner_name == "unittest":
        runner = with_unittest(runner)
    report = asyncio.run(runner.run())
    fact = report.facts(lambda path: UNITTEST if path.endswith("test_code.py") else None)
    assert (fact.runner, fact.passed, fact.failed, fact.skipped) == (runner_name, 1, 2, 1)
    by_name = {failure.name: failure for failure in fact.failures}
    assert (by_name["test_wrong"].expected, by_name["test_wrong"].got) == ("9", "6")
    assert (by_name["test_text"].expected, by_name["test_text"].got) == ("'a != b'", "'a == b'")


def test_a_plain_assert_tells_expected_and_got(tmp_path: Path) -> None:
    runner = project(tmp_path, test_a="def test_a():\n    assert sum([1, 2]) == 4\n")
    assert asyncio.run(runner.run()).facts(lambda path: None).failures == (
        TestFailure("test_a", expected="4", got="3", message="assert 3 == 4"),
    )


@pytest.mark.parametrize("has_pytest", [True, False])
def test_a_module_that_cannot_be_imported_is_an_error(tmp_path: Path, has_pytest: bool) -> None:
    runner = project(tmp_path, test_a="import nowhere_at_all\n")
    report = asyncio.run((runner if has_pytest else with_unittest(runner)).run())
    fact = report.facts(lambda path: None)
    assert (fact.passed, fact.errors) == (0, 1)
    assert "nowhere_at_all" in fact.failures[0].message


def test_tests_in_a_folder_without_a_package_are_found(tmp_path: Path) -> None:
    test = (
        "import unittest\nimport code_\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        pass\n"
    )
    runner = project(tmp_path, code_=CODE, tests__test_deep=test)
    assert len(asyncio.run(with_unittest(runner).run()).passed_ids) == 1


PASSING = "import unittest\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        pass\n"


def test_only_test_files_are_loaded_and_each_once(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/__init__.py").write_text("")
    runner = project(
        tmp_path,
        test_x=PASSING,
        tests__test_x=PASSING,
        one__test_same=PASSING,
        two__test_same=PASSING,
        latest_backup="open('RAN', 'w').write('x')\n",
    )
    report = asyncio.run(with_unittest(runner).run())
    assert [case.outcome for case in report.cases] == [Outcome.PASSED] * 4
    assert not (tmp_path / "RAN").exists()


@pytest.mark.parametrize("test", ["def test_a():\n    pass\n", "import pytest_\nimport pytest\n"])
def test_tests_for_pytest_say_that_it_is_missing(tmp_path: Path, test: str) -> None:
    report = asyncio.run(with_unittest(project(tmp_path, test_a=test)).run())
    assert report.trouble == "These tests need pytest, which is not installed for this project."


def test_a_project_without_tests_says_so(tmp_path: Path) -> None:
    assert asyncio.run(project(tmp_path, code_=CODE).run()).trouble == "There are no tests in this project."


def test_an_endless_test_is_stopped_with_its_children(tmp_path: Path) -> None:
    test = (
        "import subprocess, sys\n\ndef test_a():\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "    open('pid', 'w').write(str(child.pid))\n    child.wait()\n"
    )
    runner = replace(project(tmp_path, test_a=test), time_limit_s=6)
    report = asyncio.run(runner.run())
    assert "stopped after 6 seconds" in report.trouble
    assert is_dead(int((tmp_path / "pid").read_text()))


def test_output_is_bounded_and_input_is_closed(tmp_path: Path) -> None:
    program = (
        "import sys; assert sys.stdin.read() == ''; print('first'); print('x' * 5_000_000); print('last')"
    )
    done = asyncio.run(process.run([sys.executable, "-c", program], tmp_path, ENVIRONMENT, 60))
    assert done.returncode == 0
    assert len(done.output) < 60_000
    assert done.output.startswith("first")
    assert done.output.endswith("last\n")


@pytest.mark.parametrize(
    "start", ["sleep 600 & echo $! > pid; echo hi", "sleep 600 & echo $! > pid; sleep 600"]
)
def test_a_child_that_holds_the_output_open_neither_delays_the_end_nor_stays(
    tmp_path: Path, start: str
) -> None:
    ends = start.endswith("hi")
    done = asyncio.run(process.run(["sh", "-c", start], tmp_path, ENVIRONMENT, 20 if ends else 1))
    if ends:
        assert (done.returncode, done.output, len(done.left_behind)) == (0, "hi\n", 1)
    else:
        assert done.timed_out
    assert is_dead(int((tmp_path / "pid").read_text()))


def test_a_cancelled_program_is_asked_to_end_first(tmp_path: Path) -> None:
    program = "trap 'echo asked > asked; exit 1' TERM; echo $$ > pid; while :; do sleep 0.05; done"

    os.mkfifo(tmp_path / "pid")

    async def cancelled() -> int:
        running = asyncio.create_task(process.run(["sh", "-c", program], tmp_path, ENVIRONMENT, 60))
        pid = await asyncio.to_thread((tmp_path / "pid").read_text)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return int(pid)

    assert is_dead(asyncio.run(cancelled()))
    assert (tmp_path / "asked").exists()


def test_our_own_environment_is_not_the_projects() -> None:
    given = {
        "PATH": "/ours/bin:/usr/bin",
        "VIRTUAL_ENV": "/ours",
        "PYTHONPATH": "x",
        "HOME": "/h",
        "GIT_DIR": "/g",
    }
    scrubbed = project_environment(given, Path("/ours"))
    assert scrubbed == {"PATH": "/usr/bin", "HOME": "/h", "PYTHONDONTWRITEBYTECODE": "1"}


def test_a_report_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="JUnit"):
        from_junit("<testsuite")


def case(name: str, outcome: Outcome) -> TestCase:
    return TestCase(f"m::{name}", name, outcome)


def report(**outcomes: Outcome) -> TestReport:
    return TestReport("pytest", tuple(case(name, outcome) for name, outcome in outcomes.items()))


P, F, E = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR


@pytest.mark.parametrize(
    ("before", "after", "is_harmful", "mended"),
    [
        (report(a=P, b=F), report(a=P, b=P), False, True),
        (report(a=P, b=F), report(a=F, b=P), True, True),
        (report(a=P, b=F), report(a=P, b=F), False, False),
        (report(a=P), report(a=P, new=F), True, False),
        (report(a=P), report(a=P, new=P), False, False),
        (report(old=F), report(new=F), False, False),
        (report(a=P), TestReport("pytest", (), trouble="stopped"), True, False),
        (report(a=P, b=F), report(loader=E), True, False),
        (report(a=P, b=F, c=P), report(a=P, b=P), True, True),
        (report(old=P), report(new=P), False, False),
    ],
)
def test_a_change_is_judged_by_the_tests(
    before: TestReport, after: TestReport, is_harmful: bool, mended: bool
) -> None:
    verdict = compare(before, after)
    assert (verdict.is_harmful, verdict.mended) == (is_harmful, mended)


def test_a_test_may_go_when_it_was_to_go_but_not_with_its_whole_file() -> None:
    before = report(a=P, b=F, c=P)
    assert not compare(before, report(a=P, b=F), may_remove=True).is_harmful
    assert [case.name for case in compare(before, report(loader=E), may_remove=True).broken] == ["a", "c"]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("def f(a, b):\n    return a + b\n", "return a - b"),
        ("def f(a):\n    if a > 90:\n        return 1\n", "if a >= 90:"),
        ("def f(a, b):\n    return max(a, b)\n", "return min(a, b)"),
        ("def f(n, size):\n    return n * size\n", "return (n - 1) * size"),
        ("def f(a):\n    return a[1:]\n", "return a[0:]"),
        ("def f(a=8000):\n    return a\n", "def f(a=9000):"),
        ("def f(a, b):\n    return a and not b\n", "return a and b"),
        ("def f():\n    naïve = 'é'; return naïve + naïve\n", "naïve = 'é'; return naïve * naïve"),
        ("def f(n):\n    return list(range(n))\n", "return list(range(n + 1))"),
        ("def f(n):\n    return n * 24\n", "return n * 60"),
        ("def f(n):\n    while n:\n        break\n", "continue"),
    ],
)
def test_a_natural_slip_has_its_repair_among_the_candidates(source: str, wanted: str) -> None:
    found = repairs(source, 1, source.count("\n"), "assert f() == 9000")
    assert wanted in [repair.after.strip() for repair in found]
    for repair in found:
        compile(source.replace(repair.before, repair.after), "repaired", "exec")


def test_an_expected_value_is_never_written_into_a_body() -> None:
    found = repairs('def f(a):\n    return "no"\n', 1, 2, 'assert f(1) == "yes"')
    assert not any("yes" in repair.after for repair in found)


def mend(root: Path, code: str, test: str) -> str | None:
    project(root, code_=code, test_code=test)
    toolbox = Toolbox(Workspace(root), ENVIRONMENT)

    async def search() -> str | None:
        before = await toolbox.test_report()
        found = await small_repair(before.broken[0], before, toolbox, time_limit_s=600)
        return found.repair.after.strip() if found else None

    found = asyncio.run(search())
    assert (root / "code_.py").read_text() == code
    return found


def test_a_small_repair_is_found_without_touching_the_repository(tmp_path: Path) -> None:
    code = "def low(items, limit):\n    return [i for i in items if i <= limit]\n"
    test = "from code_ import low\n\ndef test_low():\n    assert low([4, 5, 6], 5) == [4]\n"
    assert mend(tmp_path, code, test) == "return [i for i in items if i < limit]"


def test_code_that_reaches_out_is_not_tried_in_unknown_versions(tmp_path: Path) -> None:
    code = "import os\n\ndef low(a):\n    os.environ.get('x')\n    return a + 1\n"
    test = "from code_ import low\n\ndef test_low():\n    assert low(4) == 3\n"
    assert mend(tmp_path, code, test) is None


def test_an_endless_repair_does_not_end_the_search(tmp_path: Path) -> None:
    code = "def count(n):\n    k = 0\n    while n > 0:\n        n -= 1\n        k = k - 1\n    return k\n"
    test = "from code_ import count\n\ndef test_count():\n    assert count(5) == 5\n"
    assert mend(tmp_path, code, test) == "k = k + 1"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "import shutil\n\ndef clean(a):\n    shutil.rmtree(a)\n",
        "from pathlib import Path\n\ndef put(n):\n    Path('a').rename('b')\n",
        "def put(n):\n    with open(n, 'w') as file:\n        print(n, file=file)\n",
        "def put(n):\n    open(n, mode='rb+')\n",
        "def put(n, mode):\n    open(n, mode)\n",
        "def put(n):\n    f = open\n    f(n, 'w')\n",
        "def put(n):\n    n.write_text('')\n",
        "def put(n):\n    __import__('os').remove(n)\n",
        "def put(n):\n    getattr(n, 'un' + 'link')()\n",
        "import sys\n\ndef put(n):\n    sys.modules['os'].remove(n)\n",
        "from random import _os\n",
        "import random\n\ndef put(n):\n    random._os.remove(n)\n",
        "import requests\n",
        "def put(:\n",
        "def test_put(tmp_path):\n    put(tmp_path)\n",
    ],
)
def test_code_that_does_more_than_compute_is_not_harmless(elsewhere: str) -> None:
    assert is_harmless({"code_.py": "def low(a):\n    return a\n"})
    assert not is_harmless({"code_.py": "def low(a):\n    return a\n", "other.py": elsewhere})


def test_nothing_is_tried_in_a_project_that_removes_files_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_text("import shutil\n\ndef clean(a):\n    shutil.rmtree(a)\n")
    code = "def low(a):\n    return a + 1\n"
    test = "from code_ import low\n\ndef test_low():\n    assert low(4) == 3\n"
    assert mend(tmp_path, code, test) is None


def test_a_project_may_import_itself_and_read_files() -> None:
    root = Path(__file__).parent.parent / "demo" / "project"
    sources = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in root.rglob("*.py")}
    assert is_harmless(sources)
    assert is_harmless({"src/a/b.py": "", "src/a/__init__.py": "from . import b\n", "c.py": "import a.b\n"})
    assert is_harmless({"lib/a.py": "import b\n", "lib/b.py": ""})
    assert not is_harmless({"vendor/os.py": "", "a.py": "import os\n"})


def test_the_search_ends_at_its_time_limit(tmp_path: Path) -> None:
    project(
        tmp_path,
        code_="def low(a):\n    return a + 1\n",
        test_code="from code_ import low\n\ndef test_low():\n    assert low(4) == 3\n",
    )
    toolbox = Toolbox(Workspace(tmp_path), ENVIRONMENT)

    async def search() -> object:
        before = await toolbox.test_report()
        return await small_repair(before.broken[0], before, toolbox, time_limit_s=0.0)

    assert asyncio.run(search()) is None


def test_no_name_is_tried_that_would_reach_out_of_the_process(tmp_path: Path) -> None:
    code = 'def low(a):\n    return evall(a)  # "eval" is no name here\n'
    test = "from code_ import low\n\ndef test_low():\n    assert low('4') == 4\n"
    assert mend(tmp_path, code, test) is None
