import type { PublicKey, SecretKey } from '../../nix/signature.ts';
import type { Catalog } from '../catalog.ts';
import type { DiskRoom } from '../diskRoom.ts';
import type { Inspector } from '../inspector.ts';
import type { SpoolDirectory } from '../intake/spool.ts';
import type { Judge } from '../judge.ts';
import type { ServerSettings } from '../settings.ts';
import type { Storage } from '../storage.ts';

/** What publishing works with. */
export interface PublicationParts {
  readonly settings: Pick<ServerSettings, 'storeDir' | 'dryRun' | 'policy'>;
  readonly catalog: Catalog;
  readonly storage: Storage;
  readonly inspector: Inspector;
  readonly judge: Judge;
  /** On the file system of the received NARs: they are linked into it. */
  readonly spool: SpoolDirectory;
  /** With what other uploads have announced. */
  readonly room: Pick<DiskRoom, 'has'>;
  readonly keys: {
    /** Whose signatures say that an output is that of its path. */
    readonly trusted: readonly PublicKey[];
    /** Null: the server signs nothing. */
    readonly signing: SecretKey | null;
  };
  readonly log: {
    warn(line: string): void;
    /** Faults of the program or of this machine. */
    error(error: unknown): void;
  };
}
