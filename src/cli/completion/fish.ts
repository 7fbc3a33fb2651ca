import {
  COMPLETED,
  type Completed,
  type CompletedCommand,
  type CompletedFlag,
  SECOND_WORDS,
} from './words.ts';

const COMPLETE = 'complete -c nar-scan';

/** A completion script for fish. */
export function fishCompletion(): string {
  const one = COMPLETED.filter(({ name }) => !name.includes(' '));
  const two = COMPLETED.filter(({ name }) => name.includes(' '));
  return `# fish completion of nar-scan, written by: nar-scan completion fish
function __nar_scan_command
    set -l words (commandline -opc)
    switch "$words[2] $words[3]"
        case ${[...two.map(({ name }) => quoted(name)), "''"].join(' ')}
            echo "$words[2] $words[3]"
            return
    end
    switch "$words[2]"
        case ${[...one.map(({ name }) => name), ...SECOND_WORDS.keys()].join(' ')}
            echo "$words[2]"
            return
    end
    echo scan
end

function __nar_scan_is
    test (__nar_scan_command) = "$argv"
end

function __nar_scan_first
    test (count (commandline -opc)) -eq 1
end

${COMPLETE} -f
${one.map(({ name, help }) => `${COMPLETE} -n __nar_scan_first -a ${name} -d ${quoted(help)}`).join('\n')}
${[...SECOND_WORDS].map(([first, seconds]) => `${COMPLETE} -n __nar_scan_first -a ${first} -d ${quoted(seconds.join(', '))}`).join('\n')}
${two.map(secondWord).join('\n')}
${COMPLETED.flatMap(commandLines).join('\n')}
`;
}

function secondWord({ name, help }: CompletedCommand): string {
  const [first, second] = name.split(' ');
  return `${COMPLETE} -n '__nar_scan_is ${first}' -a ${second} -d ${quoted(help)}`;
}

function commandLines({ name, flags, operand }: CompletedCommand): readonly string[] {
  const when = `${COMPLETE} -n ${quoted(`__nar_scan_is ${name}`)}`;
  const values = offered(operand);
  return [
    ...(values === '' ? [] : [`${when} ${values}`]),
    ...flags.map((flag) => `${when} ${flagLine(flag)}`),
  ];
}

function flagLine({ flag, value }: CompletedFlag): string {
  const short = flag.short === undefined ? '' : ` -s ${flag.short}`;
  const values = value.kind === 'nothing' ? '' : ` -r ${value.kind === 'text' ? '-f' : offered(value)}`;
  return `-l ${flag.name}${short}${values} -d ${quoted(flag.help)}`;
}

function offered(completed: Completed): string {
  switch (completed.kind) {
    case 'choice':
      return `-f -a ${quoted(completed.choices.join(' '))}`;
    case 'directory':
      return "-f -a '(__fish_complete_directories (commandline -ct))'";
    case 'file':
      return '-F';
    case 'text':
    case 'nothing':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
