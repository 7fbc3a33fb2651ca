import type { Finding, Gap } from '../../src/model/facts.ts';
import type { OutputResult } from '../../src/model/report.ts';

const HASH = '5qw3r6a1c0vf2b9d8x7y4z1k3m6n0p2s';
export const STORE_PATH = `/nix/store/${HASH}-hello-2.12`;

/** A leak of a known home in bytes, unless said otherwise. */
export function finding(
  parts: Partial<Finding> & { before?: string; leak: string; after?: string },
): Finding {
  const { before = '', leak, after = '', ...rest } = parts;
  return {
    rule: 'known-home',
    severity: 'error',
    carrier: 'bytes',
    encoding: 'plain',
    home: '/home/noamyr',
    alias: null,
    hashPart: null,
    location: { entry: 'bin/hello', container: [], offset: 4711, outerOffset: 4711 },
    evidence: before + leak + after,
    marked: [before.length, before.length + leak.length],
    more: 0,
    ...rest,
  };
}

export function gap(entry: string, detail: string, reason: Gap['reason'] = 'unsupported'): Gap {
  return { reason, location: { entry, container: [], offset: null, outerOffset: null }, detail };
}

/** One output with leaks of most kinds, a hostile name, folded lists and gaps. */
export const leakyOutput: OutputResult = {
  target: './result',
  storePath: STORE_PATH,
  narHash: null,
  verdict: 'contaminated',
  findings: [
    finding({
      severity: 'warning',
      rule: 'foreign-home',
      home: '/home/alex',
      before: 'built by ',
      leak: '/home/alex',
      after: '/perl5/lib',
      location: { entry: 'lib/perl.so', container: [], offset: 99, outerOffset: 99, section: '.rodata' },
    }),
    finding({
      carrier: 'runpath',
      leak: '/home/noamyr',
      after: `/lib:${STORE_PATH}/lib`,
      location: { entry: 'bin/hello', container: [], offset: null, outerOffset: null, field: 'DT_RUNPATH' },
    }),
    finding({
      before: '\0panicked at \x1b[31m\u202e'.replace('\u202e', '\xe2\x80\xae') + 'x'.repeat(200),
      leak: '/home/noamyr',
      after: `/src/main.rs${'y'.repeat(200)}\n`,
      more: 40,
    }),
    finding({
      rule: 'store-alias',
      carrier: 'symlink',
      home: '/home/noamyr',
      alias: '/home/noamyr/nix/store',
      leak: '/home/noamyr/nix/store',
      after: `/${HASH}-hello-2.12/bin/hello`,
      location: { entry: 'bin/\x1b[2Jhi\xff', container: [], offset: 0, outerOffset: null },
    }),
    ...[1, 2, 3, 4, 5].map((offset) =>
      finding({
        leak: '/home/noamyr',
        location: { entry: 'share/x.jar', container: ['in.jar', 'A.class'], offset, outerOffset: 17 },
      }),
    ),
    finding({ rule: 'build-dir', severity: 'note', home: null, leak: '/build' }),
  ],
  gaps: [
    gap('dev/fifo', 'a fifo is not opened', 'special-file'),
    ...['a', 'b', 'c', 'd', 'e'].map((name) => gap(`share/man/${name}.gz`, 'gzip is not opened')),
  ],
  stats: { entries: 20, files: 12, bytes: 1_234_567, expandedBytes: 1_234_567, milliseconds: 12.7 },
};

export const cleanOutput: OutputResult = {
  ...leakyOutput,
  target: STORE_PATH,
  verdict: 'clean',
  findings: [],
  gaps: [],
};

export const unreadOutput: OutputResult = {
  ...cleanOutput,
  target: 'x.nar',
  storePath: null,
  verdict: 'incomplete',
  gaps: [gap('', 'NAR_BAD_MAGIC at 0', 'malformed-nar')],
};
