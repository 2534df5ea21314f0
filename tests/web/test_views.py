from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audittrail.model.filters import Page, TraceFilter
from audittrail.model.span import Cost, Message, Part, Span, SpanError, Tool
from audittrail.model.summary import SpanRow, TraceRow
from audittrail.web.views.bill import lines
from audittrail.web.views.links import TraceAsk, query
from audittrail.web.views.listing import typed
from audittrail.web.views.outline import MAX_DEPTH, outline
from audittrail.web.views.panel import Panel
from audittrail.web.views.talk import headline, talk
from audittrail.web.views.trace import LINES, root_id, selected_id, trace_view
from audittrail.web.views.traces import TracesView, took_us

NOW = 10_000_000


def list_view(**asked):
    return TracesView(want=TraceFilter.parse(**asked), found=Page((), "abc"))


def span(name="a", parent=None, **more):
    return Span(trace_id="t", span_id=name, parent_id=parent, name=name, **{"ended_us": 10} | more)


def view_of(spans, **asked):
    rows = [SpanRow.of(s) for s in spans]
    ask = TraceAsk.parse(**asked)
    chosen = next((s for s in spans if s.span_id == selected_id(rows, ask.span)), None)
    root = next((s for s in spans if s.span_id == root_id(rows)), None)
    return trace_view(
        TraceRow(trace_id="t", name="n", ended_us=10, status="ok"), rows, ask,
        selected=chosen, record=b"{}", versions=1, root=root, project="p", now_us=NOW,
    )  # fmt: skip


# The list of traces


def test_terms_of_the_query_line_move_into_their_own_parameters():
    view = list_view(q='status:error agent:"my agent" "two words" refund')
    assert view.text == '"two words" refund'
    assert view.url() == "/traces?q=%22two%20words%22%20refund&status=error&agent=my%20agent"
    assert [(c.label, c.value) for c in view.chips] == [
        ("status", "error"), ("agent", "my agent"), ("text", "two words"), ("text", "refund"),
    ]  # fmt: skip


def test_a_chip_leads_to_the_list_without_it():
    chips = list_view(q="a b", status="ok").chips
    assert [c.href for c in chips] == ["/traces?q=a%20b", "/traces?q=b&status=ok", "/traces?q=a&status=ok"]


def test_paging_keeps_the_filters_and_changing_a_filter_starts_at_the_newest():
    view = list_view(q="a", range="24h")
    assert view.older == "/traces?q=a&range=24h&after=abc"
    assert [r.value for r in view.ranges] == ["1h", "24h", "7d", "30d", ""]
    assert "after" not in view.ranges[0].href


def test_a_query_that_is_not_understood_stays_as_typed():
    view = TracesView(want=TraceFilter(q="status:bad"), found=Page(()), error="…")
    assert view.text == "status:bad"


@given(st.lists(st.text(st.characters(exclude_characters='"\0', exclude_categories=["Cs"]), min_size=1).map(str.lower)))
def test_what_the_query_line_shows_means_what_was_asked(texts):
    want = TraceFilter.parse(q=" ".join(f'"{t}"' for t in texts)[:900])
    assert TraceFilter.parse(q=typed(want.text)).text == want.text


@given(st.text(max_size=200).filter(lambda t: "\0" not in t))
def test_the_line_settles_after_one_round(typed_text):
    want = TraceFilter.parse(q=" ".join(w for w in typed_text.split() if not w.startswith(("status:", "agent:"))))
    again = TraceFilter.parse(q=typed(want.text))
    assert TraceFilter.parse(q=typed(again.text)).text == again.text


def test_links_leave_out_what_is_empty():
    assert query(a="", b=None, c=()) == ""
    assert query(a="x y&z", b=0) == "?a=x%20y%26z&b=0"


def test_a_trace_takes_until_its_end_or_until_now_while_its_root_has_none():
    assert took_us(TraceRow(trace_id="t", status="running", ended_us=3_000_000), 60_000_000) == 3_000_000
    assert took_us(TraceRow(trace_id="t", status="running", started_us=10), 60_000_000) == 59_999_990
    assert took_us(TraceRow(trace_id="t", status="running", started_us=70_000_000), 60_000_000) == 0


# The trace


def test_opens_where_it_failed_first_else_the_root():
    rows = [SpanRow.of(s) for s in (span("a"), span("b", "a", status="error"), span("c", "b", status="error"))]
    assert selected_id(rows, "") == "c"
    assert selected_id(rows[:1], "") == "a"
    assert selected_id(rows, "b") == "b"
    assert selected_id(rows, "none") is None
    assert selected_id([], "") is None


@pytest.mark.parametrize("start", ["", "-1", "x", "1e9", "٣", "9" * 30])
def test_a_senseless_from_is_left_out(start):
    assert TraceAsk.parse(start=start).start is None


def test_lines_come_in_portions_and_the_open_span_is_among_those_shown():
    spans = [span("root", started_us=0)] + [span(f"s{i}", "root", started_us=i) for i in range(1, 1_300)]
    view = view_of(spans)
    assert (len(view.rows), view.before, view.lines_left) == (LINES, "", 800)
    assert view.after == "/traces/t?from=500"
    late = view_of(spans, span="s1200")
    assert late.first == 1_000 and late.after == ""
    assert [r.id for r in late.rows if r.current] == ["s1200"]
    assert late.before == "/traces/t?span=s1200&from=500"


