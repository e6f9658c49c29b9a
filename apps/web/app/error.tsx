"use client";

import { TriangleAlert } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";

/** What stands in the place of a page that broke; the navigation stays. */
export default function PageError({ reset }: { error: Error; reset: () => void }) {
  return (
    <main className="h-full">
      <Notice
        icon={<TriangleAlert />}
        tone="danger"
        as="h1"
        title="This page broke"
        actions={
          <Button variant="primary" onClick={reset}>
            Try again
          </Button>
        }
      >
        Nothing on the server was changed by it.
      </Notice>
    </main>
  );
}
