"""What one YAML file says about a sweep, and the candidates that follow from it. Pure but for reading the base configuration.

base: ../ppo-quick.yaml                     configuration that every candidate starts from, relative to this file
changes: {timesteps: 150000}                what all of them change in it
seeds: [1, 2, 3]                            each candidate is trained once with each
search: random                              or grid: every combination
trials: 12                                  random only: number of candidates
search_seed: 7                              random only: the same seed draws the same candidates on every machine
space:
  ppo.learning_rate: {log_uniform: [5.0e-4, 1.0e-2]}
  ppo.n_steps: [16, 32, 64]
halving: {first: 50000, keep: 0.5}          optional: ends bad trials early, see `halving`
best: {timesteps: 400000}                   optional: what the training of the best candidate changes
"""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from rlmaze_env.splitmix import UINT64_MAX, unit
from rlmaze_train.config import (
    ConfigError,
    ConfigFault,
    Count,
    Strict,
    TrainingConfig,
    line_of,
    load_config,
    parse_config,
    parse_file,
)

_MOST_CANDIDATES = 1_000  # a slip in a grid must not become a year of work
_MOST_DRAWS = 100  # per candidate: so often a draw may repeat one that was drawn before
# What a candidate may not change: the sweep names its runs and seeds them itself.
_RESERVED = ("name", "title", "description", "seeds", "evaluation", "early_checkpoint")

Bounds = Annotated[tuple[float, float], Field(strict=False)]
IntegerBounds = Annotated[tuple[int, int], Field(strict=False)]


class Dimension(Strict):
    """What one key of the configuration may be: a list of values, or a range to draw from. A plain list in the file is `values`."""

    values: Annotated[tuple[Any, ...] | None, Field(strict=False)] = None
    uniform: Bounds | None = None
    log_uniform: Bounds | None = None
    integers: IntegerBounds | None = None

    @model_validator(mode="before")
    @classmethod
    def _list_is_values(cls, given: Any) -> Any:
        return {"values": given} if isinstance(given, list) else given

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("one_kind", "a list, or exactly one of values, uniform, log_uniform, integers is needed")
        if self.values is not None:
            if not self.values:
                raise PydanticCustomError("empty", "at least one value is needed")
            if len({json.dumps(value) for value in self.values}) < len(self.values):
                raise PydanticCustomError("repeated", "a value stands in the list twice")
            return self
        low, high = self.ends
        if not low < high:
            raise PydanticCustomError("range", "the range must go from a smaller number to a larger one")
        if self.log_uniform is not None and low <= 0:
            raise PydanticCustomError("range", "a range of log_uniform must be above 0")
        return self

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values, or the two ends of the range."""
        found = self.values or self.uniform or self.log_uniform or self.integers
        assert found is not None
        return tuple(found)

    def draw(self, share: float) -> Any:
        """Returns the value at a share (0 <= share < 1) of the dimension; floats are rounded to four digits, so that tables can be read."""
        if self.values is not None:
            return self.values[int(share * len(self.values))]
        if self.integers is not None:
            low, high = self.integers
            return low + int(share * (high - low + 1))
        if self.uniform is not None:
            value = self.uniform[0] + share * (self.uniform[1] - self.uniform[0])
        else:
            assert self.log_uniform is not None
            value = self.log_uniform[0] * (self.log_uniform[1] / self.log_uniform[0]) ** share
        return min(max(float(f"{value:.4g}"), self.ends[0]), self.ends[1])


class HalvingChoice(Strict):
    """When trials are compared: after `first` steps, then each 1 / `keep` times later; `keep` of them go on."""

    first: Count
    keep: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5


class SweepFile(Strict):
    """One sweep, as its file has it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    title: str
    description: str
    base: str
    changes: dict[str, Any] = Field(default={})
    seeds: tuple[Annotated[int, Field(ge=0, le=2**32 - 1)], ...] = Field(default=(1, 2, 3), min_length=1, strict=False)
    search: Literal["grid", "random"] = "grid"
    trials: Annotated[int, Field(ge=1, le=_MOST_CANDIDATES)] | None = None
    search_seed: Annotated[int, Field(ge=0, le=UINT64_MAX)] | None = None
    space: dict[str, Dimension] = Field(min_length=1)
    halving: HalvingChoice | None = None
    best: dict[str, Any] = Field(default={})


