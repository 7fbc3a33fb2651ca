import { fstatSync, readFileSync, writeSync } from 'node:fs';
import { bytesOfByteString, byteStringOfText, type ByteString } from '../../model/bytes.ts';
import { printableBytes } from '../../report/printable.ts';
import { helpText } from './help.ts';
import { messageOf } from './messages.ts';
import { readOptions, UsageFault } from './options.ts';
import { quoted } from './quote.ts';
import { resolveAll } from './resolveAll.ts';
import { shellFunction } from './shellFunction.ts';
import { ownArguments, ownVariable } from './words.ts';

const STDOUT = 1;
const STDERR = 2;
/** Pause before a descriptor that is full and does not block is tried again. */
const RETRY_MILLISECONDS = 5;

/** Runs nix-realpath on this process's arguments and sets its exit status, as GNU realpath has it. */
export function main(): void {
  try {
    process.exitCode = run();
  } catch (error) {
    complain(quoted(byteStringOfText(error instanceof Error ? error.message : String(error)), false));
    if (process.env['NAR_SCAN_DEBUG'] === '1' && error instanceof Error) complain(error.stack ?? '');
    process.exitCode = 1;
  }
}

function run(): number {
  try {
    const request = readOptions(ownArguments(), ownVariable('POSIXLY_CORRECT') !== '');
    if (typeof request === 'string') return print(byteStringOfText(told(request))) ? 0 : 1;
    if (request.operands.length === 0) throw new UsageFault('missing operand');
    const onTerminal = !request.zero && isTerminal(STDOUT);
    const { output, complaints, failed } = resolveAll(request, ownVariable, onTerminal);
    const delivered = print(output);
    for (const complaint of complaints) complain(complaint);
    return failed || !delivered ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UsageFault)) throw error;
    complain(byteStringOfText(printableBytes(error.message)));
    write(STDERR, "Try 'nix-realpath --help' for more information.\n");
    return 1;
  }
}

function told(what: 'help' | 'version' | 'sh'): string {
  if (what === 'help') return helpText();
  if (what === 'sh') return shellFunction();
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return `nix-realpath (nar-scan) ${(JSON.parse(text) as { version: string }).version}\n`;
}

/** What asks the system of terminals takes a quarter of the whole run to load, so it is asked only where there may be one. */
function isTerminal(descriptor: number): boolean {
  if (!fstatSync(descriptor).isCharacterDevice()) return false;
  return process.getBuiltinModule('node:tty').isatty(descriptor);
}

/** Whether stdout took it; a reader who has gone is no fault. */
function print(text: ByteString): boolean {
  const fault = write(STDOUT, text);
  if (fault !== null && fault !== 'EPIPE') complain(`write error: ${messageOf(fault)}`);
  return fault === null || fault === 'EPIPE';
}

/** A fault of stderr has nowhere to be told. */
function complain(text: ByteString): void {
  write(STDERR, `nix-realpath: ${text}\n`);
}

/** Writes all of it, also where the descriptor does not block; the name of the error that ended it, or null. */
function write(descriptor: number, text: ByteString): string | null {
  const bytes = bytesOfByteString(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code = 'EIO' } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN') return code;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MILLISECONDS);
    }
  }
  return null;
}
