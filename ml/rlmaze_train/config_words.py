"""What every field of a configuration is, in words: for forms that are made from the JSON Schema, and for people who read it."""

from typing import Any, NamedTuple

from pydantic import BaseModel


class Words(NamedTuple):
    """Title, one sentence, and the unit of the number; empty where there is none."""

    title: str
    description: str
    unit: str = ""


_ENVIRONMENTS = Words("Environments", "Mazes that are played at the same time.", "mazes")
_BATCH = Words("Batch size", "Steps that one gradient is computed from.", "steps")
_LEARNING_RATE = Words("Learning rate", "Size of the optimizer's steps at the beginning.")
_FINAL_LEARNING_RATE = Words("Learning rate at the end", "The share of it that is left at the end; it falls in a straight line.")
_DISCOUNT = Words("Discount", "Worth of a reward that comes one step later. Near 1 the agent plans far ahead.")

WORDS: dict[str, dict[str, Words]] = {
    "TrainingConfig": {
        "name": Words("Name", "Runs and models are called by it. Lower-case letters, digits and single hyphens."),
        "title": Words("Title", "What people call it."),
        "description": Words("Description", "What it is for, in a sentence or two."),
        "algorithm": Words("Algorithm", "PPO learns a policy and is quick; DQN learns the worth of each action and takes longer."),
        "observation": Words(
            "Observation",
            "What the agent sees: plain/1 the cells around it, trail/1 also where it was, memory/1 also what it knows to lead nowhere.",
        ),
        "timesteps": Words("Experience", "Steps in mazes that the whole training takes.", "steps"),
        "seeds": Words("Seeds", "Of mazes, network and sampling. A run takes the first; a sweep may take all."),
        "device": Words("Device", "Where it runs. auto takes a GPU when there is one."),
        "early_checkpoint": Words(
            "Early checkpoint", "Also exports the policy after so many steps, to show what it could do by then; 0: none.", "steps"
        ),
        "mazes": Words("Mazes", "Which mazes are trained on."),
        "rewards": Words("Rewards", "What the agent is rewarded for while it trains. Evaluation and display keep the usual ones."),
        "ppo": Words("PPO", "Hyper-parameters of proximal policy optimization. Learning rate and entropy bonus change in a straight line."),
        "dqn": Words("DQN", "Hyper-parameters of deep Q-learning with n-step returns and double Q-learning."),
        "validation": Words("Checkpoints", "When the policy is saved and measured on mazes that are neither trained on nor held out."),
        "evaluation": Words("Final evaluation", "What the finished model is measured on, once."),
    },
    "MazeChoice": {
        "size": Words("Size", "Rows and columns of each maze.", "cells"),
        "count": Words("Number of mazes", "Different mazes to train on. None of them is a validation or held-out maze.", "mazes"),
        "difficulty": Words("Difficulty", "Bands of difficulty that are trained on."),
    },
    "RewardWorth": {
        "step": Words("Step", "Reward of every step."),
        "bump": Words("Bump", "Added when the agent walks into a wall."),
        "goal": Words("Goal", "Added when the agent reaches the goal."),
    },
    "PPOSettings": {
        "environments": _ENVIRONMENTS,
        "n_steps": Words("Steps before an update", "Steps that each environment plays before the policy is updated.", "steps"),
        "batch_size": _BATCH,
        "n_epochs": Words("Epochs", "How often an update goes over its steps.", "times"),
        "learning_rate": _LEARNING_RATE,
        "final_learning_rate_share": _FINAL_LEARNING_RATE,
        "gamma": _DISCOUNT,
        "gae_lambda": Words("GAE lambda", "Between what the value network expects (0) and the return that was seen (1)."),
        "clip_range": Words("Clip range", "How far one update may move the probability of an action."),
        "entropy": Words("Entropy bonus", "Reward for trying different actions, at the beginning."),
        "final_entropy": Words("Entropy bonus at the end", "The same at the end."),
        "network": Words("Network", "Units of each hidden layer, of policy and value alike.", "units"),
    },
    "DQNSettings": {
        "environments": _ENVIRONMENTS,
        "buffer_size": Words("Replay buffer", "Steps that are remembered to learn from.", "steps"),
        "learning_starts": Words("Steps before learning", "Steps that are played before the first update.", "steps"),
        "batch_size": _BATCH,
        "learning_rate": _LEARNING_RATE,
        "final_learning_rate_share": _FINAL_LEARNING_RATE,
        "gamma": _DISCOUNT,
        "n_steps": Words("Steps of a return", "Rewards that are added up before the network estimates the rest.", "steps"),
        "train_freq": Words("Steps between updates", "Steps that each environment plays between two updates.", "steps"),
        "gradient_steps": Words("Gradients of an update", "Batches that one update learns from.", "batches"),
        "target_update_interval": Words("Target network", "Steps after which the target network takes over the weights.", "steps"),
        "exploration_fraction": Words("Exploration", "Share of the training in which random actions become rarer."),
        "exploration_final": Words("Random actions at the end", "Share of the actions that stays random."),
        "network": Words("Network", "Units of each hidden layer.", "units"),
    },
    "Validation": {
        "every": Words("Steps between checkpoints", "After so many steps the policy is saved and plays the validation mazes.", "steps"),
        "extra_mazes": Words("Extra mazes", "Freshly generated mazes that help to choose between checkpoints.", "mazes"),
        "extra_large_mazes": Words("Extra large mazes", "The same with 30 × 30 cells.", "mazes"),
    },
    "Evaluation": {"sets": Words("Maze sets", "Sets that the finished model plays.")},
}


def add_words(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Puts the words of a section's fields into its JSON Schema: `title`, `description`, and `unit`, which is not of the standard."""
    for name, words in WORDS.get(model.__name__, {}).items():
        field = schema["properties"][name]
        field["title"], field["description"] = words.title, words.description
        if words.unit:
            field["unit"] = words.unit