def test_a_fold_hides_what_is_below_and_its_link_opens_it_again():
    spans = [span("a"), span("b", "a"), span("c", "b")]
    row = view_of(spans).rows[1]
    assert (row.toggle, row.folded) == ("?fold=b", False)
    row = view_of(spans, fold="b").rows[1]
    assert (row.toggle, row.folded, row.hidden) == ("?", True, 1)


def test_errors_only_keeps_the_way_to_them():
    view = view_of([span("a"), span("b", "a"), span("c", "b", status="error"), span("d", "a")], only="errors")
    assert [(r.id, r.context) for r in view.rows] == [("a", True), ("b", True), ("c", False)]
    assert view.hits == 1


def test_geometry_stays_on_the_ruler():
    rows = view_of(
        [span("a", started_us=0, ended_us=1_000_000), span("b", "a", started_us=1_000_000, ended_us=1_000_000)]
    ).rows
    assert (rows[0].x, rows[0].width) == ("0.000%", "100.000%")
    assert (rows[1].x, rows[1].width) == ("99.700%", "0.300%")


def test_a_running_span_has_a_bar_to_now():
    row = view_of([span("a", started_us=NOW // 2, ended_us=None)]).rows[0]
    assert row.status == "running" and row.duration.endswith("…") and row.width == "100.000%"


def test_agents_do_not_repeat_the_tokens_of_their_children():
    from audittrail.model.span import Tokens

    rows = view_of([span("a", kind="agent", tokens=Tokens(9, 1)), span("b", "a", kind="llm", tokens=Tokens(9, 1))]).rows
    assert [r.tokens for r in rows] == ["", "10"]


def test_a_span_that_is_not_there_is_named():
    assert view_of([span("a")], span="zz").unknown_span == "zz"
    assert view_of([span("a")], span="none").unknown_span == ""


# The panel


def test_tabs_that_would_be_empty_are_left_out():
    assert Panel(span=span()).tabs == (("attributes", "Attributes"),)
    talking = Panel(span=span(input=(Message("user", (Part("text", text="hi"),)),)), record=b"{}")
    assert [name for name, _ in talking.tabs] == ["conversation", "io", "attributes", "record"]
    assert talking.tab == "conversation"
    assert Panel(span=span(input="x"), wanted="conversation").tab == "io"


def test_a_tools_arguments_are_not_shown_twice():
    panel = Panel(span=span(tool=Tool("t", None, {"a": 1}, "done"), input='{"a": 1}', output="done"))
    assert [v.label for v in panel.values] == ["Arguments", "Result"]


def test_a_call_stands_beside_its_result_whichever_message_that_came_in():
    found = talk(
        span(
            input=(
                Message(
                    "assistant", (Part("tool_call", id="1", name="f", value={"x": 1}), Part("tool_call", name="g"))
                ),
                Message("tool", (Part("tool_result", id="1", value="one"),)),
                Message("tool", (Part("tool_result", value="two"),)),
                Message("tool", (Part("tool_result", id="unknown", value="three"),)),
            )
        )
    )
    calls, stray = found.recent
    assert [(p.name, p.result[0].text) for p in calls.pieces] == [("f", "one"), ("g", "two")]
    assert stray.pieces[0].type == "result"


def test_long_histories_start_folded_and_the_answer_does_not():
    given_ = tuple(Message("user", (Part("text", text=str(i)),)) for i in range(30))
    found = talk(span(input=given_, output=(Message("assistant", (Part("text", text="end"),)),)))
    assert (len(found.earlier), len(found.recent)) == (20, 11)
    assert found.recent[-1].answer


def test_what_was_asked_is_the_last_word_of_the_user():
    messages = (
        Message("user", (Part("text", text="first"),)),
        Message("assistant", (Part("text", text="answer"),)),
        Message("user", (Part("text", text="second"),)),
        Message("user", (Part("media"),)),
    )
    assert headline(messages, "user") == "second"
    assert headline({"question": "why?"}, "user") == "why?"
    assert headline([{"role": "user", "content": "so?"}], "user") == "so?"
    assert headline('{"messages": []}', "user") == '{"messages":[]}'
    assert headline(None, "user") == headline((), "user") == headline({}, "user") == ""


def test_an_outline_is_bounded_in_depth_and_length_and_always_closed():
    deep = "x"
    for _ in range(5_000):
        deep = {"k": deep}
    for value in (
        deep,
        list(range(100_000)),
        {"a": [[[1]]], "b": {}},
        [[i] * 50 for i in range(50)],
        "text",
        None,
        1.5,
    ):
        items = outline(value)
        assert len(items) < 1_500
        level = 0
        for item in items:
            level += {"open": 1, "close": -1}.get(item.op, 0)
            assert 0 <= level <= MAX_DEPTH
        assert level == 0


def test_errors_without_a_message_still_say_that_it_failed():
    row = view_of([span("a", status="error", error=SpanError())]).rows[0]
    assert row.error == "Failed without a message"


def test_a_bill_adds_up_to_its_cost():
    cost = Cost(
        Decimal("0.003"),
        "genai-prices",
        rates={"input": "2.5", "cache_read": "1.25", "output": "10"},
        tokens={"input": 600, "cache_read": 400, "output": 100},
    )
    assert [(line.label, line.tokens, line.rate, line.amount) for line in lines(cost)] == [
        ("Input", 600, "$2.5", "$0.0015"),
        ("Cache read", 400, "$1.25", "$0.0005"),
        ("Output", 100, "$10", "$0.001"),
        ("Together", 1100, "", "$0.003"),
    ]
    assert lines(Cost(Decimal(1), "sent")) == ()
    assert lines(Cost(Decimal(1), "genai-prices", tokens={"input": 5}))[0].rate == "by length"
