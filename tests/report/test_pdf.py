"""A PDF says all that its document says, in its order, and names what it is."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from audittrail.report.document import (
    Chart,
    Column,
    Document,
    Facts,
    Figure,
    Figures,
    Heading,
    Line,
    Meaning,
    Note,
    PageBreak,
    Paragraph,
    Source,
    Table,
)
from audittrail.report.pdf import draw
from audittrail.report.pdf.fonts import FOLDER
from audittrail.report.pdf.ink import WORD
from tests.live import ROOT
from tests.report import hostile
from tests.report.read_pdf import drawn, flat, fonts_not_embedded, of, pdftotext, read, said, text_of
from tests.report.sample import audit


def is_arabic(text: str) -> bool:
    return bool(re.search("[\u0600-\u06ff]", text))


def test_all_that_a_report_says_is_in_it_in_its_order():
    document = audit()
    reader = read(document)
    # Chapters are named in the contents already; begin where the text does.
    text, at = text_of(reader), 0
    for one in (document.title, document.subtitle, *(text for fact in document.facts for text in fact)):
        at = text.index(flat(one), at)
    for block in document.blocks:
        for one in said(block):
            if not is_arabic(one):  # readers differ in how they put it into lines
                at = text.index(flat(one), at) + len(flat(one))
    arabic = {word for block in document.blocks for one in said(block) if is_arabic(one) for word in one.split()}
    assert len(arabic) > 5 and all(word in text for word in arabic)


@pytest.mark.parametrize("place", range(len(hostile.TEXTS)))
def test_every_script_and_every_markup_is_text_wherever_it_stands(place):
    text = hostile.TEXTS[place]
    column = (Column(text), Column("b", mono=True))
    blocks = (
        Heading(text),
        Paragraph(text),
        Note(text),
        Facts(((text, text),)),
        Source(text, text),
        Table(text, column, ((text, text),)),
        Figures((Figure(text[:50], "1", text[:200]),)),
        Chart(text, "count", ("a",), (Line("x", (1.0,)),)),
    )
    found = text_of(read(of(*blocks)))
    # The names of headings, facts and columns may be shortened; what is data is whole.
    assert found.count(flat(text[:60])) >= 9
    assert found.count(flat(text)) >= 7


@pytest.mark.parametrize("place", range(len(hostile.RIGHT_TO_LEFT)))
def test_hebrew_and_arabic_are_found_as_they_were_written(place):
    text = hostile.RIGHT_TO_LEFT[place]
    found = text_of(read(of(Paragraph(text), Table("", (Column("a"),), ((text,),)))))
    for word in re.findall(r"[\w\u064b-\u0652]+", text):
        assert found.count(word) == 2, found


@pytest.mark.parametrize("place", range(len(hostile.HIDDEN)))
def test_what_cannot_be_seen_or_drawn_is_spelled_out(place):
    text, shown = list(hostile.HIDDEN.items())[place]
    found = text_of(read(of(Paragraph(text), Source(text), Table("", (Column("a"),), ((text,),)))))
    assert found.count(shown) == 3, found


@pytest.mark.parametrize("meaning", WORD)
def test_a_meaning_is_said_in_a_word(meaning: Meaning):
    found = text_of(read(of(Note("text", meaning), Figures((Figure("n", "1", "r", meaning),)))))
    assert found.count(WORD[meaning]) == (1 if meaning == "plain" else 2)


def test_what_is_too_long_ends_in_a_sentence_that_says_how_much_is_missing():
    cell = "ж" * 200_000  # letters that no sentence of ours has: they can be counted
    blocks = (
        Table("", (Column("a"),), ((cell,),)),
        Source("з" * 1_000_000, whole="in trace 0af7"),
        Source("к\n" * 5_000),
        Paragraph("л" * 50_000),
        Facts((("name", "м" * 9_000),)),
    )
    found = text_of(read(of(*blocks)))
    for letter, all_of, where in (
        ("ж", 200_000, "inAuditTrail"),
        ("з", 1_000_000, "intrace0af7"),
        ("к", 10_000, "inAuditTrail"),
        ("л", 50_000, "inAuditTrail"),
        ("м", 9_000, "inAuditTrail"),
    ):
        printed = found.count(letter)
        (missing,) = re.findall(rf"{letter}…([\d,]+)morecharactersarenotprintedhere;thewholetextis{where}", found)
        lines = 2 if letter == "к" else 1  # its line feeds are characters too
        # One of two line feeds at the end of what is printed belongs to what is not.
        assert abs(printed * lines + int(missing.replace(",", "")) - all_of) <= 1, letter


def test_nothing_at_all_is_a_report_too():
    assert len(read(Document(title="")).pages) == 1
    empty = of(
        *(Heading(""), Paragraph(""), Note(""), Facts(()), Figures(()), Source("")),
        *(Table("t", (), ()), Table("t", (Column("a"),), (), "No trace."), Chart("c", "count", (), ())),
        *(PageBreak(), PageBreak()),
    )
    found = text_of(read(empty))
    assert flat("t None. t No trace. c Nothing is known for this range.") in found


@pytest.mark.parametrize("shape", ["bars", "lines"])
@pytest.mark.parametrize(
    "values", [(5.0,), (None,), (None, None), (0.0, 0.0), (None, 3.0), (float("nan"), 3.0), (1e15, 1.0)]
)
def test_a_chart_of_little_says_what_is_known(shape, values):
    labels = tuple(f"day{i}" for i in range(len(values)))
    found = text_of(read(of(Chart("caption", "count", labels, (Line("series", values),), shape))))
    known = [value for value in values if value is not None and value == value]
    assert found.count("series") == (2 if known else 0)  # at the end of the line, and in words
    if known:
        assert f"most{max(known):,.10g}(day{values.index(max(known))})" in found
        assert all(label in found for label in labels)
    else:
        assert "captionNothingisknownforthisrange." in found


def test_ten_thousand_rows_are_all_there_and_each_page_has_the_head(poppler):
    columns = tuple(Column(f"head{i}", align="right" if i % 2 else "left", mono=i == 3) for i in range(6))
    rows = tuple(tuple(f"r{row}c{i}" for i in range(6)) for row in range(10_000))
    heard: list[tuple[int, int]] = []
    to = io.BytesIO()
    pages = draw(of(Table("Rows", columns, rows)), to, lambda done, total: heard.append((done, total)))
    text = pdftotext(to.getvalue(), "-raw")
    assert re.findall(r"r\d+c\d", text) == [cell for row in rows for cell in row]
    parts = text.split("\f")[:-1]
    assert len(parts) == pages
    for number, part in enumerate(parts, 1):
        assert part.count("head0 head1 head2 head3 head4 head5") == 1
        assert f"Page {number} of {pages}" in part
        assert ("Rows (continued)" in part) == (number > 1)
    assert heard == sorted(heard) and heard[-1] == (10_001, 10_001) and len(heard) > 40


@pytest.mark.parametrize("cell", ["word", "word " * 60, "word " * 230], ids=["short", "high", "to-be-cut"])
@pytest.mark.parametrize("headings", [(), (2,), (2, 3)], ids=["alone", "section", "sections"])
def test_no_head_of_a_table_and_no_heading_over_one_stands_alone_at_the_foot_of_a_page(headings, cell):
    columns = (Column("Head of the first column", 1), Column("second", 3))
    for lines in range(42, 66, 2):
        over = tuple(Heading(f"Over it {level}", level) for level in headings)
        reader = read(of(Source("\n" * lines), *over, Table("The table", columns, (("beginning", cell), ("end", "")))))
        text = [flat(page.extract_text()) for page in reader.pages]
        (here,) = [
            page for page in text if "Thetable" in page and "continued" not in page.partition("Thetable")[2][:15]
        ]
        assert "beginning" in here and "secondbeginningword" in here, lines
        assert all(f"Overit{level}" in here for level in headings), lines


@pytest.mark.parametrize("shape", ["bars", "lines"])
def test_a_heading_stands_over_its_chart(shape):
    for lines in range(26, 66, 4):
        chart = Chart("The chart", "count", ("a", "b"), (Line("x", (1.0, 2.0)),), shape)
        pages = read(of(Source("\n" * lines), Heading("Over it"), chart)).pages
        assert [page for page in pages if "Over it" in page.extract_text() and "The chart" in page.extract_text()], (
            lines
        )


def test_every_page_names_the_report_the_project_and_itself():
    reader = read(audit(200))
    for number, page in enumerate(reader.pages, 1):
        text = page.extract_text()
        for want in ("AuditTrail", "Customer support", "rep-7f3a90c2", f"Page {number} of {len(reader.pages)}"):
            assert want in text, number


def test_chapters_begin_pages_and_the_outline_and_the_contents_lead_to_them():
    document = audit(90)
    reader = read(document)
    found: list[tuple[int, str, int]] = []

    def walk(entries, level):
        for entry in entries:
            if isinstance(entry, list):
                walk(entry, level + 1)
            else:
                found.append((level, entry["/Title"], reader.get_destination_page_number(entry)))

    walk(reader.outline, 1)
    assert [(level, title) for level, title, _ in found] == [
        (block.level, block.text) for block in document.blocks if isinstance(block, Heading)
    ]
    first = flat(reader.pages[0].extract_text())
    for level, title, number in found:
        lines = reader.pages[number].extract_text().splitlines()
        assert title in lines
        if level == 1:
            assert lines.index(title) <= 2, "nothing but the head stands over a chapter"
            assert flat(title) + str(number + 1) in first
    links = [item.get_object()["/Dest"] for item in reader.pages[0]["/Annots"]]
    places = [reader.get_page_number(link[0].get_object()) for link in links]
    assert places == [number for level, _, number in found if level == 1]


def test_headings_that_jump_levels_have_an_outline():
    document = of(Heading("a", 3), Heading("b", 1), Heading("c", 3), Heading("\u202ed", 9), Heading("", 0))
    titles = [entry["/Title"] for entry in _flat_outline(read(document).outline)]
    assert titles == ["a", "b", "c", "[U+202E]d", "—"]


def _flat_outline(entries):
    for entry in entries:
        yield from _flat_outline(entry) if isinstance(entry, list) else (entry,)


def test_the_file_says_what_it_is():
    document = audit(3)
    reader = read(document)
    about = reader.metadata
    assert (about.title, about.author, about.subject) == (document.title, document.author, document.subtitle)
    assert (about.creator, about.producer) == ("AuditTrail", "AuditTrail")
    assert about["/CreationDate"] == about["/ModDate"] == "D:20261124120000Z"
    assert reader.root_object["/Lang"] == "en"
    assert {tuple(map(round, page.mediabox)) for page in reader.pages} == {(0, 0, 595, 842)}
    assert "/JavaScript" not in str(reader.root_object) and "/AA" not in reader.root_object


def test_every_font_is_inside():
    for document in (audit(12), hostile.document()):
        count, outside = fonts_not_embedded(read(document))
        assert count >= 6 and outside == []


def test_the_same_document_is_the_same_file_in_every_process(tmp_path):
    document = audit(40)
    here = drawn(document)
    drawn(hostile.document())  # leaves nothing behind
    assert drawn(document) == here
    (tmp_path / "document.json").write_bytes(msgspec.json.encode(document))
    done = command(tmp_path / "document.json", tmp_path / "out.pdf", SOURCE_DATE_EPOCH="1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.pdf").read_bytes() == here
    assert drawn(msgspec.structs.replace(document, made_us=document.made_us + 1_000_000)) != here


def command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "audittrail.report.pdf", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "", "PYTHONHASHSEED": "7", **environment},
    )


def test_the_command_tells_how_far_it_is_and_leaves_nothing_half_written(tmp_path):
    source, out = tmp_path / "document.json", tmp_path / "out.pdf"
    source.write_bytes(msgspec.json.encode(audit(1_000)))
    done = command(source, out)
    *heard, last = map(json.loads, done.stdout.splitlines())
    assert last.keys() == {"pages"} and last["pages"] > 20
    assert heard == sorted(heard, key=lambda one: one["done"]) and heard[-1]["done"] == heard[-1]["total"]
    assert done.stderr == "" and {path.name for path in tmp_path.iterdir()} == {"document.json", "out.pdf"}

    before = out.read_bytes()
    broken = of(Table("t", (Column("a"), Column("b")), (("one cell",),)))
    source.write_bytes(msgspec.json.encode(broken))
    assert command(source, out).returncode == 1
    source.write_text('{"title": 1}')
    wrong = command(source, out)
    assert (wrong.returncode, wrong.stdout) == (2, "") and "title" in wrong.stderr
    assert command(source).returncode == 2
    assert command(tmp_path / "none.json", out).returncode == 2
    assert out.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"document.json", "out.pdf"}


def test_drawing_needs_nothing_of_the_server():
    code = (
        "import sys, audittrail.report.pdf.__main__; "
        "print({m.partition('.')[0] for m in sys.modules} & {'litestar', 'sqlalchemy', 'scrubadub', 'jinja2'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "set()", done.stderr


def test_the_typefaces_are_the_ones_that_were_vendored_and_each_has_its_licence():
    listed = dict(reversed(line.split("  ")) for line in (FOLDER / "CHECKSUMS").read_text().splitlines())
    assert set(listed) == {p.name for p in FOLDER.iterdir()} - {"CHECKSUMS"}
    for name, digest in listed.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name
    notice = (FOLDER / "NOTICE.txt").read_text()
    for name in listed:
        assert name == "NOTICE.txt" or name in notice, name
    assert sum((FOLDER / name).stat().st_size for name in listed) < 6_000_000
    assert Path(FOLDER).is_relative_to(ROOT / "audittrail"), "the wheel carries what is in the package"
