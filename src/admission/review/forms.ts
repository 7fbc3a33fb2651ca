import { html, type Html, type Part } from './html.ts';
import type { Frame } from './page.ts';

/** Characters of a reason. */
export const REASON_MOST = 1000;

/** A form that changes something. Every such form needs a token of its own. */
export function actionForm(
  { token }: Pick<Frame, 'token'>,
  action: string,
  button: { readonly text: string; readonly kind: 'primary' | 'danger' | 'plain'; readonly about?: string },
  fields: Part,
): Html {
  const label = button.about === undefined ? null : html` aria-label="${button.text} ${button.about}"`;
  return html`<form method="post" action="${action}" class="action">
    <input type="hidden" name="token" value="${token(action)}" />
    ${fields}
    <button type="submit" class="${button.kind}" ${label}>${button.text}</button>
  </form>`;
}

/** A field for why. @param id unique on the page */
export function reasonField(id: string, label = 'Reason'): Html {
  return html`<p class="field">
    <label for="${id}">${label}</label>
    <input id="${id}" name="reason" required maxlength="${REASON_MOST}" autocomplete="off" />
  </p>`;
}

/** One of several values, or none of them. @param open what none is called */
export function choiceField(
  name: string,
  label: string,
  values: readonly string[],
  chosen: string | null,
  open: string,
): Html {
  const options = values.map(
    (value) => html`<option${value === chosen && html` selected`}>${value}</option>`,
  );
  return html`<p class="field">
    <label for="f-${name}">${label}</label>
    <select id="f-${name}" name="${name}">
      <option value="">${open}</option>
      ${options}
    </select>
  </p>`;
}

export function textField(name: string, label: string, value: string, hint: string): Html {
  return html`<p class="field">
    <label for="f-${name}">${label}</label>
    <input
      id="f-${name}"
      name="${name}"
      value="${value}"
      placeholder="${hint}"
      maxlength="200"
      autocomplete="off"
      spellcheck="false"
    />
  </p>`;
}
