"""What the trainer's log says of a call."""

import json
import logging

import pytest
from conftest import Trainer

from rlmaze_api.rlmaze.training.v1.training_service_pb import GetTrainingDefaultsRequest
from rlmaze_trainer.app import JSONFormatter

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


async def line_of(trainer: Trainer, caplog: pytest.LogCaptureFixture, headers: dict[str, str]) -> dict[str, str]:
    with caplog.at_level(logging.INFO, "rlmaze_trainer"):
        caplog.clear()
        await trainer.client.get_training_defaults(GetTrainingDefaultsRequest(), headers=headers)
    [record] = [record for record in caplog.records if record.getMessage() == "request"]
    line: dict[str, str] = json.loads(JSONFormatter().format(record))
    return line


async def test_a_call_is_logged_under_the_ids_of_its_request(trainer: Trainer, caplog: pytest.LogCaptureFixture) -> None:
    line = await line_of(trainer, caplog, {"x-request-id": "page-7", "traceparent": f"00-{TRACE}-{PARENT}-01"})
    assert (line["request_id"], line["trace_id"]) == ("page-7", TRACE)


@pytest.mark.parametrize(
    "given", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE.upper()}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-more"]
)
async def test_what_is_no_traceparent_begins_a_new_trace(given: str, trainer: Trainer, caplog: pytest.LogCaptureFixture) -> None:
    line = await line_of(trainer, caplog, {"traceparent": given})
    assert len(line["trace_id"]) == 32
    assert line["trace_id"] != TRACE
