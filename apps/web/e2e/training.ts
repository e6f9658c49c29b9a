import { expect, type Locator, type Page } from "@playwright/test";
import type { World } from "./world";

/** The training pages as a person uses them. */
export class TrainingPages {
  readonly start: Locator;
  readonly state: Locator;
  readonly heldOut: Locator;
  readonly editor: Locator;

  constructor(readonly page: Page) {
    this.start = page.getByTestId("start-training");
    this.state = page.getByRole("region", { name: "Run", exact: true }).getByTestId("run-state");
    this.heldOut = page.getByTestId("held-out");
    this.editor = page.getByRole("textbox", { name: "Configuration as YAML" });
  }

  async open(world: World): Promise<void> {
    await this.page.goto(`${world.page}/training`);
    await expect(this.start).toBeEnabled({ timeout: 60_000 });
  }

  /** Changes the text that is sent. */
  async writeYaml(change: (text: string) => string): Promise<void> {
    await this.page.getByRole("radio", { name: "YAML" }).click();
    await this.editor.fill(change(await this.editor.inputValue()));
  }

  /** Presses Start and waits for the page of the run; returns its id. */
  async begin(): Promise<string> {
    await this.start.click();
    await this.page.waitForURL(/\/training\/[a-z0-9-]+$/, { timeout: 60_000 });
    await expect(this.state).toBeVisible({ timeout: 60_000 });
    return new URL(this.page.url()).pathname.split("/").at(-1) ?? "";
  }

  /** Episodes that are in the curves, none left out. */
  async episodes(): Promise<number> {
    const text = (await this.page.getByTestId("episode-count").textContent()) ?? "";
    return Number(text.replace(/\D/g, ""));
  }

  async reachEpisodes(least: number, timeout = 60_000): Promise<void> {
    await expect.poll(() => this.episodes(), { timeout, intervals: [50] }).toBeGreaterThanOrEqual(least);
  }
}

/** A configuration whose run is played by the actor: its title says how. */
export function actedBy(title: string): (text: string) => string {
  return (text) => text.replace(/^title: .*$/m, `title: ${title}`);
}
