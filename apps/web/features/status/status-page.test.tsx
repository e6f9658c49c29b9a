// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import { StatusPage } from "./status-page";

const wait = { timeout: 40_000 };
const origin = pageOrigin({ mongoDown: true });

describe("the status page", () => {
  test("says which store is down, that episodes run on, and how many wait for the log", async () => {
    renderPage(<StatusPage />);
    expect(await screen.findByText("degraded", {}, wait)).toBeVisible();
    expect(screen.getByText("The store did not answer its last ping.")).toBeVisible();
    expect(screen.getByText(/17 wait for the log/)).toBeVisible();
    expect(screen.getByText("ppo-memory-1")).toBeVisible();
    expect(screen.getByTestId("connection-status")).toHaveTextContent("Python + Go Backend ● Connected");
  });

  test("says that the server is away", async () => {
    origin.goAway();
    renderPage(<StatusPage />);
    expect(await screen.findByText("The server is away", {}, wait)).toBeVisible();
    expect(screen.getByTestId("connection-status")).toHaveTextContent("Python + Go Backend ● Reconnecting...");
    expect(screen.getByRole("button", { name: "Retry now" })).toBeVisible();
    origin.goBack();
  });
});
