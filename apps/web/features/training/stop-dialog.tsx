import { Square } from "lucide-react";
import { Button } from "@/components/ui/button";
import {
  Dialog,
  DialogClose,
  DialogContent,
  DialogDescription,
  DialogFooter,
  DialogTitle,
} from "@/components/ui/dialog";

type StopDialogProps = {
  /** What would be lost, in a sentence or two. */
  loses: string;
  onClose: () => void;
  onStop: () => void;
};

/** Asks before a run is stopped that could not go on. */
export function StopDialog({ loses, onClose, onStop }: StopDialogProps) {
  return (
    <Dialog open onOpenChange={(open) => (open ? undefined : onClose())}>
      <DialogContent>
        <DialogTitle>Stop this run?</DialogTitle>
        <DialogDescription>{loses}</DialogDescription>
        <DialogFooter>
          <DialogClose asChild>
            <Button variant="ghost">Let it run</Button>
          </DialogClose>
          <Button variant="danger" onClick={onStop}>
            <Square />
            Stop
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
