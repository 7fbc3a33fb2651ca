import {
  COMPLETED,
  type Completed,
  type CompletedCommand,
  type CompletedFlag,
  SECOND_WORDS,
} from './words.ts';

/** A completion script for zsh, for a file `_nar-scan` in a directory of `fpath`. */
export function zshCompletion(): string {
  const commands = COMPLETED.filter(({ name }) => !name.includes(' ')).map(
    ({ name, help }) => `    ${quoted(`${name}:${help}`)}`,
  );
  const groups = [...SECOND_WORDS].map(
    ([first, seconds]) => `    ${quoted(`${first}:${seconds.join(', ')}`)}`,
  );
  return `#compdef nar-scan
# zsh completion of nar-scan, written by: nar-scan completion zsh

_nar_scan() {
  local command=scan
  local -a commands
  commands=(
${[...commands, ...groups].join('\n')}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe -t commands command commands
    _files
    return
  fi
  if (( CURRENT > 3 )); then
    case "$words[2] $words[3]" in
${commandCases(2, 2)}
      *) ;;
    esac
  fi
  if [[ $command == scan ]]; then
    case $words[2] in
${commandCases(1, 1)}
${[...SECOND_WORDS].map(([first, seconds]) => `      ${first}) (( CURRENT == 3 )) && compadd -- ${seconds.join(' ')}; return ;;`).join('\n')}
      *) ;;
    esac
  fi
  case $command in
${COMPLETED.map(commandCase).join('\n')}
  esac
}

if [[ $funcstack[1] == _nar-scan ]]; then
  _nar_scan "$@"
else
  compdef _nar_scan nar-scan
fi
`;
}

/** Words that name a command stand in front of what `_arguments` may see. */
function commandCases(count: number, shift: number): string {
  return COMPLETED.map(({ name }) => name)
    .filter((name) => name.split(' ').length === count)
    .map((name) => `      '${name}') command='${name}'; shift ${shift} words; (( CURRENT -= ${shift} )) ;;`)
    .join('\n');
}

function commandCase({ name, flags, operand }: CompletedCommand): string {
  const last = operand.kind === 'nothing' ? [] : [quoted(`*:${name}:${action(operand)}`)];
  const specs = [...flags.map(specOf), ...last].map((spec) => `        ${spec}`);
  return `    '${name}')
      _arguments -S \\
${specs.join(' \\\n')}
      ;;`;
}

function specOf({ flag, value }: CompletedFlag): string {
  const repeat = flag.repeat ? '*' : '';
  const help = `[${escaped(flag.help)}]`;
  const valued = flag.value === null ? '' : `:${escaped(flag.value.name)}:${action(value)}`;
  const long = `--${flag.name}${flag.value === null ? '' : '='}`;
  if (flag.short === undefined) return quoted(`${repeat}${long}${help}${valued}`);
  const both = quoted(`(-${flag.short} --${flag.name})`);
  return `${both}{-${flag.short},${long}}${quoted(`${help}${valued}`)}`;
}

function action(completed: Completed): string {
  switch (completed.kind) {
    case 'choice':
      return `(${completed.choices.join(' ')})`;
    case 'directory':
      return '_directories';
    case 'file':
      return '_files';
    case 'text':
    case 'nothing':
      return ' ';
  }
}

/** Brackets and colons have a meaning in the specifications of `_arguments`. */
function escaped(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
