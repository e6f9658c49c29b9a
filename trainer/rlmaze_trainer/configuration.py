"""Configurations as the service sees them: presets, the schema for a form, and faults in the contract's words."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import protovalidate
import yaml
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from protovalidate import ViolationPb, ViolationsPb

from rlmaze_api.rlmaze.training.v1.training_service_pb import TrainingPreset
from rlmaze_train.config import ConfigError, ConfigFault, TrainingConfig, line_of, load_config, parse_config

PRESET_FOLDER = Path(__file__).resolve().parents[2] / "ml" / "configs"
MODEL_FOLDER = PRESET_FOLDER.parent / "models"
# The quick one comes first: it is what a form shows before anything is chosen.
PRESETS = ("ppo-quick", "ppo-memory", "ppo-trail", "ppo-plain", "dqn-memory")


def violations(error: ConfigError) -> ConnectError:
    """Turns the faults of a configuration into `invalid_argument` with one violation each."""
    found = []
    for fault in error.faults:
        path = f"config_yaml.{fault.key}" if fault.key else "config_yaml"
        elements = [protovalidate.FieldPathElementPb(field_name=part) for part in path.split(".")]
        found.append(
            ViolationPb(
                field=protovalidate.FieldPathPb(elements=elements),
                rule_id=f"config.{fault.rule}",
                message=f"line {fault.line}: {fault.message}",
            )
        )
    return ConnectError(Code.INVALID_ARGUMENT, str(error), [ViolationsPb(violations=found)])


def read_config(text: str) -> TrainingConfig:
    """Reads a configuration of a request.

    Raises:
        ConnectError: It cannot be used; every fault is a violation.
    """
    try:
        config = parse_config(text, "config_yaml")
        if config.name in shipped_names():
            message = f"{config.name} is the name of a model that comes with the product; allowed: any other name"
            raise ConfigError("config_yaml", ConfigFault("name", line_of(text, "name"), "reserved", message))
    except ConfigError as error:
        raise violations(error) from error
    return config


@cache
def shipped_names() -> frozenset[str]:
    """The names of the models that come with the product: the server keeps them for itself."""
    return frozenset(json.loads(path.read_text(encoding="utf-8"))["name"] for path in MODEL_FOLDER.glob("*/manifest.json"))


def written_out(config: TrainingConfig) -> str:
    """Writes a configuration with its defaults filled in, as the run keeps it."""
    values = config.model_dump(mode="json", exclude_none=True)
    text: str = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120)
    return text


@cache
def presets() -> tuple[TrainingPreset, ...]:
    """The committed configurations, the quick one first. One that made a shipped model gets a name of its own: see `read_config`."""
    found = []
    for preset in PRESETS:
        path = PRESET_FOLDER / f"{preset}.yaml"
        config, text = load_config(path), path.read_text(encoding="utf-8")
        name = f"my-{config.name}" if config.name in shipped_names() else config.name
        text = text.replace(f"name: {config.name}\n", f"name: {name}\n", 1)
        found.append(TrainingPreset(name=name, title=config.title, description=config.description, config_yaml=text))
    return tuple(found)


@cache
def schema_json() -> str:
    """The JSON Schema of a configuration."""
    schema: dict[str, Any] = TrainingConfig.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema)
