"use client";

import { Dialog, DialogContent, DialogDescription, DialogTitle } from "@/components/ui/dialog";
import { momentPath } from "@/lib/moment-link";
import { ShareFiles } from "./share-files";
import { ShareLink } from "./share-link";
import { momentLine, type ShareSubject } from "./share-subject";

type ShareDialogProps = { subject: ShareSubject; onClose: () => void };

/** Link, picture and animation of one moment. */
export function ShareDialog({ subject, onClose }: ShareDialogProps) {
  const { moment } = subject;
  const url = new URL(momentPath(moment), window.location.origin).href;
  return (
    <Dialog open onOpenChange={(open) => (open ? undefined : onClose())}>
      <DialogContent className="w-[480px] space-y-4">
        <div>
          <DialogTitle>Share</DialogTitle>
          <DialogDescription className="figure break-words text-sub">{momentLine(moment)}</DialogDescription>
        </div>
        <ShareLink url={url} />
        {subject.picture === undefined ? null : <ShareFiles subject={{ ...subject, picture: subject.picture }} />}
      </DialogContent>
    </Dialog>
  );
}
