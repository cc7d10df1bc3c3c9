import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { InLanguage } from '@/components/InLanguage'
import { Toasts } from '@/components/Toasts'
import { persistently } from '@/lib-react/lazily'
import { Page, PageContext } from '@/lib-react/page'
import { AuthStateContext } from '@/lib-react/session'
import { HostAuth } from '@/lib/embed/hostAuth'
import { HostPage } from '@/lib/embed/hostPage'
import { loading } from '@/lib/text/loading'
import { Crash } from '../Crash'
import '../theme.css'
import { Embedded } from './Embedded'
import { keepStorage } from './storage'

const root = document.getElementById('root')
if (root === null) throw new Error('embed.html has no #root')

// Before the frame's load event, at which the page begins: nothing of what it sends is missed.
const host = new HostPage()
host.listen()
keepStorage()
const page = new Page()
const auth = new HostAuth(host.ask)
const view = createRoot(root)
const asked = new URLSearchParams(window.location.search).get('lang')
// A frame is small: what stands in the way of signing in is in the texts that are loaded later elsewhere.
const started = Promise.all([page.language.start(asked), persistently(() => loading.loadLazyTexts())])
void started.then(() =>
  view.render(
    <StrictMode>
      <PageContext value={page}>
        <AuthStateContext value={auth.state}>
          <InLanguage>
            {() => (
              <Crash>
                <Embedded host={host} auth={auth} />
                <Toasts />
              </Crash>
            )}
          </InLanguage>
        </AuthStateContext>
      </PageContext>
    </StrictMode>,
  ),
)
