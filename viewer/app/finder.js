// The bar that searches in what a terminal shows and has shown.

import { button, el, write } from './dom.js';

export function finder(screen) {
  const input = el('input', {
    type: 'search',
    'aria-label': 'Search in the terminal',
    placeholder: 'Search',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const count = el('span', { class: 'count', 'aria-live': 'polite' });
  const find = (backwards) => {
    if (input.value === '') {
      screen.search.clearDecorations();
      write(count, '');
    } else if (!screen.find(input.value, backwards)) {
      write(count, 'nothing');
    }
  };
  const close = () => {
    bar.hidden = true;
    screen.search.clearDecorations();
    screen.terminal.clearSelection();
    screen.focus();
  };
  const bar = el(
    'div',
    { class: 'finder', role: 'search', hidden: true },
    input,
    count,
    button('Previous', () => find(true)),
    button('Next', () => find(false)),
    button('Close', close),
  );
  screen.search.onDidChangeResults(({ resultIndex, resultCount }) => {
    write(count, resultCount === 0 ? 'nothing' : resultIndex < 0 ? `${resultCount}` : `${resultIndex + 1} of ${resultCount}`);
  });
  input.oninput = () => find(true);
  bar.onkeydown = (event) => {
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter' && event.target === input) find(!event.shiftKey);
    else return;
    event.preventDefault();
  };
  return {
    node: bar,
    open: () => {
      bar.hidden = false;
      input.focus();
      input.select();
    },
  };
}
