"""The events of one run, kept in an append-only file, and those who wait for the next one.

A record is its length and its CRC-32 (four bytes each, little-endian), then the event as protobuf. A record that a crash
cut short is the last one; it is cut off when the file is opened again, so that sequence numbers have no hole.
"""

import asyncio
import os
import struct
import zlib
from pathlib import Path
from typing import IO, Self

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingEvent

_HEAD = struct.Struct("<II")
_LARGEST_RECORD = 16 << 20


def frame(event: TrainingEvent) -> bytes:
    """Returns an event as a record."""
    raw = event.to_binary()
    return _HEAD.pack(len(raw), zlib.crc32(raw)) + raw


def take_record(buffer: bytes | bytearray | memoryview, offset: int) -> tuple[TrainingEvent, int] | None:
    """Reads the record at an offset; returns it with the offset after it, or None when the buffer ends before it does.

    Raises:
        ValueError: What is there is no record.
    """
    if len(buffer) - offset < _HEAD.size:
        return None
    length, checksum = _HEAD.unpack_from(buffer, offset)
    if length > _LARGEST_RECORD:
        raise ValueError(f"a record of {length} bytes")
    end = offset + _HEAD.size + length
    if len(buffer) < end:
        return None
    raw = bytes(buffer[offset + _HEAD.size : end])
    if zlib.crc32(raw) != checksum:
        raise ValueError("a record whose checksum is wrong")
    return TrainingEvent.from_binary(raw), end


class EventLog:
    """The events of one run. Reading may go on while events are appended; a reader that is slow reads later, and nothing is kept for it.

    Not safe for threads: everything happens on the event loop.
    """

    def __init__(self, file: IO[bytes], offsets: list[int]) -> None:
        self._file = file
        self._offsets = offsets  # start of each record, and of the next one
        self._appended = asyncio.Event()
        self._closed = False

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the log of a run, and cuts off what a crash left half written."""
        file = open(path, "a+b", buffering=0)  # noqa: SIM115 (it is kept open)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        content = file.read(size)
        offsets, at = [0], 0
        while True:
            try:
                record = take_record(content, at)
            except ValueError:
                record = None
            if record is None or record[0].sequence != len(offsets):
                break
            at = record[1]
            offsets.append(at)
        if at < size:
            file.truncate(at)
        return cls(file, offsets)

    @property
    def last_sequence(self) -> int:
        """Sequence number of the last event; 0 when there is none."""
        return len(self._offsets) - 1

    def append(self, event: TrainingEvent) -> int:
        """Numbers an event, writes it, and wakes who waits. Returns its sequence number.

        Raises:
            OSError: The disk is full or broken; the log is as it was before.
        """
        event.sequence = self.last_sequence + 1
        record = frame(event)
        end = self._offsets[-1]
        try:
            written = self._file.write(record)
            if written != len(record):
                raise OSError(28, "the event was written in part only")
        except OSError:
            self._file.truncate(end)
            raise
        self._offsets.append(end + len(record))
        self._wake()
        return event.sequence

    def sync(self) -> None:
        """Waits until everything is on the disk."""
        os.fsync(self._file.fileno())

    def read(self, after_sequence: int, most: int = 500, most_bytes: int = 256 << 10) -> list[TrainingEvent]:
        """Returns the events after one, in order; at least one if there is any, and no more than the limits allow."""
        first = after_sequence
        last = min(self.last_sequence, first + most)
        while last > first + 1 and self._offsets[last] - self._offsets[first] > most_bytes:
            last = first + max(1, (last - first) // 2)
        if last <= first:
            return []
        content = os.pread(self._file.fileno(), self._offsets[last] - self._offsets[first], self._offsets[first])
        events, at = [], 0
        while at < len(content):
            record = take_record(content, at)
            if record is None:
                break
            events.append(record[0])
            at = record[1]
        return events

    async def wait_beyond(self, sequence: int, seconds: float) -> bool:
        """Waits for an event after `sequence`; returns False when none came in time or the log was closed."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self.last_sequence <= sequence and not self._closed:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(self._appended.wait(), left)
            except TimeoutError:
                return False
        return self.last_sequence > sequence

    def _wake(self) -> None:
        self._appended.set()
        self._appended = asyncio.Event()

    def close(self) -> None:
        """Closes the file and wakes who waits."""
        self._closed = True
        self._wake()
        self._file.close()
