import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byteStringOfText, bytesOfByteString } from '../../src/model/bytes.ts';
import { NarScanError } from '../../src/model/errors.ts';
import { type Derivation, outputPathsOf, parseDerivation } from '../../src/nix/derivation.ts';
import { derivationArbitrary, writeDerivation } from '../support/derivationWriter.ts';
import { needs } from '../support/programs.ts';

const path = (name: string): string => `/nix/store/0123456789abcdfghijklmnpqrsvwxyz-${name}`;
const parse = (text: string): Derivation => parseDerivation(bytesOfByteString(text));

/** What is wrong with a derivation; '' where nothing is. */
function fault(text: string): string {
  try {
    parse(text);
    return '';
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    expect(error.code).toBe('DERIVATION_INVALID');
    expect(error.message).not.toContain('\n');
    return error.message;
  }
}

const OUT = `[("out","${path('x')}","","")]`;
const REST = '"x86_64-linux","/bin/sh",["-c","true"],[("a","1"),("b","2")])';

describe('a derivation', () => {
  it('is read back as it was written, whatever bytes are in it', () => {
    fc.assert(
      fc.property(derivationArbitrary, (derivation) => {
        expect(parseDerivation(writeDerivation(derivation))).toEqual(derivation);
      }),
    );
  });

  it('that is cut short anywhere is none', () => {
    fc.assert(
      fc.property(derivationArbitrary, fc.double({ min: 0, max: 0.999, noNaN: true }), (derivation, part) => {
        const bytes = writeDerivation(derivation);
        const text = bytes.subarray(0, Math.floor(bytes.length * part)).toString('latin1');
        expect(fault(text)).not.toBe('');
      }),
    );
  });

  it('with other bytes in it is refused or read, and nothing else happens', () => {
    fc.assert(
      fc.property(derivationArbitrary, fc.nat(), fc.nat(255), (derivation, at, byte) => {
        const bytes = writeDerivation(derivation);
        bytes[at % bytes.length] = byte;
        const text = bytes.toString('latin1');
        // there is one way of writing each derivation
        if (fault(text) === '') expect(writeDerivation(parse(text)).toString('latin1')).toBe(text);
      }),
    );
  });

  it('of the dynamic form tells the outputs that it uses of its inputs themselves', () => {
    const inputs = `[("${path('a.drv')}",["out"]),("${path('b.drv')}",(["dev"],[("out",["x"]),("y",(["z"],[]))]))]`;
    const { inputDerivations } = parse(`DrvWithVersion("xp-dyn-drv",${OUT},${inputs},[],${REST}`);
    expect([...inputDerivations]).toEqual([
      [path('a.drv'), ['out']],
      [path('b.drv'), ['dev']],
    ]);
  });

  it('tells the paths of its outputs where they are known', () => {
    const outputs = `[("dev","","r:sha256",""),("doc","${path('x-doc')}","",""),("out","${path('x')}","","")]`;
    const derivation = parse(`Derive(${outputs},[],[],${REST}`);
    expect(outputPathsOf(derivation)).toEqual([path('x-doc'), path('x')]);
    expect(derivation.outputs.size).toBe(3);
  });
});

describe('what Nix would not write is no derivation', () => {
  const inputs = `[("${path('a.drv')}",["dev","out"])]`;
  const sources = `["${path('s')}"]`;

  it('while this is one', () => {
    expect(fault(`Derive(${OUT},${inputs},${sources},${REST}`)).toBe('');
  });

  it.each([
    ['nothing', ''],
    ['another file', '#!/bin/sh\n'],
    ['another version', `DrvWithVersion("xp-other",${OUT},[],[],${REST}`],
    ['a space', `Derive( ${OUT},[],[],${REST}`],
    ['no outputs', `Derive([],[],[],${REST}`],
    ['something behind it', `Derive(${OUT},[],[],${REST}\n`],
    ['a comma before the end of a list', `Derive(${OUT},[],["${path('s')}",],${REST}`],
    ['an output twice', `Derive([("out","${path('x')}","",""),("out","${path('y')}","","")],[],[],${REST}`],
    ['a path that climbs', `Derive([("out","/nix/store/../${path('x').slice(11)}","","")],[],[],${REST}`],
    ['a path of no store', `Derive([("out","/etc/passwd","","")],[],[],${REST}`],
    ['a path that is relative', `Derive([("out","${path('x').slice(1)}","","")],[],[],${REST}`],
    ['paths of two stores', `Derive(${OUT},[],["/gnu${path('s')}"],${REST}`],
    ['a path in a store path', `Derive(${OUT},[],["${path('s')}/a"],${REST}`],
    ['a floating output with a path', `Derive([("out","${path('x')}","r:sha256","")],[],[],${REST}`],
    ['a fixed output without one', `Derive([("out","","r:sha256","00")],[],[],${REST}`],
    ['a hash of no algorithm', `Derive([("out","${path('x')}","","00")],[],[],${REST}`],
    ['an input that is no derivation', `Derive(${OUT},[("${path('a')}",["out"])],[],${REST}`],
    ['an input without outputs', `Derive(${OUT},[("${path('a.drv')}",[])],[],${REST}`],
    ['an input of the other form', `Derive(${OUT},[("${path('a.drv')}",(["out"],[]))],[],${REST}`],
    ['inputs out of order', `Derive(${OUT},[],["${path('t')}","${path('s')}"],${REST}`],
    ['variables out of order', `Derive(${OUT},[],[],"","",[],[("b","2"),("a","1")])`],
    ['an escape that means nothing', `Derive(${OUT},[],[],"\\x","",[],[])`],
    ['a line feed in a string', `Derive(${OUT},[],[],"\n","",[],[])`],
    ['a string without an end', `Derive(${OUT},[],[],"\\"`],
    [
      'inputs of inputs of inputs without an end',
      `DrvWithVersion("xp-dyn-drv",${OUT},[("${path('a.drv')}",${'([],[("o",'.repeat(100_000)}`,
    ],
    ['more items than there may be', `Derive(${OUT},[],[],"","",[${'"",'.repeat(1_000_001)}""],[])`],
  ])('%s', (_, text) => {
    expect(fault(text)).toMatch(/^the derivation is none that Nix writes: .+ \(at \d+\)$/);
  });

  it('nor one that is too large', () => {
    expect(() => parseDerivation(new Uint8Array(64 * 1024 * 1024 + 1), 'x.drv')).toThrow(
      /^x\.drv is none .*67108864/,
    );
  });
});

