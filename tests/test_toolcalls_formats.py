"""Every format's own example becomes the same call; what models get wrong is mended where it is certain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from toolcall_samples import CODE, READS, TOOLS, WRITES, calls, faults, parsed, text

from agent.events import ToolArgumentsDelta
from agent.toolcalls.calls import Reasoning
from agent.toolcalls.formats import FORMATS

FIVE = [("read_file", {"path": "a.py", "limit": 5})]
READ = [("read_file", {"path": "a.py"})]


def test_there_is_a_sample_of_every_format() -> None:
    assert set(READS) == set(WRITES) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_call_is_read_and_its_number_is_a_number(name: str) -> None:
    events = parsed(name, READS[name])
    assert calls(events) == FIVE
    assert text(events) == ""
    fragments = "".join(event.json_fragment for event in events if isinstance(event, ToolArgumentsDelta))
    assert json.loads(fragments) == FIVE[0][1]


@pytest.mark.parametrize("name", FORMATS)
def test_code_comes_through_as_it_was_written(name: str) -> None:
    assert calls(parsed(name, [WRITES[name]])) == [("write_file", {"path": "b.py", "content": CODE})]


@pytest.mark.parametrize("name", FORMATS)
def test_a_long_string_is_handed_on_before_it_ends(name: str) -> None:
    if name in ("pythonic",):
        return  # bare calls wait for the end of the message: it may go on as text
    half = WRITES[name].partition("return")[0]
    events = parsed(name, [half], was_cut=True)
    fragments = "".join(event.json_fragment for event in events if isinstance(event, ToolArgumentsDelta))
    assert "def f(a, b):" in fragments


@pytest.mark.parametrize("name", FORMATS)
def test_a_call_that_the_token_limit_cut_off_is_never_ready(name: str) -> None:
    sample = READS[name]
    last = max(sample.rfind("5"), 0)
    for end in range(1, last + 1):
        assert calls(parsed(name, [sample[:end]], was_cut=True)) == []


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("llama", "pythonic")])
def test_words_before_a_call_are_said(name: str) -> None:
    before = "<|channel|>final<|message|>Let me look.<|end|><|start|>assistant" if name == "harmony" else ""
    events = parsed(name, [before or "Let me look.\n\n", READS[name]])
    assert (text(events), calls(events)) == ("Let me look.", FIVE)


@pytest.mark.parametrize("name", FORMATS)
def test_two_calls_in_one_reply_are_two(name: str) -> None:
    two = READS[name] + ("\n" if name != "mistral" else "") + READS[name].replace("a.py", "c.py")
    if name == "pythonic":
        two = '[read_file(path="a.py", limit=5), read_file(path="c.py", limit=5)]'
    found = calls(parsed(name, [two]))
    assert [arguments["path"] for _, arguments in found] == ["a.py", "c.py"]


@pytest.mark.parametrize("name", FORMATS)
def test_an_answer_is_only_said(name: str) -> None:
    answer = "It adds a < b, see `x = {1: [2]}` and [3]. Use <b>read_file</b>."
    events = parsed(name, f"<|channel|>final<|message|>{answer}<|return|>" if name == "harmony" else answer)
    assert (text(events), calls(events)) == (answer, [])


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "harmony"])
def test_what_is_thought_is_not_said(name: str) -> None:
    events = parsed(name, f"<think>{READS['hermes']} or so</think>\n\nIt adds.")
    assert (text(events), calls(events)) == ("It adds.", [])
    assert any(isinstance(event, Reasoning) for event in events)


# Format, what was written, the calls in it, what is said.
MENDED: list[tuple[str, str, list[tuple[str, dict[str, Any]]], str]] = [
    # Hermes
    ("hermes", '{"name": "read_file", "arguments": {"path": "a.py"}}', READ, ""),
    ("hermes", '{{"name": "read_file", "arguments": {"path": "a.py"}}}', READ, ""),
    ("hermes", '<tool_call>[{{"name": "read_file", "arguments": {"path": "a.py"}}}]</tool_call>', READ, ""),
    ("hermes", '```json\n{"name": "read_file", "arguments": {"path": "a.py"}}\n```', READ, ""),
    ("hermes", '<tools>{"name": "read_file", "arguments": {"path": "a.py"}}</tools>', READ, ""),
    ("hermes", '<tool_call>{"name": "read_file", "arguments": {"path": "a.py"}', READ, ""),
    ("hermes", '<tool_call>{"name": "read_file", "arguments": {"path": "a.py"}</tool_call>Ok', READ, "Ok"),
    ("hermes", '<tool_call>{"name": "read_file", "arguments": {"path": "a.py"}}}\n</tool_call>', READ, ""),
    ("hermes", '<tool_call>{"arguments": {"path": "a.py"}, "name": "read_file"}</tool_call>', READ, ""),
    ("hermes", '<tool_call>{"name": "read_file", "arguments": "{\\"path\\": \\"a.py\\"}"}', READ, ""),
    ("hermes", "<tool_call>{'name': 'read_file', 'arguments': {'path': 'a.py',}}</tool_call>", READ, ""),
    ("hermes", '<tool_call>{"function": {"name": "read_file", "arguments": {"path": "a.py"}}}', READ, ""),
    ("hermes", '<tool_call>{"name": "Read_File", "arguments": {"Path": "a.py", "x": 1}}', READ, ""),
    ("hermes", 'Hm.\n{"name": "read_file", "arguments": {"path": "a.py"}}\n</tool_call>', READ, "Hm."),
    (
        "hermes",
        "<tool_call>\n<function=read_file>\n<parameter=path>\na.py\n</parameter></function>",
        READ,
        "",
    ),
    (
        "hermes",
        '<tool_call>{"name": "read_file", "arguments": {"path": "a.py", "limit": "72.0000"}}</tool_call>',
        [("read_file", {"path": "a.py", "limit": 72})],
        "",
    ),
    (
        "hermes",
        '<tool_call>{"name": "write_file", "arguments": {"path": "a", "content": "\\ud83d\\ude00\\ud83d",'
        ' "backup": "True", "tags": "[\\"x\\"]"}}</tool_call>',
        [("write_file", {"path": "a", "content": "😀\ufffd", "backup": True, "tags": ["x"]})],
        "",
    ),
    # Qwen3-Coder
    (
        "qwen_xml",
        "Now.\n<function=read_file>\n<parameter=path>\na.py\n</parameter>\n</function>",
        READ,
        "Now.",
    ),
    (
        "qwen_xml",
        "<tool_call>\n<function=read_file>\n<parameter=path>\na.py\n</parameter>\n</parameter>\n"
        "<parameter=limit>\nNULL\n</parameter>\n</function>\n</tool_call>",
        READ,
        "",
    ),
    (
        "qwen_xml",
        "<tool_call>\n<function=read_file>\n<parameter=path>a.py</parameter>\n</tool_call>",
        READ,
        "",
    ),
    ("qwen_xml", '<tool_call>{"name": "read_file", "arguments": {"path": "a.py"}}</tool_call>', READ, ""),
    (
        "qwen_xml",
        "<tool_call>\n<function=write_file>\n<parameter=path>\nb\n</parameter>\n<parameter=content>\n"
        "x</parameter> y\n\n</parameter>\n<parameter=tags>\n['a', 'b']\n</parameter>\n</function>",
        [("write_file", {"path": "b", "content": "x</parameter> y\n", "tags": ["a", "b"]})],
        "",
    ),
    # Llama 3
    ("llama", '{"name": "read_file", "parameters": {"path": "a.py"}}', READ, ""),
    ("llama", '[read_file(path="a.py")]', READ, ""),
    ("llama", '<function=read_file>{"path": "a.py"}</function>', READ, ""),
    ("llama", '{"name": "run_tests", "parameters": null}', [("run_tests", {})], ""),
    (
        "llama",
        '<|python_tag|>{"name": "run_tests", "parameters": {}}; {"name": "run_tests", "parameters": {}}',
        [("run_tests", {})] * 2,
        "",
    ),
    # Python
    ("pythonic", "read_file('a.py')", READ, ""),
    ("pythonic", "[run_tests(), read_file(path=r'a.py')]", [("run_tests", {}), *READ], ""),
    (
        "pythonic",
        '[write_file(path="a", content="""x\n"y" z""", backup=True, tags=("q",))]',
        [("write_file", {"path": "a", "content": 'x\n"y" z', "backup": True, "tags": ["q"]})],
        "",
    ),
    # Gemma
    ("gemma3", 'print(read_file(path="a.py"))', [], 'print(read_file(path="a.py"))'),
    ("gemma3", '```tool_code\nprint(default_api.read_file(path="a.py"))\n```', READ, ""),
    ("gemma3", '```json\n{"name": "read_file", "parameters": {"path": "a.py"}}\n```', READ, ""),
    ("gemma4", '<tool_call:read_file{path:<|"|>a.py<|"|>}<tool_call|>', READ, ""),
    ("gemma4", 'call:read_file{path:<|"|>a.py<|"|>}', READ, ""),
    ("gemma4", '<|tool_call>call:read_file{path:a.py<|"|>}<tool_call|>', READ, ""),
    ("gemma4", "<|tool_call>call:read_file(path='a.py')<tool_call|>", READ, ""),
    (
        "gemma4",
        '<|tool_call>call:write_file{path:<|"|>a<|"|>,content:<|"|>{"k": [1, "]"]}<|"|>,tags:[<|"|>x<|"|>]}',
        [("write_file", {"path": "a", "content": '{"k": [1, "]"]}', "tags": ["x"]})],
        "",
    ),
    # Mistral
    ("mistral", 'read_file[ARGS]{"path": "a.py"}', READ, ""),
    ("mistral", '[TOOL_CALLS]read_file[CALL_ID]abc123[ARGS]{"path": "a.py"}', READ, ""),
    ("mistral", '[TOOL_CALLS]read_file{"path": "a.py"}', READ, ""),
    ("mistral_list", '[{"name": "read_file", "arguments": {"path": "a.py"}}]', READ, ""),
    # GLM
    ("glm", "<tool_call>read_file<arg_key>path</arg_key><arg_value>a.py</arg_value></tool_call>", READ, ""),
    ("glm", "read_file\n<arg_key>path</arg_key>\n<arg_value>a.py</arg_value>\n</tool_call>", READ, ""),
    ("glm", '<tool_call>{"name": "read_file", "arguments": {"path": "a.py"}}</tool_call>', READ, ""),
    ("glm", "<tool_call>run_tests</tool_call>", [("run_tests", {})], ""),
    # DeepSeek
    ("deepseek", '<｜tool▁call▁begin｜>read_file<｜tool▁sep｜>{"path": "a.py"}<｜tool▁call▁end｜>', READ, ""),
    # Harmony
    ("harmony", '<|channel|>analysis to=functions.read_file code<|message|>{"path": "a.py"}', READ, ""),
    ("harmony", ' to=functions.read_file<|channel|>commentary json<|message|>{"path": "a.py"}', READ, ""),
    ("harmony", "It adds.", [], "It adds."),
    ("harmony", "<|channel|>commentary<|message|>I look.<|end|>", [], "I look."),
]


@pytest.mark.parametrize(("name", "written", "found", "said"), MENDED)
def test_what_models_get_wrong_is_read_as_meant(
    name: str, written: str, found: list[tuple[str, dict[str, Any]]], said: str
) -> None:
    events = parsed(name, [written])
    assert faults(events) == []
    assert (calls(events), text(events)) == (found, said)


TEXT_ALONE = [
    ("hermes", 'For example {"name": "read_file", "arguments": {"path": "a.py"}} reads.'),
    ("hermes", '{"name": "read_file", "arguments": {"path": "a.py"}} is how a call looks.'),
    ("hermes", '{"name": "delete_all", "arguments": {}}'),
    ("hermes", '{"port": 80, "name": "server"}'),
    ("hermes", "```json\n[1, 2]\n```"),
    ("hermes", '```python\nread_file("a.py")\n```'),
    ("hermes", 'Then:\n{"name": "read_file", "arguments": {"path": "a.py"}}\nand so on.'),
    ("qwen_xml", "Write <function=NAME> to call it."),
    ("llama", "[1] read_file is a tool."),
    ("llama", "[delete_all()]"),
    ("pythonic", "read_file(path) opens a file."),
    ("gemma4", "call:nothing{} is no call"),
    ("mistral", "Use [ARGS] there."),
]


@pytest.mark.parametrize(("name", "written"), TEXT_ALONE)
def test_what_only_looks_like_a_call_is_text(name: str, written: str) -> None:
    events = parsed(name, [written])
    assert (calls(events), text(events), faults(events)) == ([], written, [])


# Format, what was written, words of the reason.
FAULTY = [
    ("hermes", '<tool_call>{"name": "read_fil", "arguments": {}}</tool_call>', "Did you mean read_file"),
    ("hermes", '<tool_call>{"name": "read_file", "arguments": {}}</tool_call>', "path must be given"),
    ("hermes", '<tool_call>{"name": "read_file", "arguments": {"file": "a"}}</tool_call>', "It has no file"),
    (
        "hermes",
        '<tool_call>{"name": "read_file", "arguments": {"path": "a", "limit": "many"}}</tool_call>',
        "limit: it must be a whole number, not 'many'",
    ),
    ("hermes", '<tool_call>{"arguments": {}}</tool_call>', "names no tool"),
    ("hermes", "<tool_call>read it</tool_call>", "an object with a name and arguments was expected"),
    ("hermes", '<tool_call>{"name": "read_file", "arguments": {"path": "a "b" c"}}</tool_call>', "expected"),
    ("qwen_xml", "<tool_call><function=read_file><parameter=path>a.py", "was not finished"),
    ("gemma4", "<|tool_call>call:read_file{path:a.py}<tool_call|>", "must stand between"),
    ("pythonic", "[read_file(path=name)]", "text must stand in quotes"),
    ("glm", "<tool_call>read_file\n<arg_key>path</arg_key>a.py</tool_call>", "must follow"),
    ("harmony", '<|channel|>commentary to=python<|message|>{"path": 1}<|call|>', "no tool called python"),
]


@pytest.mark.parametrize(("name", "written", "reason"), FAULTY)
def test_a_bad_call_says_what_is_wrong_and_is_not_said(name: str, written: str, reason: str) -> None:
    events = parsed(name, [written])
    assert calls(events) == []
    assert text(events) == ""
    assert [reason in fault for fault in faults(events)] == [True]


def test_text_goes_on_after_a_bad_call() -> None:
    events = parsed("hermes", ['<tool_call>{"name": 5]</tool_call>So it is.'])
    assert (text(events), len(faults(events))) == ("So it is.", 1)


def test_the_call_after_a_bad_one_is_read() -> None:
    assert calls(parsed("hermes", ["<tool_call>{oh", READS["hermes"]])) == FIVE


def test_a_value_that_is_nested_too_deeply_is_refused() -> None:
    deep = '<tool_call>{"name": "read_file", "arguments": {"path": ' + "[" * 5_000
    assert "nested too deeply" in faults(parsed("hermes", [deep]))[0]


def test_a_call_that_never_ends_is_given_up() -> None:
    flood = '<tool_call>{"name": "run_tests", "arguments": {"x": "' + "y" * 2_100_000
    assert faults(parsed("hermes", [flood])) == ["that call is too long"]
    many = parsed("hermes", ['<tool_call>{"name": "run_tests"}</tool_call>' * 500])
    assert len(calls(many)) == 64


def test_reasoning_that_the_prompt_began_is_not_said() -> None:
    from agent.toolcalls.reply import ReplyParser

    parser = ReplyParser(FORMATS["hermes"], TOOLS, begins_in_thought=True)
    events = [*parser.feed("Let me see.</think>\nIt adds."), *parser.finish()]
    assert (text(events), calls(events)) == ("It adds.", [])
