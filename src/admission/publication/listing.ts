/** Whether a listing, as Nix writes them (`.ls`), has a regular file at this path. */
export function hasFile(listing: string, path: string): boolean {
  const { root } = JSON.parse(listing) as { readonly root?: unknown };
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
