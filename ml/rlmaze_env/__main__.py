"""Command line of the environment: `python -m rlmaze_env --help`."""

import argparse
import time

from rlmaze_env import conformance, mazeset


def main() -> None:
    """Runs one command."""
    parser = argparse.ArgumentParser(prog="python -m rlmaze_env", description="The maze environment: its files and its proof.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (("conformance", "the files that pin the law"), ("mazes", "the committed maze sets")):
        command = commands.add_parser(name, help=about)
        command.add_argument("verb", choices=["write"], help="write the files again")
    twin = commands.add_parser("twin-play", help="play random episodes and print `seed episodes steps digest`, as the Go server does")
    twin.add_argument("--seed", type=int, default=1)
    twin.add_argument("--steps", type=int, default=1_000_000, help="at least so many steps, whole episodes only")
    arguments = parser.parse_args()
    began = time.perf_counter()
    if arguments.command == "conformance":
        conformance.write()
    elif arguments.command == "mazes":
        mazeset.write_sets()
    else:
        episodes, steps, digest = conformance.twin_play(arguments.seed, arguments.steps)
        print(f"{arguments.seed} {episodes} {steps} {digest}")
        return
    print(f"{arguments.command}: written in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
