import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyDoubts } from '../../src/policy/doubts.ts';
import { examinePolicy, parsePolicy } from '../../src/policy/read.ts';
import { GAP_TOPICS } from '../../src/report/topics/gaps.ts';
import { RULE_TOPICS } from '../../src/report/topics/rules.ts';
import { waiverExample } from '../../src/report/topics/text.ts';

const faultsOf = (text: string | Uint8Array) =>
  examinePolicy(typeof text === 'string' ? Buffer.from(text) : text, 'p').faults.map(
    ({ line, message }) => `${line}: ${message}`,
  );

const WAIVER = '[[waivers]]\nrule = "known-home"\nentry = "a"\n';

describe('a policy file', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['an unknown key', 'a = 1\nfrob = 2', '1: a: is no key of a policy'],
    ['an unknown key of a table', '\n[limits]\ndepths = 1', '3: limits.depths: is no key of a policy'],
    ['a key that is nearly one', '[[waiver]]', '1: waiver: is no key of a policy (did you mean waivers?)'],
    [
      'a key of a waiver that is nearly one',
      `${WAIVER}because = "x"\nentri = "a"`,
      '5: waivers[1].entri: is no key of a policy (did you mean entry?)',
    ],
    [
      'a group of carriers that is nearly one',
      '[rules.foreign-home]\nbyte = "note"',
      '2: rules.foreign-home.byte: is no key of a policy (did you mean bytes?)',
    ],
    ['__proto__', '[limits]\n"__proto__" = 1', '2: is no TOML: '],
    ['a wrong type', 'homes = "/home/x"', '1: homes: is text where a list is wanted'],
    ['a wrong type in a list', 'homes = [\n"/home/x",\n3]', '1: homes[2]: is a number where text is wanted'],
    [
      'a directory that is no home',
      '\nhomes = ["/usr"]',
      "2: homes[1]: '/usr' is a system directory, not a home",
    ],
    ['an alias that is not absolute', 'aliases = ["nix"]', "1: aliases[1]: 'nix' is not an absolute path"],
    ['everybody allowed', 'allow = ["/home"]', "1: allow[1]: '/home' would allow everybody’s home"],
    ['a climb allowed', 'allow = ["/home/x/.."]', "1: allow[1]: '/home/x/..' holds '.', '..' or a NUL byte"],
    ['a rule that is none', '[rules]\nhome = "note"', '2: rules.home: is no key of a policy'],
    [
      'a severity that is none',
      '[rules]\nknown-home = "off"',
      "2: rules.known-home: 'off' is none of error, warning, note",
    ],
    [
      'a severity of a group that is none',
      '[rules.known-home]\nbytes = "off"',
      "2: rules.known-home.bytes: 'off' is none of error, warning, note",
    ],
    [
      'an unknown mode of the guard',
      "[guard]\nmode = 'off'",
      "2: guard.mode: 'off' is none of enforce, quarantine, report",
    ],
    [
      'a hook that is no path',
      "[guard]\nthen = ['attic', 'push']",
      '2: guard.then: does not begin with an absolute path',
    ],
    ['a hook that is text', "[guard]\nthen = '/bin/hook'", '2: guard.then: is text where a list is wanted'],
    [
      'a way with foreign homes that is none',
      "[admission]\nforeign_home = 'allow'",
      "2: admission.foreign_home: 'allow' is none of hold, warn, error",
    ],
    [
      'a key that is none',
      "[admission]\ntrusted_keys = ['a-1:AAAA']",
      "2: admission.trusted_keys[1]: 'a-1:AAAA' is no public key such as cache.example.org-1: and 44 characters of base 64",
    ],
    [
      'a public URL with a user',
      "[admission]\npublic_url = 'https://alice@cache.example.org'",
      "2: admission.public_url: 'https://alice@cache.example.org' has a user, a query or a fragment",
    ],
    [
      'a NAR that is kept for no time',
      '[admission]\nkeep_received = 0',
      '2: admission.keep_received: 0 is no whole number from 1 to 8760',
    ],
    [
      'a webhook elsewhere',
      "[notify]\nurl = 'file:///etc'",
      "2: notify.url: 'file:///etc' is no http or https URL",
    ],
    [
      'a switch that is text',
      "[quarantine]\nkeep = 'no'",
      '2: quarantine.keep: is text where true or false is wanted',
    ],
    ['a limit out of range', '[limits]\ndepth = 65', '2: limits.depth: 65 is no whole number from 0 to 64'],
    [
      'a size that is none',
      '[limits]\nexpanded = "x"',
      "2: limits.expanded: 'x' is no size such as 500000, 512M or 16G",
    ],
    [
      'a reason that nobody can answer for',
      '[gaps]\nignore = ["internal"]',
      "2: gaps.ignore[1]: 'internal' is none of",
    ],
    ['a waiver without a reason', `#\n${WAIVER}`, '2: waivers[1].because: is missing'],
    ['a waiver with an empty reason', `${WAIVER}because = " "`, "4: waivers[1].because: ' ' is empty"],
    ['a waiver of two lines', `${WAIVER}because = "a\\nb"`, '4: waivers[1].because:'],
    [
      'a waiver of a rule and a gap',
      `${WAIVER}because = "x"\nreason = "corrupt"`,
      '1: waivers[1]: has both a rule, for findings, and a reason, for gaps',
    ],
    [
      'a waiver of nothing',
      '[[waivers]]\nentry = "a"\nbecause = "x"',
      '1: waivers[1]: needs a rule, for findings, or a reason, for gaps',
    ],
    [
      'a waiver of a whole rule',
      '[[waivers]]\nrule = "known-home"\nbecause = "x"',
      '1: waivers[1]: needs one of',
    ],
    [
      'a home of a gap',
      '[[waivers]]\nreason = "corrupt"\nhome = "/home/x"\nbecause = "x"',
      '1: waivers[1]: a gap has no carrier, home or alias',
    ],
    [
      'a glob that is none',
      `${WAIVER}because = "x"\noutput = 'a\\b'`,
      "5: waivers[1].output: 'a\\b' holds a backslash",
    ],
    [
      'a date of no calendar that is text',
      `${WAIVER}because = "x"\nexpires = "2027-02-30"`,
      "5: waivers[1].expires: '2027-02-30' is no date",
    ],
    [
      'a date with a time',
      `${WAIVER}because = "x"\nexpires = 2027-01-01T00:00:00Z`,
      '5: waivers[1].expires: is no date',
    ],
    [
      'a date of no calendar',
      `${WAIVER}because = "x"\nexpires = 2027-02-30`,
      '5: 2027-02-30 is in no calendar',
    ],
    ['a date of no month', `${WAIVER}because = "x"\nexpires = 2027-13-01`, '5: is no TOML: '],
    ['what is no TOML', 'homes = [\n"/home/x"\n', '3: is no TOML: '],
    ['a key twice', 'homes = []\nhomes = []', '2: is no TOML: '],
    ['what is not UTF-8', Buffer.from('#\n# \xff\n', 'latin1'), '2: is not UTF-8'],
    ['lists without end', `homes = ${'['.repeat(2000)}`, '1: is no TOML: '],
  ])('is refused for %s, with line and key', (_what, text, fault) => {
    const faults = faultsOf(text);
    expect(faults[0]?.slice(0, fault.length)).toBe(fault);
    expect(faults.join('')).not.toMatch(/[\n\r]/);
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    expect(() => parsePolicy(bytes, 'p')).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }));
  });

  it('has every fault told, in the order of its lines', () => {
    const text = `a = 1\n${WAIVER}[[waivers]]\nrule = "x"\n[limits]\nratio = 0\n`;
    expect(faultsOf(text).map((fault) => fault.split(' ').slice(0, 2).join(' '))).toEqual([
      '1: a:',
      '2: waivers[1].because:',
      '5: waivers[2].because:',
      '6: waivers[2].rule:',
      '8: limits.ratio:',
    ]);
    expect(() => parsePolicy(Buffer.from(text), 'p')).toThrow('p:1: a: is no key of a policy (and 4 more)');
  });

  it('has its lines found behind strings of several lines, comments and inline tables', () => {
    const text = [
      "homes = ['/home/x'] # [x]",
      '[[waivers]]',
      'because = """',
      '[limits]',
      '"""',
      'rule = "known-home"',
      'entry = "a#b"',
      'waivers = 3',
      '[rules]',
      "known-home = { bytes = 'note', 'symlink' = 3 }",
    ].join('\n');
    expect(faultsOf(text).map((fault) => fault.split(': ').slice(0, 2).join(': '))).toEqual([
      '3: waivers[1].because',
      '8: waivers[1].waivers',
      '10: rules.known-home.symlink',
    ]);
  });

  it('takes a waiver as it is written, with its file and line', () => {
    const text = `\n${WAIVER}because = "known"\nexpires = 2027-01-31\nby = "zoe"\ncontainer = ["a.jar", "**"]\n`;
    expect(parsePolicy(Buffer.from(text), '/etc/p.toml').verdict.waivers).toEqual([
      {
        place: '/etc/p.toml:2',
        rule: 'known-home',
        reason: null,
        carrier: null,
        output: null,
        entry: 'a',
        container: ['a.jar', '**'],
        home: null,
        alias: null,
        blake3: null,
        because: 'known',
        expires: '2027-01-31',
        by: 'zoe',
      },
    ]);
  });

  it('takes a date as text, too', () => {
    const expiry = (said: string) =>
      parsePolicy(Buffer.from(`${WAIVER}because = "x"\nexpires = ${said}\n`), 'p').verdict.waivers[0]
        ?.expires;
    expect([expiry('2027-01-31'), expiry('"2027-01-31"')]).toEqual(['2027-01-31', '2027-01-31']);
  });

  it('never ends in anything but a policy or faults', () => {
    const piece = fc.constantFrom(
      '[[waivers]]',
      '[rules]',
      '[waivers]',
      'rule',
      ' = ',
      '"known-home"',
      '\n',
      '"""',
      "'",
      '[',
      ']',
      '{',
      '}',
      'entry',
      '.',
      '2027-01-01',
      '#',
      '\\',
      'because',
      'homes',
      ',',
      '1',
      'true',
      '\u0000',
      '"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        const { policy, faults } = examinePolicy(Buffer.from(pieces.join('')), 'p');
        expect(policy === null).toBe(faults.length > 0);
        for (const { line } of faults) expect(line).toBeGreaterThan(0);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([...RULE_TOPICS, ...GAP_TOPICS].map((topic) => [topic.name, topic] as const))(
    'takes the waiver that explain shows for %s',
    (_name, topic) => {
      expect(topic.waive.length === 0 ? [] : faultsOf(waiverExample(topic).join('\n'))).toEqual([]);
    },
  );
});

describe('what can hardly be meant', () => {
  const doubtsOf = (lines: string) =>
    policyDoubts(parsePolicy(Buffer.from(lines), 'p'), new Date('2026-06-15T00:00:00Z'));
  const waiver = (lines: string) => `[[waivers]]\nbecause = "x"\n${lines}\n`;

  it.each([
    ['rule = "known-home"\nentry = "/bin/x"', 'matches nothing'],
    ['rule = "known-home"\nentry = "bin/"', 'matches nothing'],
    ['rule = "known-home"\nentry = "bin/../x"', 'matches nothing'],
    ['rule = "known-home"\nhome = "zoe"', 'matches nothing'],
    ['rule = "store-alias"\nalias = "store"', 'matches nothing'],
    ['rule = "build-dir"\nhome = "/home/x"', 'have no home'],
    ['rule = "foreign-home"\nalias = "/gpfs/x"', 'have no alias'],
    ['rule = "known-home"\nentry = "a"\nexpires = 2026-06-15', 'expired 2026-06-15'],
  ])('is told: %j', (lines, doubt) => {
    expect(doubtsOf(waiver(lines))).toEqual([expect.stringMatching(new RegExp(`^p:1: .*${doubt}`))]);
  });

  it('is a waiver twice, not one that says something', () => {
    const one = waiver('rule = "known-home"\nentry = "**/x"\nhome = "/home/*"\nexpires = 2026-06-16');
    expect(doubtsOf(one)).toEqual([]);
    expect(doubtsOf(one + one)).toEqual(['p:7: covers the same as the one at p:1']);
  });
});
