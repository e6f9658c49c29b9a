"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { writeAddress } from "@/lib/address";

/** How the state of a page stands in its address. Both functions must stay the same between renders. */
export interface AddressForm<State> {
  readonly read: (params: URLSearchParams) => State;
  /** Path and query. */
  readonly path: (state: State) => string;
}

/**
 * Keeps the state of a page in its address: a reload, a link and the way back show it again.
 *
 * @param query what the server was asked with, for the first paint. Once the browser has taken over, its own address counts: after the way back it
 *   may be another one.
 */
export function useAddressState<State extends object>(
  query: string,
  form: AddressForm<State>,
): [State, (part: Partial<State>) => void] {
  const how = useRef(form);
  const [state, setState] = useState(() => form.read(new URLSearchParams(query)));
  const [read, setRead] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a link to the same page with another query is read too.
  useEffect(() => {
    setState(how.current.read(new URLSearchParams(window.location.search)));
    setRead(true);
  }, [query]);
  useEffect(() => {
    if (read) writeAddress(how.current.path(state));
  }, [read, state]);
  const change = useCallback((part: Partial<State>) => setState((before) => ({ ...before, ...part })), []);
  return [state, change];
}
