import type { ByteString } from '../../model/bytes.ts';
import { PathFault } from '../../nix/canonicalize.ts';
import { hostDisk } from '../../nix/hostDisk.ts';
import { keptDirs, LogicalPaths, type Resolved } from '../../nix/realpath.ts';
import { liesIn, relativePath } from '../../nix/relativePath.ts';
import { canonicalStoreDir, DEFAULT_STORE_DIR } from '../../nix/storePath.ts';
import { messageOf } from './messages.ts';
import { type Request, UsageFault } from './options.ts';
import { quoted } from './quote.ts';

interface Answer {
  readonly output: ByteString;
  /** One line each, without the program's name. */
  readonly complaints: readonly ByteString[];
  readonly failed: boolean;
}

/** Where relative paths start, and below which directory paths are relative at all. */
interface Relative {
  readonly to: Resolved | null;
  readonly base: ByteString | null;
}

/** A directory of the command line that stops everything. */
class DirectoryFault extends Error {
  override readonly name = 'DirectoryFault';
}

/**
 * Resolves all operands, each as if it was the only one.
 * @param variable the environment
 * @param onTerminal paths are quoted where a terminal or shell would not take them as they are
 * @throws UsageFault
 */
export function resolveAll(
  request: Request,
  variable: (name: string) => ByteString,
  onTerminal: boolean,
): Answer {
  const paths = new LogicalPaths(hostDisk, dirsOf(request, variable));
  const end = request.zero ? '\0' : '\n';
  const complaints: ByteString[] = [];
  let [output, failed] = ['', false];
  try {
    const relative = relativeOf(request, paths);
    for (const operand of request.operands) {
      try {
        const path = shown(paths.resolve(operand, request.existence, request.links), relative);
        output += (onTerminal ? quoted(path, false) : path) + end;
      } catch (fault) {
        failed = true;
        if (!request.quiet) complaints.push(complaint(operand, fault));
      }
    }
  } catch (fault) {
    if (!(fault instanceof DirectoryFault)) throw fault;
    return { output: '', complaints: [fault.message], failed: true };
  }
  return { output, complaints, failed };
}

function complaint(name: ByteString, fault: unknown): ByteString {
  if (!(fault instanceof PathFault)) throw fault;
  return `${quoted(name, true)}: ${messageOf(fault.code)}`;
}

/** Nix tells its builders the store dir in NIX_STORE. */
function dirsOf(request: Request, variable: (name: string) => ByteString): readonly ByteString[] {
  const storeDir =
    said('--store-dir', request.storeDir) ??
    fromVariable('NIX_STORE_DIR', variable) ??
    fromVariable('NIX_STORE', variable) ??
    DEFAULT_STORE_DIR;
  const stateDir = said('--state-dir', request.stateDir) ?? fromVariable('NIX_STATE_DIR', variable);
  return keptDirs(storeDir, stateDir) ?? [];
}

function fromVariable(name: string, variable: (name: string) => ByteString): ByteString | null {
  const value = variable(name);
  return value === '' ? null : said(name, value);
}

function said(where: string, value: ByteString | null): ByteString | null {
  if (value !== null && canonicalStoreDir(value) === null) {
    throw new UsageFault(`${where}: '${value}' is no absolute path of a directory`);
  }
  return value;
}

function relativeOf(request: Request, paths: LogicalPaths): Relative {
  const { relativeBase, existence, links } = request;
  const relativeTo = request.relativeTo ?? relativeBase;
  const resolved = (name: ByteString): Resolved => {
    let isDirectory = true;
    let found: Resolved;
    try {
      found = paths.resolve(name, existence, links);
      if (existence === 'all') isDirectory = hostDisk.isDirectory(found.physical);
    } catch (fault) {
      throw new DirectoryFault(complaint(name, fault), { cause: fault });
    }
    if (!isDirectory) throw new DirectoryFault(complaint(name, new PathFault('ENOTDIR')));
    return found;
  };
  if (relativeTo === null) return { to: null, base: null };
  const to = resolved(relativeTo);
  if (relativeBase === null) return { to, base: null };
  const base = resolved(relativeBase).path;
  // relative paths out of the base are not wanted, and from outside of it there are no others
  return liesIn(to.path, base) ? { to, base } : { to: null, base: null };
}

function shown({ path, keptIn }: Resolved, { to, base }: Relative): ByteString {
  if (to === null || (base !== null && !liesIn(path, base))) return path;
  // `..` out of a directory that really lies elsewhere would lead there, not where its name says
  if (to.moved && to.keptIn !== keptIn) return path;
  return relativePath(path, to.path);
}
