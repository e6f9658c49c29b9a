# %% [markdown] id=title
# # DQN from scratch: what is an action worth?
#
# In [notebook 00](00_rl_basic.ipynb) an agent learned to balance a pole, and the box in which that happened stayed
# closed. Here we open a first one and build it ourselves, in about a hundred lines: **deep Q-learning** (DQN), after
# Mnih and others, *Human-level control through deep reinforcement learning* (Nature, 2015).
#
# You will see
#
# 1. the one equation behind it,
# 2. its three parts: a network, a memory, and a second, slower network,
# 3. what it learns, over several seeds and not only over the best one,
# 4. whether its opinion of the future is *right*,
# 5. what happens when the memory or the slow network is taken away.

# %% id=setup
import copy

import gymnasium as gym
import numpy as np
import torch
from torch import nn

import lab
from lab import cartpole, colours, records
from lab.figures import VALUE_MAP, panels, thousands

SEED = 1
lab.begin(SEED, "gymnasium", "torch")

# %% [markdown] id=the-idea
# ## The idea
#
# Let $Q(s, a)$ be the **worth** of action $a$ in situation $s$: all the reward that will still come if one takes $a$
# now and acts well ever after. Whoever knew $Q$ would be done: *always take the action with the larger worth*.
#
# A reward far away counts a little less than one now: by a factor $\gamma$ (gamma) for every step. And now the trick.
# The worth of an action is the reward it brings at once, plus the worth of the best one can do afterwards:
#
# $$Q(s, a) \;=\; r + \gamma \, \max_{a'} Q(s', a')$$
#
# Both sides contain $Q$, so the equation checks any opinion against itself. Begin with a wrong $Q$, play, and
# whenever left and right disagree, move the left side a little towards the right. This is called *bootstrapping*:
# learning a guess from a guess.
#
# One detail ruins more implementations than any other. If the pole **fell**, nothing comes after, and the right side
# is $r$ alone. If the game was merely **cut off because time was up**, the future would have gone on, and its worth
# must stay in. Gymnasium tells the two apart as `terminated` and `truncated`; the maze of this project does too.
#
# ## Part 1: a network that says what actions are worth
#
# Situations are four real numbers, far too many for a table. So $Q$ is a small network: four numbers in, two numbers
# out, one for each action.


# %% id=network
class Scaled(nn.Module):
    """Divides each number that is seen by what is large for it: metres and radians differ by a factor of ten."""

    def forward(self, seen):
        return seen / torch.tensor([2.4, 2.0, 0.21, 2.0])


