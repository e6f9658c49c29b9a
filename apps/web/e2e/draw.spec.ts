import { readFileSync } from "node:fs";
import path from "node:path";
import { createClient } from "@connectrpc/connect";
import { InferenceService } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { createStreamTransport } from "@rlmaze/api-client/transport";
import { DrawingPage, expect, type Place, test } from "./drawing";
import { REPOSITORY, WEB_FOLDER } from "./places";
import { settled } from "./settled";

/** A way along the edge, and nothing in the middle. */
const open5 = ["S....", ".....", ".....", ".....", "....G"];
const row = (number: number, cols: number): Place[] => Array.from({ length: cols }, (_, col) => [number, col] as const);

test.describe("by hand", () => {
  test("the mouse draws walls along its way and takes them away again", async ({ drawing, world }) => {
    await drawing.open(world, open5);
    await drawing.tool("Wall");
    await drawing.drag([
      [1, 0],
      [1, 3],
    ]);
    await drawing.becomes(["S....", "####.", ".....", ".....", "....G"]);
    // A quick hand leaves no gap: between two events lie several cells.
    await drawing.drag([
      [3, 4],
      [3, 1],
    ]);
    await drawing.becomes(["S....", "####.", ".....", ".####", "....G"]);
    await drawing.tool("Erase");
    await drawing.drag([
      [1, 0],
      [1, 1],
    ]);
    await drawing.becomes(["S....", "..##.", ".....", ".####", "....G"]);
    // The right button does the opposite of the tool.
    await drawing.drag(
      [
        [0, 4],
        [0, 4],
      ],
      "right",
    );
    await drawing.becomes(["S...#", "..##.", ".....", ".####", "....G"]);
  });

  test("a finger and a pen draw too", async ({ browser, world }) => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const page = await context.newPage();
    const drawing = new DrawingPage(page);
    await drawing.open(world, open5);
    await drawing.touch(row(1, 4));
    await drawing.becomes(["S....", "####.", ".....", ".....", "....G"]);
    expect(await page.evaluate(() => window.scrollY), "a drag on the board scrolls nothing").toBe(0);
    await drawing.tool("Erase");
    await drawing.pen([
      [1, 0],
      [1, 2],
    ]);
    await drawing.becomes(["S....", "...#.", ".....", ".....", "....G"]);
    await context.close();
  });

  test("start and goal are dragged with any tool, open the wall they are put on, and never lie on each other", async ({
    drawing,
    world,
  }) => {
    await drawing.open(world, ["S....", "####.", ".....", ".####", "....G"]);
    await drawing.tool("Wall");
    await drawing.drag([
      [0, 0],
      [1, 0],
      [1, 2],
    ]);
    // Only the wall that it was let go on is open.
    await drawing.becomes([".....", "##S#.", ".....", ".####", "....G"]);
    await drawing.drag([
      [4, 4],
      [1, 2],
    ]);
    const marks = (await drawing.rows()).join("");
    expect([marks.split("S").length, marks.split("G").length]).toEqual([2, 2]);
    await drawing.tool("Start");
    await drawing.drag([[0, 4]]);
    await expect.poll(async () => (await drawing.rows())[0]).toBe("....S");
  });

  test("Escape gives a drag up, and a drag is one step back", async ({ drawing, page, world }) => {
    await drawing.open(world, open5);
    await drawing.drag(row(2, 5));
    await drawing.becomes(["S....", ".....", "#####", ".....", "....G"]);
    await drawing.button("Undo").click();
    await drawing.becomes(open5);
    await page.keyboard.press("Control+Shift+z");
    await drawing.becomes(["S....", ".....", "#####", ".....", "....G"]);
    await page.keyboard.press("Control+z");
    await drawing.becomes(open5);

    const [from, to] = [await drawing.pointOf([2, 0]), await drawing.pointOf([2, 3])];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 4 });
    await page.keyboard.press("Escape");
    await page.mouse.up();
    await page.waitForTimeout(500);
    expect(await drawing.rows()).toEqual(open5);
  });
});

