"""Passes connections on to a port of this machine: `python -m sandbox.demo.forward 8083 8082`. For containers."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress


async def forward(port: int, target: int, host: str = "0.0.0.0") -> asyncio.Server:  # noqa: S104 - a container's
    """Listen on `port`, 0 for any free one, and pass each connection on to `target` on loopback."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    return await asyncio.start_server(accept, host, port)


async def _main(port: int, target: int) -> None:
    await (await forward(port, target)).serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
