"""One conversation in the shapes of everyone who writes one."""

import pytest

from audittrail.ingest.conversation import conversation, part
from audittrail.model.span import Message, Part

ASK = Message("user", (Part("text", "What does it cost?"),))
CALL = Message("assistant", (Part("tool_call", id="c1", name="price", value={"sku": 7}),))
RESULT = Message("tool", (Part("tool_result", id="c1", value="12 EUR"),))
ANSWER = Message("assistant", (Part("text", "12 EUR."),))
TURNS = (ASK, CALL, RESULT, ANSWER)


def text(words: str) -> dict:
    return {"type": "text", "text": words}


SHAPES = {
    "opentelemetry": [
        {"role": "user", "parts": [{"type": "text", "content": "What does it cost?"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "price", "arguments": {"sku": 7}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "12 EUR"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "12 EUR."}]},
    ],
    "openai chat": [
        {"role": "user", "content": "What does it cost?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "price", "arguments": '{"sku": 7}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "12 EUR"},
        {"role": "assistant", "content": [text("12 EUR.")]},
    ],
    "openai responses": [
        {"role": "user", "content": [{"type": "input_text", "text": "What does it cost?"}]},
        {"type": "function_call", "call_id": "c1", "name": "price", "arguments": '{"sku":7}'},
        {"type": "function_call_output", "call_id": "c1", "output": "12 EUR"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "12 EUR."}]},
    ],
    "anthropic": [
        {"role": "user", "content": "What does it cost?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "price", "input": {"sku": 7}}]},
        {"role": "tool", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [text("12 EUR")]}]},
        {"role": "assistant", "content": [text("12 EUR.")]},
    ],
    "bedrock": [
        {"role": "user", "content": [{"text": "What does it cost?"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "price", "input": {"sku": 7}}}]},
        {"role": "tool", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "12 EUR"}]}}]},
        {"role": "assistant", "content": [{"text": "12 EUR."}]},
    ],
    "gemini": [
        {"role": "user", "parts": [{"text": "What does it cost?"}]},
        {"role": "assistant", "parts": [{"functionCall": {"id": "c1", "name": "price", "args": {"sku": 7}}}]},
        {"role": "tool", "parts": [{"functionResponse": {"id": "c1", "response": "12 EUR"}}]},
        {"role": "assistant", "parts": [{"text": "12 EUR."}]},
    ],
    "vercel": [
        {"role": "user", "content": [text("What does it cost?")]},
        {
            "role": "assistant",
            "content": [{"type": "tool-call", "toolCallId": "c1", "toolName": "price", "input": {"sku": 7}}],
        },
        {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1", "output": "12 EUR"}]},
        {"role": "assistant", "content": [text("12 EUR.")]},
    ],
    "langchain": [
        {"type": "human", "content": "What does it cost?"},
        {"type": "ai", "data": {"content": "", "tool_calls": [{"id": "c1", "name": "price", "args": {"sku": 7}}]}},
        {"type": "tool", "content": "12 EUR", "tool_call_id": "c1"},
        {"type": "ai", "content": "12 EUR."},
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_says_the_same(shape):
    assert conversation(SHAPES[shape]) == TURNS
    assert conversation({"messages": SHAPES[shape]}) == TURNS
    assert conversation({"model": "gpt-4o", "temperature": 0, "messages": SHAPES[shape]}) == TURNS
    assert conversation([SHAPES[shape]]) == TURNS


def test_a_response_with_choices_is_the_answer_with_its_reason():
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "12 EUR."}}
    assert conversation({"choices": [choice]}) == (Message("assistant", ANSWER.parts, "stop"),)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "text",
        5,
        [],
        {},
        [1],
        [{"a": 1}],
        [[]],
        [{"role": 5}],
        {"messages": "x"},
        {"choices": [1]},
        [{"role": "u"}, 1],
    ],
)
def test_what_is_no_conversation_is_left_alone(value):
    assert conversation(value) is None


def test_a_graphs_state_keeps_its_other_keys():
    assert conversation({"messages": SHAPES["anthropic"], "retries": 3}) is None


@pytest.mark.parametrize(
    ("item", "wanted"),
    [
        ({"type": "thinking", "thinking": "hm"}, Part("reasoning", "hm")),
        ({"type": "reasoning", "content": "hm"}, Part("reasoning", "hm")),
        (
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            Part("reasoning", "hm", value={"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}),
        ),
        ({"text": "hm", "thought": True}, Part("reasoning", "hm")),
        ({"type": "refusal", "refusal": "no"}, Part("text", "no")),
        (
            {"type": "image_url", "image_url": {"url": "x"}},
            Part("media", value={"type": "image_url", "image_url": {"url": "x"}}),
        ),
        ({"type": "new", "x": 1}, Part("data", value={"type": "new", "x": 1})),
        ({"x": 1}, Part("data", value={"x": 1})),
        ({"type": "text", "text": 5}, Part("data", value={"type": "text", "text": 5})),
        ({"type": "tool_call", "name": "a", "arguments": "[cut"}, Part("tool_call", name="a", value="[cut")),
        ("words", Part("text", "words")),
        (5, Part("data", value=5)),
    ],
)
def test_parts(item, wanted):
    assert part(item) == wanted
