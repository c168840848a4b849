# ruff: noqa: E501  (a template's lines are as long as they are)
"""Chat templates of the families, cut down to turns, tools, calls and results as their makers document it."""

from __future__ import annotations

_TOOLS_JSON = "{% for tool in tools %}{{ '\\n' + (tool | tojson) }}{% endfor %}"

QWEN_2_5 = (
    "{% if tools %}{{ '<|im_start|>system\n' }}"
    "{% if messages[0].role == 'system' %}{{ messages[0].content }}{% else %}You are Qwen.{% endif %}"
    "{{ '\n\n# Tools\n\n<tools>' }}"
    + _TOOLS_JSON
    + "{{ '\n</tools>\n\nFor each function call, return a json object within "
    "<tool_call></tool_call> XML tags.<|im_end|>\n' }}"
    "{% elif messages[0].role == 'system' %}{{ '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}"
    "{% endif %}"
    "{% for m in messages %}"
    "{% if m.role == 'user' or (m.role == 'assistant' and not m.tool_calls) %}"
    "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% elif m.role == 'assistant' %}{{ '<|im_start|>assistant' }}"
    "{% if m.content %}{{ '\n' + m.content }}{% endif %}"
    "{% for call in m.tool_calls %}"
    '{{ \'\n<tool_call>\n{"name": "\' + call.function.name + \'", "arguments": \' + (call.function.arguments | tojson) '
    "+ '}\n</tool_call>' }}{% endfor %}{{ '<|im_end|>\n' }}"
    "{% elif m.role == 'tool' %}"
    "{% if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{ '<|im_start|>user' }}{% endif %}"
    "{{ '\n<tool_response>\n' + m.content + '\n</tool_response>' }}"
    "{% if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{ '<|im_end|>\n' }}{% endif %}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
QWEN_3 = QWEN_2_5.replace(
    "{{ '<|im_start|>assistant\n' }}{% endif %}",
    "{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}",
)
QWEN_3_CODER = QWEN_2_5.replace(
    '{{ \'\n<tool_call>\n{"name": "\' + call.function.name + \'", "arguments": \' + (call.function.arguments | tojson) '
    "+ '}\n</tool_call>' }}",
    "{{ '\n<tool_call>\n<function=' + call.function.name + '>\n' }}"
    "{% for key, value in call.function.arguments.items() %}"
    "{{ '<parameter=' + key + '>\n' + value + '\n</parameter>\n' }}{% endfor %}"
    "{{ '</function>\n</tool_call>' }}",
)
_LLAMA_TURNS = (
    "{% for m in messages %}"
    "{% if m.role == 'tool' %}"
    "{{ '<|start_header_id|>ipython<|end_header_id|>\n\n' + (m.content | tojson) + '<|eot_id|>' }}"
    "{% elif m.tool_calls %}"
    "{% if m.tool_calls | length != 1 %}{{ raise_exception('one call at a time') }}{% endif %}"
    '{{ \'<|start_header_id|>assistant<|end_header_id|>\n\n{"name": "\' + m.tool_calls[0].function.name '
    "+ '\", \"parameters\": ' + (m.tool_calls[0].function.arguments | tojson) + '}<|eot_id|>' }}"
    "{% else %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' }}"
    "{% if m.role == 'user' and tools and loop.index0 < 2 %}"
    "{{ 'Respond with a JSON for a function call:' }}" + _TOOLS_JSON + "{{ '\n\n' }}{% endif %}"
    "{{ (m.content | trim) + '<|eot_id|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
LLAMA_3_1 = "{{ bos_token }}{% if tools %}{{ 'Environment: ipython\n' }}{% endif %}" + _LLAMA_TURNS
LLAMA_4 = LLAMA_3_1.replace(
    "Respond with a JSON for a function call:", "<|python_start|>[f(x=1)]<|python_end|>"
)
GEMMA_3 = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% for m in messages %}"
    "{% if m.role not in ('user', 'assistant') %}{{ raise_exception('roles must alternate') }}{% endif %}"
    "{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else 'user') + '\n' + m.content | trim + '<end_of_turn>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
GEMMA_4 = (
    "{{ bos_token }}{% if tools or messages[0].role == 'system' %}{{ '<|turn>system\n' }}"
    "{% if messages[0].role == 'system' %}{{ messages[0].content }}{% endif %}"
    "{% for tool in tools %}{{ '<|tool>declaration:' + tool.function.name + '{}<tool|>' }}{% endfor %}{{ '<turn|>\n' }}{% endif %}"
    "{% set ns = namespace(open=false) %}"
    "{% for m in messages if m.role != 'system' %}"
    "{% if m.role == 'tool' %}{{ '<|tool_response>response:' + m.name + '{value:<|\"|>' + m.content + '<|\"|>}<tool_response|>' }}"
    "{% elif m.tool_calls %}{{ '<|turn>model\n' }}{% for call in m.tool_calls %}"
    "{{ '<|tool_call>call:' + call.function.name + '{' }}"
    "{% for key, value in call.function.arguments.items() %}{{ key + ':<|\"|>' + value + '<|\"|>' }}{% endfor %}"
    "{{ '}<tool_call|>' }}{% endfor %}{% set ns.open = true %}"
    "{% else %}{{ '<|turn>' + ('model' if m.role == 'assistant' else m.role) + '\n' + m.content + '<turn|>\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt and not ns.open %}{{ '<|turn>model\n' }}{% endif %}"
)
MISTRAL_7 = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ '[SYSTEM_PROMPT]' + m.content + '[/SYSTEM_PROMPT]' }}"
    "{% elif m.role == 'user' %}"
    "{% if tools and loop.index0 < 2 %}{{ '[AVAILABLE_TOOLS]' + (tools | tojson) + '[/AVAILABLE_TOOLS]' }}{% endif %}"
    "{{ '[INST]' + m.content + '[/INST]' }}"
    "{% elif m.role == 'tool' %}"
    "{% if m.tool_call_id | length != 9 %}{{ raise_exception('nine characters') }}{% endif %}"
    "{{ '[TOOL_RESULTS]{\"content\": ' + (m.content | tojson) + ', \"call_id\": \"' + m.tool_call_id + '\"}[/TOOL_RESULTS]' }}"
    "{% elif m.tool_calls %}{{ '[TOOL_CALLS][' }}{% for call in m.tool_calls %}"
    "{{ call.function | tojson }}{{ ', ' if not loop.last }}{% endfor %}{{ ']' + eos_token }}"
    "{% else %}{{ m.content + eos_token }}{% endif %}{% endfor %}"
)
MISTRAL_11 = (
    MISTRAL_7.replace("[TOOL_CALLS][", "")
    .replace(
        "{{ call.function | tojson }}{{ ', ' if not loop.last }}",
        "{{ '[TOOL_CALLS]' + call.function.name + '[ARGS]' + (call.function.arguments | tojson) }}",
    )
    .replace("{{ ']' + eos_token }}", "{{ eos_token }}")
    .replace(
        "{{ '[TOOL_RESULTS]{\"content\": ' + (m.content | tojson) + ', \"call_id\": \"' + m.tool_call_id + '\"}[/TOOL_RESULTS]' }}",
        "{{ '[TOOL_RESULTS]' + m.content + '[/TOOL_RESULTS]' }}",
    )
)
GLM_4_5 = (
    "{{ '[gMASK]<sop>' }}{% if tools %}{{ '<|system|>\n# Tools\n<tools>' }}"
    + _TOOLS_JSON
    + "{{ '\n</tools>\n"
    "<tool_call>{function-name}\n<arg_key>{arg-key}</arg_key>\n<arg_value>{arg-value}</arg_value>\n</tool_call>' }}{% endif %}"
    "{% for m in messages %}"
    "{% if m.role == 'tool' %}"
    "{% if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{ '<|observation|>' }}{% endif %}"
    "{{ '\n<tool_response>\n' + m.content + '\n</tool_response>' }}"
    "{% elif m.tool_calls %}{{ '<|assistant|>' }}{% for call in m.tool_calls %}"
    "{{ '\n<tool_call>' + call.function.name + '\n' }}"
    "{% for key, value in call.function.arguments.items() %}"
    "{{ '<arg_key>' + key + '</arg_key>\n<arg_value>' + value + '</arg_value>\n' }}{% endfor %}{{ '</tool_call>' }}{% endfor %}"
    "{% else %}{{ '<|' + m.role + '|>\n' + m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n<think></think>' }}{% endif %}"
)
DEEPSEEK_V3_1 = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ m.content }}"
    "{% if tools %}{{ '\n\n## Tools' }}" + _TOOLS_JSON + "{% endif %}"
    "{% elif m.role == 'user' %}{{ '<｜User｜>' + m.content }}"
    "{% elif m.role == 'tool' %}{{ '<｜tool▁output▁begin｜>' + m.content + '<｜tool▁output▁end｜>' }}"
    "{% elif m.tool_calls %}{{ '<｜Assistant｜></think><｜tool▁calls▁begin｜>' }}{% for call in m.tool_calls %}"
    "{{ '<｜tool▁call▁begin｜>' + call.function.name + '<｜tool▁sep｜>' + (call.function.arguments | tojson) "
    "+ '<｜tool▁call▁end｜>' }}{% endfor %}{{ '<｜tool▁calls▁end｜><｜end▁of▁sentence｜>' }}"
    "{% else %}{{ '<｜Assistant｜></think>' + m.content + '<｜end▁of▁sentence｜>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt and messages[-1].role != 'tool' %}{{ '<｜Assistant｜></think>' }}{% endif %}"
)
DEEPSEEK_V3_2 = DEEPSEEK_V3_1.replace(
    "'\n\n## Tools'", "'\n\n## Tools\n<｜DSML｜function_calls> <｜DSML｜invoke name=\"NAME\">'"
)
HARMONY = (
    "{% set today = strftime_now('%Y-%m-%d') %}"
    "{{ '<|start|>system<|message|>You are ChatGPT. Current date: ' + today + '<|end|>' }}"
    "{% if messages[0].role == 'system' or tools %}{{ '<|start|>developer<|message|>' }}"
    "{% if messages[0].role == 'system' %}{{ messages[0].content }}{% endif %}"
    "{% if tools %}{{ '\n\n# Tools\n\nnamespace functions {' }}"
    "{% for tool in tools %}{{ '\ntype ' + tool.function.name + ' = () => any;' }}{% endfor %}{{ '\n}' }}{% endif %}"
    "{{ '<|end|>' }}{% endif %}"
    "{% for m in messages if m.role != 'system' %}"
    "{% if m.role == 'tool' %}"
    "{{ '<|start|>functions.' + m.name + ' to=assistant<|channel|>commentary<|message|>' + (m.content | tojson) + '<|end|>' }}"
    "{% elif m.tool_calls %}"
    "{{ '<|start|>assistant to=functions.' + m.tool_calls[0].function.name + '<|channel|>commentary json<|message|>' "
    "+ (m.tool_calls[0].function.arguments | tojson) + '<|call|>' }}"
    "{% elif m.role == 'assistant' %}{{ '<|start|>assistant<|channel|>final<|message|>' + m.content + '<|end|>' }}"
    "{% else %}{{ '<|start|>user<|message|>' + m.content + '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif %}"
)

# Each with the format that it asks for.
TEMPLATES = {
    "qwen 2.5": (QWEN_2_5, "hermes"),
    "qwen 3": (QWEN_3, "hermes"),
    "qwen 3 coder": (QWEN_3_CODER, "qwen_xml"),
    "llama 3.1": (LLAMA_3_1, "llama"),
    "llama 4": (LLAMA_4, "pythonic"),
    "gemma 3": (GEMMA_3, "gemma3"),
    "gemma 4": (GEMMA_4, "gemma4"),
    "mistral 7": (MISTRAL_7, "mistral_list"),
    "mistral 11": (MISTRAL_11, "mistral"),
    "glm 4.5": (GLM_4_5, "glm"),
    "deepseek 3.1": (DEEPSEEK_V3_1, "deepseek"),
    "deepseek 3.2": (DEEPSEEK_V3_2, "deepseek_dsml"),
    "gpt-oss": (HARMONY, "harmony"),
}
