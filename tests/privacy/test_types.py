"""For each type: what is found, and what only looks like it."""

# ruff: noqa: E501

from __future__ import annotations

import re

import pytest

from audittrail.privacy.keyformats import FORMATS
from audittrail.privacy.redactor import Redactor
from tests.privacy.keys import JWT, KEYS, PEM, A

REDACTOR = Redactor(b"a key of the tests")

# Type, text, and the part of it that must go (all that is marked with [[ ]]).
FOUND: dict[str, list[str]] = {
    "EMAIL": [
        "write to [[bob@example.org]].",
        "([[anna.lopez+news@mail.example.co.uk]])",
        '{"to":"[[bob@example.org]]"}',
        "to=[[bob@example.org]]&x=1",
        "<[[o'neil@example.com]]>",
        "[[josé@example.es]] und [[jürgen@bücher.example]]",
        "请联系[[bob@example.org]]",
        "https://x.example/?mail=[[bob%40example.org]]",
        "line\\n[[bob@example.org]]\\n",
        "[[bob\\u0040example.org]]",
        '{"a": "{\\"b\\": \\"x\\\\n[[bob@example.org]]\\"}"}',
        "mailto:[[bob@example.org]]",
    ],
    "PHONE": [
        "Call [[+1 555-234-1234]] after noon",
        "[[+44 7700 900123]]",
        "[[+4915112345678]]",
        "[[+46 (0)8 928 571 38]]",
        "[[(602) 272-9781]]",
        "[[541-714-1388]]",
        "[[1-541-714-1388]]",
        "[[259.735.7502x459]]",
        "([[555-0142]]) asked",
        "[[07700 063 966]]",
        "[[03.93.92.16.85]]",
        "Phone: [[467 3395]]",
        "call me at [[21 253 109 8211]]",
        '{"phone": "[[5551234567]]"}',
        '{"phoneNumber":[[5551234567]]}',
        "tel:[[5551234567]]",
        "mobile is [[5551234567]]",
    ],
    "CARD": [
        "[[4111111111111111]]",
        "card [[4111 1111 1111 1111]] 2027",
        '"[[5555-5555-5555-4444]]"',
        "[[3782 822463 10005]]",
        "[[6011111111111117]],[[4242424242424242]]",
        '{"number":[[4111111111111111]]}',
        "credit card [[4222222222222]]",
        '{"card_number": "[[1234567812345678]]"}',
        '{"cvv": "[[123]]"}',
    ],
    "IBAN": [
        "[[GB29 NWBK 6016 1331 9268 19]] please",
        "[[DE89370400440532013000]]",
        "[[gb29nwbk60161331926819]]",
        '{"iban":"[[NL91ABNA0417164300]]"}',
        '{"iban":"[[DE00123456781234567890]]"}',
    ],
    "SSN": [
        "my SSN is [[460-89-9847]].",
        '{"ssn":"[[460899847]]"}',
        "social security [[460899847]]",
        '{"ssn": [[460899847]]}',
    ],
    "IP": [
        "from [[106.31.73.20]] today",
        "http://[[203.0.113.7]]:8080/x",
        '"client.address": "[[198.51.100.23]]"',
        "[[2001:db8::8a2e:370:7334]]",
        "[[6e40:4041:c617:e898:c11:40d2:c669:2eb4]]",
        "ip: [[9.9.9.9]]",
    ],
    "BIRTHDATE": [
        '{"dob": "[[1990-04-05]]"}',
        "date of birth: [[05/04/1990]]",
        "born on [[April 5, 1990]]",
        '{"dateOfBirth":"[[1990-04-05T00:00:00Z]]"}',
        '{\\"birth_date\\": \\"[[1990-04-05]]\\"}',
    ],
    "PASSWORD": [
        '{"password": "[[correct horse battery]]"}',
        '{"password": "[[say \\"hi\\" ]]", "x": 1}',
        '{\\"password\\": \\"[[hunt\\\\\\"er2]]\\", \\"x\\": 1}',
        "{'passwd': '[[hunter2]]'}",
        "password=[[hunter2]]&user=bob",
        "DB_PASSWORD=[[hunter]]",
        "password: [[swordfish]]\n",
        "password: [[hunter2]] and go",
        "Server=db;Uid=sa;Pwd=[[p4ss]];x=1",
        "mysql --password [[hunter2]] -h db",
        "--password=[[my-pass-9]]",
        "my password is [[hunter2]].",
        "the PIN is [[4711]]",
        "postgres://[[app:s3cr@t]]@db.example/app",
        "https:\\/\\/[[bob:pw]]@host/x",
        "redis://[[:pa55]]@cache:6379",
        '{"password": "[[cut off by a lim]]',
        '{"passwordHash": "[[x1]]"}',
        '{"password": ["[[hunter2]]", "[[swordfish]]"]}',
        '{\\"passwords\\": [\\n  \\"[[hunter2]]\\"]}',
        '{"name": "password", "value": "[[hunter2]]"}',
        '{"key": "db.password", "value": {"stringValue": "[[hunter2]]"}}',
        '["mysql", "--password", "[[hunter2]]"]',
        "<db_password>[[hunter2]]</db_password>",
        "DB_PASS=[[hunter2]]",
        "curl -u admin:[[hunter22]] https://x.example",
        '{"pin": "[[4711]]"}',
        'if password == "[[hunter2]]":',
        """{"cmd": "mysql --x password='[[hunter2]]", "n": 1}""",
    ],
    "SECRET": [
        "Authorization: Bearer [[abc]]\n",
        "Authorization: Bearer [[abc.def]]",
        '{"http.request.header.authorization": ["Bearer [[abc]]"]}',
        '"authorization": "Basic [[dXNlcjpwYXNz]]"',
        "{'Authorization': 'token [[abcdef]]'}",
        f"curl -H 'X: Bearer [[{A[:30]}]]'",
        "Cookie: [[sid=31d4d96e407aad42; theme=dark]]\n",
        '{"client_secret": "[[anything at all]]"}',
        '{"apiKey":"[[abc]]"}',
        '{"x-api-key":"[[abc]]"}',
        '{"access_token":"[[abc]]"}',
        '{"token":"[[9f8e7d6c5b4a]]"}',
        "?access_token=[[abc]]&page=2",
        "https://s3.example/x?X-Amz-Signature=[[0123456789abcdef]]&y",
        f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey=[[{A[:86]}==]];EndpointSuffix=y",
        "aws_secret_access_key = [[wJalrXUtnFEMIzK7MDENGzbPxRfiCYzzzzzzzzzz]]",
        f"export KEY=[[{KEYS['GitHub']}]]",
    ],
    "JWT": [f"[[{JWT}]]", f'{{"id":"[[{JWT}]]"}}'],
    "PRIVATE_KEY": [f"[[{PEM}]] and more", '{"k":"[[' + PEM.replace("\n", "\\n") + ']]\\n"}', f"x [[{PEM[:200]}]]"],
}

