"""A door before a server: open, it lets everything through; closed, nobody is there."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class Door:
    """Listens on a port of its own and passes connections on to another one of this machine."""

    def __init__(self, port: int) -> None:
        self._inner_port = port
        self.port = 0
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuses new connections and cuts the others."""
        if self._server is not None:
            self._server.close()
            for task in list(self._passing):
                task.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)
            self._server = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        await self.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        inner_writer: asyncio.StreamWriter | None = None
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._inner_port)
            await asyncio.gather(self._copy(reader, inner_writer), self._copy(inner_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._passing.discard(task)
            for one in (writer, inner_writer):
                if one is not None:
                    one.transport.abort()

    @staticmethod
    async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
