/** What is on each page, in one line. They are read in menus only, which are loaded when they are opened. */
export const placeLines: Readonly<Record<string, string>> = {
  "/": "Agents in mazes",
  "/training": "Start a run and watch it learn",
  "/experiments": "Runs compared",
  "/models": "Which one acts, and how good each is",
  "/leaderboard": "Models and baselines on the same mazes",
  "/episodes": "What ran, and whether it can be proven",
  "/gpu": "What the trainer's GPUs do",
  "/status": "Server, stores and log",
};
