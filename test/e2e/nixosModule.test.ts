import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NAR_SCAN, ROOT } from '../support/narScan.ts';
import { Evaluator } from '../support/nixExpressions.ts';
import { needs } from '../support/programs.ts';

interface Machine {
  readonly environment: {
    readonly etc: Readonly<Record<string, { readonly source: { readonly command: string } }>>;
    readonly systemPackages: readonly string[];
  };
  readonly nix: { readonly settings: Readonly<Record<string, string>> };
  readonly systemd: {
    readonly services: Readonly<
      Record<string, { readonly description: string; readonly serviceConfig: Unit }>
    >;
    readonly sockets: Readonly<Record<string, { readonly listenStreams: readonly string[] }>>;
    readonly timers: Readonly<Record<string, { readonly timerConfig: Unit }>>;
    readonly tmpfiles: { readonly rules: readonly string[] };
  };
  readonly users: { readonly users?: Readonly<Record<string, object>> };
  readonly settings: Readonly<Record<string, unknown>>;
  readonly failures: readonly string[];
}

type Unit = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Where the stand-in for nixpkgs has the package. */
const PACKAGE = '/nix/store/00000000000000000000000000000000-nar-scan';
const HOOK = `${PACKAGE}/bin/nar-scan-post-build-hook`;
/** A file of the example, where builds can read it. */
const WAIVERS = /\S*\/store\/[0-9a-z]{32}-waivers\.toml/;
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The block of this language in the README's "Installing it". */
function block(language: string): string {
  const section = README.split('\n## Installing it\n')[1]?.split('\n## ')[0] ?? '';
  const text = section.split(`\n\`\`\`${language}\n`)[1]?.split('\n```\n')[0];
  if (text === undefined) throw new Error(`there is no ${language} in "Installing it"`);
  return text;
}

/** Lines of a section of a unit file, as NixOS writes them. */
function unitLines(unit: Unit): readonly string[] {
  return Object.entries(unit).flatMap(([key, value]) =>
    (Array.isArray(value) ? (value as readonly string[]) : [String(value)]).map((one) => `${key}=${one}`),
  );
}

const STAND_IN = './test/support/nixpkgs/lib.nix';

