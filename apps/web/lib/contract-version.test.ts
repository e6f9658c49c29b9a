import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contractDifference, pageContract } from "./contract-version";

describe("the contract of the server and that of the page", () => {
  test("are the same where both were built together", () => {
    expect(contractDifference(pageContract)).toEqual({ kind: "same" });
  });

  test("differ by what the older server lacks", () => {
    expect(contractDifference(1, 2)).toEqual({
      kind: "server-older",
      missing: ["races and questions about changed inputs"],
    });
    // A server from before the count says 0.
    expect(contractDifference(0)).toMatchObject({ kind: "server-older" });
  });

  test("make the server newer exactly when its number is higher", () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), (server, page) => {
        const { kind } = contractDifference(server, page);
        expect(kind).toBe(server === page ? "same" : server > page ? "server-newer" : "server-older");
      }),
    );
  });
});
