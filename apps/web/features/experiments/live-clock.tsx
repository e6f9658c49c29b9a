"use client";

import { useEffect, useState } from "react";

/** Words that depend on the time, written anew each second. Empty until the browser has taken over: the server's second is another one. */
export function LiveClock({ write }: { write: (now: number) => string }) {
  const [now, setNow] = useState<number>();
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <>{now === undefined ? "" : write(now)}</>;
}
