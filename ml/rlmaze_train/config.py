"""What one YAML file says about a training run. Unknown keys and wrong values are refused with their line."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from rlmaze_train.config_words import add_words

Observation = Literal["plain/1", "trail/1", "memory/1"]
Difficulty = Literal["EASY", "MEDIUM", "HARD"]
UnitInterval = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]


_MAZE_FOLDER = Path(__file__).resolve().parent.parent / "mazes"


@cache
def maze_sets() -> tuple[str, ...]:
    """Names of the committed maze sets."""
    return tuple(sorted(path.stem for path in _MAZE_FOLDER.glob("*.json")))


class Strict(BaseModel):
    """A section of a file: unknown keys and values of another type are refused, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra=add_words)


class MazeChoice(Strict):
    """Which mazes are trained on."""

    size: Annotated[int, Field(ge=3, le=100)] = 10
    count: Annotated[int, Field(ge=1, le=200_000)] = 20_000
    difficulty: tuple[Difficulty, ...] = Field(default=get_args(Difficulty), min_length=1, strict=False)


class RewardWorth(Strict):
    """Rewards in training. Evaluation, conformance and display use the defaults whatever stands here."""

    step: float = -0.01
    bump: float = -0.05
    goal: float = 1.0


class PPOSettings(Strict):
    """Hyper-parameters of Stable-Baselines3's PPO. Learning rate and entropy go linearly to their final share."""

    environments: Count = 256
    n_steps: Count = 32
    batch_size: Count = 2_048
    n_epochs: Count = 4
    learning_rate: Positive = 2e-3
    final_learning_rate_share: UnitInterval = 0.02
    gamma: UnitInterval = 0.99
    gae_lambda: UnitInterval = 0.95
    clip_range: Positive = 0.2
    entropy: Annotated[float, Field(ge=0.0)] = 0.01
    final_entropy: Annotated[float, Field(ge=0.0)] = 0.0
    network: tuple[Count, ...] = Field(default=(64, 64), strict=False)


class DQNSettings(Strict):
    """Hyper-parameters of Stable-Baselines3's DQN with n-step returns and double Q-learning."""

    environments: Count = 128
    buffer_size: Count = 500_000
    learning_starts: Annotated[int, Field(ge=0)] = 20_000
    batch_size: Count = 2_048
    learning_rate: Positive = 1e-3
    final_learning_rate_share: UnitInterval = 0.02
    gamma: UnitInterval = 0.99
    n_steps: Count = 20
    train_freq: Count = 2
    gradient_steps: Count = 2
    target_update_interval: Count = 2_000
    exploration_fraction: UnitInterval = 0.2
    exploration_final: UnitInterval = 0.02
    network: tuple[Count, ...] = Field(default=(256, 128), strict=False)


class Validation(Strict):
    """How checkpoints are chosen: greedy success and SPL on validation mazes, never on held-out ones."""

    every: Count = 250_000
    extra_mazes: Annotated[int, Field(ge=0)] = 2_000
    extra_large_mazes: Annotated[int, Field(ge=0)] = 20


class Evaluation(Strict):
    """The sets that the exported file is measured on at the end."""

    sets: tuple[str, ...] = Field(default=("heldout", "large20", "large30", "large50", "showcase", "puzzles"), strict=False)

    @field_validator("sets")
    @classmethod
    def _known(cls, sets: tuple[str, ...]) -> tuple[str, ...]:
        known = maze_sets()
        for name in sets:
            if name not in known:
                context = {"name": name, "known": ", ".join(known)}
                raise PydanticCustomError("maze_set", "there is no maze set {name}; allowed: {known}", context)
        return sets


class TrainingConfig(Strict):
    """One training run."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: str
    description: str
    algorithm: Literal["PPO", "DQN"]
    observation: Observation
    timesteps: Count
    seeds: tuple[Annotated[int, Field(ge=0, le=2**32 - 1)], ...] = Field(default=(1,), min_length=1, strict=False)
    device: Literal["cpu", "cuda", "auto"] = "auto"
    early_checkpoint: Annotated[int, Field(ge=0)] = 0
    mazes: MazeChoice = MazeChoice()
    rewards: RewardWorth = RewardWorth()
    ppo: PPOSettings | None = None
    dqn: DQNSettings | None = None
    validation: Validation = Validation()
    evaluation: Evaluation = Evaluation()


@dataclass(frozen=True)
class ConfigFault:
    """One thing that is wrong in a configuration."""

    key: str  # dotted path, empty for the whole file
    line: int  # from 1
    rule: str  # short name of the rule that is broken, for example "greater_than_equal"
    message: str  # what is wrong and what is allowed


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names file, line, key and what is allowed."""

    def __init__(self, source: str, *faults: ConfigFault) -> None:
        super().__init__("\n".join(f"{source}:{fault.line}: {fault.key + ': ' if fault.key else ''}{fault.message}" for fault in faults))
        self.faults = faults


def _line_of(node: yaml.Node | None, path: tuple[int | str, ...]) -> int:
    line = node.start_mark.line + 1 if node else 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    line, node = key.start_mark.line + 1, value
                    break
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _allowed(model: type[BaseModel], path: tuple[int | str, ...]) -> str:
    """Names the keys of the section that `path` leads to."""
    section: Any = model
    for part in path:
        if not isinstance(part, str) or part not in section.model_fields:
            break
        kinds = [section.model_fields[part].annotation, *get_args(section.model_fields[part].annotation)]
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not inner:
            break
        section = inner[0]
    return ", ".join(section.model_fields)


_Model = TypeVar("_Model", bound=BaseModel)


def parse_file(text: str, source: str, model: type[_Model]) -> _Model:
    """Reads a YAML file of any kind.

    Raises:
        ConfigError: The text is no YAML, or a key or value is not allowed; one line for each fault.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigError(
            source, ConfigFault("", mark.line + 1 if mark else 1, "yaml", f"no valid YAML: {getattr(error, 'problem', error)}")
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(source, ConfigFault("", 1, "mapping", f"a mapping is needed; allowed keys: {_allowed(model, ())}"))
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = []
        for fault in error.errors():
            path = fault["loc"]
            message = fault["msg"]
            if fault["type"] == "extra_forbidden":
                message += f"; allowed keys: {_allowed(model, path[:-1])}"
            elif fault["type"] != "missing":
                message += f"; got {fault['input']!r}"
            faults.append(ConfigFault(".".join(str(part) for part in path), _line_of(node, path), fault["type"], message))
        raise ConfigError(source, *faults) from error


def line_of(text: str, *path: int | str) -> int:
    """Returns the line, from 1, on which a key or a list member of a valid YAML text stands."""
    return _line_of(yaml.compose(text, Loader=yaml.SafeLoader), path)


def parse_config(text: str, source: str) -> TrainingConfig:
    """Reads a configuration.

    Raises:
        ConfigError: The text is no YAML, or a key or value is not allowed; one line for each fault.
    """
    config = parse_file(text, source, TrainingConfig)
    wanted = config.algorithm.lower()
    other = "dqn" if wanted == "ppo" else "ppo"
    if getattr(config, wanted) is None or getattr(config, other) is not None:
        message = f"{config.algorithm} needs the section {wanted} and no section {other}"
        raise ConfigError(source, ConfigFault("algorithm", line_of(text, "algorithm"), "section", message))
    return config


def load_config(path: Path) -> TrainingConfig:
    """Reads a configuration file.

    Raises:
        ConfigError: It cannot be read or used.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), ConfigFault("", 1, "readable", f"cannot be read: {error}")) from error
    return parse_config(text, str(path))
