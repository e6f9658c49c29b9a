# %% [markdown] id=title
# # Out of Python: the network as an ONNX file
#
# Training needs Python, PyTorch and gigabytes of libraries. *Acting* needs two or three small matrix products. The
# server that plays the episodes on the page is written in Go and contains no Python; what crosses the border is one
# file in the **ONNX** format, an open description of a network that many runtimes can execute.
#
# A border is where things get lost without a sound: a frozen batch, a transposed action order, a number that differs
# in the last digits and tips a decision. So this notebook exports a network and then spends most of its time on
# **proving that it is still the same**.
#
# 1. train a policy for a few seconds,
# 2. take the policy network alone out of it, and export it,
# 3. look into the file: inputs, outputs, metadata,
# 4. prove that both runtimes agree,
# 5. step into the traps on purpose,
# 6. measure,
# 7. let Go load it and check it again.

# %% id=setup
import io
import json
import logging
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import torch

import lab
from lab import colours
from lab.figures import panels
from rlmaze_env.mazeset import load_set, training_mazes
from rlmaze_env.vec_env import MazeVecEnv
from rlmaze_train import export
from rlmaze_train.config import load_config
from rlmaze_train.evaluation import figures, play_greedy
from rlmaze_train.training import build

logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it names every library that is not there
SEED = 5
lab.begin(SEED, "torch", "onnx", "onnxruntime", "stable-baselines3")

# %% [markdown] id=train-text
# ## 1. A policy to export
#
# The project's quick configuration, `ml/configs/ppo-quick.yaml`, with fewer steps.

# %% id=train
STEPS = lab.by_budget(full=200_000, small=9_000)
config = load_config(lab.ROOT / "ml" / "configs" / "ppo-quick.yaml").model_copy(
    update={"name": "ppo-notebook", "timesteps": STEPS}
)
env = MazeVecEnv(
    training_mazes(lab.by_budget(full=5_000, small=300)), config.ppo.environments, config.observation, SEED
)
model = build(config, env, SEED)
began = lab.cpu_seconds()
model.learn(STEPS)
lab.say(
    f"{config.algorithm} on `{config.observation}`, {STEPS:,} steps, seed {SEED}: {lab.cpu_seconds() - began:.0f} "
    "CPU seconds."
)

# %% [markdown] id=network-text
# ## 2. The policy network alone
#
# Stable-Baselines3 saves everything that is needed to go on training: optimiser state, schedules, the spaces, the
# code version. To act one needs the two small networks in the middle of it: the **actor** (25 numbers in, four scores
# out) and the **critic** (one number: how much reward is still to come; the page shows it as a heat map).
# `rlmaze_train.export.policy_network` takes them out.

# %% id=network
network = export.policy_network(model)
whole = io.BytesIO()
model.save(whole)

print(network)
lab.table(
    ["", "parameters", "bytes"],
    [
        [
            "everything Stable-Baselines3 saves",
            f"{sum(p.numel() for p in model.policy.parameters()):,}",
            f"{whole.getbuffer().nbytes:,}",
        ],
        [
            "the policy network",
            f"{sum(p.numel() for p in network.parameters()):,}",
            f"{4 * sum(p.numel() for p in network.parameters()):,} (as float32)",
        ],
    ],
)

# %% [markdown] id=export-text
# ## 3. Export, and a look into the file
#
# `onnx_bytes` runs PyTorch's exporter, removes whatever it wrote about the machine it ran on, adds the facts that
# belong to the model, and lets ONNX's own checker look at the result.

# %% id=export
facts = {
    "algorithm": config.algorithm,
    "observation": config.observation,
    "score_kind": "logit",
    "action_order": "UP,DOWN,LEFT,RIGHT",
    "training_run": "notebook-04",
    "seed": str(SEED),
    "maze_set_training": load_set("training").hash,
}
raw = export.onnx_bytes(network, facts)
found = onnx.load_from_string(raw)


def described(value):
    """Name, type and shape of an input or output."""
    tensor = value.type.tensor_type
    shape = ", ".join(dim.dim_param or str(dim.dim_value) for dim in tensor.shape.dim)
    return [f"`{value.name}`", onnx.TensorProto.DataType.Name(tensor.elem_type).lower(), f"[{shape}]"]


