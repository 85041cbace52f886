// What every page has: countdowns, the watch line, the keyboard, forms that answer in place.

import './time.js';
import { confirmed, openHelp, send } from './dialogs.js';
import { bind } from './keys.js';
import { fragment, isPaused, onChange, parsed, toggle } from './live.js';

const REDRAW_MS = 30_000;

async function redrawWatch() {
  const old = document.getElementById('watch');
  // Not under somebody's pointer, nor under their focus.
  if (!old || document.hidden || old.matches(':hover, :focus-within')) return;
  const markup = await fragment(old.dataset.url);
  if (markup) old.replaceWith(parsed(markup));
}

onChange(redrawWatch);
// Time passes even when nothing happens.
setInterval(() => { if (!isPaused()) redrawWatch(); }, REDRAW_MS);

const help = document.getElementById('help-open');
if (help) {
  help.hidden = false;
  help.addEventListener('click', openHelp);
}

const go = (address) => () => { location.href = address; };
bind('?', openHelp);
bind('g q', go('/'));
bind('g h', go('/hand-over'));
bind('g t', go('/trouble'));
bind('g a', go('/about'));
bind('Alt+l', toggle);
bind('Mod+k', () => {
  const jump = document.getElementById('jump');
  jump?.focus();
  jump?.select();
});
bind('Mod+Enter', (event) => {
  const form = event.target.closest?.('form');
  if (!form || form.method !== 'post') return false;
  form.requestSubmit();
});

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (form.dataset.confirm && !form.dataset.sure) {
    event.preventDefault();
    const choice = form.querySelector('input[type="radio"]:checked')?.closest('label')?.querySelector('span')?.firstChild;
    const question = choice ? `${choice.textContent.trim()} — ${form.dataset.confirm}` : form.dataset.confirm;
    if (await confirmed(question)) {
      form.dataset.sure = 'yes';
      form.requestSubmit();
    }
    return;
  }
  if ('quiet' in form.dataset) {
    event.preventDefault();
    if (await send(form)) document.dispatchEvent(new CustomEvent('done', { detail: form }));
  }
});
