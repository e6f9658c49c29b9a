import { Action, ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { describe, expect, test } from "vitest";
import {
  actionArrow,
  actionName,
  bytes,
  count,
  dateMinute,
  decimal,
  duration,
  milliseconds,
  percent,
  scoreName,
  shortCount,
  signed,
  stateValueName,
} from "./format";

describe("decimal", () => {
  test("has a true minus sign", () => expect(decimal(-0.06, 2)).toBe("\u22120.06"));
  test("gives what rounds to zero no sign", () => expect(decimal(-0.001, 2)).toBe("0.00"));
  test("shows a dash for what is no number", () => expect(decimal(Number.NaN, 2)).toBe("–"));
});

test("signed puts a plus before what is above zero only", () => {
  expect([signed(0.99, 2), signed(-0.01, 2), signed(0, 2), signed(0.001, 2)]).toEqual([
    "+0.99",
    "−0.01",
    "0.00",
    "0.00",
  ]);
});

test("milliseconds has more decimals the smaller the value", () => {
  expect([0.0061, 1.234, 42.34, 412.3, Number.NaN].map(milliseconds)).toEqual([
    "0.006 ms",
    "1.23 ms",
    "42.3 ms",
    "412 ms",
    "–",
  ]);
});

test("counts have thin spaces between thousands", () => {
  expect(count(1_234_567n)).toBe("1\u202f234\u202f567");
  expect(count(200)).toBe("200");
  expect([shortCount(1_000_000n), shortCount(340_000n), shortCount(9_999)]).toEqual([
    "1\u202fM",
    "340\u202fk",
    "9\u202f999",
  ]);
});

test("shares, sizes, spans and dates are in their usual units", () => {
  expect(percent(0.992)).toBe("99.2\u202f%");
  expect(percent(Number.NaN)).toBe("–");
  expect([bytes(33_012n), bytes(1_200_000), bytes(2_100_000_000)]).toEqual(["33 kB", "1.2 MB", "2.1 GB"]);
  expect([duration(4_000), duration(125_000), duration(7_500_000), duration(90_000_000)]).toEqual([
    "4 s",
    "2 min 5 s",
    "2 h 5 min",
    "1 d 1 h",
  ]);
  expect(dateMinute(new Date("2026-11-23T12:00:30Z"))).toBe("2026-11-23 12:00 UTC");
});

test("a logit is never called a Q-value", () => {
  expect([stateValueName(ScoreKind.LOGIT), scoreName(ScoreKind.LOGIT)]).toEqual(["V(s)", "Logit"]);
  expect([stateValueName(ScoreKind.Q_VALUE), scoreName(ScoreKind.Q_VALUE)]).toEqual(["Max Q", "Q"]);
});

test("actions have names and arrows", () => {
  expect(
    [Action.UP, Action.DOWN, Action.LEFT, Action.RIGHT].map((action) => actionName(action) + actionArrow(action)),
  ).toEqual(["Up↑", "Down↓", "Left←", "Right→"]);
});
