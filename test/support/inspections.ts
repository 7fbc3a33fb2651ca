import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ThreadedInspector } from '../../src/admission/inspection/threadedInspector.ts';
import { Growth } from '../../src/admission/intake/growth.ts';
import type { ServerSettings } from '../../src/admission/settings.ts';
import { serverSettings } from './serverSettings.ts';

/** A folder of spools, and who inspects them. */
export class Inspections implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'nar-scan-test-inspection-'));
  readonly inspector: ThreadedInspector;
  #count = 0;

  constructor(settings: Partial<ServerSettings> = {}) {
    this.inspector = new ThreadedInspector(serverSettings(this.folder, settings));
  }

  file(bytes: Uint8Array): string {
    const file = join(this.folder, String(this.#count++));
    writeFileSync(file, bytes);
    return file;
  }

  /** A spool that is being written. */
  upload(): Upload {
    return new Upload(this.file(Buffer.alloc(0)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.inspector.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A spool and what is told of it. */
export class Upload {
  readonly file: string;
  readonly growth = new Growth();
  #length = 0;

  constructor(file: string) {
    this.file = file;
  }

  write(bytes: Uint8Array): void {
    appendFileSync(this.file, bytes);
    this.#length += bytes.length;
    this.growth.grew(this.#length);
  }
}
