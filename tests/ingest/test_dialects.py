"""What each dialect says of a span, and who is believed where several speak."""

from decimal import Decimal
from typing import Any

import pytest

from audittrail.ingest.dialects import DIALECTS
from audittrail.ingest.normalise import normalise
from audittrail.model.record import Event, Scope, SpanRecord
from audittrail.model.span import Message, Part, Span, Tokens, Tool


def span(attributes: dict[str, Any], **fields: Any) -> Span:
    fields = {"name": "step", "trace_id": "a" * 32, "span_id": "b" * 16, "started_ns": 1000, "ended_ns": 2000, **fields}
    return normalise(SpanRecord(attributes=attributes, **fields))


def said(role: str, text: str) -> Message:
    return Message(role, (Part("text", text),))


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("chat", "llm"),
        ("text_completion", "llm"),
        ("generate_content", "llm"),
        ("embeddings", "embedding"),
        ("retrieval", "retriever"),
        ("search_memory", "retriever"),
        ("execute_tool", "tool"),
        ("invoke_agent", "agent"),
        ("create_agent", "agent"),
        ("invoke_workflow", "chain"),
        ("plan", "chain"),
        ("apply_guardrail", "guardrail"),
        ("execute_event_loop_cycle", "other"),
        (5, "other"),
    ],
)
def test_otel_operations(operation, kind):
    assert span({"gen_ai.operation.name": operation}).kind == kind


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("LLM", "llm"),
        ("EMBEDDING", "embedding"),
        ("RETRIEVER", "retriever"),
        ("RERANKER", "reranker"),
        ("TOOL", "tool"),
        ("AGENT", "agent"),
        ("CHAIN", "chain"),
        ("GUARDRAIL", "guardrail"),
        ("EVALUATOR", "evaluator"),
        ("llm", "llm"),
        ("PROMPT", "other"),
        ("NEWS", "other"),
    ],
)
def test_openinference_kinds(written, kind):
    assert span({"openinference.span.kind": written}).kind == kind


@pytest.mark.parametrize(
    ("name", "kind", "agent", "tool"),
    [
        ("invoke_agent records steward", "agent", "records steward", None),
        ("create_agent x", "agent", "x", None),
        ("execute_tool search docs", "tool", None, "search docs"),
        ("chat gpt-4o", "llm", None, None),
        ("embeddings e-3", "embedding", None, None),
        ("chat with the customer", "other", None, None),
        ("execute_tool", "other", None, None),
        ("invoke_agent ", "other", None, None),
    ],
)
def test_names_speak_last(name, kind, agent, tool):
    found = span({"x": 1}, name=name)
    assert (found.kind, found.agent, found.tool.name if found.tool else None) == (kind, agent, tool)
    assert span({"openinference.span.kind": "CHAIN"}, name=name).kind == "chain"


def test_a_bare_internal_span_is_a_step_and_any_other_is_other():
    assert span({}, otel_kind=1).kind == "chain"
    assert span({}, otel_kind=3).kind == "other"
    assert span({"db.system": "postgresql"}, otel_kind=1).kind == "other"


def test_what_is_explicit_comes_first_and_then_field_by_field():
    found = span(
        {
            "audittrail.kind": "Evaluator",
            "audittrail.session.id": "mine",
            "openinference.span.kind": "LLM",
            "llm.model_name": "oi-model",
            "session.id": "theirs",
            "gen_ai.operation.name": "chat",
            "gen_ai.response.model": "genai-model",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.output_tokens": 4,
        }
    )
    assert (found.kind, found.session_id, found.model) == ("evaluator", "mine", "oi-model")
    assert (found.provider, found.tokens.output) == ("openai", 4)
    assert found.dialect == "audittrail+openinference+otel-genai"


