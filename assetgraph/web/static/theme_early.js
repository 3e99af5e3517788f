// Runs before the first paint, so that a dark page does not flash white.
const wanted = localStorage.getItem('assetgraph-theme') ?? 'system';
const dark = wanted === 'dark' || (wanted === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
document.documentElement.dataset.theme = dark ? 'dark' : 'light';
