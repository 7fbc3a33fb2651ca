import { parse, TomlError } from 'smol-toml';
import * as z from 'zod/mini';
import { nearest } from '../model/nearest.ts';
import { type KeyPath, type TomlLines, tomlLines } from './tomlLines.ts';

/** Something wrong in a document. */
interface DocumentFault {
  readonly line: number;
  /** Key and what is wrong with it. */
  readonly message: string;
}

/** At least one, in the order of the lines. */
export type DocumentFaults = readonly [DocumentFault, ...DocumentFault[]];

/** A document with the lines of its keys, or what is wrong with it. */
type ExaminedDocument<Content> =
  | { readonly content: Content; readonly lines: TomlLines; readonly faults: readonly [] }
  | { readonly content: null; readonly faults: DocumentFaults };

/** What a document may hold. What its schema does not name is an error. */
interface Shape<Schema extends z.core.$ZodType = z.core.$ZodType> {
  readonly schema: Schema;
  /** What messages call it, such as `a policy`. */
  readonly kind: string;
}

/** Characters of a wrong value that are shown. */
const SHOWN = 64;

/** Deeper than any document of ours goes. */
const DEPTH = 16;

/**
 * Reads a TOML document that people write. All of it is checked before any of it counts. A value is not shown where a
 * custom issue of its schema has the parameter `secret`.
 */
export function examineDocument<Schema extends z.core.$ZodType>(
  bytes: Uint8Array,
  shape: Shape<Schema>,
): ExaminedDocument<z.infer<Schema>> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refused([{ line: lineOfBadUtf8(bytes), message: 'is not UTF-8' }], shape);
  }
  let document: unknown;
  try {
    document = parse(text, { useLegacyDate: true, maxDepth: DEPTH, unsafeKeyBehaviour: 'throw' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [message = ''] = error.message.split('\n');
    const said = message.replace('Invalid TOML document', 'is no TOML');
    return refused([{ line: error.line, message: said }], shape);
  }
  const lines = tomlLines(text);
  const checked = z.core.safeParse(shape.schema, document);
  const faults = lines.impossibleDates.map(({ line, text: date }) => ({
    line,
    message: `${date} is in no calendar`,
  }));
  if (!checked.success)
    faults.push(...checked.error.issues.flatMap((issue) => faultsOf(issue, shape, document, lines)));
  if (!checked.success || faults.length > 0) return refused(faults, shape);
  return { content: checked.data, lines, faults: [] };
}

/** The first fault for a message, and how many more there are. */
export function firstFault(name: string, [{ line, message }, ...others]: DocumentFaults): string {
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `${name}:${line}: ${message}${more}`;
}

function refused(
  faults: readonly DocumentFault[],
  { kind }: Shape,
): { readonly content: null; readonly faults: DocumentFaults } {
  const [first, ...others] = faults.toSorted((a, b) => a.line - b.line);
  return { content: null, faults: [first ?? { line: 1, message: `is not ${kind}` }, ...others] };
}

function lineOfBadUtf8(bytes: Uint8Array): number {
  let line = 1;
  let start = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, start)) {
    if (
      !Buffer.from(bytes.buffer, bytes.byteOffset + start, at - start)
        .toString('utf8')
        .isWellFormed()
    )
      break;
    if (Buffer.from(bytes.subarray(start, at)).toString('utf8').includes('\ufffd')) break;
    line++;
    start = at + 1;
  }
  return line;
}

type Issue = z.core.$ZodIssue;

function faultsOf(issue: Issue, shape: Shape, document: unknown, lines: TomlLines): readonly DocumentFault[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  const fault = (at: KeyPath, message: string): DocumentFault => ({
    line: lines.lineOf(at),
    message: `${keyText(at)}${message}`,
  });
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const near = nearest(key, keysAt(shape.schema, path));
      const meant = near === null ? '' : ` (did you mean ${near}?)`;
      return fault([...path, key], `is no key of ${shape.kind}${meant}`);
    });
  }
  if (issue.code === 'invalid_union') {
    // a value of the type of one of them is judged as such
    const fitting = issue.errors.find((errors) => errors.length > 0 && !errors.some(isOfWhole));
    const [likely] = issue.errors.filter((errors) => !errors.some(isOfType));
    const chosen = fitting ?? likely ?? [];
    if (chosen.length > 0) {
      const within = (each: Issue): Issue => ({ ...each, path: [...issue.path, ...each.path] });
      return chosen.flatMap((each) => faultsOf(within(each), shape, document, lines));
    }
    return [fault(path, `is ${typeText(valueAt(document, path))}, which it cannot be`)];
  }
  if (issue.code === 'invalid_value') return [fault(path, valueFault(issue, valueAt(document, path)))];
  const value = valueAt(document, path);
  if (issue.code === 'invalid_type') {
    if (value === undefined) return [fault(path, 'is missing')];
    return [
      fault(path, `is ${typeText(value)} where ${EXPECTED[issue.expected] ?? issue.expected} is wanted`),
    ];
  }
  const isSecret = issue.code === 'custom' && issue.params?.['secret'] === true;
  return [fault(path, `${isSecret ? '' : shown(value)}${issue.message}`)];
}

/** The fault of a value as a whole, not of something in it. */
function isOfWhole({ code, path }: Issue): boolean {
  return path.length === 0 && code !== 'unrecognized_keys';
}

function isOfType({ code, path }: Issue): boolean {
  return code === 'invalid_type' && path.length === 0;
}

function valueFault(issue: z.core.$ZodIssueInvalidValue, value: unknown): string {
  if (value === undefined) return 'is missing';
  return `${shown(value)}is none of ${issue.values.map(String).join(', ')}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  array: 'a list',
  object: 'a table',
  boolean: 'true or false',
};

function typeText(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'object') return 'a table';
  return typeof value === 'boolean' ? 'true or false' : 'a number';
}

function shown(value: unknown): string {
  if (typeof value === 'number') return `${value} `;
  if (typeof value !== 'string') return '';
  const text = value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
  return `'${text.replace(/[\x00-\x1f\x7f]/g, ' ')}' `;
}

function valueAt(document: unknown, path: KeyPath): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[String(key)];
  }
  return value;
}

/** `waivers[1].because: `, counted from 1 as people do. */
function keyText(path: KeyPath): string {
  if (path.length === 0) return '';
  const text = path.map((key, at) =>
    typeof key === 'number' ? `[${key + 1}]` : `${at === 0 ? '' : '.'}${key}`,
  );
  return `${text.join('')}: `;
}

/**
 * The keys that a table of a document may have.
 * @param path the keys that lead to it; numbers are elements of lists
 */
function keysAt(schema: z.core.$ZodType, path: KeyPath): readonly string[] {
  let schemas: readonly z.core.$ZodType[] = [schema];
  for (const key of path) {
    schemas = schemas.flatMap(alternatives).flatMap((schema) => {
      if (schema instanceof z.ZodMiniArray) return [schema.def.element];
      return schema instanceof z.ZodMiniObject
        ? [schema.def.shape[key]].filter((each) => each !== undefined)
        : [];
    });
  }
  return schemas
    .flatMap(alternatives)
    .flatMap((schema) => (schema instanceof z.ZodMiniObject ? Object.keys(schema.def.shape) : []));
}

/** What a value may be that may be left out, or be of several kinds. */
function alternatives(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodMiniOptional) return alternatives(schema.def.innerType);
  return schema instanceof z.ZodMiniUnion ? schema.def.options.flatMap(alternatives) : [schema];
}
