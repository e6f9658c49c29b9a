/** The page that is being left for another one; empty while none is. */
let leaving = "";

/** Says that a navigation has begun: what the page writes into its address from now on would take the person back to it. */
export function leavePage(): void {
  leaving = window.location.pathname;
}

/** Says that a page has come; it may write its address. */
export function arriveAtPage(): void {
  leaving = "";
}

/** Writes the address of the moment that is shown, unless the page is being left. */
export function writeAddress(path: string): void {
  if (leaving !== "" && leaving === window.location.pathname) return;
  if (window.location.pathname + window.location.search !== path) window.history.replaceState(null, "", path);
}
