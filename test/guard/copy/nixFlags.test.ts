import { describe, expect, it } from 'vitest';
import { refuseNixFlags } from '../../../src/guard/copy/nixFlags.ts';

const STORE_PATH = '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-x';

describe('what is passed on to nix copy', () => {
  it.each([
    [[]],
    [['--no-check-sigs', '--refresh', '-s', '-vvL']],
    [['--option', 'connect-timeout', '10', '--log-format', 'raw', '-j', '2']],
    // whether there is such a flag is for Nix to say
    [['--bogus']],
  ])('may be %j', (words) => {
    expect(refuseNixFlags(words)).toBeNull();
  });

  const ours =
    '--from --to --store --eval-store --all --stdin --recursive --no-recursive -r -vr --derivation --expr --file -f --store=x';
  it.each(ours.split(' '))('may not say what is sent, from where or where to: %s', (flag) => {
    for (const words of [[flag], ['--refresh', flag], [flag, 'x']]) {
      expect(refuseNixFlags(words)).toMatch(/ cannot be passed on to nix copy$/);
    }
  });

  it.each([
    [[STORE_PATH]],
    [['--no-check-sigs', STORE_PATH]],
    [['--option', 'a', 'b', STORE_PATH]],
    [['--', STORE_PATH]],
    [['-']],
    [['--some-setting', STORE_PATH]],
  ])('may not add to what is sent: %j', (words) => {
    expect(refuseNixFlags(words)).toMatch(
      /^'.*' cannot be passed on to nix copy: what is sent stands before --/,
    );
  });

  it.each([[['--option']], [['--option', 'connect-timeout']], [['--refresh', '--log-format']]])(
    'may not take what follows for a value: %j',
    (words) => {
      expect(refuseNixFlags(words)).toMatch(/ lacks a value$/);
    },
  );

  it('may not name another store by a setting', () => {
    expect(refuseNixFlags(['--option', 'store', '/elsewhere'])).toBe(
      '--option store cannot be passed on to nix copy',
    );
  });
});