test.describe("whether it can be solved", () => {
  test("is said while the button is still down, with what cannot be reached, and is mended by one press", async ({
    drawing,
    page,
    world,
  }) => {
    await drawing.open(world, open5);
    await expect(drawing.verdict).toHaveText("Solvable");
    const points = await Promise.all(row(2, 5).map((cell) => drawing.pointOf(cell)));
    await page.mouse.move(points[0]?.x ?? 0, points[0]?.y ?? 0);
    await page.mouse.down();
    for (const point of points.slice(1)) await page.mouse.move(point.x, point.y);
    // Nothing was let go, nobody was asked: the page says it in the frame of the last wall.
    await expect(drawing.verdict).toHaveText("No way to the goal", { timeout: 1_000 });
    await page.mouse.up();
    await expect(page.getByText("10 cells (hatched) cannot be reached from the start.")).toBeVisible();
    await expect(drawing.button("Run")).toBeDisabled();
    const hatched = await drawing.board
      .locator("canvas")
      .nth(1)
      .evaluate((canvas: HTMLCanvasElement) => {
        const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        let count = 0;
        for (let at = 3; at < data.length; at += 4) if ((data[at] ?? 0) > 0) count++;
        return count;
      });
    expect(hatched).toBeGreaterThan(1_000);

    await drawing.button("Open the wall in the way").click();
    await expect(drawing.verdict).toHaveText("Solvable");
    await expect(drawing.button("Run")).toBeEnabled();
  });

  test("agrees with the server, which also knows a maze of a set however it is turned", async ({
    drawing,
    page,
    world,
  }) => {
    const { mazes } = JSON.parse(readFileSync(path.join(REPOSITORY, "ml/mazes/puzzles.json"), "utf8")) as {
      mazes: { maze_id: string; rows: string[]; shortest_path: number }[];
    };
    const [puzzle] = mazes;
    if (puzzle === undefined) throw new Error("no puzzle");
    await drawing.open(world, puzzle.rows);
    await expect(page.getByText(`Shortest path${puzzle.shortest_path}`)).toBeVisible();
    await drawing.page.getByRole("tab", { name: "Shape" }).click();
    await drawing.button("Turn").click();
    await drawing.button("Mirror").click();
    await expect(page.getByText(`The same maze as ${puzzle.maze_id}`)).toBeVisible();
    await expect(page.getByText(`Shortest path${puzzle.shortest_path}`)).toBeVisible();
  });
});

test("sizes go from 5 to 50, and what a smaller size cut off comes back", async ({ drawing, page, world }) => {
  await drawing.open(world);
  await page.getByRole("tab", { name: "Shape" }).click();
  const rows = page.getByRole("slider", { name: "Rows" });
  const cols = page.getByRole("slider", { name: "Columns" });
  await rows.fill("50");
  await cols.fill("50");
  await expect.poll(() => drawing.size()).toEqual({ rows: 50, cols: 50 });
  await expect.poll(async () => new URL(page.url()).search.length).toBeLessThan(500);
  await rows.fill("5");
  await cols.fill("5");
  await expect.poll(() => drawing.size()).toEqual({ rows: 5, cols: 5 });
  await expect(drawing.verdict).toBeVisible();
  await drawing.button("Undo").click();
  await drawing.button("Undo").click();
  await expect.poll(() => drawing.size()).toEqual({ rows: 50, cols: 50 });
});

test("clear, fill, invert, turn, mirror and flip do what they say", async ({ drawing, page, world }) => {
  await drawing.open(world, ["S#...", ".#...", ".#...", ".#...", "...#G"]);
  await page.getByRole("tab", { name: "Shape" }).click();
  await drawing.button("Invert").click();
  await drawing.becomes(["S.###", "#.###", "#.###", "#.###", "###.G"]);
  await drawing.button("Turn").click();
  await drawing.becomes(["####S", "#....", "#####", ".####", "G####"]);
  await drawing.button("Mirror").click();
  await drawing.becomes(["S####", "....#", "#####", "####.", "####G"]);
  await drawing.button("Flip").click();
  await drawing.becomes(["####G", "####.", "#####", "....#", "S####"]);
  await drawing.button("Fill").click();
  await drawing.becomes(["####G", "#####", "#####", "#####", "S####"]);
  await drawing.button("Clear").click();
  await drawing.becomes(["....G", ".....", ".....", ".....", "S...."]);
  for (let back = 0; back < 6; back++) await page.keyboard.press("Control+z");
  await drawing.becomes(["S#...", ".#...", ".#...", ".#...", "...#G"]);
});

