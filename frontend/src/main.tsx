import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Root } from './app/Root'
import './app/theme.css'
import { followOtherTabs } from './lib/session/session'
import { startTheme } from './lib/theme'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')

startTheme()
followOtherTabs()
createRoot(root).render(
  <StrictMode>
    <Root />
  </StrictMode>,
)
