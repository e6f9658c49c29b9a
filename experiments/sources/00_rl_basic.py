# %% [markdown] id=title
# # Why reinforcement learning?
#
# Nobody can write down, rule by rule, how to balance on a bicycle. One gets on, falls, and after some time falls
# less. **Reinforcement learning** is that idea made into an algorithm: a program acts, is told by a single number how
# it went, and changes itself so that the number grows. Nobody shows it the right move.
#
# This notebook needs no knowledge of the field. You will see
#
# 1. a game that everyone understands,
# 2. an agent that acts at random, and falls at once,
# 3. two rules written by a human, and how far common sense carries,
# 4. an agent that starts as clueless as the random one and **learns**,
# 5. both side by side, and what the one that learned has found out.
#
# Every number below was printed by the cell above it, when this notebook was run.

# %% id=setup
import gymnasium as gym
import numpy as np
import torch

import lab
from lab import cartpole, colours
from lab.figures import panels, thousands

SEED = 7
lab.begin(SEED, "gymnasium", "stable-baselines3", "torch")

# %% [markdown] id=the-game
# ## A game that everyone understands
#
# **CartPole**: a pole stands on a cart, held by nothing but a hinge. The cart runs on a rail. At every moment the
# player may do one of two things: push the cart to the left, or push it to the right. Doing nothing is not allowed.
# Each moment in which the pole still stands is worth one point; the game is over when the pole leans too far, when
# the cart leaves the rail, or when time is up.
#
# What the player sees are four numbers, and no picture.

# %% id=what-is-seen
env = gym.make(cartpole.ENVIRONMENT, render_mode="rgb_array")
state, _ = env.reset(seed=SEED)
rules = env.unwrapped

lab.table(
    ["what the player sees", "unit", "now", "the game is over beyond"],
    [
        ["position of the cart", "m", f"{state[0]:+.3f}", f"±{rules.x_threshold:.1f}"],
        ["speed of the cart", "m/s", f"{state[1]:+.3f}", "–"],
        ["angle of the pole", "°", f"{np.degrees(state[2]):+.2f}", f"±{np.degrees(rules.theta_threshold_radians):.0f}"],
        ["angular speed of the pole", "°/s", f"{np.degrees(state[3]):+.2f}", "–"],
    ],
)
lab.say(
    f"{env.action_space.n} actions, {1 / rules.tau:.0f} decisions a second, at most {env.spec.max_episode_steps} of "
    "them "
    f"({env.spec.max_episode_steps * rules.tau:.0f} seconds): so the best possible score is "
    f"{env.spec.max_episode_steps}."
)

# %% [markdown] id=vocabulary
# Six words are enough for the whole field. They are the same in every notebook here, in the code of this project, and
# on its page:
#
# | word | here |
# |---|---|
# | **environment** | the cart, the pole, gravity, and the rules of the game |
# | **observation** | the four numbers |
# | **action** | push left (0) or push right (1) |
# | **reward** | +1 for every moment in which the pole stands |
# | **episode** | one game, from setting the pole up until it falls or time is up |
# | **policy** | whatever turns an observation into an action: *this* is what learns |
#
# And this is all there is to the conversation between the two:
#
# ```
#             ┌───────────── action ─────────────┐
#             │                                  ▼
#        ┌─────────┐                      ┌─────────────┐
#        │  agent  │                      │ environment │
#        └─────────┘                      └─────────────┘
#             ▲                                  │
#             └────── observation, reward ───────┘
# ```

# %% id=the-loop
random = np.random.default_rng(SEED)
observation, _ = env.reset(seed=SEED)
score, over = 0.0, False

while not over:
    action = int(random.integers(2))  # the random agent: it does not even look
    observation, reward, fell, timed_out, _ = env.step(action)
    score += reward
    over = fell or timed_out

picture_of_the_end = env.render()
lab.say(
    f"The random agent scored **{score:.0f}** and lasted {score * rules.tau:.2f} seconds. At the end the pole leant "
    "by "
    f"{np.degrees(observation[2]):+.1f}°. This is how Gymnasium, the library of environments that everybody uses, "
    "draws that moment:"
)

# %% id=gymnasium-picture
from PIL import Image

frame = Image.fromarray(picture_of_the_end).crop((0, 130, 600, 330))
lab.picture(
    frame, "Gymnasium's drawing of the cart on its rail, at the moment at which the pole leans too far.", shown=0.8
)

