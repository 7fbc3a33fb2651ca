import { capital } from '../../report/capital.ts';
import { paragraph, roff, section } from '../roff.ts';
import { saidAs } from './help.ts';
import { OPTIONS } from './options.ts';

const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['NAR_SCAN_NODE', 'the Node.js that runs the program.'],
  ['NIX_STATE_DIR', 'the state directory where --state-dir names none.'],
  [
    'NIX_STORE_DIR, NIX_STORE',
    'the logical store directory where --store-dir names none, the first one first.',
  ],
  ['POSIXLY_CORRECT', 'if it is set, options stand before operands only.'],
];

/** The manual page of nix-realpath, section 1, made from its table of options. */
export function realpathManual(version: string): string {
  return [
    '.\\" Made from the table of options.',
    `.TH NIX\\-REALPATH 1 "" "nar\\-scan ${roff(version)}" "User Commands"`,
    section('NAME', [
      'nix\\-realpath \\- print paths without symbolic links, but by the names that Nix knows',
    ]),
    section('SYNOPSIS', ['\\fBnix\\-realpath\\fR [\\fIoptions\\fR] \\fIFILE...\\fR']),
    section('DESCRIPTION', [
      roff(
        'Prints absolute paths without symbolic links, as realpath of GNU coreutils does. A path in the Nix store or its ' +
          'state directory keeps the logical name of that, such as /nix/store, from wherever it was reached, so that ' +
          'where the store really lies does not get into build outputs.',
      ),
    ]),
    section(
      'OPTIONS',
      OPTIONS.flatMap((option) =>
        paragraph(`\\fB${roff(saidAs(option))}\\fR`, `${roff(capital(option.help))}.`),
      ),
    ),
    section('EXIT STATUS', [
      ...paragraph('\\fB0\\fR', 'All paths were resolved.'),
      ...paragraph('\\fB1\\fR', 'Not all were, or the options were wrong.'),
      ...paragraph('\\fB2\\fR', 'There is no Node.js that can run it.'),
    ]),
    section(
      'ENVIRONMENT',
      ENVIRONMENT.flatMap(([name, meaning]) => paragraph(`\\fB${roff(name)}\\fR`, roff(capital(meaning)))),
    ),
    section('SEE ALSO', ['\\fBrealpath\\fR(1), \\fBnar\\-scan\\fR(1)']),
    '',
  ].join('\n');
}
