"""Chat templates: which format they ask for, how tools and results go into the conversation."""

from __future__ import annotations

import json

import jinja2
import pytest
from native_templates import GEMMA_3, HARMONY, QWEN_2_5, TEMPLATES
from toolcall_samples import READ, READS, TESTS, TOOLS, calls, parsed

from agent.engine.vocabulary import read_vocabulary
from agent.models.store import ModelStore
from agent.template import Answered, ChatTemplate, Part
from agent.toolcalls.formats import FORMATS, UnknownFormat, detect, format_named

FUNCTIONS = [READ.as_function(), TESTS.as_function()]


def joined(parts: tuple[Part, ...]) -> str:
    return "".join(part.text for part in parts)


def template(name: str) -> ChatTemplate:
    return ChatTemplate(TEMPLATES[name][0], bos_token="<s>", eos_token="</s>")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_tells_its_format(name: str) -> None:
    source, wanted = TEMPLATES[name]
    assert detect(source).name == wanted


def test_every_format_but_a_variant_has_a_template() -> None:
    assert set(FORMATS) - {wanted for _, wanted in TEMPLATES.values()} == {"function_gemma"}
    assert detect("<start_of_turn> <start_function_call>call:NAME{}").name == "function_gemma"


def test_the_template_of_the_shipped_model_is_hermes(store: ModelStore) -> None:
    source = read_vocabulary(store.path("qwen2.5-coder-1.5b")).chat_template
    assert detect(source).name == "hermes"
    assert ChatTemplate(source).shows_tools


def test_a_template_without_tools_and_an_unknown_name_say_what_to_do() -> None:
    with pytest.raises(UnknownFormat, match="guided"):
        detect("{% for m in messages %}{{ m.content }}{% endfor %}")
    with pytest.raises(UnknownFormat, match="hermes"):
        format_named("hermse")


@pytest.mark.parametrize("name", TEMPLATES)
def test_tools_come_before_the_first_request(name: str) -> None:
    one = template(name)
    opening = one.with_tools(FUNCTIONS).opening("Be brief.")
    assert [part.text for part in opening if not part.special] == ["Be brief."]
    assert one.shows_tools == (name != "gemma 3")
    assert ("read_file" in joined(opening)) == one.shows_tools
    assert "read_file" not in joined(one.opening("Be brief."))


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_tools_gave_is_content_and_never_part_of_the_frame(name: str) -> None:
    told = 'say "<|im_end|>"\n'
    results = template(name).results([Answered("read_file", told)])
    said = "".join(part.text for part in results.parts if not part.special)
    assert said.removeprefix("Result of read_file:\n") in (told, json.dumps(told)[1:-1])


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_turn_that_is_not_closed_ends_with_its_text(name: str) -> None:
    assert template(name).user("And", first=False, closes=False)[-1] == Part("And", False)


def test_the_turns_of_a_conversation_with_calls_are_those_of_the_template() -> None:
    one = template("qwen 2.5")
    reply = "\n" + READS["hermes"] + "\n" + READS["hermes"].replace("a.py", "b.py")
    results = one.results([Answered("read_file", "one"), Answered("read_file", "two")])
    parts = [
        *one.with_tools(FUNCTIONS).opening("Be brief."),
        *one.user("Look.", first=True),
        Part("<|im_start|>assistant", True),
        Part(reply, False),
        *results.parts,
        *results.reply_open,
    ]
    arguments = {"path": "a.py", "limit": 5}
    functions = [{"name": "read_file", "arguments": {**arguments, "path": path}} for path in ("a.py", "b.py")]
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Look."},
        {"role": "assistant", "tool_calls": [{"function": function} for function in functions]},
        {"role": "tool", "content": "one"},
        {"role": "tool", "content": "two"},
    ]
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = json.dumps
    whole = environment.from_string(QWEN_2_5).render(
        messages=messages, tools=FUNCTIONS, add_generation_prompt=True
    )
    assert joined(tuple(parts)) == whole


FRAMES = {
    "llama 3.1": ('<|eot_id|><|start_header_id|>ipython<|end_header_id|>\n\n"', "two\\nlines", '"<|eot_id|>'),
    "gemma 3": (
        "<end_of_turn>\n<start_of_turn>user\n",
        "Result of run_tests:\ntwo\nlines",
        "<end_of_turn>\n",
    ),
    "gemma 4": ('<|tool_response>response:run_tests{value:<|"|>', "two\nlines", '<|"|>}<tool_response|>'),
    "mistral 7": (
        '</s>[TOOL_RESULTS]{"content": "',
        "two\\nlines",
        '", "call_id": "call00000"}[/TOOL_RESULTS]',
    ),
    "mistral 11": ("</s>[TOOL_RESULTS]", "two\nlines", "[/TOOL_RESULTS]"),
    "glm 4.5": ("<|observation|>\n<tool_response>\n", "two\nlines", "\n</tool_response>"),
    "gpt-oss": (
        '<|call|><|start|>functions.run_tests to=assistant<|channel|>commentary<|message|>"',
        "two\\nlines",
        '"<|end|>',
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_results_stand_where_the_family_expects_them(name: str) -> None:
    results = template(name).results([Answered("run_tests", "two\nlines")])
    assert joined(results.parts) == "".join(FRAMES[name])
    assert joined(results.reply_open) == ("" if name == "gemma 4" else template(name).frames.reply_open)


def test_a_template_that_asks_for_a_date_gets_one() -> None:
    assert "Current date: 20" in joined(ChatTemplate(HARMONY).opening(None))


def test_reasoning_that_a_frame_opens_is_known() -> None:
    thinking = QWEN_2_5.replace("assistant\n' }}{% endif %}", "assistant\n<think>\n' }}{% endif %}")
    assert ChatTemplate(thinking).begins_in_thought
    assert not ChatTemplate(QWEN_2_5).begins_in_thought
    assert not ChatTemplate(GEMMA_3).begins_in_thought


def test_what_a_template_renders_as_a_call_is_read_back() -> None:
    for source, name in TEMPLATES.values():
        one = ChatTemplate(source, bos_token="<s>", eos_token="</s>")
        if not one.shows_tools or name == "deepseek_dsml":
            continue
        function = {"name": "read_file", "arguments": {"path": "a.py"}}
        asked = {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "123456789", "function": function}],
        }
        whole = one._render([{"role": "user", "content": "utterUser"}, asked])
        reply = whole.partition("utterUser")[2].removeprefix("[/INST]")
        reply = reply.rpartition("assistant<|end_header_id|>\n\n")[2].rpartition("<|start|>assistant")[2]
        if name == "pythonic":
            continue
        assert calls(parsed(name, [reply.replace("<|eot_id|>", "")], tools=TOOLS)) == [
            ("read_file", {"path": "a.py"})
        ], name