def q_network():
    """Maps (n, 4) observations to (n, 2) worths."""
    return nn.Sequential(Scaled(), nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


parameters = sum(p.numel() for p in q_network().parameters())
lab.say(f"{parameters:,} numbers to be learned.")

# %% [markdown] id=memory-text
# ## Part 2: a memory
#
# What happens in a game, step after step, is always nearly the same situation. A network that learns from it in this
# order forgets everything else. So every step is written into a memory, the **replay buffer**, and lessons are drawn
# from it at random: an old fall beside a fresh success.


# %% id=memory
class Memory:
    """The last `size` steps: what was seen, done and received, what was seen then, and whether the pole fell."""

    def __init__(self, size):
        self.seen = np.zeros((size, 4), np.float32)
        self.then = np.zeros((size, 4), np.float32)
        self.action = np.zeros(size, np.int64)
        self.reward = np.zeros(size, np.float32)
        self.fell = np.zeros(size, np.float32)
        self.size, self.written = size, 0

    def write(self, seen, action, reward, then, fell):
        """Writes down one step of each game."""
        at = (self.written + np.arange(len(seen))) % self.size  # the oldest is overwritten
        self.seen[at], self.action[at], self.reward[at], self.then[at], self.fell[at] = seen, action, reward, then, fell
        self.written += len(seen)

    def draw(self, count, random, newest=False):
        """Draws steps at random, or takes the newest ones: what an agent without a memory would learn from."""
        known = min(self.written, self.size)
        at = (self.written - 1 - np.arange(count)) % self.size if newest else random.integers(known, size=count)
        return [torch.from_numpy(part[at]) for part in (self.seen, self.action, self.reward, self.then, self.fell)]


# %% [markdown] id=target-text
# ## Part 3: a second, slower network
#
# The right side of the equation contains the network that is being changed. Move the left side, and the right side
# moves as well: a dog chasing its tail. The remedy is a frozen copy, the **target network**, that supplies the right
# side and is renewed only now and then.
#
# ## The lesson

# %% id=lesson
GAMMA = 0.99


def lesson(network, target, optimizer, batch):
    """Moves the worths of a batch of steps towards what the equation says; returns how far they were from it."""
    seen, action, reward, then, fell = batch
    with torch.no_grad():
        best_afterwards = target(then).max(dim=1).values
        wanted = reward + GAMMA * (1 - fell) * best_afterwards  # after a fall nothing comes
    worth = network(seen).gather(1, action[:, None]).squeeze(1)
    loss = nn.functional.smooth_l1_loss(worth, wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% [markdown] id=training-text
# ## Training
#
# Whoever always does what seems best now never finds out whether something else would be better. So the agent begins
# by acting at random and does so less and less: $\varepsilon$ (epsilon), the share of random actions, goes from 1
# down to a few in a hundred.
#
# The loop below is the whole algorithm; eight games are played at once. Its two switches, `with_memory` and
# `with_target`, are for the experiment at the end of this notebook. Every so often training stops for a **test**: twenty games, without random actions, from starts that are
# used for nothing else. That is the curve to look at; what happens during training contains random actions and looks
# worse than the agent is.

# %% id=training
STEPS = lab.by_budget(full=12_000, small=1_600)
TEST_EVERY = lab.by_budget(full=800, small=400)
SEEDS = lab.by_budget(full=(1, 2, 3), small=(1,))
LEARN_FROM = lab.by_budget(full=1_000, small=200)  # steps in the memory before the first lesson
GAMES = 8  # played at once, so that the network is asked about eight situations in one go
LESSONS = 2  # after every eight steps
BATCH = 64  # remembered steps in a lesson
RENEW_EVERY = 256  # steps between two renewals of the target network
RANDOM_UNTIL = 0.25  # share of the training over which epsilon falls
LEAST_RANDOM = 0.04
TEST_GAMES = 20


def greedy(network):
    """The policy that always takes the action of the larger worth."""

    def act(states):
        with torch.no_grad():
            return network(torch.as_tensor(states)).argmax(dim=1).numpy()

    return act


def train(seed, with_memory=True, with_target=True):
    """Trains one agent; returns the network and its diary."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    envs = gym.make_vec(cartpole.ENVIRONMENT, num_envs=GAMES, vectorization_mode=gym.VectorizeMode.VECTOR_ENTRY_POINT)
    network = q_network()
    target = copy.deepcopy(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3, fused=True)
    memory = Memory(20_000)
    diary = {"test_step": [], "test": [], "cpu_s": [], "loss": [], "lessons": 0}
    began, testing = lab.cpu_seconds(), 0.0

    seen, _ = envs.reset(seed=seed * 1_000)
    over = np.zeros(GAMES, bool)
    for step in range(GAMES, STEPS + 1, GAMES):
        epsilon = max(LEAST_RANDOM, 1 - step / (RANDOM_UNTIL * STEPS))
        actions = np.where(random.random(GAMES) < epsilon, random.integers(2, size=GAMES), greedy(network)(seen))
        then, rewards, fell, timed_out, _ = envs.step(actions)
        played = ~over  # a game that was over has not been played on, but set up anew
        memory.write(seen[played], actions[played], rewards[played], then[played], fell[played])
        seen, over = then, fell | timed_out

        if step >= LEARN_FROM:
            for _ in range(LESSONS):
                batch = memory.draw(BATCH, random, newest=not with_memory)
                diary["loss"].append(lesson(network, target if with_target else network, optimizer, batch))
            diary["lessons"] += LESSONS
        if step % RENEW_EVERY < GAMES:
            target.load_state_dict(network.state_dict())
        if step % TEST_EVERY < GAMES:
            paused = lab.cpu_seconds()
            diary["test_step"].append(step)
            diary["test"].append(cartpole.durations(greedy(network), TEST_GAMES).tolist())
            testing += lab.cpu_seconds() - paused
            diary["cpu_s"].append(lab.cpu_seconds() - began - testing)
    envs.close()
    return network, diary


runs = dict(zip(SEEDS, lab.in_processes(train, [(seed,) for seed in SEEDS]), strict=True))
lab.table(
    ["seed", "lessons", "CPU time", "first test of 475 or more", "mean of the last test"],
    [
        [
            seed,
            f"{diary['lessons']:,}",
            f"{diary['cpu_s'][-1]:.0f} s",
            next(
                (
                    f"{step:,} steps"
                    for step, test in zip(diary["test_step"], diary["test"], strict=True)
                    if np.mean(test) >= 475
                ),
                "never",
            ),
            f"{np.mean(diary['test'][-1]):.0f}",
        ]
        for seed, (_, diary) in runs.items()
    ],
)

# %% [markdown] id=why-475
# 475 of 500 is what Gymnasium itself calls solved (`reward_threshold` of the environment). More than one seed,
# because one says little: with other random numbers the same program can take twice as long.


# %% id=learning-curve
def test_means(diaries):
    """Mean duration in each test, (seeds, tests)."""
    return np.array([[np.mean(test) for test in diary["test"]] for diary in diaries])


diaries = [diary for _, diary in runs.values()]
steps = diaries[0]["test_step"]
means = test_means(diaries)
figure, (plot, losses) = panels(2, width=9.8, height=3.7, width_ratios=[1.7, 1])
for row in means:
    plot.plot(steps, row, color=colours.DQN, linewidth=1, alpha=0.45)
plot.plot(steps, means.mean(axis=0), color=colours.DQN, label=f"mean of {len(means)} seeds")
plot.axhline(475, color=colours.LINE_STRONG, linewidth=1, linestyle=(0, (4, 4)))
plot.text(steps[-1], 470, "solved", fontsize=9, color=colours.TEXT_3, va="top", ha="right")
plot.set(
    title="How long the pole stands in the tests",
    xlabel="experience (steps of the game)",
    ylabel="mean of 20 games (steps)",
    ylim=(0, 520),
)
plot.legend(loc="lower right")
thousands(plot)
for diary in diaries:
    loss = np.asarray(diary["loss"])
    block = max(1, len(loss) // 120)
    smooth = loss[: len(loss) // block * block].reshape(-1, block).mean(axis=1)
    losses.plot(
        LEARN_FROM + np.arange(1, len(smooth) + 1) * block * GAMES / LESSONS, smooth, color=colours.TEXT_3, linewidth=1
    )
losses.set(title="Distance from the equation", xlabel="experience (steps)", ylabel="loss", yscale="log")
thousands(losses)
lab.show(
    figure,
    "Left: length of the test games over experience, one thin line a seed and their mean. Right: the loss of each "
    "seed over experience.",
)
back = max(float((np.maximum.accumulate(row) - row).max()) for row in means)
lab.say(
    f"The largest step back: from one of its tests to a later one, a seed lost **{back:.0f} of 500** steps. "
    + ("DQN does not climb steadily. It can unlearn within moments what it could already do. " if back > 100 else "")
    + "And the loss, on the right, does not tell how good the agent is: it measures how far the network contradicts "
    "itself, and the more there is to know, the more there is to contradict."
)

# %% [markdown] id=worth-text
# ## Is its opinion of the future right?
#
# The network claims, at every moment of a game, how much reward is still to come. After the game one can count. The
# worth it claims is discounted ($\gamma$ per step), so what really came is counted the same way. Near the end of a
# game that lasted to the time limit the comparison is unfair: the clock is not among the four numbers, so the network
# cannot know that the game is about to be cut off.

# %% id=is-it-right
final_network = {seed: network for seed, (network, _) in runs.items()}
chosen = max(SEEDS, key=lambda seed: np.mean(runs[seed][1]["test"][-1]))
network = final_network[chosen]
states, fell = cartpole.play(greedy(network), cartpole.TEST_SEED)
with torch.no_grad():
    worths = network(torch.as_tensor(states[:-1])).numpy()
claimed = worths.max(axis=1)
left_over = np.arange(len(claimed), 0, -1)  # steps that still came
came = (1 - GAMMA**left_over) / (1 - GAMMA)
endless = 1 / (1 - GAMMA)

figure, (plot,) = panels(height=3.4)
plot.plot(claimed, color=colours.DQN, label="worth that the network claims")
plot.plot(came, color=colours.TEXT_2, label="reward that really came, discounted")
plot.axhline(endless, color=colours.LINE_STRONG, linewidth=1, linestyle=(0, (4, 4)))
plot.text(0, endless, " a pole that stands for ever", fontsize=9, color=colours.TEXT_3, va="bottom")
plot.set(
    title=f"One game, seed {chosen}",
    xlabel="step of the game",
    ylabel="reward still to come",
    ylim=(0, max(endless, claimed.max()) * 1.18),
)
plot.legend(loc="lower left")
lab.show(
    figure,
    "The worth that the network claims at each step of one game, and the discounted reward that really came "
    "afterwards.",
)
first = slice(0, max(1, len(claimed) // 2))
error = float((claimed[first] - came[first]).mean())
lab.say(
    f"Over the first half of this game the network claims {claimed[first].mean():.1f} on average, and "
    f"{came[first].mean():.1f} came: it is "
    f"{abs(error):.1f} too {'high' if error > 0 else 'low'}. A pole that never falls would be worth 1 / (1 − γ) = "
    f"{endless:.0f}. "
    + (
        "A claim above that is impossible: the maximum in the equation picks whichever guess is too high, and the "
        "error feeds on itself. *Double* Q-learning, which the maze's DQN uses, is the remedy."
        if claimed.max() > endless
        else ""
    )
)

# %% [markdown] id=map-text
# ## What it would do, and how sure it is
#
# As in notebook 00: the cart stands still in the middle; to the right the lean of the pole, upwards its swing. On the
# left the worth of the better action, on the right by how much one action is better than the other.

# %% id=maps
from lab.figures import DIFFERENCE_MAP

GRID = 61
angle, swing = np.meshgrid(np.radians(np.linspace(-12, 12, GRID)), np.linspace(-2.0, 2.0, GRID))
asked = np.zeros((angle.size, 4), np.float32)
asked[:, 2], asked[:, 3] = angle.ravel(), swing.ravel()
with torch.no_grad():
    answers = network(torch.as_tensor(asked)).numpy().reshape(GRID, GRID, 2)
best, difference = answers.max(axis=2), answers[:, :, 1] - answers[:, :, 0]
extent = (-12, 12, np.degrees(-2.0), np.degrees(2.0))
figure, (worth_plot, choice_plot) = panels(2, width=9.8, height=3.9)
shades = worth_plot.imshow(best, origin="lower", extent=extent, aspect="auto", cmap=VALUE_MAP)
figure.colorbar(shades, ax=worth_plot).outline.set_visible(False)
limit = float(np.abs(difference).max())
shades = choice_plot.imshow(
    difference, origin="lower", extent=extent, aspect="auto", cmap=DIFFERENCE_MAP, vmin=-limit, vmax=limit
)
figure.colorbar(shades, ax=choice_plot).outline.set_visible(False)
choice_plot.contour(np.degrees(angle), np.degrees(swing), difference, levels=[0], colors=[colours.TEXT], linewidths=1.4)
for plot, title in ((worth_plot, "Worth of the better action"), (choice_plot, "Worth of right minus worth of left")):
    plot.set(title=title, xlabel="angle of the pole (°)")
    plot.grid(visible=False)
worth_plot.set_ylabel("angular speed of the pole (°/s)")
lab.show(
    figure,
    "Two maps over angle and angular speed of the pole: the worth of the better action, and by how much pushing "
    "right is better than pushing left.",
)

# %% [markdown] id=taking-away-text
# ## What happens without memory, or without the slow network?
#
# Textbooks say that both are needed. It costs little to try: the same program, the same seeds, one part taken away.
# *Without memory* means that every lesson is drawn from the newest steps only; *without target network* that the
# right side of the equation comes from the network that is being changed.

# %% id=taking-away
jobs = [(seed, False, True) for seed in SEEDS] + [(seed, True, False) for seed in SEEDS]
found = [diary for _, diary in lab.in_processes(train, jobs)]
variants = {
    "complete": diaries,
    "without memory": found[: len(SEEDS)],
    "without target network": found[len(SEEDS) :],
}
lines = {"complete": colours.DQN, "without memory": colours.MAZE_AGENT, "without target network": colours.OK}
figure, (plot,) = panels(height=3.7)
for name, found in variants.items():
    rows = test_means(found)
    plot.fill_between(steps, rows.min(axis=0), rows.max(axis=0), color=lines[name], alpha=0.13, linewidth=0)
    plot.plot(steps, rows.mean(axis=0), color=lines[name], label=name)
plot.set(
    title="One part taken away",
    xlabel="experience (steps of the game)",
    ylabel="mean of 20 games (steps)",
    ylim=(0, 520),
)
plot.legend(loc="upper left")
thousands(plot)
lab.show(
    figure,
    "Test curves of the complete agent, of one without memory and of one without target network; the bands reach "
    "from the worst to the best seed.",
)


def late(diaries):
    """Mean of the tests of the last quarter, one number a seed."""
    rows = test_means(diaries)
    return rows[:, -max(1, rows.shape[1] // 4) :].mean(axis=1)


lab.table(
    ["agent", "mean of the tests in the last quarter", "worst seed", "best seed"],
    [
        [name, f"{late(found).mean():.0f}", f"{late(found).min():.0f}", f"{late(found).max():.0f}"]
        for name, found in variants.items()
    ],
)
ranked = sorted(variants, key=lambda name: -late(variants[name]).mean())
lab.say(
    f"Best over the last quarter: **{ranked[0]}**, then {ranked[1]}, then {ranked[2]}. "
    + (
        "Here both parts earn their place. "
        if ranked[0] == "complete"
        else "Here the complete agent is *not* ahead: what textbooks say in general need not show in a task this small. "
    )
    + f"{len(SEEDS)} seeds are few: differences smaller than the spread between seeds mean nothing."
)

# %% [markdown] id=record-text
# ## For the next notebook
#
# [02_ppo_basic](02_ppo_basic.ipynb) builds the other great family of algorithms and compares it with this one. So the
# curve goes into a file, together with what the network would do and one game of it.

# %% id=record
records.save(
    "dqn_cartpole",
    {
        "about": "DQN of 01_dqn_basic on CartPole-v1: tests of 20 games, CPU seconds without the tests",
        "steps": STEPS,
        "batch": BATCH,
        "seeds": list(SEEDS),
        "lessons": [diary["lessons"] for diary in diaries],
        "test_step": steps,
        "test_mean": means.round(1).tolist(),
        "cpu_s": [np.round(diary["cpu_s"], 2).tolist() for diary in diaries],
        "chosen_seed": chosen,
        "push_right": ["".join("1" if right else "0" for right in row) for row in difference > 0],
        "position_m": states[:, 0].round(3).tolist(),
    },
)
lab.say(f"Recorded {len(means)} curves of {means.shape[1]} tests each.")

# %% [markdown] id=what-the-maze-needs
# ## From here to the maze
#
# Stable-Baselines3 has a DQN that is built of the same parts. For the maze that was not enough: one-step lessons
# carry the news of the goal back one step at a time. The project's DQN (`ml/rlmaze_train/double_dqn.py`) adds double
# Q-learning, returns over several steps, and lessons in all eight symmetries of the grid; `ml/README.md` has its
# figures.
#
# The maze shows these worths live: the arrow in each cell of the inference page is the action with the larger $Q$.
