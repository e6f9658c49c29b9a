# %% [markdown] id=title
# # PPO from scratch, and beside DQN
#
# [Notebook 01](01_dqn_basic.ipynb) learned what actions are *worth*, and acted by taking the larger worth. The other
# great family turns this around: it never asks for worths of actions; it changes the **probabilities** of actions
# directly. What went better than expected becomes more likely, what went worse becomes less likely. The member of
# that family that nearly everybody uses is **proximal policy optimization** (PPO), after Schulman and others (2017).
#
# You will see
#
# 1. the idea, and why taking large steps in its direction is dangerous,
# 2. the algorithm in about a hundred lines, tested over several seeds,
# 3. what happens when its brake is taken away,
# 4. DQN and PPO side by side on the same game: how fast they learn, what it costs, and how they behave.

# %% id=setup
import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

import lab
from lab import cartpole, colours, records
from lab.figures import panels, thousands

SEED = 1
lab.begin(SEED, "gymnasium", "torch")

# %% [markdown] id=the-idea
# ## The idea
#
# The policy is a network that gives each action a **probability**. Let it play for a while. For every step ask: did
# this action lead to more than was to be expected from that situation? That difference is the **advantage** $A$; if
# it is positive make the action more likely, if negative less.
#
# "What was to be expected" must come from somewhere: a second network, the **critic**, learns how much reward usually
# follows from a situation. The first one, which acts, is the **actor**.
#
# The danger: the games were played by the *old* policy. Change the policy much, and they say nothing about the new
# one any more. PPO's answer is a brake. Let $\rho$ be by what factor the new policy makes an action more likely than
# the old one did. PPO maximises
#
# $$\min\bigl(\rho A,\; \mathrm{clip}(\rho,\, 1-\epsilon,\, 1+\epsilon)\, A\bigr)$$
#
# In words: as soon as an action has become a fifth ($\epsilon = 0.2$) more or less likely, nothing more is to be
# gained by pushing it further. So the same games can be learned from several times without running away.
#
# ## Actor and critic


# %% id=actor-critic
class ActorCritic(nn.Module):
    """Two small networks: one says how likely each action is, the other how much reward is still to come."""

    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2))
        self.critic = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
        nn.init.orthogonal_(self.actor[-1].weight, 0.01)  # at first both actions are as good as equally likely
        nn.init.zeros_(self.actor[-1].bias)

    def policy(self, seen):
        """The distribution over actions for (n, 4) observations."""
        return Categorical(logits=self.actor(seen))

    def value(self, seen):
        """Reward still to come, (n,), for (n, 4) observations."""
        return self.critic(seen).squeeze(-1)


def greedy(model):
    """The policy that always takes the likelier action; for tests only."""

    def act(states):
        with torch.no_grad():
            return model.actor(torch.as_tensor(states)).argmax(dim=1).numpy()

    return act


# %% [markdown] id=advantages-text
# ## Did it go better than expected?
#
# How far should one look? Counting all the reward to the end of the game is right on average but noisy: the end
# depends on a hundred later actions. Asking the critic after a single step is calm but as wrong as the critic is.
# *Generalised advantage estimation* mixes all horizons, with a weight that falls by $\lambda$ per step.
#
# Here, too, it matters **why** a game ended: after a fall nothing comes; after the time limit the critic says what
# would have come.

# %% id=advantages
GAMMA, LAMBDA = 0.98, 0.8


def advantages(rewards, values, next_values, ended):
    """Generalised advantage estimation.

    rewards, values, ended are (steps, games); next_values (steps, games) is what the critic expects after each step: zero after a fall.
    """
    found = np.zeros_like(rewards)
    ahead = np.zeros(rewards.shape[1], np.float32)
    for step in reversed(range(len(rewards))):
        surprise = rewards[step] + GAMMA * next_values[step] - values[step]
        ahead = surprise + GAMMA * LAMBDA * (1 - ended[step]) * ahead  # nothing is carried over from the next game
        found[step] = ahead
    return found


