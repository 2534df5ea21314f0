"""The readers of large bodies, as the server has them: each is started when it is needed, and again should it end."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import cast

from audittrail.constitution import Constitution, RuleSet
from audittrail.ingest.formats import Format
from audittrail.ingest.reader import SIZE, Answered, Asked, Body, Failed, Redaction, Rules, decode_answer, encode
from audittrail.model.batch import Prepared, Refusal
from audittrail.model.errors import Unavailable

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0
# Above this an answer is decoded in a thread: 2 MB are about 300 spans, or 2 ms.
INLINE_ANSWER = 2 << 20
_BUFFER = 4 << 20
# The child imports what this process imports, from the same places.
_START = "import sys; sys.path[:] = {path!r}; from audittrail.ingest.reader import main; main()"
_INTERRUPTED = "Reading was interrupted; send the same request again."

_Understood = tuple[tuple[Prepared, ...], list[Refusal]]


class _Reader:
    """One process, which has one body at a time."""

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        self._process: asyncio.subprocess.Process | None = None
        self._rules: RuleSet | None = None  # that the process has

    async def ask(self, rules: RuleSet, body: Body) -> bytes:
        """Its answer. Raises Unavailable when the process ends before it."""
        try:
            process = await self._running()
            stdin, stdout = cast(asyncio.StreamWriter, process.stdin), cast(asyncio.StreamReader, process.stdout)
            if rules is not self._rules:
                _tell(stdin, Rules({rule.file: rule.source for rule in rules.rules}))
                self._rules = rules
            _tell(stdin, body)
            await stdin.drain()
            (size,) = SIZE.unpack(await stdout.readexactly(SIZE.size))
            return await stdout.readexactly(size)
        except (OSError, RuntimeError, asyncio.IncompleteReadError):  # RuntimeError: uvloop, of a closed pipe
            await self.stop()
            raise Unavailable(_INTERRUPTED, 1) from None

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is not None:
            await self.stop()
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                _START.format(path=sys.path),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_BUFFER,
            )
            self._rules = None
            _tell(cast(asyncio.StreamWriter, self._process.stdin), Redaction(self._key))
        return self._process

    async def stop(self) -> None:
        """Ends the process, which does so when its input ends."""
        process, self._process = self._process, None
        if process is None:
            return
        cast(asyncio.StreamWriter, process.stdin).close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        if process.returncode:
            log.error("A reader of large bodies ended with status %d; the next body starts another", process.returncode)


class Reading:
    """`await prepare(format, body)` is what the pipeline makes of it, by the rules in force when it was called."""

    def __init__(self, key: bytes | None, constitution: Constitution, processes: int) -> None:
        self._constitution = constitution
        self._readers = [_Reader(key) for _ in range(processes)]
        # The last one that was busy is the first to be asked, so that no more are started than are needed.
        self._free: asyncio.LifoQueue[_Reader] = asyncio.LifoQueue()
        for reader in self._readers:
            self._free.put_nowait(reader)
        self._stopped = False

    async def prepare(self, form: Format, body: bytes) -> _Understood:
        """The spans, ready to be stored, and what was refused of it.

        Raises what the decoder raises, and Unavailable when the process ended: then the request may be sent again.
        """
        rules = self._constitution.rules
        reader = await self._free.get()
        if self._stopped:
            self._free.put_nowait(reader)
            raise Unavailable("The server is stopping; send the same request again.", 2)
        asked = asyncio.create_task(reader.ask(rules, Body(form, body)))
        asked.add_done_callback(lambda done: self._release(reader, done))
        reply = await asyncio.shield(asked)  # the answer comes also when nobody waits for it any more
        if len(reply) > INLINE_ANSWER:
            return await asyncio.to_thread(_understood, reply, rules)
        return _understood(reply, rules)

    def _release(self, reader: _Reader, done: asyncio.Task[bytes]) -> None:
        self._free.put_nowait(reader)
        if not done.cancelled():
            done.exception()  # whoever still waits has it from the shield

    async def stop(self) -> None:
        """Ends the processes when they have answered what they were asked."""
        self._stopped = True
        for _ in self._readers:
            await (await self._free.get()).stop()
        for reader in self._readers:
            self._free.put_nowait(reader)


def _tell(stdin: asyncio.StreamWriter, message: Asked) -> None:
    frame = encode(message)
    stdin.write(SIZE.pack(len(frame)))
    stdin.write(frame)


def _understood(reply: bytes, rules: RuleSet) -> _Understood:
    answer: Answered = decode_answer(reply)
    if isinstance(answer, Failed):
        raise answer.error()
    return answer.prepared(rules), answer.refused
