"""The YAML of a run: what is wrong is named with its line, its key and what is allowed."""

from pathlib import Path

import pytest

from rlmaze_train.__main__ import CONFIG_FOLDER, main
from rlmaze_train.config import ConfigError, TrainingConfig, load_config, parse_config
from rlmaze_train.config_words import WORDS

GOOD = """name: a-run
title: A run
description: For a test.
algorithm: PPO
observation: trail/1
timesteps: 1000
ppo:
  n_steps: 16
"""


def test_the_committed_configurations_are_valid_and_named_after_their_file() -> None:
    paths = sorted(CONFIG_FOLDER.glob("*.yaml"))
    assert {path.stem for path in paths} >= {"ppo-memory", "ppo-trail", "ppo-plain", "dqn-memory"}
    for path in paths:
        assert load_config(path).name == path.stem


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("timesteps: 1000", "timesteps: many", ["a.yaml:6: timesteps:", "valid integer", "'many'"]),
        ("timesteps: 1000", "timesteps: 0", ["a.yaml:6: timesteps:", "greater than or equal to 1"]),
        ("algorithm: PPO", "algorithm: A2C", ["a.yaml:4: algorithm:", "'PPO' or 'DQN'", "'A2C'"]),
        ("observation: trail/1", "observation: trail", ["a.yaml:5: observation:", "'plain/1', 'trail/1' or 'memory/1'"]),
        ("  n_steps: 16", "  n_step: 16", ["a.yaml:8: ppo.n_step:", "allowed keys:", "n_steps, batch_size"]),
        ("title: A run", "titel: A run", ["a.yaml:2: titel:", "allowed keys: name, title", "title: Field required"]),
        ("ppo:\n", "dqn:\n", ["a.yaml:4: algorithm: PPO needs the section ppo and no section dqn"]),
        ("ppo:\n  n_steps: 16\n", "", ["a.yaml:4: algorithm: PPO needs the section ppo"]),
        ("  n_steps: 16", "  n_steps: [16", ["a.yaml:9: no valid YAML"]),
        ("name: a-run", "name: A Run", ["a.yaml:1: name:", "match pattern"]),
    ],
)
def test_a_fault_is_named(old: str, new: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config(GOOD.replace(old, new), "a.yaml")
    for part in parts:
        assert part in str(refused.value)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_something_else_than_a_mapping_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="a mapping is needed; allowed keys: name, title"):
        parse_config(text, "a.yaml")


def test_the_command_prints_the_fault_without_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(GOOD.replace("timesteps: 1000", "timesteps: -1"))
    assert main(["train", str(path)]) == 2
    assert f"{path}:6: timesteps:" in capsys.readouterr().err
    assert main(["train", str(tmp_path / "missing.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_every_field_is_told_in_words() -> None:
    schema = TrainingConfig.model_json_schema()
    sections = {"TrainingConfig": schema, **schema["$defs"]}
    for section, words in WORDS.items():
        assert set(words) == set(sections[section]["properties"]), section
        assert all(field["title"] and field["description"] for field in sections[section]["properties"].values()), section
    assert set(WORDS) == set(sections)
