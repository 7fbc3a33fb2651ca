import { NarScanError } from '../../model/errors.ts';
import { displayText } from '../../model/bytes.ts';
import { HOME_ROOTS, underHomeRoot } from '../../needles/homes.ts';
import { wrapped } from '../../report/lines.ts';
import { printableJson, printableText } from '../../report/printable.ts';
import { findSurroundings } from '../../scan/scan.ts';
import type { Found } from '../../sources/host/found.ts';
import type { Arguments } from '../arguments.ts';
import { formatOf } from '../format.ts';
import { surroundedOf } from '../invocation.ts';
import { loadPolicy } from '../policy/policyFile.ts';

const COLUMNS = 80;

/** A directory that is searched for, and all the paths by which it is. */
interface Searched {
  readonly path: string;
  readonly from: string;
  /** Each of them in every encoding. */
  readonly needles: readonly string[];
}

interface LeftOut {
  readonly kind: 'home' | 'alias';
  readonly path: string;
  readonly from: string;
  readonly reason: string;
  /** It is that of a user who is no person. */
  readonly service: boolean;
}

/** What a scan with these options would search for. */
interface Listing {
  readonly schema: 'nar-scan/homes-v1';
  readonly storeDir: string;
  readonly homes: readonly Searched[];
  readonly aliases: readonly Searched[];
  readonly refused: readonly LeftOut[];
}

/**
 * What `nar-scan homes` prints: each home and each physical place of the store, where it was found
 * and what is searched for because of it; what was left out, and why.
 *
 * @throws NarScanError as a scan with these options would
 */
export async function homesText(said: Arguments, environment: NodeJS.ProcessEnv): Promise<string> {
  const format = formatOf(said, ['human', 'json']);
  const [surplus] = said.targets;
  if (surplus !== undefined) {
    throw new NarScanError('USAGE_BAD_VALUE', `homes takes no argument such as '${surplus}'; see --home`);
  }
  const named = surroundedOf(said, environment);
  const { facts } = (await loadPolicy(said.last('policy'), environment)).policy;
  const request = {
    ...named,
    homes: [...named.homes, ...facts.homes],
    aliases: [...named.aliases, ...facts.aliases],
  };
  const { homes, aliases } = await findSurroundings(request);
  const listing: Listing = {
    schema: 'nar-scan/homes-v1',
    storeDir: request.storeDir,
    homes: homes.flatMap((home) => searched(home, needlesOfHome)),
    aliases: aliases.flatMap((alias) => searched(alias, (path) => [path])),
    refused: [...leftOut('home', homes), ...leftOut('alias', aliases)],
  };
  return format === 'json' ? `${printableJson(listing)}\n` : textOf(listing);
}

function searched({ path, from, reason }: Found, needles: (path: string) => readonly string[]): Searched[] {
  return reason === undefined ? [{ path, from, needles: needles(path) }] : [];
}

function leftOut(kind: LeftOut['kind'], found: readonly Found[]): readonly LeftOut[] {
  return found.flatMap(({ path, from, reason, service = false }) =>
    reason === undefined ? [] : [{ kind, path, from, reason, service }],
  );
}

/** The home, and the same user under every other home root. */
function needlesOfHome(home: string): readonly string[] {
  const bytes = underHomeRoot(home);
  if (bytes === null) return [home];
  const user = displayText(bytes);
  return [...new Set([home, ...HOME_ROOTS.map((root) => `${root}/${user}`), `C:\\Users\\${user}`])];
}

function textOf({ storeDir, homes, aliases, refused }: Listing): string {
  const store = printableText(storeDir);
  return [
    ...section('Homes that are searched for', homes),
    ...section(`Physical places of the store ${store} that are searched for`, aliases),
    refused.length === 0 ? 'Nothing was left out.' : 'Left out:',
    ...leftOutLines(refused),
    '',
  ].join('\n');
}

/** One line each; users of the passwd database who are no persons are many, and stand in one. */
function leftOutLines(refused: readonly LeftOut[]): readonly string[] {
  const services = new Set(refused.filter(({ service }) => service).map(({ path }) => path));
  const others = refused.filter(({ service }) => !service);
  const folded =
    services.size === 0
      ? []
      : wrapped(`those of services: ${[...services].map(printableText).join(', ')}`, '  ', COLUMNS, '    ');
  return [
    ...others.map(
      ({ path, from, reason }) => `  '${printableText(path)}' ${reason} (${printableText(from)})`,
    ),
    ...folded,
  ];
}

function section(title: string, all: readonly Searched[]): readonly string[] {
  if (all.length === 0) return [`${title}: none.`];
  return [
    `${title}:`,
    ...all.flatMap(({ path, from, needles }) => {
      const others = needles.filter((needle) => needle !== path).map(printableText);
      return [
        `  ${printableText(path)}  (${printableText(from)})`,
        ...(others.length === 0 ? [] : [`      also ${others.join(', ')}`]),
      ];
    }),
  ];
}
