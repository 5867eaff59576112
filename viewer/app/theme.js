// Dark and light: as the system has it, or as the person chose.

const KEY = 'jackfield-theme';
const CHOICES = ['auto', 'dark', 'light'];
const system = matchMedia('(prefers-color-scheme: dark)');

export const theme = new EventTarget();

export function chosen() {
  const kept = localStorage.getItem(KEY);
  return CHOICES.includes(kept) ? kept : 'auto';
}

export function isDark() {
  return chosen() === 'auto' ? system.matches : chosen() === 'dark';
}

export function apply() {
  document.documentElement.dataset.theme = chosen();
  theme.dispatchEvent(new Event('change'));
}

export function next() {
  localStorage.setItem(KEY, CHOICES[(CHOICES.indexOf(chosen()) + 1) % CHOICES.length]);
  apply();
}

system.addEventListener('change', apply);

const DARK = {
  background: '#0b1013',
  foreground: '#d4dde2',
  cursor: '#d4dde2',
  cursorAccent: '#0b1013',
  selectionBackground: '#2d5a61',
  overviewRulerBorder: '#1d262c',
  black: '#1d262c',
  red: '#f0716b',
  green: '#7cc48b',
  yellow: '#dcb35c',
  blue: '#79aef2',
  magenta: '#c79bf2',
  cyan: '#5cc2c4',
  white: '#c3cdd3',
  brightBlack: '#70808a',
  brightRed: '#ff958f',
  brightGreen: '#9fdcab',
  brightYellow: '#f0cd84',
  brightBlue: '#a3c9fb',
  brightMagenta: '#dcbcfb',
  brightCyan: '#8adcdd',
  brightWhite: '#f3f7f9',
};

const LIGHT = {
  background: '#fcfdfc',
  foreground: '#1d282d',
  cursor: '#1d282d',
  cursorAccent: '#fcfdfc',
  selectionBackground: '#b9dedb',
  overviewRulerBorder: '#dde3e1',
  black: '#1d282d',
  red: '#b3261e',
  green: '#1f7a3a',
  yellow: '#8a6100',
  blue: '#1f5fae',
  magenta: '#7c3fb0',
  cyan: '#0d7377',
  white: '#5c6a71',
  brightBlack: '#6b7a82',
  brightRed: '#c8352c',
  brightGreen: '#2b8a47',
  brightYellow: '#9a6d00',
  brightBlue: '#2d6fc4',
  brightMagenta: '#8e50c4',
  brightCyan: '#168589',
  brightWhite: '#39464c',
};

export function terminalColours() {
  return isDark() ? DARK : LIGHT;
}

/// Colours of what a search has found.
export function foundColours() {
  return isDark()
    ? {
        matchBackground: '#4a4320',
        matchOverviewRuler: '#dcb35c',
        activeMatchBackground: '#8a6d1f',
        activeMatchColorOverviewRuler: '#f0cd84',
      }
    : {
        matchBackground: '#f6e7b0',
        matchOverviewRuler: '#b98a10',
        activeMatchBackground: '#f0c542',
        activeMatchColorOverviewRuler: '#8a6100',
      };
}
