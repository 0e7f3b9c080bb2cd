// SPDX-License-Identifier: Apache-2.0
// What a browser can measure of one page at sizes of text; test_elder_norm.py judges it.
sizes => sizes.map(text => {
  document.documentElement.className = `s${text}`;
  const seen = e => e.getClientRects().length && getComputedStyle(e).visibility === 'visible';
  const name = e => `${e.tagName.toLowerCase()}${e.className.baseVal === undefined && e.className ? '.' + e.className.split(' ').join('.') : ''} "${(e.textContent || e.name || '').trim().slice(0, 20)}"`;
  document.querySelectorAll('details').forEach(d => { d.open = true; });
  const all = [...document.querySelectorAll('body *')].filter(seen);
  const own = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const scale = e => e.ownerSVGElement ? e.getScreenCTM().a : 1;
  const texts = all.filter(own).map(e => [parseFloat(getComputedStyle(e).fontSize) * scale(e), name(e)]);
  const within = e => e.tagName === 'A' && getComputedStyle(e).display === 'inline' && own(e.parentElement);
  const place = e => /^(radio|checkbox)$/.test(e.type) && e.labels.length ? e.labels[0] : e;
  const targets = [...document.querySelectorAll('a[href], button, select, textarea, summary, input:not([type=hidden])')]
    .filter(e => seen(place(e)) && !within(e))
    .map(e => { const r = place(e).getBoundingClientRect(); return [r.width, r.height, name(e)]; });
  const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map(e => +e.tagName[1]);
  const moving = all.filter(e => {
    const s = getComputedStyle(e);
    const lasts = v => v.split(',').some(t => parseFloat(t) > 0.01);
    return (s.animationName !== 'none' && lasts(s.animationDuration)) || lasts(s.transitionDuration);
  }).map(name);
  const wide = all.filter(e => e.getBoundingClientRect().right > innerWidth + 0.5).map(name).slice(0, 4);
  return {
    texts, targets, levels, moving, wide,
    root: parseFloat(getComputedStyle(document.documentElement).fontSize),
    lang: document.documentElement.lang,
    title: document.title,
    width: document.documentElement.scrollWidth,
  };
})