# One game of three steps, then a fall, with a critic that expects nothing: each step is worth what follows it.
example = advantages(
    np.ones((3, 1), np.float32),
    np.zeros((3, 1), np.float32),
    np.zeros((3, 1), np.float32),
    np.array([[0.0], [0.0], [1.0]]),
)
lab.say(
    "For a game of three steps and a critic that expects nothing, the advantages are "
    + ", ".join(f"{a:.2f}" for a in example[:, 0])
    + ": early actions get credit for what came later."
)

# %% [markdown] id=training-text
# ## Training
#
# Play eight games at once for 32 steps each; learn from these 256 steps twenty times over; throw them away; play on.
# The learning rate goes to zero towards the end. Tests are the same as in notebook 01: twenty games with the likelier
# action, from starts that training does not use.

# %% id=training
STEPS = lab.by_budget(full=12_000, small=1_536)
TEST_EVERY = lab.by_budget(full=800, small=400)
SEEDS = lab.by_budget(full=(1, 2, 3), small=(1,))
GAMES, HORIZON, EPOCHS, CLIP = 8, 32, 20, 0.2
TEST_GAMES = 20


def train(seed, clip=CLIP):
    """Trains one agent; `clip=None` takes the brake away. Returns the model and its diary."""
    torch.manual_seed(seed)
    model = ActorCritic()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    envs = gym.make_vec(
        cartpole.ENVIRONMENT,
        num_envs=GAMES,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP},
    )
    seen, _ = envs.reset(seed=seed * 1_000)
    diary = {"test_step": [], "test": [], "cpu_s": [], "lessons": 0, "changed": []}
    began, testing, next_test, steps = lab.cpu_seconds(), 0.0, TEST_EVERY, 0

    while steps < STEPS:
        # Play.
        all_seen = np.zeros((HORIZON, GAMES, 4), np.float32)
        all_actions = np.zeros((HORIZON, GAMES), np.int64)
        rewards, values, next_values, ended = (np.zeros((HORIZON, GAMES), np.float32) for _ in range(4))
        for t in range(HORIZON):
            with torch.no_grad():
                looked = torch.from_numpy(seen)
                all_actions[t] = model.policy(looked).sample().numpy()
                values[t] = model.value(looked).numpy()
            all_seen[t] = seen
            seen, rewards[t], fell, timed_out, more = envs.step(all_actions[t])
            ended[t] = fell | timed_out
            then = seen.copy()
            for game in np.flatnonzero(timed_out & ~fell):
                then[game] = more["final_obs"][game]  # where it stood when time was up; `seen` is a new game already
            with torch.no_grad():
                next_values[t] = model.value(torch.from_numpy(then)).numpy() * ~fell
        steps += HORIZON * GAMES

        # Learn.
        better = advantages(rewards, values, next_values, ended)
        aims = torch.from_numpy((better + values).ravel())
        better = torch.from_numpy(better.ravel())
        better = (better - better.mean()) / (better.std() + 1e-8)
        looked, actions = torch.from_numpy(all_seen.reshape(-1, 4)), torch.from_numpy(all_actions.ravel())
        with torch.no_grad():
            before = model.policy(looked).log_prob(actions)
        optimizer.param_groups[0]["lr"] = 1e-3 * max(0.0, 1 - (steps - HORIZON * GAMES) / STEPS)
        for _ in range(EPOCHS):
            ratio = (model.policy(looked).log_prob(actions) - before).exp()
            gain = ratio * better
            if clip is not None:
                gain = torch.min(gain, ratio.clamp(1 - clip, 1 + clip) * better)
            loss = -gain.mean() + 0.5 * (model.value(looked) - aims).square().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            diary["lessons"] += 1
        with torch.no_grad():
            diary["changed"].append(float(((model.policy(looked).log_prob(actions) - before).exp() - 1).abs().mean()))

        if steps >= next_test:
            next_test += TEST_EVERY
            paused = lab.cpu_seconds()
            diary["test_step"].append(steps)
            diary["test"].append(cartpole.durations(greedy(model), TEST_GAMES).tolist())
            testing += lab.cpu_seconds() - paused
            diary["cpu_s"].append(lab.cpu_seconds() - began - testing)
    envs.close()
    return model, diary


