import type { Caller } from '../contracts.ts';
import { html, type Html, type Part } from './html.ts';

/** What went wrong with what somebody asked for. */
interface Problem {
  /** One line: what and where. */
  readonly message: string;
  /** One line: what to do about it. */
  readonly hint: string;
}

/** What every page knows of who looks at it. */
export interface Frame {
  readonly caller: Pick<Caller, 'name' | 'scopes'>;
  /** What was just done; null for nothing. */
  readonly notice: string | null;
  readonly problem: Problem | null;
  /** The token of a form. @param action path that it is sent to */
  readonly token: (action: string) => string;
}

/** The pages that can be reached from every one. */
const PLACES = [
  ['/review', 'Quarantine'],
  ['/review/published', 'Published'],
  ['/review/denials', 'Denials'],
  ['/review/homes', 'Settled homes'],
  ['/review/trail', 'Audit trail'],
] as const;
export type Place = (typeof PLACES)[number][0];

/** A whole page. @param place the one it belongs to; null for none */
export function page(frame: Frame, place: Place | null, title: string, content: Part): string {
  const { caller, notice, problem } = frame;
  const places = PLACES.map(
    ([path, name]) =>
      html`<li><a href="${path}" ${path === place && html` aria-current="page"`}>${name}</a></li>`,
  );
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} – nar-scan</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/review/style.css" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <p class="brand">nar-scan <span>review</span></p>
          <nav aria-label="Pages">
            <ul>
              ${places}
            </ul>
          </nav>
          <p class="who"><span>as</span> ${caller.name}</p>
        </header>
        <main id="main" tabindex="-1">
          ${problem && problemBox(problem)}
          ${notice !== null && html`<p class="notice" role="status">${notice}</p>`} ${content}
        </main>
      </body>
    </html> `.text;
}

function problemBox({ message, hint }: Problem): Html {
  return html`<div class="problem" role="alert">
    <p><strong>${message}</strong></p>
    <p>${hint}</p>
  </div>`;
}

/** The page of an error that leaves nothing else to show. */
export function problemPage(frame: Frame): string {
  return page(
    frame,
    null,
    'It did not work',
    html`<h1>It did not work</h1>
      <p><a href="/review">Back to the quarantine</a></p>`,
  );
}