lab.table(
    ["", "name", "type", "shape"],
    [["input", *described(found.graph.input[0])], *(["output", *described(value)] for value in found.graph.output)],
)
lab.table(
    ["metadata", "value"],
    [[f"`{prop.key}`", prop.value if len(prop.value) < 24 else prop.value[:16] + "…"] for prop in found.metadata_props],
)
operators = [node.op_type for node in found.graph.node]
lab.say(
    f"{len(raw):,} bytes, opset {found.opset_import[0].version}, {len(operators)} operators: "
    + ", ".join(f"{operators.count(kind)} × {kind}" for kind in sorted(set(operators)))
    + "."
)

# %% [markdown] id=shape-reading
# `batch` in the shapes is a name, not a number: the same file answers one question at a time while an episode runs,
# and a hundred at once when the page wants an arrow in every cell.
#
# ## 4. Is it still the same network?
#
# Random numbers would prove little: a network is easy to agree on where it never goes. So the observations come from
# real play on validation mazes, with some random actions so that unusual situations occur too. Two questions: how far
# are the outputs apart, and, what alone matters to the agent, **is the same action best?**

# %% id=parity
COUNT = lab.by_budget(full=4_096, small=512)
observations = export.played_observations(config.observation, COUNT, export.onnx_policy(raw))
with torch.no_grad():
    torch_scores, torch_values = (part.numpy() for part in network(torch.from_numpy(observations)))
session = export.onnx_session(raw)
scores, values = session.run(["action_scores", "state_value"], {"observation": observations})
apart = np.abs(scores - torch_scores)
same_action = scores.argmax(axis=1) == torch_scores.argmax(axis=1)
ranked = np.sort(torch_scores, axis=1)
margin = ranked[:, -1] - ranked[:, -2]

figure, (differences, margins) = panels(2, width=9.8, height=3.5)
smallest = 1e-9
bins = np.logspace(-9, 2, 67)
differences.hist(np.maximum(apart.ravel(), smallest), bins=bins, color=colours.ACCENT)
differences.axvline(export.TOLERANCE, color=colours.DANGER, linewidth=1.4, linestyle=(0, (4, 4)))
differences.text(
    export.TOLERANCE * 1.4, differences.get_ylim()[1] * 0.93, "allowed", fontsize=9, color=colours.DANGER, va="top"
)
differences.set(
    title="PyTorch and ONNX Runtime: apart by",
    xlabel="difference of a score (equal ones at the left end)",
    ylabel="scores",
    xscale="log",
)
margins.hist(np.maximum(margin, smallest), bins=bins, color=colours.OK)
margins.set(
    title="Best action ahead of the second by", xlabel="difference of two scores", ylabel="observations", xscale="log"
)
lab.show(
    figure,
    "Two histograms on one logarithmic scale: on the left how far the two runtimes are apart, on the right by how "
    "much the best action is ahead of the second best.",
)
lab.say(
    f"{len(observations):,} observations: scores differ by at most **{apart.max():.1e}** (allowed: "
    f"{export.TOLERANCE:g}), values by at most {np.abs(values - torch_values).max():.1e}; the same action is best on "
    ""
    f"**{same_action.sum():,} of {len(same_action):,}**. The closest decision has a margin of {margin.min():.1e}, so "
    + (
        "no decision hangs on the last digits."
        if margin.min() > 10 * apart.max()
        else "a few decisions are close to a tie; all the same none has tipped."
    )
)

# %% [markdown] id=parity-file-text
# The same check, `check_parity`, runs at every export of the project, and a network that fails it is not written. It
# can fail: change one weight in a million-step training by a thousandth, and see.

# %% id=parity-fails
import copy

spoiled = copy.deepcopy(network)
with torch.no_grad():
    spoiled.actor[0][0].weight[0, 0] += 1e-3
try:
    export.check_parity(spoiled, raw, observations)
    lab.say("The check did not notice.")
except export.ExportError as refusal:
    lab.say(f"Refused: *{refusal}*.")
_ = export.check_parity(network, raw, observations)  # the right one passes

# %% [markdown] id=traps-text
# ## 5. Four traps, stepped into on purpose
#
# Each of these has cost somebody an afternoon. The cells show what happens, as it happens.

# %% id=traps
import contextlib
import os
import warnings


