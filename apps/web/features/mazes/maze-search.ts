/**
 * Ids that a typed text may mean in a set: itself, or the maze of that number (`7` is `heldout-0007`). `known` is any id of the set; its
 * number says how many digits ids of the set have. Empty for a text that is neither.
 */
export function searchedIds(text: string, setId: string, known: string | undefined): string[] {
  const typed = text.trim().toLowerCase();
  const digits = /-(\d+)$/.exec(known ?? "")?.[1]?.length ?? 0;
  if (/^\d{1,6}$/.test(typed))
    return digits === 0 ? [] : [`${setId}-${typed.replace(/^0+(?=\d)/, "").padStart(digits, "0")}`];
  return /^[a-z0-9][a-z0-9.-]{2,127}$/.test(typed) ? [typed] : [];
}

/** Whether a maze of a list is meant by a typed text: by its id, its title or what it tests. */
export function matchesSearch(
  maze: { readonly mazeId: string; readonly title: string; readonly tests: string },
  text: string,
): boolean {
  const words = text.trim().toLowerCase().split(/\s+/);
  const said = `${maze.mazeId} ${maze.title} ${maze.tests}`.toLowerCase();
  return words.every((word) => said.includes(word));
}