def test_everything_explicit():
    found = span(
        {
            "audittrail.kind": "tool",
            "audittrail.user.id": "u",
            "audittrail.agent.name": "a",
            "audittrail.model": "m",
            "audittrail.provider": "p",
            "audittrail.cost": "0.5",
            "audittrail.tool.name": "t",
            "audittrail.tool.call_id": "c",
            "audittrail.tool.args": '{"n": 1}',
            "audittrail.tool.result": [1],
        }
    )
    assert (found.end_user, found.agent, found.model, found.provider, found.cost) == (
        "u",
        "a",
        "m",
        "p",
        Decimal("0.5"),
    )
    assert found.tool == Tool("t", "c", {"n": 1}, [1])
    talk = span({"audittrail.input": [{"role": "user", "content": "hi"}], "audittrail.output": "bye"})
    assert (talk.input, talk.output) == ((said("user", "hi"),), "bye")
    assert span({"audittrail.kind": "spaceship"}).kind == "other"


def test_the_scopes_name_says_nothing():
    shared = {"session.id": "s", "user.id": "u", "error.type": "x", "operation.name": "y", "resource.name": "z"}
    assert span(shared, scope=Scope("langfuse-sdk")).dialect == ""


def test_the_order_of_precedence():
    assert [d.name for d in DIALECTS] == [
        "audittrail",
        "langfuse",
        "openinference",
        "langsmith",
        "mlflow",
        "otel-genai",
        "openllmetry",
        "vercel",
        "pydantic-ai",
    ]


def test_names_nobody_knows_are_listed():
    found = span(
        {"gen_ai.new.thing": 1, "gen_ai.request.seed": 7, "llm.tools.0.tool.json_schema": "{}", "shop.cart": 3, "": 1}
    )
    assert found.unmapped == ("gen_ai.new.thing", "shop.cart", "")
    assert found.attributes["gen_ai.new.thing"] == 1


def test_otel_usage_new_and_old():
    new = {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": "20",
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.cache_creation.input_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 7,
        "gen_ai.usage.cost": 0.25,
    }
    assert span(new).tokens == Tokens(100, 20, 30, 5, 7)
    assert span(new).cost == Decimal("0.25")
    old = {"gen_ai.system": "openai", "gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.completion_tokens": 20}
    assert (span(old).tokens, span(old).provider) == (Tokens(100, 20), "openai")
    assert span({"gen_ai.usage.input_tokens": True, "gen_ai.usage.output_tokens": -4}).tokens == Tokens()


def test_a_cache_larger_than_the_input_was_not_part_of_it():
    found = span(
        {
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.cache_read.input_tokens": 128,
            "gen_ai.usage.cache_creation.input_tokens": 64,
        }
    )
    assert found.tokens == Tokens(202, None, 128, 64)
    assert found.notes == ("The input of 10 tokens was sent without the 192 of the cache; they are added.",)
    assert span({"llm.token_count.prompt_details.cache_read": 5}).tokens == Tokens(cache_read=5)
    full = {"gen_ai.usage.input_tokens": 5, "gen_ai.usage.cache_read.input_tokens": 2**63 - 1}
    assert span(full).tokens.input == 2**63 - 1


def test_otel_messages_as_text_or_as_arrays_with_instructions_in_front():
    asked = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": asked,
        "gen_ai.output.messages": (
            '[{"role":"assistant","parts":[{"type":"text","content":"yes"}],"finish_reason":"stop"}]'
        ),
        "gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]',
    }
    found = span(attributes)
    assert found.input == (said("system", "Be brief."), said("user", "hi"))
    assert found.output == (Message("assistant", (Part("text", "yes"),), "stop"),)
    doubled = [{"role": "system", "parts": [{"type": "text", "content": "Be brief."}]}, *asked]
    assert span({**attributes, "gen_ai.input.messages": doubled}).input == found.input


def test_messages_cut_off_by_a_limit_stay_text():
    cut = '[{"role": "user", "parts": [{"type": "te'
    assert span({"gen_ai.input.messages": cut, "gen_ai.output.messages": ""}).input == cut


