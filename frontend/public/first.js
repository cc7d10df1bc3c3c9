// Runs before the first paint: the theme, the language, what the shell shows, and what the page will want first, asked for at once.
;(function () {
  var root = document.documentElement
  var session = null
  var chosen = null
  var language = null
  try {
    chosen = localStorage.getItem('synctalk.theme')
    language = localStorage.getItem('synctalk.language')
    session = JSON.parse(localStorage.getItem('synctalk.session'))
  } catch (_) {
    // Storage may be forbidden; the system's theme will do.
  }
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  root.dataset.theme = dark ? 'dark' : 'light'

  // In a page of another origin: how to sign in and the language come from there, and are of no other tab.
  var embedded = /^\/embed(\.html)?$/.test(location.pathname)
  var asked = embedded ? new URLSearchParams(location.search).get('lang') : null
  if (embedded) session = null

  root.dataset.session = session === null ? 'out' : 'in'
  root.dataset.view = /^\/(c\/|settings|search|channels|invite)/.test(location.pathname) ? 'one' : 'list'

  // As lib/text/languages.ts chooses it.
  var known = ['en', 'de', 'ar']
  var wanted = [asked, language].concat(navigator.languages).map(function (tag) {
    return String(tag).split(/[-_]/)[0].toLowerCase()
  })
  root.lang =
    wanted.filter(function (tag) {
      return known.indexOf(tag) !== -1
    })[0] || 'en'
  root.dir = root.lang === 'ar' ? 'rtl' : 'ltr'

  // The chunk that comes next, named by the build, and the texts, without waiting for the one that asks for them.
  function named(what) {
    return document.currentScript.getAttribute('data-' + what) || ''
  }
  var out = root.dataset.session === 'out'
  var next = [
    embedded ? '' : named(root.dataset.session),
    named(root.lang),
    out ? named(root.lang + '-out') : '',
  ].join(' ')
  next.split(' ').forEach(function (file) {
    if (file === '') return
    var link = document.createElement('link')
    link.rel = 'modulepreload'
    link.crossOrigin = ''
    link.href = file
    document.head.appendChild(link)
  })

  // Taken up by early.ts of the client library. What an earlier client stored is renewed by the page itself.
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

  // As auth/auth.ts of the client library does it: one at a time over all tabs.
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
