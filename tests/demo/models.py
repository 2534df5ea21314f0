"""The models that the company calls."""

from __future__ import annotations

import msgspec


class Model(msgspec.Struct, frozen=True):
    """A model as its provider names it, and how it behaves here."""

    provider: str
    name: str
    speed: float = 90.0  # output tokens a second
    caches: bool = False  # counts what of the input it had read before
    reasons: int = 0  # tokens it thinks before it answers


SONNET = Model("anthropic", "claude-sonnet-4-5", 78, caches=True)
HAIKU = Model("anthropic", "claude-haiku-4-5", 160, caches=True)
OPUS = Model("anthropic", "claude-opus-4-1", 48, caches=True)
GPT5 = Model("openai", "gpt-5", 85, caches=True, reasons=640)
GPT41 = Model("openai", "gpt-4.1", 105, caches=True)
MINI = Model("openai", "gpt-4o-mini", 130)
GEMINI = Model("gcp.vertex_ai", "gemini-2.5-pro", 110, reasons=420)
FLASH = Model("gcp.vertex_ai", "gemini-2.5-flash", 220)
MISTRAL = Model("mistral_ai", "mistral-large-latest", 70)
CODESTRAL = Model("mistral_ai", "codestral-latest", 150)
EMBED = Model("openai", "text-embedding-3-small")
# On a machine of the company's own: nobody sells it, so it has no price.
LOCAL = Model("ollama", "nordfell-summariser-8b", 42)
