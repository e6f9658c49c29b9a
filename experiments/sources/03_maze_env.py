# %% [markdown] id=title
# # The maze: rules, eyes, rewards
#
# The first three notebooks used a game that others made. This one is about ours: an agent in a maze that it has never
# seen, looking through a window of 5 × 5 cells. The rules live in `ml/rlmaze_env`; a second time, in Go, on the
# server that plays the episodes you see on the page; and `ml/conformance` holds both to the same bits.
#
# You will see
#
# 1. a maze, and what the agent sees of it,
# 2. what a step is worth, and whether that reward asks for what we want,
# 3. how far one gets without any learning,
# 4. why an agent without a memory must fail, and where this one has its memory,
# 5. how all of this runs millions of steps a second,
# 6. a trained agent beside a random one.

# %% id=setup
import time

import numpy as np

import lab
from lab import colours, mazes
from lab.figures import panels, thousands
from rlmaze_env import BASELINES, Episode, Maze, generate, play_baseline
from rlmaze_env.mazeset import load_set, training_mazes

SEED = 11
lab.begin(SEED, "gymnasium", "stable-baselines3", "numba")

# %% [markdown] id=maze-text
# ## A maze is text
#
# `#` is wall, `.` is path, `S` the start, `G` the goal. A maze comes from a seed by recursive backtracking: start
# somewhere, dig into a neighbour as long as that opens no second way, go back when stuck. The same seed gives the
# same maze in Python, in Go, and tomorrow.

# %% id=a-maze
maze = generate(10, 10, seed=SEED)
print("\n".join(maze.rows))
lab.picture(
    mazes.draw(maze, [maze.start]),
    "The same maze drawn: dark walls, lighter paths, a ring at the start, a diamond at the goal, and the agent on "
    "the start.",
    shown=0.75,
)
lab.say(
    f"The shortest way takes {maze.shortest_path} steps, an episode may take {maze.max_steps} (twice the number of "
    f"cells), and the difficulty counts as {maze.difficulty}."
)

# %% [markdown] id=sets-text
# Nobody learns anything about generalisation from mazes that were trained on. So there are sets, and no maze of one
# is a rotation or a mirror image of one in another:

# %% id=sets
rows = []
for set_id in ("training", "validation", "heldout", "large20", "large30", "puzzles"):
    found = load_set(set_id)
    sizes = sorted({(m.height, m.width) for m in found.mazes})
    size = (
        f"{sizes[0][0]} × {sizes[0][1]}"
        if len(sizes) == 1
        else f"{sizes[0][0]} × {sizes[0][1]} to {sizes[-1][0]} × {sizes[-1][1]}"
    )
    rows.append(
        [f"`{set_id}`", f"{len(found.mazes):,}", size, f"{np.mean([m.shortest_path for m in found.mazes]):.1f}"]
    )
lab.table(["set", "mazes", "size", "mean shortest path (steps)"], rows)

# %% [markdown] id=sets-rule
# This notebook measures on `validation`. `heldout` is for the final figure of a finished model, and for nothing else:
# whoever looks at it while choosing has trained on it.
#
# ## What the agent sees
#
# Not the maze. Only the cells around it, 5 × 5, as 25 numbers; outside the grid counts as wall. A number says how
# *desirable* a cell is: −1 for wall, +1 for the goal, 0 for a path. Let us walk into a dead end and back, and look at
# the same moment through three kinds of eyes:
#
# - `plain/1` shows exactly that.
# - `trail/1` also shows where the agent **was**: −0.8 for just now, fading towards −0.2 with time.
# - `memory/1` also shows as wall what the agent **knows to lead nowhere**: dead ends whose end it has seen, filled up
#   again and again.


# %% id=three-eyes
def into_a_dead_end(maze):
    """Walks from the start into the nearest dead end that is not the goal, two steps back, and returns the actions."""
    steps = {maze.start: []}
    queue = [maze.start]
    open_cells = maze.open_cells.ravel()
    width = maze.width
    moves = ((0, -width), (1, width), (2, -1), (3, 1))
    back = {0: 1, 1: 0, 2: 3, 3: 2}

    def neighbours(cell):
        for action, by in moves:
            there = cell + by
            same_row = there // width == cell // width
            if 0 <= there < open_cells.size and open_cells[there] and (action < 2 or same_row):
                yield action, there

    for cell in queue:
        if cell not in (maze.start, maze.goal) and len(list(neighbours(cell))) == 1 and len(steps[cell]) >= 4:
            way = steps[cell]
            return way + [back[action] for action in reversed(way[-2:])]
        for action, there in neighbours(cell):
            if there not in steps:
                steps[there] = [*steps[cell], action]
                queue.append(there)
    return []


