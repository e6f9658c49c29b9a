import { type SeenBoard, seenBoard } from "./board-colors";
import { expect, test } from "./inference";

/** An episode at a step that has a trail behind it and the goal still before it. */
const MAZE = { setId: "heldout", mazeId: "heldout-0001", autoNext: false, heat: "off", arrows: false } as const;

/** What must be told apart, and by how much lightness (L*, of 100). */
const apart: readonly (readonly [keyof SeenBoard, keyof SeenBoard, number])[] = [
  ["wall", "path", 6],
  ["path", "trail", 15],
  ["wall", "trail", 15],
  ["path", "goal", 15],
  ["wall", "goal", 20],
  ["path", "agent", 15],
  ["wall", "agent", 15],
  // Trail and agent have one colour and different shapes: the trail lies on its casing, the agent wears a ring.
  ["trail", "casing", 20],
  ["agent", "ring", 20],
  ["trail", "ring", 20],
  ["goal", "ring", 10],
];

for (const theme of ["dark", "light"] as const) {
  test(`colour-blind eyes tell wall, path, trail, agent and goal apart by lightness alone, ${theme}`, async ({
    inference,
    world,
  }) => {
    const { page } = inference;
    // The agent stands in its cell at once.
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.addInitScript((name) => localStorage.setItem("theme", name), theme);
    await inference.open(world, { ...MAZE, defaultSpeed: 4 });
    await inference.reach(8);
    await inference.stop.click();
    await inference.heldStep();
    const { maze } = (await (await page.request.get(`${world.page}/api/maze/${MAZE.mazeId}`)).json()) as {
      maze: { rows: string[] };
    };
    await page.mouse.move(0, 0);

    const session = await page.context().newCDPSession(page);
    for (const type of ["protanopia", "deuteranopia", "tritanopia", "achromatopsia"] as const) {
      await test.step(type, async () => {
        await session.send("Emulation.setEmulatedVisionDeficiency", { type });
        const seen = await seenBoard(inference, maze.rows);
        for (const [one, other, least] of apart) {
          const difference = Math.abs(seen[one] - seen[other]);
          expect.soft(difference, `${type}: ${one} and ${other} of ${JSON.stringify(seen)}`).toBeGreaterThan(least);
        }
      });
    }
  });
}