NOTHING = [
    # e-mail
    "@property def x(self)", "git@github.com:org/repo.git", "logo@2x.png", "requests@2.31.0", "a @ b.co", "user@localhost",
    # telephone
    "2024-05-15 15:00:00", "15-05-2024", "order 1234567890", "ORD-12345678", "2019 - 2024", "Waterford, CT 06385-3823",
    "512 768 1024", "tool call 1234567", "call_id: 5551234567", "550e8400-e29b-41d4-a716-446655440000", "$1,234,567.89",
    "1795000000000000000", "2026-11-24T10:00:00.000Z", "pages 100-2000", '{"phone": "iPhone 15"}', "hotel: 12345678",
    "+0.25", "UTC+0200", "0.123456789012345", "(1990) 12", "[1, 2, 3, 4, 5, 6, 7, 8]", "555-1234567",
    # cards
    "4111111111111112", "4222222222222", "1795000000000", "credit_card_4421486", "0.4111111111111111", "4444444444444444",
    "x4111111111111111", "4111-1111-1111-1111-2222",
    # IBAN
    "GB29 NWBK 6016 1331 9268 18", "DE89", "AB12CD34EF56GH78",
    # SSN
    "000-12-3456", "666-12-3456", "900-12-3456", "123-00-1234", "123-45-0000", "460899847", "1460-89-98471",
    # IP
    "127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.9", "0.0.0.0", "v1.2.3.4", "version 106.31.73.20", "numpy==101.22.33.44",
    "Chrome/120.130.140.150", "1.11.1.7", "12:34:56", "aa:bb:cc:dd:ee:ff", "std::vector", "a::b", "fe80::1", "::1", "999.1.2.3",
    "1.2.3.4.5", "00:11:22:33:44:55:66:77",
    # birth dates
    '{"date": "1990-04-05"}', "my birthday on March 22, 2021",
    # secrets by name
    "gen_ai.usage.input_tokens=512", '{"max_tokens": 1024}', '{"token": "Hello", "logprob": -0.1}', '{"next_token": "a1b2c3d4e5"}',
    '{"password": null}', '{"password": ""}', '{"password": {"type": "string"}}', "password: str", "Password: must be changed",
    "password=os.environ['X']", "api_key = get_key()", "token=self.token", '{"token_type": "bearer"}', '{"password": "***"}',
    '{"api_key": "YOUR_API_KEY"}', "password=${DB_PASSWORD}", "the secret of success", '{"public_key": "abc"}', "PWD=/home/bob",
    '{"pageToken": "a1b2c3d4e5f6"}', "if password == other:", "x.password>limit", '{"num_secrets": 3}',
    '{"token": 15339.25}', '{"cmd": "use password=", "n": "x"}', '{"pin": "GPIO 17"}', '{"pincode": 560001}', "low_pass=0.5",
    '{"name": "token", "value": 5}', "Authorization: Bearer {token}", "docker run -u 1000:1000 x", '["password", "email"]',
    "Authorization: the agent must ask first", '{"cookies": "true"}', "https://host:8080/a@b",
    # keys
    "sk-learn-is-a-library-for-machines", "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "hf_hub", "npm_config_cache", "AKIA", "eyJhbGciOi",
    "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----", "basic understanding of things",
]  # fmt: skip

CASES = [(kind, text) for kind, texts in FOUND.items() for text in texts]
MARKED = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)


@pytest.mark.parametrize(("kind", "text"), CASES)
def test_a_find_goes_and_nothing_else(kind: str, text: str) -> None:
    plain = MARKED.sub(lambda m: m[1], text)
    redacted, counts = REDACTOR.redact_text(plain)
    expected = re.escape(MARKED.sub("\0", text)).replace("\0", f'"?<{kind}:[0-9a-f]{{8}}>"?')
    assert re.fullmatch(expected, redacted), redacted
    assert counts == {kind: len(MARKED.findall(text))}


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert REDACTOR.redact_text(text) == (text, {})


@pytest.mark.parametrize("issuer", [name for name, _ in FORMATS])
@pytest.mark.parametrize("around", ["{}", "use {} now", '{{"k":"{}"}}', "K={}\n", "x\\n{}\\n", "({})"])
def test_each_published_key_format(issuer: str, around: str) -> None:
    text = around.format(KEYS[issuer])
    redacted, counts = REDACTOR.redact_text(text)
    assert re.fullmatch(re.escape(around.format("\0")).replace("\0", r"<SECRET:[0-9a-f]{8}>"), redacted), redacted
    assert counts == {"SECRET": 1}