# %% [markdown] id=common-sense
# ## How far does common sense carry?
#
# Before anything learns, two rules that a human would write:
#
# - **Lean**: push to the side to which the pole leans. It sounds right.
# - **Lean and swing**: also look at how fast the pole is swinging, and push to where it *will* lean in a moment.
#
# Each plays the same games, from starts that nothing in this notebook ever learns from.

# %% id=rules-of-a-human
TESTS = lab.by_budget(full=1000, small=50)


def act_at_random(states):
    """Does not look."""
    return random.integers(2, size=len(states))


def lean(states):
    """Pushes to the side to which the pole leans."""
    return (states[:, 2] > 0).astype(np.int64)


def lean_and_swing(states, look_ahead_s=0.5):
    """Pushes to the side to which the pole will lean after a moment, if it goes on swinging as it does."""
    return (states[:, 2] + look_ahead_s * states[:, 3] > 0).astype(np.int64)


scores = {
    "random": cartpole.durations(act_at_random, TESTS),
    "lean": cartpole.durations(lean, TESTS),
    "lean and swing": cartpole.durations(lean_and_swing, TESTS),
}


def show_scores():
    """Prints what is known about every player so far."""
    lab.table(
        ["player", "games", "mean score", "worst", "best", "stood to the end"],
        [
            [
                name,
                len(found),
                f"{found.mean():.1f}",
                found.min(),
                found.max(),
                f"{(found == env.spec.max_episode_steps).mean():.1%}",
            ]
            for name, found in scores.items()
        ],
    )


show_scores()
lab.say(
    f"Leaning lasts {scores['lean'].mean() / scores['random'].mean():.1f} times as long as chance: it always comes "
    "too late, and swings the pole up and up. "
    f"Looking at the swing as well brings {scores['lean and swing'].mean():.0f} points. It takes somebody who knows "
    "a little physics to think of it."
)

# %% [markdown] id=why-learn
# For a pole one can still find the rule. For a maze that is seen through a window of five by five cells, for a
# warehouse, for the game of Go, nobody can write it down. What one *can* write down, nearly always, is **when it went
# well**. That is the bargain of reinforcement learning: say what success is, and let the machine find the way there.
#
# ## An agent that learns
#
# The agent below begins with a network of random numbers. The algorithm is called **PPO**; what happens inside is the
# subject of [notebook 02](02_ppo_basic.ipynb). For now it is enough to know what goes in: the four numbers, the two
# actions, and the reward. It gets neither the formula of the pendulum nor an example of good play.
#
# The random agent lives through exactly as many steps of the game. Both keep a diary: how long did each game last?

# %% id=training
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env

STEPS = lab.by_budget(full=50_000, small=3_000)


class Diary(BaseCallback):
    """Writes down, for every finished game, how much training came before it and how long the pole stood."""

    def __init__(self):
        super().__init__()
        self.steps, self.stood = [], []

    def _on_step(self):
        for info in self.locals["infos"]:
            if "episode" in info:
                self.steps.append(self.num_timesteps)
                self.stood.append(info["episode"]["l"])
        return True


games = make_vec_env(cartpole.ENVIRONMENT, n_envs=8, seed=SEED)
agent = PPO(
    "MlpPolicy",
    games,
    seed=SEED,
    device="cpu",
    n_steps=32,  # moments of each of the 8 games between two lessons
    batch_size=256,
    n_epochs=20,
    gamma=0.98,  # a point in a hundred steps is worth 0.98^100 = 0.13 of one now
    gae_lambda=0.8,
    learning_rate=lambda remaining: 1e-3 * remaining,
    clip_range=lambda remaining: 0.2 * remaining,
)


def learned(states):
    """The policy as it is now, always its more likely action."""
    return agent.predict(states, deterministic=True)[0]


before = cartpole.durations(learned, TESTS)
diary = Diary()
began = lab.cpu_seconds()
agent.learn(STEPS, callback=diary)
took = lab.cpu_seconds() - began
scores["learned"] = cartpole.durations(learned, TESTS)

lab.say(
    f"Training took {took:.0f} seconds of one processor core and {len(diary.stood):,} games. Before it, this very "
    "network scored "
    f"{before.mean():.0f} on average, the random agent {scores['random'].mean():.0f}."
)

# %% id=random-diary
random_steps, random_stood = [], []
observation, _ = env.reset(seed=SEED)
length = 0
for step in range(1, STEPS + 1):
    observation, _, fell, timed_out, _ = env.step(int(random.integers(2)))
    length += 1
    if fell or timed_out:
        random_steps.append(step)
        random_stood.append(length)
        observation, _ = env.reset()
        length = 0

