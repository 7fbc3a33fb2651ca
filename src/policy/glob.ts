import { byteStringOfText, type ByteString, exactText } from '../model/bytes.ts';

/** Whether a byte string is one of those that a glob means. */
export type Glob = (value: ByteString) => boolean;

const GLOB_CHARACTERS = 65_536;
const SLASH = 0x2f;

/**
 * `run` is `*`: anything without a slash; `any` is `**`; `one` and the `tail` behind it are `?`: a
 * character of UTF-8, but no slash. `directories` and the `component` behind it are `**` and a slash
 * at the start of a component: any number of whole components.
 */
interface Step {
  readonly kind: 'literal' | 'run' | 'any' | 'one' | 'tail' | 'directories' | 'component';
  readonly byte: number;
}

const WILD = /[*?\\]/;
const SPECIAL = /[*?\\\x00-\x1f\x7f]/g;
const SPECIAL_OR_HIGH = /[*?\\\x00-\x1f\x7f-\xff]/g;
const TOKEN = /\\x(?<hex>[0-9a-fA-F]{2})|\\(?<escaped>[*?\\])|(?<wild>\*\*\/|\*\*|\*|\?)|(?<plain>[^\\])/suy;

/** Why a text is no glob, or null if it is one. */
export function refuseGlob(text: string): string | null {
  if (text.length > GLOB_CHARACTERS) return `is longer than ${GLOB_CHARACTERS} characters`;
  if (!text.isWellFormed()) return 'is no well-formed text';
  return stepsOf(text) === null ? 'holds a backslash that begins none of \\*, \\?, \\\\ and \\xHH' : null;
}

/** The glob that means exactly these bytes, in one printable line as far as they are text. */
export function exactGlob(value: ByteString): string {
  const text = exactText(value);
  return (text ?? value).replace(text === null ? SPECIAL_OR_HIGH : SPECIAL, (character) =>
    WILD.test(character) ? `\\${character}` : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** The bytes that a glob without wildcards means; null where it has some. */
export function literalOf(text: string): ByteString | null {
  if (!WILD.test(text)) return byteStringOfText(text);
  const steps = stepsOf(text) ?? [];
  if (steps.some(({ kind }) => kind !== 'literal')) return null;
  return steps.map(({ byte }) => String.fromCharCode(byte)).join('');
}

/** Compiles a glob that {@link refuseGlob} takes. It takes the product of both lengths at most, whatever they hold. */
export function compileGlob(text: string): Glob {
  const literal = literalOf(text);
  if (literal !== null) return (value) => value === literal;
  const steps = stepsOf(text) ?? [];
  return (value) => matches(steps, value);
}

function stepsOf(text: string): readonly Step[] | null {
  const steps: Step[] = [];
  const push = (...kinds: Step['kind'][]): void => {
    for (const kind of kinds) steps.push({ kind, byte: 0 });
  };
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) return null;
    const { hex, escaped, wild, plain } = found.groups ?? {};
    const atComponent = at === 0 || text[at - 1] === '/';
    at = TOKEN.lastIndex;
    if (wild === '?') push('one', 'tail');
    else if (wild === '*') push('run');
    else if (wild === '**/' && atComponent) push('directories', 'component');
    else if (wild !== undefined) push('any');
    // not at the start of a component, the slash means itself
    const rest = hex === undefined ? (escaped ?? plain ?? (wild === '**/' && !atComponent ? '/' : '')) : '';
    const bytes = hex === undefined ? Buffer.from(rest) : [Number.parseInt(hex, 16)];
    for (const byte of bytes) steps.push({ kind: 'literal', byte });
  }
  return steps;
}

/** Follows all places of the glob that the bytes so far can have reached. */
function matches(steps: readonly Step[], value: ByteString): boolean {
  let reached = new Uint8Array(steps.length + 1);
  let next = new Uint8Array(steps.length + 1);
  reach(steps, reached, 0);
  for (let at = 0; at < value.length; at++) {
    const byte = value.charCodeAt(at);
    next.fill(0);
    for (const [index, step] of steps.entries())
      if (reached[index] === 1) advance(steps, next, index, step, byte);
    [reached, next] = [next, reached];
  }
  return reached[steps.length] === 1;
}

/** Marks a place, and those behind it that need no byte to be reached. */
function reach(steps: readonly Step[], places: Uint8Array, from: number): void {
  for (let at = from; ;) {
    places[at] = 1;
    const kind = steps[at]?.kind;
    if (kind === 'directories') at += 2;
    else if (kind === 'run' || kind === 'any' || kind === 'tail') at++;
    else return;
  }
}

function advance(steps: readonly Step[], next: Uint8Array, at: number, step: Step, byte: number): void {
  const slash = byte === SLASH;
  switch (step.kind) {
    case 'literal':
      if (byte === step.byte) reach(steps, next, at + 1);
      return;
    case 'run':
      if (!slash) reach(steps, next, at);
      return;
    case 'any':
      reach(steps, next, at);
      return;
    case 'one':
      // a byte from the middle of a character is none
      if (!slash && (byte < 0x80 || byte >= 0xc0)) reach(steps, next, byte >= 0xc0 ? at + 1 : at + 2);
      return;
    case 'tail':
      if (byte >= 0x80 && byte < 0xc0) reach(steps, next, at);
      return;
    case 'directories':
      if (slash) reach(steps, next, at);
      else next[at + 1] = 1;
      return;
    case 'component':
      if (slash) reach(steps, next, at - 1);
      else next[at] = 1;
  }
}
