"""A report of what nobody would write and somebody will send."""

from __future__ import annotations

from audittrail.report.document import (
    Chart,
    Column,
    Document,
    Facts,
    Figure,
    Figures,
    Heading,
    Line,
    Note,
    Paragraph,
    Source,
    Table,
)

TEXTS = (
    "Latin ÀÉÎõü ßŁőž",
    "Ελληνικά: Πόσο κοστίζει;",
    "Кириллица: Съешь ещё этих",
    "中文：订单状态如何？",
    "日本語：ご注文の状況は？ｶﾀｶﾅ",
    "한국어: 주문 상태는?",
    "ไทย: สถานะ",
    "Emoji 😀 ✅ 🚀",
    "Symbols → ≤ ∑ ∞ ½ ™ €",
    "<b>bold</b> &amp; <para/> <!-- %s {0} ${x} \\(a\\) ]]>",
    "x" * 300,
    "1000 " + "word " * 40,
)
RIGHT_TO_LEFT = (
    "עברית: מה מצב ההזמנה (1182)?",
    "العربية: تحقق من حالة الطلب (1182)",
    "mixed abc שלום def 123",
    "مُحَمَّدٌ",
)
HIDDEN = {
    "a\u202eevil\u202c": "a[U+202E]evil[U+202C]",
    "b\u200bc": "b[U+200B]c",
    "d\x00e\x1bf\x7f␛": "d[U+0000]e[U+001B]f[U+007F][U+241B]",
    "\ue000\U000f0000": "[U+E000][U+F0000]",
    "आ": "[U+0906]",
    "\U00010348": "[U+10348]",
    "می\u200cشود": "[U+200C]",
}
ALL = (*TEXTS, *RIGHT_TO_LEFT, *HIDDEN)


def document() -> Document:
    """Every block with every text, and each of them too long."""
    columns = (Column("a", 1), Column("b", 1, "right"), Column("c", 1, mono=True))
    labels = tuple(f"<b>أب{i}" * 4 for i in range(400))
    return Document(
        title="שלום <b>x</b>\u202e & العربية",
        subtitle="中文 副标题",
        facts=(("Project", "пример 中\u202e"), ("a<b>", "&amp;"), ("long" * 99, "long" * 999)),
        reference="rep/1<b>",
        author="مُحَمَّد",
        blocks=(
            Heading("中文 heading 😀 \u202e", 3),
            *(Paragraph(text) for text in ALL),
            *(Source(text, text) for text in ALL),
            *(Note(text, "error") for text in ALL),
            Facts(tuple((text, text) for text in ALL)),
            Figures(tuple(Figure(text, text, text, "warning") for text in ALL)),
            Table("t" * 999, columns, tuple((text, text, text) for text in ALL)),
            Table("", tuple(Column("head" * 20, i % 3) for i in range(22)), (("abc " * 99,) * 22,) * 3),
            Table("t", (Column("a", 1), Column("b", 9)), (("x" * 200_000, "y"), ("q\n" * 500, "z"), ("", ""))),
            Source("s" * 1_000_000),
            Source("\n" * 5_000),
            Source(" " * 5_000 + "end"),
            Paragraph("\u0301" * 3_000),
            Paragraph("p " * 100_000),
            Note("n\n" * 9_999, "blocked"),
            Heading("h" * 9_999, 2),
            *(
                Chart(text, unit, labels, tuple(Line(text, tuple(map(float, range(400)))) for _ in range(30)), shape)
                for text, unit, shape in (("<i>", "us", "lines"), (ALL[-1], "dollars", "bars"))
            ),
        ),
    )
