import { RULES } from '../../../model/facts.ts';
import { bytesForPeople } from '../../../report/units.ts';
import { admissionsChart } from '../chart.ts';
import { choiceField, textField } from '../forms.ts';
import { html, type Html } from '../html.ts';
import { pathName, standingBadge } from '../names.ts';
import { type Frame, page } from '../page.ts';
import { timeOf } from '../time.ts';
import { AGES, type ListedOutput, OUTPUT_STANDINGS, type OutputsQuery, type OutputsView } from '../views.ts';

/** What is in quarantine, the latest first. */
export function outputsPage(frame: Frame, view: OutputsView): string {
  const { query, outputs, next, hours, now } = view;
  const none = isOpen(query)
    ? html`<p class="none">Nothing is in quarantine.</p>`
    : html`<p class="none">Nothing among what was looked at fits.</p>`;
  return page(
    frame,
    '/review',
    'Quarantine',
    html`<h1>Quarantine</h1>
      ${admissionsChart(hours)}
      <section aria-labelledby="outputs-title">
        <h2 id="outputs-title">Refused outputs</h2>
        ${filterForm(query)}
        ${
          outputs.length === 0
            ? none
            : html`<ol class="rows">
                ${outputs.map((output) => row(output, now))}
              </ol>`
        }
        ${next !== null && html`<p class="more"><a href="/review?${queryText({ ...query, before: next })}">Older ones</a></p>`}
      </section>`,
  );
}

function row({ record, standing, kept }: ListedOutput, now: number): Html {
  const { id, storePath, verdict, rules, gaps, homes, at, actor } = record;
  const size = kept === null ? 'not kept' : bytesForPeople(kept);
  return html`<li class="row">
    <p class="row-head">
      ${standingBadge(standing, verdict)} <a href="/review/outputs/${id}">${pathName(storePath)}</a>
    </p>
    <p class="why">
      ${[...rules, ...gaps].join(', ')}${homes.length > 0 && html` · <span class="path">${homes.slice(0, 3).join(' ')}</span>${homes.length > 3 && ` and ${homes.length - 3} more`}`}
    </p>
    <p class="meta">${timeOf(Date.parse(at), now)} · from ${actor} · ${size}</p>
  </li>`;
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
      >${isOpen(query) ? null : html` <a href="/review">Show all</a>`}
    </p>
  </form>`;
}

function isOpen({ before: _before, ...filters }: OutputsQuery): boolean {
  return Object.values(filters).every((value) => value === null || value === '');
}

function queryText(query: OutputsQuery): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== '') said.set(name, String(value));
  }
  return said.toString();
}
