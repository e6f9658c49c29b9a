import path from "node:path";
import type { NextConfig } from "next";

const workspaceRoot = path.join(import.meta.dirname, "../..");

const config: NextConfig = {
  output: "standalone",
  outputFileTracingRoot: workspaceRoot,
  turbopack: { root: workspaceRoot },
  // The workspace packages are TypeScript without a build step of their own.
  transpilePackages: ["@rlmaze/api", "@rlmaze/api-client", "@rlmaze/episode-playback", "@rlmaze/maze-canvas"],
  images: { unoptimized: true },
  poweredByHeader: false,
  reactStrictMode: true,
  devIndicators: false,
  experimental: {
    optimizePackageImports: ["radix-ui", "lucide-react"],
  },
};

export default config;
