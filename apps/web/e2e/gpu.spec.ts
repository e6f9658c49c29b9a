import { chmod, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { test as base, expect, type Page } from "@playwright/test";
import { temporaryFolder } from "./places";
import { startWorld, type World } from "./world";

const SLOW = { timeout: 60_000 };

const ONE = "0, NVIDIA GeForce RTX 5070, 37, 2048, 12288, 61, 142.50, 250.00";
const TWO = `${ONE}\n1, NVIDIA H200, 0, 0, 143771, 30, 70.1, 700.00`;

/** Bodies of programs that behave as nvidia-smi does, on good days and bad ones. */
const programs = {
  one: `echo '${ONE}'`,
  busy: `echo '${ONE.replace(" 37,", " 93,")}'`,
  two: `printf '%s\\n' '${TWO.replace("\n", "' '")}'`,
  notAvailable: "echo '0, Tesla T4, [N/A], 10, 100, N/A, [Not Supported], [N/A]'",
  noGpu: "echo 'No devices were found'",
  hang: "exec sleep 600",
  garbage: "echo '<html>garbage</html>'",
} as const;

/** The product with a real trainer whose nvidia-smi can be another program at any moment. */
interface Product {
  readonly world: World;
  become(program: keyof typeof programs): Promise<void>;
}

const test = base.extend<object, { product: Product }>({
  product: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern.
    async ({}, use) => {
      const folder = temporaryFolder("driver");
      const become = async (program: keyof typeof programs): Promise<void> => {
        const next = path.join(folder, "next");
        await writeFile(next, `#!/bin/sh\n${programs[program]}\n`);
        await chmod(next, 0o755);
        // In one step: the trainer may start it at any moment.
        await rename(next, path.join(folder, "nvidia-smi"));
      };
      await become("one");
      const world = await startWorld({
        trainer: "actor",
        trainerVariables: { PATH: `${folder}:${process.env.PATH ?? ""}` },
      });
      await use({ world, become });
      await world.close();
    },
    { scope: "worker", timeout: 180_000 },
  ],
});

const card = (page: Page, index: number) => page.getByRole("region", { name: `GPU ${index}`, exact: true });

async function open(page: Page, { world }: Product): Promise<void> {
  await page.goto(`${world.page}/gpu`);
}

test("the figures of a GPU are live, with their last minutes, and a second GPU appears by itself", async ({
  page,
  product,
}) => {
  await product.become("one");
  await open(page, product);
  await expect(card(page, 0).getByRole("group", { name: "Utilisation" })).toContainText("37", SLOW);
  await expect(card(page, 0).getByRole("group", { name: "Memory" })).toContainText("2.15 GB");
  await expect(card(page, 0).getByRole("group", { name: "Memory" })).toContainText("of 12.9 GB");
  await expect(card(page, 0).getByRole("group", { name: "Temperature" })).toContainText("61 °C");
  await expect(card(page, 0).getByRole("group", { name: "Power" })).toContainText("143 W");
  await expect(page.getByRole("region", { name: "Training on GPU 0" })).toContainText("No training runs on GPU 0");
  await product.become("busy");
  await expect(card(page, 0).getByRole("group", { name: "Utilisation" })).toContainText("93");
  await expect(card(page, 0).getByRole("group", { name: "Utilisation" }).locator("canvas")).toBeVisible();
  await product.become("two");
  await expect(card(page, 1)).toContainText("NVIDIA H200");
  await expect(card(page, 1)).toContainText("cuda:1");
});

test("what the driver does not report is shown as such", async ({ page, product }) => {
  await product.become("notAvailable");
  await open(page, product);
  await expect(card(page, 0)).toContainText("Tesla T4", SLOW);
  await expect(card(page, 0).getByText("N/A", { exact: true })).toHaveCount(3);
  await expect(card(page, 0).getByRole("group", { name: "Power" })).toContainText("the driver does not report it");
  await expect(card(page, 0).getByRole("group", { name: "Memory" })).toContainText("0.01 GB");
});

test("a driver that hangs, or talks nonsense, is named, and what was read before stays", async ({ page, product }) => {
  await product.become("one");
  await open(page, product);
  await expect(card(page, 0)).toContainText("live", SLOW);
  const state = page.getByRole("status", { name: "State of the GPUs" });
  await product.become("hang");
  await expect(state).toContainText("The driver does not answer", SLOW);
  await expect(card(page, 0)).toContainText("read before");
  await product.become("garbage");
  await expect(state).toContainText("The readings make no sense", SLOW);
  await product.become("one");
  await expect(card(page, 0)).toContainText("live", SLOW);
  await expect(state).toHaveCount(0);
});

test("without a GPU the page shows what the training takes of the processor, and the way to start one", async ({
  page,
  product,
}) => {
  await product.become("noGpu");
  await open(page, product);
  await expect(page.getByRole("status", { name: "State of the GPUs" })).toContainText("The driver finds no GPU", SLOW);
  await expect(page.getByText("No training is running")).toBeVisible();
  const started = await page.request.post(`${product.world.page}/api/training/start`, {
    data: {
      configYaml:
        "name: a-run\ntitle: slow\ndescription: For a test.\nalgorithm: PPO\nobservation: memory/1\ntimesteps: 1000000\ndevice: cpu\nppo:\n  n_steps: 16\n",
    },
    headers: { Origin: product.world.page },
  });
  expect(started.status()).toBe(200);
  const { training } = (await started.json()) as { training: { runId: string } };
  try {
    await expect(page.getByRole("region", { name: "Training on the CPU" })).toContainText("cpu", SLOW);
    await expect(page.getByRole("region", { name: "Processor" })).toContainText("%");
    await expect(page.getByRole("region", { name: "Memory" })).toBeVisible();
    await expect(page.getByRole("region", { name: "Reward" }).locator("canvas")).toBeVisible();
    await expect(page.getByRole("link", { name: "Open" })).toHaveAttribute("href", `/training/${training.runId}`);
  } finally {
    await page.request.post(`${product.world.page}/api/training/stop`, {
      data: { runId: training.runId },
      headers: { Origin: product.world.page },
    });
  }
  await expect(page.getByText("No training is running")).toBeVisible(SLOW);
});

test("a trainer that is killed is said to be away, and its GPUs come back with it", async ({ page, product }) => {
  await product.become("one");
  await open(page, product);
  await expect(card(page, 0)).toContainText("live", SLOW);
  product.world.trainer?.signal("SIGKILL");
  await expect(page.getByRole("alert").filter({ hasText: "Readings of" })).toBeVisible(SLOW);
  await expect(card(page, 0)).toContainText("read before");
  await page.reload();
  await expect(page.getByText("Trainer is away")).toBeVisible(SLOW);
  await product.world.restartTrainer();
  await expect(card(page, 0)).toContainText("live", SLOW);
});
