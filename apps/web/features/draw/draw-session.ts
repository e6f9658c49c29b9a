import { createStreamTransport, webSocketUrl } from "@rlmaze/api-client/transport";
import type { Drawing } from "./drawing";
import { DrawingEditor } from "./drawing-editor";
import { TrialRun } from "./trial-run";

/** The two things that the drawing page is about: what is drawn, and who tries it. */
export interface DrawSession {
  readonly editor: DrawingEditor;
  readonly trial: TrialRun;
  dispose(): void;
}

/** Makes a session that begins with a drawing. Every change of it reaches the board at once and ends the trial. */
export function createDrawSession(publicServerUrl: string, drawing: Drawing): DrawSession {
  const editor = new DrawingEditor(drawing);
  const trial = new TrialRun({
    transport: createStreamTransport({ serverUrl: publicServerUrl }),
    webSocketUrl: webSocketUrl(publicServerUrl),
  });
  let shown = -1;
  const show = () => {
    const { drawing: current, facts, revision } = editor.getState();
    if (revision === shown) return;
    shown = revision;
    trial.show(current, facts);
  };
  show();
  const forget = editor.subscribe(show);
  return {
    editor,
    trial,
    dispose: () => {
      forget();
      trial.dispose();
    },
  };
}
