import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Waiver } from '../../policy/policy.ts';
import { waiversToml } from '../../policy/print.ts';
import { parsePolicy } from '../../policy/read.ts';
import { readPolicyFile } from './policyFile.ts';

const HEAD = '# A policy of nar-scan: see README.md, "Policy", and nar-scan policy check.\n';
const NEW_FILE_MODE = 0o644;

/** A policy file that waivers are added to. What it holds besides stays as it is. */
export class BaselineFile {
  readonly path: string;
  /** The waivers that it holds. */
  readonly waivers: readonly Waiver[];
  readonly #before: Buffer | null;

  /** @throws NarScanError POLICY_UNREADABLE, POLICY_INVALID where there is a file that is no policy */
  constructor(path: string) {
    this.path = path;
    this.#before = isThere(path) ? readPolicyFile(path, 'named') : null;
    this.waivers = this.#before === null ? [] : parsePolicy(this.#before, path).verdict.waivers;
  }

  /**
   * Puts waivers behind what the file holds, all or none.
   * @throws NarScanError BASELINE_NOT_WRITTEN
   */
  add(waivers: readonly Waiver[]): void {
    if (waivers.length === 0) return;
    const before = this.#before?.toString('utf8') ?? HEAD;
    const text = `${before}${before.endsWith('\n') || before === '' ? '' : '\n'}\n${waiversToml(waivers)}`;
    const bytes = Buffer.from(text);
    if (bytes.length > LIMITS.policyBytes) {
      const most = `a policy has at most ${LIMITS.policyBytes} bytes`;
      throw this.#notWritten(`${waivers.length} waivers are too many: ${most}; write some with globs first`);
    }
    try {
      parsePolicy(bytes, this.path);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw this.#notWritten(`with the waivers behind it, it would be no policy: ${why}`, error);
    }
    this.#replace(bytes);
  }

  #replace(bytes: Buffer): void {
    let aside: string | null = null;
    try {
      const now = isThere(this.path) ? readPolicyFile(this.path, 'named') : null;
      if ((now === null) !== (this.#before === null) || now?.equals(this.#before ?? now) === false) {
        throw this.#notWritten('somebody else wrote to it meanwhile');
      }
      const place = now === null ? this.path : realpathSync(this.path);
      const status = now === null ? null : statSync(place);
      if (status?.isFile() === false) throw this.#notWritten('it is no file');
      const name = join(dirname(place), `.nar-scan-${randomBytes(8).toString('hex')}.tmp`);
      const descriptor = openSync(name, 'wx', status === null ? NEW_FILE_MODE : status.mode & 0o777);
      aside = name;
      try {
        for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
        fdatasyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(aside, place);
    } catch (error) {
      if (aside !== null) rmSync(aside, { force: true });
      if (error instanceof NarScanError) throw error;
      throw this.#notWritten(error instanceof Error ? error.message : String(error), error);
    }
  }

  #notWritten(why: string, cause?: unknown): NarScanError {
    return new NarScanError('BASELINE_NOT_WRITTEN', `no waivers were added to ${this.path}: ${why}`, {
      cause,
    });
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
