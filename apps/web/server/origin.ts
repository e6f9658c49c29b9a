import "server-only";
import { Code, ConnectError } from "@connectrpc/connect";

const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

function configuredOrigins(): string[] {
  return (process.env.WEB_ORIGINS ?? "")
    .split(",")
    .map((origin) => origin.trim().replace(/\/$/, ""))
    .filter((origin) => origin !== "");
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function hostName(host: string): string {
  return host.replace(/:\d+$/, "").toLowerCase();
}

/**
 * Throws `permission_denied` unless a changing request comes from the page itself. Accepted are the origins of `WEB_ORIGINS` and the
 * page's own origin on a loopback name. Requiring a known host name as well as an equal origin defeats DNS rebinding, where
 * both are the attacker's. A request without an Origin is no browser's; its host must be known all the same.
 */
export function requireOwnOrigin(request: Request): void {
  const origin = request.headers.get("Origin");
  const host = request.headers.get("Host") ?? "";
  const configured = configuredOrigins();
  const accepted =
    origin === null
      ? loopbackNames.has(hostName(host)) || configured.some((candidate) => hostOf(candidate) === host)
      : configured.includes(origin) || (loopbackNames.has(hostName(host)) && hostOf(origin) === host);
  if (!accepted) {
    throw new ConnectError(
      "changes are accepted from the page's own origin only; name it in WEB_ORIGINS when the page is served beyond loopback",
      Code.PermissionDenied,
    );
  }
}
