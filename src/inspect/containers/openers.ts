import type { StreamCodec } from '../../formats/compression/codec.ts';
import type { RandomContainer, StreamContainer } from '../../formats/container.ts';
import type { ContentKind } from '../../formats/magic.ts';

/**
 * How a kind of container is opened. What reads it is loaded when the first one is met: most
 * outputs hold few kinds.
 */
export type Opener =
  | { readonly how: 'codec'; readonly codec: StreamCodec }
  | { readonly how: 'stream'; readonly load: () => Promise<StreamContainer> }
  | {
      readonly how: 'random';
      readonly load: () => Promise<RandomContainer>;
      /** Of a container that was read without a fault, every byte was read or belongs to nothing. */
      readonly whole: boolean;
    };

const codec = (codec: StreamCodec): Opener => ({ how: 'codec', codec });
const stream = (load: () => Promise<StreamContainer>): Opener => ({ how: 'stream', load });
const random = (load: () => Promise<RandomContainer>, whole = false): Opener => ({
  how: 'random',
  load,
  whole,
});

/** Every kind that can be opened. */
const OPENERS: Partial<Record<ContentKind, Opener>> = {
  gzip: codec('gzip'),
  xz: codec('xz'),
  zstd: codec('zstd'),
  bzip2: codec('bzip2'),
  lz4: codec('lz4'),
  lzip: codec('lzip'),
  lzma: codec('lzma'),
  compress: codec('compress'),
  snappy: codec('snappy'),
  brotli: codec('br'),
  zip: random(async () => (await import('../../formats/zip/zip.ts')).readZip),
  tar: stream(async () => (await import('../../formats/tar/tar.ts')).readTar),
  ar: stream(async () => (await import('../../formats/ar/ar.ts')).readAr),
  cpio: stream(async () => (await import('../../formats/cpio/cpio.ts')).readCpio),
  iso9660: random(async () => (await import('../../formats/iso9660/iso9660.ts')).readIso9660),
  zisofs: random(async () => (await import('../../formats/iso9660/zisofs.ts')).readZisofs),
  rpm: random(async () => (await import('../../formats/rpm/rpm.ts')).readRpm),
  png: random(async () => (await import('../../formats/png/png.ts')).readPng),
  beam: random(async () => (await import('../../formats/beam/beam.ts')).readBeam),
  pyinstaller: random(async () => (await import('../../formats/pyinstaller/archive.ts')).readPyInstaller),
  'pyinstaller-modules': random(
    async () => (await import('../../formats/pyinstaller/archive.ts')).readPyInstallerModules,
  ),
  'sphinx-inventory': random(
    async () => (await import('../../formats/sphinx/inventory.ts')).readObjectsInventory,
  ),
  'git-object': random(async () => (await import('../../formats/zlib/single.ts')).readGitObject),
  'git-pack': random(async () => (await import('../../formats/gitpack/pack.ts')).readGitPack),
  bitcode: random(async () => (await import('../../formats/bitcode/bitcode.ts')).readBitcode),
  pdf: random(async () => (await import('../../formats/pdf/pdf.ts')).readPdf),
  rdb: random(async () => (await import('../../formats/rdb/rdb.ts')).readRdb),
  ocaml: random(async () => (await import('../../formats/ocaml/marshal.ts')).readOcaml),
  'portable-pdb': random(async () => (await import('../../formats/pdb/portable.ts')).readPortablePdb),
  squashfs: random(async () => (await import('../../formats/squashfs/squashfs.ts')).readSquashfs, true),
  nar: random(async () => (await import('../../formats/nar/container.ts')).readNar),
};

/** How `kind` is opened, or null where nothing can. */
export function openerOf(kind: ContentKind): Opener | null {
  return OPENERS[kind] ?? null;
}