def test_otel_prompts_flattened():
    found = span(
        {
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "hi",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.finish_reason": "tool_calls",
            "gen_ai.completion.0.tool_calls.0.id": "c",
            "gen_ai.completion.0.tool_calls.0.name": "t",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"a": 1}',
        }
    )
    assert found.input == (said("user", "hi"),)
    assert found.output == (Message("assistant", (Part("tool_call", id="c", name="t", value={"a": 1}),), "tool_calls"),)
    whole = span({"gen_ai.prompt": '[{"role":"user","content":"hi"}]', "gen_ai.completion": "yes"})
    assert (whole.input, whole.output) == ((said("user", "hi"),), "yes")


def test_otel_retrieval():
    found = span(
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "q",
            "gen_ai.retrieval.documents": '[{"id": 1}]',
        }
    )
    assert (found.kind, found.input, found.output, found.tool) == ("retriever", "q", [{"id": 1}], None)


def test_otel_messages_in_events():
    events = (
        Event("gen_ai.system.message", 1, {"content": "Be brief."}),
        Event("gen_ai.user.message", 1, {"content": "hi"}),
        Event("gen_ai.assistant.message", 1, {"tool_calls": '[{"id":"c","function":{"name":"t","arguments":"{}"}}]'}),
        Event("gen_ai.tool.message", 1, {"content": "12", "id": "c"}),
        Event(
            "gen_ai.choice",
            1,
            {"finish_reason": "stop", "index": 0, "message": '{"role": "assistant", "content": "yes"}'},
        ),
        Event("other", 1, {}),
    )
    found = span({"gen_ai.operation.name": "chat"}, events=events)
    assert found.input == (
        said("system", "Be brief."),
        said("user", "hi"),
        Message("assistant", (Part("tool_call", id="c", name="t", value={}),)),
        Message("tool", (Part("tool_result", id="c", value="12"),)),
    )
    assert found.output == (Message("assistant", (Part("text", "yes"),), "stop"),)
    assert span({}, events=events[:2]).dialect == "otel-genai"


def test_otel_content_events_old_and_new():
    asked = '[{"role": "user", "content": "hi"}]'
    old = (
        Event("gen_ai.content.prompt", 1, {"gen_ai.prompt": asked}),
        Event("gen_ai.content.completion", 1, {"gen_ai.completion": "yes"}),
    )
    found = span({}, events=old)
    assert (found.input, found.output) == ((said("user", "hi"),), "yes")
    details = {
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.input.messages": asked,
        "gen_ai.output.messages": [{"role": "assistant", "content": "yes"}],
    }
    found = span({}, events=(Event("gen_ai.client.inference.operation.details", 1, details),))
    assert found.input == (said("system", "Be brief."), said("user", "hi"))
    assert found.output == (said("assistant", "yes"),)


def test_a_users_text_that_is_json_of_something_else_stays_text():
    events = (Event("gen_ai.user.message", 1, {"content": '[{"sku": 7}]'}),)
    assert span({}, events=events).input == (said("user", '[{"sku": 7}]'),)


def test_a_tool_says_its_payload_once():
    otel = span(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "t",
            "gen_ai.tool.call.id": "c",
            "gen_ai.tool.call.arguments": '{"n": 1}',
            "gen_ai.tool.call.result": '"quoted"',
        }
    )
    assert (otel.tool, otel.input, otel.output) == (Tool("t", "c", {"n": 1}, '"quoted"'), None, None)
    bare = span(
        {"openinference.span.kind": "TOOL", "input.value": "INV-1", "output.value": '{"ok": true}'}, name="fetch"
    )
    assert (bare.tool, bare.input, bare.output) == (Tool("fetch", None, "INV-1", {"ok": True}), None, None)
    schema = span({"openinference.span.kind": "TOOL", "tool.parameters": '{"type":"object"}', "input.value": "7"})
    assert schema.tool is not None
    assert schema.tool.args == "7"
    given = span({"openinference.span.kind": "TOOL", "tool.parameters": '{"n":1}'})
    assert given.tool is not None
    assert given.tool.args == {"n": 1}


def test_a_tools_name_on_a_model_span_makes_it_no_tool():
    found = span({"gen_ai.operation.name": "chat", "gen_ai.tool.name": "t"})
    assert (found.kind, found.tool) == ("llm", None)


