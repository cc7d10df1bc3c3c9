import { wordlessly } from '@/lib-react/lazily'
import { Suspense, type ReactNode } from 'react'
import { CODE_BLOCK } from '../pieces'
import { build } from './build'
import type { TextProps } from './textProps'

const Highlighted = wordlessly(() => import('./Highlighted'))

/** A message's text with its Markdown: built from elements, so nothing in it can be markup. */
export default function Markdown({ body, mentioned, own, folded, children }: TextProps) {
  return (
    <div className="text-message wrap-anywhere whitespace-pre-wrap">
      {build(body, { mentioned, own, folded, end: children, codeBlock })}
    </div>
  )
}

const codeBlock = (code: string, language: string, key: number): ReactNode => (
  <pre key={key} dir="ltr" tabIndex={0} data-language={language} className={CODE_BLOCK}>
    {language === '' ? (
      code
    ) : (
      <Suspense fallback={code}>
        <Highlighted code={code} language={language} />
      </Suspense>
    )}
  </pre>
)
