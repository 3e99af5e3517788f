// Runs before the first paint: the theme must be known then, or a dark page flashes white.
const wanted = localStorage.getItem('assetgraph-theme') ?? 'system';
const dark = wanted === 'dark' || (wanted === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
document.documentElement.dataset.theme = dark ? 'dark' : 'light';
