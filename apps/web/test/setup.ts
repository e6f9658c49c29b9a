import { afterEach } from "vitest";

// Only files that ask for jsdom pay for what follows.
if (typeof window !== "undefined") {
  await import("@testing-library/jest-dom/vitest");
  const { cleanup, configure } = await import("@testing-library/react");
  // The library waits one second, which a busy machine needs for a single render.
  configure({ asyncUtilTimeout: 20_000 });
  afterEach(cleanup);

  // What jsdom lacks and the kit asks for. Nothing here stands in for the page's own code.
  window.matchMedia ??= (query: string) =>
    ({
      matches: query.includes("reduce"),
      media: query,
      addEventListener: () => {},
      removeEventListener: () => {},
    }) as unknown as MediaQueryList;
  globalThis.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
  Element.prototype.scrollIntoView ??= () => {};
  Element.prototype.hasPointerCapture ??= () => false;
}
