// Starts the standalone server that `pnpm build` made, on loopback unless HOSTNAME says otherwise.
process.env.HOSTNAME ??= "127.0.0.1";
process.env.PORT ??= "3000";
await import(new URL("../.next/standalone/apps/web/server.js", import.meta.url).href);