def plain_export(**options):
    """PyTorch's exporter as it comes, quietly."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return torch.onnx.export(
            network,
            (torch.zeros(2, 25),),
            dynamo=True,
            verbose=False,
            input_names=["observation"],
            output_names=["action_scores", "state_value"],
            **options,
        )


rows = []

# The batch of the example becomes part of the file.
frozen = plain_export(opset_version=18, external_data=False).model_proto.SerializeToString()
try:
    export.onnx_session(frozen).run(None, {"observation": observations[:7]})
    rows.append(["no `dynamic_shapes`", "seven observations are accepted"])
except Exception as refusal:
    said = next(line for line in str(refusal).splitlines() if line.strip())
    rows.append(
        [
            "no `dynamic_shapes`: exported with a batch of 2, asked for 7",
            f"{type(refusal).__name__}: {said[:110].replace('|', '/')}…",
        ]
    )

# Weights in a second file, which is left behind when the first one is copied.
with tempfile.TemporaryDirectory() as folder:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        plain_export(opset_version=18).save(str(Path(folder) / "policy.onnx"), external_data=True)
    rows.append(
        [
            "`external_data=True`",
            ", ".join(f"`{path.name}` {path.stat().st_size:,} bytes" for path in sorted(Path(folder).iterdir())),
        ]
    )

# What the exporter writes about the machine.
untouched = plain_export(opset_version=18, external_data=False).model_proto
notes = [prop.value for node in untouched.graph.node for prop in node.metadata_props]
with_paths = sum("site-packages" in note or ".py" in note for note in notes)
left = sum(len(node.metadata_props) for node in found.graph.node)
rows.append(
    [
        "exported as it comes",
        f"{len(notes)} notes, {with_paths} of them with paths of this machine; in ours {left}",
    ]
)

# NumPy makes float64 unless told otherwise.
try:
    session.run(None, {"observation": observations[:1].astype(np.float64)})
    rows.append(["float64 in", "accepted"])
except Exception as refusal:
    rows.append(["float64 in", f"{type(refusal).__name__}: {str(refusal).splitlines()[0][:110].replace('|', '/')}…"])

lab.table(["trap", "what happens"], rows)

# %% [markdown] id=time-text
# ## 6. How long does a decision take?
#
# The requirement is 50 ms for a step. Below: one call, for batches of several sizes, in PyTorch and in ONNX Runtime
# on one thread; the median of many calls.


# %% id=timing
def median_us(call, rounds):
    """Median duration of a call in microseconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - began)
    return float(np.median(times)) / 1_000


batches = (1, 4, 16, 64, 256, 1024)
timing = {"PyTorch": [], "ONNX Runtime": []}
for size in batches:
    batch = np.resize(observations, (size, 25))
    tensor = torch.from_numpy(batch)
    rounds = lab.by_budget(full=2_000, small=50)
    with torch.no_grad():
        timing["PyTorch"].append(median_us(lambda seen=tensor: network(seen), rounds))
    timing["ONNX Runtime"].append(median_us(lambda seen=batch: session.run(None, {"observation": seen}), rounds))

figure, (plot,) = panels(height=3.5)
for (name, times), colour in zip(timing.items(), (colours.WARN, colours.ACCENT), strict=True):
    plot.plot(batches, np.array(times) / batches, "o-", color=colour, markersize=5, label=name)
plot.set(
    title="Time for one observation",
    xlabel="observations in a call",
    ylabel="time per observation (µs)",
    xscale="log",
    yscale="log",
)
plot.set_xticks(batches, [f"{size:,}" for size in batches])
plot.minorticks_off()
plot.legend()
lab.show(
    figure,
    "Time for one observation over the number of observations in a call, on logarithmic axes, for PyTorch and ONNX "
    "Runtime; both fall as batches grow.",
)
lab.say(
    f"A single decision takes {timing['ONNX Runtime'][0]:.1f} µs in ONNX Runtime, {timing['PyTorch'][0]:.1f} µs in "
    f"PyTorch: {50_000 / timing['ONNX Runtime'][0]:,.0f} times less than the 50 ms allowed. "
    f"In a batch of {batches[-1]:,} an observation costs {timing['ONNX Runtime'][-1] / batches[-1]:.2f} µs."
)

# %% [markdown] id=play-text
# ## 7. Play with the file
#
# What is evaluated, shown and shipped is always the exported file, never the network in memory. So here too.

