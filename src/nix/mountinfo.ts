/** One mount, as /proc/self/mountinfo tells it (proc_pid_mountinfo(5)). Paths are unescaped. */
export interface Mount {
  /** `major:minor` of the file system; the same for every mount of it. */
  readonly device: string;
  /** The directory of the file system that is mounted here; `/` unless it is a part of it. */
  readonly root: string;
  readonly mountPoint: string;
  readonly type: string;
}

/** Reads the text of /proc/self/mountinfo, in its order; lines of another shape are left out. */
export function parseMountinfo(text: string): readonly Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const separator = fields.indexOf('-', 6);
    const [, , device = '', root = '', mountPoint = ''] = fields;
    if (separator < 0 || !root.startsWith('/') || !mountPoint.startsWith('/')) continue;
    const type = fields[separator + 1] ?? '';
    mounts.push({ device, root: unescaped(root), mountPoint: unescaped(mountPoint), type });
  }
  return mounts;
}

/**
 * Other names of a directory, which bind mounts make: where its file system is mounted as well, and
 * the path within the file system as it is, because that is the name it has where the mount was made
 * when the rest of that file system is not in sight. The directory's own path is not among them.
 *
 * @param directory absolute, without links
 */
export function otherNames(mounts: readonly Mount[], directory: string): readonly string[] {
  const mount = mountOf(mounts, directory);
  if (mount === null) return [];
  const inside = joined(mount.root, below(directory, mount.mountPoint) ?? '');
  const names = new Set<string>();
  for (const { device, root, mountPoint } of mounts) {
    const rest = device === mount.device ? below(inside, root) : null;
    if (rest !== null) names.add(joined(mountPoint, rest));
  }
  if (mount.root !== '/') {
    names.add(inside);
    // a subvolume's name is no part of any path outside
    if (mount.type === 'btrfs') names.add(`/${inside.split('/').slice(2).join('/')}`);
  }
  names.delete(directory);
  return [...names];
}

/** The mount that a path lies on: the deepest, and of several at one place the last. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | null {
  let found: Mount | null = null;
  for (const mount of mounts) {
    if (below(path, mount.mountPoint) === null) continue;
    if (found === null || mount.mountPoint.length >= found.mountPoint.length) found = mount;
  }
  return found;
}

/** What of `path` follows `directory`, '' or beginning with a slash; null where it does not lie there. */
function below(path: string, directory: string): string | null {
  if (directory === '/') return path === '/' ? '' : path;
  if (path === directory) return '';
  return path.startsWith(`${directory}/`) ? path.slice(directory.length) : null;
}

function joined(directory: string, rest: string): string {
  if (rest === '') return directory;
  return directory === '/' ? rest : directory + rest;
}

/** The kernel writes spaces, tabs, line breaks and backslashes as three octal digits of a byte. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_escape, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
