import { useMemo, type ReactNode } from 'react'
import { common, createLowlight } from 'lowlight'

const lowlight = createLowlight(common)

/** A longer one stays in one colour: a language's patterns may take more than linear time. */
const MAX_CHARACTERS = 4_000
/** Beyond so many coloured parts the rest is in one colour. */
const MAX_PARTS = 400

const LOOKS: Record<string, string> = {
  'hljs-keyword': 'text-accent-ink',
  'hljs-built_in': 'text-accent-ink',
  'hljs-type': 'text-accent-ink',
  'hljs-tag': 'text-accent-ink',
  'hljs-name': 'text-accent-ink',
  'hljs-selector-tag': 'text-accent-ink',
  'hljs-section': 'text-accent-ink',
  'hljs-string': 'text-ok',
  'hljs-regexp': 'text-ok',
  'hljs-addition': 'text-ok',
  'hljs-number': 'text-warn',
  'hljs-literal': 'text-warn',
  'hljs-attr': 'text-warn',
  'hljs-attribute': 'text-warn',
  'hljs-variable': 'text-warn',
  'hljs-symbol': 'text-warn',
  'hljs-deletion': 'text-danger',
  'hljs-comment': 'text-text-muted italic',
  'hljs-quote': 'text-text-muted italic',
  'hljs-meta': 'text-text-muted',
  'hljs-title': 'font-semibold',
}

type Nodes = ReturnType<typeof lowlight.highlight>['children']

/** Code in the colours of its language; of a language that is not known, as it is. */
export default function Highlighted({ code, language }: { code: string; language: string }) {
  return useMemo(() => highlighted(code, language), [code, language])
}

function highlighted(code: string, language: string): ReactNode {
  if (code.length > MAX_CHARACTERS || !lowlight.registered(language)) return code
  let parts = 0
  const textOf = (nodes: Nodes): string =>
    nodes
      .map((node) =>
        node.type === 'text' ? node.value : node.type === 'element' ? textOf(node.children) : '',
      )
      .join('')
  const shown = (nodes: Nodes): ReactNode[] =>
    nodes.map((node, index) => {
      if (node.type === 'text') return node.value
      if (node.type !== 'element') return null
      const { className } = node.properties
      const look = Array.isArray(className) ? LOOKS[String(className[0])] : undefined
      if (parts >= MAX_PARTS) return textOf(node.children)
      if (look === undefined) return shown(node.children)
      parts += 1
      return (
        <span key={index} className={look}>
          {shown(node.children)}
        </span>
      )
    })
  return shown(lowlight.highlight(language, code).children)
}
