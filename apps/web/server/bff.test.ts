import { request } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { fixtureEpisodeId, ORPHANED, TAMPERED } from "@/test/fixture-episodes";
import { bff, privateListener, type Service } from "@/test/services";

let go: Service;
let web: Service;

beforeAll(async () => {
  go = await privateListener();
  web = await bff();
  process.env.SERVER_URL = go.url;
});

afterEach(() => {
  process.env.SERVER_URL = go.url;
  delete process.env.WEB_ORIGINS;
});

afterAll(async () => {
  await web.close();
  await go.close();
});

async function get(path: string) {
  const response = await fetch(web.url + path);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Posts with free choice of Host and Origin, which fetch does not give. */
function post(
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { hostname, port } = new URL(web.url);
  return new Promise((resolve, reject) => {
    const call = request(
      { hostname, port, path, method: "POST", headers: { "Content-Type": "application/json", ...headers } },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

describe("the read routes", () => {
  test("answer with protobuf JSON that keeps zero values and writes 64-bit numbers as strings", async () => {
    const { status, headers, body } = await get("/api/models");
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body.models).toHaveLength(4);
    expect(body.models[0]).toMatchObject({
      modelId: "dqn-memory-1",
      active: false,
      stateReason: "",
      sizeBytes: "33012",
    });
  });

  test("give one model, and the active one under its reserved id", async () => {
    expect((await get("/api/models/ppo-plain-1")).body.model.modelId).toBe("ppo-plain-1");
    expect((await get("/api/models/active")).body.activation.modelId).toBe("ppo-memory-1");
  });

  test("pass the health on", async () => {
    const { body } = await get("/api/health");
    expect(body.state).toBe("SERVER_STATE_SERVING");
    expect(body.stores).toHaveLength(2);
    expect(body.spooledEpisodes).toBe("0");
  });

  test("page through a set by its query", async () => {
    const first = await get("/api/mazes/showcase?pageSize=8");
    expect(first.body.mazes).toHaveLength(8);
    const second = await get(`/api/mazes/showcase?pageSize=8&pageToken=${first.body.nextPageToken}`);
    expect(second.body.mazes).toHaveLength(4);
    expect(second.body.nextPageToken).toBe("");
    expect((await get("/api/mazes")).body.sets[0].setId).toBe("showcase");
  });

  test("take the set from the path, whatever the query says", async () => {
    const { body } = await get("/api/mazes/showcase?setId=heldout");
    expect(body.mazes[0].setId).toBe("showcase");
  });

  test("list the episodes by filter, with enum names, and page through them", async () => {
    const first = await get("/api/episodes?modelId=ppo-memory-1&outcome=OUTCOME_REACHED_GOAL&pageSize=2");
    expect(first.body.episodes).toHaveLength(2);
    expect(first.body).toMatchObject({ nextPageToken: "2", searchedBackTo: "2026-11-21" });
    expect(first.body.episodes[0]).toMatchObject({ outcome: "OUTCOME_REACHED_GOAL", seed: "0", bumps: 0 });
    const baseline = await get("/api/episodes?baseline=BASELINE_WALL_FOLLOWER&pageSize=1");
    expect(baseline.body.episodes[0].policy).toEqual({ baseline: "BASELINE_WALL_FOLLOWER" });
  });

  test("count failures by policy and maze, and refuse what is no count", async () => {
    const { status, body } = await get("/api/episodes/failures?days=7&modelId=ppo-memory-1");
    expect([status, body.countedBackTo, body.leftOut]).toEqual([200, "2026-11-17", 0]);
    expect(body.failures[0]).toMatchObject({ policy: { modelId: "ppo-memory-1" }, failedEpisodes: expect.any(String) });
    expect((await get("/api/episodes/failures?days=many")).status).toBe(400);
  });

  test("give a maze by id and generate one from the query, with its seed in full", async () => {
    expect((await get("/api/maze/showcase-03")).body.maze.mazeId).toBe("showcase-03");
    const { body } = await get("/api/maze/generate?rows=12&seed=18446744073709551615");
    expect(body.maze.rows).toHaveLength(12);
    expect(body.maze.mazeId).toBe("generated-12x12-18446744073709551615");
  });
});

describe("an error", () => {
  test.each([
    ["/api/models/nobody", 404, "not_found"],
    ["/api/maze/nowhere", 404, "not_found"],
    ["/api/mazes/none", 404, "not_found"],
    ["/api/maze/generate?rows=101", 400, "invalid_argument"],
    ["/api/maze/generate?rows=ten", 400, "invalid_argument"],
    ["/api/maze/generate?seed=-1", 400, "invalid_argument"],
    ["/api/mazes/showcase?colour=red", 400, "invalid_argument"],
  ])("of %s has status %i and code %s", async (path, status, code) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(answer.body.code).toBe(code);
    expect(answer.body.message).not.toBe("");
  });

  test("of a server that is away is 503 with a fixed text that does not name its address", async () => {
    process.env.SERVER_URL = "http://127.0.0.1:9";
    const { status, headers, body } = await get("/api/health");
    expect(status).toBe(503);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body.code).toBe("unavailable");
    expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|ECONN|:9/);
  });
});

describe("POST /api/models/active", () => {
  const body = JSON.stringify({ modelId: "dqn-memory-1", reason: "test" });

  test("makes a model active for the page's own origin", async () => {
    const { status, body: reply } = await post("/api/models/active", body, { Origin: web.url });
    expect(status).toBe(200);
    expect(reply.activation).toMatchObject({ modelId: "dqn-memory-1", reason: "test" });
    expect((await get("/api/models/active")).body.model.modelId).toBe("dqn-memory-1");
  });

  test("brings what the gate found, and what somebody else made active", async () => {
    const refused = await post("/api/models/active", JSON.stringify({ modelId: "ppo-memory-1" }));
    expect(refused.status).toBe(200);
    const worse = await post("/api/models/active", JSON.stringify({ modelId: "ppo-plain-1" }));
    expect([worse.status, worse.body.code]).toEqual([400, "failed_precondition"]);
    expect(worse.body.refused).toMatchObject({
      overridable: true,
      checks: [
        { outcome: "GATE_OUTCOME_PASSED", parity: { vectors: 64 } },
        { outcome: "GATE_OUTCOME_FAILED", success: { candidate: { successes: 11 }, active: { successes: 1000 } } },
      ],
    });
    const late = await post(
      "/api/models/active",
      JSON.stringify({ modelId: "dqn-memory-1", expectedActivationId: "1" }),
    );
    expect([late.status, late.body.code]).toEqual([409, "aborted"]);
    expect(late.body.changed).toMatchObject({ activation: { modelId: "ppo-memory-1" } });
  });

  test("rolls back, once, and tells the history", async () => {
    const before = (await get("/api/models/activations?pageSize=1")).body.activations[0];
    const undo = () =>
      post(
        "/api/models/active/roll-back",
        JSON.stringify({ expectedActivationId: before.activationId, reason: "worse", actor: "Ada" }),
      );
    const first = await undo();
    expect(first.status).toBe(200);
    expect(first.body.activation).toMatchObject({ undoneActivationId: before.activationId, actor: "Ada" });
    expect((await undo()).body.activation).toEqual(first.body.activation);
    const { body: history } = await get(`/api/models/activations?at=${encodeURIComponent(before.activatedAt)}`);
    expect(history.activations[0].activationId).toBe(before.activationId);
    expect((await get("/api/models/activations?at=noon")).status).toBe(400);
    const foreign = await post("/api/models/active/roll-back", "{}", { Origin: "https://evil.example" });
    expect(foreign.status).toBe(403);
  });

  test("refuses another origin, a rebound host name and a null origin, and changes nothing", async () => {
    const before = (await get("/api/models/active")).body.model.modelId;
    const wanted = JSON.stringify({ modelId: "ppo-plain-1" });
    for (const headers of [
      { Origin: "https://evil.example" },
      { Origin: "http://evil.example:3000", Host: "evil.example:3000" },
      { Origin: "null" },
      { Host: "evil.example" },
    ] as Record<string, string>[]) {
      const answer = await post("/api/models/active", wanted, headers);
      expect(answer.status).toBe(403);
      expect(answer.body.code).toBe("permission_denied");
    }
    expect((await get("/api/models/active")).body.model.modelId).toBe(before);
  });

  test("accepts an origin that WEB_ORIGINS names", async () => {
    process.env.WEB_ORIGINS = "https://maze.example, https://other.example/";
    const headers = { Origin: "https://other.example", Host: "other.example" };
    expect((await post("/api/models/active", body, headers)).status).toBe(200);
  });

  test("works without an Origin on a loopback name, as curl calls it", async () => {
    expect((await post("/api/models/active", body)).status).toBe(200);
  });

  test("passes on why a broken model cannot become active", async () => {
    const { status, body: reply } = await post("/api/models/active", JSON.stringify({ modelId: "ppo-trail-2" }));
    expect(status).toBe(400);
    expect(reply.code).toBe("failed_precondition");
    expect(reply.message).toContain("sha256");
  });

  test.each([
    ["no JSON", "{"],
    ["another shape", '{"modelId": 7}'],
    ["an unknown field", '{"model": "x"}'],
    ["a list", "[]"],
  ])("refuses a body that is %s", async (_name, text) => {
    const { status, body: reply } = await post("/api/models/active", text);
    expect(status).toBe(400);
    expect(reply.code).toBe("invalid_argument");
  });

  test("refuses a body above 64 KiB", async () => {
    const { status, body: reply } = await post(
      "/api/models/active",
      JSON.stringify({ modelId: "x", reason: "y".repeat(70_000) }),
    );
    expect(status).toBe(400);
    expect(reply.message).toContain("65536");
  });
});

describe("POST /api/episodes/:id/verify", () => {
  test("answers with the proof, also of an episode that differs", async () => {
    const identical = await post(`/api/episodes/${fixtureEpisodeId(0)}/verify`, "");
    expect([identical.status, identical.body.identical]).toEqual([200, true]);
    const { status, body } = await post(`/api/episodes/${fixtureEpisodeId(TAMPERED)}/verify`, "");
    expect(status).toBe(200);
    expect(body).toMatchObject({ identical: false, firstDifferentStep: 6, loggedAction: "ACTION_UP" });
  });

  test("says what is unknown, and what cannot be run again", async () => {
    const unknown = await post(`/api/episodes/${fixtureEpisodeId(999)}/verify`, "");
    expect([unknown.status, unknown.body.code]).toEqual([404, "not_found"]);
    const orphaned = await post(`/api/episodes/${fixtureEpisodeId(ORPHANED)}/verify`, "");
    expect([orphaned.status, orphaned.body.code]).toEqual([400, "failed_precondition"]);
    expect(orphaned.body.message).toContain("ppo-gone-1");
  });

  test("refuses another site, whose visitors would pay with the server's time", async () => {
    const answer = await post(`/api/episodes/${fixtureEpisodeId(0)}/verify`, "", { Origin: "https://evil.example" });
    expect([answer.status, answer.body.code]).toEqual([403, "permission_denied"]);
  });
});

test("a drawn maze is judged, and what is wrong with it is an answer", async () => {
  const { status, body } = await post("/api/maze/check", JSON.stringify({ maze: { rows: ["S..", "...", "..."] } }));
  expect(status).toBe(200);
  expect(body).toMatchObject({ solvable: false, problems: [{ rule: "goal.missing" }] });
});

describe("POST /api/leaderboard/evaluate", () => {
  const evaluate = (policy: object, headers: Record<string, string> = {}) =>
    post("/api/leaderboard/evaluate", JSON.stringify({ policy, setId: "heldout" }), headers);
  const lines = async (policy: object) => {
    const response = await fetch(`${web.url}/api/leaderboard/evaluate`, {
      method: "POST",
      body: JSON.stringify({ policy, setId: "heldout" }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store, no-transform");
    return (await response.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, Record<string, unknown>>);
  };

  test("answers with a line for each message, the evaluation last", async () => {
    const [progress, evaluation, ...more] = await lines({ modelId: "dqn-memory-1" });
    expect(progress).toEqual({ progress: { done: 500, total: 1000, successes: 480 } });
    expect(evaluation?.evaluation).toMatchObject({ policy: { modelId: "dqn-memory-1" }, setId: "heldout" });
    expect(more).toEqual([]);
    const { body } = await get("/api/leaderboard?setId=heldout");
    expect(body.rows).toHaveLength(4);
  });

  test("says what failed before the first message by its status, and later by a last line", async () => {
    const refused = await evaluate({ baseline: "BASELINE_RANDOM" });
    expect([refused.status, refused.body.code]).toEqual([429, "resource_exhausted"]);
    const [, cut] = await lines({ baseline: "BASELINE_WALL_FOLLOWER" });
    expect(cut?.error).toMatchObject({ code: "unavailable" });
    expect(JSON.stringify(cut)).not.toContain("gone");
  });

  test("refuses another origin", async () => {
    const { status } = await evaluate({ modelId: "dqn-memory-1" }, { Origin: "https://evil.example" });
    expect(status).toBe(403);
  });
});