describe.skipIf(!needs('nix-instantiate'))('module.nix', () => {
  let evaluator: Evaluator;

  beforeAll(() => {
    evaluator = new Evaluator();
  });
  afterAll(() => evaluator[Symbol.dispose]());

  /** @param configuration a module, as Nix writes it */
  const machine = (configuration: string, lib = STAND_IN): Machine =>
    evaluator.value(`import ./test/support/nixpkgs/machine.nix {
      lib = import ${lib};
      configuration = ${configuration};
    }`) as Machine;

  /** Runs what makes /etc/nar-scan/config.toml of these settings and the file beside the example. */
  const policyOf = ({ environment, settings }: Machine) => {
    const generated = join(evaluator.folder, 'settings.toml');
    writeFileSync(generated, stringify(settings));
    const command = (environment.etc['nar-scan/config.toml']?.source.command ?? '')
      .replace('/generated/nar-scan-settings.toml', generated)
      .replace(WAIVERS, join(evaluator.folder, 'waivers.toml'))
      .replaceAll(PACKAGE, ROOT);
    const out = join(evaluator.folder, 'config.toml');
    const run = spawnSync('sh', ['-ec', command], {
      env: { out, NAR_SCAN_NODE: process.execPath },
      encoding: 'utf8',
    });
    return { ...run, text: readFileSync(out, 'utf8') };
  };

  const example = (): Machine => {
    const file = join(evaluator.folder, 'configuration.nix');
    writeFileSync(file, block('nix'));
    writeFileSync(
      join(evaluator.folder, 'waivers.toml'),
      '[[waivers]]\nrule = "known-home"\noutput = "hello-*"\nbecause = "upstream"\nexpires = 2030-01-01\n',
    );
    return machine(file);
  };

  it('does nothing unless it is enabled', () => {
    const { environment, nix, systemd, failures } = machine('{ }');
    expect(environment).toEqual({ etc: {}, systemPackages: [] });
    expect(nix.settings).toEqual({});
    expect(systemd).toEqual({ services: {}, sockets: {}, timers: {}, tmpfiles: { rules: [] } });
    expect(failures).toEqual([]);
  });

  it('makes of the example in the README what the README says', () => {
    const { environment, nix, settings, systemd, failures } = example();
    expect(failures).toEqual([]);
    expect(environment.systemPackages).toEqual([PACKAGE]);
    expect(nix.settings).toEqual({ 'post-build-hook': HOOK });
    expect(settings).toEqual({
      homes: ['/srv/people/alice'],
      // oxlint-disable-next-line unicorn/no-thenable -- the key of the policy file
      guard: { mode: 'enforce', then: ['/etc/nix/upload-hook'] },
    });
    expect(systemd.tmpfiles.rules).toContain('d /var/lib/nar-scan 0700 root root -');
    expect(systemd.timers['nar-scan']?.timerConfig).toMatchObject({ OnCalendar: 'weekly' });
  });

  it('writes a policy that nar-scan reads, with what is appended to it', () => {
    const machineOfExample = example();
    expect(machineOfExample.environment.etc['nar-scan/config.toml']?.source.command).toMatch(WAIVERS);
    const { status, stdout, text } = policyOf(machineOfExample);
    expect([stdout, status]).toEqual([expect.any(String), 0]);
    expect(text).toContain('expires = 2030-01-01');
    expect(text).toContain('[guard]');
  });

  it('does not build a policy that has a fault', () => {
    const { status, stdout } = policyOf(
      machine('{ services.nar-scan = { enable = true; settings.rules.known-home = "off"; }; }'),
    );
    expect(status).not.toBe(0);
    expect(stdout).toContain('known-home');
  });

  const GUARD = 'services.nar-scan = { enable = true; guard.enable = true; }';

  it('says what to do with a hook that is there already', () => {
    const there = machine(`{ ${GUARD}; nix.settings.post-build-hook = "/etc/nix/upload-hook"; }`);
    expect(there.failures).toEqual([expect.stringMatching(/\(\/etc\/nix\/upload-hook\).*guard\.next/)]);
    const hidden = machine(`{ ${GUARD}; nix.extraOptions = "post-build-hook = /etc/nix/upload-hook"; }`);
    expect(hidden.failures).toEqual([expect.stringContaining('guard.next')]);
    expect(machine(`{ ${GUARD}; nix.enable = false; }`).failures).toEqual([
      expect.stringContaining('nix.enable'),
    ]);
  });

  it('lets the settings have the last word on the guard', () => {
    const { settings } = machine(`{ ${GUARD}; services.nar-scan.settings.guard.mode = "report"; }`);
    expect(settings).toEqual({ guard: { mode: 'report' } });
  });

  it('refuses a mode that there is not', () => {
    const unknown = `{ services.nar-scan = { enable = true; guard = { enable = true; mode = "off"; }; }; }`;
    expect(() => machine(unknown)).toThrow('guard.mode');
  });

  it('has a unit as the README shows it, for systems without NixOS', () => {
    const service = example().systemd.services['nar-scan'];
    if (service === undefined) throw new Error('there is no unit');
    const shown = block('ini')
      .split('\n')
      .filter((line) => line.includes('=') && !line.startsWith('#'));
    const lines = unitLines(service.serviceConfig).map((line) =>
      line.replace(PACKAGE, '/nix/var/nix/profiles/nar-scan'),
    );
    expect(shown.toSorted()).toEqual([`Description=${service.description}`, ...lines].toSorted());
  });

  it.skipIf(!needs('systemd-analyze'))('has a unit that systemd accepts', () => {
    const unit = join(evaluator.folder, 'nar-scan.service');
    writeFileSync(unit, block('ini').replaceAll(/ExecStart=\S+/g, `ExecStart=${NAR_SCAN}`));
    const { stdout, stderr, status } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
      encoding: 'utf8',
    });
    expect([stdout, stderr, status]).toEqual(['', '', 0]);
  });

  const CACHE = `services.nar-scan-cache = {
    enable = true;
    listen = "127.0.0.1:9090";
    tokensFile = "/run/secrets/tokens.toml";
    signKeyFile = "/run/secrets/cache.key";
    storage = "https://up%20stream.example.org/";
    settings.admission.anonymous_read = true;
    extraFlags = [ "--scans=4" "--home=/home/ci $x" ];
  };`;

  it('has a cache server behind a socket, which needs nothing else of the module', () => {
    const { systemd, users, environment } = machine(`{ ${CACHE} }`);
    expect(systemd.sockets['nar-scan-cache']?.listenStreams).toEqual(['127.0.0.1:9090']);
    expect(Object.keys(users.users ?? {})).toEqual(['nar-scan-cache']);
    expect(environment.systemPackages).toEqual([]);
    expect(Object.keys(environment.etc)).toEqual(['nar-scan-cache/config.toml']);
    const unit = systemd.services['nar-scan-cache']?.serviceConfig ?? {};
    expect(unit['ExecStart']).toMatch(
      /^\/nix\/store\/0{32}-nar-scan\/bin\/nar-scan serve --tokens=%d\/tokens "--state=\/var\/lib\/nar-scan-cache" "--storage=https:\/\/up%%20stream\.example\.org\/" "--policy=\/etc\/nar-scan-cache\/config\.toml" "--scans=4" "--home=\/home\/ci \$\$x" --sign-key=%d\/sign-key$/,
    );
    expect(unit).toMatchObject({
      User: 'nar-scan-cache',
      LoadCredential: ['tokens:/run/secrets/tokens.toml', 'sign-key:/run/secrets/cache.key'],
      StateDirectory: 'nar-scan-cache',
      ProtectSystem: 'strict',
    });
    expect(Object.keys(unit)).not.toContain('PrivateNetwork');
  });

  it.skipIf(!needs('systemd-analyze'))('has a unit of the cache server that systemd accepts', () => {
    const { services } = machine(`{ ${CACHE} }`).systemd;
    const lines = unitLines(services['nar-scan-cache']?.serviceConfig ?? {});
    const unit = join(evaluator.folder, 'nar-scan-cache.service');
    const text = `[Service]\n${lines.join('\n')}\n`.replaceAll(PACKAGE, ROOT);
    writeFileSync(unit, text.replaceAll(/^(User|Group)=.*\n/gm, ''));
    const { stdout, stderr, status } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
      encoding: 'utf8',
    });
    expect([stdout, stderr, status]).toEqual(['', '', 0]);
  });

  // with the channel or the checkout that NIX_PATH names
  it.skipIf(!(process.env['NIX_PATH'] ?? '').includes('nixpkgs='))(
    'means the same to the library of nixpkgs',
    () => {
      const file = join(evaluator.folder, 'configuration.nix');
      expect(machine(file, '<nixpkgs/lib>')).toEqual(machine(file));
    },
  );
});