def test_openinference_messages():
    found = span(
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": "look",
            "llm.input_messages.0.message.contents.1.message_content.type": "image",
            "llm.input_messages.0.message.contents.1.message_content.image.image.url": "data:",
            "llm.input_messages.0.message.content": "look",
            "llm.input_messages.1.message.role": "tool",
            "llm.input_messages.1.message.tool_call_id": "c",
            "llm.input_messages.1.message.content": "12",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c2",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "t",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"a":1}',
            "llm.output_messages.0.message.contents.0.message_content.type": "tool_use",
            "llm.invocation_parameters": '{"model": "gpt-4o"}',
            "llm.system": "openai",
            "llm.cost.prompt": 0.1,
            "llm.cost.completion": 0.2,
        }
    )
    image = {"type": "image", "image": {"image": {"url": "data:"}}}
    assert found.input == (
        Message("user", (Part("text", "look"), Part("media", value=image))),
        Message("tool", (Part("tool_result", id="c", value="12"),)),
    )
    assert found.output == (Message("assistant", (Part("tool_call", id="c2", name="t", value={"a": 1}),)),)
    assert (found.model, found.provider, found.cost) == ("gpt-4o", "openai", Decimal("0.3"))


def test_openinference_messages_without_a_word_give_way_to_the_input():
    found = span({"llm.input_messages.0.message.role": "user", "input.value": "hi"})
    assert found.input == "hi"


def test_openinference_values_by_their_type():
    assert span({"input.value": '{"a": 1}'}).input == {"a": 1}
    assert span({"input.value": '{"a": 1}', "input.mime_type": "application/json"}).input == {"a": 1}
    assert span({"input.value": '{"a": 1}', "input.mime_type": "text/plain"}).input == '{"a": 1}'
    assert span({"input.value": '[{"role": "user", "content": "hi"}]'}).input == (said("user", "hi"),)


def test_openinference_documents_and_embeddings():
    found = span(
        {
            "openinference.span.kind": "RETRIEVER",
            "input.value": "q",
            "retrieval.documents.1.document.content": "two",
            "retrieval.documents.0.document.content": "one",
            "retrieval.documents.0.document.score": 0.5,
            "retrieval.documents.0.document.metadata": '{"page": 3}',
        }
    )
    assert found.output == [{"score": 0.5, "content": "one", "metadata": {"page": 3}}, {"content": "two"}]
    ranked = span(
        {
            "openinference.span.kind": "RERANKER",
            "reranker.query": "q",
            "reranker.input_documents.0.document.id": "a",
            "reranker.output_documents.0.document.id": "a",
        }
    )
    assert (ranked.input, ranked.output) == ({"query": "q", "documents": [{"id": "a"}]}, [{"id": "a"}])
    embedded = span({"openinference.span.kind": "EMBEDDING", "embedding.embeddings.0.embedding.text": "t"})
    assert embedded.input == ["t"]


def test_pydantic_ais_own_names():
    messages = (
        '[{"role":"user","parts":[{"type":"text","content":"old"}]},{"role":"assistant","parts":[{"type":"text","content":"a"}]},'
        '{"role":"user","parts":[{"type":"text","content":"new"}]},{"role":"assistant","parts":[{"type":"text","content":"b"}]}]'
    )
    run = {"agent_name": "steward", "model_name": "m", "pydantic_ai.all_messages": messages, "operation.cost": 1e-05}
    found = span({**run, "pydantic_ai.new_message_index": 2, "final_result": '{"n": 1}'}, name="agent run")
    assert (found.kind, found.agent, found.model, found.cost) == ("agent", "steward", "m", Decimal("0.00001"))
    assert found.input == (said("user", "old"), said("assistant", "a"), said("user", "new"))
    assert found.output == {"n": 1}
    assert span(run).input == (said("user", "old"),)
    assert span(run).output == (said("assistant", "b"),)
    tool = span({"gen_ai.tool.name": "t", "tool_arguments": "{}", "tool_response": "ok"}, name="running tool")
    assert tool.tool == Tool("t", None, {}, "ok")