runs = dict(zip(SEEDS, lab.in_processes(train, [(seed,) for seed in SEEDS]), strict=True))


def first_solved(steps, tests):
    """Experience at the first test of 475 or more, or None."""
    return next((step for step, mean in zip(steps, tests, strict=True) if mean >= 475), None)


def said(step):
    """A number of steps, or never."""
    return f"{step:,}" if step else "never"


lab.table(
    ["seed", "lessons", "CPU time", "steps to the first test of 475 or more", "mean of the last test"],
    [
        [
            seed,
            f"{d['lessons']:,}",
            f"{d['cpu_s'][-1]:.0f} s",
            said(first_solved(d["test_step"], [np.mean(test) for test in d["test"]])),
            f"{np.mean(d['test'][-1]):.0f}",
        ]
        for seed, (_, d) in runs.items()
    ],
)

# %% [markdown] id=brake-text
# ## What is the brake for?
#
# The same program, the same seeds, without the clipping. On the left the tests; on the right by how much a round of
# learning changed the probability of the actions that were played (with the brake, without it).


# %% id=brake
def test_means(diaries):
    """Mean duration in each test, (seeds, tests)."""
    return np.array([[np.mean(test) for test in diary["test"]] for diary in diaries])


with_brake = [diary for _, diary in runs.values()]
without_brake = [diary for _, diary in lab.in_processes(train, [(seed, None) for seed in SEEDS])]
steps = with_brake[0]["test_step"]
figure, (plot, changed) = panels(2, width=9.8, height=3.7, width_ratios=[1.7, 1])
for name, found, colour in (
    ("with the brake", with_brake, colours.PPO),
    ("without", without_brake, colours.MAZE_AGENT),
):
    rows = test_means(found)
    plot.fill_between(steps, rows.min(axis=0), rows.max(axis=0), color=colour, alpha=0.14, linewidth=0)
    plot.plot(steps, rows.mean(axis=0), color=colour, label=name)
    moved = np.mean([diary["changed"] for diary in found], axis=0)
    changed.plot((np.arange(len(moved)) + 1) * HORIZON * GAMES, moved, color=colour, linewidth=1.4)
plot.set(
    title="How long the pole stands in the tests",
    xlabel="experience (steps of the game)",
    ylabel="mean of 20 games (steps)",
    ylim=(0, 520),
)
plot.legend(loc="lower right")
changed.set(
    title="Change of a probability in one round", xlabel="experience (steps)", ylabel="mean of |ρ − 1|", yscale="log"
)
for axes in (plot, changed):
    thousands(axes)
lab.show(
    figure,
    "Left: test curves with and without clipping, the bands reaching from the worst to the best seed. Right: how "
    "far one round of learning changes probabilities, with and without clipping.",
)


