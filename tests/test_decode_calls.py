"""Calls in free text: where they begin, and what their grammars admit, format by format."""

from __future__ import annotations

import llguidance
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.decode.call_grammar import call_grammar
from agent.decode.calls import Began, CallGrammar, CallWatch, Opener
from agent.decode.guide import Guide
from agent.toolcalls.declared import Declared

EDIT = Declared(
    "edit_file",
    "Replace lines",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "old": {"type": "string"},
            "count": {"type": "integer"},
            "mode": {"enum": ["first", "all"]},
        },
        "required": ["path", "old"],
    },
)
STATUS = Declared("git_status", "What changed", {"type": "object", "properties": {}})
OFFERED = {"edit_file": {"path": ("src/a.py", "src/b.py")}}

JSON = '{"path": "src/a.py", "old": "x = \\"1\\"\\n    y", "count": 2, "mode": "all"}'
XML = (
    "edit_file>\n<parameter=path>\nsrc/b.py\n</parameter>\n<parameter=old>\nif a < b:\n    x\n</parameter>\n"
    "<parameter=mode>\nfirst\n</parameter>\n</function>\n</tool_call>"
)
GLM = (
    "edit_file\n<arg_key>path</arg_key>\n<arg_value>src/a.py</arg_value>\n"
    "<arg_key>old</arg_key>\n<arg_value>a < b\n</arg_value>\n</tool_call>"
)
CALLS = {
    "hermes": '<tool_call>\n{"name": "edit_file", "arguments": ' + JSON + "}\n</tool_call>",
    "qwen_xml": "<tool_call>\n<function=" + XML,
    "mistral": "[TOOL_CALLS]edit_file[ARGS]" + JSON,
    "llama": '{"name": "edit_file", "parameters": ' + JSON + "}",
    "glm": "<tool_call>" + GLM,
    "harmony": "<|channel|>commentary to=functions.edit_file <|constrain|>json<|message|>" + JSON,
}


def grammar_of(format_name: str) -> CallGrammar:
    found = call_grammar(format_name, (EDIT, STATUS), OFFERED, lambda marker: tuple(marker.encode()))
    assert found is not None
    return found


def admitted(calls: CallGrammar, text: str) -> tuple[str, bool]:
    """How much of `text` the constraint lets a model write, and whether that ends in free text."""
    tokeniser = llguidance.LLTokenizer("byte")
    guide = Guide(calls, lambda: tokeniser, lambda byte: bytes([byte]), frozenset())
    written, forced = b"", b""
    for byte in text.encode():
        if forced:
            if forced[0] != byte:
                break
            forced = forced[1:]
        elif guide.admits(byte):
            forced = bytes(guide.take(byte)[1:])
        else:
            break
        written += bytes([byte])
    return written.decode(errors="replace"), not guide.is_in_call and not forced


@pytest.mark.parametrize("format_name", CALLS)
def test_a_right_call_is_admitted_and_the_text_behind_it_is_free(format_name: str) -> None:
    before = "" if format_name == "llama" else "I look at <tool and [TOOL.\n"
    text = f"{before}{CALLS[format_name]} And more <of> it."
    assert admitted(grammar_of(format_name), text) == (text, True)


@pytest.mark.parametrize("format_name", CALLS)
@pytest.mark.parametrize(("right", "wrong"), [("edit_file", "edit_all"), ("src/", "lib/"), ("old", "new")])
def test_what_is_not_declared_is_refused(format_name: str, right: str, wrong: str) -> None:
    text = CALLS[format_name].replace(right, wrong, 1)
    written, is_free = admitted(grammar_of(format_name), text)
    assert text.startswith(written)
    assert len(written) < text.index(wrong) + len(wrong)
    assert not is_free


@pytest.mark.parametrize("format_name", ["hermes", "mistral", "llama", "harmony"])
def test_a_call_without_arguments_is_admitted(format_name: str) -> None:
    text = CALLS[format_name].replace("edit_file", "git_status").replace(JSON, "{}")
    assert admitted(grammar_of(format_name), text) == (text, True)


def test_a_missing_opening_tag_does_not_free_the_call() -> None:
    text = "<function=" + XML
    assert admitted(grammar_of("qwen_xml"), text) == (text, True)
    assert not admitted(grammar_of("qwen_xml"), "<function=delete_all>")[0].endswith("delete_all>")


@pytest.mark.parametrize("format_name", ["llama", "hermes"])
def test_bare_json_is_a_call_only_where_the_message_begins_with_it(format_name: str) -> None:
    text = 'Like {"name": "nothing"}'
    assert admitted(grammar_of(format_name), text) == (text, True)


def test_a_bare_call_of_qwen_obeys_the_grammar_too() -> None:
    text = '{"name": "edit_file", "arguments": ' + JSON + "}"
    assert admitted(grammar_of("hermes"), text) == (text, True)
    assert not admitted(grammar_of("hermes"), text.replace("src/", "lib/", 1))[1]
    assert not admitted(grammar_of("hermes"), '{"name": "delete_all"')[0].endswith("delete_all")


def test_a_format_without_a_grammar_and_no_tools_leave_text_free() -> None:
    assert call_grammar("gemma3", (EDIT,), {}, lambda _: ()) is None
    assert call_grammar("hermes", (), {}, lambda _: ()) is None


def test_a_marker_that_is_one_token_is_written_so() -> None:
    calls = call_grammar("hermes", (STATUS,), {}, lambda _: (151658,))
    assert calls is not None
    assert "<[151658]>" in calls.rules


CALL = CallGrammar((Opener("<call>", "body"), Opener("begin ", "body", only_first=True)), 'body: "x"\n')


def watched(tokens: list[bytes]) -> tuple[int, Began] | None:
    """The number of the token that begins a call, and what began."""
    watch = CallWatch(CALL)
    return next(((n, began) for n, token in enumerate(tokens) if (began := watch.push(token))), None)


@given(st.text(alphabet="ab<cl>", max_size=12), st.lists(st.integers(1, 5)))
def test_an_opener_is_seen_however_the_text_is_cut(text: str, sizes: list[int]) -> None:
    data, tokens = f"{text}<call>".encode(), list[bytes]()
    for size in [*sizes, *[1] * len(data)]:
        tokens.append(data[:size])
        data = data[size:]
    found = watched([token for token in tokens if token])
    assert found is not None
    assert b"<call>" in b"".join(tokens[: found[0] + 1])
    assert b"<call>" not in b"".join(tokens[: found[0]])


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([b"a<ca", b"ll>"], (1, Began(CALL.after(CALL.openers[0]), keeps_token=True))),
        ([b"<call", b">\n"], (1, Began(CALL.after(CALL.openers[0], ">"), keeps_token=False))),
        ([b"so <call>{"], (0, Began(CALL.after(CALL.openers[0], "so <call>"), keeps_token=False))),
        ([b"begin", b" "], (1, Began(CALL.after(CALL.openers[1]), keeps_token=True))),
        ([b"I ", b"begin", b" ", b"it"], None),
        ([b"<call ", b">"], None),
        ([b"\x9c<call>x"], None),
    ],
)
def test_a_token_that_says_more_than_the_opener_is_written_again(
    tokens: list[bytes], expected: tuple[int, Began] | None
) -> None:
    assert watched(tokens) == expected
