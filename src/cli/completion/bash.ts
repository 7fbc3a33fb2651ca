import { COMPLETED, type Completed, type CompletedCommand, SECOND_WORDS } from './words.ts';

/** A completion script for bash; 3.2 of macOS will do. */
export function bashCompletion(): string {
  const firstWords = [...new Set(COMPLETED.map(({ name }) => name.split(' ')[0] ?? ''))].join(' ');
  return `# bash completion of nar-scan, written by: nar-scan completion bash
_nar_scan() {
  local IFS=$' \\t\\n'
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=scan
  COMPREPLY=()
  # bash makes words of their own of the parts of --flag=value
  if [[ $cur == '=' ]]; then
    cur=
  elif [[ $prev == '=' ]] && (( COMP_CWORD > 2 )); then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if (( COMP_CWORD > 1 )); then
    case \${COMP_WORDS[1]} in
${commandCases(1)}
    esac
  fi
  if (( COMP_CWORD > 2 )); then
    case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${commandCases(2)}
      *) ;;
    esac
  fi
  case $command:$prev in
${COMPLETED.flatMap(valueCases).join('\n')}
  esac
  if (( COMP_CWORD == 1 )) && [[ $cur != -* ]]; then
    COMPREPLY=($(compgen -W '${firstWords}' -- "$cur"))
  fi
  case $command in
${[...SECOND_WORDS].map(([first, seconds]) => `    ${first}) ${words(seconds)} ;;`).join('\n')}
${COMPLETED.map(commandCase).join('\n')}
  esac
}

_nar_scan_paths() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY+=($(compgen "$1" -- "$2"))
}

complete -F _nar_scan nar-scan
`;
}

function commandCases(count: number): string {
  const names = COMPLETED.map(({ name }) => name).filter((name) => name.split(' ').length === count);
  const prefixes = count === 1 ? [...SECOND_WORDS.keys()] : [];
  return [...names, ...prefixes].map((name) => `      '${name}') command='${name}' ;;`).join('\n');
}

function valueCases({ name, flags }: CompletedCommand): readonly string[] {
  return flags
    .filter(({ value }) => value.kind !== 'nothing')
    .map(({ flag, value }) => {
      const short = flag.short === undefined ? '' : ` | '${name}:-${flag.short}'`;
      return `    '${name}:--${flag.name}'${short}) ${offered(value)}; return ;;`;
    });
}

function commandCase({ name, flags, operand }: CompletedCommand): string {
  const dashed = flags.flatMap(({ flag }) =>
    flag.short === undefined ? [`--${flag.name}`] : [`-${flag.short}`, `--${flag.name}`],
  );
  return `    '${name}')
      if [[ $cur == -* ]]; then
        ${words(dashed)}
      else
        ${offered(operand)}
      fi
      ;;`;
}

function offered(completed: Completed): string {
  switch (completed.kind) {
    case 'choice':
      return words(completed.choices);
    case 'directory':
      return '_nar_scan_paths -d "$cur"';
    case 'file':
      return '_nar_scan_paths -f "$cur"';
    case 'text':
    case 'nothing':
      return ':';
  }
}

function words(choices: readonly string[]): string {
  return `COMPREPLY+=($(compgen -W '${choices.join(' ')}' -- "$cur"))`;
}
