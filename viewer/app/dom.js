// Elements, dialogs and short messages. Text always goes in as text: nothing here reads HTML.

/// An element with properties (`onclick`, `value`), attributes (the rest; `false` and `null` leave one out) and children.
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith('on') || key === 'value' || key === 'checked') made[key] = value;
    else made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/// Gives an element these children, if they are others than before by `key`: what has the focus must not be made anew for nothing.
export function fill(node, key, children) {
  const text = JSON.stringify(key);
  if (node.filledWith === text) return false;
  node.filledWith = text;
  const focused = node.contains(document.activeElement) ? document.activeElement.id : '';
  node.replaceChildren(...[children()].flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  // Whoever has just pressed a button that is drawn anew goes on there.
  if (focused) document.getElementById(focused)?.focus();
  return true;
}

/// Sets a text without touching the page when it is the same.
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function button(label, onclick, attributes = {}) {
  return el('button', { type: 'button', onclick, ...attributes }, label);
}

const SHOWN_MS = 6000;
const SHOWN_MAX = 4;

/// A message that goes by itself; a refusal stays longer and is told at once.
export function toast(text, kind = 'done') {
  const holder = document.getElementById('toasts');
  const made = el('div', { class: `toast ${kind}`, role: kind === 'refused' ? 'alert' : null }, el('span', {}, text));
  made.append(button('Dismiss', () => made.remove(), { class: 'plain' }));
  holder.append(made);
  while (holder.children.length > SHOWN_MAX) holder.firstElementChild.remove();
  setTimeout(() => made.remove(), kind === 'refused' ? 3 * SHOWN_MS : SHOWN_MS);
}

/// A dialog with a form. `done` gets the form's data when it is sent, and nothing when it is left.
export function ask({ title, body, action, danger = false, done }) {
  const cancel = button('Cancel', () => dialog.close());
  const send = el('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, action);
  const form = el('form', { method: 'dialog' }, el('h2', {}, title), body, el('div', { class: 'actions' }, cancel, send));
  const dialog = el('dialog', { 'aria-label': title }, form);
  form.onsubmit = (event) => {
    event.preventDefault();
    const data = new FormData(form);
    dialog.close();
    done(data);
  };
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
