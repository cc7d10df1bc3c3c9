import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Root } from './app/Root'
import './app/theme.css'
import { InLanguage } from './components/InLanguage'
import { AuthContext } from './lib-react/session'
import { Page, PageContext } from './lib-react/page'
import { Auth } from '@synctalk/client/auth/auth'
import { followPendingSignOut } from '@synctalk/client/auth/pendingSignOut'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')

const page = new Page()
page.theme.start()
page.density.start()
const auth = new Auth()
auth.followOtherTabs()
followPendingSignOut(auth)
const view = createRoot(root)
void page.language.start().then(() =>
  view.render(
    <StrictMode>
      <PageContext value={page}>
        <AuthContext value={auth}>
          <InLanguage>{() => <Root />}</InLanguage>
        </AuthContext>
      </PageContext>
    </StrictMode>,
  ),
)
