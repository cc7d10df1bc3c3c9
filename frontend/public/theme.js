// Runs before the first paint: the chosen theme, else the system's.
;(function () {
  var chosen = null
  try {
    chosen = localStorage.getItem('synctalk.theme')
  } catch (_) {
    // Storage may be forbidden; the system's theme will do.
  }
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
