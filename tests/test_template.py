"""Turns rendered one by one give what the model's own template gives for the whole conversation."""

from __future__ import annotations

from typing import Any

import jinja2
import pytest

from agent.engine.llamacpp import LlamaCppEngine
from agent.engine.vocabulary import read_vocabulary
from agent.models.store import ModelStore
from agent.template import ChatTemplate, Part, TemplateError

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA_3 = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}"
    "{{ message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system') }}{% endif %}"
    "{% for message in messages %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
TURNS = [("user", "What is <b>in</b> it?"), ("assistant", "Three files."), ("user", "And now?")]


def whole(source: str, turns: list[tuple[str, str]], **names: str) -> str:
    """The conversation rendered at once, as libraries do it."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    messages = [{"role": role, "content": content} for role, content in turns]
    return environment.from_string(source).render(messages=messages, add_generation_prompt=True, **names)


def one_by_one(template: ChatTemplate, system: str | None, turns: list[tuple[str, str]]) -> list[Part]:
    parts = list(template.opening(system))
    for number, (role, text) in enumerate(turns):
        if role == "user":
            parts += template.user(text, first=number == 0)
        else:
            parts += [*template.reply_open(), Part(text, False), *template.reply_close()]
    return [*parts, *template.reply_open()]


def joined(parts: list[Part]) -> str:
    return "".join(part.text for part in parts)


@pytest.fixture(params=["qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "chatml", "llama 3"])
def source(request: pytest.FixtureRequest, store: ModelStore) -> str:
    match request.param:
        case "chatml":
            return CHATML
        case "llama 3":
            return LLAMA_3
        case model:
            return read_vocabulary(store.path(model)).chat_template


@pytest.mark.parametrize("system", ["You are terse.", None])
def test_the_turns_joined_are_the_conversation_rendered_at_once(source: str, system: str | None) -> None:
    template = ChatTemplate(source, bos_token="<s>", eos_token="</s>")
    turns = TURNS if system is None else [("system", system), *TURNS]
    assert joined(one_by_one(template, system, TURNS)) == whole(
        source, turns, bos_token="<s>", eos_token="</s>"
    )


def test_only_frames_may_hold_special_tokens(source: str) -> None:
    said = {text for _, text in TURNS} | {"You are terse."}
    parts = one_by_one(ChatTemplate(source), "You are terse.", TURNS)
    assert {part.text for part in parts if not part.special} == said
    assert not [part for part in parts if part.special and any(text in part.text for text in said)]


def test_the_default_system_text_of_a_template_is_not_put_beside_ours(store: ModelStore) -> None:
    template = ChatTemplate(read_vocabulary(store.path("qwen2.5-coder-0.5b")).chat_template)
    assert "Alibaba" in joined(list(template.opening(None)))
    assert "Alibaba" not in joined(list(template.opening("You are terse.")))


def test_without_a_system_role_the_system_text_opens_the_first_request() -> None:
    template = ChatTemplate(GEMMA, bos_token="<bos>")
    folded = [("user", "Be terse.\n\n" + TURNS[0][1]), *TURNS[1:]]
    expected = joined(one_by_one(template, "Be terse.", TURNS))
    assert expected == whole(GEMMA, folded, bos_token="<bos>", raise_exception=str)


def test_the_tokens_of_the_turns_are_those_of_the_conversation(llama_engine: LlamaCppEngine) -> None:
    template = ChatTemplate.of(llama_engine)
    parts = one_by_one(template, "You are terse.", TURNS)
    tokens = [token for part in parts for token in llama_engine.encode(part.text, special=part.special)]
    assert tokens == llama_engine.encode(joined(parts), special=True)


@pytest.mark.parametrize(
    "source",
    [
        "{{ nothing",
        "{{ messages[0].content }}",
        "{{ messages | length }}",
        "{% for m in messages %}{% if loop.last or m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}",
        "{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}",
        "{{ raise_exception('no') }}",
        "{{ messages.pop() }}",
    ],
)
def test_a_template_that_is_not_one_of_turns_is_refused(source: str) -> None:
    with pytest.raises(TemplateError, match="chat template"):
        ChatTemplate(source)


def test_a_template_cannot_reach_out_of_its_sandbox() -> None:
    source: Any = "{{ messages.__class__.__mro__[1].__subclasses__() }}" + CHATML
    with pytest.raises(TemplateError):
        ChatTemplate(source)


def test_fingerprints_differ_where_templates_do() -> None:
    assert ChatTemplate(CHATML).fingerprint == ChatTemplate(CHATML).fingerprint
    assert ChatTemplate(CHATML).fingerprint != ChatTemplate(CHATML.replace("im_", "in_")).fingerprint
    assert (
        ChatTemplate(LLAMA_3, bos_token="a").fingerprint != ChatTemplate(LLAMA_3, bos_token="b").fingerprint
    )
