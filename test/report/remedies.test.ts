import { describe, expect, it } from 'vitest';
import { CARRIERS, GAP_REASONS, RULES } from '../../src/model/facts.ts';
import { GAP_ADVICE } from '../../src/report/gapAdvice.ts';
import { remedyFor, remedyOf } from '../../src/report/remedies.ts';
import { TOOL_REMEDIES } from '../../src/report/toolRemedies.ts';
import { finding, leakyOutput } from './madeFacts.ts';

/** A switch, a program or a value that can be typed. */
const CONCRETE =
  /(^|[ (:"])(--?[A-Za-z][\w-]*|\+\w+|\/PDBALTPATH|substituteInPlace|patchShebangs|realpath|nix-realpath|[A-Z_]{4,}=\S+)/;
const LONGEST = 200;

describe('remedies', () => {
  it.each(RULES.flatMap((rule) => CARRIERS.map((carrier) => [rule, carrier] as const)))(
    'name a flag or a tool for %s in %s, in one sentence',
    (rule, carrier) => {
      const remedy = remedyFor(rule, carrier);
      expect(remedy).toMatch(CONCRETE);
      expect(remedy.length).toBeLessThanOrEqual(LONGEST);
      expect(remedy).not.toMatch(/\n|\.$/);
    },
  );

  it.each(TOOL_REMEDIES)('name what to tell the tool: %s', (remedy) => {
    expect(remedy).toMatch(/--?[a-z]|[a-z]\(|=|\bgit /);
    expect(remedy.length).toBeLessThanOrEqual(LONGEST);
  });

  it('say what to do about each kind of gap', () => {
    for (const reason of GAP_REASONS) expect(GAP_ADVICE[reason].length).toBeGreaterThan(10);
  });

  it.each([
    ['share/doc/objects.inv', [], /sphinx-build/],
    ['lib/x.dll', [], /PathMap/],
    ['x.tar', ['repo/.git/config'], /git/],
    ['lib/x.jar', ['META-INF/MANIFEST.MF'], /addClasspath/],
    ['share/x.pdf', [], /TeX/],
    ['lib/A.swiftmodule', [], /-file-prefix-map/],
    ['lib/app.js', [], /esbuild/],
    ['bin/hello', [], /-ffile-prefix-map/],
  ])('know who wrote %s %j', (entry, container, remedy) => {
    const finding = leakyOutput.findings.find(
      ({ carrier, rule }) => carrier === 'bytes' && rule === 'known-home',
    )!;
    expect(remedyOf({ ...finding, location: { ...finding.location, entry, container } })).toMatch(remedy);
  });

  it('name no compiler for the text of a script', () => {
    const leak = finding({ leak: '/home/zoe', rule: 'known-home', carrier: 'bytes' });
    const { section: _section, ...location } = leak.location;
    const script = { ...leak, encoding: 'plain' as const, evidence: 'cd /home/zoe/x\n' };
    for (const entry of ['bin/run', 'libexec/run.sh', 'etc/x.conf']) {
      expect(remedyOf({ ...script, location: { ...location, entry, container: [] } })).toMatch(
        /^write a path relative/,
      );
    }
    const binary = { ...script, evidence: 'x\0/home/zoe/x\0' };
    expect(remedyOf({ ...binary, location: { ...location, entry: 'bin/run', container: [] } })).toMatch(
      /-trimpath/,
    );
  });

  it('leave to upstream what upstream wrote', () => {
    const leak = finding({ leak: '/home/zoe', rule: 'foreign-home', carrier: 'runpath' });
    expect(remedyOf({ ...leak, source: '/nix/store/src' })).toMatch(/upstream/);
    expect(remedyOf(leak)).not.toMatch(/upstream/);
  });

  it('treat a store in a known home as a store', () => {
    const alias = leakyOutput.findings.find((leak) => leak.alias !== null)!;
    expect(remedyOf({ ...alias, rule: 'known-home' })).toBe(remedyFor('store-alias', 'symlink'));
  });

  it('leave the name of a file aside where its text is from upstream', () => {
    const finding = leakyOutput.findings.find(({ rule }) => rule === 'foreign-home')!;
    const location = { ...finding.location, entry: 'lib/x.dll' };
    expect(remedyOf({ ...finding, location })).toBe(remedyFor('foreign-home', 'bytes'));
  });
});
