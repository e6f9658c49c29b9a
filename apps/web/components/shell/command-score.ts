/** How well a command fits: 2 a title that begins so, 1 a word that does, less where all typed words occur somewhere, 0 not at all. */
export function score(_id: string, search: string, keywords: readonly string[] = []): number {
  const wanted = search.toLowerCase().trim();
  const [title = "", ...rest] = keywords.map((word) => word.toLowerCase());
  if (wanted === "" || title.startsWith(wanted)) return 2;
  if (title.split(/[\s›]+/).some((word) => word.startsWith(wanted))) return 1;
  const all = [title, ...rest].join(" ");
  if (all.includes(wanted)) return 0.6;
  return wanted.split(/\s+/).every((word) => all.includes(word)) ? 0.4 : 0;
}
