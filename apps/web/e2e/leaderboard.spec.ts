import { expect, InferencePage, test } from "./inference";

test("a model is evaluated on the page, ranked with its groups, and one of its failures is watched", async ({
  page,
  world,
}) => {
  await page.goto(`${world.page}/leaderboard?set=puzzles`);
  const row = (name: string) => page.getByRole("row").filter({ has: page.getByRole("rowheader", { name }) });
  const details = (name: string) => page.getByRole("button", { name: `Details of ${name}`, exact: true });
  for (const name of ["ppo-memory-1", "ppo-plain-1", "Shortest path", "Random"]) {
    const evaluate = page.getByRole("button", { name: `Evaluate ${name}`, exact: true });
    // Another test may have evaluated a model on this server; the two baselines are evaluated here.
    await expect(evaluate.or(details(name))).toBeVisible();
    if (await evaluate.isVisible()) await evaluate.click();
    await expect(details(name)).toBeVisible({ timeout: 30_000 });
  }
  await expect(page.getByRole("row").nth(1)).toContainText("Shortest path");
  await expect(row("ppo-memory-1")).toContainText("100.0");

  // What was evaluated is kept: another visitor finds it.
  await page.reload();
  await expect(details("Random")).toBeVisible();
  await page.getByRole("button", { name: "SPL" }).click();
  await expect(page).toHaveURL(/sort=spl/);

  await details("ppo-plain-1").click();
  await expect(page.getByRole("table", { name: "By puzzle" }).getByRole("row")).toHaveCount(11);
  const failure = page.getByRole("list", { name: "Failed mazes" }).getByRole("link").first();
  const mazeId = /maze=(puzzle-[a-z-]+)/.exec((await failure.getAttribute("href")) ?? "")?.[1];
  expect(mazeId).toBeDefined();
  await failure.click();
  await expect(page).toHaveURL(new RegExp(`maze=${mazeId}`));
  const inference = new InferencePage(page);
  await expect(inference.board).toBeVisible({ timeout: 45_000 });
  await expect(page.getByRole("banner").getByRole("combobox", { name: "Model" })).toContainText("ppo-plain-1");
});

test("an evaluation is refused from another site and of an unknown policy", async ({ page, world }) => {
  const evaluate = (data: unknown, headers: Record<string, string> = {}) =>
    page.request.post(`${world.page}/api/leaderboard/evaluate`, { data, headers });
  const wanted = { policy: { modelId: "ppo-memory-1" }, setId: "puzzles" };
  expect((await evaluate(wanted, { Origin: "https://elsewhere.example" })).status()).toBe(403);
  expect((await evaluate({ ...wanted, policy: { modelId: "no-such-model-1" } })).status()).toBe(404);
  expect((await evaluate({ ...wanted, setId: "" })).status()).toBe(400);
});
