import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Root } from './app/Root'
import './app/theme.css'
import { AuthContext } from './lib-react/session'
import { Page, PageContext } from './lib-react/page'
import { Auth } from './lib/auth/auth'
import { followPendingSignOut } from './lib/auth/pendingSignOut'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')

const page = new Page()
page.theme.start()
const auth = new Auth()
auth.followOtherTabs()
followPendingSignOut(auth)
createRoot(root).render(
  <StrictMode>
    <PageContext value={page}>
      <AuthContext value={auth}>
        <Root />
      </AuthContext>
    </PageContext>
  </StrictMode>,
)
