// @vitest-environment jsdom
import { expect, test } from "vitest";
import { arriveAtPage, leavePage, writeAddress } from "./address";

const address = () => window.location.pathname + window.location.search;

test("the address follows the page, but not while the page is being left", () => {
  writeAddress("/draw?step=1");
  expect(address()).toBe("/draw?step=1");
  leavePage();
  writeAddress("/draw?step=2");
  expect(address()).toBe("/draw?step=1");
  window.history.pushState(null, "", "/race");
  arriveAtPage();
  writeAddress("/race?step=3");
  expect(address()).toBe("/race?step=3");
});
