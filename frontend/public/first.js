// Runs before the first paint: the theme, what the shell shows, and what the page will want first, asked for at once.
;(function () {
  var root = document.documentElement
  var session = null
  var chosen = null
  try {
    chosen = localStorage.getItem('synctalk.theme')
    session = JSON.parse(localStorage.getItem('synctalk.session'))
  } catch (_) {
    // Storage may be forbidden; the system's theme will do.
  }
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  root.dataset.theme = dark ? 'dark' : 'light'
  root.dataset.session = session === null ? 'out' : 'in'
  root.dataset.view = /^\/(c\/|settings|search|channels|invite)/.test(location.pathname) ? 'one' : 'list'

  // The chunk that comes next, named by the build, without waiting for the one that asks for it.
  var next = document.currentScript.getAttribute('data-' + root.dataset.session) || ''
  next.split(' ').forEach(function (file) {
    if (file === '') return
    var link = document.createElement('link')
    link.rel = 'modulepreload'
    link.crossOrigin = ''
    link.href = file
    document.head.appendChild(link)
  })

  // Taken up by lib/early.ts. What an earlier client stored is renewed by the page itself.
  if (session === null || session.refresh_token !== undefined) return

  function ask(url, options) {
    return fetch(url, options).then(
      function (answer) {
        return answer.ok ? answer.json() : null
      },
      function () {
        return null
      },
    )
  }

  // As lib/auth/auth.ts does it: one at a time over all tabs.
  function renew() {
    var at = Date.now()
    return ask('/v1/auth/refresh', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Synctalk-Refresh': 'cookie' },
      body: '{}',
      signal: AbortSignal.timeout(15000),
    }).then(function (tokens) {
      return tokens && { tokens: tokens, at: at }
    })
  }

  var renewed = navigator.locks ? navigator.locks.request('synctalk.refresh', renew) : renew()
  window.synctalkEarly = {
    userId: session.user.id,
    renewed: renewed,
    conversations: renewed.then(function (early) {
      if (early === null || early.tokens.session_id !== session.session_id) return null
      return ask('/v1/conversations?limit=100', {
        headers: { Authorization: 'Bearer ' + early.tokens.access_token },
      })
    }),
  }
})()
