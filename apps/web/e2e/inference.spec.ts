import { DARK_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import { expect, test } from "./inference";

/** At least 224 steps, whatever the model: still under way when a busy machine gets to the next click. */
const LONG = { autoNext: false, setId: "large30", mazeId: "large30-02" } as const;

test.describe("a first visit", () => {
  test("shows an agent that moves, with no click, and gets to the goal of a maze that it has never seen", async ({
    inference,
    world,
  }) => {
    await inference.open(world);
    await inference.reach(1);
    const first = await inference.place();
    await inference.reach((await inference.step()) + 3);
    expect(await inference.place()).not.toEqual(first);
    await expect(inference.status).toContainText("Python + Go Backend ● Connected");
    await expect(inference.page.getByText("It has never seen this maze.")).toBeVisible();
    await inference.speed("Max").click();
    await expect(inference.result).toContainText("Reached the goal");
  });

  test("names what the shapes mean", async ({ inference, world }) => {
    await inference.open(world);
    const legend = inference.page.getByRole("list", { name: "Legend" });
    for (const name of ["Wall", "Path", "Start", "Goal", "Agent", "Visited"]) await expect(legend).toContainText(name);
  });
});

test.describe("playback", () => {
  test("stops, keeps the place, and goes on with the next step", async ({ inference, world }) => {
    await inference.open(world, { ...LONG, defaultSpeed: 5 });
    await inference.reach(5);
    await inference.stop.click();
    const held = await inference.heldStep();
    await inference.page.waitForTimeout(600);
    expect(await inference.step()).toBe(held);

    await inference.play.click();
    await inference.reach(held + 4);
    await inference.stop.click();
    await inference.heldStep();
    const steps = (await inference.log()).map((row) => row.step);
    expect(steps[0]).toBe(await inference.step());
    for (let at = 1; at < steps.length; at++) expect(steps[at]).toBe((steps[at - 1] ?? 0) - 1);
  });

  test("resets to the start, where nothing runs", async ({ inference, world }) => {
    await inference.open(world, { ...LONG, defaultSpeed: 5, arrows: false });
    await inference.reach(3);
    await inference.reset.click();
    await expect.poll(() => inference.step()).toBe(0);
    await inference.page.waitForTimeout(500);
    expect(await inference.step()).toBe(0);
    const place = await inference.place();
    await expect.poll(() => inference.drawnPlace()).toMatchObject({ row: place.row, col: place.col });
    await inference.play.click();
    await inference.reach(2);
  });

  test("runs at the speed that was asked for, while it runs too", async ({ inference, world }) => {
    await inference.open(world, { ...LONG, defaultSpeed: 1 });
    await inference.reach(1);
    // Never faster than asked; how much slower is the machine's affair. What a busy one held back may come at once.
    const pace = async (steps: number) => {
      const began = { step: await inference.step(), at: Date.now() };
      await inference.reach(began.step + steps, 60_000);
      return ((await inference.step()) - began.step) / ((Date.now() - began.at) / 1000);
    };
    expect(await pace(3)).toBeLessThan(2);
    await inference.speed("16").click();
    await inference.reach((await inference.step()) + 2);
    const faster = await pace(40);
    expect(faster).toBeGreaterThan(2);
    expect(faster).toBeLessThan(32);

    await inference.speed("Max").click();
    await expect(inference.result).toContainText("Reached the goal");
  });

  test("takes single steps forward and back", async ({ inference, world }) => {
    await inference.open(world, { ...LONG, defaultSpeed: 5 });
    await inference.reach(3);
    await inference.stop.click();
    const held = await inference.heldStep();
    const place = await inference.place();
    await inference.page.getByRole("button", { name: "Single step" }).click();
    await expect.poll(() => inference.step()).toBe(held + 1);
    await inference.page.getByRole("button", { name: "Step back" }).click();
    await expect.poll(() => inference.place()).toEqual(place);
  });

  test("is under the keyboard's control", async ({ inference, world }) => {
    await inference.open(world, { ...LONG, defaultSpeed: 5 });
    await inference.reach(2);
    await inference.page.keyboard.press("Space");
    const held = await inference.heldStep();
    await inference.page.keyboard.press("ArrowRight");
    await expect.poll(() => inference.step()).toBe(held + 1);
    await inference.page.keyboard.press("ArrowLeft");
    await expect.poll(() => inference.step()).toBe(held);
    await inference.page.keyboard.press("?");
    await expect(inference.page.getByRole("dialog")).toBeVisible();
  });
});

test.describe("the picture, the metrics and the log", () => {
  test("agree at the end of an episode, and at any step one looks back to", async ({ inference, world }) => {
    await inference.open(world, { autoNext: false, defaultSpeed: 0, arrows: false });
    await expect(inference.result).toContainText("Reached the goal");
    const [last] = await inference.log();
    const step = await inference.step();
    expect(last?.step).toBe(step);
    await expect(inference.result).toContainText(`${step} steps`);
    await expect(inference.result).toContainText(last?.cumulative ?? "?");
    expect(await inference.place()).toEqual({ row: last?.row, col: last?.col, step });
    await expect.poll(() => inference.drawnPlace()).toMatchObject({ row: last?.row, col: last?.col });
    await expect(inference.page.getByText(`total ${last?.cumulative}`)).toBeVisible();
    await expect(inference.page.getByText(`at (${last?.row}, ${last?.col})`)).toBeVisible();
    await expect(inference.fact("Outcome")).toHaveText("reached the goal");
    await expect(inference.logged).toHaveText("written");

    const earlier = (await inference.log())[3];
    await inference.page
      .getByRole("row")
      .filter({ hasText: `${earlier?.row}, ${earlier?.col}` })
      .first()
      .click();
    const shown = await inference.place();
    await expect.poll(() => inference.drawnPlace()).toMatchObject({ row: shown.row, col: shown.col });
    expect(shown.step).toBeLessThan(step);
  });

  test("have an arrow for every cell, a heat of visits and one of values", async ({ inference, world }) => {
    await inference.open(world, {
      autoNext: false,
      defaultSpeed: 3,
      // Ten cells wide: arrows are thick enough to have pixels of exactly their colour.
      setId: "heldout",
      mazeId: "heldout-0001",
      arrows: false,
      trail: false,
      heat: "off",
    });
    await inference.reach(8);
    await inference.stop.click();
    const { arrowLight, path } = DARK_MAZE_THEME;
    expect(await inference.pixels(0, arrowLight)).toBe(0);
    const plain = await inference.pixels(0, path);

    await inference.page.getByRole("switch", { name: "Policy" }).click();
    await expect.poll(() => inference.pixels(0, arrowLight)).toBeGreaterThan(100);

    await inference.page.getByRole("switch", { name: "Policy" }).click();
    await inference.page.getByRole("radio", { name: "Visits" }).click();
    await expect.poll(() => inference.pixels(0, path)).toBeLessThan(plain);
    await expect(inference.page.getByRole("img", { name: /^Visits, log, from 1 to/ })).toBeVisible();

    await inference.page.getByRole("radio", { name: "Value" }).click();
    await expect.poll(() => inference.pixels(0, path)).toBe(0);
    await expect(inference.page.getByRole("img", { name: /^Value V\(s\), from/ })).toBeVisible();
  });

  test("show the trail only while it is wanted", async ({ inference, world }) => {
    await inference.open(world, { ...LONG, defaultSpeed: 5, arrows: false });
    await inference.reach(6);
    await inference.stop.click();
    await inference.page.waitForTimeout(300);
    const withTrail = await inference.pixels(1, DARK_MAZE_THEME.trail);
    await inference.page.getByRole("switch", { name: "Trail" }).click();
    await expect.poll(() => inference.pixels(1, DARK_MAZE_THEME.trail)).toBeLessThan(withTrail);
  });
});

test.describe("Config", () => {
  test("switches the model that acts", async ({ inference, world }) => {
    await inference.open(world, { autoNext: false, defaultSpeed: 10 });
    await inference.reach(1);
    await inference.openConfig();
    const panel = inference.page.getByRole("tabpanel", { name: "Config" });
    const select = panel.getByRole("combobox", { name: "Model" });
    const before = (await select.textContent())?.trim() ?? "";
    await select.click();
    const options = inference.page.getByRole("option");
    const others = options.filter({ hasNotText: before }).filter({ hasNotText: "broken" });
    const name = /[a-z]+-[a-z]+-\d+/.exec((await others.first().textContent()) ?? "")?.[0] ?? "";
    await others.first().click();
    expect(name).not.toBe("");
    await expect(select).toContainText(name);
    // The panel names the policy of the episode that is shown; until the new one begins a reload would bring back the one before.
    await expect(inference.page.getByRole("region", { name: "Playback" })).toContainText(name);
    await inference.reach(1);
    await expect(inference.page.getByRole("banner").getByRole("combobox", { name: "Model" })).toContainText(name);
    await inference.page.reload();
    await inference.reach(1);
    await expect(inference.page.getByRole("banner").getByRole("combobox", { name: "Model" })).toContainText(name);
  });

  test("chooses a maze of a set and generates one from a seed", async ({ inference, world }) => {
    await inference.open(world, { autoNext: false, defaultSpeed: 10 });
    await inference.openConfig();
    const choose = inference.page
      .getByRole("tabpanel", { name: "Config" })
      .getByRole("button", { name: /shortest path/ });
    await choose.click();
    const dialog = inference.page.getByRole("dialog", { name: "Choose a maze" });
    await dialog.getByRole("combobox", { name: "Maze set" }).click();
    await inference.page.getByRole("option", { name: /^puzzles/ }).click();
    const first = dialog.getByRole("button", { name: /steps/ }).first();
    const title = (await first.locator("span:not(:has(span))").first().textContent()) ?? "";
    await first.click();
    await expect(dialog).toBeHidden();
    await expect(inference.board).toHaveAttribute("aria-label", new RegExp(`^Maze ${title.replace(/[()]/g, ".")},`));
    await inference.reach(1);

    await choose.click();
    await dialog.getByRole("tab", { name: "Generate" }).click();
    await dialog.getByRole("textbox", { name: "Seed" }).fill("7");
    await dialog.getByRole("button", { name: "Generate and run" }).click();
    await expect(inference.board).toHaveAttribute("aria-label", /^Maze generated-10x10-7,/);
    await inference.reach(1);
  });

  test("refuses a seed that is none, beside its field", async ({ inference, world }) => {
    await inference.open(world, { autoNext: false });
    await inference.openConfig();
    const seed = inference.page.getByRole("textbox", { name: "Seed of the episode" });
    await seed.fill("18446744073709551616");
    await expect(seed).toHaveAttribute("aria-invalid", "true");
    await expect(inference.page.getByRole("button", { name: "Use" })).toBeDisabled();
    await seed.fill("18446744073709551615");
    await inference.page.getByRole("button", { name: "Use" }).click();
    await inference.openMetrics();
    await expect(inference.fact("Seed")).toHaveText("18446744073709551615");
  });
});