# %% id=play
members = load_set("validation").mazes[: lab.by_budget(full=500, small=40)]
told = figures(play_greedy(members, export.onnx_policy(raw), config.observation))
low, high = told.interval
lab.say(
    f"The exported file solves {told.successes} of {told.episodes} validation mazes (95 % interval {low:.1%} to "
    f"{high:.1%}), with a path efficiency of {told.spl:.3f}, after {STEPS:,} steps of training."
)

# %% [markdown] id=server-text
# ## 8. What the Go server needs
#
# A model is a folder of three files: the network; `manifest.json`, what people should know about it; and
# `parity.json`, some observations with PyTorch's answers. The server replays those before the model may act, so that
# a wrong library, a damaged file or an unusual processor is found *then*. `export.export` writes all three. Here is
# the folder of our network, and what each rule says about it and about the shipped ones:

# %% id=checks
import hashlib

from rlmaze_env.rules import OBSERVATION_SIZE

workshop = Path(tempfile.mkdtemp(prefix="rlmaze-notebook-"))
ours = export.export(model, config, "ml/configs/ppo-quick.yaml", "notebook-04", SEED, model.num_timesteps, workshop)


def checked(folder):
    """Every rule of the server on one model folder."""
    content = (folder / "policy.onnx").read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text())
    vectors = json.loads((folder / "parity.json").read_text())["vectors"]
    proto = onnx.load_from_string(content)
    shapes = {
        v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in (*proto.graph.input, *proto.graph.output)
    }
    asked = np.array([vector["observation"] for vector in vectors], np.float32)
    wanted = np.array([vector["action_scores"] for vector in vectors], np.float32)
    got = export.onnx_session(content).run(["action_scores"], {"observation": asked})[0]
    return [
        folder.name,
        "yes"
        if shapes
        == {"observation": ["batch", OBSERVATION_SIZE], "action_scores": ["batch", 4], "state_value": ["batch", 1]}
        else "**no**",
        "yes" if proto.opset_import[0].version == export.OPSET else "**no**",
        "yes" if not any(tensor.external_data for tensor in proto.graph.initializer) else "**no**",
        "yes" if hashlib.sha256(content).hexdigest() == manifest["sha256"] else "**no**",
        f"{np.abs(got - wanted).max():.0e} on {len(vectors)}",
        f"{(got.argmax(1) == wanted.argmax(1)).sum()} of {len(vectors)}",
    ]


shipped = sorted(path.parent for path in (lab.ROOT / "ml" / "models").glob("*/manifest.json"))
lab.table(
    [
        "model",
        "names, types, shapes",
        f"opset {export.OPSET}",
        "one file",
        "hash as in the manifest",
        "largest difference",
        "same best action",
    ],
    [checked(folder) for folder in (ours, *shipped)],
)

# %% [markdown] id=go-text
# ## 9. And now in Go
#
# [`go_onnx_validation/`](go_onnx_validation/README.md) is a program of two files that does nothing else: load the
# network with ONNX Runtime from Go, replay `parity.json`, say how well both agree and how long a call takes. Here it
# checks the folder that this notebook has just written.

# %% id=go
import onnxruntime

# The very library that ran above comes with the Python package; Go can load it too.
capi = Path(onnxruntime.__file__).parent / "capi"
library = next(
    (path for pattern in ("*.so.*", "*.dylib", "onnxruntime.dll") for path in sorted(capi.glob(pattern))), None
)
if shutil.which("go") is None or library is None:
    lab.say("There is no Go, or no shared library of ONNX Runtime, on this machine: this check was not made.")
else:
    answer = subprocess.run(
        [
            "go",
            "run",
            ".",
            "-model",
            str(ours),
            "-library",
            str(library),
            "-calls",
            str(lab.by_budget(full=20_000, small=200)),
        ],
        cwd=lab.EXPERIMENTS / "go_onnx_validation",
        env={**os.environ, "GOFLAGS": os.environ.get("GOFLAGS", "") + " -buildvcs=false"},
        capture_output=True,
        text=True,
    )
    print(answer.stdout.strip())
    assert answer.returncode == 0, answer.stderr
shutil.rmtree(workshop)

# %% [markdown] id=end
# That is the whole way of a policy: learned in Python, proven at the border, acting in Go. The server does the same
# at every registration and every start, with stricter rules for files of strangers; see
# `server/internal/infrastructure/onnx` and `ml/models/README.md`.
#
# Start the product with `make run` and watch one act.
