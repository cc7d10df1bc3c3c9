/** A name for a sentence of the catalogue: of another direction, it shall not turn the sentence round. */
export const isolated = (name: string): string => `\u2068${name}\u2069`

interface SentenceProps {
  text: string
  className?: string
}

/** A sentence with isolated names in it; the marks become elements, so that the text is only words. */
export const Sentence = ({ text, className = 'truncate' }: SentenceProps) => (
  <span className={className}>
    {text
      .split(/\u2068([^\u2069]*)\u2069/)
      .map((part, index) => (index % 2 === 1 ? <bdi key={index}>{part}</bdi> : part))}
  </span>
)
