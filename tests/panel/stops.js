// SPDX-License-Identifier: Apache-2.0
// Notes where the focus goes; returns how many stops of the Tab key there should be.
() => {
  const called = e => {
    const form = e.form || e.closest('form');
    const where = form ? new URL(form.action).pathname : '';
    const tag = e.tagName.toLowerCase();
    if (tag === 'a') { const u = new URL(e.href); return `a ${u.protocol === location.protocol ? u.pathname + [...u.searchParams].map(([k, v]) => ` ${k}=${v}`).join('') : u.protocol}`; }
    return [tag, where, e.name, e.type === 'radio' || tag === 'button' ? e.value : ''].filter(Boolean).join(' ');
  };
  window.stops = [];
  const known = new Set();
  document.addEventListener('focusin', event => {
    const e = event.target;
    if (known.has(e)) { return; }
    known.add(e);
    const s = getComputedStyle(e);
    const label = e.labels && e.labels[0] ? getComputedStyle(e.labels[0]) : s;
    const ring = Math.max(...[s, label].map(x => x.outlineStyle === 'none' ? 0 : parseFloat(x.outlineWidth)));
    window.stops.push([called(e), ring]);
  });
  const groups = new Set();
  return [...document.querySelectorAll('a[href], button, select, textarea, summary, audio[controls], input:not([type=hidden]), [tabindex]')]
    .filter(e => !e.disabled && (e.tabIndex >= 0 || e.tagName === 'AUDIO') && e.getClientRects().length)
    .filter(e => e.tagName === 'SUMMARY' || !e.closest('details:not([open])'))
    .filter(e => {
      if (e.type !== 'radio') { return true; }
      const isKnown = groups.has(e.name);
      groups.add(e.name);
      return !isKnown;
    }).length;
}
