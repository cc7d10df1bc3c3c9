import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Root } from './app/Root'
import './app/theme.css'
import { followOtherTabs } from './lib/session/session'
import { startTheme } from './lib/theme'

const RELOADED = 'synctalk.reloaded'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')

// A page that is older than what is served now asks for parts that are gone: it is loaded anew, once.
window.addEventListener('vite:preloadError', (event) => {
  if (sessionStorage.getItem(RELOADED) === import.meta.url) return
  sessionStorage.setItem(RELOADED, import.meta.url)
  event.preventDefault()
  window.location.reload()
})

startTheme()
followOtherTabs()
createRoot(root).render(
  <StrictMode>
    <Root />
  </StrictMode>,
)
