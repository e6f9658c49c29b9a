"use client";

import type { Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { Check, Copy } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Label } from "@/components/ui/label";
import { Panel } from "@/components/ui/panel";
import { Segmented } from "@/components/ui/segmented";
import { Switch } from "@/components/ui/switch";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { cn } from "@/lib/class-names";
import { count } from "@/lib/format";
import { runLook } from "./chart-lines";
import { figureRows } from "./figure-rows";
import { paramRows } from "./run-params";
import { RunSign } from "./run-sign";
import { wordsOf } from "./run-words";

/** The runs in figures, in parameters and as they were configured. */
export function CompareTables({ runs }: { runs: readonly Run[] }) {
  const several = runs.length > 1;
  return (
    <Panel aria-label="Tables" className="shrink-0">
      <Tabs defaultValue="parameters">
        <TabsList aria-label="Tables">
          <TabsTrigger value="parameters">Parameters</TabsTrigger>
          <TabsTrigger value="figures">Latest figures</TabsTrigger>
          <TabsTrigger value="configuration">Configuration</TabsTrigger>
        </TabsList>
        <TabsContent value="parameters">
          <Parameters runs={runs} several={several} />
        </TabsContent>
        <TabsContent value="figures">
          <Figures runs={runs} />
        </TabsContent>
        <TabsContent value="configuration">
          <Configuration runs={runs} />
        </TabsContent>
      </Tabs>
    </Panel>
  );
}

function Parameters({ runs, several }: { runs: readonly Run[]; several: boolean }) {
  const [all, setAll] = useState(!several);
  const id = useId();
  const rows = paramRows(runs.map(({ params }) => params));
  const different = rows.filter((row) => !row.equal);
  const shown = all ? rows : different;
  return (
    <>
      {several ? (
        <div className="flex items-center gap-2 border-b px-3 py-2">
          <Switch id={id} checked={all} onCheckedChange={setAll} />
          <Label htmlFor={id}>Show what is equal too</Label>
          <span className="ml-auto text-meta text-text-3">
            <span className="figure">{count(different.length)}</span> of{" "}
            <span className="figure">{count(rows.length)}</span> differ
          </span>
        </div>
      ) : null}
      {shown.length === 0 ? (
        <p className="px-3 py-6 text-center text-sub text-text-3">
          {rows.length === 0 ? "No parameters were logged." : "These runs have the same parameters."}
        </p>
      ) : (
        <Scroll label="Parameters, table">
          <table className="w-full text-sub">
            <caption className="sr-only">{all ? "Parameters" : "Parameters that differ"}</caption>
            <RunHeads first="Parameter" runs={runs} />
            <tbody className="figure">
              {shown.map(({ key, values, equal }) => (
                <tr key={key} className="border-t">
                  <RowHead>{key}</RowHead>
                  {values.map((value, column) => (
                    <td
                      key={runs[column]?.runId}
                      className={cn("max-w-64 truncate px-3 py-1 text-right", equal ? "text-text-3" : "text-text")}
                      title={value}
                    >
                      {value ?? <span className="text-text-3">not set</span>}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function Figures({ runs }: { runs: readonly Run[] }) {
  const rows = figureRows(runs);
  if (rows.length === 0) return <p className="px-3 py-6 text-center text-sub text-text-3">No figures yet.</p>;
  return (
    <Scroll label="Latest figures, table">
      <table className="w-full text-sub">
        <caption className="sr-only">Latest figures; the best of a row is marked</caption>
        <RunHeads first="Figure" runs={runs} />
        <tbody className="figure">
          {rows.map(({ key, values, best }) => {
            const words = wordsOf(key);
            return (
              <tr key={key} className="border-t">
                <RowHead title={words.line}>{words.name}</RowHead>
                {values.map((value, column) => (
                  <td key={runs[column]?.runId} className="whitespace-nowrap px-3 py-1 text-right">
                    {value === undefined ? (
                      <span className="text-text-3">–</span>
                    ) : value === best ? (
                      <b className="font-semibold text-ok">
                        <span className="sr-only">best </span>
                        <span aria-hidden="true">▲ </span>
                        {words.write(value)}
                      </b>
                    ) : (
                      words.write(value)
                    )}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function Scroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by the keyboard.
    <section aria-label={label} tabIndex={0} className="scroll-thin max-h-96 overflow-auto">
      {children}
    </section>
  );
}

function RunHeads({ first, runs }: { first: string; runs: readonly Run[] }) {
  return (
    <thead className="sticky top-0 z-10 bg-panel text-left text-meta text-text-3 shadow-[inset_0_-1px_0_var(--line)]">
      <tr>
        <th scope="col" className="sticky left-0 bg-panel px-3 py-1.5 font-normal">
          {first}
        </th>
        {runs.map((run, place) => (
          <th key={run.runId} scope="col" className="px-3 py-1.5 font-normal" title={run.name}>
            <span className="flex items-center justify-end gap-1.5">
              <RunSign look={runLook(place)} />
              <span className="figure max-w-40 truncate max-md:sr-only">{run.name}</span>
            </span>
          </th>
        ))}
      </tr>
    </thead>
  );
}

function RowHead({ title, children }: { title?: string; children: ReactNode }) {
  return (
    <th
      scope="row"
      title={title}
      className="sticky left-0 whitespace-nowrap bg-panel px-3 py-1 text-left font-normal text-text-2"
    >
      {children}
    </th>
  );
}

/** The configuration as it was used, defaults filled in. */
function Configuration({ runs }: { runs: readonly Run[] }) {
  const [wanted, setWanted] = useState(runs[0]?.runId ?? "");
  const run = runs.find(({ runId }) => runId === wanted) ?? runs[0];
  if (run === undefined) return null;
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 border-b px-3 py-2">
        {runs.length === 1 ? null : (
          <Segmented
            label="Run"
            value={run.runId}
            options={runs.map(({ runId, name }, place) => ({ value: runId, label: String(place + 1), name }))}
            onChange={setWanted}
          />
        )}
        <span className="figure min-w-0 flex-1 truncate text-sub text-text-2">{run.name}</span>
        {run.configYaml === "" ? null : <CopyButton key={run.runId} text={run.configYaml} />}
      </div>
      {run.configYaml === "" ? (
        <p className="px-3 py-6 text-center text-sub text-text-3">This run was logged without its configuration.</p>
      ) : (
        <Scroll label={`Configuration of ${run.name}`}>
          <pre className="figure px-3 py-2 text-sub text-text-2">{run.configYaml}</pre>
        </Scroll>
      )}
    </>
  );
}

function CopyButton({ text }: { text: string }) {
  const [copied, setCopied] = useState<boolean>();
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  const words = copied === true ? "Copied" : copied === false ? "Select and copy it by hand" : "Copy";
  return (
    <>
      <Button size="sm" onClick={copy}>
        {copied === true ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
        {words}
      </Button>
      <span role="status" className="sr-only">
        {copied === undefined ? "" : words}
      </span>
    </>
  );
}