# %% [markdown] id=curves-heading
# ### Both learning curves
#
# Every dot is one game. A line is the mean of the fifty games before. To the right is experience: steps of the game
# that the agent has lived through.


# %% id=learning-curves
def running_mean(values, window=50):
    """Mean of the last `window` values at each place; fewer at the beginning."""
    sums = np.cumsum(np.insert(np.asarray(values, float), 0, 0.0))
    at = np.arange(1, len(values) + 1)
    start = np.maximum(0, at - window)
    return (sums[at] - sums[start]) / (at - start)


figure, (plot,) = panels(height=3.8)
for steps, stood, colour, name in (
    (random_steps, random_stood, colours.RANDOM, "random agent"),
    (diary.steps, diary.stood, colours.PPO, "agent that learns"),
):
    thin = max(1, len(steps) // 700)  # as many dots as can be told apart
    plot.plot(steps[::thin], stood[::thin], ".", color=colour, markersize=3, alpha=0.35)
    plot.plot(steps, running_mean(stood), color=colour, label=name)
plot.axhline(500, color=colours.LINE_STRONG, linewidth=1, linestyle=(0, (4, 4)))
plot.text(0, 506, "time is up: the best possible", fontsize=9, color=colours.TEXT_3, va="bottom")
plot.set(
    title="How long the pole stands",
    xlabel="experience (steps of the game)",
    ylabel="length of a game (steps)",
    ylim=(0, 545),
)
plot.legend(loc="upper left", bbox_to_anchor=(0.0, 0.93))
thousands(plot)
half = next((step for step, mean in zip(diary.steps, running_mean(diary.stood), strict=True) if mean >= 250), None)
lab.show(
    figure,
    "Two learning curves. The random agent's stays flat near the bottom over all its games; the learning agent's "
    "begins beside it and rises.",
)
lab.say(
    "After as much experience as the other one, the random agent is where it began: "
    f"{np.mean(random_stood[:50]):.0f} steps at first, "
    f"{np.mean(random_stood[-50:]):.0f} at last. It has no way to use what happens to it. The learning agent went "
    "from "
    f"{np.mean(diary.stood[:50]):.0f} to {np.mean(diary.stood[-50:]):.0f}"
    + (f", and passed half of the possible after {half:,} steps." if half else ".")
)

# %% [markdown] id=side-by-side-heading
# ### Side by side
#
# Now the exam: games that neither has seen, and no more learning. On the left the random agent; whenever its pole has
# fallen it gets a new one. On the right the one that learned. (The pole is drawn longer than it is, so that one sees
# it lean.)

# %% id=side-by-side
FRAMES = lab.by_budget(full=150, small=12)
EVERY = 2  # every second moment: 25 pictures a second, in real time

exam = [cartpole.TEST_SEED + game for game in range(40)]
left = cartpole.film((cartpole.play(act_at_random, seed) for seed in exam), FRAMES, EVERY, pause=6)
right = cartpole.film((cartpole.play(learned, seed) for seed in exam), FRAMES, EVERY, pause=6)
lab.animate(
    cartpole.duel(left, right, ("random", "learned")),
    "Animation. On the left, moved at random, the pole falls again and again; on the right the trained agent plays "
    "from the same starts.",
    frame_ms=40,
    shown=0.72,
)
lab.say(
    f"In these {FRAMES * EVERY * rules.tau:.0f} seconds the pole of the random agent fell **{left[-1][1]} times**, "
    f"that of the trained one **{right[-1][1]} times**."
)
show_scores()

# %% [markdown] id=what-it-found
# ## What has it found out?
#
# One can ask the network about any situation, also such as never occur. Below, every point is one: how far the pole
# leans (left to right) and how fast it swings (bottom to top), with the cart standing still in the middle of the
# rail. The colour is what the network would do. The lines are the two rules of the human from above: the vertical one
# is *lean*, the slanted one *lean and swing*.

# %% id=what-it-would-do
angle, swing = np.meshgrid(np.radians(np.linspace(-12, 12, 121)), np.linspace(-2.0, 2.0, 121))
asked = np.zeros((angle.size, 4), np.float32)
asked[:, 2], asked[:, 3] = angle.ravel(), swing.ravel()
with torch.no_grad():
    to_the_right = (
        agent.policy.get_distribution(torch.as_tensor(asked)).distribution.probs[:, 1].numpy().reshape(angle.shape)
    )

figure, (plot,) = panels(width=6.6, height=4.4)
from lab.figures import DIFFERENCE_MAP

shades = plot.imshow(
    to_the_right,
    origin="lower",
    extent=(-12, 12, np.degrees(-2.0), np.degrees(2.0)),
    aspect="auto",
    cmap=DIFFERENCE_MAP,
    vmin=0,
    vmax=1,
)
plot.axvline(0, color=colours.TEXT_2, linewidth=1.4, linestyle=(0, (2, 3)))
plot.plot([-12, 12], [24, -24], color=colours.TEXT, linewidth=1.4, linestyle=(0, (6, 3)))
plot.text(-11.4, -104, "push left", color=colours.PANEL, fontsize=11, weight="bold")
plot.text(11.4, 98, "push right", color=colours.PANEL, fontsize=11, weight="bold", ha="right")
plot.set(
    title="What the trained network does", xlabel="angle of the pole (°)", ylabel="angular speed of the pole (°/s)"
)
plot.grid(visible=False)
bar = figure.colorbar(shades, ax=plot, ticks=[0, 0.5, 1])
bar.ax.set_yticklabels(["0", "½", "1"])
bar.set_label("probability of pushing right")
bar.outline.set_visible(False)
lab.show(
    figure,
    "Map of the trained network's choice over angle and angular speed of the pole, with the borders of the two "
    "hand-written rules drawn into it.",
)

states = np.concatenate([cartpole.play(learned, seed)[0] for seed in exam[:5]])
agrees = {
    name: float((rule(states) == learned(states)).mean())
    for name, rule in (("lean", lean), ("lean and swing", lean_and_swing))
}
lab.say(
    f"In the situations that it gets itself into ({len(states):,} of them, in five games), the network does what "
    f"*lean* would do in {agrees['lean']:.0%} "
    f"and what *lean and swing* would do in {agrees['lean and swing']:.0%}. "
    + (
        "So it has found, from scores alone, that the swing matters more than the lean."
        if agrees["lean and swing"] > agrees["lean"]
        else ""
    )
)

# %% [markdown] id=how-hard
# ## How hard was that, honestly?
#
# Not very. A fair notebook also tries something far simpler than a neural network. Take a rule with **four numbers**,
# one weight for each number that is seen; push right when the weighted sum is positive. Draw the weights at random,
# play a few games, keep them if they are the best so far. That is all: no network, no gradient, no PPO.

# %% id=random-search
TRIES = lab.by_budget(full=200, small=10)
search = np.random.default_rng(SEED)
best_weights, best_score, needed = None, -1.0, 0
for attempt in range(1, TRIES + 1):
    weights = search.normal(size=4)
    found = cartpole.durations(
        lambda states, w=weights: (states @ w > 0).astype(np.int64), 10, seed=1_000 + attempt
    ).mean()
    if found > best_score:
        best_weights, best_score, needed = weights, found, attempt

scores["four numbers, drawn at random"] = cartpole.durations(
    lambda states: (states @ best_weights > 0).astype(np.int64), TESTS
)
show_scores()
lab.say(
    f"The best of {TRIES} random draws was number {needed}: "
    f"{best_weights[0]:+.2f} · position, {best_weights[1]:+.2f} · speed, {best_weights[2]:+.2f} · angle, "
    f"{best_weights[3]:+.2f} · angular speed. "
    f"It scores {scores['four numbers, drawn at random'].mean():.0f} in the exam, the trained network "
    f"{scores['learned'].mean():.0f}."
)

# %% [markdown] id=lessons
# Three lessons, which the other notebooks rely on:
#
# - **Trial and score is the whole principle.** Random search has it too. What DQN and PPO add is to learn from *every
#   step* of a game and not only from its final score; that is what carries over to tasks in which a random draw would
#   never get anywhere.
# - **Always put something simple beside the network.** A learned policy is only as impressive as what one gets
#   without learning. In this project policies that learn nothing stand beside every model, and the tables say when
#   one of them is ahead.
# - **Test on what training has not seen.** The exam's starts were used for nothing else.
#
# ## From the pole to the maze
#
# The rest of the project is the same loop with another environment:
#
# | | CartPole | RL Maze |
# |---|---|---|
# | observation | 4 numbers about cart and pole | 25 numbers: the 5 × 5 cells around the agent |
# | actions | left, right | up, down, left, right |
# | reward | +1 for every step upright | a little less than nothing for every step, +1 for the goal |
# | an episode ends | when the pole falls | at the goal, or when the steps are used up |
# | what is hard | one wrong push is soon fatal | one has to remember where one has been |
#
# **Next:** [01_dqn_basic](01_dqn_basic.ipynb) opens the first box: how can a program find out what an action is
# *worth*?
