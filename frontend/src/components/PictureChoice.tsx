import { useEffect, useRef, useState } from 'react'
import { CallError } from '@synctalk/client/errors'
import { useLive } from '@/lib-react/session'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { Button } from './Button'
import { squared } from './squared'

const t = lazyTexts.files

interface ChoiceProps {
  /** The address of the picture that there is. */
  current: string | null
  /** Set the picture at this address; null: none. */
  onChange: (url: string | null) => Promise<void>
}

/** The buttons to choose a picture of a user or a group, and to remove it. */
export function PictureChoice({ current, onChange }: ChoiceProps) {
  const { uploads } = useLive()
  const input = useRef<HTMLInputElement>(null)
  const leaving = useRef(new AbortController())
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    const left = new AbortController()
    leaving.current = left
    return () => left.abort()
  }, [])

  async function change(next: () => Promise<string | null>): Promise<void> {
    setBusy(true)
    setProblem(null)
    try {
      await onChange(await next())
    } catch (error) {
      setProblem(problemOf(error))
    } finally {
      setBusy(false)
    }
  }

  const upload = (chosen: File): Promise<void> =>
    change(async () => uploads.uploadAvatar(await squared(chosen), leaving.current.signal))

  return (
    <div className="flex flex-wrap items-center gap-2">
      <input
        ref={input}
        type="file"
        accept="image/png,image/jpeg,image/gif,image/webp"
        hidden
        data-picture-choice
        onChange={({ target }) => {
          const chosen = target.files?.[0]
          if (chosen !== undefined) void upload(chosen)
          target.value = ''
        }}
      />
      <Button busy={busy} onClick={() => input.current?.click()}>
        {current === null ? t.addPicture : t.changePicture}
      </Button>
      {current !== null && (
        <Button look="quiet" busy={busy} onClick={() => void change(() => Promise.resolve(null))}>
          {t.removePicture}
        </Button>
      )}
      {problem !== null && (
        <p role="alert" className="w-full text-meta text-danger">
          {problem}
        </p>
      )}
    </div>
  )
}

function problemOf(error: unknown): string {
  if (!(error instanceof CallError)) return failureText('other')
  if (error.code === 'too_large') return t.pictureTooLarge
  return error.code === 'invalid' ? t.notAPicture : failureText(error.code)
}
