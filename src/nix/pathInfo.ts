/**
 * The store paths that `nix path-info --json` found, of what it printed: a list (Nix up to 2.18, and
 * Lix), an object by path (2.19), or such an object behind a version (since then). What is not valid is
 * marked, or null. Null for what is none of these.
 */
export function foundPaths(printed: string, storeDir: string): ReadonlySet<string> | null {
  let answer: unknown;
  try {
    answer = JSON.parse(printed);
  } catch {
    return null;
  }
  const found = new Set<string>();
  if (Array.isArray(answer)) {
    for (const info of answer as readonly unknown[]) {
      if (isFound(info) && typeof info.path === 'string') found.add(info.path);
    }
    return found;
  }
  if (!isObject(answer)) return null;
  const infos = isObject(answer['info']) ? answer['info'] : answer;
  for (const [key, info] of Object.entries(infos)) {
    if (isFound(info)) found.add(key.startsWith('/') ? key : `${storeDir}/${key}`);
  }
  return found;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFound(info: unknown): info is { readonly path?: unknown } {
  return isObject(info) && info['valid'] !== false;
}
