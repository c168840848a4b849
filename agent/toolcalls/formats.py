"""The formats that are known, and which of them a chat template asks for."""

from __future__ import annotations

import re

from agent.errors import UtterError
from agent.toolcalls.deepseek import DEEPSEEK, DEEPSEEK_DSML
from agent.toolcalls.gemma import FUNCTION_GEMMA_FORMAT, GEMMA_3, GEMMA_4_FORMAT
from agent.toolcalls.glm import GLM
from agent.toolcalls.harmony import HARMONY
from agent.toolcalls.hermes import HERMES
from agent.toolcalls.llama import LLAMA, PYTHONIC
from agent.toolcalls.mistral import MISTRAL, MISTRAL_LIST
from agent.toolcalls.qwen_xml import QWEN_XML
from agent.toolcalls.reply import Format

FORMATS = {
    format.name: format
    for format in (
        HERMES,
        QWEN_XML,
        LLAMA,
        PYTHONIC,
        GEMMA_3,
        GEMMA_4_FORMAT,
        FUNCTION_GEMMA_FORMAT,
        MISTRAL,
        MISTRAL_LIST,
        GLM,
        DEEPSEEK,
        DEEPSEEK_DSML,
        HARMONY,
    )
}

# In this order: what a later line looks for may stand in the template of an earlier one.
_SIGNS = (
    (r"<\|channel\|>.*<\|message\|>", HARMONY),
    (r"<\|tool_call>", GEMMA_4_FORMAT),
    (r"<start_function_call>", FUNCTION_GEMMA_FORMAT),
    (r"｜DSML｜", DEEPSEEK_DSML),
    (r"<｜tool▁calls▁begin｜>", DEEPSEEK),
    (r"<arg_key>", GLM),
    (r"<tool_call>(?:\\n|\s)*<function=|<function=.*<parameter=", QWEN_XML),
    (r"\[TOOL_CALLS\].*\[ARGS\]", MISTRAL),
    (r"\[TOOL_CALLS\]", MISTRAL_LIST),
    (r"<\|python_start\|>|<\|tool_call_start\|>|pythonic|\[func_name1\(", PYTHONIC),
    (r"<\|python_tag\|>|<\|eom_id\|>|Environment: ipython|\"parameters\": dictionary", LLAMA),
    (r"<\|start_header_id\|>.*\btools\b", LLAMA),
    (r"<tool_call>", HERMES),
    (r"<start_of_turn>", GEMMA_3),
)


class UnknownFormat(UtterError):
    """A name of a format that is not known, or a template that asks for none of them."""


def format_named(name: str) -> Format:
    """The format that a manifest or a setting names. Raises `UnknownFormat`."""
    if name not in FORMATS:
        raise UnknownFormat(f"There is no tool format {name!r}. The formats are: {', '.join(FORMATS)}.")
    return FORMATS[name]


def detect(chat_template: str) -> Format:
    """The format that the text of a chat template asks for. Raises `UnknownFormat` when it asks for none."""
    for sign, format in _SIGNS:
        if re.search(sign, chat_template, re.DOTALL):
            return format
    raise UnknownFormat(
        "This model's chat template says nothing of tools. Choose the guided dialect for it: "
        "--set agent.dialect=guided."
    )
