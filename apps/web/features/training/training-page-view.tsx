import type { ReactNode } from "react";
import { useState } from "react";
import { PageHeader } from "@/components/shell/page-header";
import { Tabs, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { cn } from "@/lib/class-names";
import { TrainerLine } from "./trainer-notice";
import type { TrainerService } from "./trainer-service";

export type TrainingPageViewProps = {
  trainer: TrainerService;
  /** Whether a form that was read before stands there. */
  hasForm: boolean;
  form: ReactNode;
  runs: ReactNode;
};

const phoneTabs = [
  { value: "new", label: "New" },
  { value: "runs", label: "Runs" },
] as const;
type PhoneTab = (typeof phoneTabs)[number]["value"];

/** Form and runs beside one another; on a phone one of them. */
export function TrainingPageView({ trainer, hasForm, form, runs }: TrainingPageViewProps) {
  const [tab, setTab] = useState<PhoneTab>("new");
  return (
    <>
      <PageHeader title="Training" />
      <Tabs
        role="region"
        aria-label="Choice of view"
        value={tab}
        onValueChange={(value) => setTab(phoneTabs.find((one) => one.value === value)?.value ?? "new")}
        className="md:hidden"
      >
        <TabsList className="bg-panel" aria-label="Views">
          {phoneTabs.map((one) => (
            <TabsTrigger key={one.value} value={one.value} aria-controls={`view-${one.value}`}>
              {one.label}
            </TabsTrigger>
          ))}
        </TabsList>
      </Tabs>
      <main className="flex min-h-0 flex-1 flex-col gap-2 p-2">
        {hasForm ? <TrainerLine trainer={trainer} /> : null}
        <div className="grid min-h-0 flex-1 gap-2 md:grid-cols-[minmax(340px,460px)_minmax(0,1fr)]">
          <div id="view-new" className={cn("min-h-0", tab === "new" ? "" : "max-md:hidden")}>
            {form}
          </div>
          <div id="view-runs" className={cn("min-h-0", tab === "runs" ? "" : "max-md:hidden")}>
            {runs}
          </div>
        </div>
      </main>
    </>
  );
}
