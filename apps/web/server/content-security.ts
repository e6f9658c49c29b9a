/** The policy that a page is served with: its own scripts by nonce, and connections to itself and to the Go server's streams only. */
export function contentSecurityPolicy(nonce: string, serverUrl: string, development: boolean): string {
  const stream = new URL(serverUrl);
  const socket = `${stream.protocol === "https:" ? "wss:" : "ws:"}//${stream.host}`;
  return [
    "default-src 'self'",
    // React's development build evaluates code to show stacks across server and browser.
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ""}`,
    // Widths, positions and gradients are set as styles of elements, which no nonce covers.
    "style-src 'self' 'unsafe-inline'",
    `connect-src 'self' ${stream.origin} ${socket}${development ? " ws:" : ""}`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}