@dataclass(frozen=True)
class Candidate:
    """One point of the search space.

    Attributes:
        number: From 1, in the order of the search.
        values: What it changes in the base configuration, by dotted key.
        config: The whole configuration that follows.
    """

    number: int
    values: Mapping[str, Any]
    config: TrainingConfig

    @property
    def label(self) -> str:
        """Its values in words."""
        return label_of(self.values)

    def digest(self, seed: int) -> str:
        """Names what a trial of it computes, whatever the number and the words around it: trials with the same digest are the same."""
        values = self.config.model_dump(mode="json", exclude=set(_RESERVED), exclude_none=True)
        return hashlib.sha256(json.dumps([values, seed], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Sweep:
    """A sweep that can be run: everything in it was checked."""

    file: SweepFile
    text: str
    candidates: Sequence[Candidate]

    @property
    def name(self) -> str:
        """Its name."""
        return self.file.name

    @property
    def experiment(self) -> str:
        """Its experiment in MLflow."""
        return f"sweep-{self.file.name}"

    def best_config(self, candidate: Candidate) -> TrainingConfig:
        """Returns the configuration that the best candidate is trained and exported with."""
        values = _changed(candidate.config.model_dump(mode="json", exclude_none=True), self.file.best)
        values |= {
            "name": f"{self.name}-best",
            "title": f"{self.file.title}: the best",
            "description": f"Candidate {candidate.number} of the sweep {self.name}: {candidate.label}.",
        }
        return TrainingConfig.model_validate(values)


def label_of(values: Mapping[str, Any]) -> str:
    """Puts what a candidate changes into words."""
    return ", ".join(f"{key} {value_text(value)}" for key, value in values.items())


def value_text(value: Any) -> str:
    """Writes one value as tables show it."""
    return f"{value:g}" if isinstance(value, float) else json.dumps(value) if isinstance(value, list | tuple) else str(value)


def _changed(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a copy with the dotted keys of `changes` set."""
    found: dict[str, Any] = json.loads(json.dumps(values))
    for key, value in changes.items():
        *sections, last = key.split(".")
        section = found
        for part in sections:
            inner = section.setdefault(part, {})
            if not isinstance(inner, dict):  # the key leads through a plain value: the configuration's own check names it
                inner = section[part] = {}
            section = inner
        section[last] = list(value) if isinstance(value, tuple) else value
    return found


def parse_sweep(text: str, source: str, folder: Path) -> Sweep:
    """Reads a sweep and makes its candidates.

    Args:
        text: The file's text.
        source: What faults call the file.
        folder: Where `base` is looked for.

    Raises:
        ConfigError: It cannot be used; one line for each fault, with its line and key.
    """
    file = parse_file(text, source, SweepFile)
    faults = list(_search_faults(file, text))
    try:
        base = load_config(folder / file.base)
    except ConfigError as error:
        words = "; ".join(str(error).splitlines())
        raise ConfigError(source, *faults, ConfigFault("base", line_of(text, "base"), "base", f"cannot be used: {words}")) from error
    unchanged = base.model_dump(mode="json", exclude_none=True)
    for section, given in (("changes", file.changes), ("best", file.best)):
        for key, value in given.items():
            faults += _value_faults(unchanged, {**file.changes, key: value}, key, section, line_of(text, section, key))
    if faults:
        raise ConfigError(source, *faults)
    start = _changed(unchanged, file.changes)
    for key, dimension in file.space.items():
        if key in file.changes:
            faults.append(ConfigFault(f"space.{key}", line_of(text, "space", key), "repeated", "stands in changes as well"))
        for number, value in enumerate(dimension.ends):
            line = line_of(text, "space", key, number) if dimension.values is not None else line_of(text, "space", key)
            faults += _value_faults(start, {key: value}, key, "space", line)
    if faults:
        raise ConfigError(source, *faults)
    candidates = [_candidate(file, start, number, values, source, text) for number, values in enumerate(_points(file, source, text), 1)]
    for candidate in candidates:
        if file.halving is not None and file.halving.first >= candidate.config.timesteps:
            message = f"must be less than the {candidate.config.timesteps:,} timesteps of a trial"
            raise ConfigError(source, ConfigFault("halving.first", line_of(text, "halving", "first"), "less_than", message))
    return Sweep(file, text, candidates)


def load_sweep(path: Path) -> Sweep:
    """Reads the file of a sweep.

    Raises:
        ConfigError: It cannot be read or used.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), ConfigFault("", 1, "readable", f"cannot be read: {error}")) from error
    return parse_sweep(text, str(path), path.parent)


def _search_faults(file: SweepFile, text: str) -> Iterator[ConfigFault]:
    """Finds what does not go together."""
    if len(set(file.seeds)) < len(file.seeds):
        yield ConfigFault("seeds", line_of(text, "seeds"), "repeated", f"a seed stands in the list twice; got {list(file.seeds)}")
    if file.search == "random":
        for key in ("trials", "search_seed"):
            if getattr(file, key) is None:
                yield ConfigFault(key, line_of(text, "search"), "missing", "is needed by a random search")
        return
    for key in ("trials", "search_seed"):
        if getattr(file, key) is not None:
            yield ConfigFault(key, line_of(text, key), "grid", "belongs to a random search; a grid tries every combination")
    for name, dimension in file.space.items():
        if dimension.values is None:
            yield ConfigFault(
                f"space.{name}", line_of(text, "space", name), "grid", "a grid needs a list of values; ranges need search: random"
            )
    points = math.prod(len(dimension.ends) for dimension in file.space.values())
    if points > _MOST_CANDIDATES:
        yield ConfigFault("space", line_of(text, "space"), "too_long", f"{points:,} combinations; at most {_MOST_CANDIDATES:,} are allowed")


def _value_faults(start: Mapping[str, Any], changes: Mapping[str, Any], key: str, section: str, line: int) -> list[ConfigFault]:
    """Tries one changed value in the configuration; returns what is wrong with it."""
    path = f"{section}.{key}"
    if key.split(".")[0] in _RESERVED:
        return [ConfigFault(path, line, "reserved", f"cannot be changed by a sweep, nor can {', '.join(_RESERVED)}")]
    try:
        parse_config(_as_yaml(_changed(start, changes)), path)
    except ConfigError as error:
        return [
            ConfigFault(path, line, fault.rule, fault.message if fault.key == key else f"{fault.key}: {fault.message}")
            for fault in error.faults
        ]
    return []


def _as_yaml(values: Mapping[str, Any]) -> str:
    return json.dumps(values)  # JSON is YAML


def _points(file: SweepFile, source: str, text: str) -> list[dict[str, Any]]:
    """Returns the values of each candidate, all of them different."""
    keys = list(file.space)
    if file.search == "grid":
        return [dict(zip(keys, values, strict=True)) for values in itertools.product(*(file.space[key].ends for key in keys))]
    assert file.trials is not None
    assert file.search_seed is not None
    points: list[dict[str, Any]] = []
    for number in range(file.trials * _MOST_DRAWS):
        draws = (unit(file.search_seed, number * len(keys) + i) for i in range(len(keys)))
        point = {key: file.space[key].draw(share) for key, share in zip(keys, draws, strict=True)}
        if point not in points:
            points.append(point)
        if len(points) == file.trials:
            return points
    message = f"the space holds only {len(points)} different candidates; got {file.trials}"
    raise ConfigError(source, ConfigFault("trials", line_of(text, "trials"), "too_many", message))


def _candidate(file: SweepFile, start: Mapping[str, Any], number: int, values: dict[str, Any], source: str, text: str) -> Candidate:
    changed = _changed(start, values)
    changed |= {
        "name": f"{file.name}-{number:02}",
        "title": f"{file.title}: candidate {number}",
        "description": f"{label_of(values)}.",
        "seeds": list(file.seeds),
    }
    try:
        return Candidate(number, values, parse_config(_as_yaml(changed), source))
    except ConfigError as error:  # each value alone can be used, together they can't
        words = "; ".join(fault.message for fault in error.faults)
        raise ConfigError(source, ConfigFault("space", line_of(text, "space"), "together", f"{label_of(values)}: {words}")) from error
