"use client";

import { DARK_MAZE_THEME, LIGHT_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import { Download, Film, Image as ImageIcon, X } from "lucide-react";
import { useTheme } from "next-themes";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { bytes, count } from "@/lib/format";
import { fileName, lanesName, mazeName, type SharedPicture, type ShareSubject } from "./share-subject";

type ShareFilesProps = { subject: ShareSubject & { readonly picture: SharedPicture } };

/** A file that was made, ready to be saved. */
interface MadeFile {
  readonly url: string;
  readonly name: string;
  readonly size: number;
}

/** A picture of the moment and an animation of the episode, made in this browser. */
export function ShareFiles({ subject }: ShareFilesProps) {
  const { resolvedTheme } = useTheme();
  const theme = resolvedTheme === "light" ? LIGHT_MAZE_THEME : DARK_MAZE_THEME;
  const { moment } = subject;
  const options = {
    ...subject.picture,
    theme,
    caption: subject.picture.caption ?? { model: lanesName(moment), maze: mazeName(moment) },
  };
  return (
    <div className={subject.steps > 0 ? "grid grid-cols-2 gap-3" : ""}>
      <PictureCard options={options} name={fileName(moment, "png")} wide={subject.steps === 0} />
      {subject.steps > 0 ? (
        <AnimationCard options={options} steps={subject.steps} name={fileName(moment, "gif", subject.steps)} />
      ) : null}
    </div>
  );
}

type Options = SharedPicture & {
  readonly theme: typeof DARK_MAZE_THEME;
  readonly caption: { readonly model: string; readonly maze: string };
};

/** The picture is made when the dialog opens: one sees what one saves. */
function PictureCard({ options, name, wide }: { options: Options; name: string; wide: boolean }) {
  const [file, setFile] = useState<MadeFile>();
  const [failed, setFailed] = useState(false);
  const asked = useRef(options);
  useEffect(() => {
    let gone = false;
    let made: MadeFile | undefined;
    void (async () => {
      try {
        const { momentPicture } = await import("@rlmaze/maze-canvas/picture");
        const blob = await momentPicture(asked.current);
        if (gone) return;
        made = madeFile(blob, name);
        setFile(made);
      } catch {
        setFailed(true);
      }
    })();
    return () => {
      gone = true;
      if (made !== undefined) URL.revokeObjectURL(made.url);
    };
  }, [name]);
  return (
    <Card
      icon={<ImageIcon aria-hidden="true" />}
      title="Picture"
      preview={
        failed ? (
          <Failed>This browser cannot draw it.</Failed>
        ) : file === undefined ? (
          <Skeleton className="size-full" />
        ) : (
          // biome-ignore lint/performance/noImgElement: the picture was made here; there is nothing to optimise.
          <img
            src={file.url}
            alt={`The maze at this moment: ${options.caption.model}`}
            className="size-full object-contain"
          />
        )
      }
      wide={wide}
    >
      <Save file={file} kind="PNG" />
    </Card>
  );
}

type AnimationState =
  | { readonly state: "none" }
  | { readonly state: "making"; readonly share: number }
  | { readonly state: "made"; readonly file: MadeFile; readonly stepsPerFrame: number }
  | { readonly state: "failed" };

/** The animation takes seconds, so it is made on wish, with its progress and a way to stop it. */
function AnimationCard({ options, steps, name }: { options: Options; steps: number; name: string }) {
  const [animation, setAnimation] = useState<AnimationState>({ state: "none" });
  const work = useRef<AbortController | undefined>(undefined);
  const url = useRef<string | undefined>(undefined);
  const ids = useId();
  useEffect(
    () => () => {
      work.current?.abort();
      if (url.current !== undefined) URL.revokeObjectURL(url.current);
    },
    [],
  );
  const make = async () => {
    const stop = new AbortController();
    work.current = stop;
    setAnimation({ state: "making", share: 0 });
    try {
      const { episodeAnimation } = await import("@rlmaze/maze-canvas/animation");
      const { blob, stepsPerFrame } = await episodeAnimation({
        ...options,
        toStep: steps,
        signal: stop.signal,
        onProgress: (share) => {
          if (!stop.signal.aborted) setAnimation({ state: "making", share });
        },
      });
      const file = madeFile(blob, name);
      url.current = file.url;
      setAnimation({ state: "made", file, stepsPerFrame });
    } catch {
      setAnimation({ state: stop.signal.aborted ? "none" : "failed" });
    }
  };
  const percent = animation.state === "making" ? Math.round(animation.share * 100) : 0;
  return (
    <Card
      icon={<Film aria-hidden="true" />}
      title="Animation"
      preview={
        animation.state === "made" ? (
          // biome-ignore lint/performance/noImgElement: the animation was made here; there is nothing to optimise.
          <img
            src={animation.file.url}
            alt={`The episode step by step: ${options.caption.model}`}
            className="size-full object-contain"
          />
        ) : animation.state === "failed" ? (
          <Failed>This browser cannot make it.</Failed>
        ) : (
          <div className="grid size-full place-content-center gap-2 p-3 text-center text-sub text-text-3">
            {animation.state === "making" ? (
              <>
                <p id={`${ids}-progress`}>
                  Drawing <span className="figure">{percent}</span>&#8239;%
                </p>
                <div
                  role="progressbar"
                  aria-labelledby={`${ids}-progress`}
                  aria-valuenow={percent}
                  aria-valuemin={0}
                  aria-valuemax={100}
                  className="h-1 w-28 overflow-hidden rounded-full bg-active"
                >
                  <div className="h-full origin-left bg-accent" style={{ transform: `scaleX(${animation.share})` }} />
                </div>
              </>
            ) : (
              <p>
                All <span className="figure text-text-2">{count(steps)}</span> steps as a GIF that loops
              </p>
            )}
          </div>
        )
      }
    >
      {animation.state === "made" ? (
        <Save file={animation.file} kind="GIF" />
      ) : animation.state === "making" ? (
        <Button className="w-full" onClick={() => work.current?.abort()}>
          <X aria-hidden="true" />
          Cancel
        </Button>
      ) : (
        <Button className="w-full" onClick={() => void make()}>
          <Film aria-hidden="true" />
          Make GIF
        </Button>
      )}
      <p className="truncate text-meta text-text-3 empty:-mt-2" role="status">
        {animation.state === "made" && animation.stepsPerFrame > 1
          ? `Each frame is ${animation.stepsPerFrame} steps.`
          : ""}
      </p>
    </Card>
  );
}

function madeFile(blob: Blob, name: string): MadeFile {
  return { url: URL.createObjectURL(blob), name, size: blob.size };
}

function Save({ file, kind }: { file: MadeFile | undefined; kind: "PNG" | "GIF" }) {
  if (file === undefined) {
    return (
      <Button className="w-full" disabled>
        <Download aria-hidden="true" />
        Save {kind}
      </Button>
    );
  }
  return (
    <Button asChild className="w-full">
      <a href={file.url} download={file.name} title={file.name}>
        <Download aria-hidden="true" />
        Save {kind}
        <span className="figure text-meta text-text-3">{bytes(file.size)}</span>
      </a>
    </Button>
  );
}

function Failed({ children }: { children: ReactNode }) {
  return <p className="grid size-full place-content-center p-3 text-center text-sub text-warn">{children}</p>;
}

function Card({
  icon,
  title,
  preview,
  wide = false,
  children,
}: {
  icon: ReactNode;
  title: string;
  preview: ReactNode;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <section aria-label={title} className="min-w-0 space-y-2">
      <h3 className="flex items-center gap-1.5 text-sub text-text-2 [&_svg]:size-3.5">
        {icon}
        {title}
      </h3>
      <div
        className={`overflow-hidden rounded-control border bg-bg ${wide ? "mx-auto aspect-square max-h-64 w-full" : "aspect-square"}`}
      >
        {preview}
      </div>
      {children}
    </section>
  );
}