def late(diaries):
    """Mean of the tests of the last quarter, one number a seed."""
    rows = test_means(diaries)
    return rows[:, -max(1, rows.shape[1] // 4) :].mean(axis=1)


factor = np.mean([diary["changed"] for diary in without_brake]) / np.mean([diary["changed"] for diary in with_brake])
lab.say(
    f"Without the brake a round changes probabilities {factor:.1f} times as much. In the last quarter the tests "
    f"stand at {late(with_brake).mean():.0f} with it "
    f"(seeds {late(with_brake).min():.0f} to {late(with_brake).max():.0f}) and at {late(without_brake).mean():.0f} "
    f"without ({late(without_brake).min():.0f} to {late(without_brake).max():.0f}). "
    + (
        "Going slowly is faster."
        if late(with_brake).mean() > late(without_brake).mean() + 5
        else "On a game as small as this one it makes little difference in the end."
    )
)

# %% [markdown] id=comparison-text
# ## DQN and PPO side by side
#
# The curve of DQN is the one that notebook 01 recorded: same game, same amount of experience, same tests, same number
# of seeds, the same machine when both are run by `make notebooks`. Neither was tuned at length; another choice of
# settings can change the order.
#
# Experience is one price, computing is the other. So the same curves stand twice: over steps of the game, and over
# CPU time.

# %% id=comparison
dqn = records.load("dqn_cartpole", "01_dqn_basic")
ppo_means, dqn_means = test_means(with_brake), np.array(dqn["test_mean"])
ppo_cpu, dqn_cpu = np.array([d["cpu_s"] for d in with_brake]), np.array(dqn["cpu_s"])

figure, (by_steps, by_cpu) = panels(2, width=9.8, height=3.7, sharey=True)
for name, xs, cpu, rows, colour in (
    ("PPO", steps, ppo_cpu, ppo_means, colours.PPO),
    ("DQN", dqn["test_step"], dqn_cpu, dqn_means, colours.DQN),
):
    by_steps.fill_between(xs, rows.min(axis=0), rows.max(axis=0), color=colour, alpha=0.14, linewidth=0)
    by_steps.plot(xs, rows.mean(axis=0), color=colour, label=name)
    by_cpu.plot(cpu.mean(axis=0), rows.mean(axis=0), color=colour, label=name)
by_steps.set(title="Over experience", xlabel="steps of the game", ylabel="mean of 20 games (steps)", ylim=(0, 520))
by_cpu.set(title="Over computing time", xlabel="CPU time (s)")
by_steps.legend(loc="lower right")
thousands(by_steps)
lab.show(
    figure,
    "Test curves of PPO and DQN: on the left over steps of the game, with bands from the worst to the best seed, on "
    "the right over CPU time.",
)


def summary(name, xs, rows, cpu, lessons):
    """One row of the comparison."""
    solved = [first_solved(xs, row) for row in rows]
    known = [step for step in solved if step]
    quarter = rows[:, -max(1, rows.shape[1] // 4) :].mean(axis=1)
    drop = float((np.maximum.accumulate(rows, axis=1) - rows).max())
    return [
        name, f"{np.median(known):,.0f}" if len(known) == len(solved) else f"{len(known)} of {len(solved)} seeds",
        f"{quarter.mean():.0f}", f"{quarter.min():.0f}", f"{drop:.0f}", f"{cpu[:, -1].mean():.0f} s", f"{np.mean(lessons):,.0f}",
    ]  # fmt: skip


lab.table(
    [
        "",
        "steps to 475 (median)",
        "tests in the last quarter",
        "worst seed",
        "largest step back",
        "CPU time",
        "lessons",
    ],
    [
        summary("PPO", steps, ppo_means, ppo_cpu, [d["lessons"] for d in with_brake]),
        summary("DQN", dqn["test_step"], dqn_means, dqn_cpu, dqn["lessons"]),
    ],
)
quarter = max(1, ppo_means.shape[1] // 4)
ahead = ppo_means[:, -quarter:].mean() - dqn_means[:, -quarter:].mean()
cheaper = dqn_cpu[:, -1].mean() / ppo_cpu[:, -1].mean()
lab.say(
    f"In the last quarter {'PPO' if ahead > 0 else 'DQN'} is ahead by {abs(ahead):.0f} of 500 steps. For the same "
    f"experience DQN takes {cheaper:.1f} times the CPU time of PPO: {np.mean(dqn['lessons']):,.0f} lessons of {dqn['batch']} "
    f"remembered steps each, against {np.mean([d['lessons'] for d in with_brake]):,.0f} of {HORIZON * GAMES} fresh ones."
)

# %% [markdown] id=behaviour-text
# ### Do they behave alike?
#
# Two agents with the same score need not do the same. On the left, where both would push, and where they disagree
# (cart standing still in the middle). On the right one game of each from the same start: where is the cart?

# %% id=behaviour
chosen = max(SEEDS, key=lambda seed: np.mean(runs[seed][1]["test"][-1]))
model = runs[chosen][0]
dqn_right = np.array([[mark == "1" for mark in row] for row in dqn["push_right"]])
size = len(dqn_right)
angle, swing = np.meshgrid(np.radians(np.linspace(-12, 12, size)), np.linspace(-2.0, 2.0, size))
asked = np.zeros((angle.size, 4), np.float32)
asked[:, 2], asked[:, 3] = angle.ravel(), swing.ravel()
ppo_right = greedy(model)(asked).reshape(size, size) == 1
states, _ = cartpole.play(greedy(model), cartpole.TEST_SEED)

from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

figure, (choice, place) = panels(2, width=9.8, height=3.9)
kinds = np.where(ppo_right == dqn_right, np.where(ppo_right, 1, 0), np.where(ppo_right, 2, 3))
shades = [colours.ACTIVE, colours.LINE_STRONG, colours.PPO, colours.DQN]
choice.imshow(
    kinds,
    origin="lower",
    extent=(-12, 12, np.degrees(-2.0), np.degrees(2.0)),
    aspect="auto",
    cmap=ListedColormap(shades),
    vmin=-0.5,
    vmax=3.5,
)
choice.set(title="Where would they push?", xlabel="angle of the pole (°)", ylabel="angular speed of the pole (°/s)")
choice.grid(visible=False)
names = ["both left", "both right", "only PPO right", "only DQN right"]
choice.legend(
    handles=[Patch(color=shade, label=name) for shade, name in zip(shades, names, strict=True)],
    loc="upper center",
    bbox_to_anchor=(0.5, -0.2),
    ncols=2,
)
for name, path, colour in (("PPO", states[:, 0], colours.PPO), ("DQN", dqn["position_m"], colours.DQN)):
    place.plot(np.arange(len(path)) * 0.02, path, color=colour, label=name)
for end in (-2.4, 2.4):
    place.axhline(end, color=colours.DANGER, linewidth=1, linestyle=(0, (4, 4)))
place.text(0, 2.34, "end of the rail", fontsize=9, color=colours.DANGER, va="top")
place.set(title="One game: where is the cart?", xlabel="time (s)", ylabel="position (m)", ylim=(-2.7, 2.7))
place.legend(loc="lower left")
lab.show(
    figure,
    "Left: map of the choices of PPO and DQN over angle and angular speed, with the areas where they disagree "
    "marked. Right: the position of the cart in one game of each.",
)
lab.say(
    f"Over the map the two choose alike in {(ppo_right == dqn_right).mean():.0%}. In their games from the same "
    f"start, PPO's cart gets as far as {np.abs(states[:, 0]).max():.2f} m from the middle in "
    f"{len(states) - 1} steps, DQN's {np.abs(dqn['position_m']).max():.2f} m in {len(dqn['position_m']) - 1}. The "
    "reward says nothing about the middle of the rail; whatever they do there is nobody's wish, and it differs."
)

# %% [markdown] id=maze-text
# ## What this means for the maze
#
# The project trains both. The shipped models carry their figures in a manifest; they were measured on mazes that no
# training saw:

# %% id=shipped
import json

rows = []
for name in ("ppo-memory-1", "dqn-memory-1"):
    manifest = json.loads((lab.ROOT / "ml" / "models" / name / "manifest.json").read_text())
    held_out = next(found for found in manifest["success"] if found["set_id"] == "heldout")
    rows.append(
        [
            name,
            manifest["algorithm"],
            f"{manifest['timesteps']:,}",
            f"{held_out['successes']:,} of {held_out['episodes']:,}",
            f"{held_out['spl']:.3f}",
            f"{manifest['size_bytes'] / 1000:.0f} kB",
        ]
    )
lab.table(["model", "algorithm", "training steps", "held-out mazes solved", "path efficiency (SPL)", "file"], rows)

# %% [markdown] id=closing
# Both solve the task. PPO is the default there, for practical reasons more than for its score: it needs little
# computing, and its probabilities say how sure it is. On the page the two are never mixed up: DQN shows worths ($Q$),
# PPO shows probabilities and the critic's value, because PPO *has* no worth of an action.
#
# **Next:** [03_maze_env](03_maze_env.ipynb): the maze itself.
