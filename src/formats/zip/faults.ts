import type { ByteString } from '../../model/bytes.ts';
import type { GapReason } from '../../model/facts.ts';
import type { ContainerFault } from '../container.ts';

export function faultOf(
  reason: GapReason,
  detail: string,
  offset: number,
  member: ByteString | null = null,
): ContainerFault {
  return { item: 'fault', reason, offset, member, detail: `zip at byte ${offset}: ${detail}` };
}

export function corrupt(detail: string, offset: number, member: ByteString | null = null): ContainerFault {
  return faultOf('corrupt', detail, offset, member);
}
