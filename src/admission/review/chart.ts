import { bytesForPeople, counted } from '../../report/units.ts';
import type { AdmissionHour } from '../catalog.ts';
import { html, type Html } from './html.ts';

/* Units of the drawing. */
const BAR = 14;
const STEP = 20;
const HEIGHT = 80;

type Kind = 'admitted' | 'held' | 'refused' | 'incomplete';

/** From the ground up. */
const KINDS: readonly (readonly [kind: Kind, name: string])[] = [
  ['admitted', 'admitted'],
  ['held', 'held for review'],
  ['refused', 'refused'],
  ['incomplete', 'not inspected or malformed'],
];

/** What came in the last hours: a drawing, and the same as a table. */
export function admissionsChart(hours: readonly AdmissionHour[]): Html {
  const highest = Math.max(1, ...hours.map((hour) => sum(hour)));
  const totals = KINDS.map(([kind, name]) => ({ kind, name, count: total(hours, kind) }));
  const said = totals.map(({ name, count }) => counted(count, name, name)).join(', ');
  return html`<section class="chart" aria-labelledby="chart-title">
    <h2 id="chart-title">Last ${hours.length} hours</h2>
    <svg
      viewBox="0 0 ${hours.length * STEP} ${HEIGHT + 1}"
      preserveAspectRatio="none"
      role="img"
      aria-label="Uploads by the hour: ${said}; ${highest} at most in one hour"
    >
      ${hours.map((hour, at) => bar(hour, at, highest))}
      <rect class="ground" x="0" y="${HEIGHT}" width="${hours.length * STEP}" height="1"></rect>
    </svg>
    <p class="axis" aria-hidden="true">
      <span>${hours.length} h ago</span><span>${highest} an hour at most</span><span>now</span>
    </p>
    <ul class="legend">
      ${totals.map(
        ({ kind, name, count }) =>
          html`<li><span class="swatch ${kind}"></span>${counted(count, name, name)}</li>`,
      )}
    </ul>
    <details>
      <summary>As a table</summary>
      <div class="scroll" tabindex="0" role="group" aria-label="Uploads by the hour">
        <table>
          <thead>
            <tr>
              <th scope="col">Hour (UTC)</th>
              ${KINDS.map(([, name]) => html`<th scope="col">${name}</th>`)}
              <th scope="col">size</th>
            </tr>
          </thead>
          <tbody>
            ${hours.toReversed().map(rowOf)}
          </tbody>
        </table>
      </div>
    </details>
  </section>`;
}

function bar(hour: AdmissionHour, at: number, highest: number): readonly Html[] {
  let ground = HEIGHT;
  return KINDS.flatMap(([kind]) => {
    const count = countOf(hour, kind);
    if (count === 0) return [];
    const height = Math.max(1, (count / highest) * (HEIGHT - 2));
    ground -= height;
    const [x, y] = [at * STEP + (STEP - BAR) / 2, ground.toFixed(1)];
    return [
      html`<rect class="${kind}" x="${x}" y="${y}" width="${BAR}" height="${height.toFixed(1)}"></rect>`,
    ];
  });
}

function rowOf(hour: AdmissionHour): Html {
  const time = new Date(hour.from).toISOString();
  return html`<tr>
    <th scope="row"><time datetime="${time}">${time.slice(5, 10)} ${time.slice(11, 16)}</time></th>
    ${KINDS.map(([kind]) => html`<td>${countOf(hour, kind)}</td>`)}
    <td>${bytesForPeople(hour.bytes)}</td>
  </tr>`;
}

function countOf(hour: AdmissionHour, kind: Kind): number {
  return kind === 'incomplete' ? hour.incomplete + hour.malformed : hour[kind];
}

function sum(hour: AdmissionHour): number {
  return KINDS.reduce((all, [kind]) => all + countOf(hour, kind), 0);
}

function total(hours: readonly AdmissionHour[], kind: Kind): number {
  return hours.reduce((all, hour) => all + countOf(hour, kind), 0);
}