describe.skipIf(!needs('nix-instantiate'))('derivations that the real Nix writes', () => {
  let folder: string;
  const argument = '"quoted" \\ $x\n\r\té';

  /** What Nix makes of an expression, read. */
  function instantiated(expression: string): Derivation {
    const file = join(folder, 'default.nix');
    writeFileSync(file, expression);
    const environment = {
      PATH: process.env['PATH'],
      HOME: folder,
      NIX_STORE_DIR: join(folder, 'store'),
      NIX_STATE_DIR: join(folder, 'var/nix'),
      NIX_LOG_DIR: join(folder, 'var/log'),
      NIX_CONF_DIR: folder,
    };
    const drv = execFileSync('nix-instantiate', [file], {
      env: environment,
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return parseDerivation(readFileSync(drv.trim()));
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-drv-'));
    mkdirSync(join(folder, 'store'));
    const features = 'experimental-features = nix-command ca-derivations impure-derivations\n';
    writeFileSync(
      join(folder, 'nix.conf'),
      `substituters =\nsandbox = false\nbuild-users-group =\n${features}`,
    );
    writeFileSync(join(folder, 'argument'), argument);
  });

  afterAll(() => {
    execFileSync('chmod', ['-R', 'u+w', folder]);
    rmSync(folder, { recursive: true });
  });

  it('give outputs, inputs, arguments and variables', () => {
    const derivation = instantiated(`let
      common = { system = "x86_64-linux"; builder = "/bin/sh"; };
      fixed = derivation (common // { name = "fixed"; outputHashMode = "recursive"; outputHashAlgo = "sha256";
        outputHash = "${'0'.repeat(52)}"; });
      many = derivation (common // { name = "many"; outputs = [ "out" "dev" ]; });
    in derivation (common // { name = "x"; outputs = [ "out" "doc" ]; args = [ (builtins.readFile ./argument) ];
      source = ./argument; inherit fixed; many = many.dev; })`);
    expect([...derivation.outputs.keys()]).toEqual(['doc', 'out']);
    expect(outputPathsOf(derivation)).toEqual([derivation.env.get('doc'), derivation.env.get('out')]);
    expect(new Set(derivation.inputDerivations.values())).toEqual(new Set([['dev'], ['out']]));
    expect(derivation.inputSources).toEqual([derivation.env.get('source')]);
    expect(derivation.args).toEqual([byteStringOfText(argument)]);
    expect([derivation.platform, derivation.builder]).toEqual(['x86_64-linux', '/bin/sh']);
    const fixed = [...derivation.inputDerivations.keys()].find((file) => file.endsWith('-fixed.drv')) ?? '';
    const [output] = parseDerivation(readFileSync(fixed)).outputs.values();
    expect(output).toEqual({
      path: derivation.env.get('fixed'),
      hashAlgorithm: 'r:sha256',
      hash: '0'.repeat(64),
    });
  });

  it('give no path where it floats, or is impure', () => {
    const floating = instantiated(`derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh";
      __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; }`);
    expect([...floating.outputs.values()]).toEqual([{ path: null, hashAlgorithm: 'r:sha256', hash: '' }]);
    const impure = instantiated(`derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh";
      __impure = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; }`);
    expect([...impure.outputs.values()]).toEqual([{ path: null, hashAlgorithm: 'r:sha256', hash: 'impure' }]);
  });

  it('keep structured attributes in one variable', () => {
    const { env } = instantiated(`derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh";
      __structuredAttrs = true; list = [ "a\\"b" 1 ]; }`);
    expect(JSON.parse(env.get('__json') ?? '')).toMatchObject({ list: ['a"b', 1] });
  });
});
