"""The log of events: nothing that was acknowledged is lost, and a torn end leaves no hole."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlmaze_api.rlmaze.training.v1.training_pb import LogLine, TrainingEvent
from rlmaze_trainer import events
from rlmaze_trainer.event_log import EventLog, frame, take_record


def line(text: str) -> TrainingEvent:
    return events.log_line(text)


def texts(found: list[TrainingEvent]) -> list[str]:
    texts = []
    for event in found:
        assert event.event is not None
        assert isinstance(event.event.value, LogLine)
        texts.append(event.event.value.text)
    return texts


def test_events_are_numbered_and_read_in_order(tmp_path: Path) -> None:
    log = EventLog.open(tmp_path / "events.bin")
    assert [log.append(line(str(i))) for i in range(5)] == [1, 2, 3, 4, 5]
    assert texts(log.read(0)) == ["0", "1", "2", "3", "4"]
    assert texts(log.read(3)) == ["3", "4"]
    assert log.read(5) == []
    assert [event.sequence for event in log.read(1, most=2)] == [2, 3]


def test_a_large_event_is_read_alone(tmp_path: Path) -> None:
    log = EventLog.open(tmp_path / "events.bin")
    for text in ("a", "b" * 1000, "c"):
        log.append(line(text))
    read, after = [], 0
    while some := log.read(after, most_bytes=500):
        read += texts(some)
        after = some[-1].sequence
    assert read == ["a", "b" * 1000, "c"]


@settings(deadline=None)  # a busy machine is no fault
@given(cut=st.integers(min_value=0, max_value=200), flip=st.integers(min_value=0, max_value=199))
def test_what_a_crash_tore_is_cut_off(tmp_path_factory: pytest.TempPathFactory, cut: int, flip: int) -> None:
    path = tmp_path_factory.mktemp("log") / "events.bin"
    log = EventLog.open(path)
    ends = []
    for i in range(8):
        log.append(line(f"event {i}"))
        ends.append(path.stat().st_size)
    log.close()
    raw = bytearray(path.read_bytes()[:cut] if cut < ends[-1] else path.read_bytes())
    if flip < len(raw):
        raw[flip] ^= 0x40
    path.write_bytes(raw)
    whole = sum(end <= min(len(raw), flip if flip < len(raw) else len(raw)) for end in ends)
    again = EventLog.open(path)
    assert texts(again.read(0)) == [f"event {i}" for i in range(whole)]
    assert again.append(line("next")) == whole + 1
    again.close()
    assert texts(EventLog.open(path).read(0))[-1] == "next"


def test_a_record_that_is_not_there_yet_is_none() -> None:
    record = frame(line("x"))
    assert all(take_record(record[:n], 0) is None for n in range(len(record)))
    found = take_record(record, 0)
    assert found is not None
    assert found[1] == len(record)


async def test_who_waits_is_woken(tmp_path: Path) -> None:
    log = EventLog.open(tmp_path / "events.bin")
    waiting = [asyncio.create_task(log.wait_beyond(0, 60)) for _ in range(3)]
    await asyncio.sleep(0)
    log.append(line("x"))
    assert await asyncio.gather(*waiting) == [True, True, True]
    assert await log.wait_beyond(1, 0.01) is False
    last = asyncio.create_task(log.wait_beyond(1, 60))
    await asyncio.sleep(0)
    log.close()
    assert await last is False
