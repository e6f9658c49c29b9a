import { type NextRequest, NextResponse } from "next/server";
import { contentSecurityPolicy } from "@/server/content-security";
import { publicServerUrl } from "@/server/public-server-url";

/** Gives every page its security headers. Next finds the nonce in the request's policy and puts it on its own scripts. */
export function proxy(request: NextRequest): NextResponse {
  const nonce = btoa(crypto.randomUUID());
  const policy = contentSecurityPolicy(nonce, publicServerUrl(), process.env.NODE_ENV === "development");
  const headers = new Headers(request.headers);
  headers.set("x-nonce", nonce);
  headers.set("Content-Security-Policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("Content-Security-Policy", policy);
  response.headers.set("Referrer-Policy", "same-origin");
  response.headers.set("X-Content-Type-Options", "nosniff");
  return response;
}

export const config = {
  // Pages only: answers of /api are JSON, and static files are no documents.
  matcher: ["/((?!api|_next/static|_next/image|icon.svg).*)"],
};
