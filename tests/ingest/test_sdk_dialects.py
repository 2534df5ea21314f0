"""What the dialects of single SDKs say: Langfuse, LangSmith, MLflow, OpenLLMetry, Vercel; each kind that each has."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from audittrail.ingest.dialects.called import given
from audittrail.ingest.jsontext import unquoted
from audittrail.model.span import Message, Part, Tokens, Tool
from tests.ingest.test_dialects import said, span

L = "langfuse.observation."


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        *(
            ({L + "type": written}, kind)
            for written, kind in [
                ("generation", "llm"),
                ("GENERATION", "llm"),
                ("embedding", "embedding"),
                ("agent", "agent"),
                ("tool", "tool"),
                ("chain", "chain"),
                ("span", "chain"),
                ("retriever", "retriever"),
                ("guardrail", "guardrail"),
                ("evaluator", "evaluator"),
                ("event", "other"),
                ("news", "other"),
                (5, "other"),
            ]
        ),
        *(
            ({"langsmith.span.kind": written, "gen_ai.operation.name": "embeddings"}, kind)
            for written, kind in [
                ("llm", "llm"),
                ("chain", "chain"),
                ("tool", "tool"),
                ("retriever", "retriever"),
                ("embedding", "embedding"),
                ("prompt", "other"),
                ("parser", "other"),
                ("news", "embedding"),
            ]
        ),
        *(
            ({"mlflow.spanType": json.dumps(written)}, kind)
            for written, kind in [
                ("LLM", "llm"),
                ("CHAT_MODEL", "llm"),
                ("EMBEDDING", "embedding"),
                ("RETRIEVER", "retriever"),
                ("RERANKER", "reranker"),
                ("TOOL", "tool"),
                ("AGENT", "agent"),
                ("CHAIN", "chain"),
                ("WORKFLOW", "chain"),
                ("TASK", "chain"),
                ("GUARDRAIL", "guardrail"),
                ("EVALUATOR", "evaluator"),
                ("PARSER", "other"),
                ("UNKNOWN", "other"),
            ]
        ),
        *(
            ({"traceloop.span.kind": written}, kind)
            for written, kind in [
                ("workflow", "chain"),
                ("task", "chain"),
                ("agent", "agent"),
                ("tool", "tool"),
                ("x", "other"),
            ]
        ),
        *(
            ({"llm.request.type": written}, kind)
            for written, kind in [
                ("chat", "llm"),
                ("completion", "llm"),
                ("embedding", "embedding"),
                ("rerank", "reranker"),
            ]
        ),
        ({"traceloop.span.kind": "task", "gen_ai.operation.name": "vector_db_retrieve"}, "retriever"),
        ({"traceloop.entity.name": "q", "db.system": "Pinecone"}, "retriever"),
        ({"traceloop.entity.name": "q", "db.system": "postgresql"}, "other"),
        *(
            ({"ai.operationId": written}, kind)
            for written, kind in [
                ("ai.generateText", "agent"),
                ("ai.streamText", "agent"),
                ("ai.generateObject", "agent"),
                ("ai.streamObject", "agent"),
                ("ai.generateText.doGenerate", "llm"),
                ("ai.streamText.doStream", "llm"),
                ("ai.generateObject.doGenerate", "llm"),
                ("ai.streamObject.doStream", "llm"),
                ("ai.embed", "chain"),
                ("ai.embedMany", "chain"),
                ("ai.embed.doEmbed", "embedding"),
                ("ai.embedMany.doEmbed", "embedding"),
                ("ai.toolCall", "tool"),
                ("ai.rerank", "chain"),
                ("ai.rerank.doRerank", "reranker"),
                ("ai.news", "other"),
                ("other.doGenerate", "other"),
            ]
        ),
    ],
)
def test_kinds(attributes: dict[str, Any], kind: str) -> None:
    assert span(attributes).kind == kind


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        # As Langfuse counts: what is apart is not in `input` and `output`.
        (
            {"input": 100, "output": 20, "input_cached_tokens": 300, "output_reasoning_tokens": 5},
            Tokens(400, 25, 300, None, 5),
        ),
        ({"input": 100, "input_cache_creation": 7, "input_cache_read": 3}, Tokens(110, None, 3, 7, None)),
        # As OpenAI counts: what is apart is in the sums.
        (
            {
                "prompt_tokens": 412,
                "completion_tokens": 37,
                "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 12},
            },
            Tokens(412, 37, 128, None, 12),
        ),
        # As Anthropic's API counts: the cache is never in the input.
        (
            {"input_tokens": 3, "output_tokens": 2, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 4},
            Tokens(17, 2, 10, 4, None),
        ),
        (
            {"input_tokens": 50, "output_tokens": 9, "input_token_details": {"cache_read": 8}},
            Tokens(50, 9, 8, None, None),
        ),
        ({"input": "many", "output": -1, "input_cached_tokens": []}, Tokens()),
        ({"input": 2**63 - 1, "input_cached_tokens": 9}, Tokens(2**63 - 1, None, 9, None, None)),
    ],
)
def test_langfuse_counts_in_every_providers_words(usage: dict[str, Any], tokens: Tokens) -> None:
    assert span({L + "type": "generation", L + "usage_details": json.dumps(usage)}).tokens == tokens


def test_langfuse_a_generation() -> None:
    request = {"tools": [{"type": "function"}], "messages": [{"role": "user", "content": "hello"}]}
    found = span(
        {
            L + "type": "generation",
            L + "input": json.dumps(request),
            L + "output": json.dumps({"role": "assistant", "content": "hi"}),
            L + "model.name": '"gpt-4o-mini"',
            L + "cost_details": json.dumps({"input": 0.0001, "output": 0.0002}),
            L + "metadata.step": '"0"',
            "langfuse.trace.tags": ["nightly"],
            "langfuse.session.id": "s",
            "langfuse.user.id": "u",
            "openinference.span.kind": "CHAIN",
        }
    )
    assert (found.kind, found.model, found.cost) == ("llm", "gpt-4o-mini", Decimal("0.0003"))
    assert (found.input, found.output) == ((said("user", "hello"),), (said("assistant", "hi"),))
    assert (found.session_id, found.end_user) == ("s", "u")
    assert (found.unmapped, found.dialect) == ((), "langfuse+openinference")
    assert span({L + "cost_details": '{"total": 2, "input": 1}'}).cost == 2
    assert span({L + "cost_details": "[]", L + "usage_details": "7"}).cost is None


def test_langfuse_a_tool_that_failed() -> None:
    found = span(
        {
            L + "type": "tool",
            L + "input": '{"args": [], "kwargs": {"invoice": "INV-1"}}',
            L + "level": "ERROR",
            L + "status_message": "no answer",
        },
        name="fetch_invoice",
    )
    assert found.tool == Tool("fetch_invoice", None, {"invoice": "INV-1"}, None)
    assert found.status == "error" and found.error is not None and found.error.message == "no answer"
    assert span({L + "level": "WARNING", L + "status_message": "slow"}).status == "ok"


def test_langfuse_what_a_trace_was_given_stands_for_its_root() -> None:
    found = span({L + "type": "span", "langfuse.trace.input": '"hello"', "langfuse.trace.output": '{"a": 1}'})
    assert (found.input, found.output) == ("hello", {"a": 1})


@pytest.mark.parametrize(
    ("value", "arguments"),
    [
        ({"args": [], "kwargs": {"a": 1}}, {"a": 1}),
        ({"args": ["x"], "kwargs": {}}, "x"),
        ({"args": ["x", 2], "kwargs": {}}, ["x", 2]),
        ({"args": ["x"], "kwargs": {"a": 1}}, {"args": ["x"], "kwargs": {"a": 1}}),
        ({"args": [], "kwargs": {}}, {"args": [], "kwargs": {}}),
        ({"args": "x", "kwargs": 1}, {"args": "x", "kwargs": 1}),
        ({"args": []}, {"args": []}),
        ("x", "x"),
        (None, None),
    ],
)
def test_what_a_function_was_called_with(value: Any, arguments: Any) -> None:
    assert given(value) == arguments


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a"', "a"),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        ('"', '"'),
        ('"a" and "b"', '"a" and "b"'),
        ('"\\ud800"', "\\ud800"),
        ("5", "5"),
        (5, 5),
        (None, None),
    ],
)
def test_a_text_out_of_its_quotes(text: Any, value: Any) -> None:
    found = unquoted(text)
    assert found == value if text != '"\\ud800"' else isinstance(found, str)


def test_langsmith_says_what_gen_ai_gets_wrong() -> None:
    usage = {"input_token_details": {"cache_read": 8, "cache_creation": 2}, "output_token_details": {"reasoning": 3}}
    found = span(
        {
            "langsmith.span.kind": "llm",
            "langsmith.metadata.session_id": "s",
            "langsmith.metadata.user_id": "u",
            "langsmith.metadata.usage_metadata": json.dumps(usage),
            "gen_ai.usage.input_tokens": 50,
            "gen_ai.usage.output_tokens": 9,
            "gen_ai.prompt": '{"messages": [{"role": "user", "content": "hello"}], "model": "m"}',
            "gen_ai.completion": '{"choices": [{"message": {"role": "assistant", "content": "hi"}}]}',
        }
    )
    assert found.tokens == Tokens(50, 9, 8, 2, 3)
    assert (found.input, found.output) == ((said("user", "hello"),), (said("assistant", "hi"),))
    assert (found.session_id, found.end_user, found.unmapped) == ("s", "u", ())
    tool = span(
        {
            "langsmith.span.kind": "tool",
            "gen_ai.tool.name": "search",
            "gen_ai.prompt": '{"query": "x"}',
            "gen_ai.completion": '{"output": "found"}',
        }
    )
    assert tool.tool == Tool("search", None, {"query": "x"}, "found")
    assert span({"langsmith.span.kind": "retriever", "gen_ai.completion": '{"output": [1]}'}).output == [1]
    assert span({"langsmith.metadata.usage_metadata": '{"input_token_details": 5}'}).tokens == Tokens()


def test_mlflow_says_everything_in_json() -> None:
    found = span(
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.spanInputs": '{"model": "m", "messages": [{"role": "user", "content": "hello"}]}',
            "mlflow.spanOutputs": '{"choices": [{"message": {"role": "assistant", "content": "hi"}}]}',
            "mlflow.llm.model": '"gpt-4o-mini"',
            "mlflow.llm.provider": '"openai"',
            "mlflow.llm.cost": '{"total_cost": 0.5}',
            "mlflow.chat.tokenUsage": '{"input_tokens": 9, "output_tokens": 3, "cache_read_input_tokens": 2}',
            "mlflow.trace.session": '"s"',
            "mlflow.trace.user": "u",
            "temperature": "0.1",
        }
    )
    assert (found.model, found.provider, found.cost) == ("gpt-4o-mini", "openai", Decimal("0.5"))
    assert found.tokens == Tokens(9, 3, 2, None, None)
    assert (found.input, found.output) == ((said("user", "hello"),), (said("assistant", "hi"),))
    assert (found.session_id, found.end_user, found.unmapped) == ("s", "u", ("temperature",))
    tool = span(
        {"mlflow.spanType": '"TOOL"', "mlflow.spanInputs": '{"a": 1}', "mlflow.spanOutputs": '"{\\"b\\": 2}"'}, name="t"
    )
    assert tool.tool == Tool("t", None, {"a": 1}, {"b": 2})


def test_openllmetry_a_step_and_its_association() -> None:
    found = span(
        {
            "traceloop.span.kind": "agent",
            "traceloop.entity.name": "clerk",
            "traceloop.entity.input": '{"args": ["hello"], "kwargs": {}}',
            "traceloop.entity.output": '"hi"',
            "traceloop.association.properties.thread_id": "s",
            "traceloop.association.properties.user_id": 7,
            "llm.usage.reasoning_tokens": 3,
        }
    )
    assert (found.agent, found.input, found.output) == ("clerk", "hello", "hi")
    assert (found.session_id, found.end_user, found.tokens.reasoning, found.unmapped) == ("s", "7", 3, ())


def test_openllmetry_a_tool_in_the_envelope_of_langchain() -> None:
    message = {"lc": 1, "type": "constructor", "kwargs": {"type": "tool", "content": '{"deleted": 2}'}}
    found = span(
        {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "delete",
            "gen_ai.tool.call.arguments": json.dumps({"input_str": "{}", "metadata": {}, "inputs": {"n": 2}}),
            "gen_ai.tool.call.result": json.dumps({"output": message, "kwargs": {"color": "green"}}),
        }
    )
    assert found.tool == Tool("delete", None, {"n": 2}, {"deleted": 2})
    task = span(
        {
            "traceloop.span.kind": "task",
            "traceloop.entity.output": json.dumps({"outputs": {"messages": [message]}, "kwargs": {}}),
        }
    )
    assert task.output == (Message("tool", (Part("tool_result", value='{"deleted": 2}'),)),)
    odd = span({"traceloop.span.kind": "tool", "traceloop.entity.output": '{"kwargs": 1, "x": 2}'})
    assert odd.tool is not None and odd.tool.result == {"kwargs": 1, "x": 2}


def test_vercel_a_request() -> None:
    found = span(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.telemetry.functionId": "clerk",
            "ai.telemetry.metadata.sessionId": "s",
            "ai.telemetry.metadata.userId": "u",
            "ai.model.provider": "openai.chat",
            "gen_ai.system": "openai.chat",
            "ai.model.id": "gpt-4o-mini",
            "ai.prompt.messages": '[{"role":"user","content":[{"type":"text","text":"hello"}]}]',
            "ai.response.text": "hi",
            "ai.response.toolCalls": '[{"toolCallId":"c","toolName":"t","input":"{\\"a\\":1}"}]',
            "ai.response.finishReason": "tool-calls",
            "ai.usage.inputTokens": 9,
            "ai.usage.outputTokens": 4,
            "ai.usage.cachedInputTokens": 2,
            "ai.usage.reasoningTokens": 1,
        }
    )
    assert (found.agent, found.session_id, found.end_user) == ("clerk", "s", "u")
    assert (found.provider, found.model) == ("openai", "gpt-4o-mini")
    assert found.tokens == Tokens(9, 4, 2, None, 1)
    assert found.input == (said("user", "hello"),)
    answer = (Part("text", "hi"), Part("tool_call", id="c", name="t", value={"a": 1}))
    assert found.output == (Message("assistant", answer, "tool-calls"),)
    assert found.unmapped == ()


def test_vercel_a_whole_call_a_tool_and_an_embedding() -> None:
    whole = span(
        {
            "ai.operationId": "ai.generateObject",
            "ai.prompt": '{"system":"be brief","prompt":"hello"}',
            "ai.response.object": '{"a":1}',
        }
    )
    assert (whole.input, whole.output) == ((said("system", "be brief"), said("user", "hello")), {"a": 1})
    assert span({"ai.operationId": "ai.streamText", "ai.prompt": '{"x":1}'}).input == {"x": 1}
    assert span({"ai.operationId": "ai.streamText", "ai.result.text": "old"}).output == (said("assistant", "old"),)
    tool = span(
        {
            "ai.operationId": "ai.toolCall",
            "ai.toolCall.name": "t",
            "ai.toolCall.id": "c",
            "ai.toolCall.args": '{"a":1}',
            "ai.toolCall.result": '"done"',
        }
    )
    assert tool.tool == Tool("t", "c", {"a": 1}, "done")
    embedding = span(
        {
            "ai.operationId": "ai.embed.doEmbed",
            "ai.values": ['"x"'],
            "ai.embeddings": ["[0.5]"],
            "ai.usage.tokens": 7,
        }
    )
    assert (embedding.input, embedding.output, embedding.tokens.input) == (["x"], [[0.5]], 7)
    assert span({"ai.operationId": "ai.embed", "ai.value": '"x"', "ai.embedding": "[0.5]"}).output == [0.5]


@pytest.mark.parametrize("name", ["input", "output", "usage_details", "cost_details", "model.name", "type", "level"])
@pytest.mark.parametrize("value", ["", "{", '"', "[]", "null", 5, None, True, [], {}, {"a": [1]}, ["x", 1]])
def test_odd_values_of_langfuse_break_nothing(name: str, value: Any) -> None:
    assert span({L + name: value, L + "usage": 1}).trace_id == "a" * 32


@pytest.mark.parametrize(
    "name",
    [
        "ai.prompt",
        "ai.prompt.messages",
        "ai.response.toolCalls",
        "ai.response.object",
        "ai.values",
        "ai.embeddings",
        "ai.toolCall.args",
        "traceloop.entity.input",
        "traceloop.entity.output",
        "gen_ai.tool.call.result",
        "mlflow.spanType",
        "mlflow.spanInputs",
        "mlflow.chat.tokenUsage",
        "mlflow.llm.cost",
        "langsmith.metadata.usage_metadata",
        "gen_ai.completion",
    ],
)
@pytest.mark.parametrize("value", ["", "{", '"', "[]", "[1]", "null", '{"args":1}', 5, None, True, [], {}, ["x", 1]])
@pytest.mark.parametrize("kind", ["tool", "llm"])
def test_odd_values_of_the_others_break_nothing(name: str, value: Any, kind: str) -> None:
    others = {"langsmith.span.kind": kind, "traceloop.span.kind": kind, "ai.operationId": "ai.toolCall"}
    assert span({**others, name: value}).trace_id == "a" * 32
