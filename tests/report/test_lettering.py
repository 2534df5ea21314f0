"""Widths of text, guessed well enough that nothing runs out of its box."""

from hypothesis import given
from hypothesis import strategies as st

from audittrail.report.lettering import ELLIPSIS, fit, width


@given(st.text(max_size=80), st.floats(20, 400), st.sampled_from([11, 12, 14]))
def test_what_was_fitted_fits_and_begins_as_the_text_does(text, limit, size):
    short = fit(text, limit, size)
    assert width(short, size) <= limit + 1e-6
    assert short == text or (short.endswith(ELLIPSIS) and text.startswith(short[:-1]))
    if width(text, size) <= limit:
        assert short == text


def test_wide_and_narrow_signs():
    assert width("iiii") < width("nnnn") < width("WWWW")
    assert width("漢字") > width("ab")
    assert width("e\u0301") == width("e")
    assert fit("chat claude-sonnet-4-5", 90).endswith(ELLIPSIS)
