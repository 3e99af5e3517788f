// The theme: system, light or dark. The button changes and stores it; theme_early.js applies it.

const NAME = 'assetgraph-theme';
const ORDER = ['system', 'light', 'dark'];
const WORDS = {system: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark'};
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

export function setUpTheme() {
  document.getElementById('theme-switch').addEventListener('click', () => {
    localStorage.setItem(NAME, ORDER[(ORDER.indexOf(wanted()) + 1) % ORDER.length]);
    apply();
  });
  prefersDark.addEventListener('change', apply);
  window.addEventListener('storage', (event) => event.key === NAME && apply());
  apply();
}

function wanted() {
  return localStorage.getItem(NAME) ?? 'system';
}

function apply() {
  const theme = wanted();
  const dark = theme === 'dark' || (theme === 'system' && prefersDark.matches);
  const before = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  document.getElementById('theme-icon').setAttribute('href', `#i-${theme}`);
  document.getElementById('theme-text').textContent = WORDS[theme];
  document.getElementById('theme-switch').title = WORDS[theme];
  if (before !== document.documentElement.dataset.theme) document.dispatchEvent(new Event('themechange'));
}
