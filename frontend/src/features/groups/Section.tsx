import type { ReactNode } from 'react'

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="px-4 py-5">
      <h3 className="mb-3 text-message font-semibold">{title}</h3>
      {children}
    </section>
  )
}
