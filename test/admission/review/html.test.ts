import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from '../../../src/admission/review/html.ts';

/** The text that a browser reads out of HTML without elements. */
function unescaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return text.replaceAll(/&([a-z0-9#]+);/g, (_, name: string) => entities[name] ?? '?');
}

describe('HTML of a template', () => {
  it('is made of nothing that a value holds: neither in text nor in an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const made = html`<p title="${value}">${value}</p>`.text;
        const [, attribute = '', text = ''] = /^<p title="([^"<>]*)">([^"<>]*)<\/p>$/s.exec(made) ?? [];
        expect(made).toBe(`<p title="${attribute}">${text}</p>`);
        expect(attribute).toBe(text);
        expect(text).not.toMatch(/[\p{C}<>"']/u);
      }),
    );
  });

  it('says printable text as it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]*$/), (value) => {
        expect(unescaped(html`${value}`.text)).toBe(value);
      }),
    );
  });

  it('shows marks that turn the direction of text', () => {
    expect(html`${'a\u202eb\n'}`.text).toBe(String.raw`a\u{202e}b\n`);
  });

  it('takes HTML as it is, lists one after another, and nothing for nothing', () => {
    const inner = html`<b>${'<'}</b>`;
    expect(html`${[inner, 'x', 1, [null, 0]]}${null}${undefined}${false}`.text).toBe('<b>&lt;</b>x10');
  });
});
