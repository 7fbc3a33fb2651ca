import { RULES } from '../../../model/facts.ts';
import { bytesForPeople, counted } from '../../../report/units.ts';
import { admissionsChart } from '../chart.ts';
import { choiceField, textField } from '../forms.ts';
import { html, type Html } from '../html.ts';
import { pathName, standingBadge } from '../names.ts';
import { type Frame, page } from '../page.ts';
import { olderLink, rowsOf } from '../rows.ts';
import { timeOf } from '../time.ts';
import { AGES, type ListedOutput, OUTPUT_STANDINGS, type OutputsQuery, type OutputsView } from '../views.ts';

/** Homes of one output that a list names. */
const HOMES_SHOWN = 3;

/** What is in quarantine, the latest first. */
export function outputsPage(frame: Frame, view: OutputsView): string {
  const { query, outputs, next, hours, now } = view;
  const none = isForAll(query) ? 'Nothing is in quarantine.' : 'Nothing fits.';
  return page(
    frame,
    '/review',
    'Quarantine',
    html`<h1>Quarantine</h1>
      ${admissionsChart(hours)}
      <section aria-labelledby="outputs-title">
        <h2 id="outputs-title">Refused outputs</h2>
        ${filterForm(query)} ${rowsOf(outputs, (output) => outputRow(output, now), none)}
        ${olderLink(next === null ? null : `/review?${queryText({ ...query, before: next })}`)}
      </section>`,
  );
}

function outputRow({ record, standing, kept }: ListedOutput, now: number): Html {
  const { id, storePath, verdict, rules, gaps, homes, at, actor } = record;
  const size = kept === null ? 'not kept' : bytesForPeople(kept);
  const more = homes.length - HOMES_SHOWN;
  return html`<p class="row-head">
      ${standingBadge(standing, verdict)} <a href="/review/outputs/${id}">${pathName(storePath)}</a>
    </p>
    <p class="why">
      ${[...rules, ...gaps].join(', ')}
      <span class="path">${homes.slice(0, HOMES_SHOWN).join(' ')}</span>
      ${more > 0 && `and ${counted(more, 'more home')}`}
    </p>
    <p class="meta">${timeOf(Date.parse(at), now)} · from ${actor} · ${size}</p>`;
}

function filterForm(query: OutputsQuery): Html {
  return html`<form method="get" action="/review" class="filter" role="search" aria-label="Refused outputs">
    ${textField('text', 'Path or id', query.text, 'a part of it')}
    ${textField('home', 'Home', query.home, '/home/…')}
    ${choiceField('rule', 'Rule', RULES, query.rule, 'any')}
    ${choiceField('verdict', 'Verdict', ['contaminated', 'incomplete'], query.verdict, 'any')}
    ${choiceField('standing', 'Decision', OUTPUT_STANDINGS, query.standing, 'any')}
    ${choiceField('age', 'Age', AGES, query.age, 'any')}
    <p class="buttons">
      <button type="submit" class="primary">Filter</button
      >${isForAll(query) ? null : html` <a href="/review">Show all</a>`}
    </p>
  </form>`;
}

function isForAll({ before: _before, ...filters }: OutputsQuery): boolean {
  return Object.values(filters).every((value) => value === null || value === '');
}

function queryText(query: OutputsQuery): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== '') said.set(name, String(value));
  }
  return said.toString();
}
