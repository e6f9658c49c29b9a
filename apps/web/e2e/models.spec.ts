import type { Page } from "@playwright/test";
import { expect, InferencePage, test } from "./inference";
import type { World } from "./world";

/** The model that acts when none is named, as the page's own server tells it. */
async function activeModel(page: Page, world: World): Promise<string> {
  const answer = await page.request.get(`${world.page}/api/models/active`);
  return ((await answer.json()) as { model: { modelId: string } }).model.modelId;
}

async function makeActive(page: Page, world: World, modelId: string): Promise<void> {
  await page.goto(`${world.page}/models`);
  await page.getByRole("region", { name: modelId, exact: true }).getByRole("button", { name: "Make active" }).click();
  const dialog = page.getByRole("dialog", { name: `Make ${modelId} active?` });
  await dialog.getByRole("textbox", { name: /^Reason/ }).fill("browser test");
  await dialog.getByRole("button", { name: "Make active" }).click();
  await expect(page.getByText(`${modelId} is active`)).toBeVisible();
  await expect(page.getByRole("region", { name: modelId, exact: true })).toContainText("active");
}

test("another model becomes active while an episode runs, acts in the next one, and stays after a restart", async ({
  page,
  world,
}) => {
  const before = await activeModel(page, world);
  await page.goto(`${world.page}/models`);
  const cards = page.getByRole("list", { name: "Models" }).getByRole("heading", { level: 2 });
  await expect(cards.first()).toBeVisible();
  const other = (await cards.allTextContents()).find((name) => name !== before) ?? "";

  const watching = new InferencePage(await page.context().newPage());
  await watching.open(world, {
    modelId: before,
    autoNext: false,
    defaultSpeed: 2,
    setId: "large30",
    mazeId: "large30-02",
  });
  await watching.reach(3);
  await makeActive(page, world, other);
  const seen = await watching.step();
  await watching.reach(seen + 3);
  await expect(watching.status).toContainText("● Connected");
  await watching.page.evaluate(() => localStorage.clear());
  await watching.page.close();

  world.server.signal("SIGTERM");
  await world.restartServer();
  expect(await activeModel(page, world)).toBe(other);
  const inference = new InferencePage(page);
  await inference.open(world, { autoNext: false });
  await inference.reach(2);
  await expect(page.getByRole("banner").getByRole("combobox", { name: "Model" })).toContainText(other);

  // The world is shared with the tests that follow.
  await makeActive(page, world, before);
});

test("a model that does worse is refused with its numbers, switched to with a reason, and rolled back", async ({
  page,
  world,
}) => {
  const before = await activeModel(page, world);
  const worse = "ppo-plain-1";
  await page.goto(`${world.page}/models`);
  await page.getByRole("region", { name: worse, exact: true }).getByRole("button", { name: "Make active" }).click();
  const dialog = page.getByRole("dialog", { name: `Make ${worse} active?` });
  await dialog.getByRole("button", { name: "Make active" }).click();
  const checks = dialog.getByRole("list", { name: "Checks before the switch" });
  await expect(checks).toContainText("Parity passed");
  await expect(checks).toContainText("Success failed");
  expect(await activeModel(page, world)).toBe(before);
  await dialog.getByRole("textbox", { name: /all the same/ }).fill("to show why memory matters");
  await dialog.getByRole("button", { name: "Switch all the same" }).click();
  const newest = page.getByRole("list", { name: "Activations" }).getByRole("listitem").first();
  await expect(newest).toContainText("In spite of the gate: to show why memory matters");
  expect(await activeModel(page, world)).toBe(worse);
  const switchedAt = Date.now();

  await newest.getByRole("button", { name: "Roll back" }).click();
  await page
    .getByRole("dialog", { name: `Roll back to ${before}?` })
    .getByRole("button", { name: "Roll back" })
    .click();
  await expect(page.getByText(`${before} is active again`)).toBeVisible();
  await expect(newest).toContainText("roll-back");
  expect(await activeModel(page, world)).toBe(before);

  // The server's clock is this machine's.
  const answer = await page.request.get(
    `${world.page}/api/models/activations?pageSize=1&at=${new Date(switchedAt).toISOString()}`,
  );
  expect(((await answer.json()) as { activations: { modelId: string }[] }).activations[0]?.modelId).toBe(worse);
  const form = page.getByRole("form", { name: "Active at" });
  await form.getByLabel(/^What was active at/).fill("2020-01-01T14:03");
  await form.getByRole("button", { name: "Look up" }).click();
  await expect(form.getByRole("status")).toContainText("No model was active yet");
});

test("who decided on what is no longer so is told, and sees what is", async ({ page, world }) => {
  const before = await activeModel(page, world);
  const [other, third] = ["dqn-memory-1", "ppo-memory-1", "ppo-trail-1"].filter((id) => id !== before) as [
    string,
    string,
  ];
  const set = (data: unknown) => page.request.post(`${world.page}/api/models/active`, { data });
  await page.goto(`${world.page}/models`);
  await expect(page.getByRole("list", { name: "Activations" })).toBeVisible();
  await page.getByRole("region", { name: other, exact: true }).getByRole("button", { name: "Make active" }).click();
  const dialog = page.getByRole("dialog", { name: `Make ${other} active?` });
  await expect(dialog).toContainText(`Now: ${before}`);
  expect((await set({ modelId: third, actor: "Bob" })).status()).toBe(200);
  await dialog.getByRole("button", { name: "Make active" }).click();
  await expect(dialog.getByRole("alert")).toContainText(`${third} was made active by Bob`);
  await expect(dialog).toContainText(`Now: ${third}`);
  expect(await activeModel(page, world)).toBe(third);
  await dialog.getByRole("button", { name: "Make active" }).click();
  await expect(page.getByText(`${other} is active`)).toBeVisible();
  expect((await set({ modelId: before })).status()).toBe(200);
});

test("a change is refused from another site, of an unknown model and without a name, and nothing is changed", async ({
  page,
  world,
}) => {
  const before = await activeModel(page, world);
  const set = (data: unknown, headers: Record<string, string> = {}) =>
    page.request.post(`${world.page}/api/models/active`, { data, headers });
  const foreign = await set({ modelId: before }, { Origin: "https://elsewhere.example" });
  expect([foreign.status(), ((await foreign.json()) as { code: string }).code]).toEqual([403, "permission_denied"]);
  const unknown = await set({ modelId: "no-such-model-1" });
  expect([unknown.status(), ((await unknown.json()) as { code: string }).code]).toEqual([404, "not_found"]);
  const nameless = await set({});
  const answer = (await nameless.json()) as { code: string; violations: { field: string }[] };
  expect([nameless.status(), answer.code]).toEqual([400, "invalid_argument"]);
  expect(JSON.stringify(answer)).toContain("model_id");
  expect(await activeModel(page, world)).toBe(before);
});

test("no answer of the page tells where the Go server's private listener is", async ({ page, world }) => {
  const bodies: string[] = [];
  page.on("response", (response) => {
    if (response.url().startsWith(world.page)) {
      response.text().then(
        (text) => bodies.push(text),
        () => {},
      );
    }
  });
  const inference = new InferencePage(page);
  await inference.open(world, { autoNext: false, defaultSpeed: 0 });
  await expect(inference.result).toBeVisible();
  await page.goto(`${world.page}/models`);
  await expect(page.getByRole("list", { name: "Models" })).toBeVisible();
  const privateAddress = world.privateUrl.replace("http://", "");
  expect(bodies.length).toBeGreaterThan(5);
  expect(bodies.filter((body) => body.includes(privateAddress))).toEqual([]);
});
