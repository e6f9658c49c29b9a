import type { Browser, CDPSession } from "@playwright/test";

interface Answer {
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/**
 * A tab that the test framework does not hold: it is hidden when another one comes to the front, as a person's is. Pages of the framework
 * always believe that they are in sight.
 */
export class BareTab {
  #nextId = 0;
  readonly #answers = new Map<number, (answer: Answer) => void>();

  private constructor(
    readonly session: CDPSession,
    readonly targetId: string,
    readonly sessionId: string,
  ) {
    session.on("Target.receivedMessageFromTarget", (event: { sessionId: string; message: string }) => {
      if (event.sessionId !== this.sessionId) return;
      const answer = JSON.parse(event.message) as Answer & { id?: number };
      if (answer.id === undefined) return;
      this.#answers.get(answer.id)?.(answer);
      this.#answers.delete(answer.id);
    });
  }

  /** Opens a tab beside the others of the window and brings it to the front. */
  static async open(browser: Browser, url: string): Promise<BareTab> {
    const session = await browser.newBrowserCDPSession();
    const { targetId } = await session.send("Target.createTarget", { url });
    const { sessionId } = await session.send("Target.attachToTarget", { targetId, flatten: false });
    const tab = new BareTab(session, targetId, sessionId);
    await tab.show();
    return tab;
  }

  async show(): Promise<void> {
    await this.session.send("Target.activateTarget", { targetId: this.targetId });
  }

  async close(): Promise<void> {
    await this.session.send("Target.closeTarget", { targetId: this.targetId });
    await this.session.detach();
  }

  /** The value of an expression in the page. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result } = await this.#send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    return (result as { result?: { value?: unknown } } | undefined)?.result?.value as Value;
  }

  #send(method: string, params: Record<string, unknown>): Promise<Answer> {
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, (answer) =>
        answer.error === undefined ? resolve(answer) : reject(new Error(answer.error.message)),
      );
      const message = JSON.stringify({ id, method, params });
      this.session.send("Target.sendMessageToTarget", { sessionId: this.sessionId, message }).catch(reject);
    });
  }
}
