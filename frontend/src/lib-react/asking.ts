/** Views that make queries are loaded together with what answers them, so that the first load is without it. */
import type { ComponentType, LazyExoticComponent } from 'react'
import { lazily, type Part } from './lazily'

export const loadQueries = () => import('./queries')

export const lazilyAsking = <P>(load: () => Promise<Part<P>>): LazyExoticComponent<ComponentType<P>> =>
  lazily(async () => {
    const [view, { withQueries }] = await Promise.all([load(), loadQueries()])
    return { default: withQueries(view.default) }
  })
