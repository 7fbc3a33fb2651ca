/** The one style sheet of the pages. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f7f7f5; --panel: #ffffff; --ink: #1d2126; --soft: #56606c; --line: #dcdfe3;
  --link: #0a4f96; --focus: #0a4f96; --button: #0a4f96; --button-ink: #ffffff;
  --bad: #9c1515; --bad-ground: #fae8e7; --doubtful: #744700; --doubtful-ground: #fbf0d6;
  --good: #17613a; --good-ground: #e3f2e9; --plain-ground: #eceef0;
  --mark: #ffdf80; --mark-ink: #2c2000; --code: #f1f2f4;
  --bar-admitted: #4c956c; --bar-held: #d9a93b; --bar-refused: #b8393b; --bar-incomplete: #7a8491;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --panel: #1b1f25; --ink: #e2e6eb; --soft: #9ca7b4; --line: #333a43;
    --link: #86bdf6; --focus: #86bdf6; --button: #86bdf6; --button-ink: #10151b;
    --bad: #ffa3a0; --bad-ground: #3d1f21; --doubtful: #f0c877; --doubtful-ground: #36290f;
    --good: #86d7a8; --good-ground: #17301f; --plain-ground: #2a3038;
    --mark: #715500; --mark-ink: #fff3cc; --code: #12151a;
    --bar-admitted: #5aa67c; --bar-held: #c99a34; --bar-refused: #d0605f; --bar-incomplete: #8792a0;
  }
}
* { box-sizing: border-box; }
html { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; background: var(--ground); color: var(--ink); }
body { margin: 0; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
h3 { font-size: .95rem; margin: 0; overflow-wrap: anywhere; }
p { margin: 0 0 .5rem; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: .5rem; top: .5rem; background: var(--panel); padding: .4rem .8rem; z-index: 1; }
.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1.5rem; padding: .7rem 1.25rem; background: var(--panel); border-bottom: 1px solid var(--line); }
.top p { margin: 0; }
.top nav { flex: 1; }
.top ul { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; list-style: none; margin: 0; padding: 0; }
.top nav a { display: inline-block; padding: .15rem 0; text-decoration: none; border-bottom: 2px solid transparent; }
.top nav a:hover { border-color: var(--line); }
.top nav a[aria-current] { color: var(--ink); font-weight: 600; border-color: var(--link); }
.brand { font-weight: 700; }
.brand span, .who span, .meta, .ago, .spot, .hash, .note, .axis { color: var(--soft); }
.brand span { font-weight: 400; }
.who { overflow-wrap: anywhere; }
main { max-width: 76rem; margin: 0 auto; padding: 1.25rem; }
main > section, .wide > section { margin-bottom: 1.75rem; }
.path, pre { font-family: ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .86em; overflow-wrap: anywhere; }
.hash { font-weight: 400; }
.lead { margin-bottom: 1rem; }
.problem, .notice { padding: .7rem 1rem; border-radius: 4px; border-left: 4px solid; margin-bottom: 1.25rem; overflow-wrap: anywhere; }
.problem { background: var(--bad-ground); border-color: var(--bad); }
.problem p:last-child { margin: 0; }
.notice { background: var(--good-ground); border-color: var(--good); }
.none { color: var(--soft); padding: .75rem 0; }
.badge { display: inline-block; padding: 0 .5em; border-radius: 3px; font-size: .82rem; font-weight: 600; line-height: 1.6; background: var(--plain-ground); color: var(--ink); white-space: nowrap; }
.badge.bad { background: var(--bad-ground); color: var(--bad); }
.badge.doubtful { background: var(--doubtful-ground); color: var(--doubtful); }
.badge.good { background: var(--good-ground); color: var(--good); }
.rows { list-style: none; margin: 0; padding: 0; background: var(--panel); border: 1px solid var(--line); border-radius: 5px; }
.row { padding: .6rem .9rem; border-top: 1px solid var(--line); }
.row:first-child { border-top: 0; }
.row p { margin: 0; }
.row-head { overflow-wrap: anywhere; }
.why { overflow-wrap: anywhere; }
.meta { font-size: .87rem; overflow-wrap: anywhere; }
time { font-variant-numeric: tabular-nums; }
@media (min-width: 60rem) {
  .row:has(> .why) { display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: 1.5rem; align-items: baseline; }
  .row > .why { grid-column: 1; grid-row: 2; }
  .row:has(> .why) > .meta { grid-column: 2; grid-row: 1 / span 2; text-align: right; }
}
.more { margin-top: .8rem; }
.filter { display: flex; flex-wrap: wrap; align-items: end; gap: .6rem .8rem; margin-bottom: 1rem; }
.filter .field { flex: 1 1 8rem; margin: 0; }
.filter .buttons { margin: 0; }
.field label { display: block; font-size: .87rem; color: var(--soft); }
input, select, button { font: inherit; color: inherit; }
.field input, .field select { width: 100%; min-height: 2.2rem; padding: .25rem .5rem; background: var(--ground); border: 1px solid #7b8590; border-radius: 4px; }
::placeholder { color: var(--soft); opacity: 1; }
button { min-height: 2.2rem; padding: .25rem 1rem; border-radius: 4px; border: 1px solid var(--button); background: transparent; color: var(--link); font-weight: 600; cursor: pointer; }
button.primary { background: var(--button); color: var(--button-ink); }
button.danger { border-color: var(--bad); color: var(--bad); }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) 22rem; gap: 1.5rem; align-items: start; }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 5px; padding: .9rem 1rem; margin-bottom: 1rem; }
.panel > :last-child { margin-bottom: 0; }
.panel details { border-top: 1px solid var(--line); padding: .5rem 0; }
summary { cursor: pointer; font-weight: 600; overflow-wrap: anywhere; }
.action { padding-top: .5rem; }
.action fieldset { border: 1px solid var(--line); border-radius: 4px; margin: 0 0 .6rem; padding: .3rem .7rem; }
.action fieldset p { margin: .15rem 0; }
.action legend { font-size: .87rem; color: var(--soft); padding: 0 .3rem; }
.action [type="radio"], .action [type="checkbox"] { width: 1.1rem; height: 1.1rem; margin: 0 .5rem 0 0; vertical-align: -.2em; accent-color: var(--button); }
.note { font-size: .9rem; }
.facts { margin: 0; }
.facts div { padding: .25rem 0; }
.facts dt { font-size: .82rem; color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.facts ul { list-style: none; margin: 0; padding: 0; }
.decided { list-style: none; margin: 0; padding: 0; }
.decided li + li { border-top: 1px solid var(--line); padding-top: .6rem; }
.reason { overflow-wrap: anywhere; }
.jump { display: none; }
.entry { background: var(--panel); border: 1px solid var(--line); border-radius: 5px; margin-bottom: 1rem; }
.entry > h3 { padding: .5rem .9rem; border-bottom: 1px solid var(--line); }
.entry > .fix, .entry > .note { padding: 0 .9rem; }
.entry h3 .spot { font-weight: 400; }
.finding { padding: .75rem .9rem; }
.finding + .finding { border-top: 1px solid var(--line); }
.finding > :last-child { margin-bottom: 0; }
.finding-head { overflow-wrap: anywhere; }
.finding details { margin-bottom: .5rem; }
.finding summary { font-weight: 400; font-size: .9rem; color: var(--link); }
.fix { font-size: .93rem; overflow-wrap: anywhere; }
pre { margin: 0 0 .5rem; padding: .5rem .7rem; background: var(--code); border-radius: 4px; line-height: 1.55; }
pre.text { white-space: pre-wrap; overflow-wrap: anywhere; }
pre.dump { overflow-x: auto; overflow-wrap: normal; margin-top: .4rem; }
.at { color: var(--soft); }
mark { background: var(--mark); color: var(--mark-ink); border-radius: 2px; }
.chain { list-style: none; margin: 0 0 .4rem; padding: 0; display: flex; flex-wrap: wrap; font-size: .93em; }
.chain li:not(:last-child)::after { content: "\\203a" / ""; color: var(--soft); padding: 0 .45rem; }
.gaps { margin: .6rem 0; padding: 0 .9rem 0 2rem; }
.gaps li { margin-bottom: .35rem; overflow-wrap: anywhere; }
.chart { background: var(--panel); border: 1px solid var(--line); border-radius: 5px; padding: .9rem 1rem; }
.chart svg { display: block; width: 100%; height: 5rem; }
.chart .ground { fill: var(--line); }
rect.admitted { fill: var(--bar-admitted); } rect.held { fill: var(--bar-held); }
rect.refused { fill: var(--bar-refused); } rect.incomplete { fill: var(--bar-incomplete); }
.swatch { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border-radius: 2px; vertical-align: -.05em; }
.swatch.admitted { background: var(--bar-admitted); } .swatch.held { background: var(--bar-held); }
.swatch.refused { background: var(--bar-refused); } .swatch.incomplete { background: var(--bar-incomplete); }
.axis { display: flex; justify-content: space-between; font-size: .82rem; margin: .2rem 0 .5rem; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.3rem; list-style: none; margin: 0 0 .4rem; padding: 0; font-size: .9rem; }
.chart summary { font-weight: 400; font-size: .9rem; color: var(--link); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; margin-top: .5rem; }
th, td { padding: .15rem .9rem .15rem 0; text-align: right; white-space: nowrap; font-weight: 400; }
thead th { color: var(--soft); border-bottom: 1px solid var(--line); }
th:first-child { text-align: left; }
@media (max-width: 60rem) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  .jump { display: block; }
}
@media (max-width: 36rem) {
  main { padding: 1rem .75rem; }
  .top { padding: .6rem .75rem; }
  .top nav { flex-basis: 100%; order: 3; }
  .top nav a { padding: .3rem 0; }
  .filter .field { flex-basis: 45%; }
  button { min-height: 2.6rem; }
  .field input, .field select { min-height: 2.6rem; font-size: 16px; }
}
@media (forced-colors: active) { .badge, mark, .swatch { border: 1px solid; } }
`;
