import { expect, test } from "./inference";
import { modeRoutes } from "./routes";

const LONG = { autoNext: false, setId: "large30", mazeId: "large30-02", defaultSpeed: 5 } as const;
const modeNames = ["Watch", "Race", "Differences", "Draw"] as const;

test.describe("the modes", () => {
  test("are beside one another in the header, and the one that is open is marked", async ({ page, world }) => {
    await page.goto(world.page);
    const modes = page.getByRole("navigation", { name: "Modes" });
    for (const [at, name] of modeNames.entries()) {
      await modes.getByRole("link", { name, exact: true }).click();
      await expect(page).toHaveURL((url) => url.pathname === modeRoutes[at]);
      await expect(modes.getByRole("link", { name, exact: true })).toHaveAttribute("aria-current", "page");
      await expect(modes.locator("[aria-current]")).toHaveCount(1);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    }
  });

  test("fit a phone: one row of header, everything in the menu of the title, 44 pixels to touch", async ({
    page,
    world,
  }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(world.page);
    await page.getByRole("button", { name: "Watch, menu" }).click();
    const menu = page.getByRole("dialog", { name: "Modes and more" });
    for (const name of modeNames) await expect(menu.getByRole("link", { name })).toBeVisible();
    for (const control of await menu.locator("a, button").all()) {
      expect((await control.boundingBox())?.height ?? 0).toBeGreaterThanOrEqual(44);
    }
    await menu.getByRole("button", { name: "Light theme" }).click();
    await expect(page.locator("html")).toHaveClass(/light/);
    await menu.getByRole("link", { name: "Race" }).click();
    await expect(page).toHaveURL(/\/race/);
    await expect(menu).toBeHidden();
    expect((await page.getByRole("banner").boundingBox())?.height).toBe(56);
  });
});

test.describe("the command palette", () => {
  test("does what the page offers, found by typing", async ({ inference, world }) => {
    const { page } = inference;
    await inference.open(world, LONG);
    await inference.reach(2);
    await page.keyboard.press("Control+k");
    const palette = page.getByRole("dialog", { name: "Commands" });
    await expect(palette.getByRole("option").first()).toBeVisible();
    await page.keyboard.type("stop");
    await page.keyboard.press("Enter");
    await expect(palette).toBeHidden();
    await expect(inference.play).toBeVisible();

    await page.keyboard.press("Meta+k");
    await expect(palette.getByRole("option").first()).toBeVisible();
    await page.keyboard.type("light theme");
    await page.keyboard.press("Enter");
    await expect(page.locator("html")).toHaveClass(/light/);

    await page.getByRole("button", { name: "Commands" }).click();
    await expect(palette.getByRole("option").first()).toBeVisible();
    await page.keyboard.type("differences");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/\/difference/);
  });

  test("opens a list of its own to choose from, and goes back", async ({ inference, world }) => {
    const { page } = inference;
    await inference.open(world, LONG);
    await page.keyboard.press("Control+k");
    const palette = page.getByRole("dialog", { name: "Commands" });
    await palette.getByRole("option", { name: "Model", exact: true }).click();
    await expect(palette.getByRole("button", { name: "Model" })).toBeVisible();
    await expect(palette.getByRole("option", { name: "Race" })).toBeHidden();
    await page.keyboard.press("Escape");
    await expect(palette.getByRole("option", { name: "Race" })).toBeVisible();
    // Whoever knows the name need not open the list.
    await page.keyboard.type("ppo-plain-1");
    await palette.getByRole("option").filter({ hasText: "Model ›" }).first().click();
    await expect(page.getByRole("banner").getByRole("combobox", { name: "Model" })).toContainText("ppo-plain-1");
  });

  test("says so when nothing is called that, and gives the focus back", async ({ inference, world }) => {
    const { page } = inference;
    await inference.open(world, LONG);
    const button = page.getByRole("button", { name: "Commands" });
    await button.focus();
    await page.keyboard.press("Enter");
    const palette = page.getByRole("dialog", { name: "Commands" });
    await expect(palette.getByRole("option").first()).toBeVisible();
    await page.keyboard.type("kettle");
    await expect(page.getByText("Nothing here is called that.")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(palette).toBeHidden();
    await expect(button).toBeFocused();
  });
});

test("the help sheet lists the keys of the page that is open", async ({ page, world }) => {
  for (const [path, words] of [
    ["/", "Play or stop"],
    ["/race", "Play or stop"],
    ["/status", "Command palette"],
  ] as const) {
    await page.goto(`${world.page}${path}`);
    const sheet = page.getByRole("dialog", { name: "Keyboard" });
    await expect(async () => {
      await page.keyboard.press("?");
      await expect(sheet).toBeVisible({ timeout: 2_000 });
    }).toPass();
    await expect(sheet).toContainText(words);
    await page.keyboard.press("Escape");
    await expect(sheet).toBeHidden();
  }
});

test("controls explain themselves to a pointer that rests and to the keyboard, and Escape takes it away", async ({
  page,
  world,
}) => {
  await page.goto(`${world.page}/status`);
  const theme = page.getByRole("button", { name: "Change between dark and light" }).first();
  await theme.hover();
  const tooltip = page.getByRole("tooltip");
  await expect(tooltip).toHaveText("Dark or light");
  // One can reach the words themselves.
  await tooltip.hover();
  await expect(tooltip).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(tooltip).toBeHidden();
  await page.keyboard.press("Tab");
  await theme.focus();
  await expect(tooltip).toBeVisible();
  await expect(theme).toHaveAccessibleDescription("Dark or light");
});
