"""What every template must do, whatever an agent sent."""

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from litestar.testing import TestClient

from audittrail.web.render import Renderer
from tests.looks import samples, site

ROOT = site.ROOT


class Markup(HTMLParser):
    """What a page consists of."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.scripts = set(), set(), 0

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.scripts += tag == "script"
        assert tag != "script" or (dict(attrs).get("src") or "").startswith("/static/")


HTMX = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def client():
    with TestClient(site.make()) as client:
        yield client


@pytest.fixture(scope="module")
def pages(client):
    """Every page, and every panel of every small trace."""
    found = {name: client.get(f"/look/{name}").text for name in site.PAGES}
    for trace_id, spans in samples.TRACES.items():
        found[trace_id] = client.get(f"/traces/{trace_id}").text
        for view in ("summary", "graph", "flow", "flow&measure=tokens", "flow&measure=time", "verdicts", "raw"):
            found[f"{trace_id} {view}"] = client.get(f"/traces/{trace_id}?view={view}").text
        for span in spans[:16] if len(spans) < 1_000 else []:
            for tab in ("", "io", "verdicts", "attributes", "record"):
                url = f"/traces/{trace_id}?span={span.span_id}&tab={tab}"
                found[url] = client.get(url, headers=HTMX | {"HX-Target": "panel"}).text
    return found


def test_nothing_that_was_sent_becomes_markup_and_nothing_breaks_the_policy(pages):
    for name, text in pages.items():
        seen = Markup()
        seen.feed(text)
        assert not seen.tags & {"img", "style", "iframe", "object", "base"}, name
        assert not [a for a in seen.attributes if a == "style" or a.startswith(("on", "hx-on"))], name
        ours = re.findall(r'<script src="/static/[\w./-]+\?v=[0-9a-f]{12}"(?: defer)?></script>', text)
        assert seen.scripts == len(ours) and bool(ours) == text.startswith("<!"), name
        assert "\u202e" not in text and "\u200b" not in text and "\x07" not in text, name
        assert 'href="javascript' not in text


def test_ids_are_unique_and_every_control_has_a_name(pages):
    for name, text in pages.items():
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), (name, sorted(i for i in ids if ids.count(i) > 1))
        for wanted in re.findall(r'<label[^>]* for="([^"]+)"', text):
            assert wanted in ids, (name, wanted)


def test_a_fragment_is_the_block_that_the_target_names(client):
    whole = client.get("/traces").text
    part = client.get("/traces", headers=HTMX | {"HX-Target": "results"})
    assert whole.startswith("<!doctype html>") and "<html" not in part.text
    assert part.text.strip() in whole
    assert part.headers["vary"] == "HX-Request, HX-Target"
    more = client.get("/traces", headers=HTMX | {"HX-Target": "more"}).text
    assert more.lstrip().startswith("<tr") and more.strip() in whole


def test_restoring_history_gets_the_whole_page(client):
    headers = HTMX | {"HX-Target": "results", "HX-History-Restore-Request": "true"}
    assert client.get("/traces", headers=headers).text.startswith("<!doctype html>")


def test_an_unknown_target_gets_the_whole_page_for_the_whole_body(client):
    reply = client.get("/traces", headers=HTMX | {"HX-Target": "nothing"})
    assert reply.text.startswith("<!doctype html>") and reply.headers["hx-retarget"] == "body"


def test_a_failed_fragment_goes_to_the_message_line(client):
    reply = client.get("/traces/unknown", headers=HTMX | {"HX-Target": "panel"})
    assert reply.status_code == 404
    assert (reply.headers["hx-retarget"], reply.headers["hx-push-url"]) == ("#problem", "false")
    assert "<html" not in reply.text and "There is no such trace here." in reply.text


def test_forms_have_no_secret_in_their_values(pages):
    for name, text in pages.items():
        for field in re.findall(r'<input[^>]*type="password"[^>]*>', text):
            assert " value=" not in field, name


def test_every_template_compiles_and_every_icon_is_in_the_sprite():
    renderer = Renderer(ROOT / "templates", ROOT / "static")
    names = renderer.check()
    assert {Path(n).as_posix() for n in names} >= {v[0] for v in site.PAGES.values()} | {"pages/trace.html"}
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/icons.svg").read_text()))
    used = set()
    for name in names:
        text = (ROOT / "templates" / name).read_text()
        used |= set(re.findall(r"icon\('([a-z0-9-]+)'", text)) | set(re.findall(r"#([a-z-]+)\"/>", text))
    macros = renderer._macros()["ui"]
    for icons in ("KIND", "STATUS", "OUTCOME", "APPROVAL", "STANDING"):
        used |= set(getattr(macros, f"{icons}_ICONS").values())
    assert used <= sprite, used - sprite


def test_no_template_trusts_what_it_prints():
    for path in (ROOT / "templates").rglob("*"):
        if path.is_file():
            assert not re.search(r"\|\s*safe\b|autoescape|Markup", path.read_text()), path


def test_every_class_in_the_templates_that_looks_like_a_kind_or_status_has_a_colour():
    css = (ROOT / "static/app.css").read_text()
    for kind in Renderer(ROOT / "templates", ROOT / "static")._macros()["ui"].KIND_ICONS:
        assert f".k-{kind}" in css


def test_what_was_vendored_is_unchanged():
    folder = ROOT / "static/vendor"
    listed = dict(reversed(line.split("  ")) for line in (folder / "CHECKSUMS").read_text().splitlines())
    assert set(listed) == {p.name for p in folder.iterdir()} - {"CHECKSUMS"}
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def test_a_static_url_changes_with_its_content(tmp_path):
    (tmp_path / "a.css").write_text("a")
    renderer = Renderer(ROOT / "templates", tmp_path)
    first = renderer.static("a.css")
    (tmp_path / "a.css").write_text("b")
    assert re.fullmatch(r"/static/a\.css\?v=[0-9a-f]{12}", first) and renderer.static("a.css") != first
