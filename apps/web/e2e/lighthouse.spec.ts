import { expect, test } from "./inference";
import { type Inspector, startInspector } from "./lighthouse";
import { routes } from "./routes";

let inspector: Inspector;
test.beforeAll(async () => {
  inspector = await startInspector();
});
test.afterAll(async () => {
  await inspector.close();
});

/** Speed is measured by `pnpm lighthouse`; here are the judgements that are the same on every machine. */
const asked = ["accessibility", "best-practices", "seo"] as const;

for (const page of routes) {
  test(`${page} has every point for accessibility, best practices and being found`, async ({ world }) => {
    const { scores, lost } = await inspector.judge(world.page, page, "mobile", asked);
    expect(lost).toEqual([]);
    expect(scores).toEqual({ accessibility: 100, "best-practices": 100, seo: 100 });
  });
}
