"""Texts of one megabyte, each made to keep a detector busy."""

from __future__ import annotations

import base64
import random

SIZE = 1_000_000


def repeated(*pieces: str) -> str:
    unit = "".join(pieces)
    return unit * (SIZE // len(unit))


TEXTS: dict[str, str] = {
    "login and spaces": "login" + " " * SIZE,
    "password and spaces": repeated("password", " " * 1000),
    "digits": "1" * SIZE,
    "card digits": repeated("4111111111111111"),
    "digits and dashes": repeated("1-"),
    "digits and spaces": repeated("4 "),
    "wrong cards": repeated("4111 1111 1111 1112 "),
    "cards": repeated("4111 1111 1111 1111 "),
    "sevens": repeated("1234567 "),
    "at signs": "@" * SIZE,
    "a@": repeated("a@"),
    "a@a.": repeated("a@a."),
    "addresses": repeated("a@b.co "),
    "glued addresses": repeated("a@b.co"),
    "Chinese before @": "请" * (SIZE // 3) + "@b.co",
    "letters before @": "a" * SIZE + "@b.co",
    "quotes": repeated('\\"'),
    "nested quotes": repeated('"', '\\"', '\\\\\\"'),
    "deeper and deeper quotes": "".join(f'password:{chr(92) * i}"x' for i in range(1400)),
    "deeper tokens": "".join(f'token:{chr(92) * i}"x ' for i in range(1400)),
    "open quotes": repeated('password="'),
    "cookies of one line": repeated("cookie: "),
    "templates": repeated('password="${ '),
    "backslashes": "\\" * SIZE,
    "escapes": repeated("\\u0040"),
    "Chinese escapes": repeated("\\u4e00"),
    "escaped addresses": repeated("a\\u0040b.co "),
    "base64": base64.b64encode(random.Random(1).randbytes(SIZE * 3 // 4)).decode(),
    "dots": repeated("1."),
    "colons": repeated("ab:"),
    "IPv6": repeated("2001:db8::1 "),
    "IBAN beginnings": repeated("DE12 "),
    "plus signs": repeated("+1 "),
    "BEGIN": repeated("-----BEGIN ", "PRIVATE KEY-----"),
    "a long key": "-----BEGIN " + "PRIVATE KEY-----" + "A" * SIZE,
    "URLs": repeated("a://b:"),
    "JWT beginnings": repeated("eyJabcdefgh."),
    "key beginnings": repeated("sk-", "ant-"),
    "placeholders": repeated("<EMAIL:12345678>"),
    "less than": "<" * SIZE,
    "NUL": "\0" * SIZE,
    "separators": "\x1d" * SIZE,
    "said": repeated("my password is "),
    "numbers named": repeated("phone: 12345678 "),
    "apostrophes": '"' + repeated("password='x "),
    "lists": repeated('"password":["a",'),
    "a list": '"password":[' + '"a",' * (SIZE // 4),
    "a list of numbers": '"token":[' + "1," * (SIZE // 2),
    "a list of spaces": repeated('"password":[', " " * 1000),
    "cards in a list": "[" + repeated("4111111111111111,"),
    "cards far into lines": "[" + (r"\n" * 100 + "4111111111111111,") * 4000,
    "a card behind quotes": '["' + '","' * 300_000 + '",4111111111111111]',
    "a card behind backslashes": '{"a":"' + chr(92) * SIZE + '","card": 4111111111111111}',
    "backslashes before an escape": chr(92) * SIZE + r" \u0040",
    "line ends": repeated(r"\n"),
    "few line ends": repeated(r"\n", "x" * 100),
    "mixed": repeated('{"mail": "a@b.co", "n": [1.5, 2024], "t": "x\\ny"} '),
}
