import { HOOK, GuardedStore } from '../support/guardedStore.ts';
import { type Command, median, runOnce } from './timing.ts';

/** Pairs that are measured; each takes an output of its own. */
export const HOOK_PAIRS = 21;
const FILES = 10;

/** Medians of the wall time of the hook, in seconds, beside those of a Node that does nothing. */
export interface HookFigures {
  readonly node: number;
  /** An output that nobody has looked at before. */
  readonly fresh: number;
  /** One that was scanned before. */
  readonly known: number;
}

/** The whole process of the post-build hook on outputs of ten files, as a daemon starts it. */
export async function benchHook(): Promise<HookFigures> {
  using store = new GuardedStore(['post-build-hook =']);
  const names = Array.from({ length: HOOK_PAIRS + 1 }, (_, index) => `output-${index}`);
  const script = `mkdir $out; for file in $(seq ${FILES}); do seq 1 300 > $out/$file; echo $name >> $out/$file; done`;
  const file = store.expression(Object.fromEntries(names.map((name) => [name, script])));
  const { status, stdout, stderr } = store.nixBuild(file, names);
  const paths = stdout.trim().split('\n');
  if (status !== 0 || paths.length !== names.length) throw new Error(`nix-build failed: ${stderr}`);
  const node: Command = { program: process.execPath, args: ['-e', '0'], statuses: [0] };
  const seconds = { node: [] as number[], fresh: [] as number[], known: [] as number[] };
  for (const [index, path] of paths.entries()) {
    const hook = { program: HOOK, args: [], statuses: [0], env: { ...store.bare(), OUT_PATHS: path } };
    const idle = (await runOnce(node)).seconds;
    const fresh = (await runOnce(hook)).seconds;
    const known = (await runOnce(hook)).seconds;
    // the first warms caches
    if (index === 0) continue;
    seconds.node.push(idle);
    seconds.fresh.push(fresh);
    seconds.known.push(known);
  }
  return { node: median(seconds.node), fresh: median(seconds.fresh), known: median(seconds.known) };
}
