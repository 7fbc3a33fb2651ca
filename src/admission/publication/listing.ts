/**
 * The root of a listing, as Nix writes them (`.ls`), that this server has made. It may be long: read it once for many
 * questions.
 */
export function parseListing(text: string): unknown {
  return field(JSON.parse(text), 'root');
}

/** Whether there is a regular file at this path. @param root as {@link parseListing} gives it */
export function hasFile(root: unknown, path: string): boolean {
  let node: unknown = root;
  for (const part of path.split('/')) {
    const entries = field(node, 'entries');
    if (field(node, 'type') !== 'directory' || entries === undefined) return false;
    node = field(entries, part);
  }
  return field(node, 'type') === 'regular';
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
