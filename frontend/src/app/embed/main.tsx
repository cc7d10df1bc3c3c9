import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Toasts } from '@/components/Toasts'
import { Page, PageContext } from '@/lib-react/page'
import { AuthStateContext } from '@/lib-react/session'
import { HostAuth } from '@/lib/embed/hostAuth'
import { HostPage } from '@/lib/embed/hostPage'
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
createRoot(root).render(
  <StrictMode>
    <PageContext value={page}>
      <AuthStateContext value={auth.state}>
        <Crash>
          <Embedded host={host} auth={auth} />
          <Toasts />
        </Crash>
      </AuthStateContext>
    </PageContext>
  </StrictMode>,
)
