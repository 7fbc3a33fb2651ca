import { type Flag, FLAGS } from './flags.ts';

const WIDTH = 80;
/** Column at which explanations start. */
const EXPLANATION = 29;

const HEAD = `Usage: nar-scan [scan] [options] TARGET...

Looks for leaked home directories and physical store paths in build outputs.
TARGET is a store path, a directory, a file, a NAR (compressed as Nix writes
them) or - for a NAR or an export stream on stdin.
`;

const TAIL = `
Exit status: 0 clean, 1 contaminated, 2 usage or operational error, 3 incomplete
(something was not inspected; the report says what).
`;

/** The help text, made from the table of flags, at most 80 columns wide. */
export function helpText(): string {
  const groups = Map.groupBy<Flag['group'], Flag>(FLAGS, ({ group }) => group);
  const sections = [...groups].map(([group, flags]) => `\n${group}:\n${flags.map(flagText).join('')}`);
  return HEAD + sections.join('') + TAIL;
}

function flagText(flag: Flag): string {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const repeat = flag.repeat ? ' (repeatable)' : '';
  const usage = `  ${short}--${flag.name}${flag.value === null ? '' : ` ${flag.value.name}`}`;
  const lines: string[] = [];
  let line = usage.length < EXPLANATION - 1 ? usage.padEnd(EXPLANATION - 1) : usage;
  if (line.length >= EXPLANATION) {
    lines.push(line);
    line = ' '.repeat(EXPLANATION - 1);
  }
  for (const word of `${flag.help}${repeat}`.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(EXPLANATION - 1);
    }
    line += ` ${word}`;
  }
  lines.push(line);
  return `${lines.join('\n')}\n`;
}
