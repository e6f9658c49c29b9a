import { Signpost } from "lucide-react";
import Link from "next/link";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";

export default function NotFound() {
  return (
    <main className="h-full">
      <Notice
        icon={<Signpost />}
        as="h1"
        title="No way leads here"
        actions={
          <Button asChild variant="primary">
            <Link href="/">To the maze</Link>
          </Button>
        }
      >
        There is no page at this address.
      </Notice>
    </main>
  );
}
