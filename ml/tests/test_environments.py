"""The two faces of the rules: Gymnasium's and the batched one of Stable-Baselines3."""

import warnings
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium
from stable_baselines3.common.env_checker import check_env as check_sb3

from rlmaze_env import Maze, generate
from rlmaze_env.maze_env import MazeEnv
from rlmaze_env.mazeset import load_set
from rlmaze_env.rewards import Rewards
from rlmaze_env.rules import OBSERVATIONS
from rlmaze_env.vec_env import MazeVecEnv

MAZES = [*load_set("validation").mazes[:20], *(generate(3, 4, seed) for seed in range(10)), generate(7, 4, 6)]


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_both_checkers_pass_with_warnings_as_errors(observation: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The checker proposes a reward in the docstring's place only for environments registered by name.
        warnings.filterwarnings("ignore", message=".*not having a spec.*")
        warnings.filterwarnings("ignore", message=".*different render modes.*")
        check_gymnasium(MazeEnv(MAZES, observation, render_mode="rgb_array"), skip_render_check=False)
        check_sb3(MazeEnv(MAZES, observation), warn=True)


def test_twin_seeds_play_identical_episodes() -> None:
    def play(seed: int) -> list[Any]:
        env = MazeEnv(MAZES)
        rng = np.random.default_rng(seed)
        told: list[Any] = [env.reset(seed=seed)[0].tolist()]
        for _ in range(300):
            seen, reward, terminated, truncated, _ = env.step(rng.integers(4))
            told.append((seen.tolist(), reward, terminated, truncated))
            if terminated or truncated:
                told.append(env.reset()[0].tolist())
        return told

    assert play(3) == play(3)
    assert play(3) != play(4)


def test_twin_seeds_of_the_batched_environment_are_identical_and_reset_starts_them_again() -> None:
    def play(env: MazeVecEnv) -> list[Any]:
        rng = np.random.default_rng(0)
        told: list[Any] = [env.reset()]
        for _ in range(250):
            seen, rewards, dones, _ = env.step(rng.integers(0, 4, 8))
            told += [seen, rewards, dones]
        return told

    one, two = MazeVecEnv(MAZES, 8, seed=9), MazeVecEnv(MAZES, 8, seed=9)
    first = play(one)
    assert all(np.array_equal(a, b) for a, b in zip(first, play(two), strict=True))
    one.seed(9)
    assert all(np.array_equal(a, b) for a, b in zip(first, play(one), strict=True))
    assert first[0].tolist() != np.asarray(MazeVecEnv(MAZES, 8, seed=10).reset()).tolist()


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_the_batched_environment_plays_as_the_single_one(observation: str) -> None:
    """Random play over automatic resets, time-outs and goals on the last step included."""
    rewards = Rewards(step=-0.02, bump=-0.1, goal=2.0)
    n = 16
    batched = MazeVecEnv(MAZES, n, observation, seed=2, rewards=rewards)
    singles = [MazeEnv(observation=observation, rewards=rewards) for _ in range(n)]
    seen = batched.reset()
    assert isinstance(seen, np.ndarray)
    starts = [env.reset(options={"maze": MAZES[m]})[0] for env, m in zip(singles, batched.maze_numbers, strict=True)]
    assert np.array_equal(seen, np.stack(starts))
    rng = np.random.default_rng(1)
    ends = {"goal": 0, "limit": 0}
    returns = np.zeros(n)
    for _ in range(700):
        actions = rng.integers(0, 4, n)
        seen, worth, dones, infos = batched.step(actions)
        assert isinstance(seen, np.ndarray)
        for i, env in enumerate(singles):
            wanted, reward, terminated, truncated, info = env.step(actions[i])
            assert worth[i] == pytest.approx(reward, abs=1e-6)
            assert dones[i] == (terminated or truncated)
            returns[i] += reward
            if not dones[i]:
                assert infos[i] == {}
                assert np.array_equal(seen[i], wanted)
                continue
            ends["goal" if terminated else "limit"] += 1
            assert np.array_equal(infos[i]["terminal_observation"], wanted)
            assert infos[i]["TimeLimit.truncated"] == truncated
            assert infos[i]["is_success"] == terminated
            assert infos[i]["episode"]["l"] == info["steps"]
            assert infos[i]["episode"]["r"] == pytest.approx(returns[i], abs=1e-3)
            returns[i] = 0.0
            begun, _ = env.reset(options={"maze": MAZES[batched.maze_numbers[i]]})
            assert np.array_equal(seen[i], begun)
    assert min(ends.values()) > 5


def test_the_goal_on_the_last_allowed_step_is_terminated_and_not_truncated() -> None:
    maze = Maze.parse("S.G\n###\n###")
    single = MazeEnv([maze])
    single.reset()
    batched = MazeVecEnv([maze], 2)
    batched.reset()
    for action in [0] * 16 + [3]:
        single.step(np.int64(action))
        batched.step(np.array([action, 0]))
    _, reward, terminated, truncated, info = single.step(np.int64(3))
    assert reward == pytest.approx(0.99)
    assert (terminated, truncated, info["is_success"]) == (True, False, True)
    _, rewards, dones, infos = batched.step(np.array([3, 0]))
    assert dones.tolist() == [True, True]
    assert [info["TimeLimit.truncated"] for info in infos] == [False, True]
    assert rewards.tolist() == pytest.approx([0.99, -0.06])


def test_rendering_shows_walls_trail_and_agent() -> None:
    env = MazeEnv([Maze.parse("S.G\n###\n###")], render_mode="ansi")
    env.reset()
    env.step(np.int64(3))
    assert env.render() == "SAG\n###\n###\n"
    image = MazeEnv([MAZES[0]], render_mode="rgb_array")
    image.reset(seed=1)
    assert image.render().shape == (160, 160, 3)
    assert MazeEnv([MAZES[0]]).render() is None


@pytest.mark.parametrize("wrong", [{"observation": "other/1"}, {"render_mode": "human"}])
def test_wrong_arguments_are_named(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        MazeEnv(**wrong)  # type: ignore[arg-type]


def test_a_step_too_many_or_an_unknown_action_is_refused() -> None:
    env = MazeEnv([Maze.parse("SG.\n###\n###")])
    with pytest.raises(ValueError, match="reset"):
        env.step(np.int64(0))
    env.reset()
    with pytest.raises(ValueError, match="0 to 3"):
        env.step(np.int64(4))
    env.step(np.int64(3))
    with pytest.raises(ValueError, match="over"):
        env.step(np.int64(0))
