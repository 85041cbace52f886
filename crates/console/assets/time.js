// Says how long is left until a due time, in the words of `show::until`, and keeps it true while time passes.

const MINUTE = 60_000;
const AT_RISK = 15 * MINUTE;
const japanese = document.documentElement.lang === 'ja';

// The server's clock is the one that counts.
let offset = Date.parse(document.body.dataset.now) - Date.now();
export const now = () => Date.now() + (Number.isFinite(offset) ? offset : 0);

export function until(due, at) {
  const left = due - at;
  const minutes = Math.floor(Math.abs(left) / MINUTE);
  const d = Math.floor(minutes / 1440), h = Math.floor(minutes / 60) % 24, m = minutes % 60;
  const mm = String(m).padStart(2, '0');
  let said;
  if (d > 0) said = japanese ? `${d}日${h}時間` : `${d} d ${h} h`;
  else if (h > 0) said = japanese ? `${h}時間${mm}分` : `${h} h ${mm} min`;
  else said = japanese ? `${m}分` : `${m} min`;
  if (left < 0) said += japanese ? ' 超過' : ' over';
  return said;
}

export const urgency = (due, at) => (due < at ? 'overdue' : due - at < AT_RISK ? 'at-risk' : 'in-time');

function tick() {
  const at = now();
  for (const time of document.querySelectorAll('time[data-due]')) {
    const due = Date.parse(time.dateTime);
    const text = time.querySelector('b');
    const said = until(due, at);
    if (text && text.textContent !== said) text.textContent = said;
    const state = urgency(due, at);
    if (!time.classList.contains(state)) {
      time.classList.remove('overdue', 'at-risk', 'in-time');
      time.classList.add(state);
    }
  }
}

setInterval(tick, 1000);