actions = into_a_dead_end(maze)
episode = Episode(maze)
for action in actions:
    episode.step(action)
lab.picture(
    mazes.draw(maze, mazes.walk(maze, actions), window=True, marks=episode.dead_ends()),
    "The maze with the agent two steps back out of a dead end, its trail, the frame of its 5 by 5 window, and "
    "crosses on the cells it knows to lead nowhere.",
    shown=0.75,
)
figure, plots = panels(3, width=9.8, height=3.6)
for plot, version in zip(plots, ("plain/1", "trail/1", "memory/1"), strict=True):
    mazes.numbers(plot, episode.observation(version), version)
lab.show(
    figure,
    "The 25 numbers that the agent sees at this moment, in a 5 by 5 grid, once for each of the three versions of "
    "the observation.",
)
lab.say(
    f"After {episode.steps} steps the agent knows of {len(episode.dead_ends())} cells that they lead nowhere (the "
    "crosses)."
)

# %% [markdown] id=rewards-text
# ## What a step is worth
#
# The agent hears one number per step. Let us not quote the rules but ask the environment: an ordinary step, a bump
# into a wall, and the step onto the goal. `MazeEnv` is the Gymnasium face of the rules, so every library that speaks
# Gymnasium can use it; the library's own checker goes first.

# %% id=rewards
from gymnasium.utils.env_checker import check_env

from rlmaze_env.maze_env import MazeEnv

check_env(MazeEnv([maze]), skip_render_check=True)


def signed(number):
    """A number with its sign and two decimals."""
    return f"{number:+.2f}".replace("-", "−")


corridor = Maze.parse("#####\n#S.G#\n#####")
env = MazeEnv([corridor])
rows = []
for name, action in (
    ("a bump: up, into the wall", 0),
    ("an ordinary step: right", 3),
    ("the step onto the goal: right", 3),
):
    if not rows:
        env.reset(seed=SEED)
    _, reward, terminated, truncated, info = env.step(action)
    rows.append(
        [
            name,
            signed(reward),
            "yes" if info["hit_wall"] else "no",
            "yes" if terminated else "no",
            "yes" if truncated else "no",
        ]
    )
lab.table(["step", "reward", "bump", "terminated", "truncated"], rows)

env.reset(seed=SEED)
for count in range(1, corridor.max_steps + 1):
    *_, terminated, truncated, _ = env.step(0)
lab.say(
    f"Whoever only bumps is cut off after {count} steps: terminated {terminated}, truncated {truncated}. The "
    "difference matters as in notebook 01: a goal ends the future, running out of time does not."
)

# %% [markdown] id=reward-design-text
# ## Does the reward ask for what we want?
#
# We want: reach the goal, on a short way, without bumping. A reward is a wish list that is taken literally, so it
# must be checked. **First check:** play all validation mazes with policies that learn nothing, from a random walk up
# to a planner that knows the whole maze, and see whether the reward ranks them as we would.

# %% id=baselines
from rlmaze_env.rewards import Rewards
from rlmaze_train.evaluation import figures, wilson

members = load_set("validation").mazes[: lab.by_budget(full=500, small=60)]
worth = Rewards()


def total_reward(play):
    """Reward of a whole episode."""
    return play.reached_goal * worth.goal + play.steps * worth.step + play.bumps * worth.bump


about = {
    "RANDOM": "any action, without looking",
    "WALL_FOLLOWER": "keeps its right hand on the wall",
    "LEAST_RECENTLY_VISITED": "goes where it was longest ago",
    "TRAIL_HEURISTIC": "the same, and to a goal in view",
    "MEMORY_HEURISTIC": "the same, never into what leads nowhere",
    "NEAREST_FRONTIER": "plans on a map of all it has seen",
    "SHORTEST_PATH": "knows the whole maze: the bound",
}
played = {name: [play_baseline(m, name, SEED + i) for i, m in enumerate(members)] for name in BASELINES}
rows = []
for name, plays in played.items():
    told = figures(plays)
    low, high = wilson(told.successes, told.episodes)
    rows.append(
        [
            f"`{name}`: {about[name]}",
            f"{told.rate:.1%} [{low:.1%}, {high:.1%}]",
            f"{told.mean_steps:.1f}",
            f"{told.spl:.3f}",
            signed(np.mean([total_reward(play) for play in plays])),
        ]
    )
