const MILLISECONDS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** The milliseconds of `90m`, `36h`, `30d` or `2w`; null for any other text. */
export function spanOf(text: string): number | null {
  const parts = /^(?<count>[0-9]{1,5})(?<unit>[mhdw])$/.exec(text)?.groups;
  const unit = MILLISECONDS[parts?.['unit'] ?? ''];
  return unit === undefined ? null : Number(parts?.['count']) * unit;
}

/** The beginning of a day, `2027-01-31`, in UTC; null for any other text, and a day that no calendar has. */
export function dayStart(text: string): Date | null {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return null;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) ? day : null;
}
