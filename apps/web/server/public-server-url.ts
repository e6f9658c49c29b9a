import "server-only";

/** Where browsers reach the Go server for streams. Read when a page is rendered, so that one build serves every deployment. */
export function publicServerUrl(): string {
  return process.env.PUBLIC_SERVER_URL || "http://127.0.0.1:8080";
}
