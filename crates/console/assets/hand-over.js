// The hand-over sheet: printed by a button, chosen as a whole by a box. What it shows stays as of its moment until it is asked
// for again.

const print = document.getElementById('print');
if (print) {
  print.hidden = false;
  print.addEventListener('click', () => window.print());
}

const boxes = () => [...document.querySelectorAll('input[name="incident"]')];
const all = document.getElementById('all');
if (all) {
  all.hidden = false;
  all.addEventListener('change', () => { for (const box of boxes()) box.checked = all.checked; });
}

document.addEventListener('change', (event) => {
  if (event.target.matches('.filters select')) event.target.form.requestSubmit();
  if (all && event.target.name === 'incident') all.checked = boxes().every((box) => box.checked);
});