test("the keyboard alone draws a maze and says what it did", async ({ drawing, page, world }) => {
  await drawing.open(world, open5);
  const said = page.getByRole("status").filter({ hasText: /^Row|^Start and goal/ });
  await drawing.board.focus();
  await page.keyboard.press("ArrowDown");
  await expect(said).toHaveText("Row 0, column 0: start.");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await expect(said).toHaveText("Row 1, column 0: now wall. Solvable in 8 steps.");
  for (let cell = 0; cell < 4; cell++) await page.keyboard.press("Shift+ArrowRight");
  await expect(said).toHaveText("Row 1, column 4: now wall. Not solvable.");
  await drawing.becomes(["S....", "#####", ".....", ".....", "....G"]);
  await page.keyboard.press("Space");
  await expect(said).toHaveText("Row 1, column 4: now path. Solvable in 8 steps.");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("g");
  await expect(said).toHaveText("Row 2, column 0: now goal. Solvable in 10 steps.");
  await page.keyboard.press("End");
  await page.keyboard.press("s");
  await drawing.becomes([".....", "####.", "G...S", ".....", "....."]);
  await page.keyboard.press("Space");
  await expect(said).toHaveText("Start and goal stay open. Move them with S and G.");
});

test.describe("something to begin with", () => {
  test("is a maze of a set, found by its number", async ({ drawing, page, world }) => {
    await drawing.open(world);
    await page.getByRole("tab", { name: "Start from" }).click();
    await drawing.button(/From a set or a puzzle/).click();
    const dialog = page.getByRole("dialog", { name: "Choose a maze" });
    await expect(dialog.getByText(/must not be entered again/), "a puzzle says what it tests").toBeVisible();
    await dialog.getByRole("combobox", { name: "Maze set" }).click();
    await page.getByRole("option", { name: /^heldout/ }).click();
    await dialog.getByRole("searchbox").fill("977");
    await dialog.getByRole("button", { name: /heldout-0977/ }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByText("The same maze as heldout-0977")).toBeVisible();
  });

  test("is a generated one, shown before it is taken", async ({ drawing, page, world }) => {
    await drawing.open(world);
    await page.getByRole("tab", { name: "Start from" }).click();
    await page.getByRole("slider", { name: "Size" }).fill("15");
    await page.getByRole("textbox", { name: "Seed" }).fill("42");
    await expect(page.getByText("generated-15x15-42")).toBeVisible();
    await drawing.button("Draw on this one").click();
    await expect.poll(() => drawing.size()).toEqual({ rows: 15, cols: 15 });
    const answer = await page.request.get(`${world.page}/api/maze/generated-15x15-42`);
    const { maze } = (await answer.json()) as { maze: { rows: string[] } };
    await drawing.becomes(maze.rows);
    await drawing.button("Undo").click();
    await expect.poll(() => drawing.size()).toEqual({ rows: 10, cols: 10 });
  });
});

