import { useEffect, useRef, useState, type ReactNode } from 'react'
import { Link, useLocation, useNavigate, useParams } from 'react-router'
import { Avatar } from '@/components/Avatar'
import { Button } from '@/components/Button'
import { Problem } from '@/components/Field'
import { PageHead } from '@/components/PageHead'
import { Bone, Empty, Failed, Loading } from '@/components/States'
import { CallError } from '@synctalk/client/errors'
import { request } from '@synctalk/client/http'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { useProviders, type Entry } from '@/lib-react/entry'
import { useLive } from '@/lib-react/session'

const t = lazyTexts.invite

interface Preview {
  title: string
  members_count: number
  avatar_url: string | null
}

/** Whoever was asked to sign in first has accepted already. */
interface Accepting {
  accept?: boolean
}

const LINK =
  'inline-flex min-h-10 items-center justify-center rounded-control border px-4 text-meta font-medium pointer-coarse:min-h-11'

/** What an invite leads to, for who has no session: the ways to get one, and back here. */
export function Invited() {
  const { code = '' } = useParams()
  const providers = useProviders()
  const then: Accepting = { accept: true }
  const entry: Entry = { from: `/invite/${encodeURIComponent(code)}`, then }
  return (
    <main className="flex h-dvh flex-col items-center justify-center overflow-y-auto bg-bg px-6 py-10">
      <p className="mb-10 flex items-center gap-2.5 text-title font-semibold">
        <img src="/icon.svg" alt="" width="32" height="32" />
        {texts.product}
      </p>
      <Card code={code} heading="h1">
        <div className="flex flex-col gap-2">
          <Link
            to="/sign-in"
            state={entry}
            className={`${LINK} border-transparent bg-accent text-accent-text hover:bg-accent-hover`}
          >
            {lazyTexts.session.signIn}
          </Link>
          {providers !== null && providers.registration !== 'closed' && (
            <Link
              to="/register"
              state={entry}
              className={`${LINK} border-border-strong bg-bg hover:bg-bg-hover`}
            >
              {lazyTexts.session.createAccount}
            </Link>
          )}
          {providers?.guests === true && (
            <Link
              to="/guest"
              state={entry}
              className={`${LINK} border-transparent text-accent-ink hover:bg-bg-hover`}
            >
              {t.asGuest}
            </Link>
          )}
        </div>
      </Card>
    </main>
  )
}

/** The same for who is signed in: come in by one click, which who came from signing in has made before. */
export function InvitePage() {
  const { code = '' } = useParams()
  const { conversations } = useLive()
  const navigate = useNavigate()
  const accepting = (useLocation().state as Accepting | null)?.accept === true
  const begun = useRef(false)
  const [busy, setBusy] = useState(accepting)
  const [failed, setFailed] = useState<string | null>(null)

  async function accept(): Promise<void> {
    setBusy(true)
    setFailed(null)
    try {
      const id = await conversations.acceptInvite(code)
      await navigate(`/c/${id}`, { replace: true })
    } catch (error) {
      setFailed(error instanceof CallError ? error.code : 'other')
      setBusy(false)
    }
  }

  useEffect(() => {
    if (!accepting || begun.current) return
    begun.current = true
    void accept()
  })

  return (
    <div className="flex h-full flex-col">
      <PageHead title={t.title} />
      <div className="flex min-h-0 flex-1 flex-col items-center justify-center overflow-y-auto px-6 py-10">
        {accepting && busy ? (
          <Bones />
        ) : (
          <Card code={code} heading="h3">
            {failed !== null && <Problem>{t.failures[failed] ?? failureText(failed)}</Problem>}
            <Button look="primary" busy={busy} onClick={() => void accept()} className="min-h-10">
              {t.join}
            </Button>
          </Card>
        )}
      </div>
    </div>
  )
}

interface CardProps {
  code: string
  heading: 'h1' | 'h3'
  children: ReactNode
}

function Card({ code, heading: Heading, children }: CardProps) {
  const [attempt, setAttempt] = useState(0)
  const preview = usePreview(code, attempt)
  if (preview === 'not_found') return <Empty icon="link" title={t.over} lead={t.overLead} />
  if (typeof preview === 'string') {
    return <Failed text={failureText(preview)} onRetry={() => setAttempt(attempt + 1)} />
  }
  if (preview === null) return <Bones />
  return (
    <div className="flex w-full max-w-sm flex-col gap-5">
      <div className="flex flex-col items-center text-center">
        <Avatar id={code} name={preview.title} url={preview.avatar_url} group size={72} />
        <Heading dir="auto" className="mt-4 max-w-full text-large font-semibold break-words">
          {t.to(preview.title)}
        </Heading>
        <p className="mt-1 text-meta text-text-muted">{texts.details.membersCount(preview.members_count)}</p>
      </div>
      {children}
    </div>
  )
}

const Bones = () => (
  <Loading>
    <Bone className="mx-auto size-[72px]" />
    <Bone className="mt-4 h-6 w-56" />
  </Loading>
)

/** What the invite leads to; the code of the failure, or null while it is read. */
function usePreview(code: string, attempt: number): Preview | string | null {
  const [found, setFound] = useState<Preview | string | null>(null)
  useEffect(() => {
    const abort = new AbortController()
    request<Preview>({ url: `/v1/invites/${encodeURIComponent(code)}`, signal: abort.signal }).then(
      setFound,
      (error: unknown) => {
        if (!abort.signal.aborted) setFound(error instanceof CallError ? error.code : 'other')
      },
    )
    return () => abort.abort()
  }, [code, attempt])
  return found
}
