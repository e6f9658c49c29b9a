import { ServiceState, type ServiceStatus } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { Hourglass, PackageX, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { Notice } from "@/components/ui/notice";
import { percent } from "@/lib/format";
import { serviceSentence, serviceWords } from "@/lib/services";
import { ProgressBar } from "./progress-bar";

type ServiceNoticeProps = {
  service: ServiceStatus;
  /** What an installation without the service misses, and how it comes by one. */
  notConfigured: ReactNode;
  /** What goes on though the service is away. */
  away: ReactNode;
  actions?: ReactNode;
};

/** What a page shows instead of its content when the service behind it cannot be asked. */
export function ServiceNotice({ service, notConfigured, away, actions }: ServiceNoticeProps) {
  const { name } = serviceWords(service.name);
  const sentence = serviceSentence(service);
  switch (service.state) {
    case ServiceState.PREPARING:
      return (
        <Notice icon={<Hourglass />} title={`${name} is being prepared`} actions={actions}>
          <p role="status">{sentence || "It is being installed or started."}</p>
          <div className="mx-auto mt-3 flex w-64 max-w-full items-center gap-3">
            <ProgressBar label={`Preparation of ${name}`} share={service.progress} className="flex-1" />
            {service.progress === undefined ? null : (
              <span className="figure text-sub text-text-3">{percent(service.progress, 0)}</span>
            )}
          </div>
          <p className="mt-3 text-sub text-text-3">This page goes on by itself.</p>
        </Notice>
      );
    case ServiceState.NOT_CONFIGURED:
      return (
        <Notice icon={<PackageX />} title={`There is no ${name} here`} actions={actions}>
          {notConfigured}
        </Notice>
      );
    default:
      return (
        <Notice icon={<Unplug />} tone="warn" title={`${name} is away`} actions={actions}>
          {sentence === "" ? null : <p>{sentence}</p>}
          <p>{away}</p>
        </Notice>
      );
  }
}