test.describe("any policy runs in it at once", () => {
  for (const { choice, policy } of [
    { choice: "The active model", policy: { case: "modelId", value: "" } },
    { choice: "DQN with memory", policy: { case: "modelId", value: "dqn-memory-1" } },
    { choice: "Wall follower", policy: { case: "baseline", value: 2 } },
  ] as const) {
    test(`${choice}, with the server's own result`, async ({ drawing, page, world }) => {
      const rows = ["S#.....", ".#.###.", ".#.#.#.", ".#.#.#.", ".#.#.#.", "...#..G", "##....."];
      await drawing.open(world, rows);
      await page.getByRole("combobox", { name: "Who runs" }).click();
      await page.getByRole("option", { name: choice }).click();
      await page.getByRole("radio", { name: "As fast as possible" }).click();
      await drawing.button("Run").click();
      await expect(drawing.runLine).toContainText("reached the goal in");
      const client = createClient(InferenceService, createStreamTransport({ serverUrl: world.serverUrl }));
      let steps = 0;
      for await (const { event } of client.runEpisode({
        maze: { maze: { case: "drawn", value: { rows } } },
        policy: { policy },
      })) {
        if (event.case === "finished") steps = event.value.steps;
      }
      await expect(drawing.runLine).toContainText(`in ${steps} steps`);
      await expect(drawing.board).toHaveAttribute(
        "aria-label",
        new RegExp(`Agent at row 5, column 6, step ${steps}\\.`),
      );
    });
  }

  test("a change takes the agent out, and on wish it runs again by itself", async ({ drawing, page, world }) => {
    await drawing.open(world, open5);
    await page.getByRole("radio", { name: "As fast as possible" }).click();
    await page.getByRole("switch", { name: "Again after every change" }).click();
    await expect(drawing.runLine).toContainText("the shortest path is 8");
    await expect(drawing.runLine).toContainText("reached the goal");
    await drawing.drag([
      [4, 3],
      [1, 3],
    ]);
    await expect(drawing.board).not.toHaveAttribute("aria-label", /Agent/);
    await expect(drawing.runLine).toContainText("reached the goal");
    await drawing.becomes(["S....", "...#.", "...#.", "...#.", "...#G"]);
  });

  test("what the server refuses is said in place, with the field", async ({ drawing, page, world }) => {
    await page.goto(`${world.page}/draw?mode=draw&model=nobody-1&drawn=5x5.0.24.AAAAA&seed=1&step=3&v=1`);
    await expect(drawing.runLine).toContainText("policy.model_id");
    await drawing.becomes(open5);
    await page.getByRole("combobox", { name: "Who runs" }).click();
    await page.getByRole("option", { name: "The active model" }).click();
    await expect(drawing.runLine).toContainText(/at step|reached the goal/);
  });

  test("it goes on to the other modes as it is", async ({ drawing, page, world, inference }) => {
    await drawing.open(world, ["S....", "####.", ".....", ".####", "....G"]);
    await drawing.page.getByRole("link", { name: "Watch", exact: true }).last().click();
    await expect(inference.board).toBeVisible();
    expect(await inference.size()).toEqual({ rows: 5, cols: 5 });
    await page.goBack();
    await expect(drawing.board).toBeVisible();
    await drawing.becomes(["S....", "####.", ".....", ".####", "....G"]);
    await page.getByRole("navigation", { name: "This maze in" }).getByRole("link", { name: "Race" }).click();
    await expect(page).toHaveURL(/\/race\?mode=race&lane=.*&drawn=5x5/);
  });
});

test("rows are pasted, and what is wrong with them is said line by line", async ({ drawing, page, world }) => {
  await drawing.open(world);
  await expect.poll(async () => (await drawing.rows()).length).toBeGreaterThan(0);
  const before = await drawing.rows();
  await page.getByRole("tab", { name: "Text" }).click();
  const text = page.getByRole("textbox", { name: /One line a row/ });
  await text.fill("S....\n..?..\n....\n.....\n.....");
  await expect(page.getByText("Line 2: Column 3 is “?”.")).toBeVisible();
  await expect(page.getByText("Line 3: 4 cells, where the first row has 5.")).toBeVisible();
  await expect(drawing.button("Draw this")).toBeDisabled();
  expect(await drawing.rows()).toEqual(before);
  await text.fill('["S....", ".###.", ".....", ".####", "....G"]');
  await drawing.button("Draw this").click();
  await drawing.becomes(["S....", ".###.", ".....", ".####", "....G"]);
  await expect(text).toHaveValue("S....\n.###.\n.....\n.####\n....G");
});

test("drawings are kept by name, renamed, deleted and brought back, over a reload", async ({
  drawing,
  page,
  world,
}) => {
  await drawing.open(world, ["S....", ".###.", ".....", ".####", "....G"]);
  await page.getByRole("tab", { name: "My mazes" }).click();
  await page.getByRole("textbox", { name: "Keep this drawing as" }).fill("Hook");
  await drawing.button("Keep").click();
  await expect(page.getByText("Kept as “Hook”.")).toBeVisible();
  await drawing.button("Rename Hook").click();
  await page.getByRole("textbox", { name: "New name of Hook" }).fill("Fish hook");
  await page.keyboard.press("Enter");
  await page.reload();
  await drawing.becomes(["S....", ".###.", ".....", ".####", "....G"]);
  await page.getByRole("tab", { name: "Shape" }).click();
  await drawing.button("Clear").click();
  await page.getByRole("tab", { name: "My mazes" }).click();
  await page.getByRole("button", { name: /^Fish hook/ }).click();
  await drawing.becomes(["S....", ".###.", ".....", ".####", "....G"]);
  await drawing.button("Delete Fish hook").click();
  await expect(page.getByText("Nothing is kept yet.")).toBeVisible();
  await page.getByRole("status").getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("button", { name: /^Fish hook/ })).toBeVisible();
});

