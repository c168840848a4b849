"""A file that cannot be run for a brace or an import has the right line among the first that are tried."""

from __future__ import annotations

import pytest

from agent.tools import go_imports
from agent.tools.syntax_repairs import import_repair, syntax_repairs

SUM = "\n  let sum = 0;\n  for (const one of all) {\n    sum += one;\n  }\n  return sum;\n}\n"
TWO = "function f() {\n  return 1;\n}\n\nexport function total(all) {" + SUM
TIMES = "package a\n\nfunc Times(n int) int {\n\tfor n > 9 {\n\t\tn--\n\t}\n\treturn n\n}\n"


@pytest.mark.parametrize(
    ("path", "source", "gone"),
    [
        ("a.js", "export function total(all) {" + SUM, "\n  }"),
        ("a.js", TWO, "\n  }"),
        ("a.js", TWO, "1;\n}"),
        ("a.ts", "class A {\n  f(): number {\n    return 1;\n  }\n}\n", "\n  }"),
        ("a.go", TIMES, "\n\t}"),
        ("a.go", TIMES + TIMES.partition("\n")[2].replace("Times", "Twice"), "n\n}"),
    ],
)
def test_a_brace_is_missing_where_the_indentation_goes_back(path: str, source: str, gone: str) -> None:
    broken = source.replace(gone, gone.rpartition("\n")[0], 1)
    assert broken != source
    line = broken.count("\n")  # wherever the parser gave up
    repair = syntax_repairs(path, broken, line)[0]
    lines = broken.split("\n")
    assert "\n".join([*lines[: repair.line - 1], repair.after, *lines[repair.line :]]) == source


@pytest.mark.parametrize(
    ("before", "after", "line", "new"),
    [
        ("package a\n\nvar A = 1\n", 'package a\n\nimport "errors"\n\nvar A = 1\n', 2, '\nimport "errors"\n'),
        (
            'import "fmt"\n\nvar A\n',
            'import (\n\t"errors"\n\t"fmt"\n)\n\nvar A\n',
            1,
            'import (\n\t"errors"\n\t"fmt"\n)',
        ),
        ("import os\n\na = 1\n", "import os\nimport json\n\na = 1\n", 1, "import os\nimport json"),
        ("a = 1\n", "import json\n\na = 1\n", 1, "import json\n\na = 1"),
    ],
)
def test_an_import_is_a_change_of_one_line(before: str, after: str, line: int, new: str) -> None:
    repair = import_repair("a.go line 3: undefined: errors", before, after)
    assert repair is not None
    lines = before.split("\n")
    assert "\n".join([*lines[: repair.line - 1], repair.after, *lines[repair.line :]]) == after
    assert import_repair("expected 1, got 2", before, after) is None
    assert import_repair("undefined: errors", before, before) is None
    assert (repair.line, repair.after) == (line, new)


def test_a_go_file_has_the_imports_that_it_uses_and_no_others() -> None:
    body = 'var A = errors.New("a")\n'
    right = f'package a\n\nimport "errors"\n\n{body}'
    assert go_imports.tidied(f"package a\n\n{body}", {}) == right
    assert go_imports.tidied(right, {}) == right
    both = f'package a\n\nimport (\n\t"errors"\n\t"fmt"\n\t_ "embed"\n)\n\n{body}'
    assert go_imports.tidied(both, {}) == both.replace('\t"fmt"\n', "")
