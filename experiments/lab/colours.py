"""The colours of the product's dark page (`apps/web/app/globals.css`, kept equal by a test).

Figures carry their own dark panel, so they read the same on a white and on a black page.
"""

PANEL = "#101217"
RAISED = "#17191f"
ACTIVE = "#20242b"
LINE = "#23272e"
LINE_STRONG = "#383d47"
TEXT = "#eef0f4"
TEXT_2 = "#b1b6bf"
TEXT_3 = "#8b919c"
ACCENT = "#50cde8"
OK = "#41dca5"
WARN = "#f7bc50"
DANGER = "#fd7273"
CHART_GRID = "#1c2027"

MAZE_WALL = "#07080c"
MAZE_PATH = "#272e3d"
MAZE_START = "#7cc4ff"
MAZE_GOAL = "#ffc24b"
MAZE_AGENT = "#ff5c8a"
MAZE_AGENT_RING = "#ffffff"
MAZE_CASING = "#0a0c11"
HEAT_VISITS_LOW = "#302c57"
HEAT_VISITS_HIGH = "#12aea8"
HEAT_VALUE_LOW = "#3a2659"
HEAT_VALUE_HIGH = "#8fb43f"

# Meaning is fixed through all notebooks: grey never learns, cyan is PPO or the subject, amber DQN or the second.
RANDOM = TEXT_3
PPO = ACCENT
DQN = WARN
