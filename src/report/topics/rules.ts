import { type Rule, RULES } from '../../model/facts.ts';
import { remedyFor } from '../remedies.ts';
import type { Topic, Words } from './topic.ts';

const WORDS: Readonly<Record<Rule, Words>> = {
  'known-home': {
    what: 'A path into a home that is known to be of this build: named by --home or the policy, a user of this machine, the building HOME, or the same user below another home root.',
    why: 'The output works for the one who built it and for nobody else, tells everybody who that was, and differs from one builder to the next.',
    cause:
      'A compiler notes where a source lay, a linker where a library lay, an installer where it installed from; or the store itself lies in that home.',
  },
  'store-alias': {
    what: 'A store path below a prefix that is not the logical store directory, such as /home/you/nix/store/<hash>-name.',
    why: 'Nix neither sees such a path as a reference nor finds it on another machine: the program breaks there, or garbage collection takes away what it needs.',
    cause:
      'The store is reached through a link or a bind mount, and something made the path canonical: realpath, readlink -f, pwd -P, or the system calls of a static program.',
  },
  'root-home': {
    what: 'A path below /root.',
    why: 'Nobody but root may look there, and on another machine it is another root; in links and RPATHs it is a path that can be taken over or breaks.',
    cause: 'The build ran as root with its own HOME, mostly in a container.',
  },
  'placeholder-home': {
    what: 'A home that is a name for any home: /home/user, /home/runner, /Users/Shared and other names of documentation and of build services.',
    why: 'Mostly it is no leak. In an RPATH or an interpreter it is followed all the same, and whoever has that name decides what is loaded.',
    cause: 'Examples in documentation, tests of upstream, programs that were built by a public service.',
  },
  'foreign-home': {
    what: "A path shaped like somebody's home, of somebody who is not known to be of this build.",
    why: 'In a link, an RPATH or at the root of an output it breaks or can be taken over; elsewhere it tells who built something, here or upstream.',
    cause:
      'Upstream shipped files from their own machine, or this build ran in a home that nar-scan was not told of (--home). ' +
      'Where the whole path stands in a source of the build already, it is a note that names the source (--drv; else the deriver).',
  },
  'build-dir': {
    what: "A path into one of Nix's build directories, such as /build or /tmp/nix-build-hello.drv-0.",
    why: 'It exists nowhere once the build is over, and its number differs between builds of the same thing.',
    cause: 'A compiler noted where a source lay while it was built.',
  },
};

/** Every rule, explained. */
export const RULE_TOPICS: readonly Topic[] = RULES.map((rule) => ({
  kind: 'rule',
  name: rule,
  ...WORDS[rule],
  mend: [
    `In the bytes of files: ${remedyFor(rule, 'bytes')}.`,
    `In RPATHs: ${remedyFor(rule, 'runpath')}.`,
    `In links: ${remedyFor(rule, 'symlink')}.`,
    `In first lines of scripts: ${remedyFor(rule, 'shebang')}.`,
  ],
  waive: [`rule = "${rule}"`],
}));