test("without the server one draws on, and is told that the page judges alone", async ({ drawing, page, world }) => {
  await drawing.open(world, open5);
  world.server.signal("SIGKILL");
  await drawing.drag(row(2, 5));
  await expect(drawing.verdict).toHaveText("No way to the goal");
  await drawing.button("Undo").click();
  await expect(drawing.verdict).toHaveText("Solvable");
  await page.getByRole("tab", { name: "Shape" }).click();
  await drawing.drag(row(1, 2));
  await expect(page.getByText("The server does not answer; this page judged alone.")).toBeVisible();
  await world.restartServer();
  await expect(page.getByText("In no set: new to every model")).toBeVisible();
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true });

  test("everything is reached, large enough for a finger, and nothing is wider than the screen", async ({
    drawing,
    page,
    world,
  }) => {
    await drawing.open(world, open5);
    for (const tab of ["Shape", "Start from", "My mazes", "Text"]) {
      await page.getByRole("tab", { name: tab }).click();
      await expect(page.getByRole("tabpanel", { name: tab })).toBeVisible();
      await page.waitForTimeout(300);
      const small = await page.evaluate(() => {
        const shown = [
          ...document.querySelectorAll<HTMLElement>("main button, main a, main input, main [role=switch]"),
        ];
        return shown.flatMap((element) => {
          const { width, height } = element.getBoundingClientRect();
          if (width === 0 || height === 0) return [];
          const label = element.getAttribute("aria-label") ?? element.textContent;
          return height < 43.5 || width < 24 ? [`${label}: ${width.toFixed(0)} × ${height.toFixed(0)}`] : [];
        });
      });
      // A switch is as tall as the row that it stands in; the row is what the finger meets.
      expect(
        small.filter((entry) => !/^Again|^null|^:/.test(entry)),
        tab,
      ).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    }
    await drawing.button("Run").scrollIntoViewIfNeeded();
    await drawing.button("Run").click();
    await expect(drawing.runLine).toContainText("reached the goal");
  });
});

const axe = readFileSync(path.join(WEB_FOLDER, "node_modules/axe-core/axe.min.js"), "utf8");

for (const theme of ["dark", "light"] as const) {
  for (const width of [1440, 390]) {
    test(`has no breach of accessibility, ${theme}, ${width} wide`, async ({ drawing, page, world }) => {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      await page.emulateMedia({ reducedMotion: "reduce" });
      await page.addInitScript((value) => localStorage.setItem("theme", value), theme);
      await drawing.open(world, open5);
      await page.evaluate(axe);
      const expectNone = async (state: string) => {
        await settled(page);
        const found = await page.evaluate(async () => {
          const { axe: tester } = window as unknown as {
            axe: {
              run(): Promise<{ violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] }>;
            };
          };
          const { violations } = await tester.run();
          return violations.flatMap(({ id, nodes }) =>
            nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary.replace(/\s+/g, " ")}`),
          );
        });
        expect(found, state).toEqual([]);
      };
      for (const tab of ["Shape", "Start from", "My mazes", "Text"]) {
        await page.getByRole("tab", { name: tab }).click();
        await expect(page.getByRole("tabpanel", { name: tab })).toBeVisible();
        if (tab === "My mazes") await drawing.button("Keep").click();
        if (tab === "Text") await page.getByRole("textbox", { name: /One line/ }).fill("S?");
        await expectNone(tab);
      }
      await drawing.drag(row(2, 5));
      await expect(drawing.verdict).toHaveText("No way to the goal");
      await expectNone("not solvable");
      await page.keyboard.press("Control+z");
      await page.getByRole("radio", { name: "As fast as possible" }).click();
      await drawing.button("Run").click();
      await expect(drawing.runLine).toContainText("reached the goal");
      await expectNone("after a run");
      await page.getByRole("button", { name: "Share" }).first().click();
      await expect(page.getByRole("dialog", { name: "Share" })).toBeVisible();
      await expectNone("share");
    });
  }
}