lab.table(["policy", "solved [95 % interval]", "steps", "path efficiency (SPL)", "mean reward"], rows)

# %% [markdown] id=spl-note
# SPL (Anderson et al. 2018) is 1 for the shortest way, ½ for one twice as long, 0 for not arriving, averaged over the
# mazes. Every later model has to stand beside these rows, above all beside the heuristics: they see the same picture
# as the network and learn nothing.

# %% id=reward-scatter
figure, (plot,) = panels(height=3.9)
kinds = (
    ("RANDOM", colours.RANDOM),
    ("WALL_FOLLOWER", colours.WARN),
    ("TRAIL_HEURISTIC", colours.OK),
    ("NEAREST_FRONTIER", colours.ACCENT),
    ("SHORTEST_PATH", colours.MAZE_AGENT),
)
for name, colour in kinds:
    plays = played[name][:: max(1, len(members) // 160)]
    plot.plot(
        [p.steps for p in plays],
        [total_reward(p) for p in plays],
        ".",
        color=colour,
        markersize=4,
        alpha=0.7,
        label=name,
    )
plot.axhline(0, color=colours.LINE_STRONG, linewidth=1)
plot.set(title="Every dot an episode", xlabel="length of the episode (steps)", ylabel="reward of the episode")
plot.legend(loc="lower left", markerscale=2.5)
lab.show(
    figure,
    "Scatter of reward over length for episodes of five policies: those that reach the goal lie on a falling line "
    "from about plus one, failed ones at the right end far below.",
)
every = [play for plays in played.values() for play in plays]
solved = [total_reward(play) for play in every if play.reached_goal]
failed = [total_reward(play) for play in every if not play.reached_goal]
means = {name: np.mean([total_reward(play) for play in plays]) for name, plays in played.items()}
spl = {name: figures(plays).spl for name, plays in played.items()}
same_order = sorted(means, key=means.get) == sorted(spl, key=spl.get)
lab.say(
    f"The worst episode that reached the goal got {signed(min(solved))}, the best one that did not {signed(max(failed))}. "
    + (
        "So arriving is always worth more than not arriving. "
        if min(solved) > max(failed)
        else "So it can pay more to fail without a bump than to arrive after much bumping about: a corner of the reward "
        "that only a clumsy policy ever meets. "
    )
    + f"The reward ranks the seven policies {'in the same order as' if same_order else 'in another order than'} path "
    "efficiency."
)

# %% [markdown] id=ablation-text
# **Second check:** change the reward and see what a *trained* agent makes of it. The same short PPO training (the
# project's own, `ml/configs/ppo-quick.yaml` with fewer steps), the same seeds, five wish lists. Whatever it was
# trained on, it is measured alike: goal, steps and bumps on validation mazes.

# %% id=ablation
from dataclasses import replace

from stable_baselines3.common.callbacks import BaseCallback

from rlmaze_env.vec_env import MazeVecEnv
from rlmaze_train.config import load_config
from rlmaze_train.evaluation import play_greedy
from rlmaze_train.training import build, score_policy

STEPS = lab.by_budget(full=131_072, small=8_192)
SEEDS = lab.by_budget(full=(1, 2, 3), small=(1,))
EVERY = lab.by_budget(full=16_384, small=8_192)  # steps between two tests
quick = load_config(lab.ROOT / "ml" / "configs" / "ppo-quick.yaml").model_copy(update={"timesteps": STEPS})
pool = training_mazes(lab.by_budget(full=5_000, small=300))


class Tests(BaseCallback):
    """Plays validation mazes every so often while training, without random actions."""

    def __init__(self, observation, every):
        super().__init__()
        self.observation, self.every, self.next = observation, every, every
        self.steps, self.figures = [], []

    def _on_step(self):
        return True

    def _on_rollout_end(self):
        if self.num_timesteps >= self.next:
            self.next += self.every
            self.steps.append(self.num_timesteps)
            self.figures.append(figures(play_greedy(members[:200], score_policy(self.model), self.observation)))


def trained(seed, rewards, observation):
    """Trains PPO for a short while; returns what it does on the validation mazes, and the tests on the way."""
    env = MazeVecEnv(pool, quick.ppo.environments, observation, seed, rewards)
    model = build(quick, env, seed)
    tests = Tests(observation, EVERY)
    model.learn(STEPS, callback=tests)
    return figures(play_greedy(members, score_policy(model), observation)), tests.steps, tests.figures


lists = {
    "as it is: step −0.01, bump −0.05, goal +1": worth,
    "steps cost nothing": replace(worth, step=0.0),
    "bumps cost nothing more": replace(worth, bump=0.0),
    "only the goal": replace(worth, step=0.0, bump=0.0),
    "steps cost ten times as much": replace(worth, step=10 * worth.step),
}
jobs = [(seed, rewards, "memory/1") for rewards in lists.values() for seed in SEEDS]
done = lab.in_processes(trained, jobs)
runs = {name: done[at * len(SEEDS) : (at + 1) * len(SEEDS)] for at, name in enumerate(lists)}
found = {name: [told for told, _, _ in some] for name, some in runs.items()}


def spread(values, form):
    """Mean and range over the seeds."""
    return f"{form(np.mean(values))} ({form(min(values))} to {form(max(values))})"


lab.table(
    ["trained with", "solved", "path efficiency (SPL)", "bumps an episode"],
    [
        [
            name,
            spread([f.rate for f in told], "{:.1%}".format),
            spread([f.spl for f in told], "{:.3f}".format),
            spread([f.bumps for f in told], "{:.2f}".format),
        ]
        for name, told in found.items()
    ],
)
base = next(iter(found.values()))
best = max(found, key=lambda name: np.mean([f.spl for f in found[name]]))
spl_range = {name: np.mean([f.spl for f in told]) for name, told in found.items()}
lab.say(
    f"{STEPS:,} steps each, {len(SEEDS)} seeds; in brackets the worst and the best seed. The best path efficiency "
    f"came from *{best}*; the wish list of the project reached {spl_range[next(iter(found))]:.3f}, "
    f"and all five lie between {min(spl_range.values()):.3f} and {max(spl_range.values()):.3f}. "
    f"Without a price on bumps there are {np.mean([f.bumps for f in found['bumps cost nothing more']]):.2f} an "
    f"episode instead of {np.mean([f.bumps for f in base]):.2f}."
)

# %% [markdown] id=ablation-reading
# How to read it: where brackets overlap there is no difference to speak of. In so short a training the price of a
# **bump** decides. An agent that always takes its best action and bumps sees the same picture again and bumps again,
# until time is up; only a price on bumps teaches it early not to. The price of a step matters less than one would
# think, because PPO discounts: a goal that is near is worth more than the same goal later anyway. And a price that is
# too high drowns the goal. What a longer training would make of these wish lists is not shown here.
#
# ## Why it needs a memory
#
# The policy network has none: the same 25 numbers always give the same action. So on `plain/1`, an agent that once
# walked in a circle will walk in it for ever. Whether that is really so, and what the other two kinds of eyes change,
# takes a few seconds to measure:

# %% id=memory-curves
views = {"plain/1": colours.TEXT_3, "trail/1": colours.WARN, "memory/1": colours.ACCENT}
jobs = [(seed, worth, version) for version in ("plain/1", "trail/1") for seed in SEEDS]
done = lab.in_processes(trained, jobs)
curves = {"plain/1": done[: len(SEEDS)], "trail/1": done[len(SEEDS) :], "memory/1": next(iter(runs.values()))}
figure, (rate_plot, spl_plot) = panels(2, width=9.8, height=3.7)
for version, colour in views.items():
    steps = curves[version][0][1]
    for plot, fact in ((rate_plot, "rate"), (spl_plot, "spl")):
        rows = np.array([[getattr(f, fact) for f in tested] for _, _, tested in curves[version]])
        plot.fill_between(steps, rows.min(axis=0), rows.max(axis=0), color=colour, alpha=0.15, linewidth=0)
        plot.plot(steps, rows.mean(axis=0), color=colour, label=version)
frontier = figures(played["NEAREST_FRONTIER"]).spl
spl_plot.axhline(frontier, color=colours.LINE_STRONG, linewidth=1, linestyle=(0, (4, 4)))
spl_plot.text(0, frontier, " planner with a full map", fontsize=9, color=colours.TEXT_3, va="bottom")
rate_plot.set(
    title="Unseen mazes solved", xlabel="experience (steps)", ylabel="share of validation mazes", ylim=(0, 1.04)
)
spl_plot.set(
    title="How short the ways are", xlabel="experience (steps)", ylabel="path efficiency (SPL)", ylim=(0, 1.04)
)
rate_plot.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
rate_plot.legend(loc="center right")
for plot in (rate_plot, spl_plot):
    plot.set_xlim(left=0)
    thousands(plot)
lab.show(
    figure,
    "Learning curves on the three observations: on the left the share of unseen mazes solved, on the right path "
    "efficiency, with bands over the seeds.",
)
final = {version: np.mean([told.rate for told, _, _ in curves[version]]) for version in views}
learned_spl = {version: np.mean([told.spl for told, _, _ in curves[version]]) for version in views}
lab.say(
    f"After {STEPS:,} steps: {final['plain/1']:.1%} solved on `plain/1`, {final['trail/1']:.1%} on `trail/1`, "
    f"{final['memory/1']:.1%} on `memory/1`; "
    f"path efficiency {learned_spl['plain/1']:.3f}, {learned_spl['trail/1']:.3f} and {learned_spl['memory/1']:.3f}. "
    f"The heuristics that use the same pictures without learning anything: trail {spl['TRAIL_HEURISTIC']:.3f}, "
    f"memory {spl['MEMORY_HEURISTIC']:.3f}."
)

# %% [markdown] id=memory-honest
# This is the central decision of the project ([ADR 0008](../docs/adr/0008-show-memory-in-the-observation.md)): **the
# memory stands in the picture, not in the network**. And this is the honest side of it: much of the skill is in the
# encoding. The last sentence above says how much of it one has without learning.
#
# ## Fast enough to learn from
#
# Learning takes hundreds of thousands of steps. A Python object per environment spends nearly all its time on being a
# Python object. So the project has the rules twice: `MazeEnv`, one maze behind Gymnasium's interface, and
# `MazeVecEnv`, hundreds of mazes stepped by one compiled call. Are they the same? Give both the same mazes and the
# same random actions, and compare every observation bit by bit, and every reward and end.

# %% id=same-rules
MAZES = lab.by_budget(full=16, small=4)
batched = MazeVecEnv(members[:MAZES], MAZES, "memory/1", seed=SEED)
seen = batched.reset()
singles = [MazeEnv(members[:MAZES]) for _ in range(MAZES)]
singles_seen = np.stack(
    [env.reset(options={"maze": members[m]})[0] for env, m in zip(singles, batched.maze_numbers, strict=True)]
)
random = np.random.default_rng(SEED)
compared, equal, ends = 0, bool(np.array_equal(seen, singles_seen)), 0
for _ in range(lab.by_budget(full=1_000, small=250)):
    actions = random.integers(4, size=MAZES)
    seen, rewards, dones, infos = batched.step(actions)
    for i, env in enumerate(singles):
        one, reward, terminated, truncated, _ = env.step(actions[i])
        if terminated or truncated:
            ends += 1
            equal &= (
                bool(np.array_equal(one, infos[i]["terminal_observation"]))
                and infos[i]["TimeLimit.truncated"] == truncated
            )
            one, _ = env.reset(options={"maze": members[batched.maze_numbers[i]]})
        equal &= (
            bool(np.array_equal(one, seen[i]))
            and abs(reward - rewards[i]) < 1e-6
            and dones[i] == (terminated or truncated)
        )
        compared += 1
assert equal
lab.say(
    f"{compared:,} steps of {MAZES} mazes and {ends} ends of episodes: "
    f"{'every observation, reward and end is the same' if equal else 'they differ'}."
)


# %% id=how-fast
def steps_per_cpu_second(step, count, each):
    """Steps of the environment a CPU second, best of three."""
    best = 0.0
    for _ in range(3):
        began = time.process_time()
        for _ in range(count):
            step()
        best = max(best, count * each / (time.process_time() - began))
    return best


one = MazeEnv(members)
one.reset(seed=SEED)


def step_one():
    *_, terminated, truncated, _ = one.step(random.integers(4))
    if terminated or truncated:
        one.reset()


rows = [("`MazeEnv`, one at a time", 1, steps_per_cpu_second(step_one, lab.by_budget(full=20_000, small=1_000), 1))]
for count in (1, 16, 256):
    batched = MazeVecEnv(members, count, "memory/1", seed=SEED)
    batched.reset()
    actions = random.integers(4, size=count)
    speed = steps_per_cpu_second(
        lambda env=batched, chosen=actions: env.step(chosen), lab.by_budget(full=4_000, small=200), count
    )
    rows.append((f"`MazeVecEnv`, {count} at a time", count, speed))
lab.table(
    ["environment", "steps a CPU second", "of the first row"],
    [[name, f"{speed:,.0f}", f"{speed / rows[0][2]:.0f} ×"] for name, _, speed in rows],
)
lab.say(
    f"At this speed the {STEPS:,} steps of one training above cost the environment {STEPS / rows[-1][2]:.2f} "
    "seconds; the rest of the training is the network."
)

# %% [markdown] id=watch-text
# ## Watch it
#
# The model that the product ships, trained longer than anything above, beside an agent that walks at random: the same
# validation maze, the same number of steps. The model acts through its exported file, just as on the server.

# %% id=watch
from rlmaze_train.export import onnx_policy, read_manifest

folder = lab.ROOT / "ml" / "models" / "ppo-memory-1"
policy = onnx_policy((folder / "policy.onnx").read_bytes())
observation = read_manifest(folder)["observation"]
plays = play_greedy(members, policy, observation)
# A maze of middling length: neither the luckiest nor the worst.
chosen = sorted(range(len(members)), key=lambda i: plays[i].steps)[len(members) // 2]
stage, play = members[chosen], plays[chosen]
learned_path = mazes.walk(stage, play.actions)
random_path = mazes.walk(stage, play_baseline(stage, "RANDOM", SEED).actions)

from lab.drawing import beside, titled

last = len(learned_path) + 3
frames = []
for step in range(last):
    cells = []
    for name, path in (("random", random_path), ("ppo-memory-1", learned_path)):
        at = min(step, len(path) - 1)
        there = path[at] == stage.goal
        cells.append(
            titled(
                mazes.draw(stage, path[: at + 1], cell=36),
                name,
                f"goal in {at} steps" if there else f"step {at}",
                colours.OK if there else colours.TEXT_2,
            )
        )
    frames.append(beside(*cells))
lab.animate(
    frames,
    "Animation. In the same maze, the random agent on the left hovers about its start while the trained one on the "
    "right walks to the goal.",
    frame_ms=140,
    shown=0.9,
)
told = figures(plays)
lab.say(
    f"Shortest way {stage.shortest_path} steps, the model took {play.steps}. Over all {told.episodes} validation "
    f"mazes it solves {told.rate:.1%}, in {told.mean_steps:.1f} steps on average, with a path efficiency of "
    f"{told.spl:.3f}; "
    f"the planner with a full map of what it has seen has {frontier:.3f}, a random walk {spl['RANDOM']:.3f}."
)

# %% [markdown] id=larger-text
# It was trained on 10 × 10 only. Does it know *this size*, or does it know mazes?

# %% id=larger
rows = []
for set_id in ("large20", "large30")[: lab.by_budget(full=2, small=1)]:
    larger = load_set(set_id).mazes
    told = figures(play_greedy(larger, policy, observation))
    bound = figures([play_baseline(m, "NEAREST_FRONTIER") for m in larger])
    rows.append(
        [
            f"`{set_id}`",
            f"{told.successes} of {told.episodes}",
            f"{told.mean_steps:.0f}",
            f"{told.spl:.3f}",
            f"{bound.spl:.3f}",
        ]
    )
lab.table(["set", "solved", "steps", "path efficiency (SPL)", "planner's SPL"], rows)

# %% [markdown] id=next
# **Next:** [04_onnx_export](04_onnx_export.ipynb): how the network leaves Python, and how one proves that it is still
# the same afterwards.
